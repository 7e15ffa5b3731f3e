package signing_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"badgebridge/internal/secret"
	"badgebridge/internal/testenv/database"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
	"badgebridge/sync/signing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T) (*sqlstore.DB, *secret.Keyring) {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), database.SQLite(t), sqlstore.Options{MaxConns: 6})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	ring, err := secret.NewKeyring(bytes.Repeat([]byte{1}, secret.KeySize))
	must(t, err)
	return db, ring
}

func TestAKeyIsMadeWhenItIsNeededAndReplacedOnRequest(t *testing.T) {
	db, ring := open(t)
	ctx := t.Context()
	k := signing.New(db, ring, time.Now)
	_, err := k.Active(ctx, db, signing.EdDSA)
	if !errors.Is(err, signing.ErrNoKey) {
		t.Fatalf("before any was made: %v", err)
	}
	must(t, k.Ensure(ctx, signing.EdDSA))
	must(t, k.Ensure(ctx, signing.EdDSA))
	must(t, k.Ensure(ctx, signing.RS256))
	first, err := k.Active(ctx, db, signing.EdDSA)
	must(t, err)
	rs, err := k.Active(ctx, db, signing.RS256)
	must(t, err)
	if size := rs.Public.(*rsa.PublicKey).Size(); size != 256 {
		t.Errorf("an RSA key of %d bytes", size)
	}

	fresh, err := k.Rotate(ctx)
	must(t, err)
	all, err := k.List(ctx)
	must(t, err)
	if len(fresh) != 2 || len(all) != 4 {
		t.Fatalf("%d new ones, %d in all", len(fresh), len(all))
	}
	// Another process knows the same keys.
	second, err := signing.New(db, ring, time.Now).Active(ctx, db, signing.EdDSA)
	must(t, err)
	if second.ID == first.ID || second.ID != fresh[0].ID {
		t.Errorf("%s signs after %s was replaced by %s", second.ID, first.ID, fresh[0].ID)
	}
	sig, err := second.Private.Sign(nil, []byte("m"), crypto.Hash(0))
	must(t, err)
	if !ed25519.Verify(second.Public.(ed25519.PublicKey), []byte("m"), sig) {
		t.Error("its parts don't belong together")
	}
	for _, key := range all {
		if wanted := key.ID == first.ID || key.ID == rs.ID; wanted == key.RetiredAt.IsZero() {
			t.Errorf("%s: retired %v", key.ID, key.RetiredAt)
		}
	}
	rows, err := db.Keys(ctx, "assertion")
	must(t, err)
	for _, row := range rows {
		if !strings.HasPrefix(string(row.Sealed), "v1.") {
			t.Errorf("%s is not sealed", row.ID)
		}
	}
}

func TestReplicasAgreeOnOneKey(t *testing.T) {
	db, ring := open(t)
	ctx := t.Context()
	var wg sync.WaitGroup
	rotated := make(chan struct{}, 8)
	for i := range 8 {
		wg.Go(func() {
			k := signing.New(db, ring, time.Now)
			if err := k.Ensure(ctx, signing.EdDSA); err != nil {
				t.Error(err)
			}
			if i%2 == 0 {
				return
			}
			switch _, err := k.Rotate(ctx); {
			case err == nil:
				rotated <- struct{}{}
			case !errors.Is(err, store.ErrStale):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	keys, err := signing.New(db, ring, time.Now).List(ctx)
	must(t, err)
	inUse := 0
	for _, k := range keys {
		if k.RetiredAt.IsZero() {
			inUse++
		}
	}
	if inUse != 1 || len(keys) != 1+len(rotated) {
		t.Errorf("%d keys, %d in use, after %d replacements", len(keys), inUse, len(rotated))
	}
}

func TestALostMasterKeyIsSaidPlainlyAndReplacingHelps(t *testing.T) {
	db, ring := open(t)
	ctx := t.Context()
	must(t, signing.New(db, ring, time.Now).Ensure(ctx, signing.EdDSA))
	other, err := secret.NewKeyring(bytes.Repeat([]byte{2}, secret.KeySize))
	must(t, err)
	k := signing.New(db, other, time.Now)
	_, err = k.Active(ctx, db, signing.EdDSA)
	if !errors.Is(err, secret.ErrKeyUnknown) || !strings.Contains(err.Error(), "keys rotate") {
		t.Errorf("%v", err)
	}
	_, err = k.Rotate(ctx)
	must(t, err)
	_, err = k.Active(ctx, db, signing.EdDSA)
	must(t, err)
}
