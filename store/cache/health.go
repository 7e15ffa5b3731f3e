package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// state says whether Redis can be asked. While it can't, nobody waits for it
// but watch.
type state struct {
	why atomic.Pointer[string] // nil: it can

	mu   sync.Mutex
	owed map[string]struct{} // keys to delete when it is back
	all  bool                // too many to remember: delete all
}

// maxOwed bounds what is remembered of an outage.
const maxOwed = 10_000

// Degraded reports whether the gateway runs without Redis, and why. The
// embedded server counts as Redis.
func (c *Cache) Degraded() (bool, string) {
	why := c.state.why.Load()
	if why == nil {
		return false, ""
	}
	return true, *why
}

// Health asks Redis whether it is there; nil means yes.
func (c *Cache) Health(ctx context.Context) error {
	if err := c.rdb.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}

func (c *Cache) down() bool { return c.state.why.Load() != nil }

// failed is told the error of a call. An answer, even one that says no, is no
// sign that Redis is away, and neither is a caller that gave up.
func (c *Cache) failed(ctx context.Context, err error) {
	var answer redis.Error
	if errors.As(err, &answer) {
		return
	}
	c.away(ctx, err)
}

// away notes that Redis can't be used.
func (c *Cache) away(ctx context.Context, err error) {
	if ctx.Err() != nil || errors.Is(err, redis.ErrClosed) {
		return
	}
	why := "Redis does not answer: " + err.Error()
	if c.state.why.Swap(&why) == nil {
		c.log.WarnContext(ctx, "working without Redis until it is back: nobody is signed out, limits are counted by each process; start it, or correct redis_url", "reason", err.Error())
	}
}

// probeEvery is how often Redis is asked whether it is there.
const probeEvery = time.Second

// watch finds out when Redis goes and when it is back.
func (c *Cache) watch(ctx context.Context) {
	ticker := time.NewTicker(probeEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := c.rdb.Ping(ctx).Err(); err != nil {
			c.away(ctx, err) // also one that says no: it is loading, or wants another password
			continue
		}
		if !c.down() {
			continue
		}
		if err := c.settle(ctx); err != nil {
			c.away(ctx, err)
			continue
		}
		c.hot.purge() // what others changed meanwhile was not heard
		c.state.why.Store(nil)
		c.log.InfoContext(ctx, "Redis is back")
	}
}

func (s *state) owe(keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.owed)+len(keys) > maxOwed {
		s.owed, s.all = nil, true
		return
	}
	if s.owed == nil {
		s.owed = make(map[string]struct{})
	}
	for _, key := range keys {
		s.owed[key] = struct{}{}
	}
}

// settle deletes what was to be deleted while Redis was away.
func (c *Cache) settle(ctx context.Context) error {
	s := &c.state
	s.mu.Lock()
	owed, all := s.owed, s.all
	s.owed, s.all = nil, false
	s.mu.Unlock()
	keys := make([]string, 0, len(owed))
	for key := range owed {
		keys = append(keys, key)
	}
	err := func() error {
		if all {
			return c.deleteAll(ctx)
		}
		for rest := keys; len(rest) > 0; {
			n := min(500, len(rest))
			if err := c.rdb.Unlink(ctx, rest[:n]...).Err(); err != nil {
				return err
			}
			rest = rest[n:]
		}
		return nil
	}()
	if err != nil {
		s.owe(keys)
		s.mu.Lock()
		s.all = s.all || all
		s.mu.Unlock()
	}
	return err
}

func (c *Cache) deleteAll(ctx context.Context) error {
	cursor := uint64(0)
	for {
		keys, next, err := c.rdb.Scan(ctx, cursor, c.prefix+"v:*", 500).Result()
		if err != nil {
			return err
		}
		if len(keys) > 0 {
			if err := c.rdb.Unlink(ctx, keys...).Err(); err != nil {
				return err
			}
		}
		if next == 0 {
			return nil
		}
		cursor = next
	}
}

// mute takes what the library itself would print, once a second while Redis is
// away: away and back are told by us.
type mute struct{}

func (mute) Printf(context.Context, string, ...any) {}
