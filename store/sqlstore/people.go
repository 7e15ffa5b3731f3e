package sqlstore

import (
	"context"
	"fmt"

	"badgebridge/openbadges"
	"badgebridge/store"
)

const personColumns = `id, given_name, family_name, locale, mail, created_at, updated_at`

func scanPerson(row scanner) (p store.Person, err error) {
	err = row.Scan(&p.ID, &p.GivenName, &p.FamilyName, &p.Locale, &p.Mail, when(&p.CreatedAt), when(&p.UpdatedAt))
	return p, err
}

func (c *calls) CreatePerson(ctx context.Context, p store.Person) (store.Person, error) {
	if p.ID == "" {
		p.ID = store.NewID()
	}
	p.UpdatedAt = c.now()
	if p.CreatedAt.IsZero() {
		p.CreatedAt = p.UpdatedAt
	}
	p.CreatedAt = store.Moment(p.CreatedAt)
	err := c.must(ctx, "create person", store.ErrExists, `
		INSERT INTO persons (`+personColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT DO NOTHING`,
		p.ID, p.GivenName, p.FamilyName, p.Locale, p.Mail, moment(p.CreatedAt), moment(p.UpdatedAt))
	if err != nil {
		return store.Person{}, err
	}
	return p, nil
}

func (c *calls) Person(ctx context.Context, id string) (store.Person, error) {
	return one(ctx, c, "person "+id, scanPerson, `SELECT `+personColumns+` FROM persons WHERE id = $1`, id)
}

func (c *calls) PutPerson(ctx context.Context, p store.Person) error {
	return c.must(ctx, "put person "+p.ID, store.ErrNotFound,
		`UPDATE persons SET given_name = $2, family_name = $3, locale = $4, mail = $5, updated_at = $6 WHERE id = $1`,
		p.ID, p.GivenName, p.FamilyName, p.Locale, p.Mail, moment(c.now()))
}

func (c *calls) Persons(ctx context.Context, after string, limit int) ([]store.Person, error) {
	return many(ctx, c, "persons", scanPerson,
		`SELECT `+personColumns+` FROM persons WHERE id > $1 ORDER BY id LIMIT $2`, after, limited(limit))
}

const signInColumns = `issuer, subject, person_id, provider, roles, last_at`

func scanSignIn(row scanner) (s store.SignIn, err error) {
	err = row.Scan(&s.Issuer, &s.Subject, &s.PersonID, &s.Provider, fromJSON(&s.Roles), when(&s.LastAt))
	return s, err
}

func (c *calls) SignIn(ctx context.Context, issuer, subject string) (store.SignIn, error) {
	return one(ctx, c, "sign-in", scanSignIn,
		`SELECT `+signInColumns+` FROM sign_ins WHERE issuer = $1 AND subject = $2`, issuer, subject)
}

func (c *calls) PutSignIn(ctx context.Context, s store.SignIn) error {
	if len(s.Roles) == 0 {
		s.Roles = nil
	}
	return c.must(ctx, "put sign-in: it belongs to another person", store.ErrExists, `
		INSERT INTO sign_ins (`+signInColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (issuer, subject) DO UPDATE SET provider = excluded.provider, roles = excluded.roles, last_at = excluded.last_at
		WHERE sign_ins.person_id = excluded.person_id`,
		s.Issuer, s.Subject, s.PersonID, s.Provider, asJSON(s.Roles), moment(s.LastAt))
}

func (c *calls) SignInsOf(ctx context.Context, personIDs ...string) ([]store.SignIn, error) {
	if len(personIDs) == 0 {
		return nil, nil
	}
	var w where
	in(&w, "person_id", personIDs)
	return many(ctx, c, "sign-ins", scanSignIn, `SELECT `+signInColumns+` FROM sign_ins`+w.String()+` ORDER BY issuer, subject`, w.args...)
}

const identifierColumns = `type, value, person_id, proven_by, proven_at`

func scanIdentifier(row scanner) (i store.Identifier, err error) {
	err = row.Scan(&i.Type, &i.Value, &i.PersonID, &i.ProvenBy, when(&i.ProvenAt))
	return i, err
}

func (c *calls) AddIdentifier(ctx context.Context, i store.Identifier) error {
	return c.must(ctx, "add identifier: another person has it", store.ErrExists, `
		INSERT INTO identifiers (`+identifierColumns+`) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (type, value) DO UPDATE SET proven_by = excluded.proven_by, proven_at = excluded.proven_at
		WHERE identifiers.person_id = excluded.person_id`,
		i.Type, i.Value, i.PersonID, i.ProvenBy, moment(i.ProvenAt))
}

func (c *calls) Identifier(ctx context.Context, t openbadges.IdentityType, v string) (store.Identifier, error) {
	return one(ctx, c, fmt.Sprintf("identifier of type %s", t), scanIdentifier,
		`SELECT `+identifierColumns+` FROM identifiers WHERE type = $1 AND value = $2`, t, v)
}

func (c *calls) IdentifiersOf(ctx context.Context, personIDs ...string) ([]store.Identifier, error) {
	if len(personIDs) == 0 {
		return nil, nil
	}
	var w where
	in(&w, "person_id", personIDs)
	return many(ctx, c, "identifiers", scanIdentifier, `SELECT `+identifierColumns+` FROM identifiers`+w.String()+` ORDER BY type, value`, w.args...)
}

func (c *calls) RemoveIdentifier(ctx context.Context, personID string, t openbadges.IdentityType, v string) error {
	op := "remove identifier of " + personID
	return c.together(ctx, func(c *calls) error {
		if err := c.must(ctx, op, store.ErrNotFound, `DELETE FROM identifiers WHERE type = $1 AND value = $2 AND person_id = $3`, t, v, personID); err != nil {
			return err
		}
		if _, err := c.exec(ctx, op, `DELETE FROM destinations WHERE person_id = $1 AND email = $2`, personID, v); err != nil {
			return err
		}
		if _, err := c.exec(ctx, op, `UPDATE persons SET mail = '' WHERE id = $1 AND mail = $2`, personID, v); err != nil {
			return err
		}
		_, err := c.exec(ctx, op, `
			UPDATE awards SET person_id = NULL, updated_at = $4
			WHERE person_id = $1 AND email = $2 AND claim = 'offered' AND origin <> $3`,
			personID, v, store.BackpackOrigin, moment(c.now()))
		return err
	})
}

func (c *calls) MailOf(ctx context.Context, personID string) (string, error) {
	return one(ctx, c, "address of "+personID, value[string], `
		SELECT i.value FROM identifiers i JOIN persons p ON p.id = i.person_id
		WHERE i.person_id = $1 AND i.type = 'email'
		ORDER BY CASE WHEN i.value = p.mail THEN 0 ELSE 1 END, i.proven_at, i.value LIMIT 1`, personID)
}

const codeColumns = `id, email, hash, purpose, attempts, expires_at`

func (c *calls) CreateCode(ctx context.Context, k store.Code) error {
	return c.must(ctx, "create code", store.ErrExists, `
		INSERT INTO codes (`+codeColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT DO NOTHING`,
		k.ID, k.Email, k.Hash, k.Purpose, k.Attempts, moment(k.ExpiresAt))
}

func (c *calls) TryCode(ctx context.Context, id string) (store.Code, error) {
	return one(ctx, c, "try code", func(row scanner) (k store.Code, err error) {
		err = row.Scan(&k.ID, &k.Email, &k.Hash, &k.Purpose, &k.Attempts, when(&k.ExpiresAt))
		return k, err
	}, `UPDATE codes SET attempts = attempts + 1 WHERE id = $1 RETURNING `+codeColumns, id)
}

func (c *calls) DeleteCode(ctx context.Context, id string) error {
	_, err := c.exec(ctx, "delete code", `DELETE FROM codes WHERE id = $1`, id)
	return err
}
