package sqlstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
)

const collectedColumns = `id, person_id, award_id, locator, source, version, verification, document_sha, original_sha, image_sha,
	standing, report, message, genuine_at, checked_at, next_check, failures, gone_since, created_at, updated_at`

const selectCollected = `SELECT ` + collectedColumns + ` FROM collected`

func scanCollected(row scanner) (v store.Collected, err error) {
	err = row.Scan(&v.ID, &v.PersonID, orEmpty(&v.AwardID), &v.Locator, &v.Source, &v.Version, &v.Verification, &v.DocumentSHA,
		&v.OriginalSHA, &v.ImageSHA, &v.Standing, &v.Report, &v.Message, when(&v.GenuineAt), when(&v.CheckedAt), when(&v.NextCheck),
		&v.Failures, when(&v.GoneSince), when(&v.CreatedAt), when(&v.UpdatedAt))
	return v, err
}

func (c *calls) CreateCollected(ctx context.Context, v store.Collected) (store.Collected, error) {
	if v.ID == "" {
		v.ID = store.NewID()
	}
	v.UpdatedAt = c.now()
	if v.CreatedAt.IsZero() {
		v.CreatedAt = v.UpdatedAt
	}
	v.CreatedAt, v.GenuineAt = store.Moment(v.CreatedAt), store.Moment(v.GenuineAt)
	v.CheckedAt, v.NextCheck, v.Report = store.Moment(v.CheckedAt), store.Moment(v.NextCheck), notNil(v.Report)
	v.GoneSince = store.Moment(v.GoneSince)
	err := c.must(ctx, "create collected badge", store.ErrExists, `
		INSERT INTO collected (`+collectedColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
		ON CONFLICT DO NOTHING`,
		v.ID, v.PersonID, optional(v.AwardID), v.Locator, v.Source, v.Version, v.Verification, v.DocumentSHA, v.OriginalSHA, v.ImageSHA,
		v.Standing, v.Report, v.Message, moment(v.GenuineAt), moment(v.CheckedAt), moment(v.NextCheck), v.Failures, moment(v.GoneSince),
		moment(v.CreatedAt), moment(v.UpdatedAt))
	if err != nil {
		return store.Collected{}, err
	}
	return v, nil
}

func (c *calls) Collected(ctx context.Context, id string) (store.Collected, error) {
	return one(ctx, c, "collected badge "+id, scanCollected, selectCollected+` WHERE id = $1`, id)
}

func (c *calls) PutCollected(ctx context.Context, v store.Collected) error {
	return c.must(ctx, "put collected badge "+v.ID, store.ErrNotFound, `
		UPDATE collected SET (award_id, locator, source, version, verification, document_sha, original_sha, image_sha,
			standing, report, message, genuine_at, checked_at, next_check, failures, updated_at, gone_since)
			= ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) WHERE id = $1`,
		v.ID, optional(v.AwardID), v.Locator, v.Source, v.Version, v.Verification, v.DocumentSHA, v.OriginalSHA, v.ImageSHA,
		v.Standing, notNil(v.Report), v.Message, moment(v.GenuineAt), moment(v.CheckedAt), moment(v.NextCheck), v.Failures, moment(c.now()), moment(v.GoneSince))
}

func (c *calls) DeleteCollected(ctx context.Context, id string) error {
	return c.must(ctx, "delete collected badge "+id, store.ErrNotFound, `DELETE FROM collected WHERE id = $1`, id)
}

func (c *calls) CollectedBy(ctx context.Context, personID, locator string) (store.Collected, error) {
	return one(ctx, c, "collected badge of "+personID, scanCollected, selectCollected+` WHERE person_id = $1 AND locator = $2`, personID, locator)
}

func (c *calls) CollectedOf(ctx context.Context, awardIDs ...string) ([]store.Collected, error) {
	if len(awardIDs) == 0 {
		return nil, nil
	}
	var w where
	in(&w, "award_id", awardIDs)
	return many(ctx, c, "collected badges of awards", scanCollected, selectCollected+w.String()+` ORDER BY created_at, id`, w.args...)
}

func (c *calls) CollectedWaiting(ctx context.Context, personID string) ([]store.Collected, error) {
	return many(ctx, c, "waiting badges of "+personID, scanCollected,
		selectCollected+` WHERE person_id = $1 AND standing = 'waiting' ORDER BY created_at DESC, id`, personID)
}

func (c *calls) CollectedDue(ctx context.Context, now time.Time, limit int) ([]store.Collected, error) {
	return many(ctx, c, "badges to check again", scanCollected,
		selectCollected+` WHERE next_check IS NOT NULL AND next_check <= $1 ORDER BY next_check, id`+fmt.Sprintf(` LIMIT %d`, limited(limit)),
		moment(now))
}

func (c *calls) AwardByOrigin(ctx context.Context, origin adapters.Remote, ref adapters.Ref) (store.Award, error) {
	return one(ctx, c, "award by origin", scanAward, selectAward+` WHERE origin = $1 AND origin_ref = $2 AND origin_ref <> ''`, origin, ref)
}

func (c *calls) AwardsByAssertion(ctx context.Context, personID, url string) ([]store.Award, error) {
	return many(ctx, c, "awards by assertion", scanAward, selectAward+`
		WHERE id IN (
			SELECT id FROM awards WHERE assertion_url = $2 AND assertion_url <> ''
			UNION
			SELECT id FROM awards WHERE page_url = $2 AND page_url <> ''
		) AND person_id = $1 ORDER BY created_at, id`+fmt.Sprintf(` LIMIT %d`, maxRows), personID, url)
}

func (c *calls) DeleteAward(ctx context.Context, id string) error {
	return c.together(ctx, func(c *calls) error {
		op := "delete award " + id
		if _, err := one(ctx, c, op, value[string], `SELECT id FROM awards WHERE id = $1 AND origin = $2`+c.db.engine.forUpdate,
			id, store.BackpackOrigin); err != nil {
			return err
		}
		return c.deleteAwards(ctx, op, `= $1`, id)
	})
}

// deleteAwards deletes awards with all that hangs on them; which is a condition
// on their ids.
func (c *calls) deleteAwards(ctx context.Context, op, which string, args ...any) error {
	for _, q := range []string{
		`DELETE FROM collected WHERE award_id `,
		`DELETE FROM collection_badges WHERE award_id `,
		`DELETE FROM deposits WHERE award_id `,
		`DELETE FROM claim_events WHERE award_id `,
		`DELETE FROM links WHERE award_id `,
		`DELETE FROM provenance WHERE award_id `,
		`DELETE FROM notices WHERE award_id `,
		`DELETE FROM destinations WHERE award_id `,
		`DELETE FROM push_events WHERE push_id IN (SELECT id FROM pushes WHERE award_id `,
		`DELETE FROM pushes WHERE award_id `,
		`DELETE FROM awards WHERE id `,
	} {
		q += which
		if strings.Count(q, "(") > strings.Count(q, ")") {
			q += ")"
		}
		if _, err := c.exec(ctx, op, q, args...); err != nil {
			return err
		}
	}
	return nil
}
