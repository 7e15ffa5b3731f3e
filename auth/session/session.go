// Package session remembers who is signed in at a browser. The truth is in SQL:
// with Redis stopped nobody is signed out. The browser has a random token in a
// cookie; the store has the token's SHA-256 only, so a copy of the database
// signs nobody in.
package session

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"badgebridge/store"
)

// How long a session lasts.
const (
	// Idle ends a session that nobody used.
	Idle = 14 * 24 * time.Hour
	// Absolute ends every session, counted from the sign-in.
	Absolute = 30 * 24 * time.Hour
	// Anonymous is how long a browser that is not signed in is remembered: long
	// enough for a message after a redirect or a code under way.
	Anonymous = time.Hour

	// renewEvery is how stale the time of last use may get: a write a request
	// would be one too many, and each write can cross another one.
	renewEvery = time.Hour

	maxHint    = 8 << 10 // an ID token that is longer is not kept
	maxFlashes = 8
	maxKept    = 4 << 10
)

// The names under which a session keeps things.
const (
	keyPerson   = "person"
	keyProvider = "provider"
	keyHint     = "hint"
	keyRoles    = "roles"
	keySince    = "since"
	keySeen     = "seen"
	keyFlash    = "flash"
	keepPrefix  = "keep."
)

// Sessions reads and writes the session of a request. It is safe for
// concurrent use.
type Sessions struct {
	scs    *scs.SessionManager
	now    func() time.Time
	secure func(ctx context.Context) bool
	fail   func(http.ResponseWriter, *http.Request, error)
}

// Current is what a session knows of who is signed in; PersonID is "" when
// nobody is.
type Current struct {
	PersonID    string
	Provider    string // the provider's name, or "code"
	IDTokenHint string // for the provider's own sign-out
	Roles       []string
	Since       time.Time
}

// Flash is a message for the next page. Key and Args are for the translation.
type Flash struct {
	Kind string         `json:"k"` // "ok", "note", "warn", "error"
	Key  string         `json:"m"`
	Args map[string]any `json:"a,omitempty"`
}

// New makes the sessions over st. With secureCookies the cookie is bound to
// https and to this very host; without (http on loopback) it can't be.
func New(st store.Sessions, secureCookies bool, now func() time.Time) *Sessions {
	m := scs.New()
	m.Store = &sqlStore{st: st, now: now}
	m.Codec = jsonCodec{}
	// Idle time is kept by sqlStore: the one of scs writes on every request.
	m.Lifetime = Absolute
	m.IdleTimeout = 0
	return &Sessions{scs: m, now: now, secure: func(context.Context) bool { return secureCookies }, fail: unavailable}
}

// OnError sets what answers a request whose session can't be read or written,
// which is to say that the store is down. The default is a plain 503. Call it
// before serving.
func (s *Sessions) OnError(f func(http.ResponseWriter, *http.Request, error)) { s.fail = f }

// SecureBy asks at every request whether the cookie is bound to https: the public
// address may become known, or another one, while the program runs. Call it
// before serving.
func (s *Sessions) SecureBy(f func(ctx context.Context) bool) { s.secure = f }

// CookieName is the name of the session's cookie, as it stands now.
func (s *Sessions) CookieName() string { return cookieName(s.secure(context.Background())) }

func cookieName(secure bool) string {
	if secure {
		return "__Host-badgebridge"
	}
	return "badgebridge"
}

// PersonID is who is signed in, "" nobody. A context without a session (a route
// outside Middleware) is nobody's, too.
func (s *Sessions) PersonID(ctx context.Context) string {
	if ctx.Value(loadedKey{}) == nil {
		return ""
	}
	return s.scs.GetString(ctx, keyPerson)
}

// Current is the whole of it.
func (s *Sessions) Current(ctx context.Context) Current {
	if ctx.Value(loadedKey{}) == nil {
		return Current{}
	}
	c := Current{
		PersonID:    s.scs.GetString(ctx, keyPerson),
		Provider:    s.scs.GetString(ctx, keyProvider),
		IDTokenHint: s.scs.GetString(ctx, keyHint),
	}
	_ = json.Unmarshal([]byte(s.scs.GetString(ctx, keyRoles)), &c.Roles)
	c.Since, _ = time.Parse(time.RFC3339, s.scs.GetString(ctx, keySince))
	return c
}

// SignIn makes the person the one who uses this browser. The token changes, so
// that nobody who knew it before can use it.
func (s *Sessions) SignIn(ctx context.Context, personID, provider, idTokenHint string, roles []string) error {
	if personID == "" {
		return fmt.Errorf("sign in: no person")
	}
	before := s.scs.GetString(ctx, keyPerson)
	if err := s.scs.RenewToken(ctx); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	if before != "" && before != personID {
		// What was kept for one person is not for the next.
		if err := s.scs.Clear(ctx); err != nil {
			return fmt.Errorf("sign in: %w", err)
		}
	}
	now := s.now().UTC()
	s.scs.SetDeadline(ctx, now.Add(Absolute))
	if len(idTokenHint) > maxHint {
		idTokenHint = ""
	}
	enc, err := json.Marshal(roles)
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	for k, v := range map[string]string{
		keyPerson: personID, keyProvider: provider, keyHint: idTokenHint, keyRoles: string(enc),
		keySince: now.Format(time.RFC3339), keySeen: now.Format(time.RFC3339),
	} {
		s.scs.Put(ctx, k, v)
	}
	return nil
}

// SignOut ends the session in the store and at the browser. Signing out twice
// is no error.
func (s *Sessions) SignOut(ctx context.Context) error {
	if err := s.scs.Destroy(ctx); err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return nil
}

// Flash leaves a message for the next page that this browser shows.
func (s *Sessions) Flash(ctx context.Context, kind, msgKey string, args map[string]any) {
	list := append(s.flashes(ctx), Flash{Kind: kind, Key: msgKey, Args: args})
	if len(list) > maxFlashes {
		list = list[len(list)-maxFlashes:]
	}
	enc, err := json.Marshal(list)
	if err != nil {
		return // an argument that has no JSON form; the message is not worth a failed request
	}
	s.put(ctx, keyFlash, string(enc))
}

// TakeFlash returns the messages and forgets them.
func (s *Sessions) TakeFlash(ctx context.Context) []Flash {
	list := s.flashes(ctx)
	if list != nil {
		s.scs.Remove(ctx, keyFlash)
	}
	return list
}

func (s *Sessions) flashes(ctx context.Context) []Flash {
	var list []Flash
	_ = json.Unmarshal([]byte(s.scs.GetString(ctx, keyFlash)), &list)
	return list
}

// Keep holds a small text for this browser: the code that is being asked for,
// where to go after. It reports false when the text is too long.
func (s *Sessions) Keep(ctx context.Context, name, value string) bool {
	if len(value) > maxKept {
		return false
	}
	s.put(ctx, keepPrefix+name, value)
	return true
}

// Kept returns what Keep holds, "" nothing.
func (s *Sessions) Kept(ctx context.Context, name string) string {
	return s.scs.GetString(ctx, keepPrefix+name)
}

// Drop forgets what Keep holds.
func (s *Sessions) Drop(ctx context.Context, name string) {
	if s.scs.Exists(ctx, keepPrefix+name) {
		s.scs.Remove(ctx, keepPrefix+name)
	}
}

// put writes one value; a session that is nobody's gets a short life by it.
func (s *Sessions) put(ctx context.Context, key, value string) {
	if s.PersonID(ctx) == "" {
		s.scs.SetDeadline(ctx, s.now().UTC().Add(Anonymous))
	}
	s.scs.Put(ctx, key, value)
}

// touch notes that the session is used, once in a while.
func (s *Sessions) touch(ctx context.Context) {
	if s.PersonID(ctx) == "" {
		return
	}
	now := s.now().UTC()
	seen, err := time.Parse(time.RFC3339, s.scs.GetString(ctx, keySeen))
	if err != nil || now.Sub(seen) >= renewEvery {
		s.scs.Put(ctx, keySeen, now.Format(time.RFC3339))
	}
}
