package login_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"badgebridge/auth/login"
	"badgebridge/internal/secret"
)

func TestTheLoginCookieIsForThisBrowserAndScriptFree(t *testing.T) {
	d := newDouble(t, "double")
	w := newWorld(t, d.provider())
	ask, c := w.begin(t, "double", "/")
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 600 || c.Secure {
		t.Errorf("%+v", c)
	}
	if c.Name != w.CookieName(t.Context(), ask) || w.ForgetCookie(t.Context(), ask).Name != c.Name || w.ForgetCookie(t.Context(), ask).MaxAge >= 0 {
		t.Error("the cookie's name can't be found again")
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(ask.Get(name)) < 40 {
			t.Errorf("%s is %q", name, ask.Get(name))
		}
	}
	if ask.Get("code_verifier") != "" || ask.Get("response_type") != "code" || ask.Get("scope") != "openid profile email" {
		t.Errorf("%v", ask)
	}
	if strings.Contains(ask.Encode(), c.Value) {
		t.Error("the address shows the cookie")
	}
}

func TestOverHTTPSTheCookieIsTheHostsOwn(t *testing.T) {
	d := newDouble(t, "double")
	w := newWorld(t)
	l, err := login.New(login.Config{
		Providers: []login.Provider{d.provider()}, Store: w.st, Keyring: w.ring, Now: w.clock.now,
		BaseURL: func(context.Context) string { return "https://badges.example.org" },
	})
	if err != nil {
		t.Fatal(err)
	}
	redirect, c, err := l.Begin(t.Context(), "double", "/")
	if err != nil || !c.Secure || !strings.HasPrefix(c.Name, "__Host-") || c.Domain != "" || c.Path != "/" {
		t.Fatalf("%+v, %v", c, err)
	}
	if u, _ := url.Parse(redirect); u.Query().Get("redirect_uri") != "https://badges.example.org/login/callback/double" {
		t.Errorf("%s", redirect)
	}
}

func TestTwoTabsSignInSideBySide(t *testing.T) {
	d := newDouble(t, "double")
	w := newWorld(t, d.provider())
	ask1, c1 := w.begin(t, "double", "/one")
	ask2, c2 := w.begin(t, "double", "/two")
	jar := []*http.Cookie{c1, c2}
	r2, err2 := w.Finish(t.Context(), "double", d.authorize(ask2), jar)
	r1, err1 := w.Finish(t.Context(), "double", d.authorize(ask1), jar)
	if err1 != nil || err2 != nil || r1.ReturnTo != "/one" || r2.ReturnTo != "/two" {
		t.Errorf("%v %v %q %q", err1, err2, r1.ReturnTo, r2.ReturnTo)
	}
}

func TestTheBrowserIsSentToLocalPathsOnly(t *testing.T) {
	for in, want := range map[string]string{
		"":                              "/",
		"/":                             "/",
		"/badges":                       "/badges",
		"/badges?page=2#top":            "/badges?page=2#top",
		"/b/x%2Fy":                      "/b/x%2Fy",
		"badges":                        "/",
		"//evil.example.org":            "/",
		"///evil.example.org":           "/",
		"/\\evil.example.org":           "/",
		"\\\\evil.example.org":          "/",
		"/\t/evil.example.org":          "/",
		"/\n/evil.example.org":          "/",
		" //evil.example.org":           "/",
		"https://evil.example.org":      "/",
		"javascript:alert(1)":           "/",
		"/badges\r\nSet-Cookie: x=y":    "/",
		"/login":                        "/",
		"/login/callback/double?x=1":    "/",
		"/logout":                       "/",
		"/" + strings.Repeat("a", 3000): "/",
	} {
		if got := login.SafeReturn(in); got != want {
			t.Errorf("%.40q leads to %q, want %q", in, got, want)
		}
	}
}

func FuzzSafeReturn(f *testing.F) {
	for _, s := range []string{"/", "//x", "/\\x", "/%5cx", "/a?b=//c", "/..//x", "/.//x", "/!" + strings.Repeat("\xe7", 700)} {
		f.Add(s)
	}
	base, _ := url.Parse("https://badges.example.org/login")
	f.Fuzz(func(t *testing.T, s string) {
		got := login.SafeReturn(s)
		u, err := base.Parse(got)
		if err != nil || u.Host != base.Host || u.Scheme != base.Scheme || !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") {
			t.Errorf("%q leads to %q", s, got)
		}
		if login.SafeReturn(got) != got {
			t.Errorf("%q does not stay", got)
		}
	})
}

func TestAnAbsentProviderStopsNothingAndIsFoundWhenItIsBack(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	w := newWorld(t, login.Provider{Name: "away", Title: "Away", Issuer: "http://" + addr, ClientID: "x"})
	if _, _, err := w.Begin(t.Context(), "away", "/"); !errors.Is(err, login.ErrProviderDown) {
		t.Fatalf("%v", err)
	}
	if c := w.Choices(t.Context()); len(c) != 1 || !c[0].Down || c[0].Title != "Away" {
		t.Fatalf("%+v", c)
	}

	d := newDouble(t, "away")
	l, err = net.Listen("tcp", addr)
	if err != nil {
		t.Fatalf("the port was taken by another program: %v", err)
	}
	back := httptest.NewUnstartedServer(d.srv.Config.Handler)
	back.Listener.Close()
	back.Listener = l
	d.meta = map[string]any{"issuer": "http://" + addr}
	back.Start()
	defer back.Close()

	// Not asked again before the wait is over: a page view is no hammer.
	if c := w.Choices(t.Context()); !c[0].Down {
		t.Error("it was asked again at once")
	}
	w.clock.pass(2 * time.Second)
	if c := w.Choices(t.Context()); c[0].Down {
		t.Error("it is still called down")
	}
	if _, _, err := w.Begin(t.Context(), "away", "/"); err != nil {
		t.Errorf("%v", err)
	}
}

func TestAProviderThatWentAwayIsSaidToBeDown(t *testing.T) {
	d := newDouble(t, "double")
	w := newWorld(t, d.provider())
	w.begin(t, "double", "/")
	d.srv.Close()
	w.clock.pass(10 * time.Minute)
	if c := w.Choices(t.Context()); !c[0].Down {
		t.Error("it is called up")
	}
	if _, _, err := w.Begin(t.Context(), "double", "/"); !errors.Is(err, login.ErrProviderDown) {
		t.Errorf("%v", err)
	}
}

func TestAProviderThatSaysItIsAnotherIsNotUsed(t *testing.T) {
	d := newDouble(t, "double")
	d.meta = map[string]any{"issuer": "https://evil.example.org"}
	w := newWorld(t, d.provider())
	if _, _, err := w.Begin(t.Context(), "double", "/"); !errors.Is(err, login.ErrProviderDown) {
		t.Errorf("%v", err)
	}
	d.meta = map[string]any{"token_endpoint": "http://evil.example.org/token"}
	w.clock.pass(time.Hour)
	if _, _, err := w.Begin(t.Context(), "double", "/"); !errors.Is(err, login.ErrProviderDown) {
		t.Errorf("a token endpoint in clear: %v", err)
	}
}

func TestAProviderMayHaveItsTokensAtAnotherHost(t *testing.T) {
	d := newDouble(t, "double")
	elsewhere := httptest.NewServer(d.srv.Config.Handler)
	defer elsewhere.Close()
	d.meta = map[string]any{"token_endpoint": elsewhere.URL + "/token", "userinfo_endpoint": elsewhere.URL + "/userinfo"}
	d.claims = nil
	d.userInfo = map[string]any{"sub": d.subject, "email": ada, "email_verified": true}
	w := newWorld(t, d.provider())
	if res, err := w.signIn(t, d, "/"); err != nil || res.Email != ada {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestSigningOutGoesToTheProvidersPage(t *testing.T) {
	d := newDouble(t, "double")
	w := newWorld(t, d.provider())
	u, err := url.Parse(w.LogoutURL(t.Context(), "double", "the-token"))
	if err != nil || !strings.HasPrefix(u.String(), d.srv.URL+"/end?") {
		t.Fatalf("%v, %v", u, err)
	}
	q := u.Query()
	if q.Get("id_token_hint") != "the-token" || q.Get("post_logout_redirect_uri") != base+"/" || q.Get("x") != "1" || q.Get("client_id") != clientID {
		t.Errorf("%v", q)
	}
	for _, name := range []string{"code", "unknown", ""} {
		if got := w.LogoutURL(t.Context(), name, ""); got != "" {
			t.Errorf("%q leads to %q", name, got)
		}
	}
}

func TestWithoutBaseURLNobodySignsInAtAProvider(t *testing.T) {
	d := newDouble(t, "double")
	w := newWorld(t)
	l, err := login.New(login.Config{
		Providers: []login.Provider{d.provider()}, Store: w.st, Keyring: w.ring, Now: w.clock.now,
		BaseURL: func(context.Context) string { return "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Begin(t.Context(), "double", "/"); !errors.Is(err, login.ErrNotReady) {
		t.Errorf("%v", err)
	}
}

func TestAProviderThatCannotWorkIsRefusedAtOnce(t *testing.T) {
	good := login.Provider{Name: "good", Issuer: "https://id.example.org", ClientID: "x", ClientSecret: secret.New("s")}
	for name, f := range map[string]func(p *login.Provider){
		"a name with a blank": func(p *login.Provider) { p.Name = "a b" },
		"the codes' name":     func(p *login.Provider) { p.Name = login.CodeProvider },
		"no name":             func(p *login.Provider) { p.Name = "" },
		"http":                func(p *login.Provider) { p.Issuer = "http://id.example.org" },
		"a query":             func(p *login.Provider) { p.Issuer = "https://id.example.org?x" },
		"no address":          func(p *login.Provider) { p.Issuer = "id.example.org" },
		"no client":           func(p *login.Provider) { p.ClientID = "" },
	} {
		w := newWorld(t)
		p := good
		f(&p)
		if err := w.SetProviders([]login.Provider{p}); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if err := w.SetProviders([]login.Provider{good, good}); err == nil {
			t.Error("one name twice: accepted")
		}
		if err := w.SetProviders([]login.Provider{good}); err != nil {
			t.Error(err)
		}
	}
	w := newWorld(t)
	if _, _, err := w.Begin(t.Context(), "nobody", "/"); !errors.Is(err, login.ErrUnknownProvider) {
		t.Errorf("%v", err)
	}
}
