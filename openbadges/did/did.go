// Package did reads the identifiers and documents that say which key belongs to
// whom: did:key, did:jwk, did:web, and controller documents under any address
// (W3C Decentralized Identifiers 1.0, Controlled Identifiers 1.0), with keys as
// Multikey, JWK or PEM.
//
// It does no I/O: Locate says where a document is, the caller gets it, and
// ParseDocument reads it. Keys are the standard library's: ed25519.PublicKey,
// *ecdsa.PublicKey on P-256 or P-384, *rsa.PublicKey.
package did

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// The ways in which identifiers, documents and keys fail.
var (
	// ErrUnsupported: a DID method or kind of key that this package does not know.
	ErrUnsupported = errors.New("did: not supported")
	// ErrInvalid: damaged, or against the rules.
	ErrInvalid = errors.New("did: not valid")
	// ErrNotFound: the document does not hold what was asked for.
	ErrNotFound = errors.New("did: not in the document")
)

// The purposes that a controller document can allow a key for.
const (
	AssertionMethod      = "assertionMethod" // issuing credentials
	Authentication       = "authentication"
	CapabilityInvocation = "capabilityInvocation"
	CapabilityDelegation = "capabilityDelegation"
	KeyAgreement         = "keyAgreement"
)

const maxID = 4 << 10 // bytes of an identifier

// Split parts a DID URL or address into the document's identifier and the
// fragment ("" when there is none).
func Split(id string) (document, fragment string) {
	document, fragment, _ = strings.Cut(id, "#")
	return document, fragment
}

// Locate says where the document is that an identifier, or a key's identifier,
// belongs to: an https or http address, or "" when Resolve knows it without
// asking anybody. Whether the address may be visited is for the caller to judge.
// Errors: ErrUnsupported, ErrInvalid.
func Locate(id string) (string, error) {
	document, _ := Split(id)
	switch {
	case len(id) > maxID:
		return "", fmt.Errorf("%w: the identifier is too long", ErrInvalid)
	case strings.HasPrefix(document, "did:key:"), strings.HasPrefix(document, "did:jwk:"):
		return "", nil
	case strings.HasPrefix(document, "did:web:"):
		return WebURL(document)
	case strings.HasPrefix(document, "https://"), strings.HasPrefix(document, "http://"):
		u, err := url.Parse(document)
		if err != nil || u.Host == "" || u.User != nil {
			return "", fmt.Errorf("%w: %.200q is no address of a document", ErrInvalid, document)
		}
		return document, nil
	}
	return "", fmt.Errorf("%w: %.200q", ErrUnsupported, document)
}

// WebURL is where a did:web's document is (did:web method specification,
// "Read").
func WebURL(id string) (string, error) {
	rest, ok := strings.CutPrefix(id, "did:web:")
	if !ok || len(id) > maxID {
		return "", fmt.Errorf("%w: %.200q is no did:web", ErrInvalid, id)
	}
	parts := strings.Split(rest, ":")
	host, err := url.PathUnescape(parts[0])
	u, hostErr := url.Parse("https://" + host)
	if err != nil || hostErr != nil || host == "" || u.Host != host || u.Hostname() == "" || strings.ContainsAny(host, "%[]\\") {
		return "", fmt.Errorf("%w: %.200q has no host", ErrInvalid, id)
	}
	path := "/.well-known"
	if len(parts) > 1 {
		for _, p := range parts[1:] {
			plain, err := url.PathUnescape(p)
			if err != nil || plain == "" || plain == "." || plain == ".." || strings.ContainsAny(plain, "/\\?#") || !idChars(p) {
				return "", fmt.Errorf("%w: %.200q has a bad path", ErrInvalid, id)
			}
		}
		path = "/" + strings.Join(parts[1:], "/")
	}
	return "https://" + host + path + "/did.json", nil
}

// idChars tells whether s is made of the characters that a DID may hold.
func idChars(s string) bool {
	for _, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte("._-%", c) < 0 {
			return false
		}
	}
	return true
}

// Resolve makes the document of a did:key or did:jwk, which hold their key in
// themselves. id may carry a fragment; it is not looked at. Errors:
// ErrUnsupported, ErrInvalid.
func Resolve(id string) (Document, error) {
	document, _ := Split(id)
	if len(document) > maxID {
		return Document{}, fmt.Errorf("%w: the identifier is too long", ErrInvalid)
	}
	if multikey, ok := strings.CutPrefix(document, "did:key:"); ok {
		key, err := ParseMultikey(multikey)
		if err != nil {
			return Document{}, fmt.Errorf("%.200q: %w", document, err)
		}
		return selfContained(document, multikey, "Multikey", key), nil
	}
	if encoded, ok := strings.CutPrefix(document, "did:jwk:"); ok {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
		if err != nil {
			return Document{}, fmt.Errorf("%w: %.200q", ErrInvalid, document)
		}
		key, err := ParseJWK(raw)
		if err != nil {
			return Document{}, fmt.Errorf("%.200q: %w", document, err)
		}
		return selfContained(document, "0", "JsonWebKey", key), nil
	}
	return Document{}, fmt.Errorf("%w: %.200q can't be resolved without its document", ErrUnsupported, document)
}

// selfContained is the document of a DID that is its own key.
func selfContained(id, fragment, kind string, key any) Document {
	m := Method{ID: id + "#" + fragment, Type: kind, Controller: id, Key: key}
	doc := Document{ID: id, Methods: []Method{m}, purposes: map[string][]string{}}
	for _, p := range []string{AssertionMethod, Authentication, CapabilityInvocation, CapabilityDelegation} {
		doc.purposes[p] = []string{m.ID}
	}
	return doc
}

// KeyDID is the did:key of a key, and the id of its verification method.
func KeyDID(key any) (id, method string, err error) {
	multikey, err := Multikey(key)
	if err != nil {
		return "", "", err
	}
	id = "did:key:" + multikey
	return id, id + "#" + multikey, nil
}

// JWKDID is the did:jwk of a key, and the id of its verification method.
func JWKDID(key any) (id, method string, err error) {
	jwk, err := JWK(key)
	if err != nil {
		return "", "", err
	}
	raw, err := json.Marshal(jwk)
	if err != nil {
		return "", "", fmt.Errorf("did:jwk: %w", err)
	}
	id = "did:jwk:" + base64.RawURLEncoding.EncodeToString(raw)
	return id, id + "#0", nil
}
