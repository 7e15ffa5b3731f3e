package credly_test

import (
	"bytes"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"badgebridge/sandbox/credly"
)

func TestABadgeIsIssuedInEveryFormThatClientsSend(t *testing.T) {
	c := begin(t, credly.Options{})
	fields := func(n int) url.Values {
		v := url.Values{}
		for k, x := range order(fmt.Sprintf("p%d@example.org", n), nil) {
			v.Set(k, fmt.Sprint(x))
		}
		return v
	}
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for k := range fields(2) {
		must(t, m.WriteField(k, fields(2).Get(k)))
	}
	must(t, m.Close())
	for name, w := range map[string]struct{ path, kind, body string }{
		"JSON":            {"/v1", "application/json", issueBody("p0@example.org")},
		"form":            {"/v1", "application/x-www-form-urlencoded", fields(1).Encode()},
		"multipart":       {"/v1", m.FormDataContentType(), body.String()},
		"query":           {"/v1", "", ""},
		"JSON unlabelled": {"/v1", "", issueBody("p4@example.org")},
		"other prefix":    {"/api/v1", "application/json", issueBody("p5@example.org")},
	} {
		path := w.path + strings.TrimPrefix(orgURL, "/v1") + "/badges/"
		if name == "query" {
			path += "?" + fields(3).Encode()
		}
		r := httptest.NewRequest("POST", path, strings.NewReader(w.body))
		r.Header.Set("Authorization", c.auth)
		r.Header.Set("Content-Type", w.kind)
		rec := httptest.NewRecorder()
		if c.ServeHTTP(rec, r); rec.Code != 201 {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
	for _, b := range c.Badges() {
		if b.FirstName != "Ada" || !b.IssuedAt.Equal(start) || !b.SuppressMail {
			t.Errorf("%+v", b)
		}
	}
	if a := c.do("POST", orgURL+"/badges", strings.Repeat(" ", 5<<20)); a.code != 400 {
		t.Error("a body of 5 MB:", a.code)
	}
}

func TestATimeIsReadAsItWasMeant(t *testing.T) {
	c := begin(t, credly.Options{})
	for i, w := range [][2]string{
		{"2024-04-01 09:41:00 -0500", "2024-04-01T14:41:00.000Z"},
		{"2024-04-01T09:41:00.250-05:00", "2024-04-01T14:41:00.250Z"},
		{"2024-04-01  02:41:00 pm", "2024-04-01T14:41:00.000Z"},
		{"2024-04-01 14:41:00 UTC", "2024-04-01T14:41:00.000Z"},
		{"2024-04-01", "2024-04-01T00:00:00.000Z"},
	} {
		d := c.post(fmt.Sprintf("p%d@example.org", i), map[string]any{"issued_at": w[0]}).data()
		if d["issued_at"] != w[1] || d["issued_at_date"] != "2024-04-01" {
			t.Errorf("%s is %v", w[0], d["issued_at"])
		}
	}
}

func TestTheExportIsReadWholeWhileBadgesComeAndGo(t *testing.T) {
	c := begin(t, credly.Options{})
	c.many(120)
	first := c.Badges()[0].ID
	seen := map[string]int{}
	pages := 0
	for path := orgURL + "/high_volume_issued_badge_search?badge_format=minimal&filter=state::pending"; path != ""; pages++ {
		a := c.do("GET", path, nil)
		if len(a.body["metadata"].(map[string]any)) != 1 {
			t.Error("more than the address of the next page:", a.body["metadata"])
		}
		for _, v := range a.list() {
			b := v.(map[string]any)
			seen[b["id"].(string)]++
			if _, whole := b["issuer"]; whole || b["badge_template"].(map[string]any)["name"] == nil {
				t.Error("not the short form:", b)
			}
		}
		next, _ := a.body["metadata"].(map[string]any)["next_page_url"].(string)
		u, err := url.Parse(next)
		must(t, err)
		if path = u.RequestURI(); next == "" {
			break
		}
		c.issued(fmt.Sprintf("late%d@example.org", pages), nil)
		if pages == 0 {
			must(t, c.Delete(first))
		}
	}
	if len(seen) < 120 || slices.Max(slices.Collect(maps.Values(seen))) > 1 {
		t.Errorf("%d badges in %d pages", len(seen), pages)
	}
}

func TestAFreshBadgeIsADuplicateBeforeItCanBeFound(t *testing.T) {
	c := begin(t, credly.Options{ReadDelay: time.Minute})
	id := c.issued("a@example.org", map[string]any{"issuer_earner_id": "7"})
	if n := len(c.found("issuer_earner_id::7")); n != 0 {
		t.Error("it is found at once")
	}
	if a := c.post("a@example.org", nil); a.code != 422 {
		t.Error("its duplicate is made:", a.code)
	}
	if a := c.revoked(id); a.code != 200 {
		t.Error("it can't be written to by its id:", a.code)
	}
	c.Advance(time.Minute)
	if n := len(c.found("issuer_earner_id::7|state::revoked")); n != 1 {
		t.Error("it is never found")
	}
}

func TestCallsAreCountedSoThatATestCanSayHowManyItTook(t *testing.T) {
	c := begin(t, credly.Options{})
	c.issued("a@example.org", nil)
	c.post("a@example.org", nil)
	c.found("")
	got := c.Calls()
	const post = "POST /v1/organizations/{id}/badges"
	if got.Received[post] != 2 || got.Done[post] != 1 || got.Read["GET /v1/organizations/{id}/badges"] != 1 {
		t.Errorf("%+v", got)
	}
}
