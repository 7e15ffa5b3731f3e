package sitecontract

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"badgebridge/wordpress"
)

const pairCode = "PAIR-2345-6789"

// gateway is the gateway's half of the contract, as far as a site sees it: the
// pairing and the webhook. What a site sends wrong is kept in faults.
type gateway struct {
	url   string
	doc   *openapi3.T
	clock func() time.Time

	mu       sync.Mutex
	keyID    string
	secret   string
	home     string
	uuid     string
	refuse   bool
	arrivals []event
	refused  int
	nonces   map[string]bool
	faults   []string
}

type event struct {
	ID       string `json:"id"`
	SiteUUID string `json:"site_uuid"`
	HomeURL  string `json:"home_url"`
	Kind     string `json:"kind"`
	EntryID  int64  `json:"entry_id"`
}

func newGateway(t *testing.T, clock func() time.Time) *gateway {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(wordpress.SiteAPI())
	if err != nil {
		t.Fatalf("the contract does not load: %v", err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatalf("the contract is not valid: %v", err)
	}
	g := &gateway{doc: doc, clock: clock, keyID: "key-" + random(8), secret: random(32), nonces: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/pair", g.servePair)
	mux.HandleFunc("POST /webhooks/demo-site/hook", g.serveWebhook)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	g.url = server.URL
	return g
}

func (g *gateway) fault(text string) {
	g.faults = append(g.faults, text)
}

// valid says whether body is an instance of the named schema, and notes it where
// it is not.
func (g *gateway) valid(schema string, body []byte) bool {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		g.fault("a body that is no JSON: " + string(body))
		return false
	}
	if err := g.doc.Components.Schemas[schema].Value.VisitJSON(value); err != nil {
		g.fault("not a " + schema + ": " + err.Error())
		return false
	}
	return true
}

func (g *gateway) servePair(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	g.mu.Lock()
	defer g.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	var in struct {
		Code     string `json:"code"`
		SiteUUID string `json:"site_uuid"`
		HomeURL  string `json:"home_url"`
	}
	if !g.valid("PairRequest", body) || json.Unmarshal(body, &in) != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		io.WriteString(w, `{"code":"invalid","message":"That is no pairing request."}`)
		return
	}
	if in.Code != pairCode {
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"code":"bad_code","message":"This code is not known or was used already."}`)
		return
	}
	g.uuid, g.home = in.SiteUUID, in.HomeURL
	json.NewEncoder(w).Encode(map[string]string{
		"remote": "demo-site", "key_id": g.keyID, "secret": g.secret, "webhook_url": g.url + "/webhooks/demo-site/hook",
	})
}

var nonceForm = regexp.MustCompile(`^[A-Za-z0-9_-]{16,64}$`)

func (g *gateway) serveWebhook(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	g.mu.Lock()
	defer g.mu.Unlock()
	at, nonce := r.Header.Get("Badgebridge-Time"), r.Header.Get("Badgebridge-Nonce")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if off := g.clock().Unix() - seconds; err != nil || off > 300 || off < -300 {
		g.fault("a webhook with the time " + strconv.Quote(at))
	}
	if !nonceForm.MatchString(nonce) || g.nonces[nonce] {
		g.fault("a webhook with the nonce " + strconv.Quote(nonce))
	}
	g.nonces[nonce] = true
	if r.Header.Get("Badgebridge-Key") != g.keyID {
		g.fault("a webhook under another key")
	}
	want := signature(g.secret, r.Method, r.URL.Path, r.URL.Query(), at, nonce, body)
	if !hmac.Equal([]byte(want), []byte(r.Header.Get("Badgebridge-Signature"))) {
		g.fault("a webhook with a bad signature")
	}
	if g.refuse {
		g.refused++
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var e event
	if g.valid("WebhookEvent", body) && json.Unmarshal(body, &e) == nil {
		g.arrivals = append(g.arrivals, e)
	}
	w.WriteHeader(http.StatusAccepted)
}

// take gives the events that arrived since it was called last.
func (g *gateway) take() []event {
	g.mu.Lock()
	defer g.mu.Unlock()
	events := g.arrivals
	g.arrivals = nil
	return events
}

func (g *gateway) setRefuse(refuse bool) (refused int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refuse = refuse
	refused, g.refused = g.refused, 0
	return refused
}

// check fails the test for all that the site sent wrong.
func (g *gateway) check(t *testing.T) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, fault := range g.faults {
		t.Errorf("the site sent %s", fault)
	}
	g.faults = nil
}

// until polls until an event arrives that fits, or half a minute has gone: a site
// may send its webhooks after it has answered.
func (g *gateway) until(t *testing.T, fits func(event) bool) event {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		for _, e := range g.take() {
			if fits(e) {
				return e
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the webhook did not arrive")
		}
		time.Sleep(20 * time.Millisecond)
	}
}
