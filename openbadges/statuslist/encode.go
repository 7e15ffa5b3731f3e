package statuslist

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
)

// Limits bound what Decode takes. A zero field takes its default.
type Limits struct {
	MaxBytes   int // of bits, after decompression; 8 MiB, which are 67 million entries of one bit
	MaxEncoded int // characters of the encoded list; 12 MiB
	MinEntries int // MinEntries; 1 for ecosystems that know no crowd
}

func (l Limits) withDefaults() Limits {
	if l.MaxBytes <= 0 {
		l.MaxBytes = 8 << 20
	}
	if l.MaxEncoded <= 0 {
		l.MaxEncoded = 12 << 20
	}
	if l.MinEntries <= 0 {
		l.MinEntries = MinEntries
	}
	return l
}

// Encode writes the list as a BitstringStatusList's encodedList: multibase
// base64url of the GZIP-compressed bits.
func (l *List) Encode() (string, error) {
	s, err := l.EncodeLegacy()
	return "u" + s, err
}

// EncodeLegacy writes the list as a StatusList2021's encodedList, which has no
// multibase prefix.
func (l *List) EncodeLegacy() (string, error) {
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(l.bits)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return "", fmt.Errorf("compress the list: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(buf.Bytes()), nil
}

// Decode reads an encodedList of entries of one bit: of BitstringStatusList, and
// of StatusList2021, whose writers use either alphabet of base64, with and
// without padding. Errors: ErrMalformed, ErrLimit, ErrLength.
func Decode(encoded string, lim Limits) (*List, error) { return DecodeSized(encoded, 1, lim) }

// DecodeSized is Decode for entries of size bits, which the entries of
// credentials say (statusSize), not the list.
func DecodeSized(encoded string, size int, lim Limits) (*List, error) {
	lim = lim.withDefaults()
	if size < 1 || size > maxSize {
		return nil, fmt.Errorf("%w: statusSize %d", ErrMalformed, size)
	}
	if len(encoded) > lim.MaxEncoded {
		return nil, fmt.Errorf("%w: encodedList has %d characters", ErrLimit, len(encoded))
	}
	compressed, err := unbase64(encoded)
	if err != nil {
		return nil, err
	}
	bits, err := gunzip(compressed, lim.MaxBytes)
	if err != nil {
		return nil, err
	}
	l := &List{bits: bits, size: size, entries: len(bits) * 8 / size}
	if l.entries < lim.MinEntries {
		return nil, fmt.Errorf("%w: %d entries, at least %d are needed", ErrLength, l.entries, lim.MinEntries)
	}
	return l, nil
}

// unbase64 tells the forms apart: GZIP begins with 1f8b08, hence "H4sI", so "u"
// at the beginning is the multibase prefix.
func unbase64(s string) ([]byte, error) {
	encoding := base64.RawURLEncoding
	if rest, ok := strings.CutPrefix(s, "u"); ok {
		s = rest
	} else {
		s = strings.TrimRight(s, "=")
		if strings.ContainsAny(s, "+/") {
			encoding = base64.RawStdEncoding
		}
	}
	raw, err := encoding.DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return nil, fmt.Errorf("%w: encodedList is no base64url", ErrMalformed)
	}
	return raw, nil
}

// gunzip never holds more than limit bytes, however much was promised.
func gunzip(compressed []byte, limit int) ([]byte, error) {
	in := bytes.NewReader(compressed)
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("%w: encodedList is not compressed with GZIP", ErrMalformed)
	}
	z.Multistream(false)
	var out bytes.Buffer
	n, err := io.Copy(&out, io.LimitReader(z, int64(limit)+1))
	switch {
	case n > int64(limit):
		return nil, fmt.Errorf("%w: more than %d bytes of bits", ErrLimit, limit)
	case err != nil:
		return nil, fmt.Errorf("%w: encodedList is damaged: %w", ErrMalformed, err)
	case in.Len() > 0:
		return nil, fmt.Errorf("%w: something follows the list", ErrMalformed)
	}
	return out.Bytes(), nil
}
