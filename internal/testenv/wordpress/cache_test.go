//go:build unix

package wordpress

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// pageCache keeps every page that does not forbid it, and gives it to everybody
// whatever their cookies: a badly configured one.
type pageCache struct {
	to   *httputil.ReverseProxy
	mu   sync.Mutex
	kept map[string][]byte
	hits int
}

func newPageCache(t *testing.T, site string) *pageCache {
	t.Helper()
	origin, err := url.Parse(site)
	if err != nil {
		t.Fatal(err)
	}
	c := &pageCache{to: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(origin) }}, kept: map[string][]byte{}}
	c.to.ModifyResponse = func(resp *http.Response) error {
		if resp.Request.Method != http.MethodGet || resp.StatusCode != http.StatusOK || strings.Contains(resp.Header.Get("Cache-Control"), "no-store") {
			return nil
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
		c.mu.Lock()
		defer c.mu.Unlock()
		c.kept[resp.Request.URL.RequestURI()] = body
		return nil
	}
	return c
}

func (c *pageCache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	body, ok := c.kept[r.URL.RequestURI()]
	if ok && r.Method == http.MethodGet {
		c.hits++
		c.mu.Unlock()
		w.Header().Set("X-Cache", "HIT")
		_, _ = w.Write(body)
		return
	}
	c.mu.Unlock()
	c.to.ServeHTTP(w, r)
}

func (h *hostile) cached(t *testing.T) {
	cache := newPageCache(t, h.BaseURL)
	get := func(b browser, path string) string {
		req, err := http.NewRequest("GET", h.BaseURL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		client := *b.client
		client.Transport = through{cache}
		_, body := send(t, &client, req)
		return body
	}
	mine := func(page string) bool { return strings.Contains(page, fmt.Sprintf(`id="badgebridge-%d"`, h.entry)) }
	visitor := browser{&http.Client{}, h.BaseURL}
	if !mine(get(h.asWalker, "/my-badges/")) {
		t.Fatal("the member does not see their own badges")
	}
	if mine(get(h.asOther, "/my-badges/")) {
		t.Error("another member sees them")
	}
	if page := get(visitor, "/my-badges/"); mine(page) || !strings.Contains(page, "Sign in to see your badges") {
		t.Errorf("a visitor sees\n%s", page)
	}
	if !mine(get(h.asWalker, "/my-badges/")) {
		t.Error("the member sees the visitor's page")
	}
	// It does cache what it may: else this tests nothing.
	get(visitor, "/wall/")
	if get(visitor, "/wall/"); cache.hits == 0 {
		t.Error("nothing came out of the cache")
	}
	for range 2 {
		if status, body := send(t, &http.Client{Transport: through{cache}}, h.signed(t, stubKey, stubSecret, "GET", "/site", nil, nil)); status != http.StatusOK || !strings.Contains(body, h.UUID(t)) {
			t.Errorf("the gateway's call: %d %s", status, body)
		}
	}
	// Nor does anybody get an answer who has not signed.
	if status, body := send(t, &http.Client{Transport: through{cache}}, mustGet(t, h.RestURL+"/badgebridge/v1/site")); status != http.StatusUnauthorized {
		t.Errorf("an unsigned call: %d %s", status, body)
	}
}

func mustGet(t *testing.T, address string) *http.Request {
	t.Helper()
	req, err := http.NewRequest("GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// through sends every request through a handler, as DNS does with a proxy in front of a site.
type through struct{ http.Handler }

func (x through) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	in := r.Clone(r.Context())
	in.RequestURI = ""
	x.ServeHTTP(rec, in)
	return &http.Response{StatusCode: rec.status, Header: rec.header, Body: io.NopCloser(&rec.body), Request: r, ProtoMajor: 1, ProtoMinor: 1}, nil
}

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
