package backpack_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"badgebridge/sync/backpack"
)

type memory struct {
	mu sync.Mutex
	m  map[string][]byte
}

func (m *memory) Get(_ context.Context, key string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.m[key]
	return v, ok
}

func (m *memory) Put(_ context.Context, key string, value []byte, _ time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.m[key] = value
}

func TestADocumentThatDidNotChangeIsNotReadAgain(t *testing.T) {
	body, tag, stamp, status := `{"a":1}`, `"one"`, "", http.StatusOK
	var full, spared int
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/", http.StatusFound)
			return
		}
		if status != http.StatusOK {
			w.WriteHeader(status)
			return
		}
		if tag != "" {
			w.Header().Set("ETag", tag)
		}
		if stamp != "" {
			w.Header().Set("Last-Modified", stamp)
		}
		if tag != "" && r.Header.Get("If-None-Match") == tag || tag == "" && stamp != "" && r.Header.Get("If-Modified-Since") == stamp {
			spared++
			w.WriteHeader(http.StatusNotModified)
			return
		}
		full++
		w.Header().Set("Content-Type", "application/ld+json")
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(srv.Close)
	mem := &memory{m: map[string][]byte{}}
	f := backpack.Conditional{Client: srv.Client(), Memory: mem}
	get := func(path, wantBody string, wantStatus, wantFull, wantSpared int) {
		t.Helper()
		res, err := f.Fetch(t.Context(), srv.URL+path, "application/json", 1000)
		if err != nil {
			t.Fatal(err)
		}
		if string(res.Body) != wantBody || res.Status != wantStatus || full != wantFull || spared != wantSpared {
			t.Errorf("%s: %d %q after %d in full and %d spared", path, res.Status, res.Body, full, spared)
		}
		if wantStatus == http.StatusOK && res.Header.Get("Content-Type") != "application/ld+json" {
			t.Errorf("%s: it is of type %q", path, res.Header.Get("Content-Type"))
		}
	}
	get("/", `{"a":1}`, 200, 1, 0)
	get("/", `{"a":1}`, 200, 1, 1)
	get("/moved", `{"a":1}`, 200, 2, 1) // another address is another document
	get("/moved", `{"a":1}`, 200, 2, 2)
	body, tag = `{"a":2}`, `"two"`
	get("/", `{"a":2}`, 200, 3, 2)
	get("/", `{"a":2}`, 200, 3, 3)
	status = http.StatusGone // taken back: seen at once, whatever is remembered
	get("/", "", 410, 3, 3)
	status, tag, stamp = http.StatusOK, "", "Mon, 02 Jan 2026 15:04:05 GMT"
	get("/", `{"a":2}`, 200, 4, 3)
	get("/", `{"a":2}`, 200, 4, 4)
	stamp = ""
	get("/", `{"a":2}`, 200, 5, 4)
	if _, err := f.Fetch(t.Context(), srv.URL+"/", "application/json", 3); err == nil {
		t.Error("a document that is too long is no error")
	}
	clear(mem.m)
	get("/", `{"a":2}`, 200, 7, 4) // nothing is remembered
}
