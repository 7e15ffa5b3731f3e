package store

import (
	"context"
	"time"

	"badgebridge/adapters"
)

// When says at which moment an award flows to the other side of a mapping.
type When string

// The moments. Never is the first state: nothing leaves until an admin says so.
const (
	Never   When = "never"
	OnClaim When = "on-claim"
	AtOnce  When = "at-once"
)

// OnReject says what becomes of a copy that exists because of an award which its
// earner then rejects at the origin.
type OnReject string

// What a rejection does.
const (
	RejectKeeps   OnReject = "keep"   // the copy stays; the rejection is shown
	RejectRevokes OnReject = "revoke" // the copy is taken back
)

// Mailer says who tells the member of a new award: one of the three, so that
// nobody gets two letters about one badge.
type Mailer string

// The mailers.
const (
	MailGateway Mailer = "gateway"
	MailA       Mailer = "a" // the remote of ClassA
	MailB       Mailer = "b" // the remote of ClassB
)

// Mapping joins two badges at two remotes and says what flows between them. An
// admin makes it. A is usually the site's badge, B Credly's template.
type Mapping struct {
	ID       string
	ClassA   string // class ids
	ClassB   string
	AToB     When
	BToA     When
	RevokeAB bool // a revocation at A reaches the copy at B
	RevokeBA bool
	// SinceAB and SinceBA leave old awards alone: an award whose moment (its
	// issue, or its claim where the policy waits for one) lies before is not
	// sent in that direction. Zero: all are.
	SinceAB time.Time
	SinceBA time.Time
	// BackfillAt is when the policy came to reach awards that were there before:
	// what is older is looked for at the other side before it is sent. Zero: nothing
	// old is reached.
	BackfillAt time.Time
	OnReject   OnReject
	Mailer     Mailer
	// Paused is why nothing flows for now, for people; "" it flows.
	Paused    string
	Version   int    // of the policy; a change counts up
	CreatedBy string // person id
	CreatedAt time.Time
	UpdatedAt time.Time

	// Base is what of B's content an admin last took over or decided to leave, as
	// its caller writes it; "" nothing yet. PutKey is the key under which A was
	// written to its remote, "" never. Only SetMappingBase changes them.
	Base   string
	PutKey adapters.Key
}

// Mappings keeps what the admins decided.
type Mappings interface {
	CreateMapping(ctx context.Context, m Mapping) (Mapping, error) // ErrExists for the same pair
	Mapping(ctx context.Context, id string) (Mapping, error)
	Mappings(ctx context.Context) ([]Mapping, error) // oldest first
	// MappingsOf lists the mappings that name the class on either side.
	MappingsOf(ctx context.Context, classID string) ([]Mapping, error)
	// SetMappingBase writes Base and PutKey, which are no part of the policy.
	SetMappingBase(ctx context.Context, id, base string, putKey adapters.Key) error
	// PutMapping changes policy and pause, only if the stored Version is
	// m.Version: else ErrStale. It counts Version up.
	PutMapping(ctx context.Context, m Mapping) error
	DeleteMapping(ctx context.Context, id string) error
}
