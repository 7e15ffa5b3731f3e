package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"badgebridge/openbadges/statuslist"
	"badgebridge/store"
	"badgebridge/sync/signing"
)

const (
	// statusPlaces is the least that Bitstring Status List 1.0 allows, so that a
	// place says nothing about who is asked for.
	statusPlaces = statuslist.MinEntries
	// statusValid bounds how long an old list can be shown instead of the current
	// one; a list is signed anew when half of it is over.
	statusValid = 24 * time.Hour
	// StatusTTL is for how long a reader may keep a list.
	StatusTTL = time.Minute
	// maxStatusTries bounds how often replicas that sign the same list at once
	// look again.
	maxStatusTries = 5
)

// StatusList is the signed list that says which awards are revoked. It is signed
// when what it says has changed, or its time runs out; until then all replicas
// give the same bytes. store.ErrNotFound when there is no such list.
func (e *Engine) StatusList(ctx context.Context, id string) ([]byte, error) {
	for range maxStatusTries {
		l, err := e.cfg.Store.StatusList(ctx, id)
		if err != nil {
			return nil, err
		}
		// Read after the list: what is signed here follows what was read there.
		revoked, err := e.cfg.Store.RevokedIn(ctx, id)
		if err != nil {
			return nil, err
		}
		now := e.cfg.Now().UTC().Truncate(time.Second)
		content := statusContent(revoked)
		if age := now.Sub(l.SignedAt); content == l.Content && len(l.Document) > 0 && age > -time.Minute && age < statusValid/2 {
			return l.Document, nil
		}
		if l.Document, err = e.signStatusList(ctx, l, revoked, now); err != nil {
			return nil, fmt.Errorf("sign status list %s: %w", id, err)
		}
		l.Content, l.SignedAt = content, now
		if err = e.cfg.Store.PutStatusList(ctx, l); err == nil {
			return l.Document, nil
		}
		if !errors.Is(err, store.ErrStale) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("sign status list %s: %w", id, store.ErrStale)
}

// statusContent tells one set of places from another.
func statusContent(revoked []int) string {
	h := sha256.New()
	for _, p := range revoked {
		_, _ = h.Write(strconv.AppendInt(nil, int64(p), 10)) // a hash takes everything
		_, _ = h.Write([]byte{','})
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (e *Engine) signStatusList(ctx context.Context, l store.StatusList, revoked []int, now time.Time) ([]byte, error) {
	issuer, base, err := e.ownIssuer(ctx, "")
	if err != nil {
		return nil, err
	}
	if err := e.keys.Ensure(ctx, signing.EdDSA); err != nil {
		return nil, err
	}
	bits := statuslist.New(l.Size)
	for _, position := range revoked {
		if err := bits.Set(position, true); err != nil {
			return nil, err
		}
	}
	self, by := base+"/ob/status/"+l.ID, base+"/ob/v3/issuers/"+issuer.ID
	list, err := bits.Document(statuslist.Credential{
		ID: self, Issuer: by, Purposes: []string{statuslist.Revocation}, ValidFrom: now, ValidUntil: now.Add(statusValid), TTL: StatusTTL,
	})
	if err != nil {
		return nil, err
	}
	doc, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	return e.prove(ctx, e.cfg.Store, by, doc)
}
