package credly

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// world is what the control page shows.
type world struct {
	Now, API   string
	Sandbox    bool
	Orgs       []Org
	Tokens     []tokenView
	Apps       []App
	Badges     []badgeView
	Total      int
	More       bool
	Templates  []templateView
	Faults     []faultView
	Kinds      []FaultKind
	Endpoints  []string
	Deliveries []deliveryView
	Mails      []mailView
	Options    []optionView
	Calls      []callView
}

type (
	tokenView struct{ Token, Rights string }
	faultView struct {
		Fault
		Hits int
	}
	deliveryView struct {
		Type, When, State, Answer string
		Attempts                  int
	}
	mailView   struct{ Kind, To, At string }
	optionView struct {
		Option
		Value string
		Bool  bool
	}
	callView struct {
		Name          string
		Arrived, Done int
	}
)

const shownBadges, shownOthers = 50, 15

func (s *Sim) controlPage(m *http.ServeMux) {
	m.HandleFunc("GET /__sim/{$}", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		s.render(w, http.StatusOK, "control", pageData{Title: "Control", Message: q.Get("done") + q.Get("failed"), Bad: q.Has("failed"), World: s.world(r)})
	})
	form := func(path string, f func(r *http.Request) (string, error)) {
		m.HandleFunc("POST /__sim/page/"+path, func(w http.ResponseWriter, r *http.Request) {
			words, err := f(r)
			q := url.Values{"done": {words}}
			if err != nil {
				q = url.Values{"failed": {err.Error()}}
			}
			http.Redirect(w, r, "/__sim/?"+q.Encode(), http.StatusSeeOther)
		})
	}
	form("clock", func(r *http.Request) (string, error) {
		d, err := time.ParseDuration(r.PostFormValue("by"))
		if err == nil {
			s.Advance(d)
		}
		return "It is " + when(s.Now()) + " now.", err
	})
	form("issue", func(r *http.Request) (string, error) {
		if e := r.PostFormValue("email"); !isAddress(e) {
			return "", fmt.Errorf("%q is no e-mail address", e)
		}
		_, err := s.Issue(Badge{TemplateID: r.PostFormValue("template"), Email: r.PostFormValue("email"), FirstName: r.PostFormValue("first"), LastName: r.PostFormValue("last")})
		return "The badge waits to be answered.", err
	})
	form("badges/{id}", func(r *http.Request) (string, error) {
		in, act := badgeAct{Reason: "Revoked on the control page"}, r.PostFormValue("act")
		if act == "show" || act == "hide" {
			in.Public, act = act == "show", "privacy"
		}
		return "Done.", s.actOn(r.PathValue("id"), act, in)
	})
	form("templates/{id}", func(r *http.Request) (string, error) {
		in := templateAct{}
		switch act := r.PostFormValue("act"); act {
		case "rename":
			in.Name = strings.TrimSpace(r.PostFormValue("name"))
		case "redraw":
			in.Redraw = true
		case "delete":
			in.Delete = true
		default:
			in.State = act
		}
		return "Done.", s.actOnTemplate(r.PathValue("id"), in)
	})
	form("faults", func(r *http.Request) (string, error) {
		method, path, _ := strings.Cut(r.PostFormValue("call"), " ")
		share, _ := strconv.ParseFloat(r.PostFormValue("share"), 64)
		_, err := s.inject(Fault{
			Kind: r.PostFormValue("kind"), Method: method, Path: starred(path), Count: number(r.PostFormValue("count")), Probability: share,
			Seconds: number(r.PostFormValue("seconds")), Delay: r.PostFormValue("delay"),
		})
		return "The next calls will see it.", err
	})
	form("faults/{id}", func(r *http.Request) (string, error) {
		s.RemoveFault(number(r.PathValue("id")))
		return "Done.", nil
	})
	form("options", func(r *http.Request) (string, error) {
		var o Options
		if r.PostFormValue("all") != "" {
			s.SetOptions(o)
			return "Everything is as assumed.", nil
		}
		for _, opt := range Inferred() {
			if v := r.PostFormValue(opt.Name); v != "" {
				if err := opt.On(&o).Set(v); err != nil {
					return "", fmt.Errorf("%s: %w", opt.Name, err)
				}
			}
		}
		s.SetOptions(o)
		return "Set.", nil
	})
}

// starred is a pattern of Endpoint as a Fault takes it.
func starred(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "{") {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/")
}

func number(v string) int {
	n, _ := strconv.Atoi(v)
	return n
}

func (s *Sim) world(r *http.Request) *world {
	calls := s.Calls()
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &world{
		Now: when(s.now()), API: s.base(r) + "/v1", Sandbox: s.cfg.Sandbox, Kinds: FaultKinds(),
		Total: len(s.st.Badges), More: len(s.st.Badges) > shownBadges,
	}
	for _, o := range s.st.Orgs {
		w.Orgs = append(w.Orgs, *o)
	}
	for _, t := range s.st.Tokens {
		w.Tokens = append(w.Tokens, tokenView{t.Token, s.rightsOf(t)})
	}
	for _, a := range s.st.Apps {
		w.Apps = append(w.Apps, *a)
	}
	for _, b := range newest(s.st.Badges, shownBadges) {
		w.Badges = append(w.Badges, s.viewBadge(b))
	}
	for _, t := range s.st.Templates {
		if !t.Deleted {
			w.Templates = append(w.Templates, s.viewTemplate(t))
		}
	}
	for _, f := range s.faults {
		w.Faults = append(w.Faults, faultView{f.Fault, f.hits})
	}
	for _, e := range s.endpoints() {
		w.Endpoints = append(w.Endpoints, e.Method+" "+e.Path)
	}
	for _, d := range newest(s.st.Deliveries, shownOthers) {
		w.Deliveries = append(w.Deliveries, s.viewDelivery(d))
	}
	for _, m := range newest(s.st.Mails, shownOthers) {
		w.Mails = append(w.Mails, mailView{m.Kind, m.To, when(m.At)})
	}
	for _, o := range Inferred() {
		v := o.On(&s.opt)
		w.Options = append(w.Options, optionView{o, v.String(), v.IsBoolFlag()})
	}
	for name, n := range calls.Read {
		w.Calls = append(w.Calls, callView{name, n, n})
	}
	for name, n := range calls.Received {
		w.Calls = append(w.Calls, callView{name, n, calls.Done[name]})
	}
	slices.SortFunc(w.Calls, func(a, b callView) int { return strings.Compare(a.Name, b.Name) })
	return w
}

// newest are the last n of a list, the last first.
func newest[T any](in []T, n int) []T {
	out := slices.Clone(in[max(0, len(in)-n):])
	slices.Reverse(out)
	return out
}

// rightsOf says in words what a token may do here and until when.
func (s *Sim) rightsOf(t *Token) string {
	var out []string
	for _, right := range []struct {
		has  bool
		name string
	}{{t.Read, "read"}, {t.Write, "write"}, {t.Delete, "delete"}} {
		if right.has {
			out = append(out, right.name)
		}
	}
	words := "may " + strings.Join(out, ", ")
	if len(out) == 0 {
		words = "may do nothing"
	}
	switch {
	case t.Sandbox != s.cfg.Sandbox:
		words += ", but in the other environment"
	case !s.now().Before(*t.ExpiresAt):
		words += ", but has expired"
	default:
		words += ", until " + t.ExpiresAt.Format("2 January 2006")
	}
	if t.Description != "" {
		words = t.Description + ": " + words
	}
	return words
}

func (s *Sim) viewDelivery(d *Delivery) deliveryView {
	v := deliveryView{When: when(d.NextAt), Attempts: d.Attempts, State: "waits until " + when(d.NextAt), Answer: d.Error}
	if e := s.st.events[d.EventID]; e != nil {
		v.Type, v.When = e.Type, when(e.OccurredAt)
	}
	if d.Status != 0 {
		v.Answer = strconv.Itoa(d.Status)
	}
	switch {
	case d.Done:
		v.State = "delivered"
	case d.GivenUp:
		v.State = "given up"
	}
	return v
}
