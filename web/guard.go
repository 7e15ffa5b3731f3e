package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"badgebridge/sync/archive"
)

const (
	// requestTime bounds what a request may take; a verification fetches from
	// others and is the longest.
	requestTime = 30 * time.Second
	formLimit   = 1 << 20
	uploadLimit = 5 << 20
	hookLimit   = 64 << 10
)

// pageCSP allows nothing but our own files: no inline script, no inline style.
const pageCSP = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

type ctxKey int

const requestIDKey ctxKey = iota

// guard is what every request passes: headers, the documents' short way, and
// the refusal of requests that another site made a browser send.
func (s *Server) guard(router http.Handler) http.Handler {
	csrf := http.NewCrossOriginProtection()
	// These take no cookie: a code, a signature or a token in the call is the
	// credential, and others' servers are meant to call them.
	csrf.AddInsecureBypassPattern("POST /api/v1/pair")
	csrf.AddInsecureBypassPattern("POST /api/v1/verify")
	csrf.AddInsecureBypassPattern("POST /webhooks/")
	for _, path := range []string{"/api/token", "/api/issue", "/api/revoke", "/displayer/convert/email"} {
		csrf.AddInsecureBypassPattern("POST " + path)
	}
	// Other sites' pages send a form here, and all it does is to show a page.
	csrf.AddInsecureBypassPattern("POST /issuer/frameless")
	csrf.AddInsecureBypassPattern("POST /api/v1/sites/")
	csrf.AddInsecureBypassPattern("POST /legacy/credly/")
	csrf.AddInsecureBypassPattern("POST /letters/stop/") // the sealed token is the credential (RFC 8058)
	csrf.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.failOutside(w, r, errCrossSite)
	}))
	bare := csrf.Handler(router)
	withSession := csrf.Handler(s.cfg.Sessions.Middleware(router))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["X-Content-Type-Options"] = headerNosniff
		if strings.HasPrefix(r.URL.Path, "/ob/") && s.docs.serve(w, r) {
			return
		}
		h["Referrer-Policy"] = headerReferrer
		id := requestID(r)
		h.Set("X-Request-Id", id)
		h.Set("Content-Security-Policy", pageCSP)
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
		if strings.HasPrefix(s.cfg.BaseURL(r.Context()), "https://") {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		limit := requestTime
		if slow(r.URL.Path) {
			limit = transferTime
		}
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		inner := withSession
		if sessionless(r.URL.Path) {
			inner = bare
		}
		inner.ServeHTTP(w, r.WithContext(context.WithValue(ctx, requestIDKey, id)))
	})
}

// sessionless tells paths that never look at who is signed in.
func sessionless(path string) bool {
	for _, prefix := range []string{"/api/", "/webhooks/", "/static/", "/ob/", "/.well-known/", "/healthz", "/readyz", "/metrics",
		"/displayer/", "/oembed", "/issuer.js", "/issuer/frame", "/issuer/ticket/", "/legacy/", "/letters/stop/"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

//nolint:gochecknoglobals // constant header values, shared so that the short way allocates nothing
var (
	headerNosniff  = []string{"nosniff"}
	headerReferrer = []string{"strict-origin-when-cross-origin"}
)

// requestID takes over a proxy's id when it looks like one.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); len(id) >= 8 && len(id) <= 64 && strings.Trim(id, "0123456789abcdefABCDEF-") == "" {
		return id
	}
	var b [8]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func requestIDOf(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey).(string)
	return id
}

// observe writes the access log and counts. It names the route, never the path
// or the query: both may hold secrets.
func (s *Server) observe(c *gin.Context) {
	start := s.cfg.Now()
	c.Next()
	took := s.cfg.Now().Sub(start)
	route := c.FullPath()
	if route == "" {
		route = "none"
	}
	status := c.Writer.Status()
	s.metrics.seen(c.Request.Method, route, status, took)
	level := slog.LevelInfo
	if route == "/healthz" || route == "/readyz" || route == "/metrics" || strings.HasPrefix(route, "/static/") {
		level = slog.LevelDebug
	}
	ctx := c.Request.Context()
	s.cfg.Log.LogAttrs(ctx, level, "request", slog.String("id", requestIDOf(ctx)), slog.String("method", c.Request.Method),
		slog.String("route", route), slog.Int("status", status), slog.Int("bytes", c.Writer.Size()), slog.Duration("took", took))
}

// recoverPanic turns a panic into the error page and one log line with where
// it happened.
func (s *Server) recoverPanic(c *gin.Context) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p == http.ErrAbortHandler { //nolint:errorlint // the very value, by net/http's contract
			panic(p)
		}
		s.cfg.Log.ErrorContext(c.Request.Context(), "panic", "id", requestIDOf(c.Request.Context()), "route", c.FullPath(),
			"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		if !c.Writer.Written() {
			s.fail(c, errPanic)
		}
		c.Abort()
	}()
	c.Next()
}

// bound limits what a request may send.
func (s *Server) bound(c *gin.Context) {
	limit := int64(formLimit)
	switch path := c.FullPath(); {
	case strings.HasPrefix(path, "/webhooks/"), path == "/api/v1/pair":
		limit = hookLimit
	case path == "/me/restore":
		limit = archive.MaxSize + formLimit
	case path == "/badges/add":
		limit = filesLimit
	case path == "/verify", path == "/api/v1/verify", strings.HasPrefix(path, "/setup"):
		limit = uploadLimit
	case strings.HasPrefix(path, "/legacy/credly/"):
		limit = doorLimit
	}
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, limit)
	c.Next()
}
