package verify

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"badgebridge/openbadges"
	"badgebridge/openbadges/did"
	"badgebridge/openbadges/jose"
)

// looksLikeJWS tells a compact JWS by its form: three parts of base64url, the
// first beginning with a JSON object.
func looksLikeJWS(data []byte) bool {
	return bytes.HasPrefix(data, []byte("eyJ")) && bytes.Count(data, []byte(".")) == 2 && !bytes.ContainsAny(data, " \t\r\n{}")
}

// decodePart decodes a part of a compact JWS.
func decodePart(part []byte) ([]byte, error) {
	out := make([]byte, base64.RawURLEncoding.DecodedLen(len(part)))
	n, err := base64.RawURLEncoding.Decode(out, part)
	return out[:n], err
}

// fromJWS verifies what is signed as a compact JWS. Of OB 2.0: the signature,
// that the key is one that the issuer names, and the revocation list.
func (s *session) fromJWS(jws string) {
	parts := strings.Split(jws, ".")
	s.rep.Verification = "signed"
	if int64(len(jws)) > 2*s.opt.MaxDocument {
		s.rep.fail("format", "", "the signed badge is too large")
		return
	}
	payload, err := decodePart([]byte(parts[1]))
	if err != nil {
		s.rep.fail("format", "", "the signed badge's content can't be read")
		return
	}
	doc, err := parseObject(payload)
	if err != nil {
		s.rep.fail("format", "", "the signed badge's content can't be read: %v", err)
		return
	}
	version := versionOf(doc)
	if version == "" && (object(doc["vc"]) != nil || doc["credentialSubject"] != nil) {
		version = openbadges.V30
	}
	id := idOf(doc)
	s.rep.Subject = id
	s.rep.Version = string(version)
	switch version {
	case openbadges.V20:
		s.rep.pass("format", id, "Open Badges 2.0, signed")
		doc = s.plain2(id, doc)
	case openbadges.V30:
		if c, ok := s.readJWT(jws); ok {
			s.credential(c)
		}
		return
	case openbadges.V11, version10:
		s.signed1(jws, version, doc, payload)
		return
	case version05:
		s.rep.fail("format", id, "Open Badges 0.5 knows no signed badges")
		return
	default:
		s.rep.fail("context", id, "the document names no Open Badges context")
		return
	}
	if isRevoked(doc) {
		s.revoked(id, payload, "the badge says of itself that it was taken back")
		return
	}
	s.context(id, doc, false)
	s.class(id, doc, false, "Assertion")
	good := s.schema("Assertion", id, doc, false)
	if verificationTypeOf(doc) != "signed" {
		s.rep.fail("proof", id, "the badge is signed but says that it is not to be verified by its signature")
	}
	b := s.linkedBadge(id, doc, false)
	if b.issuer.doc != nil {
		s.signature(jws, id, doc, b.issuer)
		s.revocationList(id, doc, b.issuer)
	}
	if good {
		s.rep.pass("subject", id, "the assertion says who, what and when")
	}
	s.common(id, doc, payload, b)
}

// signature finds the key and checks the signature under it. The key counts only
// when the issuer's own document names it.
func (s *session) signature(jws, node string, doc map[string]any, issuer profile) {
	var candidates []any
	creator := linkOf(object(doc["verification"])["creator"])
	for _, k := range list(issuer.doc["publicKey"]) {
		if creator == "" || linkOf(k) == creator {
			candidates = append(candidates, k)
		}
	}
	if len(candidates) == 0 {
		s.rep.fail("key", node, "the issuer's document does not name the key that the badge is signed with")
		return
	}
	for _, k := range candidates {
		key, ok := s.publicKey(k, issuer.id)
		if !ok {
			continue
		}
		if err := verifyJWS(jws, key); err != nil {
			if len(candidates) == 1 {
				s.rep.fail("proof", node, "%v", err)
				return
			}
			continue
		}
		s.rep.pass("key", node, "the issuer names the key")
		s.rep.pass("proof", node, "the signature is good")
		return
	}
	if len(candidates) > 1 {
		s.rep.fail("proof", node, "none of the issuer's keys made the signature")
	}
}

// publicKey gets a CryptographicKey, by its address or out of the issuer's
// document, and checks that it says that it is the issuer's.
func (s *session) publicKey(k any, issuerID string) (any, bool) {
	m, node := object(k), issuerID
	if m["publicKeyPem"] == nil { // a link, bare or as an object
		node = linkOf(k)
		var ok bool
		if m, ok = s.keyDocument2(node); !ok {
			return nil, false
		}
	}
	switch owner := linkOf(m["owner"]); {
	case owner == issuerID:
	case owner == "": // the issuer names the key, which is what counts
		s.rep.warn("key", node, "the key does not say whose it is (owner)")
	default:
		s.rep.fail("key", node, "the key does not say that it belongs to the issuer")
		return nil, false
	}
	text, _ := single(m["publicKeyPem"]).(string)
	key, err := did.ParsePEM(text)
	switch {
	case errors.Is(err, did.ErrUnsupported):
		s.rep.undecided("key", node, "the key is of a kind that is not supported: %v", err)
		return nil, false
	case err != nil:
		s.rep.fail("key", node, "the key can't be read: %v", err)
		return nil, false
	case weak(key):
		s.rep.fail("key", node, "the key has %d bits; signatures with RSA need %d or more (RFC 7518, section 3.3), so ask the issuer for a badge with a newer key", jose.RSABits(key), minRSA)
		return nil, false
	}
	return key, true
}

// keyDocument2 fetches the document of a CryptographicKey.
func (s *session) keyDocument2(url string) (map[string]any, bool) {
	if err := checkWebURL(url); err != nil {
		s.rep.fail("key", url, "the key's address can't be used: %v", err)
		return nil, false
	}
	res, err := s.get(url, acceptKey, s.opt.MaxDocument)
	switch {
	case err != nil:
		s.rep.undecided("key", url, "the key could not be fetched: %v", err)
		return nil, false
	case res.Status == http.StatusNotFound || res.Status == http.StatusGone:
		s.rep.fail("key", url, "the key is not there (HTTP %d)", res.Status)
		return nil, false
	case res.Status != http.StatusOK:
		s.rep.undecided("key", url, "the key could not be fetched: its host answers HTTP %d", res.Status)
		return nil, false
	case res.moved(url):
		s.rep.undecided("key", url, "the key is answered by another host through a redirect, %s", clip(res.URL))
	}
	m, err := parseObject(res.Body)
	if err != nil {
		s.rep.fail("key", url, "the key's address answers no CryptographicKey: %v", err)
		return nil, false
	}
	m = s.plain2(url, m)
	// The text asks for neither type, id nor owner; but what is there has to fit.
	if len(typesOf(m)) > 0 && !s.class(url, m, false, "CryptographicKey") || !s.schema("CryptographicKey", url, m, false) {
		return nil, false
	}
	if id := idOf(m); id != "" && id != url {
		s.rep.fail("key", url, "the key's id is not its address")
		return nil, false
	}
	return m, true
}

// minRSA is how many bits an RSA key has to have (RFC 7518, section 3.3).
const minRSA = 2048

func weak(key any) bool { bits := jose.RSABits(key); return bits > 0 && bits < minRSA }

// verifyJWS checks a signature of OB 1 or 2. The key says which algorithms may be:
// never "none", and never a MAC with the public key as its secret.
func verifyJWS(compact string, key any) error {
	j, err := jose.Parse([]byte(compact), 4<<20)
	if err == nil {
		err = j.Verify(key)
	}
	switch {
	case errors.Is(err, jose.ErrSignature):
		return fmt.Errorf("the signature does not fit the badge")
	case err != nil:
		return fmt.Errorf("the signature can't be used: %w", err)
	}
	return nil
}

// revocationList looks the badge up, by id or by the older uid. A list that
// can't be read leaves it open.
func (s *session) revocationList(node string, doc map[string]any, issuer profile) {
	url := linkOf(issuer.doc["revocationList"])
	if url == "" {
		s.rep.pass("status", node, "the issuer keeps no list of revoked badges")
		return
	}
	l, _, ok := s.document(url, "revocation list")
	if !ok {
		s.rep.undecided("status", node, "the issuer's list of revoked badges can't be read")
		return
	}
	entries, there := l["revokedAssertions"]
	if !there || !s.class(url, l, false, "RevocationList") {
		s.rep.fail("status", node, "the issuer's list of revoked badges is not a complete one")
		return
	}
	if owner := linkOf(l["issuer"]); owner != "" && owner != issuer.id {
		s.rep.fail("status", node, "the list of revoked badges is another issuer's")
		return
	}
	uid, _ := doc["uid"].(string)
	for _, e := range list(entries) {
		entry, _ := e.(string)
		reason, entryUID := "", ""
		if m := object(e); m != nil {
			entry = idOf(m)
			entryUID, _ = m["uid"].(string)
			reason, _ = m["revocationReason"].(string)
		}
		if entry != "" && entry == idOf(doc) || uid != "" && (entryUID == uid || entry == uid) {
			s.rep.Revoked = true
			if reason != "" {
				s.reason(reason)
			}
			s.rep.fail("status", node, "the issuer took the badge back")
			return
		}
	}
	s.rep.pass("status", node, "not on the issuer's list of revoked badges")
}
