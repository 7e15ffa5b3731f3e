package sqlstore

import (
	"context"
	"fmt"
	"time"

	"badgebridge/store"
)

const grantColumns = `id, person_id, origin, scopes, access_hash, refresh_hash, old_refresh_hash, access_until, created_at, used_at`

const selectGrant = `SELECT ` + grantColumns + ` FROM grants`

func scanGrant(row scanner) (v store.Grant, err error) {
	err = row.Scan(&v.ID, &v.PersonID, &v.Origin, fromJSON(&v.Scopes), &v.AccessHash, &v.RefreshHash, &v.OldRefreshHash,
		when(&v.AccessUntil), when(&v.CreatedAt), when(&v.UsedAt))
	return v, err
}

func (c *calls) CreateGrant(ctx context.Context, v store.Grant) (store.Grant, error) {
	if v.ID == "" {
		v.ID = store.NewID()
	}
	if v.CreatedAt.IsZero() {
		v.CreatedAt = c.now()
	}
	v.CreatedAt, v.AccessUntil, v.UsedAt = store.Moment(v.CreatedAt), store.Moment(v.AccessUntil), store.Moment(v.UsedAt)
	err := c.must(ctx, "create grant", store.ErrExists, `
		INSERT INTO grants (`+grantColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
		v.ID, v.PersonID, v.Origin, asJSON(v.Scopes), v.AccessHash, v.RefreshHash, v.OldRefreshHash,
		moment(v.AccessUntil), moment(v.CreatedAt), moment(v.UsedAt))
	if err != nil {
		return store.Grant{}, err
	}
	return v, nil
}

func (c *calls) GrantByAccess(ctx context.Context, accessHash string) (store.Grant, error) {
	return one(ctx, c, "grant by token", scanGrant, selectGrant+` WHERE access_hash = $1`, accessHash)
}

func (c *calls) GrantByRefresh(ctx context.Context, refreshHash string) (store.Grant, error) {
	return one(ctx, c, "grant by refresh token", scanGrant, selectGrant+`
		WHERE id IN (
			SELECT id FROM grants WHERE refresh_hash = $1
			UNION
			SELECT id FROM grants WHERE old_refresh_hash = $1 AND old_refresh_hash <> ''
		)`, refreshHash)
}

func (c *calls) TurnGrant(ctx context.Context, v store.Grant, was string) error {
	n, err := c.exec(ctx, "turn grant "+v.ID, `
		UPDATE grants SET (access_hash, refresh_hash, old_refresh_hash, access_until, used_at) = ($3, $4, $5, $6, $7)
		WHERE id = $1 AND refresh_hash = $2`,
		v.ID, was, v.AccessHash, v.RefreshHash, v.OldRefreshHash, moment(v.AccessUntil), moment(v.UsedAt))
	if err != nil || n == 1 {
		return err
	}
	return c.missingOrStale(ctx, "turn grant "+v.ID, `SELECT COUNT(*) FROM grants WHERE id = $1`, v.ID)
}

func (c *calls) TouchGrant(ctx context.Context, id string, at time.Time) error {
	return c.must(ctx, "touch grant "+id, store.ErrNotFound, `UPDATE grants SET used_at = $2 WHERE id = $1`, id, moment(at))
}

func (c *calls) GrantsOf(ctx context.Context, personID string) ([]store.Grant, error) {
	return many(ctx, c, "grants of "+personID, scanGrant, selectGrant+` WHERE person_id = $1 ORDER BY created_at DESC, id`, personID)
}

func (c *calls) DeleteGrant(ctx context.Context, id string) error {
	return c.must(ctx, "delete grant "+id, store.ErrNotFound, `DELETE FROM grants WHERE id = $1`, id)
}

const connectionColumns = `id, person_id, kind, address, title, sealed, auto, auto_since, state, message, created_at, updated_at`

const selectConnection = `SELECT ` + connectionColumns + ` FROM connections`

func scanConnection(row scanner) (v store.Connection, err error) {
	err = row.Scan(&v.ID, &v.PersonID, &v.Kind, &v.Address, &v.Title, &v.Sealed, &v.Auto, when(&v.AutoSince), &v.State, &v.Message,
		when(&v.CreatedAt), when(&v.UpdatedAt))
	return v, err
}

func (c *calls) CreateConnection(ctx context.Context, v store.Connection) (store.Connection, error) {
	if v.ID == "" {
		v.ID = store.NewID()
	}
	if v.State == "" {
		v.State = store.ConnectionActive
	}
	v.Sealed = notNil(v.Sealed)
	v.UpdatedAt = c.now()
	if v.CreatedAt.IsZero() {
		v.CreatedAt = v.UpdatedAt
	}
	v.CreatedAt, v.AutoSince = store.Moment(v.CreatedAt), store.Moment(v.AutoSince)
	err := c.must(ctx, "create connection", store.ErrExists, `
		INSERT INTO connections (`+connectionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING`,
		v.ID, v.PersonID, v.Kind, v.Address, v.Title, v.Sealed, v.Auto, moment(v.AutoSince), v.State, v.Message, moment(v.CreatedAt), moment(v.UpdatedAt))
	if err != nil {
		return store.Connection{}, err
	}
	return v, nil
}

func (c *calls) Connection(ctx context.Context, id string) (store.Connection, error) {
	return one(ctx, c, "connection "+id, scanConnection, selectConnection+` WHERE id = $1`, id)
}

func (c *calls) PutConnection(ctx context.Context, v store.Connection) error {
	return c.must(ctx, "put connection "+v.ID, store.ErrNotFound, `
		UPDATE connections SET (title, auto, auto_since, state, message, updated_at) = ($2, $3, $4, $5, $6, $7) WHERE id = $1`,
		v.ID, v.Title, v.Auto, moment(v.AutoSince), v.State, v.Message, moment(c.now()))
}

func (c *calls) SealConnection(ctx context.Context, id string, sealed, was []byte) error {
	n, err := c.exec(ctx, "seal connection "+id, `UPDATE connections SET (sealed, updated_at) = ($3, $4) WHERE id = $1 AND sealed = $2`,
		id, notNil(was), notNil(sealed), moment(c.now()))
	if err != nil || n == 1 {
		return err
	}
	return c.missingOrStale(ctx, "seal connection "+id, `SELECT COUNT(*) FROM connections WHERE id = $1`, id)
}

func (c *calls) DeleteConnection(ctx context.Context, id string) error {
	return c.together(ctx, func(c *calls) error {
		if _, err := c.exec(ctx, "delete connection "+id, `DELETE FROM deposits WHERE connection_id = $1`, id); err != nil {
			return err
		}
		return c.must(ctx, "delete connection "+id, store.ErrNotFound, `DELETE FROM connections WHERE id = $1`, id)
	})
}

func (c *calls) ConnectionsOf(ctx context.Context, personID string) ([]store.Connection, error) {
	return many(ctx, c, "connections of "+personID, scanConnection, selectConnection+` WHERE person_id = $1 ORDER BY created_at, id`, personID)
}

// LeaseConnections goes from the deposits that are due, which are few, to their
// connections.
func (c *calls) LeaseConnections(ctx context.Context, now, until time.Time, limit int) ([]store.Connection, error) {
	return many(ctx, c, "lease connections", scanConnection, `
		UPDATE connections SET lease_until = $2 WHERE id IN (
			SELECT p.id FROM connections p
			WHERE p.id IN (SELECT d.connection_id FROM deposits d WHERE d.state IN ('queued', 'sent') AND d.next_at <= $1)
				AND p.state = 'active' AND (p.lease_until IS NULL OR p.lease_until <= $1)
			ORDER BY COALESCE(p.lease_until, p.created_at), p.id`+fmt.Sprintf(` LIMIT %d`, limited(limit))+c.db.engine.skipLocked+`
		) RETURNING `+connectionColumns, due(now), moment(until))
}

func (c *calls) ReleaseConnection(ctx context.Context, id string, from time.Time) error {
	_, err := c.exec(ctx, "release connection "+id, `UPDATE connections SET lease_until = $2 WHERE id = $1`, id, moment(from))
	return err
}

func (c *calls) AutoLeft(ctx context.Context, limit int) ([]store.Deposit, error) {
	return many(ctx, c, "badges to send by themselves", func(row scanner) (v store.Deposit, err error) {
		err = row.Scan(&v.ConnectionID, &v.AwardID)
		return v, err
	}, `
		SELECT c.id, a.id FROM connections c JOIN awards a ON a.person_id = c.person_id
		WHERE c.auto AND a.claim = 'claimed' AND NOT a.revoked AND a.claimed_at >= c.auto_since
			AND NOT EXISTS (SELECT 1 FROM deposits d WHERE d.connection_id = c.id AND d.award_id = a.id)
		ORDER BY a.claimed_at, a.id LIMIT $1`, limited(limit))
}

const depositColumns = `id, connection_id, award_id, deposit_key, state, reason, words, ref, attempts, next_at, created_at, updated_at`

const selectDeposit = `SELECT ` + depositColumns + ` FROM deposits`

func scanDeposit(row scanner) (v store.Deposit, err error) {
	err = row.Scan(&v.ID, &v.ConnectionID, &v.AwardID, &v.Key, &v.State, &v.Reason, &v.Words, &v.Ref, &v.Attempts, when(&v.NextAt),
		when(&v.CreatedAt), when(&v.UpdatedAt))
	return v, err
}

func (c *calls) CreateDeposit(ctx context.Context, v store.Deposit) (store.Deposit, error) {
	if v.ID == "" {
		v.ID = store.NewID()
	}
	if v.State == "" {
		v.State = store.PushQueued
	}
	v.UpdatedAt = c.now()
	if v.CreatedAt.IsZero() {
		v.CreatedAt = v.UpdatedAt
	}
	v.CreatedAt, v.NextAt = store.Moment(v.CreatedAt), store.Moment(v.NextAt)
	err := c.must(ctx, "create deposit", store.ErrExists, `
		INSERT INTO deposits (`+depositColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING`,
		v.ID, v.ConnectionID, v.AwardID, v.Key, v.State, v.Reason, v.Words, v.Ref, v.Attempts, due(v.NextAt), moment(v.CreatedAt), moment(v.UpdatedAt))
	if err != nil {
		return store.Deposit{}, err
	}
	return v, nil
}

func (c *calls) DepositsOf(ctx context.Context, connectionID string) ([]store.Deposit, error) {
	return many(ctx, c, "deposits of connection "+connectionID, scanDeposit, selectDeposit+` WHERE connection_id = $1 ORDER BY seq`, connectionID)
}

func (c *calls) DepositsIn(ctx context.Context, connectionID string, state store.PushState, limit int) ([]store.Deposit, error) {
	return many(ctx, c, "deposits of connection "+connectionID, scanDeposit, selectDeposit+`
		WHERE connection_id = $1 AND state = $2 ORDER BY updated_at DESC, seq DESC LIMIT $3`, connectionID, state, limited(limit))
}

func (c *calls) CountDeposits(ctx context.Context, connectionID string) (map[store.PushState]int, error) {
	type counted struct {
		state store.PushState
		n     int
	}
	rows, err := many(ctx, c, "count deposits of "+connectionID, func(row scanner) (v counted, err error) {
		err = row.Scan(&v.state, &v.n)
		return v, err
	}, `SELECT state, COUNT(*) FROM deposits WHERE connection_id = $1 GROUP BY state`, connectionID)
	out := make(map[store.PushState]int, len(rows))
	for _, r := range rows {
		out[r.state] = r.n
	}
	return out, err
}

func (c *calls) DepositsOfAward(ctx context.Context, awardID string) ([]store.Deposit, error) {
	return many(ctx, c, "deposits of award "+awardID, scanDeposit, selectDeposit+` WHERE award_id = $1 ORDER BY seq`, awardID)
}

func (c *calls) DueDeposits(ctx context.Context, connectionID string, now time.Time, limit int) ([]store.Deposit, error) {
	return many(ctx, c, "due deposits of "+connectionID, scanDeposit, selectDeposit+`
		WHERE connection_id = $1 AND state IN ('queued', 'sent') AND next_at <= $2 ORDER BY next_at, seq LIMIT $3`, connectionID, due(now), limited(limit))
}

func (c *calls) PutDeposit(ctx context.Context, v store.Deposit) error {
	return c.must(ctx, "put deposit "+v.ID, store.ErrNotFound, `
		UPDATE deposits SET (state, reason, words, ref, attempts, next_at, updated_at) = ($2, $3, $4, $5, $6, $7, $8) WHERE id = $1`,
		v.ID, v.State, v.Reason, v.Words, v.Ref, v.Attempts, due(v.NextAt), moment(c.now()))
}

func (c *calls) MoveDeposits(ctx context.Context, connectionID string, from, to store.PushState) (int, error) {
	now := c.now()
	return c.exec(ctx, "move deposits of "+connectionID, `
		UPDATE deposits SET state = $3, updated_at = $4,
			attempts = CASE WHEN $5 THEN 0 ELSE attempts END, next_at = CASE WHEN $5 THEN $6 ELSE next_at END
		WHERE connection_id = $1 AND state = $2`, connectionID, from, to, moment(now), to == store.PushQueued, due(now))
}
