package backpack

import (
	"context"
	"errors"
	"fmt"

	"badgebridge/openbadges/verify"
	"badgebridge/store"
)

// Look says what Collect would do with a badge, and keeps nothing.
func (b *Backpack) Look(ctx context.Context, personID string, in Given) (Result, error) {
	who, err := b.identifiers(ctx, personID)
	if err != nil {
		return Result{}, fmt.Errorf("look at a badge: %w", err)
	}
	in = b.resolved(in)
	rep := verify.Verify(ctx, verify.Input{URL: in.URL, Data: in.Data}, verify.Options{Fetcher: b.cfg.Fetcher, Recipient: who, Now: b.cfg.Now, SkipImages: true})
	res := Result{Report: rep, Fate: Kept}
	if _, res.Reason = judge(rep); res.Reason != "" {
		res.Fate = Refused
		return res, nil
	}
	if rep.Recipient.Matched == nil || !*rep.Recipient.Matched {
		res.Fate, res.To = Awaiting, plainAddress(rep.Assertion)
		return res, nil
	}
	at := locator(rep)
	c, err := b.cfg.Store.CollectedBy(ctx, personID, at)
	switch {
	case err == nil && c.AwardID != "":
		res.Fate, res.ID, res.AwardID = Known, c.ID, c.AwardID
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return Result{}, fmt.Errorf("look at a badge: %w", err)
	}
	if id, ok := b.ownAssertion(ctx, at); ok && res.Fate != Known {
		if a, err := b.cfg.Store.Assertion(ctx, id, "2.0"); err == nil {
			res.Fate, res.AwardID = Known, a.AwardID
		}
	}
	return res, nil
}
