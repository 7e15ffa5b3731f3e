package store

import (
	"context"
	"time"

	"badgebridge/adapters"
	"badgebridge/openbadges"
)

// ClaimState is the member's answer to an award.
type ClaimState string

// The claim states.
const (
	Offered  ClaimState = "offered"
	Claimed  ClaimState = "claimed"
	Declined ClaimState = "declined"
)

// Visibility governs pages, listings, feeds and cards of an award.
type Visibility string

// The visibilities. Private is the first state.
const (
	Private Visibility = "private"
	ByLink  Visibility = "link"
	Public  Visibility = "public"
)

// Award is the fact that somebody earned a badge, with where it came from and
// what became of it here.
type Award struct {
	ID             string // public: it names the badge's page
	ClassID        string
	ClassVersionID string
	Origin         adapters.Remote
	OriginRef      adapters.Ref
	// EarnerKey is stable for the recipient and means nothing elsewhere.
	EarnerKey string
	// Recipient as the origin named it; an e-mail is normalized.
	Recipient openbadges.Recipient
	PersonID  string // whoever has proven Recipient; "" nobody yet

	IssuedOn  time.Time
	Expires   time.Time
	Narrative string
	Evidence  []openbadges.Evidence

	Claim      ClaimState
	ClaimedAt  time.Time
	Visibility Visibility
	// NameHidden: the earner does not want their name on the public pages.
	NameHidden bool

	Revoked          bool
	RevokedAt        time.Time
	RevocationReason string
	// Flag is a reason for a person to look at the award: the origin no longer
	// names it, and can't say why. "" none.
	Flag string

	AssertionURL string // a foreign assertion, where the origin hosts one
	PageURL      string // the award's page at its origin

	// ContentSHA tells a changed record from an unchanged one.
	ContentSHA string
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Assertion is a document of ours that attests an award. The documents of one
// award in several versions share their ID.
type Assertion struct {
	ID        string // public, unguessable
	AwardID   string
	Version   openbadges.Version
	Salt      string
	SHA256    string // the document's bytes
	BakedSHA  string // the baked image's bytes; "" none
	JWTSHA    string // the bytes of its form as a JWT (OB 3.0); "" none
	CreatedAt time.Time
}

// ClaimEvent is one answer of a member, kept for ever.
type ClaimEvent struct {
	AwardID  string
	PersonID string
	State    ClaimState
	At       time.Time
}

// AwardFilter narrows a listing of awards; empty fields don't.
type AwardFilter struct {
	PersonID string
	ClassID  string
	Origin   adapters.Remote
	Claim    ClaimState
	Flagged  bool
	After    string // the last id of the page before
	Limit    int
}

// Awards keeps awards, claims and assertions.
type Awards interface {
	CreateAward(ctx context.Context, a Award) (Award, error)
	Award(ctx context.Context, id string) (Award, error)
	// PutAward writes all fields by ID. An unchanged row is not written and
	// changed is false.
	PutAward(ctx context.Context, a Award) (changed bool, err error)
	// Awards lists by id (creation has no order of its own).
	Awards(ctx context.Context, f AwardFilter) ([]Award, error)
	// AwardsOf lists a person's awards, newest first.
	AwardsOf(ctx context.Context, personID string, limit int) ([]Award, error)
	// AwardsFor lists awards to a normalized e-mail address, whoever has proven it,
	// also where it was forgotten.
	AwardsFor(ctx context.Context, email string, limit int) ([]Award, error)
	// AdoptAwards gives all awards to this address that belong to nobody to the
	// person, and returns their ids; also those whose address was forgotten
	// (Forgotten), which stays so until the award is written.
	AdoptAwards(ctx context.Context, email, personID string) ([]string, error)
	// CandidateAwards lists awards of the class that are to this recipient
	// (address, earner key, or the person who has proven the address; "" is left
	// out), the oldest first and revoked ones last: what an unknown record of a copy
	// may be a copy of.
	CandidateAwards(ctx context.Context, classID, email, earnerKey, personID string) ([]Award, error)
	CountAwards(ctx context.Context, f AwardFilter) (int, error)
	// CountAwardsByClass counts the awards of every class that has one.
	CountAwardsByClass(ctx context.Context) (map[string]int, error)

	AddClaim(ctx context.Context, c ClaimEvent) error
	ClaimsOf(ctx context.Context, awardID string) ([]ClaimEvent, error) // oldest first

	CreateAssertion(ctx context.Context, a Assertion) error
	Assertion(ctx context.Context, id string, v openbadges.Version) (Assertion, error)
	AssertionOf(ctx context.Context, awardID string, v openbadges.Version) (Assertion, error)
	// AssertionsOf lists the assertions of a version that the awards have.
	AssertionsOf(ctx context.Context, v openbadges.Version, awardIDs ...string) ([]Assertion, error)
	SetBaked(ctx context.Context, id string, v openbadges.Version, sha256 string) error
	// SetJWT notes the JWT of an assertion. The first one stays: a later call
	// changes nothing and returns the one that is kept.
	SetJWT(ctx context.Context, id string, v openbadges.Version, sha256 string) (kept string, err error)
}
