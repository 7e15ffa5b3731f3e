package adaptertest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"badgebridge/adapters"
)

// deadline is a context whose time is up when the proxy has begun to keep the
// caller waiting: a deadline that no slow machine reaches too early. For other
// faults it is the suite's patience.
func (st *stand) deadline(t *testing.T, kind FaultKind) context.Context {
	t.Helper()
	ctx := newContext(t)
	if kind != Stall && kind != Hang {
		return ctx
	}
	d := &expiring{Context: ctx, done: make(chan struct{})}
	go func() {
		select {
		case <-st.proxy.Stuck():
		case <-ctx.Done():
		}
		close(d.done)
	}()
	return d
}

type expiring struct {
	context.Context
	done chan struct{}
}

func (e *expiring) Done() <-chan struct{} { return e.done }

func (e *expiring) Err() error {
	select {
	case <-e.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// reads are the calls that change nothing, by name.
func reads(a adapters.Adapter) map[string]func(context.Context) error {
	calls := map[string]func(context.Context) error{
		"check": func(ctx context.Context) error { _, err := a.Check(ctx); return err },
	}
	if src, ok := a.(adapters.Source); ok {
		calls["changes"] = func(ctx context.Context) error { _, err := src.Changes(ctx, ""); return err }
		calls["list"] = func(ctx context.Context) error { _, err := src.List(ctx, ""); return err }
	}
	if c, ok := a.(adapters.Catalog); ok {
		calls["catalog"] = func(ctx context.Context) error { _, err := c.BadgeClasses(ctx, ""); return err }
	}
	return calls
}

func runReadFaults(t *testing.T, s Suite) {
	for name := range reads(newStand(t, s).adapter) {
		t.Run(name+": 429 gives RetryAfter in both forms", func(t *testing.T) {
			st := newStand(t, s)
			st.proxy.Inject(Fault{Kind: SlowDown, RetryAfter: 90 * time.Second})
			err := reads(st.adapter)[name](newContext(t))
			if !errors.Is(err, adapters.ErrRateLimited) || adapters.RetryAfter(err) != 90*time.Second {
				t.Errorf("seconds: %v, retry after %v", err, adapters.RetryAfter(err))
			}
			st.proxy.Clear()
			st.proxy.Inject(Fault{Kind: SlowDownDate, RetryAfter: time.Hour})
			err = reads(st.adapter)[name](newContext(t))
			if after := adapters.RetryAfter(err); !errors.Is(err, adapters.ErrRateLimited) || after < 50*time.Minute || after > 61*time.Minute {
				t.Errorf("date: %v, retry after %v", err, after)
			}
		})
		t.Run(name+": HTML instead of JSON is ErrUnavailable with a clear message", func(t *testing.T) {
			st := newStand(t, s)
			st.proxy.Inject(Fault{Kind: HTML})
			err := reads(st.adapter)[name](newContext(t))
			if !errors.Is(err, adapters.ErrUnavailable) {
				t.Fatalf("%v, want ErrUnavailable", err)
			}
			if strings.ContainsAny(adapters.Words(err), "<>") {
				t.Errorf("the words hold markup: %q", adapters.Words(err))
			}
		})
		for _, kind := range []FaultKind{Cut, Truncate, Stall, Fail, Empty, DropBefore, Hang} {
			t.Run(name+": "+string(kind)+" is no success and may pass", func(t *testing.T) {
				st := newStand(t, s)
				if st.Add != nil {
					st.Add(t)
				}
				st.proxy.Inject(Fault{Kind: kind})
				err := reads(st.adapter)[name](st.deadline(t, kind))
				if !adapters.Temporary(err) {
					t.Errorf("%v, want an error that may pass", err)
				}
				if adapters.IsAmbiguous(err) {
					t.Errorf("a read that failed counts as ambiguous: %v", err)
				}
			})
		}
		t.Run(name+": a cancelled context returns promptly", func(t *testing.T) {
			st := newStand(t, s)
			st.proxy.Inject(Fault{Kind: Hang})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- reads(st.adapter)[name](ctx) }()
			select {
			case <-st.proxy.Seen():
			case err := <-done:
				t.Fatalf("returned before the remote was asked: %v", err)
			case <-time.After(patience):
				t.Fatal("the remote was never asked")
			}
			cancel()
			select {
			case err := <-done:
				if !errors.Is(err, context.Canceled) {
					t.Errorf("%v, want context.Canceled", err)
				}
			case <-time.After(patience):
				t.Error("the call goes on after its context was cancelled")
			}
		})
	}
}

func runSecrets(t *testing.T, s Suite) {
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		t.Run(fmt.Sprintf("credentials never go to another host, even when redirected with %d", status), func(t *testing.T) {
			st := newStand(t, s)
			witness := &Witness{}
			// Another port is another host: net/http itself does not think so.
			other := httptest.NewServer(witness)
			t.Cleanup(other.Close)
			st.proxy.Inject(Fault{Kind: Redirect, Status: status, Location: other.URL})
			for _, call := range reads(st.adapter) {
				st.silent(t, call(newContext(t)))
			}
			if _, ok := st.adapter.(adapters.Issuer); ok {
				_, err := issueWrite.do(t, newContext(t), st, st.adapter, 0)
				st.silent(t, err)
				if err == nil {
					t.Error("a redirected issue counts as success")
				}
			}
			if _, ok := st.adapter.(adapters.Backpack); ok {
				_, err := storeWrite.do(t, newContext(t), st, st.adapter, 0)
				st.silent(t, err)
			}
			for _, c := range witness.Calls() {
				if c.Header.Get("Authorization") != "" || c.Header.Get("Cookie") != "" || st.holdsSecret(c.URL+fmt.Sprint(c.Header)+string(c.Body)) {
					t.Errorf("credentials went along to another host: %s %s", c.Method, c.URL)
				}
			}
		})
	}
	t.Run("no error names a secret", func(t *testing.T) {
		st := newStand(t, s)
		for _, kind := range []FaultKind{Cut, Truncate, Fail, HTML, Empty, DropBefore, SlowDown} {
			st.proxy.Clear()
			st.proxy.Inject(Fault{Kind: kind})
			for _, call := range reads(st.adapter) {
				st.silent(t, call(newContext(t)))
			}
		}
		for _, call := range reads(st.Fixture.Adapter(t, closedAddress(t), st.hc)) {
			st.silent(t, call(newContext(t)))
		}
	})
}

func (st *stand) silent(t *testing.T, err error) {
	t.Helper()
	if err != nil && st.holdsSecret(fmt.Sprintf("%v %+v %q", err, err, adapters.Words(err))) {
		t.Error("an error shows a secret")
	}
}

func (st *stand) holdsSecret(text string) bool {
	for _, s := range st.Secrets {
		if s == "" {
			continue
		}
		// The Base64 form in a Basic header differs at the end only.
		b64 := strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(s)), "=")
		if strings.Contains(text, s) || strings.Contains(text, b64[:len(b64)-1]) {
			return true
		}
	}
	return false
}
