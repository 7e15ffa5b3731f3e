// Package bake writes an assertion into the picture of its badge, and reads it
// out again (Open Badges Baking Specification 2.0, Open Badges 3.0 section
// "Baked badge"). PNG and SVG are supported.
//
// The picture is never decoded and never re-encoded: every byte that does not
// belong to a baked assertion stays what it was. All sizes are bounded, so that
// a hostile picture costs no more than its own length.
package bake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of what is read and written. They are far above any real badge.
const (
	MaxImage  = 32 << 20 // bytes of a picture
	MaxText   = 4 << 20  // bytes of a baked assertion, after decompression
	maxChunks = 20_000   // chunks of a PNG
	maxTokens = 200_000  // tokens of an SVG
	maxDepth  = 512      // nesting of an SVG
)

// The ways in which baking and unbaking fail.
var (
	// ErrNotAnImage: neither PNG nor SVG, or damaged.
	ErrNotAnImage = errors.New("not a PNG or SVG image")
	// ErrNotBaked: a good picture without an assertion in it.
	ErrNotBaked = errors.New("the image holds no badge")
	// ErrTooLarge: one of the limits is passed.
	ErrTooLarge = errors.New("the image or its badge is too large")
	// ErrText: the assertion can't be written, or what was read is no text.
	ErrText = errors.New("the badge in the image is not valid text")
)

// Kind says under which name an assertion is baked.
type Kind string

// The kinds, by their keyword in PNG.
const (
	OpenBadges Kind = "openbadges"          // Open Badges up to 2.1
	Credential Kind = "openbadgecredential" // Open Badges 3.0
)

// Format is a picture format.
type Format string

// The formats.
const (
	FormatPNG Format = "png"
	FormatSVG Format = "svg"
)

// MediaType is the format's media type.
func (f Format) MediaType() string {
	switch f {
	case FormatPNG:
		return "image/png"
	case FormatSVG:
		return "image/svg+xml"
	}
	return "application/octet-stream"
}

// Payload is what was found in a picture.
type Payload struct {
	// Kind is the name that it was baked under. Writers exist that bake one
	// version under another's name: look at Text, not at Kind.
	Kind Kind
	// Text is the assertion as JSON, a compact JWS, or (up to OB 1.0) the URL of
	// a hosted assertion.
	Text []byte
	// Further holds what else was baked in and is not the same text, though the
	// specification allows one only: another reader might take that. At most 8.
	Further [][]byte
}

// further adds to what else a picture holds.
func (p *Payload) further(text []byte) {
	if len(p.Further) < 8 && !bytes.Equal(text, p.Text) {
		p.Further = append(p.Further, text)
	}
}

// Detect names the format of a picture by its content; "" for anything else.
func Detect(image []byte) Format {
	if bytes.HasPrefix(image, pngSignature) {
		return FormatPNG
	}
	start := bytes.TrimLeft(bytes.TrimPrefix(image, bom), " \t\r\n")
	if bytes.HasPrefix(start, []byte("<")) && rootIsSVG(image) {
		return FormatSVG
	}
	return ""
}

// Bake returns the picture with text baked in under kind. An assertion that it
// held before, of either kind, is replaced. text is JSON, a compact JWS or a
// URL. Errors: ErrNotAnImage, ErrTooLarge, ErrText.
func Bake(image []byte, kind Kind, text []byte) ([]byte, error) {
	switch Detect(image) {
	case FormatPNG:
		return PNG(image, kind, text)
	case FormatSVG:
		return SVG(image, kind, text)
	}
	return nil, fmt.Errorf("bake: %w", ErrNotAnImage)
}

// Strip returns the picture without what is baked into it, under either kind; the
// very bytes where there is nothing. Errors: ErrNotAnImage, ErrTooLarge.
func Strip(image []byte) ([]byte, error) {
	switch Detect(image) {
	case FormatPNG:
		return StripPNG(image)
	case FormatSVG:
		return StripSVG(image)
	}
	return nil, fmt.Errorf("strip: %w", ErrNotAnImage)
}

// Unbake returns what is baked into a picture. Errors: ErrNotAnImage,
// ErrNotBaked, ErrTooLarge, ErrText.
func Unbake(image []byte) (Payload, error) {
	switch Detect(image) {
	case FormatPNG:
		return UnbakePNG(image)
	case FormatSVG:
		return UnbakeSVG(image)
	}
	return Payload{}, fmt.Errorf("unbake: %w", ErrNotAnImage)
}

func checkInput(image []byte, kind Kind, text []byte) error {
	switch {
	case kind != OpenBadges && kind != Credential:
		return fmt.Errorf("bake: unknown kind %q", kind)
	case len(image) > MaxImage || len(text) > MaxText:
		return fmt.Errorf("bake: %w", ErrTooLarge)
	case len(bytes.TrimSpace(text)) == 0 || !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0:
		return fmt.Errorf("bake: %w", ErrText)
	}
	return nil
}

// hostedURL finds where a hosted assertion lives, for the verify attribute of
// SVG: its id, or verify.url of Open Badges 1. "" when there is neither.
func hostedURL(text []byte) string {
	var doc struct {
		ID     any `json:"id"`
		Verify any `json:"verify"`
	}
	if json.Unmarshal(text, &doc) != nil {
		return ""
	}
	candidates := []any{doc.ID}
	if m, ok := doc.Verify.(map[string]any); ok {
		candidates = append(candidates, m["url"])
	}
	for _, c := range candidates {
		if s, ok := c.(string); ok && (strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")) {
			return s
		}
	}
	return ""
}

func isJSON(text []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) }
