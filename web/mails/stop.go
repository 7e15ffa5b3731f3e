package mails

import (
	"encoding/json"
	"fmt"
	"slices"

	"badgebridge/internal/secret"
	"badgebridge/store"
)

const stopSeal = "letters/stop"

// stop is what a link under a letter says: who wants no more of what.
type stop struct {
	Owner string           `json:"o"`
	Kind  store.NoticeKind `json:"k"`
}

// StopToken is the end of the link that stops letters of a kind to an owner (see
// store.Notice). It is sealed, so that nobody makes one for somebody else or reads
// from it whose it is.
func StopToken(k *secret.Keyring, owner string, kind store.NoticeKind) (string, error) {
	data, err := json.Marshal(stop{owner, kind})
	if err != nil {
		return "", err
	}
	return k.Seal(data, stopSeal)
}

// ReadStop reads a StopToken. store.ErrNotFound for anything else.
func ReadStop(k *secret.Keyring, token string) (owner string, kind store.NoticeKind, err error) {
	var s stop
	data, err := k.Open(token, stopSeal)
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil || s.Owner == "" || !slices.Contains(store.NoticeKinds(), s.Kind) {
		return "", "", fmt.Errorf("stop letters: %w", store.ErrNotFound)
	}
	return s.Owner, s.Kind, nil
}
