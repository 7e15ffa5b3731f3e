package credly_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/adapters/adaptertest"
	"badgebridge/adapters/credly"
	"badgebridge/openbadges"
	sandbox "badgebridge/sandbox/credly"
)

const (
	org      = sandbox.DemoOrg
	token    = "contract-token-that-is-secret"
	app      = "contract-application" // its secret is token
	workshop = "11111111-2222-4333-8444-555555555501"
	mentor   = "11111111-2222-4333-8444-555555555502"
	repeat   = "11111111-2222-4333-8444-555555555503"
)

var start = time.Date(2025, 3, 4, 9, 41, 0, 0, time.UTC)

// world is a simulator with one organization, whose clock stands still but for
// Advance.
type world struct {
	*sandbox.Sim
	people int
}

func newWorld(t *testing.T, o sandbox.Options) *world {
	t.Helper()
	sim, err := sandbox.New(sandbox.Config{Now: func() time.Time { return start }, Options: o})
	if err != nil {
		t.Fatal(err)
	}
	err = sim.Seed(sandbox.Seed{
		Orgs:   []sandbox.Org{{ID: org, Name: "Demo Association", CreatedAt: start}},
		Tokens: []sandbox.Token{{OrgID: org, Token: token, Read: true, Write: true, Delete: true, CreatedAt: start}},
		Apps:   []sandbox.App{{UID: app, Secret: token, OrgID: org}},
		Templates: []sandbox.Template{
			{ID: workshop, OrgID: org, Name: "Workshop Facilitator", Description: "Has led a workshop.", Skills: []string{"Listening"}},
			{ID: mentor, OrgID: org, Name: "Mentor", Description: "Has stood by somebody.", State: "draft"},
			{ID: repeat, OrgID: org, Name: "Season Helper", Description: "Helped for a season.", AllowDuplicates: true},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	return &world{Sim: sim}
}

func (w *world) add(t *testing.T) adapters.Ref {
	t.Helper()
	w.people++
	w.Advance(time.Second)
	id, err := w.Issue(sandbox.Badge{
		TemplateID: workshop, Email: fmt.Sprintf("added%d@example.org", w.people), FirstName: "Ada", LastName: "Example",
	})
	if err != nil {
		t.Fatal(err)
	}
	return adapters.Ref(id)
}

func issuance(n int) adapters.Issuance {
	return adapters.Issuance{
		Key: adapters.Key(fmt.Sprintf("key-%d", n)), Class: workshop, EarnerKey: fmt.Sprintf("earner-%d", n),
		Award: openbadges.Award{IssuedOn: start.Add(-time.Hour)},
		Recipient: openbadges.Recipient{
			Type: openbadges.IdentityEmail, Identity: fmt.Sprintf("issued+%d@example.org", n), GivenName: "Grace", FamilyName: "Example",
		},
	}
}

// connect makes an adapter. extra are names and values of its configuration; with
// a client_id there the token is the application's secret.
func connect(t *testing.T, base, tok string, hc *http.Client, extra ...any) adapters.Adapter {
	t.Helper()
	c := map[string]any{"base_url": base + "/v1", "organization_id": org, "token": tok}
	for i := 0; i+1 < len(extra); i += 2 {
		c[extra[i].(string)] = extra[i+1]
	}
	if c["client_id"] != nil {
		c["client_secret"] = tok
		delete(c, "token")
	}
	cfg, _ := json.Marshal(c)
	a, err := credly.Driver().New(cfg, hc)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// fixture is a simulator that behaves by o, and an adapter that is told what
// differs from what it assumes by extra members of its configuration.
func fixture(o sandbox.Options, extra ...any) func(t *testing.T) *adaptertest.Fixture {
	return func(t *testing.T) *adaptertest.Fixture {
		w := newWorld(t, o)
		// What is done at Credly by hand shows before the gateway looks.
		shows := func() { w.Advance(o.ReadDelay) }
		return &adaptertest.Fixture{
			Remote: w,
			Adapter: func(t *testing.T, base string, hc *http.Client) adapters.Adapter {
				return connect(t, base, token, hc, extra...)
			},
			Refused: func(t *testing.T, base string, hc *http.Client) adapters.Adapter {
				return connect(t, base, "another-token", hc, extra...)
			},
			Secrets: []string{token},
			Add: func(t *testing.T) adapters.Ref {
				ref := w.add(t)
				shows()
				return ref
			},
			Change: func(t *testing.T, r adapters.Ref) {
				w.Advance(time.Second)
				if err := w.Accept(string(r)); err != nil {
					t.Fatal(err)
				}
				shows()
			},
			Delete: func(t *testing.T, r adapters.Ref) {
				if err := w.Delete(string(r)); err != nil {
					t.Fatal(err)
				}
				shows()
			},
			Many:     101,
			Issuance: func(_ *testing.T, n int) adapters.Issuance { return issuance(n) },
			Count: func() int {
				n := 0
				for _, b := range w.Badges() {
					if b.EarnerID != "" && b.State != sandbox.Revoked {
						n++
					}
				}
				return n
			},
			Advance: w.Advance,
			Hide:    w.HideFresh,
			Webhook: func(*testing.T) (http.Header, []byte) { return http.Header{}, hook(org) },
			Forged: func(*testing.T) (http.Header, []byte) {
				return http.Header{}, hook(strings.Replace(org, "5f", "6f", 1))
			},
			Classes: 3,
		}
	}
}

func hook(org string) []byte {
	return fmt.Appendf(nil, `{"id":"0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0","organization_id":%q,"event_type":"badge.created","occurred_at":"2025-03-04T09:41:00.000Z"}`, org)
}
