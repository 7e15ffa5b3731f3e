package adapters

import (
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
