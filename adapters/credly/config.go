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
// gives it. Driver says what each member means.
type config struct {
	BaseURL        string        `json:"base_url"`
	OrganizationID string        `json:"organization_id"`
	Token          secret.String `json:"token"`
	TokenExpiresAt string        `json:"token_expires_at"`
	ClientID       string        `json:"client_id"`
	ClientSecret   secret.String `json:"client_secret"`
	OAuthURL       string        `json:"oauth_url"`
	OAuthAuth      string        `json:"oauth_auth"`
	Scopes         string        `json:"scopes"`
	Settle         string        `json:"settle"`
	// Notify is no setting any more: who mails the member is said by each mapping.
	// Configurations that were stored with it are still read.
	Notify   json.RawMessage `json:"notify"`
	Locale   string          `json:"locale"`
	Expiry   string          `json:"expiry"`
	Evidence string          `json:"evidence"`
	FindBy   string          `json:"find_by"`
	Listing  string          `json:"listing"`
}

// fields are the configuration's members, for the error about one that is none.
const fields = "base_url, organization_id, token, token_expires_at, client_id, client_secret, oauth_url, oauth_auth, scopes, settle, locale, expiry, evidence, find_by and listing"

// settings is a config that was found good.
type settings struct {
	base    *url.URL // with its path, no slash at the end
	org     string
	token   secret.String // "" with OAuth
	oauth   *oauth        // nil with a token
	expires time.Time     // zero: ask Credly
	settle  time.Duration
	locale  string // "" leaves it to Credly

	expiry   string // expiryTemplate, expiryNever
	evidence string // evidenceLinks, evidenceAll, evidenceNone
	findBy   string // the filter that finds an address
	listing  string // listingPages, listingExport
}

// oauth is an OAuth application of the organization.
type oauth struct {
	url    *url.URL
	id     string
	secret secret.String
	auth   string // authJSON, authForm, authHeader
	scopes []string
}

// The choices of the configuration. The first of each is the default.
const (
	expiryTemplate = "template"
	expiryNever    = "never"

	evidenceLinks = "links"
	evidenceAll   = "all"
	evidenceNone  = "none"

	findByAccount = "recipient_email_all"
	findByBadge   = "recipient_email"

	listingPages  = "pages"
	listingExport = "export"

	authJSON   = "json"
	authForm   = "form"
	authHeader = "header"
)

var (
	uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	// locales are those in which Credly shows a badge.
	locales = []string{"en", "fr", "de", "ko", "ja", "zh-CN", "pt", "es-ES", "es-US", "fr-CA", "pt-BR"}
)

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

// faults collects what is wrong with a configuration.
type faults []error

func (f *faults) add(field, format string, args ...any) {
	*f = append(*f, fmt.Errorf("credly: %s: %s", field, fmt.Sprintf(format, args...)))
}

// parseConfig reads and validates a configuration. Its errors name every field
// that is wrong, why, and what to do.
func parseConfig(raw json.RawMessage) (settings, error) {
	var c config
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return settings{}, fmt.Errorf("credly: the configuration is not understood: %w; it knows %s", err, fields)
	}
	var bad faults
	s := settings{org: strings.ToLower(strings.TrimSpace(c.OrganizationID)), settle: 2 * time.Minute}
	base, err := parseBase(c.BaseURL)
	if err != nil {
		bad.add("base_url", "%v", err)
	}
	s.base = base
	switch {
	case s.org == "":
		bad.add("organization_id", "is missing; Credly shows it under Organization, Developers, or in the address of the organization's pages")
	case !uuid.MatchString(s.org):
		bad.add("organization_id", "%q is not a UUID like 5f0b8c9e-1c5e-4d64-9b0e-0d1f3a6c7e01; copy the id, not the organization's name", c.OrganizationID)
	}
	s.credentials(c, &bad)
	s.behaviour(c, &bad)
	return s, errors.Join(bad...)
}

// credentials reads the token, or the OAuth application in its place.
func (s *settings) credentials(c config, bad *faults) {
	tok, app := c.Token.Reveal(), c.ClientID != "" || !c.ClientSecret.IsZero()
	switch {
	case tok == "" && !app:
		bad.add("token", "is missing; make an authorization token in Credly under Organization, Developers, or give client_id and client_secret of an OAuth application")
	case tok != "" && app:
		bad.add("token", "stands beside client_id; give the token or the OAuth application, not both")
	case !app && badToken(tok):
		bad.add("token", "holds blanks, colons or other characters that no token has; copy it again, without \"Basic\" and without encoding it")
	}
	s.token = c.Token
	if c.TokenExpiresAt != "" {
		if s.expires = parseWhen(c.TokenExpiresAt); s.expires.IsZero() {
			bad.add("token_expires_at", "%q is no date; write it as 2027-04-30, or leave it out", c.TokenExpiresAt)
		}
	}
	if !app || tok != "" {
		return
	}
	o := &oauth{id: strings.TrimSpace(c.ClientID), secret: c.ClientSecret, scopes: strings.Fields(c.Scopes)}
	if len(o.scopes) == 0 {
		o.scopes = []string{"badge_templates", "issued_badges", "events"}
	}
	if o.id == "" || o.secret.IsZero() || badToken(o.id) || badToken(o.secret.Reveal()) {
		bad.add("client_id", "and client_secret belong together; copy both from the OAuth application in Credly under Organization, Developers")
	}
	o.auth = choice(bad, "oauth_auth", c.OAuthAuth, authJSON, authForm, authHeader)
	raw := c.OAuthURL
	if raw == "" && s.base != nil {
		raw = tokenURL(s.base)
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http":
		bad.add("oauth_url", "%q is no web address; Credly's is https://www.credly.com/oauth/token", c.OAuthURL)
	case u.Scheme == "http" && s.base != nil && s.base.Scheme == "https":
		bad.add("oauth_url", "the secret would travel in the clear; write https instead of http")
	}
	o.url = u
	s.oauth = o
}

// tokenURL is where access tokens are had. Credly's documentation stresses that
// it is the host of its pages, not that of the API; the sandbox's is its like.
func tokenURL(base *url.URL) string {
	switch family(base.Hostname())[0] {
	case "api.credly.com":
		return "https://www.credly.com/oauth/token"
	case "sandbox-api.credly.com":
		return "https://sandbox.credly.com/oauth/token"
	}
	return base.Scheme + "://" + base.Host + "/oauth/token"
}

func badToken(s string) bool {
	return len(s) > 512 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == ':' || r > '~' })
}

// behaviour reads how the gateway is to deal with Credly.
func (s *settings) behaviour(c config, bad *faults) {
	if c.Settle != "" {
		d, err := time.ParseDuration(c.Settle)
		if err != nil || d < 0 || d > time.Hour {
			bad.add("settle", "%q is not a duration between 0s and 1h; write it as \"2m\"", c.Settle)
		}
		s.settle = d
	}
	if s.locale = c.Locale; s.locale != "" {
		choice(bad, "locale", c.Locale, locales...)
	}
	s.expiry = choice(bad, "expiry", c.Expiry, expiryTemplate, expiryNever)
	s.evidence = choice(bad, "evidence", c.Evidence, evidenceLinks, evidenceAll, evidenceNone)
	s.findBy = choice(bad, "find_by", c.FindBy, findByAccount, findByBadge)
	s.listing = choice(bad, "listing", c.Listing, listingPages, listingExport)
}

// choice is v when it is one of those allowed, the first of them when it is "".
func choice(bad *faults, field, v string, allowed ...string) string {
	if v == "" {
		return allowed[0]
	}
	if !slices.Contains(allowed, v) {
		bad.add(field, "%q is none of %s", v, strings.Join(allowed, ", "))
	}
	return v
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
	out := []string{s.base.Host}
	if s.oauth != nil && s.oauth.url.Host != s.base.Host {
		out = append(out, s.oauth.url.Host)
	}
	return out, nil
}
