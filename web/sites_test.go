package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/adapters/wordpress"
	"badgebridge/sandbox/site"
	"badgebridge/store"
)

// siteCaller calls the gateway as the paired site does.
type siteCaller struct {
	w                   *world
	key, secret, remote string
	uuid, home          string
}

func (w *world) caller(t *testing.T) siteCaller {
	t.Helper()
	sites, err := w.engine.Sites(t.Context())
	must(t, err)
	uuid, home := w.site.Identity()
	for _, s := range sites {
		return siteCaller{w, s.ClientID, s.ClientSecret.Reveal(), string(s.Remote.Name), uuid, home}
	}
	t.Fatal("no site")
	return siteCaller{}
}

// request is a signed call that was not sent yet.
func (c siteCaller) request(t *testing.T, path string, body any) *http.Request {
	t.Helper()
	raw, err := json.Marshal(body)
	must(t, err)
	path = "/api/v1/sites/" + c.remote + path
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.w.server.URL+path, bytes.NewReader(raw))
	must(t, err)
	wordpress.SignRequest(req.Header, c.key, c.secret, http.MethodPost, path, c.w.now.Now(), raw)
	req.Header.Set("Badgebridge-Site", c.uuid)
	req.Header.Set("Badgebridge-Home", c.home)
	return req
}

func (c siteCaller) send(t *testing.T, req *http.Request) answer {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(t, err)
	return answer{res.StatusCode, res.Header, string(text), req.URL.Path}
}

type m = map[string]any

func entryOf(h site.Held) []m { return []m{{"entry_id": h.Entry, "fingerprint": h.Fingerprint}} }

func TestASiteActsForItsOwnUsersAndOnlyAsItself(t *testing.T) {
	w := newWorld(t)
	w.connect()
	c := w.caller(t)
	var mine, other site.Held
	for _, h := range w.site.Awards() {
		switch a := w.awardAt(t, c, h); {
		case a.Claim != store.Offered || a.Revoked || a.PageURL != "":
		case mine.Entry == 0:
			mine = h
		case h.Member.ID != mine.Member.ID:
			other = h
		}
	}
	if mine.Entry == 0 || other.Entry == 0 {
		t.Fatal("the demo has no two members with an offered badge")
	}
	claim := m{"user_id": mine.Member.ID, "act": "claim", "entries": entryOf(mine)}

	t.Run("what is not signed by it is refused", func(t *testing.T) {
		for name, spoil := range map[string]func(*http.Request){
			"unsigned":    func(r *http.Request) { r.Header.Del("Badgebridge-Signature") },
			"another key": func(r *http.Request) { r.Header.Set("Badgebridge-Key", "another") },
			"another body": func(r *http.Request) {
				r.Body = io.NopCloser(bytes.NewReader([]byte(`{"user_id":1}`)))
				r.ContentLength = 13
			},
			"another site":     func(r *http.Request) { r.Header.Set("Badgebridge-Home", "https://clone.example.org") },
			"another remote":   func(r *http.Request) { r.URL.Path = "/api/v1/sites/credly/act" },
			"an unknown one":   func(r *http.Request) { r.URL.Path = "/api/v1/sites/nobody/act" },
			"another route":    func(r *http.Request) { r.URL.Path = "/api/v1/sites/" + c.remote + "/cut" },
			"another question": func(r *http.Request) { r.URL.RawQuery = "x=1" },
		} {
			req := c.request(t, "/act", claim)
			spoil(req)
			if got := c.send(t, req); got.status != http.StatusUnauthorized {
				t.Errorf("%s: %d %s", name, got.status, got.body)
			}
		}
		old := c
		w.now.add(-10 * time.Minute)
		req := old.request(t, "/act", claim)
		w.now.add(10 * time.Minute)
		if got := c.send(t, req); got.status != http.StatusUnauthorized {
			t.Errorf("ten minutes old: %d", got.status)
		}
		if a := w.awardAt(t, c, mine); a.Claim != store.Offered {
			t.Errorf("it was claimed: %+v", a)
		}
	})
	t.Run("a call works once", func(t *testing.T) {
		req := c.request(t, "/badges", m{"user_id": mine.Member.ID, "entries": entryOf(mine)})
		again := req.Clone(t.Context())
		again.Body, _ = req.GetBody()
		if got := c.send(t, req); got.status != http.StatusOK || got.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %s", got.status, got.body)
		}
		if got := c.send(t, again); got.status != http.StatusUnauthorized {
			t.Errorf("replayed: %d", got.status)
		}
	})
	t.Run("claimed by one user it is not another's", func(t *testing.T) {
		if got := c.send(t, c.request(t, "/act", claim)); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
		if a := w.awardAt(t, c, mine); a.Claim != store.Claimed || a.PersonID == "" {
			t.Errorf("%+v", a)
		}
		for _, path := range []string{"/act", "/baked"} {
			body := m{"user_id": other.Member.ID, "act": "publish", "entries": entryOf(mine)}
			if got := c.send(t, c.request(t, path, body)); got.status != http.StatusNotFound {
				t.Errorf("%s by another user: %d %s", path, got.status, got.body)
			}
		}
		if a := w.awardAt(t, c, mine); a.Visibility != store.Private {
			t.Errorf("%+v", a)
		}
	})
	t.Run("nonsense is refused in words", func(t *testing.T) {
		for _, body := range []m{
			{"user_id": -1, "entries": entryOf(mine)},
			{"user_id": mine.Member.ID, "act": "steal", "entries": entryOf(mine)},
			{"user_id": mine.Member.ID, "act": "claim", "entries": []m{{"entry_id": 1, "fingerprint": "' OR 1=1"}}},
			{"user_id": mine.Member.ID, "act": "claim"},
		} {
			if got := c.send(t, c.request(t, "/act", body)); got.status < 400 || got.status > 502 || got.json(t)["message"] == "" {
				t.Errorf("%v: %d %s", body, got.status, got.body)
			}
		}
	})
}

func (w *world) awardAt(t *testing.T, c siteCaller, h site.Held) store.Award {
	t.Helper()
	ref := adapters.Ref(fmt.Sprintf("%s/%d/%s", c.uuid, h.Entry, h.Fingerprint))
	link, err := w.db.Link(t.Context(), w.siteName(), ref)
	must(t, err)
	a, err := w.db.Award(t.Context(), link.AwardID)
	must(t, err)
	return a
}
