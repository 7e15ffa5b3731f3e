package database_test

import (
	"os"
	"testing"

	"badgebridge/internal/testenv/database"
	"badgebridge/internal/testenv/postgres"
	"badgebridge/store/sqlstore"
)

func TestMain(m *testing.M) { os.Exit(postgres.Keep(m)) }

func TestEveryTestHasACopyOfItsOwnThatIsUpToDate(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": database.SQLite, "postgres": database.Postgres} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				db, err := sqlstore.Open(t.Context(), url(t), sqlstore.Options{KeepSchema: true})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = db.Close() })
				status, err := db.MigrationStatus(t.Context())
				if err != nil || len(status) != 1 || status[0].Pending() || status[0].Have == 0 {
					t.Fatalf("%+v, %v", status, err)
				}
				if err := db.CreateSetting(t.Context(), "only here", "yes"); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
