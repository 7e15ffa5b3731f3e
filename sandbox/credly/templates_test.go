package credly_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"badgebridge/sandbox/credly"
)

func TestATemplateIsMadeChangedAndDeleted(t *testing.T) {
	c := begin(t, credly.Options{})
	a := c.do("POST", orgURL+"/badge_templates", draft(map[string]any{"state": "active", "cost": "Free"}))
	if a.code != http.StatusCreated {
		t.Fatal(a.code, a.text)
	}
	id := a.data()["id"].(string)
	if !strings.HasSuffix(a.header.Get("Location"), "/badge_templates/"+id) || a.data()["allow_duplicate_badges"] != false {
		t.Error(a.header, a.text)
	}
	u, err := url.Parse(a.data()["image_url"].(string))
	must(t, err)
	_, sent, _ := strings.Cut(picture(600), ",")
	if got := c.do("GET", u.Path, nil).text; base64.StdEncoding.EncodeToString([]byte(got)) != sent {
		t.Error("the picture is not the one that was sent")
	}
	if got := c.do("GET", "/size/110x110"+u.Path, nil); got.header.Get("Content-Type") != "image/png" {
		t.Error(got.code)
	}
	badge := c.issued("a@example.org", map[string]any{"badge_template_id": id})
	b := c.do("PUT", orgURL+"/badge_templates/"+id, map[string]any{"name": "Renamed", "state": "archived"})
	if b.code != 200 || b.data()["name"] != "Renamed" || b.data()["state"] != "archived" || b.data()["image_url"] != a.data()["image_url"] {
		t.Error(b.code, b.text)
	}
	if got := c.post("b@example.org", map[string]any{"badge_template_id": id}); got.code != 422 {
		t.Error("an archived template is issued:", got.code)
	}
	if got := c.do("DELETE", orgURL+"/badge_templates/"+id, nil); got.code != 204 || got.text != "" {
		t.Error(got.code)
	}
	if got := c.do("GET", orgURL+"/badge_templates/"+id, nil); got.code != 404 {
		t.Error(got.code)
	}
	if got := c.do("GET", orgURL+"/badges/"+badge, nil).data()["badge_template"].(map[string]any); got["name"] != "Renamed" {
		t.Error("a badge of a deleted template:", got)
	}
}

func TestATemplateSaysWhichFieldIsWrong(t *testing.T) {
	c := begin(t, credly.Options{})
	for name, w := range map[string]struct {
		change map[string]any
		field  string
	}{
		"no name":        {map[string]any{"name": nil}, "name"},
		"no description": {map[string]any{"description": ""}, "description"},
		"no image":       {map[string]any{"image": nil}, "image"},
		"no real image":  {map[string]any{"image": base64.StdEncoding.EncodeToString([]byte("GIF89a"))}, "image"},
		"a small image":  {map[string]any{"image": map[string]any{"data": picture(300)}}, "image"},
		"two skills":     {map[string]any{"skills": []string{"A", "B"}}, "skills"},
		"no page":        {map[string]any{"global_activity_url": nil}, "global_activity_url"},
		"no real page":   {map[string]any{"global_activity_url": "campus"}, "global_activity_url"},
		"no activity":    {map[string]any{"badge_template_activities": nil}, "badge_template_activities"},
		"level":          {map[string]any{"level": "Expert"}, "level"},
		"state":          {map[string]any{"state": "deleted"}, "state"},
		"alignment":      {map[string]any{"alignments": []any{map[string]any{"url": "https://example.org"}}}, "alignments"},
		"recommendation": {map[string]any{"recommendations": []any{map[string]any{"title": "Next"}}}, "recommendations"},
	} {
		a := c.do("POST", orgURL+"/badge_templates", draft(w.change))
		if a.code != http.StatusUnprocessableEntity || fmt.Sprint(a.fields()) != "["+w.field+"]" {
			t.Errorf("%s: %d %s", name, a.code, a.text)
		}
	}
}

func TestATemplatesPictureIsFetchedFromItsAddress(t *testing.T) {
	c := begin(t, credly.Options{})
	_, sent, _ := strings.Cut(picture(600), ",")
	b, err := base64.StdEncoding.DecodeString(sent)
	must(t, err)
	from := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/b.png" {
			_, _ = w.Write(b)
			return
		}
		http.NotFound(w, r)
	}))
	defer from.Close()
	if a := c.do("POST", orgURL+"/badge_templates", draft(map[string]any{"image": map[string]any{"remote_upload_url": from.URL + "/b.png"}})); a.code != 201 {
		t.Error(a.code, a.text)
	}
	if a := c.do("POST", orgURL+"/badge_templates", draft(map[string]any{"image": map[string]any{"remote_upload_url": from.URL + "/none"}})); fmt.Sprint(a.fields()) != "[image]" {
		t.Error(a.code, a.text)
	}
}

func TestTemplatesAreFoundByWhatTheyAre(t *testing.T) {
	c := begin(t, credly.Options{})
	for filter, want := range map[string]int{
		"":                            7,
		"state::active":               5,
		"state::draft,archived":       2,
		"name::\"Mentor\"":            1,
		"name::ment":                  1,
		"query::season":               1,
		"skills::Feedback,Editing":    2,
		"public::false":               0,
		"owner_id::" + credly.DemoOrg: 7,
		"created_at_min::2025-03-05":  0,
		"state::active|name::e":       3,
		"collection_id::none":         0,
	} {
		if n := len(c.do("GET", orgURL+"/badge_templates?filter="+url.QueryEscape(filter), nil).list()); n != want {
			t.Errorf("%q finds %d, not %d", filter, n, want)
		}
	}
	var names []string
	for _, v := range c.do("GET", orgURL+"/badge_templates?sort=-name", nil).list() {
		names = append(names, v.(map[string]any)["name"].(string))
	}
	slices.Reverse(names)
	if !slices.IsSorted(names) {
		t.Error(names)
	}
	for _, v := range c.do("GET", orgURL+"/badge_templates?filter=state::draft", nil).list() {
		if d := v.(map[string]any); d["image"] != nil || d["image_url"] != nil {
			t.Error("a draft has a picture")
		}
	}
}

func TestABadgeOfADeletedTemplateSurvivesARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	one := &client{newSim(t, credly.Config{StateFile: file}), t, basic(tok)}
	a := one.do("POST", orgURL+"/badge_templates", draft(map[string]any{"state": "active"}))
	id := a.data()["id"].(string)
	badge := one.issued("a@example.org", map[string]any{"badge_template_id": id})
	one.do("DELETE", orgURL+"/badge_templates/"+id, nil)
	two := &client{newSim(t, credly.Config{StateFile: file}), t, basic(tok)}
	if got := two.do("GET", orgURL+"/badges/"+badge, nil); got.code != 200 {
		t.Error(got.code)
	}
	if got := two.post("b@example.org", map[string]any{"badge_template_id": id}); got.code != 422 {
		t.Error("a deleted template is issued:", got.code)
	}
}
