package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"badgebridge/store"
)

// shelfFrom joins an award with its badge and issuer. A badge that its earner
// brought has the issuer that its document names, whatever else is known.
const shelfFrom = ` FROM awards a
	JOIN classes c ON c.id = a.class_id
	JOIN class_versions v ON v.id = a.class_version_id
	LEFT JOIN issuers i ON a.origin <> 'backpack' AND i.id = COALESCE(c.issuer_id, (SELECT id FROM issuers WHERE own))`

const shelfIssuer = `COALESCE(NULLIF(i.name, ''), v.issuer_name)`

// shelfStanding is the best of what attests an award.
const shelfStanding = `COALESCE((SELECT k.standing FROM collected k WHERE k.award_id = a.id AND k.standing <> 'waiting'
	ORDER BY CASE k.standing WHEN 'genuine' THEN 0 WHEN 'expired' THEN 1 WHEN 'revoked' THEN 2 WHEN 'undecided' THEN 3 WHEN 'gone' THEN 4 ELSE 5 END, k.id
	LIMIT 1), '')`

const shelfUnclear = `(a.origin = 'backpack' AND NOT EXISTS (SELECT 1 FROM collected k WHERE k.award_id = a.id AND k.standing IN ('genuine', 'expired', 'revoked')))`

// wider scans a row whose first columns are another's.
type wider struct {
	row  scanner
	more []any
}

func (w wider) Scan(dest ...any) error { return w.row.Scan(append(dest, w.more...)...) }

func scanShelf(row scanner) (b store.ShelfBadge, err error) {
	var own *bool
	b.Award, err = scanAward(wider{row, []any{fromJSON(&b.Content), &b.ImageSHA, orEmpty(&b.IssuerID), fromJSON(&b.Issuer), &own, &b.Standing, &b.Position}})
	b.IsOwn = own != nil && *own
	if b.Issuer.Name == "" {
		b.Issuer = b.Content.Issuer
	}
	return b, err
}

// of names the columns of a table in a join.
func of(table, columns string) string {
	list := strings.Split(columns, ",")
	for i, c := range list {
		list[i] = table + "." + strings.TrimSpace(c)
	}
	return strings.Join(list, ", ")
}

func shelfWhere(f store.ShelfFilter) (from string, w where) {
	from = shelfFrom
	w.add("a.person_id = $%d", f.PersonID)
	if f.CollectionID != "" {
		w.add("b.collection_id = $%d", f.CollectionID)
		from += ` JOIN collection_badges b ON b.award_id = a.id`
	}
	if f.Claim != "" {
		w.add("a.claim = $%d", f.Claim)
	}
	if f.Origin != "" {
		w.add("a.origin = $%d", f.Origin)
	}
	if f.Issuer != "" {
		w.add(shelfIssuer+" = $%d", f.Issuer)
	}
	for i, word := range strings.Fields(store.Fold(f.Text)) {
		if i == maxWords {
			break
		}
		w.add(`(v.words LIKE $%[1]d ESCAPE '\' OR i.words LIKE $%[1]d ESCAPE '\')`, "%"+likeEscape.Replace(word)+"%")
	}
	if len(f.Visibilities) > 0 {
		in(&w, "a.visibility", f.Visibilities)
	}
	shelfState(&w, f)
	return from, w
}

func shelfState(w *where, f store.ShelfFilter) {
	switch f.State {
	case store.Taken:
		w.is("a.revoked")
	case store.Ended:
		w.is("NOT a.revoked")
		w.add("a.expires <= $%d", moment(f.Now))
	case store.Holds, store.Ending, store.Unclear:
		w.is("NOT a.revoked")
		w.add("(a.expires IS NULL OR a.expires > $%d)", moment(f.Now))
		if f.State == store.Unclear {
			w.is(shelfUnclear)
			return
		}
		w.is("NOT " + shelfUnclear)
		if f.State == store.Ending {
			w.add("a.expires <= $%d", moment(f.Now.Add(store.EndsSoon)))
		}
	}
}

const maxWords = 6

//nolint:gochecknoglobals // a constant but for its type
var likeEscape = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func (c *calls) ShelfBadges(ctx context.Context, f store.ShelfFilter) ([]store.ShelfBadge, error) {
	from, w := shelfWhere(f)
	position, order := "0", "a.issued_on DESC NULLS LAST, a.created_at DESC, a.id"
	if f.CollectionID != "" {
		position = "b.position"
	}
	switch {
	case f.Order == store.ByName:
		order = "v.words, a.issued_on DESC NULLS LAST, a.id"
	case f.Order == store.AsCollection && f.CollectionID != "":
		order = "b.position, a.id"
	}
	w.args = append(w.args, limited(f.Limit), max(f.Offset, 0))
	return many(ctx, c, "badges of "+f.PersonID, scanShelf, `SELECT `+of("a", awardColumns+", created_at, updated_at")+`,
		v.content, v.image_sha, i.id, COALESCE(i.profile, '{}'), i.own, `+shelfStanding+`, `+position+from+w.String()+
		fmt.Sprintf(` ORDER BY %s LIMIT $%d OFFSET $%d`, order, len(w.args)-1, len(w.args)), w.args...)
}

func (c *calls) CountShelf(ctx context.Context, f store.ShelfFilter) (int, error) {
	from, w := shelfWhere(f)
	return count(ctx, c, "count badges of "+f.PersonID, `SELECT COUNT(*)`+from+w.String(), w.args...)
}

func (c *calls) ShelfFacets(ctx context.Context, f store.ShelfFilter) ([]store.ShelfFacet, error) {
	from, w := shelfWhere(f)
	return many(ctx, c, "issuers of the badges of "+f.PersonID, func(row scanner) (v store.ShelfFacet, err error) {
		err = row.Scan(&v.Issuer, &v.Origin, &v.Count)
		return v, err
	}, `SELECT `+shelfIssuer+`, a.origin, COUNT(*)`+from+w.String()+fmt.Sprintf(` GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT %d`, 500), w.args...)
}

const batchColumns = `batch_id, position, name, done, fate, reason, made_to, badge, checks, award_id`

func scanBatchFile(row scanner) (f store.BatchFile, err error) {
	err = row.Scan(&f.BatchID, &f.Position, &f.Name, &f.Done, &f.Fate, &f.Reason, &f.MadeTo, &f.Badge, fromJSON(&f.Checks), &f.AwardID)
	return f, err
}

func (c *calls) CreateBatch(ctx context.Context, personID string, files []store.BatchFile, before time.Time) (string, error) {
	const op = "create batch"
	id := store.NewID()
	err := c.together(ctx, func(c *calls) error {
		if _, err := c.exec(ctx, op, `DELETE FROM batches WHERE person_id = $1 AND created_at < $2`, personID, moment(before)); err != nil {
			return err
		}
		if _, err := c.exec(ctx, op, `INSERT INTO batches (id, person_id, created_at) VALUES ($1, $2, $3)`, id, personID, moment(c.now())); err != nil {
			return err
		}
		for i, f := range files {
			if _, err := c.exec(ctx, op, `INSERT INTO batch_files (`+batchColumns+`, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
				id, i, f.Name, f.Done, f.Fate, f.Reason, f.MadeTo, f.Badge, asJSON(f.Checks), f.AwardID, notNil(f.Body)); err != nil {
				return err
			}
		}
		return nil
	})
	return id, err
}

func (c *calls) Batch(ctx context.Context, personID, batchID string) ([]store.BatchFile, error) {
	op := "batch " + batchID
	list, err := many(ctx, c, op, scanBatchFile, `SELECT `+batchColumns+` FROM batch_files
		WHERE batch_id = $1 AND EXISTS (SELECT 1 FROM batches WHERE id = $1 AND person_id = $2) ORDER BY position`, batchID, personID)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%s: %w", op, store.ErrNotFound)
	}
	return list, err
}

func (c *calls) BatchWork(ctx context.Context, batchID string, position int) (store.BatchFile, string, error) {
	op := fmt.Sprintf("file %d of batch %s", position, batchID)
	var person string
	f, err := one(ctx, c, op, func(row scanner) (store.BatchFile, error) {
		var body []byte
		f, err := scanBatchFile(wider{row, []any{&body, &person}})
		f.Body = body
		return f, err
	}, `SELECT `+of("f", batchColumns)+`, f.body, b.person_id FROM batch_files f JOIN batches b ON b.id = f.batch_id
		WHERE f.batch_id = $1 AND f.position = $2`, batchID, position)
	return f, person, err
}

func (c *calls) PutBatchFile(ctx context.Context, f store.BatchFile) error {
	op := fmt.Sprintf("put file %d of batch %s", f.Position, f.BatchID)
	err := c.must(ctx, op, store.ErrNotFound, `
		UPDATE batch_files SET (done, fate, reason, made_to, badge, checks, award_id) = ($3, $4, $5, $6, $7, $8, $9)
		WHERE batch_id = $1 AND position = $2`,
		f.BatchID, f.Position, f.Done, f.Fate, f.Reason, f.MadeTo, f.Badge, asJSON(f.Checks), f.AwardID)
	if err != nil || !f.Done {
		return err
	}
	_, err = c.exec(ctx, op, `UPDATE batch_files SET body = $3 WHERE batch_id = $1 AND position = $2`, f.BatchID, f.Position, []byte{})
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
