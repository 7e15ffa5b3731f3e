package credly

import (
	"fmt"
	"slices"
)

// What a test, a demo or the people of an organization and its earners do.

// copies of a list's records, so that the caller can read them at leisure.
func copies[T any](s *Sim, in *[]*T) []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]T, len(*in))
	for i, v := range *in {
		out[i] = *v
	}
	return out
}

// Badges returns copies of all badges, oldest first.
func (s *Sim) Badges() []Badge { return copies(s, &s.st.Badges) }

// Templates returns copies of all templates, the deleted ones too.
func (s *Sim) Templates() []Template { return copies(s, &s.st.Templates) }

// Users returns copies of the earners' accounts.
func (s *Sim) Users() []User { return copies(s, &s.st.Users) }

// Deliveries returns the webhooks, sent or waiting.
func (s *Sim) Deliveries() []Delivery { return copies(s, &s.st.Deliveries) }

// Mails returns the mails that Credly would have sent, oldest first.
func (s *Sim) Mails() []Mail { return copies(s, &s.st.Mails) }

// Events returns an organization's events, oldest first.
func (s *Sim) Events(org string) []Event {
	return slices.DeleteFunc(copies(s, &s.st.Events), func(e Event) bool { return e.OrgID != org })
}

// Calls are the calls that arrived, and the writes among them that were carried
// out, by endpoint ("POST /v1/organizations/{id}/badges").
type Calls struct {
	Read     map[string]int `json:"read"`
	Received map[string]int `json:"received"` // writes
	Done     map[string]int `json:"done"`     // writes
}

// Calls returns the counts since the simulator was made.
func (s *Sim) Calls() Calls {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := func(in map[string]int) map[string]int {
		out := make(map[string]int, len(in))
		for k, v := range in {
			out[k] = v
		}
		return out
	}
	return Calls{of(s.reads), of(s.calls), of(s.commits)}
}

// Options returns the inferred behaviours as they are set.
func (s *Sim) Options() Options {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opt
}

// Faults returns the planned failures.
func (s *Sim) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Fault, len(s.faults))
	for i, f := range s.faults {
		out[i] = f.Fault
	}
	return out
}

// SetPublic is the earner's choice to show a badge or not.
func (s *Sim) SetPublic(id string, public bool) error {
	return s.change(id, func(b *Badge) error {
		s.alter(b, func() { b.Public = public })
		s.event(b.OrgID, "badge.privacy.changed", b, nil)
		return nil
	})
}

// Revoke takes a badge back, as somebody in the organization does on Credly's
// pages.
func (s *Sim) Revoke(id, reason string) error {
	return s.change(id, func(b *Badge) error { s.revoke(b, reason); return nil })
}

// Delete removes a badge without a trace but its event.
func (s *Sim) Delete(id string) error {
	return s.change(id, func(b *Badge) error {
		s.dropBadge(b)
		s.event(b.OrgID, "badge.deleted", b, nil)
		return nil
	})
}

// Issue makes a pending badge as on Credly's pages: no checks, but with events
// and, under HideFresh or Options.ReadDelay, invisible at first. It returns the
// id.
func (s *Sim) Issue(b Badge) (string, error) {
	s.mu.Lock()
	t := s.template(b.TemplateID)
	if t == nil {
		s.mu.Unlock()
		return "", fmt.Errorf("no badge template %s", b.TemplateID)
	}
	now := s.now()
	b.ID, b.OrgID, b.State, b.Public = orNew(b.ID), t.OrgID, Pending, true
	b.Locale, b.CreatedAt, b.UpdatedAt, b.IssuedAt, b.VisibleAt = "en", now, now, orTime(b.IssuedAt, now), now.Add(s.readDelay())
	s.addBadge(&b)
	s.event(b.OrgID, "badge.created", &b, nil)
	s.mailIssued(&b)
	s.save()
	s.mu.Unlock()
	s.kick()
	return b.ID, nil
}

// changeTemplate changes a template that exists, and says so by an event.
func (s *Sim) changeTemplate(id string, f func(*Template) error) error {
	s.mu.Lock()
	t := s.template(id)
	err := fmt.Errorf("no template %s", id)
	if t != nil {
		if err = f(t); err == nil {
			t.UpdatedAt = s.now()
			s.event(t.OrgID, "badge_template.changed", nil, t)
			s.save()
		}
	}
	s.mu.Unlock()
	s.kick()
	return err
}

// SetTemplateState makes a template a draft, active or archived.
func (s *Sim) SetTemplateState(id, to string) error {
	return s.changeTemplate(id, func(t *Template) error {
		if !slices.Contains([]string{"draft", "active", "archived"}, to) {
			return fmt.Errorf("no state %q", to)
		}
		now := s.now()
		t.State, t.ChangedAt = to, &now
		return nil
	})
}

// RenameTemplate gives a template another name and description; "" keeps one.
func (s *Sim) RenameTemplate(id, name, description string) error {
	return s.changeTemplate(id, func(t *Template) error {
		if name != "" {
			t.Name = name
		}
		if description != "" {
			t.Description = description
		}
		return nil
	})
}

// SetTemplateImage gives a template another picture, a PNG of 600 by 600; nil
// has one drawn. Its image_url changes with it.
func (s *Sim) SetTemplateImage(id string, picture []byte) error {
	return s.changeTemplate(id, func(t *Template) error {
		if picture != nil {
			if err := s.checkImage(picture); err != nil {
				return fmt.Errorf("the picture %w", err)
			}
		}
		if t.ImageID = newID(); picture != nil {
			s.st.Pictures[t.ImageID] = picture
		}
		return nil
	})
}

// DeleteTemplate deletes a template; badges that were issued of it stay.
func (s *Sim) DeleteTemplate(id string) error {
	s.mu.Lock()
	t := s.template(id)
	if t != nil {
		s.dropTemplate(t)
		s.save()
	}
	s.mu.Unlock()
	s.kick()
	if t == nil {
		return fmt.Errorf("no template %s", id)
	}
	return nil
}

// Reset forgets everything but the clock, the options and the faults.
func (s *Sim) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st = state{Offset: s.st.Offset}
	clear(s.stale)
	clear(s.windows)
	clear(s.reads)
	clear(s.calls)
	clear(s.commits)
	s.index()
	s.save()
}

func (s *Sim) change(id string, f func(*Badge) error) error {
	s.mu.Lock()
	b := s.byID[id]
	err := fmt.Errorf("no badge %s", id)
	if b != nil {
		if err = f(b); err == nil {
			s.save()
		}
	}
	s.mu.Unlock()
	s.kick()
	return err
}
