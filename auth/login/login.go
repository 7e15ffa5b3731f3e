// Package login finds out who is at the browser: by OpenID Connect at a provider
// that the operator named, or by a code sent to an e-mail address. It decides
// which person that is and changes the store accordingly; who is signed in is
// then the business of the package session.
//
// The rules that it keeps:
//   - A sign-in is (issuer, subject) and belongs to one person for ever.
//   - An e-mail address is attached by a code, or from a provider that is
//     authoritative for it and says that it is verified. Nothing else proves one.
//   - Claims never merge accounts. Where an address that a provider names
//     belongs to an account with another way in, a code decides.
package login

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"time"

	"badgebridge/internal/secret"
	"badgebridge/store"
)

// CodeProvider is the Result.Provider of a sign-in by e-mail code. No OpenID
// provider may have this name.
const CodeProvider = "code"

// Provider is an OpenID provider that the operator named.
type Provider struct {
	// Name is in the redirect URI {base}/login/callback/{name} and in the roles'
	// configuration: lower-case letters, digits and hyphens, at most 40.
	Name  string
	Title string // for people: "Campus Association"
	// Issuer is compared exactly with what the provider says. https, or http on
	// loopback.
	Issuer       string
	ClientID     string
	ClientSecret secret.String // none: a public client, with PKCE alone
	Scopes       []string      // beside "openid"; nil means profile and email
	// RolesClaim names the claim that carries roles; "" takes none.
	RolesClaim string
	// AdminRoles are the roles that make an admin here; see the package access.
	AdminRoles []string
	// EmailAuthoritative: a verified address in its claims is proven by that.
	EmailAuthoritative bool
	// HTTPClient makes the calls to it; nil means a client that is pinned to the
	// issuer's host.
	HTTPClient *http.Client
}

// Config is what a Login works with. Store, Keyring, BaseURL and Now are required.
type Config struct {
	Providers []Provider
	Store     store.Store
	Keyring   *secret.Keyring
	// BaseURL is the public address without a final slash, "" while it is not set.
	BaseURL func(ctx context.Context) string
	Now     func() time.Time
	// OnProven hears, after the commit, that a person has proven an address (a
	// normalized one), on each sign-in that proves it again, too. An error is
	// logged and does not undo the sign-in: the next one calls again.
	OnProven func(ctx context.Context, personID, email string) error
	// Allow limits how often a code may be asked for: bucket is "code-address"
	// (key: a hash of the address) or "code-ip" (key: CodeRequest.IP). nil allows
	// all.
	Allow func(ctx context.Context, bucket, key string) bool
	// MaySignUp says whether an address that no account has may make one by a code;
	// nil: every address. It is asked inside the transaction that would make it. At
	// a provider that the operator named everybody may.
	MaySignUp func(ctx context.Context, tx store.Tx, email string) (bool, error)
	// Merge gives everything of the account from to the account into, in one
	// transaction; nil: no merge is offered.
	Merge func(ctx context.Context, into, from string) error
	Log   *slog.Logger // nil: slog.Default()
}

// The ways in which signing in fails, for errors.Is. See also TokenError.
var (
	// ErrUnknownProvider: no provider of that name.
	ErrUnknownProvider = errors.New("no such sign-in provider")
	// ErrUnknownState: the browser came back with a state that was not given to
	// it, was used already, or is older than ten minutes. Starting over helps.
	ErrUnknownState = errors.New("the sign-in was not begun here, or is over")
	// ErrProviderDown: the provider can't be reached or does not work.
	ErrProviderDown = errors.New("the sign-in provider can't be reached")
	// ErrDenied: the person or the provider said no.
	ErrDenied = errors.New("the sign-in was refused at the provider")
	// ErrRefused: the provider does not accept our request: its set-up and ours
	// differ. For the operator.
	ErrRefused = errors.New("the sign-in provider does not accept the request")
	// ErrToken: what the provider answered failed a check. It is a *TokenError.
	ErrToken = errors.New("the sign-in provider's answer is not valid")
	// ErrNotReady: the public base URL is not set yet.
	ErrNotReady = errors.New("signing in needs the public base URL, which is not set yet")
	// ErrAddress: not an e-mail address.
	ErrAddress = errors.New("not an e-mail address")
	// ErrAddressTaken: the address belongs to another account.
	ErrAddressTaken = errors.New("the address belongs to another account")
	// ErrNoSignUp: the address has no account, and the operator lets only those
	// sign up whom a badge was awarded to.
	ErrNoSignUp = errors.New("no account may be made for the address")
	// ErrCodeWrong: not the code that was sent; it may be tried again.
	ErrCodeWrong = errors.New("not the right code")
	// ErrCodeExpired: the code is unknown, used, or too old.
	ErrCodeExpired = errors.New("the code has expired")
	// ErrTooMany: too many attempts at a code, or too many codes asked for.
	ErrTooMany = errors.New("too many attempts")
)

// TokenError says which check of a provider's answer failed.
type TokenError struct {
	Provider string
	// Check is "issuer", "audience", "nonce", "algorithm", "signature",
	// "expired", "not yet valid", "subject", "format" or "grant" (the provider
	// did not accept the code).
	Check string
	Err   error // the details, for the log; may be nil
}

// Error says it in one line.
func (e *TokenError) Error() string {
	s := fmt.Sprintf("sign in by %s: %v: %s", e.Provider, ErrToken, e.Check)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Is matches ErrToken.
func (e *TokenError) Is(target error) bool { return target == ErrToken }

// Unwrap gives the details.
func (e *TokenError) Unwrap() error { return e.Err }

// Result is who signed in.
type Result struct {
	// PersonID is who it is. "" when Pending is set: then nobody is signed in.
	PersonID string
	Provider string   // the provider's name, or CodeProvider
	IDToken  string   // for LogoutURL; "" for codes
	Roles    []string // as the provider named them
	ReturnTo string   // a local path, "/" when none was asked for
	New      bool     // the person was made by this sign-in

	// Email is the address that this sign-in proved, "" none.
	Email string
	// Proved: the code was for an address that a signed-in person adds. It signs
	// nobody in: PersonID is the one who asked.
	Proved bool
	// Unproven is an address that the provider named without proving it. It is
	// not attached; ProveAddress can do that.
	Unproven string
	// EmailTaken: the address that the provider named (Unproven) belongs to
	// another account. With PersonID "", this is a first sign-in that waits for
	// a decision: a code to the address (CodeRequest.Pending) joins it to that
	// account, Separate makes an account of its own.
	EmailTaken bool
	// Pending is the token for that decision, good for an hour.
	Pending string
	// Merge is the token of a MergeOffer: the code was right, and the address is
	// another account's. It comes with ErrAddressTaken.
	Merge string
	taken bool
}

// Login signs people in. It is safe for concurrent use.
type Login struct {
	cfg Config

	mu        sync.RWMutex
	providers []*provider
}

// New makes a Login. It does no I/O: providers are looked up when they are
// first needed. An error names a provider whose configuration can't work.
func New(cfg Config) (*Login, error) {
	if cfg.Store == nil || cfg.Keyring == nil || cfg.BaseURL == nil || cfg.Now == nil {
		return nil, errors.New("make login: store, key ring, base URL and clock are required")
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Allow == nil {
		cfg.Allow = func(context.Context, string, string) bool { return true }
	}
	if cfg.OnProven == nil {
		cfg.OnProven = func(context.Context, string, string) error { return nil }
	}
	l := &Login{cfg: cfg}
	if err := l.SetProviders(cfg.Providers); err != nil {
		return nil, err
	}
	return l, nil
}

// SetProviders replaces the providers: a site that was paired brings one. It
// changes nothing when one of them can't work.
func (l *Login) SetProviders(list []Provider) error {
	fresh := make([]*provider, 0, len(list))
	seen := map[string]bool{CodeProvider: true}
	for _, p := range list {
		if seen[p.Name] {
			return fmt.Errorf("sign-in provider %q: the name is taken", p.Name)
		}
		seen[p.Name] = true
		if old := l.same(p); old != nil { // what was found out about it stays
			fresh = append(fresh, old)
			continue
		}
		q, err := newProvider(p, l.cfg.Now)
		if err != nil {
			return err
		}
		fresh = append(fresh, q)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.providers = fresh
	return nil
}

// same is the provider that has this very configuration, nil none.
func (l *Login) same(p Provider) *provider {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, q := range l.providers {
		if reflect.DeepEqual(q.given, p) {
			return q
		}
	}
	return nil
}

// CheckProvider says why a provider can't work, without asking it; nil when it can.
func CheckProvider(p Provider) error {
	_, err := newProvider(p, time.Now)
	return err
}

func (l *Login) provider(name string) (*provider, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, p := range l.providers {
		if p.cfg.Name == name {
			return p, nil
		}
	}
	return nil, fmt.Errorf("sign in: %w", ErrUnknownProvider)
}

// Choice is a provider on the login page.
type Choice struct {
	Name, Title string
	// Down: it could not be reached just now. It may still be tried.
	Down bool
}

// Choices lists the providers in their order, and asks those that were not
// asked lately whether they answer, all at once and for two seconds at most.
func (l *Login) Choices(ctx context.Context) []Choice {
	l.mu.RLock()
	list := l.providers
	l.mu.RUnlock()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	out := make([]Choice, len(list))
	var wg sync.WaitGroup
	for i, p := range list {
		wg.Go(func() {
			_, err := p.discover(ctx)
			out[i] = Choice{Name: p.cfg.Name, Title: p.cfg.Title, Down: err != nil}
		})
	}
	wg.Wait()
	return out
}

// SafeReturn gives a local path that a browser may be sent to after signing in:
// to itself when it is one, else "/". An address at another host never passes,
// in none of the spellings that browsers understand.
func SafeReturn(to string) string {
	if to == "" || len(to) > 2000 || to[0] != '/' || strings.HasPrefix(to, "//") || strings.ContainsRune(to, '\\') {
		return "/"
	}
	for _, r := range to {
		if r < 0x20 || r == 0x7f {
			return "/"
		}
	}
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "/"
	}
	if u.Path == "/login" || strings.HasPrefix(u.Path, "/login/") || strings.HasPrefix(u.Path, "/logout") {
		return "/" // it would go round in circles
	}
	out := u.String()
	if len(out) > 2000 { // escaping made it longer
		return "/"
	}
	return out
}

// proven tells the hook. The address itself stays out of the log.
func (l *Login) proven(ctx context.Context, personID, email string) {
	if email == "" {
		return
	}
	if err := l.cfg.OnProven(ctx, personID, email); err != nil {
		l.cfg.Log.ErrorContext(ctx, "awards of a proven address were not taken over; the next sign-in tries again",
			"person", personID, "error", err)
	}
}
