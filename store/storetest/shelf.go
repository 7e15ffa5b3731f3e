package storetest

import (
	"strconv"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
)

func shelf(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	own := got[store.Issuer](t)(s.PutIssuer(ctx, store.Issuer{Own: true, Profile: openbadges.Profile{Name: "Demo Société"}}))
	far, _, err := s.PutClass(ctx, store.Class{Remote: store.BackpackOrigin, Ref: "https://c.example/b", Content: openbadges.BadgeClass{
		Name: "100% Résumé_Writer", Description: "Writes", Tags: []string{"Careers"}, Issuer: openbadges.Profile{Name: "Far College"}}})
	must(t, err)
	make1 := func(ref string, change func(a *store.Award)) store.Award {
		a := w.award("ada@example.org", ref)
		a.PersonID, a.Claim = w.person.ID, store.Claimed
		change(&a)
		return w.made(a)
	}
	holds := make1("1", func(a *store.Award) { a.IssuedOn, a.Visibility, a.NameHidden = t0.AddDate(0, 0, 5), store.Public, true })
	soon := make1("2", func(a *store.Award) { a.IssuedOn, a.Expires = t0.AddDate(0, 0, 4), t0.AddDate(0, 0, 30) })
	ended := make1("3", func(a *store.Award) {
		a.IssuedOn, a.Expires, a.Visibility = t0.AddDate(0, 0, 3), t0.AddDate(0, 0, -1), store.ByLink
	})
	taken := make1("4", func(a *store.Award) { a.IssuedOn, a.Revoked, a.RevokedAt = t0.AddDate(0, 0, 2), true, t0 })
	brought := func(ref string, standing store.Standing) store.Award {
		a := make1(ref, func(a *store.Award) {
			a.Origin, a.ClassID, a.ClassVersionID = store.BackpackOrigin, far.ID, far.VersionID
		})
		got[store.Collected](t)(s.CreateCollected(ctx, store.Collected{PersonID: w.person.ID, AwardID: a.ID, Locator: ref, Standing: standing}))
		return a
	}
	foreign := brought("5", store.Genuine)
	got[store.Collected](t)(s.CreateCollected(ctx, store.Collected{PersonID: w.person.ID, AwardID: foreign.ID, Locator: "5b", Standing: store.GoneSource}))
	unclear := brought("6", store.GoneSource)
	offered := make1("7", func(a *store.Award) { a.Claim = store.Offered })
	w.made(w.award("bob@example.org", "8"))

	at := func(f store.ShelfFilter) []string {
		f.PersonID, f.Now = w.person.ID, t0
		list := ids(got[[]store.ShelfBadge](t)(s.ShelfBadges(ctx, f)), func(b store.ShelfBadge) string { return b.ID })
		if f.Limit == 0 {
			same(t, "count", got[int](t)(s.CountShelf(ctx, f)), len(list))
		}
		return list
	}
	all := at(store.ShelfFilter{Claim: store.Claimed})
	same(t, "newest first", all[:4], []string{holds.ID, soon.ID, ended.ID, taken.ID})
	same(t, "all", len(all), 6)
	same(t, "a page", at(store.ShelfFilter{Claim: store.Claimed, Offset: 1, Limit: 2}), []string{soon.ID, ended.ID})
	same(t, "offered", at(store.ShelfFilter{Claim: store.Offered}), []string{offered.ID})
	for state, want := range map[store.ShelfState][]string{
		store.Ending: {soon.ID}, store.Ended: {ended.ID}, store.Taken: {taken.ID}, store.Unclear: {unclear.ID}, store.Holds: {holds.ID, soon.ID, foreign.ID},
	} {
		same(t, "state "+string(state), at(store.ShelfFilter{Claim: store.Claimed, State: state}), want)
	}
	for text, want := range map[string]int{"resume": 2, "RÉSUMÉ far": 2, "100%": 2, "é_w": 2, "%": 2, "_": 2, "societe": 4, "careers": 2, "nothing": 0, "navigator college": 0} {
		same(t, "search for "+text, len(at(store.ShelfFilter{Claim: store.Claimed, Text: text})), want)
	}
	same(t, "by issuer", len(at(store.ShelfFilter{Claim: store.Claimed, Issuer: "Far College"})), 2)
	same(t, "by origin", len(at(store.ShelfFilter{Claim: store.Claimed, Origin: "campus"})), 4)
	same(t, "by visibility", at(store.ShelfFilter{Visibilities: []store.Visibility{store.Public, store.ByLink}}), []string{holds.ID, ended.ID})
	same(t, "by name", at(store.ShelfFilter{Claim: store.Claimed, Order: store.ByName})[2], holds.ID)

	col := got[store.Collection](t)(s.CreateCollection(ctx, store.Collection{PersonID: w.person.ID, Name: "Work"}))
	must(t, s.SetCollectionBadges(ctx, col.ID, []store.CollectionBadge{{AwardID: foreign.ID}, {AwardID: holds.ID}}))
	same(t, "of a collection, as it is ordered", at(store.ShelfFilter{CollectionID: col.ID, Order: store.AsCollection}), []string{foreign.ID, holds.ID})

	list := got[[]store.ShelfBadge](t)(s.ShelfBadges(ctx, store.ShelfFilter{PersonID: w.person.ID, Claim: store.Claimed, Limit: 1}))
	same(t, "award of the shelf", list[0].Award, got[store.Award](t)(s.Award(ctx, holds.ID)))
	same(t, "its issuer", list[0].Issuer.Name+list[0].IssuerID, own.Profile.Name+own.ID)
	same(t, "it is the installation's own", list[0].IsOwn, true)
	same(t, "its badge", list[0].Content.Name, "Navigator")
	for _, b := range got[[]store.ShelfBadge](t)(s.ShelfBadges(ctx, store.ShelfFilter{PersonID: w.person.ID, Origin: store.BackpackOrigin})) {
		want := map[string]store.Standing{foreign.ID: store.Genuine, unclear.ID: store.GoneSource}[b.ID]
		same(t, "standing", b.Standing, want)
		same(t, "issuer of a badge that was brought", b.Issuer.Name, "Far College")
	}
	facets := got[[]store.ShelfFacet](t)(s.ShelfFacets(ctx, store.ShelfFilter{PersonID: w.person.ID, Claim: store.Claimed}))
	same(t, "facets", facets, []store.ShelfFacet{{Issuer: "Demo Société", Origin: "campus", Count: 4}, {Issuer: "Far College", Origin: store.BackpackOrigin, Count: 2}})
}

func batches(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	var files []store.BatchFile
	for i := range 3 {
		files = append(files, store.BatchFile{Name: "badge" + strconv.Itoa(i) + ".png", Body: []byte{byte(i)}})
	}
	id := got[string](t)(s.CreateBatch(ctx, w.person.ID, files, time.Time{}))
	f, person, err := s.BatchWork(ctx, id, 1)
	must(t, err)
	same(t, "whose", person, w.person.ID)
	same(t, "its bytes", f.Body, []byte{1})
	f.Done, f.Fate, f.Badge, f.Checks, f.AwardID = true, "kept", "Navigator", []string{"One", "Two"}, "a"
	must(t, s.PutBatchFile(ctx, f))
	again, _, err := s.BatchWork(ctx, id, 1)
	must(t, err)
	same(t, "no bytes once it is done", len(again.Body), 0)
	list := got[[]store.BatchFile](t)(s.Batch(ctx, w.person.ID, id))
	f.Body = nil
	same(t, "files", list[1], f)
	same(t, "not done", list[0].Done || list[2].Done, false)
	_, err = s.Batch(ctx, "somebody", id)
	wantErr(t, err, store.ErrNotFound)
	next := got[string](t)(s.CreateBatch(ctx, w.person.ID, files[:1], time.Now().Add(time.Hour)))
	_, err = s.Batch(ctx, w.person.ID, id)
	wantErr(t, err, store.ErrNotFound)
	_, _, err = s.BatchWork(ctx, id, 0)
	wantErr(t, err, store.ErrNotFound)
	wantErr(t, s.PutBatchFile(ctx, store.BatchFile{BatchID: id}), store.ErrNotFound)
	same(t, "the newer one stays", len(got[[]store.BatchFile](t)(s.Batch(ctx, w.person.ID, next))), 1)
	_, err = s.CreateBatch(ctx, "unknown", files, time.Time{})
	wantErr(t, err, store.ErrNotFound)
}

func earnables(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	own := got[store.Issuer](t)(s.PutIssuer(ctx, store.Issuer{Own: true, Profile: openbadges.Profile{Name: "Demo Society"}}))
	other := got[store.Issuer](t)(s.PutIssuer(ctx, store.Issuer{Profile: openbadges.Profile{Name: "Ärzte"}}))
	class := func(remote adapters.Remote, name, issuer string, issuable bool) store.Class {
		c, _, err := s.PutClass(ctx, store.Class{Remote: remote, Ref: adapters.Ref(name), IssuerID: issuer, Issuable: issuable, Content: openbadges.BadgeClass{Name: name}})
		must(t, err)
		return c
	}
	a, b := class("campus", "Zeal", "", true), class("credly", "Zeal there", other.ID, true)
	class("campus", "Draft", "", false)
	class(store.BackpackOrigin, "Brought", "", true)
	doctor := class("credly", "Doctor", other.ID, true)
	must1 := func(_ store.Mapping, err error) { t.Helper(); must(t, err) }
	at := func(f store.EarnableFilter) []string {
		same(t, "count", got[int](t)(s.CountEarnable(ctx, f)), len(got[[]store.Earnable](t)(s.EarnableBadges(ctx, f))))
		return ids(got[[]store.Earnable](t)(s.EarnableBadges(ctx, f)), func(e store.Earnable) string { return e.ID })
	}
	same(t, "all, by name", at(store.EarnableFilter{}), []string{doctor.ID, a.ID, b.ID})
	must1(s.CreateMapping(ctx, store.Mapping{ClassA: a.ID, ClassB: b.ID}))
	same(t, "the copy of a mapping is left out", at(store.EarnableFilter{}), []string{doctor.ID, a.ID})
	same(t, "by issuer", at(store.EarnableFilter{IssuerID: own.ID}), []string{a.ID})
	same(t, "by text of the issuer", at(store.EarnableFilter{Text: "arzte"}), []string{doctor.ID})
	same(t, "one", at(store.EarnableFilter{ClassID: a.ID}), []string{a.ID})
	same(t, "its issuer", got[[]store.Earnable](t)(s.EarnableBadges(ctx, store.EarnableFilter{ClassID: a.ID}))[0].Issuer.Profile.Name, "Demo Society")
	same(t, "a page", ids(got[[]store.Earnable](t)(s.EarnableBadges(ctx, store.EarnableFilter{Offset: 1, Limit: 1})), func(e store.Earnable) string { return e.ID }), []string{a.ID})
	_ = w
}
