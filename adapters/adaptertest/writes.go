package adaptertest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"

	"badgebridge/adapters"
)

func readAll(t *testing.T, what string, read func(context.Context, adapters.Cursor) (adapters.Page, error), from adapters.Cursor) (map[adapters.Ref]adapters.Record, adapters.Cursor) {
	t.Helper()
	got := map[adapters.Ref]adapters.Record{}
	for range 1000 {
		p, err := read(newContext(t), from)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		keep(got, p.Records)
		if p.More && p.Next == from {
			t.Fatalf("%s does not move on from %q", what, from)
		}
		from = p.Next
		if !p.More {
			return got, from
		}
	}
	t.Fatalf("%s does not end", what)
	return nil, ""
}

// write is one way to write: an Issuer's or a Backpack's.
type write struct {
	name string
	do   func(t *testing.T, ctx context.Context, st *stand, a adapters.Adapter, n int) (adapters.Ref, error)
}

var issueWrite = write{"issue", func(t *testing.T, ctx context.Context, st *stand, a adapters.Adapter, n int) (adapters.Ref, error) {
	need(t, "Issuance", st.Issuance != nil)
	return a.(adapters.Issuer).Issue(ctx, st.Issuance(t, n))
}}

var storeWrite = write{"store", func(t *testing.T, ctx context.Context, st *stand, a adapters.Adapter, n int) (adapters.Ref, error) {
	need(t, "Deposit", st.Deposit != nil)
	return a.(adapters.Backpack).Store(ctx, st.Deposit(t, n))
}}

func runIssuer(t *testing.T, s Suite) {
	ready := func(t *testing.T) (*stand, adapters.Issuer, adapters.Issuance) {
		st := newStand(t, s)
		need(t, "Issuance", st.Issuance != nil)
		need(t, "Count", st.Count != nil)
		return st, st.adapter.(adapters.Issuer), st.Issuance(t, 0)
	}
	t.Run("an issued award is there, and is listed", func(t *testing.T) {
		st, iss, in := ready(t)
		ref, err := iss.Issue(newContext(t), in)
		if err != nil || ref == "" {
			t.Fatalf("Issue = %q, %v", ref, err)
		}
		if st.Count() != 1 {
			t.Fatalf("the remote holds %d awards", st.Count())
		}
		st.settle()
		if src, ok := st.adapter.(adapters.Source); ok {
			got, _ := listAll(t, src)
			mustHold(t, "List", got, []adapters.Ref{ref})
		}
	})
	t.Run("issue twice with one key awards once", func(t *testing.T) {
		st, iss, in := ready(t)
		first, err := iss.Issue(newContext(t), in)
		if err != nil {
			t.Fatalf("Issue: %v", err)
		}
		st.settle()
		second, err := iss.Issue(newContext(t), in)
		switch {
		case err == nil:
			if second != first {
				t.Errorf("the second call gave %q, the first %q", second, first)
			}
		case errors.Is(err, adapters.ErrConflict):
			if f, ok := st.adapter.(adapters.Finder); ok {
				mustFind(t, f, in, first)
			}
		default:
			t.Errorf("the second call: %v, want success or ErrConflict", err)
		}
		if st.Count() != 1 {
			t.Errorf("the remote holds %d awards", st.Count())
		}
	})
	t.Run("what the remote refuses is ErrRejected in its own words and not ambiguous", func(t *testing.T) {
		st, iss, in := ready(t)
		in.Class = "00000000-0000-4000-8000-000000000000"
		_, err := iss.Issue(newContext(t), in)
		if !errors.Is(err, adapters.ErrRejected) && !errors.Is(err, adapters.ErrNotFound) {
			t.Fatalf("Issue of an unknown badge = %v", err)
		}
		if adapters.IsAmbiguous(err) || adapters.Temporary(err) {
			t.Errorf("a refusal counts as ambiguous or temporary: %v", err)
		}
		if adapters.Words(err) == "" {
			t.Error("the error has no words for people")
		}
		if st.Count() != 0 {
			t.Error("an award was made")
		}
	})
	if _, ok := newStand(t, s).adapter.(adapters.Finder); ok {
		runFinder(t, s)
	}
	if _, ok := newStand(t, s).adapter.(adapters.Revoker); ok {
		t.Run("revoking twice is no error, and the revocation shows", func(t *testing.T) {
			st, iss, in := ready(t)
			rev := st.adapter.(adapters.Revoker)
			ref, err := iss.Issue(newContext(t), in)
			if err != nil {
				t.Fatalf("Issue: %v", err)
			}
			for range 2 {
				st.settle()
				if err := rev.Revoke(newContext(t), ref, "issued by mistake"); err != nil {
					t.Fatalf("Revoke: %v", err)
				}
			}
			st.settle()
			if src, ok := st.adapter.(adapters.Source); ok {
				got, _ := listAll(t, src)
				r, there := got[ref]
				if there && r.Gone == nil && !r.Award.Revoked {
					t.Error("the revoked award is listed as valid")
				}
				if !there && src.Absence() == adapters.AbsenceDeleted {
					t.Error("the revoked award vanished from the list, which here means only deleted")
				}
			}
		})
		t.Run("a revocation whose answer was lost can be sent again", func(t *testing.T) {
			st, iss, in := ready(t)
			ref, err := iss.Issue(newContext(t), in)
			if err != nil {
				t.Fatalf("Issue: %v", err)
			}
			st.proxy.Inject(Fault{Kind: DropAfter, Match: Writes, Times: 1})
			if err := st.adapter.(adapters.Revoker).Revoke(newContext(t), ref, "mistake"); err == nil {
				t.Error("a lost answer counts as success")
			}
			if err := st.adapter.(adapters.Revoker).Revoke(newContext(t), ref, "mistake"); err != nil {
				t.Errorf("Revoke again: %v", err)
			}
		})
	}
	if _, ok := newStand(t, s).adapter.(adapters.Remover); ok {
		t.Run("removing twice is no failure that a person must look at", func(t *testing.T) {
			st, iss, in := ready(t)
			ref, err := iss.Issue(newContext(t), in)
			if err != nil {
				t.Fatalf("Issue: %v", err)
			}
			rm := st.adapter.(adapters.Remover)
			if err := rm.Remove(newContext(t), ref); err != nil {
				t.Fatalf("Remove: %v", err)
			}
			if err := rm.Remove(newContext(t), ref); err != nil && !errors.Is(err, adapters.ErrNotFound) {
				t.Errorf("Remove again: %v", err)
			}
			if st.Count() != 0 {
				t.Errorf("the remote still holds %d awards", st.Count())
			}
		})
	}
}

func runFinder(t *testing.T, s Suite) {
	t.Run("what was never issued is absent", func(t *testing.T) {
		st := newStand(t, s)
		_, err := st.adapter.(adapters.Issuer).Issue(newContext(t), st.Issuance(t, 1))
		if err != nil {
			t.Fatalf("Issue: %v", err)
		}
		if _, found, err := st.adapter.(adapters.Finder).Find(newContext(t), st.Issuance(t, 0)); err != nil || found != adapters.Absent {
			t.Errorf("Find = %v, %v, want absent", found, err)
		}
	})
	t.Run("a dropped answer after commit is ambiguous and Find settles it", func(t *testing.T) {
		settles(t, newStand(t, s), DropAfter, 1)
	})
	t.Run("a cut answer after commit is ambiguous and Find settles it", func(t *testing.T) {
		settles(t, newStand(t, s), Cut, 1)
	})
	t.Run("a connection dropped before the remote saw the call: Find says absent and the second try awards once", func(t *testing.T) {
		settles(t, newStand(t, s), DropBefore, 0)
	})
	t.Run("a fresh write that is invisible for a while is found once Settle has passed", func(t *testing.T) {
		st := newStand(t, s)
		f := st.adapter.(adapters.Finder)
		if f.Settle() == 0 {
			return // fresh writes are visible at once
		}
		need(t, "Hide", st.Hide != nil && st.Advance != nil)
		st.Hide(f.Settle())
		settles(t, st, DropAfter, 1)
	})
	t.Run("find during an outage is an error, never absent", func(t *testing.T) {
		st := newStand(t, s)
		in := st.Issuance(t, 0)
		if _, err := st.adapter.(adapters.Issuer).Issue(newContext(t), in); err != nil {
			t.Fatalf("Issue: %v", err)
		}
		for _, kind := range []FaultKind{Fail, HTML, Cut, Truncate, Empty, DropBefore} {
			st.proxy.Clear()
			st.proxy.Inject(Fault{Kind: kind})
			_, found, err := st.adapter.(adapters.Finder).Find(newContext(t), in)
			if err == nil && found == adapters.Absent {
				t.Errorf("%s: Find says absent", kind)
			}
		}
	})
}

// settles issues through a fault and goes on as the engine does: wait out
// Settle, ask Find, and issue again only when the award is absent.
func settles(t *testing.T, st *stand, kind FaultKind, made int) {
	t.Helper()
	need(t, "Issuance", st.Issuance != nil)
	need(t, "Count", st.Count != nil)
	in, iss, f := st.Issuance(t, 0), st.adapter.(adapters.Issuer), st.adapter.(adapters.Finder)
	st.proxy.Inject(Fault{Kind: kind, Match: st.IsIssue, Times: 1})
	ref, err := iss.Issue(newContext(t), in)
	if err == nil {
		t.Fatalf("Issue = %q and no error", ref)
	}
	if !adapters.IsAmbiguous(err) {
		t.Fatalf("the error is not ambiguous: %v", err)
	}
	if st.Count() != made {
		t.Fatalf("the remote holds %d awards, want %d", st.Count(), made)
	}
	st.advance(f.Settle())
	ref, found, err := f.Find(newContext(t), in)
	switch {
	case err != nil:
		t.Fatalf("Find: %v", err)
	case made == 1 && (found != adapters.Present || ref == ""):
		t.Fatalf("Find = %q, %v, want present", ref, found)
	case made == 0 && found != adapters.Absent:
		t.Fatalf("Find = %q, %v, want absent", ref, found)
	case found == adapters.Absent:
		if _, err := iss.Issue(newContext(t), in); err != nil {
			t.Fatalf("Issue again: %v", err)
		}
	}
	if st.Count() != 1 {
		t.Errorf("the remote holds %d awards", st.Count())
	}
}

func mustFind(t *testing.T, f adapters.Finder, in adapters.Issuance, want adapters.Ref) {
	t.Helper()
	got, found, err := f.Find(newContext(t), in)
	if err != nil || found != adapters.Present || got != want {
		t.Errorf("Find = %q, %v, %v, want %q present", got, found, err, want)
	}
}

// runWriteFaults tests what a write says when it goes wrong.
func runWriteFaults(t *testing.T, s Suite, w write) {
	for _, kind := range []FaultKind{Cut, Truncate, Stall, Fail, HTML, Empty, DropAfter, DropBefore} {
		t.Run(w.name+": after "+string(kind)+" the outcome is ambiguous, not a success", func(t *testing.T) {
			st := newStand(t, s)
			st.proxy.Inject(Fault{Kind: kind, Match: st.IsIssue})
			ref, err := w.do(t, st.deadline(t, kind), st, st.adapter, 0)
			if err == nil {
				t.Fatalf("%s = %q and no error", w.name, ref)
			}
			if !adapters.IsAmbiguous(err) {
				t.Errorf("not ambiguous: %v", err)
			}
			if n := countCalls(st, st.IsIssue); n != 1 {
				t.Errorf("the write was sent %d times", n)
			}
		})
	}
	t.Run(w.name+": a refused connection is not ambiguous", func(t *testing.T) {
		st := newStand(t, s)
		a := st.Fixture.Adapter(t, closedAddress(t), st.hc)
		_, err := w.do(t, newContext(t), st, a, 0)
		if !errors.Is(err, adapters.ErrUnavailable) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
		if adapters.IsAmbiguous(err) {
			t.Errorf("nothing was sent, yet: %v is ambiguous", err)
		}
	})
	t.Run(w.name+": 429 is not ambiguous and says how long to wait", func(t *testing.T) {
		st := newStand(t, s)
		st.proxy.Inject(Fault{Kind: SlowDown, RetryAfter: 7e9, Match: st.IsIssue})
		_, err := w.do(t, newContext(t), st, st.adapter, 0)
		if !errors.Is(err, adapters.ErrRateLimited) || adapters.IsAmbiguous(err) || adapters.RetryAfter(err) != 7e9 {
			t.Errorf("%v (ambiguous %v, retry after %v)", err, adapters.IsAmbiguous(err), adapters.RetryAfter(err))
		}
	})
	t.Run(w.name+": a context cancelled before the call sends nothing", func(t *testing.T) {
		st := newStand(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := w.do(t, ctx, st, st.adapter, 0)
		if !errors.Is(err, context.Canceled) || adapters.IsAmbiguous(err) {
			t.Errorf("%v (ambiguous %v), want context.Canceled", err, adapters.IsAmbiguous(err))
		}
		if n := countCalls(st, st.IsIssue); n != 0 {
			t.Errorf("%d calls were sent", n)
		}
	})
}

func countCalls(st *stand, match func(*http.Request) bool) int {
	n := 0
	for _, c := range st.proxy.Calls() {
		r, err := http.NewRequest(c.Method, "http://remote.invalid"+c.URL, nil)
		if err != nil {
			continue
		}
		r.Header = c.Header
		if match(r) {
			n++
		}
	}
	return n
}

// closedAddress is a base URL where nothing listens.
func closedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}
