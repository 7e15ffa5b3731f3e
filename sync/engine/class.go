package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"

	"badgebridge/openbadges"
	v1 "badgebridge/openbadges/v1"
	v2 "badgebridge/openbadges/v2"
	v3 "badgebridge/openbadges/v3"
	"badgebridge/store"
)

// The types by which documents of one version point to their likes of another,
// from the migration guide of Open Badges 3.0, section "Linking".
const (
	typeAssertion2  = "https://w3id.org/openbadges#Assertion"
	typeBadgeClass2 = "https://w3id.org/openbadges#BadgeClass"
	typeAchievement = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#Achievement"
)

// CompleteClass writes the documents of a published badge version that were not
// written when it was published. store.ErrNotFound when it is not published.
func (e *Engine) CompleteClass(ctx context.Context, versionID string) error {
	base := e.cfg.BaseURL(ctx)
	return e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		v, err := tx.ClassVersion(ctx, versionID)
		if err != nil {
			return err
		}
		if v.DocumentSHA == "" || base == "" {
			return fmt.Errorf("complete the documents of badge version %s: %w", versionID, store.ErrNotFound)
		}
		w := writing{e: e, base: base}
		if w.issuer, err = tx.OwnIssuer(ctx); err != nil {
			return fmt.Errorf("the association's profile: %w", err)
		}
		_, err = w.publishClass(ctx, tx, versionID)
		return err
	})
}

// publishClass writes the documents of a badge's version, each once, and
// returns what they say, without id and issuer.
func (w *writing) publishClass(ctx context.Context, tx store.Tx, versionID string) (openbadges.BadgeClass, error) {
	v, err := tx.ClassVersion(ctx, versionID)
	if err != nil {
		return openbadges.BadgeClass{}, err
	}
	if v.ImageSHA == "" {
		// Open Badges requires an image; a badge without one shows a plain seal.
		if v.ImageSHA, err = tx.PutDocument(ctx, "image/png", plainSeal()); err != nil {
			return openbadges.BadgeClass{}, err
		}
		if err := tx.SetVersionImage(ctx, v.ID, v.ImageSHA); err != nil {
			return openbadges.BadgeClass{}, err
		}
	}
	c := published(v.Content)
	c.Image = &openbadges.Image{ID: w.base + "/ob/images/" + v.ImageSHA}
	for _, version := range versions() {
		if err := w.publishClassAs(ctx, tx, v, c, version); errors.Is(err, errUnfit) && version != openbadges.V20 {
			w.e.cfg.Log.Warn("no document written", "badge", v.ID, "version", version, "error", err)
		} else if err != nil {
			return c, fmt.Errorf("write the %s document of badge %s: %w", version, v.ID, err)
		}
	}
	return c, nil
}

func (w *writing) publishClassAs(ctx context.Context, tx store.Tx, v store.ClassVersion, c openbadges.BadgeClass, version openbadges.Version) error {
	if version == openbadges.V20 {
		if v.DocumentSHA != "" {
			return nil
		}
		doc, _, err := v2.EncodeBadgeClass(w.class20(c, v.ID))
		if err != nil {
			return err
		}
		sha, err := tx.PutDocument(ctx, mediaOB2, doc)
		if err != nil {
			return err
		}
		_, err = tx.SetVersionDocument(ctx, v.ID, sha)
		return err
	}
	_, err := tx.ClassDocument(ctx, v.ID, version)
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	var doc []byte
	if version == openbadges.V11 {
		doc, _, err = v1.EncodeBadgeClass(w.class11(c, v.ID))
	} else {
		doc, _, err = v3.EncodeAchievement(w.achievement(c, v.ID, w.profile30()))
	}
	if err != nil {
		return unfit(err)
	}
	sha, err := tx.PutDocument(ctx, mediaOB2, doc)
	if err != nil {
		return err
	}
	_, err = tx.PutClassDocument(ctx, v.ID, version, sha)
	return err
}

// published leaves of a badge's content what Open Badges has a place for: what
// only its origin understands would make the document unverifiable in 3.0.
func published(c openbadges.BadgeClass) openbadges.BadgeClass {
	c.Version, c.Unknown, c.Criteria.Unknown = "", nil, nil
	c.Alignments = append([]openbadges.Alignment(nil), c.Alignments...)
	for i := range c.Alignments {
		c.Alignments[i].Unknown = nil
	}
	c.Related, c.Endorsements, c.Identifiers = nil, nil, nil
	if c.Description == "" {
		c.Description = c.Name
	}
	if c.Criteria.ID == "" && c.Criteria.Narrative == "" {
		c.Criteria.Narrative = c.Description
	}
	return c
}

func (w *writing) class20(c openbadges.BadgeClass, id string) openbadges.BadgeClass {
	c.ID = w.base + "/ob/v2/badgeclasses/" + id
	c.Issuer = openbadges.Profile{ID: w.base + "/ob/v2/issuers/" + w.issuer.ID}
	c.Related = []openbadges.Related{{ID: w.base + "/ob/v3/achievements/" + id, Types: []string{typeAchievement}}}
	return c
}

func (w *writing) class11(c openbadges.BadgeClass, id string) openbadges.BadgeClass {
	c.ID = w.base + "/ob/v1/badgeclasses/" + id
	c.Issuer = openbadges.Profile{ID: w.base + "/ob/v1/issuers/" + w.issuer.ID}
	if c.Criteria.ID == "" {
		c.Criteria.ID = w.base + "/b/" + id + "/criteria" // 1.1 has no text of its own
	}
	return c
}

func (w *writing) achievement(c openbadges.BadgeClass, id string, creator openbadges.Profile) openbadges.BadgeClass {
	c.ID = w.base + "/ob/v3/achievements/" + id
	c.Issuer = creator
	c.Types = []string{typeBadgeClass2}
	c.Related = []openbadges.Related{{ID: w.base + "/ob/v2/badgeclasses/" + id, Types: []string{typeBadgeClass2}}}
	return c
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
