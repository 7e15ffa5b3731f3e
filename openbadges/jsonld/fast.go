package jsonld

import (
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"

	"badgebridge/openbadges/rdfc"
)

// fast goes from a document to quads by the tables alone, without expanding it.
// It is nil where that can't be done with certainty, and for every document that
// is refused: which error it is, the general way says. The caller releases it.
func (p *Processor) fast(doc map[string]any, plain bool) *walker {
	if _, has := doc["@context"]; !has {
		return nil
	}
	w, _ := walkers.Get().(*walker)
	for range 2 {
		t := p.tables()
		*w = walker{tables: t, lim: p.limits, plain: plain, quads: w.quads[:0], keys: w.keys[:0]}
		if _, ok := w.node(doc, place{scope: t.start, depth: 1}); ok && len(w.quads) > 0 {
			return w
		}
		// It may have failed for want of room alone; then it gets new tables.
		if !t.full() {
			break
		}
		p.made.CompareAndSwap(t, nil)
	}
	w.release()
	return nil
}

// walkers are kept for the memory that their quads take.
var walkers = sync.Pool{New: func() any { return new(walker) }}

func (w *walker) release() {
	if cap(w.quads) > 10_000 {
		return
	}
	clear(w.quads)
	clear(w.keys[:cap(w.keys)])
	w.root = rdfc.Term{}
	walkers.Put(w)
}

// tables are the processor's, made when they are first asked for.
func (p *Processor) tables() *tables {
	for {
		if t := p.made.Load(); t != nil {
			return t
		}
		p.made.CompareAndSwap(nil, newTables(p.contexts, p.terms))
	}
}

// walker goes through one document.
type walker struct {
	tables *tables
	lim    Limits
	plain  bool
	quads  []rdfc.Quad
	keys   []string // of the nodes that are open, one after the other
	blank  int
	values int
	loads  int
	root   rdfc.Term
}

// place is where a node stands.
type place struct {
	scope *scope
	key   string // of the property whose value it is; "" for the document
	graph rdfc.Term
	depth int
}

// count holds the document against the limits, as checker does.
func (w *walker) count(depth int) bool {
	w.values++
	return w.values <= w.lim.MaxValues && depth <= w.lim.MaxDepth
}

func (w *walker) fresh() rdfc.Term {
	w.blank++
	return rdfc.Term{Kind: rdfc.Blank, Value: "g" + strconv.Itoa(w.blank)}
}

func (w *walker) emit(s rdfc.Term, predicate string, o, graph rdfc.Term) {
	w.quads = append(w.quads, rdfc.Quad{Subject: s, Predicate: iri(predicate), Object: o, Graph: graph})
}

// resource is the term of an IRI in a scope.
func (w *walker) resource(s *scope, v string, vocab bool) (rdfc.Term, bool) {
	full, ok := s.resolve(v, vocab)
	if !ok {
		return rdfc.Term{}, false
	}
	if len(full) > 2 && full[:2] == "_:" {
		return rdfc.Term{Kind: rdfc.Blank, Value: "d" + full[2:]}, true
	}
	return iri(full), rdfc.ValidIRI(full)
}

// node states all that a node says and returns it.
func (w *walker) node(m map[string]any, at place) (self rdfc.Term, ok bool) {
	if !w.count(at.depth) {
		return self, false
	}
	scope, ok := w.enter(m, at)
	if !ok {
		return self, false
	}
	typeScope := scope
	types, ok := w.types(m, scope, at.depth)
	if !ok {
		return self, false
	}
	for _, name := range types {
		if t := typeScope.terms[name]; t != nil && t.scoped != nil {
			if scope = w.tables.next(scope, t.scoped, byType); scope == nil {
				return self, false
			}
		}
	}
	if self, ok = w.self(m, scope, at); !ok {
		return self, false
	}
	if w.plain && at.key != "" && len(m) > 1 && self == w.root && !commentOnly(m, types) {
		return self, false // more is said about the document
	}
	said := len(w.quads)
	for _, name := range types {
		o, ok := w.resource(typeScope, name, true)
		if !ok {
			return self, false
		}
		w.emit(self, rdfNS+"type", o, at.graph)
	}
	inside := place{scope: scope, graph: at.graph, depth: at.depth + 1}
	first := len(w.keys)
	for key := range m {
		w.keys = append(w.keys, key)
	}
	last := len(w.keys)
	// The labels must not depend on chance: see rdfc's budget.
	slices.Sort(w.keys[first:last])
	for i := first; i < last; i++ {
		if inside.key = w.keys[i]; inside.key == "@context" || inside.key == "type" {
			continue
		}
		if !w.property(self, m[inside.key], inside) {
			return self, false
		}
	}
	w.keys = w.keys[:first]
	// A node of which nothing is known but that it is there is not for here.
	_, named := m["id"]
	return self, named || len(w.quads) > said
}

// enter finds the scope of a node before its types (JSON-LD 1.1 API, 5.1.2,
// steps 7 to 9).
func (w *walker) enter(m map[string]any, at place) (*scope, bool) {
	context, hasContext := m["@context"]
	scope := at.scope
	property := scope.terms[at.key]
	if scope.previous != nil {
		// A type's context ends here, unless this is only a reference.
		_, isReference := m["id"]
		if isReference = isReference && len(m) == 1 && scope.terms["id"] != nil; !isReference {
			scope = scope.previous
		}
	}
	if property != nil && property.scoped != nil && !property.scoped.null {
		if scope = w.tables.next(scope, property.scoped, byProperty); scope == nil {
			return nil, false
		}
	}
	if !hasContext {
		return scope, true
	}
	return w.contexts(scope, context, at.depth+1)
}

// contexts applies the node's own contexts, which have to be addresses.
func (w *walker) contexts(s *scope, v any, depth int) (*scope, bool) {
	list, isList := v.([]any)
	if !w.count(depth) {
		return nil, false
	}
	if isList {
		depth++
	} else {
		list = []any{v}
	}
	for i, e := range list {
		url, _ := e.(string)
		l := w.tables.contexts[url]
		// Twice the same in one list is an error.
		if w.loads++; w.loads > w.lim.MaxLoads || l == nil || slices.Contains(list[:i], e) || isList && !w.count(depth) {
			return nil, false
		}
		if s = w.tables.next(s, l, byContext); s == nil {
			return nil, false
		}
	}
	return s, true
}

// types lists the node's types in the order in which their contexts apply.
func (w *walker) types(m map[string]any, s *scope, depth int) ([]string, bool) {
	v, has := m["type"]
	if !has {
		return nil, true
	}
	if s.terms["type"] == nil || !w.count(depth+1) {
		return nil, false
	}
	if one, ok := v.(string); ok {
		return []string{one}, true
	}
	list, _ := v.([]any)
	names := make([]string, 0, len(list))
	for _, e := range list {
		name, ok := e.(string)
		if !ok || !w.count(depth+2) {
			return nil, false
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, len(names) > 0
}

// self is the node's own term.
func (w *walker) self(m map[string]any, s *scope, at place) (self rdfc.Term, ok bool) {
	id, has := m["id"]
	if !has {
		return w.fresh(), true
	}
	name, isString := id.(string)
	if !isString || s.terms["id"] == nil {
		return self, false
	}
	if self, ok = w.resource(s, name, false); !ok {
		return self, false
	}
	if at.key == "" {
		w.root = self
	}
	return self, true
}

// commentOnly is endorses, for a node as it is written.
func commentOnly(m map[string]any, types []string) bool {
	for key := range m {
		if key != "id" && key != "type" && key != "@context" && key != "endorsementComment" {
			return false
		}
	}
	return len(types) == 1 && types[0] == "EndorsementSubject"
}

// property states what one key says about a node.
func (w *walker) property(self rdfc.Term, v any, at place) bool {
	t := at.scope.terms[at.key]
	if t == nil || w.plain && !t.plain || t.coerce == "@json" {
		return false
	}
	if t.iri == "@id" {
		return w.count(at.depth)
	}
	if t.scoped != nil {
		// What a value is, is looked up within the property's own context.
		if at.scope = w.tables.next(at.scope, t.scoped, byProperty); at.scope == nil {
			return false
		}
		within := at.scope.terms[at.key]
		presented := t.scoped.null && t.container == "@graph"
		if presented {
			within = t // what it holds has contexts of its own, and is no text
		}
		if within == nil || within.coerce != t.coerce || within.container != t.container {
			return false
		}
	}
	if t.container == "@list" {
		return w.list(self, t, v, at)
	}
	list, isList := v.([]any)
	if !isList {
		return w.state(self, t, v, at)
	}
	if !w.count(at.depth) {
		return false
	}
	at.depth++
	for _, e := range list {
		if !w.state(self, t, e, at) {
			return false
		}
	}
	return true
}

// state states one value of a property.
func (w *walker) state(self rdfc.Term, t *term, v any, at place) bool {
	o, ok := w.value(t, v, at)
	if ok && o.Kind != rdfc.None {
		w.emit(self, t.iri, o, at.graph)
	}
	return ok
}

// list states a property whose values are a list.
func (w *walker) list(self rdfc.Term, t *term, v any, at place) bool {
	list, isList := v.([]any)
	switch {
	case v == nil:
		return w.count(at.depth)
	case !isList:
		list = []any{v}
	case !w.count(at.depth):
		return false
	default:
		at.depth++
	}
	// The node before which the list goes on, and by what.
	from, by := self, t.iri
	for _, e := range list {
		o, ok := w.value(t, e, at)
		if !ok {
			return false
		}
		if o.Kind == rdfc.None {
			continue
		}
		next := w.fresh()
		w.emit(from, by, next, at.graph)
		w.emit(next, rdfNS+"first", o, at.graph)
		from, by = next, rdfNS+"rest"
	}
	w.emit(from, by, iri(rdfNil), at.graph)
	return true
}

// value is the term of one value; the zero term when there is none.
func (w *walker) value(t *term, v any, at place) (o rdfc.Term, ok bool) {
	if m, ok := v.(map[string]any); ok {
		return w.object(t, m, at)
	}
	if !w.count(at.depth) {
		return o, false
	}
	if v == nil {
		return o, true
	}
	if t.container == "@graph" {
		return o, false
	}
	reference := t.coerce == "@id" || t.coerce == "@vocab"
	if s, ok := v.(string); ok && reference {
		return w.resource(at.scope, s, t.coerce == "@vocab")
	}
	o.Kind = rdfc.Literal
	if !reference {
		o.Datatype = t.coerce
	}
	natural := ""
	switch v := v.(type) {
	case string:
		if o.Value = v; !utf8.ValidString(v) {
			return o, false // not from Parse
		}
	case bool:
		o.Value, natural = strconv.FormatBool(v), xsdNS+"boolean"
	case float64:
		o.Value, natural = number(v, o.Datatype == xsdNS+"double")
	default:
		return o, false
	}
	if o.Datatype == "" {
		o.Datatype = natural
	}
	return o, true
}

// object is the term of a value that is a node, or a graph of one node.
func (w *walker) object(t *term, m map[string]any, at place) (o rdfc.Term, ok bool) {
	if t.container != "@graph" {
		return w.node(m, at)
	}
	at.graph = w.fresh()
	said := len(w.quads)
	_, ok = w.node(m, at)
	return at.graph, ok && len(w.quads) > said
}
