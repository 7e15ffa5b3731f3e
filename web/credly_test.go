package web_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	simcredly "badgebridge/sandbox/credly"
	"badgebridge/store"
	"badgebridge/sync/engine"
	"badgebridge/web"
)

// gossip is a Credly that, when told so, quotes everything it was sent in its
// errors.
type gossip struct {
	tells atomic.Bool
	next  http.Handler
	seen  []string // access tokens that it handed out
}

func (g *gossip) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/oauth/") {
		rec := httptest.NewRecorder()
		g.next.ServeHTTP(rec, r)
		var said struct {
			AccessToken string `json:"access_token"`
		}
		if json.Unmarshal(rec.Body.Bytes(), &said) == nil && said.AccessToken != "" {
			g.seen = append(g.seen, said.AccessToken)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
		return
	}
	if !g.tells.Load() {
		g.next.ServeHTTP(w, r)
		return
	}
	sent := r.Header.Get("Authorization")
	_, cred, _ := strings.Cut(sent, " ")
	plain, _ := base64.StdEncoding.DecodeString(cred)
	body, _ := io.ReadAll(r.Body)
	w.WriteHeader(http.StatusUnprocessableEntity)
	_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"message": fmt.Sprintf("Not with %s, which is %s, and %s", sent, plain, body)}})
}

func TestNoCredentialOfCredlyShowsInALogAPageAnErrorOrTheDatabase(t *testing.T) {
	const wrong, expired, right, app = "a-wrong-token-0123456789", "an-expired-token-0123456789", simcredly.DemoToken, "the-secret-of-the-application"
	g := &gossip{}
	api := httptest.NewServer(g)
	t.Cleanup(api.Close)
	w := newWorld(t, func(c *web.Config) { c.CredlyBaseURL = api.URL + "/v1" })
	g.next = w.credly
	end := w.now.Now().Add(-time.Hour)
	must(t, w.credly.Seed(simcredly.Seed{
		Tokens: []simcredly.Token{{OrgID: simcredly.DemoOrg, Token: expired, Read: true, Write: true, ExpiresAt: &end}},
		Apps:   []simcredly.App{{UID: "an-application", Secret: app, OrgID: simcredly.DemoOrg}},
	}))
	b := w.signIn(admin)
	var shown []answer
	connect := func(status int, says string, kv ...string) {
		t.Helper()
		a := b.post("/admin/connect/credly", append([]string{"where", "custom", "organization", simcredly.DemoOrg}, kv...)...)
		if shown = append(shown, a); a.status != status || !strings.Contains(a.body, html.EscapeString(says)) {
			t.Errorf("%v: %d, want %d and %q\n%s", kv, a.status, status, says, a.body)
		}
	}
	no := http.StatusUnprocessableEntity
	connect(no, "Credly refused the token", "token", wrong)
	connect(no, "Credly refused the token", "token", expired)
	connect(no, "that no token has", "token", "Basic "+wrong)
	connect(no, "Enter the token or the OAuth application", "token", wrong, "client", "an-application", "secret", app)
	connect(no, "or the OAuth application", "client", "an-application", "secret", wrong)
	connect(no, "or the id and secret", "client", "an-application")
	g.tells.Store(true)
	connect(no, "Not with", "token", right)
	connect(no, "Not with", "client", "an-application", "secret", app)
	g.tells.Store(false)

	connect(http.StatusOK, "Webhook", "client", "an-application", "secret", app)
	w.pull()
	connect(http.StatusOK, "Webhook", "token", right)
	w.pull()
	for _, kv := range [][]string{{"token", right}, {"client", "an-application", "secret", app}} {
		connect(http.StatusOK, "Webhook", kv...)
		g.tells.Store(true)
		if _, err := w.engine.Sync(t.Context(), "credly", engine.SyncOptions{Cause: "command"}); err == nil {
			t.Error("a sync went well")
		}
		shown = append(shown, b.post("/admin/remotes/credly/check"))
		g.tells.Store(false)
	}
	for _, page := range []string{"/admin", "/admin/remotes", "/admin/remotes/credly", "/admin/connect/credly", "/admin/runs", "/admin/pushes",
		"/admin/import", "/admin/badges", "/admin/mappings", "/metrics", "/readyz", "/nowhere"} {
		shown = append(shown, b.get(page))
	}
	secrets := append([]string{wrong, expired, right, app}, g.seen...)
	if len(g.seen) == 0 {
		t.Error("no access token was handed out")
	}
	holds := func(text string) bool {
		return slices.ContainsFunc(secrets, func(s string) bool {
			b64 := strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(s)), "=")
			return strings.Contains(text, s) || strings.Contains(text, b64[:len(b64)-1])
		})
	}
	for _, a := range shown {
		if holds(a.body + fmt.Sprint(a.header)) {
			t.Errorf("the page %s shows a secret:\n%s", a.path, a.body)
		}
	}
	log := w.log.String()
	if holds(log) {
		t.Error("the log shows a secret")
	}
	files, err := filepath.Glob(w.file + "*") // with what is not yet merged into it
	must(t, err)
	for _, name := range files {
		raw, err := os.ReadFile(name)
		must(t, err)
		if holds(string(raw)) {
			t.Errorf("%s holds a secret", filepath.Base(name))
		}
		if hook := webhookOnPage.FindStringSubmatch(b.get("/admin/remotes/credly").body); hook == nil || strings.Contains(string(raw)+log, hook[2]) {
			t.Errorf("%s or the log holds the webhook's secret", filepath.Base(name))
		}
	}
}

var webhookOnPage = regexp.MustCompile(`value="https?://[^/"]+(/webhooks/[^/"]+/([a-z2-7]+))"`)

// hookAddress is what an admin copies from the page of the remote.
func (w *world) hookAddress(g *browser) string {
	w.t.Helper()
	m := webhookOnPage.FindStringSubmatch(g.get("/admin/remotes/credly").body)
	if m == nil {
		w.t.Fatal("the page shows no address")
	}
	return m[1]
}

func TestAnAdminEntersTheWebhookAtCredlyAndItsEventsAreConfirmed(t *testing.T) {
	w := newWorld(t)
	g := w.connect()
	g.get("/admin/remotes/credly").has(t, "None has come yet", "not an https address", "Developers, Webhooks")
	w.credly.SetOptions(simcredly.Options{WebhooksTwice: true, WebhooksReversed: true})
	must(t, w.credly.Seed(simcredly.Seed{Orgs: []simcredly.Org{{ID: simcredly.DemoOrg, Name: "Demo Association", WebhookURL: w.server.URL + w.hookAddress(g)}}}))
	mentor := w.class("credly", "Mentor")
	id, err := w.credly.Issue(simcredly.Badge{TemplateID: string(mentor.Ref), Email: "eve@example.org", FirstName: "Eve", LastName: "Example"})
	must(t, err)
	must(t, w.credly.Accept(id))
	w.credly.Deliver(t.Context())
	for _, d := range w.credly.Deliveries() {
		if !d.Done || d.Status != http.StatusOK {
			t.Errorf("Credly would send it again: %+v", d)
		}
	}
	run, err := w.engine.Sync(t.Context(), "credly", engine.SyncOptions{Cause: "schedule"})
	must(t, err)
	if run.Cause != "webhook" {
		t.Errorf("%+v", run)
	}
	if a := w.awardOf("eve@example.org", "Mentor"); a.Claim != store.Claimed {
		t.Errorf("%+v", a)
	}
	page := g.get("/admin/remotes/credly")
	page.has(t, "Confirmed by Credly", "Last one came")
	page.lacks(t, "Unknown at Credly", "None has come yet")

	old := w.hookAddress(g)
	g.post("/admin/remotes/credly/rehook").has(t, "There is a new address")
	b := w.browser()
	if got := b.send(old, "application/json", []byte("{}")); got.status != http.StatusNotFound || w.hookAddress(g) == old {
		t.Errorf("the old address: %d", got.status)
	}
	for what, c := range map[string]struct {
		body   string
		status int
	}{
		"nothing":              {"", http.StatusBadRequest},
		"no JSON":              {"event=1", http.StatusBadRequest},
		"too much":             {`{"id":"` + strings.Repeat("x", 70<<10) + `"}`, http.StatusRequestEntityTooLarge},
		"another organization": {`{"id":"0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0","organization_id":"someone"}`, http.StatusUnauthorized},
	} {
		if got := b.send(w.hookAddress(g), "application/json", []byte(c.body)); got.status != c.status {
			t.Errorf("%s: %d %s, want %d", what, got.status, got.body, c.status)
		}
	}
	if got := w.browser().get("/admin/remotes/credly"); strings.Contains(got.body, "/webhooks/") {
		t.Error("a stranger sees the address")
	}
}
