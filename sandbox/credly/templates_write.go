package credly

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image/png"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// templateFields are the fields that creating and changing a template take.
func templateFields() []string {
	return []string{
		"name", "description", "image", "skills", "global_activity_url", "badge_template_activities", "alignments", "cost", "level",
		"lock_badge_state", "time_to_earn", "translatable", "type_category", "recommendations", "reporting_tags", "state",
	}
}

func (s *Sim) createTemplate(c *call) reply {
	t := &Template{ID: newID(), OrgID: c.org.ID, State: "draft"}
	if s.opt.NewTemplatesActive {
		t.State = "active"
	}
	if deny := s.writeTemplate(c, t); deny != nil {
		return *deny
	}
	t.CreatedAt = t.UpdatedAt
	s.st.Templates = append(s.st.Templates, t)
	s.st.templates[t.ID] = t
	s.event(t.OrgID, "badge_template.created", nil, t)
	out := ok(http.StatusCreated, s.wholeTemplate(c, t))
	out.header = http.Header{"Location": {c.base + "/api/v1/organizations/" + t.OrgID + "/badge_templates/" + t.ID}}
	return out
}

func (s *Sim) updateTemplate(c *call) reply {
	t, deny := s.pathTemplate(c)
	if deny != nil {
		return *deny
	}
	changed := *t
	if deny := s.writeTemplate(c, &changed); deny != nil {
		return *deny
	}
	if changed.State != t.State {
		changed.ChangedAt = &changed.UpdatedAt
	}
	*t = changed
	s.event(t.OrgID, "badge_template.changed", nil, t)
	return ok(http.StatusOK, s.wholeTemplate(c, t))
}

func (s *Sim) removeTemplate(c *call) reply {
	t, deny := s.pathTemplate(c)
	if deny != nil {
		return *deny
	}
	s.dropTemplate(t)
	return reply{status: http.StatusNoContent}
}

// dropTemplate deletes a template. Its record stays, for the badges that were
// issued of it.
func (s *Sim) dropTemplate(t *Template) {
	t.Deleted, t.UpdatedAt = true, s.now()
	s.event(t.OrgID, "badge_template.deleted", nil, t)
}

// writeTemplate puts a request's fields into t, or says what is wrong with them.
func (s *Sim) writeTemplate(c *call, t *Template) *reply {
	var bad problems
	s.unknown(c, templateFields(), &bad)
	given := func(name string) bool { _, there := c.body[name]; return there }
	for name, at := range map[string]*string{"name": &t.Name, "description": &t.Description, "global_activity_url": &t.GlobalURL} {
		if given(name) {
			*at = c.str(name)
		}
		if *at == "" {
			bad.add(name, "can't be blank")
		}
	}
	if t.GlobalURL != "" && !isWebAddress(t.GlobalURL) {
		bad.add("global_activity_url", "is invalid")
	}
	for name, choice := range map[string]struct {
		at    *string
		among []string
	}{
		"cost":          {&t.Cost, []string{"Free", "Paid"}},
		"level":         {&t.Level, []string{"Foundational", "Intermediate", "Advanced"}},
		"time_to_earn":  {&t.TimeToEarn, []string{"Hours", "Days", "Weeks", "Months", "Years"}},
		"type_category": {&t.TypeCategory, []string{"Certification", "Learning", "Validation", "Experience"}},
	} {
		if given(name) {
			*choice.at = c.choice(name, choice.among, &bad)
		}
	}
	if v := c.choice("state", []string{"draft", "active", "archived"}, &bad); v != "" {
		t.State = v
	}
	for name, at := range map[string]*[]string{"skills": &t.Skills, "reporting_tags": &t.ReportingTags} {
		if !given(name) {
			continue
		}
		v, fits := c.texts(name)
		if *at = v; !fits {
			bad.add(name, "is invalid")
		}
	}
	if len(t.Skills) < 3 {
		bad.add("skills", "is too short (minimum is 3)")
	}
	s.templateParts(c, t, &bad)
	if len(t.Activities) == 0 {
		bad.add("badge_template_activities", "can't be blank")
	}
	if given("image") || t.ImageID == "" {
		s.templateImage(c, t, &bad)
	}
	if len(bad) > 0 {
		out := s.invalid(bad)
		return &out
	}
	t.UpdatedAt = s.now()
	return nil
}

// templateParts reads the lists of objects.
func (s *Sim) templateParts(c *call, t *Template, bad *problems) {
	each := func(name string, f func(text func(string) string) bool) {
		in, isList := c.body[name].([]any)
		if !isList && c.body[name] != nil {
			bad.add(name, "is invalid")
		}
		for _, e := range in {
			m, _ := e.(map[string]any)
			if !f(func(key string) string { v, _ := m[key].(string); return strings.TrimSpace(v) }) {
				bad.add(name, "is invalid")
			}
		}
	}
	if c.body["badge_template_activities"] != nil {
		t.Activities = nil
		each("badge_template_activities", func(text func(string) string) bool {
			a := Activity{Type: text("activity_type"), Title: text("title"), URL: text("activity_url")}
			t.Activities = append(t.Activities, a)
			return a.Title != "" && a.Type != "" && (a.URL == "" || isWebAddress(a.URL))
		})
	}
	if c.body["alignments"] != nil {
		t.Alignments = nil
		each("alignments", func(text func(string) string) bool {
			a := Alignment{ID: text("id"), Name: text("name"), URL: text("url"), Description: text("description")}
			t.Alignments = append(t.Alignments, a)
			return a.Name != "" && (a.URL == "" || isWebAddress(a.URL))
		})
	}
	if c.body["recommendations"] != nil {
		t.Recommendations = nil
		kinds := []string{"badge", "information", "education", "employment", "participation", "offer"}
		each("recommendations", func(text func(string) string) bool {
			r := Recommendation{ID: orNew(text("id")), Title: text("title"), Type: text("type"), URL: text("activity_url")}
			t.Recommendations = append(t.Recommendations, r)
			return text("id") != "" || text("recommended_badge_template_id") != "" || r.Title != "" && slices.Contains(kinds, r.Type) && isWebAddress(r.URL)
		})
	}
}

// templateImage reads image: {"remote_upload_url": …} or Base64, as a text or in
// {"data": …}; the documentation does not name that key.
func (s *Sim) templateImage(c *call, t *Template, bad *problems) {
	from, raw := "", ""
	switch v := c.body["image"].(type) {
	case string:
		raw = v
	case map[string]any:
		from, _ = v["remote_upload_url"].(string)
		raw, _ = v["data"].(string)
	}
	if from == "" && raw == "" {
		bad.add("image", "can't be blank")
		return
	}
	var b []byte
	var err error
	if from != "" {
		s.outside(func() { b, err = s.download(c.r.Context(), from) })
	} else {
		if _, data, isURL := strings.Cut(raw, ";base64,"); isURL {
			raw = data
		}
		b, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(raw), ""))
	}
	if err == nil {
		err = s.checkImage(b)
	}
	if err != nil {
		bad.add("image", err.Error())
		return
	}
	t.ImageID = newID()
	s.st.Pictures[t.ImageID] = b
}

// maxImage is the largest picture of a template.
const maxImage = 2 << 20

func (s *Sim) download(ctx context.Context, from string) ([]byte, error) {
	if !isWebAddress(from) {
		return nil, errors.New("could not be downloaded")
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, errors.New("could not be downloaded")
	}
	res, err := s.cfg.Webhooks.Do(req)
	if err != nil {
		return nil, errors.New("could not be downloaded")
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil || res.StatusCode != http.StatusOK {
		return nil, errors.New("could not be downloaded")
	}
	return b, nil
}

// checkImage refuses what Credly would not take for a template's picture.
func (s *Sim) checkImage(b []byte) error {
	size, err := png.DecodeConfig(bytes.NewReader(b))
	switch {
	case err != nil:
		return errors.New("is not a PNG")
	case s.opt.LooseImages:
		return nil
	case size.Width != 600 || size.Height != 600:
		return errors.New("has to be 600 by 600 pixels")
	case len(b) > maxImage:
		return errors.New("is too large (maximum is 2 MB)")
	}
	return nil
}
