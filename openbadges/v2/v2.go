// Package v2 converts between Open Badges 2.0 documents and the model.
//
// Reading is tolerant: it takes strings, objects and arrays wherever real
// issuers put them, keeps what it does not know, and notes every departure from
// the specification. Whether a document is valid is not its business; see
// openbadges/verify. Writing is strict: the Encode functions give exactly the
// bytes to store and serve, in a stable order, and refuse a document that the
// specification would not allow. What the model holds and OB 2.0 has no place
// for is reported as a loss.
//
// Source: Open Badges 2.0, 1EdTech final release of 12 April 2018.
package v2

import (
	"encoding/json"
	"time"

	"badgebridge/openbadges"
	"badgebridge/openbadges/internal/wire"
)

// Context is the JSON-LD context that every written document names.
const Context = "https://w3id.org/openbadges/v2"

// MaxDocument is the size in bytes up to which a document is read.
const MaxDocument = wire.MaxDocument

// The types of verification, section VerificationObject.
const (
	HostedBadge = "HostedBadge"
	SignedBadge = "SignedBadge"
)

// The ways in which reading and writing fail, for errors.Is. All versions'
// codecs share them.
var (
	ErrNotJSON    = wire.ErrNotJSON
	ErrTooLarge   = wire.ErrTooLarge
	ErrIncomplete = wire.ErrIncomplete
)

// Note and Notes are the remarks on a conversion.
type (
	Note  = openbadges.Note
	Notes = openbadges.Notes
)

// Verification is the assertion's VerificationObject.
type Verification struct {
	Type    string // HostedBadge or SignedBadge; another word where the source has one
	Creator string // IRI of the key, for SignedBadge
	URL     string // OB 1.x verify.url
}

// Assertion is an OB 2.0 Assertion document. Award holds what it says about the
// award; Award.BadgeClass has nothing but its ID where the document only links
// it, and Award.BadgeClass.Issuer likewise.
type Assertion struct {
	ID           string
	Award        openbadges.Award
	Image        *openbadges.Image // the baked picture, not the badge's own
	Verification Verification
	UID          string // OB 1.x
	Endorsements []openbadges.Endorsement
	// Embed makes EncodeAssertion write the badge and its issuer into the
	// assertion, instead of a link to the badge.
	Embed bool
	// PlainRecipient allows EncodeAssertion to write a recipient that is not
	// hashed.
	PlainRecipient bool
	// Unknown holds members that neither the model nor this type has a field for.
	Unknown map[string]json.RawMessage
}

// Model gives the document as an assertion of the model. document is the bytes
// that a was read from or written to.
func (a Assertion) Model(document []byte) openbadges.Assertion {
	return openbadges.Assertion{
		ID: a.ID, Version: openbadges.V20, Award: a.Award, Issuer: a.Award.BadgeClass.Issuer, Document: document,
		Image: a.Image, Endorsements: a.Endorsements, Unknown: a.Unknown,
	}
}

// HashRecipient returns r with its identity hashed (sha256) under salt. An
// e-mail address is lower-cased and trimmed first. A recipient that is hashed
// already is returned as it is.
func HashRecipient(r openbadges.Recipient, salt string) openbadges.Recipient {
	if r.Hashed {
		return r
	}
	if r.Type == openbadges.IdentityEmail || r.Type == "" {
		r.Type = openbadges.IdentityEmail
		r.Identity = openbadges.NormalizeEmail(r.Identity)
	}
	r.Identity = openbadges.HashIdentity(r.Identity, salt)
	r.Hashed, r.Salt = true, salt
	return r
}

// ParseTime reads a DateTime as OB 2.0 section "DateTime" wants it: ISO 8601
// with a time zone. The extended and the compact form, week and ordinal dates,
// fractions, hour 24, and the zones Z, ±hh:mm, ±hhmm and ±hh are accepted; a
// date alone, a time without zone, a space for the T, lower-case letters and a
// leap second are not. The result is in UTC.
func ParseTime(s string) (time.Time, error) { return wire.ParseTime(s) }

// FormatTime writes a time as OB 2.0 wants it: ISO 8601 in UTC.
func FormatTime(t time.Time) string { return wire.FormatTime(t) }
