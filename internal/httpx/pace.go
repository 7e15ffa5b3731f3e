package httpx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// slowest is the share of the configured rate that no answer of 429 goes below.
	slowest = 1.0 / 32
	// recovery is the share that every good answer gives back.
	recovery = 1.0 / 20
	// unlimited is where a remote without a configured limit begins to be slowed
	// down, in calls a second.
	unlimited = 64
	// maxPause bounds what a remote can ask for by Retry-After.
	maxPause = time.Hour
	// patience is how long a pause a call waits out instead of being refused.
	patience = 3 * time.Second
)

// WaitError is the ErrRateWait of a call that comes while the remote wants to be
// left alone.
type WaitError struct{ After time.Duration }

// Error implements error.
func (e *WaitError) Error() string {
	return fmt.Sprintf("%v: it asked for a pause of which %s are left", ErrRateWait, e.After.Round(time.Second))
}

// Unwrap gives errors.Is ErrRateWait.
func (e *WaitError) Unwrap() error { return ErrRateWait }

// WaitOf is how long the remote is still to be left alone by the error of a call
// that was not sent, 0 when that is not known or not why it failed.
func WaitOf(err error) time.Duration {
	var w *WaitError
	if errors.As(err, &w) {
		return w.After
	}
	return 0
}

// RetryAfter reads the header of that name in both its forms, 0 when there is
// none that can be understood. A date counts from the answer's own Date, so that
// a wrong clock at either end does no harm; from now when it has none.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.Atoi(v); err == nil {
		return time.Duration(min(max(n, 0), 86400)) * time.Second
	}
	until, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	if there, err := http.ParseTime(h.Get("Date")); err == nil {
		now = there
	}
	return min(max(until.Sub(now), 0), 24*time.Hour)
}

// pace is how fast one remote is called: as configured, after an answer of 429
// half as fast and not at all while the remote asked for a pause, and then faster
// again by a little with every good answer.
type pace struct {
	limiter *rate.Limiter
	full    rate.Limit
	burst   int
	now     func() time.Time

	mu      sync.Mutex
	current rate.Limit // full, or less
	until   time.Time  // nothing is sent before
	slowed  time.Time  // when the rate was last lowered
	row     int        // answers of 429 one after the other
}

func newPace(c RemoteConfig) *pace {
	p := &pace{full: rate.Limit(c.PerSecond), burst: c.Burst, now: time.Now}
	if c.PerSecond < 0 {
		p.full, p.burst = rate.Inf, 1
	}
	p.current = p.full
	p.limiter = rate.NewLimiter(p.full, p.burst)
	return p
}

// wait returns when a call may be sent, or why it is not sent at all.
func (p *pace) wait(ctx context.Context) error {
	for {
		left := p.pause()
		if left <= 0 {
			break
		}
		end, ends := ctx.Deadline()
		if left > patience || ends && end.Before(p.now().Add(left)) {
			return &WaitError{After: left}
		}
		timer := time.NewTimer(left)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
	if err := p.limiter.Wait(ctx); err != nil {
		if ctxErr := ctx.Err(); ctxErr != nil {
			return ctxErr
		}
		return ErrRateWait
	}
	return nil
}

func (p *pace) pause() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until.Sub(p.now())
}

// ceiling is the rate that all shares are taken of.
func (p *pace) ceiling() rate.Limit { return min(p.full, unlimited) }

// heard takes the answer to a call that began at began into account.
func (p *pace) heard(res *http.Response, began time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	asked := RetryAfter(res.Header, now)
	switch {
	case res.StatusCode == http.StatusTooManyRequests:
		p.row++
		if asked == 0 { // it did not say how long
			asked = min(250*time.Millisecond<<min(p.row-1, 8), time.Minute)
		}
		// Of calls that were under way together only the first tells something new.
		if began.After(p.slowed) {
			p.slowed = now
			p.set(max(min(p.current, p.ceiling())/2, p.ceiling()*slowest))
		}
	case res.StatusCode == http.StatusServiceUnavailable && asked > 0:
	case res.StatusCode >= http.StatusInternalServerError:
		return
	default:
		p.row = 0
		if p.current < p.full && began.After(p.slowed) {
			p.set(p.current + p.ceiling()*recovery)
		}
		return
	}
	if until := now.Add(min(asked, maxPause)); until.After(p.until) {
		p.until = until
	}
}

// set changes the rate. A slowed remote gets no bursts.
func (p *pace) set(to rate.Limit) {
	burst := 1
	if to >= p.ceiling() {
		to, burst = p.full, p.burst
	}
	p.current = to
	p.limiter.SetLimit(to)
	p.limiter.SetBurst(burst)
}
