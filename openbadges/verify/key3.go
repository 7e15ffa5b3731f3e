package verify

import (
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"badgebridge/openbadges/did"
	"badgebridge/openbadges/jsonld"
)

// foundKey is a key that a proof names, and whether the issuer names it too.
type foundKey struct {
	key    any // one of the standard library's
	method string
	// unnamed says why the key can't be taken for the issuer's; "" when the
	// issuer names it.
	unnamed string
}

// keyError says why there is no key. Decided: the documents say no, so the proof
// does not hold. Otherwise it is left open.
type keyError struct {
	decided bool
	text    string
}

func (e *keyError) Error() string { return e.text }

func refuse(format string, args ...any) error {
	return &keyError{decided: true, text: fmt.Sprintf(format, args...)}
}

func leaveOpen(format string, args ...any) error {
	return &keyError{text: fmt.Sprintf(format, args...)}
}

const acceptKey = "application/did+ld+json, application/did+json, application/ld+json, application/jwk-set+json, application/jwk+json, application/json"

// controller is what is known about the document that an id leads to.
type controller struct {
	raw    map[string]any // nil when there is none
	doc    did.Document
	docErr error  // raw is no controller document
	why    string // nobody answered
	gone   bool   // somebody answered that it is not there
}

// keyOf finds the key that method names, and holds it against the issuer.
func (s *session) keyOf(method, issuer string) (foundKey, error) {
	found := foundKey{method: method}
	document, fragment := did.Split(method)
	if !isIRI(method) {
		return found, refuse("the proof names its key by %q, which is neither an address nor a DID", clip(method))
	}
	where, err := did.Locate(method)
	switch {
	case errors.Is(err, did.ErrUnsupported):
		return found, leaveOpen("keys that are named like %s can't be looked up", clip(document))
	case err != nil:
		return found, refuse("the proof's key has no usable name: %v", err)
	case where == "":
		doc, err := did.Resolve(document)
		if err != nil {
			return found, keyFailure(err)
		}
		return s.fromController(found, doc, issuer)
	}
	c := s.controllerAt(document)
	// An id that ends in the key itself can be checked without its document: the
	// proof is as good as the key, but nothing shows whose the key is.
	own, ownErr := did.ParseMultikey(fragment)
	switch {
	case c.raw == nil && ownErr == nil:
		found.key, found.unnamed = own, c.why
		return found, nil
	case c.raw == nil && c.gone:
		return found, refuse("the key is not there: %s", c.why)
	case c.raw == nil:
		return found, leaveOpen("the key could not be read: %s", c.why)
	}
	if key, ok, err := keyDocument(c.raw, method); ok {
		if err != nil {
			return found, err
		}
		return s.fromKeyDocument(found, key, issuer)
	}
	if c.docErr != nil {
		return found, refuse("the key's document can't be used: %v", c.docErr)
	}
	if len(c.doc.Methods) == 0 && ownErr == nil {
		found.key, found.unnamed = own, fmt.Sprintf("the document at %s holds no keys", clip(document))
		return found, nil
	}
	return s.fromController(found, c.doc, issuer)
}

// fromController takes a key out of a controller document.
func (s *session) fromController(found foundKey, doc did.Document, issuer string) (foundKey, error) {
	m, err := doc.Method(found.method)
	if err != nil {
		return found, refuse("%s does not hold the key %s", clip(doc.ID), clip(found.method))
	}
	if err := s.usable(doc, m); err != nil {
		return found, err
	}
	found.key, found.method = m.Key, m.ID
	if doc.ID != issuer {
		found.unnamed = s.issuerNames(issuer, doc.ID, false, m.ID, m.Key)
	}
	return found, nil
}

// usable asks whether a document's key may sign credentials now.
func (s *session) usable(doc did.Document, m did.Method) error {
	switch {
	case m.Err != nil:
		return keyFailure(m.Err)
	case !doc.Allows(m.ID, did.AssertionMethod):
		return refuse("%s does not allow the key %s for issuing (assertionMethod)", clip(doc.ID), clip(m.ID))
	case m.Controller != "" && m.Controller != doc.ID:
		return refuse("the key %s says that it belongs to %s", clip(m.ID), clip(m.Controller))
	case !m.GoodAt(s.now):
		return refuse("the key %s was withdrawn or has run out", clip(m.ID))
	}
	return nil
}

func keyFailure(err error) error {
	if errors.Is(err, did.ErrUnsupported) {
		return leaveOpen("the key is of a kind that is not supported: %v", err)
	}
	return refuse("the key can't be read: %v", err)
}

// plainKey is a key from a document of its own or from a JWK set.
type plainKey struct {
	key        any
	id         string
	controller string // "" when the document does not say
	set        bool   // from a JWK or a JWK set
	method     did.Method
}

// keyDocument reads a document that is a key itself: a JWK, a JWK set, a
// Multikey or CryptographicKey under its own address. ok is false for other
// documents.
func keyDocument(raw map[string]any, method string) (k plainKey, ok bool, err error) {
	document, fragment := did.Split(method)
	if keys, isSet := raw["keys"].([]any); isSet {
		k, err = fromSet(keys, method, fragment)
		return k, true, err
	}
	if _, isJWK := raw["kty"].(string); isJWK {
		if kid, _ := raw["kid"].(string); kid != "" && kid != method && kid != fragment && kid != document {
			return k, true, refuse("the key at %s calls itself %s", clip(document), clip(kid))
		}
		key, err := jwkOf(raw)
		return plainKey{key: key, id: method, set: true}, true, err
	}
	id := idOf(raw)
	for _, member := range []string{"publicKeyMultibase", "publicKeyJwk", "publicKeyPem", "publicKeyBase58"} {
		if raw[member] == nil || id != method && id != document {
			continue
		}
		data, err := json.Marshal(raw)
		if err != nil {
			return k, true, refuse("the key can't be read")
		}
		m, err := did.ParseMethod(data, id)
		if err == nil {
			err = m.Err
		}
		if err != nil {
			return k, true, keyFailure(err)
		}
		return plainKey{key: m.Key, id: id, controller: m.Controller, method: m}, true, nil
	}
	return k, false, nil
}

func jwkOf(raw any) (any, error) {
	data, err := json.Marshal(raw)
	if err != nil {
		return nil, refuse("the key can't be read")
	}
	key, err := did.ParseJWK(data)
	if err != nil {
		return nil, keyFailure(err)
	}
	return key, nil
}

const maxSet = 256 // keys of a JWK set

// fromSet finds a key of a JWK set by its kid. A set of one key needs none.
func fromSet(keys []any, method, fragment string) (plainKey, error) {
	if len(keys) > maxSet {
		return plainKey{}, refuse("the set holds too many keys")
	}
	var match []any
	for _, k := range keys {
		m, _ := k.(map[string]any)
		if kid, _ := m["kid"].(string); kid != "" && (kid == method || kid == fragment) {
			match = append(match, k)
		}
	}
	if len(match) == 0 && fragment == "" && len(keys) == 1 {
		match = keys
	}
	switch len(match) {
	case 0:
		return plainKey{}, refuse("the set of keys does not hold %s", clip(method))
	case 1:
		key, err := jwkOf(match[0])
		return plainKey{key: key, id: method, set: true}, err
	}
	return plainKey{}, refuse("the set holds %d keys by the name %s", len(match), clip(method))
}

// fromKeyDocument holds a key that has a document of its own against the issuer.
func (s *session) fromKeyDocument(found foundKey, k plainKey, issuer string) (foundKey, error) {
	found.key = k.key
	document, _ := did.Split(found.method)
	switch {
	case !k.method.GoodAt(s.now):
		return found, refuse("the key %s was withdrawn or has run out", clip(found.method))
	case k.controller != "" && k.controller != issuer:
		found.unnamed = fmt.Sprintf("the key says that it belongs to %s", clip(k.controller))
	case document != issuer:
		found.unnamed = s.issuerNames(issuer, document, true, found.method, k.key)
	}
	return found, nil
}

// issuerNames asks the issuer whether a key that has another home is the
// issuer's: "" when it is, else why not. The issuer says so in the document at
// the issuer's id, under a purpose or as publicKey, by the key itself, or by
// naming the key's home under alsoKnownAs. An issuer without keys in its
// document is taken to name those that its own web site serves on their own
// (alone): as a JWK set, or as a key's document, as OB 2.0 takes a site for the
// issuer's.
func (s *session) issuerNames(issuer, home string, alone bool, method string, key any) string {
	where, err := did.Locate(issuer)
	if err != nil {
		return fmt.Sprintf("the issuer is called %s, which leads to no document that could name a key", clip(issuer))
	}
	var c *controller
	if where == "" {
		doc, err := did.Resolve(issuer)
		if err != nil {
			return fmt.Sprintf("the issuer's DID can't be read: %v", err)
		}
		c = &controller{doc: doc, raw: map[string]any{}}
	} else {
		c = s.controllerAt(issuer)
	}
	if c.raw != nil && c.docErr == nil {
		if m, err := c.doc.Method(method); err == nil && m.ID == method {
			if err := s.usable(c.doc, m); err != nil {
				return err.Error()
			}
			if !sameKey(m.Key, key) {
				return fmt.Sprintf("the issuer's document holds another key by the name %s", clip(method))
			}
			return ""
		}
		if method != "" && (slices.Contains(list(c.raw["publicKey"]), any(method)) || slices.Contains(list(c.raw["assertionMethod"]), any(method))) {
			return ""
		}
		for _, m := range c.doc.Methods {
			if s.usable(c.doc, m) == nil && sameKey(m.Key, key) {
				return ""
			}
		}
		if home != "" && slices.Contains(c.doc.AlsoKnownAs, home) {
			return ""
		}
	}
	if names := c.raw != nil && c.docErr == nil && (len(c.doc.Methods) > 0 || c.raw["publicKey"] != nil || c.raw["assertionMethod"] != nil); names || where == "" {
		return fmt.Sprintf("the issuer %s names other keys, and not this one", clip(issuer))
	}
	if alone && sameSite(home, issuer) {
		return ""
	}
	if s.inWellKnown(issuer, where, key) {
		return ""
	}
	switch {
	case c.docErr != nil:
		return fmt.Sprintf("the issuer's document can't be used: %v", c.docErr)
	case c.raw == nil:
		return "the issuer could not be asked whether it is its key: " + c.why
	}
	return fmt.Sprintf("the issuer's document at %s names no keys", clip(issuer))
}

// inWellKnown looks for a key in the JWK set that the issuer's web site has under
// its well-known address.
func (s *session) inWellKnown(issuer, where string, key any) bool {
	u, err := url.Parse(where)
	if err != nil || u.Scheme != "https" {
		return false
	}
	c := s.controllerAt("https://" + u.Host + "/.well-known/jwks.json")
	keys, _ := c.raw["keys"].([]any)
	if len(keys) > maxSet {
		return false
	}
	return slices.ContainsFunc(keys, func(k any) bool {
		have, err := jwkOf(k)
		return err == nil && sameKey(have, key)
	})
}

func sameKey(a, b any) bool {
	k, ok := a.(interface{ Equal(x crypto.PublicKey) bool })
	return ok && b != nil && k.Equal(b)
}

// sameSite compares the origins of two addresses, or of a did:web.
func sameSite(a, b string) bool {
	wa, errA := did.Locate(a)
	wb, errB := did.Locate(b)
	if errA != nil || errB != nil || wa == "" || wb == "" {
		return false
	}
	ua, errA := url.Parse(wa)
	ub, errB := url.Parse(wb)
	return errA == nil && errB == nil && ua.Scheme == ub.Scheme && hostPort(ua) == hostPort(ub)
}

// controllerAt gets the document of a did:web, an issuer or a key. Each is read
// once.
func (s *session) controllerAt(id string) *controller {
	if c, ok := s.controllers[id]; ok {
		return c
	}
	c := &controller{}
	s.controllers[id] = c
	where, err := did.Locate(id)
	if err != nil || where == "" {
		c.why = fmt.Sprintf("%s leads to no document", clip(id))
		return c
	}
	if err := checkWebURL(where); err != nil {
		c.why = fmt.Sprintf("%s can't be fetched: %v", clip(where), err)
		return c
	}
	res, err := s.get(where, acceptKey, s.opt.MaxDocument)
	switch {
	case err != nil:
		c.why = fmt.Sprintf("%s could not be fetched: %v", clip(where), err)
		return c
	case res.Status != http.StatusOK:
		c.gone = res.Status == http.StatusNotFound || res.Status == http.StatusGone
		c.why = fmt.Sprintf("%s answers HTTP %d", clip(where), res.Status)
		return c
	case res.moved(where):
		c.why = fmt.Sprintf("%s is answered by another host, %s", clip(where), clip(res.URL))
		return c
	}
	if pem := strings.TrimSpace(string(res.Body[:min(len(res.Body), 64<<10)])); strings.HasPrefix(pem, "-----BEGIN ") {
		c.raw = map[string]any{"id": id, "publicKeyPem": pem}
		return c
	}
	raw, err := jsonld.ParseObject(res.Body, jsonld.Limits{MaxBytes: int(s.opt.MaxDocument)})
	if err != nil {
		c.why = fmt.Sprintf("%s answers something that is no JSON object", clip(where))
		return c
	}
	c.raw = raw
	c.doc, c.docErr = did.FromObject(raw, id)
	return c
}
