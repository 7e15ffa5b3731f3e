package rdfc

import (
	"context"
	"crypto"
	_ "crypto/sha256" // links the default hash
	_ "crypto/sha512" // links SHA-384
	"encoding/hex"
	"fmt"
	"slices"
	"sort"
	"strconv"
)

// Limits that hold where Options does not say otherwise. The W3C test suite's
// hardest good graph needs less than a tenth of DefaultBudget.
const (
	DefaultBudget   = 100_000
	DefaultMaxQuads = 100_000
)

// Options say how to canonicalize. The zero value is right for
// eddsa-rdfc-2022 and for ecdsa-rdfc-2019 with P-256.
type Options struct {
	// Hash is crypto.SHA256 (also when zero) or crypto.SHA384.
	Hash crypto.Hash
	// Budget bounds the hashes computed to tell alike blank nodes apart.
	Budget int
	// MaxQuads bounds the input.
	MaxQuads int
	// Checked says that every term is known to be valid (ValidIRI, UTF-8 text,
	// labels that are not empty), so that it need not be looked at again.
	Checked bool
}

// Result is a canonical dataset.
type Result struct {
	// NQuads is the canonical N-Quads document: sorted lines, no duplicates.
	NQuads []byte
	// Labels maps the blank nodes' labels in the input to the canonical ones,
	// both without "_:".
	Labels map[string]string
}

// Canonicalize brings quads into canonical form. The order of the input and the
// labels of its blank nodes don't matter, nor do duplicates. Errors:
// ErrInvalidTerm, ErrTooComplex, the context's.
func Canonicalize(ctx context.Context, quads []Quad, opt Options) (Result, error) {
	opt, err := opt.check(ctx, quads)
	if err != nil {
		return Result{}, err
	}
	s, err := short(ctx, quads, opt)
	if s == nil {
		return general(ctx, quads, opt, err)
	}
	defer s.release()
	return s.result(), nil
}

// Sum is the hash of the canonical form, with the hash that Options names.
func Sum(ctx context.Context, quads []Quad, opt Options) ([]byte, error) {
	opt, err := opt.check(ctx, quads)
	if err != nil {
		return nil, err
	}
	s, err := short(ctx, quads, opt)
	if s != nil {
		defer s.release()
		return s.sum(opt.Hash), nil
	}
	r, err := general(ctx, quads, opt, err)
	if err != nil {
		return nil, err
	}
	digest := opt.Hash.New()
	digest.Write(r.NQuads)
	return digest.Sum(nil), nil
}

// check fills in the defaults and holds the input against them.
func (opt Options) check(ctx context.Context, quads []Quad) (Options, error) {
	if opt.Hash == 0 {
		opt.Hash = crypto.SHA256
	}
	if opt.Budget <= 0 {
		opt.Budget = DefaultBudget
	}
	if opt.MaxQuads <= 0 {
		opt.MaxQuads = DefaultMaxQuads
	}
	if opt.Hash != crypto.SHA256 && opt.Hash != crypto.SHA384 {
		return opt, fmt.Errorf("rdfc: hash %v is not supported", opt.Hash)
	}
	if len(quads) > opt.MaxQuads {
		return opt, fmt.Errorf("%w: %d quads", ErrTooComplex, len(quads))
	}
	if err := ctx.Err(); err != nil {
		return opt, fmt.Errorf("canonicalize: %w", err)
	}
	return opt, nil
}

// general is the way for every dataset. before is the error that the short way
// ended with, if any; it stands unless duplicates were to blame.
func general(ctx context.Context, quads []Quad, opt Options, before error) (Result, error) {
	c := newCanonicalizer(ctx, opt)
	if err := c.add(quads); err != nil {
		return Result{}, err
	}
	if before != nil && len(c.quads) == len(quads) {
		return Result{}, before
	}
	if err := c.label(); err != nil {
		return Result{}, err
	}
	return c.result(), nil
}

// node is a blank node.
type node struct {
	label string
	quads []int  // in which it stands, each once
	first string // its first degree hash
}

type canonicalizer struct {
	ctx    context.Context // of this one call; it does not outlive it
	hash   crypto.Hash
	budget int
	quads  []Quad
	nodes  map[string]*node
	issued *issuer // canonical labels
	buf    []byte
}

func newCanonicalizer(ctx context.Context, opt Options) *canonicalizer {
	return &canonicalizer{ctx: ctx, hash: opt.Hash, budget: opt.Budget, nodes: map[string]*node{}, issued: newIssuer("c14n")}
}

// add takes the quads in, once each, and notes where each blank node stands.
func (c *canonicalizer) add(quads []Quad) error {
	seen := make(map[Quad]struct{}, len(quads))
	for _, q := range quads {
		if q.Object.Kind == Literal {
			// One literal has one form, so that duplicates are seen to be such.
			if q.Object.Language != "" && q.Object.Datatype == LangString || q.Object.Datatype == XSDString {
				q.Object.Datatype = ""
			}
		}
		if !q.valid() {
			return fmt.Errorf("%w in %.200q", ErrInvalidTerm, q.String())
		}
		if _, dup := seen[q]; dup {
			continue
		}
		seen[q] = struct{}{}
		at := len(c.quads)
		c.quads = append(c.quads, q)
		for _, t := range [...]Term{q.Subject, q.Object, q.Graph} {
			if t.Kind != Blank {
				continue
			}
			n := c.nodes[t.Value]
			if n == nil {
				n = &node{label: t.Value}
				c.nodes[t.Value] = n
			}
			if len(n.quads) == 0 || n.quads[len(n.quads)-1] != at {
				n.quads = append(n.quads, at)
			}
		}
	}
	return nil
}

// label gives every blank node its canonical label (algorithm 4.4.3).
func (c *canonicalizer) label() error {
	byHash := map[string][]string{}
	for label, n := range c.nodes {
		c.firstDegree(n)
		byHash[n.first] = append(byHash[n.first], label)
	}
	hashes := make([]string, 0, len(byHash))
	for h := range byHash {
		hashes = append(hashes, h)
	}
	sort.Strings(hashes)
	// Who has a hash alone is named first, in the order of the hashes.
	var alike [][]string
	for _, h := range hashes {
		if len(byHash[h]) > 1 {
			alike = append(alike, byHash[h])
			continue
		}
		c.issued.issue(byHash[h][0])
	}
	return c.labelAlike(alike)
}

// labelAlike names the nodes that share their hash, group by group.
func (c *canonicalizer) labelAlike(alike [][]string) error {
	for _, labels := range alike {
		var paths []path
		// The map's order must not decide how much of the budget is used.
		sort.Strings(labels)
		for _, label := range labels {
			if c.issued.has(label) {
				continue
			}
			temporary := newIssuer("b")
			temporary.issue(label)
			p, err := c.nDegree(label, temporary, 0)
			if err != nil {
				return err
			}
			paths = append(paths, p)
		}
		slices.SortStableFunc(paths, func(a, b path) int { return compare(a.hash, b.hash) })
		for _, p := range paths {
			for _, label := range p.issuer.order {
				c.issued.issue(label)
			}
		}
	}
	return nil
}

func compare(a, b string) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}

// firstDegree hashes the quads in which a node stands, with itself written _:a
// and every other blank node _:z (algorithm 4.6.3).
func (c *canonicalizer) firstDegree(n *node) {
	lines := make([]string, 0, len(n.quads))
	name := func(label string) string {
		if label == n.label {
			return "a"
		}
		return "z"
	}
	for _, i := range n.quads {
		c.buf = c.quads[i].append(c.buf[:0], name)
		lines = append(lines, string(c.buf))
	}
	sort.Strings(lines)
	h := c.hash.New()
	for _, l := range lines {
		h.Write([]byte(l))
	}
	n.first = hex.EncodeToString(h.Sum(nil))
}

// path is a node's n-degree hash, with the labels that were given on the way.
type path struct {
	hash   string
	issuer *issuer
}

// spend takes work off the budget.
func (c *canonicalizer) spend(work int) error {
	c.budget -= work
	if c.budget < 0 {
		return fmt.Errorf("%w: too many blank nodes are alike", ErrTooComplex)
	}
	if err := c.ctx.Err(); err != nil {
		return fmt.Errorf("canonicalize: %w", err)
	}
	return nil
}

// maxDepth bounds the recursion from one node to the next, and so the stack.
const maxDepth = 5_000

// nDegree hashes a node by its surroundings, to any distance (algorithm 4.8.3).
func (c *canonicalizer) nDegree(label string, is *issuer, depth int) (path, error) {
	if depth > maxDepth {
		return path{}, fmt.Errorf("%w: a chain of blank nodes is too long", ErrTooComplex)
	}
	related, err := c.relatedHashes(label, is)
	if err != nil {
		return path{}, err
	}
	hashes := make([]string, 0, len(related))
	for h := range related {
		hashes = append(hashes, h)
	}
	sort.Strings(hashes)
	digest := c.hash.New()
	for _, h := range hashes {
		digest.Write([]byte(h))
		chosen, chosenIssuer, err := c.shortest(related[h], is, depth)
		if err != nil {
			return path{}, err
		}
		digest.Write(chosen)
		is = chosenIssuer
	}
	return path{hex.EncodeToString(digest.Sum(nil)), is}, nil
}

// relatedHashes groups the blank nodes that share a quad with label by the hash
// of how they are related to it.
func (c *canonicalizer) relatedHashes(label string, is *issuer) (map[string][]string, error) {
	related := map[string][]string{}
	for _, i := range c.nodes[label].quads {
		q := c.quads[i]
		for at, t := range [...]Term{q.Subject, q.Object, q.Graph} {
			if t.Kind != Blank || t.Value == label {
				continue
			}
			if err := c.spend(1); err != nil {
				return nil, err
			}
			h := c.relatedHash(t.Value, q.Predicate.Value, "sog"[at], is)
			related[h] = append(related[h], t.Value)
		}
	}
	return related, nil
}

// relatedHash is algorithm 4.7.3.
func (c *canonicalizer) relatedHash(label, predicate string, position byte, is *issuer) string {
	b := append(c.buf[:0], position)
	if position != 'g' {
		b = append(b, '<')
		b = append(b, predicate...)
		b = append(b, '>')
	}
	switch {
	case c.issued.has(label):
		b = append(append(b, "_:"...), c.issued.issue(label)...)
	case is.has(label):
		b = append(append(b, "_:"...), is.issue(label)...)
	default:
		b = append(b, c.nodes[label].first...)
	}
	c.buf = b
	h := c.hash.New()
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil))
}

// shortest tries every order of alike nodes and keeps the one whose path is the
// least: the step that can explode.
func (c *canonicalizer) shortest(labels []string, is *issuer, depth int) ([]byte, *issuer, error) {
	var chosen []byte
	var chosenIssuer *issuer
	err := permute(labels, func(order []string) error {
		if err := c.spend(len(order) + len(is.order)/8); err != nil {
			return err
		}
		p, pIssuer, err := c.try(order, is.clone(), chosen, depth)
		if err != nil || p == nil {
			return err
		}
		if chosen == nil || string(p) < string(chosen) {
			chosen, chosenIssuer = p, pIssuer
		}
		return nil
	})
	return chosen, chosenIssuer, err
}

// try walks one order. nil without an error means that it can't become the
// least any more.
func (c *canonicalizer) try(order []string, is *issuer, chosen []byte, depth int) ([]byte, *issuer, error) {
	worse := func(p []byte) bool {
		return chosen != nil && len(p) >= len(chosen) && string(p) > string(chosen)
	}
	var p []byte
	var recurse []string
	for _, label := range order {
		p = append(p, "_:"...)
		if c.issued.has(label) {
			p = append(p, c.issued.issue(label)...)
		} else {
			if !is.has(label) {
				recurse = append(recurse, label)
			}
			p = append(p, is.issue(label)...)
		}
		if worse(p) {
			return nil, nil, nil
		}
	}
	for _, label := range recurse {
		r, err := c.nDegree(label, is, depth+1)
		if err != nil {
			return nil, nil, err
		}
		p = append(append(p, "_:"...), is.issue(label)...)
		p = append(append(append(p, '<'), r.hash...), '>')
		is = r.issuer
		if worse(p) {
			return nil, nil, nil
		}
	}
	return p, is, nil
}

// permute calls f with every order of list, and stops at its first error. The
// slice that f gets is only good during the call.
func permute(list []string, f func([]string) error) error {
	order := slices.Clone(list)
	sort.Strings(order)
	for {
		if err := f(order); err != nil {
			return err
		}
		// The next order by the alphabet; equal members are not swapped.
		i := len(order) - 2
		for i >= 0 && order[i] >= order[i+1] {
			i--
		}
		if i < 0 {
			return nil
		}
		j := len(order) - 1
		for order[j] <= order[i] {
			j--
		}
		order[i], order[j] = order[j], order[i]
		slices.Reverse(order[i+1:])
	}
}

// result writes the dataset with its canonical labels.
func (c *canonicalizer) result() Result {
	lines := make([]string, 0, len(c.quads))
	size := 0
	for _, q := range c.quads {
		c.buf = q.append(c.buf[:0], c.issued.issue)
		lines = append(lines, string(c.buf))
		size += len(c.buf)
	}
	sort.Strings(lines)
	out := make([]byte, 0, size)
	for _, l := range lines {
		out = append(out, l...)
	}
	return Result{NQuads: out, Labels: c.issued.labels}
}

// issuer gives out labels in order (algorithm 4.5).
type issuer struct {
	prefix string
	labels map[string]string
	order  []string
}

func newIssuer(prefix string) *issuer { return &issuer{prefix: prefix, labels: map[string]string{}} }

func (i *issuer) has(label string) bool { _, ok := i.labels[label]; return ok }

// issue returns the label given to a node, and gives it one if it has none.
func (i *issuer) issue(label string) string {
	if l, ok := i.labels[label]; ok {
		return l
	}
	l := i.prefix + strconv.Itoa(len(i.order))
	i.labels[label] = l
	i.order = append(i.order, label)
	return l
}

func (i *issuer) clone() *issuer {
	c := &issuer{prefix: i.prefix, labels: make(map[string]string, len(i.labels)+1), order: slices.Clone(i.order)}
	for k, v := range i.labels {
		c.labels[k] = v
	}
	return c
}
