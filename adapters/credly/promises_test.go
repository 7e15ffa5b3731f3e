package credly_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
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
		if _, found := find(t, second); found != adapters.Unknown {
			t.Errorf("the second, and nobody knows whose the first is: %v", found)
		}
		second.Siblings = []adapters.Sibling{{IssuedOn: first.Award.IssuedOn}}
		if _, found := find(t, second); found != adapters.Absent {
			t.Errorf("the second, where the first is awarded on its date: %v", found)
		}
		second.Siblings = []adapters.Sibling{{Ref: ref}}
		if _, found := find(t, second); found != adapters.Absent {
			t.Errorf("the second, where the first is known: %v", found)
		}
		third := first // on the same day as the first
		third.Siblings = []adapters.Sibling{{Ref: ref, IssuedOn: first.Award.IssuedOn}}
		if _, found := find(t, third); found != adapters.Absent {
			t.Errorf("another on the same day: %v", found)
		}
		third.Siblings, third.Past = nil, []adapters.Ref{ref}
		if _, found := find(t, third); found != adapters.Absent {
			t.Errorf("an earlier copy of the same award: %v", found)
		}
	})
	t.Run("a badge that was issued by hand counts only for what was never sent", func(t *testing.T) {
		in := issuance(6)
		in.Class = repeat
		id, err := w.Issue(sandbox.Badge{TemplateID: repeat, Email: "elsewhere@example.org", FirstName: "Grace", LastName: "Example", IssuedAt: start.AddDate(-1, 0, 0)})
		if err != nil {
			t.Fatal(err)
		}
		in.Addresses = []string{in.Recipient.Identity, "elsewhere@example.org"}
		if _, found := find(t, in); found != adapters.Absent {
			t.Errorf("after a call: %v", found)
		}
		in.Existing = true
		if got, found := find(t, in); found != adapters.Present || string(got) != id {
			t.Errorf("before the first call: %v %v", got, found)
		}
		in.Siblings = []adapters.Sibling{{Ref: adapters.Ref(id)}}
		if _, found := find(t, in); found != adapters.Absent {
			t.Errorf("another award's: %v", found)
		}
	})
	t.Run("a badge at another address that the recipient has proven is found", func(t *testing.T) {
		in := issuance(7)
		id, err := w.Issue(sandbox.Badge{TemplateID: workshop, Email: "seven@home.example", FirstName: "Grace", LastName: "Example"})
		if err != nil {
			t.Fatal(err)
		}
		if _, found := find(t, in); found != adapters.Absent {
			t.Errorf("not proven: %v", found)
		}
		in.Addresses = []string{"seven@home.example"}
		if got, found := find(t, in); found != adapters.Present || string(got) != id {
			t.Errorf("%v %v", got, found)
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
