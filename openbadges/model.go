// Package openbadges is the canonical model of a badge: what an award says,
// independent of the Open Badges version that carries it.
//
// Every other part of Badgebridge speaks in these types. The wire formats live
// in the sub-packages v1, v2 and v3, each of which converts to and from this
// model; baking lives in bake, verification in verify. The package needs only
// the standard library and does no I/O.
//
// Words (the product's, with those of the specifications): a Profile is an
// issuer or another party; a BadgeClass is what can be earned (OB 3.0:
// Achievement); an Award is the fact that somebody earned it; an Assertion is a
// document that attests an award (OB 3.0: AchievementCredential).
package openbadges

import (
	"encoding/json"
	"strings"
	"time"
)

// Version is an Open Badges version as written in reports: "1.1", "2.0", "3.0".
type Version string

// The versions. The gateway reads all of them and writes V11, V20 and V30; OB 2.1
// has the documents of 2.0.
const (
	V05 Version = "0.5"
	V10 Version = "1.0"
	V11 Version = "1.1"
	V20 Version = "2.0"
	V30 Version = "3.0"
)

// Profile is a party: the issuer of a badge, or whoever created or endorsed
// one (OB 2.0 Profile, OB 3.0 Profile). As an issuer OB 2.0 requires ID, Name,
// URL and Email.
type Profile struct {
	ID          string // IRI; "" when the source did not give one
	Name        string
	URL         string
	Email       string
	Telephone   string // E.164
	Description string
	Image       *Image
	// Unknown holds members that the model has no field for, by their name on
	// the wire, so that they survive a round trip.
	Unknown map[string]json.RawMessage

	// What only OB 3.0 has, but for Endorsements.
	Types        []string          `json:",omitempty"` // beyond "Profile" and "Issuer"
	Identifiers  []IdentifierEntry `json:",omitempty"`
	Endorsements []Endorsement     `json:",omitempty"`
	Address      *Address          `json:",omitempty"`
	ParentOrg    *Profile          `json:",omitempty"`
	Official     string            `json:",omitempty"`
	Person       *PersonName       `json:",omitempty"`
	DateOfBirth  string            `json:",omitempty"` // yyyy-mm-dd
}

// BadgeClass is what can be earned (OB 2.0 BadgeClass, OB 3.0 Achievement).
type BadgeClass struct {
	ID          string // IRI, or the id in the system that the value came from
	Version     string
	Name        string
	Description string // plain text
	Image       *Image
	Criteria    Criteria
	Issuer      Profile
	Tags        []string
	Alignments  []Alignment
	Language    string // BCP 47; "" when unknown
	Unknown     map[string]json.RawMessage

	// What OB 2.0 has as well.
	Related      []Related     `json:",omitempty"`
	Endorsements []Endorsement `json:",omitempty"`

	// What only OB 3.0 has. There Issuer is the achievement's creator.
	Types              []string            `json:",omitempty"` // beyond "BadgeClass" and "Achievement"
	AchievementType    string              `json:",omitempty"` // of the AchievementType enumeration, or "ext:…"
	CreditsAvailable   json.Number         `json:",omitempty"`
	FieldOfStudy       string              `json:",omitempty"`
	Specialization     string              `json:",omitempty"`
	HumanCode          string              `json:",omitempty"`
	Identifiers        []IdentifierEntry   `json:",omitempty"`
	ResultDescriptions []ResultDescription `json:",omitempty"`
}

// Image is a picture by reference. SHA256 is the lower-case hex digest of its
// bytes where they are known.
type Image struct {
	ID        string // https or data URL
	Caption   string
	Author    string
	MediaType string
	SHA256    string
	Unknown   map[string]json.RawMessage `json:",omitempty"`
}

// Criteria says what it took: a page, a text (Markdown), or both. OB 2.0
// requires one of them.
type Criteria struct {
	ID        string
	Narrative string
	Unknown   map[string]json.RawMessage `json:",omitempty"`
}

// Alignment points from a badge to a competency or standard. TargetName and
// TargetURL are required.
type Alignment struct {
	TargetName        string
	TargetURL         string
	TargetDescription string
	TargetFramework   string
	TargetCode        string
	TargetType        string                     // OB 3.0 only
	Unknown           map[string]json.RawMessage `json:",omitempty"`
}

// Evidence backs an award. All fields are optional.
type Evidence struct {
	ID          string // IRI
	Name        string
	Description string
	Narrative   string // Markdown
	Genre       string
	Audience    string
	Types       []string                   `json:",omitempty"` // beyond "Evidence"
	Unknown     map[string]json.RawMessage `json:",omitempty"`
}

// IdentityType says what kind of identifier a Recipient carries.
type IdentityType string

// The identity types of OB 2.0, section IdentityObject.
const (
	IdentityEmail     IdentityType = "email"
	IdentityURL       IdentityType = "url"
	IdentityTelephone IdentityType = "telephone"
	IdentityID        IdentityType = "id"
)

// Recipient says to whom an award was made. Either Identity is plain (Hashed
// false) or it is "alg$hex" over identity followed by Salt (OB 2.0
// IdentityObject). The names are what the awarding system knows; no Open
// Badges 2.0 document carries them.
type Recipient struct {
	Type     IdentityType
	Identity string
	Hashed   bool
	Salt     string

	GivenName  string
	FamilyName string

	// Also holds further identifiers of the same person, which only OB 3.0
	// documents carry. An e-mail address among several comes first, in the
	// fields above.
	Also []Identity `json:",omitempty"`
}

// Name is the recipient's full name, "" when none is known.
func (r Recipient) Name() string {
	return strings.TrimSpace(strings.TrimSpace(r.GivenName) + " " + strings.TrimSpace(r.FamilyName))
}

// Named reports whether both names that a strict issuer (Credly) asks for are
// present.
func (r Recipient) Named() bool {
	return strings.TrimSpace(r.GivenName) != "" && strings.TrimSpace(r.FamilyName) != ""
}

// Acceptance is the recipient's answer to an award, as far as the system that
// reports the award knows it.
type Acceptance string

// The acceptances. A system without the notion reports AcceptanceUnknown.
const (
	AcceptanceUnknown  Acceptance = ""
	AcceptancePending  Acceptance = "pending"
	AcceptanceAccepted Acceptance = "accepted"
	AcceptanceRejected Acceptance = "rejected"
)

// Award is the fact that a recipient earned a badge: who, which, when.
// Times are UTC; a zero time means absent.
type Award struct {
	BadgeClass BadgeClass
	Recipient  Recipient
	IssuedOn   time.Time
	Expires    time.Time
	Evidence   []Evidence
	Narrative  string // Markdown

	Acceptance       Acceptance
	Revoked          bool
	RevokedOn        time.Time
	RevocationReason string

	// AssertionURL is where the reporting system hosts an assertion of its own
	// for this award, "" when it hosts none.
	AssertionURL string
	// PageURL is a page for people about this very award at the reporting
	// system (to accept it, or to look at it), "" when there is none.
	PageURL string

	// What only OB 3.0 has.
	ValidFrom     time.Time   `json:",omitzero"` // zero when it is IssuedOn
	Results       []Result    `json:",omitempty"`
	CreditsEarned json.Number `json:",omitempty"`
	LicenseNumber string      `json:",omitempty"`
	Role          string      `json:",omitempty"`
	Term          string      `json:",omitempty"`
	ActivityStart time.Time   `json:",omitzero"`
	ActivityEnd   time.Time   `json:",omitzero"`
	Source        *Profile    `json:",omitempty"` // who assessed or attested, when not the issuer
	// Unknown holds members of the credentialSubject that the model has no
	// field for.
	Unknown map[string]json.RawMessage `json:",omitempty"`
}

// Assertion is a document that attests an award. ID is the document's own id;
// Document is its bytes as they were written or received and is never
// re-serialized.
type Assertion struct {
	ID       string
	Version  Version
	Award    Award
	Issuer   Profile
	Document []byte

	Image        *Image // the award's own picture, which is usually baked
	Endorsements []Endorsement
	Unknown      map[string]json.RawMessage
}

// NormalizeEmail lower-cases and trims an address. Whoever issues uses it
// before hashing; whoever verifies tries the address as typed as well
// (Open Badges names no normal form).
func NormalizeEmail(address string) string {
	return strings.ToLower(strings.TrimSpace(address))
}
