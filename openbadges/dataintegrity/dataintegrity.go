// Package dataintegrity makes and verifies the proofs that stand inside a
// document (W3C Verifiable Credential Data Integrity 1.0): eddsa-rdfc-2022 and
// eddsa-jcs-2022 both ways, ecdsa-rdfc-2019 and Ed25519Signature2020 to verify,
// alone, in sets and in chains.
//
// A document is what jsonld.Parse returns. Verify says that a key made a proof
// of this document as its JSON reads, no more: whose key it is, whether the
// proof's purpose is the one that is asked for, whether it has expired and for
// which domain it is, is for the caller to judge from the Proof. The package
// does no I/O.
package dataintegrity

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// The cryptosuites. ECDSARDFC2019 is verified only, with keys on P-256 and (then
// with SHA-384) P-384.
const (
	EdDSARDFC2022 = "eddsa-rdfc-2022"
	EdDSAJCS2022  = "eddsa-jcs-2022"
	ECDSARDFC2019 = "ecdsa-rdfc-2019"
)

// The types of proofs. Ed25519Signature2020 is the older form of eddsa-rdfc-2022,
// with the suite in its type; it is verified only.
const (
	DataIntegrityProof   = "DataIntegrityProof"
	Ed25519Signature2020 = "Ed25519Signature2020"
)

// The ways in which a proof fails. A document that can't be brought into
// canonical form gives the errors of package jsonld instead.
var (
	// ErrUnsupported: a kind of proof that this package does not know. Nothing is
	// said about the document: neither that it is genuine nor that it is not.
	ErrUnsupported = errors.New("dataintegrity: this kind of proof is not supported")
	// ErrMalformed: the proof is not made as its kind demands.
	ErrMalformed = errors.New("dataintegrity: the proof is malformed")
	// ErrSignature: the key did not sign this document with this proof.
	ErrSignature = errors.New("dataintegrity: the signature does not fit the document")
	// ErrKey: the key is not of the kind that the suite signs with.
	ErrKey = errors.New("dataintegrity: the key does not fit the proof")
)

// Bounds of a document's proofs.
const (
	maxProofs = 32
	maxList   = 64 // domains and previous proofs
)

// Proof is one proof as its document has it.
type Proof struct {
	ID                 string
	Type               string
	Cryptosuite        string
	VerificationMethod string // the key's id
	Purpose            string // "assertionMethod" for credentials
	Created, Expires   time.Time
	Domains            []string
	Challenge          string
	Previous           []string // the ids of the proofs that this one signs, too
	// Raw is the proof's object in the document. Verify goes by it alone.
	Raw map[string]any
	// Err says why the proof can't be verified: ErrUnsupported or ErrMalformed.
	// The members that could be read are there all the same.
	Err error
}

// Supported tells whether the proof is of a kind that Verify knows.
func (p Proof) Supported() bool { return !errors.Is(p.Err, ErrUnsupported) }

// Proofs reads a document's member "proof": one object or a list of them, at
// most 32. A document without it has none. A proof that is odd is reported by
// its Err and does not keep the others from being read; what is no proof at all,
// and two proofs under one id, are ErrMalformed.
func Proofs(doc map[string]any) ([]Proof, error) {
	var raw []any
	switch v := doc["proof"].(type) {
	case nil:
		return nil, nil
	case []any:
		raw = v
	default:
		raw = []any{v}
	}
	if len(raw) > maxProofs {
		return nil, fmt.Errorf("%w: %d proofs", ErrMalformed, len(raw))
	}
	out := make([]Proof, 0, len(raw))
	for i, v := range raw {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%w: proof %d is no object", ErrMalformed, i+1)
		}
		p := read(m)
		// Each reader could pick another one as the previous proof.
		if p.ID != "" && slices.ContainsFunc(out, func(o Proof) bool { return o.ID == p.ID }) {
			return nil, fmt.Errorf("%w: two proofs are called %.200q", ErrMalformed, p.ID)
		}
		out = append(out, p)
	}
	return out, nil
}

// read never fails: what is wrong is in Err.
func read(m map[string]any) Proof {
	p := Proof{Raw: m}
	var bad error
	note := func(format string, args ...any) {
		if bad == nil {
			bad = fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
		}
	}
	text := func(member string) string {
		s, ok := m[member].(string)
		if _, there := m[member]; there && !ok {
			note("%s is no text", member)
		}
		return s
	}
	texts := func(member string) []string {
		v, there := m[member]
		if !there {
			return nil
		}
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		if len(list) > maxList {
			note("%s has %d values", member, len(list))
			return nil
		}
		out := make([]string, 0, len(list))
		for _, e := range list {
			s, ok := e.(string)
			if !ok || s == "" {
				note("%s is no list of texts", member)
				return nil
			}
			out = append(out, s)
		}
		return out
	}
	moment := func(member string) time.Time {
		s := text(member)
		if s == "" {
			if _, there := m[member]; there {
				note("%s is no time", member)
			}
			return time.Time{}
		}
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			note("%s is no time with a time zone: %.60q", member, s)
		}
		return t
	}
	p.ID = text("id")
	p.Type = text("type")
	p.Cryptosuite = text("cryptosuite")
	p.VerificationMethod = text("verificationMethod")
	p.Purpose = text("proofPurpose")
	p.Created = moment("created")
	p.Expires = moment("expires")
	p.Domains = texts("domain")
	p.Challenge = text("challenge")
	p.Previous = texts("previousProof")
	switch {
	case p.suite() == nil:
		p.Err = fmt.Errorf("%w: type %.60q, suite %.60q", ErrUnsupported, p.Type, p.Cryptosuite)
	case bad != nil:
		p.Err = bad
	case p.VerificationMethod == "":
		p.Err = fmt.Errorf("%w: it names no key (verificationMethod)", ErrMalformed)
	case p.Purpose == "":
		p.Err = fmt.Errorf("%w: it has no proofPurpose", ErrMalformed)
	}
	return p
}
