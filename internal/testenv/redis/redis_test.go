package redis_test

import (
	"net"
	"strings"
	"testing"

	"badgebridge/internal/testenv/redis"
)

func TestItStopsAndComesBackAtTheSameAddress(t *testing.T) {
	s := redis.Start(t)
	address := strings.TrimSuffix(strings.TrimPrefix(s.URL, "redis://"), "/0")
	dial := func() error {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	if err := dial(); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	if err := dial(); err == nil {
		t.Fatal("a stopped server answers")
	}
	s.Start()
	if err := dial(); err != nil {
		t.Fatal(err)
	}
}
