package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"badgebridge/openbadges"
	"badgebridge/store"
)

// discard is a response that nobody reads.
type discard struct{ h http.Header }

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkAssertion is what one request for a cached hosted assertion costs
// beside net/http itself; BenchmarkStatic is the same bytes from a handler that
// does nothing else. Their ratio is what counts.
func BenchmarkAssertion(b *testing.B) {
	h, path := assertionServer(b)
	r := httptest.NewRequest(http.MethodGet, path, nil)
	w := &discard{h: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.h)
		h.ServeHTTP(w, r)
	}
}

// BenchmarkAssertionOverHTTP serves over a real connection, as nginx would.
func BenchmarkAssertionOverHTTP(b *testing.B) {
	h, path := assertionServer(b)
	overHTTP(b, h, path)
}

// BenchmarkStaticOverHTTP is net/http with the least that a handler can do.
func BenchmarkStaticOverHTTP(b *testing.B) {
	body := []byte(strings.Repeat("x", 700))
	overHTTP(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/ld+json")
		_, _ = w.Write(body)
	}), "/")
}

func overHTTP(b *testing.B, h http.Handler, path string) {
	b.Helper()
	srv := httptest.NewServer(h)
	defer srv.Close()
	c := srv.Client()
	b.ReportAllocs()
	for b.Loop() {
		res, err := c.Get(srv.URL + path)
		if err != nil {
			b.Fatal(err)
		}
		if res.StatusCode != http.StatusOK {
			b.Fatal(res.Status)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}
}

func assertionServer(b *testing.B) (http.Handler, string) {
	b.Helper()
	w := newWorld(b)
	ctx := b.Context()
	class, _, err := w.db.PutClass(ctx, store.Class{Remote: "x", Ref: "1", Content: openbadges.BadgeClass{Name: "B"}})
	must(b, err)
	a, err := w.db.CreateAward(ctx, store.Award{
		ClassID: class.ID, ClassVersionID: class.VersionID, Origin: "x", OriginRef: "1", Claim: store.Claimed, Visibility: store.Private, IssuedOn: time.Now().UTC(),
	})
	must(b, err)
	sha, err := w.db.PutDocument(ctx, "application/ld+json", []byte(strings.Repeat("x", 700)))
	must(b, err)
	must(b, w.db.CreateAssertion(ctx, store.Assertion{ID: "bench", AwardID: a.ID, Version: openbadges.V20, SHA256: sha}))
	return w.server.Config.Handler, "/ob/v2/assertions/bench"
}
