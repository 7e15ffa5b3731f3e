package credly_test

import (
	"testing"

	"badgebridge/adapters/credly"
)

func TestAPageForPeopleLeadsToItsAssertion(t *testing.T) {
	const id = "0c7cbd20-0000-4000-8000-000000000001"
	for page, want := range map[string]string{
		"https://www.credly.com/badges/" + id:                      "https://api.credly.com/v1/obi/v2/badge_assertions/" + id,
		"https://credly.com/badges/" + id + "/public_url":          "https://api.credly.com/v1/obi/v2/badge_assertions/" + id,
		"https://www.credly.com/badges/" + id + "/linked_in?t=abc": "https://api.credly.com/v1/obi/v2/badge_assertions/" + id,
		"https://sandbox.credly.com/badges/" + id:                  "https://sandbox-api.credly.com/v1/obi/v2/badge_assertions/" + id,
		"http://www.credly.com/badges/" + id:                       "",
		"https://www.credly.com.example.org/badges/" + id:          "",
		"https://www.credly.com/badges/none":                       "",
		"https://www.credly.com/users/ada/badges":                  "",
		"https://www.credly.com/":                                  "",
		"%":                                                        "",
	} {
		if got := credly.AssertionURL(page); got != want {
			t.Errorf("%s leads to %q, want %q", page, got, want)
		}
	}
}
