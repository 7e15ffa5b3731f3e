package credly

import (
	"net/http"
	"slices"
)

// event notes a change and queues the webhook for it. The lock is held.
func (s *Sim) event(org, kind string, b *Badge, t *Template) {
	e := &Event{ID: newID(), OrgID: org, Type: kind, OccurredAt: s.now()}
	if b != nil {
		was := *b
		e.Badge = &was
	}
	if t != nil {
		was := *t
		e.Template = &was
	}
	s.st.Events = append(s.st.Events, e)
	s.st.events[e.ID] = e
	if o := s.org(org); o != nil && o.WebhookURL != "" {
		s.enqueue(e, o.WebhookURL)
		if s.opt.WebhooksTwice {
			s.enqueue(e, o.WebhookURL)
		}
	}
}

func (s *Sim) listEvents(c *call) reply {
	var mine []*Event
	for _, e := range s.st.Events {
		if e.OrgID == c.org.ID {
			mine = append(mine, e)
		}
	}
	if !s.opt.EventsOldestFirst {
		slices.Reverse(mine)
	}
	return page(s, c, mine, func(e *Event) any { return s.eventJSON(c, e) })
}

func (s *Sim) getEvent(c *call) reply {
	if e := s.st.events[c.r.PathValue("id")]; e != nil && e.OrgID == c.org.ID {
		return ok(http.StatusOK, s.eventJSON(c, e))
	}
	return fail(http.StatusNotFound, "Event not found")
}

func (s *Sim) eventJSON(c *call, e *Event) any {
	v := hook(e)
	if b := e.Badge; b != nil {
		if now := s.byID[b.ID]; now != nil && s.opt.EventsShowNow {
			b = now
		}
		v["badge"] = s.badgeJSON(c, b)
	}
	if t := e.Template; t != nil {
		if now := s.template(t.ID); now != nil && s.opt.EventsShowNow {
			t = now
		}
		v["badge_template"] = s.templateJSON(c, t, true)
	}
	return v
}

// hook is the body of a webhook: these four members and no signature.
func hook(e *Event) map[string]any {
	return map[string]any{"id": e.ID, "organization_id": e.OrgID, "event_type": e.Type, "occurred_at": stamp(e.OccurredAt)}
}
