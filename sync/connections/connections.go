// Package connections carries people's badges into other backpacks: a person
// connects one with its own permission, and pushes a badge, a collection, or
// everything from then on.
//
// What is still to be sent is rows, as for a remote's pushes: a deposit is marked
// sent before its call and settled after it. A backpack keeps one copy of a badge
// however often it is given (adapters.Backpack), so that a deposit whose outcome
// is not known is given again. What goes through one connection goes one after
// the other, by whoever leased it, because a grant is renewed by what is good
// only once.
package connections

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"badgebridge/adapters"
	"badgebridge/internal/secret"
	"badgebridge/store"
)

// Config is what Connections works with. All fields but CallTimeout and Workers
// are required.
type Config struct {
	Store store.Store
	// Drivers are those that make adapters.Backpack and adapters.Connector; others
	// are of no use here.
	Drivers []adapters.Driver
	Keyring *secret.Keyring
	// Client makes the HTTP client for hosts that a member named: guarded, and with
	// credentials for these hosts alone. It is kept for as long as it is used.
	Client func(hosts []string) *http.Client
	// BaseURL answers the gateway's own base URL, "" while it is not set: then
	// nothing is sent.
	BaseURL func(ctx context.Context) string
	Now     func() time.Time
	Log     *slog.Logger
	// CallTimeout bounds one deposit. Default 60 seconds: the other side reads the
	// badge from its issuer meanwhile.
	CallTimeout time.Duration
	// Workers is how many connections are served at once. Default 4.
	Workers int
}

// Connections connects and sends. It is safe for concurrent use.
type Connections struct {
	cfg     Config
	wake    chan struct{}
	mu      sync.Mutex
	clients map[string]*http.Client
	changed map[string]bool // awards that may have become somebody's
	sweep   bool            // more of them than were noted
}

// New makes Connections. It does no I/O.
func New(cfg Config) *Connections {
	if cfg.CallTimeout == 0 {
		cfg.CallTimeout = time.Minute
	}
	if cfg.Workers == 0 {
		cfg.Workers = 4
	}
	return &Connections{cfg: cfg, wake: make(chan struct{}, 1), clients: map[string]*http.Client{}, changed: map[string]bool{}, sweep: true}
}

// The errors of connecting, beside the store's and the adapters'.
var (
	// ErrAddress: what was typed is no address of a backpack.
	ErrAddress = errors.New("that is no address of a backpack")
	// ErrNotReady: the gateway has no public address yet.
	ErrNotReady = errors.New("the public base URL is not set")
)

// Address makes what a person typed whole: "backpack.example" and the addresses
// of a backpack's script and of its page of permission name the same one.
func Address(typed string) (string, error) {
	s := strings.TrimSpace(typed)
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || len(s) > 1000 || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsAny(u.Host, " \t") {
		return "", ErrAddress
	}
	u.Host, u.RawQuery, u.Fragment = strings.ToLower(u.Host), "", ""
	u.Path = strings.TrimRight(u.Path, "/")
	for _, page := range []string{"/issuer.js", "/access", "/api"} {
		u.Path = strings.TrimSuffix(u.Path, page)
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u.String(), nil
}

// mine reads a connection that must be this person's.
func mine(ctx context.Context, tx store.Tx, personID, id string) (store.Connection, error) {
	c, err := tx.Connection(ctx, id)
	if err == nil && (personID == "" || c.PersonID != personID) {
		return store.Connection{}, fmt.Errorf("connection: %w", store.ErrNotFound)
	}
	return c, err
}

// sealAAD binds a sealed configuration to its connection.
func sealAAD(id string) string { return "connections/config/" + id }

// line is a connection with its adapter.
type line struct {
	store.Connection
	adapter adapters.Adapter
	renewed bool // the grant was renewed in this round because it was refused
}

// open makes a connection's adapter. It does no I/O.
func (c *Connections) open(conn store.Connection) (*line, error) {
	config, err := c.cfg.Keyring.Open(string(conn.Sealed), sealAAD(conn.ID))
	if err != nil {
		return nil, fmt.Errorf("connection %s can't be opened with the master key: %w", conn.ID, err)
	}
	a, err := c.adapter(conn.Kind, config)
	if err != nil {
		return nil, err
	}
	return &line{Connection: conn, adapter: a}, nil
}

func (c *Connections) adapter(kind string, config []byte) (adapters.Adapter, error) {
	i := slices.IndexFunc(c.cfg.Drivers, func(d adapters.Driver) bool { return d.Kind == kind })
	if i < 0 {
		return nil, fmt.Errorf("there is no driver of kind %q", kind)
	}
	hosts, err := c.cfg.Drivers[i].Hosts(config)
	if err != nil {
		return nil, err
	}
	return c.cfg.Drivers[i].New(config, c.client(hosts))
}

// maxClients bounds how many clients are kept; limits and circuits begin anew
// when it is reached.
const maxClients = 500

func (c *Connections) client(hosts []string) *http.Client {
	key := strings.Join(hosts, " ")
	c.mu.Lock()
	defer c.mu.Unlock()
	hc := c.clients[key]
	if hc == nil {
		if len(c.clients) >= maxClients {
			clear(c.clients)
		}
		hc = c.cfg.Client(hosts)
		c.clients[key] = hc
	}
	return hc
}

// renew trades a connection's grant for a new one, when it is about to end or has
// ended, and saves the new one before anything is done with it.
func (c *Connections) renew(ctx context.Context, l *line, ended bool) error {
	r, ok := l.adapter.(adapters.Renewer)
	if !ok {
		if ended {
			return &adapters.Error{Op: "renew", Kind: adapters.ErrUnauthorized}
		}
		return nil
	}
	call, cancel := context.WithTimeout(ctx, c.cfg.CallTimeout)
	config, err := r.Renew(call, ended)
	cancel()
	if err != nil || config == nil {
		return err
	}
	end, cancel := closing(ctx)
	defer cancel()
	sealed, err := c.cfg.Keyring.Seal(config, sealAAD(l.ID))
	if err != nil {
		return err
	}
	next, err := c.adapter(l.Kind, config)
	if err != nil {
		return err
	}
	if err := c.cfg.Store.SealConnection(end, l.ID, []byte(sealed), l.Sealed); err != nil {
		if cut, ok := next.(adapters.Cutter); ok && errors.Is(err, store.ErrNotFound) {
			// The person disconnected meanwhile: nobody keeps this grant.
			_ = cut.CutPairing(end)
		}
		return err
	}
	l.adapter, l.Sealed = next, bytes.Clone([]byte(sealed))
	return nil
}

// closing is a short time of its own for what must be written down although a
// shutdown is under way.
func closing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
}

// said is what the other side itself said, "" when it said nothing.
func said(err error) string {
	var e *adapters.Error
	if errors.As(err, &e) {
		return e.Words
	}
	return ""
}
