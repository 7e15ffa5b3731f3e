package sqlstore

import (
	"context"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
)

func (c *calls) AddHint(ctx context.Context, h store.Hint) (bool, error) {
	n, err := c.exec(ctx, "add hint of "+string(h.Remote), `
		INSERT INTO hints (remote, id, state, attempts, received_at, next_at)
		VALUES ($1, $2, 'waiting', 0, $3, $4)
		ON CONFLICT DO NOTHING`,
		h.Remote, h.ID, due(h.ReceivedAt), due(h.NextAt))
	return n == 1, err
}

func (c *calls) DueHints(ctx context.Context, remote adapters.Remote, now time.Time, limit int) ([]store.Hint, error) {
	return many(ctx, c, "due hints of "+string(remote), func(row scanner) (h store.Hint, err error) {
		err = row.Scan(&h.Remote, &h.ID, &h.State, &h.Attempts, when(&h.ReceivedAt), when(&h.NextAt))
		return h, err
	}, `
		SELECT remote, id, state, attempts, received_at, next_at FROM hints
		WHERE remote = $1 AND state = 'waiting' AND next_at <= $2
		ORDER BY received_at, id LIMIT $3`,
		remote, due(now), limited(limit))
}

func (c *calls) PutHint(ctx context.Context, h store.Hint) error {
	return c.must(ctx, "put hint of "+string(h.Remote), store.ErrNotFound,
		`UPDATE hints SET state = $3, attempts = $4, next_at = $5 WHERE remote = $1 AND id = $2`,
		h.Remote, h.ID, h.State, h.Attempts, due(h.NextAt))
}

func (c *calls) CoverHints(ctx context.Context, remote adapters.Remote, before time.Time) (int, error) {
	return c.exec(ctx, "cover hints of "+string(remote),
		`UPDATE hints SET state = 'pulled' WHERE remote = $1 AND state = 'waiting' AND received_at < $2`, remote, due(before))
}

func (c *calls) CountHints(ctx context.Context, remote adapters.Remote) (store.HintCounts, error) {
	return one(ctx, c, "count hints of "+string(remote), func(row scanner) (n store.HintCounts, err error) {
		err = row.Scan(&n.Waiting, &n.Confirmed, &n.Pulled, &n.Unknown, when(&n.Last))
		return n, err
	}, `
		SELECT COUNT(CASE WHEN state = 'waiting' THEN 1 END), COUNT(CASE WHEN state = 'confirmed' THEN 1 END),
			COUNT(CASE WHEN state = 'pulled' THEN 1 END), COUNT(CASE WHEN state = 'unknown' THEN 1 END),
			(SELECT h.received_at FROM hints h WHERE h.remote = $1 ORDER BY h.received_at DESC LIMIT 1)
		FROM hints WHERE remote = $1`, remote)
}

func (c *calls) PruneHints(ctx context.Context, before time.Time) (int, error) {
	return c.exec(ctx, "prune hints", `DELETE FROM hints WHERE received_at < $1`, due(before))
}
