package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"badgebridge/store"
)

const (
	stateLife = 10 * time.Minute
	// exchangeTimeout bounds all calls to the provider when the browser is back.
	exchangeTimeout = 15 * time.Second
)

// flowState is what a sign-in needs when the browser comes back. It is sealed
// in the store under the hash of the state.
type flowState struct {
	Provider string `json:"p"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
	Browser  string `json:"b"` // hash of the cookie's value
	ReturnTo string `json:"r"`
	Base     string `json:"u"`
}

func randomToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func hashToken(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// cookieName is the state's own, so that two tabs can sign in side by side.
func cookieName(secure bool, stateHash string) string {
	name := "badgebridge-login-" + stateHash[:12]
	if secure {
		return "__Host-" + name
	}
	return name
}

func isSecure(base string) bool { return strings.HasPrefix(base, "https://") }

// Begin starts a sign-in at a provider: the browser gets the cookie and is sent
// to redirect. returnTo is where it goes in the end; anything but a local path
// becomes "/".
func (l *Login) Begin(ctx context.Context, providerName, returnTo string) (redirect string, cookie *http.Cookie, err error) {
	p, err := l.provider(providerName)
	if err != nil {
		return "", nil, err
	}
	base := l.cfg.BaseURL(ctx)
	if base == "" {
		return "", nil, fmt.Errorf("sign in by %s: %w", providerName, ErrNotReady)
	}
	d, err := p.discover(ctx)
	if err != nil {
		return "", nil, err
	}
	state, browser := randomToken(), randomToken()
	f := flowState{
		Provider: p.cfg.Name, Nonce: randomToken(), Verifier: oauth2.GenerateVerifier(),
		Browser: hashToken(browser), ReturnTo: SafeReturn(returnTo), Base: base,
	}
	h := hashToken(state)
	if err := l.keepState(ctx, h, f, stateLife); err != nil {
		return "", nil, fmt.Errorf("sign in by %s: %w", providerName, err)
	}
	redirect = p.oauth(d, base).AuthCodeURL(state, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier))
	return redirect, &http.Cookie{
		Name: cookieName(isSecure(base), h), Value: browser, Path: "/", MaxAge: int(stateLife.Seconds()),
		HttpOnly: true, Secure: isSecure(base), SameSite: http.SameSiteLaxMode,
	}, nil
}

// CookieName is the name of the cookie that Begin gave for the callback's query.
func (l *Login) CookieName(ctx context.Context, query url.Values) string {
	return cookieName(isSecure(l.cfg.BaseURL(ctx)), hashToken(query.Get("state")))
}

// ForgetCookie deletes the cookie that Begin gave for the callback's query.
func (l *Login) ForgetCookie(ctx context.Context, query url.Values) *http.Cookie {
	secure := isSecure(l.cfg.BaseURL(ctx))
	return &http.Cookie{
		Name: cookieName(secure, hashToken(query.Get("state"))), Path: "/", MaxAge: -1,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
}

func (l *Login) keepState(ctx context.Context, hash string, v any, life time.Duration) error {
	plain, err := json.Marshal(v)
	if err != nil {
		return err
	}
	sealed, err := l.cfg.Keyring.Seal(plain, "login/state/"+hash)
	if err != nil {
		return err
	}
	return l.cfg.Store.CreateLoginState(ctx, hash, []byte(sealed), l.cfg.Now().Add(life))
}

// takeState reads and deletes a state. ErrUnknownState when there is none.
func (l *Login) takeState(ctx context.Context, tx store.Sessions, hash string, v any) error {
	sealed, err := tx.TakeLoginState(ctx, hash, l.cfg.Now())
	if errors.Is(err, store.ErrNotFound) {
		return ErrUnknownState
	}
	if err != nil {
		return err
	}
	plain, err := l.cfg.Keyring.Open(string(sealed), "login/state/"+hash)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnknownState, err)
	}
	return json.Unmarshal(plain, v)
}

// Finish ends the sign-in that Begin started: query and cookies are those of the
// browser's request to the redirect URI. See Result for who signed in. The
// errors are the ones of this package, and those of the store.
func (l *Login) Finish(ctx context.Context, providerName string, query url.Values, cookies []*http.Cookie) (Result, error) {
	p, err := l.provider(providerName)
	if err != nil {
		return Result{}, err
	}
	f, err := l.takeFlow(ctx, p, query, cookies)
	if err != nil {
		return Result{}, fmt.Errorf("sign in by %s: %w", providerName, err)
	}
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	d, err := p.known(ctx)
	if err != nil {
		return Result{}, err
	}
	// RFC 9207: an answer from another provider is not this one's, even when it
	// is an error.
	if iss, ok := query["iss"]; ok && (len(iss) != 1 || iss[0] != p.cfg.Issuer) {
		return Result{}, &TokenError{Provider: providerName, Check: "issuer", Err: fmt.Errorf("the answer came from %q", iss)}
	} else if !ok && d.sendsIss {
		return Result{}, &TokenError{Provider: providerName, Check: "issuer", Err: errors.New("the answer does not say who it came from")}
	}
	if query.Has("error") {
		return Result{}, p.refusal(query)
	}
	code := query.Get("code")
	if code == "" {
		return Result{}, &TokenError{Provider: providerName, Check: "format", Err: errors.New("the answer has no code")}
	}
	who, rawIDToken, err := p.exchange(ctx, d, f, code)
	if err != nil {
		return Result{}, err
	}
	res, err := l.resolve(ctx, p.cfg, who)
	if err != nil {
		return Result{}, fmt.Errorf("sign in by %s: %w", providerName, err)
	}
	res.ReturnTo, res.IDToken = f.ReturnTo, rawIDToken
	if res.Pending != "" {
		pending := pendingSignIn{Claims: who, Provider: p.cfg.Name, ReturnTo: f.ReturnTo, IDToken: rawIDToken}
		if err := l.keepState(ctx, pendingHash(res.Pending), pending, pendingLife); err != nil {
			return Result{}, fmt.Errorf("sign in by %s: %w", providerName, err)
		}
		return res, nil
	}
	l.proven(ctx, res.PersonID, res.Email)
	return res, nil
}

// takeFlow finds the state of this callback and checks that the browser is the
// one that began it.
func (l *Login) takeFlow(ctx context.Context, p *provider, query url.Values, cookies []*http.Cookie) (flowState, error) {
	var f flowState
	states := query["state"]
	if len(states) != 1 || states[0] == "" || len(states[0]) > 200 {
		return f, fmt.Errorf("%w: no state", ErrUnknownState)
	}
	h := hashToken(states[0])
	secure := isSecure(l.cfg.BaseURL(ctx))
	browser := ""
	for _, c := range cookies {
		if c.Name == cookieName(secure, h) {
			browser = c.Value
		}
	}
	if browser == "" {
		// The state stays: whoever has it without the cookie must not end the
		// sign-in of the one who has both.
		return f, fmt.Errorf("%w: another browser", ErrUnknownState)
	}
	if err := l.takeState(ctx, l.cfg.Store, h, &f); err != nil {
		return f, err
	}
	if subtle.ConstantTimeCompare([]byte(hashToken(browser)), []byte(f.Browser)) != 1 {
		return f, fmt.Errorf("%w: another browser", ErrUnknownState)
	}
	if f.Provider != p.cfg.Name {
		// The mix-up attack: begun at one provider, answered by another.
		return f, fmt.Errorf("%w: begun at another provider", ErrUnknownState)
	}
	return f, nil
}

// refusal turns an error answer of the authorization endpoint into ours.
func (p *provider) refusal(query url.Values) error {
	code := query.Get("error")
	kind := ErrRefused
	switch code {
	case "access_denied", "login_required", "interaction_required", "consent_required", "account_selection_required":
		kind = ErrDenied
	case "temporarily_unavailable", "server_error":
		kind = ErrProviderDown
	}
	return fmt.Errorf("sign in by %s: %w: %q", p.cfg.Name, kind, clip(code, 100))
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// LogoutURL is where the browser goes to sign out at the provider, too; "" when
// the provider has no such page. The browser comes back to {base}/.
func (l *Login) LogoutURL(ctx context.Context, providerName, idTokenHint string) string {
	p, err := l.provider(providerName)
	if err != nil {
		return ""
	}
	p.mu.Lock()
	d := p.found
	p.mu.Unlock()
	base := l.cfg.BaseURL(ctx)
	if d == nil {
		// A fresh process; signing out must not wait long for a provider.
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		if d, err = p.discover(ctx); err != nil {
			return ""
		}
	}
	if d.endSession == "" || base == "" {
		return ""
	}
	u, err := url.Parse(d.endSession)
	if err != nil {
		return ""
	}
	q := u.Query()
	if idTokenHint != "" {
		q.Set("id_token_hint", idTokenHint)
	}
	q.Set("client_id", p.cfg.ClientID)
	q.Set("post_logout_redirect_uri", base+"/")
	u.RawQuery = q.Encode()
	return u.String()
}
