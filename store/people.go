package store

import (
	"context"
	"time"

	"badgebridge/openbadges"
)

// Person is an account of the gateway.
type Person struct {
	ID         string
	GivenName  string
	FamilyName string
	Locale     string
	// Mail is the address that letters go to, one of their proven ones; "" the
	// one that was proven first. See People.MailOf.
	Mail      string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Name is the person's full name, "" when none is known.
func (p Person) Name() string {
	return openbadges.Recipient{GivenName: p.GivenName, FamilyName: p.FamilyName}.Name()
}

// SignIn is one way in: an account at an OpenID provider.
type SignIn struct {
	Issuer   string
	Subject  string
	PersonID string
	Provider string // the provider's configured name
	Roles    []string
	LastAt   time.Time
}

// Identifier is something that names a person, with the proof that it does.
type Identifier struct {
	Type     openbadges.IdentityType
	Value    string // normalized
	PersonID string
	ProvenBy string // "code", "provider:NAME", "setup"
	ProvenAt time.Time
}

// Code is a one-time code sent to an address. Only its hash is kept.
type Code struct {
	ID        string
	Email     string
	Hash      string
	Purpose   string // "sign-in", "prove:PERSON"
	Attempts  int
	ExpiresAt time.Time
}

// People keeps accounts. Identifiers are unique: one address, one person.
type People interface {
	CreatePerson(ctx context.Context, p Person) (Person, error)
	Person(ctx context.Context, id string) (Person, error)
	PutPerson(ctx context.Context, p Person) error
	Persons(ctx context.Context, after string, limit int) ([]Person, error) // by id

	SignIn(ctx context.Context, issuer, subject string) (SignIn, error)
	// PutSignIn creates or updates by (Issuer, Subject). The person of an
	// existing one never changes: ErrExists.
	PutSignIn(ctx context.Context, s SignIn) error
	SignInsOf(ctx context.Context, personIDs ...string) ([]SignIn, error)

	// AddIdentifier attaches a proven identifier. ErrExists when another person
	// has it; attaching it again to the same person only renews the proof.
	AddIdentifier(ctx context.Context, i Identifier) error
	Identifier(ctx context.Context, t openbadges.IdentityType, value string) (Identifier, error)
	IdentifiersOf(ctx context.Context, personIDs ...string) ([]Identifier, error)
	// RemoveIdentifier takes an identifier from the person who has it. Awards to it
	// that they have not answered wait for whoever proves it next. ErrNotFound.
	RemoveIdentifier(ctx context.Context, personID string, t openbadges.IdentityType, value string) error
	// MailOf is the address that letters to the person go to; ErrNotFound when they
	// have proven none.
	MailOf(ctx context.Context, personID string) (string, error)

	CreateCode(ctx context.Context, c Code) error
	// TryCode counts an attempt and returns the code as it is after that.
	TryCode(ctx context.Context, id string) (Code, error)
	DeleteCode(ctx context.Context, id string) error
}
