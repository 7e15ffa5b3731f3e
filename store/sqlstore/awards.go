package sqlstore

import (
	"context"
	"fmt"

	"badgebridge/openbadges"
	"badgebridge/store"
)

const awardColumns = `id, class_id, class_version_id, origin, origin_ref, earner_key, email, recipient, person_id,
	issued_on, expires, narrative, evidence, claim, claimed_at, visibility, revoked, revoked_at, revocation_reason, flag,
	assertion_url, page_url, content_sha, name_hidden`

func scanAward(row scanner) (a store.Award, err error) {
	var email string // part of the recipient
	err = row.Scan(&a.ID, &a.ClassID, &a.ClassVersionID, &a.Origin, &a.OriginRef, &a.EarnerKey, &email, fromJSON(&a.Recipient),
		orEmpty(&a.PersonID), when(&a.IssuedOn), when(&a.Expires), &a.Narrative, fromJSON(&a.Evidence), &a.Claim, when(&a.ClaimedAt),
		&a.Visibility, &a.Revoked, when(&a.RevokedAt), &a.RevocationReason, &a.Flag, &a.AssertionURL, &a.PageURL, &a.ContentSHA, &a.NameHidden,
		when(&a.CreatedAt), when(&a.UpdatedAt))
	return a, err
}

// awardValues are the values of awardColumns, in their order.
func awardValues(a store.Award) []any {
	email := ""
	if a.Recipient.Type == openbadges.IdentityEmail && !a.Recipient.Hashed {
		email = openbadges.NormalizeEmail(a.Recipient.Identity)
	} else if a.Recipient.Type == openbadges.IdentityEmail && a.Recipient.Salt == "" && a.Origin != store.BackpackOrigin {
		email = a.Recipient.Identity // a forgotten address: see store.Forgotten
	}
	return []any{a.ID, a.ClassID, a.ClassVersionID, a.Origin, a.OriginRef, a.EarnerKey, email, asJSON(a.Recipient),
		optional(a.PersonID), moment(a.IssuedOn), moment(a.Expires), a.Narrative, asJSON(a.Evidence), a.Claim, moment(a.ClaimedAt),
		a.Visibility, a.Revoked, moment(a.RevokedAt), a.RevocationReason, a.Flag, a.AssertionURL, a.PageURL, a.ContentSHA, a.NameHidden}
}

// completed fills in what an award starts with and cuts its times to what is kept.
func completed(a store.Award) store.Award {
	if a.Claim == "" {
		a.Claim = store.Offered
	}
	if a.Visibility == "" {
		a.Visibility = store.Private
	}
	if len(a.Evidence) == 0 {
		a.Evidence = nil
	}
	a.IssuedOn, a.Expires = store.Moment(a.IssuedOn), store.Moment(a.Expires)
	a.ClaimedAt, a.RevokedAt = store.Moment(a.ClaimedAt), store.Moment(a.RevokedAt)
	return a
}

// CreateAward fills in ID, times and first states where they are empty. It
// answers store.ErrExists when the ID is taken or an award already comes from
// that record of its origin.
func (c *calls) CreateAward(ctx context.Context, a store.Award) (store.Award, error) {
	a = completed(a)
	if a.ID == "" {
		a.ID = store.NewID()
	}
	a.UpdatedAt = c.now()
	if a.CreatedAt.IsZero() {
		a.CreatedAt = a.UpdatedAt
	}
	a.CreatedAt = store.Moment(a.CreatedAt)
	err := c.must(ctx, "create award", store.ErrExists, `
		INSERT INTO awards (`+awardColumns+`, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)
		ON CONFLICT DO NOTHING`,
		append(awardValues(a), moment(a.CreatedAt), moment(a.UpdatedAt))...)
	if err != nil {
		return store.Award{}, err
	}
	return a, nil
}

const selectAward = `SELECT ` + awardColumns + `, created_at, updated_at FROM awards`

func (c *calls) Award(ctx context.Context, id string) (store.Award, error) {
	return one(ctx, c, "award "+id, scanAward, selectAward+` WHERE id = $1`, id)
}

func (c *calls) PutAward(ctx context.Context, a store.Award) (bool, error) {
	op := "put award " + a.ID
	a = completed(a)
	n, err := c.exec(ctx, op, `
		UPDATE awards SET (`+awardColumns+`, updated_at)
			= ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
		WHERE id = $1 AND (`+awardColumns+`) IS DISTINCT FROM
			($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)`,
		append(awardValues(a), moment(c.now()))...)
	if err != nil || n == 1 {
		return err == nil, err
	}
	n, err = count(ctx, c, op, `SELECT COUNT(*) FROM awards WHERE id = $1`, a.ID)
	if err == nil && n == 0 {
		err = fmt.Errorf("%s: %w", op, store.ErrNotFound)
	}
	return false, err
}

func awardsWhere(f store.AwardFilter) (w where) {
	if f.PersonID != "" {
		w.add("person_id = $%d", f.PersonID)
	}
	if f.ClassID != "" {
		w.add("class_id = $%d", f.ClassID)
	}
	if f.Origin != "" {
		w.add("origin = $%d", f.Origin)
	}
	if f.Claim != "" {
		w.add("claim = $%d", f.Claim)
	}
	if f.Flagged {
		w.is("flag <> ''")
	}
	return w
}

func (c *calls) Awards(ctx context.Context, f store.AwardFilter) ([]store.Award, error) {
	w := awardsWhere(f)
	if f.After != "" {
		w.add("id > $%d", f.After)
	}
	return many(ctx, c, "awards", scanAward,
		selectAward+w.String()+fmt.Sprintf(` ORDER BY id LIMIT %d`, limited(f.Limit)), w.args...)
}

func (c *calls) CountAwards(ctx context.Context, f store.AwardFilter) (int, error) {
	w := awardsWhere(f)
	return count(ctx, c, "count awards", `SELECT COUNT(*) FROM awards`+w.String(), w.args...)
}

func (c *calls) CountAwardsByClass(ctx context.Context) (map[string]int, error) {
	type classCount struct {
		class string
		n     int
	}
	rows, err := many(ctx, c, "count awards by class", func(row scanner) (k classCount, err error) {
		err = row.Scan(&k.class, &k.n)
		return k, err
	}, `SELECT class_id, COUNT(*) FROM awards GROUP BY class_id`)
	out := make(map[string]int, len(rows))
	for _, k := range rows {
		out[k.class] = k.n
	}
	return out, err
}

// Newest is by the day of the award, not by the day it came here: a first pull
// brings years at once.
const newestAward = ` ORDER BY issued_on DESC NULLS LAST, created_at DESC, id LIMIT $2`

func (c *calls) AwardsOf(ctx context.Context, personID string, limit int) ([]store.Award, error) {
	return many(ctx, c, "awards of "+personID, scanAward, selectAward+` WHERE person_id = $1`+newestAward, personID, limited(limit))
}

func (c *calls) AwardsFor(ctx context.Context, email string, limit int) ([]store.Award, error) {
	return many(ctx, c, "awards for an address", scanAward,
		selectAward+` WHERE email IN ($1, $3) AND email <> ''`+newestAward, openbadges.NormalizeEmail(email), limited(limit), store.Digest(email))
}

func (c *calls) AdoptAwards(ctx context.Context, email, personID string) ([]string, error) {
	return many(ctx, c, "adopt awards", value[string], `
		UPDATE awards SET person_id = $2, updated_at = $3
		WHERE email IN ($1, $4) AND email <> '' AND person_id IS NULL
		RETURNING id`,
		openbadges.NormalizeEmail(email), personID, moment(c.now()), store.Digest(email))
}

// CandidateAwards asks each index by itself: an OR over both would read all
// awards of the class, for each of a copy's records.
func (c *calls) CandidateAwards(ctx context.Context, classID, email, earnerKey, personID string) ([]store.Award, error) {
	return many(ctx, c, "candidate awards", scanAward, selectAward+`
		WHERE id IN (
			SELECT id FROM awards WHERE email = $2 AND email <> '' AND class_id = $1
			UNION
			SELECT id FROM awards WHERE class_id = $1 AND earner_key = $3 AND earner_key <> ''
			UNION
			SELECT id FROM awards WHERE person_id = $4 AND class_id = $1
		)
		ORDER BY revoked, issued_on NULLS FIRST, created_at, id`+fmt.Sprintf(` LIMIT %d`, maxRows),
		classID, openbadges.NormalizeEmail(email), earnerKey, optional(personID))
}
