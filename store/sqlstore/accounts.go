package sqlstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"badgebridge/openbadges"
	"badgebridge/store"
)

func (c *calls) MergePersons(ctx context.Context, into, from string) error {
	op := fmt.Sprintf("merge person %s into %s", from, into)
	if into == from {
		return fmt.Errorf("%s: %w", op, store.ErrExists)
	}
	return c.together(ctx, func(c *calls) error {
		keeps, err := c.lockPerson(ctx, into)
		if err != nil {
			return err
		}
		gives, err := c.lockPerson(ctx, from)
		if err != nil {
			return err
		}
		for _, step := range []func() error{
			func() error { return c.mergeCollected(ctx, op, into, from) },
			func() error { return c.mergeProfile(ctx, op, into, from) },
			func() error { return c.mergeSessions(ctx, op, into, from) },
			func() error { return c.mergeRows(ctx, op, into, from) },
		} {
			if err := step(); err != nil {
				return err
			}
		}
		if keeps.Name() == "" {
			keeps.GivenName, keeps.FamilyName = gives.GivenName, gives.FamilyName
		}
		if keeps.Locale == "" {
			keeps.Locale = gives.Locale
		}
		if err := c.PutPerson(ctx, keeps); err != nil {
			return err
		}
		return c.must(ctx, op, store.ErrNotFound, `DELETE FROM persons WHERE id = $1`, from)
	})
}

func (c *calls) lockPerson(ctx context.Context, id string) (store.Person, error) {
	return one(ctx, c, "person "+id, scanPerson, `SELECT `+personColumns+` FROM persons WHERE id = $1`+c.db.engine.forUpdate, id)
}

// pairOf is a document that two persons collected.
type pairOf struct{ keptID, keptAward, goneID, goneAward string }

// mergeCollected settles documents that both collected; the rest moves as it is.
func (c *calls) mergeCollected(ctx context.Context, op, into, from string) error {
	pairs, err := many(ctx, c, op, func(row scanner) (p pairOf, err error) {
		err = row.Scan(&p.keptID, orEmpty(&p.keptAward), &p.goneID, orEmpty(&p.goneAward))
		return p, err
	}, `SELECT i.id, i.award_id, f.id, f.award_id FROM collected f JOIN collected i ON i.locator = f.locator
		WHERE f.person_id = $1 AND i.person_id = $2`, from, into)
	if err != nil {
		return err
	}
	for _, p := range pairs {
		if p.keptAward == "" { // it only waits; the other one may be more
			p = pairOf{keptID: p.goneID, keptAward: p.goneAward, goneID: p.keptID}
		}
		if _, err := c.exec(ctx, op, `DELETE FROM collected WHERE id = $1`, p.goneID); err != nil {
			return err
		}
		if p.goneAward == "" || p.goneAward == p.keptAward {
			continue
		}
		if err := c.joinAwards(ctx, op, p.keptAward, p.goneAward); err != nil {
			return err
		}
	}
	return nil
}

// joinAwards lets one award that a person brought take the place of another.
func (c *calls) joinAwards(ctx context.Context, op, kept, gone string) error {
	for _, q := range []string{
		`UPDATE collected SET award_id = $1 WHERE award_id = $2`,
		`UPDATE collection_badges SET award_id = $1 WHERE award_id = $2
			AND NOT EXISTS (SELECT 1 FROM collection_badges o WHERE o.collection_id = collection_badges.collection_id AND o.award_id = $1)`,
		`UPDATE collections SET cover_id = $1 WHERE cover_id = $2`,
		`UPDATE deposits SET award_id = $1 WHERE award_id = $2
			AND NOT EXISTS (SELECT 1 FROM deposits o WHERE o.connection_id = deposits.connection_id AND o.award_id = $1)`,
	} {
		if _, err := c.exec(ctx, op, q, kept, gone); err != nil {
			return err
		}
	}
	if err := c.DeleteAward(ctx, gone); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err // an award of a remote is not the person's to delete, and moves
	}
	return nil
}

func (c *calls) mergeProfile(ctx context.Context, op, into, from string) error {
	const query = selectProfile + ` WHERE person_id = $1`
	gives, err := one(ctx, c, op, scanProfile, query, from)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	keeps, err := one(ctx, c, op, scanProfile, query, into)
	if errors.Is(err, store.ErrNotFound) {
		_, err = c.exec(ctx, op, `UPDATE profiles SET person_id = $1 WHERE person_id = $2`, into, from)
		return err
	}
	if err != nil {
		return err
	}
	if _, err := c.exec(ctx, op, `DELETE FROM profiles WHERE person_id = $1`, from); err != nil {
		return err
	}
	former := gives.Handle
	if keeps.Handle == "" {
		keeps.Handle, former = gives.Handle, ""
	}
	if keeps.Link == "" {
		keeps.Link = gives.Link
	}
	switch {
	case keeps.About == "":
		keeps.About = gives.About
	case gives.About != "" && gives.About != keeps.About:
		keeps.About += "\n\n" + gives.About
	}
	if err := c.PutProfile(ctx, keeps); err != nil {
		return err
	}
	_, err = c.exec(ctx, op, `INSERT INTO former_profiles (number, handle, person_id) VALUES ($1, $2, $3)`, gives.Number, former, into)
	return err
}

// mergeSessions makes whoever is signed in as from be signed in as into. The id
// stands in the session's own bytes, too, and is nothing else's there: it has 128
// random bits.
func (c *calls) mergeSessions(ctx context.Context, op, into, from string) error {
	type session struct {
		hash string
		data []byte
	}
	all, err := many(ctx, c, op, func(row scanner) (s session, err error) {
		err = row.Scan(&s.hash, &s.data)
		return s, err
	}, `SELECT token_hash, data FROM sessions WHERE person_id = $1`, from)
	if err != nil {
		return err
	}
	for _, s := range all {
		if _, err := c.exec(ctx, op, `UPDATE sessions SET person_id = $2, data = $3 WHERE token_hash = $1`,
			s.hash, into, bytes.ReplaceAll(s.data, []byte(from), []byte(into))); err != nil {
			return err
		}
	}
	return nil
}

func (c *calls) mergeRows(ctx context.Context, op, into, from string) error {
	// Two connections to the same place become one, with what went through either.
	const twins = `(SELECT f.id FROM connections f JOIN connections i ON i.kind = f.kind AND i.address = f.address AND i.address <> ''
			WHERE f.person_id = $2 AND i.person_id = $1)`
	for _, q := range []string{
		`UPDATE deposits SET connection_id = (SELECT i.id FROM connections i JOIN connections f ON f.kind = i.kind AND f.address = i.address
				WHERE i.person_id = $1 AND f.id = deposits.connection_id)
			WHERE connection_id IN ` + twins + ` AND NOT EXISTS (SELECT 1 FROM deposits o JOIN connections i ON i.id = o.connection_id
				JOIN connections f ON f.kind = i.kind AND f.address = i.address
				WHERE i.person_id = $1 AND f.id = deposits.connection_id AND o.award_id = deposits.award_id)`,
		`DELETE FROM deposits WHERE connection_id IN ` + twins,
		`DELETE FROM connections WHERE id IN ` + twins,
		`UPDATE collections SET person_id = $1,
			position = position + (SELECT COALESCE(MAX(o.position), 0) + 1 FROM collections o WHERE o.person_id = $1) WHERE person_id = $2`,
		`DELETE FROM notices WHERE owner = $2 AND EXISTS (SELECT 1 FROM notices o
			WHERE o.owner = $1 AND o.kind = notices.kind AND o.award_id = notices.award_id AND o.mark = notices.mark)`,
		`UPDATE notices SET owner = $1 WHERE owner = $2`,
		`DELETE FROM notice_refusals WHERE owner = $2 AND $1 <> ''`,
		`DELETE FROM codes WHERE purpose LIKE 'prove:' || $2 || ' %' AND $1 <> ''`,
		// Of two connections to one backpack the one of the account that stays is kept.
		`DELETE FROM deposits WHERE connection_id IN (SELECT g.id FROM connections g JOIN connections k ON k.kind = g.kind AND k.address = g.address
			WHERE g.person_id = $2 AND k.person_id = $1 AND g.address <> '')`,
		`DELETE FROM connections WHERE person_id = $2 AND address <> '' AND EXISTS (SELECT 1 FROM connections k
			WHERE k.person_id = $1 AND k.kind = connections.kind AND k.address = connections.address)`,
		`INSERT INTO former_persons (id, person_id) VALUES ($2, $1)`,
	} {
		if _, err := c.exec(ctx, op, q, into, from); err != nil {
			return err
		}
	}
	for _, column := range []string{
		"collected.person_id", "awards.person_id", "claim_events.person_id", "destinations.person_id", "grants.person_id",
		"connections.person_id", "batches.person_id", "identifiers.person_id", "sign_ins.person_id", "former_profiles.person_id",
		"former_persons.person_id", "mappings.created_by", "imports.created_by",
	} {
		table, name, _ := strings.Cut(column, ".")
		if _, err := c.exec(ctx, op, `UPDATE `+table+` SET `+name+` = $1 WHERE `+name+` = $2`, into, from); err != nil {
			return err
		}
	}
	return nil
}

func (c *calls) FormerPersons(ctx context.Context, personID string) ([]string, error) {
	return many(ctx, c, "former persons of "+personID, value[string], `SELECT id FROM former_persons WHERE person_id = $1 ORDER BY id`, personID)
}

func (c *calls) ErasePerson(ctx context.Context, id string, keepClaims bool) (store.Erased, error) {
	var out store.Erased
	op := "erase person " + id
	err := c.together(ctx, func(c *calls) error {
		out = store.Erased{}
		p, err := c.lockPerson(ctx, id)
		if err != nil {
			return err
		}
		if out.Addresses, err = many(ctx, c, op, value[string], `SELECT value FROM identifiers WHERE person_id = $1 ORDER BY value`, id); err != nil {
			return err
		}
		documents, err := many(ctx, c, op, value[string], `
			SELECT document_sha FROM collected WHERE person_id = $1
			UNION SELECT original_sha FROM collected WHERE person_id = $1
			UNION SELECT image_sha FROM collected WHERE person_id = $1`, id)
		if err != nil {
			return err
		}
		if _, err := c.exec(ctx, op, `DELETE FROM collected WHERE person_id = $1`, id); err != nil {
			return err
		}
		if err := c.deleteAwards(ctx, op, `IN (SELECT id FROM awards WHERE person_id = $1 AND origin = $2)`, id, store.BackpackOrigin); err != nil {
			return err
		}
		if out.Awards, err = c.forgetAwards(ctx, op, p, out.Addresses, keepClaims); err != nil {
			return err
		}
		if err := c.eraseRows(ctx, op, p.ID, out.Addresses); err != nil {
			return err
		}
		for _, sha := range documents {
			if err := c.DropDocument(ctx, sha); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// forgetAwards takes the person out of awards of remotes, and what they say of
// the person out of them.
func (c *calls) forgetAwards(ctx context.Context, op string, p store.Person, addresses []string, keepClaims bool) ([]string, error) {
	awards, err := many(ctx, c, op, scanAward, selectAward+` WHERE person_id = $1 ORDER BY id`, p.ID)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, a := range awards {
		ids = append(ids, a.ID)
		words := append([]string{p.Name()}, addresses...)
		r := a.Recipient
		words = append(words, r.Name(), r.Identity)
		a.Recipient = openbadges.Recipient{}
		if r.Type == openbadges.IdentityEmail && !r.Hashed && r.Identity != "" {
			a.Recipient = store.Forgotten(r.Identity)
		}
		a.PersonID, a.Visibility = "", store.Private
		if !keepClaims {
			a.Claim, a.ClaimedAt = store.Offered, time.Time{}
		}
		if _, err := c.PutAward(ctx, a); err != nil {
			return nil, err
		}
		if err := c.eraseArrivals(ctx, op, a.ID); err != nil {
			return nil, err
		}
		for _, word := range words {
			if len(word) < 3 {
				continue
			}
			for _, q := range []string{
				`UPDATE pushes SET words = replace(words, $2, '…') WHERE award_id = $1 AND words <> ''`,
				`UPDATE push_events SET words = replace(words, $2, '…') WHERE words <> '' AND push_id IN (SELECT id FROM pushes WHERE award_id = $1)`,
			} {
				if _, err := c.exec(ctx, op, q, a.ID, word); err != nil {
					return nil, err
				}
			}
		}
	}
	return ids, nil
}

// eraseArrivals erases the raw records of an award.
func (c *calls) eraseArrivals(ctx context.Context, op, awardID string) error {
	records, err := many(ctx, c, op, value[string], `
		SELECT document_sha FROM links WHERE award_id = $1 AND document_sha <> ''
		UNION SELECT document_sha FROM provenance WHERE award_id = $1 AND document_sha <> ''`, awardID)
	if err != nil {
		return err
	}
	for _, sha := range records {
		if err := c.EraseDocument(ctx, sha); err != nil {
			return err
		}
	}
	return nil
}

func (c *calls) eraseRows(ctx context.Context, op, id string, addresses []string) error {
	for _, q := range []string{
		`UPDATE claim_events SET person_id = NULL WHERE person_id = $1`,
		`UPDATE mappings SET created_by = '' WHERE created_by = $1`,
		`UPDATE imports SET created_by = '' WHERE created_by = $1`,
		`DELETE FROM destinations WHERE person_id = $1`,
		`DELETE FROM collection_badges WHERE collection_id IN (SELECT id FROM collections WHERE person_id = $1)`,
		`DELETE FROM collections WHERE person_id = $1`,
		`DELETE FROM profiles WHERE person_id = $1`,
		`DELETE FROM former_profiles WHERE person_id = $1`,
		`DELETE FROM former_persons WHERE person_id = $1`,
		`DELETE FROM grants WHERE person_id = $1`,
		`DELETE FROM deposits WHERE connection_id IN (SELECT id FROM connections WHERE person_id = $1)`,
		`DELETE FROM connections WHERE person_id = $1`,
		`DELETE FROM notices WHERE owner = $1`,
		`DELETE FROM notice_refusals WHERE owner = $1`,
		`DELETE FROM codes WHERE purpose LIKE '%:' || $1 || ' %'`,
		`DELETE FROM sessions WHERE person_id = $1`,
		`DELETE FROM identifiers WHERE person_id = $1`,
		`DELETE FROM sign_ins WHERE person_id = $1`,
		`DELETE FROM persons WHERE id = $1`,
	} {
		if _, err := c.exec(ctx, op, q, id); err != nil {
			return err
		}
	}
	for _, address := range addresses {
		if _, err := c.exec(ctx, op, `DELETE FROM codes WHERE email = $1`, address); err != nil {
			return err
		}
		for _, table := range []string{"notices", "notice_refusals"} {
			if _, err := c.exec(ctx, op, `DELETE FROM `+table+` WHERE owner = $1`, store.Digest(address)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *calls) DropDocument(ctx context.Context, sha string) error {
	_, err := c.exec(ctx, "drop document", `
		DELETE FROM documents WHERE sha256 = $1
			AND NOT EXISTS (SELECT 1 FROM collected WHERE document_sha = $1)
			AND NOT EXISTS (SELECT 1 FROM collected WHERE original_sha = $1 AND original_sha <> '')
			AND NOT EXISTS (SELECT 1 FROM collected WHERE image_sha = $1 AND image_sha <> '')
			AND NOT EXISTS (SELECT 1 FROM links WHERE document_sha = $1 AND document_sha <> '')
			AND NOT EXISTS (SELECT 1 FROM provenance WHERE document_sha = $1 AND document_sha <> '')
			AND NOT EXISTS (SELECT 1 FROM assertions WHERE sha256 = $1)
			AND NOT EXISTS (SELECT 1 FROM assertions WHERE baked_sha = $1 AND baked_sha <> '')
			AND NOT EXISTS (SELECT 1 FROM assertions WHERE jwt_sha = $1)
			AND NOT EXISTS (SELECT 1 FROM class_versions WHERE image_sha = $1 AND image_sha <> '')
			AND NOT EXISTS (SELECT 1 FROM class_versions WHERE document_sha = $1 AND document_sha <> '')
			AND NOT EXISTS (SELECT 1 FROM class_documents WHERE sha256 = $1)
			AND NOT EXISTS (SELECT 1 FROM issuers WHERE image_sha = $1)`, sha)
	return err
}
