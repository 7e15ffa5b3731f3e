package jose

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"

	"badgebridge/openbadges/did"
	"badgebridge/openbadges/jsonld"
)

const (
	maxJWK  = 16 << 10 // bytes of one key
	maxSet  = 1 << 20  // bytes of a set
	maxKeys = 256      // of a set
)

// JWK is a public JSON Web Key: RSA, EC on P-256 or P-384, or Ed25519.
type JWK struct {
	Key       crypto.PublicKey
	KeyID     string // kid
	Algorithm string // alg: the one that it is for; "" for any that fits
	Use       string // "sig" or ""
}

// ParseJWK reads a JWK. One with private members, or of a shared secret, is
// ErrPrivate: whoever published it has to be told. Other errors: ErrMalformed,
// ErrKey for kinds that are not supported and for keys that are not for
// signatures.
func ParseJWK(data []byte) (JWK, error) {
	m, err := jsonld.ParseObject(data, jsonld.Limits{MaxBytes: maxJWK, MaxDepth: 4, MaxValues: 200})
	if err != nil {
		return JWK{}, fmt.Errorf("%w: the JWK: %w", ErrMalformed, err)
	}
	return JWKFromObject(m)
}

// JWKFromObject is ParseJWK for an object that was read already, by
// jsonld.Parse.
func JWKFromObject(m map[string]any) (JWK, error) {
	for _, secret := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if _, there := m[secret]; there {
			return JWK{}, fmt.Errorf("%w: it has the member %q", ErrPrivate, secret)
		}
	}
	if m["kty"] == "oct" {
		return JWK{}, fmt.Errorf("%w: it is a shared secret", ErrPrivate)
	}
	k := JWK{}
	public := map[string]string{}
	for _, member := range []string{"kty", "crv", "x", "y", "n", "e", "use", "kid", "alg"} {
		v, there := m[member]
		s, ok := v.(string)
		if there && !ok {
			return JWK{}, fmt.Errorf("%w: %s in the JWK is no text", ErrMalformed, member)
		}
		if there {
			public[member] = s
		}
	}
	k.KeyID, k.Algorithm, k.Use = public["kid"], public["alg"], public["use"]
	delete(public, "kid")
	delete(public, "alg")
	if v, there := m["key_ops"]; there {
		ops, _ := v.([]any)
		verify := false
		for _, op := range ops {
			verify = verify || op == "verify"
		}
		if !verify {
			return JWK{}, fmt.Errorf("%w: the JWK is not for verifying (key_ops)", ErrKey)
		}
	}
	raw, err := json.Marshal(public)
	if err != nil || len(raw) > maxJWK {
		return JWK{}, fmt.Errorf("%w: the JWK is too large", ErrMalformed)
	}
	if k.Key, err = did.ParseJWK(raw); err != nil {
		kind := ErrMalformed
		if errors.Is(err, did.ErrUnsupported) || public["use"] == "enc" {
			kind = ErrKey
		}
		return JWK{}, fmt.Errorf("%w: %w", kind, err)
	}
	return k, nil
}

// MarshalJSON writes the public key, with kid, alg and use where they are set.
func (k JWK) MarshalJSON() ([]byte, error) {
	m, err := did.JWK(k.Key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	for member, v := range map[string]string{"kid": k.KeyID, "alg": k.Algorithm, "use": k.Use} {
		if v != "" {
			m[member] = v
		}
	}
	return json.Marshal(m) //nolint:wrapcheck // texts only
}

// UnmarshalJSON is ParseJWK.
func (k *JWK) UnmarshalJSON(data []byte) error {
	read, err := ParseJWK(data)
	if err == nil {
		*k = read
	}
	return err
}

// Thumbprint names the key by its content (RFC 7638): base64url of the SHA-256
// of its required members.
func (k JWK) Thumbprint() (string, error) {
	m, err := did.JWK(k.Key) // the required members, and no others
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrKey, err)
	}
	raw, err := json.Marshal(m) // in the order of their names, without space
	if err != nil {
		return "", fmt.Errorf("thumbprint: %w", err)
	}
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// JWKSet is a JSON Web Key Set.
type JWKSet struct {
	Keys []JWK
	// Unread says why keys were left out (RFC 7517, section 5, has readers ignore
	// those that they do not know).
	Unread []error
}

// ParseJWKSet reads a JWK Set of at most 1 MiB and 256 keys. A key of a kind
// that is not known or not for signatures is left out and in Unread; a damaged or
// private one, and one kid for two keys, is an error of the set.
func ParseJWKSet(data []byte) (JWKSet, error) {
	m, err := jsonld.ParseObject(data, jsonld.Limits{MaxBytes: maxSet, MaxDepth: 8})
	if err != nil {
		return JWKSet{}, fmt.Errorf("%w: the JWK Set: %w", ErrMalformed, err)
	}
	list, ok := m["keys"].([]any)
	if !ok || len(list) > maxKeys {
		return JWKSet{}, fmt.Errorf("%w: a JWK Set without a list of at most %d keys", ErrMalformed, maxKeys)
	}
	var set JWKSet
	seen := map[string]bool{}
	for i, v := range list {
		o, ok := v.(map[string]any)
		if !ok {
			return JWKSet{}, fmt.Errorf("%w: key %d of the set is no object", ErrMalformed, i+1)
		}
		k, err := JWKFromObject(o)
		switch {
		case errors.Is(err, ErrKey):
			set.Unread = append(set.Unread, fmt.Errorf("key %d: %w", i+1, err))
			continue
		case err != nil:
			return JWKSet{}, fmt.Errorf("key %d of the set: %w", i+1, err)
		case k.KeyID != "" && seen[k.KeyID]:
			return JWKSet{}, fmt.Errorf("%w: two keys of the set are called %.100q", ErrMalformed, k.KeyID)
		}
		seen[k.KeyID] = true
		set.Keys = append(set.Keys, k)
	}
	return set, nil
}

// MarshalJSON writes the set.
func (s JWKSet) MarshalJSON() ([]byte, error) {
	keys := s.Keys
	if keys == nil {
		keys = []JWK{}
	}
	return json.Marshal(map[string][]JWK{"keys": keys}) //nolint:wrapcheck // the keys' own
}

// Key finds a key by its kid.
func (s JWKSet) Key(id string) (JWK, bool) {
	for _, k := range s.Keys {
		if k.KeyID == id {
			return k, true
		}
	}
	return JWK{}, false
}

// ParsePEM reads a public key or a certificate's key in PEM, as Open Badges 1
// and 2 have them. Errors: ErrMalformed, ErrKey for kinds that are not supported.
func ParsePEM(text string) (crypto.PublicKey, error) {
	key, err := did.ParsePEM(text)
	if errors.Is(err, did.ErrUnsupported) {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return key, nil
}

// MarshalPEM writes a public key as PKIX in PEM.
func MarshalPEM(key crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("%w: %T in PEM", ErrKey, key)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}
