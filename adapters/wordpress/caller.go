package wordpress

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"

	"badgebridge/adapters"
	"badgebridge/internal/secret"
)

var (
	_ adapters.Caller         = (*Adapter)(nil)
	_ adapters.Rekeyer        = (*Adapter)(nil)
	_ adapters.Cutter         = (*Adapter)(nil)
	_ adapters.SignInProvider = (*Adapter)(nil)
)

// Authenticate implements adapters.Caller. Beside the signature the call has to
// name the site that was paired.
func (a *Adapter) Authenticate(c adapters.Call) error {
	const op = "check a call"
	now := a.now()
	var broke error
	fresh := func(nonce string) bool {
		if c.Fresh == nil {
			return true
		}
		ok, err := c.Fresh(nonce)
		broke = err
		return ok && err == nil
	}
	err := a.verify(c.Header, c.Body, Expected{Method: c.Method, Target: Target(c.Path, c.Query), Now: now, Fresh: fresh})
	if broke != nil {
		return broke
	}
	if err != nil {
		words := ""
		if errors.Is(err, ErrClock) {
			words = "The site's clock and the gateway's are more than five minutes apart."
		}
		return &adapters.Error{Op: op, Kind: adapters.ErrUnauthorized, Words: words, Err: err}
	}
	if uuid, home := c.Header.Get(HeaderSite), c.Header.Get(HeaderHome); !a.pinned(uuid, home) {
		return &adapters.Error{Op: op, Kind: adapters.ErrIdentity, Words: a.anotherSite(uuid, home)}
	}
	return nil
}

// verify checks a signature with the present key and, while it is being
// replaced, with the next one.
func (a *Adapter) verify(h http.Header, body []byte, e Expected) error {
	e.KeyID, e.Secret = a.cfg.KeyID, a.cfg.Secret.Reveal()
	err := VerifyRequest(h, body, e)
	if errors.Is(err, ErrBadSignature) && a.cfg.NextKeyID != "" {
		e.KeyID, e.Secret = a.cfg.NextKeyID, a.cfg.NextSecret.Reveal()
		err = VerifyRequest(h, body, e)
	}
	return err
}

// Entry implements adapters.Caller.
func (a *Adapter) Entry(id int64, fingerprint string) (adapters.Ref, error) {
	ref, err := makeRef(a.cfg.SiteUUID, id, fingerprint)
	if err != nil {
		return "", &adapters.Error{Op: "read a call", Kind: adapters.ErrRejected, Err: err}
	}
	return ref, nil
}

// SignIn implements adapters.SignInProvider.
func (a *Adapter) SignIn() (adapters.SignIn, bool) {
	in := adapters.SignIn{Issuer: a.cfg.OIDCIssuer, ClientID: a.cfg.KeyID, ClientSecret: a.cfg.Secret}
	if in.Issuer == "" {
		in.Issuer = a.cfg.HomeURL // no provider; the name of the site's users all the same
		return in, false
	}
	return in, true
}

// NextKey implements adapters.Rekeyer. A next key that is there already stays:
// the site may have it.
func (a *Adapter) NextKey() ([]byte, error) {
	c := a.cfg
	if c.NextKeyID == "" {
		c.NextKeyID, c.NextSecret = "bb-"+rand.Text(), secret.New(rand.Text()+rand.Text())
	}
	return c.plain()
}

// Rekey implements adapters.Rekeyer.
func (a *Adapter) Rekey(ctx context.Context) ([]byte, error) {
	const op = "replace the key"
	if a.cfg.NextKeyID == "" {
		return nil, &adapters.Error{Op: op, Kind: adapters.ErrRejected, Words: "There is no next key."}
	}
	in := map[string]string{"key_id": a.cfg.NextKeyID, "secret": a.cfg.NextSecret.Reveal()}
	f := a.call(ctx, op, http.MethodPut, "/pairing/key", nil, in, nil)
	if f != nil && f.code == "bad_signature" {
		// The answer to an earlier attempt was lost: the site has the next key.
		b := a.client
		b.cfg.KeyID, b.cfg.Secret = a.cfg.NextKeyID, a.cfg.NextSecret
		f = b.call(ctx, op, http.MethodPut, "/pairing/key", nil, in, nil)
	}
	if f != nil {
		return nil, f.Error
	}
	c := a.cfg
	c.KeyID, c.Secret, c.NextKeyID, c.NextSecret = c.NextKeyID, c.NextSecret, "", secret.String{}
	return c.plain()
}

// plain writes the configuration with its secrets, for the store that seals it.
func (c Config) plain() ([]byte, error) {
	out := map[string]string{
		"rest_url": c.RESTURL, "site_uuid": c.SiteUUID, "home_url": c.HomeURL, "key_id": c.KeyID, "secret": c.Secret.Reveal(),
		"webhook_path": c.WebhookPath, "oidc_issuer": c.OIDCIssuer,
	}
	if c.NextKeyID != "" {
		out["next_key_id"], out["next_secret"] = c.NextKeyID, c.NextSecret.Reveal()
	}
	return json.Marshal(out)
}
