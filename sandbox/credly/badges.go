package credly

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (s *Sim) badgeOrder() map[string]field[*Badge] {
	return map[string]field[*Badge]{
		"issued_at":  byTime(func(b *Badge) time.Time { return b.IssuedAt }),
		"created_at": byTime(func(b *Badge) time.Time { return b.CreatedAt }),
		"state_updated_at": {
			cmp:  func(a, b *Badge) int { return a.StateUpdatedAt.Compare(*b.StateUpdatedAt) },
			null: func(b *Badge) bool { return b.StateUpdatedAt == nil },
		},
		"badge_templates[name]": byText(func(b *Badge) string { return s.st.templates[b.TemplateID].Name }),
	}
}

func (s *Sim) badgeFilters() map[string]keep[*Badge] {
	m := map[string]keep[*Badge]{
		"query": func(b *Badge, w string) bool {
			return contains(b.FirstName+" "+b.LastName, w) || contains(b.Email, w)
		},
		"state":            func(b *Badge, w string) bool { return oneOf(w, b.State) },
		"recipient_email":  func(b *Badge, w string) bool { return s.sameEmail(b.Email, w) && !s.opt.RecipientEmailFilterMisses },
		"issuer_earner_id": func(b *Badge, w string) bool { return b.EarnerID == w && w != "" },
		"recipient_email_all": func(b *Badge, w string) bool {
			if s.sameEmail(b.Email, w) {
				return true
			}
			u := s.user(w)
			return u != nil && s.earner(b) == u
		},
		"user_id":               func(b *Badge, w string) bool { u := s.earner(b); return u != nil && u.ID == w },
		"badge_template_id":     func(b *Badge, w string) bool { return oneOf(w, b.TemplateID) },
		"badge_templates[id]":   func(b *Badge, w string) bool { return oneOf(w, b.TemplateID) },
		"badge_templates[name]": func(b *Badge, w string) bool { return contains(s.st.templates[b.TemplateID].Name, w) },
		"badge_templates[reporting_tags]": func(b *Badge, w string) bool {
			return anyOf(w, s.st.templates[b.TemplateID].ReportingTags)
		},
		"public":              func(b *Badge, w string) bool { return w == "true" == b.Public },
		"expires_at_date_max": func(b *Badge, w string) bool { return dayRange(b.ExpiresAt, w, true) },
	}
	if !s.opt.AnalogousFiltersUnknown {
		maps.Copy(m, analogousFilters())
	}
	return m
}

// analogousFilters are those that nobody has seen, but whose siblings were.
func analogousFilters() map[string]keep[*Badge] {
	m := map[string]keep[*Badge]{
		"expires_at_date_min": func(b *Badge, w string) bool { return dayRange(b.ExpiresAt, w, false) },
	}
	for name, get := range map[string]func(*Badge) *time.Time{
		"issued_at":        func(b *Badge) *time.Time { return &b.IssuedAt },
		"created_at":       func(b *Badge) *time.Time { return &b.CreatedAt },
		"updated_at":       func(b *Badge) *time.Time { return &b.UpdatedAt },
		"state_updated_at": func(b *Badge) *time.Time { return b.StateUpdatedAt },
	} {
		m[name+"_min"] = func(b *Badge, w string) bool { return dayRange(get(b), w, false) }
		m[name+"_max"] = func(b *Badge, w string) bool { return dayRange(get(b), w, true) }
	}
	return m
}

func (s *Sim) sameEmail(a, b string) bool {
	if s.opt.CaseSensitiveEmail {
		return a == b
	}
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

// visible are the organization's badges that reads show.
func (s *Sim) visible(c *call, fs map[string]string) []*Badge {
	now := s.now()
	all := s.candidates(fs)
	out := make([]*Badge, 0, len(all))
	for _, b := range all {
		if b.OrgID != c.org.ID || b.VisibleAt.After(now) {
			continue
		}
		b = s.seen(b)
		if (b.State == Revoked || b.State == Rejected) && s.opt.HideRevokedByDefault && fs["state"] == "" {
			continue
		}
		out = append(out, b)
	}
	return out
}

// candidates are the badges that can pass the filters, by the narrowest index
// that there is.
func (s *Sim) candidates(fs map[string]string) []*Badge {
	if id := fs["issuer_earner_id"]; id != "" {
		return s.st.byEarner[id]
	}
	for _, by := range []string{"recipient_email_all", "recipient_email"} {
		if fs[by] != "" {
			return s.reachedBy(fs[by])
		}
	}
	if t := fs["badge_template_id"]; t != "" && !strings.Contains(t, ",") {
		return s.st.byTemplate[t]
	}
	return s.st.Badges
}

func (s *Sim) search(c *call) ([]*Badge, *reply) {
	q := c.r.URL.Query()
	fs := s.filters(q)
	return choose(s, s.visible(c, fs), fs, sortings(q), s.badgeFilters(), s.badgeOrder())
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
	// One client limits it by dates; by which date is not known.
	found = slices.DeleteFunc(found, func(b *Badge) bool {
		from, to := q.Get("start_date"), q.Get("end_date")
		return from != "" && !dayRange(&b.IssuedAt, from, false) || to != "" && !dayRange(&b.IssuedAt, to, true)
	})
	from := cursorIn(q, found)
	to := min(from+perPage, len(found))
	var next any
	if to < len(found) {
		q.Set("cursor", base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)+" "+found[to-1].ID)))
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

// cursorIn is where a page of the export begins: after the badge that the last
// one ended with, also when others came or went before it.
func cursorIn(q url.Values, found []*Badge) int {
	raw, _ := base64.RawURLEncoding.DecodeString(q.Get("cursor"))
	number, id, _ := strings.Cut(string(raw), " ")
	if i := slices.IndexFunc(found, func(b *Badge) bool { return b.ID == id }); i >= 0 {
		return i + 1
	}
	from, _ := strconv.Atoi(number)
	return min(max(from, 0), len(found))
}

// badge is the path's badge, nil when there is none in the organization.
func (s *Sim) badge(c *call) *Badge {
	b := s.byID[c.r.PathValue("id")]
	if b == nil || b.OrgID != c.org.ID {
		return nil
	}
	return b
}

// noBadge is the answer where there is no such badge.
func (s *Sim) noBadge(c *call) reply {
	if s.opt.DeletedIs410 && s.st.Deleted[c.r.PathValue("id")] {
		return fail(http.StatusGone, "Badge has been deleted")
	}
	return fail(http.StatusNotFound, "Badge not found")
}

func (s *Sim) getBadge(c *call) reply {
	b := s.badge(c)
	if b == nil || b.VisibleAt.After(s.now()) && !s.opt.DirectReadsFresh {
		return s.noBadge(c)
	}
	if !s.opt.DirectReadsFresh {
		b = s.seen(b)
	}
	return ok(http.StatusOK, s.badgeJSON(c, b))
}
