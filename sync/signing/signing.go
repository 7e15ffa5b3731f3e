// Package signing keeps the association's signing keys: it makes them when they
// are first needed, keeps them in SQL sealed under the master key, replaces them
// on request, and hands out the one that signs now.
//
// Replaced keys stay published, so that what they signed stays verifiable. All
// replicas share the keys; whatever two of them do at once, one key of each
// algorithm is in use.
package signing

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"badgebridge/internal/secret"
	"badgebridge/openbadges/did"
	"badgebridge/store"
)

// Algorithm names what a key signs with, as in JSON Web Signatures (RFC 7518,
// RFC 8037).
type Algorithm string

// The algorithms. EdDSA makes the embedded proofs; RS256 is the one that every
// verifier of OB 3.0's JWT form has to know.
const (
	EdDSA Algorithm = "EdDSA"
	RS256 Algorithm = "RS256"
)

const (
	purpose = "assertion"
	rsaBits = 2048
)

// ErrNoKey: no key of that algorithm was made yet.
var ErrNoKey = errors.New("there is no signing key of that kind yet")

// Key is a key's public part.
type Key struct {
	ID        string
	Algorithm Algorithm
	Public    crypto.PublicKey // ed25519.PublicKey or *rsa.PublicKey
	CreatedAt time.Time
	RetiredAt time.Time // zero: it signs
}

// Signer is the key that signs now.
type Signer struct {
	Key
	Private crypto.Signer // ed25519.PrivateKey or *rsa.PrivateKey
}

// Keys are the association's signing keys. It is safe for concurrent use.
type Keys struct {
	store store.Store
	ring  *secret.Keyring
	now   func() time.Time

	mu     sync.Mutex
	opened map[string]crypto.Signer // by key id
}

// New makes Keys. It does no I/O.
func New(st store.Store, ring *secret.Keyring, now func() time.Time) *Keys {
	return &Keys{store: st, ring: ring, now: now, opened: map[string]crypto.Signer{}}
}

// List gives all keys, the newest first.
func (k *Keys) List(ctx context.Context) ([]Key, error) {
	rows, err := k.store.Keys(ctx, purpose)
	if err != nil {
		return nil, err
	}
	out := make([]Key, 0, len(rows))
	for _, row := range rows {
		key, err := public(row)
		if err != nil {
			return nil, err
		}
		out = append(out, key)
	}
	return out, nil
}

func public(row store.Key) (Key, error) {
	pub, err := did.ParseJWK(row.Public)
	if err != nil {
		return Key{}, fmt.Errorf("signing key %s: %w", row.ID, err)
	}
	return Key{ID: row.ID, Algorithm: Algorithm(row.Algorithm), Public: pub, CreatedAt: row.CreatedAt, RetiredAt: row.RetiredAt}, nil
}

// Ensure makes a key of the algorithm where none is in use. It is called before
// a transaction that signs: making an RSA key takes long.
func (k *Keys) Ensure(ctx context.Context, a Algorithm) error {
	if _, err := active(ctx, k.store, a); !errors.Is(err, ErrNoKey) {
		return err
	}
	row, _, err := k.make(a)
	if err != nil {
		return err
	}
	if err := k.store.CreateKey(ctx, row); err != nil && !errors.Is(err, store.ErrExists) {
		return err
	}
	return nil // where another was first, its key signs
}

// Active gives the key that signs now, as tx sees it. ErrNoKey before Ensure.
func (k *Keys) Active(ctx context.Context, tx store.Tx, a Algorithm) (Signer, error) {
	row, err := active(ctx, tx, a)
	if err != nil {
		return Signer{}, err
	}
	key, err := public(row)
	if err != nil {
		return Signer{}, err
	}
	private, err := k.open(row)
	return Signer{key, private}, err
}

func active(ctx context.Context, tx store.Tx, a Algorithm) (store.Key, error) {
	rows, err := tx.Keys(ctx, purpose)
	if err != nil {
		return store.Key{}, err
	}
	for _, row := range rows {
		if row.Algorithm == string(a) && row.RetiredAt.IsZero() {
			return row, nil
		}
	}
	return store.Key{}, fmt.Errorf("%s: %w", a, ErrNoKey)
}

// Rotate puts a new key in the place of each that is in use, and makes the
// first EdDSA key where there is none. It returns the new keys. What is being
// signed meanwhile is signed by either, and both stay published.
// store.ErrStale when somebody else replaced the same keys at the same moment.
func (k *Keys) Rotate(ctx context.Context) ([]Key, error) {
	rows, err := k.store.Keys(ctx, purpose)
	if err != nil {
		return nil, err
	}
	olds := map[Algorithm]string{EdDSA: ""}
	for _, row := range rows {
		if row.RetiredAt.IsZero() {
			olds[Algorithm(row.Algorithm)] = row.ID
		}
	}
	var fresh []store.Key
	var out []Key
	for _, a := range []Algorithm{EdDSA, RS256} {
		if _, ok := olds[a]; !ok {
			continue
		}
		row, key, err := k.make(a)
		if err != nil {
			return nil, err
		}
		fresh, out = append(fresh, row), append(out, key)
	}
	err = k.store.InTx(ctx, func(tx store.Tx) error {
		for _, row := range fresh {
			if old := olds[Algorithm(row.Algorithm)]; old != "" {
				if err := tx.RetireKey(ctx, old, row.CreatedAt); err != nil {
					return err
				}
			}
			err := tx.CreateKey(ctx, row)
			if errors.Is(err, store.ErrExists) { // the first one was made meanwhile
				err = fmt.Errorf("create signing key: %w", store.ErrStale)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("replace the signing keys: %w", err)
	}
	return out, nil
}

func (k *Keys) make(a Algorithm) (row store.Key, key Key, err error) {
	var private crypto.Signer
	switch a {
	case EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case RS256:
		private, err = rsa.GenerateKey(rand.Reader, rsaBits)
	default:
		err = fmt.Errorf("no keys of the algorithm %q are made", a)
	}
	if err != nil {
		return row, key, fmt.Errorf("make a signing key: %w", err)
	}
	key = Key{ID: store.NewID(), Algorithm: a, Public: private.Public(), CreatedAt: store.Moment(k.now())}
	jwk, err := did.JWK(key.Public)
	if err != nil {
		return row, key, fmt.Errorf("make a signing key: %w", err)
	}
	text, err := json.Marshal(jwk)
	if err != nil {
		return row, key, fmt.Errorf("make a signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return row, key, fmt.Errorf("make a signing key: %w", err)
	}
	sealed, err := k.ring.Seal(der, place(key.ID))
	if err != nil {
		return row, key, fmt.Errorf("make a signing key: %w", err)
	}
	row = store.Key{ID: key.ID, Purpose: purpose, Algorithm: string(a), Public: text, Sealed: []byte(sealed), CreatedAt: key.CreatedAt}
	return row, key, nil
}

// place binds a sealed key to its row.
func place(id string) string { return "signing_keys/" + id }

// maxOpened bounds how many private keys are kept open; those in use are one
// or two.
const maxOpened = 16

func (k *Keys) open(row store.Key) (crypto.Signer, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := k.opened[row.ID]; s != nil {
		return s, nil
	}
	der, err := k.ring.Open(string(row.Sealed), place(row.ID))
	if errors.Is(err, secret.ErrKeyUnknown) {
		return nil, fmt.Errorf("signing key %s can't be opened: %w; put the old master key back into the key file, or run `badgebridge keys rotate`", row.ID, err)
	}
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", row.ID, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("signing key %s is damaged", row.ID)
	}
	s, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("signing key %s is of an unknown kind", row.ID)
	}
	if len(k.opened) >= maxOpened {
		clear(k.opened)
	}
	k.opened[row.ID] = s
	return s, nil
}
