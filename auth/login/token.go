package login

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"badgebridge/openbadges"
)

const (
	maxRoles = 50
	maxText  = 200
)

// claims is what a provider says about somebody, cut to what is used.
type claims struct {
	Issuer     string   `json:"iss"`
	Subject    string   `json:"sub"`
	GivenName  string   `json:"given"`
	FamilyName string   `json:"family"`
	Locale     string   `json:"locale"`
	Email      string   `json:"email"` // normalized, "" none
	Verified   bool     `json:"verified"`
	Roles      []string `json:"roles"`
}

// exchange trades the code for an ID token, checks it, and reads the claims.
func (p *provider) exchange(ctx context.Context, d *discovered, f flowState, code string) (claims, string, error) {
	ctx = oidc.ClientContext(ctx, d.client)
	tok, err := p.oauth(d, f.Base).Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return claims{}, "", p.exchangeError(err)
	}
	raw, _ := tok.Extra("id_token").(string)
	if raw == "" {
		return claims{}, "", p.bad("format", errors.New("no ID token"))
	}
	idt, err := d.verifier.Verify(ctx, raw)
	if err != nil {
		return claims{}, "", p.classify(d, raw, err)
	}
	if idt.Subject == "" || len(idt.Subject) > 255 {
		return claims{}, "", p.bad("subject", errors.New("none, or too long"))
	}
	if subtle.ConstantTimeCompare([]byte(idt.Nonce), []byte(f.Nonce)) != 1 {
		return claims{}, "", p.bad("nonce", nil)
	}
	var party struct {
		AZP string `json:"azp"`
	}
	if err := idt.Claims(&party); err != nil {
		return claims{}, "", p.bad("format", err)
	}
	// OpenID Connect Core 3.1.3.7, 3 to 5: a token for several clients must say
	// that it was made for us.
	if party.AZP != "" && party.AZP != p.cfg.ClientID || party.AZP == "" && len(idt.Audience) > 1 {
		return claims{}, "", p.bad("audience", fmt.Errorf("made for %q", clip(party.AZP, 100)))
	}
	if idt.AccessTokenHash != "" {
		if err := idt.VerifyAccessToken(tok.AccessToken); err != nil {
			return claims{}, "", p.bad("signature", err)
		}
	}
	said := map[string]json.RawMessage{}
	if err := idt.Claims(&said); err != nil {
		return claims{}, "", p.bad("format", err)
	}
	if p.lacks(said) && d.oidc.UserInfoEndpoint() != "" {
		if err := p.addUserInfo(ctx, d, tok, idt.Subject, said); err != nil {
			return claims{}, "", err
		}
	}
	c := p.cut(said)
	c.Issuer, c.Subject = idt.Issuer, idt.Subject
	return c, raw, nil
}

// lacks reports whether the ID token leaves out what the user info may have:
// providers that follow the letter put claims there only.
func (p *provider) lacks(said map[string]json.RawMessage) bool {
	_, email := said["email"]
	_, name := said["name"]
	_, given := said["given_name"]
	_, roles := said[p.cfg.RolesClaim]
	return !email || !name && !given || p.cfg.RolesClaim != "" && !roles
}

// addUserInfo adds claims of the user info to said. What the signed token says
// stays.
func (p *provider) addUserInfo(ctx context.Context, d *discovered, tok *oauth2.Token, subject string, said map[string]json.RawMessage) error {
	info, err := d.oidc.UserInfo(ctx, oauth2.StaticTokenSource(tok))
	if err != nil {
		return p.down(fmt.Errorf("read the user info: %w", err))
	}
	if info.Subject != subject {
		// OpenID Connect Core 5.3.2: else it may be about somebody else.
		return p.bad("subject", errors.New("the user info is about somebody else"))
	}
	more := map[string]json.RawMessage{}
	if err := info.Claims(&more); err != nil {
		return p.bad("format", err)
	}
	// An address and its proof belong together: never one from here, one from there.
	if _, ok := said["email"]; ok {
		delete(more, "email")
		delete(more, "email_verified")
	} else {
		delete(said, "email_verified")
	}
	for k, v := range more {
		if _, ok := said[k]; !ok {
			said[k] = v
		}
	}
	return nil
}

// cut cuts the claims to what is used; a claim of another type than expected
// is taken as absent.
func (p *provider) cut(said map[string]json.RawMessage) claims {
	text := func(name string) string {
		var s string
		_ = json.Unmarshal(said[name], &s)
		return clip(strings.TrimSpace(strings.ToValidUTF8(s, "")), maxText)
	}
	c := claims{GivenName: text("given_name"), FamilyName: text("family_name"), Locale: clip(text("locale"), 35)}
	if c.GivenName == "" && c.FamilyName == "" {
		// A guess, which its owner can change: the last word is the family name.
		name := strings.Fields(text("name"))
		if n := len(name); n > 1 {
			c.GivenName, c.FamilyName = strings.Join(name[:n-1], " "), name[n-1]
		} else if n == 1 {
			c.GivenName = name[0]
		}
	}
	if email, err := Address(text("email")); err == nil {
		c.Email = email
	}
	var verified any
	_ = json.Unmarshal(said["email_verified"], &verified)
	c.Verified = c.Email != "" && (verified == true || verified == "true") // some providers write a string
	if p.cfg.RolesClaim != "" {
		c.Roles = roles(said[p.cfg.RolesClaim])
	}
	return c
}

// roles reads an array of names, or one name.
func roles(raw json.RawMessage) []string {
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		var one string
		if json.Unmarshal(raw, &one) != nil || one == "" {
			return nil
		}
		list = []string{one}
	}
	list = slices.DeleteFunc(list, func(s string) bool { return s == "" || len(s) > maxText })
	return list[:min(len(list), maxRoles)]
}

// Address normalizes an e-mail address. ErrAddress when it is none.
func Address(s string) (string, error) {
	n := openbadges.NormalizeEmail(s)
	local, domain, ok := strings.Cut(n, "@")
	if !ok || local == "" || domain == "" || len(n) > 254 || len(local) > 64 || strings.Contains(domain, "@") ||
		strings.HasPrefix(domain, ".") || strings.HasSuffix(domain, ".") || !strings.Contains(domain, ".") && domain != "localhost" {
		return "", ErrAddress
	}
	for _, r := range n {
		if r <= ' ' || r == 0x7f || strings.ContainsRune(`<>()[]",;:\`, r) {
			return "", ErrAddress
		}
	}
	return n, nil
}

func (p *provider) bad(check string, err error) error {
	return &TokenError{Provider: p.cfg.Name, Check: check, Err: err}
}

// exchangeError sorts what went wrong at the token endpoint. The body of the
// answer stays out of it: nobody knows what it repeats.
func (p *provider) exchangeError(err error) error {
	var re *oauth2.RetrieveError
	if !errors.As(err, &re) {
		return p.down(fmt.Errorf("ask for the token: %w", err))
	}
	switch {
	case re.ErrorCode == "invalid_grant":
		return p.bad("grant", errors.New("the code was not accepted"))
	case re.ErrorCode != "" && re.Response.StatusCode < 500:
		return fmt.Errorf("sign in by %s: %w: %q", p.cfg.Name, ErrRefused, clip(re.ErrorCode, 100))
	default:
		return p.down(fmt.Errorf("ask for the token: status %d", re.Response.StatusCode))
	}
}

// classify names the check that a refused ID token failed. The token is refused
// already: what is read from it here, unverified, only picks the word.
func (p *provider) classify(d *discovered, raw string, err error) error {
	var expired *oidc.TokenExpiredError
	if errors.As(err, &expired) {
		return p.bad("expired", err)
	}
	var head struct {
		Alg string `json:"alg"`
	}
	var body struct {
		Iss string          `json:"iss"`
		Aud json.RawMessage `json:"aud"`
		NBF float64         `json:"nbf"`
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 || !readPart(parts[0], &head) || !readPart(parts[1], &body) {
		return p.bad("format", err)
	}
	var aud []string
	if json.Unmarshal(body.Aud, &aud) != nil {
		aud = []string{strings.Trim(string(body.Aud), `"`)}
	}
	switch {
	case !slices.Contains(d.algorithms, head.Alg):
		return p.bad("algorithm", fmt.Errorf("signed with %q", clip(head.Alg, 20)))
	case strings.Contains(err.Error(), "verify signature"):
		return p.bad("signature", err)
	case body.Iss != p.cfg.Issuer:
		return p.bad("issuer", err)
	case !slices.Contains(aud, p.cfg.ClientID):
		return p.bad("audience", err)
	case body.NBF > 0:
		return p.bad("not yet valid", err)
	}
	return p.bad("format", err)
}

func readPart(s string, v any) bool {
	b, err := base64.RawURLEncoding.DecodeString(s)
	return err == nil && json.Unmarshal(b, v) == nil
}
