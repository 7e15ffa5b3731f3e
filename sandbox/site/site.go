// Package site is a simulated association site: it keeps the contract of
// wordpress/site-api.yaml from the other side, as the WordPress plugin does, is
// an OpenID provider for the gateway, and has small pages on which a person can
// award and revoke badges. It serves the demo and the tests.
//
// Its signature code is its own, apart from the adapter's, so that a mistake in
// one does not hide in the other.
package site

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"badgebridge/sandbox/site/seal"
)

// Config describes the site. Only BaseURL is needed.
type Config struct {
	// BaseURL is where the site is reached, without a last slash; also its home
	// URL at first.
	BaseURL string
	Name    string // "Example Association"
	UUID    string // a fixed one when ""
	// Timezone is an IANA name; "UTC" when "". The site stores dates in it, as
	// BadgeOS does.
	Timezone string
	// Pairing binds the site to a gateway from the start. nil: pair it with
	// Pair or on the admin page.
	Pairing *Pairing
	// RedirectURIs and LogoutURIs are the gateway's addresses that the OpenID
	// provider sends people to; they must match exactly. Where there are none they
	// follow from the pairing's Gateway and Remote: "{gateway}/login/callback/{remote}"
	// and "{gateway}/".
	RedirectURIs []string
	LogoutURIs   []string
	// Contract is the version of the contract that the site keeps: "2" when "".
	// With "1" it does not know what version 2 brought; with "3" it says members
	// that nobody knows yet.
	Contract string
	// GatewayURL is linked on the pages, "" for no link.
	GatewayURL string
	// StateFile keeps the state over a restart as JSON; "": in memory only. What
	// it holds wins over Seed and over Pairing.
	StateFile string
	// Seed fills a site that has no state yet.
	Seed Seed
	// Client sends webhooks and pairing calls; a client with a timeout of 10 s
	// when nil.
	Client *http.Client
	// RetryAfter is the first pause before a failed webhook is sent again; it
	// doubles up to a minute. 2 s when 0.
	RetryAfter time.Duration
	Now        func() time.Time // time.Now when nil
	Log        *slog.Logger     // nothing is logged when nil
}

// Pairing is what the site keeps of a gateway.
type Pairing struct {
	Remote     string `json:"remote,omitempty"`
	KeyID      string `json:"key_id"`
	Secret     string `json:"secret"`
	WebhookURL string `json:"webhook_url,omitempty"` // "" sends none
	Gateway    string `json:"gateway,omitempty"`     // its address, without a last slash; Pair fills it
	// UUID and Home bind the pairing; New and Pair fill them.
	UUID string `json:"uuid,omitempty"`
	Home string `json:"home,omitempty"`
}

// Seed is what a new site holds. Ids are given in order, from 1, where they are
// 0.
type Seed struct {
	Badges  []Badge
	Members []Member
	Awards  []SeedAward
}

// SeedAward is an award by badge title and member address.
type SeedAward struct {
	Badge, Email string
	On           time.Time
	Trigger      string
}

// Site is the simulated site. It is an http.Handler; Close stops its webhooks.
type Site struct {
	cfg      Config
	location *time.Location
	handler  http.Handler
	pages    *template.Template
	signer   *ecdsa.PrivateKey

	mu       sync.Mutex // guards everything below
	st       state
	nonces   map[string]time.Time
	inactive bool
	seals    map[string][]byte

	op oidcState

	sending sync.Mutex // one delivery round at a time
	wake    chan struct{}
	stop    context.CancelFunc
	stopped chan struct{}
}

const defaultUUID = "5e1f0000-0000-4000-8000-000000000001"

// New makes a site and starts its webhook sender. It fails when the state file
// can't be read or the time zone is unknown.
func New(cfg Config) (*Site, error) {
	cfg.BaseURL = strings.TrimRight(cfg.BaseURL, "/")
	if cfg.Name == "" {
		cfg.Name = "Example Association"
	}
	if cfg.UUID == "" {
		cfg.UUID = defaultUUID
	}
	if cfg.Contract == "" {
		cfg.Contract = "2"
	}
	if cfg.Timezone == "" {
		cfg.Timezone = "UTC"
	}
	if cfg.Client == nil {
		cfg.Client = &http.Client{Timeout: 10 * time.Second}
	}
	if cfg.RetryAfter <= 0 {
		cfg.RetryAfter = 2 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	location, err := time.LoadLocation(cfg.Timezone)
	if err != nil {
		return nil, fmt.Errorf("site: time zone: %w", err)
	}
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("site: key: %w", err)
	}
	s := &Site{
		cfg: cfg, location: location, pages: parsePages(location), signer: signer,
		nonces: make(map[string]time.Time), seals: make(map[string][]byte),
		wake: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	s.op.init()
	found, err := s.load()
	if err != nil {
		return nil, err
	}
	if !found {
		if err := s.seed(cfg); err != nil {
			return nil, err
		}
	}
	s.handler = s.routes()
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go s.deliver(ctx)
	return s, nil
}

// Close stops the webhook sender and waits for it.
func (s *Site) Close() {
	s.stop()
	<-s.stopped
}

// ServeHTTP implements http.Handler.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Issuer is the site's OpenID issuer.
func (s *Site) Issuer() string { return s.cfg.BaseURL + "/oidc" }

func (s *Site) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/wp-json/", http.StripPrefix("/wp-json", s.api()))
	s.oidcRoutes(mux)
	s.pageRoutes(mux)
	api := s.api()
	// Sites without pretty addresses name the route in a parameter.
	byParameter := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if route := r.URL.Query().Get("rest_route"); route != "" && (r.URL.Path == "/" || r.URL.Path == "/index.php") {
			inner := r.Clone(r.Context())
			inner.URL.Path, inner.URL.RawPath = route, ""
			api.ServeHTTP(w, inner)
			return
		}
		mux.ServeHTTP(w, r)
	})
	return http.MaxBytesHandler(http.NewCrossOriginProtection().Handler(byParameter), 4<<20)
}

// image draws a badge's seal once.
func (s *Site) image(b Badge) []byte {
	if b.Image != nil {
		return b.Image
	}
	key := fmt.Sprint(b.Hue, b.Shape, b.Glyph)
	s.mu.Lock()
	data, ok := s.seals[key]
	s.mu.Unlock()
	if !ok {
		data = seal.Seal(b.Hue, b.Shape, b.Glyph)
		s.mu.Lock()
		s.seals[key] = data
		s.mu.Unlock()
	}
	return data
}

func token() string {
	var raw [24]byte
	rand.Read(raw[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

func shortHex() string {
	var raw [8]byte
	rand.Read(raw[:]) // never fails (crypto/rand)
	return hex.EncodeToString(raw[:])
}
