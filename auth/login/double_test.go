package login_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"badgebridge/auth/login"
	"badgebridge/internal/secret"
)

const (
	clientID     = "the-gateway"
	clientSecret = "the-gateway's secret"
)

// double is an OpenID provider that does as it is told, also what no provider
// should do.
type double struct {
	t    testing.TB
	name string
	srv  *httptest.Server
	key  *rsa.PrivateKey
	now  func() time.Time

	// what it says of who signs in
	subject string
	claims  map[string]any
	// what it does wrong
	tamper   func(head, body map[string]any)
	sign     func(head, body map[string]any) string
	userInfo map[string]any
	tokenErr string // the error of the token endpoint
	status   int    // of the token endpoint
	meta     map[string]any

	mu    sync.Mutex
	codes map[string]url.Values // unused codes and what they were asked with
	used  int                   // calls of the token endpoint
}

func newDouble(t testing.TB, name string) *double {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	d := &double{t: t, name: name, key: key, now: time.Now, subject: "subject-1", claims: map[string]any{
		"email": "ada@example.org", "email_verified": true, "given_name": "Ada", "family_name": "Demo",
	}, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", d.discovery)
	mux.HandleFunc("/jwks", d.jwks)
	mux.HandleFunc("/token", d.token)
	mux.HandleFunc("/userinfo", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer access-1" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if d.userInfo == nil {
			d.json(w, map[string]any{"sub": d.subject})
			return
		}
		d.json(w, d.userInfo)
	})
	d.srv = httptest.NewServer(mux)
	t.Cleanup(d.srv.Close)
	return d
}

func (d *double) provider(more ...func(*login.Provider)) login.Provider {
	p := login.Provider{
		Name: d.name, Title: "The Double", Issuer: d.srv.URL, ClientID: clientID, ClientSecret: secret.New(clientSecret),
		RolesClaim: "roles", EmailAuthoritative: true,
	}
	for _, f := range more {
		f(&p)
	}
	return p
}

func (d *double) json(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (d *double) discovery(w http.ResponseWriter, _ *http.Request) {
	m := map[string]any{
		"issuer": d.srv.URL, "authorization_endpoint": d.srv.URL + "/authorize", "token_endpoint": d.srv.URL + "/token",
		"jwks_uri": d.srv.URL + "/jwks", "userinfo_endpoint": d.srv.URL + "/userinfo", "end_session_endpoint": d.srv.URL + "/end?x=1",
		"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"},
	}
	for k, v := range d.meta {
		m[k] = v
	}
	d.json(w, m)
}

func (d *double) jwks(w http.ResponseWriter, _ *http.Request) {
	enc := base64.RawURLEncoding.EncodeToString
	d.json(w, map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "kid": "k1", "use": "sig", "alg": "RS256",
		"n": enc(d.key.N.Bytes()), "e": enc(big.NewInt(int64(d.key.E)).Bytes()),
	}}})
}

// authorize is the person's yes: what the browser brings back.
func (d *double) authorize(ask url.Values) url.Values {
	d.mu.Lock()
	defer d.mu.Unlock()
	if ask.Get("code_challenge_method") != "S256" || len(ask.Get("code_challenge")) != 43 {
		d.t.Errorf("asked without PKCE: %v", ask)
	}
	if want := base + "/login/callback/" + d.name; ask.Get("redirect_uri") != want {
		d.t.Errorf("the redirect URI is %q, want %q", ask.Get("redirect_uri"), want)
	}
	code := rand.Text()
	d.codes[code] = ask
	return url.Values{"code": {code}, "state": {ask.Get("state")}}
}

func (d *double) token(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.used++
	fail := func(status int, code string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": code})
	}
	if d.status != 0 {
		fail(d.status, d.tokenErr)
		return
	}
	id, pw, _ := r.BasicAuth()
	if id, _ = url.QueryUnescape(id); id != clientID {
		fail(http.StatusUnauthorized, "invalid_client")
		return
	}
	if pw, _ = url.QueryUnescape(pw); pw != clientSecret {
		fail(http.StatusUnauthorized, "invalid_client")
		return
	}
	code := r.PostFormValue("code")
	ask, ok := d.codes[code]
	delete(d.codes, code)
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || base64.RawURLEncoding.EncodeToString(sum[:]) != ask.Get("code_challenge") || r.PostFormValue("redirect_uri") != ask.Get("redirect_uri") {
		fail(http.StatusBadRequest, "invalid_grant")
		return
	}
	head := map[string]any{"alg": "RS256", "kid": "k1", "typ": "JWT"}
	now := d.now().Unix()
	body := map[string]any{
		"iss": d.srv.URL, "sub": d.subject, "aud": clientID, "iat": now, "exp": now + 300, "nonce": ask.Get("nonce"),
	}
	for k, v := range d.claims {
		body[k] = v
	}
	if d.tamper != nil {
		d.tamper(head, body)
	}
	sign := d.rs256
	if d.sign != nil {
		sign = d.sign
	}
	d.json(w, map[string]any{"access_token": "access-1", "token_type": "Bearer", "expires_in": 300, "id_token": sign(head, body)})
}

func (d *double) input(head, body map[string]any) string {
	return base64.RawURLEncoding.EncodeToString(mustJSON(d.t, head)) + "." + base64.RawURLEncoding.EncodeToString(mustJSON(d.t, body))
}

func (d *double) rs256(head, body map[string]any) string { return d.signedBy(d.key, head, body) }

func (d *double) signedBy(key *rsa.PrivateKey, head, body map[string]any) string {
	in := d.input(head, body)
	sum := sha256.Sum256([]byte(in))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		d.t.Error(err)
	}
	return in + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// none is an unsigned token.
func (d *double) none(head, body map[string]any) string {
	head["alg"] = "none"
	return d.input(head, body) + "."
}

// hs256 signs with a secret that everybody or the client knows.
func (d *double) hs256(key []byte) func(head, body map[string]any) string {
	return func(head, body map[string]any) string {
		head["alg"] = "HS256"
		in := d.input(head, body)
		m := hmac.New(sha256.New, key)
		m.Write([]byte(in))
		return in + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
	}
}

func (d *double) publicPEM() []byte {
	der, err := x509.MarshalPKIXPublicKey(&d.key.PublicKey)
	if err != nil {
		d.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
