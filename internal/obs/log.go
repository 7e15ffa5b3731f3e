// Package obs makes the structured log. Addresses of people are hashed in it
// and secrets print as [redacted], whoever logs them.
package obs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"regexp"
)

// NewLogger makes a logger. level is debug, info, warn or error; format text or
// json.
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q: %w", level, err)
	}
	o := &slog.HandlerOptions{Level: l, ReplaceAttr: redact}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return slog.New(slog.NewTextHandler(w, o)), nil
}

var (
	address     = regexp.MustCompile(`[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*`)
	credentials = regexp.MustCompile(`(?i)(://[^/\s:@]*:)[^@\s/]+@`)
)

// redact hashes addresses in text and cuts passwords out of URLs.
func redact(_ []string, a slog.Attr) slog.Attr {
	switch v := a.Value.Any().(type) {
	case string:
		return slog.String(a.Key, Clean(v))
	case error:
		return slog.String(a.Key, Clean(v.Error()))
	}
	return a
}

// Clean returns text that may be logged: addresses hashed, passwords in URLs
// left out.
func Clean(text string) string {
	text = credentials.ReplaceAllString(text, "${1}[redacted]@")
	return address.ReplaceAllStringFunc(text, func(m string) string {
		sum := sha256.Sum256([]byte(m))
		return "address:" + hex.EncodeToString(sum[:4])
	})
}
