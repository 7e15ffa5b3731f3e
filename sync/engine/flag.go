package engine

import (
	"context"
	"fmt"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
)

// The flags of an award that its origin's records lead to, beside the adapters'
// notices. Each holds the award for an admin to look at and takes nothing back.
const (
	flagGone   = "origin-gone"   // the record was deleted, and the origin did not say why
	flagAbsent = "origin-absent" // a complete listing no longer names it
)

// fromOrigin: the flag says what the origin's record said last, so that the next
// record decides anew.
func fromOrigin(flag string) bool {
	switch flag {
	case "", flagGone, flagAbsent, string(adapters.NoticeMember), string(adapters.NoticeBadge), string(adapters.NoticePoints), string(adapters.NoticeErased):
		return true
	}
	return false
}

// erase takes out what the origin told about the recipient: name and address in
// the award, and the bytes of every record of it but the present one, doc. What
// the recipient has at the gateway itself (an account, claimed badges) is theirs
// and stays; so do copies elsewhere, which are under other hands.
func (e *Engine) erase(ctx context.Context, tx store.Tx, origin adapters.Remote, award *store.Award, doc string) error {
	award.Recipient = openbadges.Recipient{}
	if award.PersonID == "" {
		award.Visibility = store.Private
	}
	arrivals, err := tx.ProvenanceOf(ctx, award.ID)
	if err != nil {
		return fmt.Errorf("erase %s: %w", award.ID, err)
	}
	for _, p := range arrivals {
		if p.Remote != origin || p.DocumentSHA == doc || p.DocumentSHA == "" {
			continue
		}
		if err := tx.EraseDocument(ctx, p.DocumentSHA); err != nil {
			return fmt.Errorf("erase %s: %w", award.ID, err)
		}
	}
	return nil
}
