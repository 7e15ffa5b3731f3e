package storetest

import (
	"fmt"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
)

func collected(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	own := w.award("ada@example.org", "doc-1")
	own.Origin, own.PersonID, own.AssertionURL, own.PageURL = store.BackpackOrigin, w.person.ID, "https://issuer.example/a/1", "https://issuer.example/p/1"
	own = w.made(own)
	same(t, "award by its origin", got[store.Award](t)(s.AwardByOrigin(ctx, store.BackpackOrigin, "doc-1")).ID, own.ID)
	for _, url := range []string{own.AssertionURL, own.PageURL} {
		same(t, "award by "+url, ids(got[[]store.Award](t)(s.AwardsByAssertion(ctx, w.person.ID, url)), func(a store.Award) string { return a.ID }), []string{own.ID})
	}
	same(t, "not another's", len(got[[]store.Award](t)(s.AwardsByAssertion(ctx, "somebody", own.PageURL))), 0)
	same(t, "no url names none", len(got[[]store.Award](t)(s.AwardsByAssertion(ctx, w.person.ID, ""))), 0)

	c := got[store.Collected](t)(s.CreateCollected(ctx, store.Collected{
		PersonID: w.person.ID, AwardID: own.ID, Locator: own.AssertionURL, Source: "file", Version: "2.0", Verification: "hosted", DocumentSHA: "d", OriginalSHA: "o",
		ImageSHA: "i", Standing: store.Genuine, Report: []byte(`{}`), GenuineAt: t0, CheckedAt: t0, NextCheck: t0.Add(time.Hour), CreatedAt: t0,
	}))
	same(t, "collected", got[store.Collected](t)(s.Collected(ctx, c.ID)), c)
	same(t, "by locator", got[store.Collected](t)(s.CollectedBy(ctx, w.person.ID, own.AssertionURL)).ID, c.ID)
	again := c
	again.ID = ""
	_, err := s.CreateCollected(ctx, again)
	wantErr(t, err, store.ErrExists)
	waits := got[store.Collected](t)(s.CreateCollected(ctx, store.Collected{PersonID: w.person.ID, Locator: "sha256:1", Source: "url", Standing: store.AwaitsProof}))
	same(t, "waiting", ids(got[[]store.Collected](t)(s.CollectedWaiting(ctx, w.person.ID)), func(c store.Collected) string { return c.ID }), []string{waits.ID})
	same(t, "nothing is due before its time", len(got[[]store.Collected](t)(s.CollectedDue(ctx, t0, 10))), 0)
	same(t, "due", len(got[[]store.Collected](t)(s.CollectedDue(ctx, t0.Add(time.Hour), 10))), 1)
	c.Standing, c.NextCheck, c.Failures, c.Message = store.RevokedNow, time.Time{}, 2, "taken back"
	must(t, s.PutCollected(ctx, c))
	same(t, "not due any more", len(got[[]store.Collected](t)(s.CollectedDue(ctx, t0.Add(time.Hour), 10))), 0)
	of := got[[]store.Collected](t)(s.CollectedOf(ctx, own.ID))
	same(t, "what attests it", len(of), 1)
	same(t, "its standing", of[0].Standing, store.RevokedNow)
	must(t, s.DeleteCollected(ctx, waits.ID))
	wantErr(t, s.DeleteCollected(ctx, waits.ID), store.ErrNotFound)
	wantErr(t, s.PutCollected(ctx, waits), store.ErrNotFound)

	foreign := w.made(w.award("ada@example.org", "1"))
	wantErr(t, s.DeleteAward(ctx, foreign.ID), store.ErrNotFound)
	must(t, s.AddClaim(ctx, store.ClaimEvent{AwardID: own.ID, State: store.Claimed, At: t0}))
	must(t, s.DeleteAward(ctx, own.ID))
	_, err = s.Award(ctx, own.ID)
	wantErr(t, err, store.ErrNotFound)
	_, err = s.Collected(ctx, c.ID)
	wantErr(t, err, store.ErrNotFound)
}

func collections(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	a, b := w.made(w.award("ada@example.org", "1")), w.made(w.award("ada@example.org", "2"))
	first := got[store.Collection](t)(s.CreateCollection(ctx, store.Collection{PersonID: w.person.ID, Name: "Work", Position: 2}))
	second := got[store.Collection](t)(s.CreateCollection(ctx, store.Collection{PersonID: w.person.ID, Name: "Play", Position: 1}))
	same(t, "private at first", first.Visibility, store.Private)
	same(t, "collection", got[store.Collection](t)(s.Collection(ctx, first.ID)), first)
	same(t, "by number", got[store.Collection](t)(s.CollectionByNumber(ctx, second.Number)), second)
	same(t, "by position", got[[]store.Collection](t)(s.CollectionsOf(ctx, w.person.ID)), []store.Collection{second, first})
	_, err := s.CreateCollection(ctx, first)
	wantErr(t, err, store.ErrExists)
	_, err = s.CreateCollection(ctx, store.Collection{PersonID: "unknown"})
	wantErr(t, err, store.ErrNotFound)
	must(t, s.SetCollectionBadges(ctx, first.ID, []store.CollectionBadge{{AwardID: b.ID, Note: "hard"}, {AwardID: a.ID}}))
	want := []store.CollectionBadge{{CollectionID: first.ID, AwardID: b.ID, Note: "hard"}, {CollectionID: first.ID, AwardID: a.ID, Position: 1}}
	same(t, "badges in order", got[[]store.CollectionBadge](t)(s.CollectionBadges(ctx, first.ID)), want)
	wantErr(t, s.SetCollectionBadges(ctx, "unknown", nil), store.ErrNotFound)
	wantErr(t, s.SetCollectionBadges(ctx, first.ID, []store.CollectionBadge{{AwardID: "unknown"}}), store.ErrNotFound)
	same(t, "a refused change changes nothing", got[[]store.CollectionBadge](t)(s.CollectionBadges(ctx, first.ID)), want)
	same(t, "where an award is", len(got[[]store.Collection](t)(s.CollectionsWith(ctx, a.ID))), 1)
	covers := func(each int, seen ...store.Visibility) []store.CollectionCover {
		return got[[]store.CollectionCover](t)(s.CollectionCovers(ctx, w.person.ID, seen, each))
	}
	same(t, "no cover while nothing is claimed", len(covers(4)), 0)
	for _, award := range []*store.Award{&a, &b} {
		award.PersonID, award.Claim = w.person.ID, store.Claimed
		same(t, "claimed", got[bool](t)(s.PutAward(ctx, *award)), true)
	}
	onB, onA := store.CollectionCover{CollectionID: first.ID, AwardID: b.ID, Badges: 2}, store.CollectionCover{CollectionID: first.ID, AwardID: a.ID, Badges: 2}
	same(t, "covers in order", covers(4), []store.CollectionCover{onB, onA})
	same(t, "as many as are wanted", covers(1), []store.CollectionCover{onB})
	same(t, "none that is not to be seen", len(covers(4, store.Public)), 0)
	first.CoverID, onA.Chosen = a.ID, true
	must(t, s.PutCollection(ctx, first))
	same(t, "the chosen cover too", covers(1), []store.CollectionCover{onB, onA})
	first.Name, first.Visibility = "Work life", store.Public
	must(t, s.PutCollection(ctx, first))
	same(t, "changed", got[store.Collection](t)(s.Collection(ctx, first.ID)).Visibility, store.Public)
	must(t, s.DeleteCollection(ctx, first.ID))
	wantErr(t, s.DeleteCollection(ctx, first.ID), store.ErrNotFound)
	same(t, "the badges stay", got[store.Award](t)(s.Award(ctx, a.ID)).ID, a.ID)

	p := got[store.PublicProfile](t)(s.Profile(ctx, w.person.ID))
	same(t, "private at first", p.Visibility, store.Private)
	same(t, "the number stays", got[store.PublicProfile](t)(s.Profile(ctx, w.person.ID)).Number, p.Number)
	p.Handle, p.About, p.Visibility, p.ShowName = "ada", "About me", store.Public, true
	must(t, s.PutProfile(ctx, p))
	same(t, "by handle", got[store.PublicProfile](t)(s.ProfileByHandle(ctx, "ada")).About, "About me")
	same(t, "by number", got[store.PublicProfile](t)(s.ProfileByNumber(ctx, p.Number)).Handle, "ada")
	bob := got[store.Person](t)(s.CreatePerson(ctx, store.Person{}))
	other := got[store.PublicProfile](t)(s.Profile(ctx, bob.ID))
	other.Handle = "ada"
	wantErr(t, s.PutProfile(ctx, other), store.ErrExists)
	_, err = s.ProfileByHandle(ctx, "")
	wantErr(t, err, store.ErrNotFound)
	_, err = s.Profile(ctx, "unknown")
	wantErr(t, err, store.ErrNotFound)
}

func grants(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	g := got[store.Grant](t)(s.CreateGrant(ctx, store.Grant{PersonID: w.person.ID, Origin: "https://lms.example", Scopes: []string{"issue"},
		AccessHash: "a1", RefreshHash: "r1", AccessUntil: t0}))
	same(t, "by token", got[store.Grant](t)(s.GrantByAccess(ctx, "a1")), g)
	same(t, "by refresh token", got[store.Grant](t)(s.GrantByRefresh(ctx, "r1")), g)
	turned := g
	turned.AccessHash, turned.RefreshHash, turned.OldRefreshHash = "a2", "r2", "r1"
	must(t, s.TurnGrant(ctx, turned, "r1"))
	wantErr(t, s.TurnGrant(ctx, turned, "r1"), store.ErrStale)
	_, err := s.GrantByAccess(ctx, "a1")
	wantErr(t, err, store.ErrNotFound)
	same(t, "the old refresh token is known", got[store.Grant](t)(s.GrantByRefresh(ctx, "r1")), turned)
	_, err = s.GrantByRefresh(ctx, "")
	wantErr(t, err, store.ErrNotFound)
	must(t, s.TouchGrant(ctx, g.ID, t0))
	same(t, "of a person", len(got[[]store.Grant](t)(s.GrantsOf(ctx, w.person.ID))), 1)
	must(t, s.DeleteGrant(ctx, g.ID))
	wantErr(t, s.TurnGrant(ctx, turned, "r2"), store.ErrNotFound)
}

func connections(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	a := w.made(w.award("ada@example.org", "1"))
	first := store.Connection{PersonID: w.person.ID, Kind: "backpack", Address: "https://b.example", Title: "b.example", Sealed: []byte("x")}
	c := got[store.Connection](t)(s.CreateConnection(ctx, first))
	same(t, "connection", got[store.Connection](t)(s.Connection(ctx, c.ID)), c)
	_, err := s.CreateConnection(ctx, first)
	wantErr(t, err, store.ErrExists)
	must(t, s.SealConnection(ctx, c.ID, []byte("y"), []byte("x")))
	wantErr(t, s.SealConnection(ctx, c.ID, []byte("z"), []byte("x")), store.ErrStale)
	wantErr(t, s.SealConnection(ctx, "nobody", []byte("z"), []byte("x")), store.ErrNotFound)
	c.Auto, c.AutoSince, c.State, c.Message = true, t0, store.ConnectionBroken, "refused"
	must(t, s.PutConnection(ctx, c))
	of := got[[]store.Connection](t)(s.ConnectionsOf(ctx, w.person.ID))
	same(t, "of a person", []any{len(of), of[0].Message, of[0].AutoSince, string(of[0].Sealed)}, []any{1, "refused", t0, "y"})

	d := got[store.Deposit](t)(s.CreateDeposit(ctx, store.Deposit{ConnectionID: c.ID, AwardID: a.ID, Key: "k", NextAt: t0}))
	_, err = s.CreateDeposit(ctx, store.Deposit{ConnectionID: c.ID, AwardID: a.ID, Key: "k2"})
	wantErr(t, err, store.ErrExists)
	lease := func(at time.Duration) int {
		t.Helper()
		return len(got[[]store.Connection](t)(s.LeaseConnections(ctx, t0.Add(at), t0.Add(at+time.Minute), 9)))
	}
	same(t, "broken", lease(0), 0)
	c.State = store.ConnectionActive
	must(t, s.PutConnection(ctx, c))
	same(t, "nothing is due yet", lease(-time.Second), 0)
	same(t, "leased", lease(0), 1)
	same(t, "hidden meanwhile", lease(30*time.Second), 0)
	same(t, "free again", lease(time.Minute), 1)
	must(t, s.ReleaseConnection(ctx, c.ID, t0.Add(70*time.Second)))
	must(t, s.ReleaseConnection(ctx, "nobody", t0))
	same(t, "released from then on", []int{lease(69 * time.Second), lease(70 * time.Second)}, []int{0, 1})

	same(t, "due", len(got[[]store.Deposit](t)(s.DueDeposits(ctx, c.ID, t0, 9))), 1)
	same(t, "not due", len(got[[]store.Deposit](t)(s.DueDeposits(ctx, c.ID, t0.Add(-time.Second), 9))), 0)
	d.State, d.Reason, d.Words, d.Ref, d.Attempts = store.PushRejected, "refused", "not yours", "r", 3
	must(t, s.PutDeposit(ctx, d))
	in := got[[]store.Deposit](t)(s.DepositsIn(ctx, c.ID, store.PushRejected, 9))
	same(t, "refused", []any{len(in), in[0].Reason, in[0].Words, in[0].Ref, in[0].Attempts}, []any{1, "refused", "not yours", adapters.Ref("r"), 3})
	same(t, "counted", got[map[store.PushState]int](t)(s.CountDeposits(ctx, c.ID)), map[store.PushState]int{store.PushRejected: 1})
	same(t, "moved", got[int](t)(s.MoveDeposits(ctx, c.ID, store.PushRejected, store.PushQueued)), 1)
	same(t, "moved twice", got[int](t)(s.MoveDeposits(ctx, c.ID, store.PushRejected, store.PushQueued)), 0)
	all := got[[]store.Deposit](t)(s.DepositsOf(ctx, c.ID))
	same(t, "begins anew", []any{len(all), all[0].State, all[0].Attempts, all[0].Words}, []any{1, store.PushQueued, 0, "not yours"})
	same(t, "of the award", len(got[[]store.Deposit](t)(s.DepositsOfAward(ctx, a.ID))), 1)

	same(t, "nothing is left to send by itself", len(got[[]store.Deposit](t)(s.AutoLeft(ctx, 9))), 0)
	for i, age := range []time.Duration{-time.Hour, time.Hour} {
		b := w.made(w.award("ada@example.org", fmt.Sprint("auto", i)))
		b.PersonID, b.Claim, b.ClaimedAt = w.person.ID, store.Claimed, t0.Add(age)
		got[bool](t)(s.PutAward(ctx, b))
	}
	left := got[[]store.Deposit](t)(s.AutoLeft(ctx, 9))
	if len(left) != 1 || left[0].ConnectionID != c.ID {
		t.Fatalf("left to send: %+v", left)
	}
	got[store.Deposit](t)(s.CreateDeposit(ctx, store.Deposit{ConnectionID: c.ID, AwardID: left[0].AwardID, Key: "k3", NextAt: t0}))
	same(t, "sent once", len(got[[]store.Deposit](t)(s.AutoLeft(ctx, 9))), 0)

	// Two accounts become one, and both were connected to one backpack.
	other := got[store.Person](t)(s.CreatePerson(ctx, store.Person{}))
	double := first
	double.PersonID = other.ID
	twin := got[store.Connection](t)(s.CreateConnection(ctx, double))
	got[store.Deposit](t)(s.CreateDeposit(ctx, store.Deposit{ConnectionID: twin.ID, AwardID: a.ID, Key: "k4", NextAt: t0}))
	double.Address = "https://c.example"
	alone := got[store.Connection](t)(s.CreateConnection(ctx, double))
	must(t, s.MergePersons(ctx, w.person.ID, other.ID))
	same(t, "merged", ids(got[[]store.Connection](t)(s.ConnectionsOf(ctx, w.person.ID)), func(c store.Connection) string { return c.ID }), []string{c.ID, alone.ID})
	_, err = s.Connection(ctx, twin.ID)
	wantErr(t, err, store.ErrNotFound)

	must(t, s.DeleteConnection(ctx, c.ID))
	same(t, "its deposits are gone", len(got[[]store.Deposit](t)(s.DepositsOfAward(ctx, a.ID))), 0)
	wantErr(t, s.DeleteConnection(ctx, c.ID), store.ErrNotFound)
}
