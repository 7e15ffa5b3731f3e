package login

import (
	"context"
	"errors"
	"fmt"
	"time"

	"badgebridge/openbadges"
	"badgebridge/store"
)

const pendingLife = time.Hour

// pendingSignIn is a first sign-in that waits until its owner has said, by a
// code, whether the account with the same address is theirs.
type pendingSignIn struct {
	Claims   claims `json:"c"`
	Provider string `json:"p"`
	ReturnTo string `json:"r"`
	IDToken  string `json:"t"`
}

func pendingHash(token string) string { return hashToken("pending " + token) }

// resolve finds out which person the claims are about, in one transaction.
func (l *Login) resolve(ctx context.Context, p Provider, c claims) (Result, error) {
	var res Result
	err := l.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		res = Result{Provider: p.Name, Roles: c.Roles} // f may run again
		proves := p.EmailAuthoritative && c.Verified
		s, err := tx.SignIn(ctx, c.Issuer, c.Subject)
		switch {
		case err == nil:
			return l.again(ctx, tx, p, c, s, proves, &res)
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		return l.first(ctx, tx, p, c, proves, &res)
	})
	return res, err
}

// again is a sign-in that is known.
func (l *Login) again(ctx context.Context, tx store.Tx, p Provider, c claims, s store.SignIn, proves bool, res *Result) error {
	res.PersonID = s.PersonID
	if err := l.putSignIn(ctx, tx, p.Name, c, s.PersonID); err != nil {
		return err
	}
	if c.Email == "" {
		return nil
	}
	owner, err := ownerOf(ctx, tx, c.Email)
	if err != nil {
		return err
	}
	switch {
	case owner != "" && owner != s.PersonID:
		res.Unproven, res.EmailTaken = c.Email, true
	case proves:
		res.Email = c.Email
		return l.attach(ctx, tx, c.Email, s.PersonID, "provider:"+p.Name)
	case owner == "":
		res.Unproven = c.Email
	}
	return nil
}

// first is a sign-in that was never seen.
func (l *Login) first(ctx context.Context, tx store.Tx, p Provider, c claims, proves bool, res *Result) error {
	owner := ""
	if c.Email != "" {
		var err error
		if owner, err = ownerOf(ctx, tx, c.Email); err != nil {
			return err
		}
	}
	if owner != "" {
		joins := false
		if proves {
			// The account was made by e-mail code and has no other way in: who
			// holds the address is that person, and the provider proves who
			// holds it. With another way in it may be somebody who had the
			// address before: then a code decides.
			others, err := tx.SignInsOf(ctx, owner)
			if err != nil {
				return err
			}
			joins = len(others) == 0
		}
		if !joins {
			res.Unproven, res.EmailTaken, res.Pending = c.Email, true, randomToken()
			return nil
		}
		res.PersonID, res.Email = owner, c.Email
		return l.join(ctx, tx, p.Name, c, owner, "provider:"+p.Name)
	}
	id, err := l.newPerson(ctx, tx, c)
	if err != nil {
		return err
	}
	res.PersonID, res.New = id, true
	if err := l.putSignIn(ctx, tx, p.Name, c, id); err != nil {
		return err
	}
	if proves {
		res.Email = c.Email
		return l.attach(ctx, tx, c.Email, id, "provider:"+p.Name)
	}
	res.Unproven = c.Email
	return nil
}

// join gives an existing person a new way in, and the names that it lacks.
func (l *Login) join(ctx context.Context, tx store.Tx, providerName string, c claims, personID, proof string) error {
	if err := l.putSignIn(ctx, tx, providerName, c, personID); err != nil {
		return err
	}
	if err := l.attach(ctx, tx, c.Email, personID, proof); err != nil {
		return err
	}
	person, err := tx.Person(ctx, personID)
	if err != nil {
		return err
	}
	if person.GivenName != "" || person.FamilyName != "" {
		return nil // what the person or an earlier provider said stays
	}
	person.GivenName, person.FamilyName = c.GivenName, c.FamilyName
	if person.Locale == "" {
		person.Locale = c.Locale
	}
	person.UpdatedAt = l.cfg.Now()
	return tx.PutPerson(ctx, person)
}

func (l *Login) newPerson(ctx context.Context, tx store.Tx, c claims) (string, error) {
	now := l.cfg.Now()
	p, err := tx.CreatePerson(ctx, store.Person{
		GivenName: c.GivenName, FamilyName: c.FamilyName, Locale: c.Locale, CreatedAt: now, UpdatedAt: now,
	})
	return p.ID, err
}

func (l *Login) putSignIn(ctx context.Context, tx store.Tx, providerName string, c claims, personID string) error {
	return tx.PutSignIn(ctx, store.SignIn{
		Issuer: c.Issuer, Subject: c.Subject, PersonID: personID, Provider: providerName,
		Roles: c.Roles, LastAt: l.cfg.Now(),
	})
}

func (l *Login) attach(ctx context.Context, tx store.Tx, email, personID, proof string) error {
	return tx.AddIdentifier(ctx, store.Identifier{
		Type: openbadges.IdentityEmail, Value: email, PersonID: personID, ProvenBy: proof, ProvenAt: l.cfg.Now(),
	})
}

// ownerOf is the person who has proven an address, "" nobody.
func ownerOf(ctx context.Context, tx store.Tx, email string) (string, error) {
	i, err := tx.Identifier(ctx, openbadges.IdentityEmail, email)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return i.PersonID, err
}

// Separate ends a Result.Pending with an account of its own, without the address
// that belongs to the other one. A token is good once: ErrUnknownState after.
func (l *Login) Separate(ctx context.Context, pending string) (Result, error) {
	var res Result
	err := l.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		var w pendingSignIn
		if err := l.takeState(ctx, tx, pendingHash(pending), &w); err != nil {
			return err
		}
		res = w.result()
		if s, err := tx.SignIn(ctx, w.Claims.Issuer, w.Claims.Subject); err == nil {
			res.PersonID = s.PersonID // decided in another tab
			return nil
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		id, err := l.newPerson(ctx, tx, w.Claims)
		if err != nil {
			return err
		}
		res.PersonID, res.New = id, true
		return l.putSignIn(ctx, tx, w.Provider, w.Claims, id)
	})
	if err != nil {
		return Result{}, fmt.Errorf("make an account: %w", err)
	}
	return res, nil
}

func (w pendingSignIn) result() Result {
	return Result{Provider: w.Provider, IDToken: w.IDToken, Roles: w.Claims.Roles, ReturnTo: w.ReturnTo}
}
