package wordpress

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"badgebridge/adapters"
)

const (
	maxImage  = 2 << 20 // bytes, as the contract says
	maxTitle  = 200     // characters
	maxText   = 10000
	maxLinked = 2000
)

// PutBadgeClass implements adapters.CatalogWriter. The site keeps the key with
// the badge. What is too long for the site is cut with an ellipsis; an image of
// more than 2 MiB is refused.
func (a *Adapter) PutBadgeClass(ctx context.Context, in adapters.ClassDraft) (adapters.Class, error) {
	const op = "write a badge to the site"
	refuse := func(words string) error {
		return &adapters.Error{Op: op, Kind: adapters.ErrRejected, Words: words}
	}
	draft := wireDraft{
		Title: cut(in.BadgeClass.Name, maxTitle), Description: cut(in.BadgeClass.Description, maxText),
		Criteria: cut(in.BadgeClass.Criteria.Narrative, maxText), CriteriaURL: link(in.BadgeClass.Criteria.ID), LinkURL: link(in.LinkURL),
	}
	if in.Class != "" {
		id, err := strconv.ParseInt(string(in.Class), 10, 64)
		if err != nil || id <= 0 {
			return adapters.Class{}, refuse(fmt.Sprintf("%.80q is no badge of a site. Choose another.", string(in.Class)))
		}
		draft.BadgeID = id
	}
	if in.Image != nil {
		media := http.DetectContentType(in.Image)
		if media != "image/png" && media != "image/jpeg" {
			return adapters.Class{}, refuse("image: a site takes PNG and JPEG, and this is " + media + ".")
		}
		if len(in.Image) > maxImage {
			return adapters.Class{}, refuse(fmt.Sprintf("image: it has %d KiB, a site takes at most %d.", len(in.Image)>>10, maxImage>>10))
		}
		draft.Image = &wireImage{MediaType: media, Data: in.Image}
	}
	var raw json.RawMessage
	f := a.call(ctx, op, http.MethodPut, "/badges/by-key/"+string(in.Key), nil, draft, &raw)
	switch {
	case f != nil && f.code == "no_such_badge":
		f.Kind, f.Words = adapters.ErrNotFound, "The badge was deleted at the site. Restore it there, or import it anew."
		return adapters.Class{}, f.Error
	case f != nil:
		return adapters.Class{}, f.Error
	}
	class, err := normalizeClass(raw)
	if err != nil {
		return adapters.Class{}, broken(op, err)
	}
	return class, nil
}

// cut shortens s to at most n characters.
func cut(s string, n int) string {
	s = strings.TrimSpace(s)
	if runes := []rune(s); len(runes) > n {
		return strings.TrimSpace(string(runes[:n-1])) + "…"
	}
	return s
}

// link leaves out what the site would refuse.
func link(s string) string {
	if len(s) > maxLinked || checkURL("", s, true, "") != nil {
		return ""
	}
	return s
}
