package credly

import (
	"maps"
	"net/http"
	"slices"
)

func (s *Sim) listOrgs(c *call) reply {
	return page(s, c, []*Org{c.owner}, func(o *Org) any { return s.orgJSON(c, o) })
}

func (s *Sim) getOrg(c *call) reply { return ok(http.StatusOK, s.orgJSON(c, c.org)) }

// plainOrgFields are documented fields of an organization that the simulator
// keeps and does nothing with.
func plainOrgFields() []string {
	return []string{"location", "city", "state_or_province", "zip_or_postal_code", "country", "organization_type", "twitter_url", "facebook_url"}
}

func (s *Sim) putOrg(c *call) reply {
	var bad problems
	known := map[string]*string{
		"name": &c.org.Name, "website_url": &c.org.WebsiteURL, "webhook_url": &c.org.WebhookURL,
		"contact_email": &c.org.ContactEmail, "bio": &c.org.Bio,
	}
	s.unknown(c, slices.Concat(slices.Collect(maps.Keys(known)), plainOrgFields(), []string{"photo"}), &bad)
	if _, there := c.body["name"]; there && c.str("name") == "" {
		bad.add("name", "can't be blank")
	}
	for _, name := range []string{"website_url", "webhook_url"} {
		if v := c.str(name); v != "" && !isWebAddress(v) {
			bad.add(name, "is invalid")
		}
	}
	if e := c.str("contact_email"); e != "" && !isAddress(e) {
		bad.add("contact_email", "is invalid")
	}
	if len(bad) > 0 {
		return s.invalid(bad)
	}
	for name, at := range known {
		if _, there := c.body[name]; there {
			*at = c.str(name)
		}
	}
	for _, name := range plainOrgFields() {
		if _, there := c.body[name]; there {
			if c.org.More == nil {
				c.org.More = map[string]string{}
			}
			c.org.More[name] = c.str(name)
		}
	}
	c.org.UpdatedAt = s.now()
	return ok(http.StatusOK, s.orgJSON(c, c.org))
}

func (s *Sim) orgJSON(c *call, o *Org) any {
	v := map[string]any{
		"id": o.ID, "name": o.Name, "vanity_slug": o.Slug, "vanity_url": c.base + "/org/" + o.Slug,
		"website_url": orNil(o.WebsiteURL), "webhook_url": orNil(o.WebhookURL), "contact_email": orNil(o.ContactEmail),
		"bio": orNil(o.Bio), "photo": nil, "photo_url": nil, "allowed_webhooks": []any{}, "featured_badge_templates": []any{},
		"verified": false, "verified_at": nil, "workforce_enabled": false, "enable_blockchain": false,
		"internationalize_badge_templates": false, "require_template_detail_attributes": false, "print_method": nil,
		"created_at": stamp(o.CreatedAt), "updated_at": stamp(o.UpdatedAt),
	}
	for _, name := range plainOrgFields() {
		v[name] = orNil(o.More[name])
	}
	return v
}

// ownerJSON is an organization as other objects embed it.
func ownerJSON(c *call, o *Org) map[string]any {
	return map[string]any{
		"type": "Organization", "id": o.ID, "name": o.Name, "url": c.base + "/api/v1/organizations/" + o.ID,
		"vanity_url": c.base + "/org/" + o.Slug, "vanity_slug": o.Slug, "verified": false,
	}
}

func (s *Sim) listTokens(c *call) reply {
	full := c.token == nil || c.token.Write || c.token.Delete
	var list []*Token
	for _, t := range s.st.Tokens {
		// A token that can only read sees only such tokens.
		if t.OrgID == c.org.ID && t.Sandbox == s.cfg.Sandbox && (full || !t.Write && !t.Delete) {
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

func (s *Sim) appsOf(o *Org) []*App {
	return slices.DeleteFunc(slices.Clone(s.st.Apps), func(a *App) bool { return a.OrgID != o.ID || a.Sandbox != s.cfg.Sandbox })
}

func (s *Sim) listApps(c *call) reply {
	return page(s, c, s.appsOf(c.org), func(a *App) any { return s.appJSON(c, a) })
}

func (s *Sim) getApp(c *call) reply {
	for _, a := range s.appsOf(c.org) {
		if a.UID == c.r.PathValue("id") {
			return ok(http.StatusOK, s.appJSON(c, a))
		}
	}
	return fail(http.StatusNotFound, "OAuth application not found")
}

// appJSON is an application; its secret is never shown again.
func (s *Sim) appJSON(c *call, a *App) any {
	return map[string]any{
		"id": slices.Index(s.st.Apps, a) + 1, "name": orNil(a.Name), "description": nil, "uid": a.UID, "secret": nil,
		"created_by_id": c.org.ID, "created_by_type": "Organization", "created_by_name": c.org.Name, "creator_available": true,
		"created_at": stamp(a.CreatedAt), "updated_at": stamp(a.CreatedAt),
	}
}
