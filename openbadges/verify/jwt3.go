package verify

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"badgebridge/openbadges"
	"badgebridge/openbadges/did"
	"badgebridge/openbadges/jsonld"
)

// token is a VC-JWT that was taken apart.
type token struct {
	compact string
	header  map[string]any
	claims  map[string]any // the whole payload
}

// claims of a JWT that are no members of the credential beside them.
var registered = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf", "vc"}

// readJWT takes a VC-JWT apart (OB 3.0, section "JSON Web Token Proof Format"):
// the credential is the payload, or the claim "vc" as in the data model 1.1.
func (s *session) readJWT(compact string) (*credential, bool) {
	s.rep.Version, s.rep.Verification = string(openbadges.V30), "proof"
	parts := bytes.Split([]byte(compact), []byte("."))
	limits := jsonld.Limits{MaxBytes: int(s.opt.MaxDocument), MaxDepth: maxDepth}
	read := func(part []byte, what string) (map[string]any, bool) {
		raw, err := decodePart(part)
		if err != nil {
			s.rep.fail("format", "", "the %s of the JWT is no base64url", what)
			return nil, false
		}
		doc, err := jsonld.ParseObject(raw, limits)
		if err != nil {
			s.rep.fail("format", "", "the %s of the JWT can't be read: %v", what, err)
			return nil, false
		}
		return doc, true
	}
	if len(parts) != 3 {
		s.rep.fail("format", "", "it is no compact JWS")
		return nil, false
	}
	t := &token{compact: compact}
	var ok bool
	if t.header, ok = read(parts[0], "header"); !ok {
		return nil, false
	}
	if t.claims, ok = read(parts[1], "payload"); !ok {
		return nil, false
	}
	c := &credential{jwt: t}
	if vc, ok := t.claims["vc"].(map[string]any); ok {
		if t.claims["credentialSubject"] != nil {
			s.rep.fail("format", "", "the JWT holds two credentials: one in its claim vc, one beside it")
			return nil, false
		}
		c.doc = vc
	} else {
		c.doc = make(map[string]any, len(t.claims))
		for k, v := range t.claims {
			if !slices.Contains(registered, k) {
				c.doc[k] = v
			}
		}
	}
	c.raw = rawOf(c.doc)
	return c, true
}

// jwtTrial checks the signature around a credential.
func (s *session) jwtTrial(c *credential) trial {
	t := c.jwt
	alg, _ := t.header["alg"].(string)
	kid, hasKid := t.header["kid"].(string)
	bad := func(check, format string, args ...any) trial {
		return trial{check: check, err: fmt.Errorf(format, args...)}
	}
	if t.header["crit"] != nil {
		return bad("proof", "the JWT's header asks for something (crit) that is not supported")
	}
	for name := range t.header {
		if !slices.Contains([]string{"alg", "kid", "jwk", "typ"}, name) {
			s.rep.warn("proof", c.id, "the JWT's header holds %s, which Open Badges does not allow", clip(name))
		}
	}
	var own any
	if raw := t.header["jwk"]; raw != nil {
		var err error
		if own, err = jwkOf(raw); err != nil {
			return keyTrial(err)
		}
	}
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
	if err := verifyJWS(t.compact, alg, found.key); err != nil {
		return trial{check: "proof", err: err, open: isAny(err, errSuite)}
	}
	if why := s.claims(c); why != "" {
		return bad("proof", "the JWT is signed, but its claims are not those of the credential: %s", why)
	}
	return trial{check: "proof", unnamed: found.unnamed, how: describeSuite("JWT "+alg, found.method)}
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

// claims holds the JWT's claims against the credential, "" when they agree. What
// is missing is remarked on: the JWT forms of Verifiable Credentials differ in
// what they repeat.
func (s *session) claims(c *credential) string {
	t := c.jwt
	subject, _ := object(c.doc["credentialSubject"])["id"].(string)
	for _, claim := range []struct{ name, of, want string }{{"iss", "issuer", c.issuer}, {"jti", "id", c.id}, {"sub", "credentialSubject.id", subject}} {
		have, there := t.claims[claim.name]
		switch {
		case !there && (claim.want != "" || claim.name != "sub"):
			s.rep.warn("proof", c.id, "the JWT has no claim %s", claim.name)
		case there && have != claim.want:
			return fmt.Sprintf("%s is not the %s", claim.name, claim.of)
		}
	}
	from, until := c.dates()
	for _, claim := range []struct {
		name    string
		members []string
	}{{"nbf", from}, {"exp", until}} {
		have, there := t.claims[claim.name]
		want, dated := c.firstDate(claim.members)
		if !there {
			if claim.name == "nbf" || dated {
				s.rep.warn("proof", c.id, "the JWT has no claim %s", claim.name)
			}
			continue
		}
		n, ok := have.(float64)
		switch {
		case !ok || n < -1e11 || n > 1e12:
			return claim.name + " is no time"
		case dated && int64(n) != want.Unix():
			return fmt.Sprintf("%s is not the %s", claim.name, claim.members[0])
		case !dated && claim.name == "exp" && !time.Unix(int64(n), 0).After(s.now):
			s.rep.Expired = true
			s.rep.fail("validity", c.id, "the JWT has run out (exp)")
		case !dated && claim.name == "nbf" && time.Unix(int64(n), 0).After(s.now):
			s.rep.fail("validity", c.id, "the JWT does not hold yet (nbf)")
		}
	}
	return ""
}

// firstDate is the first of some members that holds a time.
func (c *credential) firstDate(names []string) (time.Time, bool) {
	for _, n := range names {
		text, _ := c.doc[n].(string)
		if t, ok := time3(text); ok {
			return t, true
		}
	}
	return time.Time{}, false
}
