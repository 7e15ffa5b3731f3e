package credly_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"badgebridge/sandbox/credly"
)

const (
	otherOrg   = "5f0b8c9e-1c5e-4d64-9b0e-0d1f3a6c7eff"
	otherToken = "token-of-another-organization"
	noDelete   = "token-that-may-not-delete"
)

// client calls a simulator with one set of credentials.
type client struct {
	*credly.Sim
	t    *testing.T
	auth string // of the Authorization header
}

func basic(token string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(token+":"))
}

// start is a simulator with the demo's organization, its tokens, another
// organization and a client with the token that may do everything.
func begin(t *testing.T, o credly.Options) *client {
	t.Helper()
	s := newSim(t, credly.Config{Options: o})
	seed := credly.DemoCredentials(false)
	seed.Orgs = []credly.Org{{ID: otherOrg, Name: "Another Association"}}
	seed.Tokens = append(seed.Tokens,
		credly.Token{OrgID: otherOrg, Token: otherToken, Read: true, Write: true, Delete: true},
		credly.Token{OrgID: credly.DemoOrg, Token: noDelete, Read: true, Write: true},
	)
	must(t, s.Seed(seed))
	return &client{s, t, basic(tok)}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// as is the same simulator with other credentials.
func (c *client) as(auth string) *client { return &client{c.Sim, c.t, auth} }

// answered is a call's answer.
type answered struct {
	code   int
	header http.Header
	text   string
	body   map[string]any
}

// do makes a call. body is sent as JSON, or as it is when it is a string.
func (c *client) do(method, path string, body any) answered {
	c.t.Helper()
	text, isText := body.(string)
	if body != nil && !isText {
		b, err := json.Marshal(body)
		must(c.t, err)
		text = string(b)
	}
	r := httptest.NewRequest(method, path, strings.NewReader(text))
	r.Header.Set("Authorization", c.auth)
	if strings.Contains(text, "=") && !strings.Contains(text, "{") {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	out := answered{w.Code, w.Header(), w.Body.String(), nil}
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		must(c.t, json.Unmarshal(w.Body.Bytes(), &out.body))
	}
	return out
}

func (a answered) data() map[string]any { return data(a.body) }
func (a answered) list() []any          { v, _ := a.body["data"].([]any); return v }
func (a answered) status() string       { return fmt.Sprint(a.code) }
func (a answered) message() string      { return fmt.Sprint(a.data()["message"]) }

// fields are the attributes that a validation error names.
func (a answered) fields() (out []string) {
	list, _ := a.data()["errors"].([]any)
	for _, e := range list {
		out = append(out, e.(map[string]any)["attribute"].(string))
	}
	return out
}

// order is the body of an issue, changed by more; nil takes a field away.
func order(email string, more map[string]any) map[string]any {
	body := map[string]any{
		"recipient_email": email, "issued_to_first_name": "Ada", "issued_to_last_name": "Example", "badge_template_id": template(),
		"issued_at": "2025-03-04 04:41:00 -0500", "suppress_badge_notification_email": true,
	}
	maps.Copy(body, more)
	maps.DeleteFunc(body, func(_ string, v any) bool { return v == nil })
	return body
}

func (c *client) post(email string, more map[string]any) answered {
	c.t.Helper()
	return c.do("POST", orgURL+"/badges", order(email, more))
}

// issued makes a badge and returns its id.
func (c *client) issued(email string, more map[string]any) string {
	c.t.Helper()
	a := c.post(email, more)
	if a.code != http.StatusCreated {
		c.t.Fatal(a.code, a.text)
	}
	return a.data()["id"].(string)
}

// found is what a list of badges shows.
func (c *client) found(filter string) []any {
	c.t.Helper()
	return c.do("GET", orgURL+"/badges?filter="+url.QueryEscape(filter), nil).list()
}

func (c *client) revoked(id string) answered {
	return c.do("PUT", orgURL+"/badges/"+id+"/revoke", map[string]any{"reason": "a mistake"})
}

func (c *client) replaced(id string) answered {
	return c.do("POST", orgURL+"/badges/"+id+"/replace", map[string]any{"badge_template_id": template(), "issued_at": "2025-03-04 04:41:00 -0500"})
}

// bearer is the Authorization header of a fresh access token.
func (c *client) bearer(scope string) string {
	c.t.Helper()
	a := c.do("POST", "/oauth/token", map[string]any{
		"grant_type": "client_credentials", "client_id": credly.DemoApp, "client_secret": credly.DemoAppSecret, "scope": scope,
	})
	if a.code != http.StatusOK {
		c.t.Fatal(a.code, a.text)
	}
	return "Bearer " + a.body["access_token"].(string)
}

// picture is a PNG of n by n pixels, as JSON takes it.
func picture(n int) string {
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewGray(image.Rect(0, 0, n, n)))
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

// draft is the body that creates a template.
func draft(more map[string]any) map[string]any {
	body := map[string]any{
		"name": "New", "description": "A new one.", "image": picture(600), "skills": []string{"A", "B", "C"}, "global_activity_url": "https://campus.example.org/new",
		"badge_template_activities": []any{map[string]any{"title": "Course", "activity_type": "Course", "activity_url": ""}},
	}
	maps.Copy(body, more)
	maps.DeleteFunc(body, func(_ string, v any) bool { return v == nil })
	return body
}
