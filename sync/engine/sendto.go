package engine

import (
	"context"
	"errors"
	"fmt"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/outbox"
	"badgebridge/sync/reconcile"
)

// CauseElsewhere is why a copy is taken back whose earner wants it at another
// address of theirs.
const CauseElsewhere = "another address"

// SendTo says to which of their proven addresses a member wants an award sent
// from now on: their consent. store.ErrNotFound when the award or the address is
// not theirs.
func (e *Engine) SendTo(ctx context.Context, awardID, personID, email string) error {
	err := e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		a, err := mine(ctx, tx, awardID, personID)
		if err != nil {
			return err
		}
		if err := e.choose(ctx, tx, a, email); err != nil {
			return err
		}
		_, err = e.plan(ctx, tx, a.ID, "address")
		return err
	})
	if err != nil {
		return fmt.Errorf("choose an address for award %s: %w", awardID, err)
	}
	e.Wake()
	return nil
}

func (e *Engine) choose(ctx context.Context, tx store.Tx, a store.Award, email string) error {
	email = openbadges.NormalizeEmail(email)
	id, err := tx.Identifier(ctx, openbadges.IdentityEmail, email)
	if err != nil {
		return err
	}
	if id.PersonID != a.PersonID {
		return store.ErrNotFound
	}
	return tx.PutDestination(ctx, store.Destination{AwardID: a.ID, Email: email, PersonID: a.PersonID, ChosenAt: store.Moment(e.cfg.Now())})
}

// SendElsewhere takes a copy back that nobody has accepted yet, because it went
// to an address that is not read any more, and issues it again to another proven
// address of the same person. The new one is sent only once the old one is surely
// gone. store.ErrStale when there is no such copy, or it was answered already.
func (e *Engine) SendElsewhere(ctx context.Context, awardID, personID string, remote adapters.Remote, email string) error {
	err := e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		a, err := mine(ctx, tx, awardID, personID)
		if err != nil {
			return err
		}
		copyThere, issue, err := e.pendingCopy(ctx, tx, a, remote)
		if err != nil {
			return err
		}
		if err := e.choose(ctx, tx, a, email); err != nil {
			return err
		}
		now := store.Moment(e.cfg.Now())
		generation := max(copyThere.Generation, issue.Generation, 1)
		for _, p := range []store.Push{
			{Op: store.OpRevoke, Generation: max(copyThere.Generation, 1), State: store.PushQueued, Ref: copyThere.Ref, NextAt: now},
			{Op: store.OpIssue, Generation: generation + 1, State: store.PushWaiting, Reason: reconcile.WaitReplaced},
		} {
			p.Key = outbox.Key(p.Op, remote, a.ID, p.Generation)
			p.Remote, p.AwardID, p.MappingID, p.Cause, p.CreatedAt, p.UpdatedAt = remote, a.ID, issue.MappingID, CauseElsewhere, now, now
			if _, err := tx.CreatePush(ctx, p); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, store.ErrExists) {
		err = store.ErrStale // it was asked for already
	}
	if err != nil {
		return fmt.Errorf("send award %s to another address: %w", awardID, err)
	}
	e.Wake()
	return nil
}

// pendingCopy is the award's copy at a remote that nobody has answered, and the
// issue that made it.
func (e *Engine) pendingCopy(ctx context.Context, tx store.Tx, a store.Award, remote adapters.Remote) (l store.Link, issue store.Push, err error) {
	links, err := tx.LinksOf(ctx, a.ID)
	if err != nil {
		return l, issue, err
	}
	pushes, err := tx.PushesOf(ctx, a.ID)
	if err != nil {
		return l, issue, err
	}
	for _, p := range pushes {
		if p.Remote != remote {
			continue
		}
		if p.State.Open() {
			return l, issue, store.ErrStale // something is under way
		}
		if p.Op == store.OpIssue && p.Generation >= issue.Generation {
			issue = p
		}
	}
	for _, link := range links {
		if link.Remote == remote && link.Role == store.RoleCopy && link.State == store.LinkPresent && link.Acceptance == string(openbadges.AcceptancePending) {
			l = link
		}
	}
	if l.Ref == "" || issue.ID == "" || issue.MappingID == "" || a.Revoked {
		return l, issue, store.ErrStale
	}
	return l, issue, nil
}
