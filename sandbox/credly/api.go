package credly

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
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

// call is one request as an API function sees it. The simulator's lock is held.
type call struct {
	r     *http.Request
	base  string // scheme and host for links
	org   *Org   // the path's organization, nil when the path names none
	owner *Org   // the token's organization
	token *Token // nil for Bearer
	body  map[string]any
}

// reply is an API function's answer.
type reply struct {
	status int
	body   any // nil: no body
	header http.Header
}

func ok(status int, data any) reply {
	return reply{status: status, body: map[string]any{"data": data, "metadata": map[string]any{}}}
}

func fail(status int, message string) reply {
	return reply{status: status, body: map[string]any{"data": map[string]any{"message": message}, "metadata": map[string]any{}}}
}

// problem is one entry of a validation error.
type problem struct {
	Attribute string   `json:"attribute"`
	Label     string   `json:"attribute_label"`
	Messages  []string `json:"messages"`
}

func invalid(problems []problem) reply {
	var parts []string
	for _, p := range problems {
		for _, m := range p.Messages {
			parts = append(parts, p.Label+" "+m)
		}
	}
	return reply{status: http.StatusUnprocessableEntity, body: map[string]any{
		"data":     map[string]any{"message": "Validation failed: " + strings.Join(parts, ", "), "errors": problems},
		"metadata": map[string]any{},
	}}
}

const maxBody = 4 << 20

// serve wraps an API function: authentication, organization, body, lock.
func (s *Sim) serve(need permission, h func(*call) reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, bad := readBody(w, r)
		s.mu.Lock()
		c := &call{r: r, base: s.base(r), body: body}
		w.Header().Set("Date", s.now().Format(http.TimeFormat))
		var out reply
		if deny := s.authorize(c, need); deny != nil {
			out = *deny
		} else if bad {
			out = fail(http.StatusBadRequest, "The request body could not be parsed")
		} else {
			out = h(c)
			if r.Method != http.MethodGet && out.status < 300 {
				s.commits[endpoint(r)]++
				s.save()
			}
		}
		s.mu.Unlock()
		s.kick()
		for k, v := range out.header {
			w.Header()[k] = v
		}
		if out.body == nil {
			w.WriteHeader(out.status)
			return
		}
		writeJSON(w, out.status, out.body)
	}
}

// authorize fills in the call's organization and owner, or refuses.
func (s *Sim) authorize(c *call, need permission) *reply {
	no := func(status int, message string) *reply { f := fail(status, message); return &f }
	if id := c.r.PathValue("org"); id != "" {
		c.org = s.org(id)
	}
	if need == anybody {
		return nil
	}
	var read, write, del bool
	scheme, cred, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	switch strings.ToLower(scheme) {
	case "basic":
		plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(cred))
		if err != nil {
			return no(http.StatusUnauthorized, "Unauthorized")
		}
		name, password, colon := strings.Cut(string(plain), ":")
		if password != "" || !colon && !s.opt.LenientAuth {
			return no(http.StatusUnauthorized, "Unauthorized")
		}
		t := s.token(name)
		if t == nil || !s.now().Before(*t.ExpiresAt) {
			return no(http.StatusUnauthorized, "Unauthorized")
		}
		c.token, c.owner = t, s.org(t.OrgID)
		read, write, del = t.Read, t.Write, t.Delete
	case "bearer":
		b := s.st.Bearers[strings.TrimSpace(cred)]
		if b == nil || !s.now().Before(b.ExpiresAt) {
			return no(http.StatusUnauthorized, "Unauthorized")
		}
		for _, a := range s.st.Apps {
			if a.UID == b.App {
				c.owner = s.org(a.OrgID)
				read, write, del = true, a.Write, a.Delete
			}
		}
	default:
		return no(http.StatusUnauthorized, "Unauthorized")
	}
	if c.owner == nil {
		return no(http.StatusUnauthorized, "Unauthorized")
	}
	if c.r.PathValue("org") != "" && c.org != c.owner {
		if c.org == nil {
			return no(http.StatusNotFound, "Organization not found")
		}
		return no(http.StatusForbidden, "You are not authorized to access this organization")
	}
	if need == mayRead && !read || need == mayWrite && !write || need == mayDelete && !del {
		return no(http.StatusForbidden, "Your token is not authorized to perform this action")
	}
	return nil
}

func (s *Sim) token(name string) *Token {
	for _, t := range s.st.Tokens {
		if t.Token == name && name != "" {
			return t
		}
	}
	return nil
}

// base is scheme and host of the links in an answer.
func (s *Sim) base(r *http.Request) string {
	if s.cfg.BaseURL != "" {
		return strings.TrimRight(s.cfg.BaseURL, "/")
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// readBody takes JSON, form fields, and the query of a write, as Credly does.
func readBody(w http.ResponseWriter, r *http.Request) (fields map[string]any, bad bool) {
	fields = map[string]any{}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return fields, false
	}
	add := func(v url.Values) {
		for k, vs := range v {
			fields[k] = vs[0]
		}
	}
	add(r.URL.Query())
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return fields, true
	}
	if len(strings.TrimSpace(string(raw))) == 0 {
		return fields, false
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/x-www-form-urlencoded" {
		v, err := url.ParseQuery(string(raw))
		add(v)
		return fields, err != nil
	}
	return fields, json.Unmarshal(raw, &fields) != nil
}

// str is a field as text, "" when absent, null or no text.
func (c *call) str(name string) string {
	v, _ := c.body[name].(string)
	return strings.TrimSpace(v)
}

func (c *call) flag(name string) bool {
	switch v := c.body[name].(type) {
	case bool:
		return v
	case string:
		return v == "true" || v == "1"
	}
	return false
}

const apiTime = "2006-01-02T15:04:05.000Z"

func stamp(t time.Time) string { return t.UTC().Format(apiTime) }

func stampOrNil(t *time.Time) any {
	if t == nil {
		return nil
	}
	return stamp(*t)
}

func dateOrNil(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UTC().Format(time.DateOnly)
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// parseTime reads the spellings that clients are known to send; one without a
// zone is UTC.
func parseTime(s string) (time.Time, bool) {
	s = strings.Join(strings.Fields(s), " ")
	for _, layout := range []string{
		"2006-01-02 15:04:05 -0700", time.RFC3339Nano, "2006-01-02 15:04:05 MST",
		"2006-01-02 03:04:05 pm", "2006-01-02 03:04:05 PM", time.DateTime, "2006-01-02T15:04:05", time.DateOnly,
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Truncate(time.Millisecond), true
		}
	}
	return time.Time{}, false
}

func (s *Sim) oauthToken(c *call) reply {
	refuse := func(code, text string) reply {
		return reply{status: http.StatusUnauthorized, body: map[string]any{"error": code, "error_description": text}}
	}
	if c.str("grant_type") != "client_credentials" {
		return reply{status: http.StatusBadRequest, body: map[string]any{"error": "unsupported_grant_type"}}
	}
	id, secret := c.str("client_id"), c.str("client_secret")
	if u, p, ok := c.r.BasicAuth(); ok {
		id, secret = u, p
	}
	for _, a := range s.st.Apps {
		if a.UID == id && a.Secret == secret && id != "" {
			now := s.now()
			tok := newID()
			s.st.Bearers[tok] = &bearer{App: a.UID, Scopes: c.str("scope"), ExpiresAt: now.Add(2 * time.Hour)}
			return reply{status: http.StatusOK, body: map[string]any{
				"access_token": tok, "token_type": "Bearer", "expires_in": 7200, "scope": c.str("scope"), "created_at": now.Unix(),
			}}
		}
	}
	return refuse("invalid_client", "Client authentication failed")
}
