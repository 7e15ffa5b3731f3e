package web

import (
	"context"
	"fmt"
	"strings"

	"badgebridge/openbadges"
	"badgebridge/openbadges/bake"
	"badgebridge/store"
)

// canBake reports whether there is a baked image of ours to download.
func (s *Server) canBake(ctx context.Context, b badge) bool {
	if b.Revoked || b.Claim != store.Claimed || !strings.HasPrefix(b.Image, "/ob/images/") {
		return false
	}
	_, err := s.cfg.Store.AssertionOf(ctx, b.ID, openbadges.V20)
	return err == nil
}

// baked is the badge's image with our assertion of a version in it, made when it is first
// asked for and kept; of a badge that its person brought, the image with what others
// attest. owner says that it is for them alone. store.ErrNotFound when there is nothing
// to bake, or the image is of a kind that carries no badge.
func (s *Server) baked(ctx context.Context, b badge, v openbadges.Version, owner bool) (store.Document, error) {
	st := s.cfg.Store
	if !s.canBake(ctx, b) {
		return s.bakedForeign(ctx, b, owner)
	}
	a, err := s.assertionOf(ctx, b.Award, v)
	if err != nil {
		return store.Document{}, err
	}
	if a.BakedSHA != "" {
		return st.Document(ctx, a.BakedSHA)
	}
	text, err := st.Document(ctx, a.SHA256)
	if err != nil {
		return store.Document{}, fmt.Errorf("assertion: %w", err)
	}
	picture, err := st.Document(ctx, strings.TrimPrefix(b.Image, "/ob/images/"))
	if err != nil {
		return store.Document{}, fmt.Errorf("image: %w", err)
	}
	format := bake.Detect(picture.Body)
	if format == "" {
		return store.Document{}, fmt.Errorf("a picture that carries no badge: %w", store.ErrNotFound)
	}
	kind := bake.OpenBadges
	if v == openbadges.V30 {
		kind = bake.Credential
	}
	body, err := bake.Bake(picture.Body, kind, text.Body)
	if err != nil {
		return store.Document{}, err
	}
	mediaType := format.MediaType()
	sha, err := st.PutDocument(ctx, mediaType, body)
	if err == nil {
		err = st.SetBaked(ctx, a.ID, v, sha)
	}
	if err != nil {
		return store.Document{}, err
	}
	return store.Document{SHA256: sha, MediaType: mediaType, Body: body}, nil
}
