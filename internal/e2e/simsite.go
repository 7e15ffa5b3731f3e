package e2e

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"badgebridge/sandbox/site"
)

// simulatedSite is the site of package sandbox/site, in this process.
type simulatedSite struct {
	*site.Site
	way Reach
	cut atomic.Bool
}

var errCut = errors.New("the way to the gateway is cut")

// RoundTrip implements http.RoundTripper: what the site sends to the gateway.
func (s *simulatedSite) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.cut.Load() {
		return nil, errCut
	}
	return s.way.RoundTrip(r)
}

// StartSimulatedSite starts a simulated site without badges and members.
func StartSimulatedSite(t testing.TB) *simulatedSite {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	srv.Start()
	t.Cleanup(srv.Close)
	s := &simulatedSite{}
	inner, err := site.New(site.Config{BaseURL: srv.URL, Name: "Example Association", Timezone: "America/New_York", Client: &http.Client{Transport: s, Timeout: 10 * time.Second}})
	must(t, err)
	t.Cleanup(inner.Close)
	s.Site = inner
	srv.Config.Handler = inner
	return s
}

// Reach implements Association, as the methods below.
func (s *simulatedSite) Reach(_ testing.TB, g *Gateway) { s.way = Reach{g} }

func (s *simulatedSite) CutWebhooks(_ testing.TB, cut bool) { s.cut.Store(cut) }

func (s *simulatedSite) Pair(t testing.TB, gatewayURL, code string) {
	t.Helper()
	must(t, s.Site.Pair(t.Context(), gatewayURL, code))
}

func (s *simulatedSite) AddBadge(_ testing.TB, title string) int64 {
	return s.Site.AddBadge(site.Badge{Title: title, Description: "What this badge stands for.", Criteria: "A talk."})
}

func (s *simulatedSite) AddMember(_ testing.TB, email, given, family string) int64 {
	return s.Site.AddMember(site.Member{Email: email, GivenName: given, FamilyName: family})
}

func (s *simulatedSite) Award(t testing.TB, badge, member int64) int64 {
	t.Helper()
	entry, err := s.Site.Award(badge, member, "a course")
	must(t, err)
	return entry
}

func (s *simulatedSite) Revoke(t testing.TB, entry int64) {
	t.Helper()
	must(t, s.Site.Revoke(entry, "Given in error."))
}

func (s *simulatedSite) Holds(testing.TB) []Holding {
	var out []Holding
	for _, h := range s.Awards() {
		one := Holding{Entry: h.Entry, Badge: h.Badge.ID}
		if h.Member != nil {
			one.Member = h.Member.ID
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b Holding) int { return int(a.Entry - b.Entry) })
	return out
}

func (s *simulatedSite) Rows(t testing.TB) string {
	t.Helper()
	return plain(t, map[string]any{"awards": s.Awards(), "members": s.Members(), "badges": s.Badges()})
}
