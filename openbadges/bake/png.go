package bake

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"unicode/utf8"
)

var pngSignature = []byte("\x89PNG\r\n\x1a\n")

// chunk is one chunk of a PNG: image[start:end], its length, type and CRC included.
type chunk struct {
	start, end int
	typ        uint32 // the four letters, big-endian
}

// The types of chunk that matter here.
const (
	typeIHDR = 'I'<<24 | 'H'<<16 | 'D'<<8 | 'R'
	typeIDAT = 'I'<<24 | 'D'<<16 | 'A'<<8 | 'T'
	typeIEND = 'I'<<24 | 'E'<<16 | 'N'<<8 | 'D'
	typeITXT = 'i'<<24 | 'T'<<16 | 'X'<<8 | 't'
	typeTEXT = 't'<<24 | 'E'<<16 | 'X'<<8 | 't'
	typeZTXT = 'z'<<24 | 'T'<<16 | 'X'<<8 | 't'
)

func (c chunk) data(image []byte) []byte { return image[c.start+8 : c.end-4] }

func (c chunk) crcGood(image []byte) bool {
	return crc32.ChecksumIEEE(image[c.start+4:c.end-4]) == binary.BigEndian.Uint32(image[c.end-4:])
}

// chunks calls visit for each chunk up to and including IEND and returns where
// IEND stops. The structure is checked (a header first, lengths within the
// picture, an end); checksums are left to whoever reads a chunk.
func chunks(image []byte, visit func(chunk) error) (end int, err error) {
	if len(image) > MaxImage {
		return 0, ErrTooLarge
	}
	if !bytes.HasPrefix(image, pngSignature) {
		return 0, ErrNotAnImage
	}
	pos := len(pngSignature)
	for n := 0; ; n++ {
		if n == maxChunks {
			return 0, ErrTooLarge
		}
		if len(image)-pos < 12 {
			return 0, fmt.Errorf("%w: it ends within a chunk", ErrNotAnImage)
		}
		length := uint64(binary.BigEndian.Uint32(image[pos:]))
		if length > uint64(len(image)-pos-12) {
			return 0, fmt.Errorf("%w: it ends within a chunk", ErrNotAnImage)
		}
		c := chunk{start: pos, end: pos + 12 + int(length), typ: binary.BigEndian.Uint32(image[pos+4:])}
		if (n == 0) != (c.typ == typeIHDR) {
			return 0, fmt.Errorf("%w: the header chunk is missing or not the first", ErrNotAnImage)
		}
		if err := visit(c); err != nil {
			return 0, err
		}
		if c.typ == typeIEND {
			return c.end, nil
		}
		pos = c.end
	}
}

// keyword returns the kind that a text chunk is filed under.
func (c chunk) keyword(image []byte) (Kind, []byte, bool) {
	if c.typ != typeITXT && c.typ != typeTEXT && c.typ != typeZTXT {
		return "", nil, false
	}
	data := c.data(image)
	for _, k := range []Kind{OpenBadges, Credential} {
		if len(data) > len(k) && string(data[:len(k)]) == string(k) && data[len(k)] == 0 {
			return k, data[len(k)+1:], true
		}
	}
	return "", nil, false
}

// PNG bakes text into a PNG: one uncompressed iTXt chunk before the first IDAT.
// Chunks of either keyword that were there before are dropped; every other byte
// is kept, also what follows the end of the picture.
func PNG(image []byte, kind Kind, text []byte) ([]byte, error) {
	if err := checkInput(image, kind, text); err != nil {
		return nil, err
	}
	type span struct{ start, end int }
	var drop []span
	insert := -1
	_, err := chunks(image, func(c chunk) error {
		if _, _, ok := c.keyword(image); ok {
			drop = append(drop, span{c.start, c.end})
		}
		if insert < 0 && (c.typ == typeIDAT || c.typ == typeIEND) {
			insert = c.start
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("bake PNG: %w", err)
	}
	// keyword 0, compression flag and method 0, language "" 0, translated "" 0.
	size := len(kind) + 5 + len(text)
	out := make([]byte, 0, len(image)+12+size)
	pos := 0
	copyTo := func(end int) {
		for len(drop) > 0 && drop[0].start < end {
			out = append(out, image[pos:drop[0].start]...)
			pos, drop = drop[0].end, drop[1:]
		}
		out = append(out, image[pos:end]...)
		pos = end
	}
	copyTo(insert)
	out = binary.BigEndian.AppendUint32(out, uint32(size))
	body := len(out)
	out = append(out, "iTXt"...)
	out = append(out, kind...)
	out = append(out, 0, 0, 0, 0, 0)
	out = append(out, text...)
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[body:]))
	copyTo(len(image))
	return out, nil
}

// StripPNG is Strip for a PNG.
func StripPNG(image []byte) ([]byte, error) {
	out, pos := image, 0
	end, err := chunks(image, func(c chunk) error {
		if _, _, ok := c.keyword(image); ok {
			if pos == 0 {
				out = make([]byte, 0, len(image))
			}
			out, pos = append(out, image[pos:c.start]...), c.end
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("strip PNG: %w", err)
	case pos == 0:
		return image, nil
	}
	return append(out, image[pos:end]...), nil
}

// UnbakePNG reads the first iTXt chunk of either keyword, wherever it is; else
// the first tEXt or zTXt one, which old bakers wrote. Compressed text is
// accepted up to MaxText.
func UnbakePNG(image []byte) (Payload, error) {
	var found, legacy *chunk
	var all []chunk
	_, err := chunks(image, func(c chunk) error {
		if _, _, ok := c.keyword(image); !ok {
			return nil
		}
		if len(all) < 16 {
			all = append(all, c)
		}
		switch {
		case c.typ == typeITXT && found == nil:
			found = &c
		case c.typ != typeITXT && legacy == nil:
			legacy = &c
		}
		return nil
	})
	if err != nil {
		return Payload{}, fmt.Errorf("unbake PNG: %w", err)
	}
	if found == nil {
		found = legacy
	}
	if found == nil {
		return Payload{}, fmt.Errorf("unbake PNG: %w", ErrNotBaked)
	}
	if !found.crcGood(image) {
		return Payload{}, fmt.Errorf("unbake PNG: %w: the checksum is wrong", ErrText)
	}
	kind, rest, _ := found.keyword(image)
	text, err := chunkText(found.typ, rest)
	if err != nil {
		return Payload{}, fmt.Errorf("unbake PNG: %w", err)
	}
	p := Payload{Kind: kind, Text: text}
	for _, c := range all {
		if c.start == found.start {
			continue
		}
		_, rest, _ := c.keyword(image)
		if other, err := chunkText(c.typ, rest); err == nil {
			p.further(other)
		}
	}
	return p, nil
}

// chunkText decodes what follows the keyword of a text chunk.
func chunkText(typ uint32, rest []byte) ([]byte, error) {
	switch typ {
	case typeTEXT:
		return latin1(rest)
	case typeZTXT:
		if len(rest) < 1 || rest[0] != 0 {
			return nil, fmt.Errorf("%w: unknown compression", ErrText)
		}
		text, err := inflate(rest[1:])
		if err != nil {
			return nil, err
		}
		return latin1(text)
	}
	if len(rest) < 2 {
		return nil, fmt.Errorf("%w: the chunk is cut", ErrText)
	}
	compressed, method := rest[0] != 0, rest[1]
	rest = rest[2:]
	for range 2 { // language tag, translated keyword
		i := bytes.IndexByte(rest, 0)
		if i < 0 {
			return nil, fmt.Errorf("%w: the chunk is cut", ErrText)
		}
		rest = rest[i+1:]
	}
	if compressed {
		if method != 0 {
			return nil, fmt.Errorf("%w: unknown compression", ErrText)
		}
		text, err := inflate(rest)
		if err != nil {
			return nil, err
		}
		rest = text
	}
	return cleanText(rest)
}

func cleanText(text []byte) ([]byte, error) {
	if len(text) > MaxText {
		return nil, ErrTooLarge
	}
	text = bytes.TrimSpace(text)
	if len(text) == 0 || !utf8.Valid(text) {
		return nil, ErrText
	}
	return bytes.Clone(text), nil
}

// latin1 reads tEXt and zTXt, which are Latin-1 by the PNG specification and
// UTF-8 with many writers.
func latin1(text []byte) ([]byte, error) {
	if !utf8.Valid(text) {
		var out []byte
		for _, b := range text {
			out = utf8.AppendRune(out, rune(b))
		}
		text = out
	}
	return cleanText(text)
}

func inflate(data []byte) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: damaged compression", ErrText)
	}
	defer z.Close()
	text, err := io.ReadAll(io.LimitReader(z, MaxText+1))
	if err != nil {
		return nil, fmt.Errorf("%w: damaged compression", ErrText)
	}
	if len(text) > MaxText {
		return nil, ErrTooLarge
	}
	return text, nil
}
