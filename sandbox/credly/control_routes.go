package credly

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// controlRoutes are the paths under /__sim. Bodies and answers are JSON; the
// body of a POST that makes something is that type of this package.
//
//	GET  seed badges users mails calls webhooks clock options faults fault-kinds endpoints
//	GET  events/{org}
//	POST seed orgs tokens apps templates users   add or replace by id
//	POST badges                                  a Badge as on Credly's pages, unchecked
//	POST badges/{id}/accept {"user":ID}          also reject, revoke {"reason"}, delete, privacy {"public"}
//	POST templates/{id} {"state","name","description","image":Base64,"redraw":true,"delete":true}
//	POST options                                 the named ones, all others as assumed
//	PATCH options                                the named ones
//	POST faults, DELETE faults, DELETE faults/{id}
//	POST clock {"advance":"2h"} or {"now":"2026-01-02T03:04:05Z"}
//	POST hide {"for":"30s"}                      HideFresh
//	POST webhooks/deliver                        what is due, at once
//	POST reset                                   Reset
func (s *Sim) controlRoutes() http.Handler {
	m := http.NewServeMux()
	show := func(path string, f func() any) {
		m.HandleFunc("GET /__sim/"+path, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, f()) })
	}
	show("badges", func() any { return s.Badges() })
	show("users", func() any { return s.Users() })
	show("mails", func() any { return s.Mails() })
	show("calls", func() any { return s.Calls() })
	show("webhooks", func() any { return s.Deliveries() })
	show("clock", func() any { return map[string]any{"now": s.Now()} })
	show("options", func() any { return s.Options() })
	show("faults", func() any { return s.Faults() })
	show("fault-kinds", func() any { return FaultKinds() })
	show("endpoints", func() any { return s.Endpoints() })
	show("seed", func() any {
		s.mu.Lock()
		defer s.mu.Unlock()
		return map[string]any{"organizations": s.st.Orgs, "badge_templates": s.st.Templates, "users": s.st.Users}
	})
	m.HandleFunc("GET /__sim/events/{org}", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, s.Events(r.PathValue("org")))
	})
	s.seedRoutes(m)
	s.actRoutes(m)
	s.controlPage(m)
	return http.NewCrossOriginProtection().Handler(m)
}

// seedRoutes make things.
func (s *Sim) seedRoutes(m *http.ServeMux) {
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
	post(m, "apps", func(in App) (any, error) {
		in.UID, in.Secret = orNew(in.UID), orNew(in.Secret)
		return in, s.Seed(Seed{Apps: []App{in}})
	})
	post(m, "badges", func(in Badge) (any, error) {
		id, err := s.Issue(in)
		return map[string]string{"id": id}, err
	})
}

// actRoutes do things.
func (s *Sim) actRoutes(m *http.ServeMux) {
	post(m, "options", func(in Options) (any, error) { s.SetOptions(in); return in, nil })
	m.HandleFunc("PATCH /__sim/options", func(w http.ResponseWriter, r *http.Request) {
		in := s.Options()
		if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&in); err != nil {
			answer(w, nil, err)
			return
		}
		s.SetOptions(in)
		answer(w, in, nil)
	})
	post(m, "faults", func(in Fault) (any, error) {
		id, err := s.inject(in)
		return map[string]int{"id": id}, err
	})
	m.HandleFunc("DELETE /__sim/faults", func(w http.ResponseWriter, _ *http.Request) { s.ClearFaults(); answer(w, nil, nil) })
	m.HandleFunc("DELETE /__sim/faults/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.RemoveFault(number(r.PathValue("id")))
		answer(w, nil, nil)
	})
	post(m, "clock", func(in struct {
		Advance string    `json:"advance"`
		Now     time.Time `json:"now"`
	}) (any, error) {
		if !in.Now.IsZero() {
			s.SetClock(in.Now)
		}
		if in.Advance != "" {
			d, err := time.ParseDuration(in.Advance)
			if err != nil {
				return nil, err
			}
			s.Advance(d)
		}
		return map[string]any{"now": s.Now()}, nil
	})
	post(m, "hide", func(in struct {
		For string `json:"for"`
	}) (any, error) {
		d, err := time.ParseDuration(in.For)
		if err == nil {
			s.HideFresh(d)
		}
		return nil, err
	})
	post(m, "reset", func(struct{}) (any, error) { s.Reset(); return nil, nil })
	m.HandleFunc("POST /__sim/webhooks/deliver", func(w http.ResponseWriter, r *http.Request) {
		s.Deliver(r.Context())
		answer(w, nil, nil)
	})
	postTo(m, "badges/{id}/{act}", func(r *http.Request, in badgeAct) error { return s.actOn(r.PathValue("id"), r.PathValue("act"), in) })
	postTo(m, "templates/{id}", func(r *http.Request, in templateAct) error { return s.actOnTemplate(r.PathValue("id"), in) })
}

// badgeAct is what an act on a badge may need.
type badgeAct struct {
	Public bool   `json:"public"`
	Reason string `json:"reason"`
	User   string `json:"user"`
}

func (s *Sim) actOn(id, act string, in badgeAct) error {
	switch act {
	case "accept":
		return s.AcceptAs(id, in.User)
	case "reject":
		return s.Reject(id)
	case "privacy":
		return s.SetPublic(id, in.Public)
	case "revoke":
		return s.Revoke(id, in.Reason)
	case "delete":
		return s.Delete(id)
	}
	return fmt.Errorf("no such act: %s", act)
}

// templateAct is a change of a template; what is empty stays.
type templateAct struct {
	State       string `json:"state"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Image       []byte `json:"image"`
	Redraw      bool   `json:"redraw"`
	Delete      bool   `json:"delete"`
}

func (s *Sim) actOnTemplate(id string, in templateAct) error {
	var errs []error
	if in.State != "" {
		errs = append(errs, s.SetTemplateState(id, in.State))
	}
	if in.Name != "" || in.Description != "" {
		errs = append(errs, s.RenameTemplate(id, in.Name, in.Description))
	}
	if in.Image != nil || in.Redraw {
		errs = append(errs, s.SetTemplateImage(id, in.Image))
	}
	if in.Delete {
		errs = append(errs, s.DeleteTemplate(id))
	}
	if len(errs) == 0 {
		return errors.New("nothing to change")
	}
	return errors.Join(errs...)
}

func post[T any](m *http.ServeMux, path string, f func(T) (any, error)) {
	m.HandleFunc("POST /__sim/"+path, func(w http.ResponseWriter, r *http.Request) {
		var in T
		if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&in); err != nil && !errors.Is(err, io.EOF) {
			answer(w, nil, err)
			return
		}
		out, err := f(in)
		answer(w, out, err)
	})
}

// postTo is post for a path with values in it.
func postTo[T any](m *http.ServeMux, path string, f func(*http.Request, T) error) {
	m.HandleFunc("POST /__sim/"+path, func(w http.ResponseWriter, r *http.Request) {
		var in T
		err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&in)
		if err == nil || errors.Is(err, io.EOF) {
			err = f(r, in)
		}
		answer(w, nil, err)
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
