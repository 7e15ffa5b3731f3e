package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"badgebridge/store"
)

const collectionColumns = `number, id, person_id, name, story, cover_id, visibility, position, created_at, updated_at`

const selectCollection = `SELECT ` + collectionColumns + ` FROM collections`

func scanCollection(row scanner) (v store.Collection, err error) {
	err = row.Scan(&v.Number, &v.ID, &v.PersonID, &v.Name, &v.Story, &v.CoverID, &v.Visibility, &v.Position, when(&v.CreatedAt), when(&v.UpdatedAt))
	return v, err
}

// CreateCollection fills in ID, Number, times and, where it is empty, the
// visibility: private.
func (c *calls) CreateCollection(ctx context.Context, v store.Collection) (store.Collection, error) {
	if v.ID == "" {
		v.ID = store.NewID()
	}
	if v.Visibility == "" {
		v.Visibility = store.Private
	}
	v.UpdatedAt = c.now()
	if v.CreatedAt.IsZero() {
		v.CreatedAt = v.UpdatedAt
	}
	v.CreatedAt = store.Moment(v.CreatedAt)
	number, err := one(ctx, c, "create collection", value[int], `
		INSERT INTO collections (id, person_id, name, story, cover_id, visibility, position, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING number`,
		v.ID, v.PersonID, v.Name, v.Story, v.CoverID, v.Visibility, v.Position, moment(v.CreatedAt), moment(v.UpdatedAt))
	if errors.Is(err, store.ErrNotFound) {
		if _, e := c.Person(ctx, v.PersonID); e == nil {
			err = store.ErrExists
		}
	}
	if err != nil {
		return store.Collection{}, err
	}
	v.Number = number
	return v, nil
}

func (c *calls) Collection(ctx context.Context, id string) (store.Collection, error) {
	return one(ctx, c, "collection "+id, scanCollection, selectCollection+` WHERE id = $1`, id)
}

func (c *calls) CollectionByNumber(ctx context.Context, number int) (store.Collection, error) {
	return one(ctx, c, "collection by number", scanCollection, selectCollection+` WHERE number = $1`, number)
}

func (c *calls) CollectionsOf(ctx context.Context, personID string) ([]store.Collection, error) {
	return many(ctx, c, "collections of "+personID, scanCollection, selectCollection+` WHERE person_id = $1 ORDER BY position, number`, personID)
}

func (c *calls) PutCollection(ctx context.Context, v store.Collection) error {
	return c.must(ctx, "put collection "+v.ID, store.ErrNotFound, `
		UPDATE collections SET (name, story, cover_id, visibility, position, updated_at) = ($2, $3, $4, $5, $6, $7) WHERE id = $1`,
		v.ID, v.Name, v.Story, v.CoverID, v.Visibility, v.Position, moment(c.now()))
}

func (c *calls) DeleteCollection(ctx context.Context, id string) error {
	return c.together(ctx, func(c *calls) error {
		if _, err := c.exec(ctx, "delete collection "+id, `DELETE FROM collection_badges WHERE collection_id = $1`, id); err != nil {
			return err
		}
		return c.must(ctx, "delete collection "+id, store.ErrNotFound, `DELETE FROM collections WHERE id = $1`, id)
	})
}

func (c *calls) SetCollectionBadges(ctx context.Context, id string, badges []store.CollectionBadge) error {
	op := "set the badges of collection " + id
	return c.together(ctx, func(c *calls) error {
		if _, err := c.exec(ctx, op, `DELETE FROM collection_badges WHERE collection_id = $1`, id); err != nil {
			return err
		}
		for i, b := range badges {
			if _, err := c.exec(ctx, op, `INSERT INTO collection_badges (collection_id, award_id, position, note) VALUES ($1, $2, $3, $4)`,
				id, b.AwardID, i, b.Note); err != nil {
				return err
			}
		}
		return c.must(ctx, op, store.ErrNotFound, `UPDATE collections SET updated_at = $2 WHERE id = $1`, id, moment(c.now()))
	})
}

func (c *calls) CollectionBadges(ctx context.Context, id string) ([]store.CollectionBadge, error) {
	return many(ctx, c, "badges of collection "+id, func(row scanner) (b store.CollectionBadge, err error) {
		err = row.Scan(&b.CollectionID, &b.AwardID, &b.Position, &b.Note)
		return b, err
	}, `SELECT collection_id, award_id, position, note FROM collection_badges WHERE collection_id = $1 ORDER BY position, award_id`, id)
}

func (c *calls) CollectionCovers(ctx context.Context, personID string, seen []store.Visibility, each int) ([]store.CollectionCover, error) {
	var w where
	w.add("l.person_id = $%d", personID)
	w.is("a.person_id = l.person_id")
	w.add("a.claim = $%d", store.Claimed)
	if len(seen) > 0 {
		in(&w, "a.visibility", seen)
	}
	w.args = append(w.args, each)
	return many(ctx, c, "covers of the collections of "+personID, func(row scanner) (v store.CollectionCover, err error) {
		err = row.Scan(&v.CollectionID, &v.AwardID, &v.ImageSHA, &v.Chosen, &v.Badges)
		return v, err
	}, `SELECT collection_id, award_id, image_sha, chosen, badges FROM (
			SELECT b.collection_id, b.award_id, v.image_sha, b.award_id = l.cover_id AS chosen,
				COUNT(*) OVER (PARTITION BY b.collection_id) AS badges,
				ROW_NUMBER() OVER (PARTITION BY b.collection_id ORDER BY b.position, b.award_id) AS place
			FROM collections l JOIN collection_badges b ON b.collection_id = l.id JOIN awards a ON a.id = b.award_id
				JOIN class_versions v ON v.id = a.class_version_id`+w.String()+`) AS ranked
		WHERE place <= `+fmt.Sprintf("$%d", len(w.args))+` OR chosen ORDER BY collection_id, place`, w.args...)
}

func (c *calls) CollectionsWith(ctx context.Context, awardID string) ([]store.Collection, error) {
	return many(ctx, c, "collections with award "+awardID, scanCollection, `SELECT `+of("l", collectionColumns)+`
		FROM collection_badges b JOIN collections l ON l.id = b.collection_id WHERE b.award_id = $1 ORDER BY l.position, l.number`, awardID)
}

const profileColumns = `number, person_id, handle, about, link, show_name, visibility, updated_at`

const selectProfile = `SELECT ` + profileColumns + ` FROM profiles`

func scanProfile(row scanner) (v store.PublicProfile, err error) {
	err = row.Scan(&v.Number, &v.PersonID, &v.Handle, &v.About, &v.Link, &v.ShowName, &v.Visibility, when(&v.UpdatedAt))
	return v, err
}

func (c *calls) Profile(ctx context.Context, personID string) (store.PublicProfile, error) {
	const query = selectProfile + ` WHERE person_id = $1`
	p, err := one(ctx, c, "profile of "+personID, scanProfile, query, personID)
	if !errors.Is(err, store.ErrNotFound) {
		return p, err
	}
	if _, err := c.exec(ctx, "make profile of "+personID, `
		INSERT INTO profiles (person_id, handle, about, link, show_name, visibility, updated_at)
		VALUES ($1, '', '', '', $2, 'private', $3) ON CONFLICT DO NOTHING`, personID, false, moment(c.now())); err != nil {
		return store.PublicProfile{}, err
	}
	return one(ctx, c, "profile of "+personID, scanProfile, query, personID)
}

func (c *calls) ProfileByNumber(ctx context.Context, number int) (store.PublicProfile, error) {
	return one(ctx, c, "profile by number", scanProfile, selectProfile+`
		WHERE number = $1 OR person_id = (SELECT person_id FROM former_profiles WHERE number = $1)`, number)
}

func (c *calls) ProfileByHandle(ctx context.Context, handle string) (store.PublicProfile, error) {
	return one(ctx, c, "profile by handle", scanProfile, selectProfile+`
		WHERE handle = $1 AND handle <> '' OR person_id = (SELECT person_id FROM former_profiles WHERE handle = $1 AND handle <> '')`, handle)
}

func (c *calls) PutProfile(ctx context.Context, v store.PublicProfile) error {
	return c.must(ctx, "put profile of "+v.PersonID, store.ErrNotFound, `
		UPDATE profiles SET (handle, about, link, show_name, visibility, updated_at) = ($2, $3, $4, $5, $6, $7) WHERE person_id = $1`,
		v.PersonID, v.Handle, v.About, v.Link, v.ShowName, v.Visibility, moment(c.now()))
}
