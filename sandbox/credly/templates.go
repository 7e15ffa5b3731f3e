package credly

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

func (s *Sim) listOrgs(c *call) reply {
	return page(s, c, []*Org{c.owner}, func(o *Org) any { return s.orgJSON(c, o) })
}

func (s *Sim) getOrg(c *call) reply { return ok(http.StatusOK, s.orgJSON(c, c.org)) }

func (s *Sim) putOrg(c *call) reply {
	for name, at := range map[string]*string{
		"name": &c.org.Name, "website_url": &c.org.WebsiteURL, "webhook_url": &c.org.WebhookURL,
		"contact_email": &c.org.ContactEmail, "bio": &c.org.Bio,
	} {
		if _, there := c.body[name]; there {
			*at = c.str(name)
		}
	}
	c.org.UpdatedAt = s.now()
	return ok(http.StatusOK, s.orgJSON(c, c.org))
}

func (s *Sim) orgJSON(c *call, o *Org) any {
	return map[string]any{
		"id": o.ID, "name": o.Name, "vanity_slug": o.Slug, "vanity_url": c.base + "/org/" + o.Slug,
		"website_url": orNil(o.WebsiteURL), "webhook_url": orNil(o.WebhookURL), "contact_email": orNil(o.ContactEmail),
		"bio": orNil(o.Bio), "photo": nil, "photo_url": nil, "allowed_webhooks": []any{}, "featured_badge_templates": []any{},
		"verified": false, "verified_at": nil, "workforce_enabled": false, "enable_blockchain": false,
		"created_at": stamp(o.CreatedAt), "updated_at": stamp(o.UpdatedAt),
	}
}

// ownerJSON is an organization as other objects embed it.
func ownerJSON(c *call, o *Org) map[string]any {
	return map[string]any{
		"type": "Organization", "id": o.ID, "name": o.Name, "url": c.base + "/api/v1/organizations/" + o.ID,
		"vanity_url": c.base + "/org/" + o.Slug, "vanity_slug": o.Slug, "verified": false,
	}
}

func (s *Sim) listTokens(c *call) reply {
	full := c.token != nil && (c.token.Write || c.token.Delete)
	var list []*Token
	for _, t := range s.st.Tokens {
		// A token that can only read sees only such tokens.
		if t.OrgID == c.org.ID && (full || !t.Write && !t.Delete) {
			list = append(list, t)
		}
	}
	return page(s, c, list, func(t *Token) any {
		return map[string]any{
			"id": t.ID, "token": t.Token, "owner_id": t.OrgID, "description": orNil(t.Description),
			"read_enabled": t.Read, "write_enabled": t.Write, "delete_enabled": t.Delete,
			"created_at": stamp(t.CreatedAt), "expires_at": stampOrNil(t.ExpiresAt), "owner": ownerJSON(c, c.org),
		}
	})
}

var (
	templateFilters = map[string]keep[*Template]{
		"query": func(t *Template, w string) bool { return contains(t.Name, w) || contains(t.Description, w) },
		"name": func(t *Template, w string) bool {
			if exact, ok := strings.CutPrefix(w, `"`); ok {
				return t.Name == strings.TrimSuffix(exact, `"`)
			}
			return contains(t.Name, w)
		},
		"public":         func(t *Template, w string) bool { return w == "true" != t.Private },
		"state":          func(t *Template, w string) bool { return oneOf(w, t.State) },
		"owner_id":       func(t *Template, w string) bool { return oneOf(w, t.OrgID) },
		"reporting_tags": func(t *Template, w string) bool { return anyOf(w, t.ReportingTags) },
		"skills":         func(t *Template, w string) bool { return anyOf(w, t.Skills) },
		"created_at_min": func(t *Template, w string) bool { return dayRange(&t.CreatedAt, w, false) },
		"created_at_max": func(t *Template, w string) bool { return dayRange(&t.CreatedAt, w, true) },
		"updated_at_min": func(t *Template, w string) bool { return dayRange(&t.UpdatedAt, w, false) },
		"updated_at_max": func(t *Template, w string) bool { return dayRange(&t.UpdatedAt, w, true) },
	}
	templateOrder = map[string]field[*Template]{
		"name":       byText(func(t *Template) string { return t.Name }),
		"created_at": byTime(func(t *Template) time.Time { return t.CreatedAt }),
		"updated_at": byTime(func(t *Template) time.Time { return t.UpdatedAt }),
	}
)

func anyOf(list string, have []string) bool {
	for _, w := range strings.Split(list, ",") {
		if slices.Contains(have, w) {
			return true
		}
	}
	return false
}

func (s *Sim) listTemplates(c *call) reply {
	var mine []*Template
	for _, t := range s.st.Templates {
		if t.OrgID == c.org.ID {
			mine = append(mine, t)
		}
	}
	list, refuse := choose(s, mine, c.r.URL.Query(), templateFilters, templateOrder)
	if refuse != nil {
		return *refuse
	}
	return page(s, c, list, func(t *Template) any { return s.templateJSON(c, t, true) })
}

func (s *Sim) getTemplate(c *call) reply {
	t := s.st.templates[c.r.PathValue("id")]
	if t == nil || t.OrgID != c.org.ID {
		return fail(http.StatusNotFound, "Badge template not found")
	}
	v := s.templateJSON(c, t, true)
	v["show_template_settings"], v["recommending_templates"], v["criterion_for"] = true, []any{}, []any{}
	return ok(http.StatusOK, v)
}

func (s *Sim) templateJSON(c *call, t *Template, tags bool) map[string]any {
	o := s.org(t.OrgID)
	alignments := make([]any, 0, len(t.Alignments))
	for _, a := range t.Alignments {
		alignments = append(alignments, map[string]any{"id": orNil(a.ID), "name": a.Name, "url": orNil(a.URL), "description": orNil(a.Description)})
	}
	activities := make([]any, 0, len(t.Activities))
	for _, a := range t.Activities {
		activities = append(activities, map[string]any{
			"title": a.Title, "activity_type": a.Type, "activity_url": a.URL, "required_badge_template_id": nil,
		})
	}
	visibility := "public"
	if t.Private {
		visibility = "private"
	}
	v := map[string]any{
		"id": t.ID, "name": t.Name, "description": t.Description, "state": t.State,
		"public": !t.Private, "visibility": visibility, "vanity_slug": slug(t.Name),
		"url": c.base + "/org/" + o.Slug + "/badge/" + slug(t.Name), "allow_duplicate_badges": t.AllowDuplicates,
		"cost": nil, "level": orNil(t.Level), "time_to_earn": nil, "type_category": nil,
		"global_activity_url": orNil(t.GlobalURL), "earn_this_badge_url": nil, "enable_earn_this_badge": false,
		"criteria_url": orNil(t.CriteriaURL), "criteria_url_name": nil, "recipient_type": "User",
		"badges_count": len(s.st.byTemplate[t.ID]), "get_issue_count": len(s.st.byTemplate[t.ID]),
		"default_expires_at": stampOrNil(t.DefaultExpires), "default_expires_at_date": dateOrNil(t.DefaultExpires),
		"image": nil, "image_url": nil, "owner": ownerJSON(c, o), "alignments": alignments,
		"recommendations": []any{}, "required_badge_templates": []any{}, "badge_template_activities": activities,
		"skills": list(t.Skills), "state_updated_at": stampOrNil(t.ChangedAt),
		"created_at": stamp(t.CreatedAt), "updated_at": stamp(t.UpdatedAt),
	}
	if t.State != "draft" { // the picture of a draft is null
		v["image"], v["image_url"] = imageJSON(c, t), imageURL(c, t)
	}
	if tags {
		v["reporting_tags"] = list(t.ReportingTags)
	}
	return v
}

func list(in []string) []string {
	if in == nil {
		return []string{}
	}
	return in
}

func imageURL(c *call, t *Template) string { return c.base + "/images/" + t.ImageID + "/image.png" }

func imageJSON(c *call, t *Template) any {
	return map[string]any{"id": t.ImageID, "url": imageURL(c, t)}
}
