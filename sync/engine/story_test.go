package engine_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"badgebridge/openbadges"
	simcredly "badgebridge/sandbox/credly"
	"badgebridge/store"
	"badgebridge/sync/engine"
	"badgebridge/sync/outbox"
	"badgebridge/sync/reconcile"
)

func (w *world) give(member int64) int64 {
	w.t.Helper()
	w.now.add(time.Minute)
	entry, err := w.site.Award(w.siteBadge2(), member, "a course")
	must(w.t, err)
	return entry
}

func (w *world) siteBadge2() int64 { return w.site.Badges()[0].ID }

func TestAnAwardTravelsFromTheSiteToCredlyAndItsAcceptanceAndRevocationBackAndForth(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.mapBadges(store.Mapping{AToB: store.OnClaim, RevokeAB: true})
	ada := w.person("ada@example.org", "", "")
	entry := w.give(w.ada)
	w.pull()
	a := w.award("wp")
	if a.Claim != store.Offered || a.PersonID != ada || w.jobs.count("mail.offer") != 1 {
		t.Fatalf("%+v, %d mails", a, w.jobs.count("mail.offer"))
	}
	w.wantPush(a.ID, store.PushWaiting, reconcile.WaitClaim)
	if _, err := w.store.AssertionOf(ctx, a.ID, openbadges.V20); !errors.Is(err, store.ErrNotFound) {
		t.Fatal("there is an assertion before the claim")
	}

	must(t, w.engine.Claim(ctx, a.ID, ada))
	must(t, w.engine.Claim(ctx, a.ID, ada)) // twice is no error
	if _, err := w.store.AssertionOf(ctx, a.ID, openbadges.V20); err != nil {
		t.Fatal(err)
	}
	w.send()
	w.wantPush(a.ID, store.PushDone, "")
	badges := w.credly.Badges()
	if len(badges) != 1 || badges[0].Email != "ada@example.org" || badges[0].FirstName != "Ada" {
		t.Fatalf("%+v", badges)
	}
	w.round()
	w.quiet()

	must(t, w.credly.Accept(badges[0].ID))
	w.pull()
	links, err := w.store.LinksOf(ctx, a.ID)
	must(t, err)
	if len(links) != 2 || links[1].Acceptance != "accepted" {
		t.Fatalf("%+v", links)
	}
	if n := len(w.awards("")); n != 1 {
		t.Fatalf("our own copy came back as a new award: %d", n)
	}

	must(t, w.site.Revoke(entry, "Given in error."))
	w.pull()
	w.send()
	if a = w.award("wp"); !a.Revoked || a.RevocationReason != "Given in error." {
		t.Fatalf("%+v", a)
	}
	if b := w.credly.Badges()[0]; b.State != simcredly.Revoked {
		t.Fatalf("%+v", b)
	}
	w.round()
	w.quiet()
}

func TestNothingLeavesWithoutAMappingAndAPolicy(t *testing.T) {
	w := newWorld(t)
	ada := w.person("ada@example.org", "Ada", "Example")
	w.give(w.ada)
	w.pull()
	a := w.award("wp")
	must(t, w.engine.Claim(t.Context(), a.ID, ada))
	m := w.mapBadges(store.Mapping{AToB: store.Never, BToA: store.Never})
	w.round()
	if n := len(w.credly.Badges()); n != 0 {
		t.Fatalf("%d badges at Credly", n)
	}
	m.AToB = store.OnClaim
	preview, err := w.engine.DryRun(t.Context(), m)
	must(t, err)
	if preview.Counts["issue"] != 1 || len(preview.Actions) != 1 || preview.Actions[0].Who != "Ada Example" {
		t.Fatalf("%+v", preview)
	}
	w.round()
	if n := len(w.credly.Badges()); n != 0 {
		t.Fatalf("the dry run sent %d badges", n)
	}
	_, err = w.engine.PutMapping(t.Context(), m)
	must(t, err)
	w.round()
	if n := len(w.credly.Badges()); n != 1 {
		t.Fatalf("%d badges at Credly", n)
	}
	w.quiet()
}

func TestAMemberWithoutFamilyNameIsAskedAndThePushWaits(t *testing.T) {
	w := newWorld(t)
	w.mapBadges(store.Mapping{AToB: store.OnClaim})
	bo := w.person("bo@example.org", "", "")
	w.give(w.bo)
	w.pull()
	a := w.award("wp")
	must(t, w.engine.Claim(t.Context(), a.ID, bo))
	w.round()
	w.wantPush(a.ID, store.PushWaiting, reconcile.WaitName)
	if w.jobs.count("mail.name") != 1 {
		t.Fatalf("%d mails ask for the name", w.jobs.count("mail.name"))
	}
	must(t, w.engine.SetName(t.Context(), bo, "Bo", "Example"))
	w.send()
	w.wantPush(a.ID, store.PushDone, "")
	if b := w.credly.Badges(); len(b) != 1 || b[0].LastName != "Example" {
		t.Fatalf("%+v", b)
	}
	w.pull()
	w.quiet()
}

func TestABadgeIssuedAtCredlyIsGrantedOnTheSiteOnceAndIsNoNewAwardThere(t *testing.T) {
	w := newWorld(t)
	w.mapBadges(store.Mapping{AToB: store.OnClaim, BToA: store.AtOnce, RevokeBA: true})
	w.now.add(time.Minute)
	id, err := w.credly.Issue(simcredly.Badge{OrgID: simcredly.DemoOrg, TemplateID: string(w.template.Ref), Email: "Ada@Example.org", FirstName: "Ada", LastName: "Example", IssuedAt: w.now.Now()})
	must(t, err)
	w.round()
	held := w.site.Awards()
	if len(held) != 1 || held[0].Key == "" {
		t.Fatalf("%+v", held)
	}
	if all := w.awards(""); len(all) != 1 || all[0].Origin != "credly" {
		t.Fatalf("%+v", all)
	}
	w.quiet()
	must(t, w.credly.Revoke(id, "Withdrawn."))
	w.round()
	if held := w.site.Awards(); len(held) != 0 {
		t.Fatalf("%+v", held)
	}
	w.quiet()
}

func TestABadgeThatCredlyHasAlreadyIsLinkedAndNotIssuedAgain(t *testing.T) {
	w := newWorld(t)
	ada := w.person("ada@example.org", "Ada", "Example")
	w.give(w.ada)
	w.pull()
	a := w.award("wp")
	must(t, w.engine.Claim(t.Context(), a.ID, ada))
	w.now.add(time.Minute)
	_, err := w.credly.Issue(simcredly.Badge{OrgID: simcredly.DemoOrg, TemplateID: string(w.template.Ref), Email: "ada@example.org", FirstName: "Ada", LastName: "Example", IssuedAt: w.now.Now()})
	must(t, err)
	w.mapBadges(store.Mapping{AToB: store.OnClaim}) // Credly was not read since
	w.send()
	w.wantPush(a.ID, store.PushDone, outbox.Exists)
	w.round()
	if n, all := len(w.credly.Badges()), len(w.awards("")); n != 1 || all != 1 {
		t.Fatalf("%d badges at Credly, %d awards", n, all)
	}
	w.quiet()
}

func TestADroppedAnswerAfterTheCommitIssuesOnce(t *testing.T) {
	w := newWorld(t)
	w.mapBadges(store.Mapping{AToB: store.OnClaim})
	ada := w.person("ada@example.org", "Ada", "Example")
	w.credly.HideFresh(30 * time.Second)
	w.credly.Inject(simcredly.Fault{Kind: simcredly.FaultDropAfter, Method: http.MethodPost, Path: "/v1/organizations/*/badges", Count: 1})
	w.give(w.ada)
	w.pull()
	a := w.award("wp")
	must(t, w.engine.Claim(t.Context(), a.ID, ada))
	w.send()
	w.wantPush(a.ID, store.PushSent, outbox.Settling)
	w.now.add(10 * time.Second)
	w.send() // too early to ask
	w.wantPush(a.ID, store.PushSent, outbox.Settling)
	w.now.add(10 * time.Minute)
	w.send()
	w.wantPush(a.ID, store.PushDone, "")
	if n := len(w.credly.Badges()); n != 1 {
		t.Fatalf("%d badges at Credly", n)
	}
	w.pull()
	w.quiet()
}

func TestARefusalIsShownInTheRemotesOwnWordsAndSentAgainByAPerson(t *testing.T) {
	w := newWorld(t)
	w.mapBadges(store.Mapping{AToB: store.OnClaim})
	ada := w.person("ada@example.org", "Ada", "Example")
	w.give(w.ada)
	w.pull()
	a := w.award("wp")
	must(t, w.credly.SetTemplateState(string(w.template.Ref), "archived"))
	must(t, w.engine.Claim(t.Context(), a.ID, ada))
	w.send()
	p := w.wantPush(a.ID, store.PushRejected, outbox.Refused)
	if p.Words == "" {
		t.Fatal("Credly's words are lost")
	}
	must(t, w.credly.SetTemplateState(string(w.template.Ref), "active"))
	must(t, w.engine.SendAgain(t.Context(), p.ID, ""))
	w.send()
	w.wantPush(a.ID, store.PushDone, "")
	events, err := w.store.PushEvents(t.Context(), p.ID)
	must(t, err)
	if len(events) < 4 {
		t.Fatalf("the story is %+v", events)
	}
}

func TestSilentDeletionsRevokeNothing(t *testing.T) {
	w := newWorld(t)
	var entries []int64
	for range 15 {
		entries = append(entries, w.give(w.ada))
	}
	w.pull()
	list := func() store.Run {
		t.Helper()
		w.now.add(time.Hour)
		run, err := w.engine.Sync(t.Context(), "wp", engine.SyncOptions{Cause: "command", Full: true})
		must(t, err)
		return run
	}
	must(t, w.site.DeleteSilently(entries[0]))
	if run := list(); run.State != store.RunDone {
		t.Fatalf("%+v", run)
	}
	flagged := 0
	for _, a := range w.awards("wp") {
		if a.Revoked {
			t.Fatal("an absence revoked an award")
		}
		if a.Flag != "" {
			flagged++
		}
	}
	if flagged != 1 {
		t.Fatalf("%d awards are flagged", flagged)
	}
	for _, e := range entries[1:] {
		must(t, w.site.DeleteSilently(e))
	}
	run := list()
	if run.State != store.RunHeld || run.Message == "" {
		t.Fatalf("%+v", run)
	}
	for _, a := range w.awards("wp") {
		if a.Revoked {
			t.Fatal("an absence revoked an award")
		}
	}
}

func TestARestoredSiteThatReusesEntryIdsDoublesAndRevokesNothing(t *testing.T) {
	w := newWorld(t)
	w.mapBadges(store.Mapping{AToB: store.OnClaim, RevokeAB: true})
	ada, bo := w.person("ada@example.org", "Ada", "Example"), w.person("bo@example.org", "Bo", "Example")
	backup, err := w.site.Backup()
	must(t, err)
	w.give(w.ada)
	w.pull()
	a := w.award("wp")
	must(t, w.engine.Claim(t.Context(), a.ID, ada))
	w.round()
	must(t, w.site.Restore(backup))
	w.give(w.bo) // the same entry id for another person
	w.round()
	all := w.awards("wp")
	if len(all) != 2 {
		t.Fatalf("%+v", all)
	}
	for _, got := range all {
		if got.Revoked || (got.PersonID != ada && got.PersonID != bo) {
			t.Fatalf("%+v", got)
		}
	}
	if n := len(w.credly.Badges()); n != 1 || w.credly.Badges()[0].State == simcredly.Revoked {
		t.Fatalf("%+v", w.credly.Badges())
	}
}
