package connections

import (
	"context"
	"errors"
	"fmt"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/sync/outbox"
)

// Pushed is what became of a person's wish to send badges.
type Pushed struct {
	New   int // on their way now
	Again int // were refused or given up before, and are tried again
	There int // are there already, or on their way
	Left  int // can't be sent: not claimed, or revoked
}

// Sends is how many of them go now.
func (p Pushed) Sends() int { return p.New + p.Again }

// pushAtOnce is how many badges one transaction puts on their way.
const pushAtOnce = 200

// Push puts badges of a person on their way to their connection. Those that are
// there already stay one.
func (c *Connections) Push(ctx context.Context, personID, id string, awardIDs []string) (Pushed, error) {
	var total Pushed
	for len(awardIDs) > 0 {
		batch := awardIDs[:min(pushAtOnce, len(awardIDs))]
		awardIDs = awardIDs[len(batch):]
		var out Pushed
		err := c.cfg.Store.InTx(ctx, func(tx store.Tx) error {
			out = Pushed{}
			conn, err := mine(ctx, tx, personID, id)
			if err != nil {
				return err
			}
			for _, awardID := range batch {
				if err := c.put(ctx, tx, conn, awardID, &out); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return total, fmt.Errorf("send to a backpack: %w", err)
		}
		total.New += out.New
		total.Again += out.Again
		total.There += out.There
		total.Left += out.Left
	}
	c.Wake()
	return total, nil
}

// put puts one badge on its way.
func (c *Connections) put(ctx context.Context, tx store.Tx, conn store.Connection, awardID string, out *Pushed) error {
	award, err := tx.Award(ctx, awardID)
	if errors.Is(err, store.ErrNotFound) || err == nil && (award.PersonID != conn.PersonID || award.Claim != store.Claimed || award.Revoked) {
		out.Left++
		return nil
	}
	if err != nil {
		return err
	}
	d := c.fresh(conn, awardID)
	old, err := tx.DepositsOfAward(ctx, awardID)
	if err != nil {
		return err
	}
	for _, o := range old {
		if o.ConnectionID != conn.ID {
			continue
		}
		if o.State == store.PushDone || o.State.Open() {
			out.There++
			return nil
		}
		out.Again++
		o.State, o.Reason, o.Words, o.Attempts, o.NextAt = d.State, "", "", 0, d.NextAt
		return tx.PutDeposit(ctx, o)
	}
	out.New++
	_, err = tx.CreateDeposit(ctx, d)
	return err
}

// fresh is a deposit that was not tried yet.
func (c *Connections) fresh(conn store.Connection, awardID string) store.Deposit {
	d := store.Deposit{
		ConnectionID: conn.ID, AwardID: awardID, State: store.PushQueued, NextAt: store.Moment(c.cfg.Now()),
		Key: outbox.Key(store.OpIssue, adapters.Remote("connection/"+conn.ID), awardID, 1),
	}
	if conn.State == store.ConnectionBroken {
		d.State = store.PushWaiting
	}
	return d
}

// Retry tries again what was refused or given up, and returns how many badges
// that are.
func (c *Connections) Retry(ctx context.Context, personID, id string) (int, error) {
	n := 0
	err := c.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		n = 0
		conn, err := mine(ctx, tx, personID, id)
		if err != nil {
			return err
		}
		to := store.PushQueued
		if conn.State == store.ConnectionBroken {
			to = store.PushWaiting
		}
		for _, from := range []store.PushState{store.PushRejected, store.PushHeld} {
			moved, err := tx.MoveDeposits(ctx, id, from, to)
			if err != nil {
				return err
			}
			n += moved
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("try again: %w", err)
	}
	c.Wake()
	return n, nil
}

// maxNoted bounds how many changed awards are remembered one by one.
const maxNoted = 1000

// Changed notes that an award changed: connections that send by themselves may
// want it. It never blocks. What a crash makes forgotten is found by the sweep.
func (c *Connections) Changed(awardID string) {
	c.mu.Lock()
	if len(c.changed) < maxNoted {
		c.changed[awardID] = true
	} else {
		c.sweep = true
	}
	c.mu.Unlock()
	c.Wake()
}

// Offer gives connections that send by themselves what became their person's, and
// returns how many badges were put on their way. all looks at every connection,
// not only at what Changed noted.
func (c *Connections) Offer(ctx context.Context, all bool) (int, error) {
	c.mu.Lock()
	noted := c.changed
	c.changed = map[string]bool{}
	all = all || c.sweep
	c.sweep = false
	c.mu.Unlock()
	n := 0
	if !all {
		for awardID := range noted {
			given, err := c.offer(ctx, awardID)
			n += given
			if err != nil {
				c.again()
				return n, err
			}
		}
		return n, nil
	}
	for ctx.Err() == nil {
		left, err := c.cfg.Store.AutoLeft(ctx, pushAtOnce)
		if err != nil {
			c.again()
			return n, err
		}
		for _, d := range left {
			given, err := c.offer(ctx, d.AwardID)
			n += given
			if err != nil {
				c.again()
				return n, err
			}
		}
		if len(left) < pushAtOnce {
			break
		}
	}
	return n, ctx.Err()
}

// again has everything looked at the next time.
func (c *Connections) again() {
	c.mu.Lock()
	c.sweep = true
	c.mu.Unlock()
}

// offer gives one award to its person's connections that send by themselves.
func (c *Connections) offer(ctx context.Context, awardID string) (int, error) {
	n := 0
	err := c.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		n = 0
		award, err := tx.Award(ctx, awardID)
		if errors.Is(err, store.ErrNotFound) || err == nil && (award.PersonID == "" || award.Claim != store.Claimed || award.Revoked) {
			return nil
		}
		if err != nil {
			return err
		}
		conns, err := tx.ConnectionsOf(ctx, award.PersonID)
		if err != nil {
			return err
		}
		for _, conn := range conns {
			if !conn.Auto || award.ClaimedAt.Before(conn.AutoSince) {
				continue
			}
			d := c.fresh(conn, awardID)
			came, err := cameFrom(ctx, tx, awardID, conn.Address)
			if err != nil {
				return err
			}
			if came {
				d.State, d.Reason = store.PushDone, outbox.Exists
			}
			switch _, err := tx.CreateDeposit(ctx, d); {
			case err == nil && !came:
				n++
			case err != nil && !errors.Is(err, store.ErrExists):
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("send by itself: %w", err)
	}
	return n, nil
}

// cameFrom reports whether a badge was pushed in from that very backpack: nothing
// is sent back to where it came from.
func cameFrom(ctx context.Context, tx store.Tx, awardID, address string) (bool, error) {
	docs, err := tx.CollectedOf(ctx, awardID)
	if err != nil {
		return false, err
	}
	for _, d := range docs {
		if d.Source == "push:"+originOf(address) {
			return true, nil
		}
	}
	return false, nil
}
