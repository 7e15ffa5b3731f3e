package credly

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// Badges returns copies of all badges, oldest first.
func (s *Sim) Badges() []Badge {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Badge, len(s.st.Badges))
	for i, b := range s.st.Badges {
		out[i] = *b
	}
	return out
}

// Calls are the write calls that arrived and those that were carried out, by
// endpoint ("POST /v1/organizations/{id}/badges").
type Calls struct {
	Received map[string]int `json:"received"`
	Done     map[string]int `json:"done"`
}

// Calls returns the counts since the simulator was made.
func (s *Sim) Calls() Calls {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := Calls{map[string]int{}, map[string]int{}}
	for k, v := range s.calls {
		c.Received[k] = v
	}
	for k, v := range s.commits {
		c.Done[k] = v
	}
	return c
}

// Deliveries returns the webhooks, sent or waiting.
func (s *Sim) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Delivery, len(s.st.Deliveries))
	for i, d := range s.st.Deliveries {
		out[i] = *d
	}
	return out
}

// Events returns an organization's events, oldest first.
func (s *Sim) Events(org string) []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Event
	for _, e := range s.st.Events {
		if e.OrgID == org {
			out = append(out, *e)
		}
	}
	return out
}

// Accept is the earner's yes to a badge. An earner without an account gets one.
func (s *Sim) Accept(id string) error { return s.answer(id, Accepted) }

// Reject is the earner's no.
func (s *Sim) Reject(id string) error { return s.answer(id, Rejected) }

func (s *Sim) answer(id, to string) error {
	err := s.change(id, func(b *Badge) error {
		if b.State != Pending {
			return fmt.Errorf("badge %s is %s, not pending", id, b.State)
		}
		if s.user(b.Email) == nil {
			u := &User{ID: newID(), Emails: []string{b.Email}, FirstName: b.FirstName, LastName: b.LastName, Slug: slug(b.FirstName + " " + b.LastName)}
			s.st.Users = append(s.st.Users, u)
			s.indexUser(u)
		}
		s.setState(b, to)
		return nil
	})
	return err
}

// SetPublic is the earner's choice to show a badge or not.
func (s *Sim) SetPublic(id string, public bool) error {
	return s.change(id, func(b *Badge) error {
		b.Public, b.UpdatedAt = public, s.now()
		s.event(b.OrgID, "badge.privacy.changed", b, nil)
		return nil
	})
}

// Revoke takes a badge back, as somebody in the organization does on Credly's
// pages.
func (s *Sim) Revoke(id, reason string) error {
	return s.change(id, func(b *Badge) error {
		b.RevokeReason = reason
		s.setState(b, Revoked)
		return nil
	})
}

// Delete removes a badge without a trace but its event.
func (s *Sim) Delete(id string) error {
	return s.change(id, func(b *Badge) error {
		s.dropBadge(b)
		s.event(b.OrgID, "badge.deleted", b, nil)
		return nil
	})
}

// Issue makes a pending badge as on Credly's pages: no checks, but with the
// event and, under HideFresh, invisible at first. It returns the id.
func (s *Sim) Issue(b Badge) (string, error) {
	s.mu.Lock()
	t := s.st.templates[b.TemplateID]
	if t == nil {
		s.mu.Unlock()
		return "", fmt.Errorf("no badge template %s", b.TemplateID)
	}
	now := s.now()
	b.ID, b.OrgID, b.State, b.Public = orNew(b.ID), t.OrgID, Pending, true
	b.Locale, b.CreatedAt, b.UpdatedAt, b.IssuedAt, b.VisibleAt = "en", now, now, orTime(b.IssuedAt, now), now.Add(s.readDelay())
	s.addBadge(&b)
	s.event(b.OrgID, "badge.created", &b, nil)
	s.save()
	s.mu.Unlock()
	s.kick()
	return b.ID, nil
}

// SetTemplateState makes a template a draft, active or archived.
func (s *Sim) SetTemplateState(id, to string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.st.templates[id]
	if t == nil || !slices.Contains([]string{"draft", "active", "archived"}, to) {
		return fmt.Errorf("no template %s, or no state %q", id, to)
	}
	now := s.now()
	t.State, t.UpdatedAt, t.ChangedAt = to, now, &now
	s.event(t.OrgID, "badge_template.changed", nil, t)
	s.save()
	return nil
}

// DeleteTemplate deletes a template; badges that were issued of it stay.
func (s *Sim) DeleteTemplate(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.st.Templates, func(t *Template) bool { return t.ID == id })
	if i < 0 {
		return fmt.Errorf("no template %s", id)
	}
	t := s.st.Templates[i]
	s.st.Templates = slices.Delete(s.st.Templates, i, i+1)
	s.event(t.OrgID, "badge_template.deleted", nil, t)
	s.save()
	return nil
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

// controlRoutes are the paths under /__sim. Bodies and answers are JSON; the
// body of a POST that makes something is that type of this package.
func (s *Sim) controlRoutes() *http.ServeMux {
	m := http.NewServeMux()
	show := func(path string, f func() any) {
		m.HandleFunc("GET /__sim/"+path, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, f()) })
	}
	show("badges", func() any { return s.Badges() })
	show("calls", func() any { return s.Calls() })
	show("webhooks", func() any { return s.Deliveries() })
	show("clock", func() any { return map[string]any{"now": s.Now()} })
	show("options", func() any { s.mu.Lock(); defer s.mu.Unlock(); return s.opt })
	show("faults", func() any { s.mu.Lock(); defer s.mu.Unlock(); return slices.Clone(s.faults) })
	show("seed", func() any {
		s.mu.Lock()
		defer s.mu.Unlock()
		return map[string]any{"organizations": s.st.Orgs, "badge_templates": s.st.Templates, "users": s.st.Users}
	})
	post(m, "seed", func(in Seed) (any, error) { return nil, s.Seed(in) })
	post(m, "orgs", func(in Org) (any, error) { in.ID = orNew(in.ID); return in, s.Seed(Seed{Orgs: []Org{in}}) })
	post(m, "tokens", func(in Token) (any, error) {
		if in.Token == "" {
			in.Token = newID()
		}
		return in, s.Seed(Seed{Tokens: []Token{in}})
	})
	post(m, "templates", func(in Template) (any, error) {
		in.ID = orNew(in.ID)
		return in, s.Seed(Seed{Templates: []Template{in}})
	})
	post(m, "users", func(in User) (any, error) { in.ID = orNew(in.ID); return in, s.Seed(Seed{Users: []User{in}}) })
	post(m, "apps", func(in App) (any, error) { return in, s.Seed(Seed{Apps: []App{in}}) })
	post(m, "options", func(in Options) (any, error) { s.SetOptions(in); return in, nil })
	post(m, "faults", func(in Fault) (any, error) { return map[string]int{"id": s.Inject(in)}, nil })
	m.HandleFunc("DELETE /__sim/faults", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearFaults()
		writeJSON(w, http.StatusOK, map[string]any{})
	})
	post(m, "clock", func(in struct {
		Advance string `json:"advance"`
	}) (any, error) {
		d, err := time.ParseDuration(in.Advance)
		if err == nil {
			s.Advance(d)
		}
		return map[string]any{"now": s.Now()}, err
	})
	post(m, "hide", func(in struct {
		For string `json:"for"`
	}) (any, error) {
		d, err := time.ParseDuration(in.For)
		if err == nil {
			s.HideFresh(d)
		}
		return map[string]any{}, err
	})
	post(m, "webhooks/deliver", func(struct{}) (any, error) { s.kick(); return map[string]any{}, nil })
	m.HandleFunc("POST /__sim/badges/{id}/{act}", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Public bool   `json:"public"`
			Reason string `json:"reason"`
		}
		_ = json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&in)
		id, err := r.PathValue("id"), error(nil)
		switch r.PathValue("act") {
		case "accept":
			err = s.Accept(id)
		case "reject":
			err = s.Reject(id)
		case "privacy":
			err = s.SetPublic(id, in.Public)
		case "revoke":
			err = s.Revoke(id, in.Reason)
		case "delete":
			err = s.Delete(id)
		default:
			err = fmt.Errorf("no such act: %s", r.PathValue("act"))
		}
		answer(w, map[string]any{}, err)
	})
	m.HandleFunc("POST /__sim/templates/{id}", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			State string `json:"state"`
		}
		_ = json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&in)
		answer(w, map[string]any{}, s.SetTemplateState(r.PathValue("id"), in.State))
	})
	return m
}

func post[T any](m *http.ServeMux, path string, f func(T) (any, error)) {
	m.HandleFunc("POST /__sim/"+path, func(w http.ResponseWriter, r *http.Request) {
		var in T
		if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&in); err != nil && err != io.EOF {
			answer(w, nil, err)
			return
		}
		out, err := f(in)
		answer(w, out, err)
	})
}

func answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	if v == nil {
		v = map[string]any{}
	}
	writeJSON(w, http.StatusOK, v)
}
