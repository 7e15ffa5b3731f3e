package sqlstore

import (
	"cmp"
	"context"

	"badgebridge/adapters"
	"badgebridge/store"
)

const mappingColumns = `id, class_a, class_b, a_to_b, b_to_a, revoke_ab, revoke_ba, paused, version, created_by, created_at, updated_at,
	since_ab, since_ba, on_reject, mailer, base, put_key, backfill_at`

func scanMapping(row scanner) (m store.Mapping, err error) {
	err = row.Scan(&m.ID, &m.ClassA, &m.ClassB, &m.AToB, &m.BToA, &m.RevokeAB, &m.RevokeBA, &m.Paused, &m.Version, &m.CreatedBy,
		when(&m.CreatedAt), when(&m.UpdatedAt), when(&m.SinceAB), when(&m.SinceBA), &m.OnReject, &m.Mailer, &m.Base, &m.PutKey, when(&m.BackfillAt))
	return m, err
}

// CreateMapping fills in ID and times where they are empty. Version starts at
// 1, and a policy that is not given is store.Never.
func (c *calls) CreateMapping(ctx context.Context, m store.Mapping) (store.Mapping, error) {
	if m.ID == "" {
		m.ID = store.NewID()
	}
	m.AToB, m.BToA = orNever(m.AToB), orNever(m.BToA)
	m.OnReject, m.Mailer = cmp.Or(m.OnReject, store.RejectKeeps), cmp.Or(m.Mailer, store.MailGateway)
	m.SinceAB, m.SinceBA, m.BackfillAt = store.Moment(m.SinceAB), store.Moment(m.SinceBA), store.Moment(m.BackfillAt)
	m.Version = max(m.Version, 1)
	m.UpdatedAt = c.now()
	if m.CreatedAt.IsZero() {
		m.CreatedAt = m.UpdatedAt
	}
	m.CreatedAt = store.Moment(m.CreatedAt)
	pair := min(m.ClassA, m.ClassB) + " " + max(m.ClassA, m.ClassB)
	err := c.must(ctx, "create mapping", store.ErrExists, `
		INSERT INTO mappings (`+mappingColumns+`, pair) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
		ON CONFLICT DO NOTHING`,
		m.ID, m.ClassA, m.ClassB, m.AToB, m.BToA, m.RevokeAB, m.RevokeBA, m.Paused, m.Version, m.CreatedBy,
		moment(m.CreatedAt), moment(m.UpdatedAt), moment(m.SinceAB), moment(m.SinceBA), m.OnReject, m.Mailer, m.Base, m.PutKey, moment(m.BackfillAt), pair)
	if err != nil {
		return store.Mapping{}, err
	}
	return m, nil
}

func orNever(w store.When) store.When {
	if w == "" {
		return store.Never
	}
	return w
}

func (c *calls) Mapping(ctx context.Context, id string) (store.Mapping, error) {
	return one(ctx, c, "mapping "+id, scanMapping, `SELECT `+mappingColumns+` FROM mappings WHERE id = $1`, id)
}

func (c *calls) Mappings(ctx context.Context) ([]store.Mapping, error) {
	return many(ctx, c, "mappings", scanMapping, `SELECT `+mappingColumns+` FROM mappings ORDER BY created_at, id`)
}

func (c *calls) MappingsOf(ctx context.Context, classID string) ([]store.Mapping, error) {
	return many(ctx, c, "mappings of class "+classID, scanMapping,
		`SELECT `+mappingColumns+` FROM mappings WHERE class_a = $1 OR class_b = $1 ORDER BY created_at, id`, classID)
}

func (c *calls) PutMapping(ctx context.Context, m store.Mapping) error {
	op := "put mapping " + m.ID
	n, err := c.exec(ctx, op, `
		UPDATE mappings SET a_to_b = $3, b_to_a = $4, revoke_ab = $5, revoke_ba = $6, paused = $7, version = version + 1, updated_at = $8,
			since_ab = $9, since_ba = $10, on_reject = $11, mailer = $12, backfill_at = $13
		WHERE id = $1 AND version = $2`,
		m.ID, m.Version, orNever(m.AToB), orNever(m.BToA), m.RevokeAB, m.RevokeBA, m.Paused, moment(c.now()),
		moment(m.SinceAB), moment(m.SinceBA), cmp.Or(m.OnReject, store.RejectKeeps), cmp.Or(m.Mailer, store.MailGateway), moment(m.BackfillAt))
	if err != nil || n == 1 {
		return err
	}
	return c.missingOrStale(ctx, op, `SELECT COUNT(*) FROM mappings WHERE id = $1`, m.ID)
}

func (c *calls) SetMappingBase(ctx context.Context, id, base string, putKey adapters.Key) error {
	return c.must(ctx, "set base of mapping "+id, store.ErrNotFound, `UPDATE mappings SET base = $2, put_key = $3 WHERE id = $1`, id, base, putKey)
}

func (c *calls) DeleteMapping(ctx context.Context, id string) error {
	return c.must(ctx, "delete mapping "+id, store.ErrNotFound, `DELETE FROM mappings WHERE id = $1`, id)
}
