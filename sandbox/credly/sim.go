// Package credly simulates the organization side of Credly's API, closely
// enough that an adapter can't tell it from the real service by what is known
// of that service in public, and strictly enough that what Credly would refuse
// is refused here.
//
// A Sim is an http.Handler. It serves the API under /v1 and /api/v1, the public
// Open Badges documents and images, plain pages where a demo person accepts a
// badge, and under /__sim a control plane with a page of its own that Credly has
// no counterpart of: there a test or a demo makes organizations and accounts,
// moves the clock, flips options and asks for faults. The same can be done from
// Go.
//
// Where Credly's behaviour is not documented and was inferred, the inference is
// a field of Options, so that a test can try its opposite, and so that it can be
// flipped once the real service was observed. Inferred lists them.
package credly

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Config is what a Sim is made from. The zero value is a strict simulator in
// memory with the real clock.
type Config struct {
	// Now is the clock, time.Now when nil. Advance moves the simulator ahead of
	// it.
	Now func() time.Time
	// BaseURL is the address in the links that the simulator hands out
	// ("http://localhost:8091"). "" takes the host that each request names.
	BaseURL string
	// StateFile keeps all state as one JSON document: loaded by New, written
	// after every change. "" keeps it in memory alone.
	StateFile string
	// Webhooks delivers webhooks. nil means a client with a time limit of 10 s.
	Webhooks *http.Client
	// NoControl leaves /__sim and its page out.
	NoControl bool
	// Sandbox makes this Credly's sandbox instead of its production: tokens and
	// applications of the other environment are refused.
	Sandbox bool
	// FaultSeed seeds the faults that come with a probability or a choice.
	FaultSeed uint64
	Options   Options
}

// Sim is a simulated Credly. It is safe for concurrent use.
type Sim struct {
	cfg   Config
	mux   *http.ServeMux
	ctl   http.Handler
	pages *template.Template
	pool  sync.WaitGroup // deliveries under way

	mu      sync.Mutex
	st      state
	places  int // of the badges that came so far
	byID    map[string]*Badge
	opt     Options
	stale   map[string][]version
	windows map[string]window
	hide    time.Duration
	faults  []*fault
	faultID int
	reads   map[string]int
	calls   map[string]int
	commits map[string]int
	saveErr error

	delivering sync.Mutex
	images     sync.Map // template id and size -> PNG bytes
}

// New returns a simulator. It fails when StateFile exists and can't be read.
func New(cfg Config) (*Sim, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Webhooks == nil {
		cfg.Webhooks = &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a redirect is no delivery
		}}
	}
	s := &Sim{
		cfg: cfg, opt: cfg.Options,
		byID: map[string]*Badge{}, stale: map[string][]version{}, windows: map[string]window{},
		reads: map[string]int{}, calls: map[string]int{}, commits: map[string]int{},
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	s.pages = parsePages()
	s.mux, s.ctl = s.routes(), s.controlRoutes()
	return s, nil
}

func (s *Sim) routes() *http.ServeMux {
	m := http.NewServeMux()
	for _, e := range s.endpoints() {
		m.HandleFunc(e.Method+" "+e.Path, s.serve(e.access, e.handle))
	}
	m.HandleFunc("/v1/", s.serve(access{mayRead, ""}, func(*call) reply { return fail(http.StatusNotFound, "Not found") }))
	m.HandleFunc("GET /images/{image}/{file}", s.serveImage)
	m.HandleFunc("GET /size/{size}/images/{image}/{file}", s.serveImage)
	s.pageRoutes(m)
	return m
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/__sim/") {
		if s.cfg.NoControl {
			http.NotFound(w, r)
			return
		}
		s.ctl.ServeHTTP(w, r)
		return
	}
	// The same API answers under both prefixes, and a slash at the end is
	// tolerated.
	u := *r.URL
	if strings.HasPrefix(u.Path, "/api/v1/") {
		u.Path = strings.TrimPrefix(u.Path, "/api")
	}
	if len(u.Path) > 1 {
		u.Path = strings.TrimRight(u.Path, "/")
	}
	u.RawPath = ""
	r2 := r.Clone(r.Context())
	r2.URL = &u
	if !isCall(u.Path) {
		s.mux.ServeHTTP(w, r2)
		return
	}
	s.withFaults(w, r2, s.mux)
}

// isCall tells what a client of the API asks for, and what may fail, from the
// pages for people.
func isCall(path string) bool {
	for _, prefix := range []string{"/v1/", "/oauth/", "/images/", "/size/"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// Now is the simulator's clock, UTC to the millisecond.
func (s *Sim) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// readDelay is how long a badge that is made now stays out of reads.
func (s *Sim) readDelay() time.Duration { return max(s.hide, s.opt.ReadDelay) }

func (s *Sim) now() time.Time {
	return s.cfg.Now().Add(s.st.Offset).UTC().Truncate(time.Millisecond)
}

// SetClock sets the clock, which goes on from there. Going back confuses what
// was already dated.
func (s *Sim) SetClock(to time.Time) {
	s.mu.Lock()
	s.st.Offset = to.Sub(s.cfg.Now())
	s.save()
	s.mu.Unlock()
	s.kick()
}

// Advance moves the clock forward by d and delivers the webhooks that became
// due.
func (s *Sim) Advance(d time.Duration) {
	s.mu.Lock()
	s.st.Offset += d
	s.save()
	s.mu.Unlock()
	s.kick()
}

// HideFresh keeps every badge made from now on out of lists, searches and
// single reads for d, or for Options.ReadDelay when that is longer. 0 ends it
// for later badges.
func (s *Sim) HideFresh(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hide = d
}

// SetOptions replaces the inferred behaviours.
func (s *Sim) SetOptions(o Options) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt = o
}

// SaveErr is the error of the last write of StateFile, nil when it went well.
func (s *Sim) SaveErr() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saveErr
}

// Close waits for the webhook deliveries that are under way.
func (s *Sim) Close() error {
	s.pool.Wait()
	return s.SaveErr()
}

// newID is a random UUID, version 4.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// derivedID is the same for the same parts.
func derivedID(parts ...string) string {
	b := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

func orDerived(id string, parts ...string) string {
	if id == "" {
		return derivedID(parts...)
	}
	return id
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
