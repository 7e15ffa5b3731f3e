package credly_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"badgebridge/sandbox/credly"
)

const (
	tok    = credly.DemoToken
	orgURL = "/v1/organizations/" + credly.DemoOrg
)

var start = time.Date(2025, 3, 4, 9, 41, 0, 0, time.UTC)

func newSim(t *testing.T, cfg credly.Config) *credly.Sim {
	t.Helper()
	cfg.Now = func() time.Time { return start }
	s, err := credly.New(cfg)
	if err == nil {
		err = s.Seed(credly.DemoSeed())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func template() string { return credly.DemoSeed().Templates[0].ID }

// call makes one request and returns status and decoded body.
func call(t *testing.T, h http.Handler, method, path, body string) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.SetBasicAuth(tok, "")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	out := map[string]any{}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			t.Fatalf("%s %s: %v: %s", method, path, err, w.Body)
		}
	}
	return w.Code, out
}

func issueBody(email string) string {
	return fmt.Sprintf(`{"recipient_email":%q,"issued_to_first_name":"Ada","issued_to_last_name":"Example","badge_template_id":%q,"issued_at":"2025-03-04 04:41:00 -0500","suppress_badge_notification_email":true}`, email, template())
}

func data(m map[string]any) map[string]any { v, _ := m["data"].(map[string]any); return v }

func issue(t *testing.T, s *credly.Sim, email string) map[string]any {
	t.Helper()
	code, out := call(t, s, "POST", orgURL+"/badges", issueBody(email))
	if code != http.StatusCreated {
		t.Fatalf("%d %v", code, out)
	}
	return data(out)
}

func TestAuthorizationIsStrict(t *testing.T) {
	s := newSim(t, credly.Config{})
	try := func(header string) int {
		r := httptest.NewRequest("GET", "/v1/organizations", nil)
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Code
	}
	noColon := "Basic ZGVtby10b2tlbi1mb3ItdGhlLXNpbXVsYXRvci1vbmx5"
	if got := []int{try("Basic ZGVtby10b2tlbi1mb3ItdGhlLXNpbXVsYXRvci1vbmx5Og=="), try(noColon), try("Bearer x"), try("")}; fmt.Sprint(got) != "[200 401 401 401]" {
		t.Error(got)
	}
	s.SetOptions(credly.Options{LenientAuth: true})
	if try(noColon) != 200 {
		t.Error("lenient mode refuses a token without colon")
	}
	s.Advance(181 * 24 * time.Hour)
	if try("Basic ZGVtby10b2tlbi1mb3ItdGhlLXNpbXVsYXRvci1vbmx5Og==") != 401 {
		t.Error("a token lives longer than 180 days")
	}
}

func TestIssueFollowsTheDocumentedForm(t *testing.T) {
	s := newSim(t, credly.Config{})
	b := issue(t, s, "ada+x@example.org")
	if b["state"] != "pending" || b["issued_at"] != "2025-03-04T09:41:00.000Z" || fmt.Sprint(b["user"]) != "map[]" || b["state_updated_at"] != nil {
		t.Error(b)
	}
	if _, there := b["badge_url"]; there || b["accept_badge_url"] == nil {
		t.Error("a pending badge has accept_badge_url and no badge_url")
	}
	id := b["id"].(string)
	if err := s.Accept(id); err != nil {
		t.Fatal(err)
	}
	_, out := call(t, s, "GET", "/api"+orgURL+"/badges/"+id+"/", "")
	b = data(out)
	if _, there := b["accept_badge_url"]; there || b["badge_url"] == nil || fmt.Sprint(b["user"]) == "map[]" {
		t.Error("an accepted badge has badge_url, a user and no accept_badge_url")
	}
	if code, out := call(t, s, "POST", orgURL+"/badges", issueBody("ADA+x@example.org")); code != 422 || !strings.Contains(fmt.Sprint(data(out)["message"]), "already has this badge") {
		t.Error(code, out)
	}
	code, out := call(t, s, "POST", orgURL+"/badges", fmt.Sprintf(`{"recipient_email":"x@example.org","badge_template_id":%q}`, template()))
	if list, _ := data(out)["errors"].([]any); code != 422 || len(list) != 3 {
		t.Error(code, out)
	}
	for _, n := range []int{5, 6} { // draft and archived
		body := strings.Replace(issueBody("y@example.org"), template(), credly.DemoSeed().Templates[n].ID, 1)
		if code, out := call(t, s, "POST", orgURL+"/badges", body); code != 422 || out["metadata"] != nil {
			t.Error(code, out)
		}
	}
	form := url.Values{"recipient_email": {"form@example.org"}, "issued_to_first_name": {"F"}, "issued_to_last_name": {"E"},
		"badge_template_id": {template()}, "issued_at": {"2025-03-04  02:41:00 pm"}}
	r := httptest.NewRequest("POST", orgURL+"/badges", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(tok, "")
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, r); w.Code != 201 || !strings.Contains(w.Body.String(), `"issued_at":"2025-03-04T14:41:00.000Z"`) {
		t.Error(w.Code, w.Body)
	}
}

func TestListsPageFilterAndSort(t *testing.T) {
	s := newSim(t, credly.Config{})
	if code, out := call(t, s, "GET", orgURL+"/badges", ""); code != 200 || fmt.Sprint(out["metadata"].(map[string]any)["total_pages"]) != "1" {
		t.Error("an empty list has one page:", out)
	}
	for i := range 120 {
		issue(t, s, fmt.Sprintf("p%03d@example.org", i))
		s.Advance(time.Second)
	}
	path, seen := orgURL+"/badges?sort=-created_at&filter="+url.QueryEscape("state::pending,accepted|badge_template_id::"+template()), 0
	last := ""
	for path != "" {
		_, out := call(t, s, "GET", path, "")
		for _, v := range out["data"].([]any) {
			at := v.(map[string]any)["created_at"].(string)
			if last != "" && at > last {
				t.Fatal("not sorted downwards")
			}
			last = at
			seen++
		}
		m := out["metadata"].(map[string]any)
		path, _ = m["next_page_url"].(string)
		if path != "" && !strings.Contains(path, "/api/v1/") {
			t.Error("next_page_url is not under /api/v1")
		}
	}
	if seen != 120 {
		t.Errorf("%d rows", seen)
	}
	_, out := call(t, s, "GET", orgURL+"/badges?filter%5Brecipient_email_all%5D=P007%40example.org", "")
	if len(out["data"].([]any)) != 1 {
		t.Error("the newer filter syntax found", out["metadata"])
	}
	_, out = call(t, s, "GET", orgURL+"/high_volume_issued_badge_search?badge_format=minimal", "")
	if m := out["metadata"].(map[string]any); len(m) != 1 || m["next_page_url"] == nil || len(out["data"].([]any)) != 50 {
		t.Error(m)
	}
}

func TestAFreshBadgeCanStayInvisible(t *testing.T) {
	s := newSim(t, credly.Config{})
	s.HideFresh(time.Minute)
	id := issue(t, s, "a@example.org")["id"].(string)
	count := func() int {
		_, out := call(t, s, "GET", orgURL+"/badges?filter=recipient_email_all::a%40example.org", "")
		return len(out["data"].([]any))
	}
	if code, _ := call(t, s, "GET", orgURL+"/badges/"+id, ""); code != 404 || count() != 0 {
		t.Error("it shows at once")
	}
	s.Advance(time.Minute)
	if code, _ := call(t, s, "GET", orgURL+"/badges/"+id, ""); code != 200 || count() != 1 {
		t.Error("it never shows")
	}
}

func TestOpenBadgesDocumentsFollowTheState(t *testing.T) {
	s := newSim(t, credly.Config{})
	b := issue(t, s, "a@example.org")
	id := b["id"].(string)
	get := func() (int, map[string]any) { return call(t, s, "GET", "/v1/obi/v2/badge_assertions/"+id, "") }
	if code, _ := get(); code != 404 {
		t.Error("pending:", code)
	}
	_ = s.Accept(id)
	code, doc := get()
	if code != 200 || doc["type"] != "Assertion" {
		t.Error("accepted:", code, doc)
	}
	u, _ := url.Parse(doc["badge"].(string))
	if code, class := call(t, s, "GET", u.Path, ""); code != 200 || class["type"] != "BadgeClass" {
		t.Error(code, class)
	}
	_ = s.SetPublic(id, false)
	if code, _ := get(); code != 404 {
		t.Error("private:", code)
	}
	_ = s.SetPublic(id, true)
	if code, _ := call(t, s, "PUT", orgURL+"/badges/"+id+"/revoke", `{}`); code != 422 {
		t.Error("revoked without a reason:", code)
	}
	if code, out := call(t, s, "PUT", orgURL+"/badges/"+id+"/revoke", `{"reason":"mistake"}`); code != 200 || data(out)["state"] != "revoked" {
		t.Error(code, out)
	}
	if code, doc := get(); code != 410 || doc["revoked"] != true || doc["revocationReason"] != "mistake" {
		t.Error("revoked:", code, doc)
	}
	if code, _ := call(t, s, "DELETE", orgURL+"/badges/"+id, ""); code != 204 {
		t.Error("delete:", code)
	}
	if code, _ := call(t, s, "GET", orgURL+"/badges/"+id, ""); code != 404 {
		t.Error("deleted:", code)
	}
}

func TestImagesArePNGsOfTheirOwn(t *testing.T) {
	s := newSim(t, credly.Config{})
	get := func(path string) []byte {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w.Body.Bytes()
	}
	one, two := get("/images/"+credly.DemoSeed().Templates[0].ImageID+"/image.png"), get("/images/"+credly.DemoSeed().Templates[1].ImageID+"/image.png")
	img, err := png.Decode(bytes.NewReader(one))
	if err != nil || img.Bounds().Dx() != 600 || img.Bounds().Dy() != 600 || bytes.Equal(one, two) {
		t.Error(err)
	}
	img, err = png.Decode(bytes.NewReader(get("/size/110x110/images/" + credly.DemoSeed().Templates[0].ImageID + "/image.png")))
	if err != nil || img.Bounds().Dx() != 110 {
		t.Error(err)
	}
}

func TestWebhooksCarryFourMembersAndAreTriedAgain(t *testing.T) {
	var mu sync.Mutex
	var bodies []string
	refuse := true
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		b, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(b))
		if refuse {
			w.WriteHeader(http.StatusNoContent) // only 200 counts
		}
	}))
	defer hook.Close()
	s := newSim(t, credly.Config{})
	if code, _ := call(t, s, "PUT", orgURL, fmt.Sprintf(`{"webhook_url":%q}`, hook.URL)); code != 200 {
		t.Fatal(code)
	}
	issue(t, s, "a@example.org")
	s.Deliver(t.Context())
	if d := s.Deliveries(); len(d) != 1 || d[0].Done || d[0].Attempts != 1 {
		t.Fatalf("%+v", d)
	}
	mu.Lock()
	refuse = false
	mu.Unlock()
	s.Advance(2 * time.Minute)
	s.Deliver(t.Context())
	if d := s.Deliveries(); !d[0].Done || d[0].Attempts != 2 {
		t.Fatalf("%+v", d)
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(bodies[1]), &m); err != nil || len(m) != 4 || m["event_type"] != "badge.created" || bodies[0] != bodies[1] {
		t.Error(bodies)
	}
	if code, out := call(t, s, "GET", orgURL+"/events/"+m["id"].(string), ""); code != 200 || data(out)["badge"] == nil {
		t.Error(code, out)
	}
}

func TestStateSurvivesARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	s := newSim(t, credly.Config{StateFile: file})
	id := issue(t, s, "a@example.org")["id"].(string)
	s.Advance(time.Hour)
	if err := errors.Join(s.Accept(id), s.SaveErr()); err != nil {
		t.Fatal(err)
	}
	again := newSim(t, credly.Config{StateFile: file})
	if b := again.Badges(); len(b) != 1 || b[0].State != credly.Accepted || !again.Now().Equal(start.Add(time.Hour)) {
		t.Errorf("%+v", b)
	}
	if code, _ := call(t, again, "POST", orgURL+"/badges", issueBody("a@example.org")); code != 422 {
		t.Error("the duplicate is not known after a restart")
	}
}

func TestADemoPersonAcceptsOnThePage(t *testing.T) {
	s := newSim(t, credly.Config{})
	srv := httptest.NewServer(s)
	defer srv.Close()
	id := issue(t, s, "a@example.org")["id"].(string)
	page := func(res *http.Response, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return string(b)
	}
	if p := page(http.Get(srv.URL + "/badges/" + id + "/accept")); !strings.Contains(p, ">Accept</button>") {
		t.Error(p)
	}
	if p := page(http.Post(srv.URL+"/badges/"+id+"/accept", "", nil)); !strings.Contains(p, "accepted") {
		t.Error(p)
	}
	if s.Badges()[0].State != credly.Accepted {
		t.Error("not accepted")
	}
}

func TestTheControlPlaneMakesAWorld(t *testing.T) {
	s, err := credly.New(credly.Config{})
	if err != nil {
		t.Fatal(err)
	}
	do := func(method, path, body string) map[string]any {
		t.Helper()
		code, out := call(t, s, method, "/__sim/"+path, body)
		if code != 200 {
			t.Fatal(path, code, out)
		}
		return out
	}
	org := do("POST", "orgs", `{"name":"Another"}`)["id"].(string)
	do("POST", "tokens", fmt.Sprintf(`{"organization_id":%q,"token":%q,"read_enabled":true,"write_enabled":true}`, org, tok))
	tpl := do("POST", "templates", fmt.Sprintf(`{"organization_id":%q,"name":"T"}`, org))["id"].(string)
	do("POST", "users", `{"emails":["u@example.org"],"first_name":"U","last_name":"E"}`)
	do("POST", "clock", `{"advance":"2h"}`)
	do("POST", "faults", `{"kind":"429","seconds":7,"count":1,"method":"GET","path":"/v1/organizations/*/badges"}`)
	path := "/v1/organizations/" + org + "/badges"
	if code, _ := call(t, s, "GET", path, ""); code != 429 {
		t.Error(code)
	}
	body := strings.Replace(issueBody("u@example.org"), template(), tpl, 1)
	code, out := call(t, s, "POST", path, body)
	if code != 201 {
		t.Fatal(out)
	}
	do("POST", "badges/"+data(out)["id"].(string)+"/accept", "")
	if n := do("GET", "calls", "")["done"].(map[string]any)["POST /v1/organizations/{id}/badges"]; n != 1.0 {
		t.Error(n)
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- credly.Serve(ctx, credly.Config{}, credly.DemoSeed(), l) }()
	res, err := http.Get("http://" + l.Addr().String() + "/")
	if err != nil || res.StatusCode != 200 {
		t.Fatal(err)
	}
	res.Body.Close()
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("it goes on")
	}
}

func TestManyAtOnce(t *testing.T) {
	s := newSim(t, credly.Config{})
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			call(t, s, "POST", orgURL+"/badges", issueBody(fmt.Sprintf("c%d@example.org", i%20)))
			call(t, s, "GET", orgURL+"/badges", "")
		})
	}
	wg.Wait()
	if n := len(s.Badges()); n != 20 {
		t.Errorf("%d badges for 20 people", n)
	}
}
