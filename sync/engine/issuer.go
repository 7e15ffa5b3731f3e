package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"badgebridge/openbadges"
	"badgebridge/openbadges/did"
	v1 "badgebridge/openbadges/v1"
	v2 "badgebridge/openbadges/v2"
	v3 "badgebridge/openbadges/v3"
	"badgebridge/store"
	"badgebridge/sync/signing"
)

// publishedProfile is the association as it stands in every document, without
// an id.
func publishedProfile(base string, i store.Issuer) openbadges.Profile {
	p := i.Profile
	p.Image, p.Unknown = nil, nil
	if i.ImageSHA != "" {
		p.Image = &openbadges.Image{ID: base + "/ob/images/" + i.ImageSHA}
	}
	return p
}

// profile30 is the issuer as it stands in a credential. It names its other
// document, as the migration guide of OB 3.0 asks.
func (w *writing) profile30() openbadges.Profile {
	p := publishedProfile(w.base, w.issuer)
	p.ID = w.base + "/ob/v3/issuers/" + w.issuer.ID
	p.Identifiers = []openbadges.IdentifierEntry{{Identifier: w.base + "/ob/v2/issuers/" + w.issuer.ID, Type: "identifier"}}
	return p
}

// IssuerDocument writes our own issuer as a version of Open Badges has it. That
// of 3.0 is its controller document as well: it names the keys. store.ErrNotFound
// when id is not ours.
func (e *Engine) IssuerDocument(ctx context.Context, id string, v openbadges.Version) (doc []byte, err error) {
	issuer, base, err := e.ownIssuer(ctx, id)
	if err != nil {
		return nil, err
	}
	p := publishedProfile(base, issuer)
	switch v {
	case openbadges.V11:
		p.ID = base + "/ob/v1/issuers/" + id
		doc, _, err = v1.EncodeIssuer(p)
		return doc, err
	case openbadges.V20:
		p.ID = base + "/ob/v2/issuers/" + id
		doc, _, err = v2.EncodeIssuer(p)
		return doc, err
	}
	w := writing{e: e, base: base, issuer: issuer}
	if doc, _, err = v3.EncodeProfile(w.profile30()); err != nil {
		return nil, err
	}
	var members map[string]any
	if err := json.Unmarshal(doc, &members); err != nil {
		return nil, err
	}
	dids := []string{webDID(base + "/ob/v3/issuers/" + id), base + "/ob/v2/issuers/" + id}
	if err := e.control(ctx, members, base+"/ob/v3/issuers/"+id, base+"/ob/v3/issuers/"+id, dids); err != nil {
		return nil, err
	}
	return json.Marshal(members)
}

// ownIssuer finds the association by its public id. store.ErrNotFound for any
// other id, and while there is no public address.
func (e *Engine) ownIssuer(ctx context.Context, id string) (store.Issuer, string, error) {
	issuer, err := e.cfg.Store.OwnIssuer(ctx)
	if err != nil {
		return issuer, "", err
	}
	base := e.cfg.BaseURL(ctx)
	if base == "" || id != "" && issuer.ID != id {
		return issuer, "", store.ErrNotFound
	}
	return issuer, base, nil
}

// DIDDocument is the association as did:web: under its own path, or, with id "",
// for the whole host. store.ErrNotFound when id is not ours.
func (e *Engine) DIDDocument(ctx context.Context, id string) ([]byte, error) {
	issuer, base, err := e.ownIssuer(ctx, id)
	if err != nil {
		return nil, err
	}
	profile := base + "/ob/v3/issuers/" + issuer.ID
	self := webDID(base)
	if id != "" {
		self = webDID(profile)
	}
	members := map[string]any{"id": self}
	if err := e.control(ctx, members, self, profile, []string{profile, base + "/ob/v2/issuers/" + issuer.ID}); err != nil {
		return nil, err
	}
	return json.Marshal(members)
}

// webDID is the did:web whose document is at address + "/did.json".
func webDID(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	out := "did:web:" + strings.ReplaceAll(u.Host, ":", "%3A")
	for _, part := range strings.Split(strings.Trim(u.Path, "/"), "/") {
		if part != "" {
			out += ":" + part
		}
	}
	return out
}

// control adds what makes a document a controller document (Controlled
// Identifiers 1.0): all keys that ever signed, the newest first, under the name
// of self. profile is the address that the keys' own addresses begin with.
func (e *Engine) control(ctx context.Context, members map[string]any, self, profile string, aliases []string) error {
	// A verifier may come before anything was signed; then it learns the key that
	// is going to be used.
	if err := e.keys.Ensure(ctx, signing.EdDSA); err != nil {
		return err
	}
	keys, err := e.keys.List(ctx)
	if err != nil {
		return err
	}
	var methods, ids []any
	for _, k := range keys {
		m := map[string]any{"id": self + "#" + k.ID, "controller": self}
		if k.Algorithm == signing.EdDSA {
			m["type"] = "Multikey"
			if m["publicKeyMultibase"], err = did.Multikey(k.Public); err != nil {
				return fmt.Errorf("key %s: %w", k.ID, err)
			}
		} else {
			m["type"] = "JsonWebKey"
			if self == profile {
				m["id"] = keyURL(profile, k.ID)
			}
			if m["publicKeyJwk"], err = jwk(k); err != nil {
				return err
			}
		}
		methods, ids = append(methods, m), append(ids, m["id"])
	}
	contexts := []any{"https://www.w3.org/ns/did/v1"}
	if old, ok := members["@context"].([]any); ok {
		contexts = append(contexts, old...)
	}
	members["@context"] = append(contexts, "https://w3id.org/security/multikey/v1", map[string]any{
		"JsonWebKey":   "https://w3id.org/security#JsonWebKey",
		"publicKeyJwk": map[string]any{"@id": "https://w3id.org/security#publicKeyJwk", "@type": "@json"},
	})
	members["verificationMethod"], members["assertionMethod"] = methods, ids
	members["alsoKnownAs"] = aliases
	return nil
}

// keyURL is where a key has an address of its own, because a JWT's kid has to
// lead to the key itself (OB 3.0, section "JOSE Header").
func keyURL(profile, id string) string { return profile + "/keys/" + id }

func jwk(k signing.Key) (map[string]string, error) {
	out, err := did.JWK(k.Public)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", k.ID, err)
	}
	out["alg"], out["use"] = string(k.Algorithm), "sig"
	return out, nil
}

// KeyDocument is one key at its own address: a JWK that is a verification method
// as well. store.ErrNotFound for a key that is not ours.
func (e *Engine) KeyDocument(ctx context.Context, issuerID, keyID string) ([]byte, error) {
	_, base, err := e.ownIssuer(ctx, issuerID)
	if err != nil {
		return nil, err
	}
	keys, err := e.keys.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if k.ID != keyID {
			continue
		}
		key, err := jwk(k)
		if err != nil {
			return nil, err
		}
		profile := base + "/ob/v3/issuers/" + issuerID
		out := map[string]any{"id": keyURL(profile, keyID), "type": "JsonWebKey", "controller": profile, "publicKeyJwk": key}
		for name, value := range key {
			out[name] = value
		}
		out["kid"] = out["id"]
		return json.Marshal(out)
	}
	return nil, fmt.Errorf("key %s: %w", keyID, store.ErrNotFound)
}

// KeySet is all keys as a JWK set (RFC 7517, section 5), each under the id that
// signatures name it by.
func (e *Engine) KeySet(ctx context.Context) ([]byte, error) {
	issuer, base, err := e.ownIssuer(ctx, "")
	if err != nil {
		return nil, err
	}
	keys, err := e.keys.List(ctx)
	if err != nil {
		return nil, err
	}
	profile := base + "/ob/v3/issuers/" + issuer.ID
	out := struct {
		Keys []map[string]string `json:"keys"`
	}{[]map[string]string{}}
	for _, k := range keys {
		key, err := jwk(k)
		if err != nil {
			return nil, err
		}
		key["kid"] = profile + "#" + k.ID
		if k.Algorithm != signing.EdDSA {
			key["kid"] = keyURL(profile, k.ID)
		}
		out.Keys = append(out.Keys, key)
	}
	return json.Marshal(out)
}

// Keys are the association's signing keys.
func (e *Engine) Keys() *signing.Keys { return e.keys }
