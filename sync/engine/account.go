package engine

import (
	"context"
	"fmt"

	"badgebridge/store"
)

// replan plans all awards of a person, because something about them changed.
func (e *Engine) replan(ctx context.Context, tx store.Tx, personID, cause string) error {
	awards, err := tx.AwardsOf(ctx, personID, maxOfPerson)
	if err != nil {
		return err
	}
	for _, a := range awards {
		if _, err := e.plan(ctx, tx, a.ID, cause); err != nil {
			return err
		}
	}
	return nil
}

// Merge makes one account of two: all of from becomes into's, and what waited for
// a name or an address that the other one has goes on. Whoever calls it has seen
// the proof of both. store.ErrNotFound when one of them is gone.
func (e *Engine) Merge(ctx context.Context, into, from string) error {
	var awards []store.Award
	err := e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		if err := tx.MergePersons(ctx, into, from); err != nil {
			return err
		}
		var err error
		if awards, err = tx.AwardsOf(ctx, into, 0); err != nil {
			return err
		}
		return e.replan(ctx, tx, into, "accounts merged")
	})
	if err != nil {
		return fmt.Errorf("merge accounts: %w", err)
	}
	for _, a := range awards {
		e.cfg.Changed(a.ID)
	}
	e.Wake()
	return nil
}

// Forget erases a person, see store.Accounts. What was still to be sent in their
// name is not sent any more; what is under way is brought to its end.
func (e *Engine) Forget(ctx context.Context, personID string, keepClaims bool) (store.Erased, error) {
	var out store.Erased
	var awards []store.Award
	err := e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		var err error
		if awards, err = tx.AwardsOf(ctx, personID, 0); err != nil {
			return err
		}
		if out, err = tx.ErasePerson(ctx, personID, keepClaims); err != nil {
			return err
		}
		for _, id := range out.Awards {
			if _, err := e.plan(ctx, tx, id, "account deleted"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return store.Erased{}, fmt.Errorf("forget person %s: %w", personID, err)
	}
	for _, a := range awards {
		e.cfg.Changed(a.ID)
	}
	return out, nil
}
