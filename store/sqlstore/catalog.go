package sqlstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
)

const issuerColumns = `id, own, profile, image_sha, created_at, updated_at`

func scanIssuer(row scanner) (i store.Issuer, err error) {
	err = row.Scan(&i.ID, &i.Own, fromJSON(&i.Profile), &i.ImageSHA, when(&i.CreatedAt), when(&i.UpdatedAt))
	return i, err
}

func (c *calls) OwnIssuer(ctx context.Context) (store.Issuer, error) {
	return one(ctx, c, "own issuer", scanIssuer, `SELECT `+issuerColumns+` FROM issuers WHERE own`)
}

func (c *calls) Issuer(ctx context.Context, id string) (store.Issuer, error) {
	return one(ctx, c, "issuer "+id, scanIssuer, `SELECT `+issuerColumns+` FROM issuers WHERE id = $1`, id)
}

// PutIssuer answers store.ErrExists for a second issuer that says Own.
func (c *calls) PutIssuer(ctx context.Context, i store.Issuer) (store.Issuer, error) {
	if i.ID == "" {
		i.ID = store.NewID()
	}
	op := "put issuer " + i.ID
	i.UpdatedAt = c.now()
	if i.CreatedAt.IsZero() {
		i.CreatedAt = i.UpdatedAt
	}
	err := c.together(ctx, func(c *calls) error {
		// Asked first, because a violated key would end the caller's transaction
		// on PostgreSQL; the index decides between two that ask at once.
		if i.Own {
			n, err := count(ctx, c, op, `SELECT COUNT(*) FROM issuers WHERE own AND id <> $1`, i.ID)
			if err != nil {
				return err
			}
			if n > 0 {
				return fmt.Errorf("%s: another is the installation's own: %w", op, store.ErrExists)
			}
		}
		stored, err := many(ctx, c, op, scanIssuer, `
			INSERT INTO issuers (`+issuerColumns+`, name, words) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (id) DO UPDATE SET own = excluded.own, profile = excluded.profile,
				image_sha = excluded.image_sha, updated_at = excluded.updated_at,
				name = excluded.name, words = excluded.words
			WHERE (issuers.own, issuers.profile, issuers.image_sha)
				IS DISTINCT FROM (excluded.own, excluded.profile, excluded.image_sha)
			RETURNING `+issuerColumns,
			i.ID, i.Own, asJSON(i.Profile), i.ImageSHA, moment(i.CreatedAt), moment(i.UpdatedAt), i.Profile.Name, store.Fold(i.Profile.Name))
		if err != nil {
			return err
		}
		if len(stored) == 1 {
			i = stored[0]
			return nil
		}
		i, err = c.Issuer(ctx, i.ID) // nothing to change
		return err
	})
	return i, err
}

const selectClass = `
	SELECT c.id, c.remote, c.ref, c.issuer_id, c.version, c.state, c.issuable, v.content, v.image_sha, v.id,
		c.created_at, c.updated_at, c.page_url
	FROM classes c JOIN class_versions v ON v.id = c.version_id`

func scanClass(row scanner) (k store.Class, err error) {
	err = row.Scan(&k.ID, &k.Remote, &k.Ref, orEmpty(&k.IssuerID), &k.Version, &k.State, &k.Issuable,
		fromJSON(&k.Content), &k.ImageSHA, &k.VersionID, when(&k.CreatedAt), when(&k.UpdatedAt), &k.PageURL)
	return k, err
}

// PutClass finds the class by ID, else by (Remote, Ref); a class without both
// is new. An empty ImageSHA says nothing of the image; another one than the
// newest version has makes a new version, as another content does.
func (c *calls) PutClass(ctx context.Context, k store.Class) (stored store.Class, changed bool, err error) {
	op := fmt.Sprintf("put class %s of %q", k.Ref, string(k.Remote))
	digest, err := contentDigest(k.Content)
	if err != nil {
		return store.Class{}, false, fmt.Errorf("%s: %w", op, err)
	}
	err = c.together(ctx, func(c *calls) error {
		old, err := c.findClass(ctx, op, k)
		if errors.Is(err, store.ErrNotFound) {
			stored, err = c.createClass(ctx, op, k, digest)
			changed = err == nil
			if !errors.Is(err, store.ErrExists) {
				return err
			}
			old, err = c.findClass(ctx, op, k) // another was first, at the same moment
		}
		if err != nil {
			return err
		}
		stored, changed, err = c.updateClass(ctx, op, old, k, digest)
		return err
	})
	return stored, changed, err
}

// contentDigest is over the content's JSON, whose order of members is fixed.
func contentDigest(content openbadges.BadgeClass) (string, error) {
	b, err := json.Marshal(content)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// findClass locks the class's row until the transaction ends, so that versions
// are counted by one at a time. The row is locked before its newest version is
// joined: a join that had to wait for the lock would look for the version that
// was newest before.
func (c *calls) findClass(ctx context.Context, op string, k store.Class) (store.Class, error) {
	query, args := `SELECT id FROM classes WHERE id = $1`, []any{k.ID}
	if k.ID == "" {
		if k.Ref == "" {
			return store.Class{}, store.ErrNotFound
		}
		query, args = `SELECT id FROM classes WHERE remote = $1 AND ref = $2 AND ref <> ''`, []any{k.Remote, k.Ref}
	}
	id, err := one(ctx, c, op, value[string], query+c.db.engine.forUpdate, args...)
	if err != nil {
		return store.Class{}, err
	}
	return c.Class(ctx, id)
}

func (c *calls) createClass(ctx context.Context, op string, k store.Class, digest string) (store.Class, error) {
	if k.ID == "" {
		k.ID = store.NewID()
	}
	k.Version, k.VersionID = 1, store.NewID()
	k.UpdatedAt = c.now()
	if k.CreatedAt.IsZero() {
		k.CreatedAt = k.UpdatedAt
	}
	k.CreatedAt = store.Moment(k.CreatedAt)
	err := c.must(ctx, op, store.ErrExists, `
		INSERT INTO classes (id, remote, ref, issuer_id, version, version_id, name, state, issuable, created_at, updated_at, page_url)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT DO NOTHING`,
		k.ID, k.Remote, k.Ref, optional(k.IssuerID), k.Version, k.VersionID, k.Content.Name, k.State, k.Issuable,
		moment(k.CreatedAt), moment(k.UpdatedAt), k.PageURL)
	if err != nil {
		return store.Class{}, err
	}
	return k, c.addVersion(ctx, op, k, digest)
}

func (c *calls) updateClass(ctx context.Context, op string, old, k store.Class, digest string) (store.Class, bool, error) {
	current, err := c.ClassVersion(ctx, old.VersionID)
	if err != nil {
		return store.Class{}, false, err
	}
	k.ID, k.Remote, k.Ref = old.ID, old.Remote, old.Ref
	k.Version, k.VersionID, k.CreatedAt, k.UpdatedAt = old.Version, old.VersionID, old.CreatedAt, old.UpdatedAt
	if k.PageURL == "" {
		k.PageURL = old.PageURL
	}
	otherImage := k.ImageSHA != "" && current.ImageSHA != "" && k.ImageSHA != current.ImageSHA
	newVersion := current.ContentSHA != digest || otherImage
	newImage := !newVersion && k.ImageSHA != "" && current.ImageSHA == ""
	if !newVersion && !newImage && k.IssuerID == old.IssuerID && k.State == old.State && k.Issuable == old.Issuable && k.PageURL == old.PageURL {
		return old, false, nil
	}
	k.UpdatedAt = c.now()
	switch {
	case newVersion:
		k.Version, k.VersionID = old.Version+1, store.NewID()
		if err := c.addVersion(ctx, op, k, digest); err != nil {
			return store.Class{}, false, err
		}
	case newImage:
		if err := c.SetVersionImage(ctx, k.VersionID, k.ImageSHA); err != nil {
			return store.Class{}, false, err
		}
	default:
		k.ImageSHA = current.ImageSHA
	}
	_, err = c.exec(ctx, op, `
		UPDATE classes SET issuer_id = $2, version = $3, version_id = $4, name = $5, state = $6, issuable = $7, updated_at = $8,
			page_url = $9
		WHERE id = $1`,
		k.ID, optional(k.IssuerID), k.Version, k.VersionID, k.Content.Name, k.State, k.Issuable, moment(k.UpdatedAt), k.PageURL)
	return k, err == nil, err
}

func (c *calls) addVersion(ctx context.Context, op string, k store.Class, digest string) error {
	_, err := c.exec(ctx, op, `
		INSERT INTO class_versions (id, class_id, version, content, content_sha, image_sha, names_image, created_at, issuer_name, words)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		k.VersionID, k.ID, k.Version, asJSON(k.Content), digest, k.ImageSHA,
		k.Content.Image != nil && k.Content.Image.ID != "", moment(k.UpdatedAt), k.Content.Issuer.Name,
		store.Fold(strings.Join(append([]string{k.Content.Name, k.Content.Description, k.Content.Issuer.Name}, k.Content.Tags...), " ")))
	return err
}

func (c *calls) Class(ctx context.Context, id string) (store.Class, error) {
	return one(ctx, c, "class "+id, scanClass, selectClass+` WHERE c.id = $1`, id)
}

func (c *calls) ClassByRef(ctx context.Context, remote adapters.Remote, ref adapters.Ref) (store.Class, error) {
	return one(ctx, c, fmt.Sprintf("class %s of %q", ref, string(remote)), scanClass,
		selectClass+` WHERE c.remote = $1 AND c.ref = $2 AND c.ref <> ''`, remote, ref)
}

func (c *calls) Classes(ctx context.Context, remote adapters.Remote) ([]store.Class, error) {
	var w where
	if remote != "" {
		w.add("c.remote = $%d", remote)
	} else {
		w.add("c.remote <> $%d", store.BackpackOrigin)
	}
	return many(ctx, c, "classes", scanClass,
		selectClass+w.String()+fmt.Sprintf(` ORDER BY lower(c.name), c.id LIMIT %d`, maxRows), w.args...)
}

const versionColumns = `v.id, v.class_id, v.version, v.content, v.content_sha, v.image_sha, v.document_sha, v.created_at`

func scanVersion(row scanner) (v store.ClassVersion, err error) {
	err = row.Scan(&v.ID, &v.ClassID, &v.Version, fromJSON(&v.Content), &v.ContentSHA, &v.ImageSHA, &v.DocumentSHA, when(&v.CreatedAt))
	return v, err
}

func (c *calls) ClassVersion(ctx context.Context, versionID string) (store.ClassVersion, error) {
	return one(ctx, c, "class version "+versionID, scanVersion,
		`SELECT `+versionColumns+` FROM class_versions v WHERE v.id = $1`, versionID)
}

func (c *calls) SetVersionImage(ctx context.Context, versionID, imageSHA string) error {
	op := "set image of class version " + versionID
	n, err := c.exec(ctx, op, `UPDATE class_versions SET image_sha = $2 WHERE id = $1 AND image_sha = ''`, versionID, imageSHA)
	if err != nil || n == 1 {
		return err
	}
	n, err = count(ctx, c, op, `SELECT COUNT(*) FROM class_versions WHERE id = $1`, versionID)
	if err == nil && n == 0 {
		err = fmt.Errorf("%s: %w", op, store.ErrNotFound)
	}
	return err
}

func (c *calls) SetVersionDocument(ctx context.Context, versionID, documentSHA string) (string, error) {
	return one(ctx, c, "set document of class version "+versionID, value[string], `
		UPDATE class_versions SET document_sha = CASE WHEN document_sha = '' THEN $2 ELSE document_sha END
		WHERE id = $1 RETURNING document_sha`,
		versionID, documentSHA)
}

func (c *calls) ClassDocument(ctx context.Context, versionID string, v openbadges.Version) (string, error) {
	return one(ctx, c, "document of class version "+versionID, value[string],
		`SELECT sha256 FROM class_documents WHERE version_id = $1 AND version = $2`, versionID, v)
}

func (c *calls) PutClassDocument(ctx context.Context, versionID string, v openbadges.Version, digest string) (string, error) {
	op := "put document of class version " + versionID
	if _, err := c.exec(ctx, op, `
		INSERT INTO class_documents (version_id, version, sha256) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		versionID, v, digest); err != nil {
		return "", err
	}
	return c.ClassDocument(ctx, versionID, v)
}

func (c *calls) VersionsWithoutImage(ctx context.Context, remote adapters.Remote, limit int) ([]store.ClassVersion, error) {
	return many(ctx, c, "class versions without image", scanVersion, `
		SELECT `+versionColumns+` FROM class_versions v JOIN classes c ON c.id = v.class_id
		WHERE v.names_image AND v.image_sha = '' AND c.remote = $1
		ORDER BY v.created_at, v.id LIMIT $2`,
		remote, limited(limit))
}
