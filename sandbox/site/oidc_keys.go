package site

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const cookieName = "example_site_session"

// keyID changes with the key, so that a client fetches the new key after a
// restart.
func (s *Site) keyID() string {
	public, err := s.signer.PublicKey.Bytes()
	if err != nil {
		panic(err) // a generated P-256 key always has a point
	}
	sum := sha256.Sum256(public)
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

func (s *Site) jwks(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: &s.signer.PublicKey, KeyID: s.keyID(), Algorithm: string(jose.ES256), Use: "sig"},
	}})
}

func (s *Site) signJWT(claims map[string]any) (string, error) {
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: s.signer, KeyID: s.keyID()}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// hinted is the client that the hint, an ID token of this site, was given to, or
// nil; that it expired does not matter.
func (s *Site) hinted(hint string) *Pairing {
	parsed, err := jose.ParseSignedCompact(hint, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil
	}
	payload, err := parsed.Verify(&s.signer.PublicKey)
	if err != nil {
		return nil
	}
	var claims struct {
		Audience string `json:"aud"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return nil
	}
	return s.client(claims.Audience)
}

// session is who is signed in at the site itself.
func (s *Site) session(r *http.Request) (session, bool) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return session{}, false
	}
	s.op.mu.Lock()
	who, ok := s.op.sessions[cookie.Value]
	s.op.mu.Unlock()
	if !ok || s.cfg.Now().Sub(who.at) > sessionLife || !s.known(who.member) {
		return session{}, false
	}
	return who, true
}

func (s *Site) signIn(w http.ResponseWriter, who session) {
	id := token()
	s.op.mu.Lock()
	s.op.tidy(s.cfg.Now())
	s.op.sessions[id] = who
	s.op.mu.Unlock()
	http.SetCookie(w, s.cookie(id, sessionLife))
}

func (s *Site) signOut(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(cookieName); err == nil {
		s.op.mu.Lock()
		delete(s.op.sessions, cookie.Value)
		s.op.mu.Unlock()
	}
	http.SetCookie(w, s.cookie("", -time.Second))
}

func (s *Site) cookie(value string, life time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: cookieName, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: len(s.cfg.BaseURL) > 5 && s.cfg.BaseURL[:5] == "https", MaxAge: int(life / time.Second),
	}
}

func (s *Site) known(member int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.st.member(member) != nil
}
