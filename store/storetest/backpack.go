package storetest

import (
	"testing"
	"time"

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
	c := got[store.Connection](t)(s.CreateConnection(ctx, store.Connection{PersonID: w.person.ID, Kind: "backpack", Title: "b.example", Sealed: []byte("x")}))
	same(t, "connection", got[store.Connection](t)(s.Connection(ctx, c.ID)), c)
	c.Auto, c.State, c.Message = true, "broken", "refused"
	must(t, s.PutConnection(ctx, c))
	same(t, "of a person", got[[]store.Connection](t)(s.ConnectionsOf(ctx, w.person.ID))[0].Message, "refused")

	d := got[store.Deposit](t)(s.CreateDeposit(ctx, store.Deposit{ConnectionID: c.ID, AwardID: a.ID, Key: "k", NextAt: t0}))
	_, err := s.CreateDeposit(ctx, store.Deposit{ConnectionID: c.ID, AwardID: a.ID, Key: "k2"})
	wantErr(t, err, store.ErrExists)
	same(t, "not due yet", len(got[[]store.Deposit](t)(s.LeaseDeposits(ctx, t0.Add(-time.Second), t0, 9))), 0)
	same(t, "leased", len(got[[]store.Deposit](t)(s.LeaseDeposits(ctx, t0, t0.Add(time.Minute), 9))), 1)
	same(t, "hidden meanwhile", len(got[[]store.Deposit](t)(s.LeaseDeposits(ctx, t0, t0.Add(time.Minute), 9))), 0)
	same(t, "free again", len(got[[]store.Deposit](t)(s.LeaseDeposits(ctx, t0.Add(time.Minute), t0.Add(2*time.Minute), 9))), 1)
	d.State, d.Words = store.PushDone, "stored"
	must(t, s.PutDeposit(ctx, d))
	same(t, "done", got[[]store.Deposit](t)(s.DepositsOf(ctx, c.ID))[0].Words, "stored")
	same(t, "of the award", len(got[[]store.Deposit](t)(s.DepositsOfAward(ctx, a.ID))), 1)
	must(t, s.DeleteConnection(ctx, c.ID))
	same(t, "its deposits are gone", len(got[[]store.Deposit](t)(s.DepositsOfAward(ctx, a.ID))), 0)
	wantErr(t, s.DeleteConnection(ctx, c.ID), store.ErrNotFound)
}
