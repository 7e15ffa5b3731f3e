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
	PutSession(ctx context.Context, tokenHash string, data []byte, expires time.Time) error
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

// Key is a signing key; Sealed is its private part under the master key.
type Key struct {
	ID        string
	Purpose   string // "assertion", "session"
	Algorithm string // "EdDSA", "RS256"
	Public    []byte // JWK
	Sealed    []byte
	CreatedAt time.Time
	RetiredAt time.Time // zero: in use
}

// Keys keeps signing keys; old ones stay so that what they signed verifies.
type Keys interface {
	CreateKey(ctx context.Context, k Key) error
	Keys(ctx context.Context, purpose string) ([]Key, error) // newest first
	RetireKey(ctx context.Context, id string, at time.Time) error
}
