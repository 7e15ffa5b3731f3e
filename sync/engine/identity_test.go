package engine_test

import (
	"errors"
	"testing"
	"time"

	"badgebridge/adapters"
	simcredly "badgebridge/sandbox/credly"
	"badgebridge/store"
	"badgebridge/sync/engine"
)

func TestAClonedOrMovedSiteIsReadOnlyUntilAnAdminSaysWhichItIs(t *testing.T) {
	w := newWorld(t)
	w.mapBadges(store.Mapping{AToB: store.AtOnce, BToA: store.AtOnce, RevokeAB: true})
	entry := w.give(w.ada)
	w.round()
	uuid, home := w.site.Identity()

	w.site.SetIdentity(uuid, "https://clone.example.org")
	must(t, w.site.Revoke(entry, "On the clone."))
	w.give(w.bo)
	_, err := w.credly.Issue(simcredly.Badge{OrgID: simcredly.DemoOrg, TemplateID: string(w.template.Ref), Email: "bo@example.org", FirstName: "Bo", LastName: "Example", IssuedAt: w.now.Now()})
	must(t, err)
	w.now.add(time.Hour)
	run, err := w.engine.Sync(t.Context(), "wp", engine.SyncOptions{Cause: "command", Full: true})
	must(t, err)
	if run.State != store.RunHeld || run.Message == "" {
		t.Fatalf("%+v", run)
	}
	_, err = w.engine.Sync(t.Context(), "credly", engine.SyncOptions{Cause: "command"})
	must(t, err)
	w.send()
	if a := w.award("wp"); a.Revoked {
		t.Fatal("the clone revoked an award")
	}
	if n := len(w.site.Awards()); n != 1 {
		t.Fatalf("the clone was written to: %d awards", n)
	}
	if _, err := w.engine.Sync(t.Context(), "wp", engine.SyncOptions{Cause: "command"}); !errors.Is(err, store.ErrStale) {
		t.Fatalf("a read-only remote was pulled: %v", err)
	}
	if err := w.engine.ResumeRemote(t.Context(), "wp"); !errors.Is(err, store.ErrStale) {
		t.Fatalf("resumed without a decision: %v", err)
	}
	if err := w.engine.AcceptIdentity(t.Context(), "wp"); !errors.Is(err, adapters.ErrIdentity) {
		t.Fatalf("a site that the pairing does not name was accepted: %v", err)
	}

	w.site.SetIdentity(uuid, home)
	must(t, w.engine.AcceptIdentity(t.Context(), "wp"))
	w.round()
	// Bo's entry there is a copy of what Credly issued in the meantime.
	if all := w.awards(""); len(all) != 2 || len(w.site.Awards()) != 1 || len(w.credly.Badges()) != 2 {
		t.Fatalf("%d awards, %d at the site, %d at Credly", len(all), len(w.site.Awards()), len(w.credly.Badges()))
	}
}

func TestWithdrawnInTheMiddleNothingStays(t *testing.T) {
	w := newWorld(t)
	w.mapBadges(store.Mapping{AToB: store.AtOnce, RevokeAB: true})
	entry := w.give(w.ada)
	w.pull() // queued, not sent
	must(t, w.site.Revoke(entry, "Given in error."))
	w.round()
	if n := len(w.credly.Badges()); n != 0 {
		t.Fatalf("%d badges at Credly", n)
	}

	// Revoked while the outcome of the issue is not known: settled, then revoked.
	w.credly.Inject(simcredly.Fault{Kind: simcredly.FaultDropAfter, Method: "POST", Path: "/v1/organizations/*/badges", Count: 1})
	entry = w.give(w.ada)
	w.pull()
	w.send()
	must(t, w.site.Revoke(entry, "Given in error."))
	w.pull()
	w.now.add(10 * time.Minute)
	w.send()
	w.send()
	if b := w.credly.Badges(); len(b) != 1 || b[0].State != simcredly.Revoked {
		for _, a := range w.awards("wp") {
			pushes, err := w.store.PushesOf(t.Context(), a.ID)
			t.Logf("award %s revoked %v: %+v %v", a.ID, a.Revoked, pushes, err)
		}
		t.Fatalf("%+v", b)
	}
}

func TestTwoWorkersNeverSendTheSamePush(t *testing.T) {
	w := newWorld(t)
	w.mapBadges(store.Mapping{AToB: store.AtOnce})
	w.give(w.ada)
	w.pull()
	done := make(chan error, 8)
	for range 8 {
		go func() {
			_, err := w.engine.SendDue(t.Context())
			done <- err
		}()
	}
	for range 8 {
		must(t, <-done)
	}
	if n := len(w.credly.Badges()); n != 1 {
		t.Fatalf("%d badges at Credly", n)
	}
}

func TestADryRunOfARemoteKeepsNothing(t *testing.T) {
	w := newWorld(t)
	w.mapBadges(store.Mapping{AToB: store.AtOnce})
	w.give(w.ada)
	p, err := w.engine.DrySync(t.Context(), "wp")
	must(t, err)
	if p.Counts["new"] != 1 || p.Counts["issue"] != 1 {
		t.Fatalf("%+v", p)
	}
	if n := len(w.awards("")); n != 0 {
		t.Fatalf("the dry run kept %d awards", n)
	}
	w.round()
	if n := len(w.credly.Badges()); n != 1 {
		t.Fatalf("%d badges at Credly", n)
	}
}
