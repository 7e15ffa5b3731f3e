package sqlstore_test

import (
	"testing"

	"badgebridge/store/sqlstore"
)

func TestOpen(t *testing.T) {
	db, err := sqlstore.Open(t.Context(), "sqlite:"+t.TempDir()+"/x/a.db", sqlstore.Options{})
	if err != nil { t.Fatal(err) }
	t.Log(db.MigrationStatus(t.Context()))
	t.Log(db.Close())
}
