package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"badgebridge/openbadges"
	"badgebridge/openbadges/bake"
	"badgebridge/store"
)

// bakedForeign is the picture of a badge that its person brought, with what
// attests it in it: as it was brought, where it came as a picture, or else its own
// picture with the very bytes of its document. store.ErrNotFound when there is
// nothing to bake, or nothing to bake it into.
func (s *Server) bakedForeign(ctx context.Context, b badge, owner bool) (store.Document, error) {
	docs, err := s.attesting(ctx, b, owner)
	if err != nil {
		return store.Document{}, err
	}
	for _, d := range docs {
		out, err := s.bakeCollected(ctx, b, d)
		if !errors.Is(err, store.ErrNotFound) && !errors.Is(err, bake.ErrNotAnImage) {
			return out, err
		}
	}
	return store.Document{}, fmt.Errorf("nothing to bake: %w", store.ErrNotFound)
}

// attesting are the documents that attest a badge which its person brought. Where
// it is not for them alone, those that name an address of theirs in clear are left
// out: what others learn is what the person shows, not what an issuer wrote.
func (s *Server) attesting(ctx context.Context, b badge, owner bool) (out []store.Collected, err error) {
	if b.Revoked || b.Claim != store.Claimed {
		return nil, nil
	}
	docs, err := s.cfg.Store.CollectedOf(ctx, b.ID)
	if err != nil {
		return nil, fmt.Errorf("what attests the badge: %w", err)
	}
	for _, d := range docs {
		if d.Standing == store.RevokedNow || d.Standing == store.NotGenuine || d.Standing == store.AwaitsProof {
			continue
		}
		if !owner {
			if names, err := s.namesAddress(ctx, b, d); err != nil {
				return nil, err
			} else if names {
				continue
			}
		}
		out = append(out, d)
	}
	return out, nil
}

// namesAddress reports whether the document has an address of the badge's person
// in it, in clear. Of a JWS or JWT the document is the payload.
func (s *Server) namesAddress(ctx context.Context, b badge, d store.Collected) (bool, error) {
	doc, err := s.cfg.Store.Document(ctx, d.DocumentSHA)
	if err != nil {
		return false, fmt.Errorf("what attests the badge: %w", err)
	}
	known, err := s.cfg.Store.IdentifiersOf(ctx, b.PersonID)
	if err != nil {
		return false, fmt.Errorf("what attests the badge: %w", err)
	}
	text := strings.ToLower(strings.NewReplacer(`\u0040`, "@", "%40", "@").Replace(string(doc.Body)))
	if r := b.Recipient; !r.Hashed && r.Identity != "" && strings.Contains(text, strings.ToLower(r.Identity)) {
		return true, nil
	}
	for _, id := range known {
		if id.Type == openbadges.IdentityEmail && strings.Contains(text, strings.ToLower(id.Value)) {
			return true, nil
		}
	}
	return false, nil
}

func (s *Server) bakeCollected(ctx context.Context, b badge, d store.Collected) (store.Document, error) {
	text, err := s.cfg.Store.Document(ctx, d.DocumentSHA)
	if err != nil {
		return text, err
	}
	body := text.Body
	if d.OriginalSHA != "" {
		original, err := s.cfg.Store.Document(ctx, d.OriginalSHA)
		if err != nil {
			return original, err
		}
		if f := bake.Detect(original.Body); f != "" {
			original.MediaType = f.MediaType()
			return original, nil
		}
		if d.Verification != "hosted" {
			body = original.Body // a JWS or JWT is more than its payload
		}
	}
	sha := d.ImageSHA
	if sha == "" {
		var ok bool
		if sha, ok = strings.CutPrefix(b.Image, "/ob/images/"); !ok {
			return store.Document{}, store.ErrNotFound
		}
	}
	picture, err := s.cfg.Store.Document(ctx, sha)
	if err != nil {
		return picture, err
	}
	kind := bake.OpenBadges
	if strings.HasPrefix(d.Version, string(openbadges.V30)[:1]) {
		kind = bake.Credential
	}
	out, err := bake.Bake(picture.Body, kind, bytes.TrimSpace(body))
	if err != nil {
		return store.Document{}, err
	}
	return store.Document{MediaType: bake.Detect(out).MediaType(), Body: out}, nil
}
