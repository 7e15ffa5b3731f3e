package jsonld

import (
	"context"
	"crypto"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"badgebridge/openbadges/rdfc"
)

// Plain is Quads for a document that will be read as JSON once its signature is
// found good, as credentials are. RDF does not care under which names a
// document says things: "validUntil", its full IRI and any alias from a context
// of the sender's own make the same quads. So somebody who got hold of a signed
// credential could rename its expiry or its status, the signature would hold,
// and a reader of the JSON would not see them.
//
// Plain therefore refuses, with ErrUnsafe, a document that says something which
// a built-in context has a term for in any way but with that term, and one that
// says more about its root in another place, save for an endorsement's comment.
func (p *Processor) Plain(ctx context.Context, doc map[string]any) ([]rdfc.Quad, error) {
	return p.run(ctx, doc, true)
}

// CanonicalizePlain is Plain followed by RDFC-1.0, as Canonicalize is for Quads.
func (p *Processor) CanonicalizePlain(ctx context.Context, doc map[string]any, hash crypto.Hash) ([]byte, error) {
	return canonical(ctx, p, doc, true, func(quads []rdfc.Quad, checked bool) ([]byte, error) {
		r, err := rdfc.Canonicalize(ctx, quads, rdfc.Options{Hash: hash, Checked: checked})
		return r.NQuads, err
	})
}

// SumPlain is the hash of what CanonicalizePlain gives, without writing it out.
func (p *Processor) SumPlain(ctx context.Context, doc map[string]any, hash crypto.Hash) ([]byte, error) {
	return canonical(ctx, p, doc, true, func(quads []rdfc.Quad, checked bool) ([]byte, error) {
		return rdfc.Sum(ctx, quads, rdfc.Options{Hash: hash, Checked: checked})
	})
}

// plainCheck is told of each node that expansion made, and of where it stood.
type plainCheck struct {
	p    *Processor
	doc  map[string]any
	root string            // the root's @id
	said map[string]string // @id of nodes that say something, to their pointer
	err  error
}

func (c *plainCheck) element(pointer string, expanded any) {
	node, ok := expanded.(map[string]any)
	source := lookup(c.doc, pointer)
	if c.err != nil || !ok || source == nil {
		return
	}
	if err := c.names(source, node); err != nil {
		c.err = fmt.Errorf("%w at %.100q", err, pointer)
		return
	}
	id, _ := node["@id"].(string)
	if id == "" || len(node) == 1 || endorses(node) {
		return
	}
	if pointer == "" {
		c.root = id
	} else {
		c.said[id] = pointer
	}
}

// What an endorsement says about what it endorses, which may be the document.
const (
	endorsementSubject = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#EndorsementSubject"
	endorsementComment = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#endorsementComment"
)

// endorses tells whether a node has nothing but an endorsement's comment: none of
// a credential's own members can have been moved there.
func endorses(node map[string]any) bool {
	for property, v := range node {
		switch property {
		case "@id", endorsementComment:
		case "@type":
			if l, ok := v.([]any); !ok || len(l) != 1 || l[0] != endorsementSubject {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// names holds the properties of a node against the keys that it was made of.
func (c *plainCheck) names(source, node map[string]any) error {
	allowed := map[string]bool{"@context": true}
	unknown := 0
	for property := range node {
		terms := c.p.terms[property]
		if len(terms) == 0 && property != "@graph" {
			unknown++
			continue
		}
		found := false
		for _, t := range terms {
			if _, there := source[t]; there {
				found, allowed[t] = true, true
			}
		}
		if !found && property != "@graph" {
			return fmt.Errorf("%w: %.100q under a name of its own", ErrUnsafe, property)
		}
	}
	// What is left over must be terms that no built-in context knows, one for
	// each property that is left over.
	for key, v := range source {
		if !allowed[key] && !empty(v) {
			unknown--
		}
	}
	if unknown < 0 {
		return fmt.Errorf("%w: two names for one property", ErrUnsafe)
	}
	return nil
}

// empty tells whether a value leaves no trace in RDF.
func empty(v any) bool {
	l, ok := v.([]any)
	return v == nil || ok && !slices.ContainsFunc(l, func(e any) bool { return !empty(e) })
}

// finish is the check's outcome.
func (c *plainCheck) finish() error {
	if c.err != nil {
		return c.err
	}
	if at, ok := c.said[c.root]; ok && c.root != "" {
		return fmt.Errorf("%w: more is said about the document at %.100q", ErrUnsafe, at)
	}
	return nil
}

// lookup follows a JSON Pointer to an object; nil when there is none.
func lookup(doc map[string]any, pointer string) map[string]any {
	var v any = doc
	for pointer != "" {
		var token string
		token, pointer, _ = strings.Cut(pointer[1:], "/")
		if pointer != "" {
			pointer = "/" + pointer
		}
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		switch c := v.(type) {
		case map[string]any:
			v = c[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(c) {
				return nil
			}
			v = c[i]
		default:
			return nil
		}
	}
	m, _ := v.(map[string]any)
	return m
}

// terms lists the names that the built-in contexts have for each property.
func terms(contexts map[string]map[string]any) map[string][]string {
	out := map[string][]string{"@id": {"id"}, "@type": {"type"}}
	for _, doc := range contexts {
		collect(out, doc["@context"], map[string]string{})
	}
	// Open Badges gives some properties the IRI of a class: achievement and
	// Achievement are one. Only the property's name is a key.
	isClass := func(term string) bool { return term[0] >= 'A' && term[0] <= 'Z' }
	for iri, names := range out {
		if properties := slices.DeleteFunc(slices.Clone(names), isClass); len(properties) > 0 {
			out[iri] = properties
		}
	}
	return out
}

func collect(out map[string][]string, local any, prefixes map[string]string) {
	if l, ok := local.([]any); ok {
		for _, e := range l {
			collect(out, e, prefixes)
		}
		return
	}
	m, ok := local.(map[string]any)
	if !ok {
		return
	}
	within := make(map[string]string, len(prefixes)+len(m))
	for k, v := range prefixes {
		within[k] = v
	}
	for k, v := range m {
		if s, ok := v.(string); ok && !strings.HasPrefix(s, "@") {
			within[k] = s
		}
	}
	for term, v := range m {
		if term == "" || strings.HasPrefix(term, "@") {
			continue
		}
		id, _ := v.(string)
		if def, isMap := v.(map[string]any); isMap {
			var isString bool
			if id, isString = def["@id"].(string); !isString {
				id = term // a compact IRI that is a term
			}
			collect(out, def["@context"], within)
		}
		if id = full(id, within, 4); id != "" && !slices.Contains(out[id], term) {
			out[id] = append(out[id], term)
		}
	}
}

// full expands a compact IRI.
func full(id string, prefixes map[string]string, depth int) string {
	prefix, rest, ok := strings.Cut(id, ":")
	if !ok || strings.HasPrefix(id, "@") || depth == 0 {
		return ""
	}
	if ns, there := prefixes[prefix]; there && !strings.HasPrefix(rest, "//") && ns != id {
		if head := full(ns, prefixes, depth-1); head != "" {
			return head + rest
		}
	}
	return id
}
