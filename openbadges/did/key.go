package did

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
)

// Multicodec prefixes (as unsigned varints) of public keys.
const (
	codecEd25519 = "\xed\x01"
	codecP256    = "\x80\x24"
	codecP384    = "\x81\x24"
)

// Bits of the RSA keys that are read. Whether 1024 are enough is for whoever
// verifies to say.
const (
	minRSA = 1024
	maxRSA = 8192
)

// Multikey writes a key as a publicKeyMultibase (Controlled Identifiers 1.0,
// section "Multikey"): Ed25519, P-256 and P-384.
func Multikey(key any) (string, error) {
	switch k := key.(type) {
	case ed25519.PublicKey:
		if len(k) == ed25519.PublicKeySize {
			return EncodeMultibase([]byte(codecEd25519 + string(k))), nil
		}
	case *ecdsa.PublicKey:
		codec := map[elliptic.Curve]string{elliptic.P256(): codecP256, elliptic.P384(): codecP384}[k.Curve]
		if raw, err := k.Bytes(); err == nil && codec != "" {
			size := (len(raw) - 1) / 2
			sign := byte(2) | raw[len(raw)-1]&1
			return EncodeMultibase(append(append([]byte(codec), sign), raw[1:1+size]...)), nil
		}
	}
	return "", fmt.Errorf("%w: a %T as a Multikey", ErrUnsupported, key)
}

// ParseMultikey reads a publicKeyMultibase.
func ParseMultikey(s string) (any, error) {
	raw, err := DecodeMultibase(s)
	if err != nil {
		return nil, err
	}
	if len(raw) < 2 {
		return nil, fmt.Errorf("%w: a Multikey without a key", ErrInvalid)
	}
	codec, raw := string(raw[:2]), raw[2:]
	switch codec {
	case codecEd25519:
		return ed25519Key(raw)
	case codecP256:
		return compressed(elliptic.P256(), raw)
	case codecP384:
		return compressed(elliptic.P384(), raw)
	}
	return nil, fmt.Errorf("%w: a Multikey of kind %x", ErrUnsupported, codec)
}

func ed25519Key(raw []byte) (any, error) {
	if len(raw) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%w: an Ed25519 key of %d bytes", ErrInvalid, len(raw))
	}
	return ed25519.PublicKey(raw), nil
}

// compressed reads a point as one coordinate and the other's sign.
func compressed(curve elliptic.Curve, raw []byte) (any, error) {
	if len(raw) != 1+(curve.Params().BitSize+7)/8 {
		return nil, fmt.Errorf("%w: a %s key of %d bytes", ErrInvalid, curve.Params().Name, len(raw))
	}
	x, y := elliptic.UnmarshalCompressed(curve, raw)
	if x == nil {
		return nil, fmt.Errorf("%w: a %s key that is not on its curve", ErrInvalid, curve.Params().Name)
	}
	return point(curve, x.Bytes(), y.Bytes())
}

// point makes a key of two coordinates and checks that it is on the curve.
func point(curve elliptic.Curve, x, y []byte) (any, error) {
	size := (curve.Params().BitSize + 7) / 8
	if len(x) > size || len(y) > size {
		return nil, fmt.Errorf("%w: a coordinate is too long", ErrInvalid)
	}
	raw := make([]byte, 1+2*size)
	raw[0] = 4
	copy(raw[1+size-len(x):], x)
	copy(raw[1+2*size-len(y):], y)
	key, err := ecdsa.ParseUncompressedPublicKey(curve, raw)
	if err != nil {
		return nil, fmt.Errorf("%w: a %s key that is not on its curve", ErrInvalid, curve.Params().Name)
	}
	return key, nil
}

// JWK writes a key as a JSON Web Key (RFC 7517, RFC 8037), with no member but
// those that make the key.
func JWK(key any) (map[string]string, error) {
	enc := base64.RawURLEncoding.EncodeToString
	switch k := key.(type) {
	case ed25519.PublicKey:
		return map[string]string{"kty": "OKP", "crv": "Ed25519", "x": enc(k)}, nil
	case *ecdsa.PublicKey:
		if raw, err := k.Bytes(); err == nil && (k.Curve == elliptic.P256() || k.Curve == elliptic.P384()) {
			size := (len(raw) - 1) / 2
			return map[string]string{"kty": "EC", "crv": k.Params().Name, "x": enc(raw[1 : 1+size]), "y": enc(raw[1+size:])}, nil
		}
	case *rsa.PublicKey:
		return map[string]string{"kty": "RSA", "n": enc(k.N.Bytes()), "e": enc(big.NewInt(int64(k.E)).Bytes())}, nil
	}
	return nil, fmt.Errorf("%w: a %T as a JWK", ErrUnsupported, key)
}

// ParseJWK reads a public JSON Web Key. A private or symmetric one is refused:
// whoever publishes it is in trouble that no signature can get them out of.
func ParseJWK(data []byte) (any, error) {
	var j struct {
		Kty string  `json:"kty"`
		Crv string  `json:"crv"`
		X   string  `json:"x"`
		Y   string  `json:"y"`
		N   string  `json:"n"`
		E   string  `json:"e"`
		D   *string `json:"d"`
		K   *string `json:"k"`
		Use string  `json:"use"`
	}
	if len(data) > maxDocument || json.Unmarshal(data, &j) != nil {
		return nil, fmt.Errorf("%w: not a JWK", ErrInvalid)
	}
	if j.D != nil || j.K != nil {
		return nil, fmt.Errorf("%w: a JWK that gives a secret away", ErrInvalid)
	}
	if j.Use != "" && j.Use != "sig" {
		return nil, fmt.Errorf("%w: a JWK that is not for signatures", ErrInvalid)
	}
	var bad bool
	dec := func(s string) []byte {
		raw, err := base64.RawURLEncoding.DecodeString(s)
		bad = bad || err != nil || len(raw) == 0
		return raw
	}
	var key any
	var err error
	switch {
	case j.Kty == "OKP" && j.Crv == "Ed25519":
		key, err = ed25519Key(dec(j.X))
	case j.Kty == "EC" && j.Crv == "P-256":
		key, err = point(elliptic.P256(), dec(j.X), dec(j.Y))
	case j.Kty == "EC" && j.Crv == "P-384":
		key, err = point(elliptic.P384(), dec(j.X), dec(j.Y))
	case j.Kty == "RSA":
		key, err = rsaKey(new(big.Int).SetBytes(dec(j.N)), new(big.Int).SetBytes(dec(j.E)))
	default:
		return nil, fmt.Errorf("%w: a JWK of kind %.20q %.20q", ErrUnsupported, j.Kty, j.Crv)
	}
	if bad {
		return nil, fmt.Errorf("%w: a JWK that is damaged", ErrInvalid)
	}
	return key, err
}

func rsaKey(n, e *big.Int) (any, error) {
	if bits := n.BitLen(); bits < minRSA || bits > maxRSA {
		return nil, fmt.Errorf("%w: an RSA key of %d bits", ErrInvalid, bits)
	}
	if e.BitLen() > 31 || e.Int64() < 3 || e.Bit(0) == 0 {
		return nil, fmt.Errorf("%w: an RSA key with a bad exponent", ErrInvalid)
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}

// ParsePEM reads a public key or certificate's key in PEM: PKIX, or PKCS #1 for
// RSA.
func ParsePEM(text string) (any, error) {
	if len(text) > maxDocument {
		return nil, fmt.Errorf("%w: the PEM key is too large", ErrInvalid)
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, fmt.Errorf("%w: not a PEM key", ErrInvalid)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		if rsaKey, rsaErr := x509.ParsePKCS1PublicKey(block.Bytes); rsaErr == nil {
			key, err = rsaKey, nil
		} else if c, certErr := x509.ParseCertificate(block.Bytes); certErr == nil {
			key, err = c.PublicKey, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the PEM key can't be read", ErrInvalid)
	}
	switch k := key.(type) {
	case ed25519.PublicKey:
		return k, nil
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() || k.Curve == elliptic.P384() {
			return k, nil
		}
	case *rsa.PublicKey:
		return rsaKey(k.N, big.NewInt(int64(k.E)))
	}
	return nil, fmt.Errorf("%w: a PEM key of kind %T", ErrUnsupported, key)
}
