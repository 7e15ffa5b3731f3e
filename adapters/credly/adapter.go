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
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"badgebridge/adapters"
)

// Kind is the driver's name in configurations.
const Kind = "credly"

// Driver makes adapters for organizations at Credly. The configuration is a JSON
// object:
//
//	base_url          default Production; Sandbox, or a simulator's address
//	organization_id   UUID
//	token             authorization token (secret)
//	token_expires_at  date; optional, Credly is asked otherwise
//	settle            how long a fresh badge may stay invisible; default "2m"
//	notify            let Credly mail every recipient; default false
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
	_ adapters.Revoker      = (*adapter)(nil)
	_ adapters.Remover      = (*adapter)(nil)
	_ adapters.Catalog      = (*adapter)(nil)
	_ adapters.Notifier     = (*adapter)(nil)
)

// soon is how long before a token's end Check begins to warn.
const soon = 30 * 24 * time.Hour

// Check implements adapters.Adapter. The identity is the organization's id.
func (a *adapter) Check(ctx context.Context) (adapters.Health, error) {
	const op = "check"
	res, err := a.do(ctx, op, http.MethodGet, a.base.String()+"/organizations", nil)
	if err != nil {
		return adapters.Health{}, withCure(err)
	}
	var orgs []organization
	if err := object(op, res, &orgs); err != nil {
		return adapters.Health{}, err
	}
	i := slices.IndexFunc(orgs, func(o organization) bool { return o.ID.String() == a.org })
	if i < 0 {
		e := &adapters.Error{Op: "credly: " + op, Kind: adapters.ErrUnauthorized,
			Err: fmt.Errorf("the token does not belong to organization %s; correct organization_id or the token", a.org)}
		if len(orgs) > 0 {
			e.Err = fmt.Errorf("the token belongs to %q (%s), not to organization %s; correct organization_id or the token",
				a.clean(orgs[0].Name.String()), a.clean(orgs[0].ID.String()), a.org)
		}
		return adapters.Health{}, e
	}
	h := adapters.Health{
		Identity: a.org, Name: a.clean(orgs[i].Name.String()),
		Details: map[string]string{"organization": a.org, "address": a.base.String()},
	}
	return h, a.checkToken(ctx, &h, res.at)
}

// withCure says of a refused token what that can mean and what to do: Credly's
// own "Unauthorized" helps nobody.
func withCure(err error) error {
	var e *adapters.Error
	if !errors.As(err, &e) || !errors.Is(err, adapters.ErrUnauthorized) {
		return err
	}
	said := *e
	said.Words = fmt.Sprintf("Credly refuses the token (%d %s). It is mistyped, has expired (a token lasts 180 days), or belongs to the other environment, "+
		"production or sandbox. Make a new token at Credly under Developers and enter it for this remote.", e.Status, e.Words)
	return &said
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
		day := expires.Format("2 January 2006")
		h.Details["token expires"] = day
		switch left := expires.Sub(now); {
		case left <= 0:
			h.Warnings = append(h.Warnings, "The token expired on "+day+" by the date that was entered. Make a new one in Credly under Organization, Developers, and enter it with its date.")
		case left < soon:
			h.Warnings = append(h.Warnings, "The token expires on "+day+". Make a new one in Credly under Organization, Developers, and enter it before that day.")
		}
	}
	return nil
}

// ParseWebhook implements adapters.Notifier. Credly does not sign: what makes
// sure of the sender is the secret in the address that the call came to. The
// body names an event, not a badge, so that the hint says no more than "pull".
func (a *adapter) ParseWebhook(_ http.Header, body []byte) ([]adapters.Hint, error) {
	fail := func(kind error, why string) ([]adapters.Hint, error) {
		return nil, &adapters.Error{Op: "credly: webhook", Kind: kind, Err: errors.New(why)}
	}
	if len(body) > 64<<10 {
		return fail(adapters.ErrRejected, "the body is larger than 64 KiB")
	}
	var w webhook
	if err := json.Unmarshal(body, &w); err != nil {
		return fail(adapters.ErrRejected, "the body is not a JSON object")
	}
	if w.OrganizationID != a.org {
		return fail(adapters.ErrUnauthorized, "it is about another organization")
	}
	if !uuid.MatchString(w.ID) {
		return fail(adapters.ErrRejected, "it names no event")
	}
	return []adapters.Hint{{ID: w.ID}}, nil
}

// RequiresNames implements adapters.NameRequirer: Credly refuses a badge without
// first and last name.
func (a *adapter) RequiresNames() {}
