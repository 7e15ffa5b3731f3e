// Package archive writes everything that a person has at the gateway into one ZIP
// file, and reads such a file back without making anything twice.
//
// What others issued is in it as the bytes that it came in, and, where a picture
// carries it, baked; what the gateway issued as the documents that it serves.
// manifest.json names every file with its SHA-256. What comes back is verified like
// anything else that somebody brings: an archive proves nothing by itself.
package archive

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/backpack"
)

// Format names the files that this package writes.
const Format = "badgebridge-archive"

// Version is the version of the format. A newer one is refused.
const Version = 1

// Bounds of what is read back.
const (
	MaxSize  = 256 << 20 // bytes of the ZIP file
	maxTotal = 1 << 30   // bytes of all files in it
	maxFiles = 40_000
	maxIndex = 32 << 20 // bytes of one of the JSON files that describe the rest
)

// The names of the files that describe the rest.
const (
	manifestName    = "manifest.json"
	accountName     = "account.json"
	badgesName      = "badges.json"
	collectionsName = "collections.json"
)

// Manifest names what is in an archive.
type Manifest struct {
	Format  string    `json:"format"`
	Version int       `json:"version"`
	MadeAt  time.Time `json:"made_at"`
	Gateway string    `json:"gateway"` // base URL
	Files   []File    `json:"files"`
}

// File is one file of an archive.
type File struct {
	Path      string `json:"path"`
	MediaType string `json:"media_type"`
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"`
}

// Account is who the archive is about. It holds no token and no secret.
type Account struct {
	GivenName   string       `json:"given_name"`
	FamilyName  string       `json:"family_name"`
	Addresses   []string     `json:"addresses"`
	SignIns     []string     `json:"sign_ins"` // issuers
	NoLetters   []string     `json:"no_letters_about"`
	Profile     Profile      `json:"profile"`
	Permissions []Permission `json:"permissions"`
	Connections []Connection `json:"connections"`
	MadeAt      time.Time    `json:"made_at"`
}

// Profile is the public profile.
type Profile struct {
	Handle     string           `json:"handle"` // not taken back: it may be another's by now
	About      string           `json:"about"`
	Link       string           `json:"link"`
	ShowName   bool             `json:"show_name"`
	Visibility store.Visibility `json:"visibility"`
}

// Permission is what a site may do with the backpack.
type Permission struct {
	Origin  string    `json:"origin"`
	Scopes  []string  `json:"scopes"`
	GivenAt time.Time `json:"given_at"`
}

// Connection is another backpack that badges are sent to.
type Connection struct {
	Title string    `json:"title"`
	Kind  string    `json:"kind"`
	Auto  bool      `json:"auto"`
	Since time.Time `json:"since"`
}

// Badge is one badge. Paths are of files in the archive.
type Badge struct {
	ID         string                `json:"id"` // at the gateway that wrote it
	Name       string                `json:"name"`
	Issuer     string                `json:"issuer"`
	Origin     string                `json:"origin"` // "backpack": brought by the person; else the remote's name
	Claim      store.ClaimState      `json:"claim"`
	Visibility store.Visibility      `json:"visibility"`
	IssuedOn   time.Time             `json:"issued_on,omitzero"`
	Expires    time.Time             `json:"expires,omitzero"`
	Revoked    bool                  `json:"revoked"`
	Reason     string                `json:"revocation_reason,omitempty"`
	Narrative  string                `json:"narrative,omitempty"`
	Evidence   []openbadges.Evidence `json:"evidence,omitempty"`
	PageURL    string                `json:"page,omitempty"`
	Image      string                `json:"image,omitempty"`
	Documents  []Document            `json:"documents"`
}

// Document is what attests a badge.
type Document struct {
	// Kind is "original", as somebody gave it; "hosted", as its address answered;
	// "issued", by the gateway; "baked", in the badge's picture.
	Kind     string         `json:"kind"`
	Path     string         `json:"path"`
	Version  string         `json:"version"` // of Open Badges
	Locator  string         `json:"locator,omitempty"`
	Standing store.Standing `json:"standing,omitempty"`
	// GenuineAt is when verification last said that it is genuine.
	GenuineAt time.Time `json:"genuine_at,omitzero"`
	Source    string    `json:"source,omitempty"`
}

// Collection is badges that belong together; they are named by their ids.
type Collection struct {
	Name       string            `json:"name"`
	Story      string            `json:"story"`
	Cover      string            `json:"cover,omitempty"`
	Visibility store.Visibility  `json:"visibility"`
	Badges     []CollectionBadge `json:"badges"`
}

// CollectionBadge is a badge's place in a collection.
type CollectionBadge struct {
	Badge string `json:"badge"`
	Note  string `json:"note,omitempty"`
}

// Config is what an Archive works with. All fields are required.
type Config struct {
	Store store.Store
	// Backpack verifies and keeps what comes back. An Archive that only writes
	// needs none.
	Backpack *backpack.Backpack
	// Claim is the person's yes to an award of theirs, see engine.Claim.
	Claim   func(ctx context.Context, awardID, personID string) error
	BaseURL func(ctx context.Context) string
	Now     func() time.Time
	Log     *slog.Logger
}

// Archive writes and reads archives. It is safe for concurrent use.
type Archive struct{ cfg Config }

// New makes an Archive. It does no I/O.
func New(cfg Config) *Archive { return &Archive{cfg: cfg} }

// The ways in which a file can't be read back.
var (
	ErrNoArchive = errors.New("not an archive of badges")
	ErrTooLarge  = errors.New("larger than what is read back")
	ErrNewer     = errors.New("written by a newer version")
	ErrDamaged   = errors.New("a file in it is damaged or missing")
)
