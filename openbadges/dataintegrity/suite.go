package dataintegrity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	_ "crypto/sha256" // links SHA-256
	_ "crypto/sha512" // links SHA-384
	"fmt"
	"math/big"
	"strings"

	"badgebridge/openbadges/did"
)

// suite is how a kind of proof canonicalizes and signs.
type suite struct {
	json  bool // canonical JSON; canonical RDF otherwise
	ecdsa bool // Ed25519 otherwise
}

var (
	eddsaRDFC = &suite{}
	eddsaJCS  = &suite{json: true}
	ecdsaRDFC = &suite{ecdsa: true}
)

// suite is nil for what is not supported.
func (p Proof) suite() *suite {
	_, named := p.Raw["cryptosuite"]
	switch {
	case p.Type == Ed25519Signature2020 && !named:
		return eddsaRDFC
	case p.Type != DataIntegrityProof:
		return nil
	}
	switch p.Cryptosuite {
	case EdDSARDFC2022:
		return eddsaRDFC
	case EdDSAJCS2022:
		return eddsaJCS
	case ECDSARDFC2019:
		return ecdsaRDFC
	}
	return nil
}

// hash is the one that a suite uses with a key. ErrKey where they don't fit.
func (s *suite) hash(key crypto.PublicKey) (crypto.Hash, error) {
	switch k := key.(type) {
	case ed25519.PublicKey:
		if !s.ecdsa && len(k) == ed25519.PublicKeySize {
			return crypto.SHA256, nil
		}
	case *ecdsa.PublicKey:
		if s.ecdsa && k != nil && k.Curve == elliptic.P256() {
			return crypto.SHA256, nil
		}
		if s.ecdsa && k != nil && k.Curve == elliptic.P384() {
			return crypto.SHA384, nil
		}
	}
	want := "an Ed25519 key"
	if s.ecdsa {
		want = "a key on P-256 or P-384"
	}
	return 0, fmt.Errorf("%w: %s is needed, not %T", ErrKey, want, key)
}

// check verifies a signature of the two hashes. hash and key belong together.
func (s *suite) check(key crypto.PublicKey, hash crypto.Hash, signed, signature []byte) error {
	switch k := key.(type) {
	case ed25519.PublicKey:
		if ed25519.Verify(k, signed, signature) {
			return nil
		}
	case *ecdsa.PublicKey:
		half := len(signature) / 2
		d := hash.New()
		d.Write(signed)
		if ecdsa.Verify(k, d.Sum(nil), new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])) {
			return nil
		}
	}
	return ErrSignature
}

// value reads a proof's signature.
func (p Proof) value(hash crypto.Hash) ([]byte, error) {
	text, ok := p.Raw["proofValue"].(string)
	if !ok || !strings.HasPrefix(text, "z") {
		return nil, fmt.Errorf("%w: proofValue is no base58 with the prefix z", ErrMalformed)
	}
	size := 64
	if hash == crypto.SHA384 {
		size = 96
	}
	if len(text) > 2*size {
		return nil, fmt.Errorf("%w: proofValue has %d characters", ErrMalformed, len(text))
	}
	raw, err := did.DecodeMultibase(text)
	if err != nil {
		return nil, fmt.Errorf("%w: proofValue: %w", ErrMalformed, err)
	}
	if len(raw) != size {
		return nil, fmt.Errorf("%w: proofValue has %d bytes, not %d", ErrMalformed, len(raw), size)
	}
	return raw, nil
}
