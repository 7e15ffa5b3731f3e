package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"badgebridge/store"
)

func keys(t *testing.T, s store.Store) {
	ctx := t.Context()
	old := store.Key{ID: "k1", Purpose: "assertion", Algorithm: "EdDSA", Public: []byte(`{"kty":"OKP"}`), Sealed: []byte{0, 1, 2}, CreatedAt: t0}
	young := store.Key{ID: "k2", Purpose: "assertion", Algorithm: "EdDSA", Public: []byte(`{}`), Sealed: []byte{3}, CreatedAt: t0.Add(time.Hour)}
	must(t, s.CreateKey(ctx, old))
	wantErr(t, s.CreateKey(ctx, old), store.ErrExists)
	wantErr(t, s.CreateKey(ctx, young), store.ErrExists) // one signs at a time
	must(t, s.CreateKey(ctx, store.Key{ID: "k3", Purpose: "session", Algorithm: "EdDSA", CreatedAt: t0}))
	other := store.Key{ID: "k4", Purpose: "assertion", Algorithm: "RS256", Public: []byte(`{}`), Sealed: []byte{4}, CreatedAt: t0.Add(-time.Hour)}
	must(t, s.CreateKey(ctx, other))
	must(t, s.RetireKey(ctx, "k1", t0.Add(2*time.Hour)))
	wantErr(t, s.RetireKey(ctx, "k1", t0.Add(3*time.Hour)), store.ErrStale)
	must(t, s.CreateKey(ctx, young))
	old.RetiredAt = t0.Add(2 * time.Hour)
	same(t, "keys, newest first", got[[]store.Key](t)(s.Keys(ctx, "assertion")), []store.Key{young, old, other})
	wantErr(t, s.RetireKey(ctx, "unknown", t0), store.ErrNotFound)

	// Replicas that replace the same key at once replace it once.
	var mu sync.Mutex
	wins := 0
	atOnce(6, func(i int) {
		err := s.InTx(ctx, func(tx store.Tx) error {
			if err := tx.RetireKey(ctx, "k2", t0.Add(4*time.Hour)); err != nil {
				return err
			}
			return tx.CreateKey(ctx, store.Key{ID: fmt.Sprint("new ", i), Purpose: "assertion", Algorithm: "EdDSA", CreatedAt: t0.Add(4 * time.Hour)})
		})
		switch {
		case err == nil:
			mu.Lock()
			wins++
			mu.Unlock()
		case !errors.Is(err, store.ErrStale):
			t.Errorf("replace a key: %v", err)
		}
	})
	same(t, "number of replacements", wins, 1)
}

func statusLists(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	_, err := s.StatusOf(ctx, "unknown")
	wantErr(t, err, store.ErrNotFound)
	_, err = s.TakeStatus(ctx, "unknown", 16)
	wantErr(t, err, store.ErrNotFound)

	const size, awards = 16, 40
	places := map[store.StatusEntry]store.Award{}
	lists := map[string]int{}
	for i := range awards {
		a := w.made(w.award(fmt.Sprintf("%d@example.org", i), fmt.Sprint(i)))
		e := got[store.StatusEntry](t)(s.TakeStatus(ctx, a.ID, size))
		same(t, "asked again", got[store.StatusEntry](t)(s.TakeStatus(ctx, a.ID, size)), e)
		same(t, "read", got[store.StatusEntry](t)(s.StatusOf(ctx, a.ID)), e)
		if other, taken := places[e]; taken {
			t.Fatalf("%s and %s share place %+v", other.ID, a.ID, e)
		}
		if e.Position < 0 || e.Position >= size {
			t.Fatalf("place %d of %d", e.Position, size)
		}
		places[e] = a
		lists[e.List]++
	}
	if len(lists) < 3 {
		t.Fatalf("%d awards are in %d lists of %d", awards, len(lists), size)
	}

	var list string
	var want []int
	for e, a := range places {
		if list == "" {
			list = e.List
		}
		if e.List != list && e.Position%2 == 0 || e.List == list && e.Position%3 == 0 {
			a.Revoked, a.RevokedAt = true, t0
			_, err := s.PutAward(ctx, a)
			must(t, err)
			if e.List == list {
				want = append(want, e.Position)
			}
		}
	}
	slices.Sort(want)
	same(t, "revoked places", got[[]int](t)(s.RevokedIn(ctx, list)), want)

	l := got[store.StatusList](t)(s.StatusList(ctx, list))
	l.Document = append([]byte(nil), l.Document...) // nil for none
	same(t, "unsigned list", l, store.StatusList{ID: list, Size: size})
	l.Content, l.Document, l.SignedAt = "digest", []byte("signed \x00"), t0
	must(t, s.PutStatusList(ctx, l))
	wantErr(t, s.PutStatusList(ctx, l), store.ErrStale)
	l.Rev = 1
	same(t, "signed list", got[store.StatusList](t)(s.StatusList(ctx, list)), l)
	must(t, s.PutStatusList(ctx, l))
	_, err = s.StatusList(ctx, "unknown")
	wantErr(t, err, store.ErrNotFound)
	wantErr(t, s.PutStatusList(ctx, store.StatusList{ID: "unknown"}), store.ErrNotFound)
}

func statusRaces(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	const n = 8
	awards := make([]store.Award, n/2)
	for i := range awards {
		awards[i] = w.made(w.award(fmt.Sprintf("%d@example.org", i), fmt.Sprint(i)))
	}
	entries := make([]store.StatusEntry, n)
	atOnce(n, func(i int) { // each award is asked for twice at once
		err := s.InTx(ctx, func(tx store.Tx) (err error) {
			entries[i], err = tx.TakeStatus(ctx, awards[i/2].ID, 4)
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	seen := map[store.StatusEntry]bool{}
	for i, e := range entries {
		same(t, "place of award", e, got[store.StatusEntry](t)(s.StatusOf(ctx, awards[i/2].ID)))
		seen[e] = true
	}
	same(t, "number of places", len(seen), len(awards))
}
