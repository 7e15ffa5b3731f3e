// Package v1 converts between Open Badges 0.5, 1.0 and 1.1 and the model. All
// three are read, 1.1 is written.
//
// Reading is tolerant, as in v2, and notes every departure from the text. An
// assertion of 0.5 is one document with badge and issuer in it; later ones link
// them, though some issuers embed them. Writing is strict: the Encode functions
// give exactly the bytes to store and serve, and refuse a document that the
// specification would not allow.
//
// Source: Mozilla's assertion of 2012 (0.5) and the Open Badges Specification 1.0
// and 1.1.
package v1

import (
	"encoding/json"

	"badgebridge/openbadges"
	"badgebridge/openbadges/internal/wire"
)

// Context is the JSON-LD context that every written document names.
const Context = "https://w3id.org/openbadges/v1"

// MaxDocument is the size in bytes up to which a document is read.
const MaxDocument = wire.MaxDocument

// The types of verification.
const (
	Hosted = "hosted"
	Signed = "signed"
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

// Verify is the assertion's VerificationObject. URL is where the assertion is
// hosted, or where the signer's key is.
type Verify struct {
	Type string // Hosted or Signed; another word where the source has one
	URL  string
}

// Assertion is an Assertion document of OB 0.5, 1.0 or 1.1. Award holds what it
// says about the award; Award.BadgeClass has nothing but its ID where the
// document only links it.
type Assertion struct {
	Version openbadges.Version // V05, V10 or V11
	ID      string             // its address; a document before 1.1 has it in Verify alone
	UID     string             // required in 1.0 and 1.1
	Award   openbadges.Award
	Image   *openbadges.Image // the baked picture
	Verify  Verify
	// Embed makes EncodeAssertion write the badge and its issuer into the
	// assertion, instead of a link to the badge.
	Embed bool
	// PlainRecipient allows EncodeAssertion to write a recipient that is not
	// hashed.
	PlainRecipient bool
	// Unknown holds members that neither the model nor this type has a field for,
	// extensions among them.
	Unknown map[string]json.RawMessage
}

// Model gives the document as an assertion of the model. document is the bytes
// that a was read from or written to.
func (a Assertion) Model(document []byte) openbadges.Assertion {
	return openbadges.Assertion{
		ID: a.ID, Version: a.Version, Award: a.Award, Issuer: a.Award.BadgeClass.Issuer, Document: document,
		Image: a.Image, Unknown: a.Unknown,
	}
}

// FromModel gives an assertion of OB 1.1, to be written and served, that says
// what an assertion says. The notes name what could not be carried over;
// EncodeAssertion names the rest. id is the address where it will be hosted; ""
// keeps that of the origin, which is the uid as well.
func FromModel(a openbadges.Assertion, id string) (Assertion, Notes) {
	var notes Notes
	if a.Version != openbadges.V11 {
		a = wire.Foreign(a, openbadges.V11, &notes)
		a = wire.OneIssuer(a, openbadges.V11, &notes)
	}
	if a.Version == openbadges.V20 || a.Version == openbadges.V30 {
		a = wire.OneIdentity(a, &notes, openbadges.IdentityEmail)
	}
	for i, e := range a.Endorsements {
		notes.Add("endorsement", "the endorsement %d (%s) has no place in OB 1.1", i, e.ID)
	}
	out := Assertion{
		Version: openbadges.V11, ID: a.ID, Award: a.Award, Image: a.Image, Unknown: a.Unknown,
		Embed: a.Award.BadgeClass.Name != "",
	}
	switch {
	case id != "":
		out.ID = id
	case a.Version != openbadges.V11 && a.Version != "":
		notes.Add("id", "is still that of the original; the new document has to be hosted at an address of its own")
	}
	out.UID = out.ID
	out.Verify = Verify{Type: Hosted, URL: out.ID}
	if out.Embed {
		notes.Add("badge", "is embedded; OB 1.1 wants badge and issuer hosted at addresses of their own and linked")
	}
	return out, notes
}
