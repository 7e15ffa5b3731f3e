package verify

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"badgebridge/openbadges"
	"badgebridge/openbadges/did"
	"badgebridge/openbadges/jose"
)

// readJWT takes a VC-JWT apart (OB 3.0, section "JSON Web Token Proof Format"):
// the credential is the payload, or the claim "vc" as in the data model 1.1.
func (s *session) readJWT(compact string) (*credential, bool) {
	s.rep.Version, s.rep.Verification = string(openbadges.V30), "proof"
	vc, err := jose.ParseVC([]byte(compact))
	switch {
	case errors.Is(err, jose.ErrAlgorithm):
		s.algorithm(compact, err)
		return nil, false
	case isAny(err, jose.ErrPrivate):
		s.rep.fail("key", "", "%v", err)
		return nil, false
	case errors.Is(err, jose.ErrKey):
		s.rep.undecided("key", "", "%v", err)
		return nil, false
	case err != nil:
		s.rep.fail("format", "", "the JWT can't be read: %v", err)
		return nil, false
	case depthOf(vc.Credential) > maxDepth:
		s.rep.fail("format", "", "the JWT's payload is nested deeper than %d levels", maxDepth)
		return nil, false
	}
	return &credential{jwt: &vc, compact: compact, doc: vc.Credential, raw: rawOf(vc.Credential)}, true
}

// algorithm reports an algorithm that jose refuses: what is no signature at all
// fails, what only is not supported leaves it open.
func (s *session) algorithm(compact string, why error) {
	header, _, _ := strings.Cut(compact, ".")
	raw, err := decodePart([]byte(header))
	doc, docErr := parseObject(raw)
	alg, _ := doc["alg"].(string)
	upper := strings.ToUpper(alg)
	known := slices.Contains([]string{jose.RS256, jose.RS384, jose.RS512, jose.ES256, jose.ES384, jose.EdDSA}, alg)
	if err != nil || docErr != nil || known || alg == "" || upper == "NONE" || strings.HasPrefix(upper, "HS") {
		s.rep.fail("proof", "", "%v", why)
		return
	}
	s.rep.undecided("proof", "", "the signature's algorithm %q is not supported", clip(alg))
}

// depthOf is how deep a document is nested.
func depthOf(v any) int {
	deepest := 0
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			deepest = max(deepest, depthOf(e))
		}
	case []any:
		for _, e := range v {
			deepest = max(deepest, depthOf(e))
		}
	default:
		return 0
	}
	return deepest + 1
}

// jwtTrial checks the signature around a credential.
func (s *session) jwtTrial(c *credential) trial {
	header := c.jwt.JWS.Header
	bad := func(check, format string, args ...any) trial {
		return trial{check: check, err: fmt.Errorf(format, args...)}
	}
	for name := range header.Raw {
		if !slices.Contains([]string{"alg", "kid", "jwk", "typ"}, name) {
			s.rep.warn("proof", c.id, "the JWT's header holds %s, which Open Badges does not allow", clip(name))
		}
	}
	var own any
	if header.Key != nil {
		own = header.Key.Key
	}
	kid, hasKid := header.Raw["kid"].(string)
	if own == nil && !hasKid {
		return bad("key", "the JWT's header names no key: kid or jwk has to be there")
	}
	found := foundKey{key: own, method: "the key in its header"}
	if hasKid {
		var err error
		found, err = s.keyByKid(kid, c.issuer)
		switch k := keyTrial(err); {
		case err != nil && (own == nil || !k.open):
			return k
		case err != nil:
			found = foundKey{key: own, method: kid, unnamed: err.Error()}
		case own != nil && !sameKey(own, found.key):
			return bad("key", "the key in the JWT's header is not the one that %s is", clip(kid))
		}
	} else {
		found.unnamed = s.issuerNames(c.issuer, "", false, "", own)
	}
	if err := c.jwt.JWS.Verify(found.key); err != nil {
		return bad("proof", "%w", err)
	}
	if weak(found.key) {
		return bad("key", "the key has %d bits; signatures with RSA need %d or more (RFC 7518, section 3.3)", jose.RSABits(found.key), minRSA)
	}
	if t := header.Type; t != "" && !strings.EqualFold(t, "JWT") {
		s.rep.warn("proof", c.id, "the JWT's header says typ %s; Open Badges has JWT", clip(t))
	}
	for _, m := range c.jwt.Mismatches {
		if m.Missing && slices.Contains([]string{"iss", "jti", "nbf"}, m.Claim) {
			return bad("proof", "the JWT lacks the claim %s, which has to repeat the credential's %s", m.Claim, m.Member)
		}
		if m.Missing {
			s.rep.warn("proof", c.id, "claim and credential are not both there: %s and %s", m.Claim, m.Member)
			continue
		}
		// The texts could show the recipient.
		return bad("proof", "the JWT is signed, but its claim %s is not the credential's %s", m.Claim, m.Member)
	}
	return trial{check: "proof", unnamed: found.unnamed, how: describeSuite("JWT "+header.Algorithm, found.method)}
}

// keyByKid finds the key that a JWT names: by an address or a DID, or by a name
// within the issuer's document or JWK set.
func (s *session) keyByKid(kid, issuer string) (foundKey, error) {
	if isIRI(kid) {
		return s.keyOf(kid, issuer)
	}
	name := strings.TrimPrefix(kid, "#")
	found, err := s.keyOf(issuer+"#"+name, issuer)
	if err == nil {
		return found, nil
	}
	where, locErr := did.Locate(issuer)
	u, urlErr := url.Parse(where)
	if locErr != nil || where == "" || urlErr != nil || u.Scheme != "https" {
		return found, err
	}
	c := s.controllerAt("https://" + u.Host + "/.well-known/jwks.json")
	keys, ok := c.raw["keys"].([]any)
	if !ok {
		return found, err
	}
	k, setErr := fromSet(keys, kid, name)
	if setErr != nil {
		return found, err
	}
	return foundKey{key: k.key, method: kid}, nil
}
