package web

import (
	"net/url"
	"strconv"
	"time"
)

// linkedIn is the address of LinkedIn's form "add to profile" with every field
// filled. Months are 1 to 12 without a leading zero; a field that is not known
// is left out, because LinkedIn takes an empty one literally. "" while the page
// has no public address.
func linkedIn(b badge) string {
	if b.BaseURL == "" || !b.Shown() || b.Revoked {
		return ""
	}
	q := url.Values{}
	q.Set("startTask", "CERTIFICATION_NAME")
	q.Set("name", b.Content.Name)
	if name := b.Issuer.Profile.Name; name != "" {
		q.Set("organizationName", name)
	}
	date := func(prefix string, t time.Time) {
		if !t.IsZero() {
			q.Set(prefix+"Year", strconv.Itoa(t.Year()))
			q.Set(prefix+"Month", strconv.Itoa(int(t.Month())))
		}
	}
	date("issue", b.IssuedOn)
	date("expiration", b.Expires)
	q.Set("certUrl", b.PublicURL())
	q.Set("certId", b.ID)
	return "https://www.linkedin.com/profile/add?" + q.Encode()
}
