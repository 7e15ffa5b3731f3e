// Package web is the gateway's face: pages for members and admins, public badge
// pages, the hosted badge documents, and the gateway's own API.
//
// A handler decodes, calls and renders; what has to be decided is decided by
// the engine, the store holds the truth. One fail maps the kinds of error to a
// status and a text that is safe to show. Pages are server-rendered and work
// without JavaScript; every word is in the package locale.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"badgebridge/auth/access"
	"badgebridge/auth/login"
	"badgebridge/auth/session"
	"badgebridge/auth/setup"
	"badgebridge/internal/mail"
	"badgebridge/openbadges/verify"
	"badgebridge/store"
	"badgebridge/sync/archive"
	"badgebridge/sync/backpack"
	"badgebridge/sync/connections"
	"badgebridge/sync/engine"
	"badgebridge/web/locale"
)

// Config is what the pages work with. Store, Engine, Sessions, Login, Access,
// BaseURL, Now and Log are required.
type Config struct {
	Store    store.Store
	Engine   *engine.Engine
	Sessions *session.Sessions
	Login    *login.Login
	Access   *access.Access
	// Backpack takes the badges that people bring; nil: there are no pages for it.
	Backpack *backpack.Backpack
	// Archive writes what somebody has into a file and reads it back; nil: there are
	// no pages for it.
	Archive *archive.Archive
	// Disconnect ends a person's connection at its other side, before they go; nil:
	// nothing is to be said there.
	Disconnect func(ctx context.Context, c store.Connection) error
	Setup      *setup.Setup // nil: there are no set-up pages
	Cache      Cache        // nil: counted in this process alone
	// Connections sends people's badges to other backpacks; nil: there are no pages
	// for it.
	Connections *connections.Connections

	// BaseURL answers the public base URL without a slash at its end, "" while
	// it is not set.
	BaseURL func(ctx context.Context) string
	// Fetcher gets what is needed to verify a badge, from addresses of strangers:
	// a guarded one. Documents under BaseURL are read in this process.
	Fetcher verify.Fetcher

	Demo       bool
	DemoPeople []DemoPerson
	Mailbox    *mail.Mailbox // demo only

	Version string
	// SitePlugin makes the companion plugin that sites install; nil: there is none
	// to download.
	SitePlugin func() (SitePlugin, error)
	// TrustedProxies are addresses or networks whose X-Forwarded-For is believed.
	TrustedProxies []string
	// CredlyBaseURL allows connecting a Credly at another address than its own
	// (the demo's simulator).
	CredlyBaseURL string
	// SitesChanged hears that a site was paired, cut off, or got another key; nil:
	// nobody needs to know.
	SitesChanged func(ctx context.Context)
	// ReadStop reads the end of the link that stops letters, see mails.ReadStop;
	// nil: there is no page for it.
	ReadStop func(token string) (owner string, kind store.NoticeKind, err error)
	// KnownOnly: an account is made by a code only for addresses that a badge was
	// awarded to; the sign-in page says so.
	KnownOnly bool
	// Hue is the association's colour, an angle from 0 to 360; 0 the default.
	Hue int

	// Readiness checks what the gateway needs; nil asks the database alone.
	Readiness func(ctx context.Context) []Check
	// Go runs work that outlives the request that asked for it, until it is done
	// or stop ends; nil starts a goroutine.
	Go func(work func(stop context.Context))
	// Metrics collects the gateway's figures; nil makes one for the pages alone.
	Metrics *prometheus.Registry
	// MetricsToken opens /metrics to callers from elsewhere than loopback.
	MetricsToken string

	Log *slog.Logger
	Now func() time.Time
}

// Server is the gateway's HTTP face. It is safe for concurrent use.
type Server struct {
	cfg     Config
	words   *locale.Bundle
	pages   *pages
	docs    *documents
	limits  Cache
	metrics *metrics
	checked *verdicts
	cards   *cards
	router  *gin.Engine
	handler http.Handler
}

// New makes the handler of everything under the public base URL. It does no I/O.
func New(cfg Config) (*Server, error) {
	if cfg.Store == nil || cfg.Engine == nil || cfg.Sessions == nil || cfg.Login == nil || cfg.Access == nil || cfg.BaseURL == nil || cfg.Now == nil || cfg.Log == nil {
		return nil, errors.New("make web: Store, Engine, Sessions, Login, Access, BaseURL, Now and Log are required")
	}
	if cfg.Go == nil {
		cfg.Go = func(work func(context.Context)) { go work(context.Background()) }
	}
	if cfg.SitesChanged == nil {
		cfg.SitesChanged = func(context.Context) {}
	}
	if cfg.Fetcher == nil {
		cfg.Fetcher = verify.Offline{}
	}
	words, err := locale.Load()
	if err != nil {
		return nil, fmt.Errorf("make web: %w", err)
	}
	pages, err := loadPages(words, cfg)
	if err != nil {
		return nil, fmt.Errorf("make web: %w", err)
	}
	s := &Server{cfg: cfg, words: words, pages: pages, limits: cfg.Cache, metrics: newMetrics(cfg.Metrics)}
	if s.limits == nil {
		s.limits = newLocalCache(cfg.Now)
	}
	s.checked = newVerdicts(cfg.Now)
	if s.cards, err = newCards(); err != nil {
		return nil, fmt.Errorf("make web: %w", err)
	}
	s.docs = newDocuments(cfg)
	s.docs.hit = s.metrics.document.Inc
	router, err := s.routes()
	if err != nil {
		return nil, fmt.Errorf("make web: %w", err)
	}
	cfg.Sessions.OnError(func(w http.ResponseWriter, r *http.Request, err error) {
		s.failOutside(w, r, fmt.Errorf("session: %w: %w", errAway, err))
	})
	s.handler = s.guard(router)
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Routes lists the router's routes as "METHOD /path/:with/:names", for tests of
// contracts. The documents under /ob/ have a way of their own.
func (s *Server) Routes() []string {
	var out []string
	for _, r := range s.router.Routes() {
		out = append(out, r.Method+" "+r.Path)
	}
	return out
}

// Changed forgets what is cached of an award's public documents. It is called
// when they change here, and on every replica.
func (s *Server) Changed(awardID string) {
	s.docs.forget(awardID)
	s.checked.forget(awardID)
}

func (s *Server) routes() (http.Handler, error) {
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	s.router = g
	// Without this, gin believes X-Forwarded-For from anybody.
	if err := g.SetTrustedProxies(s.cfg.TrustedProxies); err != nil {
		return nil, fmt.Errorf("trusted proxies: %w", err)
	}
	g.HandleMethodNotAllowed = true
	g.RedirectTrailingSlash = false
	g.MaxMultipartMemory = 1 << 20
	g.Use(s.observe, s.recoverPanic, s.bound)
	g.NoRoute(func(c *gin.Context) { s.fail(c, store.ErrNotFound) })
	g.NoMethod(func(c *gin.Context) { s.fail(c, errMethod) })

	s.operatorRoutes(g)
	s.apiRoutes(g)
	s.oldCredlyRoutes(g)
	get(g, "/oembed", s.oEmbed)
	site := g.Group("", s.visitor)
	s.publicRoutes(site)
	if s.cfg.ReadStop != nil {
		get(site, "/letters/stop/:token", s.stopPage)
		site.POST("/letters/stop/:token", s.stopForm)
	}
	s.signInRoutes(site)
	if s.cfg.Backpack != nil {
		s.mozillaRoutes(g, site)
	}
	if s.cfg.Connections != nil {
		s.backpackRoutes(site)
	}
	s.memberRoutes(site.Group("", s.needMember))
	s.adminRoutes(site.Group("/admin", s.needMember, s.needAdmin))
	return g, nil
}

// get registers a page for GET and HEAD.
func get(g gin.IRoutes, path string, h gin.HandlerFunc) {
	g.GET(path, h)
	g.HEAD(path, h)
}
