package store

import (
	"context"
	"time"

	"badgebridge/adapters"
)

// RunState is how a run stands.
type RunState string

// The run states.
const (
	RunGoing  RunState = "running"
	RunDone   RunState = "done"
	RunFailed RunState = "failed"
	RunHeld   RunState = "held" // it stopped itself: a person must look
)

// Run is one pull or listing of a remote.
type Run struct {
	ID        string
	Remote    adapters.Remote
	Kind      string // "changes", "list", "plan"
	Cause     string // "schedule", "webhook", "person", "command"
	State     RunState
	Message   string // for people: why it failed or was held
	Seen      int    // records read
	New       int
	Changed   int
	Pushes    int // pushes it made
	StartedAt time.Time
	EndedAt   time.Time
}

// Runs keeps what was done.
type Runs interface {
	CreateRun(ctx context.Context, r Run) (Run, error)
	PutRun(ctx context.Context, r Run) error
	Run(ctx context.Context, id string) (Run, error)
	// Runs lists newest first; remote "" all.
	Runs(ctx context.Context, remote adapters.Remote, limit int) ([]Run, error)
	// AbandonRuns marks runs of the remote that are still Going, other than
	// keep, as failed: their process is gone.
	AbandonRuns(ctx context.Context, remote adapters.Remote, keep, message string, at time.Time) error
	// PruneRuns deletes runs that changed nothing and ended before the time.
	PruneRuns(ctx context.Context, before time.Time) (int, error)
}
