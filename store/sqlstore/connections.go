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

const connectionColumns = `id, person_id, kind, title, sealed, auto, state, message, created_at, updated_at`

const selectConnection = `SELECT ` + connectionColumns + ` FROM connections`

func scanConnection(row scanner) (v store.Connection, err error) {
	err = row.Scan(&v.ID, &v.PersonID, &v.Kind, &v.Title, &v.Sealed, &v.Auto, &v.State, &v.Message, when(&v.CreatedAt), when(&v.UpdatedAt))
	return v, err
}

func (c *calls) CreateConnection(ctx context.Context, v store.Connection) (store.Connection, error) {
	if v.ID == "" {
		v.ID = store.NewID()
	}
	if v.State == "" {
		v.State = "active"
	}
	v.Sealed = notNil(v.Sealed)
	v.UpdatedAt = c.now()
	if v.CreatedAt.IsZero() {
		v.CreatedAt = v.UpdatedAt
	}
	v.CreatedAt = store.Moment(v.CreatedAt)
	err := c.must(ctx, "create connection", store.ErrExists, `
		INSERT INTO connections (`+connectionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
		v.ID, v.PersonID, v.Kind, v.Title, v.Sealed, v.Auto, v.State, v.Message, moment(v.CreatedAt), moment(v.UpdatedAt))
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
		UPDATE connections SET (title, sealed, auto, state, message, updated_at) = ($2, $3, $4, $5, $6, $7) WHERE id = $1`,
		v.ID, v.Title, notNil(v.Sealed), v.Auto, v.State, v.Message, moment(c.now()))
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

const depositColumns = `id, connection_id, award_id, deposit_key, state, words, ref, attempts, next_at, created_at, updated_at`

const selectDeposit = `SELECT ` + depositColumns + ` FROM deposits`

func scanDeposit(row scanner) (v store.Deposit, err error) {
	err = row.Scan(&v.ID, &v.ConnectionID, &v.AwardID, &v.Key, &v.State, &v.Words, &v.Ref, &v.Attempts, when(&v.NextAt),
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
		INSERT INTO deposits (`+depositColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
		v.ID, v.ConnectionID, v.AwardID, v.Key, v.State, v.Words, v.Ref, v.Attempts, due(v.NextAt), moment(v.CreatedAt), moment(v.UpdatedAt))
	if err != nil {
		return store.Deposit{}, err
	}
	return v, nil
}

func (c *calls) DepositsOf(ctx context.Context, connectionID string) ([]store.Deposit, error) {
	return many(ctx, c, "deposits of connection "+connectionID, scanDeposit, selectDeposit+` WHERE connection_id = $1 ORDER BY seq`, connectionID)
}

func (c *calls) DepositsOfAward(ctx context.Context, awardID string) ([]store.Deposit, error) {
	return many(ctx, c, "deposits of award "+awardID, scanDeposit, selectDeposit+` WHERE award_id = $1 ORDER BY seq`, awardID)
}

func (c *calls) LeaseDeposits(ctx context.Context, now, until time.Time, limit int) ([]store.Deposit, error) {
	return many(ctx, c, "lease deposits", scanDeposit, `
		UPDATE deposits SET lease_until = $2 WHERE id IN (
			SELECT p.id FROM deposits p
			WHERE p.state IN ('queued', 'sent') AND p.next_at <= $1 AND (p.lease_until IS NULL OR p.lease_until <= $1)
			ORDER BY p.next_at, p.seq`+fmt.Sprintf(` LIMIT %d`, limited(limit))+c.db.engine.skipLocked+`
		) RETURNING `+depositColumns, due(now), moment(until))
}

func (c *calls) PutDeposit(ctx context.Context, v store.Deposit) error {
	return c.must(ctx, "put deposit "+v.ID, store.ErrNotFound, `
		UPDATE deposits SET (state, words, ref, attempts, next_at, lease_until, updated_at) = ($2, $3, $4, $5, $6, NULL, $7) WHERE id = $1`,
		v.ID, v.State, v.Words, v.Ref, v.Attempts, due(v.NextAt), moment(c.now()))
}
