package backpack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"badgebridge/openbadges/verify"
	"badgebridge/store"
)

// How often a kept badge is looked at again.
const (
	recheckEvery  = 7 * 24 * time.Hour
	recheckFailed = time.Hour // after the first check that could not be decided, doubling
	recheckMost   = 14 * 24 * time.Hour
	// goneAfter is how many checks in a row have to fail before a source counts
	// as gone.
	goneAfter = 4
	perHost   = 10 // checks of one host in one round
	atOnce    = 4
)

// nextCheck says when a badge is to be checked again; never, once it is revoked
// or known to be false. The hour is spread by the badge's name, so that a
// thousand badges that were brought together don't knock at one door together.
func nextCheck(c store.Collected, now time.Time) time.Time {
	switch c.Standing {
	case store.RevokedNow, store.NotGenuine, store.AwaitsProof:
		return time.Time{}
	case store.Genuine, store.ExpiredNow:
		h := fnv.New32a()
		_, _ = h.Write([]byte(c.Locator))
		return store.Moment(now.Add(recheckEvery - time.Duration(h.Sum32()%(24*3600))*time.Second))
	}
	wait := recheckFailed << min(c.Failures, 9)
	return store.Moment(now.Add(min(wait, recheckMost)))
}

// Recheck verifies a kept badge again, tells by changed whether its standing is
// another one now, and returns it as it is after that.
func (b *Backpack) Recheck(ctx context.Context, id string) (c store.Collected, changed bool, err error) {
	c, err = b.cfg.Store.Collected(ctx, id)
	if err != nil {
		return c, false, fmt.Errorf("check a badge again: %w", err)
	}
	in := verify.Input{URL: c.Locator}
	if c.Verification != "hosted" || !isWeb(c.Locator) {
		sha := c.DocumentSHA
		if c.OriginalSHA != "" {
			sha = c.OriginalSHA // a JWS or JWT is more than its payload
		}
		doc, err := b.cfg.Store.Document(ctx, sha)
		if err != nil {
			return c, false, fmt.Errorf("check a badge again: %w", err)
		}
		in = verify.Input{Data: doc.Body}
	}
	who, err := b.identifiers(ctx, c.PersonID)
	if err != nil {
		return c, false, fmt.Errorf("check a badge again: %w", err)
	}
	rep := verify.Verify(ctx, in, verify.Options{Fetcher: b.cfg.Again, Recipient: who, Now: b.cfg.Now, SkipImages: true})
	if ctx.Err() != nil {
		return c, false, ctx.Err() // a check that was cut short says nothing
	}
	changed, err = b.noteCheck(ctx, &c, rep)
	if err != nil {
		return c, false, fmt.Errorf("check a badge again: %w", err)
	}
	if changed && c.AwardID != "" {
		b.cfg.Changed(c.AwardID)
	}
	return c, changed, nil
}

// noteCheck writes what a check found.
func (b *Backpack) noteCheck(ctx context.Context, c *store.Collected, rep verify.Report) (bool, error) {
	was := c.Standing
	if was == store.AwaitsProof {
		return false, nil
	}
	c.CheckedAt = store.Moment(b.cfg.Now())
	standing, reason := judge(rep)
	found := true // the check found something out about the badge
	switch reason {
	case "":
		c.Standing = standing
	case ReasonRevoked:
		c.Standing = store.RevokedNow
	case ReasonInvalid, ReasonUnreadable, ReasonNotThere, ReasonNotABadge:
		if found = !sourceIsGone(rep); found {
			c.Standing = store.NotGenuine
		}
	default:
		found = false
	}
	if found {
		b.describe(c, rep)
	} else {
		// The last report that says something stays.
		c.Standing, c.Failures = gone(*c), c.Failures+1
		if c.GoneSince.IsZero() {
			c.GoneSince = c.CheckedAt
		}
		if p := rep.Problems(); len(p) > 0 {
			c.Message = p[0]
		}
		c.NextCheck = store.Moment(b.cfg.Now().Add(min(recheckFailed<<min(c.Failures, 9), recheckMost)))
	}
	err := b.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		if err := tx.PutCollected(ctx, *c); err != nil {
			return err
		}
		if c.Standing != store.RevokedNow || was == store.RevokedNow || c.AwardID == "" {
			return nil
		}
		return b.revokeAward(ctx, tx, c.AwardID, rep)
	})
	return was != c.Standing, err
}

// gone is how a badge stands whose source does not answer: as before for a
// while, then as one whose source is gone, if it ever was genuine.
func gone(c store.Collected) store.Standing {
	switch {
	case c.Failures+1 < goneAfter:
		return c.Standing
	case c.GenuineAt.IsZero():
		return store.Undecided
	}
	return store.GoneSource
}

// sourceIsGone: the document, and not what it says, is missing. A 404 of a
// hosted badge is that; 410 is a revocation.
func sourceIsGone(rep verify.Report) bool {
	bad := false
	for _, c := range rep.Checks {
		if c.Status == verify.Fail {
			if c.Name != "hosting" && c.Name != "format" {
				return false
			}
			bad = true
		}
	}
	return bad && rep.Assertion == nil
}

// revokeAward takes back an award that a person brought. Awards of remotes are
// their origin's to revoke.
func (b *Backpack) revokeAward(ctx context.Context, tx store.Tx, awardID string, rep verify.Report) error {
	award, err := tx.Award(ctx, awardID)
	if err != nil {
		return err
	}
	if award.Origin != store.BackpackOrigin || award.Revoked {
		return nil
	}
	award.Revoked, award.RevokedAt = true, store.Moment(b.cfg.Now())
	if rep.Badge != nil {
		award.RevocationReason = rep.Badge.RevocationReason
	}
	if _, err = tx.PutAward(ctx, award); err != nil {
		return err
	}
	args, err := json.Marshal(struct {
		AwardID string `json:"award_id"`
	}{awardID})
	if err != nil {
		return err
	}
	return tx.Enqueue(ctx, store.Job{Kind: JobRevoked, Args: args, UniqueKey: awardID})
}

// JobRevoked is the kind of the job that tells a person that a badge which they
// brought was taken back. Its args are {"award_id": …}.
const JobRevoked = "mail.collected-revoked"

// noteRevoked: somebody brought a document that was taken back, and it is in
// their backpack from better days.
func (b *Backpack) noteRevoked(ctx context.Context, personID string, rep verify.Report) error {
	c, err := b.cfg.Store.CollectedBy(ctx, personID, rep.Subject)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	changed, err := b.noteCheck(ctx, &c, rep)
	if changed && c.AwardID != "" {
		b.cfg.Changed(c.AwardID)
	}
	return err
}

// RecheckDue checks what is due, no host more than a few times, and returns how
// many were checked and how many stand otherwise now. Errors of one badge stop
// no other.
func (b *Backpack) RecheckDue(ctx context.Context, limit int) (checked, changed int, err error) {
	due, err := b.cfg.Store.CollectedDue(ctx, b.cfg.Now(), limit)
	if err != nil {
		return 0, 0, err
	}
	byHost := map[string][]store.Collected{}
	for _, c := range due {
		h := hostOf(c.Locator)
		if len(byHost[h]) < perHost {
			byHost[h] = append(byHost[h], c)
		}
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	slots := make(chan struct{}, atOnce)
	for _, list := range byHost {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			for _, c := range list {
				if ctx.Err() != nil {
					return
				}
				_, other, err := b.Recheck(ctx, c.ID)
				mu.Lock()
				checked++
				if other {
					changed++
				}
				if err != nil {
					errs = append(errs, err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return checked, changed, errors.Join(errs...)
}

// Proven looks at the badges that waited for a proof: what is made out to an
// identifier that the person has proven by now is theirs. It returns how many
// became theirs.
func (b *Backpack) Proven(ctx context.Context, personID string) (int, error) {
	waiting, err := b.cfg.Store.CollectedWaiting(ctx, personID)
	if err != nil {
		return 0, fmt.Errorf("badges that waited: %w", err)
	}
	n := 0
	for _, c := range waiting {
		in := Given{Source: c.Source}
		if isWeb(c.Locator) && c.Verification == "hosted" {
			in.URL = c.Locator
		} else {
			sha := c.DocumentSHA
			if c.OriginalSHA != "" {
				sha = c.OriginalSHA
			}
			doc, err := b.cfg.Store.Document(ctx, sha)
			if err != nil {
				return n, fmt.Errorf("badges that waited: %w", err)
			}
			in.Data = doc.Body
		}
		res, err := b.Collect(ctx, personID, in)
		if err != nil {
			return n, err
		}
		if res.AwardID != "" {
			n++
		}
	}
	return n, nil
}
