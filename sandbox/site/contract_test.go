package site_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"badgebridge/sandbox/site"
	"badgebridge/wordpress/sitecontract"
)

// start serves a site at a real address.
func start(t *testing.T, cfg site.Config) (*site.Site, string) {
	t.Helper()
	var s *site.Site
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.ServeHTTP(w, r) }))
	cfg.BaseURL = server.URL
	s, err := site.New(cfg)
	if err != nil {
		server.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close(); s.Close() })
	return s, server.URL
}

func TestTheSimulatedSiteKeepsTheContract(t *testing.T) {
	for _, zone := range []string{"UTC", "America/New_York"} {
		t.Run(zone, func(t *testing.T) {
			// A pause that no test waits for: only RetryWebhooks sends again.
			s, base := start(t, site.Config{Timezone: zone, RetryAfter: time.Minute})
			uuid, home := s.Identity()
			sitecontract.Run(t, sitecontract.Target{RestURL: base + "/wp-json", UUID: uuid, Home: home, Control: hands{s}, WritesBadges: true})
		})
	}
}

func TestTheSimulatedSiteKeepsTheContractWithoutPrettyAddresses(t *testing.T) {
	s, base := start(t, site.Config{RetryAfter: time.Minute})
	uuid, home := s.Identity()
	sitecontract.Run(t, sitecontract.Target{RestURL: base + "/?rest_route=", UUID: uuid, Home: home, Control: hands{s}, WritesBadges: true})
}

// hands are the people of the simulated site.
type hands struct{ *site.Site }

func (h hands) AddBadge(t testing.TB, title string) int64 {
	return h.Site.AddBadge(site.Badge{Title: title, Criteria: "An administrator awards it.", Description: "A badge."})
}

func (h hands) AddMember(t testing.TB, email, given, family string) int64 {
	return h.Site.AddMember(site.Member{Email: email, GivenName: given, FamilyName: family})
}

func (h hands) RemoveMember(t testing.TB, member int64) { must(t, h.Site.RemoveMember(member)) }

func (h hands) EraseMember(t testing.TB, member int64, _ string) { must(t, h.Site.EraseMember(member)) }

func (h hands) SetEmail(t testing.TB, member int64, email string) {
	must(t, h.Site.UpdateMember(member, func(m *site.Member) { m.Email, m.EmailProven = email, false }))
}

func (h hands) AwardBadge(t testing.TB, badge, member int64) int64 {
	entry, err := h.Award(badge, member, "Awarded by an administrator")
	must(t, err)
	return entry
}

func (h hands) RevokeAward(t testing.TB, entry int64) { must(t, h.Revoke(entry, "by mistake")) }

func (h hands) DeleteSilently(t testing.TB, entries ...int64) {
	for _, entry := range entries {
		must(t, h.Site.DeleteSilently(entry))
	}
}

func (h hands) AwardSilently(t testing.TB, badge, member int64) int64 {
	entry, err := h.Site.AwardSilently(badge, member)
	must(t, err)
	return entry
}

func (h hands) Snapshot(t testing.TB) func(testing.TB) {
	backup, err := h.Backup()
	must(t, err)
	return func(t testing.TB) { must(t, h.Restore(backup)) }
}

func (h hands) SetHome(t testing.TB, home string) {
	uuid, _ := h.Identity()
	h.SetIdentity(uuid, home)
}

func (h hands) Pair(t testing.TB, gatewayURL, code string) error {
	return h.Site.Pair(t.Context(), gatewayURL, code)
}

func (h hands) RetryWebhooks(t testing.TB) { h.Site.RetryWebhooks(t.Context()) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
