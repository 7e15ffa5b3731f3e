package store

import (
	"context"
	"time"

	"badgebridge/adapters"
)

// RemoteState says what may flow through a remote.
type RemoteState string

// The states of a remote.
const (
	RemoteActive   RemoteState = "active"
	RemotePaused   RemoteState = "paused"    // by an admin: nothing is pulled or pushed
	RemoteReadOnly RemoteState = "read-only" // its identity changed: nothing is pulled or pushed until an admin says which it is
)

// Remote is one configured connection.
type Remote struct {
	Name   adapters.Remote
	Kind   string
	Title  string // for people
	Config []byte // sealed by the caller; never in clear here
	State  RemoteState
	Reason string // why it is not active, for people
	// Declared: the configuration file names it and wins over the pages.
	Declared bool

	Identity string // pinned: what Check answered when it was connected
	// WebhookHash is the hex SHA-256 of the secret in the webhook's path.
	WebhookHash string
	// WebhookSecret is that secret, sealed by the caller, so that the address can
	// be shown to an admin; "" when the other side was told it and nobody else
	// needs it.
	WebhookSecret string

	Cursor     adapters.Cursor // of Changes
	ListCursor adapters.Cursor // of a List under way; "" none
	ListRun    string          // the run that List belongs to
	Dirty      bool            // a webhook came: pull soon
	NextPull   time.Time
	NextList   time.Time
	// ReadAt and ListedAt are when the last complete reading of its changes, and of
	// all its records, began; zero never.
	ReadAt   time.Time
	ListedAt time.Time

	Health        string // "ok", "failing", "unauthorized", "" not yet checked
	HealthMessage string // the remote's own words, for people
	HealthDetails []byte // JSON: adapters.Health.Details and Warnings
	CheckedAt     time.Time

	CreatedAt time.Time
	UpdatedAt time.Time
}

// Remotes keeps connections, their cursors and who works on them.
type Remotes interface {
	CreateRemote(ctx context.Context, r Remote) error // ErrExists
	Remote(ctx context.Context, name adapters.Remote) (Remote, error)
	Remotes(ctx context.Context) ([]Remote, error) // by name
	// PutRemoteConfig changes Kind, Title, Config, Declared, WebhookHash,
	// WebhookSecret and Identity.
	PutRemoteConfig(ctx context.Context, r Remote) error
	SetRemoteState(ctx context.Context, name adapters.Remote, s RemoteState, reason string) error
	PinIdentity(ctx context.Context, name adapters.Remote, identity string) error
	SetRemoteHealth(ctx context.Context, name adapters.Remote, health, message string, details []byte, at time.Time) error
	DeleteRemote(ctx context.Context, name adapters.Remote) error

	// LeaseRemote makes owner the only one who pulls from name until the lease
	// ends; it reports false when another owner holds it. Leasing again by the
	// same owner extends. It clears Dirty and returns whether it was set.
	LeaseRemote(ctx context.Context, name adapters.Remote, owner string, now, until time.Time) (ok, wasDirty bool, err error)
	ReleaseRemote(ctx context.Context, name adapters.Remote, owner string, nextPull time.Time) error
	// MarkDirty notes that a webhook came; it is never lost, also during a pull.
	MarkDirty(ctx context.Context, name adapters.Remote) error
	// DueRemotes lists active remotes without a live lease that are dirty, that
	// have a due hint or whose NextPull has come, the longest due first.
	DueRemotes(ctx context.Context, now time.Time, limit int) ([]adapters.Remote, error)
	// AdvanceCursor sets Cursor, only if it still is from: else ErrStale.
	AdvanceCursor(ctx context.Context, name adapters.Remote, from, to adapters.Cursor) error
	// MarkRead notes a complete reading that began at read, and a complete listing
	// that began at listed (zero: none). Earlier moments than those known are
	// ignored.
	MarkRead(ctx context.Context, name adapters.Remote, read, listed time.Time) error
	// ListSoon makes the remote due to be listed in full.
	ListSoon(ctx context.Context, name adapters.Remote, now time.Time) error
	// AdvanceList sets ListCursor and ListRun, only if ListCursor still is from.
	AdvanceList(ctx context.Context, name adapters.Remote, from, to adapters.Cursor, run string, nextList time.Time) error
}
