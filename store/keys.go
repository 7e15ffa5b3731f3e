package store

import (
	"context"
	"time"
)

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
	// CreateKey answers ErrExists when a key of that purpose and algorithm is in
	// use: one signs at a time.
	CreateKey(ctx context.Context, k Key) error
	Keys(ctx context.Context, purpose string) ([]Key, error) // newest first
	// RetireKey ends the use of a key; ErrStale when it has ended already.
	RetireKey(ctx context.Context, id string, at time.Time) error
}
