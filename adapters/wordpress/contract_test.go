package wordpress_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/adapters/adaptertest"
	"badgebridge/adapters/wordpress"
	"badgebridge/openbadges"
	"badgebridge/sandbox/site"
)

const (
	home   = "https://association.example.org"
	uuid   = "0b0e7a52-3f7c-4b2e-9f4e-6a1d2c3b4a59"
	keyID  = "gateway-key-1"
	secret = "fJ4wq0Xo5n2Zc8YtR7sLm3Vb"
	hook   = "/webhooks/wp-campus/a1b2c3"
)

func newSite(t *testing.T, change func(*site.Config)) *site.Site {
	t.Helper()
	cfg := site.Config{BaseURL: home, UUID: uuid, Pairing: &site.Pairing{KeyID: keyID, Secret: secret}, RetryAfter: time.Minute}
	if change != nil {
		change(&cfg)
	}
	s, err := site.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func config(restURL string, changes map[string]string) json.RawMessage {
	fields := map[string]string{
		"rest_url": restURL, "site_uuid": uuid, "home_url": home, "key_id": keyID, "secret": secret, "webhook_path": hook,
	}
	for name, value := range changes {
		fields[name] = value
	}
	data, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return data
}

func newAdapter(t *testing.T, restURL string, hc *http.Client, changes map[string]string) adapters.Adapter {
	t.Helper()
	a, err := wordpress.Driver().New(config(restURL, changes), hc)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestContract(t *testing.T) {
	for form, suffix := range map[string]string{"pretty addresses": "/wp-json", "plain addresses": "/?rest_route="} {
		t.Run(form, func(t *testing.T) {
			adaptertest.Run(t, adaptertest.Suite{New: func(t *testing.T) *adaptertest.Fixture { return fixture(t, suffix) }})
		})
	}
}

func fixture(t *testing.T, suffix string) *adaptertest.Fixture {
	s := newSite(t, nil)
	for i := range 3 {
		s.AddBadge(site.Badge{Title: fmt.Sprintf("Badge %d", i+1)})
	}
	for i := range 10 {
		s.AddMember(site.Member{Email: fmt.Sprintf("member%d@example.org", i), GivenName: "Ada", FamilyName: "Example"})
	}
	var added int64
	return &adaptertest.Fixture{
		Remote: s,
		Adapter: func(t *testing.T, base string, hc *http.Client) adapters.Adapter {
			return newAdapter(t, base+suffix, hc, nil)
		},
		Refused: func(t *testing.T, base string, hc *http.Client) adapters.Adapter {
			return newAdapter(t, base+suffix, hc, map[string]string{"secret": "another-secret-altogether"})
		},
		Secrets: []string{secret, "another-secret-altogether"},
		Add: func(t *testing.T) adapters.Ref {
			added++
			entry, err := s.Award(1+added%3, 1+added%10, "")
			must(t, err)
			return refOf(t, s, entry)
		},
		Change: func(t *testing.T, r adapters.Ref) {
			for _, held := range s.Awards() {
				if refOf(t, s, held.Entry) == r {
					must(t, s.UpdateMember(held.Member.ID, func(m *site.Member) { m.FamilyName += "-Example" }))
					return
				}
			}
			t.Fatalf("%s is not there", r)
		},
		Delete: func(t *testing.T, r adapters.Ref) {
			for _, held := range s.Awards() {
				if refOf(t, s, held.Entry) == r {
					must(t, s.Delete(held.Entry, "the badge was deleted"))
					return
				}
			}
			t.Fatalf("%s is not there", r)
		},
		Many: 401, // pages of 200
		Issuance: func(t *testing.T, n int) adapters.Issuance {
			return issuance(fmt.Sprintf("member%d@example.org", n), fmt.Sprintf("KEY%049d", n))
		},
		Count: func() int {
			n := 0
			for _, held := range s.Awards() {
				if held.Key != "" {
					n++
				}
			}
			return n
		},
		Webhook: func(t *testing.T) (http.Header, []byte) {
			entry, err := s.Award(1, 1, "")
			must(t, err)
			return webhook(t, keyID, secret, map[string]any{
				"id": "event-0001", "site_uuid": uuid, "home_url": home, "kind": "award.granted", "entry_id": entry,
			}, time.Now())
		},
		Forged: func(t *testing.T) (http.Header, []byte) {
			return webhook(t, keyID, "guessed-by-somebody-else", map[string]any{
				"id": "event-0002", "site_uuid": uuid, "home_url": home, "kind": "award.granted", "entry_id": 1,
			}, time.Now())
		},
		Classes: 3,
	}
}

func issuance(email, key string) adapters.Issuance {
	return adapters.Issuance{
		Key: adapters.Key(key), Class: "1", EarnerKey: "earner", PageURL: "https://badges.example.org/b/1",
		Award:     openbadges.Award{IssuedOn: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)},
		Recipient: openbadges.Recipient{Type: openbadges.IdentityEmail, Identity: email, GivenName: "Ada", FamilyName: "Example"},
	}
}

func refOf(t *testing.T, s *site.Site, entry int64) adapters.Ref {
	t.Helper()
	for _, held := range s.Awards() {
		if held.Entry == entry {
			return adapters.Ref(fmt.Sprintf("%s/%d/%s", uuid, entry, held.Fingerprint))
		}
	}
	t.Fatalf("entry %d is not there", entry)
	return ""
}

// webhook signs an event with the adapter's own function; TestWebhooksOfTheSite
// takes the simulated site's.
func webhook(t *testing.T, keyID, secret string, event map[string]any, at time.Time) (http.Header, []byte) {
	t.Helper()
	body, err := json.Marshal(event)
	must(t, err)
	h := http.Header{}
	wordpress.SignRequest(h, keyID, secret, http.MethodPost, hook, at, body)
	return h, body
}

// The site's webhooks are signed by the site's own code.
func TestAWebhookOfTheSiteIsUnderstood(t *testing.T) {
	type call struct {
		header http.Header
		body   []byte
	}
	calls := make(chan call, 10)
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls <- call{r.Header, body}
		w.WriteHeader(http.StatusAccepted)
	}))
	defer gateway.Close()
	s := newSite(t, func(c *site.Config) { c.Pairing.WebhookURL = gateway.URL + hook })
	s.AddBadge(site.Badge{Title: "Mentor"})
	s.AddMember(site.Member{Email: "ada@example.org"})
	_, err := s.Award(1, 1, "")
	must(t, err)
	var got call
	select {
	case got = <-calls:
	case <-time.After(30 * time.Second):
		t.Fatal("the site sent nothing")
	}
	notifier := newAdapter(t, home+"/wp-json", http.DefaultClient, nil).(adapters.Notifier)
	hints, err := notifier.ParseWebhook(got.header, got.body)
	if err != nil || len(hints) != 1 || hints[0].ID == "" {
		t.Fatalf("hints %v, %v", hints, err)
	}
	if _, err := notifier.ParseWebhook(got.header, got.body); !isKind(err, adapters.ErrUnauthorized) {
		t.Errorf("the same call again: %v, want ErrUnauthorized", err)
	}
	other := newAdapter(t, home+"/wp-json", http.DefaultClient, map[string]string{"webhook_path": "/webhooks/another"}).(adapters.Notifier)
	if _, err := other.ParseWebhook(got.header, got.body); !isKind(err, adapters.ErrUnauthorized) {
		t.Errorf("at another path: %v, want ErrUnauthorized", err)
	}
}

// counting counts what reaches the site.
func counting(h http.Handler, n *atomic.Int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { n.Add(1); h.ServeHTTP(w, r) })
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func page(status int, kind, body string, header map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		io.Copy(w, bytes.NewReader([]byte(body))) //nolint:errcheck // a test's answer
	})
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not hold %q", text, part)
		}
	}
}
