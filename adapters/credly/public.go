package credly

import (
	"net/url"
	"strings"
)

// AssertionURL is where Credly hosts the Open Badges 2.0 assertion of a badge
// whose page for people is at this address (https://www.credly.com/badges/ID, with
// or without more behind it), "" when it is no such page.
func AssertionURL(page string) string {
	u, err := url.Parse(page)
	if err != nil || u.Scheme != "https" {
		return ""
	}
	base := map[string]string{"www.credly.com": Production, "credly.com": Production, "sandbox.credly.com": Sandbox}[strings.ToLower(u.Host)]
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if base == "" || len(parts) < 2 || parts[0] != "badges" || !uuid.MatchString(parts[1]) {
		return ""
	}
	return base + "/obi/v2/badge_assertions/" + strings.ToLower(parts[1])
}
