package web

import (
	"context"
	"crypto/subtle"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const readinessTime = 5 * time.Second

func (s *Server) operatorRoutes(g *gin.Engine) {
	get(g, "/healthz", func(c *gin.Context) { c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte("ok\n")) })
	get(g, "/readyz", s.readyz)
	get(g, "/metrics", s.metricsPage)
	get(g, "/static/:name", s.serveAsset)
	for _, path := range []string{jwksPath, didPath} {
		get(g, path, func(c *gin.Context) { s.docs.write(c.Writer, c.Request, path, "") })
	}
	get(g, "/favicon.ico", func(c *gin.Context) { c.Redirect(http.StatusFound, s.pages.assetURL("mark.svg")) })
	get(g, "/robots.txt", func(c *gin.Context) {
		c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte("User-agent: *\nDisallow: /admin\nDisallow: /login\nDisallow: /me\nDisallow: /badges\n"))
	})
}

type readiness struct {
	Status  string  `json:"status"` // the worst of the checks
	Version string  `json:"version,omitempty"`
	Checks  []Check `json:"checks"`
}

// readyz says whether the gateway can work: 503 only when it can't. Degraded
// (no Redis, a remote away) still serves.
func (s *Server) readyz(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), readinessTime)
	defer cancel()
	r := readiness{Status: "ok", Version: s.cfg.Version, Checks: []Check{}}
	if s.cfg.Readiness != nil {
		r.Checks = s.cfg.Readiness(ctx)
	} else {
		db := Check{Name: "database", Status: "ok"}
		if err := s.cfg.Store.Ping(ctx); err != nil {
			s.cfg.Log.ErrorContext(ctx, "readiness", "check", "database", "error", err)
			db.Status, db.Message = "down", "the database does not answer"
		}
		r.Checks = append(r.Checks, db)
	}
	status := http.StatusOK
	for _, check := range r.Checks {
		switch {
		case check.Status == "down":
			r.Status, status = "down", http.StatusServiceUnavailable
		case check.Status == "degraded" && r.Status == "ok":
			r.Status = "degraded"
		}
	}
	writeJSON(c, status, r)
}

type metrics struct {
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	document prometheus.Counter
	handler  http.Handler
}

func newMetrics(reg *prometheus.Registry) *metrics {
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "badgebridge_http_requests_total", Help: "Requests by method, route template and status.",
		}, []string{"method", "route", "status"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "badgebridge_http_request_seconds", Help: "Time to answer by route template.",
			Buckets: []float64{.001, .005, .02, .1, .5, 2, 10, 30},
		}, []string{"route"}),
		document: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "badgebridge_badge_documents_total", Help: "Requests for hosted badge documents and images.",
		}),
		handler: promhttp.HandlerFor(reg, promhttp.HandlerOpts{}),
	}
	reg.MustRegister(m.requests, m.took, m.document)
	return m
}

func (m *metrics) seen(method, route string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions, http.MethodPut, http.MethodDelete:
	default:
		method = "other" // a stranger's word must not make a new series
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	m.took.WithLabelValues(route).Observe(took.Seconds())
}

// metricsPage answers loopback, or whoever has the token. A proxy on this
// machine is loopback too, so a request that came through one needs the token.
func (s *Server) metricsPage(c *gin.Context) {
	r := c.Request
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	direct := ip != nil && ip.IsLoopback() && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == "" && r.Header.Get("X-Real-Ip") == ""
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	named := s.cfg.MetricsToken != "" && subtle.ConstantTimeCompare([]byte(token), []byte(s.cfg.MetricsToken)) == 1
	if !direct && !named {
		s.fail(c, errNoAsset)
		return
	}
	s.metrics.handler.ServeHTTP(c.Writer, r)
}
