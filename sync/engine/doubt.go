package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/outbox"
)

// Where a remote can't say whether it did what was asked, a person looks there
// and decides. Either decision is a step of the push's story with that person's
// name, and neither lets a badge be issued twice that the remote can show: what is
// said to be there is read first, and what is said not to be there is looked for
// once more.

// ErrOtherRecord: the record that a person points at is not what the push was to
// make: another badge, another recipient's, or one that does not hold.
var ErrOtherRecord = errors.New("that is another record")

// Decidable tells which decisions about a push are open to a person: to say which
// record at the remote it is, and to have it sent because it is not there.
func (e *Engine) Decidable(ctx context.Context, p store.Push) (link, send bool, err error) {
	if p.Op != store.OpIssue || p.State != store.PushHeld || p.Reason != outbox.Doubt && p.Reason != outbox.Elsewhere {
		return false, false, nil
	}
	_, adapter, err := e.adapter(ctx, e.cfg.Store, p.Remote)
	if err != nil {
		return false, false, err
	}
	_, link = adapter.(adapters.Locator)
	// Where the remote itself says that the recipient has it, to send it is no use.
	return link, p.Reason == outbox.Doubt, nil
}

// LinkThere settles a push by the word of a person: the record that text names at
// the remote is what it was to make. store.ErrStale when the push waits for no
// such decision; ErrOtherRecord; store.ErrExists when the record is another
// award's; adapters.ErrRejected when text names no record, adapters.ErrNotFound
// when the remote shows none of that name.
func (e *Engine) LinkThere(ctx context.Context, pushID, personID, text string) error {
	p, err := e.decide(ctx, pushID, true)
	if err != nil {
		return fmt.Errorf("link push %s: %w", pushID, err)
	}
	if err := e.remap(ctx, &p); err != nil {
		return fmt.Errorf("link push %s: %w", pushID, err)
	}
	pc, err := e.pack(ctx, p)
	if err != nil {
		return fmt.Errorf("link push %s: %w", pushID, err)
	}
	call, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
	rec, err := pc.adapter.(adapters.Locator).Locate(call, text) //nolint:forcetypeassert // decide looked
	cancel()
	if err == nil {
		err = e.relate(ctx, &pc)
	}
	if err == nil {
		err = sameIssue(pc, rec)
	}
	if err != nil {
		return fmt.Errorf("link push %s: %w", pushID, err)
	}
	remote, err := e.cfg.Store.Remote(ctx, p.Remote)
	if err != nil {
		return fmt.Errorf("link push %s: %w", pushID, err)
	}
	p.By = personID
	var got outcome
	err = e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		if err := e.doneIn(ctx, tx, p, rec.Ref, outbox.Pointed, &pc.issuance, ""); err != nil {
			return err
		}
		got, err = e.take(ctx, tx, arrival{remote: remote, live: true}, rec)
		return err
	})
	if errors.Is(err, errTaken) {
		err = store.ErrExists
	}
	if err != nil {
		return fmt.Errorf("link push %s: %w", pushID, err)
	}
	for _, id := range got.awards {
		e.cfg.Changed(id)
	}
	e.Wake()
	return nil
}

// SendAbsent has a push sent by the word of a person who looked at the remote and
// found nothing. It is looked for once more before: what the remote shows by then
// is linked, whatever the person saw. store.ErrStale when the push waits for no
// such decision.
func (e *Engine) SendAbsent(ctx context.Context, pushID, personID string) error {
	p, err := e.decide(ctx, pushID, false)
	if err == nil {
		err = e.remap(ctx, &p)
	}
	if err == nil {
		now := store.Moment(e.cfg.Now())
		p.State, p.Reason, p.Words, p.Attempts, p.NextAt, p.UpdatedAt, p.By = store.PushSent, outbox.Vouched, "", 0, now, now, personID
		err = e.cfg.Store.SavePush(ctx, p, store.PushHeld, "", false)
	}
	if err != nil {
		return fmt.Errorf("send push %s: %w", pushID, err)
	}
	e.Wake()
	return nil
}

// decide reads a push that waits for a decision.
func (e *Engine) decide(ctx context.Context, pushID string, byLink bool) (store.Push, error) {
	p, err := e.cfg.Store.Push(ctx, pushID)
	if err != nil {
		return p, err
	}
	link, send, err := e.Decidable(ctx, p)
	if err == nil && (byLink && !link || !byLink && !send) {
		err = fmt.Errorf("it is %s (%s): %w", p.State, p.Reason, store.ErrStale)
	}
	return p, err
}

// sameIssue checks that a record can be what an issue made.
func sameIssue(pc parcel, rec adapters.Record) error {
	r := rec.Award.Recipient
	same := r.Type == openbadges.IdentityEmail && slices.ContainsFunc(pc.issuance.Addresses, func(one string) bool {
		return r.Identity == one || !r.Hashed && openbadges.NormalizeEmail(one) == openbadges.NormalizeEmail(r.Identity)
	})
	switch {
	case rec.Gone != nil, rec.Award.Revoked:
		return fmt.Errorf("it does not hold any more: %w", ErrOtherRecord)
	case rec.Award.BadgeClass.ID != string(pc.issuance.Class):
		return fmt.Errorf("it is of another badge: %w", ErrOtherRecord)
	case !same:
		return fmt.Errorf("it is another recipient's: %w", ErrOtherRecord)
	case slices.Contains(pc.issuance.Past, rec.Ref):
		return fmt.Errorf("it is an earlier copy: %w", ErrOtherRecord)
	}
	return nil
}
