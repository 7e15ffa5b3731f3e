// Package outbox holds the rules of what is still to be sent: how a push is
// named, and what follows from an attempt. It is pure; the engine does the
// calls and the store keeps the rows.
//
// A push goes queued -> sent -> done, rejected or held. Sent is written before
// the call, so that after a crash nobody can mistake a call that may have
// happened for one that did not. A push found sent is never sent again before
// the remote was asked whether it is there.
package outbox

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
)

// The reasons that an attempt leaves on a push.
const (
	Retry        = "retry"        // failed for now; it is tried again
	Unauthorized = "unauthorized" // the remote refuses our credentials
	Moved        = "moved"        // another system answers at the remote's address
	Settling     = "settling"     // the outcome is not known; the remote is asked
	Doubt        = "doubt"        // the remote can't say whether it did it: a person decides
	Refused      = "refused"      // the remote refused it for good
	GaveUp       = "gave-up"      // it failed for now too many times
	Exists       = "exists"       // it was there already
	Hidden       = "hidden"       // the remote says that the recipient has it, and does not show it yet
	Elsewhere    = "elsewhere"    // the remote says that the recipient has it, and shows us none: a person decides
	Config       = "config"       // the remote's configuration or mapping is gone
	Vouched      = "vouched"      // a person looked at the remote and says that it is not there: one more look, then it is sent
	Pointed      = "pointed"      // a person says which record there it is
)

// MaxAttempts is how many failures for now a push survives before a person has
// to look.
const MaxAttempts = 24

// Key names a write by what it is, not by what it says: an edited badge is an
// update of the same copy, and a person's "issue again" is a new generation.
func Key(op store.Op, remote adapters.Remote, awardID string, generation int) adapters.Key {
	h := sha256.New()
	for _, part := range []string{string(op), string(remote), awardID} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	fmt.Fprintf(h, "%d", generation)
	return adapters.Key(strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil))))
}

// Sending marks p as sent at now: the row to write before the call. settle is
// how long a fresh write may stay invisible at the remote.
func Sending(p store.Push, now time.Time, timeout, settle time.Duration) store.Push {
	p.State = store.PushSent
	p.Reason, p.Words = "", ""
	p.SentAt = now
	p.Deadline = now.Add(timeout)
	p.NextAt = p.Deadline.Add(settle)
	p.Unsure = p.Op == store.OpIssue
	p.Attempts++
	return p
}

// Done settles p: the remote has it as ref.
func Done(p store.Push, ref adapters.Ref, reason string) store.Push {
	p.State, p.Unsure = store.PushDone, false
	p.Reason, p.Words = reason, ""
	if ref != "" {
		p.Ref = ref
	}
	p.NextAt = time.Time{}
	return p
}

// Failed says what follows from an attempt that ended with err at now. settle is
// how long a fresh write may stay invisible at the remote.
func Failed(p store.Push, err error, now time.Time, settle time.Duration) store.Push {
	p.Words = adapters.Words(err)
	ambiguous := adapters.IsAmbiguous(err) && p.Op == store.OpIssue
	p.Unsure = ambiguous
	switch {
	case ambiguous:
		// It may be there: the row stays sent, and the remote is asked once the
		// write can be seen.
		p.State, p.Reason = store.PushSent, Settling
		p.NextAt = later(now, p.Deadline).Add(settle)
	case errors.Is(err, adapters.ErrUnauthorized):
		p.State, p.Reason = store.PushQueued, Unauthorized
		p.Attempts--
		p.NextAt = now.Add(10 * time.Minute)
	case errors.Is(err, adapters.ErrIdentity):
		p.State, p.Reason = store.PushQueued, Moved
		p.Attempts--
		p.NextAt = now.Add(10 * time.Minute)
	case adapters.Temporary(err), adapters.IsAmbiguous(err):
		if p.Attempts >= MaxAttempts {
			p.State, p.Reason = store.PushHeld, GaveUp
			return p
		}
		p.State, p.Reason = store.PushQueued, Retry
		p.NextAt = now.Add(Backoff(p, adapters.RetryAfter(err)))
	default:
		p.State, p.Reason = store.PushRejected, Refused
	}
	return p
}

// Refound says what follows when the remote refused p because the recipient has
// the badge there, and did not show it when it was asked which: it is asked again
// once a fresh write can be seen. Then a person decides.
func Refound(p store.Push, err error, now time.Time, settle time.Duration) store.Push {
	p.State, p.Reason, p.Words = store.PushSent, Hidden, adapters.Words(err)
	p.NextAt = now.Add(max(settle, time.Second))
	return p
}

// Unsettled keeps a sent push sent: the remote could not be asked just now.
func Unsettled(p store.Push, err error, now time.Time) store.Push {
	p.Words = adapters.Words(err)
	p.Attempts++
	p.State = store.PushSent
	if p.Reason != Hidden && p.Reason != Vouched {
		p.Reason = Settling
	}
	if p.Attempts >= MaxAttempts {
		p.State, p.Reason = store.PushHeld, Doubt
		return p
	}
	p.NextAt = now.Add(Backoff(p, adapters.RetryAfter(err)))
	return p
}

// Backoff is how long p waits before its next attempt: doubling from a second
// to a quarter of an hour, at least what the remote asked for, spread by the
// push's own key so that a crowd does not come back at once.
func Backoff(p store.Push, asked time.Duration) time.Duration {
	d := 15 * time.Minute
	if n := max(p.Attempts-1, 0); n < 10 {
		d = min(d, time.Second<<n)
	}
	spread := sha256.Sum256([]byte(p.Key))
	d += d * time.Duration(spread[p.Attempts%len(spread)]) / 1024 // up to a quarter more
	return max(d, asked)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
