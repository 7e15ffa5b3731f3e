package storetest

import (
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
)

func hints(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	at := t0.Add(time.Hour)
	add := func(remote adapters.Remote, id string, after time.Duration) bool {
		t.Helper()
		return got[bool](t)(w.AddHint(ctx, store.Hint{Remote: remote, ID: id, ReceivedAt: at.Add(after), NextAt: at.Add(after)}))
	}
	same(t, "first", add("credly", "b", time.Second), true)
	same(t, "earlier", add("credly", "a", 0), true)
	same(t, "again", add("credly", "a", time.Hour), false)
	same(t, "the same id elsewhere", add("campus", "a", 0), true)
	due := func(now time.Time) []string {
		return ids(got[[]store.Hint](t)(w.DueHints(ctx, "credly", now, 10)), func(h store.Hint) string { return h.ID })
	}
	same(t, "none before its time", len(due(at.Add(-time.Second))), 0)
	same(t, "in the order in which they came", due(at.Add(time.Second)), []string{"a", "b"})
	same(t, "bounded", len(got[[]store.Hint](t)(w.DueHints(ctx, "credly", at.Add(time.Hour), 1))), 1)

	// A remote is due for its hints alone.
	for _, name := range []adapters.Remote{"campus", "credly"} {
		got[bool](t)(first(w.LeaseRemote(ctx, name, "one", at, at.Add(time.Minute))))
		must(t, w.ReleaseRemote(ctx, name, "one", at.Add(24*time.Hour)))
	}
	same(t, "due", got[[]adapters.Remote](t)(w.DueRemotes(ctx, at.Add(time.Minute), 10)), []adapters.Remote{"campus", "credly"})
	same(t, "covered", got[int](t)(w.CoverHints(ctx, "campus", at.Add(time.Second))), 1)
	same(t, "no longer due", got[[]adapters.Remote](t)(w.DueRemotes(ctx, at.Add(time.Minute), 10)), []adapters.Remote{"credly"})

	h := got[[]store.Hint](t)(w.DueHints(ctx, "credly", at, 10))[0]
	same(t, "hint", h, store.Hint{Remote: "credly", ID: "a", State: store.HintWaiting, ReceivedAt: store.Moment(at), NextAt: store.Moment(at)})
	h.State, h.Attempts, h.NextAt = store.HintWaiting, 1, store.Moment(at.Add(time.Hour))
	must(t, w.PutHint(ctx, h))
	same(t, "later", due(at.Add(time.Minute)), []string{"b"})
	same(t, "attempts", got[[]store.Hint](t)(w.DueHints(ctx, "credly", at.Add(time.Hour), 10))[0], h)
	h.State = store.HintConfirmed
	must(t, w.PutHint(ctx, h))
	same(t, "confirmed", due(at.Add(2*time.Hour)), []string{"b"})
	same(t, "a settled one again", add("credly", "a", 3*time.Hour), false)
	wantErr(t, w.PutHint(ctx, store.Hint{Remote: "credly", ID: "z", State: store.HintUnknown, NextAt: at}), store.ErrNotFound)
	same(t, "not covered: it came later", got[int](t)(w.CoverHints(ctx, "credly", at.Add(time.Second))), 0)
	same(t, "counts", got[store.HintCounts](t)(w.CountHints(ctx, "credly")), store.HintCounts{Last: store.Moment(at.Add(time.Second)), Waiting: 1, Confirmed: 1})
	same(t, "counts of none", got[store.HintCounts](t)(w.CountHints(ctx, "unknown")), store.HintCounts{})

	same(t, "pruned", got[int](t)(w.PruneHints(ctx, at.Add(time.Second))), 2)
	same(t, "new after that", add("credly", "a", 0), true)
	must(t, w.DeleteRemote(ctx, "credly"))
	same(t, "gone with the remote", got[store.HintCounts](t)(w.CountHints(ctx, "credly")), store.HintCounts{})
}

// first drops the second of two results.
func first[A, B any](a A, _ B, err error) (A, error) { return a, err }
