package openbadges

import (
	"encoding/json"
	"time"
)

// Identity is one further identifier of a recipient: plain, or hashed as in
// Recipient.
type Identity struct {
	Type     IdentityType
	Identity string
	Hashed   bool
	Salt     string
}

// IdentifierEntry is an identifier under a scheme that Type names, for example
// "sourcedId" (OB 3.0 IdentifierTypeEnum, or "ext:…").
type IdentifierEntry struct {
	Identifier string
	Type       string
	Unknown    map[string]json.RawMessage `json:",omitempty"`
}

// Related points to another version, language or form of a badge.
type Related struct {
	ID       string // IRI
	Language string // BCP 47
	Version  string
	Types    []string                   `json:",omitempty"` // beyond "Related"
	Unknown  map[string]json.RawMessage `json:",omitempty"`
}

// Endorsement is a third party's word for a badge, a profile or an award. It
// is nothing but a link (ID), or a document with a proof of its own, which is
// never changed: Document as JSON, or JWT. The other fields repeat what Document
// says.
type Endorsement struct {
	ID       string
	Subject  string // id of what is endorsed
	Comment  string
	Issuer   Profile
	IssuedOn time.Time
	Document json.RawMessage `json:",omitempty"`
	JWT      string          `json:",omitempty"`
}

// Address is a postal address (OB 3.0 Address).
type Address struct {
	Country     string
	CountryCode string // ISO 3166-1 alpha-2
	Region      string
	Locality    string
	Street      string
	PostOffice  string // number of the post office box
	PostalCode  string
	Latitude    json.Number `json:",omitempty"` // degrees; "" when unknown
	Longitude   json.Number `json:",omitempty"`
	Unknown     map[string]json.RawMessage
}

// PersonName are the parts of a profile's name when it is a person's (OB 3.0).
type PersonName struct {
	GivenName        string
	AdditionalName   string
	FamilyName       string
	FamilyNamePrefix string
	PatronymicName   string
	HonorificPrefix  string
	HonorificSuffix  string
}

// ResultDescription says which result a badge may come with (OB 3.0). ID, Name
// and ResultType are required.
type ResultDescription struct {
	ID            string // IRI
	Name          string
	ResultType    string // of the ResultType enumeration, or "ext:…"
	AllowedValues []string
	RequiredLevel string // ID of one of Levels
	RequiredValue string
	ValueMin      string
	ValueMax      string
	Levels        []RubricLevel
	Alignments    []Alignment
	Unknown       map[string]json.RawMessage
}

// RubricLevel is a level of a rubric (OB 3.0 RubricCriterionLevel). ID and Name
// are required.
type RubricLevel struct {
	ID          string // IRI
	Name        string
	Description string
	Level       string
	Points      string
	Alignments  []Alignment
	Unknown     map[string]json.RawMessage
}

// Result is what a recipient achieved (OB 3.0). All fields are optional.
type Result struct {
	ResultDescription string // ID of the ResultDescription that it answers
	Value             string
	Status            string // of the ResultStatusType enumeration
	AchievedLevel     string // ID of a RubricLevel
	Alignments        []Alignment
	Unknown           map[string]json.RawMessage
}
