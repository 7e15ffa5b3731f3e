package engine

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/outbox"
)

// normalizer is the version of the code that turns records into awards. It is
// kept with each link, so that a fix can read the kept bytes again.
const normalizer = 1

// outcome counts what a record did, and names the awards that changed.
type outcome struct {
	new, changed, pushes int
	awards               []string
}

func (o *outcome) add(p outcome) {
	o.new += p.new
	o.changed += p.changed
	o.pushes += p.pushes
	o.awards = append(o.awards, p.awards...)
}

// arrival is where a record comes from.
type arrival struct {
	remote store.Remote
	run    string
	// live: the record came by the feed of changes, not by a first listing; only
	// then is the member told.
	live bool
}

// take records one record and plans what follows. It is idempotent: the same
// record again changes nothing.
func (e *Engine) take(ctx context.Context, tx store.Tx, from arrival, rec adapters.Record) (outcome, error) {
	link, err := tx.Link(ctx, from.remote.Name, rec.Ref)
	known := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return outcome{}, err
	}
	if rec.Gone != nil {
		if !known {
			return outcome{}, nil // it came and went between two pulls
		}
		return e.takeGone(ctx, tx, from, link, rec)
	}
	if known && rec.Version != "" && link.Version == rec.Version && link.Normalizer == normalizer && standing(link) {
		return outcome{}, nil
	}
	class, classChanged, err := e.takeClass(ctx, tx, from.remote.Name, rec.Award.BadgeClass)
	if err != nil {
		return outcome{}, err
	}
	doc, err := tx.PutDocument(ctx, "application/json", rec.Raw)
	if err != nil {
		return outcome{}, err
	}
	var out outcome
	switch {
	case known:
		out, err = e.takeAgain(ctx, tx, from, link, rec, doc)
	default:
		out, err = e.takeNew(ctx, tx, from, class, rec, doc)
	}
	if err == nil && classChanged {
		out.changed++
	}
	return out, err
}

// standing: the link says what a record that exists says.
func standing(l store.Link) bool { return l.State != store.LinkGone }

// takeGone records a tombstone.
func (e *Engine) takeGone(ctx context.Context, tx store.Tx, from arrival, link store.Link, rec adapters.Record) (outcome, error) {
	gone := *rec.Gone
	award, err := tx.Award(ctx, link.AwardID)
	if err != nil {
		return outcome{}, err
	}
	was := award
	if link.State = store.LinkGone; gone.Kind == adapters.GoneRevoked {
		link.State = store.LinkRevoked
	}
	link.Version = "" // whatever comes under this Ref again is read in full
	if link.Role == store.RoleOrigin {
		if gone.Kind == adapters.GoneRevoked {
			e.revoke(&award, gone.At, gone.Reason)
		} else if !award.Revoked {
			award.Flag = flagGone
			if gone.Notice != "" {
				award.Flag = string(gone.Notice)
			}
		}
	}
	if len(rec.Raw) > 0 {
		if link.DocumentSHA, err = tx.PutDocument(ctx, "application/json", rec.Raw); err != nil {
			return outcome{}, err
		}
	}
	if rec.Erased && link.Role == store.RoleOrigin {
		if err := e.erase(ctx, tx, from.remote.Name, &award, link.DocumentSHA); err != nil {
			return outcome{}, err
		}
	}
	if err := e.tellRevoked(ctx, tx, was, award); err != nil {
		return outcome{}, err
	}
	return e.write(ctx, tx, from, link, award, true, "revoked at "+string(from.remote.Name))
}

// takeAgain records a record that is linked already.
func (e *Engine) takeAgain(ctx context.Context, tx store.Tx, from arrival, link store.Link, rec adapters.Record, doc string) (outcome, error) {
	award, err := tx.Award(ctx, link.AwardID)
	if err != nil {
		return outcome{}, err
	}
	was := award
	describe(&link, rec, doc)
	if link.Role == store.RoleOrigin {
		fill(&award, rec.Award)
		if fromOrigin(award.Flag) {
			award.Flag = string(rec.Notice)
		}
		if rec.Erased {
			if err := e.erase(ctx, tx, from.remote.Name, &award, doc); err != nil {
				return outcome{}, err
			}
		}
		if rec.Award.Revoked {
			e.revoke(&award, rec.Award.RevokedOn, rec.Award.RevocationReason)
		}
		if award.Claim == store.Offered && rec.Award.Acceptance != openbadges.AcceptanceUnknown {
			award.Claim = claimFrom(rec.Award.Acceptance)
			if award.Claim == store.Claimed {
				award.ClaimedAt = store.Moment(e.cfg.Now()) // accepted since it was last read
			}
		}
	}
	if err := e.tellRevoked(ctx, tx, was, award); err != nil {
		return outcome{}, err
	}
	return e.write(ctx, tx, from, link, award, true, "changed at "+string(from.remote.Name))
}

// takeNew records a record that no link names: a copy of an award that is
// known, or a new award.
func (e *Engine) takeNew(ctx context.Context, tx store.Tx, from arrival, class store.Class, rec adapters.Record, doc string) (outcome, error) {
	link := store.Link{Remote: from.remote.Name, Ref: rec.Ref, Role: store.RoleOrigin, CreatedAt: store.Moment(e.cfg.Now())}
	describe(&link, rec, doc)
	earner, err := e.earnerKey(ctx, tx, rec.Award.Recipient)
	if err != nil {
		return outcome{}, err
	}
	award, push, found, err := e.copyOf(ctx, tx, class, earner, rec)
	if err != nil {
		return outcome{}, err
	}
	if found {
		link.AwardID, link.Role, link.Generation = award.ID, store.RoleCopy, 1
		if push.ID != "" {
			link.PushKey, link.Generation = push.Key, push.Generation
			if err := e.settleByPull(ctx, tx, push, rec.Ref); err != nil {
				return outcome{}, err
			}
		}
		return e.write(ctx, tx, from, link, award, false, "seen at "+string(from.remote.Name))
	}
	award = store.Award{
		ClassID: class.ID, ClassVersionID: class.VersionID, Origin: from.remote.Name, OriginRef: rec.Ref, EarnerKey: earner,
		Claim: claimFrom(rec.Award.Acceptance), Visibility: store.Private, CreatedAt: store.Moment(e.cfg.Now()),
	}
	fill(&award, rec.Award)
	award.Flag = string(rec.Notice)
	if rec.Award.Revoked {
		e.revoke(&award, rec.Award.RevokedOn, rec.Award.RevocationReason)
	}
	if award.Recipient.Type == openbadges.IdentityEmail && award.Recipient.Identity != "" {
		id, err := tx.Identifier(ctx, openbadges.IdentityEmail, award.Recipient.Identity)
		if err == nil {
			award.PersonID = id.PersonID
		} else if !errors.Is(err, store.ErrNotFound) {
			return outcome{}, err
		}
	}
	if award, err = tx.CreateAward(ctx, award); err != nil {
		return outcome{}, err
	}
	link.AwardID = award.ID
	out, err := e.write(ctx, tx, from, link, award, false, "award")
	out.new, out.changed = 1, 0
	if err == nil && e.tells(from, award) {
		ours, merr := e.mailsFor(ctx, tx, award.ClassID)
		if merr != nil || !ours {
			return out, merr
		}
		err = e.enqueue(ctx, tx, "mail.offer", award.ID)
	}
	return out, err
}

// tells says whether the member is told of a new award by mail: only of what
// happens from now on, never of a site's whole past, and only where the origin
// leaves the claim to us.
func (e *Engine) tells(from arrival, a store.Award) bool {
	return from.live && a.Claim == store.Offered && !a.Revoked && a.PageURL == "" && a.Recipient.Identity != "" &&
		!a.IssuedOn.Before(from.remote.CreatedAt.Add(-time.Minute))
}

// mailsFor says whether the gateway is who mails the members of a badge: unless a
// mapping gives that to one of its sides.
func (e *Engine) mailsFor(ctx context.Context, tx store.Tx, classID string) (bool, error) {
	mappings, err := tx.MappingsOf(ctx, classID)
	for _, m := range mappings {
		if m.Mailer != store.MailGateway && m.Mailer != "" {
			return false, err
		}
	}
	return true, err
}

// write saves link and award, notes the arrival, and plans.
// known is false for a record that had no link.
func (e *Engine) write(ctx context.Context, tx store.Tx, from arrival, link store.Link, award store.Award, known bool, cause string) (outcome, error) {
	now := store.Moment(e.cfg.Now())
	link.SeenAt = now
	linkChanged, err := e.putLink(ctx, tx, link, known)
	if err != nil {
		return outcome{}, fmt.Errorf("link %s: %w", link.Ref, err)
	}
	award.UpdatedAt = now
	awardChanged, err := tx.PutAward(ctx, award)
	if err != nil {
		return outcome{}, fmt.Errorf("award of %s: %w", link.Ref, err)
	}
	if !linkChanged && !awardChanged {
		return outcome{}, nil
	}
	err = tx.AddProvenance(ctx, store.Provenance{Remote: link.Remote, Ref: link.Ref, AwardID: award.ID, DocumentSHA: link.DocumentSHA, RunID: from.run, At: now})
	if err != nil {
		return outcome{}, err
	}
	if err := e.attested(ctx, tx, award); err != nil {
		return outcome{}, err
	}
	n, err := e.plan(ctx, tx, award.ID, cause)
	return outcome{changed: 1, pushes: n, awards: []string{award.ID}}, err
}

// putLink is true when it wrote something. A record that had no link and has one
// now is another's: the transaction is done again, and sees it.
func (e *Engine) putLink(ctx context.Context, tx store.Tx, l store.Link, known bool) (bool, error) {
	if known {
		return tx.PutLink(ctx, l)
	}
	err := tx.CreateLink(ctx, l)
	if errors.Is(err, store.ErrExists) {
		return false, errTaken
	}
	return err == nil, err
}

// copyOf finds the award that an unknown record is a copy of: by our key, or as
// the award of the mapped badge to the same recipient that has no record at
// this remote yet. push is the issue that made it, where there is one.
func (e *Engine) copyOf(ctx context.Context, tx store.Tx, class store.Class, earner string, rec adapters.Record) (store.Award, store.Push, bool, error) {
	if rec.External != "" {
		p, err := tx.PushByKey(ctx, rec.External)
		if err == nil && p.Remote == class.Remote {
			a, err := tx.Award(ctx, p.AwardID)
			return a, p, err == nil, err
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return store.Award{}, store.Push{}, false, err
		}
	}
	mappings, err := tx.MappingsOf(ctx, class.ID)
	if err != nil {
		return store.Award{}, store.Push{}, false, err
	}
	email, person := openbadges.NormalizeEmail(rec.Award.Recipient.Identity), ""
	switch id, err := tx.Identifier(ctx, openbadges.IdentityEmail, email); {
	case err == nil && !rec.Award.Recipient.Hashed:
		person = id.PersonID // one of their addresses, maybe not the one of the award
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return store.Award{}, store.Push{}, false, err
	}
	keys := map[string]bool{earner: true, string(rec.External): true}
	delete(keys, "")
	var best candidate
	for _, m := range mappings {
		other := m.ClassA
		if other == class.ID {
			other = m.ClassB
		}
		for key := range keys {
			awards, err := tx.CandidateAwards(ctx, other, email, key, person)
			if err != nil {
				return store.Award{}, store.Push{}, false, err
			}
			for _, a := range awards {
				c, err := e.candidate(ctx, tx, a, class.Remote, rec.Award.Revoked)
				if err != nil {
					return store.Award{}, store.Push{}, false, err
				}
				c.sameDay = sameSecond(a.IssuedOn, rec.Award.IssuedOn)
				if c.rank > best.rank || c.rank == best.rank && c.sameDay && !best.sameDay {
					best = c
				}
			}
		}
	}
	return best.award, best.push, best.rank > 0, nil
}

// candidate is an award that an unknown record may be a copy of.
type candidate struct {
	award store.Award
	push  store.Push // the issue to that remote, if any
	rank  int        // 0: it is not
	// sameDay: awarded when the record says; it decides between equals.
	sameDay bool
}

func sameSecond(a, b time.Time) bool {
	return a.UTC().Truncate(time.Second).Equal(b.UTC().Truncate(time.Second))
}

// candidate ranks an award: first one whose issue was sent and whose outcome is
// not known, revoked or not; then one that has no record at the remote. A record
// that is revoked itself can only be what a sent issue left.
func (e *Engine) candidate(ctx context.Context, tx store.Tx, a store.Award, remote adapters.Remote, dead bool) (candidate, error) {
	free, push, err := e.freeAt(ctx, tx, a, remote)
	c := candidate{award: a, push: push}
	switch {
	case err != nil || !free:
	case push.Unsure, push.State == store.PushSent, push.State == store.PushHeld && push.Reason == outbox.Doubt:
		c.rank = 3
	case dead, a.Revoked:
	case push.State.Open():
		c.rank = 2
	default:
		c.rank = 1
	}
	return c, err
}

// freeAt reports whether the award has no record at the remote, and the issue
// push to it, if any.
func (e *Engine) freeAt(ctx context.Context, tx store.Tx, a store.Award, remote adapters.Remote) (bool, store.Push, error) {
	links, err := tx.LinksOf(ctx, a.ID)
	if err != nil {
		return false, store.Push{}, err
	}
	pushes, err := tx.PushesOf(ctx, a.ID)
	if err != nil {
		return false, store.Push{}, err
	}
	var push store.Push
	for _, p := range pushes {
		if p.Remote == remote && p.Op == store.OpIssue && p.Generation >= push.Generation {
			push = p
		}
	}
	for _, l := range links {
		// A copy that was taken back leaves room for the generation after it.
		if l.Remote == remote && (l.State == store.LinkPresent || push.Generation <= max(l.Generation, 1)) {
			return false, store.Push{}, nil
		}
	}
	return true, push, nil
}

// settleByPull ends a push whose record was seen at the remote. One that is
// being sent at this moment is left to its sender.
func (e *Engine) settleByPull(ctx context.Context, tx store.Tx, p store.Push, ref adapters.Ref) error {
	if p.State == store.PushDone {
		return nil
	}
	from := p.State
	reason := ""
	if from != store.PushSent {
		reason = outbox.Exists
	}
	p = outbox.Done(p, ref, reason)
	p.UpdatedAt = store.Moment(e.cfg.Now())
	err := tx.SavePush(ctx, p, from, "", false)
	if errors.Is(err, store.ErrStale) {
		return nil
	}
	return err
}

// takeClass records the badge of a record.
func (e *Engine) takeClass(ctx context.Context, tx store.Tx, remote adapters.Remote, c openbadges.BadgeClass) (store.Class, bool, error) {
	return e.putClass(ctx, tx, adapters.Class{Ref: adapters.Ref(c.ID), BadgeClass: c}, remote, false)
}

func (e *Engine) putClass(ctx context.Context, tx store.Tx, c adapters.Class, remote adapters.Remote, whole bool) (store.Class, bool, error) {
	if c.Ref == "" {
		return store.Class{}, false, &adapters.Error{Op: "read a badge of " + string(remote), Kind: adapters.ErrRejected, Words: "the record names no badge"}
	}
	in := store.Class{Remote: remote, Ref: c.Ref, Content: c.BadgeClass, State: c.State, Issuable: c.Issuable, PageURL: c.PageURL, UpdatedAt: store.Moment(e.cfg.Now())}
	if !whole {
		// A record shows its badge without the badge's state: keep what the
		// catalog said, and take a badge that is awarded for one that can be.
		in.Issuable = true
		if old, err := tx.ClassByRef(ctx, remote, c.Ref); err == nil {
			in.State, in.Issuable = old.State, old.Issuable
		} else if !errors.Is(err, store.ErrNotFound) {
			return store.Class{}, false, err
		}
	}
	stored, changed, err := tx.PutClass(ctx, in)
	if err != nil {
		return stored, false, fmt.Errorf("badge %s of %s: %w", c.Ref, remote, err)
	}
	return stored, changed, nil
}

func describe(l *store.Link, rec adapters.Record, doc string) {
	l.State = store.LinkPresent
	if rec.Award.Revoked {
		l.State = store.LinkRevoked
	}
	l.Acceptance = string(rec.Award.Acceptance)
	l.PageURL = rec.Award.PageURL
	l.Version = rec.Version
	l.DocumentSHA = doc
	l.Normalizer = normalizer
}

// fill takes over what the origin says of an award. The version of the badge
// stays the one it was awarded under.
func fill(a *store.Award, in openbadges.Award) {
	r := in.Recipient
	if r.Type == openbadges.IdentityEmail && !r.Hashed {
		r.Identity = openbadges.NormalizeEmail(r.Identity)
	}
	if r.Identity == "" && a.Recipient.Identity != "" {
		r = a.Recipient // the user is gone there; the award is still to the same person
	}
	a.Recipient = r
	a.IssuedOn, a.Expires = store.Moment(in.IssuedOn), store.Moment(in.Expires)
	a.Narrative, a.Evidence = in.Narrative, in.Evidence
	a.AssertionURL, a.PageURL = in.AssertionURL, in.PageURL
	a.ContentSHA = contentSHA(in)
}

// contentSHA is the digest of what an award says.
func contentSHA(in openbadges.Award) string {
	in.BadgeClass = openbadges.BadgeClass{ID: in.BadgeClass.ID}
	b, err := json.Marshal(in)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// revoke is final: the first revocation's time and reason stay.
func (e *Engine) revoke(a *store.Award, at time.Time, reason string) {
	if a.Revoked {
		return
	}
	if at.IsZero() {
		at = e.cfg.Now()
	}
	a.Revoked, a.RevokedAt, a.RevocationReason = true, store.Moment(at), reason
}

func claimFrom(a openbadges.Acceptance) store.ClaimState {
	switch a {
	case openbadges.AcceptanceAccepted:
		return store.Claimed
	case openbadges.AcceptanceRejected:
		return store.Declined
	}
	return store.Offered
}

// earnerKey names a recipient to remotes without saying who they are: a keyed
// hash under a secret of this installation.
func (e *Engine) earnerKey(ctx context.Context, tx store.Tx, r openbadges.Recipient) (string, error) {
	if r.Identity == "" {
		return "", nil
	}
	salt, err := tx.Setting(ctx, "earner_salt")
	if errors.Is(err, store.ErrNotFound) {
		salt = store.NewID() + store.NewID()
		if err = tx.CreateSetting(ctx, "earner_salt", salt); errors.Is(err, store.ErrExists) {
			salt, err = tx.Setting(ctx, "earner_salt")
		}
	}
	if err != nil {
		return "", fmt.Errorf("earner key: %w", err)
	}
	mac := hmac.New(sha256.New, []byte(salt))
	mac.Write([]byte(openbadges.NormalizeEmail(r.Identity)))
	return "bb-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil))[:26]), nil
}
