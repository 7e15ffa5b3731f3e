package wordpress

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"

	"badgebridge/internal/secret"
)

// Config is the configuration of one paired site, as JSON. The pairing fills
// it; an operator may also write it into the configuration file.
type Config struct {
	// RESTURL is where "/badgebridge/v1/…" is appended: "https://site/wp-json"
	// or, on sites without pretty addresses, "https://site/?rest_route=".
	RESTURL string `json:"rest_url"`
	// SiteUUID and HomeURL pin the site. Nothing is taken from a site that says
	// it is another one.
	SiteUUID string `json:"site_uuid"`
	HomeURL  string `json:"home_url"`
	// KeyID and Secret are the pairing's key; the same pair is the gateway's
	// OpenID client at the site.
	KeyID  string        `json:"key_id"`
	Secret secret.String `json:"secret"`
	// WebhookPath is the path of the webhook URL that the site was given, exactly
	// as it stands in that URL (escaped, with the base URL's own path). The site
	// signs it. "": webhooks are refused.
	WebhookPath string `json:"webhook_path,omitempty"`
	// OIDCIssuer is the site's OpenID issuer, "" when the site is none. The
	// adapter does not use it; the sign-in does.
	OIDCIssuer string `json:"oidc_issuer,omitempty"`
	// NextKeyID and NextSecret are there while the key is being replaced.
	NextKeyID  string        `json:"next_key_id,omitempty"`
	NextSecret secret.String `json:"next_secret,omitempty"`
}

var (
	uuidForm  = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	keyIDForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,128}$`)
)

// ParseConfig reads and validates cfg. It reports everything that is wrong at
// once; each part names the field, what is wrong and what to do.
func ParseConfig(cfg json.RawMessage) (Config, error) {
	var c Config
	decoder := json.NewDecoder(bytes.NewReader(cfg))
	decoder.DisallowUnknownFields() // a misspelt field must not pass as an absent one
	if err := decoder.Decode(&c); err != nil {
		if errors.Is(err, io.EOF) {
			return c, errors.New("the configuration is empty; pair the site, or set rest_url, site_uuid, home_url, key_id and secret")
		}
		return c, fmt.Errorf("the configuration can't be read: %w; the fields are rest_url, site_uuid, home_url, key_id, secret, webhook_path and oidc_issuer, all strings", err)
	}
	const copied = "copy it from the Badgebridge page of the site's dashboard, or pair the site again"
	var wrong []error
	wrong = append(wrong, checkURL("rest_url", c.RESTURL, true, "it is where the site's REST API starts, for example https://example.org/wp-json"))
	wrong = append(wrong, checkURL("home_url", c.HomeURL, false, copied))
	if !uuidForm.MatchString(c.SiteUUID) {
		wrong = append(wrong, fmt.Errorf("site_uuid: %.60q is no UUID; %s", c.SiteUUID, copied))
	}
	if !keyIDForm.MatchString(c.KeyID) {
		wrong = append(wrong, fmt.Errorf("key_id: it must be 1 to 128 letters, digits or . _ ~ -; %s", copied))
	}
	if n := len(c.Secret.Reveal()); n < 16 {
		wrong = append(wrong, fmt.Errorf("secret: it has %d characters, a pairing's has at least 16; pair the site again", n))
	}
	if c.WebhookPath != "" && (!strings.HasPrefix(c.WebhookPath, "/") || strings.ContainsAny(c.WebhookPath, "?# \n")) {
		wrong = append(wrong, errors.New(`webhook_path: it must be a path alone, such as "/webhooks/wp/…"; take the path of the webhook URL that the site was given`))
	}
	if c.OIDCIssuer != "" {
		wrong = append(wrong, checkURL("oidc_issuer", c.OIDCIssuer, false, "leave it out when the site is no OpenID provider"))
	}
	c.SiteUUID = strings.ToLower(c.SiteUUID)
	return c, errors.Join(wrong...)
}

func checkURL(field, value string, query bool, cure string) error {
	if value == "" {
		return fmt.Errorf("%s: it is missing; %s", field, cure)
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return fmt.Errorf("%s: %.200q is no http or https address; %s", field, value, cure)
	case u.User != nil:
		return fmt.Errorf("%s: it carries a user name or password, which the gateway does not send; take them out", field)
	case u.Fragment != "" || (!query && u.RawQuery != ""):
		return fmt.Errorf("%s: it ends in ? or #; %s", field, cure)
	}
	return nil
}

// sameHome compares home URLs: WordPress stores them with and without a last
// slash. What is sent is always what the site said when it was paired.
func sameHome(a, b string) bool {
	return strings.TrimRight(strings.TrimSpace(a), "/") == strings.TrimRight(strings.TrimSpace(b), "/")
}
