package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"badgebridge/internal/pyvalidator"
	"badgebridge/openbadges"
	simcredly "badgebridge/sandbox/credly"
	"badgebridge/store"
)

// Turns are what happens to a world in the middle of its story.
type Turns struct {
	BeforeClaim func(t *testing.T, member *Browser, award string) // while a member is signed in
	AfterClaim  func(t *testing.T, member *Browser, award string)
	// Validate asks the reference validator, which takes a second or two each.
	Validate bool
}

// TellStory goes the product's whole way with one award, and once the other way
// round, on whatever the world is made of. Each part is a promise.
func TellStory(t *testing.T, w *World, turns Turns) {
	w.SetUp(t, map[string]string{"a_to_b": "on-claim", "b_to_a": "at-once", "revoke_ab": "yes", "revoke_ba": "yes"})
	adaAt := w.Site.AddMember(t, ada, "Ada", "Example")
	boAt := w.Site.AddMember(t, bo, "Bo", "Example")
	w.Site.AddMember(t, cy, "Cy", "Example")
	member := NewBrowser(t, w.Gateway)
	var entry int64
	var award store.Award
	var document string // the assertion's address

	promise(t, "an award made at the site is offered by webhook", func(t *testing.T) {
		heard := w.Webhooks()
		entry = w.Site.Award(t, w.Badge, adaAt)
		award = w.Offered(t, ada, 1)
		if award.Claim != store.Offered || award.Origin != w.SiteName {
			t.Errorf("%+v", award)
		}
		if w.Webhooks() == heard {
			t.Error("no webhook arrived")
		}
		w.sawCause(t, "webhook")
	})
	promise(t, "the member is told by mail", func(t *testing.T) {
		Eventually(t, 30*time.Second, "a letter arrives", func() error {
			for _, l := range w.Mail.To(ada) {
				if strings.Contains(l.Text, PublicURL+"/") && strings.Contains(l.Subject+l.Text, "Open Practice & more") {
					return nil
				}
			}
			return fmt.Errorf("%d letters: %+v", len(w.Mail.To(ada)), w.Mail.To(ada))
		})
	})
	promise(t, "before the claim nobody sees it and nothing leaves", func(t *testing.T) {
		if p := Fetch(t, w.Gateway, "/b/"+award.ID, "text/html"); p.Status != http.StatusNotFound {
			t.Errorf("the public page answers %d", p.Status)
		}
		w.Pushed(t, award.ID, store.OpIssue, credlyName, store.PushWaiting)
		if n := len(w.Sim.Badges()); n != 0 {
			t.Errorf("%d badges at Credly", n)
		}
	})
	promise(t, "claimed, it is issued at Credly exactly once", func(t *testing.T) {
		member.SignIn(t, w.Mail, ada)
		if turns.BeforeClaim != nil {
			turns.BeforeClaim(t, member, award.ID)
		}
		member.Must(t, "/")
		member.Press(t, "/badges/"+award.ID+"/claim", nil)
		w.Pushed(t, award.ID, store.OpIssue, credlyName, store.PushDone)
		got := w.AtCredly(ada)
		if len(got) != 1 || got[0].FirstName != "Ada" || got[0].LastName != "Example" {
			t.Fatalf("%+v", got)
		}
		if turns.AfterClaim != nil {
			turns.AfterClaim(t, member, award.ID)
		}
	})
	promise(t, "shown, its public page and documents answer everybody", func(t *testing.T) {
		if p := Fetch(t, w.Gateway, "/b/"+award.ID, "text/html"); p.Status != http.StatusNotFound {
			t.Errorf("private, the public page answers %d", p.Status)
		}
		member.Show(t, award.ID, "public")
		if p := Fetch(t, w.Gateway, "/b/"+award.ID, "text/html"); p.Status != http.StatusOK || !bytes.Contains(p.Body, []byte("Open Practice &amp; more")) {
			t.Errorf("the public page answers %d", p.Status)
		}
		document = w.assertion(t, award.ID)
	})
	if turns.Validate {
		promise(t, "1EdTech's validator accepts what the gateway serves", func(t *testing.T) { w.validate(t, document) })
	}
	promise(t, "what the earner accepts at Credly is known at the gateway", func(t *testing.T) {
		must(t, w.Sim.Accept(w.AtCredly(ada)[0].ID))
		w.Admin.Remote(t, string(credlyName), "sync")
		Eventually(t, 30*time.Second, "the acceptance is known", func() error {
			links, err := w.DB.LinksOf(t.Context(), award.ID)
			if err == nil && (len(links) != 2 || links[1].Acceptance != "accepted") {
				err = fmt.Errorf("%+v", links)
			}
			return err
		})
		w.only(t, 1)
	})
	promise(t, "with the webhook lost, the pull alone brings the award", func(t *testing.T) {
		w.Site.CutWebhooks(t, true)
		heard := w.Webhooks()
		w.Gateway.Stop()
		w.Gateway.Setenv("BADGEBRIDGE_PULL_EVERY", "300ms")
		// The command, while the gateway is down: it also ends the hour's wait.
		if code, out, said := Run(t, w.Gateway.env, "", "sync", "--json"); code != 0 || strings.Contains(out, `"New": 1`) {
			t.Errorf("sync: %d\n%s%s", code, out, said)
		}
		w.Site.Award(t, w.Badge, boAt)
		w.Gateway.Start()
		if got := w.Offered(t, bo, 1); got.Origin != w.SiteName {
			t.Errorf("%+v", got)
		}
		w.sawCause(t, "schedule")
		if n := w.Webhooks() - heard; n != 0 {
			t.Errorf("%d webhooks arrived: the test did not test", n)
		}
		w.Site.CutWebhooks(t, false)
		w.Admin.Must(t, "/admin") // a restart signs nobody out
	})
	promise(t, "a badge issued at Credly is granted at the site once and is no new award", func(t *testing.T) {
		before := len(w.Site.Holds(t))
		w.issueAtCredly(t, "Cy@Example.org")
		theirs := w.Offered(t, cy, 1)
		w.Pushed(t, theirs.ID, store.OpIssue, w.SiteName, store.PushDone)
		w.Pulled(t, w.SiteName)
		w.Pulled(t, w.SiteName)
		w.Pulled(t, credlyName)
		if after := len(w.Site.Holds(t)); after != before+1 {
			t.Errorf("the site holds %d awards, before it was issued %d", after, before)
		}
		if theirs.Origin != credlyName {
			t.Errorf("%+v", theirs)
		}
		w.only(t, 3)
	})
	promise(t, "all syncs again change nothing and send nothing", func(t *testing.T) { w.Quiet(t) })
	promise(t, "revoked at the site, it is revoked at Credly and the assertion answers 410", func(t *testing.T) {
		w.Site.Revoke(t, entry)
		Eventually(t, 30*time.Second, "it is revoked at Credly", func() error {
			if got := w.AtCredly(ada); len(got) != 1 || got[0].State != simcredly.Revoked {
				return fmt.Errorf("%+v", got)
			}
			return nil
		})
		p := Fetch(t, w.Gateway, document, "application/ld+json")
		var stub struct {
			ID      string `json:"id"`
			Revoked bool   `json:"revoked"`
			Badge   any    `json:"badge"`
		}
		must(t, json.Unmarshal(p.Body, &stub))
		if p.Status != http.StatusGone || stub.ID != document || !stub.Revoked || stub.Badge != nil {
			t.Errorf("%d: %s", p.Status, p.Body)
		}
		if p := Fetch(t, w.Gateway, "/b/"+award.ID, "text/html"); p.Status != http.StatusGone {
			t.Errorf("the public page answers %d", p.Status)
		}
		if turns.Validate {
			got, err := pyvalidator.Ensure(t).Verify(t.Context(), document, ada, w.hosts())
			must(t, err)
			if got.Valid {
				t.Errorf("the validator takes a revoked badge: %+v", got)
			}
		}
	})
	promise(t, "after the revocation, too, all syncs change nothing", func(t *testing.T) { w.Quiet(t) })
	t.Logf("issue and revoke calls at Credly: %v", w.Sim.Calls().Done)
}

// sawCause looks for a run of the site that this caused and that brought something.
func (w *World) sawCause(t testing.TB, cause string) {
	t.Helper()
	Eventually(t, 10*time.Second, "a run by "+cause+" is noted", func() error {
		all, err := w.DB.Runs(t.Context(), w.SiteName, 20)
		if err != nil {
			return err
		}
		for _, r := range all {
			if r.Cause == cause && r.State == store.RunDone && r.New > 0 {
				return nil
			}
		}
		return fmt.Errorf("%+v", all)
	})
}

// only holds that the gateway knows so many awards.
func (w *World) only(t testing.TB, want int) {
	t.Helper()
	n, err := w.DB.CountAwards(t.Context(), store.AwardFilter{})
	must(t, err)
	if n != want {
		t.Errorf("%d awards at the gateway, want %d", n, want)
	}
}

// Quiet lists everything everywhere several times and compares.
func (w *World) Quiet(t testing.TB) {
	t.Helper()
	w.Settled(t)
	w.Pulled(t, w.SiteName)
	w.Pulled(t, credlyName)
	w.Settled(t)
	before := w.Everything(t)
	for range 2 {
		for _, r := range []store.Run{w.ListAll(t, w.SiteName), w.ListAll(t, credlyName)} {
			if r.State != store.RunDone || r.New != 0 || r.Changed != 0 || r.Pushes != 0 {
				t.Errorf("%+v", r)
			}
		}
	}
	w.Pulled(t, w.SiteName)
	w.Pulled(t, credlyName)
	w.Settled(t)
	Same(t, before, w.Everything(t))
}

// assertion is the address of the award's assertion, from what its public page
// answers a program.
func (w *World) assertion(t testing.TB, award string) string {
	t.Helper()
	p := Fetch(t, w.Gateway, "/b/"+award+".json", "application/json")
	p.want(t, http.StatusOK)
	var doc struct {
		ID string `json:"id"`
	}
	must(t, json.Unmarshal(p.Body, &doc))
	got := Fetch(t, w.Gateway, doc.ID, "application/ld+json")
	got.want(t, http.StatusOK)
	if !bytes.Equal(got.Body, p.Body) {
		t.Errorf("two forms of one document:\n%s\n%s", p.Body, got.Body)
	}
	return doc.ID
}

func (w *World) hosts() map[string]string {
	return map[string]string{strings.TrimPrefix(PublicURL, "https://"): w.Gateway.URL}
}

// validate has the reference validator fetch the assertion, and by it the badge
// class and the issuer, from the running gateway, and then each by itself.
func (w *World) validate(t *testing.T, document string) {
	v := pyvalidator.Ensure(t)
	ask := func(input, recipient string) pyvalidator.Result {
		t.Helper()
		got, err := v.Verify(t.Context(), input, recipient, w.hosts())
		must(t, err)
		return got
	}
	if got := ask(document, ada); !got.Valid || got.Version != string(openbadges.V20) {
		t.Errorf("refused (version %s):\n%s", got.Version, got.Errors())
	}
	if got := ask(document, bo); got.Valid {
		t.Error("accepted for somebody else")
	} else if !strings.Contains(got.Errors(), "RECIPIENT") {
		t.Errorf("refused for another reason:\n%s", got.Errors())
	}
	var assertion, class map[string]any
	must(t, json.Unmarshal(Fetch(t, w.Gateway, document, "*/*").Body, &assertion))
	classAt, _ := assertion["badge"].(string)
	must(t, json.Unmarshal(Fetch(t, w.Gateway, classAt, "*/*").Body, &class))
	issuerAt, _ := class["issuer"].(string)
	for _, address := range []string{classAt, issuerAt} {
		if got := ask(address, ""); !got.Valid {
			t.Errorf("%s is refused:\n%s", address, got.Errors())
		}
	}
}
