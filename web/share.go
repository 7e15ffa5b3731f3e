package web

import (
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"badgebridge/openbadges"
	"badgebridge/web/locale"
)

// shareLinks are the ways to show a badge elsewhere. All are plain links: no
// other site learns of the badge before one is pressed.
type shareLinks struct {
	Profile  string // LinkedIn's form "add to profile"
	Post     string // a post at LinkedIn
	X        string
	Facebook string
	Mail     string
	Card     string // HTML: a frame with the badge's card
	Picture  string // HTML: the badge's picture with a link
}

// shareOf makes the links of a badge; nil while it has no page for others.
func shareOf(b badge, w *locale.Words) *shareLinks {
	if b.BaseURL == "" || !b.Shown() || b.Revoked {
		return nil
	}
	page := b.PublicURL()
	text := w.T("share.text", "Badge", b.Content.Name, "Issuer", b.Issuer.Profile.Name)
	return &shareLinks{
		Profile: linkedIn(b),
		Post:    "https://www.linkedin.com/sharing/share-offsite/?" + query("url", page),
		X:       "https://x.com/intent/tweet?" + query("text", text, "url", page),
		// Only u counts; title and picture come from the page.
		Facebook: "https://www.facebook.com/sharer/sharer.php?" + query("u", page),
		Mail:     "mailto:?" + query("subject", text, "body", text+"\n\n"+page),
		Card:     embedFrame(page, b.Content.Name, embedWidth),
		Picture: `<a href="` + page + `"><img src="` + page + `/image" width="200" alt="` +
			template.HTMLEscapeString(w.T("badge.image-of", "Badge", b.Content.Name)) + `"></a>`,
	}
}

const (
	embedWidth  = 480
	embedHeight = 190
)

// embedFrame is the HTML that shows a badge's card on another site.
func embedFrame(page, name string, width int) string {
	height := embedHeight
	if width < 420 {
		height = embedHeight + 40 // the title takes one line more
	}
	return `<iframe src="` + page + `/embed" width="` + strconv.Itoa(width) + `" height="` + strconv.Itoa(height) + `" title="` +
		template.HTMLEscapeString(name) + `" frameborder="0" scrolling="no"></iframe>`
}

// query encodes names and values in their order. A space is %20: mail programs
// take a plus for a plus.
func query(kv ...string) string {
	parts := make([]string, 0, len(kv)/2)
	for i := 0; i+1 < len(kv); i += 2 {
		parts = append(parts, kv[i]+"="+strings.ReplaceAll(url.QueryEscape(kv[i+1]), "+", "%20"))
	}
	return strings.Join(parts, "&")
}

// linkedIn is the address of LinkedIn's form "add to profile" with every field
// filled. Months are 1 to 12 without a leading zero; a field that is not known
// is left out, because LinkedIn takes an empty one literally. An organization is
// named by its number at LinkedIn where its profile tells it, else by its name,
// never by both. "" while the page has no public address.
func linkedIn(b badge) string {
	if b.BaseURL == "" || !b.Shown() || b.Revoked {
		return ""
	}
	kv := []string{"startTask", "CERTIFICATION_NAME", "name", b.Content.Name}
	if id := linkedInOrganization(b.Issuer.Profile); id != "" {
		kv = append(kv, "organizationId", id)
	} else if name := b.Issuer.Profile.Name; name != "" {
		kv = append(kv, "organizationName", name)
	}
	date := func(prefix string, t time.Time) {
		if !t.IsZero() {
			kv = append(kv, prefix+"Year", strconv.Itoa(t.Year()), prefix+"Month", strconv.Itoa(int(t.Month())))
		}
	}
	date("issue", b.IssuedOn)
	date("expiration", b.Expires)
	kv = append(kv, "certUrl", b.PublicURL(), "certId", b.ID)
	return "https://www.linkedin.com/profile/add?" + query(kv...)
}

// linkedInOrganization is the number that an issuer's profile gives for itself at
// LinkedIn (OB 3.0, otherIdentifier), "" none.
func linkedInOrganization(p openbadges.Profile) string {
	for _, id := range p.Identifiers {
		kind := strings.ToLower(id.Type)
		number := strings.TrimPrefix(id.Identifier, "urn:li:organization:")
		if strings.Contains(kind, "linkedin") && number != "" && len(number) <= 20 && strings.Trim(number, "0123456789") == "" {
			return number
		}
	}
	return ""
}
