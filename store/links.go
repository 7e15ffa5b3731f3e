package store

import (
	"context"
	"time"

	"badgebridge/adapters"
)

// LinkRole says whether the remote made the award or has a copy of it.
type LinkRole string

// The roles.
const (
	RoleOrigin LinkRole = "origin"
	RoleCopy   LinkRole = "copy"
)

// LinkState says whether the remote still has the record.
type LinkState string

// The link states.
const (
	LinkPresent LinkState = "present"
	LinkRevoked LinkState = "revoked" // there, but taken back
	LinkGone    LinkState = "gone"
)

// Link joins a record at a remote with an award.
type Link struct {
	Remote  adapters.Remote
	Ref     adapters.Ref
	AwardID string
	Role    LinkRole
	State   LinkState
	// Acceptance is the recipient's answer there ("pending", "accepted"…).
	Acceptance  string
	PageURL     string // for people: the record's own page there
	Version     string // of the record, as the adapter reported it
	PushKey     adapters.Key
	Generation  int
	DocumentSHA string // the bytes it last came in
	Normalizer  int    // the version of the normalizing code that read them
	ListedRun   string // the last complete or running List that named it
	SeenAt      time.Time
	CreatedAt   time.Time
}

// Provenance is one arrival of a record: which bytes, when, by which run.
type Provenance struct {
	Remote      adapters.Remote
	Ref         adapters.Ref
	AwardID     string
	DocumentSHA string
	RunID       string
	At          time.Time
}

// Links keeps which record is which award.
type Links interface {
	// PutLink creates or updates by (Remote, Ref). An unchanged row is not
	// written and changed is false; ListedRun and SeenAt alone don't count.
	PutLink(ctx context.Context, l Link) (changed bool, err error)
	// CreateLink is PutLink for a record that has no link: ErrExists when another
	// transaction was first, so that nobody takes a record from another award unseen.
	CreateLink(ctx context.Context, l Link) error
	Link(ctx context.Context, remote adapters.Remote, ref adapters.Ref) (Link, error)
	LinksOf(ctx context.Context, awardID string) ([]Link, error) // origin first, then by creation
	// MarkListed notes that the run's List named these records.
	MarkListed(ctx context.Context, remote adapters.Remote, refs []adapters.Ref, run string) error
	// CountLinks counts the present links of a remote.
	CountLinks(ctx context.Context, remote adapters.Remote) (int, error)
	// Unlisted lists present links of the remote that the run did not name and
	// that existed before it began, oldest first; total counts all of them.
	Unlisted(ctx context.Context, remote adapters.Remote, run string, before time.Time, limit int) (links []Link, total int, err error)

	AddProvenance(ctx context.Context, p Provenance) error
	ProvenanceOf(ctx context.Context, awardID string) ([]Provenance, error) // oldest first
}
