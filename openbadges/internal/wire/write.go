package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"badgebridge/openbadges"
)

// Writer builds a JSON object in the order of the calls, without escaping for
// HTML: a URL with "&" stays readable and equal to itself.
type Writer struct {
	buf   bytes.Buffer
	names map[string]bool
	err   error
}

// NewWriter begins an object.
func NewWriter() *Writer {
	w := &Writer{names: map[string]bool{}}
	w.buf.WriteByte('{')
	return w
}

// Put adds a member; empty strings and numbers, nil and empty lists, zero times
// and objects without a member are left out. Besides what encoding/json knows it
// takes *Writer and []*Writer.
func (w *Writer) Put(name string, value any) {
	switch v := value.(type) {
	case nil:
		return
	case string:
		if v == "" {
			return
		}
	case json.Number:
		if v == "" {
			return
		}
	case time.Time:
		if v.IsZero() {
			return
		}
		value = FormatTime(v)
	case []string:
		if len(v) == 0 {
			return
		}
	case []json.RawMessage:
		if len(v) == 0 {
			return
		}
	case []*Writer:
		if len(v) == 0 {
			return
		}
	case *Writer:
		if v == nil || len(v.names) == 0 {
			return
		}
	case json.RawMessage:
		if len(v) == 0 {
			return
		}
	}
	w.Always(name, value)
}

// Always adds a member whatever its value is; a name that is there already stays
// as it is.
func (w *Writer) Always(name string, value any) {
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

// PutUnknown writes members that came from elsewhere, in the order of their
// names, behind ours.
func (w *Writer) PutUnknown(unknown map[string]json.RawMessage) {
	for _, name := range SortedNames(unknown) {
		w.Put(name, unknown[name])
	}
}

func (w *Writer) encode(value any) {
	if w.err != nil {
		return
	}
	switch v := value.(type) {
	case json.RawMessage:
		w.err = json.Compact(&w.buf, v)
		return
	case *Writer:
		b, err := v.Bytes()
		w.err = err
		w.buf.Write(b)
		return
	case []json.RawMessage:
		encodeList(w, v)
		return
	case []*Writer:
		encodeList(w, v)
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

func encodeList[T any](w *Writer, list []T) {
	w.buf.WriteByte('[')
	for i, v := range list {
		if i > 0 {
			w.buf.WriteByte(',')
		}
		w.encode(v)
	}
	w.buf.WriteByte(']')
}

// Bytes ends the object. An unknown member that is no JSON is an error.
func (w *Writer) Bytes() ([]byte, error) {
	if w.err != nil {
		return nil, w.err
	}
	return append(slices.Clip(w.buf.Bytes()), '}'), nil
}

// FormatTime writes a time in ISO 8601 and UTC.
func FormatTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// SortedNames are the names of members in a stable order.
func SortedNames(m map[string]json.RawMessage) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Incomplete gives ErrIncomplete with what is missing.
func Incomplete(what string, missing openbadges.Notes) error {
	parts := make([]string, len(missing))
	for i, n := range missing {
		parts[i] = n.String()
	}
	return fmt.Errorf("write %s: %w: %s", what, ErrIncomplete, strings.Join(parts, "; "))
}

// Need notes a text that is empty.
func Need(missing *openbadges.Notes, path, value string) {
	if strings.TrimSpace(value) == "" {
		missing.Add(path, "is missing")
	}
}

// NeedURL notes what is not an address of the web.
func NeedURL(missing *openbadges.Notes, path, value string) {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		missing.Add(path, "is not a web address")
	}
}

// NeedURI notes what is not an absolute URI.
func NeedURI(missing *openbadges.Notes, path, value string) {
	u, err := url.Parse(value)
	if err != nil || u.Scheme == "" || u.Opaque == "" && u.Host == "" && u.Path == "" || strings.ContainsAny(value, " \n\t<>\"") {
		missing.Add(path, "is not an absolute URI")
	}
}
