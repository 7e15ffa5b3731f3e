package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"badgebridge/store"
)

const (
	// documentTTL bounds how long a change that nobody told of (another
	// replica's) may stay unseen.
	documentTTL  = 5 * time.Second
	documentTime = 5 * time.Second
	cacheBytes   = 64 << 20
	imageCSP     = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
	documentCSP  = "default-src 'none'; frame-ancestors 'none'; sandbox"
)

// documents serves the hosted badge documents, byte for byte as they were
// stored. The short way, a document that was served moments ago, passes no
// router and asks nobody.
type documents struct {
	cfg Config

	mu    sync.RWMutex
	kept  map[string]*document // by path
	bytes int
	// changes counts forget: what was read before one is not kept after it.
	changes uint64
	hit     func()
}

// document is an answer with its headers made ready.
type document struct {
	status  int
	body    []byte
	etag    string
	award   string // whose change makes it stale; anyAward for each
	until   time.Time
	headers [][2]any // canonical name, []string
}

// anyAward is the award of a document that tells of many, such as a status list.
const anyAward = "*"

func newDocuments(cfg Config) *documents {
	return &documents{cfg: cfg, kept: map[string]*document{}, hit: func() {}}
}

// serve answers GET, HEAD and OPTIONS under /ob/. It reports false for other
// methods, which the router refuses.
func (d *documents) serve(w http.ResponseWriter, r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		d.hit()
		path := r.URL.Path
		if strings.HasPrefix(path, credentialPath) && prefersJWT(r.Header["Accept"]) {
			path = asJWT(path)
		}
		d.write(w, r, path, "")
		return true
	case http.MethodOptions:
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Methods", "GET, HEAD")
		h.Set("Access-Control-Allow-Headers", "Accept, If-None-Match")
		h.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
		return true
	}
	return false
}

// write answers with the document of a path under /ob/. cacheControl replaces
// the document's own; "" keeps it.
func (d *documents) write(w http.ResponseWriter, r *http.Request, path, cacheControl string) {
	d.mu.RLock()
	doc := d.kept[path]
	d.mu.RUnlock()
	if doc == nil || !d.cfg.Now().Before(doc.until) {
		ctx, cancel := context.WithTimeout(r.Context(), documentTime)
		defer cancel()
		var err error
		if doc, err = d.find(ctx, path); err != nil {
			d.refuse(w, r, err)
			return
		}
	}
	h := w.Header()
	for _, kv := range doc.headers {
		h[kv[0].(string)] = kv[1].([]string) //nolint:forcetypeassert // made by load
	}
	if cacheControl != "" {
		h.Set("Cache-Control", cacheControl)
	}
	if m := r.Header["If-None-Match"]; len(m) > 0 && doc.status == http.StatusOK && etagMatches(m, doc.etag) {
		delete(h, "Content-Length")
		delete(h, "Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if doc.status != http.StatusOK || r.Method == http.MethodHead {
		w.WriteHeader(doc.status) // for 200 Write does it, and copies no header
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(doc.body)
	}
}

// find gets a document from memory or the store.
func (d *documents) find(ctx context.Context, path string) (*document, error) {
	d.mu.RLock()
	doc, changes := d.kept[path], d.changes
	d.mu.RUnlock()
	if doc != nil && d.cfg.Now().Before(doc.until) {
		return doc, nil
	}
	doc, err := d.load(ctx, path)
	if err != nil {
		return nil, err
	}
	d.keep(path, doc, changes)
	return doc, nil
}

func etagMatches(lines []string, etag string) bool {
	for _, line := range lines {
		for _, one := range strings.Split(line, ",") {
			if one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one == etag || one == "*" {
				return true
			}
		}
	}
	return false
}

// refuse answers a document that there is not. An award that is not claimed
// yet looks exactly like one that never was.
func (d *documents) refuse(w http.ResponseWriter, r *http.Request, err error) {
	out := outcomeOf(err)
	if out.status >= 500 {
		d.cfg.Log.ErrorContext(r.Context(), "document failed", "error", err)
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", documentCSP)
	h.Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(out.status)
	if r.Method != http.MethodHead {
		body, _ := json.Marshal(apiError{Code: out.code, Message: http.StatusText(out.status)})
		_, _ = w.Write(append(body, '\n'))
	}
}

// image serves stored pictures. Only pictures: other documents in the same
// table are not for everybody.
func (d *documents) image(ctx context.Context, sha string) (*document, error) {
	if len(sha) != 64 {
		return nil, store.ErrNotFound
	}
	doc, err := d.cfg.Store.Document(ctx, sha)
	if err != nil {
		return nil, fmt.Errorf("image: %w", err)
	}
	switch doc.MediaType {
	case "image/png", "image/svg+xml", "image/jpeg", "image/gif", "image/webp":
	default:
		return nil, fmt.Errorf("not an image: %w", store.ErrNotFound)
	}
	return ready(http.StatusOK, doc.Body, doc.MediaType, "public, max-age=31536000, immutable", imageCSP, "", d.cfg.Now().Add(time.Hour)), nil
}

func (d *documents) stored(ctx context.Context, sha string) ([]byte, error) {
	doc, err := d.cfg.Store.Document(ctx, sha)
	if err != nil {
		if errors.Is(err, store.ErrNotFound) {
			// The row that names it says that it exists: that is damage, not a 404.
			return nil, fmt.Errorf("document %s is missing from the store", sha)
		}
		return nil, fmt.Errorf("document: %w", err)
	}
	return doc.Body, nil
}

func (d *documents) until() time.Time { return d.cfg.Now().Add(documentTTL) }

func ready(status int, body []byte, mediaType, cacheControl, csp, award string, until time.Time) *document {
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:16]) + `"`
	doc := &document{status: status, body: body, etag: etag, award: award, until: until, headers: [][2]any{
		{"Content-Type", []string{mediaType}},
		{"Content-Length", []string{strconv.Itoa(len(body))}},
		{"Cache-Control", []string{cacheControl}},
		{"Etag", []string{etag}},
		{"Access-Control-Allow-Origin", []string{"*"}},
	}}
	if strings.Contains(mediaType, "vc+") {
		doc.headers = append(doc.headers, [2]any{"Vary", []string{"Accept"}}) // see prefersJWT
	}
	if csp != "" {
		// What a browser may show. JSON it does not (nosniff), and every header
		// costs: with eight of them net/http's map of them still is a small one.
		doc.headers = append(doc.headers, [2]any{"Content-Security-Policy", []string{csp}}, [2]any{"Cross-Origin-Resource-Policy", []string{"cross-origin"}})
	}
	return doc
}

// keep remembers a document; when the room is full it starts afresh, which
// costs one read each.
func (d *documents) keep(path string, doc *document, changes uint64) {
	size := len(doc.body) + 1024
	if size > cacheBytes/16 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if changes != d.changes {
		return
	}
	if old := d.kept[path]; old != nil {
		d.bytes -= len(old.body) + 1024
	}
	if d.bytes+size > cacheBytes {
		clear(d.kept)
		d.bytes = 0
	}
	d.kept[path] = doc
	d.bytes += size
}

func (d *documents) forget(award string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.changes++
	for path, doc := range d.kept {
		if doc.award == award || doc.award == anyAward {
			d.bytes -= len(doc.body) + 1024
			delete(d.kept, path)
		}
	}
}
