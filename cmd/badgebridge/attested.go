package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"badgebridge/store"
	"badgebridge/sync/backpack"
)

// attested has the assertion that an award's origin hosts (Credly's) verified and
// kept for its person, who has proven the address it is to; from then on it is
// checked again like everything that they collect.
func (a *app) attested(ctx context.Context, args []byte) error {
	var in struct {
		AwardID string `json:"award_id"`
	}
	if err := json.Unmarshal(args, &in); err != nil {
		return err
	}
	award, err := a.db.Award(ctx, in.AwardID)
	if errors.Is(err, store.ErrNotFound) || err == nil && (award.PersonID == "" || award.Revoked || award.AssertionURL == "") {
		return nil
	}
	if err != nil {
		return err
	}
	if a.backpack == nil {
		return errors.New("only a serving gateway verifies what others host")
	}
	res, err := a.backpack.Collect(ctx, award.PersonID, backpack.Given{URL: award.AssertionURL, Source: "sync"})
	if err != nil {
		return err
	}
	if res.Fate == backpack.Refused && res.Reason == backpack.ReasonUnreachable {
		return fmt.Errorf("the assertion of award %s can't be read yet", award.ID)
	}
	if res.Fate == backpack.Refused {
		a.log.WarnContext(ctx, "an origin's own assertion does not verify", "award", award.ID, "origin", award.Origin, "reason", res.Reason)
	}
	return nil
}
