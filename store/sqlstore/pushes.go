package sqlstore

import (
	"context"
	"fmt"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
)

const pushColumns = `p.id, p.push_key, p.op, p.remote, p.award_id, p.generation, p.mapping_id, p.state, p.reason, p.words, p.ref, p.cause,
	p.attempts, p.next_at, p.sent_at, p.deadline, p.unsure, p.created_at, p.updated_at`

func scanPush(row scanner) (p store.Push, err error) {
	err = row.Scan(&p.ID, &p.Key, &p.Op, &p.Remote, &p.AwardID, &p.Generation, &p.MappingID, &p.State, &p.Reason, &p.Words, &p.Ref, &p.Cause,
		&p.Attempts, when(&p.NextAt), when(&p.SentAt), when(&p.Deadline), &p.Unsure, when(&p.CreatedAt), when(&p.UpdatedAt))
	return p, err
}

// CreatePush fills in ID and times where they are empty; a push without a
// state is store.PushQueued.
func (c *calls) CreatePush(ctx context.Context, p store.Push) (store.Push, error) {
	if p.ID == "" {
		p.ID = store.NewID()
	}
	if p.State == "" {
		p.State = store.PushQueued
	}
	p.UpdatedAt = c.now()
	if p.CreatedAt.IsZero() {
		p.CreatedAt = p.UpdatedAt
	}
	p.CreatedAt, p.NextAt = store.Moment(p.CreatedAt), store.Moment(p.NextAt)
	p.SentAt, p.Deadline = store.Moment(p.SentAt), store.Moment(p.Deadline)
	err := c.together(ctx, func(c *calls) error {
		err := c.must(ctx, "create push", store.ErrExists, `
			INSERT INTO pushes (id, push_key, op, remote, award_id, generation, mapping_id, state, reason, words, ref, cause,
				attempts, next_at, sent_at, deadline, unsure, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
			ON CONFLICT DO NOTHING`,
			p.ID, p.Key, p.Op, p.Remote, p.AwardID, p.Generation, p.MappingID, p.State, p.Reason, p.Words, p.Ref, p.Cause,
			p.Attempts, due(p.NextAt), moment(p.SentAt), moment(p.Deadline), p.Unsure, moment(p.CreatedAt), moment(p.UpdatedAt))
		if err != nil {
			return err
		}
		return c.addPushEvent(ctx, p)
	})
	if err != nil {
		return store.Push{}, err
	}
	return p, nil
}

func (c *calls) addPushEvent(ctx context.Context, p store.Push) error {
	_, err := c.exec(ctx, "add event of push "+p.ID,
		`INSERT INTO push_events (push_id, at, state, reason, words, by_person) VALUES ($1, $2, $3, $4, $5, $6)`,
		p.ID, moment(p.UpdatedAt), p.State, p.Reason, p.Words, p.By)
	return err
}

func (c *calls) Push(ctx context.Context, id string) (store.Push, error) {
	return one(ctx, c, "push "+id, scanPush, `SELECT `+pushColumns+` FROM pushes p WHERE p.id = $1`, id)
}

func (c *calls) PushByKey(ctx context.Context, k adapters.Key) (store.Push, error) {
	return one(ctx, c, "push by key", scanPush, `SELECT `+pushColumns+` FROM pushes p WHERE p.push_key = $1`, k)
}

func (c *calls) PushesOf(ctx context.Context, awardID string) ([]store.Push, error) {
	return many(ctx, c, "pushes of award "+awardID, scanPush,
		`SELECT `+pushColumns+` FROM pushes p WHERE p.award_id = $1 ORDER BY p.seq`+fmt.Sprintf(` LIMIT %d`, maxRows), awardID)
}

func (c *calls) PushesAt(ctx context.Context, remote adapters.Remote, ref adapters.Ref) ([]store.Push, error) {
	return many(ctx, c, fmt.Sprintf("pushes of record %s at %s", ref, remote), scanPush,
		`SELECT `+pushColumns+` FROM pushes p WHERE p.remote = $1 AND p.ref = $2 AND p.ref <> '' ORDER BY p.seq`+fmt.Sprintf(` LIMIT %d`, maxRows), remote, ref)
}

func (c *calls) Pushes(ctx context.Context, f store.PushFilter) ([]store.Push, error) {
	var w where
	if f.Remote != "" {
		w.add("p.remote = $%d", f.Remote)
	}
	if f.State != "" {
		w.add("p.state = $%d", f.State)
	}
	if f.Before != "" {
		w.add("p.seq < (SELECT b.seq FROM pushes b WHERE b.id = $%d)", f.Before)
	}
	return many(ctx, c, "pushes", scanPush, `SELECT `+pushColumns+` FROM pushes p`+w.String()+
		fmt.Sprintf(` ORDER BY p.seq DESC LIMIT %d`, limited(f.Limit)), w.args...)
}

func (c *calls) CountPushes(ctx context.Context) (map[store.PushState]int, error) {
	type group struct {
		state store.PushState
		n     int
	}
	groups, err := many(ctx, c, "count pushes", func(row scanner) (g group, err error) {
		err = row.Scan(&g.state, &g.n)
		return g, err
	}, `SELECT state, COUNT(*) FROM pushes GROUP BY state`)
	if err != nil {
		return nil, err
	}
	out := make(map[store.PushState]int, len(groups))
	for _, g := range groups {
		out[g.state] = g.n
	}
	return out, nil
}

func (c *calls) PushEvents(ctx context.Context, pushID string) ([]store.PushEvent, error) {
	return many(ctx, c, "events of push "+pushID, func(row scanner) (e store.PushEvent, err error) {
		err = row.Scan(&e.PushID, when(&e.At), &e.State, &e.Reason, &e.Words, &e.By)
		return e, err
	}, `SELECT push_id, at, state, reason, words, by_person FROM push_events WHERE push_id = $1 ORDER BY seq`, pushID)
}

func (c *calls) NextPush(ctx context.Context) (at time.Time, ok bool, err error) {
	times, err := many(ctx, c, "next push", func(row scanner) (t time.Time, err error) {
		err = row.Scan(when(&t))
		return t, err
	}, `SELECT due_at FROM pushes WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1`)
	if err != nil || len(times) == 0 {
		return time.Time{}, false, err
	}
	return times[0], true, nil
}
