package sqlstore

import (
	"context"
	"fmt"
	"strings"

	"badgebridge/store"
)

const earnableFrom = ` FROM classes c JOIN class_versions v ON v.id = c.version_id
	LEFT JOIN issuers i ON i.id = COALESCE(c.issuer_id, (SELECT id FROM issuers WHERE own))`

func earnableWhere(f store.EarnableFilter) (w where) {
	w.is("c.issuable")
	w.is("c.remote <> 'backpack'")
	w.is("NOT EXISTS (SELECT 1 FROM mappings m WHERE m.class_b = c.id)")
	if f.IssuerID != "" {
		w.add("i.id = $%d", f.IssuerID)
	}
	if f.ClassID != "" {
		w.add("c.id = $%d", f.ClassID)
	}
	for i, word := range strings.Fields(store.Fold(f.Text)) {
		if i == maxWords {
			break
		}
		w.add(`(v.words LIKE $%[1]d ESCAPE '\' OR i.words LIKE $%[1]d ESCAPE '\')`, "%"+likeEscape.Replace(word)+"%")
	}
	return w
}

func scanEarnable(row scanner) (e store.Earnable, err error) {
	var own *bool
	e.Class, err = scanClass(wider{row, []any{orEmpty(&e.Issuer.ID), fromJSON(&e.Issuer.Profile), &own, orEmpty(&e.Issuer.ImageSHA)}})
	e.Issuer.Own = own != nil && *own
	return e, err
}

func (c *calls) EarnableBadges(ctx context.Context, f store.EarnableFilter) ([]store.Earnable, error) {
	w := earnableWhere(f)
	w.args = append(w.args, limited(f.Limit), max(f.Offset, 0))
	return many(ctx, c, "what can be earned", scanEarnable, `
		SELECT c.id, c.remote, c.ref, c.issuer_id, c.version, c.state, c.issuable, v.content, v.image_sha, v.id,
			c.created_at, c.updated_at, c.page_url, i.id, COALESCE(i.profile, '{}'), i.own, i.image_sha`+earnableFrom+w.String()+
		fmt.Sprintf(` ORDER BY v.words, c.id LIMIT $%d OFFSET $%d`, len(w.args)-1, len(w.args)), w.args...)
}

func (c *calls) CountEarnable(ctx context.Context, f store.EarnableFilter) (int, error) {
	w := earnableWhere(f)
	return count(ctx, c, "count what can be earned", `SELECT COUNT(*)`+earnableFrom+w.String(), w.args...)
}
