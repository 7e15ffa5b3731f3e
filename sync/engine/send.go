package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/outbox"
)

// SendDue sends what is due, until nothing is or ctx ends, and returns how many
// attempts it made. Several processes may do so at once: a push is leased.
func (e *Engine) SendDue(ctx context.Context) (int, error) {
	total := 0
	for ctx.Err() == nil {
		now := e.cfg.Now()
		pushes, err := e.cfg.Store.LeasePushes(ctx, e.cfg.Owner, now, now.Add(2*e.cfg.CallTimeout+10*time.Second), e.cfg.Workers)
		if err != nil {
			return total, fmt.Errorf("lease pushes: %w", err)
		}
		if len(pushes) == 0 {
			return total, nil
		}
		var wg sync.WaitGroup
		for _, p := range pushes {
			wg.Go(func() {
				if err := e.send(ctx, p); err != nil && !errors.Is(err, store.ErrStale) {
					e.cfg.Log.Error("push not settled", "push", p.ID, "remote", p.Remote, "op", p.Op, "error", err)
				}
			})
		}
		wg.Wait()
		total += len(pushes)
	}
	return total, ctx.Err()
}

// parcel is a push with all that its call needs.
type parcel struct {
	push     store.Push
	award    store.Award
	adapter  adapters.Adapter
	issuance adapters.Issuance
	settle   time.Duration
	listed   time.Time // an issue is looked for first, unless all was read there after this moment
}

// send makes one attempt at a leased push. Errors are the store's; what the
// remote said is on the push.
func (e *Engine) send(ctx context.Context, p store.Push) error {
	pc, err := e.pack(ctx, p)
	if err != nil {
		// The mapping, the badge or the remote is gone: nothing can be sent, and a
		// person has to see why. A push that is unsure stays so, and is looked for
		// when that person sends it again.
		from := p.State
		p.State, p.Reason, p.Words = store.PushHeld, outbox.Config, err.Error()
		return e.save(ctx, p, from, false)
	}
	again := true
	if p.State == store.PushSent {
		again, err = e.settle(ctx, &pc)
	} else if p.Op == store.OpIssue {
		again, err = e.lookFirst(ctx, &pc)
	}
	if err != nil || !again {
		return err
	}
	if e.cfg.BaseURL(ctx) == "" {
		p, from := pc.push, pc.push.State
		p.State, p.Reason, p.NextAt = store.PushQueued, outbox.Config, store.Moment(e.cfg.Now().Add(time.Minute))
		p.Words = "The public base URL is not set; nothing is issued before."
		return e.save(ctx, p, from, false)
	}
	from := pc.push.State
	pc.push = outbox.Sending(pc.push, store.Moment(e.cfg.Now()), e.cfg.CallTimeout, pc.settle)
	if err := e.save(ctx, pc.push, from, true); err != nil {
		return err // stale: cancelled or replanned in the meantime; nothing was sent
	}
	call, cancel := context.WithDeadline(ctx, pc.push.Deadline)
	ref, err := e.call(call, pc)
	cancel()
	return e.finish(ctx, pc, ref, err)
}

// call is the one place where a push reaches a remote.
func (e *Engine) call(ctx context.Context, pc parcel) (adapters.Ref, error) {
	p := pc.push
	switch p.Op {
	case store.OpIssue:
		return pc.adapter.(adapters.Issuer).Issue(ctx, pc.issuance)
	case store.OpRevoke:
		reason := pc.issuance.Award.RevocationReason
		switch {
		case p.Cause == CauseElsewhere:
			reason = "Issued again to another address of the same person."
		case reason == "":
			reason = "Revoked by the issuer."
		}
		return p.Ref, pc.adapter.(adapters.Revoker).Revoke(ctx, p.Ref, reason)
	case store.OpRemove:
		return p.Ref, pc.adapter.(adapters.Remover).Remove(ctx, p.Ref)
	case store.OpUpdate:
		return p.Ref, pc.adapter.(adapters.Updater).Update(ctx, p.Ref, pc.issuance)
	}
	return "", fmt.Errorf("push %s: unknown operation %q", p.ID, p.Op)
}

// finish settles a push after its call, in a moment of its own so that a
// shutdown does not lose what the remote answered.
func (e *Engine) finish(ctx context.Context, pc parcel, ref adapters.Ref, err error) error {
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	p := pc.push
	if err == nil {
		return e.done(end, p, ref, "", nil)
	}
	if errors.Is(err, adapters.ErrConflict) && p.Op == store.OpIssue && !adapters.IsAmbiguous(err) {
		return e.refused(end, pc, err)
	}
	if errors.Is(err, adapters.ErrNotFound) && p.Op != store.OpIssue {
		fresh, ferr := e.fresh(end, pc)
		if ferr != nil {
			return ferr
		}
		if !fresh {
			return e.done(end, p, p.Ref, outbox.Exists, nil)
		}
		// The remote does not show it yet: to take that for gone would leave it there.
		err = &adapters.Error{Op: string(p.Op), Kind: adapters.ErrUnavailable, RetryAfter: pc.settle, Err: err}
	}
	if errors.Is(err, adapters.ErrUnauthorized) {
		if herr := e.noteHealth(end, p.Remote, adapters.Health{}, err); herr != nil {
			return herr
		}
	}
	p = outbox.Failed(p, err, store.Moment(e.cfg.Now()), pc.settle)
	return e.save(end, p, store.PushSent, false)
}

// done links what the remote has, settles the push, and plans what follows:
// an award that was revoked in the meantime is revoked there next. known are the
// awards that Find was told of; nil when the call itself made the record.
func (e *Engine) done(ctx context.Context, p store.Push, ref adapters.Ref, reason string, known *adapters.Issuance) error {
	err := e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		return e.doneIn(ctx, tx, p, ref, reason, known, e.cfg.Owner)
	})
	switch {
	case errors.Is(err, errTaken):
		p.NextAt = store.Moment(e.cfg.Now())
		return e.save(ctx, p, p.State, false)
	case errors.Is(err, store.ErrStale):
		return nil // a pull saw the record first and settled it
	}
	return err
}

// doneIn is done within a transaction. owner is whose lease the push is under, ""
// nobody's.
func (e *Engine) doneIn(ctx context.Context, tx store.Tx, p store.Push, ref adapters.Ref, reason string, known *adapters.Issuance, owner string) error {
	var err error
	if p.Op == store.OpIssue {
		reason, err = e.link(ctx, tx, p, ref, reason, known)
	} else {
		err = e.unlink(ctx, tx, p, ref)
	}
	if err != nil {
		return err
	}
	d := outbox.Done(p, ref, reason)
	d.UpdatedAt = store.Moment(e.cfg.Now())
	if err := tx.SavePush(ctx, d, p.State, owner, false); err != nil {
		return err
	}
	_, err = e.plan(ctx, tx, p.AwardID, "done at "+string(p.Remote))
	return err
}

// errTaken: what was found has become another award's in the meantime; look again.
var errTaken = errors.New("it is another award's")

// link joins the record that an issue made or found with its award.
func (e *Engine) link(ctx context.Context, tx store.Tx, p store.Push, ref adapters.Ref, reason string, known *adapters.Issuance) (string, error) {
	now := store.Moment(e.cfg.Now())
	link, err := tx.Link(ctx, p.Remote, ref)
	switch {
	case errors.Is(err, store.ErrNotFound):
		err = tx.CreateLink(ctx, store.Link{
			Remote: p.Remote, Ref: ref, AwardID: p.AwardID, Role: store.RoleCopy, State: store.LinkPresent,
			PushKey: p.Key, Generation: p.Generation, SeenAt: now, CreatedAt: now,
		})
		if errors.Is(err, store.ErrExists) {
			err = errTaken
		}
		return reason, err
	case err != nil || link.AwardID == p.AwardID:
		return reason, err
	case link.Role == store.RoleOrigin:
		return outbox.Exists, nil // an award of its own
	case known == nil:
		return reason, e.reclaim(ctx, tx, p, link)
	case !slices.ContainsFunc(known.Siblings, func(s adapters.Sibling) bool { return s.Ref == ref }):
		return "", errTaken
	}
	return outbox.Exists, nil // it stands for both
}

// reclaim gives a record to the award whose call made it. A pull that saw it
// before the call's answer could only guess between awards of one recipient; the
// one that it gave it to is looked for again.
func (e *Engine) reclaim(ctx context.Context, tx store.Tx, p store.Push, link store.Link) error {
	pushes, err := tx.PushesOf(ctx, link.AwardID)
	if err != nil {
		return err
	}
	for _, other := range pushes {
		if other.Op != store.OpIssue || other.State != store.PushDone || other.Remote != p.Remote || other.Ref != link.Ref {
			continue
		}
		other.State, other.Reason, other.Ref, other.Unsure = store.PushSent, outbox.Settling, "", true
		other.NextAt = store.Moment(e.cfg.Now())
		if err := tx.SavePush(ctx, other, store.PushDone, "", false); err != nil {
			return err
		}
	}
	link.AwardID, link.PushKey, link.Generation = p.AwardID, p.Key, p.Generation
	_, err = tx.PutLink(ctx, link)
	return err
}

// unlink notes what became of the record that was taken back.
func (e *Engine) unlink(ctx context.Context, tx store.Tx, p store.Push, ref adapters.Ref) error {
	link, err := tx.Link(ctx, p.Remote, ref)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil || link.AwardID != p.AwardID {
		return err
	}
	switch p.Op {
	case store.OpRevoke:
		link.State = store.LinkRevoked
	case store.OpRemove:
		link.State = store.LinkGone
	}
	_, err = tx.PutLink(ctx, link)
	return err
}

func (e *Engine) save(ctx context.Context, p store.Push, from store.PushState, keepLease bool) error {
	p.UpdatedAt = store.Moment(e.cfg.Now())
	return e.cfg.Store.SavePush(ctx, p, from, e.cfg.Owner, keepLease)
}

// pack reads what a push needs.
func (e *Engine) pack(ctx context.Context, p store.Push) (parcel, error) {
	st := e.cfg.Store
	_, adapter, err := e.adapter(ctx, st, p.Remote)
	if err != nil {
		return parcel{}, err
	}
	award, err := st.Award(ctx, p.AwardID)
	if err != nil {
		return parcel{}, fmt.Errorf("award: %w", err)
	}
	recipient, err := e.recipient(ctx, st, award)
	if err != nil {
		return parcel{}, fmt.Errorf("recipient: %w", err)
	}
	version, err := st.ClassVersion(ctx, award.ClassVersionID)
	if err != nil {
		return parcel{}, fmt.Errorf("badge: %w", err)
	}
	pc := parcel{push: p, award: award, adapter: adapter, issuance: adapters.Issuance{
		Key: p.Key, Recipient: recipient, EarnerKey: award.EarnerKey, PageURL: e.pageURL(ctx, award),
		Award: openbadges.Award{
			BadgeClass: version.Content, Recipient: recipient, IssuedOn: award.IssuedOn, Expires: award.Expires,
			Evidence: award.Evidence, Narrative: award.Narrative,
			Revoked: award.Revoked, RevokedOn: award.RevokedAt, RevocationReason: award.RevocationReason,
		},
	}}
	if f, ok := adapter.(adapters.Finder); ok {
		pc.settle = f.Settle()
	}
	switch p.Op {
	case store.OpIssue:
		if _, ok := adapter.(adapters.Issuer); !ok {
			return parcel{}, fmt.Errorf("%s can't award badges", p.Remote)
		}
		if err := e.addClass(ctx, &pc); err != nil {
			return parcel{}, err
		}
	case store.OpRevoke:
		if _, ok := adapter.(adapters.Revoker); !ok {
			return parcel{}, fmt.Errorf("%s can't revoke badges", p.Remote)
		}
	case store.OpRemove:
		if _, ok := adapter.(adapters.Remover); !ok {
			return parcel{}, fmt.Errorf("%s can't remove badges", p.Remote)
		}
	case store.OpUpdate:
		if _, ok := adapter.(adapters.Updater); !ok {
			return parcel{}, fmt.Errorf("%s can't change badges", p.Remote)
		}
	}
	return pc, nil
}

// addClass adds what the push's mapping says: the badge at the remote, whether
// that remote is who tells the member, and whether the award is from before the
// policy.
func (e *Engine) addClass(ctx context.Context, pc *parcel) error {
	remote := pc.push.Remote
	m, err := e.cfg.Store.Mapping(ctx, pc.push.MappingID)
	if err != nil {
		return fmt.Errorf("the mapping that asked for this: %w", err)
	}
	other, mailer := m.ClassB, store.MailB
	if m.ClassB == pc.award.ClassID {
		other, mailer = m.ClassA, store.MailA
	}
	class, err := e.cfg.Store.Class(ctx, other)
	if err != nil {
		return fmt.Errorf("the badge at %s: %w", remote, err)
	}
	if class.Remote != remote {
		return fmt.Errorf("the mapping names a badge of %s, not of %s", class.Remote, remote)
	}
	pc.issuance.Class, pc.issuance.Notify = class.Ref, m.Mailer == mailer
	if pc.award.IssuedOn.Before(m.BackfillAt) {
		pc.listed = m.BackfillAt
	}
	return nil
}

// pageURL is the award's public page: where it was issued, if that system shows it
// to everybody, else ours; "" while only the member may see it.
func (e *Engine) pageURL(ctx context.Context, a store.Award) string {
	if a.PageURL != "" {
		if a.AssertionURL != "" {
			return a.PageURL
		}
		return "" // a page to accept it, which is its earner's alone
	}
	base := e.cfg.BaseURL(ctx)
	if base == "" || a.Visibility == store.Private {
		return ""
	}
	return base + "/b/" + a.ID
}
