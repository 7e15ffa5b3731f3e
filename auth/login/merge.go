package login

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"badgebridge/openbadges"
	"badgebridge/store"
)

// mergeLife is how long there is to sign in to the other account.
const mergeLife = time.Hour

// MergeOffer is two accounts that can become one: the one that Into names has
// proven, by a code, an address of the one that Other names. What is missing is
// the proof that whoever did so can sign in to the other account, too.
type MergeOffer struct {
	Into  string    `json:"into"`
	Other string    `json:"other"`
	Email string    `json:"email"`
	Since time.Time `json:"since"`
}

func mergeKey(token string) string { return "merge/" + hashToken(token) }

// offerMerge keeps an offer and gives the token that names it.
func (l *Login) offerMerge(ctx context.Context, tx store.Tx, into, email string) (string, error) {
	if l.cfg.Merge == nil {
		return "", nil
	}
	other, err := ownerOf(ctx, tx, email)
	if err != nil || other == "" {
		return "", err
	}
	// A session's time of sign-in is kept in whole seconds.
	data, err := json.Marshal(MergeOffer{Into: into, Other: other, Email: email, Since: l.cfg.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return "", err
	}
	token := randomToken()
	return token, tx.PutSession(ctx, mergeKey(token), into, data, l.cfg.Now().Add(mergeLife))
}

// MergeOffer reads an offer. ErrUnknownState when there is none of that token, or
// it is over.
func (l *Login) MergeOffer(ctx context.Context, token string) (MergeOffer, error) {
	var o MergeOffer
	if len(token) < 20 || len(token) > 100 {
		return o, fmt.Errorf("merge accounts: %w", ErrUnknownState)
	}
	data, err := l.cfg.Store.Session(ctx, mergeKey(token), l.cfg.Now())
	if errors.Is(err, store.ErrNotFound) {
		return o, fmt.Errorf("merge accounts: %w", ErrUnknownState)
	}
	if err == nil {
		err = json.Unmarshal(data, &o)
	}
	if err != nil {
		return o, fmt.Errorf("merge accounts: %w", err)
	}
	return o, nil
}

// Merge makes one account of the two of an offer. The one who asks is signed in
// to the other account, since after the offer; the person who is left is the
// offer's Into. ErrUnknownState when it is not they, or the offer is over.
func (l *Login) Merge(ctx context.Context, token, signedIn string, since time.Time) (MergeOffer, error) {
	o, err := l.MergeOffer(ctx, token)
	if err != nil {
		return o, err
	}
	if signedIn != o.Other || since.Before(o.Since) || l.cfg.Merge == nil {
		return o, fmt.Errorf("merge accounts: not signed in to the other one: %w", ErrUnknownState)
	}
	// The offer is good once, and only while the address still is the other's.
	fresh, err := l.cfg.Store.UseOnce(ctx, "login/merge", hashToken(token), l.cfg.Now(), l.cfg.Now().Add(mergeLife))
	if err != nil {
		return o, fmt.Errorf("merge accounts: %w", err)
	}
	id, err := l.cfg.Store.Identifier(ctx, openbadges.IdentityEmail, o.Email)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return o, fmt.Errorf("merge accounts: %w", err)
	}
	if !fresh || id.PersonID != o.Other {
		return o, fmt.Errorf("merge accounts: %w", ErrUnknownState)
	}
	if err := l.cfg.Merge(ctx, o.Into, o.Other); err != nil {
		return o, fmt.Errorf("merge accounts: %w", err)
	}
	_ = l.cfg.Store.DeleteSession(ctx, mergeKey(token)) // it ends by itself otherwise
	l.proven(ctx, o.Into, o.Email)
	return o, nil
}
