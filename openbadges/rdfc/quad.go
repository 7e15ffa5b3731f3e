// Package rdfc brings RDF datasets into canonical form: RDF Dataset
// Canonicalization, RDFC-1.0 (W3C Recommendation, 21 May 2024), with SHA-256 or
// SHA-384. It reads and writes canonical N-Quads.
//
// Two datasets that differ only in the names of their blank nodes and in the
// order of their statements have the same canonical form, byte for byte. That
// is what the Data Integrity suites whose names contain "rdfc" sign.
//
// For some datasets ("poison graphs") the algorithm takes time exponential in
// their size. The work is counted, and Canonicalize ends with ErrTooComplex when
// a budget is used up; it also ends when its context does.
package rdfc

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// The ways in which reading and canonicalizing fail.
var (
	// ErrSyntax: not N-Quads.
	ErrSyntax = errors.New("rdfc: not valid N-Quads")
	// ErrInvalidTerm: a quad that no N-Quads document can hold, such as a literal
	// as its subject or a space in an IRI.
	ErrInvalidTerm = errors.New("rdfc: invalid term")
	// ErrTooComplex: the budget is used up, or there are too many quads.
	ErrTooComplex = errors.New("rdfc: the graph is too complex")
)

// Datatypes that N-Quads treats in a way of its own.
const (
	XSDString  = "http://www.w3.org/2001/XMLSchema#string"
	LangString = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
)

// Kind says what a Term is.
type Kind uint8

// The kinds. None is the graph of a quad in the default graph.
const (
	None Kind = iota
	IRI
	Blank
	Literal
)

// Term is one part of a quad.
type Term struct {
	Kind Kind
	// Value is the IRI, the blank node's label without "_:", or the literal's
	// lexical form.
	Value string
	// Datatype is a literal's datatype; "" means xsd:string, or rdf:langString
	// when there is a Language.
	Datatype string
	// Language is a literal's language tag.
	Language string
}

// Quad is a statement in a graph. Graph is the zero Term in the default graph.
type Quad struct {
	Subject, Predicate, Object, Graph Term
}

// String is the quad in canonical N-Quads, with the final newline.
func (q Quad) String() string { return string(q.append(nil, keepLabel)) }

// keepLabel names blank nodes by their own labels.
func keepLabel(label string) string { return label }

// append adds the quad in canonical N-Quads; label names the blank nodes.
func (q Quad) append(dst []byte, label func(string) string) []byte {
	dst = q.Subject.append(dst, label)
	dst = append(dst, ' ')
	dst = q.Predicate.append(dst, label)
	dst = append(dst, ' ')
	dst = q.Object.append(dst, label)
	if q.Graph.Kind != None {
		dst = append(dst, ' ')
		dst = q.Graph.append(dst, label)
	}
	return append(dst, " .\n"...)
}

func (t Term) append(dst []byte, label func(string) string) []byte {
	switch t.Kind {
	case IRI:
		dst = append(dst, '<')
		dst = append(dst, t.Value...)
		return append(dst, '>')
	case Blank:
		dst = append(dst, "_:"...)
		return append(dst, label(t.Value)...)
	case Literal:
		dst = append(dst, '"')
		dst = appendEscaped(dst, t.Value)
		dst = append(dst, '"')
		switch {
		case t.Language != "":
			dst = append(dst, '@')
			dst = append(dst, t.Language...)
		case t.Datatype != "" && t.Datatype != XSDString:
			dst = append(dst, "^^<"...)
			dst = append(dst, t.Datatype...)
			dst = append(dst, '>')
		}
	}
	return dst
}

// appendEscaped escapes as the canonical form of N-Quads asks (RDF 1.2 N-Quads,
// section "Canonical N-Quads"): the short escapes where there is one, \u00XX for
// the other control characters, and everything else as it is.
func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c != 0x7f {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '"', '\\':
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(dst, s[start:]...)
}

// valid tells whether the quad can be written as N-Quads without changing what
// it, or any line near it, means.
func (q Quad) valid() bool {
	return (q.Subject.Kind == IRI || q.Subject.Kind == Blank) && q.Subject.valid() &&
		q.Predicate.Kind == IRI && q.Predicate.valid() &&
		q.Object.Kind != None && q.Object.valid() &&
		q.Graph.Kind != Literal && q.Graph.valid()
}

// validAfter is valid, for a quad that follows one that is: what both have needs
// no second look.
func (q *Quad) validAfter(before *Quad) bool {
	if before == nil {
		return q.valid()
	}
	return (q.Subject == before.Subject || (q.Subject.Kind == IRI || q.Subject.Kind == Blank) && q.Subject.valid()) &&
		(q.Predicate == before.Predicate || q.Predicate.Kind == IRI && q.Predicate.valid()) &&
		q.Object.Kind != None && q.Object.valid() &&
		(q.Graph == before.Graph || q.Graph.Kind != Literal && q.Graph.valid())
}

func (t Term) valid() bool {
	switch t.Kind {
	case None:
		return t == Term{}
	case IRI:
		return ValidIRI(t.Value)
	case Blank:
		return t.Value != ""
	case Literal:
		if !utf8.ValidString(t.Value) {
			return false
		}
		if t.Language != "" {
			return ValidLanguage(t.Language) && (t.Datatype == "" || t.Datatype == LangString)
		}
		return t.Datatype != LangString && (t.Datatype == "" || ValidIRI(t.Datatype))
	}
	return false
}

// The characters that an IRIREF can't hold, a bit for each: those up to the space
// and <>", and those from 64 on: \^`{|}.
const (
	notInIRILow  = 1<<33 - 1 | 1<<'"' | 1<<'<' | 1<<'>'
	notInIRIHigh = 1<<('\\'-64) | 1<<('^'-64) | 1<<('`'-64) | 1<<('{'-64) | 1<<('|'-64) | 1<<('}'-64)
)

// ValidIRI tells whether s is an absolute IRI as far as N-Quads cares: a scheme,
// a colon, and none of the characters that an IRIREF can't hold.
func ValidIRI(s string) bool {
	colon := strings.IndexByte(s, ':')
	if colon <= 0 || !utf8.ValidString(s) {
		return false
	}
	for i := range colon {
		c := s[i] | 0x20
		letter := c >= 'a' && c <= 'z'
		other := s[i] >= '0' && s[i] <= '9' || s[i] == '+' || s[i] == '-' || s[i] == '.'
		if !letter && (i == 0 || !other) {
			return false
		}
	}
	for i := colon; i < len(s); i++ {
		if c := s[i]; c < 64 && notInIRILow>>c&1 != 0 || c >= 64 && c < 128 && notInIRIHigh>>(c-64)&1 != 0 {
			return false
		}
	}
	return true
}

// ValidLanguage tells whether s has the form of a language tag in N-Quads.
func ValidLanguage(s string) bool {
	for n, part := range strings.Split(s, "-") {
		if part == "" {
			return false
		}
		for i := 0; i < len(part); i++ {
			c := part[i] | 0x20
			if (c < 'a' || c > 'z') && (n == 0 || part[i] < '0' || part[i] > '9') {
				return false
			}
		}
	}
	return true
}
