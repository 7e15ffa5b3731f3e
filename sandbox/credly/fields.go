package credly

import (
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"
)

// str is a field as text, "" when absent, null or no text.
func (c *call) str(name string) string {
	v, _ := c.body[name].(string)
	return strings.TrimSpace(v)
}

func (c *call) flag(name string) bool {
	switch v := c.body[name].(type) {
	case bool:
		return v
	case string:
		return v == "true" || v == "1"
	}
	return false
}

// texts is a field as a list of texts; fits is false when it is something else.
func (c *call) texts(name string) (out []string, fits bool) {
	switch v := c.body[name].(type) {
	case nil:
		return nil, true
	case []any:
		for _, e := range v {
			s, isText := e.(string)
			if !isText {
				return nil, false
			}
			if s = strings.TrimSpace(s); s != "" {
				out = append(out, s)
			}
		}
		return out, true
	}
	return nil, false
}

// choice reads a field that has to be one of a list, or absent.
func (c *call) choice(name string, among []string, bad *problems) string {
	v := c.str(name)
	if v != "" && !slices.Contains(among, v) || v == "" && c.body[name] != nil && c.body[name] != "" {
		bad.add(name, "is not included in the list")
	}
	return v
}

// unknown notes every field that is not among the known ones.
func (s *Sim) unknown(c *call, known []string, bad *problems) {
	if !s.opt.UnknownFieldsRefused {
		return
	}
	for name := range c.body {
		if !slices.Contains(known, name) {
			bad.add(name, "is not permitted")
		}
	}
}

func isAddress(e string) bool {
	a, err := mail.ParseAddress(e)
	return err == nil && a.Address == e && len(e) <= 254
}

func isWebAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

const apiTime = "2006-01-02T15:04:05.000Z"

func stamp(t time.Time) string { return t.UTC().Format(apiTime) }

func stampOrNil(t *time.Time) any {
	if t == nil {
		return nil
	}
	return stamp(*t)
}

func dateOrNil(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UTC().Format(time.DateOnly)
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func list(in []string) []string {
	if in == nil {
		return []string{}
	}
	return in
}

// documentedTime is the one spelling that Credly documents for requests.
const documentedTime = "2006-01-02 15:04:05 -0700"

// parseTime reads the spellings that clients are known to send; one without a
// zone is UTC.
func parseTime(s string) (time.Time, bool) {
	return parseTimeAs(s, documentedTime, time.RFC3339Nano, "2006-01-02T15:04:05.999-0700", "2006-01-02 15:04:05 MST",
		"2006-01-02 03:04:05 pm", "2006-01-02 03:04:05 PM", time.DateTime, "2006-01-02T15:04:05", time.DateOnly)
}

func parseTimeAs(s string, layouts ...string) (time.Time, bool) {
	s = strings.Join(strings.Fields(s), " ")
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Truncate(time.Millisecond), true
		}
	}
	return time.Time{}, false
}

// bodyTime reads a time of a request's body.
func (s *Sim) bodyTime(v string) (time.Time, bool) {
	if s.opt.StrictTimes {
		return parseTimeAs(v, documentedTime)
	}
	return parseTime(v)
}
