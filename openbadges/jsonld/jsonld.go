// Package jsonld turns JSON-LD 1.1 documents into RDF, so that they can be
// canonicalized, hashed and signed. It works in safe mode: where other
// processors drop what a context does not define, this one fails, because what
// is dropped is not covered by the signature.
//
// A document whose contexts are all built in, and which uses them as credentials
// do, goes from JSON to quads by tables of terms (scope.go, fast.go). Any other one
// is expanded; tests hold both ways equal. Expansion is json-gold's; the way from the expanded form to quads is our own,
// since json-gold drops relative and unusual IRIs there without a word. The
// contexts that credentials use are built in (see contexts/README.md). Any other
// one comes from a Loader that the caller gives, and without it is an error:
// the package does no I/O.
//
// Some of JSON-LD is refused, because json-gold loses errors or data in it and
// no credential needs it: @set, @list, @nest, @index, @reverse and @included
// written out in a document, @import and aliases of these keywords in its contexts.
// (Terms whose @container is @set or @list are fine.)
package jsonld

import (
	"context"
	"crypto"
	"embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/piprate/json-gold/ld"

	"badgebridge/openbadges/rdfc"
)

// The ways in which a document fails.
var (
	// ErrSyntax: not JSON, or JSON that two readers may read in two ways.
	ErrSyntax = errors.New("jsonld: not valid JSON")
	// ErrLimit: one of the Limits is passed.
	ErrLimit = errors.New("jsonld: the document is too large")
	// ErrUnsafe: part of the document means nothing in its contexts and would not
	// be covered by a signature.
	ErrUnsafe = errors.New("jsonld: part of the document is not defined by its contexts")
	// ErrContext: a context is unknown or could not be loaded.
	ErrContext = errors.New("jsonld: a context can't be loaded")
	// ErrInvalid: against the rules of JSON-LD.
	ErrInvalid = errors.New("jsonld: not valid JSON-LD")
	// ErrUnsupported: a part of JSON-LD that this package refuses.
	ErrUnsupported = errors.New("jsonld: not supported")
)

// Limits bound what is read. A zero field takes its default.
type Limits struct {
	MaxBytes        int // of a document; 1 MiB
	MaxDepth        int // of nesting; 64
	MaxValues       int // in a document, counting every scalar, array and object; 20,000
	MaxInline       int // contexts written out in a document; 32
	MaxLoads        int // context look-ups for one document; 64
	MaxContextBytes int // of a context that is not built in; 256 KiB
}

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.MaxBytes, 1<<20)
	def(&l.MaxDepth, 64)
	def(&l.MaxValues, 20_000)
	def(&l.MaxInline, 32)
	def(&l.MaxLoads, 64)
	def(&l.MaxContextBytes, 256<<10)
	return l
}

// Loader gets a context that is not built in. It has to bound size, time and
// where it connects to; keeping what it got is its own matter.
type Loader func(ctx context.Context, url string) ([]byte, error)

// Config makes a Processor. The zero value knows the built-in contexts only.
type Config struct {
	Loader Loader
	Limits Limits
}

//go:embed contexts/*.json contexts/*.jsonld
var files embed.FS

// builtin says where each built-in context is; contexts/README.md says where it
// comes from.
func builtin() map[string]string {
	return map[string]string{
		"https://www.w3.org/2018/credentials/v1":                     "credentials-v1.jsonld",
		credentialsV2:                                                "credentials-v2.jsonld",
		"https://www.w3.org/ns/credentials/undefined-terms/v2":       "undefined-terms-v2.jsonld",
		"https://www.w3.org/ns/credentials/status/v1":                "bitstring-status-list-v1.jsonld",
		"https://w3id.org/vc/status-list/2021/v1":                    "status-list-2021-v1.jsonld",
		"https://w3id.org/security/data-integrity/v1":                "data-integrity-v1.jsonld",
		"https://w3id.org/security/data-integrity/v2":                "data-integrity-v2.jsonld",
		"https://w3id.org/security/multikey/v1":                      "multikey-v1.jsonld",
		"https://w3id.org/security/suites/ed25519-2020/v1":           "ed25519-signature-2020-v1.jsonld",
		"https://www.w3.org/ns/did/v1":                               "did-v1.jsonld",
		"https://purl.imsglobal.org/spec/ob/v3p0/context.json":       "openbadges-3.0.0.json",
		"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json": "openbadges-3.0.1.json",
		"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json": "openbadges-3.0.2.json",
		openBadges303: "openbadges-3.0.3.json",
		"https://purl.imsglobal.org/spec/ob/v3p0/extensions.json": "openbadges-3.0-extensions.json",
		// An address of the same document that older credentials carry.
		"https://purl.imsglobal.org/spec/ob/v3p0/context/ob_v3p0.jsonld": "openbadges-3.0.0.json",
	}
}

const credentialsV2 = "https://www.w3.org/ns/credentials/v2"

// openBadges303 is a context whose content was changed in place in June 2026:
// two terms were added. The package that it comes from has the first content.
const openBadges303 = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"

// amended returns context-3.0.3.json as it is since June 2026.
func amended(first map[string]any) map[string]any {
	terms, ok := first["@context"].(map[string]any)
	if !ok {
		return first
	}
	terms = maps.Clone(terms)
	terms["endorsementJwt"] = map[string]any{
		"@id": "https://purl.imsglobal.org/spec/vc/ob/vocab.html#endorsementJwt", "@container": "@set",
	}
	terms["jti"] = map[string]any{"@id": "https://www.iana.org/assignments/jwt#jti", "@type": "@id"}
	return map[string]any{"@context": terms}
}

// Processor turns documents into RDF. What it does never changes once it is made,
// and it serves any number of goroutines.
type Processor struct {
	loader   Loader
	limits   Limits
	contexts map[string]map[string]any
	first303 map[string]any // context-3.0.3.json before it was changed
	terms    map[string][]string
	made     atomic.Pointer[tables]
}

// New makes a Processor. It reads the built-in contexts: make one and keep it.
func New(cfg Config) *Processor {
	p := &Processor{loader: cfg.Loader, limits: cfg.Limits.withDefaults(), contexts: map[string]map[string]any{}}
	for url, name := range builtin() {
		raw, err := files.ReadFile("contexts/" + name)
		if err == nil {
			p.contexts[url], err = ParseObject(raw, Limits{})
		}
		if err != nil {
			panic(fmt.Sprintf("jsonld: built-in context %s: %v", name, err)) // a damaged build
		}
	}
	p.first303 = p.contexts[openBadges303]
	p.contexts[openBadges303] = amended(p.first303)
	p.terms = terms(p.contexts)
	return p
}

// Knows tells whether a context is built in.
func (p *Processor) Knows(url string) bool { _, ok := p.contexts[url]; return ok }

// Context returns a built-in context's document, which must not be changed. The
// error wraps ErrContext where there is none.
func (p *Processor) Context(url string) (map[string]any, error) {
	if doc, ok := p.contexts[url]; ok {
		return doc, nil
	}
	return nil, fmt.Errorf("%w: %.200q is not built in", ErrContext, url)
}

// Quads turns a document, as Parse returns it, into RDF. The blank nodes' labels
// mean nothing outside of the result. Errors: ErrLimit, ErrUnsafe, ErrContext,
// ErrInvalid, ErrUnsupported, the context's.
func (p *Processor) Quads(ctx context.Context, doc map[string]any) ([]rdfc.Quad, error) {
	return p.run(ctx, doc, false)
}

func (p *Processor) run(ctx context.Context, doc map[string]any, plain bool) ([]rdfc.Quad, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if w := p.fast(doc, plain); w != nil {
		defer w.release()
		return slices.Clone(w.quads), nil
	}
	return p.general(ctx, doc, plain)
}

// general is the way for every document: expansion by json-gold.
func (p *Processor) general(ctx context.Context, doc map[string]any, plain bool) ([]rdfc.Quad, error) {
	own, err := p.checkDocument(doc)
	if err != nil {
		return nil, err
	}
	l := &loader{ctx: ctx, p: p, left: p.limits.MaxLoads, own: own}
	quads, err := l.quads(doc, plain)
	if err != nil && l.saw303 && ctx.Err() == nil {
		// It may have been issued before the context was changed.
		old := &loader{ctx: ctx, p: p, left: p.limits.MaxLoads, own: own, old303: true}
		if again, err := old.quads(doc, plain); err == nil {
			return again, nil
		}
	}
	return quads, err
}

// Canonicalize is Quads followed by RDFC-1.0 with the given hash (zero means
// SHA-256): the canonical N-Quads. Errors: those of Quads, rdfc.ErrTooComplex.
func (p *Processor) Canonicalize(ctx context.Context, doc map[string]any, hash crypto.Hash) ([]byte, error) {
	return canonical(ctx, p, doc, false, func(quads []rdfc.Quad, checked bool) ([]byte, error) {
		r, err := rdfc.Canonicalize(ctx, quads, rdfc.Options{Hash: hash, Checked: checked})
		return r.NQuads, err
	})
}

// Sum is the hash of what Canonicalize gives, without writing it out.
func (p *Processor) Sum(ctx context.Context, doc map[string]any, hash crypto.Hash) ([]byte, error) {
	return canonical(ctx, p, doc, false, func(quads []rdfc.Quad, checked bool) ([]byte, error) {
		return rdfc.Sum(ctx, quads, rdfc.Options{Hash: hash, Checked: checked})
	})
}

// canonical hands a document's quads to f, which must not keep them. The tables
// give only what they have checked.
func canonical(ctx context.Context, p *Processor, doc map[string]any, plain bool, f func(quads []rdfc.Quad, checked bool) ([]byte, error)) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if w := p.fast(doc, plain); w != nil {
		defer w.release()
		return f(w.quads, true)
	}
	quads, err := p.general(ctx, doc, plain)
	if err != nil {
		return nil, err
	}
	return f(quads, false)
}

// quads expands and converts. A panic in the expansion, which is not our code,
// is an error of the document's.
func (l *loader) quads(doc map[string]any, plain bool) (quads []rdfc.Quad, err error) {
	defer func() {
		if r := recover(); r != nil {
			quads, err = nil, fmt.Errorf("%w: %.200v", ErrInvalid, r)
		}
	}()
	opt := &ld.JsonLdOptions{ProcessingMode: ld.JsonLd_1_1, DocumentLoader: l, SafeMode: true, CompactArrays: true}
	check := &plainCheck{p: l.p, doc: doc, said: map[string]string{}}
	if plain {
		opt.ExpandedElementHandler = check.element
	}
	expanded, err := ld.NewJsonLdProcessor().Expand(doc, opt)
	switch {
	case l.err != nil:
		return nil, l.err
	case err != nil:
		return nil, expandError(err)
	}
	if err := check.finish(); err != nil {
		return nil, err
	}
	return toQuads(expanded, l.sawVC2 && l.own == 0)
}

func expandError(err error) error {
	kind := ErrInvalid
	var e *ld.JsonLdError
	if errors.As(err, &e) && e.Code == ld.InvalidProperty {
		kind = ErrUnsafe
	}
	return fmt.Errorf("%w: %.300v", kind, err) //nolint:errorlint // the cause is only quoted, and cut to a length that fits a report
}

// loader is what json-gold asks for contexts, for one document.
type loader struct {
	ctx    context.Context // of this one call; the loader does not outlive it
	p      *Processor
	left   int
	old303 bool // serve context-3.0.3.json with its first content
	saw303 bool
	sawVC2 bool  // the context of data model 2.0
	own    int   // names in the document that are not the built-in contexts'
	err    error // the first; json-gold does not always pass it on
}

// LoadDocument is json-gold's interface.
func (l *loader) LoadDocument(url string) (*ld.RemoteDocument, error) {
	doc, err := l.load(url)
	if err != nil {
		if l.err == nil {
			l.err = err
		}
		return nil, err
	}
	return &ld.RemoteDocument{DocumentURL: url, Document: doc}, nil
}

func (l *loader) load(url string) (map[string]any, error) {
	if err := l.ctx.Err(); err != nil {
		return nil, err
	}
	// This is also what ends a context that includes itself.
	if l.left--; l.left < 0 {
		return nil, fmt.Errorf("%w: too many contexts", ErrLimit)
	}
	l.sawVC2 = l.sawVC2 || url == credentialsV2
	if url == openBadges303 {
		l.saw303 = true
		if l.old303 {
			return l.p.first303, nil
		}
	}
	if doc, ok := l.p.contexts[url]; ok {
		return doc, nil
	}
	l.own++
	if l.p.loader == nil {
		return nil, fmt.Errorf("%w: %.200q is not built in", ErrContext, url)
	}
	raw, err := l.p.loader(l.ctx, url)
	if err != nil {
		return nil, fmt.Errorf("%w: %.200q: %w", ErrContext, url, err)
	}
	lim := l.p.limits
	lim.MaxBytes = lim.MaxContextBytes
	doc, err := ParseObject(raw, lim)
	if err != nil {
		return nil, fmt.Errorf("%w: %.200q: %w", ErrContext, url, err)
	}
	c := checker{lim: l.p.limits}
	if err := c.context(doc["@context"], 1); err != nil {
		return nil, fmt.Errorf("context %.200q: %w", url, err)
	}
	return map[string]any{"@context": doc["@context"]}, nil
}
