package credly

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// call is one request as an API function sees it. The simulator's lock is held.
type call struct {
	r      *http.Request
	base   string // scheme and host for links
	org    *Org   // the path's organization, nil when the path names none
	owner  *Org   // the organization of the token or application
	token  *Token // nil for Bearer
	isForm bool   // the body was a form
	body   map[string]any
}

// reply is an API function's answer.
type reply struct {
	status int
	body   any // nil: no body
	header http.Header
}

func ok(status int, data any) reply {
	return reply{status: status, body: map[string]any{"data": data, "metadata": map[string]any{}}}
}

func fail(status int, message string) reply {
	return reply{status: status, body: map[string]any{"data": map[string]any{"message": message}, "metadata": map[string]any{}}}
}

func refused(message string) reply { return fail(http.StatusUnprocessableEntity, message) }

// notRight is the answer to bytes that are no request.
func notRight() reply { return fail(http.StatusBadRequest, "The request body could not be parsed") }

// problem is one entry of a validation error.
type problem struct {
	Attribute string   `json:"attribute"`
	Label     string   `json:"attribute_label"`
	Messages  []string `json:"messages"`
}

// problems gathers what is wrong with the fields of one record.
type problems []problem

// add notes that a field is wrong: add("issued_at", "is invalid").
func (p *problems) add(attribute, message string) {
	for i := range *p {
		if (*p)[i].Attribute == attribute {
			(*p)[i].Messages = append((*p)[i].Messages, message)
			return
		}
	}
	label := strings.ReplaceAll(attribute, "_", " ")
	*p = append(*p, problem{attribute, strings.ToUpper(label[:1]) + label[1:], []string{message}})
}

// message is the sentence that names them all.
func (p problems) message() string {
	var parts []string
	for _, one := range p {
		for _, m := range one.Messages {
			parts = append(parts, one.Label+" "+m)
		}
	}
	return "Validation failed: " + strings.Join(parts, ", ")
}

// invalid is the answer to a record with wrong fields.
func (s *Sim) invalid(p problems) reply {
	out := refused(p.message())
	if !s.opt.NoFieldErrors {
		out.body.(map[string]any)["data"].(map[string]any)["errors"] = p
	}
	return out
}

const maxBody = 4 << 20

// serve wraps an API function: authentication, organization, body, lock.
func (s *Sim) serve(needs access, h func(*call) reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, isForm, bad := readBody(w, r)
		s.mu.Lock()
		c := &call{r: r, base: s.base(r), body: body, isForm: isForm}
		w.Header().Set("Date", s.now().Format(http.TimeFormat))
		var out reply
		if deny := s.authorize(c, needs); deny != nil {
			out = *deny
		} else if bad {
			out = notRight()
		} else {
			out = h(c)
			if r.Method != http.MethodGet && out.status < 300 {
				s.commits[endpoint(r)]++
				s.save()
			}
		}
		s.dress(&out)
		s.mu.Unlock()
		s.kick()
		for k, v := range out.header {
			w.Header()[k] = v
		}
		if out.body == nil {
			w.WriteHeader(out.status)
			return
		}
		writeJSON(w, out.status, out.body)
	}
}

// dress gives an error the form that the options ask for.
func (s *Sim) dress(out *reply) {
	switch out.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests:
		if s.opt.BareRefusals {
			out.body = nil
		}
	}
	v, isMap := out.body.(map[string]any)
	if meta, _ := v["metadata"].(map[string]any); isMap && out.status >= 400 && s.opt.NullErrorMetadata && v["data"] != nil && len(meta) == 0 {
		v["metadata"] = nil
	}
}

// outside runs f without the lock, for what may take time.
func (s *Sim) outside(f func()) {
	s.mu.Unlock()
	defer s.mu.Lock()
	f()
}

// base is scheme and host of the links in an answer.
func (s *Sim) base(r *http.Request) string {
	if s.cfg.BaseURL != "" {
		return strings.TrimRight(s.cfg.BaseURL, "/")
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// readBody takes JSON, form fields, and the query of a write, as Credly does.
func readBody(w http.ResponseWriter, r *http.Request) (fields map[string]any, isForm, bad bool) {
	fields = map[string]any{}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return fields, false, false
	}
	add := func(v url.Values) {
		for k, vs := range v {
			fields[k] = vs[0]
		}
	}
	add(r.URL.Query())
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "multipart/form-data":
		if err := r.ParseMultipartForm(maxBody); err != nil {
			return fields, true, true
		}
		add(r.MultipartForm.Value)
		return fields, true, false
	case "application/x-www-form-urlencoded":
		err := r.ParseForm()
		add(r.PostForm)
		return fields, true, err != nil
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return fields, false, true
	}
	if len(strings.TrimSpace(string(raw))) == 0 {
		return fields, false, false
	}
	return fields, false, json.Unmarshal(raw, &fields) != nil
}
