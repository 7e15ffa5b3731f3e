package jsonld

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"badgebridge/openbadges/rdfc"
)

// A credential uses the same few contexts as all others, and most of what
// expansion does is to process these again. The tables here keep the outcome:
// a scope is what every key means at some place of a document, and an edge leads
// to the scope within it, where a context, a property or a type has one of its
// own. Scopes are made when they are first needed.
//
// They hold only what the built-in contexts use: terms with an IRI, a type, a
// container and a context of their own. Where something else turns up, a table
// is not made, and the document goes the general way.

// tables are the scopes made so far.
type tables struct {
	contexts map[string]*local
	names    map[string][]string // as Processor.terms
	start    *scope
	mu       sync.Mutex // held while a scope is made
	made     int
}

// maxScopes bounds the tables, since a document can put contexts and types in
// any order. Credentials in use need some dozens.
const maxScopes = 512

// local is a context as it is written.
type local struct {
	raw       any
	null      bool
	protected bool
	defs      map[string]*def
	order     []string
}

// def is a term as it is written.
type def struct {
	id, typ, container string
	simple             bool // only an IRI
	protected          bool
	scoped             *local
}

// term is what a key means in a scope.
type term struct {
	iri       string // or "@id", "@type"
	coerce    string // "", "@id", "@vocab", "@json" or a datatype
	container string // "", "@set", "@graph", "@list"
	scoped    *local
	prefix    bool
	protected bool
	// plain: the key is the name that the built-in contexts have for the IRI.
	plain bool
}

// scope never changes, save for the edges that are added.
type scope struct {
	terms    map[string]*term
	previous *scope // where nodes further in go on, after a type's context
	edges    atomic.Pointer[map[edge]*scope]
}

// edge is a context that is applied, and how.
type edge struct {
	local *local
	how   how
}

type how uint8

const (
	byContext  how = iota // an @context of the document
	byProperty            // the property's: may redefine what is protected
	byType                // the type's: holds for this node alone
)

func newTables(contexts map[string]map[string]any, names map[string][]string) *tables {
	t := &tables{contexts: map[string]*local{}, names: names, start: &scope{terms: map[string]*term{}}}
	for url, doc := range contexts {
		if l, ok := newLocal(doc["@context"]); ok && !l.null {
			t.contexts[url] = l
		}
	}
	return t
}

// newLocal reads a context; ok is false where it has what the tables don't do.
func newLocal(raw any) (l *local, ok bool) {
	if raw == nil {
		return &local{null: true}, true
	}
	m, ok := raw.(map[string]any)
	if !ok {
		return nil, false
	}
	l = &local{raw: raw, defs: map[string]*def{}}
	for name, v := range m {
		switch name {
		case "@version":
			continue
		case "@protected":
			if l.protected, ok = v.(bool); !ok {
				return nil, false
			}
			continue
		}
		d, ok := newDef(name, v)
		if !ok {
			return nil, false
		}
		l.defs[name] = d
	}
	l.order = slices.Sorted(maps.Keys(l.defs))
	for _, d := range l.defs {
		d.protected = l.protected
	}
	return l, true
}

func newDef(name string, v any) (*def, bool) {
	if strings.HasPrefix(name, "@") || strings.ContainsAny(name, ":/") || name == "" {
		return nil, false
	}
	d := &def{}
	switch v := v.(type) {
	case string:
		d.id, d.simple = v, true
	case map[string]any:
		for key, part := range v {
			s, isString := part.(string)
			switch key {
			case "@id":
				d.id = s
			case "@type":
				d.typ = s
			case "@container":
				d.container = s
			case "@context":
				var ok bool
				if d.scoped, ok = newLocal(part); !ok {
					return nil, false
				}
				continue
			default:
				return nil, false
			}
			if !isString {
				return nil, false
			}
		}
	}
	if strings.HasPrefix(d.id, "@") {
		// No other name stands for a keyword, and nothing is said about it.
		return d, d.simple && (name == "id" && d.id == "@id" || name == "type" && d.id == "@type")
	}
	return d, d.id != "" && d.id != name && name != "id" && name != "type"
}

// next is the scope that a context makes of s; nil where the tables don't have it.
func (t *tables) next(s *scope, l *local, h how) *scope {
	e := edge{l, h}
	if known := s.edges.Load(); known != nil {
		if to, ok := (*known)[e]; ok {
			return to
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	known := map[edge]*scope{}
	if old := s.edges.Load(); old != nil {
		if to, ok := (*old)[e]; ok {
			return to
		}
		maps.Copy(known, *old)
	}
	if t.made >= maxScopes {
		return nil
	}
	t.made++
	to := t.apply(s, l, h)
	known[e] = to
	s.edges.Store(&known)
	return to
}

// full tells whether there is no room for more scopes.
func (t *tables) full() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.made >= maxScopes
}

// apply is context processing (JSON-LD 1.1 API, section 4.1).
func (t *tables) apply(s *scope, l *local, h how) *scope {
	if l.null {
		if h != byProperty {
			return nil
		}
		return &scope{terms: map[string]*term{}}
	}
	to := &scope{terms: maps.Clone(s.terms), previous: s.previous}
	if h == byType && to.previous == nil {
		to.previous = s
	}
	c := definer{tables: t, scope: to, local: l, override: h == byProperty, state: map[string]bool{}}
	for _, name := range l.order {
		if !c.define(name) {
			return nil
		}
	}
	return to
}

// definer adds the terms of one context to a scope.
type definer struct {
	*tables
	scope    *scope
	local    *local
	override bool
	state    map[string]bool // false while a term is being defined
}

func (c *definer) define(name string) bool {
	if done, begun := c.state[name]; begun {
		return done
	}
	c.state[name] = false
	d := c.local.defs[name]
	before := c.scope.terms[name]
	delete(c.scope.terms, name)
	n := &term{iri: d.id, coerce: d.typ, container: d.container, scoped: d.scoped, protected: d.protected}
	if !strings.HasPrefix(d.id, "@") {
		var ok bool
		if n.iri, ok = c.expand(d.id); !ok {
			return false
		}
		n.prefix = d.simple && strings.IndexByte(":/?#[]@", n.iri[len(n.iri)-1]) >= 0
	}
	switch d.typ {
	case "", "@id", "@vocab", "@json":
	default:
		var ok bool
		if n.coerce, ok = c.expand(d.typ); !ok {
			return false
		}
	}
	switch d.container {
	case "", "@set", "@graph", "@list":
	default:
		return false
	}
	if before != nil && before.protected && !c.override {
		if n.protected = true; !same(before, n) {
			return false
		}
	}
	n.plain = slices.Contains(c.names[n.iri], name)
	c.scope.terms[name] = n
	c.state[name] = true
	return true
}

// expand is IRI expansion within a context that is being read.
func (c *definer) expand(id string) (string, bool) {
	if strings.HasPrefix(id, "@") {
		return "", false
	}
	if _, ok := c.local.defs[id]; ok && !c.define(id) {
		return "", false
	}
	if t := c.scope.terms[id]; t != nil {
		return t.iri, !strings.HasPrefix(t.iri, "@")
	}
	if prefix, rest, ok := strings.Cut(id, ":"); ok && !strings.HasPrefix(rest, "//") {
		if _, ok := c.local.defs[prefix]; ok && !c.define(prefix) {
			return "", false
		}
		if t := c.scope.terms[prefix]; t != nil && t.prefix {
			id = t.iri + rest
		}
	}
	return id, rdfc.ValidIRI(id)
}

// same tells whether a protected term is only said again.
func same(a, b *term) bool {
	if a.iri != b.iri || a.coerce != b.coerce || a.container != b.container || (a.scoped == nil) != (b.scoped == nil) {
		return false
	}
	return a.scoped == b.scoped || reflect.DeepEqual(a.scoped.raw, b.scoped.raw)
}

// resolve is IRI expansion of a value; ok is false where it is no term and has
// no scheme.
func (s *scope) resolve(v string, vocab bool) (iri string, ok bool) {
	if v == "" || v[0] == '@' {
		return "", false
	}
	if vocab {
		if t := s.terms[v]; t != nil {
			return t.iri, t.iri[0] != '@'
		}
	}
	colon := strings.IndexByte(v, ':')
	if colon <= 0 {
		return "", false
	}
	if strings.HasPrefix(v[colon+1:], "//") {
		return v, true
	}
	if t := s.terms[v[:colon]]; t != nil && t.prefix {
		return t.iri + v[colon+1:], true
	}
	return v, true
}
