// Package database gives tests databases that have the store's schema already.
//
// Bringing an empty file to today's schema takes longer than most tests do with
// it. So each test process does that once for each engine, and every test
// gets a copy. A test whose subject is opening or migrating starts from an
// empty database instead.
package database

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"badgebridge/internal/testenv/postgres"
	"badgebridge/store/sqlstore"
)

// SQLite returns the URL of a file of its own, in a folder that goes with t.
func SQLite(t testing.TB) (url string) {
	t.Helper()
	content, err := sqliteFile()
	if err != nil {
		t.Fatalf("make a database to copy: %v", err)
	}
	path := filepath.Join(t.TempDir(), "badgebridge.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// Postgres returns the URL of a database of its own on a real PostgreSQL, as
// postgres.Start does.
func Postgres(t testing.TB) (url string) {
	t.Helper()
	return postgres.Copy(t, "schema", migrate)
}

// sqliteFile is the file that is copied. Once it is closed, nothing of it is
// left in a log beside it.
var sqliteFile = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "schema-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "badgebridge.db")
	if err := migrate(context.Background(), "sqlite:"+path); err != nil {
		return nil, err
	}
	if left, err := os.Stat(path + "-wal"); err == nil && left.Size() > 0 {
		return nil, fmt.Errorf("%d bytes are still in the log", left.Size())
	}
	return os.ReadFile(path)
})

func migrate(ctx context.Context, url string) error {
	db, err := sqlstore.Open(ctx, url, sqlstore.Options{})
	if err != nil {
		return err
	}
	return db.Close()
}
