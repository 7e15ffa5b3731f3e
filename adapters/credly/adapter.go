// Package credly connects one organization at Credly: it lists the badges that
// were issued there, issues, finds, revokes and deletes badges, and reads the
// badge templates.
//
// Facts that shape it: Credly knows no idempotency key, so that a doubtful issue
// is settled by Find; a badge is pending until its earner accepts it; 422 means
// "has it already" as well as "not like that", told apart by words; lists have
// 50 rows a page and offsets, so that rows deleted meanwhile move others; and a
// webhook is not signed, so that it is a hint and nothing more.
package credly

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"badgebridge/adapters"
)

// Kind is the driver's name in configurations.
const Kind = "credly"

// Driver makes adapters for organizations at Credly. The configuration is a JSON
// object. Who we are:
//
//	base_url          default Production; Sandbox, or a simulator's address
//	organization_id   UUID
//	token             authorization token (secret), or instead of it:
//	client_id         and
//	client_secret     of an OAuth application (secret)
//	token_expires_at  date; optional, Credly is asked otherwise
//
// How the gateway deals with Credly:
//
//	locale    language in which a badge is issued; default as at Credly, en
//	expiry    of a badge whose award has no end: "template" (default) or "never"
//	evidence  "links" (default), "all" or "none": at Credly it is always public
//
// What is not known of Credly for sure, and what is assumed unless it is given:
//
//	settle      how long a fresh badge may stay invisible; "2m"
//	oauth_url   where access tokens are had; of the sandbox
//	            https://sandbox.credly.com/oauth/token
//	oauth_auth  how the application's credentials go there: "json", which was seen
//	            to work, "form" (RFC 6749), or "header" (the same, Basic)
//	scopes      "badge_templates issued_badges events"
//	find_by     the filter that finds a person's address: "recipient_email_all"
//	            (any address of the account) or "recipient_email"
//	listing     how all badges are read: "pages" or "export" (the high-volume
//	            search, for organizations with very many)
func Driver() adapters.Driver {
	return adapters.Driver{
		Kind: Kind,
		New: func(raw json.RawMessage, hc *http.Client) (adapters.Adapter, error) {
			s, err := parseConfig(raw)
			if err != nil {
				return nil, err
			}
			return &adapter{newClient(s, hc)}, nil
		},
		Hosts: hosts,
	}
}

type adapter struct{ *client }

var (
	_ adapters.Source = (*adapter)(nil)
	_ adapters.Issuer = (*adapter)(nil)

	_ adapters.NameRequirer = (*adapter)(nil)
	_ adapters.Finder       = (*adapter)(nil)
	_ adapters.Locator      = (*adapter)(nil)
	_ adapters.Revoker      = (*adapter)(nil)
	_ adapters.Replacer     = (*adapter)(nil)
	_ adapters.Remover      = (*adapter)(nil)
	_ adapters.Catalog      = (*adapter)(nil)
	_ adapters.HintReader   = (*adapter)(nil)
)

// soon is how long before a token's end Check begins to warn.
const soon = 30 * 24 * time.Hour

// Check implements adapters.Adapter. The identity is the organization's id.
func (a *adapter) Check(ctx context.Context) (adapters.Health, error) {
	const op = "check"
	res, err := a.do(ctx, op, http.MethodGet, a.base.String()+"/organizations", nil)
	if err != nil {
		return adapters.Health{}, err
	}
	var orgs []organization
	if err := object(op, res, &orgs); err != nil {
		return adapters.Health{}, err
	}
	i := slices.IndexFunc(orgs, func(o organization) bool { return o.ID.String() == a.org })
	if i < 0 {
		e := &adapters.Error{Op: "credly: " + op, Kind: adapters.ErrUnauthorized,
			Words: fmt.Sprintf("The credentials do not belong to organization %s. Correct its id, or enter credentials of it.", a.org)}
		if len(orgs) > 0 {
			e.Words = fmt.Sprintf("The credentials belong to %q (%s), not to organization %s. Correct its id, or enter credentials of it.",
				a.clean(orgs[0].Name.String()), a.clean(orgs[0].ID.String()), a.org)
		}
		return adapters.Health{}, e
	}
	h := adapters.Health{
		Identity: a.org, Name: a.clean(orgs[i].Name.String()),
		Details: map[string]string{"organization": a.org, "address": a.base.String()},
	}
	if a.bearer != nil {
		h.Details["access"] = "OAuth application"
		return h, nil
	}
	return h, a.checkToken(ctx, &h, res.at)
}

// checkToken adds what is known of the token to h. A token that may not look at
// tokens is no fault.
func (a *adapter) checkToken(ctx context.Context, h *adapters.Health, now time.Time) error {
	const op = "check the token"
	expires := a.expires
	res, err := a.do(ctx, op, http.MethodGet, a.orgURL("/authorization_tokens", nil), nil)
	if adapters.Temporary(err) {
		return err
	}
	var tokens []authorization
	if err == nil {
		if err := object(op, res, &tokens); err != nil {
			return err
		}
	}
	for _, t := range tokens {
		if t.Token.String() != a.token.Reveal() {
			continue
		}
		if expires.IsZero() {
			expires = t.ExpiresAt.Time
			a.known.Store(&expires)
		}
		tell := func(name string, may *bool, warning string) {
			switch {
			case may == nil:
			case *may:
				h.Details[name] = "yes"
			default:
				h.Details[name] = "no"
				h.Warnings = append(h.Warnings, warning)
			}
		}
		tell("may issue", t.Write, "The token can't write: badges can be imported, but not issued or revoked. Enable writing for it in Credly, or enter another token.")
		if t.Delete != nil {
			h.Details["may delete"] = map[bool]string{true: "yes", false: "no"}[*t.Delete]
		}
	}
	h.CredentialExpires = expires
	if !expires.IsZero() {
		h.Details["token expires"] = day(expires)
		switch left := expires.Sub(now); {
		case left <= 0:
			h.Warnings = append(h.Warnings, "The token expired on "+day(expires)+" by the date that was entered. Make a new one in Credly under Organization, Developers, and enter it with its date.")
		case left < soon:
			h.Warnings = append(h.Warnings, "The token expires on "+day(expires)+". Make a new one in Credly under Organization, Developers, and enter it before that day.")
		}
	}
	return nil
}

// RequiresNames implements adapters.NameRequirer: Credly refuses a badge without
// first and last name.
func (a *adapter) RequiresNames() {}
