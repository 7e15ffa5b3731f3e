package store

import (
	"context"
	"time"

	"badgebridge/adapters"
)

// BackpackOrigin is the origin of awards that a person brought themselves. No
// remote may bear this name.
const BackpackOrigin adapters.Remote = "backpack"

// Standing is what verification last said of a collected badge.
type Standing string

// The standings. A badge that is Gone was genuine when it was last seen, and
// its source does not answer any more.
const (
	Genuine     Standing = "genuine"
	Undecided   Standing = "undecided"
	GoneSource  Standing = "gone"
	ExpiredNow  Standing = "expired"
	RevokedNow  Standing = "revoked"
	NotGenuine  Standing = "invalid"
	AwaitsProof Standing = "waiting" // made out to an address that its holder has not proven
)

// Collected is a foreign assertion that a person brought: one document, with the
// bytes that it came in, and what was found out about it. Several of them may
// attest one award (the same badge by file, by URL and from a remote).
type Collected struct {
	ID       string
	PersonID string
	AwardID  string // "" while Standing is AwaitsProof
	// Locator names the document, whoever brings it and however: its id where it
	// has one, else "sha256:" and the digest of its bytes. Unique per person.
	Locator string
	// Source says how it came: "file", "url", "mail", "push:ORIGIN", "restore".
	Source       string
	Version      string // Open Badges version
	Verification string // hosted, signed, proof

	DocumentSHA string // the document that counted: the hosted one, or the signed payload
	OriginalSHA string // the bytes as they were given; "" when only a URL was
	ImageSHA    string // the badge's picture as it was when collected; "" none

	Standing Standing
	Report   []byte // JSON of the last verification (verify.Report)
	// Message is one line for people on why Standing is not Genuine.
	Message string

	GenuineAt time.Time // when verification last said valid
	CheckedAt time.Time
	// GoneSince is the first of the checks in a row at which its source did not
	// answer; zero while it does.
	GoneSince time.Time
	NextCheck time.Time // zero: not again by itself
	Failures  int       // checks in a row that could not be decided
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Backpack keeps what people collected themselves.
type Backpack interface {
	// CreateCollected fills in ID and times. ErrExists when the person holds a
	// document of that locator already.
	CreateCollected(ctx context.Context, c Collected) (Collected, error)
	Collected(ctx context.Context, id string) (Collected, error)
	// PutCollected writes all but ID, PersonID and CreatedAt. ErrExists when the
	// locator is another's of the same person.
	PutCollected(ctx context.Context, c Collected) error
	DeleteCollected(ctx context.Context, id string) error
	CollectedBy(ctx context.Context, personID, locator string) (Collected, error)
	// CollectedOf lists what attests the awards, oldest first.
	CollectedOf(ctx context.Context, awardIDs ...string) ([]Collected, error)
	// CollectedWaiting lists what awaits a proof of its holder, newest first.
	CollectedWaiting(ctx context.Context, personID string) ([]Collected, error)
	// CollectedDue lists what is to be checked again by now, the longest due first.
	CollectedDue(ctx context.Context, now time.Time, limit int) ([]Collected, error)
	// AwardByOrigin finds the award of a record at its origin.
	AwardByOrigin(ctx context.Context, origin adapters.Remote, ref adapters.Ref) (Award, error)
	// AwardsByAssertion lists the person's awards whose origin hosts the assertion
	// or page at url.
	AwardsByAssertion(ctx context.Context, personID, url string) ([]Award, error)
	// DeleteAward removes an award that a person brought themselves, with what
	// attests it. Awards of remotes are never deleted: ErrNotFound.
	DeleteAward(ctx context.Context, id string) error
}

// Collection is badges that a person put together.
type Collection struct {
	ID       string
	Number   int // small and stable: the group id of the displayer protocol
	PersonID string
	Name     string
	Story    string // Markdown
	CoverID  string // an award of it; "" the first
	// Visibility governs the collection's page. A badge on it is shown to others
	// only as far as its own visibility allows.
	Visibility Visibility
	Position   int
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// CollectionBadge is one badge's place in a collection.
type CollectionBadge struct {
	CollectionID string
	AwardID      string
	Position     int
	Note         string // Markdown: what it means to its earner
}

// PublicProfile is what a person shows of themselves. There is none until the
// person makes it.
type PublicProfile struct {
	PersonID   string
	Number     int // small and stable: the user id of the displayer protocol
	Handle     string
	About      string // Markdown
	Link       string // https URL
	ShowName   bool
	Visibility Visibility
	UpdatedAt  time.Time
}

// CollectionCover is a badge whose picture stands for a collection on a list.
type CollectionCover struct {
	CollectionID string
	AwardID      string
	ImageSHA     string // "" the badge has no picture
	Chosen       bool   // it is the collection's CoverID
	Badges       int    // how many the collection has
}

// Collections keeps collections and profiles.
type Collections interface {
	CreateCollection(ctx context.Context, c Collection) (Collection, error)
	Collection(ctx context.Context, id string) (Collection, error)
	CollectionByNumber(ctx context.Context, number int) (Collection, error)
	CollectionsOf(ctx context.Context, personID string) ([]Collection, error) // by position
	PutCollection(ctx context.Context, c Collection) error
	DeleteCollection(ctx context.Context, id string) error // the badges stay
	// SetCollectionBadges replaces the badges of a collection and their order.
	SetCollectionBadges(ctx context.Context, id string, badges []CollectionBadge) error
	CollectionBadges(ctx context.Context, id string) ([]CollectionBadge, error) // by position
	// CollectionCovers reads at once what a list of a person's collections shows
	// of them: of each the first badges, at most each, and its chosen cover. Badges
	// count that are claimed and as visible as seen says (nil: all); a collection
	// without any is left out.
	CollectionCovers(ctx context.Context, personID string, seen []Visibility, each int) ([]CollectionCover, error)
	// CollectionsWith lists the collections that hold an award.
	CollectionsWith(ctx context.Context, awardID string) ([]Collection, error)

	// Profile fills in a Number at the first call for a person and is otherwise
	// what PutProfile wrote, private and empty before.
	Profile(ctx context.Context, personID string) (PublicProfile, error)
	ProfileByNumber(ctx context.Context, number int) (PublicProfile, error)
	ProfileByHandle(ctx context.Context, handle string) (PublicProfile, error)
	PutProfile(ctx context.Context, p PublicProfile) error // ErrExists: the handle is taken
}

// Grant is a site's permission to push badges into a person's backpack
// (Mozilla's Backpack Connect) or to use it by OAuth. Only hashes of tokens are
// kept.
type Grant struct {
	ID          string
	PersonID    string
	Origin      string // scheme://host[:port] of the site, or the OAuth client's id
	Scopes      []string
	AccessHash  string
	RefreshHash string
	// OldRefreshHash is the refresh token before the last turn: who shows it has
	// stolen it, or was robbed.
	OldRefreshHash string
	AccessUntil    time.Time
	CreatedAt      time.Time
	UsedAt         time.Time // of the present access token; zero: not yet
}

// Grants keeps permissions that people gave to sites.
type Grants interface {
	CreateGrant(ctx context.Context, g Grant) (Grant, error)
	GrantByAccess(ctx context.Context, accessHash string) (Grant, error)
	GrantByRefresh(ctx context.Context, refreshHash string) (Grant, error) // also by the old one
	// TurnGrant writes tokens and times, only if RefreshHash is still was: else
	// ErrStale.
	TurnGrant(ctx context.Context, g Grant, was string) error
	TouchGrant(ctx context.Context, id string, at time.Time) error
	GrantsOf(ctx context.Context, personID string) ([]Grant, error) // newest first
	DeleteGrant(ctx context.Context, id string) error
}

// ConnectionState is how a person's connection stands.
type ConnectionState string

// The states of a connection.
const (
	ConnectionActive ConnectionState = "active"
	ConnectionBroken ConnectionState = "broken" // the grant was refused: the person has to connect again
	ConnectionPaused ConnectionState = "paused"
)

// Connection is a person's own connection to another backpack: a driver with
// that person's grant.
type Connection struct {
	ID       string
	PersonID string
	Kind     string // of the driver
	Address  string // of the other side; one connection of a kind at one address
	Title    string // the other side's host
	Sealed   []byte // the driver's configuration with its grant, sealed
	// Auto: badges claimed or collected since AutoSince are sent by themselves.
	Auto      bool
	AutoSince time.Time
	State     ConnectionState
	Message   string // the other side's words on why it is not active
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Deposit is one badge on its way to a connection: the same states as a push.
// Waiting is one whose connection is broken.
type Deposit struct {
	ID           string
	ConnectionID string
	AwardID      string
	Key          adapters.Key
	State        PushState
	Reason       string // a code, as on a push
	Words        string // the other side's, for people
	Ref          adapters.Ref
	Attempts     int
	NextAt       time.Time
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Connections keeps people's connections and what goes through them.
type Connections interface {
	// CreateConnection fills in ID, State and times. ErrExists when the person has
	// one of that kind at that address.
	CreateConnection(ctx context.Context, c Connection) (Connection, error)
	Connection(ctx context.Context, id string) (Connection, error)
	// PutConnection writes title, auto, state and message.
	PutConnection(ctx context.Context, c Connection) error
	// SealConnection replaces the sealed configuration, only if it is still was:
	// else ErrStale.
	SealConnection(ctx context.Context, id string, sealed, was []byte) error
	DeleteConnection(ctx context.Context, id string) error // with its deposits
	ConnectionsOf(ctx context.Context, personID string) ([]Connection, error)
	// LeaseConnections takes active connections with a deposit that is due and hides
	// them from others until the given time: what goes through one connection goes
	// one after the other.
	LeaseConnections(ctx context.Context, now, until time.Time, limit int) ([]Connection, error)
	// ReleaseConnection lets it be taken again from then on. One that is gone is no
	// error.
	ReleaseConnection(ctx context.Context, id string, from time.Time) error
	// AutoLeft lists, as deposits that do not exist yet, what connections that send
	// by themselves were not given: claimed since AutoSince and not revoked.
	AutoLeft(ctx context.Context, limit int) ([]Deposit, error)

	// CreateDeposit is idempotent by (ConnectionID, AwardID): ErrExists.
	CreateDeposit(ctx context.Context, d Deposit) (Deposit, error)
	DepositsOf(ctx context.Context, connectionID string) ([]Deposit, error) // oldest first
	// DepositsIn lists those in a state, the last changed first.
	DepositsIn(ctx context.Context, connectionID string, state PushState, limit int) ([]Deposit, error)
	CountDeposits(ctx context.Context, connectionID string) (map[PushState]int, error)
	DepositsOfAward(ctx context.Context, awardID string) ([]Deposit, error)
	// DueDeposits lists queued and sent deposits that are due, the longest due first.
	DueDeposits(ctx context.Context, connectionID string, now time.Time, limit int) ([]Deposit, error)
	PutDeposit(ctx context.Context, d Deposit) error
	// MoveDeposits puts all of one state into another one; those that become queued
	// are due at once and begin anew. It returns how many.
	MoveDeposits(ctx context.Context, connectionID string, from, to PushState) (int, error)
}
