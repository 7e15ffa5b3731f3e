package credly

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"badgebridge/internal/secret"
)

// The addresses of Credly itself. Tokens of the one are not taken by the other.
const (
	Production = "https://api.credly.com/v1"
	Sandbox    = "https://sandbox-api.credly.com/v1"
)

// config is the connection's configuration as the admin's page or the YAML file
// gives it.
type config struct {
	// BaseURL is Production when "". A host that is not Credly's is a simulator.
	BaseURL        string        `json:"base_url"`
	OrganizationID string        `json:"organization_id"`
	Token          secret.String `json:"token"`
	// TokenExpiresAt is a date or RFC 3339 time; "" asks Credly.
	TokenExpiresAt string `json:"token_expires_at"`
	// Settle is a Go duration, "2m" when "".
	Settle string `json:"settle"`
	// Notify lets Credly mail every recipient. Otherwise only those whose
	// issuance asks for it get a mail.
	Notify bool `json:"notify"`
}

// settings is a config that was found good.
type settings struct {
	base    *url.URL // with its path, no slash at the end
	org     string
	token   secret.String
	expires time.Time // zero: ask Credly
	settle  time.Duration
	notify  bool
}

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// family lists, for each environment, the names under which the same API
// answers. Links between pages may name another of them.
func family(host string) []string {
	for _, f := range [][]string{
		{"api.credly.com", "www.credly.com", "api.youracclaim.com", "www.youracclaim.com"},
		{"sandbox-api.credly.com", "sandbox.credly.com", "sandbox-api.youracclaim.com", "sandbox.youracclaim.com"},
	} {
		if slices.Contains(f, strings.ToLower(host)) {
			return f
		}
	}
	return []string{strings.ToLower(host)}
}

// parseConfig reads and validates a configuration. Its errors name every field
// that is wrong, why, and what to do.
func parseConfig(raw json.RawMessage) (settings, error) {
	var c config
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return settings{}, fmt.Errorf("credly: the configuration is not understood: %w; it knows base_url, organization_id, token, token_expires_at, settle and notify", err)
	}
	var bad []error
	wrong := func(field, format string, args ...any) {
		bad = append(bad, fmt.Errorf("credly: %s: %s", field, fmt.Sprintf(format, args...)))
	}
	s := settings{org: strings.ToLower(strings.TrimSpace(c.OrganizationID)), notify: c.Notify, settle: 2 * time.Minute}

	base, err := parseBase(c.BaseURL)
	if err != nil {
		wrong("base_url", "%v", err)
	}
	s.base = base
	switch {
	case s.org == "":
		wrong("organization_id", "is missing; Credly shows it under Organization, Developers, or in the address of the organization's pages")
	case !uuid.MatchString(s.org):
		wrong("organization_id", "%q is not a UUID like 5f0b8c9e-1c5e-4d64-9b0e-0d1f3a6c7e01; copy the id, not the organization's name", c.OrganizationID)
	}
	tok := c.Token.Reveal()
	switch {
	case tok == "":
		wrong("token", "is missing; make an authorization token in Credly under Organization, Developers")
	case len(tok) > 512 || strings.ContainsFunc(tok, func(r rune) bool { return r <= ' ' || r == ':' || r > '~' }):
		wrong("token", "holds blanks, colons or other characters that no token has; copy it again, without \"Basic\" and without encoding it")
	}
	s.token = c.Token
	if c.TokenExpiresAt != "" {
		if s.expires = parseWhen(c.TokenExpiresAt); s.expires.IsZero() {
			wrong("token_expires_at", "%q is no date; write it as 2027-04-30, or leave it out", c.TokenExpiresAt)
		}
	}
	if c.Settle != "" {
		d, err := time.ParseDuration(c.Settle)
		if err != nil || d < 0 || d > time.Hour {
			wrong("settle", "%q is not a duration between 0s and 1h; write it as \"2m\"", c.Settle)
		}
		s.settle = d
	}
	return s, errors.Join(bad...)
}

func parseBase(raw string) (*url.URL, error) {
	if raw == "" {
		raw = Production
	}
	u, err := url.Parse(strings.TrimRight(strings.TrimSpace(raw), "/"))
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return nil, fmt.Errorf("%q is no address; write it as %s or %s", raw, Production, Sandbox)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("must hold neither a user, nor a query, nor a fragment; write it as %s", Production)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("%q is neither https nor http; write it as %s", raw, Production)
	case u.Scheme == "http" && len(family(u.Hostname())) > 1:
		return nil, errors.New("the token would travel in the clear; write https instead of http")
	}
	if u.Path == "" {
		u.Path = "/v1"
	}
	return u, nil
}

func hosts(raw json.RawMessage) ([]string, error) {
	s, err := parseConfig(raw)
	if err != nil {
		return nil, err
	}
	return []string{s.base.Host}, nil
}
