// Package wire holds what the codecs of all Open Badges versions share: a
// tolerant reader of JSON objects, which notes each departure from the
// specification, and a writer with a stable order of members.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"badgebridge/openbadges"
)

// MaxDocument is the size in bytes up to which a document is read.
const MaxDocument = 2 << 20

// maxDepth bounds how deep objects are read inside one another: each level is
// parsed anew.
const maxDepth = 16

// The ways in which reading and writing fail, for errors.Is.
var (
	ErrNotJSON    = errors.New("not a JSON object")
	ErrTooLarge   = errors.New("the document is too large")
	ErrIncomplete = errors.New("the document would not be a valid one")
)

// Object reads one JSON object leniently: each accessor takes the shapes that
// occur in the wild, notes what is not as the specification has it, and marks
// the member as known, so that the rest survives as unknown.
type Object struct {
	members map[string]json.RawMessage
	path    string
	notes   *openbadges.Notes
	known   []string // members that were asked for and are there
	depth   int
}

// Open reads a document. Its notes and those of all objects inside it are
// gathered in Notes. Errors: ErrNotJSON, ErrTooLarge.
func Open(doc []byte) (*Object, error) {
	if len(doc) > MaxDocument {
		return nil, ErrTooLarge
	}
	doc = bytes.TrimPrefix(doc, []byte("\xef\xbb\xbf"))
	if !json.Valid(doc) {
		return nil, ErrNotJSON
	}
	o := &Object{notes: &openbadges.Notes{}}
	root, ok := o.Child(doc, "")
	if !ok {
		return nil, ErrNotJSON
	}
	root.depth = 0
	return root, nil
}

// Notes are the remarks on the whole document so far.
func (o *Object) Notes() openbadges.Notes { return *o.notes }

// Child gives the object that raw is, at the member name of o; false for
// anything else. raw is a part of the document that was opened.
func (o *Object) Child(raw json.RawMessage, name string) (*Object, bool) {
	if KindOf(raw) != '{' {
		return nil, false
	}
	if o.depth >= maxDepth {
		o.Note(name, "is nested too deep to be read")
		return &Object{path: o.At(name), notes: o.notes, depth: o.depth + 1}, true
	}
	return &Object{members: members(bytes.TrimLeft(raw, " \t\r\n")), path: o.At(name), notes: o.notes, depth: o.depth + 1}, true
}

// KindOf is the first character of a JSON value: { [ " t f n or a digit.
func KindOf(raw json.RawMessage) byte {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if len(raw) == 0 {
		return 'n'
	}
	return raw[0]
}

// At is the path of a member.
func (o *Object) At(name string) string {
	if o.path == "" || name == "" {
		return o.path + name
	}
	return o.path + "." + name
}

// Note remarks on a member.
func (o *Object) Note(name, format string, args ...any) { o.notes.Add(o.At(name), format, args...) }

// Has reports whether the member is there and not null. It does not make it a
// known one.
func (o *Object) Has(name string) bool { return KindOf(o.members[name]) != 'n' }

// Get returns the first of the names that is there and not null. Any but the
// first is noted.
func (o *Object) Get(names ...string) (raw json.RawMessage, name string) {
	for i, n := range names {
		v, ok := o.members[n]
		if !ok {
			continue
		}
		o.known = append(o.known, n)
		if raw == nil && KindOf(v) != 'n' {
			raw, name = v, n
			if i > 0 && !strings.HasPrefix(n, "@") {
				o.Note(n, "is the name of another version; %q expected", names[0])
			}
		}
	}
	if name == "" {
		name = names[0]
	}
	return raw, name
}

// Unknown gives the members that nobody asked for; nil when there are none.
func (o *Object) Unknown() map[string]json.RawMessage {
	var out map[string]json.RawMessage
	for k, v := range o.members {
		if k != "@context" && !slices.Contains(o.known, k) {
			if out == nil {
				out = map[string]json.RawMessage{}
			}
			out[k] = v
		}
	}
	return out
}

// UnknownInside is Unknown for an object within a document, with the context that
// the object brings along: its unknown members may mean nothing without it.
func (o *Object) UnknownInside() map[string]json.RawMessage {
	out := o.Unknown()
	if c, ok := o.members["@context"]; ok && out != nil {
		out["@context"] = c
	}
	return out
}

// Text reads a string. Numbers and booleans become text, an array its first
// entry, a JSON-LD value object its @value; each is noted.
func (o *Object) Text(names ...string) string {
	raw, name := o.Get(names...)
	return o.TextOf(raw, name)
}

// TextOf reads raw, the member name, as Text does.
func (o *Object) TextOf(raw json.RawMessage, name string) string {
	return o.nestedText(raw, name, 0)
}

// nestedText bounds how deep a text may be wrapped: each level is parsed anew.
func (o *Object) nestedText(raw json.RawMessage, name string, depth int) string {
	if depth == 4 {
		o.Note(name, "is wrapped too deep")
		return ""
	}
	switch KindOf(raw) {
	case 'n':
		return ""
	case '"':
		s, plain := plainText(bytes.TrimSpace(raw))
		if !plain && json.Unmarshal(raw, &s) != nil {
			o.Note(name, "is not a readable string")
		}
		return s
	case '[':
		if list := elements(raw); len(list) > 0 {
			if len(list) > 1 {
				o.Note(name, "has %d values; only the first is used", len(list))
			}
			return o.nestedText(list[0], name, depth+1)
		}
		return ""
	case '{':
		if v, ok := o.Child(raw, name); ok {
			if inner, key := v.Get("@value", "id", "@id"); inner != nil {
				if key == "@value" {
					o.Note(name, "is a JSON-LD value object")
				}
				return v.nestedText(inner, key, depth+1)
			}
		}
		o.Note(name, "is an object where a string is expected")
		return ""
	}
	o.Note(name, "is %.40s where a string is expected", raw)
	return string(bytes.TrimSpace(raw))
}

// Texts reads a string or an array of them.
func (o *Object) Texts(names ...string) []string {
	raw, name := o.Get(names...)
	var out []string
	for _, entry := range ListOf(raw) {
		if s := o.TextOf(entry, name); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// ListOf gives the entries of an array, or the value itself as the only one.
func ListOf(raw json.RawMessage) []json.RawMessage {
	switch KindOf(raw) {
	case 'n':
		return nil
	case '[':
		return elements(raw)
	}
	return []json.RawMessage{raw}
}

// Set gives the entries of a member that the specification wants as an array;
// a single value is noted and taken.
func (o *Object) Set(names ...string) (list []json.RawMessage, name string) {
	raw, name := o.Get(names...)
	if k := KindOf(raw); k != '[' && k != 'n' {
		o.Note(name, "is a single value where an array is expected")
	}
	return slices.DeleteFunc(ListOf(raw), func(e json.RawMessage) bool { return KindOf(e) == 'n' }), name
}

// TextSet reads an array of strings, as Set does.
func (o *Object) TextSet(names ...string) []string {
	list, name := o.Set(names...)
	var out []string
	for _, entry := range list {
		if s := o.TextOf(entry, name); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// Each calls f for the objects of an array, as Set gives it, and link for the
// entries that are no objects.
func (o *Object) Each(names []string, f func(*Object), link func(string)) {
	list, name := o.Set(names...)
	for i, entry := range list {
		at := fmt.Sprintf("%s[%d]", name, i)
		if c, ok := o.Child(entry, at); ok {
			f(c)
			continue
		}
		if s := o.TextOf(entry, at); s != "" {
			link(s)
		}
	}
}

// First gives the only entry of a member that should have one; more are noted.
func (o *Object) First(names ...string) (raw json.RawMessage, name string) {
	raw, name = o.Get(names...)
	list := ListOf(raw)
	if len(list) == 0 {
		return nil, name
	}
	if len(list) > 1 {
		o.Note(name, "has %d values; only the first is used", len(list))
	}
	if KindOf(list[0]) == 'n' {
		return nil, name
	}
	return list[0], name
}

// Number reads a number, also one that is written as text; "" for anything
// else, which is noted.
func (o *Object) Number(names ...string) json.Number {
	raw, name := o.First(names...)
	if raw == nil {
		return ""
	}
	s := string(bytes.TrimSpace(raw))
	if KindOf(raw) == '"' {
		o.Note(name, "is a text where a number is expected")
		s = o.TextOf(raw, name)
	}
	if f, err := strconv.ParseFloat(s, 64); err != nil || math.IsInf(f, 0) || math.IsNaN(f) || !json.Valid([]byte(s)) {
		o.Note(name, "is not a number: %.40s", raw)
		return ""
	}
	return json.Number(s)
}

// Truth reads a boolean, also one that is written as text or number.
func (o *Object) Truth(names ...string) (value, present bool) {
	raw, name := o.Get(names...)
	switch KindOf(raw) {
	case 'n':
		return false, false
	case 't', 'f':
		return KindOf(raw) == 't', true
	}
	s := strings.ToLower(strings.Trim(string(raw), `" `))
	o.Note(name, "is %.40s where true or false is expected", raw)
	return s == "true" || s == "1" || s == "yes", true
}

// When reads a time. Dates without a clock, seconds since 1970 and times
// without a zone (taken as UTC) are noted.
func (o *Object) When(names ...string) time.Time {
	raw, name := o.Get(names...)
	t, strict, s := moment(raw)
	switch {
	case s == "" || strict:
	case t.IsZero():
		o.Note(name, "is not a date: %.40q", s)
	default:
		o.Note(name, "is not an ISO 8601 date and time with a zone: %.40q", s)
	}
	return t
}

// OldTime reads a time of OB 0.5 or 1.x, where a date alone and seconds since
// 1970 are as good as ISO 8601.
func (o *Object) OldTime(names ...string) time.Time {
	raw, name := o.Get(names...)
	t, strict, s := moment(raw)
	_, errDate := time.Parse(time.DateOnly, s)
	unix := len(s) >= 9 && strings.Trim(s, "0123456789") == ""
	switch {
	case s == "" || strict || errDate == nil:
	case t.IsZero():
		o.Note(name, "is not a date: %.40q", s)
	case unix && KindOf(raw) == '"':
		o.Note(name, "is a number written as text: %.40q", s)
	case !unix:
		o.Note(name, "is neither ISO 8601 with a zone nor a Unix time: %.40q", s)
	}
	return t
}

func moment(raw json.RawMessage) (t time.Time, strict bool, s string) {
	if KindOf(raw) == 'n' {
		return time.Time{}, false, ""
	}
	s = strings.TrimSpace(strings.Trim(string(bytes.TrimSpace(raw)), `"`))
	if t, err := ParseTime(s); err == nil {
		return t, true, s
	}
	t, err := looseTime(s)
	if err != nil {
		return time.Time{}, false, s
	}
	return t, false, s
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

// Types reads type or @type, a string or an array.
func (o *Object) Types() []string { return o.Texts("type", "@type") }

// CheckType notes when none of the types is one that is wanted, and gives the
// types that are not.
func (o *Object) CheckType(want ...string) (further []string) {
	types := o.Types()
	found := false
	for _, t := range types {
		if slices.Contains(want, t) {
			found = true
		} else {
			further = append(further, t)
		}
	}
	if !found {
		o.Note("type", "is %q; %q expected", types, want)
	}
	return further
}

// LooksHashed reports whether an identity has the form "alg$hex".
func LooksHashed(identity string) bool {
	alg, hex, ok := strings.Cut(identity, "$")
	return ok && alg != "" && !strings.Contains(identity, "@") && strings.Trim(strings.ToLower(hex), "0123456789abcdef") == ""
}

// IsWeb reports whether s begins as an address of the web does.
func IsWeb(s string) bool {
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}

// WebURL gives s when it is an address of the web, else "".
func WebURL(s string) string {
	if IsWeb(s) {
		return s
	}
	return ""
}
