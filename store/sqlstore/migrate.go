package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrationFiles embed.FS

// Component is a part of the database that another package owns, such as the
// tables of the job queue.
type Component interface {
	// Name tells people which part it is.
	Name() string
	// MigrateUp brings the part's tables up to date; when they are, it changes
	// nothing. It runs after the schema of this package.
	MigrateUp(ctx context.Context, db *DB) error
	// Versions tells which version the tables have and which the program wants.
	Versions(ctx context.Context, db *DB) (have, want int64, err error)
}

// PartStatus says how far one part of the schema is.
type PartStatus struct {
	Part string `json:"part"`
	Have int64  `json:"have"` // 0: no table yet
	Want int64  `json:"want"`
}

// Pending reports whether MigrateUp has something to do.
func (s PartStatus) Pending() bool { return s.Have < s.Want }

// MigrateUp brings the schema and all components up to date. Replicas that
// start at once wait for each other. A schema that is newer than the program is
// an error and stays as it is.
func (d *DB) MigrateUp(ctx context.Context) error {
	provider, err := d.provider()
	if err != nil {
		return err
	}
	// Two processes that make a new SQLite file together have no lock to wait
	// at: the one that comes second finds tables that were not there when it
	// looked, and on looking again nothing left to do.
	for attempt := 1; ; attempt++ {
		err = d.migrateOwn(ctx, provider)
		if err == nil || attempt == 5 || d.engine.name != SQLite || errors.Is(err, errNewer) || ctx.Err() != nil {
			break
		}
		timer := time.NewTimer(time.Duration(attempt) * 50 * time.Millisecond)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
	if err != nil {
		return err
	}
	return d.migrateParts(ctx)
}

// migrateParts looks before it takes the lock, so that a usual start costs one
// small query a part.
func (d *DB) migrateParts(ctx context.Context) error {
	pending, err := d.pendingParts(ctx)
	if err != nil || len(pending) == 0 {
		return err
	}
	if d.engine.lockParts != "" {
		conn, err := d.sql.Conn(ctx)
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := conn.ExecContext(ctx, d.engine.lockParts); err != nil {
			return fmt.Errorf("migrate: wait for another replica: %w", err)
		}
		defer func() {
			unlock, cancel := context.WithTimeout(context.WithoutCancel(ctx), openTimeout)
			defer cancel()
			_, _ = conn.ExecContext(unlock, d.engine.unlockParts)
		}()
		if pending, err = d.pendingParts(ctx); err != nil {
			return err
		}
	}
	for _, part := range pending {
		if err := part.MigrateUp(ctx, d); err != nil {
			return fmt.Errorf("migrate %s: %w", part.Name(), err)
		}
	}
	return nil
}

func (d *DB) pendingParts(ctx context.Context) (pending []Component, err error) {
	for _, part := range d.parts {
		have, want, err := part.Versions(ctx, d)
		if err != nil {
			return nil, fmt.Errorf("versions of %s: %w", part.Name(), err)
		}
		if have > want {
			return nil, newer(part.Name(), have, want)
		}
		if have < want {
			pending = append(pending, part)
		}
	}
	return pending, nil
}

var errNewer = errors.New("the database's schema is newer than this program")

func newer(part string, have, want int64) error {
	return fmt.Errorf("migrate: %w (%s is at version %d, the program knows %d): start the newer badgebridge again, or restore the backup from before the upgrade",
		errNewer, part, have, want)
}

func (d *DB) migrateOwn(ctx context.Context, provider *goose.Provider) error {
	have, want, err := d.ownVersions(ctx, provider)
	if err != nil {
		return err
	}
	if have > want {
		return newer("store", have, want)
	}
	if have == want {
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate from version %d to %d: %w", have, want, err)
	}
	return nil
}

// MigrationStatus tells of every part which version it has and which the
// program wants. It changes nothing.
func (d *DB) MigrationStatus(ctx context.Context) ([]PartStatus, error) {
	provider, err := d.provider()
	if err != nil {
		return nil, err
	}
	have, want, err := d.ownVersions(ctx, provider)
	if err != nil {
		return nil, err
	}
	out := []PartStatus{{Part: "store", Have: have, Want: want}}
	for _, part := range d.parts {
		have, want, err := part.Versions(ctx, d)
		if err != nil {
			return nil, fmt.Errorf("versions of %s: %w", part.Name(), err)
		}
		out = append(out, PartStatus{Part: part.Name(), Have: have, Want: want})
	}
	return out, nil
}

// ownVersions reads the version table by itself: goose would make it.
func (d *DB) ownVersions(ctx context.Context, provider *goose.Provider) (have, want int64, err error) {
	for _, s := range provider.ListSources() {
		want = max(want, s.Version)
	}
	exists, err := d.HasTable(ctx, goose.DefaultTablename)
	if err != nil || !exists {
		return 0, want, err
	}
	var version sql.NullInt64
	row := d.sql.QueryRowContext(ctx, "SELECT MAX(version_id) FROM "+goose.DefaultTablename+" WHERE is_applied")
	if err := row.Scan(&version); err != nil {
		return 0, want, fmt.Errorf("read the schema's version: %w", err)
	}
	return version.Int64, want, nil
}

// HasTable tells whether the database has a table of that name.
func (d *DB) HasTable(ctx context.Context, name string) (bool, error) {
	query := "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1"
	if d.engine.name == Postgres {
		query = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = ANY (current_schemas(FALSE)) AND tablename = $1"
	}
	var n int
	if err := d.sql.QueryRowContext(ctx, query, name).Scan(&n); err != nil {
		return false, fmt.Errorf("look for table %s: %w", name, err)
	}
	return n > 0, nil
}

func (d *DB) provider() (*goose.Provider, error) {
	files, err := fs.Sub(migrationFiles, "migrations/"+string(d.engine.name))
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	dialect, options := goose.DialectSQLite3, []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if d.engine.name == Postgres {
		dialect = goose.DialectPostgres
		// Asked for every second, for five minutes.
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
		if err != nil {
			return nil, fmt.Errorf("migrations: %w", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, d.sql, files, options...)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	return provider, nil
}
