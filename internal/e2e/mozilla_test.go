package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
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

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"badgebridge/internal/testenv/chromium"
	"badgebridge/store"
)

// documented is a page that uses Mozilla's Backpack as Mozilla's documentation of
// the Issuer API, of Backpack Connect and of the Displayer API says; BACKPACK
// stands for the host name, and nothing else in it is ours.
const documented = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Demo course</title>
<script src="http://BACKPACK/issuer.js"></script></head>
<body><h1>Demo course</h1><p id="out"></p><p id="shown"></p>
<script>
function say(id, what) { document.getElementById(id).textContent = JSON.stringify(what); }
function give(assertions) {
  OpenBadges.issue(assertions, function(errors, successes) { say("out", { errors: errors, successes: successes }); });
}
function leave(assertions) { OpenBadges.issue_no_modal(assertions); }
function connect() {
  OpenBadges.connect({ callback: location.origin + "/callback", scope: ["issue"] });
}
function ask(method, path, body, done) {
  var x = new XMLHttpRequest();
  x.open(method, "http://BACKPACK" + path);
  if (body) x.setRequestHeader("Content-Type", "application/json");
  x.onload = function() { done(JSON.parse(x.responseText)); };
  x.onerror = function() { done({ status: "no answer" }); };
  x.send(body);
}
function show(email) {
  ask("POST", "/displayer/convert/email", JSON.stringify({ email: email }), function(earner) {
    ask("GET", "/displayer/" + earner.userId + "/groups", null, function(list) {
      ask("GET", "/displayer/" + earner.userId + "/group/" + list.groups[0].groupId + ".json", null, function(group) {
        say("shown", { status: earner.status, name: list.groups[0].name, count: list.groups[0].badges, badge: group.badges[0].assertion.badge.name,
          verify: group.badges[0].assertion.verify.type, image: group.badges[0].imageUrl, issuer: group.badges[0].assertion.badge.issuer.name });
      });
    });
  });
}
function wrapped(list) { say("shown", list); }
function showWrapped(userId) {
  var s = document.createElement("script");
  s.src = "http://BACKPACK/displayer/" + userId + "/groups.json?callback=wrapped";
  document.body.appendChild(s);
}
</script></body></html>`

// A page that was written for Mozilla's Backpack works with the host name changed,
// in a browser of today, from another site.
func TestAPageWrittenForMozillasBackpackWorksHere(t *testing.T) {
	school := startCollege(t)
	came := make(chan url.Values, 4)
	var page string
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			came <- r.URL.Query()
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, page)
	}))
	t.Cleanup(site.Close)
	course := strings.Replace(site.URL, "127.0.0.1", "localhost", 1) // another site than the backpack's
	b := startStation(t, "127.0.0.1", FreePort(t), hostPort(school.URL))
	page = strings.ReplaceAll(documented, "BACKPACK", hostPort(b.base))
	b.setUp(t, NewBrowser(t, b.Gateway).At(b.base))
	her := NewBrowser(t, b.Gateway).At(b.base)
	her.SignIn(t, b.mail, ada)
	who := b.person(t, ada)

	v := visit{t, chromium.Start(t), &Gateway{URL: course, t: t}}
	base, err := url.Parse(b.base)
	must(t, err)
	for _, cookie := range her.client.Jar.Cookies(base) {
		_, err := chromedp.Call(v.ctx, network.SetCookie, network.SetCookieParams{Name: cookie.Name, Value: cookie.Value, Domain: base.Hostname(), Path: "/", SameSite: network.CookieSameSiteLax})
		must(t, err)
	}
	seen := map[string]bool{}
	call := func(function string, args ...any) {
		t.Helper()
		list, err := json.Marshal(args)
		must(t, err)
		v.eval(fmt.Sprintf(`(%s.apply(null, %s), "")`, function, list))
	}
	holds := func() int {
		t.Helper()
		n, err := b.db.CountAwards(t.Context(), store.AwardFilter{PersonID: who, Origin: store.BackpackOrigin})
		must(t, err)
		return n
	}
	out := func(id string) map[string]any {
		t.Helper()
		var got map[string]any
		Eventually(t, 40*time.Second, "the page hears of it", func() error {
			return json.Unmarshal([]byte(v.eval(fmt.Sprintf(`document.getElementById(%q).textContent`, id))), &got)
		})
		return got
	}

	promise(t, "issue asks in a frame and a window, and the callback hears what became of each", func(t *testing.T) {
		yes, no, foreign, broken := school.award(1, ada), school.award(2, ada), school.award(3, bo), school.URL+"/a/none"
		v.open("/")
		call("give", []string{yes, no, foreign, broken})
		frame := v.target(t, seen, "iframe", "/issuer/frame")
		frame.hand("#send") // needs the person's hand: it opens a window
		window := v.target(t, seen, "page", "/issuer/welcome")
		window.waits(`form[action="/issuer/send"]`)
		if text := window.text(); !strings.Contains(text, "Sailor") || !strings.Contains(text, "localhost offers you these badges") {
			t.Errorf("the window says:\n%s", text)
		}
		window.eval(`(document.querySelector('input[name="yes"][value="1"]').click(), "")`)
		window.click(`form[action="/issuer/send"] button`)
		got := out("out")
		want := fmt.Sprintf(`{"errors":[{"assertion":%q,"reason":"DENIED"},{"assertion":%q,"reason":"INVALID"},{"assertion":%q,"reason":"INACCESSIBLE"}],"successes":[%q]}`, no, foreign, broken, yes)
		if text, _ := json.Marshal(got); string(text) != want {
			t.Errorf("the callback heard\n%s\nwant\n%s", text, want)
		}
		if holds() != 1 {
			t.Errorf("she holds %d badges", holds())
		}
	})
	promise(t, "issue again says that it is there; closed, it was denied", func(t *testing.T) {
		yes := school.award(1, ada)
		v.open("/")
		call("give", yes)
		v.target(t, seen, "iframe", "/issuer/frame").hand("#send")
		window := v.target(t, seen, "page", "/issuer/welcome")
		window.click(`form[action="/issuer/send"] button`)
		if text, _ := json.Marshal(out("out")); string(text) != fmt.Sprintf(`{"errors":[{"assertion":%q,"reason":"EXISTS"}],"successes":[]}`, yes) {
			t.Errorf("the callback heard %s", text)
		}
		v.open("/")
		call("give", []string{yes})
		v.target(t, seen, "iframe", "/issuer/frame").hand("[data-close]")
		if text, _ := json.Marshal(out("out")); !strings.Contains(string(text), "DENIED") {
			t.Errorf("the callback heard %s", text)
		}
	})
	promise(t, "issue_no_modal leads the whole page there, signed in as she is", func(t *testing.T) {
		v.open("/")
		call("leave", []string{school.award(4, ada)})
		v.waits(`form[action="/issuer/send"]`)
		v.click(`form[action="/issuer/send"] button`)
		v.sees(false, "is in your backpack now")
		if holds() != 2 {
			t.Errorf("she holds %d badges", holds())
		}
	})
	promise(t, "connect asks her, and the tokens work as documented", func(t *testing.T) {
		v.open("/")
		call("connect")
		v.waits(`form[action="/accept"]`)
		v.click(`form[action="/accept"] button`)
		var q url.Values
		select {
		case q = <-came:
		case <-time.After(40 * time.Second):
			t.Fatalf("nobody came back; the page says:\n%s", v.text())
		}
		pushesAsDocumented(t, q, school)
		if holds() != 3 {
			t.Errorf("she holds %d badges", holds())
		}
		v.settled()
		v.open("/")
		call("connect")
		v.press("Don’t allow")
		select {
		case q = <-came:
		case <-time.After(40 * time.Second):
			t.Fatal("nobody came back")
		}
		if q.Get("error") != "access_denied" || q.Has("access_token") {
			t.Errorf("denied: %v", q)
		}
	})
	promise(t, "the displayer shows what is public, by XHR and by a script", func(t *testing.T) {
		list, err := b.db.AwardsOf(t.Context(), who, 9)
		must(t, err)
		her.Show(t, list[0].ID, "public")
		col, err := b.db.CreateCollection(t.Context(), store.Collection{PersonID: who, Name: "Sea & shore", Visibility: store.Public})
		must(t, err)
		must(t, b.db.SetCollectionBadges(t.Context(), col.ID, []store.CollectionBadge{{AwardID: list[0].ID}}))
		v.settled()
		v.open("/")
		call("show", ada)
		got := out("shown")
		if got["status"] != "okay" || got["name"] != "Sea & shore" || got["count"] != 1.0 || got["badge"] != "Sailor" || got["verify"] != "hosted" || got["issuer"] != "Demo College" {
			t.Errorf("shown: %v", got)
		}
		if res := Fetch(t, b.Gateway, got["image"].(string), "image/*"); res.Status != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "image/") {
			t.Errorf("its picture: %d %s", res.Status, res.Header.Get("Content-Type"))
		}
		p, err := b.db.Profile(t.Context(), who)
		must(t, err)
		v.open("/")
		call("showWrapped", p.Number)
		if got := out("shown"); got["userId"] != float64(p.Number) {
			t.Errorf("wrapped: %v", got)
		}
	})
	for _, p := range chromium.Problems(v.ctx) {
		t.Errorf("the browser complains: %s", p)
	}
}

// pushesAsDocumented is a site's server as the documentation of Backpack Connect
// has it: a form that is labelled JSON, and the token in base64.
func pushesAsDocumented(t *testing.T, q url.Values, school *college) {
	t.Helper()
	root, access, refresh := q.Get("api_root"), q.Get("access_token"), q.Get("refresh_token")
	if q.Get("expires") != "3600" || root == "" || access == "" || refresh == "" {
		t.Fatalf("the callback got %v", q)
	}
	do := func(method, path, token string, form url.Values) (int, map[string]any) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, root+path, bytes.NewReader([]byte(form.Encode())))
		must(t, err)
		req.Header.Set("Content-Type", "application/json")
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+base64.StdEncoding.EncodeToString([]byte(token)))
		}
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		defer res.Body.Close()
		var m map[string]any
		if err := json.NewDecoder(res.Body).Decode(&m); err != nil && !errors.Is(err, io.EOF) {
			m = map[string]any{"text": err.Error()}
		}
		return res.StatusCode, m
	}
	status, m := do(http.MethodPost, "/token", "", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
	if status != http.StatusOK || m["expires"] != 3600.0 {
		t.Fatalf("token: %d %v", status, m)
	}
	access = m["access_token"].(string)
	if status, m = do(http.MethodGet, "/identity", access, nil); status != http.StatusOK || m["type"] != "email" || !strings.HasPrefix(m["recipient"].(string), "sha256$") {
		t.Fatalf("identity: %d %v", status, m)
	}
	// A badge that is made out to the hash alone: the site need not know the address.
	n := 30
	address := school.award(n, "")
	school.mu.Lock()
	school.docs[fmt.Sprintf("/a/%d", n)]["recipient"] = map[string]any{"type": m["type"], "hashed": true, "salt": m["salt"], "identity": m["recipient"]}
	school.mu.Unlock()
	if status, m = do(http.MethodPost, "/issue", access, url.Values{"badge": {address}}); status != http.StatusCreated || m["exists"] != false {
		t.Fatalf("issue: %d %v", status, m)
	}
	badge := m["badge"].(map[string]any)
	if badge["uid"] == nil || badge["badge"].(map[string]any)["name"] != "Sailor" || badge["verify"].(map[string]any)["url"] != address {
		t.Errorf("badge: %v", badge)
	}
	if status, m = do(http.MethodPost, "/issue", access, url.Values{"badge": {school.award(31, bo)}}); status != http.StatusForbidden || m["message"] == nil {
		t.Errorf("somebody else's: %d %v", status, m)
	}
}

// target is a frame of another site, or another window, that the browser has open
// at a path and that was not seen before.
func (v visit) target(t *testing.T, seen map[string]bool, kind, path string) visit {
	t.Helper()
	var at context.Context
	Eventually(t, 40*time.Second, "the browser shows "+path, func() error {
		list, err := chromedp.Targets(v.ctx)
		if err != nil {
			return err
		}
		for _, one := range list {
			if u, err := url.Parse(one.URL); err == nil && one.Type == kind && strings.HasPrefix(u.Path, path) && !seen[string(one.TargetID)] {
				seen[string(one.TargetID)] = true
				ctx, cancel := chromedp.NewContext(v.ctx, chromedp.WithTargetID(one.TargetID))
				t.Cleanup(cancel)
				at = ctx
				return chromedp.Do(ctx) // the first use of a context is what its session lives by
			}
		}
		have := ""
		for _, one := range list {
			have += fmt.Sprintf(" %s %s", one.Type, one.URL)
		}
		return fmt.Errorf("no %s at %s, only%s", kind, path, have)
	})
	return visit{v.t, at, v.g}
}

// hand clicks an element as a person's hand does, once it is to be seen.
func (v visit) hand(sel string) {
	v.t.Helper()
	Eventually(v.t, 40*time.Second, "there is "+sel, func() error { return v.pressed(sel) })
}

func (v visit) pressed(sel string) error {
	yes := true
	res, err := chromedp.Call(v.ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: fmt.Sprintf(
		`(() => { const e = document.querySelector(%q); if (!e || !e.checkVisibility()) return "not yet"; e.click(); return ""; })()`, sel), UserGesture: &yes})
	if err != nil {
		return err
	}
	if string(res.Result.Value) != `""` {
		return fmt.Errorf("%s: %s", sel, res.Result.Value)
	}
	return nil
}
