package verify

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"

	"github.com/gowebpki/jcs"

	"badgebridge/openbadges/did"
	"badgebridge/openbadges/jsonld"
)

var (
	errSuite     = errors.New("the proof's suite is not supported")
	errProof     = errors.New("the proof is malformed")
	errSignature = errors.New("the signature does not fit")
)

func verifyIntegrity(ctx context.Context, proc *jsonld.Processor, doc map[string]any, proof map[string]any, key any) error {
	suite, _ := proof["cryptosuite"].(string)
	pt, _ := proof["type"].(string)
	if pt != "DataIntegrityProof" || suite != "eddsa-rdfc-2022" && suite != "eddsa-jcs-2022" && suite != "ecdsa-rdfc-2019" {
		return fmt.Errorf("%w: %s %s", errSuite, clip(pt), clip(suite))
	}
	value, _ := proof["proofValue"].(string)
	sig, err := did.DecodeMultibase(value)
	if err != nil || !strings.HasPrefix(value, "z") {
		return fmt.Errorf("%w: proofValue can't be read", errProof)
	}
	config := without(proof, "proofValue")
	plain := without(doc, "proof")
	hash := crypto.SHA256
	if suite == "eddsa-jcs-2022" {
		if config["@context"] == nil {
			config["@context"] = doc["@context"]
		}
	} else {
		config["@context"] = doc["@context"]
	}
	k, isEC := key.(*ecdsa.PublicKey)
	if isEC && k.Curve == elliptic.P384() {
		hash = crypto.SHA384
	}
	sum := func(v map[string]any) ([]byte, error) {
		var b []byte
		var err error
		if suite == "eddsa-jcs-2022" {
			raw, _ := json.Marshal(v)
			b, err = jcs.Transform(raw)
		} else {
			b, err = proc.CanonicalizePlain(ctx, v, hash)
		}
		if err != nil {
			return nil, err
		}
		if hash == crypto.SHA384 {
			s := sha512.Sum384(b)
			return s[:], nil
		}
		s := sha256.Sum256(b)
		return s[:], nil
	}
	a, err := sum(config)
	if err != nil {
		return err
	}
	b, err := sum(plain)
	if err != nil {
		return err
	}
	input := append(a, b...)
	switch {
	case strings.HasPrefix(suite, "eddsa"):
		k, ok := key.(ed25519.PublicKey)
		if !ok {
			return fmt.Errorf("%w: wrong kind of key", errProof)
		}
		if !ed25519.Verify(k, input, sig) {
			return errSignature
		}
	default:
		if !isEC {
			return fmt.Errorf("%w: wrong kind of key", errProof)
		}
		d := sha256.Sum256(input)
		if len(sig) != 64 || !ecdsa.Verify(k, d[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
			return errSignature
		}
	}
	return nil
}

func verifyJWS(token, alg string, key any) error {
	i := strings.LastIndexByte(token, '.')
	sig, err := base64.RawURLEncoding.DecodeString(token[i+1:])
	if err != nil {
		return errProof
	}
	sum := sha256.Sum256([]byte(token[:i]))
	switch {
	case alg == "" || strings.EqualFold(alg, "none") || strings.HasPrefix(strings.ToUpper(alg), "HS"):
		return fmt.Errorf("the algorithm %q is not allowed", clip(alg))
	case alg != "EdDSA" && alg != "RS256" && alg != "ES256":
		return fmt.Errorf("%w: algorithm %s", errSuite, clip(alg))
	}
	switch k := key.(type) {
	case ed25519.PublicKey:
		if alg == "EdDSA" && ed25519.Verify(k, []byte(token[:i]), sig) {
			return nil
		}
	case *rsa.PublicKey:
		if alg == "RS256" && rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], sig) == nil {
			return nil
		}
	case *ecdsa.PublicKey:
		if alg == "ES256" && len(sig) == 64 && ecdsa.Verify(k, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
			return nil
		}
	}
	return errSignature
}

func inflateList(encoded string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.TrimPrefix(encoded, "u"), "="))
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(z, 4<<20))
	if len(b) == 4<<20 {
		return nil, fmt.Errorf("too large")
	}
	return b, err
}

const minList = 16 << 10 // bytes

// bits reads the value at a place of a list.
func bits(encoded any, class string, e entry) (uint64, error) {
	text, _ := encoded.(string)
	if class == classList && !strings.HasPrefix(text, "u") {
		return 0, fmt.Errorf("encodedList is not in multibase base64url")
	}
	raw, err := inflateList(text)
	if err != nil {
		return 0, fmt.Errorf("encodedList can't be read: %w", err)
	}
	if len(raw) < minList {
		return 0, fmt.Errorf("the list is shorter than the specification allows")
	}
	var v uint64
	for i := range e.size {
		at := e.index*e.size + i
		if at/8 >= uint64(len(raw)) {
			return 0, fmt.Errorf("the place is not in the list")
		}
		v = v<<1 | uint64(raw[at/8]>>(7-at%8)&1)
	}
	return v, nil
}
