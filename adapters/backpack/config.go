package backpack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"badgebridge/internal/secret"
)

// config is a connection's configuration: without tokens it can only Begin and
// Finish.
type config struct {
	Root         string        `json:"root"`
	APIRoot      string        `json:"api_root,omitempty"`
	AccessToken  secret.String `json:"access_token"`
	RefreshToken secret.String `json:"refresh_token"`
	// ExpiresAt is when the access token ends, RFC 3339; "" unknown.
	ExpiresAt string `json:"expires_at,omitempty"`
}

// settings is a config that was found good.
type settings struct {
	root    *url.URL // without a slash at the end
	api     *url.URL // nil: not connected yet
	access  secret.String
	refresh secret.String
	expires time.Time // zero: unknown
}

const maxToken = 4096

// parseConfig reads and validates a configuration. Its errors name every field
// that is wrong, why, and what to do.
func parseConfig(raw json.RawMessage) (settings, error) {
	var c config
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return settings{}, fmt.Errorf("backpack: the configuration is not understood: %w; it knows root, api_root, access_token, refresh_token and expires_at", err)
	}
	var bad []error
	wrong := func(field, format string, args ...any) {
		bad = append(bad, fmt.Errorf("backpack: %s: %s", field, fmt.Sprintf(format, args...)))
	}
	s := settings{access: c.AccessToken, refresh: c.RefreshToken}
	var err error
	if s.root, err = parseRoot(c.Root); err != nil {
		wrong("root", "%v", err)
	}
	if c.APIRoot != "" {
		if s.api, err = parseRoot(c.APIRoot); err != nil {
			wrong("api_root", "%v", err)
		}
		if !isToken(s.access.Reveal()) {
			wrong("access_token", "is missing or holds characters that no token has; connect again")
		}
	}
	if r := s.refresh.Reveal(); r != "" && !isToken(r) {
		wrong("refresh_token", "holds characters that no token has; connect again")
	}
	if c.ExpiresAt != "" {
		if s.expires, err = time.Parse(time.RFC3339, c.ExpiresAt); err != nil {
			wrong("expires_at", "%q is no time; write it as 2027-04-30T12:00:00Z", c.ExpiresAt)
		}
	}
	return s, errors.Join(bad...)
}

// parseRoot reads an address below which a backpack answers.
func parseRoot(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(strings.TrimSpace(raw), "/"))
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return nil, fmt.Errorf("%q is no address; write it as https://backpack.example", raw)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || len(raw) > 1000:
		return nil, errors.New("must hold neither a user, nor a query, nor a fragment; write it as https://backpack.example")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("%q is not https; write it as https://backpack.example", raw)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, errors.New("the tokens would travel in the clear; write https instead of http")
	}
	u.Host = strings.ToLower(u.Host)
	return u, nil
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// isToken: what others gave us goes into a header, in base64.
func isToken(s string) bool {
	return s != "" && len(s) <= maxToken && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// plain is the configuration in clear, as the driver takes it.
func (s settings) plain() (json.RawMessage, error) {
	out := struct {
		Root         string `json:"root"`
		APIRoot      string `json:"api_root,omitempty"`
		AccessToken  string `json:"access_token,omitempty"`
		RefreshToken string `json:"refresh_token,omitempty"`
		ExpiresAt    string `json:"expires_at,omitempty"`
	}{Root: s.root.String(), AccessToken: s.access.Reveal(), RefreshToken: s.refresh.Reveal()}
	if s.api != nil {
		out.APIRoot = s.api.String()
	}
	if !s.expires.IsZero() {
		out.ExpiresAt = s.expires.UTC().Format(time.RFC3339)
	}
	return json.Marshal(out)
}

func hosts(raw json.RawMessage) ([]string, error) {
	s, err := parseConfig(raw)
	if err != nil {
		return nil, err
	}
	list := []string{s.root.Host}
	if s.api != nil && s.api.Host != s.root.Host {
		list = append(list, s.api.Host)
	}
	return list, nil
}
