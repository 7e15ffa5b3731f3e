package credly_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/adapters/credly"
	sandbox "badgebridge/sandbox/credly"
)

// live serves the handler and connects an adapter to it.
func live(t *testing.T, h http.Handler) adapters.Adapter {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return connect(t, srv.URL, token, srv.Client())
}

func drain(t *testing.T, read func(adapters.Cursor) (adapters.Page, error), from adapters.Cursor) (map[adapters.Ref]adapters.Record, adapters.Cursor) {
	t.Helper()
	got := map[adapters.Ref]adapters.Record{}
	for range 200 {
		p, err := read(from)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Records {
			got[r.Ref] = r
		}
		from = p.Next
		if !p.More {
			return got, from
		}
	}
	t.Fatal("the feed does not end")
	return nil, ""
}

func TestConfigurationErrorsNameFieldReasonAndCure(t *testing.T) {
	good := map[string]any{"organization_id": org, "token": "tok"}
	for name, c := range map[string]struct {
		change map[string]any
		want   []string
	}{
		"no organization":   {map[string]any{"organization_id": ""}, []string{"organization_id", "missing", "Developers"}},
		"organization name": {map[string]any{"organization_id": "Demo"}, []string{"organization_id", "UUID"}},
		"no token":          {map[string]any{"token": ""}, []string{"token", "missing", "make"}},
		"encoded token":     {map[string]any{"token": "Basic abc"}, []string{"token", "copy it again"}},
		"plain http":        {map[string]any{"base_url": "http://api.credly.com/v1"}, []string{"base_url", "https"}},
		"no address":        {map[string]any{"base_url": "credly"}, []string{"base_url", credly.Production}},
		"settle":            {map[string]any{"settle": "soon"}, []string{"settle", `"2m"`}},
		"expiry":            {map[string]any{"token_expires_at": "soon"}, []string{"token_expires_at", "2027-04-30"}},
		"unknown field":     {map[string]any{"organisation": "x"}, []string{"organisation", "organization_id"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := map[string]any{}
			for _, m := range []map[string]any{good, c.change} {
				for k, v := range m {
					cfg[k] = v
				}
			}
			raw, _ := json.Marshal(cfg)
			_, err := credly.Driver().New(raw, http.DefaultClient)
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
		})
	}
	t.Run("production is the default and the only named host", func(t *testing.T) {
		raw, _ := json.Marshal(good)
		if h, err := credly.Driver().Hosts(raw); err != nil || len(h) != 1 || h[0] != "api.credly.com" {
			t.Errorf("Hosts = %v, %v", h, err)
		}
	})
}

func TestCheckWarns(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	end := start.Add(10 * 24 * time.Hour)
	if err := w.Seed(sandbox.Seed{Tokens: []sandbox.Token{{OrgID: org, Token: "reader", Read: true, CreatedAt: start, ExpiresAt: &end}}}); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(w)
	t.Cleanup(srv.Close)
	t.Run("of a token that can't write and expires soon", func(t *testing.T) {
		h, err := connect(t, srv.URL, "reader", srv.Client()).Check(t.Context())
		if err != nil || h.Identity != org || len(h.Warnings) != 2 {
			t.Fatalf("%+v, %v", h, err)
		}
		if all := strings.Join(h.Warnings, " "); !strings.Contains(all, "can't write") || !strings.Contains(all, "14 March 2025") {
			t.Error(all)
		}
	})
	t.Run("of nothing when all is well", func(t *testing.T) {
		h, err := connect(t, srv.URL, token, srv.Client()).Check(t.Context())
		if err != nil || len(h.Warnings) != 0 || h.Details["may issue"] != "yes" {
			t.Errorf("%+v, %v", h, err)
		}
	})
	t.Run("an expired token is ErrUnauthorized", func(t *testing.T) {
		w.Advance(11 * 24 * time.Hour)
		if _, err := connect(t, srv.URL, "reader", srv.Client()).Check(t.Context()); !errors.Is(err, adapters.ErrUnauthorized) {
			t.Error(err)
		}
	})
}

func TestIssueSaysWhatCredlySays(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	iss := live(t, w).(adapters.Issuer)
	t.Run("a duplicate is ErrConflict, another validation error ErrRejected", func(t *testing.T) {
		if _, err := iss.Issue(t.Context(), issuance(1)); err != nil {
			t.Fatal(err)
		}
		if _, err := iss.Issue(t.Context(), issuance(1)); !errors.Is(err, adapters.ErrConflict) || adapters.IsAmbiguous(err) {
			t.Errorf("duplicate: %v", err)
		}
		bad := issuance(2)
		bad.Recipient.Identity = "not@an address"
		if _, err := iss.Issue(t.Context(), bad); !errors.Is(err, adapters.ErrRejected) || !strings.Contains(adapters.Words(err), "Recipient email is invalid") {
			t.Errorf("invalid: %v", err)
		}
	})
	t.Run("a missing name is refused before anything is sent", func(t *testing.T) {
		before := w.Calls().Received["POST /v1/organizations/{id}/badges"]
		in := issuance(3)
		in.Recipient.FamilyName = " "
		if _, err := iss.Issue(t.Context(), in); !errors.Is(err, adapters.ErrRejected) || !strings.Contains(adapters.Words(err), "last name") {
			t.Error(err)
		}
		if w.Calls().Received["POST /v1/organizations/{id}/badges"] != before {
			t.Error("the call was sent")
		}
	})
	t.Run("a draft can't be issued, and the error holds Credly's words", func(t *testing.T) {
		in := issuance(4)
		in.Class = mentor
		if _, err := iss.Issue(t.Context(), in); !errors.Is(err, adapters.ErrRejected) || !strings.Contains(adapters.Words(err), "Invalid or missing Badge Template ID") {
			t.Error(err)
		}
	})
	t.Run("a token without write permission is ErrUnauthorized", func(t *testing.T) {
		if err := w.Seed(sandbox.Seed{Tokens: []sandbox.Token{{OrgID: org, Token: "reader", Read: true}}}); err != nil {
			t.Fatal(err)
		}
		srv := httptest.NewServer(w)
		defer srv.Close()
		if _, err := connect(t, srv.URL, "reader", srv.Client()).(adapters.Issuer).Issue(t.Context(), issuance(5)); !errors.Is(err, adapters.ErrUnauthorized) {
			t.Error(err)
		}
	})
}

func TestFindTellsAwardsApart(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	a := live(t, w)
	iss, f := a.(adapters.Issuer), a.(adapters.Finder)
	find := func(t *testing.T, in adapters.Issuance) (adapters.Ref, adapters.Found) {
		t.Helper()
		ref, found, err := f.Find(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		return ref, found
	}
	t.Run("another award of a badge that may repeat is not this one", func(t *testing.T) {
		first, second := issuance(1), issuance(1)
		first.Class, second.Class = repeat, repeat
		second.Award.IssuedOn = start.AddDate(0, 1, 0)
		ref, err := iss.Issue(t.Context(), first)
		if err != nil {
			t.Fatal(err)
		}
		if got, found := find(t, first); found != adapters.Present || got != ref {
			t.Errorf("the first: %v %v", got, found)
		}
		if _, found := find(t, second); found != adapters.Absent {
			t.Errorf("the second: %v", found)
		}
	})
	t.Run("a badge issued by hand to another address of the same account is found", func(t *testing.T) {
		in := issuance(2)
		if err := w.Seed(sandbox.Seed{Users: []sandbox.User{{Emails: []string{"private@example.org", in.Recipient.Identity}, FirstName: "Grace", LastName: "Example"}}}); err != nil {
			t.Fatal(err)
		}
		id, err := w.Issue(sandbox.Badge{TemplateID: workshop, Email: "private@example.org", FirstName: "Grace", LastName: "Example"})
		if err != nil {
			t.Fatal(err)
		}
		if got, found := find(t, in); found != adapters.Present || string(got) != id {
			t.Errorf("%v %v", got, found)
		}
	})
	t.Run("a revoked badge does not count", func(t *testing.T) {
		in := issuance(3)
		ref, err := iss.Issue(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Revoke(string(ref), "mistake"); err != nil {
			t.Fatal(err)
		}
		if _, found := find(t, in); found != adapters.Absent {
			t.Errorf("%v", found)
		}
	})
	t.Run("a recipient that no filter can name is unknown", func(t *testing.T) {
		in := issuance(4)
		in.EarnerKey, in.Recipient.Identity = "", `a|b@example.org`
		if _, found := find(t, in); found != adapters.Unknown {
			t.Errorf("%v", found)
		}
	})
}

func TestChangesReportEveryStateAndReplacement(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	a := live(t, w)
	src := a.(adapters.Source)
	changes := func(c adapters.Cursor) (adapters.Page, error) { return src.Changes(t.Context(), c) }
	accepted, revoked, replaced := w.add(t), w.add(t), w.add(t)
	_, cur := drain(t, changes, "")
	w.Advance(time.Hour)
	if err := errors.Join(w.Accept(string(accepted)), w.Revoke(string(revoked), "wrong person")); err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"badge_template_id":%q,"issued_at":"2025-03-04 09:41:00 +0000"}`, workshop)
	req := httptest.NewRequest("POST", "/v1/organizations/"+org+"/badges/"+string(replaced)+"/replace", strings.NewReader(body))
	req.SetBasicAuth(token, "")
	res := httptest.NewRecorder()
	if w.ServeHTTP(res, req); res.Code != http.StatusCreated {
		t.Fatal(res.Body)
	}
	got, _ := drain(t, changes, cur)
	if r := got[accepted]; r.Award.Acceptance != "accepted" || r.Award.AssertionURL == "" || !strings.Contains(r.Award.PageURL, "/badges/") {
		t.Errorf("accepted: %+v", r.Award)
	}
	if r := got[revoked]; !r.Award.Revoked || r.Award.RevocationReason != "wrong person" || r.Award.RevokedOn.IsZero() || r.Award.AssertionURL != "" {
		t.Errorf("revoked: %+v", r.Award)
	}
	if r := got[replaced]; r.Gone == nil || r.Gone.Kind != adapters.GoneDeleted {
		t.Errorf("replaced: %+v", r.Gone)
	}
	if len(got) != 4 {
		t.Errorf("%d records", len(got))
	}
}

// spy lets a test act between two calls and change an answer.
type spy struct {
	next   http.Handler
	before func(*http.Request)
	edit   func(*http.Request, map[string]any)
}

func (s *spy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.before != nil {
		s.before(r)
	}
	if s.edit == nil {
		s.next.ServeHTTP(w, r)
		return
	}
	rec := httptest.NewRecorder()
	s.next.ServeHTTP(rec, r)
	var doc map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &doc); err != nil {
		panic(err)
	}
	s.edit(r, doc)
	w.Header().Set("Date", rec.Header().Get("Date"))
	w.WriteHeader(rec.Code)
	_ = json.NewEncoder(w).Encode(doc)
}

func TestADeletionDuringAListingSkipsNothing(t *testing.T) {
	for _, gone := range []int{1, 50, 70} {
		t.Run(strconv.Itoa(gone)+" deleted", func(t *testing.T) {
			w := newWorld(t, sandbox.Options{})
			var refs []adapters.Ref
			for range 180 {
				refs = append(refs, w.add(t))
			}
			calls := 0
			src := live(t, &spy{next: w, before: func(*http.Request) {
				if calls++; calls != 3 {
					return
				}
				for _, r := range refs[len(refs)-gone:] { // the newest come first in the list
					if err := w.Delete(string(r)); err != nil {
						t.Error(err)
					}
				}
			}}).(adapters.Source)
			got, _ := drain(t, func(c adapters.Cursor) (adapters.Page, error) { return src.List(t.Context(), c) }, "")
			for _, r := range refs[:len(refs)-gone] {
				if _, ok := got[r]; !ok {
					t.Fatal("a badge was skipped")
				}
			}
		})
	}
}

func TestAFeedThatCannotBeTrustedIsNotTaken(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	for range 120 {
		w.add(t)
	}
	list := func(t *testing.T, edit func(*http.Request, map[string]any)) error {
		src := live(t, &spy{next: w, edit: edit}).(adapters.Source)
		_, err := src.List(t.Context(), "")
		return err
	}
	link := func(v string) func(*http.Request, map[string]any) {
		return func(_ *http.Request, d map[string]any) { d["metadata"].(map[string]any)["next_page_url"] = v }
	}
	path := "/api/v1/organizations/" + org + "/badges?page="
	for name, bad := range map[string]string{
		"to another host":         "https://evil.example.org" + path + "2",
		"back to the same page":   path + "1",
		"far ahead":               path + "9",
		"to another list":         "/api/v1/organizations/" + org + "/events?page=2",
		"to another organization": "/api/v1/organizations/0" + org[1:] + "/badges?page=2",
		"that is no address":      "http://[::1",
	} {
		t.Run("a link "+name+" is not followed", func(t *testing.T) {
			if err := list(t, link(bad)); !errors.Is(err, adapters.ErrUnavailable) {
				t.Error(err)
			}
		})
	}
	t.Run("a link without filter and sort gets them again", func(t *testing.T) {
		var asked []url.Values
		s := &spy{next: w, before: func(r *http.Request) { asked = append(asked, r.URL.Query()) }, edit: func(r *http.Request, d map[string]any) {
			if m := d["metadata"].(map[string]any); m["next_page_url"] != nil {
				m["next_page_url"] = fmt.Sprint(path, int(m["current_page"].(float64))+1)
			}
		}}
		src := live(t, s).(adapters.Source)
		got, _ := drain(t, func(c adapters.Cursor) (adapters.Page, error) { return src.List(t.Context(), c) }, "")
		if len(got) != 120 {
			t.Errorf("%d records", len(got))
		}
		for _, q := range asked {
			if q.Get("filter") == "" || q.Get("sort") == "" {
				t.Errorf("asked %v", q)
			}
		}
	})
	t.Run("an answer without paging is no complete list", func(t *testing.T) {
		if err := list(t, func(_ *http.Request, d map[string]any) { d["metadata"] = map[string]any{} }); !errors.Is(err, adapters.ErrUnavailable) {
			t.Error(err)
		}
	})
	t.Run("changes that are not sorted as asked send the caller to List", func(t *testing.T) {
		s := &spy{next: w, edit: func(r *http.Request, d map[string]any) {}}
		src := live(t, s).(adapters.Source)
		_, cur := drain(t, func(c adapters.Cursor) (adapters.Page, error) { return src.Changes(t.Context(), c) }, "")
		s.before = func(r *http.Request) {
			q := r.URL.Query()
			q.Del("sort")
			r.URL.RawQuery = q.Encode()
		}
		if _, err := src.Changes(t.Context(), cur); !errors.Is(err, adapters.ErrCursorGone) {
			t.Error(err)
		}
	})
	t.Run("a cursor that is none of ours sends the caller to List", func(t *testing.T) {
		src := live(t, w).(adapters.Source)
		for _, c := range []adapters.Cursor{"x", "{}", `{"page":3}`, "null"} {
			if _, err := src.Changes(t.Context(), c); !errors.Is(err, adapters.ErrCursorGone) {
				t.Errorf("%q: %v", c, err)
			}
		}
	})
}

func TestNothingIsIssuedTwiceWhateverFails(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	a := live(t, w)
	iss, f := a.(adapters.Issuer), a.(adapters.Finder)
	for _, kind := range []string{sandbox.FaultDropAfter, sandbox.FaultDropBefore, sandbox.FaultServerError, sandbox.FaultTruncate, sandbox.FaultRateLimit} {
		w.Inject(sandbox.Fault{Kind: kind, Path: "/v1/organizations/*/badges", Probability: .15})
	}
	w.HideFresh(f.Settle() / 2)
	const people = 60
	for n := range people {
		in := issuance(n)
		in.Class = repeat // here Credly itself would not refuse a second one
		for try := 0; ; try++ {
			if try > 200 {
				t.Fatal("never done")
			}
			_, err := iss.Issue(t.Context(), in)
			for err != nil && adapters.IsAmbiguous(err) {
				w.Advance(f.Settle())
				_, found, findErr := f.Find(t.Context(), in)
				if findErr == nil && found == adapters.Present {
					err = nil
				} else if findErr == nil && found == adapters.Absent {
					break
				}
			}
			if err == nil {
				break
			}
		}
	}
	seen := map[string]int{}
	for _, b := range w.Badges() {
		seen[b.EarnerID]++
	}
	if len(seen) != people || len(w.Badges()) != people {
		t.Errorf("%d badges for %d of %d people", len(w.Badges()), len(seen), people)
	}
}
