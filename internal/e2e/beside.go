package e2e

import (
	"fmt"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
)

// openStore opens the gateway's own database beside it.
func openStore(t testing.TB, url string) *sqlstore.DB {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), url, sqlstore.Options{KeepSchema: true})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// classOf waits until the gateway has read the remote's catalog, and returns
// its first badge.
func classOf(t testing.TB, db store.Store, remote adapters.Remote) store.Class {
	t.Helper()
	var out store.Class
	Eventually(t, 30*time.Second, "the catalog of "+string(remote)+" is read", func() error {
		classes, err := db.Classes(t.Context(), remote)
		if err != nil {
			return err
		}
		if len(classes) == 0 {
			return fmt.Errorf("no badges yet")
		}
		out = classes[0]
		return nil
	})
	return out
}
