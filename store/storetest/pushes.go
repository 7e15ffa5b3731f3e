package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
)

func pushID(p store.Push) string { return p.ID }

func pushes(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	a := w.made(w.award("ada@example.org", "1"))
	full := store.Push{
		Key: "k1", Op: store.OpRevoke, Remote: "credly", AwardID: a.ID, Generation: 3, MappingID: "m", State: store.PushWaiting, Reason: "claim",
		Words: "hm", Ref: "b1", Cause: "award", Attempts: 2, NextAt: t0, SentAt: t0.Add(time.Second), Deadline: t0.Add(time.Minute), Unsure: true,
	}
	p := w.pushed(full)
	full.ID, full.CreatedAt, full.UpdatedAt = p.ID, p.CreatedAt, p.UpdatedAt
	same(t, "what create returned", p, full)
	same(t, "push", got[store.Push](t)(w.Push(ctx, p.ID)), full)
	same(t, "push by key", got[store.Push](t)(w.PushByKey(ctx, "k1")), full)
	twin := full
	twin.ID = ""
	_, err := w.CreatePush(ctx, twin)
	wantErr(t, err, store.ErrExists)
	same(t, "first event", got[[]store.PushEvent](t)(w.PushEvents(ctx, p.ID)),
		[]store.PushEvent{{PushID: p.ID, At: p.UpdatedAt, State: store.PushWaiting, Reason: "claim", Words: "hm"}})
	same(t, "pushes of a record", ids(got[[]store.Push](t)(w.PushesAt(ctx, "credly", "b1")), pushID), []string{p.ID})
	same(t, "of the same elsewhere", len(got[[]store.Push](t)(w.PushesAt(ctx, "campus", "b1"))), 0)
	same(t, "of no record", len(got[[]store.Push](t)(w.PushesAt(ctx, "credly", ""))), 0)
	_, err = w.Push(ctx, "unknown")
	wantErr(t, err, store.ErrNotFound)
	_, err = w.PushByKey(ctx, "unknown")
	wantErr(t, err, store.ErrNotFound)

	_, ok, err := w.NextPush(ctx)
	must(t, err)
	same(t, "a waiting push has no time", ok, false)
	second := w.pushed(store.Push{AwardID: a.ID, State: store.PushSent, NextAt: t0.Add(time.Hour)})
	third := w.pushed(store.Push{AwardID: a.ID, Remote: "campus", NextAt: t0.Add(time.Minute)})
	at, ok, err := w.NextPush(ctx)
	must(t, err)
	same(t, "earliest", at, t0.Add(time.Minute))
	same(t, "there is one", ok, true)
	fourth := w.pushed(store.Push{AwardID: a.ID}) // at once
	at, _, err = w.NextPush(ctx)
	must(t, err)
	same(t, "earliest is at once", at.IsZero(), true)

	same(t, "of the award, oldest first", ids(got[[]store.Push](t)(w.PushesOf(ctx, a.ID)), pushID), []string{p.ID, second.ID, third.ID, fourth.ID})
	list := func(f store.PushFilter) []string { return ids(got[[]store.Push](t)(w.Pushes(ctx, f)), pushID) }
	same(t, "newest first", list(store.PushFilter{}), []string{fourth.ID, third.ID, second.ID, p.ID})
	same(t, "of a remote", list(store.PushFilter{Remote: "campus"}), []string{third.ID})
	same(t, "of a state", list(store.PushFilter{State: store.PushQueued}), []string{fourth.ID, third.ID})
	same(t, "page", list(store.PushFilter{Before: third.ID, Limit: 1}), []string{second.ID})
	same(t, "counts", got[map[store.PushState]int](t)(w.CountPushes(ctx)),
		map[store.PushState]int{store.PushWaiting: 1, store.PushSent: 1, store.PushQueued: 2})

	keys := make(chan struct{}, 6)
	atOnce(6, func(int) {
		_, err := w.CreatePush(ctx, store.Push{Key: "race", Op: store.OpIssue, Remote: "credly", AwardID: a.ID, State: store.PushQueued})
		if err == nil {
			keys <- struct{}{}
		} else if !errors.Is(err, store.ErrExists) {
			t.Error(err)
		}
	})
	same(t, "pushes of one key", len(keys), 1)
}

func pushLease(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	var as []store.Award
	for i := range 3 {
		as = append(as, w.made(w.award("ada@example.org", fmt.Sprint(i))))
	}
	lease := func(t *testing.T, owner string, now time.Time, limit int) []string {
		t.Helper()
		return ids(got[[]store.Push](t)(w.LeasePushes(ctx, owner, now, now.Add(time.Minute), limit)), pushID)
	}
	save := func(t *testing.T, id string, state store.PushState, owner string) {
		t.Helper()
		p := got[store.Push](t)(w.Push(ctx, id))
		from := p.State
		p.State = state
		must(t, w.SavePush(ctx, p, from, owner, false))
	}
	first := w.pushed(store.Push{AwardID: as[0].ID, NextAt: t0})
	next := w.pushed(store.Push{AwardID: as[0].ID, NextAt: t0.Add(-time.Hour)})
	elsewhere := w.pushed(store.Push{AwardID: as[0].ID, Remote: "campus", NextAt: t0.Add(time.Second)})
	late := w.pushed(store.Push{AwardID: as[1].ID, NextAt: t0.Add(time.Hour)})
	waiting := w.pushed(store.Push{AwardID: as[2].ID, State: store.PushWaiting})
	behind := w.pushed(store.Push{AwardID: as[2].ID})
	now := t0.Add(time.Minute)

	same(t, "bounded, the earliest due", lease(t, "one", now, 1), []string{first.ID})
	same(t, "the rest that is due and first", lease(t, "two", now, 10), []string{elsewhere.ID})
	same(t, "nothing twice", lease(t, "three", now, 10), []string{})
	same(t, "nothing twice for the same owner", lease(t, "one", now, 10), []string{})

	save(t, first.ID, store.PushDone, "one")
	same(t, "the next of that award", lease(t, "three", now, 10), []string{next.ID})
	same(t, "a lease that ended is given again", lease(t, "four", now.Add(time.Minute), 1), []string{next.ID})

	save(t, waiting.ID, store.PushCancelled, "")
	same(t, "what waited behind it", lease(t, "four", now, 10), []string{behind.ID})

	must(t, w.SetRemoteState(ctx, "credly", store.RemotePaused, ""))
	same(t, "nothing of a paused remote", lease(t, "five", now.Add(2*time.Hour), 10), []string{elsewhere.ID})
	must(t, w.SetRemoteState(ctx, "credly", store.RemoteActive, ""))
	must(t, w.DeleteRemote(ctx, "campus"))

	// A person sends an old push again while a newer one of the award is in hand.
	old := w.pushed(store.Push{AwardID: as[1].ID, State: store.PushHeld})
	_ = late
	save(t, late.ID, store.PushCancelled, "")
	newer := w.pushed(store.Push{AwardID: as[1].ID})
	now = now.Add(24 * time.Hour)
	same(t, "the newer one first", contains(lease(t, "six", now, 10), newer.ID), true)
	save(t, old.ID, store.PushQueued, "")
	same(t, "not the older beside it", contains(lease(t, "seven", now, 10), old.ID), false)
	save(t, newer.ID, store.PushDone, "six")
	same(t, "but after it", contains(lease(t, "seven", now, 10), old.ID), true)
}

func contains(list []string, id string) bool {
	for _, v := range list {
		if v == id {
			return true
		}
	}
	return false
}

func pushSave(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	a := w.made(w.award("ada@example.org", "1"))
	p := w.pushed(store.Push{AwardID: a.ID})
	now := time.Now()
	leased := got[[]store.Push](t)(w.LeasePushes(ctx, "one", now, now.Add(time.Hour), 1))
	same(t, "leased", ids(leased, pushID), []string{p.ID})

	p.State, p.Attempts, p.SentAt, p.Deadline = store.PushSent, 1, t0, t0.Add(time.Minute)
	wantErr(t, w.SavePush(ctx, p, store.PushQueued, "two", true), store.ErrStale)
	wantErr(t, w.SavePush(ctx, p, store.PushQueued, "", true), store.ErrStale) // a person must wait for the worker
	wantErr(t, w.SavePush(ctx, p, store.PushWaiting, "one", true), store.ErrStale)
	must(t, w.SavePush(ctx, p, store.PushQueued, "one", true))
	same(t, "the lease is kept", len(got[[]store.Push](t)(w.LeasePushes(ctx, "two", now, now.Add(time.Hour), 1))), 0)
	p.Reason, p.Words = "", "202"
	must(t, w.SavePush(ctx, p, store.PushSent, "one", true))
	p.Attempts = 2
	must(t, w.SavePush(ctx, p, store.PushSent, "one", true))
	p.State, p.Ref = store.PushDone, "b1"
	must(t, w.SavePush(ctx, p, store.PushSent, "one", true)) // a final state ends the lease
	stored := got[store.Push](t)(w.Push(ctx, p.ID))
	p.UpdatedAt = stored.UpdatedAt
	same(t, "push", stored, p)

	events := got[[]store.PushEvent](t)(w.PushEvents(ctx, p.ID))
	states := ids(events, func(e store.PushEvent) string { return string(e.State) + " " + e.Words })
	same(t, "an event for each change of state, reason or words", states, []string{"queued ", "sent ", "sent 202", "done 202"})

	p.State, p.NextAt, p.By = store.PushQueued, time.Time{}, "alex"
	must(t, w.SavePush(ctx, p, store.PushDone, "", false))
	must(t, w.SavePush(ctx, p, store.PushQueued, "", false))
	events = got[[]store.PushEvent](t)(w.PushEvents(ctx, p.ID))
	same(t, "who asked is kept, also where nothing else changed", ids(events, func(e store.PushEvent) string { return string(e.State) + " " + e.By }),
		[]string{"queued ", "sent ", "sent ", "done ", "queued alex", "queued alex"})
	same(t, "a push that is read has nobody", got[store.Push](t)(w.Push(ctx, p.ID)).By, "")
	same(t, "no lease is left", len(got[[]store.Push](t)(w.LeasePushes(ctx, "two", now, now.Add(time.Hour), 1))), 1)
	wantErr(t, w.SavePush(ctx, p, store.PushQueued, "one", false), store.ErrStale) // the lease went to another
	p.ID = "unknown"
	wantErr(t, w.SavePush(ctx, p, store.PushQueued, "", false), store.ErrNotFound)
}

// pushRaces lets eight owners work off a queue side by side, while a person
// keeps sending pushes again, and looks for an overlap.
func pushRaces(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	const awards, each, owners = 12, 5, 8
	for i := range awards {
		a := w.made(w.award("ada@example.org", fmt.Sprint(i)))
		for j := range each {
			state := store.PushQueued
			if j == 1 {
				state = store.PushHeld // the person sends it again below
			}
			w.pushed(store.Push{AwardID: a.ID, State: state, Reason: fmt.Sprint(j)})
		}
	}
	type pair struct {
		remote adapters.Remote
		award  string
	}
	var mu sync.Mutex
	inHand := map[pair]string{}
	times := map[string]int{}
	done := 0
	const all = awards * each
	deadline := time.Now().Add(time.Minute)
	finished := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return done == all || t.Failed() || time.Now().After(deadline)
	}
	atOnce(owners+1, func(i int) {
		if i == owners {
			for _, p := range got[[]store.Push](t)(w.Pushes(ctx, store.PushFilter{State: store.PushHeld})) {
				p.State = store.PushQueued
				if err := w.SavePush(ctx, p, store.PushHeld, "", false); err != nil {
					t.Errorf("send again: %v", err)
				}
			}
			return
		}
		owner := fmt.Sprint("owner ", i)
		for !finished() {
			now := time.Now()
			list, err := w.LeasePushes(ctx, owner, now, now.Add(time.Hour), 1+rand.N(4))
			if err != nil {
				t.Errorf("%s: %v", owner, err)
				return
			}
			mu.Lock()
			for _, p := range list {
				key := pair{p.Remote, p.AwardID}
				if other := inHand[key]; other != "" {
					t.Errorf("%s got push %s while %s has another of the same award", owner, p.ID, other)
				}
				inHand[key] = owner
				times[p.ID]++
			}
			mu.Unlock()
			for _, p := range list {
				mu.Lock()
				delete(inHand, pair{p.Remote, p.AwardID}) // before the save: from then on another may have it
				mu.Unlock()
				from := p.State
				p.State = store.PushDone
				if err := w.SavePush(ctx, p, from, owner, false); err != nil {
					t.Errorf("%s: %v", owner, err)
					return
				}
				mu.Lock()
				done++
				mu.Unlock()
			}
		}
	})
	same(t, "pushes that were done", done, all)
	for id, n := range times {
		if n != 1 {
			t.Errorf("push %s was given %d times", id, n)
		}
	}
}
