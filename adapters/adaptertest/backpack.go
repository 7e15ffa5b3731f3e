package adaptertest

import (
	"bytes"
	"errors"
	"testing"

	"badgebridge/adapters"
)

func runBackpack(t *testing.T, s Suite) {
	ready := func(t *testing.T) (*stand, adapters.Backpack) {
		st := newStand(t, s)
		need(t, "Deposit", st.Deposit != nil)
		need(t, "Refuse", st.Refuse != nil)
		need(t, "Count", st.Count != nil)
		return st, st.adapter.(adapters.Backpack)
	}
	t.Run("what was stored is there, and storing it again keeps one copy under one ref", func(t *testing.T) {
		st, b := ready(t)
		first, err := b.Store(newContext(t), st.Deposit(t, 0))
		if err != nil || first == "" {
			t.Fatalf("Store = %q, %v", first, err)
		}
		again, err := b.Store(newContext(t), st.Deposit(t, 0))
		if err != nil || again != first {
			t.Errorf("Store again = %q, %v, want %q", again, err, first)
		}
		other, err := b.Store(newContext(t), st.Deposit(t, 1))
		if err != nil || other == first {
			t.Errorf("another one: Store = %q, %v", other, err)
		}
		if st.Count() != 2 {
			t.Errorf("the backpack holds %d", st.Count())
		}
	})
	t.Run("a deposit whose answer was lost is simply stored again", func(t *testing.T) {
		for _, kind := range []FaultKind{DropAfter, Cut, DropBefore} {
			st, b := ready(t)
			st.proxy.Inject(Fault{Kind: kind, Match: st.IsIssue, Times: 1})
			if _, err := b.Store(newContext(t), st.Deposit(t, 0)); !adapters.IsAmbiguous(err) {
				t.Errorf("%s: %v, want an ambiguous error", kind, err)
			}
			if ref, err := b.Store(newContext(t), st.Deposit(t, 0)); err != nil || ref == "" || st.Count() != 1 {
				t.Errorf("%s: Store again = %q, %v, and the backpack holds %d", kind, ref, err, st.Count())
			}
		}
	})
	t.Run("what the backpack refuses is ErrRejected in its own words, and the next one is taken", func(t *testing.T) {
		st, b := ready(t)
		_, err := b.Store(newContext(t), st.Refuse(t))
		var e *adapters.Error
		if !errors.Is(err, adapters.ErrRejected) || !errors.As(err, &e) || e.Words == "" {
			t.Fatalf("Store = %v", err)
		}
		if adapters.IsAmbiguous(err) || adapters.Temporary(err) {
			t.Errorf("a refusal counts as ambiguous or temporary: %v", err)
		}
		if _, err := b.Store(newContext(t), st.Deposit(t, 0)); err != nil || st.Count() != 1 {
			t.Errorf("the next one: %v, and the backpack holds %d", err, st.Count())
		}
	})
	t.Run("nothing is stored with credentials that the backpack refuses", func(t *testing.T) {
		st, _ := ready(t)
		_, err := st.Refused(t, st.url, st.hc).(adapters.Backpack).Store(newContext(t), st.Deposit(t, 0))
		if !errors.Is(err, adapters.ErrUnauthorized) || adapters.IsAmbiguous(err) || adapters.Temporary(err) {
			t.Errorf("Store = %v, want ErrUnauthorized", err)
		}
		if st.Count() != 0 {
			t.Errorf("the backpack holds %d", st.Count())
		}
	})
}

func runRenewer(t *testing.T, s Suite) {
	t.Run("a grant that is good is not renewed", func(t *testing.T) {
		st := newStand(t, s)
		if config, err := st.adapter.(adapters.Renewer).Renew(newContext(t), false); err != nil || config != nil {
			t.Errorf("Renew gave %d bytes, %v", len(config), err)
		}
		if n := len(st.proxy.Calls()); n != 0 {
			t.Errorf("%d calls", n)
		}
	})
	t.Run("a grant that the remote has ended is traded for another one, with which all goes on", func(t *testing.T) {
		st := newStand(t, s)
		need(t, "Lapse", st.Lapse != nil)
		st.Lapse()
		if _, err := st.adapter.Check(newContext(t)); !errors.Is(err, adapters.ErrUnauthorized) {
			t.Fatalf("Check = %v, want ErrUnauthorized", err)
		}
		config, err := st.adapter.(adapters.Renewer).Renew(newContext(t), true)
		if err != nil || len(config) == 0 {
			t.Fatalf("Renew gave %d bytes, %v", len(config), err)
		}
		need(t, "Again", st.Again != nil)
		if _, err := st.Again(t, bytes.Clone(config), st.hc).Check(newContext(t)); err != nil {
			t.Errorf("Check with the new grant: %v", err)
		}
	})
	t.Run("a grant that can't be renewed is ErrUnauthorized, and an outage is not", func(t *testing.T) {
		st := newStand(t, s)
		r := st.adapter.(adapters.Renewer)
		st.proxy.Inject(Fault{Kind: Fail, Times: 1})
		if _, err := r.Renew(newContext(t), true); !adapters.Temporary(err) {
			t.Errorf("during an outage: %v", err)
		}
		_, err := st.Refused(t, st.url, st.hc).(adapters.Renewer).Renew(newContext(t), true)
		if !errors.Is(err, adapters.ErrUnauthorized) || adapters.Temporary(err) {
			t.Errorf("refused: %v, want ErrUnauthorized", err)
		}
	})
}
