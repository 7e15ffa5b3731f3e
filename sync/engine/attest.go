package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"badgebridge/openbadges"
	v1 "badgebridge/openbadges/v1"
	v2 "badgebridge/openbadges/v2"
	"badgebridge/store"
	"badgebridge/sync/signing"
)

// The content types of stored documents.
const (
	mediaOB2        = "application/ld+json"
	mediaCredential = "application/vc+ld+json"
	mediaJWT        = "application/vc+jwt"
)

// versions are those of our own documents. That of 2.0 is first: it gives the
// others their id and the recipient's salt.
func versions() []openbadges.Version {
	return []openbadges.Version{openbadges.V20, openbadges.V11, openbadges.V30}
}

// errUnfit: what the award says has no valid form in a version of Open Badges.
var errUnfit = errors.New("can't be said in this version of Open Badges")

// attest writes our assertions of an award that the association made, once: the
// documents are kept as they are and served byte for byte. An award that its
// origin attests itself (Credly's) gets none: foreign assertions are not
// re-hosted under our id. What was written before stays; what is missing, of an
// award from before there were documents of that version, is added.
func (e *Engine) attest(ctx context.Context, tx store.Tx, a store.Award) error {
	base := e.cfg.BaseURL(ctx)
	if a.AssertionURL != "" || a.PageURL != "" || base == "" || a.Recipient.Identity == "" {
		return nil
	}
	w := writing{e: e, base: base, award: a, id: store.NewID(), salt: store.NewID()}
	var err error
	if w.issuer, err = tx.OwnIssuer(ctx); err != nil {
		return fmt.Errorf("the association's profile: %w", err)
	}
	if w.class, err = w.publishClass(ctx, tx, a.ClassVersionID); err != nil {
		return err
	}
	for _, v := range versions() {
		old, err := tx.AssertionOf(ctx, a.ID, v)
		if errors.Is(err, store.ErrNotFound) {
			old, err = w.assertion(ctx, tx, v)
		}
		if errors.Is(err, errUnfit) && v != openbadges.V20 {
			// The badge is still whole in 2.0; no claim fails for it.
			e.cfg.Log.Warn("no document written", "award", a.ID, "version", v, "error", err)
			continue
		}
		if err != nil {
			return fmt.Errorf("write the %s assertion of award %s: %w", v, a.ID, err)
		}
		w.id, w.salt = old.ID, old.Salt
	}
	return nil
}

// Complete writes the documents that a claimed award lacks because it was
// claimed before the gateway wrote them. store.ErrNotFound when the award is not
// claimed, or revoked.
func (e *Engine) Complete(ctx context.Context, awardID string) error {
	if err := e.keys.Ensure(ctx, signing.EdDSA); err != nil {
		return err
	}
	return e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		a, err := tx.Award(ctx, awardID)
		if err != nil {
			return err
		}
		if a.Claim != store.Claimed || a.Revoked {
			return fmt.Errorf("complete the documents of award %s: %w", awardID, store.ErrNotFound)
		}
		return e.attest(ctx, tx, a)
	})
}

// writing is one award's documents in the making.
type writing struct {
	e        *Engine
	base     string
	issuer   store.Issuer
	class    openbadges.BadgeClass // ready to publish, without id and issuer
	award    store.Award
	id, salt string
}

// assertion writes the document of one version and keeps it.
func (w *writing) assertion(ctx context.Context, tx store.Tx, v openbadges.Version) (store.Assertion, error) {
	var doc []byte
	var err error
	mediaType := mediaOB2
	switch v {
	case openbadges.V11:
		doc, err = w.assertion11()
	case openbadges.V30:
		mediaType = mediaCredential
		doc, err = w.credential(ctx, tx)
	default:
		doc, err = w.assertion20()
	}
	if err != nil {
		return store.Assertion{}, err
	}
	sha, err := tx.PutDocument(ctx, mediaType, doc)
	if err != nil {
		return store.Assertion{}, err
	}
	a := store.Assertion{ID: w.id, AwardID: w.award.ID, Version: v, Salt: w.salt, SHA256: sha, CreatedAt: store.Moment(w.e.cfg.Now())}
	err = tx.CreateAssertion(ctx, a)
	if errors.Is(err, store.ErrExists) { // another was first, at the same moment
		return tx.AssertionOf(ctx, w.award.ID, v)
	}
	return a, err
}

func (w *writing) recipient() openbadges.Recipient {
	return v2.HashRecipient(w.award.Recipient, w.salt)
}

func (w *writing) assertion20() ([]byte, error) {
	a := w.award
	doc, _, err := v2.EncodeAssertion(v2.Assertion{
		ID: w.base + "/ob/v2/assertions/" + w.id,
		Award: openbadges.Award{
			BadgeClass: openbadges.BadgeClass{ID: w.base + "/ob/v2/badgeclasses/" + a.ClassVersionID},
			Recipient:  w.recipient(),
			IssuedOn:   a.IssuedOn, Expires: a.Expires, Evidence: a.Evidence, Narrative: a.Narrative,
		},
		Verification: v2.Verification{Type: v2.HostedBadge},
	})
	return doc, err
}

func (w *writing) assertion11() ([]byte, error) {
	a := w.award
	id := w.base + "/ob/v1/assertions/" + w.id
	doc, _, err := v1.EncodeAssertion(v1.Assertion{
		ID: id, UID: w.id,
		Award: openbadges.Award{
			BadgeClass: openbadges.BadgeClass{ID: w.base + "/ob/v1/badgeclasses/" + a.ClassVersionID},
			Recipient:  w.recipient(), IssuedOn: a.IssuedOn, Expires: a.Expires, Evidence: a.Evidence,
		},
		Verify: v1.Verify{Type: v1.Hosted, URL: id},
	})
	return doc, unfit(err)
}

// unfit marks what a codec refuses to write.
func unfit(err error) error {
	if errors.Is(err, v2.ErrIncomplete) { // all codecs share it
		return fmt.Errorf("%w: %w", errUnfit, err)
	}
	return err
}

// ensureImage fetches the image of the badge that is about to be attested, so
// that the document, which is written once, names the real one. Best effort.
func (e *Engine) ensureImage(ctx context.Context, awardID string) {
	a, err := e.cfg.Store.Award(ctx, awardID)
	if err != nil {
		return
	}
	v, err := e.cfg.Store.ClassVersion(ctx, a.ClassVersionID)
	if err != nil || v.ImageSHA != "" || v.Content.Image == nil {
		return
	}
	r, err := e.cfg.Store.Remote(ctx, a.Origin)
	if err != nil {
		return
	}
	call, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := e.fetchImages(call, r); err != nil {
		e.cfg.Log.Warn("badge image not fetched before the claim", "award", awardID, "error", err)
	}
}
