package credly

import "strings"

// badgeJSON is the badge object. Which of accept_badge_url and badge_url is
// there follows the state; the other key is absent, not null.
func (s *Sim) badgeJSON(c *call, b *Badge) map[string]any {
	t, o := s.st.templates[b.TemplateID], s.org(b.OrgID)
	alignments := make([]any, 0, len(t.Alignments))
	for _, a := range t.Alignments {
		alignments = append(alignments, map[string]any{"name": a.Name, "description": orNil(a.Description)})
	}
	owner := ownerJSON(c, o)
	owner["share_to_ziprecruiter"] = false
	ev := b.Evidence
	if ev == nil {
		ev = []map[string]any{}
	}
	v := map[string]any{
		"id": b.ID, "state": b.State, "recipient_email": b.Email,
		"issued_to":            strings.Join(strings.Fields(b.FirstName+" "+b.MiddleName+" "+b.LastName), " "),
		"issued_to_first_name": b.FirstName, "issued_to_middle_name": orNil(b.MiddleName), "issued_to_last_name": b.LastName,
		"issuer_earner_id": orNil(b.EarnerID), "locale": b.Locale, "public": b.Public,
		"issued_at": stamp(b.IssuedAt), "issued_at_date": dateOrNil(&b.IssuedAt),
		"expires_at": stampOrNil(b.ExpiresAt), "expires_at_date": dateOrNil(b.ExpiresAt),
		"state_updated_at": stampOrNil(b.StateUpdatedAt), "created_at": stamp(b.CreatedAt), "updated_at": stamp(b.UpdatedAt),
		"replaces_badge_id": orNil(b.Replaces), "replacement_badge_id": orNil(b.Replacement),
		"revocation_reason": orNil(b.RevokeReason), "suppress_badge_notification_email": b.SuppressMail,
		"country": orNil(b.Country), "country_code": nil, "state_or_province": orNil(b.StateOrProvince),
		"image": imageJSON(c, t), "image_url": imageURL(c, t), "alignments": alignments, "evidence": ev,
		"printing_enabled": false, "print_method": nil, "user": map[string]any{}, "created_by": owner,
		"issuer": map[string]any{
			"summary":  "issued by " + o.Name,
			"entities": []any{map[string]any{"label": "Issued by", "primary": true, "entity": owner}},
		},
		"badge_template": s.templateJSON(c, t, false),
	}
	switch {
	case b.State == Pending:
		v["accept_badge_url"] = acceptURL(c, b)
	case b.State == Accepted && (b.Public || !s.opt.PrivateHasNoBadgeURL):
		v["badge_url"] = badgeURL(c, b)
	}
	if b.GroupTag != "" {
		v["group_tag"] = b.GroupTag
	}
	if u := s.earner(b); u != nil {
		v["user"] = map[string]any{
			"id": u.ID, "email": u.Emails[0], "first_name": u.FirstName, "middle_name": nil, "last_name": u.LastName,
			"current_position_name": nil, "current_organization_name": nil, "confirmed": true, "photo": nil, "photo_url": nil,
			"url": c.base + "/users/" + u.Slug,
		}
	}
	return v
}

func acceptURL(c *call, b *Badge) string { return badgeURL(c, b) + "/accept" }

func badgeURL(c *call, b *Badge) string { return c.base + "/badges/" + b.ID }

// minimal is the badge of the export search's short format.
func minimal(v map[string]any) map[string]any {
	out := map[string]any{}
	for _, k := range []string{
		"id", "issued_to", "issued_to_first_name", "issued_to_last_name", "issuer_earner_id", "public", "recipient_email",
		"state", "badge_url", "issued_at", "expires_at", "created_at", "updated_at", "state_updated_at",
	} {
		if x, there := v[k]; there {
			out[k] = x
		}
	}
	t := v["badge_template"].(map[string]any)
	out["badge_template"] = map[string]any{"id": t["id"], "name": t["name"]}
	out["user"] = map[string]any{}
	if id := v["user"].(map[string]any)["id"]; id != nil {
		out["user"] = map[string]any{"id": id}
	}
	return out
}
