package credly

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"
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
	if o := s.org(org); o != nil && o.WebhookURL != "" {
		s.st.Deliveries = append(s.st.Deliveries, &Delivery{EventID: e.ID, URL: o.WebhookURL, NextAt: e.OccurredAt})
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
	for _, e := range s.st.Events {
		if e.ID == c.r.PathValue("id") && e.OrgID == c.org.ID {
			return ok(http.StatusOK, s.eventJSON(c, e))
		}
	}
	return fail(http.StatusNotFound, "Event not found")
}

func (s *Sim) eventJSON(c *call, e *Event) any {
	v := hook(e)
	if e.Badge != nil {
		v["badge"] = s.badgeJSON(c, e.Badge)
	}
	if e.Template != nil {
		v["badge_template"] = s.templateJSON(c, e.Template, true)
	}
	return v
}

// hook is the body of a webhook: these four members and no signature.
func hook(e *Event) map[string]any {
	return map[string]any{"id": e.ID, "organization_id": e.OrgID, "event_type": e.Type, "occurred_at": stamp(e.OccurredAt)}
}

// retryFor is how long a webhook is tried again, with growing pauses.
const retryFor = 25 * 24 * time.Hour

// kick delivers due webhooks in the background.
func (s *Sim) kick() {
	s.mu.Lock()
	due := s.due() != nil
	if due {
		s.pool.Add(1)
	}
	s.mu.Unlock()
	if due {
		go func() {
			defer s.pool.Done()
			s.Deliver(context.Background())
		}()
	}
}

func (s *Sim) due() *Delivery {
	now := s.now()
	for _, d := range s.st.Deliveries {
		if !d.Done && !d.GivenUp && !d.NextAt.After(now) {
			return d
		}
	}
	return nil
}

// Deliver sends every webhook that is due and returns when none is.
func (s *Sim) Deliver(ctx context.Context) {
	s.delivering.Lock()
	defer s.delivering.Unlock()
	for ctx.Err() == nil {
		s.mu.Lock()
		d := s.due()
		var body []byte
		if d != nil {
			for _, e := range s.st.Events {
				if e.ID == d.EventID {
					body, _ = json.Marshal(hook(e))
				}
			}
		}
		s.mu.Unlock()
		if d == nil {
			return
		}
		status, err := s.post(ctx, d.URL, body)
		s.mu.Lock()
		now := s.now()
		d.Attempts++
		d.Status, d.Error = status, ""
		if err != nil {
			d.Error = err.Error()
		}
		d.Done = status == http.StatusOK || s.opt.WebhookAny2xx && status/100 == 2
		// Pauses of 1, 2, 4 … minutes, a day at most.
		d.NextAt = now.Add(min(time.Minute<<min(d.Attempts-1, 11), 24*time.Hour))
		for _, e := range s.st.Events {
			if e.ID == d.EventID && d.NextAt.After(e.OccurredAt.Add(retryFor)) {
				d.GivenUp = !d.Done
			}
		}
		s.save()
		s.mu.Unlock()
	}
}

func (s *Sim) post(ctx context.Context, to string, body []byte) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := s.cfg.Webhooks.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
	return res.StatusCode, nil
}
