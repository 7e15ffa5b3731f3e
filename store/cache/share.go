package cache

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// unlock deletes a lock only if it still is ours.
var unlock = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`)

// TryLock reports whether nobody else holds the lock now. It saves work that
// two replicas would do alike and is never what makes the work right: without
// Redis everybody gets it, and it ends by itself after ttl. release is never
// nil and may be called when ok is false.
func (c *Cache) TryLock(ctx context.Context, name string, ttl time.Duration) (release func(), ok bool) {
	if c.down() {
		return func() {}, true
	}
	key, mine := c.prefix+"k:"+name, token()
	err := c.rdb.SetArgs(ctx, key, mine, redis.SetArgs{Mode: "NX", TTL: max(ttl, time.Millisecond)}).Err()
	if errors.Is(err, redis.Nil) {
		return func() {}, false
	}
	if err != nil {
		c.failed(ctx, err)
		return func() {}, true
	}
	return func() {
		if c.down() {
			return // it ends by itself
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*callTimeout)
		defer cancel()
		if err := unlock.Run(ctx, c.rdb, []string{key}, mine).Err(); err != nil {
			c.failed(ctx, err)
		}
	}, true
}

// Progress is how far a run is, for whoever watches it.
type Progress struct {
	Phase   string    `json:"phase"` // a word: "reading", "planning"
	Seen    int       `json:"seen"`
	Total   int       `json:"total,omitempty"` // 0: not known
	New     int       `json:"new"`
	Changed int       `json:"changed"`
	Pushes  int       `json:"pushes"`
	At      time.Time `json:"at"`
}

// progressTTL is how long the last word of a run can be read.
const progressTTL = 10 * time.Minute

// PutProgress says how far the run is. The run's row in the database holds its
// result; this only lets people watch.
func (c *Cache) PutProgress(ctx context.Context, run string, p Progress) {
	if p.At.IsZero() {
		p.At = c.now().UTC()
	}
	body, err := json.Marshal(p)
	if err != nil {
		return // a struct of numbers and words: it can't
	}
	c.Put(ctx, "progress:"+run, body, progressTTL)
}

// Progress returns how far the run is, as last said; ok is false when nothing
// is known.
func (c *Cache) Progress(ctx context.Context, run string) (p Progress, ok bool) {
	body, ok := c.Get(ctx, "progress:"+run)
	if !ok || json.Unmarshal(body, &p) != nil {
		return Progress{}, false
	}
	return p, true
}
