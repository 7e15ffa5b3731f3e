package web

import (
	"context"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
)

// allow counts one call of this caller and reports whether it stays within the
// limit. A cache that can't be asked lets the call through: limits save work,
// they are not what keeps a secret.
func (s *Server) allow(c *gin.Context, what string, limit int, period time.Duration) bool {
	ok, err := s.limits.Allow(c.Request.Context(), "web:"+what+":"+c.ClientIP(), limit, period)
	if err != nil {
		s.cfg.Log.WarnContext(c.Request.Context(), "rate limit", "what", what, "error", err)
		return true
	}
	return ok
}

// allowKey is allow for callers that are known by something else than their
// address.
func (s *Server) allowKey(c *gin.Context, key string, limit int, period time.Duration) bool {
	ok, err := s.limits.Allow(c.Request.Context(), "web:"+key, limit, period)
	if err != nil {
		s.cfg.Log.WarnContext(c.Request.Context(), "rate limit", "error", err)
		return true
	}
	return ok
}

const maxWindows = 10_000

// localCache counts in this process, where no shared cache was given.
type localCache struct {
	mu  sync.Mutex
	m   map[string]window
	now func() time.Time
}

type window struct {
	until time.Time
	used  int
}

func newLocalCache(now func() time.Time) *localCache {
	return &localCache{m: map[string]window{}, now: now}
}

// Allow implements Cache with fixed windows.
func (l *localCache) Allow(_ context.Context, key string, limit int, period time.Duration) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	w := l.m[key]
	if !now.Before(w.until) {
		if len(l.m) >= maxWindows {
			clear(l.m)
		}
		w = window{until: now.Add(period)}
	}
	w.used++
	l.m[key] = w
	return w.used <= limit, nil
}

// Progress implements Cache: this one knows of none.
func (l *localCache) Progress(context.Context, string) (int, bool) { return 0, false }
