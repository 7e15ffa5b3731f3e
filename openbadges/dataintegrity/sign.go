package dataintegrity

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"time"

	"badgebridge/openbadges/did"
	"badgebridge/openbadges/jsonld"
)

// Options say what a new proof holds.
type Options struct {
	Cryptosuite        string    // EdDSARDFC2022 (also when empty) or EdDSAJCS2022
	VerificationMethod string    // the key's id, needed
	Purpose            string    // "assertionMethod" when empty
	Created, Expires   time.Time // to the second, in UTC; left out when zero
	ID                 string    // needed only where another proof shall build on this one
	Previous           []string  // the ids of proofs in the document that this one signs, too
	Domains            []string
	Challenge          string
}

// Sign makes a proof of a document, which may have proofs already: these stay
// out of what is signed, but for those that Options.Previous names. The document
// is not changed; Attach puts the proof in. key is an Ed25519 key.
//
// Errors: ErrUnsupported, ErrMalformed for options that can't be, ErrKey, those
// of package jsonld (a document that Verify would not accept is not signed), the
// signer's.
func Sign(ctx context.Context, p *jsonld.Processor, doc map[string]any, o Options, key crypto.Signer) (map[string]any, error) {
	s, err := Open(p, doc)
	if err != nil {
		return nil, err
	}
	if o.ID != "" && slices.ContainsFunc(s.proofs, func(p Proof) bool { return p.ID == o.ID }) {
		return nil, fmt.Errorf("%w: the document has a proof %.200q already", ErrMalformed, o.ID)
	}
	raw := o.raw()
	proof := read(raw)
	switch suite := proof.suite(); {
	case suite == nil || suite.ecdsa:
		return nil, fmt.Errorf("%w: to sign with %.60q", ErrUnsupported, o.Cryptosuite)
	case proof.Err != nil:
		return nil, proof.Err
	case suite.json:
		if c, there := doc["@context"]; there {
			raw["@context"] = c
		}
	}
	hash, err := proof.suite().hash(key.Public())
	if err != nil {
		return nil, err
	}
	signed, err := s.hash(ctx, proof.suite(), hash, proof, maps.Clone(raw))
	if err != nil {
		return nil, err
	}
	signature, err := key.Sign(rand.Reader, signed, crypto.Hash(0))
	if err != nil {
		return nil, fmt.Errorf("sign the document: %w", err)
	}
	if len(signature) != ed25519.SignatureSize {
		return nil, fmt.Errorf("%w: a signature of %d bytes", ErrKey, len(signature))
	}
	raw["proofValue"] = did.EncodeMultibase(signature)
	return raw, nil
}

// raw is the proof's object without its value.
func (o Options) raw() map[string]any {
	m := map[string]any{
		"type": DataIntegrityProof, "cryptosuite": EdDSARDFC2022,
		"verificationMethod": o.VerificationMethod, "proofPurpose": did.AssertionMethod,
	}
	set := func(member, v string) {
		if v != "" {
			m[member] = v
		}
	}
	set("cryptosuite", o.Cryptosuite)
	set("proofPurpose", o.Purpose)
	set("id", o.ID)
	set("challenge", o.Challenge)
	for member, t := range map[string]time.Time{"created": o.Created, "expires": o.Expires} {
		if !t.IsZero() {
			m[member] = t.UTC().Format("2006-01-02T15:04:05Z")
		}
	}
	for member, l := range map[string][]string{"previousProof": o.Previous, "domain": o.Domains} {
		switch len(l) {
		case 0:
		case 1:
			m[member] = l[0]
		default:
			list := make([]any, len(l))
			for i, s := range l {
				list[i] = s
			}
			m[member] = list
		}
	}
	return m
}

// Attach returns a copy of a document with one more proof: as its only one, in
// a list of one, as OB 3.0 wants it ("sets are always arrays"), or after those
// that are there. What is below the document's members is shared, not copied.
func Attach(doc, proof map[string]any) map[string]any {
	out := maps.Clone(doc)
	switch v := doc["proof"].(type) {
	case nil:
		out["proof"] = []any{proof}
	case []any:
		out["proof"] = append(v[:len(v):len(v)], any(proof))
	default:
		out["proof"] = []any{v, proof}
	}
	return out
}
