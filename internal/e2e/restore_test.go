package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"badgebridge/store"
)

// A WordPress that is cloned, restored and robbed of its rows, with a gateway
// that has been told to push and revoke everything at once.
func TestAClonedOrRestoredWordPressPushesAndRevokesNothing(t *testing.T) {
	site := startWordPress(t)
	w := NewWorld(t, WorldOptions{Site: site, Env: map[string]string{"BADGEBRIDGE_PULL_EVERY": "300ms"}})
	w.SetUp(t, map[string]string{"a_to_b": "at-once", "b_to_a": "at-once", "revoke_ab": "yes", "revoke_ba": "yes"})
	adaAt := w.Site.AddMember(t, ada, "Ada", "Example")
	boAt := w.Site.AddMember(t, bo, "Bo", "Example")
	cyAt := w.Site.AddMember(t, cy, "Cy", "Example")
	entry := w.Site.Award(t, w.Badge, cyAt)
	first := w.Offered(t, cy, 1)
	w.Pushed(t, first.ID, store.OpIssue, credlyName, store.PushDone)

	promise(t, "a clone with the same keys at another address is read-only, and the page says why", func(t *testing.T) {
		w.Settled(t)
		before := w.Everything(t)
		home := site.BaseURL
		site.SetHome(t, "https://staging.example.test")
		w.state(t, store.RemoteReadOnly)
		heard := w.Webhooks()
		site.Revoke(t, entry) // on the clone, where people try things out
		site.Award(t, w.Badge, adaAt)
		site.RunCron(t)
		r, err := w.DB.Runs(t.Context(), w.SiteName, 1)
		must(t, err)
		if len(r) != 1 || r[0].State != store.RunHeld || !strings.Contains(r[0].Message, "staging.example.test") || !strings.Contains(r[0].Message, "clone") {
			t.Errorf("the run says %+v", r)
		}
		p := w.Admin.Must(t, "/admin/remotes/"+string(w.SiteName))
		if !strings.Contains(p.Text(), "staging.example.test") || !strings.Contains(p.Text(), home) {
			t.Errorf("the page does not say why:\n%s", p.Text())
		}
		if p := w.Admin.Must(t, "/admin"); !strings.Contains(p.Text(), w.title(t)) {
			t.Errorf("the overview does not name the site:\n%s", p.Text())
		}
		// Whatever happens elsewhere is not carried there either.
		w.issueAtCredly(t, bo)
		w.Pulled(t, credlyName)
		theirs := w.Offered(t, bo, 1)
		if p := w.Admin.Submit(t, w.Admin.Must(t, "/admin/remotes/"+string(w.SiteName)).Form(t, "/accept"), nil); p.Status < 400 {
			t.Errorf("a site that is bound to its address was accepted at another one: %d\n%s", p.Status, p.Text())
		}
		w.state(t, store.RemoteReadOnly)
		if n := w.Webhooks() - heard; n != 0 {
			t.Errorf("the clone sent %d webhooks", n)
		}
		after := w.Everything(t)
		if after["calls"] != before["calls"] {
			t.Errorf("something was written at Credly:\n%s\n%s", before["calls"], after["calls"])
		}
		if a, err := w.DB.Award(t.Context(), first.ID); err != nil || a.Revoked {
			t.Errorf("revoked by what the clone says: %+v, %v", a, err)
		}
		w.only(t, 2)
		if n := len(site.Holds(t)); n != 1 { // one revoked and one awarded, by the clone's own people
			t.Errorf("the clone holds %d awards", n)
		}
		for _, p := range w.pushes(t, theirs.ID) {
			if p.Remote == w.SiteName && p.State == store.PushDone {
				t.Errorf("sent to the clone: %+v", p)
			}
		}
	})
	promise(t, "the site itself goes on where it was, when it is there again", func(t *testing.T) {
		site.SetHome(t, site.BaseURL)
		w.Admin.Remote(t, string(w.SiteName), "accept")
		w.state(t, store.RemoteActive)
		w.Offered(t, ada, 1)
		Eventually(t, 30*time.Second, "what waited is sent", func() error {
			if n := len(site.Holds(t)); n != 2 {
				return fmt.Errorf("%d awards at the site", n)
			}
			return nil
		})
		w.Settled(t)
	})

	promise(t, "a restored backup that gives entry ids again pushes nothing twice and revokes nothing", func(t *testing.T) {
		backup := site.Snapshot(t)
		third := site.AddBadge(t, "Another badge")
		lost := site.Award(t, third, adaAt)
		mine := w.Offered(t, ada, 2)
		w.Settled(t)
		before := w.Everything(t)
		site.Restore(t, backup)
		third = site.AddBadge(t, "Another badge")
		again := site.Award(t, third, boAt)
		if again != lost {
			t.Fatalf("entry %d was not given again, but %d: the test did not test", lost, again)
		}
		theirs := w.Offered(t, bo, 2)
		if theirs.ID == mine.ID || theirs.OriginRef == mine.OriginRef {
			t.Errorf("%+v is taken for %+v", theirs, mine)
		}
		w.ListAll(t, w.SiteName)
		w.Settled(t)
		after := w.Everything(t)
		if after["credly"] != before["credly"] || after["calls"] != before["calls"] {
			t.Errorf("Credly was written to:\n%s", after["calls"])
		}
		w.noneRevoked(t, first.ID)
		if a, err := w.DB.Award(t.Context(), mine.ID); err != nil || a.Flag == "" {
			t.Errorf("the award that the backup does not know is not shown to the admin: %+v, %v", a, err)
		}
	})

	promise(t, "fifteen of a small site's awards deleted behind BadgeOS's back revoke nothing and hold the run", func(t *testing.T) {
		// Whatever there is goes, so that it is all of fifteen.
		for n := len(site.Holds(t)); n < 15; n++ {
			site.Award(t, w.Badge, site.AddMember(t, fmt.Sprintf("member%d@example.org", n), "Member", fmt.Sprintf("Number %d", n)))
		}
		w.Pulled(t, w.SiteName)
		w.Settled(t)
		w.ListAll(t, w.SiteName)
		w.Settled(t)
		w.Pulled(t, credlyName) // what was sent there is read once, whenever that comes
		w.Settled(t)
		before := w.Everything(t)
		var all []int64
		for _, h := range site.Holds(t) {
			all = append(all, h.Entry)
		}
		if len(all) != 15 {
			t.Fatalf("the site holds %d awards", len(all))
		}
		site.DeleteRowsSilently(t, all...)
		run := w.ListAll(t, w.SiteName)
		if run.State != store.RunHeld || !strings.Contains(run.Message, "15 of the") || !strings.Contains(run.Message, "nothing was changed") {
			t.Errorf("%+v", run)
		}
		if p := w.Admin.Must(t, "/admin/runs/"+run.ID); !strings.Contains(p.Text(), "15 of the") {
			t.Errorf("the run's page does not say it:\n%s", p.Text())
		}
		if p := w.Admin.Must(t, "/admin/remotes/"+string(w.SiteName)); !strings.Contains(p.Text(), "15 of the") {
			t.Errorf("the remote's page does not say it:\n%s", p.Text())
		}
		w.ListAll(t, w.SiteName)
		w.Pulled(t, w.SiteName)
		w.Settled(t)
		after := w.Everything(t)
		delete(before, "site") // its rows are gone, of course
		Same(t, before, after)
		if n := len(site.Holds(t)); n != 0 {
			t.Errorf("%d awards came back to the site", n)
		}
		if p := w.Admin.Must(t, "/admin"); p.Status != http.StatusOK || !strings.Contains(p.Text(), w.title(t)) {
			t.Errorf("the overview says nothing:\n%s", p.Text())
		}
	})
}

// noneRevoked holds that no award is revoked but those that are named.
func (w *World) noneRevoked(t testing.TB, but ...string) {
	t.Helper()
	all, err := w.DB.Awards(t.Context(), store.AwardFilter{Limit: 1000})
	must(t, err)
	for _, a := range all {
		named := false
		for _, id := range but {
			named = named || id == a.ID
		}
		if a.Revoked && !named {
			t.Errorf("revoked: %+v", a)
		}
	}
}
