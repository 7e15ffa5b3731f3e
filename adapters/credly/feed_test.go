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
	sandbox "badgebridge/sandbox/credly"
)

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

func TestChangesReportDeletionsAndPrivacyWhicheverWayTheLogIsSorted(t *testing.T) {
	for _, oldestFirst := range []bool{false, true} {
		t.Run(fmt.Sprintf("oldest first %v", oldestFirst), func(t *testing.T) {
			w := newWorld(t, sandbox.Options{EventsOldestFirst: oldestFirst})
			src := live(t, w).(adapters.Source)
			changes := func(c adapters.Cursor) (adapters.Page, error) { return src.Changes(t.Context(), c) }
			hidden, deleted := w.add(t), w.add(t)
			if err := w.Accept(string(hidden)); err != nil {
				t.Fatal(err)
			}
			for range 120 { // several pages of events
				w.add(t)
			}
			w.Advance(time.Hour) // so that the overlap repeats none of them
			_, cur := drain(t, changes, "")
			w.Advance(time.Hour)
			if err := errors.Join(w.SetPublic(string(hidden), false), w.Delete(string(deleted))); err != nil {
				t.Fatal(err)
			}
			got, _ := drain(t, changes, cur)
			if r, ok := got[hidden]; !ok || r.Award.AssertionURL != "" {
				t.Errorf("hidden: %v %+v", ok, r.Award)
			}
			if r := got[deleted]; r.Gone == nil || r.Gone.Kind != adapters.GoneDeleted {
				t.Errorf("deleted: %+v", r)
			}
			if len(got) != 2 {
				t.Errorf("%d records", len(got))
			}
		})
	}
}

// spy lets a test act between two calls and change an answer.
type spy struct {
	next   http.Handler
	before func(*http.Request)
	edit   func(*http.Request, map[string]any)
	answer func(http.ResponseWriter, *http.Request) bool // in its place, where it is true
}

func (s *spy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.before != nil {
		s.before(r)
	}
	if s.answer != nil && s.answer(w, r) {
		return
	}
	if s.edit == nil {
		s.next.ServeHTTP(w, r)
		return
	}
	rec := httptest.NewRecorder()
	s.next.ServeHTTP(rec, r)
	var doc map[string]any
	if rec.Code == http.StatusNoContent {
		w.WriteHeader(rec.Code)
		return
	}
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
