package site

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed pages.html site.css
var files embed.FS

// page is what the templates read; each uses the fields that it needs.
type page struct {
	Title, Message string
	Site           string
	Gateway        string
	Current        string
	Me             *Member
	Notice         string
	Bad            bool

	Badges  []Badge
	Members []Member
	Badge   *Badge
	Member  *Member
	Awards  []Held

	Hidden  url.Values // of the sign-in form
	Pairing *Pairing
	Pending int
}

func parsePages(location *time.Location) *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"day":        func(t time.Time) string { return t.In(location).Format("2 January 2006") },
		"paragraphs": func(s string) []string { return strings.Split(strings.TrimSpace(s), "\n\n") },
		"titled":     func(p page, title string) page { p.Title = title; return p },
		"has":        func(list []string, s string) bool { return slices.Contains(list, s) },
	}).ParseFS(files, "pages.html"))
}

func (s *Site) pageRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /members/{id}", s.memberPage)
	mux.HandleFunc("GET /badges/{id}", s.badgePage)
	mux.HandleFunc("GET /badge-images/{file}", s.badgeImage)
	mux.HandleFunc("GET /admin", s.admin)
	mux.HandleFunc("POST /admin/award", s.postAward)
	mux.HandleFunc("POST /admin/revoke", s.postRevoke)
	mux.HandleFunc("POST /admin/member", s.postMember)
	mux.HandleFunc("POST /admin/pair", s.postPair)
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		s.signOut(w, r)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /site.css", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=300")
		http.ServeFileFS(w, r, files, "site.css")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.problem(w, r, http.StatusNotFound, "There is no such page.")
	})
}

func (s *Site) render(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	p.Site, p.Gateway, p.Current = s.cfg.Name, s.cfg.GatewayURL, name
	if who, ok := s.session(r); ok {
		s.mu.Lock()
		if m := s.st.member(who.member); m != nil {
			me := *m
			p.Me = &me
		}
		s.mu.Unlock()
	}
	var out bytes.Buffer
	if err := s.pages.ExecuteTemplate(&out, name, p); err != nil {
		s.cfg.Log.Error("a page of the simulated site can't be drawn", "page", name, "error", err)
		http.Error(w, "The page can't be drawn.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	// No form-action: browsers apply it to the redirect back to the gateway too.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	w.Write(out.Bytes()) //nolint:errcheck // the reader went away
}

func (s *Site) problem(w http.ResponseWriter, r *http.Request, status int, words string) {
	s.render(w, r, status, "message", page{Title: "That did not work", Message: words})
}

func (s *Site) home(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "home", page{Badges: s.published(), Members: s.Members()})
}

func (s *Site) published() []Badge {
	return slices.DeleteFunc(s.Badges(), func(b Badge) bool { return b.Draft })
}

func (s *Site) memberPage(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	i := slices.IndexFunc(s.Members(), func(m Member) bool { return m.ID == id })
	if i < 0 {
		s.problem(w, r, http.StatusNotFound, "There is no such member.")
		return
	}
	m := s.Members()[i]
	awards := slices.DeleteFunc(s.Awards(), func(h Held) bool { return h.Member == nil || h.Member.ID != id })
	slices.Reverse(awards)
	s.render(w, r, http.StatusOK, "member", page{Member: &m, Awards: awards})
}

func (s *Site) badgeByPath(value string) *Badge {
	id, _ := strconv.ParseInt(value, 10, 64)
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.st.badge(id); b != nil {
		badge := *b
		return &badge
	}
	return nil
}

func (s *Site) badgePage(w http.ResponseWriter, r *http.Request) {
	b := s.badgeByPath(r.PathValue("id"))
	if b == nil {
		s.problem(w, r, http.StatusNotFound, "There is no such badge.")
		return
	}
	s.render(w, r, http.StatusOK, "badge", page{Badge: b})
}

func (s *Site) badgeImage(w http.ResponseWriter, r *http.Request) {
	id, isPNG := strings.CutSuffix(r.PathValue("file"), ".png")
	b := s.badgeByPath(id)
	if !isPNG || b == nil {
		http.NotFound(w, r)
		return
	}
	data := s.image(*b)
	w.Header().Set("Content-Type", http.DetectContentType(data)) // a PNG or a JPEG
	w.Header().Set("Cache-Control", "max-age=300")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// askWho is the sign-in page: no password, the demo's members to choose from.
func (s *Site) askWho(w http.ResponseWriter, r *http.Request, q url.Values, current int64) {
	hidden := url.Values{}
	for _, name := range []string{"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method"} {
		if q.Has(name) {
			hidden.Set(name, q.Get(name))
		}
	}
	members := s.Members()
	if i := slices.IndexFunc(members, func(m Member) bool { return m.ID == current }); i > 0 {
		m := members[i]
		members = slices.Insert(slices.Delete(members, i, i+1), 0, m)
	}
	s.render(w, r, http.StatusOK, "signin", page{Members: members, Hidden: hidden})
}

func (s *Site) admin(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	awards := s.Awards()
	slices.Reverse(awards)
	s.render(w, r, http.StatusOK, "admin", page{
		Badges: s.published(), Members: s.Members(), Awards: awards, Pairing: s.PairedWith(), Pending: s.Pending(),
		Notice: q.Get("done") + q.Get("failed"), Bad: q.Has("failed"),
	})
}

// done goes back to the admin page with what happened.
func (s *Site) done(w http.ResponseWriter, r *http.Request, err error, words string) {
	q := url.Values{"done": {words}}
	if err != nil {
		q = url.Values{"failed": {err.Error()}}
	}
	http.Redirect(w, r, "/admin?"+q.Encode(), http.StatusSeeOther)
}

func number(r *http.Request, name string) int64 {
	n, _ := strconv.ParseInt(r.PostFormValue(name), 10, 64)
	return n
}

func (s *Site) postAward(w http.ResponseWriter, r *http.Request) {
	_, err := s.Award(number(r, "badge"), number(r, "member"), "Awarded by an administrator")
	s.done(w, r, err, "Awarded. The gateway is told at once.")
}

func (s *Site) postRevoke(w http.ResponseWriter, r *http.Request) {
	entry := number(r, "entry")
	if r.PostFormValue("how") == "silently" {
		s.done(w, r, s.DeleteSilently(entry), "The row is gone and nobody was told, as when a plugin clears its tables. The gateway will flag it, not revoke it.")
		return
	}
	reason := strings.TrimSpace(r.PostFormValue("reason"))
	if reason == "" {
		reason = "Revoked by an administrator of the site"
	}
	s.done(w, r, s.Revoke(entry, reason), "Revoked. The gateway is told at once.")
}

func (s *Site) postMember(w http.ResponseWriter, r *http.Request) {
	given, family := strings.TrimSpace(r.PostFormValue("given")), strings.TrimSpace(r.PostFormValue("family"))
	if id := number(r, "member"); id != 0 {
		err := s.UpdateMember(id, func(m *Member) { m.GivenName, m.FamilyName, m.DisplayName = given, family, "" })
		s.done(w, r, err, "The name is changed. The gateway is told at once.")
		return
	}
	address := strings.TrimSpace(r.PostFormValue("email"))
	taken := slices.ContainsFunc(s.Members(), func(m Member) bool { return strings.EqualFold(m.Email, address) })
	if taken || !strings.Contains(address, "@") {
		s.done(w, r, invalid("email", "It is no address, or another member has it."), "")
		return
	}
	s.AddMember(Member{Email: address, GivenName: given, FamilyName: family})
	s.done(w, r, nil, "The member is there.")
}

func (s *Site) postPair(w http.ResponseWriter, r *http.Request) {
	if r.PostFormValue("code") == "" {
		s.Unpair()
		s.done(w, r, nil, "The pairing is cut.")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 15*time.Second)
	defer cancel()
	s.done(w, r, s.Pair(ctx, r.PostFormValue("gateway"), r.PostFormValue("code")), "Paired with the gateway.")
}
