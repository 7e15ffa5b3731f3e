// Package engine keeps remotes in step: it pulls what they report, records it,
// lets reconcile say what follows, and sends what has to be sent. It owns the
// transactions; reconcile is pure, adapters do the calls, the store keeps the
// truth.
//
// The order of things that makes a crash at any instruction harmless: a page of
// a feed is one transaction with the cursor it began from; a push is marked
// sent before its call and settled after it; no call is made inside a
// transaction.
package engine

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"badgebridge/adapters"
	"badgebridge/internal/secret"
	"badgebridge/openbadges/jsonld"
	"badgebridge/store"
	"badgebridge/sync/signing"
)

// Config is what an Engine works with. All fields but Progress and Changed are
// required.
type Config struct {
	Store   store.Store
	Drivers []adapters.Driver
	Keyring *secret.Keyring
	// Client makes the HTTP client of one remote: pinned to its hosts, limited
	// in rate, with a circuit breaker.
	Client func(name adapters.Remote, hosts []string) *http.Client
	// Fetch reads an image that a remote's answer named. The address is a
	// stranger's unless its host is one of the remote's own.
	Fetch func(ctx context.Context, name adapters.Remote, hosts []string, url string) (body []byte, mediaType string, err error)
	Now   func() time.Time
	Log   *slog.Logger
	// Owner names this process in leases.
	Owner string
	// BaseURL answers the public base URL, "" while it is not set: then nothing
	// is issued.
	BaseURL func(ctx context.Context) string
	// PullEvery and ListEvery are how often a remote's changes are read and its
	// records listed in full. Defaults 1 minute and 24 hours.
	PullEvery, ListEvery time.Duration
	// CallTimeout bounds one call to a remote. Default 30 seconds.
	CallTimeout time.Duration
	// Workers is how many pushes are under way at once. Default 4.
	Workers int
	// Progress hears how a run gets on; it must return at once.
	Progress func(Progress)
	// Changed hears that public documents of an award changed.
	Changed func(awardID string)
}

// Progress is how far a run has come.
type Progress struct {
	Run    string
	Remote adapters.Remote
	Kind   string
	Seen   int
	New    int
	Done   bool
}

// Engine runs pulls and pushes.
type Engine struct {
	cfg    Config
	remote *remotes
	keys   *signing.Keys
	// processor reads its contexts when it is first needed, not at the start.
	processor func() *jsonld.Processor
	started   time.Time
	// The loops sleep on these.
	wake       chan struct{}
	wakePull   chan struct{}
	wakeImport chan struct{}
	pulled     sync.Map // the remotes that this process has pulled
}

// New makes an engine. It does no I/O.
func New(cfg Config) *Engine {
	if cfg.PullEvery == 0 {
		cfg.PullEvery = time.Minute
	}
	if cfg.ListEvery == 0 {
		cfg.ListEvery = 24 * time.Hour
	}
	if cfg.CallTimeout == 0 {
		cfg.CallTimeout = 30 * time.Second
	}
	if cfg.Workers == 0 {
		cfg.Workers = 4
	}
	if cfg.Progress == nil {
		cfg.Progress = func(Progress) {}
	}
	if cfg.Changed == nil {
		cfg.Changed = func(string) {}
	}
	return &Engine{
		cfg: cfg, started: store.Moment(cfg.Now()), remote: newRemotes(cfg), keys: signing.New(cfg.Store, cfg.Keyring, cfg.Now),
		processor: sync.OnceValue(func() *jsonld.Processor { return jsonld.New(jsonld.Config{}) }),
		wake:      make(chan struct{}, 1), wakePull: make(chan struct{}, 1), wakeImport: make(chan struct{}, 1),
	}
}

// Wake makes the loops look for work at once. It never blocks.
func (e *Engine) Wake() {
	for _, c := range []chan struct{}{e.wake, e.wakePull, e.wakeImport} {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
