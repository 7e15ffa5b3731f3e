// Package college is another issuer for the demo: a school on this machine that
// hosts Open Badges 2.0 and signs Open Badges 3.0 credentials by itself, with
// none of the gateway's code, so that what a member brings from there is truly
// verified.
package college

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"badgebridge/sandbox/site/seal"
)

// Badge is something that can be earned at the college, and its one award.
type Badge struct {
	Slug        string
	Name        string
	Description string
	Criteria    string // Markdown
	Skills      []string
	Hue         float64
	Shape       seal.Shape
	Glyph       seal.Glyph
	Email       string        // who has it
	Age         time.Duration // how long before the college opened it was awarded
	Holds       time.Duration // from the award on; 0: for good
	Credential  bool          // an Open Badges 3.0 credential, not a hosted 2.0 badge
	Evidence    string        // Markdown; "" none
}

// Config is what a College is made of. All fields but StateFile are required.
type Config struct {
	BaseURL   string
	Name      string
	Badges    []Badge
	StateFile string // "" keeps what happened in memory alone
	Now       time.Time
}

// College is an issuer; it serves its documents. It is safe for concurrent use.
type College struct {
	cfg   Config
	key   ed25519.PrivateKey
	mux   *http.ServeMux
	mu    sync.Mutex
	state state
}

// state is what happened since the college opened.
type state struct {
	Opened  time.Time         `json:"opened"` // what it awarded counts back from here
	Revoked map[string]string `json:"revoked"`
	Gone    []string          `json:"gone"`
}

// New opens the college, or opens it again as its state file says.
func New(cfg Config) (*College, error) {
	// A key that everybody can make: what it signs is a demo's.
	seed := sha256.Sum256([]byte("a college that is made up, and its key good for nothing"))
	c := &College{cfg: cfg, key: ed25519.NewKeyFromSeed(seed[:]), mux: http.NewServeMux(),
		state: state{Opened: cfg.Now.UTC().Truncate(time.Second), Revoked: map[string]string{}}}
	if cfg.StateFile != "" {
		text, err := os.ReadFile(cfg.StateFile)
		if err == nil {
			err = json.Unmarshal(text, &c.state)
		} else if errors.Is(err, fs.ErrNotExist) {
			err = c.keep()
		}
		if err != nil {
			return nil, fmt.Errorf("the college's state: %w", err)
		}
	}
	c.routes()
	return c, nil
}

func (c *College) keep() error {
	if c.cfg.StateFile == "" {
		return nil
	}
	text, err := json.Marshal(c.state)
	if err != nil {
		return err
	}
	return os.WriteFile(c.cfg.StateFile, text, 0o600)
}

// ServeHTTP serves the college's documents and pictures.
func (c *College) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.mux.ServeHTTP(w, r) }

// Address is where the award of a hosted badge is.
func (c *College) Address(slug string) string { return c.cfg.BaseURL + "/awards/" + slug }

// Credential is the signed credential of a badge, as its holder was sent it.
func (c *College) Credential(slug string) ([]byte, error) {
	b, ok := c.badge(slug)
	if !ok || !b.Credential {
		return nil, fmt.Errorf("the college has no credential %q", slug)
	}
	return c.sign(c.credential(b))
}

// Revoke takes the award of a hosted badge back.
func (c *College) Revoke(slug, reason string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Revoked[slug] = reason
	return c.keep()
}

// Forget takes a hosted badge off the college's site, without a word.
func (c *College) Forget(slug string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.state.Gone, slug) {
		c.state.Gone = append(c.state.Gone, slug)
	}
	return c.keep()
}

func (c *College) badge(slug string) (Badge, bool) {
	i := slices.IndexFunc(c.cfg.Badges, func(b Badge) bool { return b.Slug == slug })
	if i < 0 {
		return Badge{}, false
	}
	return c.cfg.Badges[i], true
}

func (c *College) routes() {
	c.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintf(w, "%s is made up, and part of a demo on this machine.\n", c.cfg.Name)
	})
	c.mux.HandleFunc("GET /issuer", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, c.issuer()) })
	c.mux.HandleFunc("GET /profile", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, c.profile()) })
	c.mux.HandleFunc("GET /badges/{slug}", c.one(func(w http.ResponseWriter, b Badge) { answer(w, http.StatusOK, c.class(b)) }))
	c.mux.HandleFunc("GET /badges/{slug}/image.png", c.one(func(w http.ResponseWriter, b Badge) {
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(seal.Seal(b.Hue, b.Shape, b.Glyph))
	}))
	c.mux.HandleFunc("GET /awards/{slug}", c.one(func(w http.ResponseWriter, b Badge) {
		c.mu.Lock()
		reason, revoked := c.state.Revoked[b.Slug]
		gone := slices.Contains(c.state.Gone, b.Slug)
		c.mu.Unlock()
		switch {
		case gone || b.Credential:
			answer(w, http.StatusNotFound, map[string]any{"error": "there is nothing here"})
		case revoked:
			answer(w, http.StatusGone, map[string]any{"@context": contextV2, "type": "Assertion", "id": c.Address(b.Slug), "revoked": true, "revocationReason": reason})
		default:
			answer(w, http.StatusOK, c.assertion(b))
		}
	}))
}

// one finds the badge that an address names.
func (c *College) one(then func(http.ResponseWriter, Badge)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b, ok := c.badge(r.PathValue("slug"))
		if !ok {
			http.NotFound(w, r)
			return
		}
		then(w, b)
	}
}

func answer(w http.ResponseWriter, status int, doc map[string]any) {
	w.Header().Set("Content-Type", "application/ld+json")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.WriteHeader(status)
	_, _ = w.Write(canonical(doc))
}

// hashed is an address as badges name it.
func hashed(email, salt string) string {
	sum := sha256.Sum256([]byte(email + salt))
	return "sha256$" + hex.EncodeToString(sum[:])
}
