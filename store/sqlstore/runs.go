package sqlstore

import (
	"context"
	"fmt"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
)

const runColumns = `id, remote, kind, cause, state, message, seen, new, changed, pushes, started_at, ended_at`

func scanRun(row scanner) (r store.Run, err error) {
	err = row.Scan(&r.ID, &r.Remote, &r.Kind, &r.Cause, &r.State, &r.Message, &r.Seen, &r.New, &r.Changed, &r.Pushes,
		when(&r.StartedAt), when(&r.EndedAt))
	return r, err
}

// CreateRun fills in ID, state and start where they are empty.
func (c *calls) CreateRun(ctx context.Context, r store.Run) (store.Run, error) {
	if r.ID == "" {
		r.ID = store.NewID()
	}
	if r.State == "" {
		r.State = store.RunGoing
	}
	if r.StartedAt.IsZero() {
		r.StartedAt = c.now()
	}
	r.StartedAt, r.EndedAt = store.Moment(r.StartedAt), store.Moment(r.EndedAt)
	err := c.must(ctx, "create run", store.ErrExists, `
		INSERT INTO runs (`+runColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT DO NOTHING`,
		r.ID, r.Remote, r.Kind, r.Cause, r.State, r.Message, r.Seen, r.New, r.Changed, r.Pushes, moment(r.StartedAt), moment(r.EndedAt))
	if err != nil {
		return store.Run{}, err
	}
	return r, nil
}

func (c *calls) PutRun(ctx context.Context, r store.Run) error {
	return c.must(ctx, "put run "+r.ID, store.ErrNotFound, `
		UPDATE runs SET remote = $2, kind = $3, cause = $4, state = $5, message = $6, seen = $7, new = $8, changed = $9, pushes = $10,
			started_at = $11, ended_at = $12
		WHERE id = $1`,
		r.ID, r.Remote, r.Kind, r.Cause, r.State, r.Message, r.Seen, r.New, r.Changed, r.Pushes, moment(r.StartedAt), moment(r.EndedAt))
}

func (c *calls) Run(ctx context.Context, id string) (store.Run, error) {
	return one(ctx, c, "run "+id, scanRun, `SELECT `+runColumns+` FROM runs WHERE id = $1`, id)
}

func (c *calls) Runs(ctx context.Context, remote adapters.Remote, limit int) ([]store.Run, error) {
	var w where
	if remote != "" {
		w.add("remote = $%d", remote)
	}
	return many(ctx, c, "runs", scanRun,
		`SELECT `+runColumns+` FROM runs`+w.String()+fmt.Sprintf(` ORDER BY seq DESC LIMIT %d`, limited(limit)), w.args...)
}

func (c *calls) AbandonRuns(ctx context.Context, remote adapters.Remote, keep, message string, at time.Time) error {
	_, err := c.exec(ctx, "abandon runs of "+string(remote), `
		UPDATE runs SET state = 'failed', message = $3, ended_at = $4
		WHERE remote = $1 AND id <> $2 AND state = 'running'`,
		remote, keep, message, moment(at))
	return err
}

func (c *calls) PruneRuns(ctx context.Context, before time.Time) (int, error) {
	return c.exec(ctx, "prune runs", `
		DELETE FROM runs WHERE new = 0 AND changed = 0 AND pushes = 0 AND ended_at < $1 AND state <> 'running'`, moment(before))
}
