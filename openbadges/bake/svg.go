package bake

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

var bom = []byte("\xef\xbb\xbf")

// The namespaces of baked elements, and what each kind is written as.
const (
	nsOpenBadges = "http://openbadges.org"
	nsCredential = "https://purl.imsglobal.org/ob/v3p0"
	svgPrefix    = "openbadges"
)

func (k Kind) namespace() string {
	if k == Credential {
		return nsCredential
	}
	return nsOpenBadges
}

func (k Kind) element() string {
	if k == Credential {
		return "credential"
	}
	return "assertion"
}

// baked is an element that holds an assertion.
type baked struct {
	start, end int // its bytes
	kind       Kind
	verify     string
	body       []byte
}

// svgMap is where things are in an SVG.
type svgMap struct {
	root       string // the root's name as written, "svg" or "x:svg"
	tagEnd     int    // just behind the root's start tag
	nameEnd    int    // where the name in the root's start tag ends
	empty      bool   // the root is written <svg/>
	prefixHas  string // what the prefix "openbadges" is bound to on the root
	prefixIs   bool   // whether it is bound there
	assertions []baked
}

// rootIsSVG looks no further than the root's start tag.
func rootIsSVG(image []byte) bool {
	d := newDecoder(image)
	for range 1000 {
		tok, err := d.RawToken()
		if err != nil {
			return false
		}
		if s, ok := tok.(xml.StartElement); ok {
			return s.Name.Local == "svg"
		}
	}
	return false
}

func newDecoder(image []byte) *xml.Decoder {
	d := xml.NewDecoder(bytes.NewReader(image))
	// Drawing programs write entities that are declared in the document type;
	// not being strict leaves them as they are. Nothing is ever expanded.
	d.Strict = false
	d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		switch strings.ToLower(charset) {
		case "utf-8", "utf8", "us-ascii", "ascii":
			return in, nil
		}
		return nil, fmt.Errorf("the character set %q is not supported", charset)
	}
	return d
}

// scan maps an SVG. It works on raw tokens: names are resolved against the
// namespace declarations here, because the offsets have to be those of the text.
func scan(image []byte) (*svgMap, error) {
	if len(image) > MaxImage {
		return nil, ErrTooLarge
	}
	d := newDecoder(image)
	m := &svgMap{}
	var scopes []map[string]string // one a level; nil where nothing is declared
	var open *baked
	openDepth := 0
	for n := 0; ; n++ {
		if n == maxTokens {
			return nil, ErrTooLarge
		}
		start := int(d.InputOffset())
		tok, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotAnImage, err)
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if len(scopes) == maxDepth {
				return nil, ErrTooLarge
			}
			scopes = append(scopes, declared(t.Attr))
			if m.root == "" {
				if t.Name.Local != "svg" {
					return nil, ErrNotAnImage
				}
				m.tagEnd = int(d.InputOffset())
				m.root = rawName(t.Name)
				m.nameEnd = start + 1 + len(m.root)
				if !bytes.HasPrefix(image[start:], []byte("<"+m.root)) {
					return nil, fmt.Errorf("%w: its root has a damaged name", ErrNotAnImage)
				}
				m.empty = bytes.HasSuffix(image[:m.tagEnd], []byte("/>"))
				m.prefixHas, m.prefixIs = scopes[0][svgPrefix]
				continue
			}
			if kind, ok := bakedKind(t.Name, scopes); ok && open == nil {
				open = &baked{start: start, kind: kind}
				openDepth = len(scopes)
				for _, a := range t.Attr {
					if a.Name.Local == "verify" && a.Name.Space == "" {
						open.verify = a.Value
					}
				}
			}
		case xml.EndElement:
			if len(scopes) == 0 {
				return nil, fmt.Errorf("%w: an end tag too many", ErrNotAnImage)
			}
			if open != nil && len(scopes) == openDepth {
				open.end = int(d.InputOffset())
				m.assertions = append(m.assertions, *open)
				open = nil
			}
			scopes = scopes[:len(scopes)-1]
		case xml.CharData:
			if open != nil && len(scopes) == openDepth {
				if len(open.body)+len(t) > MaxText {
					return nil, ErrTooLarge
				}
				open.body = append(open.body, t...)
			}
		}
	}
	if m.root == "" || len(scopes) != 0 {
		return nil, fmt.Errorf("%w: it has no root or ends too early", ErrNotAnImage)
	}
	return m, nil
}

func declared(attrs []xml.Attr) map[string]string {
	var out map[string]string
	for _, a := range attrs {
		prefix := ""
		switch {
		case a.Name.Space == "xmlns":
			prefix = a.Name.Local
		case a.Name.Space == "" && a.Name.Local == "xmlns":
		default:
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[prefix] = a.Value
	}
	return out
}

// bakedKind recognizes an element that holds an assertion. A prefix that is not
// declared at all is taken by its usual name, because such files exist.
func bakedKind(name xml.Name, scopes []map[string]string) (Kind, bool) {
	if name.Local != "assertion" && name.Local != "credential" {
		return "", false
	}
	ns, known := "", false
	for i := len(scopes) - 1; i >= 0 && !known; i-- {
		ns, known = scopes[i][name.Space]
	}
	switch strings.TrimSuffix(ns, "/") {
	case nsOpenBadges, "https://openbadges.org":
		return OpenBadges, true
	case nsCredential:
		return Credential, true
	}
	if !known && name.Space == svgPrefix {
		if name.Local == "credential" {
			return Credential, true
		}
		return OpenBadges, true
	}
	return "", false
}

func rawName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// SVG bakes text into an SVG: an element directly behind the root's start tag.
// JSON becomes its body, a JWS or a URL its attribute "verify"; a hosted
// assertion gets both. Elements that were baked in before are dropped; every
// other byte is kept.
func SVG(image []byte, kind Kind, text []byte) ([]byte, error) {
	if err := checkInput(image, kind, text); err != nil {
		return nil, err
	}
	m, err := scan(image)
	if err != nil {
		return nil, fmt.Errorf("bake SVG: %w", err)
	}
	for _, r := range string(text) {
		if !xmlChar(r) {
			return nil, fmt.Errorf("bake SVG: %w: it holds a control character", ErrText)
		}
	}
	var el bytes.Buffer
	el.WriteString("<" + svgPrefix + ":" + kind.element())
	if m.prefixIs && m.prefixHas != kind.namespace() {
		// The root binds the prefix to the other version's namespace.
		el.WriteString(` xmlns:` + svgPrefix + `="` + kind.namespace() + `"`)
	}
	verify := strings.TrimSpace(string(text))
	if isJSON(text) {
		verify = ""
		if kind == OpenBadges {
			verify = hostedURL(text)
		}
	}
	if verify != "" {
		el.WriteString(` verify="`)
		xml.EscapeText(&el, []byte(verify))
		el.WriteString(`"`)
	}
	if isJSON(text) {
		el.WriteString("><![CDATA[")
		el.Write(bytes.ReplaceAll(text, []byte("]]>"), []byte("]]]]><![CDATA[>")))
		el.WriteString("]]></" + svgPrefix + ":" + kind.element() + ">")
	} else {
		el.WriteString("/>")
	}

	// Behind the name, because what an attribute at the end lacks would be taken
	// from what follows it.
	tag := image[m.nameEnd:m.tagEnd]
	tail := ">"
	if m.empty {
		tail = "/>"
	}
	out := make([]byte, 0, len(image)+el.Len()+128)
	out = append(out, image[:m.nameEnd]...)
	if !m.prefixIs {
		out = append(out, ` xmlns:`+svgPrefix+`="`+kind.namespace()+`"`...)
	}
	out = append(out, bytes.TrimSuffix(tag, []byte(tail))...)
	out = append(out, '>')
	out = append(out, el.Bytes()...)
	if m.empty {
		out = append(out, "</"+m.root+">"...)
	}
	pos := m.tagEnd
	for _, old := range m.assertions {
		out = append(out, image[pos:old.start]...)
		pos = old.end
	}
	return append(out, image[pos:]...), nil
}

// StripSVG is Strip for an SVG.
func StripSVG(image []byte) ([]byte, error) {
	m, err := scan(image)
	if err != nil {
		return nil, fmt.Errorf("strip SVG: %w", err)
	}
	if len(m.assertions) == 0 {
		return image, nil
	}
	out, pos := make([]byte, 0, len(image)), 0
	for _, old := range m.assertions {
		out = append(out, image[pos:old.start]...)
		pos = old.end
	}
	return append(out, image[pos:]...), nil
}

// xmlChar is the Char production of XML 1.0.
func xmlChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

// UnbakeSVG reads the first baked element: its body, or where that is empty its
// attribute "verify".
func UnbakeSVG(image []byte) (Payload, error) {
	m, err := scan(image)
	if err != nil {
		return Payload{}, fmt.Errorf("unbake SVG: %w", err)
	}
	var found *Payload
	for _, b := range m.assertions {
		raw := b.body
		if len(bytes.TrimSpace(raw)) == 0 {
			raw = []byte(b.verify)
		}
		if len(bytes.TrimSpace(raw)) == 0 {
			continue
		}
		text, err := cleanText(raw)
		switch {
		case found != nil && err == nil:
			found.further(text)
			continue
		case found != nil:
			continue
		case err != nil:
			return Payload{}, fmt.Errorf("unbake SVG: %w", err)
		}
		found = &Payload{Kind: b.kind, Text: text}
		if verify, err := cleanText([]byte(b.verify)); err == nil {
			found.further(verify)
		}
	}
	if found != nil {
		return *found, nil
	}
	return Payload{}, fmt.Errorf("unbake SVG: %w", ErrNotBaked)
}
