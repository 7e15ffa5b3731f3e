// Package convert turns a badge of one Open Badges version into one of another,
// by way of the model: it tells which version a document is of, reads it, and
// writes it anew. What is written says the same and proves nothing: it is a new
// document that has to be hosted or signed by whoever stands for it.
package convert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"badgebridge/openbadges"
	"badgebridge/openbadges/internal/wire"
	v1 "badgebridge/openbadges/v1"
	v2 "badgebridge/openbadges/v2"
	v3 "badgebridge/openbadges/v3"
)

// The ways in which a conversion fails, for errors.Is.
var (
	// ErrNotABadge: JSON, but no assertion or credential of any version.
	ErrNotABadge = errors.New("neither an assertion nor an achievement credential")
	// ErrVersion: no version that is written.
	ErrVersion = errors.New("not a version that can be written: 1.1, 2.0 or 3.0")
	// ErrNotJSON, ErrTooLarge: as in the codecs.
	ErrNotJSON  = wire.ErrNotJSON
	ErrTooLarge = wire.ErrTooLarge
	// ErrIncomplete: the source lacks what the target requires; the error names it.
	ErrIncomplete = wire.ErrIncomplete
)

// Detect tells the version of an assertion or credential by its content: V05,
// V10, V11, V20 or V30. A document without any context is of 0.5 or 1.0.
// Errors: ErrNotJSON, ErrTooLarge, ErrNotABadge.
func Detect(doc []byte) (openbadges.Version, error) {
	o, err := wire.Open(doc)
	if err != nil {
		return "", err
	}
	if o.Has("credentialSubject") || o.Has("vc") {
		return openbadges.V30, nil
	}
	if !o.Has("badge") && !o.Has("recipient") && !slices.Contains(o.Types(), "Assertion") {
		return "", ErrNotABadge
	}
	raw, _ := o.Get("@context")
	for _, entry := range wire.ListOf(raw) {
		var iri string
		if json.Unmarshal(entry, &iri) != nil {
			continue
		}
		switch iri {
		case v2.Context, "http://w3id.org/openbadges/v2", "https://openbadgespec.org/v2/context.json":
			return openbadges.V20, nil
		case v1.Context, "http://w3id.org/openbadges/v1", "https://openbadgespec.org/v1/context.json":
			return openbadges.V11, nil
		}
	}
	if o.Has("@context") || o.Has("verification") {
		return openbadges.V20, nil // of a kind that the reader notes
	}
	a, _, err := v1.DecodeAssertion(doc)
	return a.Version, err
}

// Read reads an assertion or credential of any version. The notes are what the
// reader tolerated, and what the document holds that no other version could
// carry. Errors as with Detect.
func Read(doc []byte) (openbadges.Assertion, openbadges.Notes, error) {
	version, err := Detect(doc)
	if err != nil {
		return openbadges.Assertion{}, nil, err
	}
	switch version {
	case openbadges.V30:
		c, notes, err := v3.DecodeCredential(doc)
		return c.Model(doc), append(notes, c.Lost()...), err
	case openbadges.V20:
		a, notes, err := v2.DecodeAssertion(doc)
		if o, err := wire.Open(doc); err == nil && !o.Has("@context") {
			notes.Add("@context", "is missing; %s expected", v2.Context)
		}
		if a.Verification.Type == v2.SignedBadge || a.Verification.Creator != "" {
			notes.Add("verification", "belongs to the document that was read; a new one needs a proof of its own")
		}
		if a.UID != "" {
			notes.Add("uid", "is not carried over")
		}
		return a.Model(doc), notes, err
	default:
		a, notes, err := v1.DecodeAssertion(doc)
		if a.Verify.Type == v1.Signed {
			notes.Add("verify", "belongs to the document that was read; a new one needs a proof of its own")
		}
		if a.UID != "" && a.UID != a.ID {
			notes.Add("uid", "is not carried over")
		}
		return a.Model(doc), notes, err
	}
}

// Fetch gets a document by its address.
type Fetch func(ctx context.Context, url string) ([]byte, error)

// Complete fetches the badge and the issuer where an assertion only links them.
func Complete(ctx context.Context, a *openbadges.Assertion, fetch Fetch) (openbadges.Notes, error) {
	var all openbadges.Notes
	c := &a.Award.BadgeClass
	if c.Name == "" && wire.IsWeb(c.ID) {
		doc, err := fetch(ctx, c.ID)
		if err != nil {
			return nil, fmt.Errorf("the badge %s: %w", c.ID, err)
		}
		class, notes, err := decodeClass(a.Version, doc)
		if err != nil {
			return nil, fmt.Errorf("the badge %s: %w", c.ID, err)
		}
		all.AddUnder("badge", notes)
		if class.ID == "" {
			class.ID = c.ID // before 1.1 a document is where it is
		}
		*c = class
	}
	if a.Version == openbadges.V30 {
		return all, nil
	}
	p := &c.Issuer
	if p.Name == "" && wire.IsWeb(p.ID) {
		doc, err := fetch(ctx, p.ID)
		if err != nil {
			return nil, fmt.Errorf("the issuer %s: %w", p.ID, err)
		}
		issuer, notes, err := decodeIssuer(a.Version, doc)
		if err != nil {
			return nil, fmt.Errorf("the issuer %s: %w", p.ID, err)
		}
		all.AddUnder("badge.issuer", notes)
		if issuer.ID == "" {
			issuer.ID = p.ID
		}
		*p = issuer
	}
	a.Issuer = c.Issuer
	return all, nil
}

func decodeClass(v openbadges.Version, doc []byte) (openbadges.BadgeClass, openbadges.Notes, error) {
	switch v {
	case openbadges.V30:
		return v3.DecodeAchievement(doc)
	case openbadges.V20:
		return v2.DecodeBadgeClass(doc)
	}
	return v1.DecodeBadgeClass(doc)
}

func decodeIssuer(v openbadges.Version, doc []byte) (openbadges.Profile, openbadges.Notes, error) {
	if v == openbadges.V20 {
		return v2.DecodeIssuer(doc)
	}
	return v1.DecodeIssuer(doc)
}

// Write writes an assertion as a document of the version to: hosted and without
// a proof in 1.1 and 2.0, unsigned in 3.0, with badge and issuer in it. id is
// that of the new document; "" lets the codec choose (see FromModel of each). A
// plain recipient stays plain, which the notes say. Errors: ErrVersion,
// ErrIncomplete.
func Write(a openbadges.Assertion, to openbadges.Version, id string) ([]byte, openbadges.Notes, error) {
	plain := !a.Award.Recipient.Hashed
	for _, also := range a.Award.Recipient.Also {
		plain = plain || !also.Hashed
	}
	var (
		notes, more openbadges.Notes
		doc         []byte
		err         error
	)
	switch to {
	case openbadges.V11:
		var out v1.Assertion
		out, notes = v1.FromModel(a, id)
		out.PlainRecipient = plain
		doc, more, err = v1.EncodeAssertion(out)
	case openbadges.V20:
		var out v2.Assertion
		out, notes = v2.FromModel(a, id)
		out.PlainRecipient = plain
		doc, more, err = v2.EncodeAssertion(out)
	case openbadges.V30:
		var out v3.Credential
		out, notes = v3.FromModel(a, id)
		out.PlainRecipient = plain
		doc, more, err = v3.EncodeCredential(out)
	default:
		return nil, nil, fmt.Errorf("%w: %q", ErrVersion, string(to))
	}
	if err != nil {
		return nil, nil, err
	}
	if r := a.Award.Recipient; !r.Hashed && r.Type == openbadges.IdentityEmail {
		notes.Add("recipient", "is not hashed, as in the original: anybody can read the address")
	}
	return doc, append(notes, more...), nil
}
