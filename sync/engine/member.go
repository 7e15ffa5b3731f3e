package engine

import (
	"context"
	"fmt"
	"strings"

	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/signing"
)

// mine reads an award that must be this person's.
func mine(ctx context.Context, tx store.Tx, awardID, personID string) (store.Award, error) {
	a, err := tx.Award(ctx, awardID)
	if err != nil {
		return a, err
	}
	if personID == "" || a.PersonID != personID {
		return store.Award{}, store.ErrNotFound
	}
	return a, nil
}

// Claim is the member's yes: from now on the public assertion answers, and what
// the policy makes depend on a claim is sent. Claiming twice is no error.
// store.ErrNotFound when the award is not this person's; store.ErrStale when it
// was revoked, or when the claim is made at the origin (a badge that is still
// to be accepted at Credly).
func (e *Engine) Claim(ctx context.Context, awardID, personID string) error {
	e.ensureImage(ctx, awardID)
	if err := e.keys.Ensure(ctx, signing.EdDSA); err != nil {
		return fmt.Errorf("claim award %s: %w", awardID, err)
	}
	err := e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		a, err := mine(ctx, tx, awardID, personID)
		if err != nil {
			return err
		}
		if a.Claim == store.Claimed {
			return nil
		}
		if a.Revoked || a.PageURL != "" {
			return store.ErrStale
		}
		now := store.Moment(e.cfg.Now())
		a.Claim, a.ClaimedAt, a.UpdatedAt = store.Claimed, now, now
		if _, err := tx.PutAward(ctx, a); err != nil {
			return err
		}
		if err := tx.AddClaim(ctx, store.ClaimEvent{AwardID: a.ID, PersonID: personID, State: store.Claimed, At: now}); err != nil {
			return err
		}
		if err := e.attest(ctx, tx, a); err != nil {
			return err
		}
		_, err = e.plan(ctx, tx, a.ID, "claim")
		return err
	})
	if err != nil {
		return fmt.Errorf("claim award %s: %w", awardID, err)
	}
	e.cfg.Changed(awardID)
	e.Wake()
	return nil
}

// Decline is the member's no. A claimed award can't be declined: store.ErrStale.
func (e *Engine) Decline(ctx context.Context, awardID, personID string) error {
	err := e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		a, err := mine(ctx, tx, awardID, personID)
		if err != nil {
			return err
		}
		switch a.Claim {
		case store.Declined:
			return nil
		case store.Claimed:
			return store.ErrStale
		}
		now := store.Moment(e.cfg.Now())
		a.Claim, a.UpdatedAt = store.Declined, now
		if _, err := tx.PutAward(ctx, a); err != nil {
			return err
		}
		if err := tx.AddClaim(ctx, store.ClaimEvent{AwardID: a.ID, PersonID: personID, State: store.Declined, At: now}); err != nil {
			return err
		}
		_, err = e.plan(ctx, tx, a.ID, "declined")
		return err
	})
	if err != nil {
		return fmt.Errorf("decline award %s: %w", awardID, err)
	}
	return nil
}

// SetVisibility says who sees the award's page. store.ErrStale before the claim.
func (e *Engine) SetVisibility(ctx context.Context, awardID, personID string, v store.Visibility) error {
	switch v {
	case store.Private, store.ByLink, store.Public:
	default:
		return fmt.Errorf("visibility %q: %w", v, store.ErrNotFound)
	}
	if err := e.changeClaimed(ctx, awardID, personID, func(a *store.Award) { a.Visibility = v }); err != nil {
		return fmt.Errorf("set visibility of award %s: %w", awardID, err)
	}
	return nil
}

// SetNameHidden says whether the award's public pages leave out who earned it.
// store.ErrStale before the claim.
func (e *Engine) SetNameHidden(ctx context.Context, awardID, personID string, hidden bool) error {
	if err := e.changeClaimed(ctx, awardID, personID, func(a *store.Award) { a.NameHidden = hidden }); err != nil {
		return fmt.Errorf("set whether award %s names its earner: %w", awardID, err)
	}
	return nil
}

// changeClaimed changes a claimed award of the person.
func (e *Engine) changeClaimed(ctx context.Context, awardID, personID string, change func(*store.Award)) error {
	err := e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		a, err := mine(ctx, tx, awardID, personID)
		if err != nil {
			return err
		}
		if a.Claim != store.Claimed {
			return store.ErrStale
		}
		change(&a)
		_, err = tx.PutAward(ctx, a)
		return err
	})
	if err != nil {
		return err
	}
	e.cfg.Changed(awardID)
	return nil
}

// maxOfPerson bounds how many awards of one person are planned at once.
const maxOfPerson = 2000

// SetName records a person's names; pushes that waited for them go on.
func (e *Engine) SetName(ctx context.Context, personID, given, family string) error {
	err := e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		p, err := tx.Person(ctx, personID)
		if err != nil {
			return err
		}
		p.GivenName, p.FamilyName = strings.TrimSpace(given), strings.TrimSpace(family)
		p.UpdatedAt = store.Moment(e.cfg.Now())
		if err := tx.PutPerson(ctx, p); err != nil {
			return err
		}
		return e.replan(ctx, tx, personID, "name")
	})
	if err != nil {
		return fmt.Errorf("set the name of person %s: %w", personID, err)
	}
	e.Wake()
	return nil
}

// Adopt gives a person the awards to an address that they have proven.
// store.ErrNotFound when they have not.
func (e *Engine) Adopt(ctx context.Context, personID, email string) error {
	email = openbadges.NormalizeEmail(email)
	err := e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		id, err := tx.Identifier(ctx, openbadges.IdentityEmail, email)
		if err != nil {
			return err
		}
		if id.PersonID != personID {
			return store.ErrNotFound
		}
		awards, err := tx.AdoptAwards(ctx, email, personID)
		if err != nil {
			return err
		}
		person, err := tx.Person(ctx, personID)
		if err != nil {
			return err
		}
		for i, awardID := range awards {
			if err := remember(ctx, tx, awardID, email); err != nil {
				return err
			}
			if i == 0 {
				if err := e.learnName(ctx, tx, person, awardID); err != nil {
					return err
				}
			}
			if _, err := e.plan(ctx, tx, awardID, "address proven"); err != nil {
				return err
			}
			a, err := tx.Award(ctx, awardID)
			if err == nil {
				err = e.attested(ctx, tx, a)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("adopt the awards of person %s: %w", personID, err)
	}
	e.Wake()
	return nil
}

// remember writes the address back into an award whose person was erased: they
// are here again, and have proven it.
func remember(ctx context.Context, tx store.Tx, awardID, email string) error {
	a, err := tx.Award(ctx, awardID)
	if err != nil || !a.Recipient.Hashed {
		return err
	}
	a.Recipient = openbadges.Recipient{Type: openbadges.IdentityEmail, Identity: email}
	_, err = tx.PutAward(ctx, a)
	return err
}

// learnName takes a nameless person's names from an award that is theirs.
func (e *Engine) learnName(ctx context.Context, tx store.Tx, p store.Person, awardID string) error {
	if p.Name() != "" {
		return nil
	}
	a, err := tx.Award(ctx, awardID)
	if err != nil || a.Recipient.Name() == "" {
		return err
	}
	p.GivenName, p.FamilyName = a.Recipient.GivenName, a.Recipient.FamilyName
	p.UpdatedAt = store.Moment(e.cfg.Now())
	return tx.PutPerson(ctx, p)
}
