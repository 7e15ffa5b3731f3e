package store

import (
	"context"
	"time"

	"badgebridge/adapters"
)

// Op is what a push does at its remote.
type Op string

// The operations.
const (
	OpIssue  Op = "issue"
	OpUpdate Op = "update"
	OpRevoke Op = "revoke"
	OpRemove Op = "remove"
)

// PushState is where a push stands.
type PushState string

// The states. Waiting, Queued and Sent are open; the others are final, but a
// person may send a Rejected or Held push again.
const (
	PushWaiting   PushState = "waiting"   // for a claim, a name, a consent: see Reason
	PushQueued    PushState = "queued"    // due at NextAt
	PushSent      PushState = "sent"      // the call was made and its outcome is not known yet
	PushDone      PushState = "done"      //
	PushRejected  PushState = "rejected"  // the remote refused it for good; Words says why
	PushHeld      PushState = "held"      // needs a person; Reason says why
	PushCancelled PushState = "cancelled" // no longer wanted
)

// Open reports whether the push may still lead to a call by itself.
func (s PushState) Open() bool {
	return s == PushWaiting || s == PushQueued || s == PushSent
}

// Push is one write to one remote about one award: the row is the queue, the
// state and the story.
type Push struct {
	ID         string
	Key        adapters.Key // unique
	Op         Op
	Remote     adapters.Remote
	AwardID    string
	Generation int
	MappingID  string
	State      PushState
	Reason     string       // a code: "claim", "name", "consent", "doubt", "paused"…
	Words      string       // what the remote itself said last
	Ref        adapters.Ref // the record there: known before for revoke, after for issue
	Cause      string       // what asked for it: "award", "claim", "revoked at origin", "person"
	Attempts   int
	NextAt     time.Time
	SentAt     time.Time // of the last call
	Deadline   time.Time // when that call surely has ended
	// Unsure: a call of this issue may have succeeded, and the remote was not asked
	// since. It is never sent again before it was looked for.
	Unsure bool
	// By is the person who asked for the step that is being written, "" nobody but
	// the gateway. It goes to the step's event; a push that is read has none.
	By        string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// PushEvent is one step in a push's story, kept for ever.
type PushEvent struct {
	PushID string
	At     time.Time
	State  PushState
	Reason string
	Words  string
	By     string // the person who asked for it, "" the gateway itself
}

// PushFilter narrows a listing of pushes; empty fields don't.
type PushFilter struct {
	Remote adapters.Remote
	State  PushState
	Before string // keyset: the last id of the page before
	Limit  int
}

// Pushes keeps what is still to be sent and what became of the rest.
type Pushes interface {
	// CreatePush adds the row and its first event; ErrExists when the Key is taken.
	CreatePush(ctx context.Context, p Push) (Push, error)
	Push(ctx context.Context, id string) (Push, error)
	PushByKey(ctx context.Context, k adapters.Key) (Push, error)
	PushesOf(ctx context.Context, awardID string) ([]Push, error) // oldest first
	// PushesAt lists the pushes that name a record at a remote, oldest first: of
	// several awards where one record stands for all of them.
	PushesAt(ctx context.Context, remote adapters.Remote, ref adapters.Ref) ([]Push, error)
	Pushes(ctx context.Context, f PushFilter) ([]Push, error) // newest first
	CountPushes(ctx context.Context) (map[PushState]int, error)

	// LeasePushes gives owner up to limit pushes that are Queued or Sent, due at
	// now, not leased by a live owner, of an active remote, and the first open
	// one of their (Remote, AwardID): pushes of one award at one remote never
	// overlap.
	LeasePushes(ctx context.Context, owner string, now, until time.Time, limit int) ([]Push, error)
	// SavePush writes state, reason, words, ref, mapping, attempts and times of a push
	// that owner has leased ("" for changes by plan or person, which need no live lease
	// to exist), adds an event when state, reason or words changed or By is set, and ends
	// the lease unless the new state is Sent with keepLease. ErrStale when the
	// lease is another's or the stored state is not from.
	SavePush(ctx context.Context, p Push, from PushState, owner string, keepLease bool) error
	PushEvents(ctx context.Context, pushID string) ([]PushEvent, error) // oldest first
	// NextPush is when the earliest Queued or Sent push is due; ok false when none.
	NextPush(ctx context.Context) (at time.Time, ok bool, err error)
}
