package main

import (
	"context"
	"fmt"
	"strings"

	"badgebridge/sandbox/demo"
	"badgebridge/store"
	"badgebridge/sync/backpack"
)

// goneAfter is how many checks find nothing before a source counts as gone.
const goneAfter = 4

// playEarner has a member bring badges from another issuer, which takes one back
// and loses another, and arrange and show what she has.
func playEarner(ctx context.Context, a *app, s *sandboxes) error {
	personID, err := enrol(ctx, a, s, demo.Earner)
	if err != nil {
		return err
	}
	for _, badge := range []string{"Reviewer", "Mentor"} {
		if err := claimAs(ctx, a, personID, badge); err != nil {
			return err
		}
	}
	if err := bringFromCollege(ctx, a, s, personID); err != nil {
		return err
	}
	awards, err := awardsByName(ctx, a, personID)
	if err != nil {
		return err
	}
	for name, v := range demo.Showing() {
		if err := a.engine.SetVisibility(ctx, awards[name], personID, store.Visibility(v)); err != nil {
			return fmt.Errorf("show %q: %w", name, err)
		}
	}
	for i, c := range demo.Collections() {
		if err := collectDemo(ctx, a, personID, i, c, awards); err != nil {
			return fmt.Errorf("collection %q: %w", c.Name, err)
		}
	}
	p, err := a.db.Profile(ctx, personID)
	if err != nil {
		return err
	}
	p.Handle, p.About, p.Link, p.ShowName, p.Visibility = demo.Handle, demo.About, demo.Link, true, store.Public
	return a.db.PutProfile(ctx, p)
}

// bringFromCollege adds badges by address and as files, as the page does; then
// time passes at the college.
func bringFromCollege(ctx context.Context, a *app, s *sandboxes, personID string) error {
	kept := map[string]string{}
	for _, b := range demo.Elsewhere() {
		given := backpack.Given{URL: s.college.Address(b.Slug), Source: "url"}
		if b.Credential {
			text, err := s.college.Credential(b.Slug)
			if err != nil {
				return err
			}
			given = backpack.Given{Data: text, Source: "file"}
		}
		res, err := a.backpack.Collect(ctx, personID, given)
		if err != nil {
			return fmt.Errorf("bring %q: %w", b.Name, err)
		}
		if res.Fate != backpack.Kept {
			return fmt.Errorf("bring %q: %s %s: %s", b.Name, res.Fate, res.Reason, strings.Join(res.Report.Problems(), "; "))
		}
		kept[b.Slug] = res.ID
	}
	if err := s.college.Revoke(demo.RevokedThere, demo.RevokedReason); err != nil {
		return err
	}
	if err := s.college.Forget(demo.GoneThere); err != nil {
		return err
	}
	for slug, want := range map[string]store.Standing{demo.RevokedThere: store.RevokedNow, demo.GoneThere: store.GoneSource} {
		var c store.Collected
		for range goneAfter {
			var err error
			if c, _, err = a.backpack.Recheck(ctx, kept[slug]); err != nil {
				return err
			}
		}
		if c.Standing != want {
			return fmt.Errorf("the badge %q is %s at the college: %s", slug, c.Standing, c.Message)
		}
	}
	return nil
}

// awardsByName are the person's claimed badges.
func awardsByName(ctx context.Context, a *app, personID string) (map[string]string, error) {
	awards, err := a.db.AwardsOf(ctx, personID, 100)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, award := range awards {
		if award.Claim != store.Claimed {
			continue
		}
		c, err := a.db.Class(ctx, award.ClassID)
		if err != nil {
			return nil, err
		}
		out[c.Content.Name] = award.ID
	}
	return out, nil
}

func collectDemo(ctx context.Context, a *app, personID string, position int, c demo.Collection, awards map[string]string) error {
	row := store.Collection{PersonID: personID, Name: c.Name, Story: c.Story, Visibility: store.ByLink, Position: position}
	if c.Public {
		row.Visibility = store.Public
	}
	row, err := a.db.CreateCollection(ctx, row)
	if err != nil {
		return err
	}
	var badges []store.CollectionBadge
	for _, name := range c.Badges {
		badges = append(badges, store.CollectionBadge{AwardID: awards[name], Note: c.Notes[name]})
	}
	if err := a.db.SetCollectionBadges(ctx, row.ID, badges); err != nil {
		return err
	}
	row.CoverID = awards[c.Cover]
	return a.db.PutCollection(ctx, row)
}
