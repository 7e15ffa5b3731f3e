package sqlstore_test

import (
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"badgebridge/internal/testenv/postgres"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
)

func openError(t *testing.T, url string) string {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), url, sqlstore.Options{})
	if err == nil {
		_ = db.Close()
		t.Fatal("it opened")
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has more than one line: %v", err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error holds the password: %v", err)
	}
	return err.Error()
}

func TestAnErrorOnOpeningNamesCauseAndCure(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ url, cure string }{
		"no folder can be made": {"sqlite:/proc/nowhere/a.db", "data folder"},
		"the path is a folder":  {"sqlite:" + folder, "name a file"},
		"another kind of file":  {"sqlite:" + text, "backup"},
		"in memory":             {"sqlite::memory:", "needs a file"},
		"unknown scheme":        {"mysql://user:hunter2@host/db", "sqlite:PATH or postgres:"},
		"nothing answers":       {"postgres://user:hunter2@127.0.0.1:1/db", "start PostgreSQL"},
		"unknown host":          {"postgres://user:hunter2@nowhere.invalid/db", "name is not known"},
		"broken URL":            {"postgres://user:hunter2#%zz@host/db", "%40"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := openError(t, c.url); !strings.Contains(err, c.cure) {
				t.Errorf("%q does not name the cure %q", err, c.cure)
			}
		})
	}
	t.Run("PostgreSQL says no", func(t *testing.T) {
		good := postgres.Start(t)
		db := open(t, good, sqlstore.Options{})
		if _, err := db.SQL().ExecContext(t.Context(), "CREATE ROLE barred NOLOGIN"); err != nil {
			t.Fatal(err)
		}
		with := func(change func(u *url.URL)) string {
			u, err := url.Parse(good)
			if err != nil {
				t.Fatal(err)
			}
			change(u)
			return openError(t, u.String())
		}
		if err := with(func(u *url.URL) { u.Path = "/missing" }); !strings.Contains(err, "create it") {
			t.Error(err)
		}
		if err := with(func(u *url.URL) { u.User = url.UserPassword("barred", "hunter2") }); !strings.Contains(err, "user or the password") {
			t.Error(err)
		}
	})
}

func TestFileURLsAndPathsNameTheSameFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new folder", "ä #%41 badges.db")
	for i, url := range []string{path, "file:" + path, "sqlite:" + path, "sqlite://" + path} {
		db := open(t, url, sqlstore.Options{})
		err := db.CreateSetting(t.Context(), "first", url)
		if i == 0 && err != nil || i > 0 && !errors.Is(err, store.ErrExists) {
			t.Fatalf("%s: %v", url, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the file: %v", info.Mode())
	}
}

func TestASchemaThatIsNewerIsRefusedAndLeftAlone(t *testing.T) {
	for name, url := range engines {
		t.Run(name, func(t *testing.T) {
			address := url(t)
			db := open(t, address, sqlstore.Options{})
			status, err := db.MigrationStatus(t.Context())
			if err != nil || len(status) != 1 || status[0].Pending() || status[0].Have == 0 {
				t.Fatalf("%+v, %v", status, err)
			}
			if err := db.MigrateUp(t.Context()); err != nil {
				t.Fatalf("again: %v", err)
			}
			if _, err := db.SQL().ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, TRUE)"); err != nil {
				t.Fatal(err)
			}
			if err := openError(t, address); !strings.Contains(err, "newer") || !strings.Contains(err, "backup") {
				t.Error(err)
			}
			as := open(t, address, sqlstore.Options{KeepSchema: true})
			if status, err := as.MigrationStatus(t.Context()); err != nil || status[0].Have != 999 {
				t.Fatalf("%+v, %v", status, err)
			}
		})
	}
}

func TestKeepSchemaChangesNothing(t *testing.T) {
	for name, url := range engines {
		t.Run(name, func(t *testing.T) {
			db := open(t, url(t), sqlstore.Options{KeepSchema: true})
			status, err := db.MigrationStatus(t.Context())
			if err != nil || len(status) != 1 || !status[0].Pending() {
				t.Fatalf("%+v, %v", status, err)
			}
			for _, table := range []string{"goose_db_version", "awards"} {
				if has, err := db.HasTable(t.Context(), table); err != nil || has {
					t.Fatalf("table %s is there: %v, %v", table, has, err)
				}
			}
		})
	}
}

func TestReplicasThatStartTogetherAllGetTheSchema(t *testing.T) {
	for name, url := range engines {
		t.Run(name, func(t *testing.T) {
			address := url(t)
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					db, err := sqlstore.Open(t.Context(), address, sqlstore.Options{MaxConns: 3})
					if err != nil {
						t.Error(err)
						return
					}
					defer func() { _ = db.Close() }()
					if err := db.PutSetting(t.Context(), "a", "b"); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestBothSchemasHaveTheSameTablesAndColumns(t *testing.T) {
	columns := func(db *sqlstore.DB, query string) map[string]bool {
		rows, err := db.SQL().QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		out := map[string]bool{}
		for rows.Next() {
			var table, column string
			var nullable sql.NullBool
			if err := rows.Scan(&table, &column, &nullable); err != nil {
				t.Fatal(err)
			}
			name := table + "." + column
			if nullable.Bool {
				name += " NULL"
			}
			out[name] = true
		}
		return out
	}
	lite := columns(open(t, engines["sqlite"](t), sqlstore.Options{}), `
		SELECT m.name, c.name, c."notnull" = 0 AND c.pk = 0 FROM sqlite_master m JOIN pragma_table_xinfo(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'goose%'`)
	pg := columns(open(t, engines["postgres"](t), sqlstore.Options{}), `
		SELECT table_name, column_name, is_nullable = 'YES' FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name NOT LIKE 'goose%'`)
	for name := range lite {
		if !pg[name] {
			t.Errorf("only SQLite has %s", name)
		}
	}
	for name := range pg {
		if !lite[name] {
			t.Errorf("only PostgreSQL has %s", name)
		}
	}
}
