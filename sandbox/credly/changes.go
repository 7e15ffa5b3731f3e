package credly

import (
	"net/http"
	"time"
)

func (s *Sim) deleteBadge(c *call) reply {
	b := s.badge(c)
	if b == nil {
		return s.noBadge(c)
	}
	s.dropBadge(b)
	s.event(b.OrgID, "badge.deleted", b, nil)
	return reply{status: http.StatusNoContent}
}

func (s *Sim) revokeBadge(c *call) reply {
	b := s.badge(c)
	if b == nil {
		return s.noBadge(c)
	}
	var bad problems
	if c.str("reason") == "" {
		bad.add("reason", "can't be blank")
	}
	s.unknown(c, []string{"reason", "suppress_revoke_notification_email"}, &bad)
	switch {
	case len(bad) > 0:
		return s.invalid(bad)
	case b.State == Revoked && !s.opt.RevokeTwiceOK:
		return refused("Badge has already been revoked")
	case b.Replacement != "" && !s.opt.ReplacedMayBeRevoked:
		return refused("A replaced badge cannot be revoked")
	case b.State == Rejected && s.opt.RejectedRefusesRevoke:
		return refused("A rejected badge cannot be revoked")
	}
	if b.State != Revoked {
		s.revoke(b, c.str("reason"))
		if !c.flag("suppress_revoke_notification_email") {
			s.mail(b, MailRevoked)
		}
	}
	status := http.StatusOK
	if s.opt.RevokeAnswers201 {
		status = http.StatusCreated
	}
	return ok(status, s.badgeJSON(c, b))
}

func (s *Sim) revoke(b *Badge, reason string) {
	s.alter(b, func() { b.RevokeReason = reason })
	s.setState(b, Revoked)
}

func (s *Sim) setState(b *Badge, to string) {
	s.alter(b, func() {
		now := s.now()
		b.State, b.StateUpdatedAt = to, &now
	})
	s.event(b.OrgID, "badge.state.changed", b, nil)
}

// version is a badge as reads show it until a time, under StaleChanges.
type version struct {
	until time.Time
	badge *Badge
}

// alter changes a badge.
func (s *Sim) alter(b *Badge, f func()) {
	now := s.now()
	if d := s.readDelay(); d > 0 && s.opt.StaleChanges {
		was := *b
		s.stale[b.ID] = append(s.stale[b.ID], version{now.Add(d), &was})
	}
	f()
	b.UpdatedAt = now
}

// seen is the badge as reads show it now.
func (s *Sim) seen(b *Badge) *Badge {
	for _, v := range s.stale[b.ID] {
		if v.until.After(s.now()) {
			return v.badge
		}
	}
	return b
}

// replaceFields are the fields that a replacement takes.
func replaceFields() []string {
	return []string{
		"badge_template_id", "issued_at", "issued_to_first_name", "issued_to_middle_name", "issued_to_last_name", "issuer_earner_id",
		"expires_at", "country_name", "state_or_province", "evidence", "notification_message",
	}
}

func (s *Sim) replaceBadge(c *call) reply {
	old := s.badge(c)
	if old == nil {
		return s.noBadge(c)
	}
	var bad problems
	s.unknown(c, replaceFields(), &bad)
	if old.Replacement != "" {
		return s.alreadyReplaced(old)
	}
	if old.State == Revoked && !s.opt.RevokedMayBeReplaced {
		return refused("Validation failed: A revoked badge cannot be replaced")
	}
	t, deny := s.usable(c)
	if deny != nil {
		return *deny
	}
	// What a replacement leaves out is taken from the badge that it replaces;
	// the address can't be changed.
	for name, v := range map[string]string{
		"issued_to_first_name": old.FirstName, "issued_to_middle_name": old.MiddleName, "issued_to_last_name": old.LastName,
		"issuer_earner_id": old.EarnerID,
	} {
		if c.str(name) == "" {
			c.body[name] = v
		}
	}
	c.body["recipient_email"], c.body["user_id"] = old.Email, old.UserID
	b, more := s.badgeFrom(c, t)
	if bad = append(bad, more...); len(bad) > 0 {
		return s.invalid(bad)
	}
	s.replaceWith(old, b)
	v := s.badgeJSON(c, b)
	if !s.opt.ReplaceShowsOneURL { // the documented sample has both
		v["accept_badge_url"], v["badge_url"] = acceptURL(c, b), badgeURL(c, b)
	}
	return ok(http.StatusCreated, v)
}

// alreadyReplaced names the badge at the end of the chain, to try again with.
func (s *Sim) alreadyReplaced(old *Badge) reply {
	last := old
	for s.byID[last.Replacement] != nil {
		last = s.byID[last.Replacement]
	}
	out := refused("Validation failed: This badge cannot be replaced because it has already been replaced.")
	if s.opt.AlreadyReplacedIs409 {
		out.status = http.StatusConflict
	}
	out.body.(map[string]any)["metadata"] = map[string]any{"current_badge_id": last.ID}
	return out
}

// replaceWith puts b in the place of old, in old's state.
func (s *Sim) replaceWith(old, b *Badge) {
	b.Replaces, b.Public, b.Locale = old.ID, old.Public, old.Locale
	b.State, b.StateUpdatedAt, b.UserID = old.State, old.StateUpdatedAt, old.UserID
	if old.State == Revoked {
		b.State, b.StateUpdatedAt = Pending, nil
	}
	s.alter(old, func() {
		old.Replacement = b.ID
		if s.opt.ReplacedState {
			now := s.now()
			old.State, old.StateUpdatedAt = Replaced, &now
		}
	})
	s.addBadge(b)
	if s.opt.ReplacedState {
		s.event(b.OrgID, "badge.state.changed", old, nil)
	}
	s.event(b.OrgID, "badge.created", b, nil)
	if !b.SuppressMail {
		s.mail(b, MailReplaced)
	}
}
