package backpack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/openbadges/bake"
	"badgebridge/openbadges/verify"
	"badgebridge/store"
)

// Collect verifies a badge and, if it may be kept, puts it into the person's
// backpack. What becomes of it is in the Result; an error means that the store
// failed and nothing was kept. The same badge again changes nothing.
func (b *Backpack) Collect(ctx context.Context, personID string, in Given) (Result, error) {
	switch {
	case in.URL == "" && len(bytes.TrimSpace(in.Data)) == 0:
		return Result{}, ErrNothing
	case len(in.Data) > MaxGiven:
		return Result{Fate: Refused, Reason: ReasonTooLarge}, nil
	}
	who, err := b.identifiers(ctx, personID)
	if err != nil {
		return Result{}, fmt.Errorf("collect a badge: %w", err)
	}
	if len(who) == 0 {
		who = []verify.Identifier{{Type: openbadges.IdentityEmail}} // nobody's badge matches
	}
	in = b.resolved(in)
	seen := &recorder{inner: b.cfg.Fetcher}
	rep := verify.Verify(ctx, verify.Input{URL: in.URL, Data: in.Data}, verify.Options{Fetcher: seen, Recipient: who, Now: b.cfg.Now})
	res, err := b.settle(ctx, personID, in, rep, seen)
	if err != nil {
		return Result{}, fmt.Errorf("collect a badge: %w", err)
	}
	if res.AwardID != "" && res.Fate != Known {
		b.cfg.Changed(res.AwardID)
	}
	return res, nil
}

// resolved leads from a page for people that is known by name to what attests its
// badge.
func (b *Backpack) resolved(in Given) Given {
	if b.cfg.Resolve == nil {
		return in
	}
	at := in.URL
	if at == "" && len(in.Data) < 2000 {
		at = string(bytes.TrimSpace(in.Data)) // an address as text
	}
	if to := b.cfg.Resolve(at); to != "" {
		in.URL, in.Data = to, nil
	}
	return in
}

// settle decides by the report what becomes of a badge, and keeps it.
func (b *Backpack) settle(ctx context.Context, personID string, in Given, rep verify.Report, seen *recorder) (Result, error) {
	res := Result{Report: rep}
	standing, reason := judge(rep)
	if reason != "" {
		res.Fate, res.Reason = Refused, reason
		// A document that is here already and was taken back since is told of.
		if reason == ReasonRevoked && rep.Subject != "" {
			return res, b.noteRevoked(ctx, personID, rep)
		}
		return res, nil
	}
	c := store.Collected{
		PersonID: personID, Locator: locator(rep), Source: in.Source, Version: rep.Version, Verification: rep.Verification,
		Standing: standing, CheckedAt: store.Moment(b.cfg.Now()),
	}
	b.describe(&c, rep)
	if rep.Recipient.Matched == nil || !*rep.Recipient.Matched {
		c.Standing = store.AwaitsProof
		res.To = plainAddress(rep.Assertion)
		if in.NoWaiting {
			res.Fate, res.Reason = Refused, ReasonRecipient
			return res, nil
		}
	}
	image := seen.image(rep, in.Data)
	err := b.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		kept := c
		var err error
		if len(in.Data) > 0 {
			if kept.OriginalSHA, err = tx.PutDocument(ctx, mediaType(in.Data), in.Data); err != nil {
				return err
			}
		}
		if kept.DocumentSHA, err = tx.PutDocument(ctx, mediaType(rep.Assertion.Document), rep.Assertion.Document); err != nil {
			return err
		}
		if len(image) > 0 {
			if kept.ImageSHA, err = tx.PutDocument(ctx, bake.Detect(image).MediaType(), image); err != nil {
				return err
			}
		}
		if res, err = b.keep(ctx, tx, kept, rep, res); err == nil && res.ID == "" {
			err = errNotKept // no row refers to what was written of it
		}
		return err
	})
	if errors.Is(err, errNotKept) {
		err = nil
	}
	return res, err
}

// errNotKept rolls back a transaction that found that there is nothing to keep.
var errNotKept = errors.New("nothing to keep")

// judge says how a badge stands, or why it is not to be kept. That it belongs to
// somebody else is not judged here.
func judge(rep verify.Report) (store.Standing, Reason) {
	readable := rep.Assertion != nil && len(rep.Assertion.Document) > 0
	switch {
	case rep.Revoked:
		return "", ReasonRevoked
	case !readable && rep.Outcome == verify.Unknown:
		return "", ReasonUnreachable
	case !readable && rep.Badge != nil && rep.Badge.Name != "":
		return "", ReasonNotABadge
	case !readable && notHosted(rep):
		return "", ReasonNotThere
	case !readable:
		return "", ReasonUnreadable
	}
	standing := store.Genuine
	for _, c := range rep.Checks {
		switch {
		case c.Status != verify.Fail || c.Name == "recipient":
		case c.Name == "validity" && rep.Expired:
			standing = store.ExpiredNow
		default:
			return "", ReasonInvalid
		}
	}
	if rep.Outcome == verify.Unknown && standing == store.Genuine {
		// A hosted badge whose host can't be asked is not more than a claim.
		if rep.Verification == "hosted" {
			return "", ReasonUnreachable
		}
		standing = store.Undecided
	}
	return standing, ""
}

// notHosted: nothing was read because its host says that nothing is there.
func notHosted(rep verify.Report) bool {
	for _, c := range rep.Checks {
		if c.Name == "hosting" && c.Status == verify.Fail {
			return rep.Assertion == nil
		}
	}
	return false
}

// describe fills in what the report says.
func (b *Backpack) describe(c *store.Collected, rep verify.Report) {
	c.Report, _ = json.Marshal(rep) // it is made to be written
	c.Message = ""
	if p := rep.Problems(); len(p) > 0 && c.Standing != store.Genuine {
		c.Message = p[0]
	}
	c.NextCheck = nextCheck(*c, b.cfg.Now())
	if c.Standing == store.Genuine || c.Standing == store.ExpiredNow {
		c.GenuineAt, c.Failures, c.GoneSince = c.CheckedAt, 0, time.Time{}
	}
}

// locator names a document whoever brings it: by its id, or by its content.
func locator(rep verify.Report) string {
	if id := strings.TrimSpace(rep.Subject); id != "" && !strings.HasPrefix(id, "_:") {
		return id
	}
	sum := sha256.Sum256(rep.Assertion.Document)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// keep writes a badge that passed: to the award that it is, or to a new one.
func (b *Backpack) keep(ctx context.Context, tx store.Tx, c store.Collected, rep verify.Report, res Result) (Result, error) {
	old, err := tx.CollectedBy(ctx, c.PersonID, c.Locator)
	if err == nil {
		return b.keepAgain(ctx, tx, old, c, rep, res)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return res, err
	}
	if c.Standing == store.AwaitsProof {
		waiting, err := tx.CollectedWaiting(ctx, c.PersonID)
		if err != nil {
			return res, err
		}
		if len(waiting) >= MaxWaiting {
			res.Fate, res.Reason = Refused, ReasonFull
			return res, nil
		}
		c.NextCheck = time.Time{}
		c, err = tx.CreateCollected(ctx, c)
		res.Fate, res.ID = Awaiting, c.ID
		return res, err
	}
	award, fate, err := b.awardOf(ctx, tx, c, rep)
	if err != nil {
		return res, err
	}
	if res.Fate, res.AwardID = fate, award.ID; fate == Known || fate == Refused {
		if fate == Refused {
			res.Reason, res.AwardID = ReasonFull, ""
		}
		return res, nil
	}
	c.AwardID = award.ID
	c, err = tx.CreateCollected(ctx, c)
	res.ID = c.ID
	return res, err
}

// keepAgain updates a document that is there already.
func (b *Backpack) keepAgain(ctx context.Context, tx store.Tx, old, c store.Collected, rep verify.Report, res Result) (Result, error) {
	res.ID, res.AwardID = old.ID, old.AwardID
	if old.Standing == store.AwaitsProof && c.Standing != store.AwaitsProof {
		award, fate, err := b.awardOf(ctx, tx, c, rep)
		if err != nil || fate == Refused {
			res.Fate, res.Reason = Refused, ReasonFull
			return res, err
		}
		old.AwardID, res.AwardID, res.Fate = award.ID, award.ID, fate
		if fate == Known {
			return res, tx.DeleteCollected(ctx, old.ID)
		}
		if old.ImageSHA == "" {
			old.ImageSHA = c.ImageSHA
		}
	} else if res.Fate = Known; old.DocumentSHA != c.DocumentSHA {
		res.Fate = Updated
	}
	if old.Standing == store.AwaitsProof && c.Standing == store.AwaitsProof {
		res.Fate = Awaiting
	}
	before := []string{old.DocumentSHA, old.OriginalSHA}
	old.DocumentSHA, old.Standing, old.Report, old.Message = c.DocumentSHA, c.Standing, c.Report, c.Message
	old.CheckedAt, old.NextCheck, old.Failures, old.Version, old.Verification = c.CheckedAt, c.NextCheck, c.Failures, c.Version, c.Verification
	old.GoneSince = c.GoneSince
	if old.Standing == store.AwaitsProof {
		old.NextCheck = time.Time{}
	}
	if !c.GenuineAt.IsZero() {
		old.GenuineAt = c.GenuineAt
	}
	if c.OriginalSHA != "" {
		old.OriginalSHA = c.OriginalSHA
	}
	if err := tx.PutCollected(ctx, old); err != nil {
		return res, err
	}
	for _, sha := range before {
		if err := tx.DropDocument(ctx, sha); err != nil {
			return res, err
		}
	}
	if res.Fate == Updated && old.AwardID != "" {
		award, err := tx.Award(ctx, old.AwardID)
		if err == nil && award.Origin == store.BackpackOrigin {
			fill(&award, rep.Assertion.Award)
			_, err = tx.PutAward(ctx, award)
		}
		return res, err
	}
	return res, nil
}

// awardOf finds the award that a document attests, or makes one. Known means
// that the gateway attests it itself and nothing is to be added.
func (b *Backpack) awardOf(ctx context.Context, tx store.Tx, c store.Collected, rep verify.Report) (store.Award, Fate, error) {
	if id, ok := b.ownAssertion(ctx, c.Locator); ok {
		if a, err := tx.Assertion(ctx, id, openbadges.V20); err == nil {
			award, err := tx.Award(ctx, a.AwardID)
			if err != nil || award.PersonID == c.PersonID {
				return award, Known, err
			}
		} else if !errors.Is(err, store.ErrNotFound) {
			return store.Award{}, "", err
		}
	}
	for _, at := range []string{c.Locator, rep.Assertion.Award.AssertionURL, rep.Assertion.Award.PageURL} {
		if at == "" {
			continue
		}
		known, err := tx.AwardsByAssertion(ctx, c.PersonID, at)
		if err != nil {
			return store.Award{}, "", err
		}
		if len(known) > 0 {
			return known[0], Joined, nil
		}
	}
	formerly, err := tx.FormerPersons(ctx, c.PersonID)
	if err != nil {
		return store.Award{}, "", err
	}
	for _, id := range append(formerly, c.PersonID) {
		award, err := tx.AwardByOrigin(ctx, store.BackpackOrigin, sameness(id, rep))
		if err == nil {
			return award, Joined, nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return store.Award{}, "", err
		}
	}
	return b.newAward(ctx, tx, c, rep, sameness(c.PersonID, rep))
}

func (b *Backpack) newAward(ctx context.Context, tx store.Tx, c store.Collected, rep verify.Report, ref adapters.Ref) (store.Award, Fate, error) {
	n, err := tx.CountAwards(ctx, store.AwardFilter{PersonID: c.PersonID, Origin: store.BackpackOrigin})
	if err != nil {
		return store.Award{}, "", err
	}
	if n >= MaxBadges {
		return store.Award{}, Refused, nil
	}
	content := rep.Assertion.Award.BadgeClass
	if content.Issuer.Name == "" && content.Issuer.ID == "" {
		content.Issuer = rep.Assertion.Issuer
	}
	class, _, err := tx.PutClass(ctx, store.Class{Remote: store.BackpackOrigin, Ref: classRef(content), Content: content, UpdatedAt: c.CheckedAt})
	if err != nil {
		return store.Award{}, "", err
	}
	if c.ImageSHA != "" && class.ImageSHA == "" {
		if err := tx.SetVersionImage(ctx, class.VersionID, c.ImageSHA); err != nil {
			return store.Award{}, "", err
		}
	}
	award := store.Award{
		ClassID: class.ID, ClassVersionID: class.VersionID, Origin: store.BackpackOrigin, OriginRef: ref, PersonID: c.PersonID,
		Claim: store.Claimed, ClaimedAt: c.CheckedAt, Visibility: store.Private,
	}
	fill(&award, rep.Assertion.Award)
	if isWeb(c.Locator) {
		award.AssertionURL = c.Locator
	}
	award, err = tx.CreateAward(ctx, award)
	return award, Kept, err
}

// ownAssertion reads the id out of an address of one of our own documents.
func (b *Backpack) ownAssertion(ctx context.Context, locator string) (string, bool) {
	base := b.cfg.BaseURL(ctx)
	rest, ok := strings.CutPrefix(locator, base+"/ob/")
	if base == "" || !ok {
		return "", false
	}
	id := rest[strings.LastIndexByte(rest, '/')+1:]
	return id, strings.Contains(rest, "assertions/") || strings.Contains(rest, "credentials/")
}

// sameness is the same for two documents that attest one award to one person: of
// the same issuer's host, for the same badge, issued at the same second.
func sameness(personID string, rep verify.Report) adapters.Ref {
	a := rep.Assertion.Award
	issuer := rep.Assertion.Issuer
	if issuer.ID == "" {
		issuer = a.BadgeClass.Issuer
	}
	host := hostOf(issuer.ID)
	if host == "" {
		host = hostOf(issuer.URL)
	}
	if host == "" {
		host = issuer.ID
	}
	when := ""
	if !a.IssuedOn.IsZero() {
		when = a.IssuedOn.UTC().Format(time.RFC3339)
	} else {
		when = locator(rep) // nothing to tell two awards of one badge apart by
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{personID, host, strings.ToLower(strings.TrimSpace(a.BadgeClass.Name)), when}, "\x00")))
	return adapters.Ref(hex.EncodeToString(sum[:16]))
}

func classRef(c openbadges.BadgeClass) adapters.Ref {
	if c.ID != "" && !strings.HasPrefix(c.ID, "_:") && len(c.ID) <= 500 {
		return adapters.Ref(c.ID)
	}
	sum := sha256.Sum256([]byte(c.Issuer.ID + "\x00" + c.Issuer.Name + "\x00" + c.Name + "\x00" + c.Description))
	return adapters.Ref("sha256:" + hex.EncodeToString(sum[:]))
}

// fill takes over what the document says of the award.
func fill(a *store.Award, in openbadges.Award) {
	a.Recipient = in.Recipient
	a.IssuedOn, a.Expires = store.Moment(in.IssuedOn), store.Moment(in.Expires)
	a.Narrative, a.Evidence = in.Narrative, in.Evidence
}

// plainAddress is the address that a document names in clear, "" none.
func plainAddress(a *openbadges.Assertion) string {
	if a == nil || a.Award.Recipient.Hashed || a.Award.Recipient.Type != openbadges.IdentityEmail {
		return ""
	}
	return openbadges.NormalizeEmail(a.Award.Recipient.Identity)
}

func hostOf(address string) string {
	if rest, ok := strings.CutPrefix(address, "did:web:"); ok {
		host, _, _ := strings.Cut(rest, ":")
		if h, err := url.PathUnescape(host); err == nil {
			return strings.ToLower(h)
		}
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

func isWeb(s string) bool { return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") }

// mediaType tells by its content what a badge file is.
func mediaType(data []byte) string {
	if f := bake.Detect(data); f != "" {
		return f.MediaType()
	}
	if d := bytes.TrimSpace(data); len(d) > 0 && (d[0] == '{' || d[0] == '[') {
		return "application/ld+json"
	}
	return "text/plain"
}
