// Package store holds what the gateway knows to be true, as the interfaces
// that the engine and the pages need and the types they speak in. The engines
// behind it are in sqlstore (SQLite and PostgreSQL from one SQL text); what can
// be rebuilt is cached by the package cache, on Redis.
//
// Rules that every engine keeps, held by storetest:
//   - Times are UTC, at microseconds; the zero time means "none".
//   - A get that finds nothing returns ErrNotFound. A write that meets a row
//     with the same unique key returns ErrExists, a conditional write whose
//     condition no longer holds ErrStale.
//   - A listing is ordered as its method says and bounded by its limit.
//   - Ids are made by NewID: 128 random bits, so that an address says nothing.
package store

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"strings"
	"time"
)

// The errors that callers tell apart.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists already")
	ErrStale    = errors.New("changed in the meantime")
)

// Store is a database that holds the gateway's truth.
type Store interface {
	Tx
	// InTx runs f in one transaction: committed when f returns nil, else rolled
	// back. f may run again when the database asks for it (a serialization
	// failure), so it has no effect but through tx. No network calls in f.
	InTx(ctx context.Context, f func(tx Tx) error) error
	// Ping tells whether the database answers.
	Ping(ctx context.Context) error
	// Close waits for running statements and closes the connections.
	Close() error
}

// Tx is everything one can ask of the store, inside a transaction or, on the
// Store itself, each call in one of its own.
type Tx interface {
	Settings
	Remotes
	Documents
	Catalog
	People
	Awards
	Links
	Mappings
	Imports
	Destinations
	Pushes
	Runs
	Hints
	Sessions
	Keys
	Statuses
	Queue
	Backpack
	Shelf
	Earnables
	Batches
	Collections
	Grants
	Connections
	Accounts
	Notices
}

// NewID returns 128 random bits as 26 lower-case base32 characters.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// Moment cuts a time to what every engine keeps: UTC, microseconds.
func Moment(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// Settings keeps small facts about the installation by name: the public base
// URL, the set-up state, the mail account (sealed by the caller).
type Settings interface {
	Setting(ctx context.Context, name string) (string, error) // ErrNotFound
	PutSetting(ctx context.Context, name, value string) error
	// CreateSetting writes only when the name is new, else ErrExists: the way
	// replicas agree on who set a thing first.
	CreateSetting(ctx context.Context, name, value string) error
	DeleteSetting(ctx context.Context, name string) error
}

// Documents keeps bytes by their SHA-256: what came in, what was issued, images.
type Documents interface {
	// PutDocument stores the bytes once and returns their lower-case hex digest.
	PutDocument(ctx context.Context, mediaType string, body []byte) (sha256 string, err error)
	Document(ctx context.Context, sha256 string) (Document, error)
	// EraseDocument empties a document that held personal data and makes its
	// MediaType ErasedDocument; the digest stays, for what refers to it. The same
	// bytes, put again, stay erased. Erasing what is not there is no error.
	EraseDocument(ctx context.Context, sha256 string) error
}

// ErasedDocument is the media type of a document whose bytes were erased.
const ErasedDocument = "application/x-erased"

// Document is stored bytes. They are never changed, and erased only as a whole.
type Document struct {
	SHA256    string
	MediaType string
	Body      []byte
	CreatedAt time.Time
}

// Queue keeps background jobs (mail, housekeeping). The job is part of the
// transaction that asks for it.
type Queue interface {
	// Enqueue adds a job. With UniqueKey set, a second job with the same kind
	// and key is dropped without error.
	Enqueue(ctx context.Context, j Job) error
}

// Job is a piece of background work: Kind names the worker, Args is its JSON.
type Job struct {
	Kind      string
	Args      []byte
	UniqueKey string
	NotBefore time.Time // zero: at once
}
