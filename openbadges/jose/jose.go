// Package jose reads and writes what badges need of JOSE: compact JSON Web
// Signatures (RFC 7515), public JSON Web Keys (RFC 7517, 7638, 8037), and
// credentials as JSON Web Tokens (VC-JWT as Open Badges 3.0 has it, with the
// VC 1.1 form).
//
// It is narrower than a general library on purpose. The key decides what an
// algorithm may be, never the other way round; "none" and the algorithms with a
// shared secret do not exist here; nothing is fetched, so a header's jku and x5u
// are not looked at; a header that two readers could read in two ways is refused.
// Whether a key in a header is anybody's is for the caller to find out.
package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // links SHA-256
	_ "crypto/sha512" // links SHA-384 and SHA-512
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"

	"badgebridge/openbadges/jsonld"
)

// The algorithms. ES256 goes with keys on P-256, ES384 on P-384, EdDSA with
// Ed25519.
const (
	RS256 = "RS256"
	RS384 = "RS384"
	RS512 = "RS512"
	ES256 = "ES256"
	ES384 = "ES384"
	EdDSA = "EdDSA"
)

// The ways in which signed documents and keys fail.
var (
	// ErrMalformed: not a compact JWS, or one that could be read in two ways.
	ErrMalformed = errors.New("jose: malformed")
	// ErrAlgorithm: an algorithm or extension that is not allowed, "none" and HS256
	// among them.
	ErrAlgorithm = errors.New("jose: the algorithm is not allowed")
	// ErrKey: a key that can't be used, or not with this algorithm.
	ErrKey = errors.New("jose: the key does not fit")
	// ErrPrivate: a JWK that gives a secret away.
	ErrPrivate = errors.New("jose: the key is not a public one")
	// ErrSignature: the key did not make the signature.
	ErrSignature = errors.New("jose: the signature does not fit")
)

// Bounds.
const (
	// DefaultMax is how many bytes a compact JWS may have where nothing else is said.
	DefaultMax = 2 << 20
	// MinRSA and MaxRSA are the bits of RSA keys that are used at all. Whether 1024
	// are enough is for the caller to say: see RSABits.
	MinRSA = 1024
	MaxRSA = 8192

	maxHeader = 16 << 10 // bytes of a header
)

// Header is a JWS header.
type Header struct {
	Algorithm string // alg
	KeyID     string // kid: the key's address or identifier
	Type      string // typ
	Content   string // cty
	Key       *JWK   // jwk, the signer's own word only
	// Raw is the whole header as it was read; not looked at when signing.
	Raw map[string]any
}

// JWS is a signed document that has not been verified yet.
type JWS struct {
	Header    Header
	Payload   []byte
	Signature []byte
	signed    []byte // the bytes that the signature is over
}

// Parse reads a compact JWS of at most max bytes (0: DefaultMax). It demands
// three parts of base64url without padding, and a header that is a JSON object
// without a key twice, without "crit", and with an algorithm and, if any, a
// public key that are allowed. It verifies nothing. Errors: ErrMalformed,
// ErrAlgorithm, ErrPrivate, ErrKey.
func Parse(compact []byte, max int) (JWS, error) {
	if max <= 0 {
		max = DefaultMax
	}
	if len(compact) > max {
		return JWS{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(compact))
	}
	first, last := bytes.IndexByte(compact, '.'), bytes.LastIndexByte(compact, '.')
	if bytes.Count(compact, []byte{'.'}) != 2 {
		return JWS{}, fmt.Errorf("%w: not three parts", ErrMalformed)
	}
	rawHeader, err := decode(compact[:first], "header")
	if err != nil {
		return JWS{}, err
	}
	j := JWS{signed: bytes.Clone(compact[:last])}
	if j.Header, err = parseHeader(rawHeader); err != nil {
		return JWS{}, err
	}
	if j.Payload, err = decode(compact[first+1:last], "payload"); err != nil {
		return JWS{}, err
	}
	if j.Signature, err = decode(compact[last+1:], "signature"); err != nil {
		return JWS{}, err
	}
	return j, nil
}

// decode is base64url without padding, in the one way that bytes have.
func decode(part []byte, what string) ([]byte, error) {
	out := make([]byte, base64.RawURLEncoding.DecodedLen(len(part)))
	n, err := base64.RawURLEncoding.Strict().Decode(out, part)
	if err != nil || bytes.ContainsAny(part, "\r\n") {
		return nil, fmt.Errorf("%w: the %s is no base64url", ErrMalformed, what)
	}
	return out[:n], nil
}

func parseHeader(raw []byte) (Header, error) {
	if len(raw) > maxHeader {
		return Header{}, fmt.Errorf("%w: a header of %d bytes", ErrMalformed, len(raw))
	}
	m, err := jsonld.ParseObject(raw, jsonld.Limits{MaxBytes: maxHeader, MaxDepth: 8, MaxValues: 200})
	if err != nil {
		return Header{}, fmt.Errorf("%w: the header: %w", ErrMalformed, err)
	}
	h := Header{Raw: m}
	for member, at := range map[string]*string{"alg": &h.Algorithm, "kid": &h.KeyID, "typ": &h.Type, "cty": &h.Content} {
		v, there := m[member]
		s, ok := v.(string)
		if there && !ok {
			return Header{}, fmt.Errorf("%w: %s in the header is no text", ErrMalformed, member)
		}
		*at = s
	}
	if !allowed(h.Algorithm) {
		return Header{}, fmt.Errorf("%w: %.40q", ErrAlgorithm, h.Algorithm)
	}
	if _, there := m["crit"]; there {
		return Header{}, fmt.Errorf("%w: the header demands an extension (crit)", ErrAlgorithm)
	}
	if b64, there := m["b64"]; there && b64 != true {
		return Header{}, fmt.Errorf("%w: an unencoded payload (b64)", ErrAlgorithm)
	}
	if v, there := m["jwk"]; there {
		o, ok := v.(map[string]any)
		if !ok {
			return Header{}, fmt.Errorf("%w: jwk in the header is no object", ErrMalformed)
		}
		k, err := JWKFromObject(o)
		if err != nil {
			return Header{}, fmt.Errorf("jwk in the header: %w", err)
		}
		h.Key = &k
	}
	return h, nil
}

func allowed(algorithm string) bool {
	switch algorithm {
	case RS256, RS384, RS512, ES256, ES384, EdDSA:
		return true
	}
	return false
}

// Verify checks the signature under a key: *rsa.PublicKey, *ecdsa.PublicKey or
// ed25519.PublicKey. Errors: ErrKey when the key is not of the algorithm's kind
// or too weak, ErrSignature.
func (j JWS) Verify(key crypto.PublicKey) error {
	switch k := key.(type) {
	case *rsa.PublicKey:
		hash, ok := map[string]crypto.Hash{RS256: crypto.SHA256, RS384: crypto.SHA384, RS512: crypto.SHA512}[j.Header.Algorithm]
		if !ok || k == nil || k.N == nil {
			break
		}
		if bits := RSABits(k); bits < MinRSA || bits > MaxRSA {
			return fmt.Errorf("%w: an RSA key of %d bits", ErrKey, bits)
		}
		if rsa.VerifyPKCS1v15(k, hash, digest(hash, j.signed), j.Signature) != nil {
			return ErrSignature
		}
		return nil
	case *ecdsa.PublicKey:
		if k == nil {
			break
		}
		hash, size := crypto.SHA256, 32
		switch {
		case j.Header.Algorithm == ES256 && k.Curve == elliptic.P256():
		case j.Header.Algorithm == ES384 && k.Curve == elliptic.P384():
			hash, size = crypto.SHA384, 48
		default:
			return fmt.Errorf("%w: %s with a key on another curve", ErrKey, j.Header.Algorithm)
		}
		// Two numbers of fixed length (RFC 7518, section 3.4), never ASN.1.
		if len(j.Signature) != 2*size || !ecdsa.Verify(k, digest(hash, j.signed), new(big.Int).SetBytes(j.Signature[:size]), new(big.Int).SetBytes(j.Signature[size:])) {
			return ErrSignature
		}
		return nil
	case ed25519.PublicKey:
		if j.Header.Algorithm != EdDSA || len(k) != ed25519.PublicKeySize {
			break
		}
		if !ed25519.Verify(k, j.signed, j.Signature) {
			return ErrSignature
		}
		return nil
	}
	return fmt.Errorf("%w: %s with %T", ErrKey, j.Header.Algorithm, key)
}

// VerifyJWK is Verify that also holds to what the JWK says of itself: that it is
// for signatures, and for which algorithm.
func (j JWS) VerifyJWK(k JWK) error {
	if k.Use != "" && k.Use != "sig" {
		return fmt.Errorf("%w: it is for %.20q", ErrKey, k.Use)
	}
	if k.Algorithm != "" && k.Algorithm != j.Header.Algorithm {
		return fmt.Errorf("%w: it is for %.20q, not %s", ErrKey, k.Algorithm, j.Header.Algorithm)
	}
	return j.Verify(k.Key)
}

// RSABits is the size of an RSA key, and 0 for other kinds.
func RSABits(key crypto.PublicKey) int {
	if k, ok := key.(*rsa.PublicKey); ok && k != nil && k.N != nil {
		return k.N.BitLen()
	}
	return 0
}

func digest(hash crypto.Hash, data []byte) []byte {
	d := hash.New()
	d.Write(data)
	return d.Sum(nil)
}
