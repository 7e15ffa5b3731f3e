package credly_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"badgebridge/sandbox/credly"
)

// visit gets a page, or posts a form to it, and follows where that leads.
func visit(t *testing.T, base, path string, form url.Values) (int, string) {
	t.Helper()
	var res *http.Response
	var err error
	if form == nil {
		res, err = http.Get(base + path)
	} else {
		res, err = http.PostForm(base+path, form)
	}
	must(t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	must(t, err)
	if strings.Contains(string(b), "<script") {
		t.Error(path, "has a script")
	}
	return res.StatusCode, string(b)
}

func TestAnEarnerAnswersInAnAccountOfTheirs(t *testing.T) {
	c := begin(t, credly.Options{})
	srv := httptest.NewServer(c)
	defer srv.Close()
	must(t, c.Seed(credly.Seed{Users: []credly.User{{ID: "ada", Emails: []string{"ada@example.org"}, FirstName: "Ada", LastName: "Example"}}}))
	known, other := c.issued("ada@example.org", nil), c.issued("ada@home.example.org", map[string]any{"badge_template_id": credly.DemoSeed().Templates[1].ID})
	if _, page := visit(t, srv.URL, "/badges/"+known+"/accept", nil); !strings.Contains(page, "signed in as") || strings.Contains(page, "<select") {
		t.Error("who has an account is asked for one:", page)
	}
	if _, page := visit(t, srv.URL, "/badges/"+other+"/accept", url.Values{"user": {"ada"}}); !strings.Contains(page, "accepted") {
		t.Error(page)
	}
	if code, _ := visit(t, srv.URL, "/badges/"+known, nil); code != 404 {
		t.Error("a pending badge is public")
	}
	if _, page := visit(t, srv.URL, "/badges/"+known+"/reject", url.Values{}); !strings.Contains(page, "rejected") {
		t.Error(page)
	}
	if code, page := visit(t, srv.URL, "/badges/"+known+"/accept", url.Values{}); code != 409 || !strings.Contains(page, "cannot be answered") {
		t.Error("a rejected badge is accepted")
	}
	if _, page := visit(t, srv.URL, "/users/ada-example", nil); !strings.Contains(page, "Mentor") || strings.Contains(page, "Workshop") {
		t.Error("the profile shows other badges than the accepted ones:", page)
	}
	must(t, c.SetPublic(other, false))
	if code, _ := visit(t, srv.URL, "/badges/"+other, nil); code != 404 {
		t.Error("a private badge is public")
	}
}

func TestALinkInAnAnswerLeadsToAPage(t *testing.T) {
	c := begin(t, credly.Options{})
	srv := httptest.NewServer(c)
	defer srv.Close()
	a := c.do("GET", orgURL+"/badge_templates/"+template(), nil).data()
	u, err := url.Parse(a["url"].(string))
	must(t, err)
	if code, page := visit(t, srv.URL, u.Path, nil); code != 200 || !strings.Contains(page, "Earning criteria") {
		t.Error(code)
	}
	if code, _ := visit(t, srv.URL, "/org/demo-association-of-facilitators", nil); code != 200 {
		t.Error(code)
	}
	if code, _ := visit(t, srv.URL, "/org/demo-association-of-facilitators/badge/grant-writer", nil); code != 404 {
		t.Error("a draft has a page")
	}
}

func TestTheControlPageDoesWhatAnAdministratorNeeds(t *testing.T) {
	c := begin(t, credly.Options{})
	srv := httptest.NewServer(c)
	defer srv.Close()
	post := func(path string, form url.Values) string {
		t.Helper()
		code, page := visit(t, srv.URL, "/__sim/page/"+path, form)
		if code != 200 {
			t.Fatal(path, code)
		}
		return page
	}
	page := post("issue", url.Values{"template": {template()}, "email": {"a@example.org"}, "first": {"Ada"}, "last": {"Example"}})
	if !strings.Contains(page, "Ada Example") || len(c.Mails()) != 1 {
		t.Error(page)
	}
	id := c.Badges()[0].ID
	for _, act := range []string{"accept", "hide", "show", "revoke"} {
		if page := post("badges/"+id, url.Values{"act": {act}}); strings.Contains(page, "did not work") {
			t.Error(act, page)
		}
	}
	if b := c.Badges()[0]; b.State != credly.Revoked || !b.Public {
		t.Errorf("%+v", b)
	}
	post("clock", url.Values{"by": {"24h"}})
	if got := c.Now().Sub(start); got != 24*time.Hour {
		t.Error(got)
	}
	for _, act := range []string{"archived", "active", "redraw"} {
		post("templates/"+template(), url.Values{"act": {act}})
	}
	post("templates/"+template(), url.Values{"act": {"rename"}, "name": {"Facilitator"}})
	if got := c.do("GET", orgURL+"/badge_templates/"+template(), nil).data(); got["name"] != "Facilitator" || got["state"] != "active" {
		t.Error(got)
	}
	post("faults", url.Values{"kind": {"500"}, "call": {"GET /v1/organizations/{org}/events"}, "count": {"1"}})
	if a := c.do("GET", orgURL+"/events", nil); a.code != 500 {
		t.Error(a.code)
	}
	page = post("options", url.Values{"lenient-auth": {"true"}, "read-delay": {"3s"}})
	if o := c.Options(); !o.LenientAuth || o.ReadDelay != 3*time.Second || !strings.Contains(page, `value="3s"`) {
		t.Errorf("%+v", o)
	}
	if page := post("options", url.Values{"read-delay": {"soon"}}); !strings.Contains(page, "That did not work") {
		t.Error("a delay that can't be read is taken")
	}
	post("options", url.Values{"all": {"assumed"}})
	if o := c.Options(); o != (credly.Options{}) {
		t.Errorf("%+v", o)
	}
}

func TestOnlyItsOwnPagesControlIt(t *testing.T) {
	c := begin(t, credly.Options{})
	id := c.issued("a@example.org", nil)
	for _, path := range []string{"/__sim/reset", "/__sim/page/clock", "/badges/" + id + "/accept"} {
		r := httptest.NewRequest("POST", path, strings.NewReader("{}"))
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w := httptest.NewRecorder()
		if c.ServeHTTP(w, r); w.Code != http.StatusForbidden {
			t.Errorf("%s from another site: %d", path, w.Code)
		}
	}
	s, err := credly.New(credly.Config{NoControl: true})
	must(t, err)
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, httptest.NewRequest("GET", "/__sim/badges", nil)); w.Code != http.StatusNotFound {
		t.Error("without control:", w.Code)
	}
}

func TestTheControlPlaneTurnsOptionsAndForgets(t *testing.T) {
	c := begin(t, credly.Options{})
	c.issued("a@example.org", nil)
	c.do("POST", "/__sim/options", `{"lenient-auth":true}`)
	if a := c.do("PATCH", "/__sim/options", `{"past-end-is-404":true}`); a.code != 200 || a.body["lenient-auth"] != true || a.body["past-end-is-404"] != true {
		t.Error(a.code, a.text)
	}
	if a := c.do("PATCH", "/__sim/options", `{"unheard-of":true}`); a.code != http.StatusBadRequest {
		t.Error(a.code)
	}
	if a := c.do("POST", "/__sim/clock", `{"now":"2031-01-01T00:00:00Z"}`); a.body["now"] != "2031-01-01T00:00:00Z" {
		t.Error(a.text)
	}
	if a := c.do("POST", "/__sim/reset", ``); a.code != 200 || len(c.Badges())+len(c.Events(credly.DemoOrg))+len(c.Templates()) != 0 || !c.Options().LenientAuth {
		t.Error(a.code, a.text)
	}
}
