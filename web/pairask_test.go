package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const siteState = "0123456789abcdef0123456789abcdef"

func TestAPairingThatTheSiteBeganIsAgreedToByAnAdminAlone(t *testing.T) {
	w := newWorld(t)
	back := "https://www.example.org/wp-admin/options-general.php?page=badgebridge"
	ask := "/admin/connect/wordpress?" + url.Values{"return": {back}, "state": {siteState}}.Encode()
	if a := w.browser().get(ask); a.path != "/login?return="+url.QueryEscape(ask) {
		t.Errorf("signed out it leads to %s", a.path)
	}
	if a := w.signIn(ada).get(ask); a.status != http.StatusForbidden {
		t.Errorf("a member sees it: %d", a.status)
	}
	g := w.signIn(admin)
	page := g.get(ask)
	page.has(t, "www.example.org wants to be connected", "Agree and go back", "error=access_denied", "Everything stays off")
	page.lacks(t, "Make a code")
	if policy := page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https://www.example.org;") {
		t.Errorf("the form can't lead back: %s", policy)
	}
	for name, q := range map[string]url.Values{
		"a script":         {"return": {"javascript:alert(1)"}, "state": {siteState}},
		"a user":           {"return": {"https://www.example.org@evil.example/"}, "state": {siteState}},
		"no secret":        {"return": {back}},
		"a short secret":   {"return": {back}, "state": {"abc"}},
		"a secret of tags": {"return": {back}, "state": {`"><script>alert(1)</script>`}},
	} {
		g.get("/admin/connect/wordpress?"+q.Encode()).has(t, "Make a code")
		if a := g.do(http.MethodPost, "/admin/connect/wordpress/agree", q); a.status != http.StatusBadRequest && a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	form := url.Values{"return": {back}, "state": {siteState}}
	if a := g.do(http.MethodPost, "/admin/connect/wordpress/agree", form, "Sec-Fetch-Site", "cross-site"); a.status != http.StatusForbidden {
		t.Errorf("another site's page agrees: %d", a.status)
	}
	if a := w.signIn(ada).do(http.MethodPost, "/admin/connect/wordpress/agree", form); a.status != http.StatusForbidden {
		t.Errorf("a member agrees: %d", a.status)
	}

	g.c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res := g.do(http.MethodPost, "/admin/connect/wordpress/agree", form)
	to, err := url.Parse(res.header.Get("Location"))
	must(t, err)
	q := to.Query()
	if res.status != http.StatusSeeOther || to.Host != "www.example.org" || q.Get("page") != "badgebridge" || q.Get("state") != siteState || len(q.Get("code")) != 14 {
		t.Fatalf("%d to %s", res.status, to)
	}
	if res.header.Get("Cache-Control") != "no-store" || res.header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("the code's answer may be kept: %v", res.header)
	}
	// The code is one like those that are carried by hand: good once.
	must(t, w.site.Pair(t.Context(), w.server.URL, q.Get("code")))
	if err := w.site.Pair(t.Context(), w.server.URL, q.Get("code")); err == nil {
		t.Error("it was good twice")
	}
	if strings.Contains(w.log.String(), q.Get("code")) {
		t.Error("the code is in the log")
	}
}
