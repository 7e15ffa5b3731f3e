package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"badgebridge/openbadges"
	"badgebridge/store"
)

func isNotFound(err error) bool { return errors.Is(err, store.ErrNotFound) }

func awardID(a store.Award) string { return a.ID }

func awards(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	full := store.Award{
		ClassID: w.class.ID, ClassVersionID: w.class.VersionID, Origin: "campus", OriginRef: "uuid/7/ab", EarnerKey: "e7",
		Recipient: openbadges.Recipient{Type: openbadges.IdentityEmail, Identity: "sha256$00", Hashed: true, Salt: "s", GivenName: "Zoë", FamilyName: "Ørsted"},
		PersonID:  w.person.ID, IssuedOn: t0, Expires: t0.Add(time.Hour), Narrative: "**well** done 世界",
		Evidence: []openbadges.Evidence{{ID: "https://example.org/e", Name: "n"}, {Narrative: "<b>"}},
		Claim:    store.Claimed, ClaimedAt: t0, Visibility: store.ByLink, Revoked: true, RevokedAt: t0, RevocationReason: "error",
		Flag: "vanished", AssertionURL: "https://example.org/a", PageURL: "https://example.org/p", ContentSHA: "abc",
	}
	a := w.made(full)
	full.ID, full.CreatedAt, full.UpdatedAt = a.ID, a.CreatedAt, a.UpdatedAt
	same(t, "what create returned", a, full)
	same(t, "award", got[store.Award](t)(w.Award(ctx, a.ID)), full)
	if a.ID == "" || a.CreatedAt.IsZero() {
		t.Fatal("id or time missing")
	}
	plain := w.made(store.Award{ClassID: w.class.ID, ClassVersionID: w.class.VersionID, Origin: "campus", OriginRef: "2"})
	same(t, "first claim", plain.Claim, store.Offered)
	same(t, "first visibility", plain.Visibility, store.Private)
	same(t, "award", got[store.Award](t)(w.Award(ctx, plain.ID)), plain)

	_, err := w.CreateAward(ctx, full)
	wantErr(t, err, store.ErrExists)
	twin := full
	twin.ID = ""
	_, err = w.CreateAward(ctx, twin)
	wantErr(t, err, store.ErrExists) // one record at its origin is one award
	orphan := w.award("x@example.org", "9")
	orphan.ClassID = "unknown"
	_, err = w.CreateAward(ctx, orphan)
	wantErr(t, err, store.ErrNotFound)
	_, err = w.Award(ctx, "unknown")
	wantErr(t, err, store.ErrNotFound)

	same(t, "an unchanged award is not written", got[bool](t)(w.PutAward(ctx, full)), false)
	same(t, "updated at of an unchanged award", got[store.Award](t)(w.Award(ctx, a.ID)).UpdatedAt, full.UpdatedAt)
	for name, change := range map[string]func(a *store.Award){
		"person":     func(a *store.Award) { a.PersonID = "" },
		"expiry":     func(a *store.Award) { a.Expires = time.Time{} },
		"evidence":   func(a *store.Award) { a.Evidence = nil },
		"claim":      func(a *store.Award) { a.Claim = store.Declined },
		"visibility": func(a *store.Award) { a.Visibility = store.Public },
		"revocation": func(a *store.Award) { a.Revoked, a.RevokedAt, a.RevocationReason = false, time.Time{}, "" },
		"names":      func(a *store.Award) { a.Recipient.GivenName = "Other" },
		"content":    func(a *store.Award) { a.ContentSHA = "def" },
		"flag":       func(a *store.Award) { a.Flag = "" },
	} {
		t.Run("a change of "+name+" is written", func(t *testing.T) {
			next := got[store.Award](t)(w.Award(ctx, a.ID))
			change(&next)
			same(t, "changed", got[bool](t)(w.PutAward(ctx, next)), true)
			stored := got[store.Award](t)(w.Award(ctx, a.ID))
			next.UpdatedAt = stored.UpdatedAt
			same(t, "award", stored, next)
			same(t, "changed by the same put", got[bool](t)(w.PutAward(ctx, next)), false)
		})
	}
	_, err = w.PutAward(ctx, store.Award{ID: "unknown", ClassID: w.class.ID, ClassVersionID: w.class.VersionID})
	wantErr(t, err, store.ErrNotFound)

	// Two replicas that read one new record make one award.
	made := make(chan struct{}, 6)
	atOnce(6, func(int) {
		_, err := w.CreateAward(ctx, w.award("race@example.org", "race"))
		if err == nil {
			made <- struct{}{}
		} else if !errors.Is(err, store.ErrExists) {
			t.Error(err)
		}
	})
	same(t, "awards of one record", len(made), 1)
}

func awardLists(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	make3 := func(address, ref string, day int) store.Award {
		a := w.award(address, ref)
		a.IssuedOn = t0.AddDate(0, 0, day)
		return w.made(a)
	}
	old, young, other := make3("ada@example.org", "1", 0), make3("Ada@Example.org ", "2", 5), make3("bob@example.org", "3", 3)
	hashed := w.award("sha256$ada@example.org", "4")
	hashed.Recipient.Hashed = true
	hashed = w.made(hashed)

	for _, spelling := range []string{"ada@example.org", "ADA@example.org"} {
		same(t, "awards for "+spelling+", newest first", ids(got[[]store.Award](t)(w.AwardsFor(ctx, spelling, 10)), awardID), []string{young.ID, old.ID})
	}
	same(t, "awards for nobody", len(got[[]store.Award](t)(w.AwardsFor(ctx, "", 10))), 0)

	other.PersonID = w.person.ID
	got[bool](t)(w.PutAward(ctx, other))
	bob := got[store.Person](t)(w.CreatePerson(ctx, store.Person{GivenName: "Bob"}))
	adopted := got[[]string](t)(w.AdoptAwards(ctx, "ada@example.org", w.person.ID))
	slices.Sort(adopted)
	want := []string{old.ID, young.ID}
	slices.Sort(want)
	same(t, "adopted", adopted, want)
	same(t, "adopted again", len(got[[]string](t)(w.AdoptAwards(ctx, "ada@example.org", bob.ID))), 0)
	same(t, "what belongs to somebody is not adopted", len(got[[]string](t)(w.AdoptAwards(ctx, "bob@example.org", bob.ID))), 0)
	same(t, "of the person, newest first", ids(got[[]store.Award](t)(w.AwardsOf(ctx, w.person.ID, 10)), awardID), []string{young.ID, other.ID, old.ID})
	same(t, "bounded", len(got[[]store.Award](t)(w.AwardsOf(ctx, w.person.ID, 2))), 2)

	candidates := func(email, key string) []string {
		return ids(got[[]store.Award](t)(w.CandidateAwards(ctx, w.class.ID, email, key, "")), awardID)
	}
	same(t, "by address, oldest first", candidates("ada@example.org", ""), []string{old.ID, young.ID})
	same(t, "by earner", candidates("", hashed.EarnerKey), []string{hashed.ID})
	same(t, "by nothing", candidates("", ""), []string{})
	same(t, "by person, whatever the address", ids(got[[]store.Award](t)(w.CandidateAwards(ctx, w.class.ID, "", "", w.person.ID)), awardID), []string{old.ID, other.ID, young.ID})
	revoked := got[store.Award](t)(w.Award(ctx, old.ID))
	revoked.Revoked, revoked.Flag, revoked.Claim = true, "vanished", store.Claimed
	got[bool](t)(w.PutAward(ctx, revoked))
	same(t, "the revoked last", candidates("ada@example.org", ""), []string{young.ID, old.ID})
	same(t, "of another class", len(got[[]store.Award](t)(w.CandidateAwards(ctx, "other", "ada@example.org", "", ""))), 0)

	all := []string{old.ID, young.ID, other.ID, hashed.ID}
	slices.Sort(all)
	same(t, "all by id", ids(got[[]store.Award](t)(w.Awards(ctx, store.AwardFilter{})), awardID), all)
	var paged []string
	for after := ""; ; {
		page := got[[]store.Award](t)(w.Awards(ctx, store.AwardFilter{After: after, Limit: 3}))
		paged = append(paged, ids(page, awardID)...)
		if len(page) < 3 {
			break
		}
		after = page[2].ID
	}
	same(t, "all in pages", paged, all)
	for name, c := range map[string]struct {
		filter store.AwardFilter
		n      int
	}{
		"person":     {store.AwardFilter{PersonID: w.person.ID}, 3},
		"class":      {store.AwardFilter{ClassID: w.class.ID}, 4},
		"origin":     {store.AwardFilter{Origin: "credly"}, 0},
		"claim":      {store.AwardFilter{Claim: store.Claimed}, 1},
		"flagged":    {store.AwardFilter{Flagged: true}, 1},
		"everything": {store.AwardFilter{PersonID: w.person.ID, ClassID: w.class.ID, Origin: "campus", Claim: store.Offered}, 2},
	} {
		same(t, "filter by "+name, len(got[[]store.Award](t)(w.Awards(ctx, c.filter))), c.n)
		same(t, "count by "+name, got[int](t)(w.CountAwards(ctx, c.filter)), c.n)
	}
	same(t, "count by class", got[map[string]int](t)(w.CountAwardsByClass(ctx))[w.class.ID], 4)
}

func assertions(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	a := w.made(w.award("ada@example.org", "1"))

	must(t, w.AddClaim(ctx, store.ClaimEvent{AwardID: a.ID, PersonID: w.person.ID, State: store.Claimed, At: t0.Add(time.Hour)}))
	must(t, w.AddClaim(ctx, store.ClaimEvent{AwardID: a.ID, PersonID: w.person.ID, State: store.Declined, At: t0.Add(2 * time.Hour)}))
	must(t, w.AddClaim(ctx, store.ClaimEvent{AwardID: a.ID, State: store.Offered, At: t0}))
	same(t, "claims, oldest first", got[[]store.ClaimEvent](t)(w.ClaimsOf(ctx, a.ID)), []store.ClaimEvent{
		{AwardID: a.ID, State: store.Offered, At: t0},
		{AwardID: a.ID, PersonID: w.person.ID, State: store.Claimed, At: t0.Add(time.Hour)},
		{AwardID: a.ID, PersonID: w.person.ID, State: store.Declined, At: t0.Add(2 * time.Hour)},
	})

	v2 := store.Assertion{ID: store.NewID(), AwardID: a.ID, Version: openbadges.V20, Salt: "salt", SHA256: "abc", CreatedAt: t0}
	must(t, w.CreateAssertion(ctx, v2))
	wantErr(t, w.CreateAssertion(ctx, v2), store.ErrExists)
	twin := v2
	twin.ID = store.NewID()
	wantErr(t, w.CreateAssertion(ctx, twin), store.ErrExists) // one document of a version
	v3 := store.Assertion{ID: v2.ID, AwardID: a.ID, Version: openbadges.V30, SHA256: "def", CreatedAt: t0}
	must(t, w.CreateAssertion(ctx, v3))
	must(t, w.SetBaked(ctx, v2.ID, openbadges.V20, "img"))
	v2.BakedSHA = "img"
	same(t, "the first JWT", got[string](t)(w.SetJWT(ctx, v3.ID, openbadges.V30, "jwt")), "jwt")
	same(t, "it stays", got[string](t)(w.SetJWT(ctx, v3.ID, openbadges.V30, "another")), "jwt")
	v3.JWTSHA = "jwt"
	same(t, "assertion", got[store.Assertion](t)(w.Assertion(ctx, v2.ID, openbadges.V20)), v2)
	same(t, "the other version under its id", got[store.Assertion](t)(w.Assertion(ctx, v2.ID, openbadges.V30)), v3)
	same(t, "assertion of the award", got[store.Assertion](t)(w.AssertionOf(ctx, a.ID, openbadges.V30)), v3)
	same(t, "assertions of awards", got[[]store.Assertion](t)(w.AssertionsOf(ctx, openbadges.V30, "unknown", a.ID)), []store.Assertion{v3})
	same(t, "of no award", len(got[[]store.Assertion](t)(w.AssertionsOf(ctx, openbadges.V30))), 0)
	_, err := w.AssertionOf(ctx, a.ID, openbadges.V11)
	wantErr(t, err, store.ErrNotFound)
	_, err = w.Assertion(ctx, v2.ID, openbadges.V11)
	wantErr(t, err, store.ErrNotFound)
	_, err = w.Assertion(ctx, "unknown", openbadges.V20)
	wantErr(t, err, store.ErrNotFound)
	wantErr(t, w.SetBaked(ctx, "unknown", openbadges.V20, "img"), store.ErrNotFound)
	_, err = w.SetJWT(ctx, "unknown", openbadges.V30, "jwt")
	wantErr(t, err, store.ErrNotFound)
}
