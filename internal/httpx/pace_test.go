package httpx

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

// metronome is a pace on a clock that the test moves.
func metronome(perSecond float64) (*pace, *time.Time) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := newPace(RemoteConfig{PerSecond: perSecond, Burst: 10})
	p.now = func() time.Time { return at }
	return p, &at
}

func answered(status int, headers ...string) *http.Response {
	r := &http.Response{StatusCode: status, Header: http.Header{}}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func TestAnAnswerOf429SlowsDownAndGoodOnesBringTheRateBack(t *testing.T) {
	for _, perSecond := range []float64{8, -1} {
		p, at := metronome(perSecond)
		full, ceiling := p.limiter.Limit(), p.ceiling()
		began := *at
		for range 4 { // four calls that were under way together
			p.heard(answered(429, "Retry-After", "1"), began)
			*at = at.Add(time.Millisecond)
		}
		if got := p.limiter.Limit(); got != ceiling/2 || p.limiter.Burst() != 1 {
			t.Fatalf("after one crowd of 429 the rate is %v with bursts of %d, want %v", got, p.limiter.Burst(), ceiling/2)
		}
		for range 20 {
			*at = at.Add(time.Minute)
			p.heard(answered(429), *at)
		}
		if got := p.limiter.Limit(); got != ceiling*slowest {
			t.Errorf("the rate fell to %v, want %v at the least", got, ceiling*slowest)
		}
		var last rate.Limit
		for n := 0; p.limiter.Limit() != full; n++ {
			if n > 20 {
				t.Fatalf("the rate is still %v after %d good answers", p.limiter.Limit(), n)
			}
			if p.limiter.Limit() <= last {
				t.Fatal("a good answer did not bring the rate up")
			}
			last = p.limiter.Limit()
			*at = at.Add(time.Second)
			p.heard(answered(500), *at) // says nothing about the rate
			p.heard(answered(404), *at)
		}
		if p.limiter.Burst() != p.burst {
			t.Error("bursts did not come back")
		}
	}
}

func TestAPauseThatTheRemoteAskedForIsKept(t *testing.T) {
	const date = "Fri, 02 Jan 2026 03:04:05 GMT"
	for name, c := range map[string]struct {
		res  *http.Response
		want time.Duration
	}{
		"seconds":                     {answered(429, "Retry-After", "90"), 90 * time.Second},
		"a date":                      {answered(429, "Retry-After", "Fri, 02 Jan 2026 03:14:05 GMT"), 10 * time.Minute},
		"a date by the remote's time": {answered(429, "Date", "Fri, 02 Jan 2026 01:00:00 GMT", "Retry-After", "Fri, 02 Jan 2026 01:00:30 GMT"), 30 * time.Second},
		"a date that has passed":      {answered(429, "Retry-After", "Fri, 02 Jan 2026 03:00:00 GMT"), 250 * time.Millisecond},
		"nothing":                     {answered(429), 250 * time.Millisecond},
		"nonsense":                    {answered(429, "Retry-After", "soon"), 250 * time.Millisecond},
		"too much":                    {answered(429, "Retry-After", "99999999"), maxPause},
		"an outage with an end":       {answered(503, "Date", date, "Retry-After", "20"), 20 * time.Second},
		"an outage without one":       {answered(503), 0},
	} {
		t.Run(name, func(t *testing.T) {
			p, at := metronome(5)
			p.heard(c.res, *at)
			if got := max(p.pause(), 0); got != c.want {
				t.Fatalf("the pause is %v, want %v", got, c.want)
			}
			if c.want <= patience {
				return
			}
			if err := p.wait(t.Context()); !errors.Is(err, ErrRateWait) || WaitOf(err) != c.want {
				t.Errorf("a call meanwhile: %v, wait %v", err, WaitOf(err))
			}
			*at = at.Add(c.want)
			if err := p.wait(t.Context()); err != nil {
				t.Errorf("a call after it: %v", err)
			}
		})
	}
}

func TestAPauseGrowsWhileTheRemoteDoesNotSayHowLong(t *testing.T) {
	p, at := metronome(5)
	var last time.Duration
	for range 12 {
		*at = at.Add(2 * time.Minute)
		p.heard(answered(429), *at)
		if p.pause() < last {
			t.Fatalf("%v after %v", p.pause(), last)
		}
		last = p.pause()
	}
	if last != time.Minute {
		t.Errorf("it grew to %v", last)
	}
}

func TestACallWhoseCallerGivesUpDuringAPauseIsNotSent(t *testing.T) {
	p, at := metronome(5)
	p.heard(answered(429, "Retry-After", "2"), *at)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.wait(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	short, stop := context.WithDeadline(t.Context(), at.Add(time.Second))
	defer stop()
	if err := p.wait(short); !errors.Is(err, ErrRateWait) {
		t.Error(err)
	}
}
