package session_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"badgebridge/auth/session"
	"badgebridge/internal/testenv/database"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
)

// site is a server with a few handlers over a Sessions, and a browser.
type site struct {
	*session.Sessions
	db  *sqlstore.DB
	srv http.Handler

	mu     sync.Mutex
	t      time.Time
	cookie string // the browser's
	do     func(ctx context.Context) error
}

func (s *site) now() time.Time       { s.mu.Lock(); defer s.mu.Unlock(); return s.t }
func (s *site) pass(d time.Duration) { s.mu.Lock(); defer s.mu.Unlock(); s.t = s.t.Add(d) }
func hashed(token string) string     { h := sha256.Sum256([]byte(token)); return hex.EncodeToString(h[:]) }
func signIn(p string, s *site) func(context.Context) error {
	return func(ctx context.Context) error { return s.SignIn(ctx, p, "double", "hint-"+p, []string{"member"}) }
}

func newSite(t *testing.T, secure bool) *site {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), database.SQLite(t), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	// A clock far from the machine's: nothing may look at that one.
	s := &site{db: db, t: time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)}
	s.Sessions = session.New(db, secure, s.now)
	s.srv = s.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.do != nil {
			if err := s.do(r.Context()); err != nil {
				t.Error(err)
			}
		}
		fmt.Fprintf(w, "person=%s", s.PersonID(r.Context()))
	}))
	return s
}

// visit makes one request of the browser, in which do runs.
func (s *site) visit(t *testing.T, do func(ctx context.Context) error) (*http.Response, string) {
	t.Helper()
	s.do = do
	r := httptest.NewRequest("GET", "/", nil)
	if s.cookie != "" {
		r.AddCookie(&http.Cookie{Name: s.CookieName(), Value: s.cookie})
	}
	w := httptest.NewRecorder()
	s.srv.ServeHTTP(w, r)
	resp := w.Result()
	for _, c := range resp.Cookies() {
		if c.Name == s.CookieName() {
			if s.cookie = c.Value; c.MaxAge < 0 {
				s.cookie = ""
			}
		}
	}
	return resp, w.Body.String()
}

func (s *site) who(t *testing.T) string {
	t.Helper()
	_, body := s.visit(t, nil)
	return strings.TrimPrefix(body, "person=")
}

func TestASignedInPersonIsRemembered(t *testing.T) {
	s := newSite(t, false)
	if s.who(t) != "" {
		t.Error("somebody is there")
	}
	s.visit(t, signIn("p1", s))
	if s.who(t) != "p1" {
		t.Error("forgotten")
	}
	s.visit(t, func(ctx context.Context) error {
		c := s.Current(ctx)
		if c.PersonID != "p1" || c.Provider != "double" || c.IDTokenHint != "hint-p1" || !slices.Equal(c.Roles, []string{"member"}) || !c.Since.Equal(s.now()) {
			t.Errorf("%+v", c)
		}
		return nil
	})
	// Another process over the same store.
	other := session.New(s.db, false, s.now)
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(&http.Cookie{Name: s.CookieName(), Value: s.cookie})
	other.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if other.PersonID(r.Context()) != "p1" {
			t.Error("a restart forgets who is signed in")
		}
	})).ServeHTTP(httptest.NewRecorder(), r)
}

func TestTheCookieIsOnlyForThisHostAndNotForScripts(t *testing.T) {
	for _, secure := range []bool{true, false} {
		s := newSite(t, secure)
		resp, _ := s.visit(t, signIn("p1", s))
		cookies := resp.Cookies()
		if len(cookies) != 1 {
			t.Fatalf("%d cookies", len(cookies))
		}
		c := cookies[0]
		if !c.HttpOnly || c.Secure != secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" ||
			strings.HasPrefix(c.Name, "__Host-") != secure || len(c.Value) < 40 || c.MaxAge != int(session.Idle.Seconds())+1 && c.MaxAge != int(session.Absolute.Seconds())+1 {
			t.Errorf("%+v", c)
		}
		if resp.Header.Get("Cache-Control") != "private, no-store" {
			t.Errorf("Cache-Control: %q", resp.Header.Get("Cache-Control"))
		}
	}
}

func TestTheStoreKnowsOnlyTheTokensHash(t *testing.T) {
	s := newSite(t, false)
	s.visit(t, signIn("p1", s))
	data, err := s.db.Session(t.Context(), hashed(s.cookie), s.now())
	if err != nil || bytes.Contains(data, []byte(s.cookie)) {
		t.Errorf("%s, %v", data, err)
	}
	if _, err := s.db.Session(t.Context(), s.cookie, s.now()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the token itself is a key: %v", err)
	}
}

func TestSigningInChangesTheToken(t *testing.T) {
	s := newSite(t, false)
	s.visit(t, func(ctx context.Context) error { s.Keep(ctx, "code", "c1"); return nil })
	planted := s.cookie
	if planted == "" {
		t.Fatal("no session to begin with")
	}
	s.visit(t, func(ctx context.Context) error {
		if s.Kept(ctx, "code") != "c1" {
			t.Error("what was kept is gone")
		}
		return s.SignIn(ctx, "p1", "code", "", nil)
	})
	if s.cookie == planted {
		t.Fatal("the token stayed")
	}
	if s.who(t) != "p1" {
		t.Error("not signed in")
	}
	s.cookie = planted
	if s.who(t) != "" {
		t.Error("the earlier token is signed in")
	}
}

func TestAnotherPersonFindsNothingOfTheOneBefore(t *testing.T) {
	s := newSite(t, false)
	s.visit(t, signIn("p1", s))
	s.visit(t, func(ctx context.Context) error { s.Keep(ctx, "code", "c1"); return nil })
	s.visit(t, signIn("p2", s))
	s.visit(t, func(ctx context.Context) error {
		if s.Kept(ctx, "code") != "" || s.Current(ctx).IDTokenHint != "hint-p2" {
			t.Errorf("%q %+v", s.Kept(ctx, "code"), s.Current(ctx))
		}
		return nil
	})
}

func TestSigningOutEndsTheSession(t *testing.T) {
	s := newSite(t, false)
	s.visit(t, signIn("p1", s))
	token := s.cookie
	s.visit(t, s.SignOut)
	if s.cookie != "" {
		t.Error("the cookie stays")
	}
	s.cookie = token
	if s.who(t) != "" {
		t.Error("the token is still good")
	}
	s.visit(t, s.SignOut) // again, without a session
}

func TestASlowRequestDoesNotBringASignedOutSessionBack(t *testing.T) {
	s := newSite(t, false)
	s.visit(t, signIn("p1", s))
	token := s.cookie
	s.visit(t, func(ctx context.Context) error {
		// While this request runs, its owner signs out in another tab.
		if err := s.db.DeleteSession(context.Background(), hashed(token)); err != nil {
			return err
		}
		s.Flash(ctx, "ok", "saved", nil)
		return nil
	})
	s.cookie = token
	if s.who(t) != "" {
		t.Error("signed in again")
	}
}

func TestASessionEndsWhenItIsIdleOrOld(t *testing.T) {
	s := newSite(t, false)
	s.visit(t, signIn("p1", s))
	s.pass(session.Idle - time.Minute)
	if s.who(t) != "p1" {
		t.Fatal("ended before it was idle for long enough")
	}
	s.pass(session.Idle - time.Minute) // the visit before counts
	if s.who(t) != "p1" {
		t.Fatal("a visit did not count")
	}
	s.pass(session.Absolute - 2*session.Idle + 3*time.Minute)
	if s.who(t) != "" {
		t.Error("it lasts for ever")
	}

	s.visit(t, signIn("p1", s))
	s.pass(session.Idle + time.Minute)
	if s.who(t) != "" {
		t.Error("it does not end when idle")
	}
}

func TestAVisitWritesNothingMostOfTheTime(t *testing.T) {
	s := newSite(t, false)
	if resp, _ := s.visit(t, nil); len(resp.Cookies()) != 0 {
		t.Error("a stranger gets a cookie")
	}
	s.visit(t, signIn("p1", s))
	s.pass(10 * time.Minute)
	if resp, _ := s.visit(t, nil); len(resp.Cookies()) != 0 {
		t.Error("a visit writes the session")
	}
	s.pass(time.Hour)
	if resp, _ := s.visit(t, nil); len(resp.Cookies()) != 1 {
		t.Error("the use was never noted")
	}
}

func TestAMessageIsShownOnce(t *testing.T) {
	s := newSite(t, false)
	s.visit(t, func(ctx context.Context) error {
		s.Flash(ctx, "ok", "claimed", map[string]any{"Badge": "Welding"})
		s.Flash(ctx, "warn", "mail", nil)
		return nil
	})
	s.visit(t, func(ctx context.Context) error {
		got := s.TakeFlash(ctx)
		if len(got) != 2 || got[0].Kind != "ok" || got[0].Key != "claimed" || got[0].Args["Badge"] != "Welding" {
			t.Errorf("%+v", got)
		}
		return nil
	})
	s.visit(t, func(ctx context.Context) error {
		if got := s.TakeFlash(ctx); len(got) != 0 {
			t.Errorf("again: %+v", got)
		}
		return nil
	})
}

func TestAStrangersSessionIsShort(t *testing.T) {
	s := newSite(t, false)
	s.visit(t, func(ctx context.Context) error { s.Flash(ctx, "ok", "hello", nil); return nil })
	s.pass(session.Anonymous + time.Minute)
	s.visit(t, func(ctx context.Context) error {
		if len(s.TakeFlash(ctx)) != 0 {
			t.Error("it lasts")
		}
		return nil
	})
}

func TestABrokenSessionIsNobodys(t *testing.T) {
	s := newSite(t, false)
	for _, data := range []string{"", "not json", `{"values":{"person":7}}`, "\x00"} {
		s.cookie = "some-token"
		if err := s.db.PutSession(t.Context(), hashed(s.cookie), "", []byte(data), s.now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := s.who(t); got != "" {
			t.Errorf("%q is %s", data, got)
		}
	}
	s.cookie = strings.Repeat("x", 5000)
	if s.who(t) != "" {
		t.Error("an absurd cookie is somebody")
	}
}

func TestWithoutTheStoreTheAnswerIsThatItIsDown(t *testing.T) {
	s := newSite(t, false)
	s.visit(t, signIn("p1", s))
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	resp, body := s.visit(t, nil)
	if resp.StatusCode != http.StatusServiceUnavailable || strings.Contains(body, "person=") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func TestAnAnswerWhoseSessionCannotBeSavedIsNotSent(t *testing.T) {
	s := newSite(t, false)
	resp, body := s.visit(t, func(ctx context.Context) error {
		err := s.SignIn(ctx, "p1", "code", "", nil)
		_ = s.db.Close()
		return err
	})
	if resp.StatusCode != http.StatusServiceUnavailable || strings.Contains(body, "person=") || s.cookie != "" {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func TestHandlersCanStream(t *testing.T) {
	s := newSite(t, false)
	w := httptest.NewRecorder()
	s.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := w.(http.Flusher); !ok {
			t.Error("no http.Flusher")
		}
		s.Flash(r.Context(), "ok", "x", nil)
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if !w.Flushed || len(w.Result().Cookies()) != 1 {
		t.Error("flushed without the session")
	}
}

func TestOutsideTheMiddlewareNobodyIsSignedIn(t *testing.T) {
	s := newSite(t, false)
	if s.PersonID(t.Context()) != "" || s.Current(t.Context()).PersonID != "" {
		t.Error("somebody is")
	}
}
