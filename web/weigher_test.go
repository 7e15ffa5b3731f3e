package web_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// pageLimit is how many bytes a page may take over the wire, headers and all,
// without its pictures.
const pageLimit = 150_000

// weigher counts what a browser's window fetches for the page that it shows, and
// notes whom it asks.
type weigher struct {
	base string // the only one to be asked

	mu        sync.Mutex
	window    string // the frame that the page itself is in
	kinds     map[network.RequestID]network.ResourceType
	bytes     int
	strangers []string

	most   int
	mostOf string
}

// start has the window fetch everything anew for each page, so that each is
// weighed as its first visitor gets it.
func (m *weigher) start(t *testing.T, ctx context.Context) {
	t.Helper()
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	must(t, err)
	_, err = chromedp.Call(ctx, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	must(t, err)
	m.begin()
	must(t, chromedp.Listen(ctx, m.hear))
}

func (m *weigher) begin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.window, m.bytes, m.strangers, m.kinds = "", 0, nil, map[network.RequestID]network.ResourceType{}
}

func (m *weigher) hear(ev any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch e := ev.(type) {
	case *network.EventRequestWillBeSent:
		if url := e.Request.URL; strings.HasPrefix(url, "http") && !strings.HasPrefix(url, m.base+"/") {
			m.strangers = append(m.strangers, url)
		}
		if frame := string(e.FrameID); e.Type == network.ResourceTypeDocument {
			if m.window == frame { // another page follows in the same window
				m.bytes = 0
			}
			if m.window == "" {
				m.window = frame
			}
		}
		m.kinds[e.RequestID] = e.Type
	case *network.EventLoadingFinished:
		if kind, known := m.kinds[e.RequestID]; known && kind != network.ResourceTypeImage {
			m.bytes += int(e.EncodedDataLength)
		}
	}
}

// complaints are what is wrong with the page that was loaded since begin.
func (m *weigher) complaints(name string) (out []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bytes > m.most {
		m.most, m.mostOf = m.bytes, name
	}
	switch {
	case m.bytes > pageLimit:
		out = append(out, fmt.Sprintf("%d bytes without the pictures", m.bytes))
	case m.bytes == 0:
		out = append(out, "nothing was weighed")
	}
	for _, url := range m.strangers {
		out = append(out, "asks a stranger: "+url)
	}
	return out
}

func TestStaticFilesAreCompressedForThoseWhoTakeItAndPagesAreNot(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	page := b.get("/verify", "Accept-Encoding", "gzip")
	if got := page.header.Get("Content-Encoding"); got != "" {
		t.Errorf("a page comes as %s: its length tells of what is in it", got)
	}
	_, rest, _ := strings.Cut(page.body, `href="/static/app.css?`)
	query, _, _ := strings.Cut(rest, `"`)
	path := "/static/app.css?" + query
	plain := b.get(path, "Accept-Encoding", "identity")
	for accept, want := range map[string]string{"gzip": "gzip", "br, GZIP;q=0.5": "gzip", "deflate, br": "", "gzip;q=0": "", "gzip; q=x": "", "": "", "*": ""} {
		got := b.get(path, "Accept-Encoding", accept)
		if got.header.Get("Content-Encoding") != want || got.header.Get("Vary") != "Accept-Encoding" || !strings.Contains(got.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%q: %v", accept, got.header)
		}
		if want == "gzip" && len(got.body)*2 > len(plain.body) {
			t.Errorf("%q: %d bytes of %d", accept, len(got.body), len(plain.body))
		}
		if want == "" && got.body != plain.body {
			t.Errorf("%q: %d bytes of %d", accept, len(got.body), len(plain.body))
		}
		if again := b.get(path, "Accept-Encoding", accept, "If-None-Match", got.header.Get("ETag")); again.status != 304 || again.body != "" {
			t.Errorf("%q, asked again: %d", accept, again.status)
		}
		if other := plain.header.Get("ETag"); want == "gzip" && got.header.Get("ETag") == other {
			t.Errorf("two representations have the tag %s", other)
		}
	}
}
