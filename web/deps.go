package web

import (
	"context"
	"time"
)

// Cache is the part of the shared cache that pages use. All of it may fail to
// remember; none of it is truth.
type Cache interface {
	// Allow counts one use of key and reports whether it stays within limit uses
	// in each period.
	Allow(ctx context.Context, key string, limit int, period time.Duration) (bool, error)
	// Progress is how many records a run has read, ok false when it is not known.
	Progress(ctx context.Context, run string) (seen int, ok bool)
}

// DemoPerson is somebody who one can sign in as in the demo.
type DemoPerson struct {
	Email string
	Name  string
	Hint  string // what there is to see as this person
}

// Check is one part of the readiness.
type Check struct {
	Name    string `json:"name"`
	Status  string `json:"status"` // "ok", "degraded", "down"
	Message string `json:"message,omitempty"`
}
