package sqlstore

import (
	"context"

	"badgebridge/openbadges"
	"badgebridge/store"
)

func (c *calls) AddClaim(ctx context.Context, e store.ClaimEvent) error {
	if e.At.IsZero() {
		e.At = c.now()
	}
	_, err := c.exec(ctx, "add claim of award "+e.AwardID,
		`INSERT INTO claim_events (award_id, person_id, state, at) VALUES ($1, $2, $3, $4)`,
		e.AwardID, optional(e.PersonID), e.State, moment(e.At))
	return err
}

func (c *calls) ClaimsOf(ctx context.Context, awardID string) ([]store.ClaimEvent, error) {
	return many(ctx, c, "claims of award "+awardID, func(row scanner) (e store.ClaimEvent, err error) {
		err = row.Scan(&e.AwardID, orEmpty(&e.PersonID), &e.State, when(&e.At))
		return e, err
	}, `SELECT award_id, person_id, state, at FROM claim_events WHERE award_id = $1 ORDER BY at, seq`, awardID)
}

const assertionColumns = `id, award_id, version, salt, sha256, baked_sha, jwt_sha, created_at`

func scanAssertion(row scanner) (a store.Assertion, err error) {
	err = row.Scan(&a.ID, &a.AwardID, &a.Version, &a.Salt, &a.SHA256, &a.BakedSHA, &a.JWTSHA, when(&a.CreatedAt))
	return a, err
}

// CreateAssertion answers store.ErrExists when the ID is taken, or the award
// has an assertion of that version: what was issued is never written anew.
func (c *calls) CreateAssertion(ctx context.Context, a store.Assertion) error {
	if a.CreatedAt.IsZero() {
		a.CreatedAt = c.now()
	}
	return c.must(ctx, "create assertion", store.ErrExists, `
		INSERT INTO assertions (`+assertionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT DO NOTHING`,
		a.ID, a.AwardID, a.Version, a.Salt, a.SHA256, a.BakedSHA, a.JWTSHA, moment(a.CreatedAt))
}

func (c *calls) Assertion(ctx context.Context, id string, v openbadges.Version) (store.Assertion, error) {
	return one(ctx, c, "assertion "+id, scanAssertion, `SELECT `+assertionColumns+` FROM assertions WHERE id = $1 AND version = $2`, id, v)
}

func (c *calls) AssertionOf(ctx context.Context, awardID string, v openbadges.Version) (store.Assertion, error) {
	return one(ctx, c, "assertion of award "+awardID, scanAssertion,
		`SELECT `+assertionColumns+` FROM assertions WHERE award_id = $1 AND version = $2`, awardID, v)
}

func (c *calls) AssertionsOf(ctx context.Context, v openbadges.Version, awardIDs ...string) ([]store.Assertion, error) {
	if len(awardIDs) == 0 {
		return nil, nil
	}
	var w where
	in(&w, "award_id", awardIDs)
	w.add("version = $%d", v)
	return many(ctx, c, "assertions of awards", scanAssertion, `SELECT `+assertionColumns+` FROM assertions`+w.String()+` ORDER BY award_id`, w.args...)
}

func (c *calls) SetBaked(ctx context.Context, id string, v openbadges.Version, digest string) error {
	return c.must(ctx, "set baked image of assertion "+id, store.ErrNotFound,
		`UPDATE assertions SET baked_sha = $3 WHERE id = $1 AND version = $2`, id, v, digest)
}

func (c *calls) SetJWT(ctx context.Context, id string, v openbadges.Version, digest string) (string, error) {
	return one(ctx, c, "set JWT of assertion "+id, value[string], `
		UPDATE assertions SET jwt_sha = CASE WHEN jwt_sha = '' THEN $3 ELSE jwt_sha END
		WHERE id = $1 AND version = $2 RETURNING jwt_sha`, id, v, digest)
}
