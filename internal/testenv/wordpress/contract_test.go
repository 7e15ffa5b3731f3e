//go:build unix

package wordpress

import (
	"os"
	"testing"

	"badgebridge/wordpress/sitecontract"
)

func TestThePluginKeepsTheContract(t *testing.T) {
	// Notices on the page are the harsher case: they would stand before the JSON.
	t.Run("with the double of BadgeOS", func(t *testing.T) { runContract(t, Options{DisplayErrors: true}) })
	t.Run("with the double of GamiPress, without permalinks", func(t *testing.T) {
		runContract(t, Options{Provider: GamiPress, PlainPermalinks: true})
	})
	// The real ones are not part of this repository.
	for name, dir := range realProviders() {
		t.Run("with the real "+name, func(t *testing.T) { runContract(t, Options{Provider: name, ProviderDir: dir, DisplayErrors: true}) })
	}
}

// realProviders are the folders with the real badge plugins, where there are any.
func realProviders() map[string]string {
	real := map[string]string{}
	for name, variable := range map[string]string{BadgeOS: "BADGEOS_DIR", GamiPress: "GAMIPRESS_DIR"} {
		if dir := os.Getenv(variable); dir != "" {
			real[name] = dir
		}
	}
	return real
}

func runContract(t *testing.T, opts Options) {
	s := Start(t, opts)
	sitecontract.Run(t, sitecontract.Target{RestURL: s.RestURL, UUID: s.UUID(t), Home: s.BaseURL, Control: control{s},
		WritesBadges: true, ForgetsAwards: opts.Provider == GamiPress})
}

// control lets the suite act on the site as its people do.
type control struct{ *Site }

func (c control) AddBadge(t testing.TB, title string) int64 { return c.CreateBadge(t, title) }

func (c control) AddMember(t testing.TB, email, given, family string) int64 {
	return c.CreateUser(t, "demo-"+randomHex(6), email, given, family)
}

func (c control) RemoveMember(t testing.TB, member int64) { c.DeleteUser(t, member) }

func (c control) AwardBadge(t testing.TB, badge, member int64) int64 {
	return c.Award(t, badge, member)
}

func (c control) RevokeAward(t testing.TB, entry int64) { c.Site.Revoke(t, entry) }

func (c control) DeleteSilently(t testing.TB, entries ...int64) { c.DeleteRowsSilently(t, entries...) }

func (c control) Snapshot(t testing.TB) func(testing.TB) {
	backup := c.Site.Snapshot(t)
	return func(t testing.TB) { c.Restore(t, backup) }
}

func (c control) RetryWebhooks(t testing.TB) { c.RunCron(t) }

var _ sitecontract.Control = control{}
