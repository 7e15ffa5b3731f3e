package credly

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// permission is what a call needs of its token.
type permission int

const (
	anybody permission = iota
	mayRead
	mayWrite
	mayDelete
)

// access is what a call needs: a flag of an authorization token, or a scope of a
// Bearer ("" any).
type access struct {
	permission permission
	scope      string
}

// scopes are the documented ones.
func scopes() []string {
	return []string{"authorization_tokens", "badge_templates", "events", "invitations", "issued_badges", "memberships", "recommendations", "workforce"}
}

// rights is what credentials may do.
type rights struct {
	read, write, del bool
	scopes           []string // nil: no Bearer
	name             string   // for the rate limit
}

// authorize fills in the call's organization and owner, or refuses.
func (s *Sim) authorize(c *call, needs access) *reply {
	no := func(status int, message string) *reply { f := fail(status, message); return &f }
	if id := c.r.PathValue("org"); id != "" {
		c.org = s.org(id)
	}
	if needs.permission == anybody {
		return nil
	}
	may, deny := s.credentials(c)
	if deny != nil {
		return deny
	}
	if c.owner == nil {
		return no(http.StatusUnauthorized, "Unauthorized")
	}
	if deny := s.limit(may.name); deny != nil {
		return deny
	}
	if c.r.PathValue("org") != "" && c.org != c.owner {
		if c.org == nil || s.opt.OtherOrgIs404 {
			return no(http.StatusNotFound, "Organization not found")
		}
		return no(http.StatusForbidden, "You are not authorized to access this organization")
	}
	if may.scopes != nil {
		if needs.scope != "" && !slices.Contains(may.scopes, needs.scope) && !s.opt.ScopesIgnored {
			return no(http.StatusForbidden, "Your access token is not authorized to perform this action")
		}
		return nil
	}
	missing := needs.permission == mayRead && !may.read || needs.permission == mayWrite && !may.write ||
		needs.permission == mayDelete && !may.del && (!may.write || !s.opt.WriteMayDelete)
	switch {
	case missing && s.opt.MissingRightIs401:
		return no(http.StatusUnauthorized, "Unauthorized")
	case missing:
		return no(http.StatusForbidden, "Your token is not authorized to perform this action")
	}
	return nil
}

// credentials reads the Authorization header.
func (s *Sim) credentials(c *call) (rights, *reply) {
	refuse := func(status int) (rights, *reply) {
		f := fail(status, "Unauthorized")
		return rights{}, &f
	}
	scheme, cred, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	switch strings.ToLower(scheme) {
	case "basic":
		plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(cred))
		if err != nil {
			return refuse(http.StatusUnauthorized)
		}
		name, password, colon := strings.Cut(string(plain), ":")
		t := s.token(name)
		if t == nil || t.Sandbox != s.cfg.Sandbox || password != "" || !colon && !s.opt.LenientAuth {
			return refuse(http.StatusUnauthorized)
		}
		if !s.now().Before(*t.ExpiresAt) {
			if s.opt.ExpiredTokenIs403 {
				return refuse(http.StatusForbidden)
			}
			return refuse(http.StatusUnauthorized)
		}
		c.token, c.owner = t, s.org(t.OrgID)
		return rights{t.Read, t.Write, t.Delete, nil, t.Token}, nil
	case "bearer":
		b := s.st.Bearers[strings.TrimSpace(cred)]
		if b == nil || !s.now().Before(b.ExpiresAt) {
			return refuse(http.StatusUnauthorized)
		}
		for _, a := range s.st.Apps {
			if a.UID == b.App {
				c.owner = s.org(a.OrgID)
			}
		}
		return rights{scopes: append([]string{}, strings.Fields(b.Scopes)...), name: b.App}, nil
	}
	return refuse(http.StatusUnauthorized)
}

func (s *Sim) token(name string) *Token {
	for _, t := range s.st.Tokens {
		if t.Token == name && name != "" {
			return t
		}
	}
	return nil
}

// window counts the calls of one minute.
type window struct {
	minute time.Time
	calls  int
}

// limit counts a call against RateLimit.
func (s *Sim) limit(name string) *reply {
	if s.opt.RateLimit <= 0 {
		return nil
	}
	now := s.now()
	w := s.windows[name]
	if minute := now.Truncate(time.Minute); !w.minute.Equal(minute) {
		w = window{minute: minute}
	}
	w.calls++
	s.windows[name] = w
	if w.calls <= s.opt.RateLimit {
		return nil
	}
	out := fail(http.StatusTooManyRequests, "Too many requests")
	if !s.opt.RetryAfterAbsent {
		wait := w.minute.Add(time.Minute).Sub(now)
		out.header = http.Header{"Retry-After": {strconv.Itoa(int((wait + time.Second - 1) / time.Second))}}
	}
	return &out
}

// oauthToken is the token endpoint for client credentials.
func (s *Sim) oauthToken(c *call) reply {
	refuse := func(status int, code, text string) reply {
		if s.opt.OAuthErrorEnvelope {
			return fail(status, text)
		}
		return reply{status: status, body: map[string]any{"error": code, "error_description": text}}
	}
	if c.isForm && s.opt.OAuthJSONOnly {
		return refuse(http.StatusBadRequest, "invalid_request", "The request has to be JSON")
	}
	if c.str("grant_type") != "client_credentials" {
		return refuse(http.StatusBadRequest, "unsupported_grant_type", "The authorization grant type is not supported by the authorization server.")
	}
	id, secret := c.str("client_id"), c.str("client_secret")
	if u, p, there := c.r.BasicAuth(); there && id == "" {
		id, secret = u, p
	}
	i := slices.IndexFunc(s.st.Apps, func(a *App) bool { return id != "" && a.UID == id && a.Secret == secret && a.Sandbox == s.cfg.Sandbox })
	if i < 0 {
		return refuse(http.StatusUnauthorized, "invalid_client", "Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method.")
	}
	allowed := s.st.Apps[i].Scopes
	if allowed == nil {
		allowed = scopes()
	}
	asked := strings.Fields(c.str("scope"))
	for _, scope := range asked {
		if !slices.Contains(allowed, scope) {
			return refuse(http.StatusBadRequest, "invalid_scope", "The requested scope is invalid, unknown, or malformed.")
		}
	}
	life := s.opt.BearerLife
	if life <= 0 {
		life = 2 * time.Hour
	}
	now, token, scope := s.now(), newID(), strings.Join(asked, " ")
	s.st.Bearers[token] = &bearer{App: id, Scopes: scope, ExpiresAt: now.Add(life)}
	answer := map[string]any{"access_token": token}
	if !s.opt.OAuthAnswerBare {
		answer = map[string]any{
			"access_token": token, "token_type": "Bearer", "expires_in": int(life / time.Second), "scope": scope, "created_at": now.Unix(),
		}
	}
	return reply{status: http.StatusOK, body: answer}
}
