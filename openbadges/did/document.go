package did

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Limits of a document.
const (
	maxDocument = 1 << 20
	maxMethods  = 256
)

// Document is a DID document or another controller document.
type Document struct {
	ID          string
	AlsoKnownAs []string
	Controllers []string // who may change it, where that is not the subject itself
	Methods     []Method
	purposes    map[string][]string // purpose to the ids of methods
	plain       map[string]bool     // ids of the methods under publicKey
}

// Method is a verification method: a key, and whose it says it is.
type Method struct {
	ID         string // absolute
	Type       string
	Controller string
	Key        any       // nil where Err says why
	Err        error     // the key can't be read; other keys still can be used
	Expires    time.Time // zero: never
	Revoked    time.Time // zero: not
}

// GoodAt tells whether the method is neither expired nor revoked at a time.
func (m Method) GoodAt(t time.Time) bool {
	return (m.Expires.IsZero() || t.Before(m.Expires)) && (m.Revoked.IsZero() || t.Before(m.Revoked))
}

// Method finds a key by its id. An id without a fragment finds the key of a
// document that has only one. ErrNotFound otherwise.
func (d Document) Method(id string) (Method, error) {
	for _, m := range d.Methods {
		if m.ID == id {
			return m, nil
		}
	}
	if id == d.ID && len(d.Methods) == 1 {
		return d.Methods[0], nil
	}
	return Method{}, fmt.Errorf("%w: key %.200q", ErrNotFound, id)
}

// Allows tells whether the document names the key for a purpose. A document
// that names no purposes at all, as OB 2.0 profiles do, allows assertions with
// each of its keys under publicKey and nothing else; one under verificationMethod
// is for nothing until a purpose names it (Controlled Identifiers 1.0, section
// "Retrieve Verification Method").
func (d Document) Allows(method, purpose string) bool {
	if len(d.purposes) == 0 {
		return purpose == AssertionMethod && d.plain[method]
	}
	return slices.Contains(d.purposes[purpose], method)
}

// Purposes are those that the document allows a key for.
func (d Document) Purposes(method string) []string {
	var out []string
	for _, p := range []string{AssertionMethod, Authentication, CapabilityInvocation, CapabilityDelegation, KeyAgreement} {
		if d.Allows(method, p) {
			out = append(out, p)
		}
	}
	return out
}

// ParseDocument reads a controller document: a DID document, or an issuer's
// profile that carries its keys (verificationMethod, assertionMethod and so on,
// or publicKey as Open Badges 2.0 and the older security vocabulary have it). id
// is what the document was asked for under; a document that says it is another
// one is refused. Keys that can't be read are kept, with their Err.
func ParseDocument(data []byte, id string) (Document, error) {
	if len(data) > maxDocument {
		return Document{}, fmt.Errorf("%w: the document is too large", ErrInvalid)
	}
	var raw map[string]any
	if err := json.Unmarshal(data, &raw); err != nil || raw == nil {
		return Document{}, fmt.Errorf("%w: the document is no JSON object", ErrInvalid)
	}
	return FromObject(raw, id)
}

// FromObject is ParseDocument for a document that was read already.
func FromObject(raw map[string]any, id string) (Document, error) {
	doc := Document{ID: text(raw, "id", "@id"), purposes: map[string][]string{}, plain: map[string]bool{}}
	if want, _ := Split(id); doc.ID != want {
		return Document{}, fmt.Errorf("%w: the document of %.200q says it is %.200q", ErrInvalid, want, doc.ID)
	}
	doc.AlsoKnownAs = texts(raw["alsoKnownAs"])
	doc.Controllers = texts(raw["controller"])
	for _, member := range []string{"verificationMethod", "publicKey"} {
		for _, v := range list(raw[member]) {
			if m, ok := v.(map[string]any); ok {
				if err := doc.add(m); err != nil {
					return Document{}, err
				}
				doc.plain[doc.Methods[len(doc.Methods)-1].ID] = member == "publicKey"
			}
		}
	}
	for _, purpose := range []string{AssertionMethod, Authentication, CapabilityInvocation, CapabilityDelegation, KeyAgreement} {
		for _, v := range list(raw[purpose]) {
			if m, ok := v.(map[string]any); ok { // written out in place
				if err := doc.add(m); err != nil {
					return Document{}, err
				}
				v = m["id"]
			}
			if s, ok := v.(string); ok {
				doc.purposes[purpose] = append(doc.purposes[purpose], doc.absolute(s))
			}
		}
	}
	return doc, nil
}

// ParseMethod reads a key's own document: a Multikey, a JWK in a verification
// method, or a CryptographicKey of Open Badges 2.0, as some issuers serve it
// under the key's address. id is that address; the document must bear it.
func ParseMethod(data []byte, id string) (Method, error) {
	var raw map[string]any
	if len(data) > maxDocument || json.Unmarshal(data, &raw) != nil || raw == nil {
		return Method{}, fmt.Errorf("%w: the key's document is no JSON object", ErrInvalid)
	}
	var d Document
	if err := d.add(raw); err != nil {
		return Method{}, err
	}
	if d.Methods[0].ID != id {
		return Method{}, fmt.Errorf("%w: the document of key %.200q says it is %.200q", ErrInvalid, id, d.Methods[0].ID)
	}
	return d.Methods[0], nil
}

// absolute completes "#key-1".
func (d *Document) absolute(id string) string {
	if strings.HasPrefix(id, "#") {
		return d.ID + id
	}
	return id
}

func (d *Document) add(raw map[string]any) error {
	m := Method{
		ID:         d.absolute(text(raw, "id", "@id")),
		Type:       text(raw, "type", "@type"),
		Controller: text(raw, "controller", "owner"),
	}
	if m.ID == "" {
		return fmt.Errorf("%w: a key without an id", ErrInvalid)
	}
	if len(d.Methods) >= maxMethods {
		return fmt.Errorf("%w: too many keys", ErrInvalid)
	}
	// Two keys under one id would let each reader pick its own.
	if slices.ContainsFunc(d.Methods, func(o Method) bool { return o.ID == m.ID }) {
		return fmt.Errorf("%w: two keys are called %.200q", ErrInvalid, m.ID)
	}
	m.Key, m.Err = methodKey(raw)
	for member, at := range map[string]*time.Time{"expires": &m.Expires, "revoked": &m.Revoked} {
		if v, there := raw[member]; there && v != nil {
			s, _ := v.(string)
			t, err := time.Parse(time.RFC3339, s)
			if err != nil {
				m.Err = fmt.Errorf("%w: the key's %s is no time", ErrInvalid, member)
			}
			*at = t
		}
	}
	d.Methods = append(d.Methods, m)
	return nil
}

// methodKey reads the key of a verification method, in the one form it has.
func methodKey(raw map[string]any) (any, error) {
	var forms []string
	for _, f := range []string{"publicKeyMultibase", "publicKeyJwk", "publicKeyPem", "publicKeyBase58"} {
		if v, ok := raw[f]; ok && v != nil {
			forms = append(forms, f)
		}
	}
	if len(forms) != 1 {
		return nil, fmt.Errorf("%w: %d keys in one verification method", ErrInvalid, len(forms))
	}
	if forms[0] == "publicKeyJwk" {
		jwk, err := json.Marshal(raw["publicKeyJwk"])
		if err != nil {
			return nil, fmt.Errorf("%w: the JWK can't be read", ErrInvalid)
		}
		return ParseJWK(jwk)
	}
	s, _ := raw[forms[0]].(string)
	switch forms[0] {
	case "publicKeyMultibase":
		return ParseMultikey(s)
	case "publicKeyPem":
		return ParsePEM(s)
	default: // Ed25519VerificationKey2018: the bare key in base58
		if text(raw, "type") != "Ed25519VerificationKey2018" || len(s) > maxMultibase {
			return nil, fmt.Errorf("%w: a key in base58 of kind %.60q", ErrUnsupported, text(raw, "type"))
		}
		key, err := decodeBase58(s)
		if err != nil {
			return nil, err
		}
		return ed25519Key(key)
	}
}

// text is the first of some members that is a string, or a list that begins
// with one.
func text(m map[string]any, members ...string) string {
	for _, member := range members {
		if s := texts(m[member]); len(s) > 0 {
			return s[0]
		}
	}
	return ""
}

func texts(v any) []string {
	var out []string
	for _, e := range list(v) {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}
