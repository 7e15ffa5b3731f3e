package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/outbox"
)

// A second POST is worse than a late one. Before an issue is sent whose
// predecessor may have succeeded, or which somebody may have made by hand before
// the gateway knew of it, the remote is asked: by our own key of the recipient,
// then by every address that they have proven. What it has is linked; what it
// can't say goes to a person.

// settle asks the remote about a push whose call may have happened. again is
// true when the remote surely has not got it, so that the push, which is still
// leased, may be sent.
func (e *Engine) settle(ctx context.Context, pc *parcel) (again bool, err error) {
	if pc.push.Op != store.OpIssue {
		return true, nil // revoking, removing and updating twice is no error
	}
	return e.look(ctx, pc)
}

// lookFirst asks the remote before the first call of an issue where it may be
// there already. It costs calls, so that it is done only while the gateway has
// not read for itself what is there.
func (e *Engine) lookFirst(ctx context.Context, pc *parcel) (again bool, err error) {
	if _, ok := pc.adapter.(adapters.Finder); !ok {
		return true, nil
	}
	if _, ok := pc.adapter.(adapters.Source); !ok {
		return true, nil // nothing is ever read there: what was sent is all there is to know
	}
	r, err := e.cfg.Store.Remote(ctx, pc.push.Remote)
	if err != nil {
		return false, err
	}
	// A process that starts may stand on a restored database, which has forgotten
	// what it sent since.
	read := !r.ListedAt.IsZero() && !r.ReadAt.Before(e.started)
	if read && !r.ListedAt.Before(pc.listed) {
		return true, nil
	}
	pc.issuance.Existing = true
	return e.look(ctx, pc)
}

// look asks the remote whether it has what the push would issue, and settles the
// push if it has, or if it can't say.
func (e *Engine) look(ctx context.Context, pc *parcel) (again bool, err error) {
	p, from, now := pc.push, pc.push.State, store.Moment(e.cfg.Now())
	ref, found, err := e.seen(ctx, pc)
	if err == nil && found != adapters.Present {
		ref, found, err = e.find(ctx, pc)
	}
	end, stop := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer stop()
	switch {
	case err != nil && from == store.PushSent:
		return false, e.save(end, outbox.Unsettled(p, err, now), from, false)
	case err != nil:
		p.Attempts++
		p = outbox.Failed(p, err, now, pc.settle)
		return false, e.save(end, p, from, false)
	case found == adapters.Present:
		reason := ""
		if from != store.PushSent || p.Reason == outbox.Hidden {
			reason = outbox.Exists
		}
		return false, e.done(end, p, ref, reason, &pc.issuance)
	case found == adapters.Absent && p.Reason == outbox.Hidden && from == store.PushSent:
		p.State, p.Reason = store.PushHeld, outbox.Elsewhere
		return false, e.save(end, p, from, false)
	case found == adapters.Absent, p.Reason == outbox.Vouched:
		pc.push.Unsure = false
		return true, nil
	}
	p.State, p.Reason = store.PushHeld, outbox.Doubt
	return false, e.save(end, p, from, false)
}

// seen says whether a pull has brought this very copy in the meantime.
func (e *Engine) seen(ctx context.Context, pc *parcel) (adapters.Ref, adapters.Found, error) {
	links, err := e.cfg.Store.LinksOf(ctx, pc.award.ID)
	for _, l := range links {
		if l.Remote == pc.push.Remote && !past(l, pc.push) {
			return l.Ref, adapters.Present, err
		}
	}
	return "", adapters.Unknown, err
}

// past says that a record is an earlier copy than the one that the push makes.
func past(l store.Link, p store.Push) bool {
	return l.Role == store.RoleCopy && max(l.Generation, 1) < p.Generation
}

// refused follows a remote's word that the recipient has the badge there: which
// record is it?
func (e *Engine) refused(ctx context.Context, pc parcel, said error) error {
	p := pc.push
	p.Unsure = false // it refused this one
	ref, found, err := e.find(ctx, &pc)
	if err == nil && found == adapters.Present {
		return e.done(ctx, p, ref, outbox.Exists, &pc.issuance)
	}
	if _, ok := pc.adapter.(adapters.Finder); !ok {
		return e.save(ctx, outbox.Failed(p, said, store.Moment(e.cfg.Now()), pc.settle), store.PushSent, false)
	}
	return e.save(ctx, outbox.Refound(p, said, store.Moment(e.cfg.Now()), pc.settle), store.PushSent, false)
}

// find asks the remote. Without a Finder nothing can be known.
func (e *Engine) find(ctx context.Context, pc *parcel) (adapters.Ref, adapters.Found, error) {
	finder, ok := pc.adapter.(adapters.Finder)
	if !ok {
		return "", adapters.Unknown, nil
	}
	if err := e.relate(ctx, pc); err != nil {
		return "", adapters.Unknown, err
	}
	call, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
	defer cancel()
	return finder.Find(call, pc.issuance)
}

// relate adds to the issuance what Find has to know besides the award itself.
func (e *Engine) relate(ctx context.Context, pc *parcel) error {
	st, in := e.cfg.Store, &pc.issuance
	award := pc.award
	in.Addresses, in.Siblings, in.Past = nil, nil, nil
	if award.PersonID != "" {
		ids, err := st.IdentifiersOf(ctx, award.PersonID)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if id.Type == openbadges.IdentityEmail {
				in.Addresses = append(in.Addresses, id.Value)
			}
		}
	}
	if a := award.Recipient; a.Type == openbadges.IdentityEmail && !a.Hashed && a.Identity != "" && !slices.Contains(in.Addresses, a.Identity) {
		in.Addresses = append(in.Addresses, a.Identity)
	}
	links, err := st.LinksOf(ctx, award.ID)
	if err != nil {
		return err
	}
	for _, l := range links {
		if l.Remote == pc.push.Remote && past(l, pc.push) {
			in.Past = append(in.Past, l.Ref)
		}
	}
	twins, err := st.CandidateAwards(ctx, award.ClassID, award.Recipient.Identity, award.EarnerKey, award.PersonID)
	if err != nil {
		return err
	}
	for _, twin := range twins {
		if twin.ID == award.ID {
			continue
		}
		refs, err := e.refsAt(ctx, st, twin.ID, pc.push.Remote)
		if err != nil {
			return err
		}
		for _, ref := range append(refs, "") {
			in.Siblings = append(in.Siblings, adapters.Sibling{Ref: ref, IssuedOn: twin.IssuedOn})
		}
	}
	return nil
}

// refsAt are the records of an award at a remote.
func (e *Engine) refsAt(ctx context.Context, tx store.Tx, awardID string, remote adapters.Remote) (refs []adapters.Ref, err error) {
	links, err := tx.LinksOf(ctx, awardID)
	for _, l := range links {
		if l.Remote == remote {
			refs = append(refs, l.Ref)
		}
	}
	return refs, err
}

// fresh says whether a record that the remote does not know was made so lately
// that it may not be shown yet.
func (e *Engine) fresh(ctx context.Context, pc parcel) (bool, error) {
	if pc.settle == 0 {
		return false, nil
	}
	link, err := e.cfg.Store.Link(ctx, pc.push.Remote, pc.push.Ref)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && e.cfg.Now().Before(link.CreatedAt.Add(pc.settle)), err
}
