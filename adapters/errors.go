package adapters

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The kinds of error that an adapter returns. Callers test with errors.Is.
var (
	ErrUnauthorized = errors.New("the remote refused the credentials")
	ErrNotFound     = errors.New("the remote does not know the record")
	ErrConflict     = errors.New("the remote has it already, or it changed there")
	ErrRejected     = errors.New("the remote refused the request")
	ErrRateLimited  = errors.New("the remote asks to slow down")
	ErrUnavailable  = errors.New("the remote can't be reached")
	ErrCursorGone   = errors.New("the feed no longer reaches back to the cursor")
	ErrIdentity     = errors.New("another system answers at this address")
)

// Reason is why a remote refused, as far as something can be done about it.
type Reason string

// The reasons.
const (
	ReasonDuplicate Reason = "duplicate" // the recipient has the badge there already
	ReasonReplaced  Reason = "replaced"  // another record has taken the place of the one named
	ReasonExpired   Reason = "expired"   // our credentials have expired
	ReasonForbidden Reason = "forbidden" // our credentials are good, but not for this
	ReasonClosed    Reason = "closed"    // the badge is a draft, was archived or is gone: it can't be awarded now
	ReasonInvalid   Reason = "invalid"   // something in what was sent; the words say what
)

// Error is an adapter's error: what was tried, which kind of failure, and the
// remote's own words for people.
type Error struct {
	Op   string // "issue", "list badges"
	Kind error  // one of the kinds above
	// Words is what the remote itself said, cleaned of credentials and cut to a
	// length that fits a page. "" when it said nothing.
	Words      string
	Status     int           // HTTP status, 0 when there was no answer
	RetryAfter time.Duration // 0 when the remote named none
	// Ambiguous: the remote may have done it all the same.
	Ambiguous bool
	// Reason is "" when nothing is known beyond Kind.
	Reason Reason
	Err    error // the cause, nil when the remote's answer is the cause
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	b.WriteString(": ")
	b.WriteString(e.Kind.Error())
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	if e.Words != "" {
		b.WriteString(": " + e.Words)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap gives errors.Is the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// IsAmbiguous reports whether the remote may have done what failed here.
func IsAmbiguous(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Ambiguous
}

// RetryAfter is how long the remote asked to wait, 0 when it did not say.
func RetryAfter(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

// Words is what the remote itself said, or the error's own text.
func Words(err error) string {
	var e *Error
	if errors.As(err, &e) && e.Words != "" {
		return e.Words
	}
	return err.Error()
}

// ReasonOf is why the remote refused, "" when nothing is known beyond the kind.
func ReasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

// Temporary reports whether the same call may succeed later without anybody
// changing anything.
func Temporary(err error) bool {
	return errors.Is(err, ErrRateLimited) || errors.Is(err, ErrUnavailable)
}
