package login_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"badgebridge/auth/login"
	"badgebridge/auth/session"
	"badgebridge/internal/secret"
	"badgebridge/internal/testenv/chromium"
	"badgebridge/internal/testenv/oidcprovider"
)

// gateway is the smallest site that signs people in by this package.
type gateway struct {
	*world
	login    *login.Login
	sessions *session.Sessions
	base     string
	idp      *oidcprovider.Server
}

// newGateway serves on a free port and registers itself at a real provider,
// which is not started yet.
func newGateway(t *testing.T) *gateway {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{world: newWorld(t)}
	g.base = fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)
	g.idp = oidcprovider.New(t, oidcprovider.Options{
		RedirectURIs: []string{login.RedirectURI(g.base, "campus")}, PostLogoutRedirectURIs: []string{g.base + "/"},
	})
	g.login, err = login.New(login.Config{
		Store: g.st, Keyring: g.ring, Now: time.Now, BaseURL: func(context.Context) string { return g.base },
		Providers: []login.Provider{{
			Name: "campus", Title: "Campus Association", Issuer: g.idp.Issuer, ClientID: g.idp.ClientID, ClientSecret: secret.New(g.idp.ClientSecret),
			Scopes: []string{"profile", "email", "roles"}, RolesClaim: "roles", EmailAuthoritative: true,
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	g.sessions = session.New(g.st, false, time.Now)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", g.home)
	mux.HandleFunc("GET /badges", g.home)
	mux.HandleFunc("GET /login/{provider}", g.begin)
	mux.HandleFunc("GET /login/callback/{provider}", g.callback)
	mux.HandleFunc("POST /logout", g.logout)
	srv := httptest.NewUnstartedServer(http.NewCrossOriginProtection().Handler(g.sessions.Middleware(mux)))
	srv.Listener.Close()
	srv.Listener = l
	srv.Start()
	t.Cleanup(srv.Close)
	return g
}

func (g *gateway) page(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Gateway</title>%s`, body)
}

func (g *gateway) home(w http.ResponseWriter, r *http.Request) {
	now := g.sessions.Current(r.Context())
	if now.PersonID == "" {
		var b strings.Builder
		for _, c := range g.login.Choices(r.Context()) {
			fmt.Fprintf(&b, `<a id="%s" href="/login/%s?to=/badges">%s</a>`, c.Name, c.Name, html.EscapeString(c.Title))
			if c.Down {
				b.WriteString(`<p id="down">can't be reached</p>`)
			}
		}
		g.page(w, `<h1>Nobody</h1>`+b.String())
		return
	}
	p, err := g.st.Person(r.Context(), now.PersonID)
	if err != nil {
		g.page(w, `<h1>Lost</h1>`)
		return
	}
	g.page(w, fmt.Sprintf(`<h1>%s</h1><p id="roles">%s</p><p id="path">%s</p><form method="post" action="/logout"><button id="out">Sign out</button></form>`,
		html.EscapeString(p.Name()), html.EscapeString(strings.Join(now.Roles, " ")), r.URL.Path))
}

func (g *gateway) begin(w http.ResponseWriter, r *http.Request) {
	to, cookie, err := g.login.Begin(r.Context(), r.PathValue("provider"), r.URL.Query().Get("to"))
	if err != nil {
		g.problem(w, err)
		return
	}
	http.SetCookie(w, cookie)
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (g *gateway) callback(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, g.login.ForgetCookie(r.Context(), r.URL.Query()))
	res, err := g.login.Finish(r.Context(), r.PathValue("provider"), r.URL.Query(), r.Cookies())
	if err == nil {
		err = g.sessions.SignIn(r.Context(), res.PersonID, res.Provider, res.IDToken, res.Roles)
	}
	if err != nil {
		g.problem(w, err)
		return
	}
	http.Redirect(w, r, res.ReturnTo, http.StatusSeeOther)
}

func (g *gateway) logout(w http.ResponseWriter, r *http.Request) {
	was := g.sessions.Current(r.Context())
	if err := g.sessions.SignOut(r.Context()); err != nil {
		g.problem(w, err)
		return
	}
	to := g.login.LogoutURL(r.Context(), was.Provider, was.IDTokenHint)
	if to == "" {
		to = "/"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (g *gateway) problem(w http.ResponseWriter, err error) {
	word := "other: " + err.Error()
	for name, kind := range map[string]error{
		"down": login.ErrProviderDown, "denied": login.ErrDenied, "state": login.ErrUnknownState, "token": login.ErrToken,
	} {
		if errors.Is(err, kind) {
			word = name
		}
	}
	g.page(w, `<h1>Problem</h1><p id="problem">`+html.EscapeString(word)+`</p>`)
}

// browse runs the steps and says which one failed, and where the browser was.
func browse(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	for i, step := range steps {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		err := chromedp.Do(ctx, step)
		cancel()
		if err != nil {
			t.Fatalf("step %d at %s: %v", i+1, where(ctx), err)
		}
	}
}

func where(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	at, _ := chromedp.Run(ctx, chromedp.Location())
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
	return fmt.Sprintf("%s (%q)", at, text)
}

// says checks the text of an element.
func says(t *testing.T, ctx context.Context, sel, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	got, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(sel)))
	if err != nil || got != want {
		t.Fatalf("%s says %q, want %q (%v) at %s", sel, got, want, err, where(ctx))
	}
}

func click(sel string) chromedp.Action[chromedp.Void] { return chromedp.Click(chromedp.CSS(sel)) }
func see(sel string) chromedp.Action[chromedp.Void]   { return chromedp.WaitVisible(chromedp.CSS(sel)) }
func write(sel, text string) chromedp.Action[chromedp.Void] {
	return chromedp.SendKeys(chromedp.CSS(sel), text)
}

func TestARealProviderARealBrowser(t *testing.T) {
	g := newGateway(t)
	ctx := chromium.Start(t)

	// The provider is down when the gateway starts, which says so and goes on.
	browse(t, ctx, chromedp.Navigate(g.base+"/"), see("#down"), click("#campus"), see("#problem"))
	says(t, ctx, "#problem", "down")

	// It comes up: the next page view after the wait finds it.
	g.idp.Start(t)
	deadline := time.Now().Add(time.Minute)
	for g.login.Choices(t.Context())[0].Down {
		if time.Now().After(deadline) {
			t.Fatalf("the provider is not found again:\n%s", g.idp.Output())
		}
		time.Sleep(50 * time.Millisecond) // a poll for another process
	}
	chromium.Problems(ctx)
	browse(t, ctx, chromedp.Navigate(g.base+"/"), click("#campus"),
		see("#sign-in"), write("#account", "ada"), write("#password", "ada-demo"), click("#sign-in"),
		see("#agree"), click("#agree"), see("#out"))
	says(t, ctx, "h1", "Ada Demo")
	says(t, ctx, "#roles", "administrator member")
	says(t, ctx, "#path", "/badges")
	chromium.Screenshot(t, ctx, "login-signed-in")
	person := g.owner(t, "ada@example.org")
	if person == "" {
		t.Error("the verified address was not attached")
	}

	// Signing out ends the session at the provider, too: it asks for the
	// password again.
	browse(t, ctx, click("#out"), see("#sign-out"), click("#sign-out"), see("#campus"))
	says(t, ctx, "h1", "Nobody")
	browse(t, ctx, click("#campus"), see("#account"))

	// Somebody else at the same browser, and a no.
	browse(t, ctx, click("#refuse"), see("#problem"))
	says(t, ctx, "#problem", "denied")
	browse(t, ctx, chromedp.Navigate(g.base+"/"), click("#campus"),
		see("#sign-in"), write("#account", "ben"), write("#password", "ben-demo"), click("#sign-in"),
		see("#agree"), click("#agree"), see("#out"))
	says(t, ctx, "h1", "Ben Demo")
	if g.owner(t, "ben@example.org") != "" {
		t.Error("an address that nobody verified was attached")
	}

	// The provider is restarted, with other keys, between two sign-ins.
	browse(t, ctx, click("#out"), see("#sign-out"), click("#sign-out"), see("#campus"))
	g.idp.Stop()
	g.idp.Start(t)
	browse(t, ctx, click("#campus"),
		see("#sign-in"), write("#account", "ada"), write("#password", "ada-demo"), click("#sign-in"),
		see("#agree"), click("#agree"), see("#out"))
	if g.people(t) != 2 || g.owner(t, "ada@example.org") != person {
		t.Errorf("%d people", g.people(t))
	}
	if said := chromium.Problems(ctx); len(said) != 0 {
		t.Errorf("the browser complains: %q", said)
	}
}
