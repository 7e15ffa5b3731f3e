package did

import (
	"encoding/base64"
	"fmt"
	"strings"
)

const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// maxMultibase bounds what is decoded, since base58 takes time that grows with
// the square of the length. An RSA-8192 key or a P-384 signature is far below.
const maxMultibase = 4 << 10

// EncodeMultibase writes bytes as base58btc with the multibase prefix "z".
func EncodeMultibase(data []byte) string {
	zeros := 0
	for zeros < len(data) && data[zeros] == 0 {
		zeros++
	}
	var digits []byte // of base 58, lowest first
	for _, b := range data[zeros:] {
		carry := int(b)
		for i := range digits {
			carry += int(digits[i]) << 8
			digits[i] = byte(carry % 58)
			carry /= 58
		}
		for ; carry > 0; carry /= 58 {
			digits = append(digits, byte(carry%58))
		}
	}
	out := make([]byte, 0, 1+zeros+len(digits))
	out = append(out, 'z')
	for range zeros {
		out = append(out, '1')
	}
	for i := len(digits) - 1; i >= 0; i-- {
		out = append(out, base58[digits[i]])
	}
	return string(out)
}

// DecodeMultibase reads base58btc (prefix "z") and base64url without padding
// (prefix "u"). Errors: ErrInvalid, ErrUnsupported for other bases.
func DecodeMultibase(s string) ([]byte, error) {
	if len(s) > maxMultibase || s == "" {
		return nil, fmt.Errorf("%w: %d characters of multibase", ErrInvalid, len(s))
	}
	switch s[0] {
	case 'u':
		raw, err := base64.RawURLEncoding.Strict().DecodeString(s[1:])
		if err != nil || strings.ContainsAny(s, "\r\n") {
			return nil, fmt.Errorf("%w: not base64url", ErrInvalid)
		}
		return raw, nil
	case 'z':
		return decodeBase58(s[1:])
	}
	return nil, fmt.Errorf("%w: multibase %q", ErrUnsupported, s[0])
}

func decodeBase58(s string) ([]byte, error) {
	zeros := 0
	for zeros < len(s) && s[zeros] == '1' {
		zeros++
	}
	var raw []byte // lowest first
	for i := zeros; i < len(s); i++ {
		carry := strings.IndexByte(base58, s[i])
		if carry < 0 {
			return nil, fmt.Errorf("%w: not base58", ErrInvalid)
		}
		for j := range raw {
			carry += int(raw[j]) * 58
			raw[j] = byte(carry)
			carry >>= 8
		}
		for ; carry > 0; carry >>= 8 {
			raw = append(raw, byte(carry))
		}
	}
	out := make([]byte, zeros, zeros+len(raw))
	for i := len(raw) - 1; i >= 0; i-- {
		out = append(out, raw[i])
	}
	return out, nil
}
