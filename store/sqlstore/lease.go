package sqlstore

import (
	"context"
	"fmt"
	"time"

	"badgebridge/store"
)

// LeasePushes hands out pushes so that no two of one (remote, award) are ever
// in hand together, also when a person reopens an old push while a newer one
// is being sent: a push is given only if it is the first open one and none of
// its neighbours has a live lease. Leasing is done by one transaction at a
// time, because both conditions look at rows other than the one that is
// locked; saving a push needs no such lock and only ever ends a lease.
//
// The conditions stand in CASE so that PostgreSQL asks them of one push after
// the other, along the index of what is due. Written as joins they were planned
// for the few rows of a table that was just filled, which a first backfill does:
// every push was compared with every other, for minutes.
func (c *calls) LeasePushes(ctx context.Context, owner string, now, until time.Time, limit int) ([]store.Push, error) {
	const op = "lease pushes"
	if owner == "" {
		return nil, fmt.Errorf("%s: an owner has a name", op)
	}
	var leased []store.Push
	err := c.together(ctx, func(c *calls) error {
		if lock := c.db.engine.lockLeasing; lock != "" {
			if _, err := c.exec(ctx, op, lock); err != nil {
				return err
			}
		}
		found, err := many(ctx, c, op, scanPush, `
			SELECT `+pushColumns+` FROM pushes p
			WHERE p.due_at <= $1
				AND (p.lease_until IS NULL OR p.lease_until <= $1)
				AND CASE WHEN EXISTS (SELECT 1 FROM remotes r WHERE r.name = p.remote AND r.state = 'active') THEN TRUE ELSE FALSE END
				AND CASE WHEN EXISTS (SELECT 1 FROM pushes o WHERE o.award_id = p.award_id AND o.remote = p.remote AND o.seq <> p.seq
					AND (o.lease_until > $1 OR (o.seq < p.seq AND o.state IN ('waiting', 'queued', 'sent')))) THEN FALSE ELSE TRUE END
			ORDER BY p.due_at, p.seq LIMIT $2`+c.db.engine.skipLocked,
			moment(now), limited(limit))
		if err != nil {
			return err
		}
		for _, p := range found {
			if err := c.must(ctx, op, store.ErrStale,
				`UPDATE pushes SET lease_owner = $2, lease_until = $3 WHERE id = $1`, p.ID, owner, moment(until)); err != nil {
				return err
			}
		}
		leased = found
		return nil
	})
	return leased, err
}

// SavePush reads the row under a lock, compares, and writes. Whoever has no
// name (a plan, a person) must meet no live lease of a worker.
func (c *calls) SavePush(ctx context.Context, p store.Push, from store.PushState, owner string, keepLease bool) error {
	op := "save push " + p.ID
	return c.together(ctx, func(c *calls) error {
		type stored struct {
			state         store.PushState
			reason, words string
			owner         string
			until         time.Time
		}
		old, err := one(ctx, c, op, func(row scanner) (s stored, err error) {
			err = row.Scan(&s.state, &s.reason, &s.words, &s.owner, when(&s.until))
			return s, err
		}, `SELECT state, reason, words, lease_owner, lease_until FROM pushes WHERE id = $1`+c.db.engine.forUpdate, p.ID)
		if err != nil {
			return err
		}
		now := c.now()
		switch {
		case old.state != from:
			return fmt.Errorf("%s: it is %s, not %s: %w", op, old.state, from, store.ErrStale)
		case owner == "" && old.until.After(now), owner != "" && old.owner != owner:
			return fmt.Errorf("%s: another has it in hand: %w", op, store.ErrStale)
		}
		lease := old
		if !keepLease || p.State != store.PushSent {
			lease.owner, lease.until = "", time.Time{}
		}
		p.UpdatedAt = now
		if _, err := c.exec(ctx, op, `
			UPDATE pushes SET state = $2, reason = $3, words = $4, ref = $5, attempts = $6, next_at = $7, sent_at = $8, deadline = $9,
				lease_owner = $10, lease_until = $11, updated_at = $12, mapping_id = $13, unsure = $14
			WHERE id = $1`,
			p.ID, p.State, p.Reason, p.Words, p.Ref, p.Attempts, due(p.NextAt), moment(p.SentAt), moment(p.Deadline),
			lease.owner, moment(lease.until), moment(p.UpdatedAt), p.MappingID, p.Unsure); err != nil {
			return err
		}
		if p.By == "" && p.State == old.state && clean(p.Reason) == old.reason && clean(p.Words) == old.words {
			return nil
		}
		return c.addPushEvent(ctx, p)
	})
}
