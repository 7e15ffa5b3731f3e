package dataintegrity

import (
	"context"
	"crypto"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"

	"badgebridge/openbadges/jsonld"
)

// Verify checks one proof of a document under a key. A proof that names previous
// ones (previousProof) signs them, too, as they stand in the document; it counts
// only where those are found good themselves, which is for the caller to see to:
// Secured.Chain lists them. Whoever verifies several proofs uses Open, which
// canonicalizes the document once.
//
// The RDF suites refuse a document that says something which built-in contexts
// have a term for under another name (jsonld.Processor.Plain), since it would be
// signed and yet not be seen by who reads the JSON.
//
// Errors: ErrUnsupported, ErrMalformed, ErrKey, ErrSignature, those of package
// jsonld, the context's.
func Verify(ctx context.Context, p *jsonld.Processor, doc map[string]any, proof Proof, key crypto.PublicKey) error {
	s, err := Open(p, doc)
	if err != nil {
		return err
	}
	return s.Verify(ctx, proof, key)
}

// Secured is a document with its proofs. It keeps what is the same for all of
// them, and serves any number of goroutines. The document must not be changed
// while it is in use.
type Secured struct {
	p        *jsonld.Processor
	doc      map[string]any
	unsigned map[string]any // without its proofs
	proofs   []Proof

	mu     sync.Mutex
	hashes map[crypto.Hash][]byte // of the canonical document without proofs
}

// Open reads a document's proofs. The error is that of Proofs.
func Open(p *jsonld.Processor, doc map[string]any) (*Secured, error) {
	proofs, err := Proofs(doc)
	if err != nil {
		return nil, err
	}
	s := &Secured{p: p, doc: doc, unsigned: doc, proofs: proofs}
	if _, there := doc["proof"]; there {
		s.unsigned = maps.Clone(doc)
		delete(s.unsigned, "proof")
	}
	return s, nil
}

// Proofs are the document's. The list must not be changed.
func (s *Secured) Proofs() []Proof { return s.proofs }

// Verify is the function Verify for one of the document's proofs.
func (s *Secured) Verify(ctx context.Context, proof Proof, key crypto.PublicKey) error {
	proof = read(proof.Raw)
	if proof.Err != nil {
		return proof.Err
	}
	suite := proof.suite()
	hash, err := suite.hash(key)
	if err != nil {
		return err
	}
	signature, err := proof.value(hash)
	if err != nil {
		return err
	}
	config := maps.Clone(proof.Raw)
	delete(config, "proofValue")
	signed, err := s.hash(ctx, suite, hash, proof, config)
	if err != nil {
		return err
	}
	return suite.check(key, hash, signed, signature)
}

// Chain lists the proofs that one builds on, the nearest first: those that it
// names, those that they name, and so on. ErrMalformed when one is not in the
// document, or when it builds on itself.
func (s *Secured) Chain(proof Proof) ([]Proof, error) {
	var out []Proof
	next := []Proof{proof}
	for len(next) > 0 {
		previous, err := s.previous(next[0])
		if err != nil {
			return nil, err
		}
		next = next[1:]
		for _, p := range previous {
			if p.ID == proof.ID {
				return nil, fmt.Errorf("%w: it builds on itself", ErrMalformed)
			}
			if !slices.ContainsFunc(out, func(o Proof) bool { return o.ID == p.ID }) {
				out = append(out, p)
				next = append(next, p)
			}
		}
	}
	return out, nil
}

// previous finds the proofs that one names.
func (s *Secured) previous(proof Proof) ([]Proof, error) {
	var out []Proof
	for _, p := range s.proofs {
		if p.ID != "" && slices.Contains(proof.Previous, p.ID) {
			out = append(out, p)
		}
	}
	for _, id := range proof.Previous {
		if !slices.ContainsFunc(out, func(p Proof) bool { return p.ID == id }) {
			return nil, fmt.Errorf("%w: the previous proof %.200q is not in the document", ErrMalformed, id)
		}
	}
	return out, nil
}

// hash makes what is signed: the hash of the proof's options, then that of the
// document with the proofs before it.
func (s *Secured) hash(ctx context.Context, suite *suite, hash crypto.Hash, proof Proof, config map[string]any) ([]byte, error) {
	previous, err := s.previous(proof)
	if err != nil {
		return nil, err
	}
	input := s.unsigned
	if len(previous) > 0 {
		list := make([]any, len(previous))
		for i, p := range previous {
			list[i] = p.Raw
		}
		input = maps.Clone(input)
		input["proof"] = list
	}
	if suite.json {
		return s.hashJSON(hash, input, config)
	}
	// The options mean what they mean in the document.
	delete(config, "@context")
	if c, there := s.doc["@context"]; there {
		config["@context"] = c
	}
	first, err := s.canonicalHash(ctx, config, hash)
	if err != nil {
		return nil, fmt.Errorf("the proof's options: %w", err)
	}
	second, err := s.documentHash(ctx, input, hash, len(previous) > 0)
	if err != nil {
		return nil, fmt.Errorf("the document: %w", err)
	}
	return append(first, second...), nil
}

// hashJSON does the same with canonical JSON. The context in the proof is the
// one that was signed; the document may have gained more after it.
func (s *Secured) hashJSON(hash crypto.Hash, input, config map[string]any) ([]byte, error) {
	if c, there := config["@context"]; there {
		if !startsWith(s.doc["@context"], c) {
			return nil, fmt.Errorf("%w: the document's @context does not begin with the proof's", ErrSignature)
		}
		input = maps.Clone(input)
		input["@context"] = c
	}
	first, err := canonicalJSON(config)
	if err != nil {
		return nil, err
	}
	second, err := canonicalJSON(input)
	if err != nil {
		return nil, err
	}
	return append(digest(hash, first), digest(hash, second)...), nil
}

// startsWith tells whether a context begins with another.
func startsWith(whole, begin any) bool {
	w, ok := whole.([]any)
	if !ok {
		w = []any{whole}
	}
	b, ok := begin.([]any)
	if !ok {
		b = []any{begin}
	}
	return len(b) <= len(w) && reflect.DeepEqual(w[:len(b)], b)
}

func (s *Secured) documentHash(ctx context.Context, input map[string]any, hash crypto.Hash, more bool) ([]byte, error) {
	if more {
		return s.canonicalHash(ctx, input, hash)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h, done := s.hashes[hash]; done {
		return h, nil
	}
	h, err := s.canonicalHash(ctx, input, hash)
	if err != nil {
		return nil, err
	}
	if s.hashes == nil {
		s.hashes = map[crypto.Hash][]byte{}
	}
	s.hashes[hash] = h
	return h, nil
}

func (s *Secured) canonicalHash(ctx context.Context, doc map[string]any, hash crypto.Hash) ([]byte, error) {
	return s.p.SumPlain(ctx, doc, hash) //nolint:wrapcheck // said by the caller
}

func digest(hash crypto.Hash, data []byte) []byte {
	d := hash.New()
	d.Write(data)
	return d.Sum(make([]byte, 0, 2*hash.Size()))
}
