package outbox_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/sync/outbox"
)

func TestAKeyNamesOneWrite(t *testing.T) {
	seen := map[adapters.Key]string{}
	for _, op := range []store.Op{store.OpIssue, store.OpRevoke} {
		for _, remote := range []adapters.Remote{"a", "ab", "credly"} {
			for _, award := range []string{"b", "bb", "x1"} {
				for generation := 1; generation < 12; generation++ {
					k := outbox.Key(op, remote, award, generation)
					what := string(op) + "|" + string(remote) + "|" + award
					if old, ok := seen[k]; ok {
						t.Fatalf("%s %d and %s share a key", what, generation, old)
					}
					seen[k] = what
					if k != outbox.Key(op, remote, award, generation) || len(k) < 16 {
						t.Fatalf("%s: %q", what, k)
					}
				}
			}
		}
	}
}

func TestWhatFollowsFromAnAttempt(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const settle = 2 * time.Minute
	sent := func(op store.Op) store.Push {
		return outbox.Sending(store.Push{Key: "k", Op: op, State: store.PushQueued}, now, 30*time.Second, settle)
	}
	fail := func(kind error, ambiguous bool, after time.Duration) error {
		return &adapters.Error{Op: "issue", Kind: kind, Words: "its own words", Ambiguous: ambiguous, RetryAfter: after}
	}
	for _, tc := range []struct {
		name   string
		op     store.Op
		err    error
		state  store.PushState
		reason string
		atOnce time.Duration // no attempt before now + atOnce
	}{
		{"a doubtful issue stays sent until the write can be seen", store.OpIssue, fail(adapters.ErrUnavailable, true, 0), store.PushSent, outbox.Settling, settle},
		{"a doubtful revoke is simply made again", store.OpRevoke, fail(adapters.ErrUnavailable, true, 0), store.PushQueued, outbox.Retry, time.Second},
		{"a remote that asks to wait is left alone that long", store.OpIssue, fail(adapters.ErrRateLimited, false, time.Hour), store.PushQueued, outbox.Retry, time.Hour},
		{"a remote that is away is tried again", store.OpIssue, fail(adapters.ErrUnavailable, false, 0), store.PushQueued, outbox.Retry, time.Second},
		{"a refusal is final", store.OpIssue, fail(adapters.ErrRejected, false, 0), store.PushRejected, outbox.Refused, 0},
		{"a duplicate that is not found is final", store.OpIssue, fail(adapters.ErrConflict, false, 0), store.PushRejected, outbox.Refused, 0},
		{"refused credentials wait for a person without wearing the push out", store.OpIssue, fail(adapters.ErrUnauthorized, false, 0), store.PushQueued, outbox.Unauthorized, time.Minute},
		{"another site's answer waits", store.OpIssue, fail(adapters.ErrIdentity, false, 0), store.PushQueued, outbox.Moved, time.Minute},
		{"an unknown error is final and shown", store.OpIssue, errors.New("strange"), store.PushRejected, outbox.Refused, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := outbox.Failed(sent(tc.op), tc.err, now, settle)
			if p.State != tc.state || p.Reason != tc.reason || p.Words == "" {
				t.Fatalf("%+v", p)
			}
			if tc.atOnce > 0 && p.NextAt.Before(now.Add(tc.atOnce)) {
				t.Fatalf("next attempt after %s, want at least %s", p.NextAt.Sub(now), tc.atOnce)
			}
		})
	}
}

func TestAPushThatKeepsFailingEndsWithAPerson(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := store.Push{Key: "k", Op: store.OpIssue, State: store.PushQueued}
	for range outbox.MaxAttempts + 1 {
		if p.State != store.PushQueued {
			break
		}
		p = outbox.Sending(p, now, time.Second, 0)
		p = outbox.Failed(p, &adapters.Error{Op: "issue", Kind: adapters.ErrUnavailable}, now, 0)
		now = p.NextAt
	}
	if p.State != store.PushHeld || p.Reason != outbox.GaveUp {
		t.Fatalf("%+v", p)
	}
}

func TestThePauseGrowsToABoundAndHonoursWhatWasAsked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := store.Push{Key: adapters.Key(rapid.String().Draw(t, "key")), Attempts: rapid.IntRange(0, 500).Draw(t, "attempts")}
		asked := time.Duration(rapid.Int64Range(0, int64(2*time.Hour)).Draw(t, "asked"))
		d := outbox.Backoff(p, asked)
		if d < time.Second || d < asked || d > max(asked, 20*time.Minute) {
			t.Fatalf("%d attempts, asked %s: %s", p.Attempts, asked, d)
		}
	})
}
