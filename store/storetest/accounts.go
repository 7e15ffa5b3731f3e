package storetest

import (
	"slices"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
)

func email(address, person string) store.Identifier {
	return store.Identifier{Type: openbadges.IdentityEmail, Value: address, PersonID: person, ProvenBy: "code", ProvenAt: t0}
}

func addresses(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	_, err := s.MailOf(ctx, w.person.ID)
	wantErr(t, err, store.ErrNotFound)
	later := email("b@example.org", w.person.ID)
	later.ProvenAt = t0.Add(time.Hour)
	must(t, s.AddIdentifier(ctx, later))
	must(t, s.AddIdentifier(ctx, email("c@example.org", w.person.ID)))
	same(t, "letters go to the oldest address", got[string](t)(s.MailOf(ctx, w.person.ID)), "c@example.org")
	p := w.person
	p.Mail = "b@example.org"
	must(t, s.PutPerson(ctx, p))
	same(t, "or to the chosen one", got[string](t)(s.MailOf(ctx, w.person.ID)), "b@example.org")

	offered := w.award("b@example.org", "1")
	offered.PersonID = w.person.ID
	offered = w.made(offered)
	claimed := offered
	claimed.ID, claimed.OriginRef, claimed.Claim = "", "2", store.Claimed
	claimed = w.made(claimed)
	wantErr(t, s.RemoveIdentifier(ctx, "somebody", openbadges.IdentityEmail, "b@example.org"), store.ErrNotFound)
	must(t, s.RemoveIdentifier(ctx, w.person.ID, openbadges.IdentityEmail, "b@example.org"))
	same(t, "letters go to what is left", got[string](t)(s.MailOf(ctx, w.person.ID)), "c@example.org")
	same(t, "what was not answered waits for the next", got[store.Award](t)(s.Award(ctx, offered.ID)).PersonID, "")
	same(t, "what was claimed stays", got[store.Award](t)(s.Award(ctx, claimed.ID)).PersonID, w.person.ID)
}

// full gives a person one of everything.
func (w *world) full(p store.Person, address, ref string) (own, brought store.Award) {
	t, ctx := w.t, w.t.Context()
	must(t, w.AddIdentifier(ctx, email(address, p.ID)))
	must(t, w.PutSignIn(ctx, store.SignIn{Issuer: "https://id.example.org", Subject: ref, PersonID: p.ID, LastAt: t0}))
	must(t, w.PutSession(ctx, "session-"+ref, p.ID, []byte(`{"values":{"person":"`+p.ID+`"}}`), t0.Add(time.Hour)))
	must(t, w.CreateCode(ctx, store.Code{ID: "code-" + ref, Email: address, Purpose: "prove:" + p.ID + " /", ExpiresAt: t0}))
	own = w.award(address, ref)
	own.PersonID, own.Claim, own.ClaimedAt, own.Visibility = p.ID, store.Claimed, t0, store.Public
	own.Recipient.GivenName, own.Recipient.FamilyName = p.GivenName, p.FamilyName
	own = w.made(own)
	raw := got[string](t)(w.PutDocument(ctx, "application/json", []byte(`{"raw":"`+address+`"}`)))
	_, err := w.PutLink(ctx, store.Link{Remote: "campus", Ref: own.OriginRef, AwardID: own.ID, Role: store.RoleOrigin, State: store.LinkPresent, DocumentSHA: raw, CreatedAt: t0})
	must(t, err)
	must(t, w.AddClaim(ctx, store.ClaimEvent{AwardID: own.ID, PersonID: p.ID, State: store.Claimed, At: t0}))
	must(t, w.CreateAssertion(ctx, store.Assertion{ID: "assertion-" + ref, AwardID: own.ID, Version: openbadges.V20, Salt: "s", SHA256: "doc-" + ref}))
	push := w.pushed(store.Push{AwardID: own.ID})
	push.Words = "no such user: " + address
	must(t, w.SavePush(ctx, push, store.PushQueued, "", false))

	brought = w.award(address, "brought-"+ref)
	brought.Origin, brought.PersonID, brought.Claim = store.BackpackOrigin, p.ID, store.Claimed
	brought = w.made(brought)
	doc := got[string](t)(w.PutDocument(ctx, "application/ld+json", []byte(`{"to":"`+address+`"}`)))
	_, err = w.CreateCollected(ctx, store.Collected{PersonID: p.ID, AwardID: brought.ID, Locator: "https://issuer.example/" + ref, Source: "file",
		Standing: store.Genuine, DocumentSHA: doc, Report: []byte(`{}`)})
	must(t, err)
	c := got[store.Collection](t)(w.CreateCollection(ctx, store.Collection{PersonID: p.ID, Name: "of " + address}))
	must(t, w.SetCollectionBadges(ctx, c.ID, []store.CollectionBadge{{AwardID: own.ID}, {AwardID: brought.ID, Note: "mine"}}))
	profile := got[store.PublicProfile](t)(w.Profile(ctx, p.ID))
	profile.Handle, profile.About = "handle-"+ref, "about "+ref
	must(t, w.PutProfile(ctx, profile))
	_, err = w.CreateGrant(ctx, store.Grant{PersonID: p.ID, Origin: "https://issuer.example", AccessHash: "a" + ref, RefreshHash: "r" + ref})
	must(t, err)
	conn := got[store.Connection](t)(w.CreateConnection(ctx, store.Connection{PersonID: p.ID, Kind: "backpack", Title: "other", Sealed: []byte("x"), State: "active"}))
	_, err = w.CreateDeposit(ctx, store.Deposit{ConnectionID: conn.ID, AwardID: own.ID, Key: "k", State: store.PushDone})
	must(t, err)
	_, err = w.CreateNotice(ctx, store.Notice{Owner: p.ID, Kind: store.NoticeRevoked, AwardID: own.ID})
	must(t, err)
	must(t, w.Refuse(ctx, p.ID, store.NoticeOffered, true))
	return own, brought
}

func merging(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	bob := got[store.Person](t)(s.CreatePerson(ctx, store.Person{GivenName: "Bob", FamilyName: "Demo"}))
	w.full(w.person, "ada@example.org", "1")
	own, brought := w.full(bob, "bob@example.org", "2")
	shared := func(p store.Person, ref string) store.Award {
		a := w.award("x@example.org", ref)
		a.Origin, a.PersonID, a.Claim = store.BackpackOrigin, p.ID, store.Claimed
		a = w.made(a)
		_, err := s.CreateCollected(ctx, store.Collected{PersonID: p.ID, AwardID: a.ID, Locator: "https://issuer.example/shared", Source: "url", Standing: store.Genuine})
		must(t, err)
		return a
	}
	kept, twin := shared(w.person, "s1"), shared(bob, "s2")
	his := got[[]store.Collection](t)(s.CollectionsOf(ctx, bob.ID))[0]
	must(t, s.SetCollectionBadges(ctx, his.ID, []store.CollectionBadge{{AwardID: own.ID}, {AwardID: twin.ID}, {AwardID: brought.ID}}))
	for _, p := range []store.Person{w.person, bob} {
		conn := got[store.Connection](t)(s.CreateConnection(ctx, store.Connection{PersonID: p.ID, Kind: "backpack", Title: "same", Address: "https://same.example", Sealed: []byte("x"), State: "active"}))
		for _, award := range []string{own.ID, kept.ID} {
			if p.ID == bob.ID || award == kept.ID {
				_, err := s.CreateDeposit(ctx, store.Deposit{ConnectionID: conn.ID, AwardID: award, Key: adapters.Key(p.ID + award), State: store.PushDone})
				must(t, err)
			}
		}
	}
	number := got[store.PublicProfile](t)(s.Profile(ctx, bob.ID)).Number

	wantErr(t, s.MergePersons(ctx, w.person.ID, "unknown"), store.ErrNotFound)
	wantErr(t, s.MergePersons(ctx, w.person.ID, w.person.ID), store.ErrExists)
	must(t, s.MergePersons(ctx, w.person.ID, bob.ID))

	_, err := s.Person(ctx, bob.ID)
	wantErr(t, err, store.ErrNotFound)
	awards := ids(got[[]store.Award](t)(s.AwardsOf(ctx, w.person.ID, 100)), func(a store.Award) string { return a.ID })
	same(t, "awards", len(awards), 5)
	for _, id := range []string{own.ID, brought.ID, kept.ID} {
		if !slices.Contains(awards, id) {
			t.Errorf("award %s is lost", id)
		}
	}
	if slices.Contains(awards, twin.ID) {
		t.Error("the badge that both had is there twice")
	}
	same(t, "claims", got[[]store.ClaimEvent](t)(s.ClaimsOf(ctx, own.ID))[0].PersonID, w.person.ID)
	same(t, "addresses", len(got[[]store.Identifier](t)(s.IdentifiersOf(ctx, w.person.ID))), 2)
	same(t, "sign-ins", len(got[[]store.SignIn](t)(s.SignInsOf(ctx, w.person.ID))), 2)
	same(t, "permissions", len(got[[]store.Grant](t)(s.GrantsOf(ctx, w.person.ID))), 2)
	same(t, "connections, that to the same place once", len(got[[]store.Connection](t)(s.ConnectionsOf(ctx, w.person.ID))), 3)
	same(t, "notices", len(got[[]store.Notice](t)(s.UnseenNotices(ctx, w.person.ID, 10))), 2)
	same(t, "session", string(got[[]byte](t)(s.Session(ctx, "session-2", t0))), `{"values":{"person":"`+w.person.ID+`"}}`)
	collections := got[[]store.Collection](t)(s.CollectionsOf(ctx, w.person.ID))
	same(t, "collections", ids(collections, func(c store.Collection) string { return c.Name }), []string{"of ada@example.org", "of bob@example.org"})
	same(t, "his collection shows the badge that stays", ids(got[[]store.CollectionBadge](t)(s.CollectionBadges(ctx, his.ID)),
		func(b store.CollectionBadge) string { return b.AwardID }), []string{own.ID, kept.ID, brought.ID})
	p := got[store.PublicProfile](t)(s.ProfileByNumber(ctx, number))
	same(t, "his profile's number leads to hers", p.PersonID, w.person.ID)
	same(t, "his handle, too", got[store.PublicProfile](t)(s.ProfileByHandle(ctx, "handle-2")).PersonID, w.person.ID)
	same(t, "nothing he wrote is lost", p.About, "about 1\n\nabout 2")
	same(t, "her name stays", got[store.Person](t)(s.Person(ctx, w.person.ID)).Name(), "Ada Demo")
	same(t, "who he was is known", got[[]string](t)(s.FormerPersons(ctx, w.person.ID)), []string{bob.ID})
	_, err = s.ErasePerson(ctx, w.person.ID, false)
	must(t, err)
}

func erasing(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	must(t, s.AddIdentifier(ctx, email("second@example.org", w.person.ID)))
	own, brought := w.full(w.person, "ada@example.org", "1")
	bob := got[store.Person](t)(s.CreatePerson(ctx, store.Person{GivenName: "Bob", FamilyName: "Other"}))
	kept, _ := w.full(bob, "bob@example.org", "2")
	_, err := s.ErasePerson(ctx, "unknown", false)
	wantErr(t, err, store.ErrNotFound)
	out := got[store.Erased](t)(s.ErasePerson(ctx, w.person.ID, false))
	same(t, "awards that stay as facts", out.Awards, []string{own.ID})
	same(t, "addresses", out.Addresses, []string{"ada@example.org", "second@example.org"})
	_, err = s.Person(ctx, w.person.ID)
	wantErr(t, err, store.ErrNotFound)
	_, err = s.Award(ctx, brought.ID)
	wantErr(t, err, store.ErrNotFound)
	a := got[store.Award](t)(s.Award(ctx, own.ID))
	same(t, "the fact", []any{a.PersonID, a.Claim, a.Visibility, a.Recipient}, []any{"", store.Offered, store.Private, store.Forgotten("ada@example.org")})
	same(t, "its document is still there", got[store.Assertion](t)(s.AssertionOf(ctx, own.ID, openbadges.V20)).ID, "assertion-1")
	same(t, "the raw record is erased", got[store.Document](t)(s.Document(ctx, sha(`{"raw":"ada@example.org"}`))).MediaType, store.ErasedDocument)
	_, err = s.Document(ctx, sha(`{"to":"ada@example.org"}`))
	wantErr(t, err, store.ErrNotFound)
	_, err = s.Session(ctx, "session-1", t0)
	wantErr(t, err, store.ErrNotFound)
	_, err = s.TryCode(ctx, "code-1")
	wantErr(t, err, store.ErrNotFound)
	same(t, "what a remote said", got[[]store.Push](t)(s.PushesOf(ctx, own.ID))[0].Words, "no such user: …")
	same(t, "others keep theirs", got[store.Award](t)(s.Award(ctx, kept.ID)).PersonID, bob.ID)
	same(t, "and their documents", len(got[store.Document](t)(s.Document(ctx, sha(`{"to":"bob@example.org"}`))).Body) > 0, true)

	// Whoever proves the address again gets the facts again.
	again := got[store.Person](t)(s.CreatePerson(ctx, store.Person{}))
	same(t, "adopted", got[[]string](t)(s.AdoptAwards(ctx, "Ada@example.org", again.ID)), []string{own.ID})
	out = got[store.Erased](t)(s.ErasePerson(ctx, bob.ID, true))
	same(t, "kept claims", got[store.Award](t)(s.Award(ctx, out.Awards[0])).Claim, store.Claimed)
}

func notices(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	a := w.award("ada@example.org", "1")
	a.PersonID, a.Claim, a.Expires = w.person.ID, store.Claimed, t0.Add(24*time.Hour)
	a = w.made(a)
	n := got[store.Notice](t)(s.CreateNotice(ctx, store.Notice{Owner: w.person.ID, Kind: store.NoticeExpiring, AwardID: a.ID, Mark: "2026-03-15/7", Days: 7, CreatedAt: t0}))
	_, err := s.CreateNotice(ctx, store.Notice{Owner: w.person.ID, Kind: store.NoticeExpiring, AwardID: a.ID, Mark: "2026-03-15/7"})
	wantErr(t, err, store.ErrExists)
	same(t, "notice", got[store.Notice](t)(s.Notice(ctx, n.ID)), n)
	same(t, "by what it tells", got[store.Notice](t)(s.NoticeOf(ctx, w.person.ID, n.Kind, a.ID, n.Mark)), n)
	must(t, s.MarkMailed(ctx, n.ID, t0))
	same(t, "mailed", got[store.Notice](t)(s.Notice(ctx, n.ID)).MailedAt, t0)
	same(t, "unseen", len(got[[]store.Notice](t)(s.UnseenNotices(ctx, w.person.ID, 10))), 1)
	wantErr(t, s.SeeNotice(ctx, "somebody", n.ID, t0), store.ErrNotFound)
	must(t, s.SeeNotice(ctx, w.person.ID, n.ID, t0))
	must(t, s.SeeNotice(ctx, w.person.ID, n.ID, t0))
	same(t, "seen", len(got[[]store.Notice](t)(s.UnseenNotices(ctx, w.person.ID, 10))), 0)

	must(t, s.Refuse(ctx, w.person.ID, store.NoticeOffered, true))
	must(t, s.Refuse(ctx, w.person.ID, store.NoticeOffered, true))
	same(t, "refused", got[[]store.NoticeKind](t)(s.Refusals(ctx, w.person.ID)), []store.NoticeKind{store.NoticeOffered})
	must(t, s.Refuse(ctx, w.person.ID, store.NoticeOffered, false))
	same(t, "taken again", len(got[[]store.NoticeKind](t)(s.Refusals(ctx, w.person.ID))), 0)

	ending := func(from, until time.Time) int {
		t.Helper()
		return len(got[[]store.Award](t)(s.AwardsEnding(ctx, from, until, "", 10)))
	}
	same(t, "ending", ending(t0, t0.Add(24*time.Hour)), 1)
	same(t, "ended before", ending(a.Expires, t0.Add(48*time.Hour)), 0)
	same(t, "ending later", ending(t0, t0.Add(time.Hour)), 0)
	a.Revoked = true
	_, err = s.PutAward(ctx, a)
	must(t, err)
	same(t, "a revoked one has ended already", ending(t0, t0.Add(24*time.Hour)), 0)
}
