package cache

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// gcra is the generic cell rate algorithm: one number a key, the time at which
// the bucket will be empty again. Redis is the clock, so that replicas agree.
// ARGV: microseconds a request costs, burst. Answer: allowed, microseconds to
// wait.
var gcra = redis.NewScript(`
local cost, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local empty = tonumber(redis.call('GET', KEYS[1]) or now)
if empty < now then empty = now end
local after = empty + cost
local wait = after - burst * cost - now
if wait > 0 then return {0, math.ceil(wait)} end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
return {1, 0}
`)

// Allow counts one request against key: rate a second in the long run, burst
// at once. When it answers no, retryAfter is when the next one will be let
// through. Without Redis every process counts for itself. A rate or burst of
// zero or less allows nothing.
func (c *Cache) Allow(ctx context.Context, key string, rate float64, burst int) (ok bool, retryAfter time.Duration) {
	if rate <= 0 || burst <= 0 {
		return false, time.Minute
	}
	// A cost between a microsecond and a day keeps the script's numbers exact.
	cost := time.Duration(min(max(1e9/rate, 1e3), 8.64e13)).Truncate(time.Microsecond)
	if !c.down() {
		answer, err := gcra.Run(ctx, c.rdb, []string{c.prefix + "l:" + key}, cost.Microseconds(), burst).Int64Slice()
		if err == nil && len(answer) == 2 {
			return answer[0] == 1, time.Duration(answer[1]) * time.Microsecond
		}
		if err != nil {
			c.failed(ctx, err)
		}
	}
	return c.local.allow(key, cost, burst, c.now())
}

// localLimits is the same algorithm in this process.
type localLimits struct {
	mu    sync.Mutex
	empty map[string]time.Time
}

// maxLocal bounds the keys that are remembered; then the oldest state goes,
// which errs on the side of letting requests through.
const maxLocal = 20_000

func (l *localLimits) allow(key string, cost time.Duration, burst int, now time.Time) (bool, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.empty == nil || len(l.empty) >= maxLocal {
		l.forget(now)
	}
	empty := l.empty[key]
	if empty.Before(now) {
		empty = now
	}
	after := empty.Add(cost)
	credit := time.Duration(math.MaxInt64)
	if int64(burst) < int64(credit/cost) {
		credit = time.Duration(burst) * cost
	}
	if wait := after.Sub(now) - credit; wait > 0 {
		return false, wait
	}
	l.empty[key] = after
	return true, 0
}

// forget drops the keys whose bucket is empty, and all when none is.
func (l *localLimits) forget(now time.Time) {
	kept := make(map[string]time.Time)
	for key, empty := range l.empty {
		if empty.After(now) {
			kept[key] = empty
		}
	}
	if len(kept) >= maxLocal {
		clear(kept)
	}
	l.empty = kept
}
