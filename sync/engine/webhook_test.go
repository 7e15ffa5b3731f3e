package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"testing"
	"time"

	"badgebridge/adapters"
	simcredly "badgebridge/sandbox/credly"
	"badgebridge/store"
	"badgebridge/sync/engine"
)

const practice = "0c7cbd20-0000-4000-8000-000000000001"

// secret is the last part of the address that an admin enters at Credly.
func (w *world) secret() string {
	w.t.Helper()
	r, err := w.store.Remote(w.t.Context(), "credly")
	must(w.t, err)
	address, err := w.engine.WebhookPath(r)
	must(w.t, err)
	return path.Base(address)
}

// hook delivers the webhook of an event.
func (w *world) hook(e simcredly.Event) error {
	body, err := json.Marshal(map[string]any{"id": e.ID, "organization_id": e.OrgID, "event_type": e.Type, "occurred_at": e.OccurredAt})
	must(w.t, err)
	return w.engine.Webhook(w.t.Context(), "credly", w.secret(), http.Header{}, body)
}

func (w *world) events() []simcredly.Event { return w.credly.Events(simcredly.DemoOrg) }

// issueThere is a badge that somebody issues at Credly by hand.
func (w *world) issueThere(n int) string {
	w.t.Helper()
	id, err := w.credly.Issue(simcredly.Badge{TemplateID: practice, Email: fmt.Sprintf("earner%d@example.org", n), FirstName: "Eve", LastName: "Example"})
	must(w.t, err)
	return id
}

// due does what the background does now with the remote, if it is due.
func (w *world) due() (store.Run, bool) {
	w.t.Helper()
	names, err := w.store.DueRemotes(w.t.Context(), w.now.Now(), 10)
	must(w.t, err)
	if !slices.Contains(names, adapters.Remote("credly")) {
		return store.Run{}, false
	}
	run, err := w.engine.Sync(w.t.Context(), "credly", engine.SyncOptions{Cause: "schedule"})
	if err != nil {
		w.t.Log(err)
	}
	return run, true
}

func (w *world) hints() store.HintCounts {
	w.t.Helper()
	n, err := w.store.CountHints(w.t.Context(), "credly")
	must(w.t, err)
	return n
}

func TestAWebhookMakesTheGatewayAskAboutJustThatEvent(t *testing.T) {
	w := newWorld(t)
	before, err := w.store.Remote(t.Context(), "credly")
	must(t, err)
	id := w.issueThere(1)
	if _, due := w.due(); due {
		t.Fatal("it looked without having been told")
	}
	for range 3 { // webhooks come more than once
		must(t, w.hook(w.events()[0]))
	}
	run, _ := w.due()
	if run.Cause != "webhook" || run.Seen != 1 || run.New != 1 || run.State != store.RunDone {
		t.Fatalf("%+v", run)
	}
	if a := w.award("credly"); string(a.OriginRef) != id {
		t.Errorf("%+v", a)
	}
	if _, due := w.due(); due {
		t.Error("it is asked about again")
	}
	must(t, w.hook(w.events()[0]))
	if _, due := w.due(); due {
		t.Error("a webhook that was dealt with makes it look once more")
	}
	if n := w.hints(); n.Confirmed != 1 || n.Waiting+n.Unknown+n.Pulled != 0 {
		t.Errorf("%+v", n)
	}
	if after, _ := w.store.Remote(t.Context(), "credly"); !after.NextPull.Equal(before.NextPull) {
		t.Error("webhooks put the periodic pull off")
	}
}

func TestWebhooksMayComeInAnyOrderAndAreNeverBelieved(t *testing.T) {
	w := newWorld(t)
	id := w.issueThere(1)
	must(t, errors.Join(w.credly.Accept(id), w.credly.Revoke(id, "by mistake")))
	events := w.events()
	slices.Reverse(events)
	for _, e := range events {
		e.Type = "badge.state.changed" // what a webhook says of an event does not count
		must(t, w.hook(e))
		w.due()
	}
	if a := w.award("credly"); !a.Revoked || a.RevocationReason != "by mistake" {
		t.Errorf("%+v", a)
	}
	// A deletion, and news of a template.
	must(t, w.credly.Delete(id))
	must(t, w.credly.SetTemplateState(practice, "archived"))
	for _, e := range w.events()[len(events):] {
		must(t, w.hook(e))
	}
	w.due()
	links, err := w.store.LinksOf(t.Context(), w.award("credly").ID)
	must(t, err)
	if len(links) != 1 || links[0].State != store.LinkGone {
		t.Errorf("%+v", links)
	}
	if c := w.class("credly"); c.Issuable || c.State != "archived" {
		t.Errorf("%+v", c)
	}
}

func TestAForgedWebhookMovesNothing(t *testing.T) {
	w := newWorld(t)
	body := []byte(`{"id":"0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0","organization_id":"` + simcredly.DemoOrg + `","event_type":"badge.deleted"}`)
	call := func(name adapters.Remote, secret string, body []byte) error {
		return w.engine.Webhook(t.Context(), name, secret, http.Header{}, body)
	}
	for what, err := range map[string]error{
		"a guessed secret":         call("credly", "guess", body),
		"no secret":                call("credly", "", body),
		"another remote's address": call("wp", w.secret(), body),
		"no such remote":           call("nowhere", w.secret(), body),
	} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	other := []byte(`{"id":"0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0","organization_id":"0` + simcredly.DemoOrg[1:] + `"}`)
	if err := call("credly", w.secret(), other); !errors.Is(err, adapters.ErrUnauthorized) {
		t.Errorf("another organization: %v", err)
	}
	if n := w.hints(); n != (store.HintCounts{}) {
		t.Fatalf("%+v", n)
	}
	// With the right secret, but an event that Credly does not know.
	must(t, call("credly", w.secret(), body))
	asked := 0
	for range 10 {
		if run, due := w.due(); due && run.Cause == "webhook" {
			asked++
		}
		w.now.add(5 * time.Minute)
	}
	if n := w.hints(); asked > 3 || n.Waiting != 0 || n.Confirmed != 0 {
		t.Errorf("asked %d times, %+v", asked, n)
	}
	if len(w.awards("credly")) != 0 {
		t.Error("something was recorded")
	}
	old := w.secret()
	must(t, w.engine.RenewWebhook(t.Context(), "credly"))
	if err := call("credly", old, body); !errors.Is(err, store.ErrNotFound) || w.secret() == old {
		t.Errorf("the old address: %v", err)
	}
	if err := w.engine.RenewWebhook(t.Context(), "wp"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a paired site has its own: %v", err)
	}
}

func TestALostWebhookIsMadeGoodByThePeriodicPull(t *testing.T) {
	w := newWorld(t)
	w.issueThere(1)
	w.issueThere(2)
	must(t, w.hook(w.events()[1])) // the first got lost
	w.now.add(2 * time.Minute)
	if run, due := w.due(); !due || run.Cause == "webhook" || run.New != 2 {
		t.Errorf("%+v", run)
	}
	if n := w.hints(); n.Waiting != 0 || n.Pulled != 1 {
		t.Errorf("%+v", n)
	}
}

func TestAWebhookDuringAnOutageIsAskedAboutAfterIt(t *testing.T) {
	w := newWorld(t)
	for n, kind := range []string{simcredly.FaultServerError, simcredly.FaultDropBefore, simcredly.FaultCut, simcredly.FaultRateLimit} {
		w.pull()
		before := len(w.events())
		w.issueThere(n)
		must(t, w.hook(w.events()[before]))
		w.credly.Inject(simcredly.Fault{Kind: kind, Method: "GET", Seconds: 20})
		if run, due := w.due(); !due || run.State != store.RunFailed || run.Message == "" {
			t.Errorf("%s: %+v", kind, run)
		}
		if _, due := w.due(); due {
			t.Errorf("%s: it is asked again at once", kind)
		}
		w.credly.ClearFaults()
		w.now.add(10 * time.Minute)
		w.due()
		if got := len(w.awards("credly")); got != n+1 || w.hints().Waiting != 0 {
			t.Errorf("%s: %d awards, %+v", kind, got, w.hints())
		}
	}
}

func TestManyWebhooksAtOnceAreOnePull(t *testing.T) {
	w := newWorld(t)
	const many = 60
	for n := range many {
		w.issueThere(n)
	}
	w.now.add(time.Second) // so that all came before the pull began
	for _, e := range w.events() {
		must(t, w.hook(e))
	}
	w.now.add(time.Second)
	run, _ := w.due()
	if run.New != many || run.State != store.RunDone {
		t.Fatalf("%+v", run)
	}
	if n := w.hints(); n.Pulled != len(w.events()) || n.Waiting != 0 {
		t.Errorf("%+v", n)
	}
	if _, due := w.due(); due {
		t.Error("it looks again")
	}
}
