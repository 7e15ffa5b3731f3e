package rdfc

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Parse reads N-Quads (W3C RDF 1.1 N-Quads). The quads come in the order of the
// document, duplicates included. Errors wrap ErrSyntax and name the line.
func Parse(nquads []byte) ([]Quad, error) {
	if !utf8.Valid(nquads) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrSyntax)
	}
	var quads []Quad
	for n, line := range strings.FieldsFunc(string(nquads), func(r rune) bool { return r == '\n' || r == '\r' }) {
		p := parser{rest: strings.TrimLeft(line, " \t")}
		if p.rest == "" || p.rest[0] == '#' {
			continue
		}
		q, ok := p.quad()
		if !ok || !q.valid() {
			return nil, fmt.Errorf("%w: statement %d", ErrSyntax, n+1)
		}
		quads = append(quads, q)
	}
	return quads, nil
}

// parser reads one line; rest is what is left of it.
type parser struct{ rest string }

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t") }

func (p *parser) quad() (Quad, bool) {
	var terms [4]Term
	for i := range terms {
		p.space()
		if p.rest != "" && p.rest[0] == '.' && i == 3 {
			break
		}
		t, ok := p.term()
		if !ok {
			return Quad{}, false
		}
		terms[i] = t
	}
	p.space()
	if !strings.HasPrefix(p.rest, ".") {
		return Quad{}, false
	}
	p.rest = p.rest[1:]
	p.space()
	return Quad{terms[0], terms[1], terms[2], terms[3]}, p.rest == "" || p.rest[0] == '#'
}

func (p *parser) term() (Term, bool) {
	switch {
	case strings.HasPrefix(p.rest, "<"):
		v, ok := p.iri()
		return Term{Kind: IRI, Value: v}, ok
	case strings.HasPrefix(p.rest, "_:"):
		end := 2
		for end < len(p.rest) && strings.IndexByte(" \t<\"", p.rest[end]) < 0 {
			end++
		}
		// A label may hold dots but not end in one: that is the statement's end.
		for end > 2 && p.rest[end-1] == '.' {
			end--
		}
		label := p.rest[2:end]
		p.rest = p.rest[end:]
		return Term{Kind: Blank, Value: label}, label != ""
	case strings.HasPrefix(p.rest, `"`):
		return p.literal()
	}
	return Term{}, false
}

func (p *parser) iri() (string, bool) {
	end := strings.IndexByte(p.rest, '>')
	if end < 0 {
		return "", false
	}
	raw := p.rest[1:end]
	p.rest = p.rest[end+1:]
	return unescape(raw, false)
}

func (p *parser) literal() (Term, bool) {
	end := 1
	for end < len(p.rest) && p.rest[end] != '"' {
		if p.rest[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(p.rest) {
		return Term{}, false
	}
	v, ok := unescape(p.rest[1:end], true)
	if !ok {
		return Term{}, false
	}
	t := Term{Kind: Literal, Value: v}
	p.rest = p.rest[end+1:]
	switch {
	case strings.HasPrefix(p.rest, "@"):
		end := 1
		for end < len(p.rest) && strings.IndexByte(" \t.<_", p.rest[end]) < 0 {
			end++
		}
		t.Language, p.rest = p.rest[1:end], p.rest[end:]
		return t, t.Language != ""
	case strings.HasPrefix(p.rest, "^^<"):
		p.rest = p.rest[2:]
		t.Datatype, ok = p.iri()
		if t.Datatype == XSDString {
			t.Datatype = ""
		}
		return t, ok
	}
	return t, true
}

// unescape resolves \uXXXX and \UXXXXXXXX and, in literals, the short escapes.
func unescape(s string, short bool) (string, bool) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		if i >= len(s) {
			return "", false
		}
		digits := 0
		switch s[i] {
		case 'u':
			digits = 4
		case 'U':
			digits = 8
		default:
			at := strings.IndexByte(`tbnrf"'\`, s[i])
			if !short || at < 0 {
				return "", false
			}
			b.WriteByte("\t\b\n\r\f\"'\\"[at])
			continue
		}
		if i+digits >= len(s) {
			return "", false
		}
		var r uint32
		for _, c := range []byte(s[i+1 : i+1+digits]) {
			at := strings.IndexByte("0123456789abcdef", c|0x20)
			if c < '0' || at < 0 {
				return "", false
			}
			r = r<<4 | uint32(at)
		}
		if r > utf8.MaxRune || !utf8.ValidRune(rune(r)) {
			return "", false
		}
		b.WriteRune(rune(r))
		i += digits
	}
	return b.String(), true
}
