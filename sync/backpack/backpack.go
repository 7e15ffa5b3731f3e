// Package backpack is the gateway's own backpack: it takes badges that people
// bring themselves, verifies each before it is kept, recognizes the same badge
// that comes by another way, and checks again, on a schedule, what it keeps.
//
// A badge that was brought is an award with the origin store.BackpackOrigin, so
// that pages, collections and pushes treat it like any other; what attests it is
// a store.Collected with the bytes that it came in. Foreign documents are never
// changed and never served under our own ids.
package backpack

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"badgebridge/openbadges/verify"
	"badgebridge/store"
)

// Config is what a Backpack works with. All fields but Again, Resolve and
// Changed are required.
type Config struct {
	Store store.Store
	// Fetcher gets documents from addresses of strangers: a guarded one.
	Fetcher verify.Fetcher
	// Again gets them when a badge is checked again: one that asks for what changed
	// alone (Conditional). nil: Fetcher.
	Again verify.Fetcher
	// BaseURL answers the gateway's own base URL, "" while it is not set.
	BaseURL func(ctx context.Context) string
	Now     func() time.Time
	Log     *slog.Logger
	// Resolve turns the address of a page for people, at a place that is known by
	// name, into that of the badge's assertion; "" when it knows better nothing.
	// nil: no such place is known.
	Resolve func(url string) string
	// Changed hears that what is public of an award changed.
	Changed func(awardID string)
}

// Backpack collects and rechecks. It is safe for concurrent use.
type Backpack struct{ cfg Config }

// New makes a Backpack. It does no I/O.
func New(cfg Config) *Backpack {
	if cfg.Again == nil {
		cfg.Again = cfg.Fetcher
	}
	if cfg.Changed == nil {
		cfg.Changed = func(string) {}
	}
	return &Backpack{cfg: cfg}
}

// Given is a badge as somebody brings it: either URL or Data.
type Given struct {
	URL  string // of an assertion, a credential, a baked picture, or a badge's public page
	Data []byte // JSON, JWS, JWT, a baked PNG or SVG, or a URL as text
	// Source says how it came, see store.Collected: "file", "url", "mail",
	// "push:ORIGIN", "restore".
	Source string
	// NoWaiting refuses a badge that is made out to somebody else, where an upload
	// would wait for a proof: a site that pushes has no business leaving such.
	NoWaiting bool
}

// Bounds of what one person may bring.
const (
	MaxGiven   = 5 << 20 // bytes of one file
	MaxFiles   = 50      // files at once
	MaxWaiting = 100     // badges that await a proof of their holder
	MaxBadges  = 5000    // badges of one person
)

// Fate is what became of a badge that was brought.
type Fate string

// The fates.
const (
	Kept     Fate = "kept"     // a new badge
	Known    Fate = "known"    // the same document is there already
	Joined   Fate = "joined"   // another document for a badge that is there already
	Updated  Fate = "updated"  // the document changed since it was brought before
	Awaiting Fate = "awaiting" // made out to an address that its bringer has not proven
	Refused  Fate = "refused"  // not kept: see Reason
)

// Reason says why a badge was refused, for programs; pages have a text for each.
type Reason string

// The reasons of a refusal.
const (
	ReasonUnreadable  Reason = "unreadable"  // no badge in it
	ReasonNotThere    Reason = "not-there"   // nothing is at its address, or not any more
	ReasonUnreachable Reason = "unreachable" // what it points to could not be read; trying later may help
	ReasonInvalid     Reason = "invalid"     // a check failed
	ReasonRevoked     Reason = "revoked"
	ReasonNotABadge   Reason = "not-a-badge" // a badge class or a profile, not somebody's badge
	ReasonFull        Reason = "full"
	ReasonRecipient   Reason = "recipient" // made out to somebody else
	ReasonTooLarge    Reason = "too-large"
)

// Result is what became of one badge that was brought.
type Result struct {
	Fate    Fate
	Reason  Reason // when Refused
	AwardID string // unless Refused or Awaiting
	ID      string // of the store.Collected, where there is one
	Report  verify.Report
	// To is the address that the badge is made out to, where the document names
	// it in clear and it is not the bringer's; else "".
	To string
}

// ErrNothing: neither a URL nor data.
var ErrNothing = errors.New("nothing was given")

// identifiers are what a person is known by, as verification takes them.
func (b *Backpack) identifiers(ctx context.Context, personID string) ([]verify.Identifier, error) {
	known, err := b.cfg.Store.IdentifiersOf(ctx, personID)
	if err != nil {
		return nil, err
	}
	out := make([]verify.Identifier, 0, len(known))
	for _, i := range known {
		out = append(out, verify.Identifier{Type: i.Type, Value: i.Value})
	}
	return out, nil
}
