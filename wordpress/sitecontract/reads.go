package sitecontract

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

func (s *suite) pair(t *testing.T) {
	t.Helper()
	s.gw = newGateway(t, s.Now)
	if err := s.Control.Pair(t, s.gw.url, pairCode); err != nil {
		t.Fatalf("the site does not pair: %v", err)
	}
	s.gw.check(t)
	if s.gw.uuid != s.UUID || s.gw.home != s.Home {
		t.Fatalf("the site pairs as %q at %q, not as %q at %q", s.gw.uuid, s.gw.home, s.UUID, s.Home)
	}
}

func (s *suite) site(t *testing.T) {
	var got site
	s.get(t, "/site", nil, &got)
	if got.Contract != "2" && got.Contract != "1" || got.UUID != s.UUID || got.HomeURL != s.Home {
		t.Errorf("the site is %+v", got)
	}
	if got.Provider.ID == "none" || got.FeedEpoch == "" {
		t.Errorf("the site is not ready: %+v", got)
	}
}

func (s *suite) signatures(t *testing.T) {
	path := "/members"
	query := url.Values{"email": {"someone+tag@example.org"}, "limit": {"5"}}
	spoilt := func(spoil func(*http.Request)) call {
		return call{method: "GET", path: path, query: query, spoil: spoil}
	}
	s.refused(t, spoilt(func(r *http.Request) {
		for _, name := range []string{"Key", "Time", "Nonce", "Signature"} {
			r.Header.Del("Badgebridge-" + name)
		}
	}), http.StatusUnauthorized, "unsigned")
	s.refused(t, spoilt(func(r *http.Request) { r.Header.Del("Badgebridge-Signature") }), http.StatusUnauthorized, "unsigned")
	for name, spoil := range map[string]func(*http.Request){
		"another signature": func(r *http.Request) { r.Header.Set("Badgebridge-Signature", strings.Repeat("0", 64)) },
		"another key":       func(r *http.Request) { r.Header.Set("Badgebridge-Key", "nobody") },
		"another nonce":     func(r *http.Request) { r.Header.Set("Badgebridge-Nonce", random(20)) },
		"another query":     func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "limit=5", "limit=6", 1) },
		"a short nonce":     func(r *http.Request) { r.Header.Set("Badgebridge-Nonce", "short") },
	} {
		t.Run(name, func(t *testing.T) { s.refused(t, spoilt(spoil), http.StatusUnauthorized, "bad_signature") })
	}
	for _, off := range []time.Duration{-400 * time.Second, 400 * time.Second} {
		s.refused(t, call{method: "GET", path: path, at: s.Now().Add(off)}, http.StatusUnauthorized, "clock")
	}
	s.want(t, call{method: "GET", path: path, query: query, at: s.Now().Add(-200 * time.Second)}, http.StatusOK, nil)
	// The body is signed too.
	badgeID, _, email := s.fresh(t)
	other := s.Control.AddBadge(t, "Another badge")
	in := grant{Key: random(40), BadgeID: badgeID, Email: email, IssuedOn: "2024-05-06T07:08:09Z"}
	s.refused(t, call{method: "POST", path: "/awards", body: in, spoil: func(r *http.Request) {
		changed := in
		changed.BadgeID = other
		setBody(r, changed)
	}}, http.StatusUnauthorized, "bad_signature")
}

func (s *suite) replay(t *testing.T) {
	c := call{method: "GET", path: "/site", nonce: random(24), at: s.Now()}
	s.want(t, c, http.StatusOK, nil)
	s.refused(t, c, http.StatusUnauthorized, "bad_signature")
}

func (s *suite) anotherSite(t *testing.T) {
	badgeID, _, email := s.fresh(t)
	in := grant{Key: random(40), BadgeID: badgeID, Email: email, IssuedOn: "2024-05-06T07:08:09Z"}
	for name, spoil := range map[string]func(*http.Request){
		"another uuid": func(r *http.Request) { r.Header.Set(sited, "6f1f64f5-0c3c-4f0e-9f0c-0d7b8a1a2b3c") },
		"another home": func(r *http.Request) { r.Header.Set(homed, "https://elsewhere.example.org") },
		"no home":      func(r *http.Request) { r.Header.Del(homed) },
	} {
		t.Run(name, func(t *testing.T) {
			s.refused(t, call{method: "POST", path: "/awards", body: in, spoil: spoil}, http.StatusConflict, "another_site")
		})
	}
	s.refused(t, call{method: "GET", path: "/awards/by-key/" + in.Key}, http.StatusNotFound, "not_found")
}

func (s *suite) badges(t *testing.T) {
	title := `Star & Co "Helper" <3 ` + random(4)
	want := map[int64]string{s.Control.AddBadge(t, title): title}
	for range 3 {
		name := "Café – " + random(4)
		want[s.Control.AddBadge(t, name)] = name
	}
	after, last := "", int64(0)
	for {
		var p struct {
			Badges []badge `json:"badges"`
			Next   string  `json:"next"`
			More   bool    `json:"more"`
		}
		s.get(t, "/badges", page(after, 2), &p)
		if len(p.Badges) > 2 {
			t.Fatalf("a page of %d badges, where 2 were asked for", len(p.Badges))
		}
		for _, b := range p.Badges {
			if b.ID <= last {
				t.Fatalf("badge %d is listed after badge %d", b.ID, last)
			}
			last = b.ID
			if name, ok := want[b.ID]; ok {
				if b.Title != name {
					t.Errorf("title %q, not %q", b.Title, name)
				}
				if b.State != "published" {
					t.Errorf("badge %d is %q", b.ID, b.State)
				}
				delete(want, b.ID)
			}
		}
		after = p.Next
		if !p.More {
			break
		}
	}
	if len(want) > 0 {
		t.Errorf("these badges are not listed: %v", want)
	}
	s.refused(t, call{method: "GET", path: "/badges", query: url.Values{"limit": {"501"}}}, http.StatusUnprocessableEntity, "invalid")
	s.refused(t, call{method: "GET", path: "/badges", query: url.Values{"after": {"x'y"}}}, http.StatusUnprocessableEntity, "invalid")
}

func (s *suite) members(t *testing.T) {
	email := "Mixed.Case+" + random(8) + "@example.org"
	id := s.Control.AddMember(t, email, "Zoë", "O'Demo")
	for _, asked := range []string{email, strings.ToUpper(email)} {
		var p struct {
			Members []member `json:"members"`
		}
		s.get(t, "/members", url.Values{"email": {asked}}, &p)
		if len(p.Members) != 1 || p.Members[0].ID != id {
			t.Fatalf("%s finds %+v", asked, p.Members)
		}
		if m := p.Members[0]; m.Email != email || m.GivenName != "Zoë" || m.FamilyName != "O'Demo" || m.EmailProven {
			t.Errorf("the member is %+v", m)
		}
	}
	var none struct {
		Members []member `json:"members"`
		More    bool     `json:"more"`
	}
	s.get(t, "/members", url.Values{"email": {"nobody-" + random(8) + "@example.org"}}, &none)
	if len(none.Members) != 0 || none.More {
		t.Errorf("nobody is %+v", none)
	}
	seen, after := map[int64]bool{}, ""
	for {
		var p struct {
			Members []member `json:"members"`
			Next    string   `json:"next"`
			More    bool     `json:"more"`
		}
		s.get(t, "/members", page(after, 3), &p)
		for _, m := range p.Members {
			if seen[m.ID] {
				t.Fatalf("member %d is listed twice", m.ID)
			}
			seen[m.ID] = true
		}
		after = p.Next
		if !p.More {
			break
		}
	}
	if !seen[id] {
		t.Error("the member is not listed")
	}
}

var hex16 = regexp.MustCompile(`^[0-9a-f]{16}$`)

func (s *suite) awarded(t *testing.T) {
	title := "Trail & Path " + random(4)
	email := "walker-" + random(8) + "@example.org"
	badgeID, memberID := s.Control.AddBadge(t, title), s.Control.AddMember(t, email, "Wanda", "Walker")
	before := s.now(t)
	start := s.Now().Add(-2 * time.Second)
	id := s.Control.AwardBadge(t, badgeID, memberID)

	a := s.entry(t, id)
	if !hex16.MatchString(a.Fingerprint) || a.Badge.ID != badgeID || a.Badge.Title != title {
		t.Errorf("the award is %+v", a)
	}
	if a.Member == nil || a.Member.ID != memberID || a.Member.Email != email || a.Key != "" {
		t.Errorf("the award's member is %+v, its key %q", a.Member, a.Key)
	}
	if a.IssuedOn.Before(start.Truncate(time.Second)) || a.IssuedOn.After(s.Now().Add(2*time.Second)) {
		t.Errorf("issued on %v, not now: a date in the site's own time zone?", a.IssuedOn)
	}
	all, _ := s.list(t, 500)
	if all[id].Version != a.Version || all[id].Fingerprint != a.Fingerprint {
		t.Errorf("listed as %+v", all[id])
	}
	changes, _ := s.changes(t, before, 0)
	of := about(changes, id)
	if len(of) != 1 || of[0].Kind != "granted" || of[0].Fingerprint != a.Fingerprint || of[0].Award == nil || of[0].Award.Version != a.Version {
		t.Errorf("the feed says %+v", of)
	}
}

func (s *suite) awardedBefore(t *testing.T) {
	badgeID, memberID, _ := s.fresh(t)
	before := s.now(t)
	id := s.Control.AwardSilently(t, badgeID, memberID)
	all, _ := s.list(t, 0)
	if a, ok := all[id]; !ok || a.Badge.ID != badgeID || a.Member == nil || a.Member.ID != memberID {
		t.Errorf("it is listed as %+v", a)
	}
	if changes, _ := s.changes(t, before, 0); len(about(changes, id)) != 0 {
		t.Error("it is in the feed; then it was not silent, and this test tests nothing")
	}
}

func (s *suite) feedPages(t *testing.T) {
	badgeID, memberID, _ := s.fresh(t)
	before := s.now(t)
	var want []int64
	for range 5 {
		want = append(want, s.Control.AwardBadge(t, badgeID, memberID))
	}
	paged, end := s.changes(t, before, 2)
	if len(paged) != len(want) {
		t.Fatalf("%d changes for %d awards", len(paged), len(want))
	}
	for i, c := range paged {
		if c.EntryID != want[i] || i > 0 && c.Seq <= paged[i-1].Seq {
			t.Errorf("change %d is %+v", i, c)
		}
	}
	if rest, again := s.changes(t, end, 0); len(rest) != 0 || again != end {
		t.Errorf("after the end come %+v, and the end moved from %q to %q", rest, end, again)
	}
}

func (s *suite) awardPages(t *testing.T) {
	badgeID, memberID, _ := s.fresh(t)
	for range 3 {
		s.Control.AwardBadge(t, badgeID, memberID)
	}
	whole, _ := s.list(t, 500)
	paged, from := s.list(t, 7)
	if len(paged) != len(whole) {
		t.Errorf("%d awards in small pages, %d in large ones", len(paged), len(whole))
	}
	id := s.Control.AwardBadge(t, badgeID, memberID)
	if changes, _ := s.changes(t, from, 0); len(about(changes, id)) != 1 {
		t.Error("an award made after the listing is not in the feed from changes_from")
	}
}
