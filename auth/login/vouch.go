package login

import (
	"context"
	"fmt"
)

// Vouched is what a paired site says about a user of its own outside of a
// sign-in, in a call that it has signed.
type Vouched struct {
	Issuer, Subject       string // as its ID tokens would say
	GivenName, FamilyName string
	Locale                string
	Email                 string
	Verified              bool // the site itself has proven the address
}

// Vouch finds or makes the person whom the site vouches for: the one who would
// be signed in by an ID token that says the same. ErrAddressTaken when the
// address belongs to an account with another way in: then a sign-in in the
// browser has to decide.
func (l *Login) Vouch(ctx context.Context, providerName string, v Vouched) (personID string, err error) {
	c := claims{
		Issuer: v.Issuer, Subject: clip(v.Subject, 255), GivenName: clip(v.GivenName, maxText), FamilyName: clip(v.FamilyName, maxText),
		Locale: clip(v.Locale, 35),
	}
	if email, err := Address(clip(v.Email, maxText)); err == nil {
		c.Email, c.Verified = email, v.Verified
	}
	if !c.Verified {
		// An address that nobody has proven decides nothing, not even a question.
		c.Email = ""
	}
	res, err := l.resolve(ctx, Provider{Name: providerName, EmailAuthoritative: true}, c)
	switch {
	case err != nil:
		return "", fmt.Errorf("vouched for by %s: %w", providerName, err)
	case res.Pending != "":
		return "", fmt.Errorf("vouched for by %s: %w", providerName, ErrAddressTaken)
	}
	l.proven(ctx, res.PersonID, res.Email)
	return res.PersonID, nil
}

// Known is the person of a sign-in, store.ErrNotFound when nobody has signed in so.
func (l *Login) Known(ctx context.Context, issuer, subject string) (personID string, err error) {
	s, err := l.cfg.Store.SignIn(ctx, issuer, subject)
	if err != nil {
		return "", fmt.Errorf("known sign-in: %w", err)
	}
	return s.PersonID, nil
}
