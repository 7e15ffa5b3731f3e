package verify

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// maxDepth is how deep a document may be nested.
const maxDepth = 40

// parseObject reads one JSON object and nothing behind it, as encoding/json does
// and several times faster: numbers stay as they are written, and of a key that
// stands twice the last value counts, as the readers of Open Badges up to 2.0
// have it. (A credential of 3.0 is refused then: see jsonld.ParseObject.)
func parseObject(data []byte) (map[string]any, error) {
	r := reader{data: data}
	r.space()
	if r.at == len(data) || data[r.at] != '{' {
		return nil, fmt.Errorf("it is no JSON object")
	}
	v, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if r.space(); r.at < len(data) {
		return nil, fmt.Errorf("something follows the JSON object")
	}
	doc, ok := v.(map[string]any)
	if !ok {
		return nil, errNoJSON
	}
	return doc, nil
}

var errNoJSON = fmt.Errorf("it is no JSON object")

type reader struct {
	data []byte
	at   int
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

// take takes c, with space before it.
func (r *reader) take(c byte) bool {
	r.space()
	if r.at < len(r.data) && r.data[r.at] == c {
		r.at++
		return true
	}
	return false
}

func (r *reader) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	}
	r.space()
	if r.at == len(r.data) {
		return nil, errNoJSON
	}
	switch r.data[r.at] {
	case '{':
		r.at++
		return r.object(depth)
	case '[':
		r.at++
		return r.array(depth)
	case '"':
		return r.text()
	case 't':
		return true, r.word("true")
	case 'f':
		return false, r.word("false")
	case 'n':
		return nil, r.word("null")
	}
	return r.number()
}

func (r *reader) word(w string) error {
	if len(r.data)-r.at < len(w) || string(r.data[r.at:r.at+len(w)]) != w {
		return errNoJSON
	}
	r.at += len(w)
	return nil
}

func (r *reader) object(depth int) (any, error) {
	m := make(map[string]any, 8)
	if r.take('}') {
		return m, nil
	}
	for {
		r.space()
		key, err := r.text()
		if err != nil {
			return nil, err
		}
		if !r.take(':') {
			return nil, errNoJSON
		}
		if m[key], err = r.value(depth + 1); err != nil {
			return nil, err
		}
		if r.take('}') {
			return m, nil
		}
		if !r.take(',') {
			return nil, errNoJSON
		}
	}
}

func (r *reader) array(depth int) (any, error) {
	list := []any{}
	if r.take(']') {
		return list, nil
	}
	for {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if r.take(']') {
			return list, nil
		}
		if !r.take(',') {
			return nil, errNoJSON
		}
	}
}

// text reads a string. One with escapes or damage in it is left to encoding/json.
func (r *reader) text() (string, error) {
	if r.at == len(r.data) || r.data[r.at] != '"' {
		return "", errNoJSON
	}
	start := r.at
	plain := true
	for r.at++; r.at < len(r.data); r.at++ {
		switch c := r.data[r.at]; {
		case c == '"':
			r.at++
			whole := r.data[start:r.at]
			if plain && utf8.Valid(whole) {
				return string(whole[1 : len(whole)-1]), nil
			}
			var s string
			if json.Unmarshal(whole, &s) != nil {
				return "", errNoJSON
			}
			return s, nil
		case c == '\\':
			plain = false
			r.at++
		case c < 0x20:
			return "", errNoJSON
		}
	}
	return "", errNoJSON
}

// number reads a number in the form that JSON allows.
func (r *reader) number() (any, error) {
	start := r.at
	for r.at < len(r.data) {
		switch c := r.data[r.at]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
			r.at++
			continue
		}
		break
	}
	text := r.data[start:r.at]
	if len(text) == 0 || !json.Valid(text) {
		return nil, errNoJSON
	}
	return json.Number(text), nil
}
