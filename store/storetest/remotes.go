package storetest

import (
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
)

func remotes(t *testing.T, s store.Store) {
	ctx := t.Context()
	want := store.Remote{
		Name: "credly", Kind: "credly", Title: "Credly", Config: []byte("sealed \x00"), State: store.RemotePaused, Reason: "new",
		Declared: true, Identity: "org-1", WebhookHash: "abc", WebhookSecret: "sealed", Cursor: "c1", ListCursor: "l1", ListRun: "r1", Dirty: true,
		NextPull: t0, NextList: t0.Add(time.Hour), Health: "ok", HealthMessage: "fine", HealthDetails: []byte(`{"a":1}`), CheckedAt: t0,
		ReadAt: t0.Add(2 * time.Minute), ListedAt: t0.Add(time.Minute),
	}
	must(t, s.CreateRemote(ctx, want))
	wantErr(t, s.CreateRemote(ctx, want), store.ErrExists)
	must(t, s.CreateRemote(ctx, store.Remote{Name: "a-campus", Kind: "wordpress", State: store.RemoteActive}))
	must(t, s.CreateRemote(ctx, store.Remote{Name: "Zoo", Kind: "wordpress", State: store.RemoteActive}))

	stored := got[store.Remote](t)(s.Remote(ctx, "credly"))
	want.CreatedAt, want.UpdatedAt = stored.CreatedAt, stored.UpdatedAt
	same(t, "remote", stored, want)
	if stored.CreatedAt.IsZero() {
		t.Fatal("it does not say when it was made")
	}
	same(t, "remotes by name", ids(got[[]store.Remote](t)(s.Remotes(ctx)), func(r store.Remote) string { return string(r.Name) }),
		[]string{"Zoo", "a-campus", "credly"})
	_, err := s.Remote(ctx, "unknown")
	wantErr(t, err, store.ErrNotFound)

	changed := want
	changed.Kind, changed.Title, changed.Config, changed.Declared, changed.WebhookHash, changed.Identity = "k", "t", []byte("c"), false, "def", "org-2"
	changed.WebhookSecret = "sealed anew"
	changed.State, changed.Cursor = store.RemoteActive, "must not be written"
	must(t, s.PutRemoteConfig(ctx, changed))
	stored = got[store.Remote](t)(s.Remote(ctx, "credly"))
	changed.State, changed.Cursor, changed.UpdatedAt = want.State, want.Cursor, stored.UpdatedAt
	same(t, "remote with another configuration", stored, changed)

	must(t, s.SetRemoteState(ctx, "credly", store.RemoteReadOnly, "it moved"))
	must(t, s.PinIdentity(ctx, "credly", "org-3"))
	must(t, s.SetRemoteHealth(ctx, "credly", "failing", "502", nil, t0.Add(time.Minute)))
	stored = got[store.Remote](t)(s.Remote(ctx, "credly"))
	same(t, "state", stored.State, store.RemoteReadOnly)
	same(t, "reason", stored.Reason, "it moved")
	same(t, "identity", stored.Identity, "org-3")
	same(t, "health", stored.Health+" "+stored.HealthMessage, "failing 502")
	same(t, "details", len(stored.HealthDetails), 0)
	same(t, "checked at", stored.CheckedAt, t0.Add(time.Minute))

	for name, err := range map[string]error{
		"put":    s.PutRemoteConfig(ctx, store.Remote{Name: "unknown"}),
		"state":  s.SetRemoteState(ctx, "unknown", store.RemoteActive, ""),
		"pin":    s.PinIdentity(ctx, "unknown", "x"),
		"read":   s.MarkRead(ctx, "unknown", t0, t0),
		"listed": s.ListSoon(ctx, "unknown", t0),
		"health": s.SetRemoteHealth(ctx, "unknown", "ok", "", nil, t0),
		"dirty":  s.MarkDirty(ctx, "unknown"),
		"delete": s.DeleteRemote(ctx, "unknown"),
		"cursor": s.AdvanceCursor(ctx, "unknown", "", "x"),
		"list":   s.AdvanceList(ctx, "unknown", "", "x", "", t0),
	} {
		t.Run(name+" of an unknown remote", func(t *testing.T) { wantErr(t, err, store.ErrNotFound) })
	}
	_, _, err = s.LeaseRemote(ctx, "unknown", "o", t0, t0.Add(time.Minute))
	wantErr(t, err, store.ErrNotFound)
	must(t, s.DeleteRemote(ctx, "credly"))
	_, err = s.Remote(ctx, "credly")
	wantErr(t, err, store.ErrNotFound)
}

func remoteLease(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	now, until := t0, t0.Add(time.Minute)
	lease := func(t *testing.T, owner string, now time.Time) (ok, dirty bool) {
		t.Helper()
		ok, dirty, err := w.LeaseRemote(ctx, "campus", owner, now, now.Add(time.Minute))
		must(t, err)
		return ok, dirty
	}
	due := func(t *testing.T, now time.Time) []adapters.Remote {
		t.Helper()
		return got[[]adapters.Remote](t)(w.DueRemotes(ctx, now, 10))
	}

	same(t, "a remote that was never pulled is due", due(t, now), []adapters.Remote{"campus", "credly"})
	same(t, "bounded by the limit", len(got[[]adapters.Remote](t)(w.DueRemotes(ctx, now, 1))), 1)
	ok, dirty := lease(t, "one", now)
	same(t, "the first gets it", ok, true)
	same(t, "nothing came", dirty, false)
	same(t, "a leased remote is not due", due(t, now), []adapters.Remote{"credly"})
	ok, _ = lease(t, "two", now.Add(time.Second))
	same(t, "another does not get it", ok, false)
	ok, _ = lease(t, "one", now.Add(time.Second))
	same(t, "the same owner extends", ok, true)

	// A webhook during the pull.
	must(t, w.MarkDirty(ctx, "campus"))
	wantErr(t, w.ReleaseRemote(ctx, "campus", "two", t0), store.ErrStale)
	must(t, w.ReleaseRemote(ctx, "campus", "one", until.Add(time.Hour)))
	same(t, "dirty is due before its time, after what was never pulled", due(t, now), []adapters.Remote{"credly", "campus"})
	ok, dirty = lease(t, "two", now)
	same(t, "released, it can be had", ok, true)
	same(t, "the webhook is told", dirty, true)
	same(t, "and cleared", got[store.Remote](t)(w.Remote(ctx, "campus")).Dirty, false)
	_, dirty = lease(t, "two", now)
	same(t, "it is told once", dirty, false)

	// The owner dies: when its lease has ended the hint is still there to be seen.
	later := now.Add(2 * time.Minute)
	same(t, "after the lease ended", due(t, later), []adapters.Remote{"credly", "campus"})
	ok, _ = lease(t, "three", later)
	same(t, "a lease that ended can be taken", ok, true)

	must(t, w.ReleaseRemote(ctx, "campus", "three", later.Add(-time.Hour)))
	must(t, w.SetRemoteState(ctx, "credly", store.RemotePaused, "by an admin"))
	same(t, "a paused remote is not due", due(t, later), []adapters.Remote{"campus"})

	owners := make(chan string, 8)
	atOnce(8, func(i int) {
		owner := string(rune('a' + i))
		ok, _, err := w.LeaseRemote(ctx, "credly", owner, later, later.Add(time.Minute))
		if err != nil {
			t.Error(err)
		}
		if ok {
			owners <- owner
		}
	})
	same(t, "owners of one lease", len(owners), 1)
}

func cursors(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	must(t, w.AdvanceCursor(ctx, "campus", "", "c1"))
	wantErr(t, w.AdvanceCursor(ctx, "campus", "", "c2"), store.ErrStale)
	must(t, w.AdvanceCursor(ctx, "campus", "c1", "c1")) // a page without news
	must(t, w.AdvanceCursor(ctx, "campus", "c1", "c2"))
	must(t, w.AdvanceList(ctx, "campus", "", "l1", "run-1", t0))
	wantErr(t, w.AdvanceList(ctx, "campus", "", "l2", "run-2", t0), store.ErrStale)
	r := got[store.Remote](t)(w.Remote(ctx, "campus"))
	same(t, "cursor", r.Cursor, adapters.Cursor("c2"))
	same(t, "list cursor", r.ListCursor, adapters.Cursor("l1"))
	same(t, "list run", r.ListRun, "run-1")
	same(t, "next list", r.NextList, t0)
	must(t, w.ListSoon(ctx, "campus", t0.Add(-time.Hour)))
	must(t, w.MarkRead(ctx, "campus", t0, time.Time{}))
	r = got[store.Remote](t)(w.Remote(ctx, "campus"))
	same(t, "listed soon", r.NextList, t0.Add(-time.Hour))
	same(t, "and due", r.Dirty, true)
	same(t, "the list under way goes on", r.ListCursor, adapters.Cursor("l1"))
	same(t, "read", r.ReadAt, t0)
	same(t, "never listed", r.ListedAt.IsZero(), true)
	must(t, w.MarkRead(ctx, "campus", t0.Add(time.Minute), t0.Add(time.Second)))
	must(t, w.MarkRead(ctx, "campus", t0, t0))
	must(t, w.MarkRead(ctx, "campus", t0, time.Time{}))
	r = got[store.Remote](t)(w.Remote(ctx, "campus"))
	same(t, "read, the latest", r.ReadAt, t0.Add(time.Minute))
	same(t, "listed, the latest", r.ListedAt, t0.Add(time.Second))

	// Two that read the same page: one of them wins.
	var done [4]error
	atOnce(len(done), func(i int) { done[i] = w.AdvanceCursor(ctx, "campus", "c2", adapters.Cursor(rune('a'+i))) })
	won := 0
	for _, err := range done {
		if err == nil {
			won++
		} else {
			wantErr(t, err, store.ErrStale)
		}
	}
	same(t, "winners", won, 1)

	// The same inside transactions, where the page's rows come first.
	must(t, w.AdvanceCursor(ctx, "credly", "", "start"))
	atOnce(len(done), func(i int) {
		done[i] = s.InTx(ctx, func(tx store.Tx) error {
			if _, err := tx.PutDocument(ctx, "text/plain", []byte{byte(i)}); err != nil {
				return err
			}
			return tx.AdvanceCursor(ctx, "credly", "start", "next")
		})
	})
	won = 0
	for _, err := range done {
		if err == nil {
			won++
		} else {
			wantErr(t, err, store.ErrStale)
		}
	}
	same(t, "winners", won, 1)
}
