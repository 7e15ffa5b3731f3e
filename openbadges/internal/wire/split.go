package wire

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// The functions here take apart JSON that is known to be valid: Open checks a
// document once, and every level below would otherwise be parsed anew.

// members splits an object into its members; of a key that stands twice the last
// counts.
func members(raw []byte) map[string]json.RawMessage {
	m := make(map[string]json.RawMessage, 12)
	at := space(raw, 1)
	for at < len(raw) && raw[at] == '"' {
		end := skipText(raw, at)
		key, ok := plainText(raw[at:end])
		if !ok && json.Unmarshal(raw[at:end], &key) != nil {
			return m
		}
		at = space(raw, space(raw, end)+1)
		end = skip(raw, at)
		m[key] = raw[at:end:end]
		if at = space(raw, end); at < len(raw) && raw[at] == ',' {
			at = space(raw, at+1)
		}
	}
	return m
}

// elements splits an array.
func elements(raw []byte) []json.RawMessage {
	var out []json.RawMessage
	at := space(raw, bytes.IndexByte(raw, '[')+1)
	for at < len(raw) && raw[at] != ']' {
		end := skip(raw, at)
		if end == at {
			break // not valid after all
		}
		out = append(out, raw[at:end:end])
		if at = space(raw, end); at < len(raw) && raw[at] == ',' {
			at = space(raw, at+1)
		}
	}
	return out
}

func space(raw []byte, at int) int {
	for at < len(raw) && (raw[at] == ' ' || raw[at] == '\n' || raw[at] == '\t' || raw[at] == '\r') {
		at++
	}
	return at
}

// skipText gives where the string that begins at at ends.
func skipText(raw []byte, at int) int {
	for at++; at < len(raw); at++ {
		switch raw[at] {
		case '\\':
			at++
		case '"':
			return at + 1
		}
	}
	return len(raw)
}

// skip gives where the value that begins at at ends.
func skip(raw []byte, at int) int {
	depth := 0
	for at < len(raw) {
		switch raw[at] {
		case '"':
			if at = skipText(raw, at); depth == 0 {
				return at
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return at // behind a number or a word
			}
			if depth--; depth == 0 {
				return at + 1
			}
		case ',', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return at
			}
		}
		at++
	}
	return at
}

// plainText gives a string that holds no escape and no damage.
func plainText(raw []byte) (string, bool) {
	if len(raw) < 2 || bytes.IndexByte(raw, '\\') >= 0 || !utf8.Valid(raw) {
		return "", false
	}
	return string(raw[1 : len(raw)-1]), true
}
