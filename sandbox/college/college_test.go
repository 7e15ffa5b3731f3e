package college_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"badgebridge/sandbox/college"
)

func open(t *testing.T, file string, now time.Time) *college.College {
	t.Helper()
	c, err := college.New(college.Config{BaseURL: "http://college.example", Name: "College (demo)", StateFile: file, Now: now, Badges: []college.Badge{
		{Slug: "one", Name: "One", Email: "ada@example.org", Age: 48 * time.Hour, Holds: 24 * time.Hour},
		{Slug: "two", Name: "Two", Email: "ada@example.org"},
		{Slug: "three", Name: "Three", Email: "ada@example.org", Credential: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func ask(t *testing.T, c *college.College, path string) (int, map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	c.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	var doc map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return w.Code, doc
}

func TestWhatHappenedStaysOverARestart(t *testing.T) {
	file, now := filepath.Join(t.TempDir(), "college.json"), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := open(t, file, now)
	if code, doc := ask(t, c, "/awards/one"); code != http.StatusOK || doc["issuedOn"] != "2026-02-27T12:00:00Z" || doc["expires"] != "2026-02-28T12:00:00Z" {
		t.Errorf("%d %v", code, doc)
	}
	if err := c.Revoke("one", "a mistake"); err != nil {
		t.Fatal(err)
	}
	if err := c.Forget("two"); err != nil {
		t.Fatal(err)
	}
	signed, err := c.Credential("three")
	if err != nil {
		t.Fatal(err)
	}
	again := open(t, file, now.Add(time.Hour))
	if code, doc := ask(t, again, "/awards/one"); code != http.StatusGone || doc["revocationReason"] != "a mistake" {
		t.Errorf("the revoked one: %d %v", code, doc)
	}
	for _, path := range []string{"/awards/two", "/awards/three"} {
		if code, _ := ask(t, again, path); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
	if text, err := again.Credential("three"); err != nil || string(text) != string(signed) {
		t.Errorf("another credential after the restart: %v", err)
	}
}
