package web_test

import (
	"net/http"
	"testing"
)

func TestABadgeIsAddedByItsAddressAfterItWasVerified(t *testing.T) {
	o := newOutside(t)
	member := o.signIn(ada)
	member.get("/badges/add").has(t, "Address of the badge", "Its public page at Credly")
	mine, others := o.awards(1, ada), o.awards(2, bo)
	member.post("/badges/add", "url", mine).has(t, "Sailor", "is verified and kept", "Verified by its issuer")
	member.post("/badges/add", "url", mine).has(t, "You have this badge already")
	for url, words := range map[string]string{
		others:             "have not proven here",
		college + "/badge": "not one that somebody earned",
		college + "/none":  "could not be read",
		"":                 "Paste an address",
		"javascript:x":     "could not be read",
	} {
		a := member.post("/badges/add", "url", url)
		a.has(t, words)
		if a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", url, a.status)
		}
	}
}
