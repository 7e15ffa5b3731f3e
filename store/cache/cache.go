// Package cache keeps, on Redis, what can be rebuilt or lost: answers worth
// remembering, rate limits, locks that only save work, the progress of runs,
// and the news between replicas that a document changed.
//
// Nothing here is truth, and Redis may be stopped at any time. Then, at once
// and without an error: a read is a miss, a write is forgotten, a limit is
// counted in this process, a lock is granted. Degraded says so; when Redis is
// back, the cache finds out by itself within a second or two.
//
// Without a Redis of its own the gateway runs an embedded one.
package cache

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Config says where Redis is and how much this process keeps itself.
type Config struct {
	// URL of Redis, as redis://user:password@host:6379/0, rediss:// for TLS or
	// unix://…; "" runs the embedded server: for one process on one machine.
	URL string
	// Prefix of all keys; "" means "bb:". Two gateways that share a Redis
	// differ in it.
	Prefix string
	// HotBytes bounds the documents that this process keeps; 0 means 16 MiB.
	HotBytes int
	// HotAge is how long such a document is served without asking again; 0
	// means a minute. It bounds how long a change stays unseen that was made
	// where this process could not hear of it.
	HotAge time.Duration
	// Logger hears when Redis goes and comes; nil means nobody.
	Logger *slog.Logger
	// Now is the clock of what is kept in this process; time.Now when nil.
	Now func() time.Time
}

// Cache is safe for concurrent use.
type Cache struct {
	rdb      *redis.Client
	embedded *embedded // nil with a Redis of its own
	prefix   string
	self     string // this process, among replicas
	log      *slog.Logger
	now      func() time.Time

	hot   *hot
	state state
	local localLimits

	end  context.CancelFunc
	done sync.WaitGroup
}

// How long Redis may take. It is near; whoever waits longer than this is
// better served by the database.
const (
	dialTimeout = 300 * time.Millisecond
	callTimeout = 250 * time.Millisecond
	maxValue    = 1 << 20 // bytes; a larger value is not kept
)

// Open returns at once: that Redis does not answer is not an error, see
// Degraded. An error means a URL that can't be read.
func Open(ctx context.Context, cfg Config) (*Cache, error) {
	c := &Cache{prefix: cfg.Prefix, log: cfg.Logger, now: cfg.Now, self: token()}
	if c.prefix == "" {
		c.prefix = "bb:"
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.now == nil {
		c.now = time.Now
	}
	if cfg.HotBytes <= 0 {
		cfg.HotBytes = 16 << 20
	}
	if cfg.HotAge <= 0 {
		cfg.HotAge = time.Minute
	}
	c.hot = newHot(cfg.HotBytes, cfg.HotAge, c.now)

	url := cfg.URL
	if url == "" {
		e, err := startEmbedded()
		if err != nil {
			return nil, fmt.Errorf("embedded Redis: %w", err)
		}
		c.embedded, url = e, e.url
	}
	opts, err := redis.ParseURL(url)
	if err != nil { // the error repeats the URL, and with it a password
		return nil, errors.New("redis URL: it can't be read as redis://USER:PASSWORD@HOST:PORT/NUMBER: write characters such as @ / # % in the password as %40 %2F %23 %25")
	}
	opts.DialTimeout, opts.DialerRetries = dialTimeout, 1
	opts.ReadTimeout, opts.WriteTimeout, opts.PoolTimeout = callTimeout, callTimeout, callTimeout
	opts.MaxRetries = -1
	opts.ContextTimeoutEnabled = true
	opts.DisableIdentity = true
	opts.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	if opts.PoolSize == 0 {
		opts.PoolSize = 16
	}
	redis.SetLogger(mute{})
	c.rdb = redis.NewClient(opts)

	running, end := context.WithCancel(context.WithoutCancel(ctx))
	c.end = end
	if err := c.rdb.Ping(ctx).Err(); err != nil {
		c.away(ctx, err)
	}
	c.done.Go(func() { c.watch(running) })
	c.done.Go(func() { c.listen(running) })
	return c, nil
}

// Close ends the connections, and the embedded server.
func (c *Cache) Close() error {
	c.end()
	err := c.rdb.Close() // ends a listener that waits
	c.done.Wait()
	if c.embedded != nil {
		c.embedded.stop()
	}
	return err
}

// token is a random name.
func token() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// Get returns the bytes under key. ok is false when there are none, or Redis
// can't tell.
func (c *Cache) Get(ctx context.Context, key string) (value []byte, ok bool) {
	if c.down() {
		return nil, false
	}
	value, err := c.rdb.Get(ctx, c.prefix+"v:"+key).Bytes()
	if err != nil {
		if !errors.Is(err, redis.Nil) {
			c.failed(ctx, err)
		}
		return nil, false
	}
	return value, true
}

// Put keeps the bytes under key until ttl has passed. A value of more than
// 1 MiB is not kept. A ttl of zero or less keeps nothing.
func (c *Cache) Put(ctx context.Context, key string, value []byte, ttl time.Duration) {
	if ttl <= 0 || len(value) > maxValue || c.down() {
		return
	}
	if err := c.rdb.Set(ctx, c.prefix+"v:"+key, value, ttl).Err(); err != nil {
		c.failed(ctx, err)
	}
}

// Delete forgets what is under the keys. While Redis is down it is remembered
// and made up for, so that Redis does not come back with what was deleted.
func (c *Cache) Delete(ctx context.Context, keys ...string) {
	if len(keys) == 0 {
		return
	}
	full := make([]string, len(keys))
	for i, key := range keys {
		full[i] = c.prefix + "v:" + key
	}
	if !c.down() {
		err := c.rdb.Unlink(ctx, full...).Err()
		if err == nil {
			return
		}
		c.failed(ctx, err)
	}
	c.state.owe(full)
}
