package sqlstore

import (
	"context"
	"time"

	"badgebridge/store"
)

func (c *calls) CreateKey(ctx context.Context, k store.Key) error {
	if k.CreatedAt.IsZero() {
		k.CreatedAt = c.now()
	}
	return c.must(ctx, "create key", store.ErrExists, `
		INSERT INTO signing_keys (id, purpose, algorithm, public, sealed, created_at, retired_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT DO NOTHING`,
		k.ID, k.Purpose, k.Algorithm, notNil(k.Public), notNil(k.Sealed), moment(k.CreatedAt), moment(k.RetiredAt))
}

func (c *calls) Keys(ctx context.Context, purpose string) ([]store.Key, error) {
	return many(ctx, c, "keys for "+purpose, func(row scanner) (k store.Key, err error) {
		err = row.Scan(&k.ID, &k.Purpose, &k.Algorithm, &k.Public, &k.Sealed, when(&k.CreatedAt), when(&k.RetiredAt))
		return k, err
	}, `SELECT id, purpose, algorithm, public, sealed, created_at, retired_at FROM signing_keys
		WHERE purpose = $1 ORDER BY created_at DESC, id`, purpose)
}

func (c *calls) RetireKey(ctx context.Context, id string, at time.Time) error {
	op := "retire key " + id
	n, err := c.exec(ctx, op, `UPDATE signing_keys SET retired_at = $2 WHERE id = $1 AND retired_at IS NULL`, id, moment(at))
	if err == nil && n == 0 {
		err = c.missingOrStale(ctx, op, `SELECT COUNT(*) FROM signing_keys WHERE id = $1`, id)
	}
	return err
}
