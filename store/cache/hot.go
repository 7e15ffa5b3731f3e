package cache

import (
	"container/list"
	"context"
	"hash/maphash"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Document is a public document as it is served.
type Document struct {
	Status    int
	MediaType string
	ETag      string
	Body      []byte
}

// shards keep readers of different documents out of each other's way.
const shards = 16

// hot is the least-recently-used cache in this process.
type hot struct {
	seed  maphash.Seed
	age   time.Duration
	now   func() time.Time
	shard [shards]hotShard
}

type hotShard struct {
	mu      sync.Mutex
	entries map[string]*list.Element
	order   *list.List // front: used last
	bytes   int
	max     int
	// news counts what was dropped: a document that was loaded before a change
	// must not be put after it.
	news uint64
}

type hotEntry struct {
	key  string
	doc  Document
	size int
	at   time.Time
}

// overhead is what an entry costs beside its bytes, about.
const overhead = 256

func newHot(bytes int, age time.Duration, now func() time.Time) *hot {
	h := &hot{seed: maphash.MakeSeed(), age: age, now: now}
	for i := range h.shard {
		h.shard[i] = hotShard{entries: make(map[string]*list.Element), order: list.New(), max: bytes / shards}
	}
	return h
}

func (h *hot) of(key string) *hotShard {
	return &h.shard[maphash.String(h.seed, key)%shards]
}

func (h *hot) get(key string, age time.Duration) (doc Document, ok bool, news uint64) {
	s := h.of(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[key]
	if !ok {
		return Document{}, false, s.news
	}
	entry := e.Value.(*hotEntry)
	if h.now().Sub(entry.at) >= age {
		s.remove(e)
		return Document{}, false, s.news
	}
	s.order.MoveToFront(e)
	return entry.doc, true, s.news
}

func (h *hot) put(key string, doc Document, news uint64) {
	entry := &hotEntry{key: key, doc: doc, size: len(key) + len(doc.Body) + overhead, at: h.now()}
	s := h.of(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.news != news || entry.size > s.max {
		return
	}
	if old, ok := s.entries[key]; ok {
		s.remove(old)
	}
	for s.bytes+entry.size > s.max {
		s.remove(s.order.Back())
	}
	s.entries[key] = s.order.PushFront(entry)
	s.bytes += entry.size
}

func (s *hotShard) remove(e *list.Element) {
	entry := s.order.Remove(e).(*hotEntry)
	delete(s.entries, entry.key)
	s.bytes -= entry.size
}

func (h *hot) drop(keys []string) {
	for _, key := range keys {
		s := h.of(key)
		s.mu.Lock()
		s.news++
		if e, ok := s.entries[key]; ok {
			s.remove(e)
		}
		s.mu.Unlock()
	}
}

func (h *hot) purge() {
	for i := range h.shard {
		s := &h.shard[i]
		s.mu.Lock()
		s.news++
		s.entries, s.bytes = make(map[string]*list.Element), 0
		s.order.Init()
		s.mu.Unlock()
	}
}

// degradedAge is HotAge while the news of other replicas can't be heard.
const degradedAge = 5 * time.Second

// Hot returns the document under key from this process's memory, or loads it
// and keeps it there. Who gets it must not change its bytes. An error of load
// is passed on and nothing is kept. It asks nobody over the network.
func (c *Cache) Hot(ctx context.Context, key string, load func(ctx context.Context) (Document, error)) (Document, error) {
	age := c.hot.age
	if c.down() && c.embedded == nil {
		age = min(age, degradedAge)
	}
	doc, ok, news := c.hot.get(key, age)
	if ok {
		return doc, nil
	}
	doc, err := load(ctx)
	if err != nil {
		return Document{}, err
	}
	c.hot.put(key, doc, news)
	return doc, nil
}

// Invalidate drops documents from the memory of this process and of all
// replicas. Call it after the transaction that changed them.
func (c *Cache) Invalidate(ctx context.Context, keys ...string) {
	if len(keys) == 0 {
		return
	}
	c.hot.drop(keys)
	if c.down() {
		return // the others find out when they load again, after degradedAge
	}
	if err := c.rdb.Publish(ctx, c.channel(), c.self+"\n"+strings.Join(keys, "\n")).Err(); err != nil {
		c.failed(ctx, err)
	}
}

func (c *Cache) channel() string { return c.prefix + "changed" }

// listen hears what other replicas changed.
func (c *Cache) listen(ctx context.Context) {
	sub := c.rdb.Subscribe(ctx, c.channel())
	defer func() { _ = sub.Close() }()
	// The client connects again by itself and says so by a Subscription.
	events := sub.ChannelWithSubscriptions(redis.WithChannelHealthCheckInterval(2 * time.Second))
	for {
		select {
		case <-ctx.Done():
			return
		case event, ok := <-events:
			if !ok {
				return
			}
			switch e := event.(type) {
			case *redis.Subscription:
				c.hot.purge() // what came between two connections was not heard
			case *redis.Message:
				keys := strings.Split(e.Payload, "\n")
				if keys[0] != c.self {
					c.hot.drop(keys[1:])
				}
			}
		}
	}
}
