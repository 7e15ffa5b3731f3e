package credly

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// issueFields are the fields that an issue takes.
func issueFields() []string {
	return []string{
		"recipient_email", "issued_to_first_name", "issued_to_middle_name", "issued_to_last_name", "badge_template_id", "issued_at",
		"issuer_earner_id", "locale", "suppress_badge_notification_email", "expires_at", "country_name", "state_or_province",
		"user_id", "evidence", "duplicate_behavior", "group_tag",
	}
}

// locales are the documented ones.
func locales() []string {
	return []string{"en", "fr", "de", "ko", "ja", "zh-CN", "pt", "es-ES", "es-US", "fr-CA", "pt-BR"}
}

// plan is an issue that was found to be in order and is not carried out yet.
type plan struct {
	badge *Badge
	old   *Badge // the badge that it replaces
	skip  bool   // old is the same already
}

// issueBadge makes a badge, or says why not.
func (s *Sim) issueBadge(c *call) reply {
	p, deny := s.planIssue(c, nil)
	if deny != nil {
		return *deny
	}
	return ok(http.StatusCreated, s.badgeJSON(c, s.carryOut(p)))
}

// planIssue checks an issue against what is there and what earlier is about to
// make.
func (s *Sim) planIssue(c *call, earlier []plan) (plan, *reply) {
	t, deny := s.usable(c)
	if deny != nil {
		return plan{}, deny
	}
	b, bad := s.badgeFrom(c, t)
	s.unknown(c, issueFields(), &bad)
	behaviour := c.choice("duplicate_behavior", []string{"deny", "allow", "replace"}, &bad)
	if len(bad) > 0 {
		out := s.invalid(bad)
		return plan{}, &out
	}
	if t.AllowDuplicates || behaviour == "allow" {
		return plan{badge: b}, nil
	}
	among := inOrder(append(s.reachedBy(b.Email, s.earner(b)), s.st.byEarner[b.EarnerID]...))
	for _, p := range earlier {
		among = append(among, p.badge)
	}
	dup := s.duplicate(b, among)
	if dup == nil {
		return plan{badge: b}, nil
	}
	if behaviour == "replace" && s.byID[dup.ID] == dup && dup.State != Revoked {
		return s.planReplacement(b, dup), nil
	}
	text := s.opt.DuplicateMessage
	if text == "" {
		text = "User already has this badge"
	}
	out := refused(text)
	return plan{}, &out
}

// usable is the template that a request names, if badges can be made of it.
func (s *Sim) usable(c *call) (*Template, *reply) {
	t := s.template(c.str("badge_template_id"))
	if t != nil && t.OrgID == c.org.ID && (t.State == "active" || t.State == "draft" && s.opt.DraftsIssue) {
		return t, nil
	}
	if s.opt.UnusableTemplateIs404 && c.str("badge_template_id") != "" {
		out := fail(http.StatusNotFound, "Badge template not found")
		return nil, &out
	}
	// As it was recorded for a blank id, with null for metadata.
	return nil, &reply{status: http.StatusUnprocessableEntity, body: map[string]any{
		"data":     map[string]any{"message": "Invalid or missing Badge Template ID: " + c.str("badge_template_id")},
		"metadata": nil,
	}}
}

// badgeFrom reads the fields of an issue and lists what is wrong with them.
func (s *Sim) badgeFrom(c *call, t *Template) (*Badge, problems) {
	var bad problems
	for _, name := range []string{"recipient_email", "issued_to_first_name", "issued_to_last_name", "issued_at"} {
		if c.str(name) == "" {
			bad.add(name, "can't be blank")
		}
	}
	if e := c.str("recipient_email"); e != "" && !isAddress(e) {
		bad.add("recipient_email", "is invalid")
	}
	now := s.now()
	issued, readable := s.bodyTime(c.str("issued_at"))
	switch {
	case c.str("issued_at") != "" && !readable:
		bad.add("issued_at", "is invalid")
	case issued.After(now) && s.opt.FutureDatesRefused:
		bad.add("issued_at", "can't be in the future")
	}
	locale := c.choice("locale", locales(), &bad)
	if locale == "" {
		locale = "en"
	}
	if id := c.str("user_id"); id != "" && s.account(id) == nil {
		bad.add("user_id", "is invalid")
	}
	b := &Badge{
		ID: newID(), OrgID: c.org.ID, TemplateID: t.ID, State: Pending, Email: c.str("recipient_email"), UserID: c.str("user_id"),
		FirstName: c.str("issued_to_first_name"), MiddleName: c.str("issued_to_middle_name"), LastName: c.str("issued_to_last_name"),
		EarnerID: c.str("issuer_earner_id"), Locale: locale, Public: true, IssuedAt: issued, ExpiresAt: s.expiry(c, t, &bad),
		CreatedAt: now, UpdatedAt: now, SuppressMail: c.flag("suppress_badge_notification_email"),
		Country: c.str("country_name"), StateOrProvince: c.str("state_or_province"), Evidence: s.evidence(c, &bad),
		VisibleAt: now.Add(s.readDelay()),
	}
	if !s.opt.GroupTagIgnored {
		b.GroupTag = c.str("group_tag")
	}
	return b, bad
}

// expiry reads expires_at: null is the template's own, false is never.
func (s *Sim) expiry(c *call, t *Template, bad *problems) *time.Time {
	switch v := c.body["expires_at"].(type) {
	case nil:
		return t.DefaultExpires
	case bool:
		if !v {
			return nil
		}
	case string:
		if at, readable := s.bodyTime(v); readable {
			return &at
		}
		switch v {
		case "":
			return t.DefaultExpires
		case "false":
			return nil
		}
	}
	bad.add("expires_at", "is invalid")
	return nil
}

// evidence reads and checks the evidence of an issue.
func (s *Sim) evidence(c *call, bad *problems) []map[string]any {
	if c.body["evidence"] == nil {
		return nil
	}
	in, isList := c.body["evidence"].([]any)
	if !isList {
		bad.add("evidence", "is invalid")
		return nil
	}
	out := make([]map[string]any, 0, len(in))
	for i, e := range in {
		m, isObject := e.(map[string]any)
		if !isObject {
			bad.add("evidence", fmt.Sprintf("%d is invalid", i))
			continue
		}
		if wrong := evidenceFault(m); wrong != "" && !s.opt.AnyEvidenceType {
			bad.add("evidence", fmt.Sprintf("%d %s", i, wrong))
			continue
		}
		if id, _ := m["id"].(string); id == "" {
			m["id"] = newID()
		}
		out = append(out, m)
	}
	return out
}

// evidenceFault is what is wrong with a piece of evidence, "" for nothing.
func evidenceFault(m map[string]any) string {
	text := func(name string) string { v, _ := m[name].(string); return strings.TrimSpace(v) }
	switch m["type"] {
	case "UrlEvidence":
		if text("name") == "" {
			return "name can't be blank"
		}
		if !isWebAddress(text("value")) {
			return "value is invalid"
		}
	case "IdEvidence":
		if text("title") == "" {
			return "title can't be blank"
		}
	case "TextEvidence":
		if text("description") == "" {
			return "description can't be blank"
		}
		if utf8.RuneCountInString(text("description")) > 350 {
			return "description is too long (maximum is 350 characters)"
		}
	case "KeyValueEvidence":
		if text("name") == "" {
			return "name can't be blank"
		}
		if v, isList := m["values"].([]any); !isList || len(v) == 0 {
			return "values can't be blank"
		}
	default:
		return "type is not included in the list"
	}
	return ""
}

// duplicate is the badge among these that makes b one.
func (s *Sim) duplicate(b *Badge, among []*Badge) *Badge {
	now := s.now()
	for _, o := range among {
		if o.TemplateID != b.TemplateID || o.State == Revoked && !s.opt.RevokedStillDuplicate || o.Replacement != "" || o.State == Replaced ||
			o.State == Rejected && s.opt.RejectedMayRepeat || o.CreatedAt.Add(s.opt.DuplicateDelay).After(now) {
			continue
		}
		if s.same(b, o) {
			return o
		}
	}
	return nil
}

// same says whether two badges of one template go to one person.
func (s *Sim) same(b, o *Badge) bool {
	if s.opt.DuplicateByDate {
		expiry := b.ExpiresAt != nil && o.ExpiresAt != nil && b.ExpiresAt.Equal(*o.ExpiresAt)
		return s.sameEmail(o.Email, b.Email) && (b.IssuedAt.Equal(o.IssuedAt) || expiry)
	}
	if s.sameEmail(o.Email, b.Email) || b.EarnerID != "" && o.EarnerID == b.EarnerID {
		return true
	}
	u := s.earner(b)
	return u != nil && s.earner(o) == u
}

// planReplacement is what duplicate_behavior=replace makes of a duplicate: the
// date of issue stays, and the address changes only for the same
// issuer_earner_id while the badge is pending.
func (s *Sim) planReplacement(b, old *Badge) plan {
	b.IssuedAt = old.IssuedAt
	if b.EarnerID == "" || b.EarnerID != old.EarnerID || old.State != Pending {
		b.Email, b.UserID = old.Email, old.UserID
	}
	return plan{badge: b, old: old, skip: sameContent(b, old)}
}

// sameContent says whether a replacement would change nothing.
func sameContent(a, b *Badge) bool {
	expires := a.ExpiresAt == nil && b.ExpiresAt == nil || a.ExpiresAt != nil && b.ExpiresAt != nil && a.ExpiresAt.Equal(*b.ExpiresAt)
	words := func(b *Badge) []string {
		out := []string{b.Email, b.FirstName, b.MiddleName, b.LastName, b.EarnerID, b.GroupTag, b.Country, b.StateOrProvince}
		for _, e := range b.Evidence {
			out = append(out, fmt.Sprint(e["type"], e["name"], e["title"], e["value"], e["values"], e["description"]))
		}
		return out
	}
	return expires && slices.Equal(words(a), words(b))
}

// carryOut makes a planned badge, with its event and its mail, and returns the
// badge that the caller is shown.
func (s *Sim) carryOut(p plan) *Badge {
	switch {
	case p.skip:
		return p.old
	case p.old != nil:
		s.replaceWith(p.old, p.badge)
		return p.badge
	}
	b := p.badge
	if u := s.earner(b); s.opt.AutoAccept && u != nil {
		b.State, b.StateUpdatedAt, b.UserID = Accepted, &b.CreatedAt, u.ID
	}
	s.addBadge(b)
	s.event(b.OrgID, "badge.created", b, nil)
	s.mailIssued(b)
	return b
}
