package v2

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// object reads one JSON object leniently: each accessor takes the shapes that
// occur in the wild, notes what is not as the specification has it, and marks
// the member as known, so that the rest survives as unknown.
type object struct {
	members map[string]json.RawMessage
	path    string
	notes   *Notes
	known   map[string]bool
}

// asObject gives false for anything but a JSON object.
func asObject(raw json.RawMessage, path string, notes *Notes) (*object, bool) {
	if kindOf(raw) != '{' {
		return nil, false
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil {
		return nil, false
	}
	return &object{members: m, path: path, notes: notes, known: map[string]bool{"@context": true}}, true
}

// kindOf is the first character of a JSON value: { [ " t f n or a digit.
func kindOf(raw json.RawMessage) byte {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if len(raw) == 0 {
		return 'n'
	}
	return raw[0]
}

func (o *object) at(name string) string {
	if o.path == "" {
		return name
	}
	return o.path + "." + name
}

func (o *object) note(name, format string, args ...any) { o.notes.add(o.at(name), format, args...) }

// get returns the first of the names that is there and not null. Any but the
// first is noted.
func (o *object) get(names ...string) (raw json.RawMessage, name string) {
	for i, n := range names {
		o.known[n] = true
		if raw == nil {
			if v, ok := o.members[n]; ok && kindOf(v) != 'n' {
				raw, name = v, n
				if i > 0 && !strings.HasPrefix(n, "@") {
					o.note(n, "is the name of another version; %q expected", names[0])
				}
			}
		}
	}
	if name == "" {
		name = names[0]
	}
	return raw, name
}

// unknown gives the members that nobody asked for.
func (o *object) unknown() map[string]json.RawMessage {
	var out map[string]json.RawMessage
	for k, v := range o.members {
		if !o.known[k] {
			if out == nil {
				out = map[string]json.RawMessage{}
			}
			out[k] = v
		}
	}
	return out
}

// text reads a string. Numbers and booleans become text, an array its first
// entry, a JSON-LD value object its @value; each is noted.
func (o *object) text(names ...string) string {
	raw, name := o.get(names...)
	return o.textOf(raw, name)
}

func (o *object) textOf(raw json.RawMessage, name string) string {
	return o.nestedText(raw, name, 0)
}

// nestedText bounds how deep a text may be wrapped: each level is parsed anew.
func (o *object) nestedText(raw json.RawMessage, name string, depth int) string {
	if depth == 4 {
		o.note(name, "is wrapped too deep")
		return ""
	}
	switch kindOf(raw) {
	case 'n':
		return ""
	case '"':
		var s string
		if json.Unmarshal(raw, &s) != nil {
			o.note(name, "is not a readable string")
		}
		return s
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
			if len(list) > 1 {
				o.note(name, "has %d values; only the first is used", len(list))
			}
			return o.nestedText(list[0], name, depth+1)
		}
		return ""
	case '{':
		if v, ok := asObject(raw, o.at(name), o.notes); ok {
			if inner, key := v.get("@value", "id", "@id"); inner != nil {
				if key == "@value" {
					o.note(name, "is a JSON-LD value object")
				}
				return v.nestedText(inner, key, depth+1)
			}
		}
		o.note(name, "is an object where a string is expected")
		return ""
	}
	o.note(name, "is %.40s where a string is expected", raw)
	return string(bytes.TrimSpace(raw))
}

// texts reads a string or an array of them.
func (o *object) texts(names ...string) []string {
	raw, name := o.get(names...)
	var out []string
	for _, entry := range listOf(raw) {
		if s := o.textOf(entry, name); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// listOf gives the entries of an array, or the value itself as the only one.
func listOf(raw json.RawMessage) []json.RawMessage {
	switch kindOf(raw) {
	case 'n':
		return nil
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return nil
		}
		return list
	}
	return []json.RawMessage{raw}
}

// truth reads a boolean, also one that is written as text or number.
func (o *object) truth(names ...string) (value, present bool) {
	raw, name := o.get(names...)
	switch kindOf(raw) {
	case 'n':
		return false, false
	case 't', 'f':
		return kindOf(raw) == 't', true
	}
	s := strings.ToLower(strings.Trim(string(raw), `" `))
	o.note(name, "is %.40s where true or false is expected", raw)
	return s == "true" || s == "1" || s == "yes", true
}

// when reads a time. Dates without a clock, seconds since 1970 and times
// without a zone (taken as UTC) are noted.
func (o *object) when(names ...string) time.Time {
	raw, name := o.get(names...)
	if kindOf(raw) == 'n' {
		return time.Time{}
	}
	s := strings.TrimSpace(strings.Trim(string(bytes.TrimSpace(raw)), `"`))
	if s == "" {
		return time.Time{}
	}
	if t, err := ParseTime(s); err == nil {
		return t
	}
	t, err := looseTime(s)
	if err != nil {
		o.note(name, "is not a date: %.40q", s)
		return time.Time{}
	}
	o.note(name, "is not an ISO 8601 date and time with a zone: %.40q", s)
	return t
}

func looseTime(s string) (time.Time, error) {
	if n, err := strconv.ParseFloat(s, 64); err == nil && len(s) >= 9 && math.Abs(n) < 1e11 {
		return time.Unix(int64(n), 0).UTC(), nil
	}
	for _, layout := range []string{
		time.DateOnly, "2006-01-02T15:04:05", "2006-01-02T15:04:05.999999999", time.DateTime,
		"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST", time.RFC1123Z, time.RFC1123,
	} {
		if t, err := time.Parse(layout, strings.ToUpper(s)); err == nil {
			return t.UTC(), nil
		}
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("no known form of date")
}

// types reads type or @type, a string or an array.
func (o *object) types() []string { return o.texts("type", "@type") }

// writer builds a JSON object in the order of the calls, without escaping for
// HTML: a URL with "&" stays readable and equal to itself.
type writer struct {
	buf   bytes.Buffer
	names map[string]bool
	err   error
}

func newWriter() *writer {
	w := &writer{names: map[string]bool{}}
	w.buf.WriteByte('{')
	return w
}

// put adds a member; empty strings, nil and empty lists are left out.
func (w *writer) put(name string, value any) {
	switch v := value.(type) {
	case nil:
		return
	case string:
		if v == "" {
			return
		}
	case []string:
		if len(v) == 0 {
			return
		}
	case []json.RawMessage:
		if len(v) == 0 {
			return
		}
	case json.RawMessage:
		if len(v) == 0 {
			return
		}
	}
	w.always(name, value)
}

// always adds a member whatever its value is.
func (w *writer) always(name string, value any) {
	if w.err != nil || w.names[name] {
		return
	}
	w.names[name] = true
	if w.buf.Len() > 1 {
		w.buf.WriteByte(',')
	}
	w.encode(name)
	w.buf.WriteByte(':')
	w.encode(value)
}

func (w *writer) encode(value any) {
	if raw, ok := value.(json.RawMessage); ok && w.err == nil {
		w.err = json.Compact(&w.buf, raw)
		return
	}
	if list, ok := value.([]json.RawMessage); ok {
		w.buf.WriteByte('[')
		for i, raw := range list {
			if i > 0 {
				w.buf.WriteByte(',')
			}
			w.encode(raw)
		}
		w.buf.WriteByte(']')
		return
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		w.err = err
		return
	}
	w.buf.Write(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

func (w *writer) bytes() ([]byte, error) {
	if w.err != nil {
		return nil, w.err
	}
	w.buf.WriteByte('}')
	return w.buf.Bytes(), nil
}
