// Package secret keeps secrets out of sight: String hides a value from every
// printer, Keyring seals values for the database.
package secret

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// String is a secret in memory. However it is printed, logged or encoded (fmt,
// encoding/json, log/slog, YAML, text) it reads "[redacted]"; an empty one reads
// "", so that a page can tell that nothing is set. Only Reveal gives the value.
//
// It decodes from JSON, YAML and text like a string. Encoding loses the value on
// purpose: what has to be stored is sealed by a Keyring.
//
// The zero value is the empty secret. Compare with Equal, not with ==.
type String struct {
	// A pointer, because fmt walks into unexported fields of other structs
	// without calling methods; there it prints an address, never the value.
	p *string
}

// New makes a secret of value.
func New(value string) String {
	if value == "" {
		return String{}
	}
	return String{p: &value}
}

// Reveal gives the value itself. Call it where the secret is used, never to keep
// the result.
func (s String) Reveal() string {
	if s.p == nil {
		return ""
	}
	return *s.p
}

// IsZero reports whether there is no value. YAML's and JSON's omitzero use it.
func (s String) IsZero() bool { return s.p == nil }

// Equal compares two secrets in constant time.
func (s String) Equal(other String) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String implements fmt.Stringer.
func (s String) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// GoString implements fmt.GoStringer.
func (s String) GoString() string { return fmt.Sprintf("secret.String(%q)", s.String()) }

// Format implements fmt.Formatter, so that no verb and no flag shows the value.
func (s String) Format(f fmt.State, verb rune) {
	switch {
	case verb == 'v' && f.Flag('#'):
		io.WriteString(f, s.GoString())
	case verb == 'q':
		fmt.Fprintf(f, "%q", s.String())
	default:
		io.WriteString(f, s.String())
	}
}

// LogValue implements slog.LogValuer.
func (s String) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler.
func (s String) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON implements json.Marshaler.
func (s String) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalYAML implements the marshaler of the YAML libraries.
func (s String) MarshalYAML() (any, error) { return s.String(), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *String) UnmarshalText(text []byte) error {
	*s = New(string(text))
	return nil
}

// UnmarshalJSON implements json.Unmarshaler. null is the empty secret.
func (s *String) UnmarshalJSON(data []byte) error {
	var value string
	if err := json.Unmarshal(data, &value); err != nil {
		// The decoder's own error may quote the value.
		return fmt.Errorf("a secret must be a JSON string")
	}
	*s = New(value)
	return nil
}
