package store

import (
	"context"
	"time"
)

// NoticeKind is what a notice is about; people choose by it.
type NoticeKind string

// The kinds of notices.
const (
	NoticeOffered  NoticeKind = "offered"  // a badge waits to be claimed, or for something else of its earner
	NoticeExpiring NoticeKind = "expiring" // a badge ends soon, or has ended
	NoticeRevoked  NoticeKind = "revoked"  // a badge was taken back
)

// NoticeKinds lists them in the order in which pages show them.
func NoticeKinds() []NoticeKind {
	return []NoticeKind{NoticeOffered, NoticeExpiring, NoticeRevoked}
}

// Notice is something that somebody is told once.
type Notice struct {
	ID string
	// Owner is a person's id, or the Digest of an address that is nobody's yet.
	Owner   string
	Kind    NoticeKind
	AwardID string
	// Mark tells notices of one kind about one award apart: the day of the end and
	// how many days before.
	Mark      string
	Days      int // before the end; of expiring ones
	CreatedAt time.Time
	MailedAt  time.Time
	SeenAt    time.Time // its owner has put it away
}

// Notices keeps what people are told.
type Notices interface {
	// CreateNotice fills in ID and time. ErrExists: it was told before.
	CreateNotice(ctx context.Context, n Notice) (Notice, error)
	Notice(ctx context.Context, id string) (Notice, error)
	NoticeOf(ctx context.Context, owner string, kind NoticeKind, awardID, mark string) (Notice, error)
	MarkMailed(ctx context.Context, id string, at time.Time) error
	// UnseenNotices lists what the owner has not put away, newest first.
	UnseenNotices(ctx context.Context, owner string, limit int) ([]Notice, error)
	// SeeNotice puts a notice of the owner away. Twice is no error.
	SeeNotice(ctx context.Context, owner, id string, at time.Time) error

	// Refusals lists the kinds that the owner gets no letters about.
	Refusals(ctx context.Context, owner string) ([]NoticeKind, error)
	Refuse(ctx context.Context, owner string, kind NoticeKind, refused bool) error

	// AwardsEnding lists claimed awards of persons, not revoked, whose end is after
	// from and not after until, by id.
	AwardsEnding(ctx context.Context, from, until time.Time, after string, limit int) ([]Award, error)
}
