package engine

import (
	"context"
	"errors"
	"fmt"
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
	adapter  adapters.Adapter
	issuance adapters.Issuance
	settle   time.Duration
}

// send makes one attempt at a leased push. Errors are the store's; what the
// remote said is on the push.
func (e *Engine) send(ctx context.Context, p store.Push) error {
	pc, err := e.pack(ctx, p)
	if err != nil {
		// The mapping, the badge or the remote is gone: nothing can be sent, and a
		// person has to see why.
		from := p.State
		p.State, p.Reason, p.Words = store.PushHeld, outbox.Config, err.Error()
		return e.save(ctx, p, from, false)
	}
	if p.State == store.PushSent {
		again, err := e.settle(ctx, &pc)
		if err != nil || !again {
			return err
		}
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
		return e.done(end, p, ref, "")
	}
	if errors.Is(err, adapters.ErrConflict) && p.Op == store.OpIssue && !adapters.IsAmbiguous(err) {
		// It is there already. Which record is it?
		if found, ok := e.find(end, pc); ok {
			return e.done(end, p, found, outbox.Exists)
		}
	}
	if errors.Is(err, adapters.ErrNotFound) && p.Op != store.OpIssue {
		return e.done(end, p, p.Ref, outbox.Exists)
	}
	if errors.Is(err, adapters.ErrUnauthorized) {
		if herr := e.noteHealth(end, p.Remote, adapters.Health{}, err); herr != nil {
			return herr
		}
	}
	p = outbox.Failed(p, err, store.Moment(e.cfg.Now()), pc.settle)
	return e.save(end, p, store.PushSent, false)
}

func (e *Engine) find(ctx context.Context, pc parcel) (adapters.Ref, bool) {
	finder, ok := pc.adapter.(adapters.Finder)
	if !ok {
		return "", false
	}
	call, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
	defer cancel()
	ref, found, err := finder.Find(call, pc.issuance)
	return ref, err == nil && found == adapters.Present
}

// settle asks the remote about a push whose call may have happened. again is
// true when the remote surely has not got it, so that the push, which is still
// leased, may be sent.
func (e *Engine) settle(ctx context.Context, pc *parcel) (again bool, err error) {
	p := pc.push
	now := store.Moment(e.cfg.Now())
	if p.Op != store.OpIssue {
		return true, nil // revoking, removing and updating twice is no error
	}
	finder, ok := pc.adapter.(adapters.Finder)
	if !ok {
		p.State, p.Reason = store.PushHeld, outbox.Doubt
		return false, e.save(ctx, p, store.PushSent, false)
	}
	call, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
	ref, found, err := finder.Find(call, pc.issuance)
	cancel()
	end, stop := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer stop()
	switch {
	case err != nil:
		return false, e.save(end, outbox.Unsettled(p, err, now), store.PushSent, false)
	case found == adapters.Present:
		return false, e.done(end, p, ref, "")
	case found == adapters.Absent:
		return true, nil
	}
	p.State, p.Reason = store.PushHeld, outbox.Doubt
	return false, e.save(end, p, store.PushSent, false)
}

// done links what the remote has, settles the push, and plans what follows:
// an award that was revoked in the meantime is revoked there next.
func (e *Engine) done(ctx context.Context, p store.Push, ref adapters.Ref, reason string) error {
	err := e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		now := store.Moment(e.cfg.Now())
		reason := reason
		link, err := tx.Link(ctx, p.Remote, ref)
		switch {
		case errors.Is(err, store.ErrNotFound) && p.Op == store.OpIssue:
			_, err = tx.PutLink(ctx, store.Link{
				Remote: p.Remote, Ref: ref, AwardID: p.AwardID, Role: store.RoleCopy, State: store.LinkPresent,
				PushKey: p.Key, Generation: p.Generation, SeenAt: now, CreatedAt: now,
			})
			if err != nil {
				return err
			}
		case err != nil && !errors.Is(err, store.ErrNotFound):
			return err
		case err == nil && link.AwardID != p.AwardID:
			reason = outbox.Exists // it belongs to an award of its own
		case err == nil && p.Op == store.OpRevoke:
			link.State = store.LinkRevoked
			if _, err := tx.PutLink(ctx, link); err != nil {
				return err
			}
		case err == nil && p.Op == store.OpRemove:
			link.State = store.LinkGone
			if _, err := tx.PutLink(ctx, link); err != nil {
				return err
			}
		}
		d := outbox.Done(p, ref, reason)
		d.UpdatedAt = now
		if err := tx.SavePush(ctx, d, store.PushSent, e.cfg.Owner, false); err != nil {
			return err
		}
		_, err = e.plan(ctx, tx, p.AwardID, "done at "+string(p.Remote))
		return err
	})
	if errors.Is(err, store.ErrStale) {
		return nil // a pull saw the record first and settled it
	}
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
	pc := parcel{push: p, adapter: adapter, issuance: adapters.Issuance{
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
		if pc.issuance.Class, pc.issuance.Notify, err = e.classAt(ctx, award, p); err != nil {
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

// classAt is the badge that the push's mapping names at its remote, and whether
// that remote is who tells the member.
func (e *Engine) classAt(ctx context.Context, award store.Award, p store.Push) (ref adapters.Ref, notify bool, err error) {
	m, err := e.cfg.Store.Mapping(ctx, p.MappingID)
	if err != nil {
		return "", false, fmt.Errorf("the mapping that asked for this: %w", err)
	}
	other, mailer := m.ClassB, store.MailB
	if m.ClassB == award.ClassID {
		other, mailer = m.ClassA, store.MailA
	}
	class, err := e.cfg.Store.Class(ctx, other)
	if err != nil {
		return "", false, fmt.Errorf("the badge at %s: %w", p.Remote, err)
	}
	if class.Remote != p.Remote {
		return "", false, fmt.Errorf("the mapping names a badge of %s, not of %s", class.Remote, p.Remote)
	}
	return class.Ref, m.Mailer == mailer, nil
}

// pageURL is the award's public page, "" while only the member may see it.
func (e *Engine) pageURL(ctx context.Context, a store.Award) string {
	base := e.cfg.BaseURL(ctx)
	if base == "" || a.Visibility == store.Private {
		return ""
	}
	return base + "/b/" + a.ID
}
