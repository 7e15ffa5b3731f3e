package sqlstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"badgebridge/store"
)

const importColumns = `id, from_remote, to_remote, state, message, created_by, created_at, ended_at`

const selectImport = `SELECT ` + importColumns + `,
	(SELECT COUNT(*) FROM import_items n WHERE n.import_id = imports.id),
	(SELECT COUNT(*) FROM import_items n WHERE n.import_id = imports.id AND n.state = 'done'),
	(SELECT COUNT(*) FROM import_items n WHERE n.import_id = imports.id AND n.state = 'failed')
	FROM imports`

func scanImport(row scanner) (i store.Import, err error) {
	err = row.Scan(&i.ID, &i.From, &i.To, &i.State, &i.Message, &i.CreatedBy, when(&i.CreatedAt), when(&i.EndedAt), &i.Total, &i.Done, &i.Failed)
	return i, err
}

func (c *calls) CreateImport(ctx context.Context, i store.Import, items []store.ImportItem) (store.Import, error) {
	const op = "create import"
	if i.ID == "" {
		i.ID = store.NewID()
	}
	i.State, i.CreatedAt, i.EndedAt = store.ImportGoing, c.now(), time.Time{}
	i.Total, i.Done, i.Failed = len(items), 0, 0
	err := c.together(ctx, func(c *calls) error {
		err := c.must(ctx, op, store.ErrExists, `
			INSERT INTO imports (`+importColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
			i.ID, i.From, i.To, i.State, i.Message, i.CreatedBy, moment(i.CreatedAt), moment(i.EndedAt))
		for n, item := range items {
			if err != nil {
				break
			}
			item.ImportID, item.Position, item.State = i.ID, n+1, store.ItemWaiting
			err = c.must(ctx, op, store.ErrExists, `
				INSERT INTO import_items (import_id, position, `+itemColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, c.itemValues(item)...)
		}
		return err
	})
	return i, err
}

const itemColumns = `class_id, target_id, mapping_id, state, message, warnings, updated_at`

func (c *calls) itemValues(n store.ImportItem) []any {
	return []any{n.ImportID, n.Position, n.ClassID, n.TargetID, n.MappingID, n.State, n.Message, strings.Join(n.Warnings, ","), moment(c.now())}
}

func scanItem(row scanner) (n store.ImportItem, err error) {
	var warnings string
	err = row.Scan(&n.ImportID, &n.Position, &n.ClassID, &n.TargetID, &n.MappingID, &n.State, &n.Message, &warnings, when(&n.UpdatedAt))
	if warnings != "" {
		n.Warnings = strings.Split(warnings, ",")
	}
	return n, err
}

func (c *calls) Import(ctx context.Context, id string) (store.Import, error) {
	return one(ctx, c, "import "+id, scanImport, selectImport+` WHERE id = $1`, id)
}

func (c *calls) Imports(ctx context.Context, limit int) ([]store.Import, error) {
	return many(ctx, c, "imports", scanImport, selectImport+fmt.Sprintf(` ORDER BY seq DESC LIMIT %d`, limited(limit)))
}

func (c *calls) ImportItems(ctx context.Context, importID string, after, limit int) ([]store.ImportItem, error) {
	return many(ctx, c, "items of import "+importID, scanItem, `
		SELECT import_id, position, `+itemColumns+` FROM import_items WHERE import_id = $1 AND position > $2`+
		fmt.Sprintf(` ORDER BY position LIMIT %d`, limited(limit)), importID, after)
}

func (c *calls) PutImportItem(ctx context.Context, n store.ImportItem) error {
	return c.must(ctx, fmt.Sprintf("put item %d of import %s", n.Position, n.ImportID), store.ErrNotFound, `
		UPDATE import_items SET class_id = $3, target_id = $4, mapping_id = $5, state = $6, message = $7, warnings = $8, updated_at = $9
		WHERE import_id = $1 AND position = $2`, c.itemValues(n)...)
}

func (c *calls) EndImport(ctx context.Context, i store.Import) error {
	op := "end import " + i.ID
	n, err := c.exec(ctx, op, `
		UPDATE imports SET state = $2, message = $3, ended_at = $4, lease_owner = '', lease_until = NULL WHERE id = $1 AND state = 'running'`,
		i.ID, i.State, i.Message, moment(i.EndedAt))
	if err != nil || n == 1 {
		return err
	}
	return c.missingOrStale(ctx, op, `SELECT COUNT(*) FROM imports WHERE id = $1`, i.ID)
}

func (c *calls) ResumeImport(ctx context.Context, id string) error {
	op := "resume import " + id
	return c.together(ctx, func(c *calls) error {
		n, err := c.exec(ctx, op, `UPDATE imports SET state = 'running', message = '', ended_at = NULL WHERE id = $1 AND state <> 'running'`, id)
		if err == nil && n == 0 {
			err = c.missingOrStale(ctx, op, `SELECT COUNT(*) FROM imports WHERE id = $1`, id)
		}
		if err == nil {
			_, err = c.exec(ctx, op, `UPDATE import_items SET state = 'waiting', message = '' WHERE import_id = $1 AND state = 'failed'`, id)
		}
		return err
	})
}

func (c *calls) LeaseImport(ctx context.Context, id, owner string, now, until time.Time) (bool, error) {
	n, err := c.exec(ctx, "lease import "+id, `
		UPDATE imports SET lease_owner = $2, lease_until = $4
		WHERE id = $1 AND state = 'running' AND (lease_owner = $2 OR lease_until IS NULL OR lease_until <= $3)`,
		id, owner, moment(now), moment(until))
	return n == 1, err
}

func (c *calls) DueImports(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return many(ctx, c, "due imports", func(row scanner) (id string, err error) { return id, row.Scan(&id) },
		`SELECT id FROM imports WHERE state = 'running' AND (lease_until IS NULL OR lease_until <= $1)`+
			fmt.Sprintf(` ORDER BY seq LIMIT %d`, limited(limit)), moment(now))
}

func (c *calls) PutDestination(ctx context.Context, d store.Destination) error {
	_, err := c.exec(ctx, "put destination of "+d.AwardID, `
		INSERT INTO destinations (award_id, email, person_id, chosen_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (award_id) DO UPDATE SET email = excluded.email, person_id = excluded.person_id, chosen_at = excluded.chosen_at`,
		d.AwardID, d.Email, d.PersonID, moment(d.ChosenAt))
	return err
}

func (c *calls) Destination(ctx context.Context, awardID string) (store.Destination, error) {
	return one(ctx, c, "destination of "+awardID, func(row scanner) (d store.Destination, err error) {
		err = row.Scan(&d.AwardID, &d.Email, &d.PersonID, when(&d.ChosenAt))
		return d, err
	}, `SELECT award_id, email, person_id, chosen_at FROM destinations WHERE award_id = $1`, awardID)
}
