package engine

import (
	"context"

	"badgebridge/store"
	"badgebridge/sync/reconcile"
)

// Where a remote keeps one record of a badge for one recipient, that record
// stands for all their awards of it: the push of each names it. The link is the
// first award's; when that one is taken back while another holds, the record
// stays, and the link goes to the other.

// heir is the push of another award that holds and for which the copy stands,
// too; the zero value when there is none.
func (e *Engine) heir(ctx context.Context, tx store.Tx, award store.Award, l store.Link) (store.Push, error) {
	if l.Role != store.RoleCopy || l.State != store.LinkPresent || !award.Revoked {
		return store.Push{}, nil
	}
	pushes, err := tx.PushesAt(ctx, l.Remote, l.Ref)
	if err != nil {
		return store.Push{}, err
	}
	for _, p := range pushes {
		if p.Op != store.OpIssue || p.State != store.PushDone || p.AwardID == award.ID {
			continue
		}
		other, err := tx.Award(ctx, p.AwardID)
		if err != nil {
			return store.Push{}, err
		}
		if !other.Revoked {
			return p, nil
		}
	}
	return store.Push{}, nil
}

// handOver gives the copies of a revoked award to their heirs.
func (e *Engine) handOver(ctx context.Context, tx store.Tx, f reconcile.Facts) error {
	for _, l := range f.Links {
		if l.Heir == "" {
			continue
		}
		link, err := tx.Link(ctx, l.Remote, l.Ref)
		if err != nil {
			return err
		}
		p, err := tx.Push(ctx, l.Heir)
		if err != nil {
			return err
		}
		link.AwardID, link.PushKey, link.Generation = p.AwardID, p.Key, p.Generation
		if _, err := tx.PutLink(ctx, link); err != nil {
			return err
		}
	}
	return nil
}
