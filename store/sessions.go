package store

import (
	"context"
	"time"
)

// Sessions keeps browser sessions and login states: they are truth, so that a
// stopped Redis signs nobody out.
type Sessions interface {
	// Session returns the data of a live session; ErrNotFound when unknown or expired.
	Session(ctx context.Context, tokenHash string, now time.Time) ([]byte, error)
	// PutSession keeps a session; personID says whose it is, "" nobody's.
	PutSession(ctx context.Context, tokenHash, personID string, data []byte, expires time.Time) error
	DeleteSession(ctx context.Context, tokenHash string) error
	PruneSessions(ctx context.Context, now time.Time) (int, error)

	// CreateLoginState keeps what a sign-in needs when the browser comes back.
	CreateLoginState(ctx context.Context, stateHash string, data []byte, expires time.Time) error
	// TakeLoginState returns and deletes it: a state is good once.
	TakeLoginState(ctx context.Context, stateHash string, now time.Time) ([]byte, error)

	// UseOnce remembers a value (a webhook's id, a nonce) until expires and
	// reports whether it was new.
	UseOnce(ctx context.Context, scope, value string, now, expires time.Time) (fresh bool, err error)
}
