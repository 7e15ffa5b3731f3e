package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
)

// minSigningRSA is the least that is signed with.
const minSigningRSA = 2048

// AlgorithmFor is the algorithm that Sign uses with a key: RS256, ES256 or
// EdDSA. ErrKey for all others.
func AlgorithmFor(key crypto.PublicKey) (string, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if bits := RSABits(k); bits < minSigningRSA || bits > MaxRSA {
			return "", fmt.Errorf("%w: an RSA key of %d bits", ErrKey, bits)
		}
		return RS256, nil
	case *ecdsa.PublicKey:
		if k != nil && k.Curve == elliptic.P256() {
			return ES256, nil
		}
	case ed25519.PublicKey:
		if len(k) == ed25519.PublicKeySize {
			return EdDSA, nil
		}
	}
	return "", fmt.Errorf("%w: to sign with %T", ErrKey, key)
}

// Sign writes a compact JWS. The algorithm follows from the key (RS256 with RSA
// of at least 2048 bits, ES256 with P-256, EdDSA with Ed25519); one that the
// header names has to be that one. Of the header, alg, typ, cty, kid and jwk are
// written. Errors: ErrAlgorithm, ErrKey, the signer's.
func Sign(h Header, payload []byte, key crypto.Signer) (string, error) {
	algorithm, err := AlgorithmFor(key.Public())
	if err != nil {
		return "", err
	}
	if h.Algorithm != "" && h.Algorithm != algorithm {
		return "", fmt.Errorf("%w: %.20q, where the key makes %s", ErrAlgorithm, h.Algorithm, algorithm)
	}
	header, err := json.Marshal(struct {
		Alg string `json:"alg"`
		Typ string `json:"typ,omitempty"`
		Cty string `json:"cty,omitempty"`
		Kid string `json:"kid,omitempty"`
		JWK *JWK   `json:"jwk,omitempty"`
	}{algorithm, h.Type, h.Content, h.KeyID, h.Key})
	if err != nil {
		return "", fmt.Errorf("write the header: %w", err)
	}
	enc := base64.RawURLEncoding
	out := make([]byte, 0, enc.EncodedLen(len(header))+enc.EncodedLen(len(payload))+400)
	out = enc.AppendEncode(out, header)
	out = append(out, '.')
	out = enc.AppendEncode(out, payload)
	signature, err := sign(algorithm, out, key)
	if err != nil {
		return "", err
	}
	out = append(out, '.')
	return string(enc.AppendEncode(out, signature)), nil
}

func sign(algorithm string, data []byte, key crypto.Signer) ([]byte, error) {
	hash, input := crypto.Hash(0), data
	if algorithm != EdDSA {
		hash = crypto.SHA256
		input = digest(hash, data)
	}
	signature, err := key.Sign(rand.Reader, input, hash)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	if algorithm != ES256 {
		return signature, nil
	}
	// Signers give ASN.1; a JWS has two numbers of fixed length.
	var pair struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(signature, &pair); err != nil || len(rest) > 0 || pair.R.Sign() <= 0 || pair.S.Sign() <= 0 || pair.R.BitLen() > 256 || pair.S.BitLen() > 256 {
		return nil, fmt.Errorf("%w: the signer made no ECDSA signature", ErrKey)
	}
	raw := make([]byte, 64)
	pair.R.FillBytes(raw[:32])
	pair.S.FillBytes(raw[32:])
	return raw, nil
}
