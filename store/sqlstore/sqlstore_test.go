package sqlstore_test

import (
	"os"
	"testing"

	"badgebridge/internal/testenv/database"
	"badgebridge/internal/testenv/postgres"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
	"badgebridge/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(postgres.Keep(m)) }

// engines are the databases that every promise is tried on.
var engines = map[string]func(t testing.TB) string{
	"sqlite":   func(t testing.TB) string { return "sqlite:" + t.TempDir() + "/badgebridge.db" },
	"postgres": func(t testing.TB) string { return postgres.Start(t) },
}

func open(t testing.TB, url string, opts sqlstore.Options) *sqlstore.DB {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestBothEnginesKeepTheContract(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": database.SQLite, "postgres": database.Postgres} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) store.Store { return open(t, url(t), sqlstore.Options{MaxConns: 6}) })
		})
	}
}
