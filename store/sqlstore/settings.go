package sqlstore

import (
	"context"

	"badgebridge/store"
)

func (c *calls) Setting(ctx context.Context, name string) (string, error) {
	return one(ctx, c, "setting "+name, value[string], `SELECT value FROM settings WHERE name = $1`, name)
}

func (c *calls) PutSetting(ctx context.Context, name, value string) error {
	_, err := c.exec(ctx, "put setting "+name, `
		INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
		WHERE settings.value <> excluded.value`,
		name, value, moment(c.now()))
	return err
}

func (c *calls) CreateSetting(ctx context.Context, name, value string) error {
	return c.must(ctx, "create setting "+name, store.ErrExists, `
		INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3)
		ON CONFLICT DO NOTHING`,
		name, value, moment(c.now()))
}

func (c *calls) DeleteSetting(ctx context.Context, name string) error {
	_, err := c.exec(ctx, "delete setting "+name, `DELETE FROM settings WHERE name = $1`, name)
	return err
}
