package jobs

import (
	"context"
	"database/sql"
	"io"
	"log/slog"

	"github.com/riverqueue/river/rivermigrate"

	"badgebridge/store/sqlstore"
)

// Schema is the part of the database that holds the jobs: give it to
// sqlstore.Open as a component.
func Schema() sqlstore.Component { return schema{} }

type schema struct{}

func (schema) Name() string { return "jobs" }

func (schema) migrator(db *sqlstore.DB) (*rivermigrate.Migrator[*sql.Tx], error) {
	return rivermigrate.New(driver(db), &rivermigrate.Config{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
}

func (s schema) MigrateUp(ctx context.Context, db *sqlstore.DB) error {
	m, err := s.migrator(db)
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func (s schema) Versions(ctx context.Context, db *sqlstore.DB) (have, want int64, err error) {
	m, err := s.migrator(db)
	if err != nil {
		return 0, 0, err
	}
	for _, version := range m.AllVersions() {
		want = max(want, int64(version.Version))
	}
	exists, err := db.HasTable(ctx, "river_migration")
	if err != nil || !exists {
		return 0, want, err
	}
	err = db.SQL().QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM river_migration WHERE line = 'main'").Scan(&have)
	return have, want, err
}
