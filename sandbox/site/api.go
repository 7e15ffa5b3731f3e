package site

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// refusal is one of the contract's errors.
type refusal struct {
	status  int
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
}

func (r *refusal) Error() string { return r.Code + ": " + r.Message }

func refused(status int, code, message string) *refusal {
	return &refusal{status: status, Code: code, Message: message}
}

func invalid(field, message string) *refusal {
	return &refusal{status: http.StatusUnprocessableEntity, Code: "invalid", Message: message, Field: field}
}

// call is one signed call that was found genuine.
type call struct {
	r    *http.Request
	body []byte
}

// api serves the contract's routes; the request's path is the REST route.
func (s *Site) api() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]func(*call) (int, any, *refusal){
		"GET /badgebridge/v1/site":                   s.getSite,
		"GET /badgebridge/v1/badges":                 s.listBadges,
		"PUT /badgebridge/v1/badges/by-key/{key}":    s.putBadge,
		"GET /badgebridge/v1/members":                s.listMembers,
		"GET /badgebridge/v1/awards":                 s.listAwards,
		"POST /badgebridge/v1/awards":                s.grantAward,
		"GET /badgebridge/v1/awards/changes":         s.listChanges,
		"GET /badgebridge/v1/awards/by-key/{key}":    s.awardByKey,
		"GET /badgebridge/v1/awards/{entry}":         s.getAward,
		"POST /badgebridge/v1/awards/{entry}/revoke": s.revokeAward,
		"GET /badgebridge/v1/old-credly":             s.oldCredly,
		"DELETE /badgebridge/v1/pairing":             s.cutPairing,
		"PUT /badgebridge/v1/pairing/key":            s.replaceKey,
	} {
		mux.HandleFunc(pattern, s.signed(h))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		inactive := s.inactive
		s.mu.Unlock()
		_, pattern := mux.Handler(r)
		if inactive || pattern == "" || s.cfg.Contract == "1" && (strings.HasPrefix(pattern, "PUT ") || strings.HasSuffix(pattern, "/old-credly")) {
			answer(w, http.StatusNotFound, map[string]any{ // WordPress's own words
				"code": "rest_no_route", "message": "No route was found matching the URL and request method.", "data": map[string]int{"status": 404},
			})
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// signed lets only genuine calls for this very site through, one at a time.
func (s *Site) signed(h func(*call) (int, any, *refusal)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			answer(w, http.StatusUnprocessableEntity, invalid("", "The body can't be read."))
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if code := s.verify(r, body); code != "" {
			words := map[string]string{
				"unsigned":      "The call is not signed.",
				"bad_signature": "The signature does not fit the key, or was used before.",
				"clock":         "The time of the signature is more than five minutes off the site's clock.",
			}
			answer(w, http.StatusUnauthorized, refused(http.StatusUnauthorized, code, words[code]))
			return
		}
		w.Header().Set("Badgebridge-Site", s.st.UUID)
		w.Header().Set("Badgebridge-Home", s.st.Home)
		p := s.st.Pairing
		if r.Header.Get("Badgebridge-Site") != s.st.UUID || r.Header.Get("Badgebridge-Home") != s.st.Home || p.UUID != s.st.UUID || p.Home != s.st.Home {
			answer(w, http.StatusConflict, refused(http.StatusConflict, "another_site", "This is "+s.st.Home+", not the site that was paired."))
			return
		}
		status, out, no := h(&call{r: r, body: body})
		if no != nil {
			answer(w, no.status, no)
			return
		}
		if r.Method != http.MethodGet {
			if err := s.save(); err != nil {
				s.cfg.Log.Error("the simulated site can't keep its state", "error", err)
			}
			s.poke()
		}
		answer(w, status, out)
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Cache-Control", "no-store")
	if v == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the client went away
}

func (s *Site) getSite(*call) (int, any, *refusal) {
	warnings := []string{}
	if s.st.Provider == "none" {
		warnings = append(warnings, "Neither BadgeOS nor GamiPress is active.")
	}
	return http.StatusOK, map[string]any{
		"contract": s.cfg.Contract, "contract_least": "1", "uuid": s.st.UUID, "home_url": s.st.Home, "name": s.cfg.Name, "timezone": s.cfg.Timezone,
		"provider":       map[string]string{"id": s.st.Provider, "version": map[bool]string{true: "simulated"}[s.st.Provider != "none"]},
		"plugin_version": "simulated", "feed_epoch": s.st.Epoch, "oidc_issuer": s.Issuer(), "warnings": warnings,
	}, nil
}

// window is what "after" and "limit" ask for.
func window(q url.Values) (after int64, limit int, no *refusal) {
	if v := q.Get("after"); v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < 0 {
			return 0, 0, invalid("after", "It is not the end of a page of this list.")
		}
		after = n
	}
	limit, no = pageSize(q)
	return after, limit, no
}

func pageSize(q url.Values) (int, *refusal) {
	v := q.Get("limit")
	if v == "" {
		return 200, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > 500 {
		return 0, invalid("limit", "It must be a number from 1 to 500.")
	}
	return n, nil
}

// keyset cuts a page of rows with ids beyond after; rows are in order of id.
func keyset[T any](rows []T, id func(T) int64, after int64, limit int) (page []T, next string, more bool) {
	page = make([]T, 0, min(limit, len(rows)))
	for _, row := range rows {
		if id(row) <= after {
			continue
		}
		if len(page) == limit {
			return page, next, true
		}
		page = append(page, row)
		next = strconv.FormatInt(id(row), 10)
	}
	if next == "" {
		next = strconv.FormatInt(after, 10)
	}
	return page, next, false
}

func (s *Site) provided() *refusal {
	if s.st.Provider == "none" {
		return refused(http.StatusServiceUnavailable, "no_provider", "Neither BadgeOS nor GamiPress is active.")
	}
	return nil
}

func (s *Site) listBadges(c *call) (int, any, *refusal) {
	after, limit, no := window(c.r.URL.Query())
	if no == nil {
		no = s.provided()
	}
	if no != nil {
		return 0, nil, no
	}
	page, next, more := keyset(s.st.Badges, func(b Badge) int64 { return b.ID }, after, limit)
	badges := make([]wireBadge, 0, len(page))
	for _, b := range page {
		badges = append(badges, s.wireBadge(b))
	}
	return http.StatusOK, map[string]any{"badges": badges, "next": next, "more": more}, nil
}

func (s *Site) listMembers(c *call) (int, any, *refusal) {
	q := c.r.URL.Query()
	after, limit, no := window(q)
	if no != nil {
		return 0, nil, no
	}
	rows := s.st.Members
	if address := q.Get("email"); q.Has("email") {
		rows = nil
		if m := s.st.memberByEmail(address); m != nil {
			rows = []Member{*m}
		}
	}
	page, next, more := keyset(rows, func(m Member) int64 { return m.ID }, after, limit)
	members := make([]wireMember, 0, len(page))
	for _, m := range page {
		members = append(members, m.wire())
	}
	return http.StatusOK, map[string]any{"members": members, "next": next, "more": more}, nil
}

func (s *Site) listAwards(c *call) (int, any, *refusal) {
	after, limit, no := window(c.r.URL.Query())
	if no == nil {
		no = s.provided()
	}
	if no != nil {
		return 0, nil, no
	}
	page, next, more := keyset(s.st.Entries, func(e entry) int64 { return e.ID }, after, limit)
	awards := make([]*wireAward, 0, len(page))
	for _, e := range page {
		if w := s.wireAward(e); w != nil {
			awards = append(awards, w)
		}
	}
	return http.StatusOK, map[string]any{"awards": awards, "next": next, "more": more, "changes_from": s.st.cursor()}, nil
}

func (s *Site) getAward(c *call) (int, any, *refusal) {
	id, err := strconv.ParseInt(c.r.PathValue("entry"), 10, 64)
	if err == nil {
		if e := s.st.entry(id); e != nil {
			if w := s.wireAward(*e); w != nil {
				return http.StatusOK, w, nil
			}
		}
	}
	return 0, nil, refused(http.StatusNotFound, "not_found", "There is no such award.")
}

func (s *Site) awardByKey(c *call) (int, any, *refusal) {
	if g, ok := s.st.Grants[c.r.PathValue("key")]; ok {
		if w := s.granted(g); w != nil {
			return http.StatusOK, w, nil
		}
	}
	return 0, nil, refused(http.StatusNotFound, "not_found", "There is no award with this key.")
}

// granted is the award that was made under a key, nil when it is gone. The
// fingerprint tells it from one that took its number after a restore.
func (s *Site) granted(g grant) *wireAward {
	if e := s.st.entry(g.Entry); e != nil && e.fingerprint() == g.Fingerprint {
		return s.wireAward(*e)
	}
	return nil
}

func (s *Site) grantAward(c *call) (int, any, *refusal) {
	if no := s.provided(); no != nil {
		return 0, nil, no
	}
	var in struct {
		Key      string `json:"key"`
		BadgeID  int64  `json:"badge_id"`
		Email    string `json:"email"`
		IssuedOn string `json:"issued_on"`
		PageURL  string `json:"page_url"`
	}
	if err := json.Unmarshal(c.body, &in); err != nil {
		return 0, nil, invalid("", "The body is no JSON object of the contract.")
	}
	if n := len(in.Key); n < 16 || n > 200 {
		return 0, nil, invalid("key", "It must have 16 to 200 characters.")
	}
	if g, ok := s.st.Grants[in.Key]; ok {
		if w := s.granted(g); w != nil {
			return http.StatusOK, w, nil
		}
		return 0, nil, refused(http.StatusConflict, "revoked", "It was awarded under this key and taken back since.")
	}
	on, err := time.Parse(time.RFC3339, in.IssuedOn)
	if err != nil || !strings.HasSuffix(in.IssuedOn, "Z") {
		return 0, nil, invalid("issued_on", "It must be an RFC 3339 time in UTC, with Z.")
	}
	if in.Email == "" || len(in.Email) > 320 || !strings.Contains(in.Email, "@") {
		return 0, nil, invalid("email", "It is no e-mail address.")
	}
	if len(in.PageURL) > 2000 {
		return 0, nil, invalid("page_url", "It must have at most 2000 characters.")
	}
	b := s.st.badge(in.BadgeID)
	if b == nil || b.Draft {
		return 0, nil, refused(http.StatusNotFound, "no_such_badge", "There is no published badge with this number.")
	}
	m := s.st.memberByEmail(in.Email)
	if m == nil {
		return 0, nil, refused(http.StatusNotFound, "no_such_member", "No member has this address.")
	}
	e := s.insert(b.ID, m.ID, on, in.Key, "Awarded by the gateway", true)
	s.st.Grants[in.Key] = grant{Entry: e.ID, Fingerprint: e.fingerprint(), Badge: b.ID, Member: m.ID}
	return http.StatusCreated, s.wireAward(e), nil
}

func (s *Site) revokeAward(c *call) (int, any, *refusal) {
	var in struct {
		Fingerprint string `json:"fingerprint"`
		Reason      string `json:"reason"`
	}
	if err := json.Unmarshal(c.body, &in); err != nil || len(in.Fingerprint) != 16 {
		return 0, nil, invalid("fingerprint", "It must be 16 hex digits.")
	}
	if len([]rune(in.Reason)) > 1000 {
		return 0, nil, invalid("reason", "It must have at most 1000 characters.")
	}
	id, _ := strconv.ParseInt(c.r.PathValue("entry"), 10, 64)
	if e := s.st.entry(id); e != nil {
		if e.fingerprint() != in.Fingerprint {
			return 0, nil, refused(http.StatusConflict, "another_award", "The entry is another award.")
		}
		s.remove(id, "revoked", in.Reason)
		return http.StatusOK, map[string]bool{"revoked": true}, nil
	}
	for i := len(s.st.Feed) - 1; i >= 0; i-- {
		if f := s.st.Feed[i]; f.Entry == id && f.Kind == "revoked" {
			if f.Fingerprint != in.Fingerprint {
				return 0, nil, refused(http.StatusConflict, "another_award", "The entry was another award.")
			}
			return http.StatusOK, map[string]bool{"revoked": true}, nil
		}
	}
	return 0, nil, refused(http.StatusNotFound, "not_found", "There is no such award.")
}

// replaceKey takes the key that the gateway has made anew.
func (s *Site) replaceKey(c *call) (int, any, *refusal) {
	var in struct {
		KeyID  string `json:"key_id"`
		Secret string `json:"secret"`
	}
	if err := json.Unmarshal(c.body, &in); err != nil || in.KeyID == "" || len(in.KeyID) > 128 {
		return 0, nil, invalid("key_id", "It is no name of a key.")
	}
	if len(in.Secret) < 32 || len(in.Secret) > 200 {
		return 0, nil, invalid("secret", "It must have 32 to 200 characters.")
	}
	p := *s.st.Pairing
	p.KeyID, p.Secret = in.KeyID, in.Secret
	s.st.Pairing = &p
	return http.StatusNoContent, nil, nil
}

func (s *Site) cutPairing(*call) (int, any, *refusal) {
	s.st.Pairing, s.st.Queue = nil, nil
	return http.StatusNoContent, nil, nil
}
