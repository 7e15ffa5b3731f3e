package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"time"

	"badgebridge/openbadges"
	v2 "badgebridge/openbadges/v2"
	"badgebridge/store"
)

// mediaOB2 is the content type of Open Badges 2.0 documents.
const mediaOB2 = "application/ld+json"

// attest writes our assertion of an award that the association made, once: the
// document is kept as it is and served byte for byte. An award that its origin
// attests itself (Credly's) gets none: foreign assertions are not re-hosted
// under our id.
func (e *Engine) attest(ctx context.Context, tx store.Tx, a store.Award) error {
	base := e.cfg.BaseURL(ctx)
	if a.AssertionURL != "" || a.PageURL != "" || base == "" || a.Recipient.Identity == "" {
		return nil
	}
	if _, err := tx.AssertionOf(ctx, a.ID, openbadges.V20); err == nil || !errors.Is(err, store.ErrNotFound) {
		return err
	}
	issuer, err := tx.OwnIssuer(ctx)
	if err != nil {
		return fmt.Errorf("the association's profile: %w", err)
	}
	if err := e.publishClass(ctx, tx, base, issuer, a.ClassVersionID); err != nil {
		return err
	}
	id, salt := store.NewID(), store.NewID()
	doc, _, err := v2.EncodeAssertion(v2.Assertion{
		ID: base + "/ob/v2/assertions/" + id,
		Award: openbadges.Award{
			BadgeClass: openbadges.BadgeClass{ID: base + "/ob/v2/badgeclasses/" + a.ClassVersionID},
			Recipient:  v2.HashRecipient(a.Recipient, salt),
			IssuedOn:   a.IssuedOn, Expires: a.Expires, Evidence: a.Evidence, Narrative: a.Narrative,
		},
		Verification: v2.Verification{Type: v2.HostedBadge},
	})
	if err != nil {
		return fmt.Errorf("write the assertion of award %s: %w", a.ID, err)
	}
	sha, err := tx.PutDocument(ctx, mediaOB2, doc)
	if err != nil {
		return err
	}
	return tx.CreateAssertion(ctx, store.Assertion{ID: id, AwardID: a.ID, Version: openbadges.V20, Salt: salt, SHA256: sha, CreatedAt: store.Moment(e.cfg.Now())})
}

// publishClass writes the badge class document of a version, once.
func (e *Engine) publishClass(ctx context.Context, tx store.Tx, base string, issuer store.Issuer, versionID string) error {
	v, err := tx.ClassVersion(ctx, versionID)
	if err != nil || v.DocumentSHA != "" {
		return err
	}
	if v.ImageSHA == "" {
		// OB 2.0 requires an image; a badge without one shows a plain seal.
		if v.ImageSHA, err = tx.PutDocument(ctx, "image/png", plainSeal()); err != nil {
			return err
		}
		if err := tx.SetVersionImage(ctx, v.ID, v.ImageSHA); err != nil {
			return err
		}
	}
	c := v.Content
	c.ID = base + "/ob/v2/badgeclasses/" + v.ID
	c.Version = ""
	c.Issuer = openbadges.Profile{ID: base + "/ob/v2/issuers/" + issuer.ID}
	c.Image = &openbadges.Image{ID: base + "/ob/images/" + v.ImageSHA}
	c.Unknown = nil
	if c.Description == "" {
		c.Description = c.Name
	}
	if c.Criteria.ID == "" && c.Criteria.Narrative == "" {
		c.Criteria.Narrative = c.Description
	}
	doc, _, err := v2.EncodeBadgeClass(c)
	if err != nil {
		return fmt.Errorf("write the badge class %s: %w", v.ID, err)
	}
	sha, err := tx.PutDocument(ctx, mediaOB2, doc)
	if err != nil {
		return err
	}
	_, err = tx.SetVersionDocument(ctx, v.ID, sha)
	return err
}

// IssuerDocument writes the Open Badges 2.0 document of our own issuer.
// store.ErrNotFound when id is not ours.
func (e *Engine) IssuerDocument(ctx context.Context, id string) ([]byte, error) {
	issuer, err := e.cfg.Store.OwnIssuer(ctx)
	if err != nil {
		return nil, err
	}
	base := e.cfg.BaseURL(ctx)
	if issuer.ID != id || base == "" {
		return nil, store.ErrNotFound
	}
	p := issuer.Profile
	p.ID = base + "/ob/v2/issuers/" + id
	p.Image = nil
	if issuer.ImageSHA != "" {
		p.Image = &openbadges.Image{ID: base + "/ob/images/" + issuer.ImageSHA}
	}
	doc, _, err := v2.EncodeIssuer(p)
	return doc, err
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
	if err := e.fetchImages(call, r); err != nil {
		e.cfg.Log.Warn("badge image not fetched before the claim", "award", awardID, "error", err)
	}
}

// plainSeal draws a grey disc with a ring: the image of a badge that has none.
func plainSeal() []byte {
	const size, middle = 400, 200
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			dx, dy := x-middle, y-middle
			switch d := dx*dx + dy*dy; {
			case d > 190*190:
			case d > 168*168 && d < 176*176:
				img.SetNRGBA(x, y, color.NRGBA{235, 238, 245, 255})
			default:
				img.SetNRGBA(x, y, color.NRGBA{uint8(96 - y/12), uint8(108 - y/12), uint8(140 - y/12), 255})
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil // can't fail: the image is ours and the buffer is memory
	}
	return out.Bytes()
}
