package credly_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"badgebridge/sandbox/credly"
)

// over makes a call over a real connection. begun is called when the answer has
// begun.
func over(ctx context.Context, begun func(), base, method, path, body string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.SetBasicAuth(tok, "")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	begun()
	b, err := io.ReadAll(res.Body)
	if err == nil && !json.Valid(b) {
		err = errors.New("no JSON")
	}
	return res.StatusCode, err
}

func TestEachFaultFailsAsItSaysAndOnlyThenWasNothingDone(t *testing.T) {
	for _, k := range credly.FaultKinds() {
		if strings.HasPrefix(k.Name, "shift") {
			continue // they change lists, as another test shows
		}
		t.Run(k.Name, func(t *testing.T) {
			s := newSim(t, credly.Config{})
			srv := httptest.NewServer(s)
			defer srv.Close()
			s.Inject(credly.Fault{Kind: k.Name, Count: 1, Method: "POST", Path: "/v1/organizations/*/badges", Delay: "1ms", Seconds: 3})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			patience := func() {}
			if k.Name == credly.FaultStall { // it ends only with the caller's patience
				patience = cancel
			}
			status, err := over(ctx, patience, srv.URL, "POST", orgURL+"/badges", issueBody("a@example.org"))
			if whole := err == nil && status == http.StatusCreated; whole != k.Answered {
				t.Errorf("answered %d, %v", status, err)
			}
			if done := len(s.Badges()) == 1; done != k.Done {
				t.Errorf("%d badges", len(s.Badges()))
			}
			status, err = over(t.Context(), func() {}, srv.URL, "POST", orgURL+"/badges", issueBody("b@example.org"))
			if err != nil || status != http.StatusCreated {
				t.Errorf("the next call fails too: %d, %v", status, err)
			}
		})
	}
}

func TestARateLimitAsksForPatienceInBothForms(t *testing.T) {
	c := begin(t, credly.Options{})
	ask := func(kind string) http.Header {
		c.Inject(credly.Fault{Kind: kind, Count: 1, Seconds: 7})
		a := c.do("GET", orgURL, nil)
		if a.code != http.StatusTooManyRequests {
			t.Error(kind, a.code)
		}
		return a.header
	}
	if got := ask(credly.FaultRateLimit).Get("Retry-After"); got != "7" {
		t.Error(got)
	}
	h := ask(credly.FaultRateLimitDate)
	date, err1 := http.ParseTime(h.Get("Date"))
	retry, err2 := http.ParseTime(h.Get("Retry-After"))
	if err := errors.Join(err1, err2); err != nil || retry.Sub(date) != 7*time.Second {
		t.Error(err, h)
	}
	if got := ask(credly.FaultRateLimitBare).Values("Retry-After"); got != nil {
		t.Error(got)
	}
}

func TestTheSameSeedFailsInTheSamePlaces(t *testing.T) {
	run := func(seed uint64) (pattern string) {
		s := newSim(t, credly.Config{FaultSeed: seed})
		c := &client{s, t, basic(tok)}
		c.Inject(credly.Fault{Kind: "429,500,401", Probability: 0.1})
		for range 500 {
			switch code := c.do("GET", orgURL, nil).code; code {
			case 200:
				pattern += "."
			default:
				pattern += fmt.Sprint(code / 100 * code % 7)
			}
		}
		return pattern
	}
	one := run(1)
	if one != run(1) {
		t.Error("the same seed, other failures")
	}
	if one == run(2) {
		t.Error("another seed, the same failures")
	}
	if failed := 500 - strings.Count(one, "."); failed < 25 || failed > 80 {
		t.Errorf("%d of 500 fail at a rate of a tenth", failed)
	}
}

func TestAFaultHitsTheCallThatIsMeant(t *testing.T) {
	c := begin(t, credly.Options{})
	c.Inject(credly.Fault{Kind: credly.FaultServerError, Method: "GET", Path: "/v1/organizations/*/events", Skip: 2, Count: 1})
	var got []int
	for range 4 {
		got = append(got, c.do("GET", "/api"+orgURL+"/events/", nil).code, c.do("GET", orgURL+"/badges", nil).code)
	}
	if fmt.Sprint(got) != "[200 200 200 200 500 200 200 200]" {
		t.Error(got)
	}
	if a := c.do("POST", "/__sim/faults", `{"kind":"flood"}`); a.code != http.StatusBadRequest {
		t.Error("an unknown kind is taken:", a.code)
	}
	c.Inject(credly.Fault{Kind: credly.FaultServerError})
	if a := c.do("GET", "/", nil); a.code != 200 {
		t.Error("the pages for people fail too")
	}
	c.ClearFaults()
	if a := c.do("GET", orgURL+"/badges", nil); a.code != 200 {
		t.Error("it fails though all faults were taken away")
	}
}

func TestAListMovesUnderItsReader(t *testing.T) {
	pages := func(c *client, what, sort string) (seen map[string]int) {
		seen = map[string]int{}
		for path := orgURL + "/" + what + "?sort=" + sort; path != ""; {
			a := c.do("GET", path, nil)
			for _, v := range a.list() {
				seen[v.(map[string]any)["id"].(string)]++
			}
			next, _ := a.body["metadata"].(map[string]any)["next_page_url"].(string)
			u, err := url.Parse(next)
			must(t, err)
			path = u.RequestURI()
			if next == "" {
				path = ""
			}
		}
		return seen
	}
	c := begin(t, credly.Options{})
	c.many(60)
	c.Advance(time.Second)
	c.Inject(credly.Fault{Kind: credly.FaultShiftIn, Count: 1, Method: "GET"})
	twice := 0
	for _, n := range pages(c, "badges", "-created_at") {
		if n > 1 {
			twice++
		}
	}
	if twice != 1 {
		t.Errorf("after somebody issued one, %d of the newest first are seen twice, not one", twice)
	}
	c.Inject(credly.Fault{Kind: credly.FaultShiftOut, Count: 1, Method: "GET"})
	if seen := pages(c, "badges", "created_at"); len(seen) != 60 { // of 61: one that went was seen, one that stays was not
		t.Errorf("after somebody deleted one, %d of 61 are seen", len(seen))
	}
	n := len(c.do("GET", orgURL+"/badge_templates", nil).list())
	c.Inject(credly.Fault{Kind: credly.FaultShiftIn, Count: 1, Path: "/v1/organizations/*/badge_templates"})
	c.do("GET", orgURL+"/badge_templates", nil)
	if got := len(c.do("GET", orgURL+"/badge_templates", nil).list()); got != n+1 {
		t.Errorf("%d templates after one was added to %d", got, n)
	}
}
