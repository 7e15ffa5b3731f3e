package cache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"badgebridge/internal/testenv/redis"
	"badgebridge/store/cache"
)

func open(t *testing.T, cfg cache.Config) *cache.Cache {
	t.Helper()
	c, err := cache.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatal("in vain waited for: " + what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func degraded(c *cache.Cache) bool { is, _ := c.Degraded(); return is }

// on runs the test against the embedded server and a real one.
func on(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("embedded", func(t *testing.T) { test(t, "") })
	t.Run("redis", func(t *testing.T) { test(t, redis.Start(t).URL) })
}

func TestBytesAreKeptForTheirTime(t *testing.T) {
	on(t, func(t *testing.T, url string) {
		ctx := t.Context()
		c := open(t, cache.Config{URL: url})
		if _, ok := c.Get(ctx, "a"); ok {
			t.Fatal("an unknown key was found")
		}
		binary := "bytes \x00\xff"
		c.Put(ctx, "a", []byte(binary), time.Minute)
		if v, ok := c.Get(ctx, "a"); !ok || string(v) != binary {
			t.Fatalf("got %q, %v", v, ok)
		}
		c.Put(ctx, "short", []byte("x"), 700*time.Millisecond)
		if _, ok := c.Get(ctx, "short"); !ok {
			t.Fatal("it was gone at once")
		}
		eventually(t, "the end of the TTL", func() bool { _, ok := c.Get(ctx, "short"); return !ok })
		c.Put(ctx, "none", []byte("x"), 0)
		c.Put(ctx, "large", make([]byte, 2<<20), time.Minute)
		for _, key := range []string{"none", "large"} {
			if _, ok := c.Get(ctx, key); ok {
				t.Errorf("%s was kept", key)
			}
		}
		c.Delete(ctx, "a", "unknown")
		if _, ok := c.Get(ctx, "a"); ok {
			t.Fatal("a deleted key was found")
		}
		if err := c.Health(ctx); err != nil || degraded(c) {
			t.Fatalf("health %v, degraded %v", err, degraded(c))
		}
		other := open(t, cache.Config{URL: url, Prefix: "other:"})
		c.Put(ctx, "mine", []byte("x"), time.Minute)
		if _, ok := other.Get(ctx, "mine"); ok {
			t.Fatal("another prefix sees it")
		}
	})
}

func TestALimitLetsABurstThroughAndThenTheRate(t *testing.T) {
	on(t, func(t *testing.T, url string) {
		ctx := t.Context()
		c := open(t, cache.Config{URL: url})
		for i := range 5 {
			if ok, _ := c.Allow(ctx, "key", 0.01, 5); !ok {
				t.Fatalf("request %d of the burst was refused", i)
			}
		}
		ok, after := c.Allow(ctx, "key", 0.01, 5)
		if ok || after < 90*time.Second || after > 100*time.Second {
			t.Fatalf("after the burst: %v, retry after %v", ok, after)
		}
		if ok, _ := c.Allow(ctx, "other key", 0.01, 5); !ok {
			t.Fatal("one key's limit hit another")
		}
		var let atomic.Int32
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				if ok, _ := c.Allow(ctx, "together", 0.001, 7); ok {
					let.Add(1)
				}
			})
		}
		wg.Wait()
		if let.Load() != 7 {
			t.Fatalf("%d of 40 at once were let through, burst is 7", let.Load())
		}
		for range 2 {
			eventually(t, "the next by rate", func() bool { ok, _ := c.Allow(ctx, "fast", 20, 1); return ok })
		}
		if ok, _ := c.Allow(ctx, "nothing", 0, 0); ok {
			t.Fatal("a rate of nothing lets something through")
		}
	})
}

func TestALockIsHeldByOneUntilItIsReleasedOrEnds(t *testing.T) {
	on(t, func(t *testing.T, url string) {
		ctx := t.Context()
		c := open(t, cache.Config{URL: url})
		release, ok := c.TryLock(ctx, "work", time.Minute)
		if !ok {
			t.Fatal("a free lock was not granted")
		}
		second, ok := c.TryLock(ctx, "work", time.Minute)
		if ok {
			t.Fatal("a lock was granted twice")
		}
		second() // does nothing
		if _, ok := c.TryLock(ctx, "work", time.Minute); ok {
			t.Fatal("who did not hold it released it")
		}
		release()
		if _, ok = c.TryLock(ctx, "work", 600*time.Millisecond); !ok {
			t.Fatal("a released lock was not granted")
		}
		eventually(t, "the end of a lock", func() bool { _, ok := c.TryLock(ctx, "work", time.Minute); return ok })
		release() // of an older holder: it is another's by now
		if _, ok := c.TryLock(ctx, "work", time.Minute); ok {
			t.Fatal("an old holder released the lock of another")
		}
	})
}

func TestProgressIsTheLastWord(t *testing.T) {
	on(t, func(t *testing.T, url string) {
		c := open(t, cache.Config{URL: url})
		if _, ok := c.Progress(t.Context(), "run"); ok {
			t.Fatal("progress of an unknown run")
		}
		at := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
		for seen := range 3 {
			c.PutProgress(t.Context(), "run", cache.Progress{Phase: "reading", Seen: seen, New: 1, At: at})
		}
		if p, ok := c.Progress(t.Context(), "run"); !ok || p != (cache.Progress{Phase: "reading", Seen: 2, New: 1, At: at}) {
			t.Fatalf("%+v, %v", p, ok)
		}
	})
}

// source is what hot documents are loaded from.
type source struct {
	loads atomic.Int32
	body  atomic.Value
}

func (s *source) load(context.Context) (cache.Document, error) {
	s.loads.Add(1)
	return cache.Document{Status: 200, MediaType: "application/ld+json", ETag: `"1"`, Body: []byte(s.body.Load().(string))}, nil
}

func TestAHotDocumentIsLoadedOnceUntilItChanges(t *testing.T) {
	on(t, func(t *testing.T, url string) {
		ctx := t.Context()
		c := open(t, cache.Config{URL: url})
		var s source
		s.body.Store("one")
		get := func() string {
			d, err := c.Hot(ctx, "doc", s.load)
			if err != nil {
				t.Fatal(err)
			}
			return string(d.Body)
		}
		get()
		eventually(t, "it to be kept", func() bool { n := s.loads.Load(); get(); return s.loads.Load() == n })
		s.body.Store("two")
		if get() != "one" {
			t.Fatal("it was not kept")
		}
		c.Invalidate(ctx, "doc", "another")
		if get() != "two" {
			t.Fatal("the change is not seen")
		}

		broken := errors.New("broken")
		if _, err := c.Hot(ctx, "bad", func(context.Context) (cache.Document, error) { return cache.Document{}, broken }); !errors.Is(err, broken) {
			t.Fatal(err)
		}
		if d, err := c.Hot(ctx, "bad", s.load); err != nil || string(d.Body) != "two" {
			t.Fatal("an error was kept")
		}

		// A document that changes while it is loaded is not kept as it was.
		if _, err := c.Hot(ctx, "racy", func(ctx context.Context) (cache.Document, error) {
			old, err := s.load(ctx)
			s.body.Store("three")
			c.Invalidate(ctx, "racy")
			return old, err
		}); err != nil {
			t.Fatal(err)
		}
		if d, err := c.Hot(ctx, "racy", s.load); err != nil || string(d.Body) != "three" {
			t.Fatalf("got %q, %v", d.Body, err)
		}
	})
}

func TestHotDocumentsHaveAnAgeAndABound(t *testing.T) {
	var mu sync.Mutex
	now := time.Date(2026, 3, 14, 15, 0, 0, 0, time.UTC)
	c := open(t, cache.Config{HotBytes: 64 << 10, HotAge: time.Minute, Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	var s source
	s.body.Store(strings.Repeat("x", 1000))
	load := func(key string) {
		if _, err := c.Hot(t.Context(), key, s.load); err != nil {
			t.Fatal(err)
		}
	}
	load("doc")
	eventually(t, "it to be kept", func() bool { n := s.loads.Load(); load("doc"); return s.loads.Load() == n })
	n := s.loads.Load()
	mu.Lock()
	now = now.Add(time.Minute)
	mu.Unlock()
	load("doc")
	if s.loads.Load() != n+1 {
		t.Fatal("it outlived its age")
	}
	for i := range 1000 {
		load(fmt.Sprint("many ", i))
	}
	n = s.loads.Load()
	for i := range 1000 {
		load(fmt.Sprint("many ", i))
	}
	if kept := 1000 - int(s.loads.Load()-n); kept > 64 {
		t.Fatalf("%d documents of 1 kB are in 64 kB", kept)
	}
}

func TestAReplicaHearsWhatAnotherChanged(t *testing.T) {
	ctx := t.Context()
	url := redis.Start(t).URL
	a, b := open(t, cache.Config{URL: url}), open(t, cache.Config{URL: url})
	var s source
	n := 0
	eventually(t, "the change at the other replica", func() bool {
		n++
		s.body.Store(fmt.Sprint("version ", n))
		if _, err := b.Hot(ctx, "doc", s.load); err != nil {
			t.Fatal(err)
		}
		s.body.Store(fmt.Sprint("changed ", n))
		a.Invalidate(ctx, "doc")
		for range 50 {
			d, err := b.Hot(ctx, "doc", s.load)
			if err != nil {
				t.Fatal(err)
			}
			if string(d.Body) == fmt.Sprint("changed ", n) {
				return true
			}
			time.Sleep(time.Millisecond)
		}
		return false
	})
}

func TestAWrongURLIsAnErrorThatHidesThePassword(t *testing.T) {
	for _, url := range []string{"redis://user:hunter%zz2@host/0", "http://user:hunter2@host", "hunter2"} {
		c, err := cache.Open(t.Context(), cache.Config{URL: url})
		if err == nil {
			_ = c.Close()
			t.Fatalf("%s was taken", url)
		}
		if strings.Contains(err.Error(), "hunter") {
			t.Fatalf("the error holds the password: %v", err)
		}
	}
}
