package sqlstore

import (
	"context"
	"time"

	"badgebridge/store"
)

func (c *calls) Session(ctx context.Context, tokenHash string, now time.Time) ([]byte, error) {
	return one(ctx, c, "session", value[[]byte],
		`SELECT data FROM sessions WHERE token_hash = $1 AND expires_at > $2`, tokenHash, moment(now))
}

func (c *calls) PutSession(ctx context.Context, tokenHash, personID string, data []byte, expires time.Time) error {
	_, err := c.exec(ctx, "put session", `
		INSERT INTO sessions (token_hash, data, expires_at, person_id) VALUES ($1, $2, $3, $4)
		ON CONFLICT (token_hash) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at, person_id = excluded.person_id`,
		tokenHash, notNil(data), due(expires), personID)
	return err
}

func (c *calls) DeleteSession(ctx context.Context, tokenHash string) error {
	_, err := c.exec(ctx, "delete session", `DELETE FROM sessions WHERE token_hash = $1`, tokenHash)
	return err
}

// PruneSessions deletes all that has expired here: sessions, login states,
// values used once and codes. It returns how many rows that were.
func (c *calls) PruneSessions(ctx context.Context, now time.Time) (int, error) {
	total := 0
	for _, query := range []string{
		`DELETE FROM sessions WHERE expires_at <= $1`,
		`DELETE FROM login_states WHERE expires_at <= $1`,
		`DELETE FROM used_once WHERE expires_at <= $1`,
		`DELETE FROM codes WHERE expires_at <= $1`,
	} {
		n, err := c.exec(ctx, "prune sessions", query, moment(now))
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

func (c *calls) CreateLoginState(ctx context.Context, stateHash string, data []byte, expires time.Time) error {
	return c.must(ctx, "create login state", store.ErrExists, `
		INSERT INTO login_states (state_hash, data, expires_at) VALUES ($1, $2, $3)
		ON CONFLICT DO NOTHING`,
		stateHash, notNil(data), due(expires))
}

func (c *calls) TakeLoginState(ctx context.Context, stateHash string, now time.Time) ([]byte, error) {
	return one(ctx, c, "take login state", value[[]byte],
		`DELETE FROM login_states WHERE state_hash = $1 AND expires_at > $2 RETURNING data`, stateHash, moment(now))
}

func (c *calls) UseOnce(ctx context.Context, scope, v string, now, expires time.Time) (bool, error) {
	n, err := c.exec(ctx, "use once "+scope, `
		INSERT INTO used_once (scope, value, expires_at) VALUES ($1, $2, $4)
		ON CONFLICT (scope, value) DO UPDATE SET expires_at = excluded.expires_at
		WHERE used_once.expires_at <= $3`,
		scope, v, moment(now), due(expires))
	return n == 1, err
}
