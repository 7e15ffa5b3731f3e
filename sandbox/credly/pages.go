package credly

import (
	"html/template"
	"net/http"
)

// pageData is what the pages for people show.
type pageData struct {
	Title, Name, Description, Image, Person, Org, State, ID string
	Issued                                                  string
	Skills                                                  []string
	Templates                                               []*Template
	Pending, Form                                           bool
}

var pages = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}} – simulated Credly</title><link rel="stylesheet" href="/style.css"></head>
<body><p class="note">This is a simulator for trying things out. It is not Credly.</p><main>
{{if .Templates}}<h1>{{.Title}}</h1><ul>{{range .Templates}}<li>{{.Name}} <small>{{.State}}</small></li>{{end}}</ul>
{{else if .ID}}<img src="{{.Image}}" alt="" width="220" height="220">
<h1>{{.Name}}</h1><p>{{.Description}}</p>
<p>Issued to <strong>{{.Person}}</strong> by <strong>{{.Org}}</strong> on {{.Issued}}</p>
{{if .Skills}}<p class="skills">{{range .Skills}}<span>{{.}}</span> {{end}}</p>{{end}}
{{if .Form}}<form method="post" action="/badges/{{.ID}}/accept"><button>Accept</button></form>
<form method="post" action="/badges/{{.ID}}/reject"><button class="quiet">Reject</button></form>
{{else}}<p class="state {{.State}}">{{.State}}</p>{{if .Pending}}<p><a href="/badges/{{.ID}}/accept">Answer this badge</a></p>{{end}}{{end}}
{{else}}<h1>{{.Title}}</h1>{{end}}
</main></body></html>`))

const style = `body{font:1rem/1.5 system-ui,sans-serif;margin:0;background:#f4f2ee;color:#22262b}
main{max-width:34rem;margin:2rem auto;padding:2rem;background:#fff;border-radius:12px;text-align:center}
.note{margin:0;padding:.5rem 1rem;background:#22262b;color:#fff;text-align:center;font-size:.875rem}
h1{font-size:1.5rem;margin:.5rem 0}form{display:inline-block;margin:.5rem}
button{font:inherit;font-weight:600;padding:.6rem 1.6rem;border:2px solid #14595c;border-radius:8px;background:#14595c;color:#fff;cursor:pointer}
button.quiet{background:#fff;color:#14595c}button:focus-visible{outline:3px solid #d99a1c;outline-offset:2px}
.skills span{display:inline-block;padding:.1rem .6rem;margin:.1rem;background:#e8efef;border-radius:1rem;font-size:.875rem}
.state{display:inline-block;padding:.2rem .8rem;border-radius:1rem;background:#e8efef}.state.accepted{background:#dcefdc}.state.revoked,.state.rejected{background:#f4dddd}
ul{text-align:left}`

func serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write([]byte(style))
}

func (s *Sim) show(w http.ResponseWriter, status int, d pageData) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'self'; form-action 'self'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_ = pages.Execute(w, d)
}

func (s *Sim) pageOf(w http.ResponseWriter, r *http.Request, form bool) {
	s.mu.Lock()
	b := s.byID[r.PathValue("id")]
	var d pageData
	if b != nil {
		t := s.st.templates[b.TemplateID]
		d = pageData{
			Title: t.Name, Name: t.Name, Description: t.Description, Image: "/images/" + t.ImageID + "/image.png",
			Person: b.FirstName + " " + b.LastName, Org: s.org(b.OrgID).Name, State: b.State, ID: b.ID,
			Issued: b.IssuedAt.Format("2 January 2006"), Skills: t.Skills, Pending: b.State == Pending, Form: form && b.State == Pending,
		}
		// Others than the earner see a badge once it is accepted and public.
		if !form && (b.State != Accepted || !b.Public) {
			b = nil
		}
	}
	s.mu.Unlock()
	if b == nil {
		s.show(w, http.StatusNotFound, pageData{Title: "There is no such badge, or it is not public"})
		return
	}
	s.show(w, http.StatusOK, d)
}

func (s *Sim) badgePage(w http.ResponseWriter, r *http.Request)  { s.pageOf(w, r, false) }
func (s *Sim) acceptPage(w http.ResponseWriter, r *http.Request) { s.pageOf(w, r, true) }

func (s *Sim) acceptForm(w http.ResponseWriter, r *http.Request) {
	s.form(w, r, s.Accept, "/badges/"+r.PathValue("id"))
}

func (s *Sim) rejectForm(w http.ResponseWriter, r *http.Request) {
	s.form(w, r, s.Reject, "/badges/"+r.PathValue("id")+"/accept")
}

func (s *Sim) form(w http.ResponseWriter, r *http.Request, act func(string) error, next string) {
	if err := act(r.PathValue("id")); err != nil {
		s.show(w, http.StatusConflict, pageData{Title: "This badge cannot be answered any more"})
		return
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func (s *Sim) indexPage(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	d := pageData{Title: "Badge templates"}
	for _, t := range s.st.Templates {
		was := *t
		d.Templates = append(d.Templates, &was)
	}
	s.mu.Unlock()
	s.show(w, http.StatusOK, d)
}
