package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"badgebridge/internal/testenv/postgres"
)

func TestEveryTestHasADatabaseOfItsOwn(t *testing.T) {
	for _, name := range []string{"first", "second"} {
		t.Run(name, func(t *testing.T) {
			conn, err := pgx.Connect(t.Context(), postgres.Start(t))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close(t.Context()) }()
			if _, err := conn.Exec(t.Context(), "CREATE TABLE only_here (id INTEGER)"); err != nil {
				t.Fatal(err)
			}
		})
	}
}
