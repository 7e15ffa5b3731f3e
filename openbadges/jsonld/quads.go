package jsonld

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/gowebpki/jcs"

	"badgebridge/openbadges/rdfc"
)

const (
	rdfNS  = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
	xsdNS  = "http://www.w3.org/2001/XMLSchema#"
	rdfNil = rdfNS + "nil"
)

// toQuads is the JSON-LD API's "Deserialize JSON-LD to RDF", except that what
// can't be said in RDF is an error, where that algorithm leaves it out.
// presented tells whether what a presentation holds is to be put into graphs here.
func toQuads(expanded []any, presented bool) ([]rdfc.Quad, error) {
	e := &emitter{presented: presented}
	for _, v := range expanded {
		node, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%w: a value that belongs to nothing", ErrUnsafe)
		}
		if _, err := e.node(node, rdfc.Term{}); err != nil {
			return nil, err
		}
	}
	if len(e.quads) == 0 {
		return nil, fmt.Errorf("%w: the document states nothing", ErrUnsafe)
	}
	return e.quads, nil
}

type emitter struct {
	quads     []rdfc.Quad
	blank     int
	presented bool
}

// verifiableCredential is what a presentation holds: a graph for each, in the data
// models 1.1 and 2.0. json-gold looks for the term's container in the term's own
// context, which in 2.0 is null, and so makes no graphs there.
const verifiableCredential = "https://www.w3.org/2018/credentials#verifiableCredential"

// inGraph puts into its graph what json-gold left outside.
func (e *emitter) inGraph(v any) (any, error) {
	m, ok := v.(map[string]any)
	if _, has := m["@graph"]; has {
		return v, nil
	}
	if !ok || !e.presented {
		return nil, fmt.Errorf("%w: a credential that is presented without a graph of its own", ErrUnsupported)
	}
	return map[string]any{"@graph": []any{v}}, nil
}

func iri(s string) rdfc.Term { return rdfc.Term{Kind: rdfc.IRI, Value: s} }

// fresh makes a blank node. The documents' own labels begin with another letter.
func (e *emitter) fresh() rdfc.Term {
	e.blank++
	return rdfc.Term{Kind: rdfc.Blank, Value: "g" + strconv.Itoa(e.blank)}
}

// resource is the term of an @id or an @type.
func resource(v any) (rdfc.Term, error) {
	s, ok := v.(string)
	if label, blank := strings.CutPrefix(s, "_:"); ok && blank && label != "" {
		return rdfc.Term{Kind: rdfc.Blank, Value: "d" + label}, nil
	}
	if !ok || !rdfc.ValidIRI(s) {
		return rdfc.Term{}, fmt.Errorf("%w: %.200q is no absolute IRI", ErrUnsafe, fmt.Sprint(v))
	}
	return iri(s), nil
}

func (e *emitter) emit(s rdfc.Term, predicate string, o, graph rdfc.Term) {
	e.quads = append(e.quads, rdfc.Quad{Subject: s, Predicate: iri(predicate), Object: o, Graph: graph})
}

// node states all that a node object says and returns the node.
func (e *emitter) node(m map[string]any, graph rdfc.Term) (rdfc.Term, error) {
	var self rdfc.Term
	if id, ok := m["@id"]; ok {
		var err error
		if self, err = resource(id); err != nil {
			return self, err
		}
	} else {
		if len(m) == 0 {
			return self, fmt.Errorf("%w: an object that states nothing", ErrUnsafe)
		}
		self = e.fresh()
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if err := e.property(self, key, m[key], graph); err != nil {
			return self, err
		}
	}
	return self, nil
}

func (e *emitter) property(self rdfc.Term, key string, v any, graph rdfc.Term) error {
	switch key {
	case "@id":
		return nil
	case "@type":
		for _, t := range list(v) {
			term, err := resource(t)
			if err != nil {
				return err
			}
			e.emit(self, rdfNS+"type", term, graph)
		}
		return nil
	case "@graph":
		return e.nodes(v, self)
	case "@reverse":
		return e.reverse(self, v, graph)
	}
	if strings.HasPrefix(key, "@") || !rdfc.ValidIRI(key) || strings.HasPrefix(key, "_:") {
		return fmt.Errorf("%w: %.200q is no property", ErrUnsafe, key)
	}
	for _, o := range list(v) {
		if key == verifiableCredential {
			var err error
			if o, err = e.inGraph(o); err != nil {
				return err
			}
		}
		term, err := e.object(o, graph)
		if err != nil {
			return err
		}
		e.emit(self, key, term, graph)
	}
	return nil
}

// nodes states what each of a list of node objects says.
func (e *emitter) nodes(v any, graph rdfc.Term) error {
	for _, item := range list(v) {
		m, ok := item.(map[string]any)
		if !ok {
			return fmt.Errorf("%w: a graph holds something that is no object", ErrUnsafe)
		}
		for _, keyword := range []string{"@value", "@list", "@set"} {
			if _, there := m[keyword]; there {
				return fmt.Errorf("%w: a graph holds a value", ErrUnsafe)
			}
		}
		if _, named := m["@id"]; named && len(m) == 1 {
			return fmt.Errorf("%w: a graph holds only a name", ErrUnsafe)
		}
		if _, err := e.node(m, graph); err != nil {
			return err
		}
	}
	return nil
}

func (e *emitter) reverse(self rdfc.Term, v any, graph rdfc.Term) error {
	m, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%w: @reverse is no object", ErrInvalid)
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if !rdfc.ValidIRI(key) {
			return fmt.Errorf("%w: %.200q is no property", ErrUnsafe, key)
		}
		for _, s := range list(m[key]) {
			term, err := e.object(s, graph)
			if err != nil {
				return err
			}
			if term.Kind == rdfc.Literal {
				return fmt.Errorf("%w: a value as the subject of %.200q", ErrInvalid, key)
			}
			e.emit(term, key, self, graph)
		}
	}
	return nil
}

// object is the term of a property's value.
func (e *emitter) object(v any, graph rdfc.Term) (rdfc.Term, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return rdfc.Term{}, fmt.Errorf("%w: a value that is no object after expansion", ErrUnsafe)
	}
	if value, ok := m["@value"]; ok {
		return literal(m, value)
	}
	if items, ok := m["@list"]; ok {
		return e.list(items, graph)
	}
	return e.node(m, graph)
}

func (e *emitter) list(v any, graph rdfc.Term) (rdfc.Term, error) {
	items := list(v)
	if len(items) == 0 {
		return iri(rdfNil), nil
	}
	head := e.fresh()
	for at, i := head, 0; i < len(items); i++ {
		o, err := e.object(items[i], graph)
		if err != nil {
			return head, err
		}
		e.emit(at, rdfNS+"first", o, graph)
		rest := iri(rdfNil)
		if i < len(items)-1 {
			rest = e.fresh()
		}
		e.emit(at, rdfNS+"rest", rest, graph)
		at = rest
	}
	return head, nil
}

func list(v any) []any {
	if l, ok := v.([]any); ok {
		return l
	}
	return []any{v}
}

// literal is the term of a value object.
func literal(m map[string]any, v any) (rdfc.Term, error) {
	t := rdfc.Term{Kind: rdfc.Literal}
	for key := range m {
		switch key {
		case "@value", "@type", "@language":
		default:
			// A text's direction has no place in RDF that verifiers agree on, and
			// an index has none at all.
			return t, fmt.Errorf("%w: %.40s of a value", ErrUnsafe, key)
		}
	}
	if m["@type"] == "@json" {
		raw, err := json.Marshal(v)
		if err == nil {
			raw, err = jcs.Transform(raw)
		}
		if err != nil {
			return t, fmt.Errorf("%w: a JSON literal: %w", ErrInvalid, err)
		}
		t.Value, t.Datatype = string(raw), rdfNS+"JSON"
		return t, nil
	}
	if dt, ok := m["@type"]; ok {
		t.Datatype, _ = dt.(string)
		if !rdfc.ValidIRI(t.Datatype) {
			return t, fmt.Errorf("%w: the datatype %.200q is no absolute IRI", ErrUnsafe, t.Datatype)
		}
	}
	natural := rdfc.XSDString
	switch v := v.(type) {
	case string:
		t.Value = v
		if lang, ok := m["@language"].(string); ok {
			if t.Language = lang; !rdfc.ValidLanguage(lang) {
				return t, fmt.Errorf("%w: %.40q is no language", ErrUnsafe, lang)
			}
			return t, nil
		}
	case bool:
		t.Value, natural = strconv.FormatBool(v), xsdNS+"boolean"
	case float64:
		t.Value, natural = number(v, t.Datatype == xsdNS+"double")
	default:
		return t, fmt.Errorf("%w: a value of a kind that JSON-LD does not have", ErrInvalid)
	}
	if t.Datatype == "" {
		t.Datatype = natural
	}
	return t, nil
}

// number is a JSON number's lexical form and datatype: xsd:integer for whole
// numbers below 10^21, and xsd:double with at most 16 digits for all others.
func number(v float64, double bool) (lexical, datatype string) {
	if !double && v == math.Trunc(v) && math.Abs(v) < 1e21 {
		if v == 0 {
			return "0", xsdNS + "integer" // also for -0
		}
		return strconv.FormatFloat(v, 'f', 0, 64), xsdNS + "integer"
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'E', 15, 64), "E")
	mantissa = strings.TrimRight(mantissa, "0")
	if strings.HasSuffix(mantissa, ".") {
		mantissa += "0"
	}
	n, _ := strconv.Atoi(exponent) // of FormatFloat's making
	return mantissa + "E" + strconv.Itoa(n), xsdNS + "double"
}
