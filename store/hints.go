package store

import (
	"context"
	"time"

	"badgebridge/adapters"
)

// HintState is how far an event is that a webhook named.
type HintState string

// The states of a hint.
const (
	HintWaiting   HintState = "waiting"   // the remote is still to be asked about it
	HintConfirmed HintState = "confirmed" // the remote was asked, and what it said is recorded
	HintPulled    HintState = "pulled"    // a pull that began after it came saw what it was about
	HintUnknown   HintState = "unknown"   // the remote knows no such event
)

// Hint is an event that a webhook named.
type Hint struct {
	Remote     adapters.Remote
	ID         string // the remote's own
	State      HintState
	Attempts   int // at asking the remote
	ReceivedAt time.Time
	NextAt     time.Time // when the remote is asked, while waiting
}

// HintCounts is what a remote's webhooks of the last time come to, for people.
type HintCounts struct {
	Last                        time.Time // when one came last; zero: none is kept
	Waiting, Confirmed, Unknown int
	Pulled                      int
}

// Hints keeps the events that webhooks name. They are no facts: what follows from
// one is what the remote says when it is asked.
type Hints interface {
	// AddHint notes a waiting hint. It reports false when it was there already,
	// in whatever state: webhooks come more than once.
	AddHint(ctx context.Context, h Hint) (bool, error)
	// DueHints lists a remote's waiting hints whose NextAt has come, those that
	// came first before others.
	DueHints(ctx context.Context, remote adapters.Remote, now time.Time, limit int) ([]Hint, error)
	// PutHint writes State, Attempts and NextAt. ErrNotFound.
	PutHint(ctx context.Context, h Hint) error
	// CoverHints makes the waiting hints pulled that came before the time, and
	// returns how many those were.
	CoverHints(ctx context.Context, remote adapters.Remote, before time.Time) (int, error)
	CountHints(ctx context.Context, remote adapters.Remote) (HintCounts, error)
	// PruneHints deletes hints that came before the time. One that comes again
	// after that counts as new.
	PruneHints(ctx context.Context, before time.Time) (int, error)
}
