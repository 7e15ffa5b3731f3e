// Package oldcredly is the other end of the old Credly API, version 0.2, which
// BadgeOS spoke up to 3.6.6 and which Credly has switched off. A site that
// speaks it is a remote that only writes to the gateway: there is nothing to
// call there and nothing to pull.
//
// The contract is what BadgeOS 3.6.2 and 1.4.11 send and read: form fields in,
// JSON with a member "data" out, a token in the query string.
package oldcredly

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"badgebridge/adapters"
	"badgebridge/internal/secret"
)

// Kind is the driver's kind.
const Kind = "old-credly"

// config is what the admin's page makes. BadgeOS asks for an e-mail address and
// a password and exchanges them for the token, which it then keeps.
type config struct {
	Email    string        `json:"email"`
	Password secret.String `json:"password"`
	Token    secret.String `json:"token"`
	// Salt keys the names of recipients in Refs.
	Salt secret.String `json:"salt"`
}

// The lengths of secrets below which a configuration is refused: they are made
// by the gateway, never by people.
const (
	minPassword = 16
	minToken    = 32
)

// Driver makes the remotes of sites that speak the old API.
func Driver() adapters.Driver {
	return adapters.Driver{
		Kind: Kind,
		New: func(raw json.RawMessage, _ *http.Client) (adapters.Adapter, error) {
			c, err := parse(raw)
			if err != nil {
				return nil, err
			}
			return &Adapter{cfg: c}, nil
		},
		Hosts: func(raw json.RawMessage) ([]string, error) { _, err := parse(raw); return nil, err },
	}
}

func parse(raw json.RawMessage) (config, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var c config
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("configuration of %s: %w", Kind, err)
	}
	switch {
	case !strings.Contains(c.Email, "@"):
		return c, errors.New("email: must be an address; BadgeOS sends it as the name of the account")
	case len(c.Password.Reveal()) < minPassword:
		return c, fmt.Errorf("password: must have at least %d characters", minPassword)
	case len(c.Token.Reveal()) < minToken:
		return c, fmt.Errorf("token: must have at least %d characters", minToken)
	case len(c.Salt.Reveal()) < minToken:
		return c, fmt.Errorf("salt: must have at least %d characters", minToken)
	}
	return c, nil
}

// Adapter is one site's door.
type Adapter struct{ cfg config }

var _ adapters.Door = (*Adapter)(nil)

// Check implements adapters.Adapter. There is nobody to ask.
func (a *Adapter) Check(context.Context) (adapters.Health, error) {
	return adapters.Health{
		Name:    "BadgeOS by the old Credly API",
		Version: "v0.2",
		Details: map[string]string{"account": a.cfg.Email},
	}, nil
}

// Login implements adapters.Door.
func (a *Adapter) Login(user, password string) (string, bool) {
	name := subtle.ConstantTimeCompare([]byte(strings.ToLower(strings.TrimSpace(user))), []byte(strings.ToLower(a.cfg.Email)))
	word := same(password, a.cfg.Password.Reveal())
	if name&word != 1 {
		return "", false
	}
	return a.cfg.Token.Reveal(), true
}

// Admits implements adapters.Door.
func (a *Adapter) Admits(token string) bool { return same(token, a.cfg.Token.Reveal()) == 1 }

// same compares in a time that tells nothing, not even the length.
func same(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}

// ref names the award of a badge to an address. The same two give the same
// name, which is what makes a second click no second award.
func (a *Adapter) ref(badge adapters.Ref, email string) adapters.Ref {
	mac := hmac.New(sha256.New, []byte(a.cfg.Salt.Reveal()))
	mac.Write([]byte(string(badge) + "\n" + email))
	return badge + "/" + adapters.Ref(strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil))[:26]))
}
