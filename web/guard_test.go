package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"badgebridge/web"
)

func TestARequestThatAnotherSiteSentIsRefused(t *testing.T) {
	w := newWorld(t)
	w.connect()
	b := w.signIn(ada)
	a := w.awardOf(ada, "Mentor")
	for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}} {
		h := []string{header[0], header[1]}
		if header[0] == "Origin" {
			h = append(h, "Sec-Fetch-Site", "")
		}
		got := b.do(http.MethodPost, "/badges/"+a.ID+"/claim", url.Values{}, h...)
		if got.status != http.StatusForbidden {
			t.Errorf("%v: %d", header, got.status)
		}
		got.has(t, "came from another site")
	}
	if again := w.awardOf(ada, "Mentor"); again.Claim != "offered" {
		t.Error("it was claimed all the same")
	}
}

func TestEveryPageCarriesTheSecurityHeaders(t *testing.T) {
	w := newWorld(t)
	g := w.connect()
	for _, path := range []string{"/", "/me", "/verify", "/admin", "/nothing-here", "/login/code", "/api/v1/openapi.yaml", "/b/x"} {
		got := g.get(path)
		csp := got.header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "style-src 'self'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: CSP %q lacks %q", path, csp, part)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: CSP %q", path, csp)
		}
		for k, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "strict-origin-when-cross-origin"} {
			if got.header.Get(k) != want {
				t.Errorf("%s: %s is %q", path, k, got.header.Get(k))
			}
		}
		if got.header.Get("X-Request-Id") == "" {
			t.Errorf("%s: no request id", path)
		}
		if strings.HasPrefix(got.header.Get("Content-Type"), "text/html") && !strings.Contains(got.header.Get("Cache-Control"), "no-store") {
			t.Errorf("%s may be cached: %q", path, got.header.Get("Cache-Control"))
		}
	}
}

func TestAdminPagesRefuseMembersAndStrangers(t *testing.T) {
	w := newWorld(t)
	g := w.connect()
	m := mapMentor(t, w)
	pages := []string{
		"/admin", "/admin/remotes", "/admin/remotes/credly", "/admin/connect/wordpress", "/admin/connect/credly", "/admin/badges",
		"/admin/mappings", "/admin/mappings/new", "/admin/mappings/" + m, "/admin/runs", "/admin/pushes", "/admin/people",
	}
	member, stranger := w.signIn(ada), w.browser()
	for _, path := range pages {
		if got := g.get(path); got.status != http.StatusOK {
			t.Errorf("the admin gets %d for %s", got.status, path)
		}
		if got := member.get(path); got.status != http.StatusForbidden {
			t.Errorf("a member gets %d for %s", got.status, path)
		}
		if got := stranger.get(path); !strings.HasPrefix(got.path, "/login?return=") {
			t.Errorf("a stranger comes to %s from %s", got.path, path)
		}
	}
	for _, path := range []string{
		"/admin/connect/wordpress", "/admin/connect/credly", "/admin/remotes/credly/pause", "/admin/remotes/credly/remove", "/admin/mappings",
		"/admin/mappings/preview", "/admin/mappings/" + m + "/delete",
	} {
		if got := member.post(path, "sure", "yes"); got.status != http.StatusForbidden {
			t.Errorf("a member posts to %s: %d", path, got.status)
		}
		if got := stranger.post(path, "sure", "yes"); got.status != http.StatusUnauthorized {
			t.Errorf("a stranger posts to %s: %d", path, got.status)
		}
	}
	if r, err := w.db.Remote(t.Context(), "credly"); err != nil || r.State != "active" {
		t.Errorf("%v %v", r.State, err)
	}
}

func TestAMemberActsOnlyOnTheirOwnBadges(t *testing.T) {
	w := newWorld(t)
	w.connect()
	a := w.awardOf(ada, "Mentor")
	other := w.signIn(bo)
	for _, path := range []string{"/claim", "/decline", "/visibility", "/name"} {
		if got := other.post("/badges/"+a.ID+path, "visibility", "public", "given", "B", "family", ""); got.status != http.StatusNotFound && got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if got := other.get("/badges/" + a.ID); got.status != http.StatusNotFound {
		t.Errorf("the page: %d", got.status)
	}
	if again := w.awardOf(ada, "Mentor"); again.Claim != "offered" || again.Visibility != "private" {
		t.Errorf("%+v", again)
	}
}

func TestAReturnAddressNeverLeadsElsewhere(t *testing.T) {
	for _, to := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "/%2f%2fevil.example/../..//evil.example", "javascript:alert(1)", "/ok\r\nSet-Cookie: x=y"} {
		w := newWorld(t)
		b := w.browser()
		b.post("/login/email", "email", ada, "return", to)
		b.c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		got := b.post("/login/code", "code", w.code(ada))
		loc := got.header.Get("Location")
		u, err := url.Parse(loc)
		if got.status != http.StatusSeeOther || err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(loc, "/") || strings.HasPrefix(loc, "//") || strings.HasPrefix(loc, `/\`) {
			t.Errorf("return to %q goes to %q (%d)", to, loc, got.status)
		}
		signedIn := b.do(http.MethodGet, "/login?return="+url.QueryEscape(to), nil)
		if loc := signedIn.header.Get("Location"); strings.Contains(loc, "//evil") || strings.HasPrefix(loc, "http") || strings.HasPrefix(loc, "java") {
			t.Errorf("the page goes to %q", loc)
		}
	}
}

func TestTheLogHoldsNoSecrets(t *testing.T) {
	w := newWorld(t)
	g := w.connect()
	b := w.signIn(ada)
	code := w.code(ada)
	b.get("/verify?input=https://example.org/secret-badge&recipient=" + ada)
	_ = g
	site, err := w.db.Remote(t.Context(), w.siteName())
	must(t, err)
	log := w.log.String()
	if !strings.Contains(log, "msg=request") || !strings.Contains(log, "route=/verify") {
		t.Fatal("no access log")
	}
	for _, secret := range []string{code, "secret-badge", ada, "DemoToken", string(site.Config)} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func TestAPanicGivesTheErrorPageAndNothingOfItself(t *testing.T) {
	w := newWorld(t, func(c *web.Config) {
		c.Readiness = nil
		c.Go = func(func(context.Context)) { panic("a secret reason") }
	})
	g := w.connect()
	got := g.post("/admin/remotes/credly/list")
	if got.status != http.StatusInternalServerError {
		t.Fatalf("%d", got.status)
	}
	got.has(t, "Something broke")
	got.lacks(t, "a secret reason", "goroutine")
	if !strings.Contains(w.log.String(), "a secret reason") {
		t.Error("the log does not say why")
	}
}

func TestWhatIsTooLargeIsRefused(t *testing.T) {
	w := newWorld(t)
	big := strings.Repeat("x", 2<<20)
	b := w.browser()
	if got := b.do(http.MethodPost, "/api/v1/pair", url.Values{"a": {big}}); got.status != http.StatusRequestEntityTooLarge && got.status != http.StatusBadRequest {
		t.Errorf("pair: %d", got.status)
	}
	if got := b.do(http.MethodPost, "/webhooks/x/y", url.Values{"a": {big}}); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("webhook: %d", got.status)
	}
}

func TestAnUnknownPageIsAnErrorPageForPeopleAndJSONForPrograms(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	got := b.get("/nothing")
	if got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
	got.has(t, "There is nothing here", "<!doctype html>")
	got = b.get("/api/v1/nothing")
	if got.status != http.StatusNotFound || got.json(t)["code"] != "not-found" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := b.do(http.MethodDelete, "/verify", nil); got.status != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %d", got.status)
	}
}

func TestAnAddressInAPageIsNeverCode(t *testing.T) {
	w := newWorld(t)
	got := w.browser().get("/verify?input=" + url.QueryEscape(`"><script>alert(1)</script>`))
	got.lacks(t, "<script>alert")
}
