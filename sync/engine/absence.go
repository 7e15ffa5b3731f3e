package engine

import (
	"context"
	"fmt"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
)

// absent deals with the records that a complete listing no longer named. What
// an absence means is declared by the adapter; a listing that lost too much at
// once is held instead, because a fault is likelier than that.
func (p *pull) absent(ctx context.Context, run string, began time.Time) error {
	e := p.e
	gone, total, err := e.cfg.Store.Unlisted(ctx, p.remote.Name, run, began, 100)
	if err != nil || total == 0 {
		return err
	}
	all, err := e.cfg.Store.CountLinks(ctx, p.remote.Name)
	if err != nil {
		return err
	}
	if limit := min(20, max(1, all/10)); total > limit || total == all {
		return heldError{fmt.Sprintf(
			"%d of the %d awards known from %s are missing from its list. That is more than the %d that may go at once, so nothing was changed. "+
				"If they were deleted on purpose, revoke them one by one; if the site was restored, restore the missing awards there.",
			total, all, p.remote.Name, limit)}
	}
	var sum outcome
	err = e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		sum = outcome{}
		for _, l := range gone {
			award, err := tx.Award(ctx, l.AwardID)
			if err != nil {
				return err
			}
			was := award
			l.State = store.LinkGone
			l.Version = ""
			if l.Role == store.RoleOrigin {
				switch p.source.Absence() {
				case adapters.AbsenceRevoked:
					e.revoke(&award, time.Time{}, "The issuer no longer lists it.")
				default:
					if !award.Revoked {
						award.Flag = flagAbsent
					}
				}
			}
			if err := e.tellRevoked(ctx, tx, was, award); err != nil {
				return err
			}
			got, err := e.write(ctx, tx, arrival{remote: p.remote, run: p.run.ID}, l, award, true, "missing at "+string(p.remote.Name))
			if err != nil {
				return err
			}
			sum.add(got)
		}
		return nil
	})
	if err != nil {
		return err
	}
	p.take(sum)
	p.run.Changed, p.run.Pushes = p.found.changed, p.found.pushes
	return nil
}
