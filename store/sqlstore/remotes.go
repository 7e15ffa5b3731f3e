package sqlstore

import (
	"context"
	"fmt"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
)

const remoteColumns = `name, kind, title, config, state, reason, declared, identity, webhook_hash, webhook_secret,
	feed_cursor, list_cursor, list_run, dirty, next_pull, next_list, read_at, listed_at,
	health, health_message, health_details, checked_at, created_at, updated_at`

const countRemote = `SELECT COUNT(*) FROM remotes WHERE name = $1`

func scanRemote(row scanner) (r store.Remote, err error) {
	err = row.Scan(&r.Name, &r.Kind, &r.Title, &r.Config, &r.State, &r.Reason, &r.Declared, &r.Identity, &r.WebhookHash, &r.WebhookSecret,
		&r.Cursor, &r.ListCursor, &r.ListRun, &r.Dirty, when(&r.NextPull), when(&r.NextList), when(&r.ReadAt), when(&r.ListedAt),
		&r.Health, &r.HealthMessage, &r.HealthDetails, when(&r.CheckedAt), when(&r.CreatedAt), when(&r.UpdatedAt))
	return r, err
}

func (c *calls) CreateRemote(ctx context.Context, r store.Remote) error {
	if r.State == "" {
		r.State = store.RemoteActive
	}
	now := c.now()
	if r.CreatedAt.IsZero() {
		r.CreatedAt = now
	}
	return c.must(ctx, "create remote "+string(r.Name), store.ErrExists, `
		INSERT INTO remotes (`+remoteColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)
		ON CONFLICT DO NOTHING`,
		r.Name, r.Kind, r.Title, r.Config, r.State, r.Reason, r.Declared, r.Identity, r.WebhookHash, r.WebhookSecret,
		r.Cursor, r.ListCursor, r.ListRun, r.Dirty, moment(r.NextPull), moment(r.NextList), moment(r.ReadAt), moment(r.ListedAt),
		r.Health, r.HealthMessage, r.HealthDetails, moment(r.CheckedAt), moment(r.CreatedAt), moment(now))
}

func (c *calls) Remote(ctx context.Context, name adapters.Remote) (store.Remote, error) {
	return one(ctx, c, "remote "+string(name), scanRemote, `SELECT `+remoteColumns+` FROM remotes WHERE name = $1`, name)
}

func (c *calls) Remotes(ctx context.Context) ([]store.Remote, error) {
	return many(ctx, c, "remotes", scanRemote, `SELECT `+remoteColumns+` FROM remotes ORDER BY name`)
}

func (c *calls) PutRemoteConfig(ctx context.Context, r store.Remote) error {
	return c.changeRemote(ctx, "put config of remote", r.Name, `
		UPDATE remotes SET kind = $2, title = $3, config = $4, declared = $5, webhook_hash = $6, webhook_secret = $7, identity = $8, updated_at = $9
		WHERE name = $1`,
		r.Kind, r.Title, r.Config, r.Declared, r.WebhookHash, r.WebhookSecret, r.Identity, moment(c.now()))
}

func (c *calls) SetRemoteState(ctx context.Context, name adapters.Remote, s store.RemoteState, reason string) error {
	return c.changeRemote(ctx, "set state of remote", name,
		`UPDATE remotes SET state = $2, reason = $3, updated_at = $4 WHERE name = $1`, s, reason, moment(c.now()))
}

func (c *calls) PinIdentity(ctx context.Context, name adapters.Remote, identity string) error {
	return c.changeRemote(ctx, "pin identity of remote", name,
		`UPDATE remotes SET identity = $2, updated_at = $3 WHERE name = $1`, identity, moment(c.now()))
}

func (c *calls) SetRemoteHealth(ctx context.Context, name adapters.Remote, health, message string, details []byte, at time.Time) error {
	return c.changeRemote(ctx, "set health of remote", name,
		`UPDATE remotes SET health = $2, health_message = $3, health_details = $4, checked_at = $5 WHERE name = $1`,
		health, message, details, moment(at))
}

// DeleteRemote takes the connection away; awards, links and pushes that name
// it stay, they are history.
func (c *calls) DeleteRemote(ctx context.Context, name adapters.Remote) error {
	return c.together(ctx, func(c *calls) error {
		if _, err := c.exec(ctx, "delete hints of "+string(name), `DELETE FROM hints WHERE remote = $1`, name); err != nil {
			return err
		}
		return c.changeRemote(ctx, "delete remote", name, `DELETE FROM remotes WHERE name = $1`)
	})
}

// changeRemote runs a statement whose $1 is the remote's name.
func (c *calls) changeRemote(ctx context.Context, op string, name adapters.Remote, query string, args ...any) error {
	return c.must(ctx, op+" "+string(name), store.ErrNotFound, query, append([]any{name}, args...)...)
}

// LeaseRemote is one statement, so that a MarkDirty falls either before it and
// is returned, or after it and stays set. A dirty remote becomes due at once:
// should the owner die before it releases the lease, the hint is not lost.
func (c *calls) LeaseRemote(ctx context.Context, name adapters.Remote, owner string, now, until time.Time) (ok, wasDirty bool, err error) {
	op := "lease remote " + string(name)
	dirty, err := many(ctx, c, op, value[bool], `
		UPDATE remotes SET lease_owner = $2, lease_until = $4, was_dirty = dirty, dirty = FALSE,
			next_pull = CASE WHEN dirty THEN $3 ELSE next_pull END
		WHERE name = $1 AND (lease_owner = $2 OR lease_until IS NULL OR lease_until <= $3)
		RETURNING was_dirty`,
		name, owner, moment(now), moment(until))
	if err != nil {
		return false, false, err
	}
	if len(dirty) == 1 {
		return true, dirty[0], nil
	}
	n, err := count(ctx, c, op, countRemote, name)
	if err == nil && n == 0 {
		err = fmt.Errorf("%s: %w", op, store.ErrNotFound)
	}
	return false, false, err
}

// ReleaseRemote answers store.ErrStale when the lease has gone to another owner.
func (c *calls) ReleaseRemote(ctx context.Context, name adapters.Remote, owner string, nextPull time.Time) error {
	op := "release remote " + string(name)
	n, err := c.exec(ctx, op, `
		UPDATE remotes SET lease_owner = '', lease_until = NULL, next_pull = $3
		WHERE name = $1 AND lease_owner = $2`,
		name, owner, moment(nextPull))
	if err != nil || n == 1 {
		return err
	}
	return c.missingOrStale(ctx, op, countRemote, name)
}

func (c *calls) MarkDirty(ctx context.Context, name adapters.Remote) error {
	return c.changeRemote(ctx, "mark remote", name, `UPDATE remotes SET dirty = TRUE WHERE name = $1`)
}

func (c *calls) DueRemotes(ctx context.Context, now time.Time, limit int) ([]adapters.Remote, error) {
	// There are tens of remotes, not thousands: no index serves this better than
	// reading them.
	return many(ctx, c, "due remotes", value[adapters.Remote], `
		SELECT name FROM remotes
		WHERE state = 'active' AND (lease_until IS NULL OR lease_until <= $1)
			AND (dirty OR next_pull IS NULL OR next_pull <= $1
				OR EXISTS (SELECT 1 FROM hints WHERE remote = name AND hints.state = 'waiting' AND next_at <= $1))
		ORDER BY next_pull NULLS FIRST, name LIMIT $2`,
		moment(now), limited(limit))
}

func (c *calls) AdvanceCursor(ctx context.Context, name adapters.Remote, from, to adapters.Cursor) error {
	op := "advance cursor of " + string(name)
	n, err := c.exec(ctx, op, `UPDATE remotes SET feed_cursor = $3 WHERE name = $1 AND feed_cursor = $2`, name, from, to)
	if err != nil || n == 1 {
		return err
	}
	return c.missingOrStale(ctx, op, countRemote, name)
}

func (c *calls) MarkRead(ctx context.Context, name adapters.Remote, read, listed time.Time) error {
	return c.changeRemote(ctx, "mark reading of remote", name, `
		UPDATE remotes SET
			read_at = CASE WHEN read_at IS NULL OR read_at < $2 THEN $2 ELSE read_at END,
			listed_at = CASE WHEN listed_at IS NULL OR listed_at < $3 THEN COALESCE($3, listed_at) ELSE listed_at END
		WHERE name = $1`, moment(read), moment(listed))
}

func (c *calls) ListSoon(ctx context.Context, name adapters.Remote, now time.Time) error {
	return c.changeRemote(ctx, "list remote soon", name, `UPDATE remotes SET dirty = TRUE, next_list = $2 WHERE name = $1`, moment(now))
}

func (c *calls) AdvanceList(ctx context.Context, name adapters.Remote, from, to adapters.Cursor, run string, nextList time.Time) error {
	op := "advance list of " + string(name)
	n, err := c.exec(ctx, op, `
		UPDATE remotes SET list_cursor = $3, list_run = $4, next_list = $5
		WHERE name = $1 AND list_cursor = $2`,
		name, from, to, run, moment(nextList))
	if err != nil || n == 1 {
		return err
	}
	return c.missingOrStale(ctx, op, countRemote, name)
}
