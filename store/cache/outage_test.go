package cache_test

import (
	"context"
	"testing"
	"time"

	"badgebridge/internal/testenv/redis"
	"badgebridge/store/cache"
)

// works asks everything of a cache whose Redis is away; nothing of it may hurt.
func works(t *testing.T, c *cache.Cache) {
	t.Helper()
	ctx := t.Context()
	c.Put(ctx, "a", []byte("new"), time.Minute)
	c.Delete(ctx, "a")
	c.Invalidate(ctx, "doc")
	c.PutProgress(ctx, "run", cache.Progress{Seen: 1})
	if _, ok := c.Get(ctx, "a"); ok {
		t.Error("a value without Redis")
	}
	if _, ok := c.Progress(ctx, "run"); ok {
		t.Error("progress without Redis")
	}
	release, ok := c.TryLock(ctx, "work", time.Minute)
	if !ok {
		t.Error("no lock: work would stand still")
	}
	release()
	let := 0
	for range 10 {
		if ok, _ := c.Allow(ctx, "limit during the outage", 0.001, 3); ok {
			let++
		}
	}
	if let > 3 {
		t.Errorf("%d requests were let through, burst is 3", let)
	}
	d, err := c.Hot(ctx, "doc", func(context.Context) (cache.Document, error) { return cache.Document{Body: []byte("fresh")}, nil })
	if err != nil || string(d.Body) != "fresh" {
		t.Errorf("hot document: %q, %v", d.Body, err)
	}
}

func TestNothingHurtsWhenRedisStopsAndItComesBackByItself(t *testing.T) {
	server := redis.Start(t)
	c := open(t, cache.Config{URL: server.URL})
	ctx := t.Context()
	c.Put(ctx, "a", []byte("old"), time.Minute)
	if _, ok := c.Get(ctx, "a"); !ok {
		t.Fatal("not kept")
	}

	server.Stop()
	works(t, c)
	eventually(t, "it to say so", func() bool { return degraded(c) })
	if _, why := c.Degraded(); why == "" {
		t.Error("it does not say why")
	}
	if c.Health(ctx) == nil {
		t.Error("health of a stopped Redis")
	}
	works(t, c)

	server.Start()
	eventually(t, "its return", func() bool { return !degraded(c) })
	c.Put(ctx, "b", []byte("after"), time.Minute)
	if v, ok := c.Get(ctx, "b"); !ok || string(v) != "after" {
		t.Fatalf("after the outage: %q, %v", v, ok)
	}
}

func TestWhatWasDeletedDuringAnOutageIsGoneAfterIt(t *testing.T) {
	server := redis.Start(t)
	c := open(t, cache.Config{URL: server.URL})
	ctx := t.Context()
	c.Put(ctx, "kept", []byte("x"), time.Hour)
	c.Put(ctx, "deleted", []byte("x"), time.Hour)

	server.Freeze() // it keeps its data, as one behind a broken network
	eventually(t, "it to notice", func() bool { c.Get(ctx, "kept"); return degraded(c) })
	works(t, c)
	c.Delete(ctx, "deleted")
	server.Thaw()

	eventually(t, "its return", func() bool { return !degraded(c) })
	if _, ok := c.Get(ctx, "kept"); !ok {
		t.Error("what was not deleted is gone")
	}
	if _, ok := c.Get(ctx, "deleted"); ok {
		t.Error("what was deleted came back")
	}
}

func TestItStartsWithoutRedis(t *testing.T) {
	server := redis.Start(t)
	server.Stop()
	c := open(t, cache.Config{URL: server.URL})
	if !degraded(c) {
		t.Fatal("it does not say that Redis is away")
	}
	works(t, c)
	server.Start()
	eventually(t, "Redis", func() bool { return !degraded(c) })
}
