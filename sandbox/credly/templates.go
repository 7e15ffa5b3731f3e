package credly

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func templateFilters() map[string]keep[*Template] {
	return map[string]keep[*Template]{
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
		"recommendation_ids": func(t *Template, w string) bool {
			return slices.ContainsFunc(t.Recommendations, func(r Recommendation) bool { return oneOf(w, r.ID) })
		},
		"collection_id":  func(*Template, string) bool { return false }, // there are no collections here
		"created_at_min": func(t *Template, w string) bool { return dayRange(&t.CreatedAt, w, false) },
		"created_at_max": func(t *Template, w string) bool { return dayRange(&t.CreatedAt, w, true) },
		"updated_at_min": func(t *Template, w string) bool { return dayRange(&t.UpdatedAt, w, false) },
		"updated_at_max": func(t *Template, w string) bool { return dayRange(&t.UpdatedAt, w, true) },
	}
}

func (s *Sim) templateOrder() map[string]field[*Template] {
	return map[string]field[*Template]{
		"name":       byText(func(t *Template) string { return t.Name }),
		"created_at": byTime(func(t *Template) time.Time { return t.CreatedAt }),
		"updated_at": byTime(func(t *Template) time.Time { return t.UpdatedAt }),
		"badges_count": {cmp: func(a, b *Template) int {
			return len(s.st.byTemplate[a.ID]) - len(s.st.byTemplate[b.ID])
		}},
	}
}

func anyOf(list string, have []string) bool {
	for _, w := range strings.Split(list, ",") {
		if slices.Contains(have, w) {
			return true
		}
	}
	return false
}

// template is a template that exists, nil otherwise.
func (s *Sim) template(id string) *Template {
	if t := s.st.templates[id]; t != nil && !t.Deleted {
		return t
	}
	return nil
}

func (s *Sim) listTemplates(c *call) reply {
	var mine []*Template
	for _, t := range s.st.Templates {
		if t.OrgID == c.org.ID && !t.Deleted {
			mine = append(mine, t)
		}
	}
	q := c.r.URL.Query()
	list, refuse := choose(s, mine, s.filters(q), sortings(q), templateFilters(), s.templateOrder())
	if refuse != nil {
		return *refuse
	}
	return page(s, c, list, func(t *Template) any { return s.templateJSON(c, t, true) })
}

// pathTemplate is the path's template, or the refusal.
func (s *Sim) pathTemplate(c *call) (*Template, *reply) {
	if t := s.template(c.r.PathValue("id")); t != nil && t.OrgID == c.org.ID {
		return t, nil
	}
	out := fail(http.StatusNotFound, "Badge template not found")
	return nil, &out
}

func (s *Sim) getTemplate(c *call) reply {
	t, deny := s.pathTemplate(c)
	if deny != nil {
		return *deny
	}
	return ok(http.StatusOK, s.wholeTemplate(c, t))
}

// wholeTemplate is the object of a single read, which has more members.
func (s *Sim) wholeTemplate(c *call, t *Template) map[string]any {
	v := s.templateJSON(c, t, true)
	v["show_template_settings"], v["recommending_templates"], v["criterion_for"] = true, []any{}, []any{}
	return v
}

func (s *Sim) templateJSON(c *call, t *Template, tags bool) map[string]any {
	o := s.org(t.OrgID)
	alignments := make([]any, 0, len(t.Alignments))
	for i, a := range t.Alignments {
		alignments = append(alignments, map[string]any{"id": orDerived(a.ID, t.ID, "alignment", strconv.Itoa(i)), "name": a.Name, "url": orNil(a.URL), "description": orNil(a.Description)})
	}
	activities := make([]any, 0, len(t.Activities))
	for i, a := range t.Activities {
		activities = append(activities, map[string]any{
			"id": derivedID(t.ID, "activity", strconv.Itoa(i)), "title": a.Title, "activity_type": a.Type, "activity_url": a.URL, "required_badge_template_id": nil,
		})
	}
	recommendations := make([]any, 0, len(t.Recommendations))
	for _, r := range t.Recommendations {
		recommendations = append(recommendations, map[string]any{"id": r.ID, "title": r.Title, "type": r.Type, "activity_url": orNil(r.URL)})
	}
	visibility := "public"
	if t.Private {
		visibility = "private"
	}
	v := map[string]any{
		"id": t.ID, "name": t.Name, "description": t.Description, "state": t.State,
		"public": !t.Private, "visibility": visibility, "vanity_slug": slug(t.Name),
		"url": templateURL(c, o, t), "allow_duplicate_badges": t.AllowDuplicates,
		"cost": orNil(t.Cost), "level": orNil(t.Level), "time_to_earn": orNil(t.TimeToEarn), "type_category": orNil(t.TypeCategory),
		"certification":       t.TypeCategory == "Certification",
		"global_activity_url": orNil(t.GlobalURL), "earn_this_badge_url": nil, "enable_earn_this_badge": false,
		"criteria_url": orNil(t.CriteriaURL), "criteria_url_name": nil, "recipient_type": "User",
		"badges_count": len(s.st.byTemplate[t.ID]), "get_issue_count": len(s.st.byTemplate[t.ID]),
		"default_expires_at": stampOrNil(t.DefaultExpires), "default_expires_at_date": dateOrNil(t.DefaultExpires), "default_expires_at_type": nil,
		"lock_badge_state": false, "printing_disabled": false, "send_expiring_badge_notifications": false, "translatable": false,
		"record_to_blockchain": nil,
		"image":                nil, "image_url": nil, "owner": ownerJSON(c, o), "alignments": alignments,
		"recommendations": recommendations, "required_badge_templates": []any{}, "badge_template_activities": activities,
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

func templateURL(c *call, o *Org, t *Template) string {
	return c.base + "/org/" + o.Slug + "/badge/" + slug(t.Name)
}

func imageURL(c *call, t *Template) string { return c.base + "/images/" + t.ImageID + "/image.png" }

func imageJSON(c *call, t *Template) any {
	return map[string]any{"id": t.ImageID, "url": imageURL(c, t)}
}
