package verify

import (
	"net/http"
	"net/url"
	"strings"

	"badgebridge/openbadges"
	"badgebridge/openbadges/did"
	"badgebridge/openbadges/jose"
)

// signed1 verifies a signed badge of OB 1.0 or 1.1: the key is a PEM file at
// verify.url, and the issuer's list of revoked badges is an object of uid to
// reason.
func (s *session) signed1(jws string, version openbadges.Version, doc map[string]any, payload []byte) {
	uid, _ := single(doc["uid"]).(string)
	node := idOf(doc)
	if node == "" {
		node = "urn:uid:" + url.PathEscape(uid)
	}
	keyURL, _ := single(object(doc["verify"])["url"]).(string)
	if keyURL == "" {
		keyURL, _ = single(object(doc["verification"])["url"]).(string)
	}
	doc = upgrade1(node, doc)
	s.rep.Subject = node
	s.rep.pass("format", node, "Open Badges %s, signed", version)
	s.class(node, doc, true, "Assertion")
	good := s.schema("Assertion", node, doc, true)
	if uid == "" {
		good = false
		s.rep.fail("schema", node, "Assertion: uid is missing")
	}
	if verificationTypeOf(doc) != "signed" {
		s.rep.fail("proof", node, "the badge is signed but says that it is not to be verified by its signature")
	}
	b := s.linkedBadge(node, doc, true)
	if b.issuer.doc != nil {
		s.signature1(jws, node, keyURL, b.issuer)
		s.revocationMap(node, uid, doc, b.issuer)
	}
	if good {
		s.rep.pass("subject", node, "the assertion says who, what and when")
	}
	s.common(node, doc, payload, b)
}

// signature1 checks the signature under the key at url. OB 1.x does not say who
// may host the key; only one on the issuer's own site shows that it is the
// issuer's.
func (s *session) signature1(jws, node, keyURL string, issuer profile) {
	if err := checkWebURL(keyURL); err != nil {
		s.rep.fail("key", node, "the badge does not say where its key is (verify.url): %v", err)
		return
	}
	res, err := s.get(keyURL, "application/x-pem-file, text/plain, */*", s.opt.MaxDocument)
	switch {
	case err != nil:
		s.rep.undecided("key", keyURL, "the key could not be fetched: %v", err)
		return
	case res.Status == http.StatusNotFound || res.Status == http.StatusGone:
		s.rep.fail("key", keyURL, "the key is not there (HTTP %d)", res.Status)
		return
	case res.Status != http.StatusOK:
		s.rep.undecided("key", keyURL, "the key could not be fetched: its host answers HTTP %d", res.Status)
		return
	}
	key, err := did.ParsePEM(string(res.Body))
	if err != nil {
		s.rep.fail("key", keyURL, "the key can't be read: %v", err)
		return
	}
	if err := verifyJWS(jws, key); err != nil {
		s.rep.fail("proof", node, "%v", err)
		return
	}
	s.rep.pass("proof", node, "the signature is good")
	if weak(key) { // OB 1.x does not say what a key has to be
		s.rep.undecided("key", keyURL, "the key has %d bits, which is too few for a signature to show who made it", jose.RSABits(key))
	}
	switch {
	case res.moved(keyURL):
		s.rep.undecided("issuer", issuer.id, "the key is answered by another host through a redirect; nothing shows that it is the issuer's")
	case sameSite(keyURL, issuer.id):
		s.rep.pass("key", node, "the key is on the issuer's own site")
	default:
		s.rep.undecided("issuer", issuer.id, "the signature is good, but the key is on another site than the issuer, and nothing shows that it is the issuer's")
	}
}

// revocationMap looks the badge up in a list of OB 1.x, {"uid": "reason"}. Some
// issuers serve the form of OB 2.0 instead.
func (s *session) revocationMap(node, uid string, doc map[string]any, issuer profile) {
	where := linkOf(issuer.doc["revocationList"])
	if where == "" {
		s.rep.pass("status", node, "the issuer keeps no list of revoked badges")
		return
	}
	l, _, ok := s.document(where, "revocation list")
	if !ok {
		s.rep.undecided("status", node, "the issuer's list of revoked badges can't be read")
		return
	}
	if l["revokedAssertions"] != nil {
		s.revocationList(node, doc, issuer)
		return
	}
	for _, id := range []string{uid, idOf(doc)} {
		reason, listed := l[id]
		if id == "" || !listed || strings.HasPrefix(id, "@") {
			continue
		}
		s.rep.Revoked = true
		message := "the issuer took the badge back"
		if text, _ := reason.(string); text != "" {
			s.reason(text)
			message += ": " + clip(text)
		}
		s.rep.fail("status", node, "%s", message)
		return
	}
	s.rep.pass("status", node, "not on the issuer's list of revoked badges")
}
