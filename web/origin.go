package web

import (
	"net/url"
	"strings"

	"golang.org/x/net/idna"

	"badgebridge/openbadges"
	"badgebridge/store"
)

// origin is where an issuer says that it is. A name can be anybody's; a host
// can't, and two that look alike are told apart here.
type origin struct {
	Host string // as it is really called: names beyond ASCII in their xn-- form
	Says string // as it would like to be read, where that differs
}

// originOfIssuer reads the host out of a profile: of its site, or else of its id.
func originOfIssuer(p openbadges.Profile) origin {
	for _, address := range []string{p.ID, p.URL} {
		if rest, ok := strings.CutPrefix(address, "did:web:"); ok {
			host, _, _ := strings.Cut(rest, ":")
			if h, err := url.PathUnescape(host); err == nil {
				host, _, _ = strings.Cut(h, ":")
			}
			address = "https://" + host
		}
		u, err := url.Parse(address)
		if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
			continue
		}
		host := strings.ToLower(u.Hostname())
		ascii, err := idna.Punycode.ToASCII(host)
		if err != nil {
			ascii = url.QueryEscape(host)
		}
		o := origin{Host: strings.TrimPrefix(ascii, "www.")}
		if says, err := idna.Punycode.ToUnicode(ascii); err == nil && says != ascii {
			o.Says = strings.TrimPrefix(says, "www.")
		}
		return o
	}
	return origin{}
}

// IssuerHost is where the badge's issuer says that it is. The association's own
// badges are its own: they have the host of its site.
func (b badge) IssuerHost() origin {
	if b.Issuer.Own && b.Issuer.Profile.URL != "" {
		return originOfIssuer(openbadges.Profile{URL: b.Issuer.Profile.URL})
	}
	return originOfIssuer(b.Issuer.Profile)
}

// DocumentHost is where the badge's document is, "" when that is where its issuer
// is, too, or the document is nowhere.
func (b badge) DocumentHost() string {
	host := originOfIssuer(openbadges.Profile{ID: b.AssertionURL}).Host
	if host == b.IssuerHost().Host {
		return ""
	}
	return host
}

// Namesake reports that a badge from elsewhere bears the association's own name
// as its issuer.
func (b badge) Namesake(site string) bool {
	return b.Brought() && site != "" && store.Fold(b.Issuer.Profile.Name) == store.Fold(site)
}
