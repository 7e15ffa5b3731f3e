package store

import (
	"context"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"badgebridge/adapters"
	"badgebridge/openbadges"
)

// ShelfState is how a badge stands for its earner.
type ShelfState string

// The states, each badge in exactly one but for Ending, which is part of Holds.
const (
	Holds   ShelfState = "holds"
	Ending  ShelfState = "ending"  // holds, and ends within EndsSoon
	Ended   ShelfState = "expired" // its own date has passed
	Taken   ShelfState = "revoked"
	Unclear ShelfState = "unclear" // brought by its earner, and cannot be verified now
)

// EndsSoon is how long before its end a badge counts as Ending.
const EndsSoon = 60 * 24 * time.Hour

// ShelfOrder is how badges are sorted.
type ShelfOrder string

// The orders. The empty one is newest first.
const (
	NewestFirst  ShelfOrder = ""
	ByName       ShelfOrder = "name"
	AsCollection ShelfOrder = "collection" // as its earner put them; needs CollectionID
)

// ShelfFilter narrows the badges of one person; empty fields don't.
type ShelfFilter struct {
	PersonID     string // required
	Claim        ClaimState
	Text         string // every word of it is in name, description, tags or issuer
	Issuer       string // its name, exactly
	Origin       adapters.Remote
	State        ShelfState
	CollectionID string
	// Visibilities that are wanted; empty all.
	Visibilities []Visibility
	Now          time.Time // for State
	Order        ShelfOrder
	Offset       int
	Limit        int
}

// ShelfBadge is an award with what a list shows of it, read in one go.
type ShelfBadge struct {
	Award
	Content  openbadges.BadgeClass // the award's own version
	ImageSHA string
	IssuerID string // of the store's issuers; "" when Content alone names it
	Issuer   openbadges.Profile
	IsOwn    bool     // the installation's own issuer
	Standing Standing // the best of what attests a badge that was brought; "" nothing does
	Position int      // in the filter's collection
}

// ShelfFacet counts badges of one issuer and origin.
type ShelfFacet struct {
	Issuer string
	Origin adapters.Remote
	Count  int
}

// Shelf reads a person's badges as their pages list them: the number of queries
// does not depend on how many badges there are.
type Shelf interface {
	ShelfBadges(ctx context.Context, f ShelfFilter) ([]ShelfBadge, error)
	CountShelf(ctx context.Context, f ShelfFilter) (int, error)
	// ShelfFacets counts what the filter leaves by issuer and origin.
	ShelfFacets(ctx context.Context, f ShelfFilter) ([]ShelfFacet, error)
}

// EarnableFilter narrows what can be earned; empty fields don't.
type EarnableFilter struct {
	Text     string
	IssuerID string // of the store's issuers
	ClassID  string
	Offset   int
	Limit    int
}

// Earnable is a badge that can be earned now.
type Earnable struct {
	Class
	Issuer Issuer // empty while the association has no profile
}

// Earnables lists what can be earned: issuable badges of remotes, by name. Of two
// badges that a mapping joins the one counts that the mapping begins at.
type Earnables interface {
	EarnableBadges(ctx context.Context, f EarnableFilter) ([]Earnable, error)
	CountEarnable(ctx context.Context, f EarnableFilter) (int, error)
}

// Fold makes text comparable for a search: lower-case, without accents, spaces
// joined.
func Fold(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case unicode.IsSpace(r) || unicode.IsControl(r):
			return ' '
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(s))
	return strings.Join(strings.Fields(s), " ")
}

// BatchFile is one of several files that a person brought at once, and what
// became of it.
type BatchFile struct {
	BatchID  string
	Position int
	Name     string
	Body     []byte // empty once Done
	Done     bool
	Fate     string // sync/backpack.Fate
	Reason   string // sync/backpack.Reason
	MadeTo   string // an address that it is made out to, shortened
	Badge    string // its name
	Checks   []string
	AwardID  string
}

// Batches keeps files that were brought many at once until each was looked at.
type Batches interface {
	// CreateBatch keeps the files for a person and returns the batch's id. Batches
	// of the same person from before the given time go.
	CreateBatch(ctx context.Context, personID string, files []BatchFile, before time.Time) (string, error)
	// Batch lists the files of a person's batch without their bodies; ErrNotFound
	// when it is not that person's.
	Batch(ctx context.Context, personID, batchID string) ([]BatchFile, error)
	// BatchWork gives a file with its body and whose it is. ErrNotFound once the
	// batch has gone.
	BatchWork(ctx context.Context, batchID string, position int) (f BatchFile, personID string, err error)
	// PutBatchFile writes what became of a file, and empties its body when Done.
	PutBatchFile(ctx context.Context, f BatchFile) error
}
