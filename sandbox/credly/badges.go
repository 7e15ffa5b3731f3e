package credly

import (
	"encoding/base64"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
)

var badgeOrder = map[string]field[*Badge]{
	"issued_at":  byTime(func(b *Badge) time.Time { return b.IssuedAt }),
	"created_at": byTime(func(b *Badge) time.Time { return b.CreatedAt }),
	"state_updated_at": {
		cmp:  func(a, b *Badge) int { return a.StateUpdatedAt.Compare(*b.StateUpdatedAt) },
		null: func(b *Badge) bool { return b.StateUpdatedAt == nil },
	},
}

func (s *Sim) badgeFilters() map[string]keep[*Badge] {
	return map[string]keep[*Badge]{
		"query": func(b *Badge, w string) bool {
			return contains(b.FirstName+" "+b.LastName, w) || contains(b.Email, w)
		},
		"state":            func(b *Badge, w string) bool { return oneOf(w, b.State) },
		"recipient_email":  func(b *Badge, w string) bool { return s.sameEmail(b.Email, w) },
		"issuer_earner_id": func(b *Badge, w string) bool { return b.EarnerID == w && w != "" },
		"recipient_email_all": func(b *Badge, w string) bool {
			if s.sameEmail(b.Email, w) {
				return true
			}
			u := s.user(w)
			return u != nil && s.user(b.Email) == u
		},
		"user_id":               func(b *Badge, w string) bool { u := s.user(b.Email); return u != nil && u.ID == w },
		"badge_template_id":     func(b *Badge, w string) bool { return oneOf(w, b.TemplateID) },
		"badge_templates[id]":   func(b *Badge, w string) bool { return oneOf(w, b.TemplateID) },
		"badge_templates[name]": func(b *Badge, w string) bool { return contains(s.st.templates[b.TemplateID].Name, w) },
		"badge_templates[reporting_tags]": func(b *Badge, w string) bool {
			return anyOf(w, s.st.templates[b.TemplateID].ReportingTags)
		},
		"public":              func(b *Badge, w string) bool { return w == "true" == b.Public },
		"expires_at_date_min": func(b *Badge, w string) bool { return dayRange(b.ExpiresAt, w, false) },
		"expires_at_date_max": func(b *Badge, w string) bool { return dayRange(b.ExpiresAt, w, true) },
	}
}

func (s *Sim) sameEmail(a, b string) bool {
	if s.opt.CaseSensitiveEmail {
		return a == b
	}
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

// user is the account that owns an address.
func (s *Sim) user(address string) *User {
	return s.st.emails[strings.ToLower(strings.TrimSpace(address))]
}

// visible are the organization's badges that reads show.
func (s *Sim) visible(c *call, fs map[string]string) []*Badge {
	now := s.now()
	all := s.st.Badges
	if t := fs["badge_template_id"]; t != "" && !strings.Contains(t, ",") {
		all = s.st.byTemplate[t]
	}
	out := make([]*Badge, 0, len(all))
	for _, b := range all {
		if b.OrgID != c.org.ID || b.VisibleAt.After(now) {
			continue
		}
		if b.State == Revoked && s.opt.HideRevokedByDefault && fs["state"] == "" {
			continue
		}
		out = append(out, b)
	}
	return out
}

func (s *Sim) search(c *call) ([]*Badge, *reply) {
	q := c.r.URL.Query()
	return choose(s, s.visible(c, filters(q)), q, s.badgeFilters(), s.order())
}

func (s *Sim) order() map[string]field[*Badge] {
	m := map[string]field[*Badge]{"badge_templates[name]": byText(func(b *Badge) string { return s.st.templates[b.TemplateID].Name })}
	for k, v := range badgeOrder {
		m[k] = v
	}
	return m
}

func (s *Sim) listBadges(c *call) reply {
	found, refuse := s.search(c)
	if refuse != nil {
		return *refuse
	}
	return page(s, c, found, func(b *Badge) any { return s.badgeJSON(c, b) })
}

// highVolume is the export search: its pages are linked by a cursor alone.
func (s *Sim) highVolume(c *call) reply {
	found, refuse := s.search(c)
	if refuse != nil {
		return *refuse
	}
	q := c.r.URL.Query()
	raw, _ := base64.RawURLEncoding.DecodeString(q.Get("cursor"))
	from, _ := strconv.Atoi(string(raw))
	from = min(max(from, 0), len(found))
	to := min(from+perPage, len(found))
	var next any
	if to < len(found) {
		q.Set("cursor", base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to))))
		if s.opt.HighVolumeResetsFormat {
			q.Set("badge_format", "default")
		}
		next = c.base + "/api" + c.r.URL.Path + "?" + q.Encode()
	}
	data := make([]any, 0, to-from)
	for _, b := range found[from:to] {
		v := s.badgeJSON(c, b)
		if q.Get("badge_format") == "minimal" {
			v = minimal(v)
		}
		data = append(data, v)
	}
	return reply{status: http.StatusOK, body: map[string]any{"data": data, "metadata": map[string]any{"next_page_url": next}}}
}

func (s *Sim) badge(c *call) *Badge {
	b := s.byID[c.r.PathValue("id")]
	if b == nil || b.OrgID != c.org.ID {
		return nil
	}
	return b
}

func (s *Sim) getBadge(c *call) reply {
	b := s.badge(c)
	if b == nil || b.VisibleAt.After(s.now()) {
		return fail(http.StatusNotFound, "Badge not found")
	}
	return ok(http.StatusOK, s.badgeJSON(c, b))
}

// issueBadge makes a badge, or says why not.
func (s *Sim) issueBadge(c *call) reply {
	t := s.st.templates[c.str("badge_template_id")]
	if t == nil || t.OrgID != c.org.ID || t.State != "active" {
		return reply{status: http.StatusUnprocessableEntity, body: map[string]any{
			"data":     map[string]any{"message": "Invalid or missing Badge Template ID: " + c.str("badge_template_id")},
			"metadata": nil,
		}}
	}
	b, bad := s.badgeFrom(c, t)
	if len(bad) > 0 {
		return invalid(bad)
	}
	if dup := s.duplicate(b); dup != nil && !t.AllowDuplicates {
		switch c.str("duplicate_behavior") {
		case "allow":
		case "replace":
			return s.replaceWith(c, dup, b)
		default:
			text := s.opt.DuplicateMessage
			if text == "" {
				text = "User already has this badge"
			}
			return fail(http.StatusUnprocessableEntity, text)
		}
	}
	if s.opt.AutoAccept && s.user(b.Email) != nil {
		b.State, b.StateUpdatedAt = Accepted, &b.CreatedAt
	}
	s.addBadge(b)
	s.event(b.OrgID, "badge.created", b, nil)
	return ok(http.StatusCreated, s.badgeJSON(c, b))
}

// badgeFrom reads the fields of an issue and lists what is wrong with them.
func (s *Sim) badgeFrom(c *call, t *Template) (*Badge, []problem) {
	var bad []problem
	wrong := func(attribute, message string) {
		label := strings.ReplaceAll(attribute, "_", " ")
		bad = append(bad, problem{attribute, strings.ToUpper(label[:1]) + label[1:], []string{message}})
	}
	for _, name := range []string{"recipient_email", "issued_to_first_name", "issued_to_last_name", "issued_at"} {
		if c.str(name) == "" {
			wrong(name, "can't be blank")
		}
	}
	if e := c.str("recipient_email"); e != "" {
		if a, err := mail.ParseAddress(e); err != nil || a.Address != e {
			wrong("recipient_email", "is invalid")
		}
	}
	issued, okTime := parseTime(c.str("issued_at"))
	if !okTime && c.str("issued_at") != "" {
		wrong("issued_at", "is invalid")
	}
	locale := c.str("locale")
	if locale == "" {
		locale = "en"
	}
	if !slices.Contains([]string{"en", "fr", "de", "ko", "ja", "zh-CN", "pt", "es-ES", "es-US", "fr-CA", "pt-BR"}, locale) {
		wrong("locale", "is not included in the list")
	}
	expires := t.DefaultExpires
	switch v := c.body["expires_at"].(type) {
	case bool:
		if !v {
			expires = nil
		}
	case string:
		if at, ok := parseTime(v); ok {
			expires = &at
		} else if v == "false" {
			expires = nil
		} else if v != "" {
			wrong("expires_at", "is invalid")
		}
	}
	now := s.now()
	return &Badge{
		ID: newID(), OrgID: c.org.ID, TemplateID: t.ID, State: Pending, Email: c.str("recipient_email"),
		FirstName: c.str("issued_to_first_name"), MiddleName: c.str("issued_to_middle_name"), LastName: c.str("issued_to_last_name"),
		EarnerID: c.str("issuer_earner_id"), Locale: locale, Public: true, IssuedAt: issued, ExpiresAt: expires,
		CreatedAt: now, UpdatedAt: now, SuppressMail: c.flag("suppress_badge_notification_email"),
		Country: c.str("country_name"), StateOrProvince: c.str("state_or_province"), Evidence: evidence(c.body["evidence"]),
		VisibleAt: now.Add(s.readDelay()),
	}, bad
}

func evidence(v any) []map[string]any {
	in, _ := v.([]any)
	var out []map[string]any
	for _, e := range in {
		if m, ok := e.(map[string]any); ok {
			if _, has := m["id"]; !has {
				m["id"] = newID()
			}
			out = append(out, m)
		}
	}
	return out
}

// duplicate is an earlier badge that makes b one: the same template and the
// same address, account or issuer_earner_id.
func (s *Sim) duplicate(b *Badge) *Badge {
	for _, o := range s.st.byTemplate[b.TemplateID] {
		if o.State == Revoked || o.Replacement != "" || o.State == Rejected && s.opt.RejectedMayRepeat {
			continue
		}
		u := s.user(b.Email)
		if s.sameEmail(o.Email, b.Email) || u != nil && s.user(o.Email) == u || b.EarnerID != "" && o.EarnerID == b.EarnerID {
			return o
		}
	}
	return nil
}

func (s *Sim) deleteBadge(c *call) reply {
	b := s.badge(c)
	if b == nil {
		return fail(http.StatusNotFound, "Badge not found")
	}
	s.dropBadge(b)
	s.event(b.OrgID, "badge.deleted", b, nil)
	return reply{status: http.StatusNoContent}
}

func (s *Sim) revokeBadge(c *call) reply {
	b := s.badge(c)
	switch {
	case b == nil:
		return fail(http.StatusNotFound, "Badge not found")
	case c.str("reason") == "":
		return invalid([]problem{{"reason", "Reason", []string{"can't be blank"}}})
	case b.State == Revoked && !s.opt.RevokeTwiceOK:
		return fail(http.StatusUnprocessableEntity, "Badge has already been revoked")
	case b.Replacement != "":
		return fail(http.StatusUnprocessableEntity, "A replaced badge cannot be revoked")
	}
	if b.State != Revoked {
		b.RevokeReason = c.str("reason")
		s.setState(b, Revoked)
	}
	return ok(http.StatusOK, s.badgeJSON(c, b))
}

func (s *Sim) setState(b *Badge, to string) {
	now := s.now()
	b.State, b.StateUpdatedAt, b.UpdatedAt = to, &now, now
	s.event(b.OrgID, "badge.state.changed", b, nil)
}

func (s *Sim) replaceBadge(c *call) reply {
	old := s.badge(c)
	if old == nil {
		return fail(http.StatusNotFound, "Badge not found")
	}
	// What a replacement leaves out is taken from the badge that it replaces.
	for name, v := range map[string]string{
		"recipient_email": old.Email, "issued_to_first_name": old.FirstName, "issued_to_last_name": old.LastName,
		"issuer_earner_id": old.EarnerID,
	} {
		if c.str(name) == "" {
			c.body[name] = v
		}
	}
	t := s.st.templates[c.str("badge_template_id")]
	if t == nil || t.OrgID != c.org.ID || t.State != "active" {
		return fail(http.StatusUnprocessableEntity, "Invalid or missing Badge Template ID: "+c.str("badge_template_id"))
	}
	b, bad := s.badgeFrom(c, t)
	if len(bad) > 0 {
		return invalid(bad)
	}
	b.Email = old.Email
	return s.replaceWith(c, old, b)
}

func (s *Sim) replaceWith(c *call, old, b *Badge) reply {
	if old.Replacement != "" {
		last := old
		for s.byID[last.Replacement] != nil {
			last = s.byID[last.Replacement]
		}
		out := fail(http.StatusUnprocessableEntity, "Validation failed: This badge cannot be replaced because it has already been replaced.")
		out.body.(map[string]any)["metadata"] = map[string]any{"current_badge_id": last.ID}
		return out
	}
	if old.State == Revoked {
		return fail(http.StatusUnprocessableEntity, "A revoked badge cannot be replaced")
	}
	now := s.now()
	b.State, b.StateUpdatedAt, b.Replaces = old.State, old.StateUpdatedAt, old.ID
	old.Replacement, old.UpdatedAt = b.ID, now
	s.addBadge(b)
	s.event(b.OrgID, "badge.created", b, nil)
	return ok(http.StatusCreated, s.badgeJSON(c, b))
}
