package sqlstore

import (
	"context"
	"fmt"
	"time"

	"badgebridge/store"
)

const noticeColumns = `id, owner, kind, award_id, mark, days, created_at, mailed_at, seen_at`

const selectNotice = `SELECT ` + noticeColumns + ` FROM notices`

func scanNotice(row scanner) (n store.Notice, err error) {
	err = row.Scan(&n.ID, &n.Owner, &n.Kind, &n.AwardID, &n.Mark, &n.Days, when(&n.CreatedAt), when(&n.MailedAt), when(&n.SeenAt))
	return n, err
}

func (c *calls) CreateNotice(ctx context.Context, n store.Notice) (store.Notice, error) {
	if n.ID == "" {
		n.ID = store.NewID()
	}
	if n.CreatedAt.IsZero() {
		n.CreatedAt = c.now()
	}
	n.CreatedAt, n.MailedAt, n.SeenAt = store.Moment(n.CreatedAt), store.Moment(n.MailedAt), store.Moment(n.SeenAt)
	err := c.must(ctx, "create notice", store.ErrExists, `
		INSERT INTO notices (`+noticeColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT DO NOTHING`,
		n.ID, n.Owner, n.Kind, n.AwardID, n.Mark, n.Days, moment(n.CreatedAt), moment(n.MailedAt), moment(n.SeenAt))
	if err != nil {
		return store.Notice{}, err
	}
	return n, nil
}

func (c *calls) Notice(ctx context.Context, id string) (store.Notice, error) {
	return one(ctx, c, "notice "+id, scanNotice, selectNotice+` WHERE id = $1`, id)
}

func (c *calls) NoticeOf(ctx context.Context, owner string, kind store.NoticeKind, awardID, mark string) (store.Notice, error) {
	return one(ctx, c, "notice of award "+awardID, scanNotice, selectNotice+` WHERE owner = $1 AND kind = $2 AND award_id = $3 AND mark = $4`,
		owner, kind, awardID, mark)
}

func (c *calls) MarkMailed(ctx context.Context, id string, at time.Time) error {
	return c.must(ctx, "mark notice "+id, store.ErrNotFound, `UPDATE notices SET mailed_at = $2 WHERE id = $1`, id, moment(at))
}

func (c *calls) UnseenNotices(ctx context.Context, owner string, limit int) ([]store.Notice, error) {
	return many(ctx, c, "notices of "+owner, scanNotice, selectNotice+` WHERE owner = $1 AND seen_at IS NULL
		ORDER BY created_at DESC, id`+fmt.Sprintf(` LIMIT %d`, limited(limit)), owner)
}

func (c *calls) SeeNotice(ctx context.Context, owner, id string, at time.Time) error {
	return c.must(ctx, "see notice "+id, store.ErrNotFound,
		`UPDATE notices SET seen_at = COALESCE(seen_at, $3) WHERE owner = $1 AND id = $2`, owner, id, moment(at))
}

func (c *calls) Refusals(ctx context.Context, owner string) ([]store.NoticeKind, error) {
	return many(ctx, c, "refusals of "+owner, value[store.NoticeKind], `SELECT kind FROM notice_refusals WHERE owner = $1 ORDER BY kind`, owner)
}

func (c *calls) Refuse(ctx context.Context, owner string, kind store.NoticeKind, refused bool) error {
	if !refused {
		_, err := c.exec(ctx, "take notices again", `DELETE FROM notice_refusals WHERE owner = $1 AND kind = $2`, owner, kind)
		return err
	}
	_, err := c.exec(ctx, "refuse notices", `INSERT INTO notice_refusals (owner, kind, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		owner, kind, moment(c.now()))
	return err
}

func (c *calls) AwardsEnding(ctx context.Context, from, until time.Time, after string, limit int) ([]store.Award, error) {
	return many(ctx, c, "awards that end", scanAward, selectAward+`
		WHERE expires > $1 AND expires <= $2 AND expires IS NOT NULL AND person_id IS NOT NULL AND claim = 'claimed' AND NOT revoked AND id > $3
		ORDER BY id`+fmt.Sprintf(` LIMIT %d`, limited(limit)), moment(from), moment(until), after)
}
