package jsonld

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Parse reads one JSON text more strictly than encoding/json does, because two
// readers of one signed document must never see two documents: no key twice in
// an object, only UTF-8, no half of a surrogate pair, no number beyond a double,
// nothing after the end. Objects come as map[string]any, numbers as float64.
// Zero limits take their defaults. Errors: ErrSyntax, ErrLimit.
func Parse(data []byte, lim Limits) (any, error) {
	lim = lim.withDefaults()
	if len(data) > lim.MaxBytes {
		return nil, fmt.Errorf("%w: the document has %d bytes", ErrLimit, len(data))
	}
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrSyntax)
	}
	r := &reader{data: data, text: string(data), lim: lim}
	v, err := r.value(1)
	if err != nil {
		return nil, err
	}
	if r.space(); r.at < len(data) {
		return nil, r.syntax("something follows the document")
	}
	return v, nil
}

// ParseObject is Parse for a document that has to be an object.
func ParseObject(data []byte, lim Limits) (map[string]any, error) {
	v, err := Parse(data, lim)
	if err != nil {
		return nil, err
	}
	doc, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: the document is not an object", ErrSyntax)
	}
	return doc, nil
}

type reader struct {
	data   []byte
	text   string // the same: the document's strings are parts of it
	at     int
	lim    Limits
	values int
}

func (r *reader) syntax(what string) error {
	return fmt.Errorf("%w: %s at byte %d", ErrSyntax, what, r.at)
}

func (r *reader) space() {
	for r.at < len(r.data) {
		switch r.data[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

// next skips space and takes c if it comes next.
func (r *reader) next(c byte) bool {
	r.space()
	if r.at < len(r.data) && r.data[r.at] == c {
		r.at++
		return true
	}
	return false
}

func (r *reader) value(depth int) (any, error) {
	if r.values++; r.values > r.lim.MaxValues {
		return nil, fmt.Errorf("%w: too many values", ErrLimit)
	}
	if depth > r.lim.MaxDepth {
		return nil, fmt.Errorf("%w: nested too deep", ErrLimit)
	}
	r.space()
	if r.at >= len(r.data) {
		return nil, r.syntax("the document ends early")
	}
	switch c := r.data[r.at]; c {
	case '{':
		r.at++
		return r.object(depth)
	case '[':
		r.at++
		return r.array(depth)
	case '"':
		r.at++
		return r.str()
	case 't':
		return true, r.word("true")
	case 'f':
		return false, r.word("false")
	case 'n':
		return nil, r.word("null")
	default:
		return r.number()
	}
}

func (r *reader) word(w string) error {
	if len(r.data)-r.at < len(w) || string(r.data[r.at:r.at+len(w)]) != w {
		return r.syntax("unknown word")
	}
	r.at += len(w)
	return nil
}

func (r *reader) object(depth int) (any, error) {
	m := map[string]any{}
	if r.next('}') {
		return m, nil
	}
	for {
		if !r.next('"') {
			return nil, r.syntax("a key is missing")
		}
		key, err := r.str()
		if err != nil {
			return nil, err
		}
		if _, dup := m[key]; dup {
			return nil, r.syntax(fmt.Sprintf("the key %.40q stands twice", key))
		}
		if !r.next(':') {
			return nil, r.syntax("a colon is missing")
		}
		if m[key], err = r.value(depth + 1); err != nil {
			return nil, err
		}
		if r.next('}') {
			return m, nil
		}
		if !r.next(',') {
			return nil, r.syntax("a comma is missing")
		}
	}
}

func (r *reader) array(depth int) (any, error) {
	list := []any{}
	if r.next(']') {
		return list, nil
	}
	for {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if r.next(']') {
			return list, nil
		}
		if !r.next(',') {
			return nil, r.syntax("a comma is missing")
		}
	}
}

// str reads the rest of a string, after its opening quote.
func (r *reader) str() (string, error) {
	start := r.at
	for r.at < len(r.data) {
		switch c := r.data[r.at]; {
		case c == '"':
			s := r.text[start:r.at]
			r.at++
			return s, nil
		case c == '\\':
			return r.escaped(start)
		case c < 0x20:
			return "", r.syntax("a control character in a string")
		}
		r.at++
	}
	return "", r.syntax("a string does not end")
}

// escaped goes on with a string at its first backslash.
func (r *reader) escaped(start int) (string, error) {
	buf := append([]byte(nil), r.data[start:r.at]...)
	for r.at < len(r.data) {
		c := r.data[r.at]
		r.at++
		switch {
		case c == '"':
			return string(buf), nil
		case c < 0x20:
			return "", r.syntax("a control character in a string")
		case c != '\\':
			buf = append(buf, c)
			continue
		}
		if r.at >= len(r.data) {
			break
		}
		c = r.data[r.at]
		r.at++
		switch c {
		case '"', '\\', '/':
			buf = append(buf, c)
		case 'b':
			buf = append(buf, '\b')
		case 'f':
			buf = append(buf, '\f')
		case 'n':
			buf = append(buf, '\n')
		case 'r':
			buf = append(buf, '\r')
		case 't':
			buf = append(buf, '\t')
		case 'u':
			u, ok := r.hex4()
			if !ok {
				return "", r.syntax("a damaged escape")
			}
			if utf16.IsSurrogate(u) {
				if r.word(`\u`) != nil {
					return "", r.syntax("half a surrogate pair")
				}
				low, ok := r.hex4()
				if u = utf16.DecodeRune(u, low); !ok || u == utf8.RuneError {
					return "", r.syntax("half a surrogate pair")
				}
			}
			buf = utf8.AppendRune(buf, u)
		default:
			return "", r.syntax("an unknown escape")
		}
	}
	return "", r.syntax("a string does not end")
}

func (r *reader) hex4() (rune, bool) {
	if len(r.data)-r.at < 4 {
		return 0, false
	}
	var v rune
	for _, c := range r.data[r.at : r.at+4] {
		switch {
		case c >= '0' && c <= '9':
			v = v<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			v = v<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	r.at += 4
	return v, true
}

func (r *reader) number() (any, error) {
	start := r.at
	digits := func() bool {
		from := r.at
		for r.at < len(r.data) && r.data[r.at] >= '0' && r.data[r.at] <= '9' {
			r.at++
		}
		return r.at > from
	}
	take := func(set string) bool {
		for i := range len(set) {
			if r.at < len(r.data) && r.data[r.at] == set[i] {
				r.at++
				return true
			}
		}
		return false
	}
	take("-")
	if !take("0") && !digits() {
		return nil, r.syntax("not a value")
	}
	if take(".") && !digits() {
		return nil, r.syntax("a damaged number")
	}
	if take("eE") {
		take("+-")
		if !digits() {
			return nil, r.syntax("a damaged number")
		}
	}
	v, err := strconv.ParseFloat(r.text[start:r.at], 64)
	if err != nil || math.IsInf(v, 0) {
		return nil, r.syntax("a number is too large")
	}
	return v, nil
}
