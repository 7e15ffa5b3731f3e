package store

import (
	"context"
	"time"
)

// When says at which moment an award flows to the other side of a mapping.
type When string

// The moments. Never is the first state: nothing leaves until an admin says so.
const (
	Never   When = "never"
	OnClaim When = "on-claim"
	AtOnce  When = "at-once"
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
	// Paused is why nothing flows for now, for people; "" it flows.
	Paused    string
	Version   int    // of the policy; a change counts up
	CreatedBy string // person id
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Mappings keeps what the admins decided.
type Mappings interface {
	CreateMapping(ctx context.Context, m Mapping) (Mapping, error) // ErrExists for the same pair
	Mapping(ctx context.Context, id string) (Mapping, error)
	Mappings(ctx context.Context) ([]Mapping, error) // oldest first
	// MappingsOf lists the mappings that name the class on either side.
	MappingsOf(ctx context.Context, classID string) ([]Mapping, error)
	// PutMapping changes policy and pause, only if the stored Version is
	// m.Version: else ErrStale. It counts Version up.
	PutMapping(ctx context.Context, m Mapping) error
	DeleteMapping(ctx context.Context, id string) error
}
