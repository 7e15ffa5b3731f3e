package store

import (
	"context"
	"time"
)

// StatusEntry is an award's place in a status list.
type StatusEntry struct {
	List     string
	Position int // counted from 0
}

// StatusList is a list of one bit an award, as it was signed last.
type StatusList struct {
	ID   string
	Size int // places
	// Rev counts the signed documents; Content tells what the last one says.
	Rev      int
	Content  string
	Document []byte
	SignedAt time.Time // zero: none was signed yet
}

// Statuses keeps who has which place in which status list. Whether an award is
// revoked is the award's own matter.
type Statuses interface {
	// TakeStatus gives an award a place that says nothing about it: a random one
	// that nobody has, in a list of size places; lists are made as they are
	// needed. Asked again it answers the same place.
	TakeStatus(ctx context.Context, awardID string, size int) (StatusEntry, error)
	StatusOf(ctx context.Context, awardID string) (StatusEntry, error)
	StatusList(ctx context.Context, id string) (StatusList, error)
	// RevokedIn lists the places of a list whose awards are revoked, ascending.
	RevokedIn(ctx context.Context, listID string) ([]int, error)
	// PutStatusList keeps a newly signed document; l.Rev is the one that it
	// follows. ErrStale when another has followed it.
	PutStatusList(ctx context.Context, l StatusList) error
}
