package credly_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"badgebridge/adapters"
	sandbox "badgebridge/sandbox/credly"
)

// endpoints are all calls that the adapter makes, as the simulator's faults name
// them, with what makes it call them and the reads and writes told apart.
var endpoints = []struct{ method, path, call string }{
	{"GET", "/v1/organizations", "check"},
	{"GET", "/v1/organizations/*/authorization_tokens", "check"},
	{"GET", "/v1/organizations/*/badges", "list"},
	{"GET", "/v1/organizations/*/badges", "changes"},
	{"GET", "/v1/organizations/*/events", "changes"},
	{"GET", "/v1/organizations/*/badge_templates", "catalog"},
	{"GET", "/v1/organizations/*/badges", "find"},
	{"GET", "/v1/organizations/*/events/*", "hint"},
	{"GET", "/v1/organizations/*/badges/*", "hint"},
	{"GET", "/v1/organizations/*/high_volume_issued_badge_search", "export"},
	{"POST", "/oauth/token", "oauth"},
	{"POST", "/v1/organizations/*/badges", "issue"},
	{"PUT", "/v1/organizations/*/badges/*/revoke", "revoke"},
	{"GET", "/v1/organizations/*/badges/*", "replace"},
	{"POST", "/v1/organizations/*/badges/*/replace", "replace"},
	{"DELETE", "/v1/organizations/*/badges/*", "delete"},
}

var kindsOfFault = []string{
	sandbox.FaultRateLimit, sandbox.FaultRateLimitDate, sandbox.FaultRateLimitBare, sandbox.FaultServerError,
	sandbox.FaultDropBefore, sandbox.FaultDropAfter, sandbox.FaultTruncate, sandbox.FaultCut,
}

// story is a world in which every call has something to do.
type story struct {
	w      *world
	plain  adapters.Adapter
	export adapters.Adapter
	oauth  adapters.Adapter
	ref    adapters.Ref // of a badge to revoke, replace or delete
	event  string
}

func newStory(t *testing.T) *story {
	w := newWorld(t, sandbox.Options{})
	s := &story{w: w, ref: w.add(t)}
	s.event = w.Events(org)[0].ID
	srv := httptest.NewServer(w)
	t.Cleanup(srv.Close)
	// A fresh connection for each call: net/http itself sends a call again that it
	// could not send on one that was closed.
	hc := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	s.plain = connect(t, srv.URL, token, hc)
	s.export = connect(t, srv.URL, token, hc, "listing", "export")
	s.oauth = connect(t, srv.URL, token, hc, "client_id", app)
	return s
}

// do makes a call once.
func (s *story) do(ctx context.Context, call string) error {
	switch call {
	case "export":
		_, err := s.export.(adapters.Source).List(ctx, "")
		return err
	case "oauth":
		_, err := s.oauth.Check(ctx)
		return err
	case "hint":
		call = "the hint"
	}
	return everyCall(s.plain, s.ref, s.event)[call](ctx)
}

// settle does as the gateway does after a failure: it waits as long as it was
// asked to, looks for a badge whose issue is in doubt, and calls again.
func (s *story) settle(t *testing.T, call string, err error) {
	t.Helper()
	for range 5 {
		s.w.Advance(max(adapters.RetryAfter(err), time.Minute))
		if call == "issue" && adapters.IsAmbiguous(err) {
			f := s.plain.(adapters.Finder)
			s.w.Advance(f.Settle())
			_, found, ferr := f.Find(t.Context(), issuance(1))
			if ferr != nil {
				t.Fatal(ferr)
			}
			if found == adapters.Present {
				return
			}
		}
		if err = s.do(t.Context(), call); err == nil {
			return
		}
	}
	t.Errorf("trying again does not help: %v", err)
}

// state is what Credly holds afterwards, without ids and times.
func (s *story) state() string {
	count := map[string]int{}
	for _, b := range s.w.Badges() {
		count[fmt.Sprintf("%s of %s, replaced %v, replaces %v", b.State, b.Email, b.Replacement != "", b.Replaces != "")]++
	}
	return fmt.Sprint(count)
}

func TestNothingIsLostOrDoubledWhicheverCallFailsHowever(t *testing.T) {
	for _, e := range endpoints {
		calm := newStory(t)
		if err := calm.do(t.Context(), e.call); err != nil {
			t.Fatalf("%s: %v", e.call, err)
		}
		want := calm.state()
		for _, kind := range kindsOfFault {
			t.Run(e.call+"/"+e.method+" "+e.path+"/"+kind, func(t *testing.T) {
				s := newStory(t)
				s.w.Inject(sandbox.Fault{Kind: kind, Method: e.method, Path: e.path, Count: 1, Seconds: 7})
				err := s.do(t.Context(), e.call)
				// A deletion has no answer that could be cut, and what was replaced shows
				// before it is replaced once more.
				carried := kind == sandbox.FaultTruncate || kind == sandbox.FaultCut || kind == sandbox.FaultDropAfter
				if err == nil && !(e.method == "DELETE" && carried) {
					t.Fatal("the failure does not show")
				}
				if err != nil {
					if !adapters.Temporary(err) || adapters.Words(err) == "" {
						t.Errorf("%v", err)
					}
					limited := kind == sandbox.FaultRateLimit || kind == sandbox.FaultRateLimitDate || kind == sandbox.FaultRateLimitBare
					if limited != errors.Is(err, adapters.ErrRateLimited) || limited && kind != sandbox.FaultRateLimitBare && adapters.RetryAfter(err) != 7*time.Second {
						t.Errorf("%v, again after %v", err, adapters.RetryAfter(err))
					}
					if doubt := e.method != "GET" && e.call != "oauth" && !limited; doubt != adapters.IsAmbiguous(err) {
						t.Errorf("in doubt %v: %v", !doubt, err)
					}
					s.settle(t, e.call, err)
				}
				if got := s.state(); got != want {
					t.Errorf("Credly holds %s, want %s", got, want)
				}
			})
		}
	}
}
