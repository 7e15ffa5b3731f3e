package store

import (
	"context"
	"time"

	"badgebridge/adapters"
)

// ImportState is how an import stands.
type ImportState string

// The states of an import.
const (
	ImportGoing  ImportState = "running"
	ImportDone   ImportState = "done"   // every badge was tried; some may have failed
	ImportFailed ImportState = "failed" // it could not go on: Message says why
)

// Import brings badges of one remote into another, or maps them to badges that
// are there. It is done badge by badge, by whoever holds its lease.
type Import struct {
	ID        string
	From      adapters.Remote
	To        adapters.Remote // "": into the gateway's catalog alone
	State     ImportState
	Message   string // for people: why it stopped
	CreatedBy string // person id, "" the command line
	CreatedAt time.Time
	EndedAt   time.Time

	// Counted from the items.
	Total, Done, Failed int
}

// Left is how many badges were not tried yet.
func (i Import) Left() int { return i.Total - i.Done - i.Failed }

// ItemState is how one badge of an import stands.
type ItemState string

// The states of an item.
const (
	ItemWaiting ItemState = "waiting"
	ItemDone    ItemState = "done"
	ItemFailed  ItemState = "failed"
)

// ImportItem is one badge of an import.
type ImportItem struct {
	ImportID  string
	Position  int    // from 1
	ClassID   string // the badge that is imported
	TargetID  string // the class that it is joined with: chosen before, or made; "" none yet
	MappingID string
	State     ItemState
	Message   string   // for people: why it failed
	Warnings  []string // codes: "criteria", "issuer", "image"
	UpdatedAt time.Time
}

// Imports keeps imports and how far they are.
type Imports interface {
	// CreateImport adds a running import with its items; ID, Position and states
	// are filled in.
	CreateImport(ctx context.Context, i Import, items []ImportItem) (Import, error)
	Import(ctx context.Context, id string) (Import, error)
	Imports(ctx context.Context, limit int) ([]Import, error) // newest first
	// ImportItems lists by position, those after it.
	ImportItems(ctx context.Context, importID string, after, limit int) ([]ImportItem, error)
	// PutImportItem writes all fields by (ImportID, Position).
	PutImportItem(ctx context.Context, item ImportItem) error
	// EndImport writes State, Message and EndedAt and ends the lease. Imports that
	// have ended stay as they are: ErrStale.
	EndImport(ctx context.Context, i Import) error
	// ResumeImport makes a failed import running again, and its failed items
	// waiting. ErrStale while it runs.
	ResumeImport(ctx context.Context, id string) error
	// LeaseImport makes owner the only one who works on a running import until the
	// lease ends; false when another does, or when it has ended. Leasing again by
	// the same owner extends.
	LeaseImport(ctx context.Context, id, owner string, now, until time.Time) (bool, error)
	// DueImports lists running imports without a live lease, oldest first.
	DueImports(ctx context.Context, now time.Time, limit int) ([]string, error)
}

// Destination is the address that a member wants an award sent to, one of those
// that they have proven. Choosing it is their consent.
type Destination struct {
	AwardID  string
	Email    string // normalized
	PersonID string
	ChosenAt time.Time
}

// Destinations keeps where members want badges sent.
type Destinations interface {
	PutDestination(ctx context.Context, d Destination) error
	Destination(ctx context.Context, awardID string) (Destination, error) // ErrNotFound
}
