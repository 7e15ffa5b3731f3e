package site

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The OpenID provider for exactly one client, the paired gateway: code flow with
// PKCE S256, client_secret_basic. In place of a password it asks which of the
// demo members one wants to be.

const (
	codeLife    = time.Minute
	tokenLife   = 10 * time.Minute
	sessionLife = 12 * time.Hour
	mostGrants  = 1000
)

type oidcState struct {
	mu       sync.Mutex
	codes    map[string]*authCode
	tokens   map[string]accessToken
	sessions map[string]session
}

// authCode is kept after its use, so that a second use can take back the first's
// token.
type authCode struct {
	client, redirect, challenge, nonce, scope string
	member                                    int64
	at                                        time.Time
	used                                      bool
	token                                     string
}

type accessToken struct {
	member int64
	scope  string
	until  time.Time
}

type session struct {
	member int64
	at     time.Time
}

func (o *oidcState) init() {
	o.codes, o.tokens, o.sessions = map[string]*authCode{}, map[string]accessToken{}, map[string]session{}
}

func (s *Site) oidcRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /oidc/.well-known/openid-configuration", s.discovery)
	mux.HandleFunc("GET /oidc/authorize", s.authorize)
	mux.HandleFunc("POST /oidc/authorize", s.authorize)
	mux.HandleFunc("POST /oidc/token", s.token)
	mux.HandleFunc("GET /oidc/userinfo", s.userinfo)
	mux.HandleFunc("POST /oidc/userinfo", s.userinfo)
	mux.HandleFunc("GET /oidc/jwks", s.jwks)
	mux.HandleFunc("GET /oidc/logout", s.endSession)
}

func (s *Site) discovery(w http.ResponseWriter, r *http.Request) {
	issuer := s.Issuer()
	answer(w, http.StatusOK, map[string]any{
		"issuer": issuer, "authorization_endpoint": issuer + "/authorize", "token_endpoint": issuer + "/token",
		"userinfo_endpoint": issuer + "/userinfo", "jwks_uri": issuer + "/jwks", "end_session_endpoint": issuer + "/logout",
		"response_types_supported": []string{"code"}, "response_modes_supported": []string{"query"},
		"grant_types_supported": []string{"authorization_code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic"},
		"code_challenge_methods_supported":      []string{"S256"},
		"scopes_supported":                      []string{"openid", "email", "profile"},
		"claims_supported": []string{"sub", "email", "email_verified", "name", "given_name", "family_name",
			"locale", "roles"},
		"authorization_response_iss_parameter_supported": true,
	})
}

// client is the pairing that the client id names, nil when there is none or the
// site is not the one that was paired.
func (s *Site) client(id string) *Pairing {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.st.Pairing
	if p == nil || id == "" || p.KeyID != id || p.UUID != s.st.UUID || p.Home != s.st.Home {
		return nil
	}
	return p
}

// returns and leavings are the addresses of the gateway after a sign-in and after
// signing out.
func (s *Site) returns(p *Pairing) []string {
	if len(s.cfg.RedirectURIs) > 0 || p.Gateway == "" || p.Remote == "" {
		return s.cfg.RedirectURIs
	}
	return []string{p.Gateway + "/login/callback/" + p.Remote}
}

func (s *Site) leavings(p *Pairing) []string {
	if len(s.cfg.LogoutURIs) > 0 || p.Gateway == "" {
		return s.cfg.LogoutURIs
	}
	return []string{p.Gateway + "/"}
}

var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

func (s *Site) authorize(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.problem(w, r, http.StatusBadRequest, "The sign-in can't be read.")
		return
	}
	q := r.Form
	// A mistake in these two must not send anybody anywhere.
	p := s.client(q.Get("client_id"))
	if p == nil {
		s.problem(w, r, http.StatusBadRequest, "The site is not paired with the program that asks to sign in.")
		return
	}
	redirect := q.Get("redirect_uri")
	if !slices.Contains(s.returns(p), redirect) {
		s.problem(w, r, http.StatusBadRequest, "The address to return to is not the one that was agreed.")
		return
	}
	back := func(values url.Values) {
		values.Set("iss", s.Issuer())
		if q.Has("state") {
			values.Set("state", q.Get("state"))
		}
		separator := "?"
		if strings.Contains(redirect, "?") {
			separator = "&"
		}
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, redirect+separator+values.Encode(), http.StatusSeeOther)
	}
	fail := func(code, words string) { back(url.Values{"error": {code}, "error_description": {words}}) }
	scopes := strings.Fields(q.Get("scope"))
	switch {
	case q.Get("response_type") != "code":
		fail("unsupported_response_type", "Only the code flow is there.")
		return
	case !slices.Contains(scopes, "openid"):
		fail("invalid_scope", "The scope openid is missing.")
		return
	case q.Get("code_challenge_method") != "S256" || !challengeForm.MatchString(q.Get("code_challenge")):
		fail("invalid_request", "PKCE with S256 is required.")
		return
	}
	now := s.cfg.Now()
	var who session
	current, signedIn := s.session(r)
	switch {
	case r.Method == http.MethodPost && q.Get("deny") != "":
		fail("access_denied", "The person did not want to sign in.")
		return
	case r.Method == http.MethodPost:
		id, _ := strconv.ParseInt(r.PostForm.Get("member"), 10, 64)
		if !s.known(id) {
			s.problem(w, r, http.StatusBadRequest, "There is no such member.")
			return
		}
		who = session{member: id, at: now}
		s.signIn(w, who)
	case q.Get("prompt") == "none" && !signedIn:
		fail("login_required", "Nobody is signed in at the site.")
		return
	case q.Get("prompt") == "none":
		who = current
	default:
		s.askWho(w, r, q, current.member)
		return
	}
	code := token()
	s.op.mu.Lock()
	s.op.tidy(now)
	s.op.codes[code] = &authCode{
		client: q.Get("client_id"), redirect: redirect, challenge: q.Get("code_challenge"), nonce: q.Get("nonce"),
		scope: strings.Join(scopes, " "), member: who.member, at: now,
	}
	s.op.mu.Unlock()
	back(url.Values{"code": {code}})
}

// tidy drops what is over, and everything when somebody floods us.
func (o *oidcState) tidy(now time.Time) {
	for k, c := range o.codes {
		if now.Sub(c.at) > tokenLife || len(o.codes) > mostGrants {
			delete(o.codes, k)
		}
	}
	for k, t := range o.tokens {
		if now.After(t.until) || len(o.tokens) > mostGrants {
			delete(o.tokens, k)
		}
	}
	for k, v := range o.sessions {
		if now.Sub(v.at) > sessionLife || len(o.sessions) > mostGrants {
			delete(o.sessions, k)
		}
	}
}

func (s *Site) token(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, code, words string) {
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Basic realm="token"`)
		}
		answer(w, status, map[string]string{"error": code, "error_description": words})
	}
	user, password, ok := r.BasicAuth()
	// RFC 6749, 2.3.1: both were form-encoded before.
	id, err1 := url.QueryUnescape(user)
	given, err2 := url.QueryUnescape(password)
	p := s.client(id)
	if !ok || err1 != nil || err2 != nil || p == nil || subtle.ConstantTimeCompare([]byte(given), []byte(p.Secret)) != 1 {
		fail(http.StatusUnauthorized, "invalid_client", "The client is not the paired gateway, or its secret is wrong.")
		return
	}
	if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") != "authorization_code" {
		fail(http.StatusBadRequest, "unsupported_grant_type", "Only authorization_code is there.")
		return
	}
	q := r.PostForm
	now := s.cfg.Now()
	challenge := sha256.Sum256([]byte(q.Get("code_verifier")))
	s.op.mu.Lock()
	defer s.op.mu.Unlock()
	c := s.op.codes[q.Get("code")]
	switch {
	case c == nil || c.client != id || now.Sub(c.at) > codeLife:
		fail(http.StatusBadRequest, "invalid_grant", "The code is unknown or too old.")
		return
	case c.used:
		delete(s.op.tokens, c.token) // somebody else has the code
		fail(http.StatusBadRequest, "invalid_grant", "The code was used before.")
		return
	}
	c.used = true // whatever comes: one try
	switch {
	case c.redirect != q.Get("redirect_uri"):
		fail(http.StatusBadRequest, "invalid_grant", "The redirect_uri is another than in the authorization request.")
		return
	case subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(challenge[:])), []byte(c.challenge)) != 1:
		fail(http.StatusBadRequest, "invalid_grant", "The code_verifier does not fit the code_challenge.")
		return
	}
	claims, ok := s.claims(c.member, c.scope)
	if !ok {
		fail(http.StatusBadRequest, "invalid_grant", "The member is gone.")
		return
	}
	c.token = token()
	half := sha256.Sum256([]byte(c.token))
	claims["iss"], claims["aud"] = s.Issuer(), id
	claims["iat"], claims["exp"], claims["auth_time"] = now.Unix(), now.Add(tokenLife).Unix(), c.at.Unix()
	claims["at_hash"] = base64.RawURLEncoding.EncodeToString(half[:16])
	if c.nonce != "" {
		claims["nonce"] = c.nonce
	}
	idToken, err := s.signJWT(claims)
	if err != nil {
		fail(http.StatusInternalServerError, "server_error", "The token can't be signed.")
		return
	}
	s.op.tokens[c.token] = accessToken{member: c.member, scope: c.scope, until: now.Add(tokenLife)}
	answer(w, http.StatusOK, map[string]any{
		"access_token": c.token, "token_type": "Bearer", "expires_in": int(tokenLife / time.Second), "scope": c.scope, "id_token": idToken,
	})
}

// claims are what the site says of a member; ok is false when they are gone.
func (s *Site) claims(member int64, scope string) (claims map[string]any, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.st.member(member)
	if m == nil {
		return nil, false
	}
	claims = map[string]any{"sub": fmt.Sprintf("%s:%d", s.st.UUID, m.ID), "roles": m.Roles}
	for _, part := range strings.Fields(scope) {
		switch part {
		case "email":
			claims["email"], claims["email_verified"] = m.Email, m.EmailProven
		case "profile":
			claims["name"], claims["locale"] = m.Name(), m.Locale
			if m.GivenName != "" {
				claims["given_name"] = m.GivenName
			}
			if m.FamilyName != "" {
				claims["family_name"] = m.FamilyName
			}
		}
	}
	return claims, true
}

func (s *Site) userinfo(w http.ResponseWriter, r *http.Request) {
	bearer, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.op.mu.Lock()
	t, ok := s.op.tokens[bearer]
	s.op.mu.Unlock()
	if found && ok && !s.cfg.Now().After(t.until) {
		if claims, there := s.claims(t.member, t.scope); there {
			answer(w, http.StatusOK, claims)
			return
		}
	}
	w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_token"})
}

func (s *Site) endSession(w http.ResponseWriter, r *http.Request) {
	s.signOut(w, r)
	q := r.URL.Query()
	back := q.Get("post_logout_redirect_uri")
	// Only for our client, which the hint (also an expired one) or the id names.
	p := s.client(q.Get("client_id"))
	if p == nil {
		p = s.hinted(q.Get("id_token_hint"))
	}
	if back == "" || p == nil || !slices.Contains(s.leavings(p), back) {
		s.render(w, r, http.StatusOK, "message", page{Title: "Signed out", Message: "You are signed out of the association's site."})
		return
	}
	if q.Has("state") {
		separator := "?"
		if strings.Contains(back, "?") {
			separator = "&"
		}
		back += separator + url.Values{"state": {q.Get("state")}}.Encode()
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, back, http.StatusSeeOther)
}
