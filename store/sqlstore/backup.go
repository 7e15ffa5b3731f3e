package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrNoBackup: the engine has a tool of its own for it.
var ErrNoBackup = errors.New("PostgreSQL is backed up with pg_dump")

// Backup writes a copy of the database to a new file, readable by its owner only.
// It is of one moment, and whoever writes meanwhile is not kept waiting. fs.ErrExist
// when there is a file of that name, ErrNoBackup on PostgreSQL.
func (d *DB) Backup(ctx context.Context, path string) error {
	if d.engine.name != SQLite {
		return ErrNoBackup
	}
	// SQLite fills an empty file, and would make one that everybody may read.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("back up the database: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("back up the database: %w", err)
	}
	if _, err := d.sql.ExecContext(ctx, "VACUUM INTO $1", path); err != nil {
		if rm := os.Remove(path); rm != nil && !errors.Is(rm, fs.ErrNotExist) {
			err = errors.Join(err, rm)
		}
		return fmt.Errorf("back up the database: %w", err)
	}
	return nil
}
