package engine

import (
	"context"
	"errors"
	"fmt"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/outbox"
	"badgebridge/sync/reconcile"
)

// plan brings the pushes of one award in line with the facts and returns how
// many rows it made or changed.
func (e *Engine) plan(ctx context.Context, tx store.Tx, awardID, cause string) (int, error) {
	award, err := tx.Award(ctx, awardID)
	if err != nil {
		return 0, fmt.Errorf("plan award %s: %w", awardID, err)
	}
	mappings, err := tx.MappingsOf(ctx, award.ClassID)
	if err != nil {
		return 0, fmt.Errorf("plan award %s: %w", awardID, err)
	}
	facts, err := e.facts(ctx, tx, award, mappings)
	if err != nil {
		return 0, fmt.Errorf("plan award %s: %w", awardID, err)
	}
	actions := reconcile.Plan(facts)
	if err := e.handOver(ctx, tx, facts); err != nil {
		return 0, fmt.Errorf("plan award %s: hand its copy over: %w", awardID, err)
	}
	for _, a := range actions {
		if err := e.apply(ctx, tx, award, a, cause); err != nil {
			return 0, fmt.Errorf("plan award %s: %s at %s: %w", awardID, a.Op, a.Remote, err)
		}
	}
	return len(actions), nil
}

// apply writes one action.
func (e *Engine) apply(ctx context.Context, tx store.Tx, award store.Award, a reconcile.Action, cause string) error {
	now := store.Moment(e.cfg.Now())
	if a.PushID == "" {
		p := store.Push{
			Key: outbox.Key(a.Op, a.Remote, award.ID, a.Generation), Op: a.Op, Remote: a.Remote, AwardID: award.ID,
			Generation: a.Generation, MappingID: a.MappingID, State: a.State, Reason: a.Reason, Ref: a.Ref, Cause: cause,
			CreatedAt: now, UpdatedAt: now,
		}
		if a.State == store.PushQueued {
			p.NextAt = now
		}
		_, err := tx.CreatePush(ctx, p)
		if err != nil {
			return err
		}
		return e.askForName(ctx, tx, award, a)
	}
	p, err := tx.Push(ctx, a.PushID)
	if err != nil {
		return err
	}
	from := p.State
	p.State, p.Reason, p.UpdatedAt = a.State, a.Reason, now
	if a.MappingID != "" {
		p.MappingID = a.MappingID
	}
	if a.State == store.PushQueued {
		p.NextAt, p.Attempts = now, 0
	}
	if err := tx.SavePush(ctx, p, from, "", false); err != nil {
		if errors.Is(err, store.ErrStale) {
			return nil // it is being sent at this moment; its end plans anew
		}
		return err
	}
	return e.askForName(ctx, tx, award, a)
}

// askForName mails the member once when an award waits for their name.
func (e *Engine) askForName(ctx context.Context, tx store.Tx, award store.Award, a reconcile.Action) error {
	if a.State != store.PushWaiting || a.Reason != reconcile.WaitName || award.PersonID == "" {
		return nil
	}
	return e.enqueue(ctx, tx, "mail.name", award.ID)
}

// facts gathers what reconcile looks at.
func (e *Engine) facts(ctx context.Context, tx store.Tx, award store.Award, mappings []store.Mapping) (reconcile.Facts, error) {
	now := e.cfg.Now()
	recipient, err := e.recipient(ctx, tx, award)
	if err != nil {
		return reconcile.Facts{}, err
	}
	f := reconcile.Facts{Award: reconcile.Award{
		ID: award.ID, Origin: award.Origin, Claim: award.Claim, Revoked: award.Revoked, Flagged: award.Flag != "",
		Expired:    !award.Expires.IsZero() && award.Expires.Before(now),
		HasAddress: recipient.Type == openbadges.IdentityEmail && !recipient.Hashed && recipient.Identity != "",
		Named:      recipient.Named(),
		IssuedOn:   award.IssuedOn, ClaimedAt: award.ClaimedAt,
	}}
	links, err := tx.LinksOf(ctx, award.ID)
	if err != nil {
		return f, err
	}
	for _, l := range links {
		if l.Role == store.RoleOrigin && l.Acceptance == string(openbadges.AcceptanceRejected) {
			f.Award.Rejected = true
		}
		heir, err := e.heir(ctx, tx, award, l)
		if err != nil {
			return f, err
		}
		f.Links = append(f.Links, reconcile.Link{Remote: l.Remote, Ref: l.Ref, Role: l.Role, State: l.State, Generation: l.Generation, Heir: heir.ID})
	}
	pushes, err := tx.PushesOf(ctx, award.ID)
	if err != nil {
		return f, err
	}
	for _, p := range pushes {
		f.Pushes = append(f.Pushes, reconcile.Push{ID: p.ID, Op: p.Op, Remote: p.Remote, Generation: p.Generation, State: p.State, Reason: p.Reason, Ref: p.Ref})
	}
	for _, m := range mappings {
		t, ok, err := e.target(ctx, tx, award, m)
		if err != nil {
			return f, err
		}
		if ok {
			f.Targets = append(f.Targets, t)
		}
	}
	return f, nil
}

// target reads a mapping from the award's side. ok is false when the other side
// no longer exists.
func (e *Engine) target(ctx context.Context, tx store.Tx, award store.Award, m store.Mapping) (t reconcile.Target, ok bool, err error) {
	other, when, revoke, since := m.ClassB, m.AToB, m.RevokeAB, m.SinceAB
	if m.ClassB == award.ClassID {
		other, when, revoke, since = m.ClassA, m.BToA, m.RevokeBA, m.SinceBA
	}
	class, err := tx.Class(ctx, other)
	if errors.Is(err, store.ErrNotFound) {
		return t, false, nil
	}
	if err != nil {
		return t, false, err
	}
	_, adapter, err := e.adapter(ctx, tx, class.Remote)
	if errors.Is(err, store.ErrNotFound) {
		return t, false, nil
	}
	if err != nil {
		return t, false, err
	}
	t = reconcile.Target{Remote: class.Remote, MappingID: m.ID, When: when, Since: since, Revoke: revoke,
		RevokeRejected: m.OnReject == store.RejectRevokes, Paused: m.Paused != "", Issuable: class.Issuable}
	_, t.CanIssue = adapter.(adapters.Issuer)
	_, t.CanRevoke = adapter.(adapters.Revoker)
	_, t.NeedsName = adapter.(adapters.NameRequirer)
	twins, err := tx.CandidateAwards(ctx, class.ID, award.Recipient.Identity, award.EarnerKey, award.PersonID)
	if err != nil {
		return t, false, err
	}
	for _, twin := range twins {
		t.Twin = t.Twin || !twin.Revoked
	}
	return t, true, nil
}

// recipient is whom the award is to: the address that the person chose among
// their own, and the names that they gave.
func (e *Engine) recipient(ctx context.Context, tx store.Tx, award store.Award) (openbadges.Recipient, error) {
	r := award.Recipient
	if award.PersonID == "" {
		return r, nil
	}
	p, err := tx.Person(ctx, award.PersonID)
	if err != nil {
		return r, err
	}
	if named := (openbadges.Recipient{GivenName: p.GivenName, FamilyName: p.FamilyName}); named.Named() {
		r.GivenName, r.FamilyName = p.GivenName, p.FamilyName
	}
	d, err := tx.Destination(ctx, award.ID)
	if errors.Is(err, store.ErrNotFound) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	// An address that is not theirs any more is not used.
	switch id, err := tx.Identifier(ctx, openbadges.IdentityEmail, d.Email); {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return r, err
	case id.PersonID == award.PersonID:
		r = openbadges.Recipient{Type: openbadges.IdentityEmail, Identity: d.Email, GivenName: r.GivenName, FamilyName: r.FamilyName}
	}
	return r, nil
}

// enqueue asks for background work about one award, once per kind and award.
func (e *Engine) enqueue(ctx context.Context, tx store.Tx, kind, awardID string) error {
	return tx.Enqueue(ctx, store.Job{Kind: kind, Args: []byte(`{"award_id":"` + awardID + `"}`), UniqueKey: kind + ":" + awardID})
}
