package store

import (
	"context"
	"time"

	"badgebridge/adapters"
	"badgebridge/openbadges"
)

// Issuer is a profile that badges are issued by: the association itself, or
// one that a remote reported.
type Issuer struct {
	ID string
	// Own: the association of this installation, whose documents the gateway
	// issues. Exactly one is.
	Own       bool
	Profile   openbadges.Profile // Profile.ID is the source's id; "" for our own
	ImageSHA  string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Class is a badge that can be earned, as one remote (or the gateway itself,
// Remote "") knows it. Its content is in versions.
type Class struct {
	ID       string
	Remote   adapters.Remote
	Ref      adapters.Ref
	IssuerID string
	Version  int    // the newest
	State    string // the remote's own word
	Issuable bool
	PageURL  string // for people: the badge's page at the remote; "" unknown
	// Content of the newest version.
	Content   openbadges.BadgeClass
	ImageSHA  string // "" while the image was not fetched
	VersionID string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// ClassVersion is one immutable version of a class. Its ID is public: it names
// the badge class document.
type ClassVersion struct {
	ID      string
	ClassID string
	Version int
	Content openbadges.BadgeClass
	// ContentSHA is the digest that tells a changed badge from an unchanged one.
	ContentSHA string
	ImageSHA   string
	// DocumentSHA is the OB 2.0 badge class document that was published for this
	// version, "" before the first: written once, served as it is. Those of other
	// versions of Open Badges are ClassDocument's.
	DocumentSHA string
	CreatedAt   time.Time
}

// Catalog keeps issuers and badges.
type Catalog interface {
	// OwnIssuer is the association's profile; ErrNotFound before set-up.
	OwnIssuer(ctx context.Context) (Issuer, error)
	Issuer(ctx context.Context, id string) (Issuer, error)
	// PutIssuer writes by ID; with ID "" it makes one.
	PutIssuer(ctx context.Context, i Issuer) (Issuer, error)

	// PutClass records what a remote says of a badge; a PageURL of "" says nothing
	// of it. A content that differs
	// from the newest version makes a new version. changed is false when nothing
	// was written.
	PutClass(ctx context.Context, c Class) (stored Class, changed bool, err error)
	Class(ctx context.Context, id string) (Class, error)
	ClassByRef(ctx context.Context, remote adapters.Remote, ref adapters.Ref) (Class, error)
	// Classes lists a remote's badges by name; those of all remotes for "", without
	// what people brought themselves, which is theirs.
	Classes(ctx context.Context, remote adapters.Remote) ([]Class, error)
	ClassVersion(ctx context.Context, versionID string) (ClassVersion, error)
	// SetVersionImage notes the image of a version, once fetched; setting it
	// again is no error and changes nothing.
	SetVersionImage(ctx context.Context, versionID, imageSHA string) error
	// SetVersionDocument notes the published document of a version. The first
	// one stays: a later call changes nothing and returns the one that is kept.
	SetVersionDocument(ctx context.Context, versionID, documentSHA string) (kept string, err error)
	// ClassDocument is the document of a version in OB 1.1 or 3.0; ErrNotFound
	// before it is written.
	ClassDocument(ctx context.Context, versionID string, v openbadges.Version) (sha256 string, err error)
	// PutClassDocument notes it. The first one stays and is returned.
	PutClassDocument(ctx context.Context, versionID string, v openbadges.Version, sha256 string) (kept string, err error)
	// VersionsWithoutImage lists versions that name an image that was not
	// fetched yet, of one remote, oldest first.
	VersionsWithoutImage(ctx context.Context, remote adapters.Remote, limit int) ([]ClassVersion, error)
}
