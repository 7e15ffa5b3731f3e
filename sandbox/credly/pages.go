package credly

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"
)

//go:embed pages.html control.html sim.css
var files embed.FS

// pageData is what the pages for people show; each uses the fields that it needs.
type pageData struct {
	Title, Message string
	Bad            bool
	Current        string
	Control        bool

	Orgs     []orgView
	Template *templateView
	Badge    *badgeView
	Badges   []badgeView
	World    *world
}

type orgView struct {
	Org
	Templates []templateView
}

type templateView struct {
	Template
	Org         Org
	Image, Path string
}

type badgeView struct {
	ID, Name, Email, State, EarnerID string
	Issued, Expires, Reason, Person  string
	Replacement                      string
	Owner                            string // the account that has the address
	Form, Private, Hidden            bool
	Accounts                         []User
	Evidence                         []evidenceView
	Template                         templateView
}

type evidenceView struct{ Title, URL, Text string }

func parsePages() *template.Template {
	return template.Must(template.ParseFS(files, "pages.html", "control.html"))
}

func (s *Sim) pageRoutes(m *http.ServeMux) {
	m.HandleFunc("GET /{$}", s.homePage)
	m.HandleFunc("GET /org/{slug}", s.homePage)
	m.HandleFunc("GET /org/{slug}/badge/{badge}", s.templatePage)
	m.HandleFunc("GET /users/{slug}", s.personPage)
	m.HandleFunc("GET /badges/{id}", s.badgePage)
	m.HandleFunc("GET /badges/{id}/accept", s.acceptPage)
	own := http.NewCrossOriginProtection()
	m.Handle("POST /badges/{id}/accept", own.Handler(http.HandlerFunc(s.acceptForm)))
	m.Handle("POST /badges/{id}/reject", own.Handler(http.HandlerFunc(s.rejectForm)))
	m.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "sim.css") })
}

func (s *Sim) render(w http.ResponseWriter, status int, name string, d pageData) {
	d.Current, d.Control = name, !s.cfg.NoControl
	var out bytes.Buffer
	if err := s.pages.ExecuteTemplate(&out, name, d); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes())
}

func (s *Sim) problem(w http.ResponseWriter, status int, title, words string) {
	s.render(w, status, "message", pageData{Title: title, Message: words})
}

func (s *Sim) viewTemplate(t *Template) templateView {
	o := s.org(t.OrgID)
	return templateView{*t, *o, "/images/" + t.ImageID + "/image.png", "/org/" + o.Slug + "/badge/" + slug(t.Name)}
}

func (s *Sim) viewBadge(b *Badge) badgeView {
	const day = "2 January 2006"
	v := badgeView{
		ID: b.ID, Name: strings.TrimSpace(b.FirstName + " " + b.LastName), Email: b.Email, State: b.State, EarnerID: b.EarnerID, Issued: b.IssuedAt.Format(day),
		Replacement: b.Replacement, Reason: b.RevokeReason, Private: !b.Public, Hidden: b.VisibleAt.After(s.now()), Template: s.viewTemplate(s.st.templates[b.TemplateID]),
	}
	if b.ExpiresAt != nil {
		v.Expires = b.ExpiresAt.Format(day)
	}
	for _, e := range b.Evidence {
		text := func(name string) string { x, _ := e[name].(string); return x }
		ev := evidenceView{Title: text("title") + text("name"), Text: text("description")}
		if isWebAddress(text("value")) {
			ev.URL = text("value")
		}
		v.Evidence = append(v.Evidence, ev)
	}
	if u := s.earner(b); u != nil {
		v.Person = "/users/" + u.Slug
		v.Owner = strings.TrimSpace(u.FirstName+" "+u.LastName) + " (" + u.Emails[0] + ")"
	}
	return v
}

func (s *Sim) homePage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	d := pageData{Title: "Badges"}
	for _, o := range s.st.Orgs {
		if want := r.PathValue("slug"); want != "" && want != o.Slug {
			continue
		}
		v := orgView{Org: *o}
		for _, t := range s.st.Templates {
			if t.OrgID == o.ID && !t.Deleted && t.State != "draft" {
				v.Templates = append(v.Templates, s.viewTemplate(t))
			}
		}
		d.Orgs = append(d.Orgs, v)
	}
	s.mu.Unlock()
	s.render(w, http.StatusOK, "home", d)
}

func (s *Sim) templatePage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	var d pageData
	for _, t := range s.st.Templates {
		if o := s.org(t.OrgID); o.Slug == r.PathValue("slug") && slug(t.Name) == r.PathValue("badge") && !t.Deleted && !t.Private && t.State != "draft" {
			v := s.viewTemplate(t)
			d.Title, d.Template = t.Name, &v
		}
	}
	s.mu.Unlock()
	if d.Template == nil {
		s.problem(w, http.StatusNotFound, "There is no such badge", "Or it is not public.")
		return
	}
	s.render(w, http.StatusOK, "template", d)
}

func (s *Sim) personPage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	var d pageData
	i := slices.IndexFunc(s.st.Users, func(u *User) bool { return u.Slug == r.PathValue("slug") })
	if i >= 0 {
		u := s.st.Users[i]
		d.Title = strings.TrimSpace(u.FirstName + " " + u.LastName)
		for _, b := range s.st.Badges {
			if b.State == Accepted && b.Public && b.Replacement == "" && s.earner(b) == u {
				d.Badges = append(d.Badges, s.viewBadge(b))
			}
		}
	}
	s.mu.Unlock()
	if i < 0 {
		s.problem(w, http.StatusNotFound, "There is no such person", "")
		return
	}
	s.render(w, http.StatusOK, "person", d)
}

// badgePage is what others than the earner see: an accepted and public badge.
func (s *Sim) badgePage(w http.ResponseWriter, r *http.Request) {
	s.pageOf(w, r, func(b *Badge, _ *badgeView) bool { return b.State == Accepted && b.Public })
}

// acceptPage is the earner's, where they answer.
func (s *Sim) acceptPage(w http.ResponseWriter, r *http.Request) {
	s.pageOf(w, r, func(b *Badge, v *badgeView) bool {
		v.Form = b.State == Pending && b.Replacement == ""
		for _, u := range s.st.Users {
			v.Accounts = append(v.Accounts, *u)
		}
		return true
	})
}

func (s *Sim) pageOf(w http.ResponseWriter, r *http.Request, may func(*Badge, *badgeView) bool) {
	s.mu.Lock()
	b := s.byID[r.PathValue("id")]
	var v badgeView
	shown := false
	if b != nil {
		v = s.viewBadge(b)
		shown = may(b, &v)
	}
	s.mu.Unlock()
	if !shown {
		s.problem(w, http.StatusNotFound, "There is no such badge", "Or it is not public.")
		return
	}
	s.render(w, http.StatusOK, "badge", pageData{Title: v.Template.Name, Badge: &v})
}

func (s *Sim) acceptForm(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.answered(w, r, s.AcceptAs(id, r.FormValue("user")), "/badges/"+id)
}

func (s *Sim) rejectForm(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.answered(w, r, s.Reject(id), "/badges/"+id+"/accept")
}

func (s *Sim) answered(w http.ResponseWriter, r *http.Request, err error, next string) {
	if err != nil {
		s.problem(w, http.StatusConflict, "This badge cannot be answered any more", err.Error())
		return
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// when is a time as the pages show it.
func when(t time.Time) string { return t.Format("2 January 2006, 15:04:05 UTC") }
