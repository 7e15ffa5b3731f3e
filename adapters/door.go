package adapters

import (
	"context"
	"net/url"
	"time"

	"badgebridge/openbadges"
)

// Door is a remote that writes to the gateway by an API of old, with forms. It
// numbers nothing and remembers nothing: the engine does.
type Door interface {
	Adapter
	// Login exchanges an account for the token that later calls carry.
	Login(user, password string) (token string, ok bool)
	// Admits reports whether the token is this remote's.
	Admits(token string) bool
	// ReadBadge reads a badge that is made or changed; image is nil when there is
	// none. ErrRejected names the field that is wrong and why.
	ReadBadge(form url.Values) (c openbadges.BadgeClass, image []byte, err error)
	// Recipient reads which badge is given, and to which address, normalized.
	Recipient(form url.Values) (badge Ref, email string, err error)
	// ReadAward reads an award of class that was first seen at a time. One badge
	// and one address give one Ref.
	ReadAward(form url.Values, class openbadges.BadgeClass, at time.Time) (Record, error)
}

// OldLinks is what a site still has of its link to the Credly of before 2020.
type OldLinks struct {
	Badges  []OldBadge
	Members []OldMember
	More    bool // there are more than are listed
}

// OldBadge is a badge that was sent to the old Credly, or was to be.
type OldBadge struct {
	Ref    Ref // the badge at the site
	Title  string
	Number string // at the old Credly, "" none
	Sends  bool   // whether awards of it were to be sent
}

// OldMember is a member who agreed to the old link, or refused it.
type OldMember struct {
	Name    string
	Consent string // "given", "refused", "unknown"
	Account string // a number at the old Credly, "" none; not to be relied on
}

// OldLinker is a site that may have had a link to the old Credly.
type OldLinker interface {
	// OldLinks lists what is left of it. ErrNotFound when the site's software is
	// too old to say.
	OldLinks(ctx context.Context) (OldLinks, error)
}
