package verify

import (
	"net/url"
	"strings"
)

// scope checks that the issuer's document covers the assertion's and the badge's
// address (section "VerificationObject" of an issuer). Without a statement that
// is the origin of the issuer's id. issuer is the document fetched from issuerID:
// never one that came with the assertion.
func (s *session) scope(assertionID, badgeID, issuerID string, issuer map[string]any) {
	v := object(issuer["verification"])
	if p, _ := single(v["verificationProperty"]).(string); p != "" && p != "id" {
		s.rep.undecided("scope", issuerID, "the issuer limits its badges by the property %q, which is not supported", clip(p))
		return
	}
	var origins []string
	for _, o := range list(v["allowedOrigins"]) {
		if text, ok := o.(string); ok {
			origins = append(origins, text)
		}
	}
	good := true
	check := func(what, id string, also bool) {
		if !also && !inOrigins(id, issuerID, origins) {
			good = false
			s.rep.fail("scope", id, "the %s is not hosted where the issuer says that its badges are", what)
		}
	}
	check("assertion", assertionID, false)
	if isWebURL(badgeID) {
		// What an issuer allows is said of assertions; its own origin stays its own.
		check("badge", badgeID, inOrigins(badgeID, issuerID, nil))
	}
	if prefixes := list(v["startsWith"]); len(prefixes) > 0 {
		matched := false
		for _, p := range prefixes {
			text, _ := p.(string)
			matched = matched || startsWith(assertionID, text)
		}
		if !matched {
			good = false
			s.rep.fail("scope", assertionID, "the assertion's address begins with none of those that the issuer names")
		}
	}
	if good {
		s.rep.pass("scope", assertionID, "the issuer covers this address")
	}
}

// inOrigins compares parsed authorities, never text: "https://issuer@evil" and
// "https://issuer.evil" begin like the issuer.
func inOrigins(id, issuerID string, origins []string) bool {
	u, err := url.Parse(id)
	if err != nil || u.User != nil || !isWebURL(id) {
		return false
	}
	if len(origins) > 0 {
		for _, o := range origins {
			if o == hostPort(u) { // to the letter: the text names no other form
				return true
			}
		}
		return false
	}
	i, err := url.Parse(issuerID)
	if err != nil || !isWebURL(issuerID) || i.User != nil || hostPort(i) != hostPort(u) {
		return false
	}
	// A site moves from http to https; the other way round nobody is sure who
	// answers.
	return i.Scheme == u.Scheme || i.Scheme == "http" && u.Scheme == "https"
}

// hostPort is the lower-case host, with the port unless it is the usual one.
func hostPort(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" || port == "443" && u.Scheme == "https" || port == "80" && u.Scheme == "http" {
		return host
	}
	return host + ":" + port
}

// startsWith compares prefixes, but makes sure that the authority ends where the
// prefix's does: "https://issuer.example" is no prefix of
// "https://issuer.example.evil/".
func startsWith(id, prefix string) bool {
	p, err := url.Parse(prefix)
	u, err2 := url.Parse(id)
	if err != nil || err2 != nil || prefix == "" || p.User != nil || u.User != nil {
		return false
	}
	// Dots in a path ("/a/../b") are resolved by the server, not by us.
	if strings.Contains(u.Path, "/../") || strings.HasSuffix(u.Path, "/..") || strings.Contains(u.Path, "/./") {
		return false
	}
	return p.Scheme == u.Scheme && hostPort(p) == hostPort(u) && strings.HasPrefix(id, prefix)
}
