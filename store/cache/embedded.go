package cache

import (
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// embedded is a Redis inside this process, on a loopback port and behind a
// password that nobody else knows. It keeps nothing across a restart.
type embedded struct {
	server *miniredis.Miniredis
	url    string
	end    chan struct{}
	done   sync.WaitGroup
}

const (
	// tick is how exactly a TTL passes: the server has no clock of its own.
	tick = 500 * time.Millisecond
	// maxKeys bounds the memory: whoever has more needs a Redis of their own.
	maxKeys = 50_000
)

func startEmbedded() (*embedded, error) {
	password := token()
	s := miniredis.NewMiniRedis()
	s.RequireAuth(password)
	if err := s.StartAddr("127.0.0.1:0"); err != nil {
		return nil, err
	}
	e := &embedded{server: s, url: fmt.Sprintf("redis://:%s@%s/0", password, s.Addr()), end: make(chan struct{})}
	e.done.Go(e.age)
	return e, nil
}

// age lets time pass for the keys.
func (e *embedded) age() {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	last := time.Now()
	for n := 1; ; n++ {
		select {
		case <-e.end:
			return
		case now := <-ticker.C:
			e.server.FastForward(now.Sub(last))
			last = now
			if n%20 == 0 && len(e.server.Keys()) > maxKeys {
				e.server.FlushAll()
			}
		}
	}
}

func (e *embedded) stop() {
	close(e.end)
	e.done.Wait()
	e.server.Close()
}
