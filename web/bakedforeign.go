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
func (s *Server) bakedForeign(ctx context.Context, b badge) (store.Document, error) {
	if b.Revoked || b.Claim != store.Claimed {
		return store.Document{}, store.ErrNotFound
	}
	docs, err := s.cfg.Store.CollectedOf(ctx, b.ID)
	if err != nil {
		return store.Document{}, fmt.Errorf("what attests the badge: %w", err)
	}
	for _, d := range docs {
		if d.Standing == store.RevokedNow || d.Standing == store.NotGenuine || d.Standing == store.AwaitsProof {
			continue
		}
		out, err := s.bakeCollected(ctx, b, d)
		if !errors.Is(err, store.ErrNotFound) && !errors.Is(err, bake.ErrNotAnImage) {
			return out, err
		}
	}
	return store.Document{}, fmt.Errorf("nothing to bake: %w", store.ErrNotFound)
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
