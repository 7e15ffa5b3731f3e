package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	simcredly "badgebridge/sandbox/credly"
)

// lines takes what a command writes while it runs, and tells of the first.
type lines struct {
	mu    sync.Mutex
	b     bytes.Buffer
	once  sync.Once
	first chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.once.Do(func() { close(l.first) })
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestTheCredlySimulatorHasAFlagForEachInferredBehaviour(t *testing.T) {
	var out bytes.Buffer
	if code := run(t.Context(), []string{"sandbox", "credly", "--help"}, strings.NewReader(""), &out, &out, nil); code != 0 {
		t.Fatal(code, out.String())
	}
	for _, o := range simcredly.Inferred() {
		if !regexp.MustCompile(`--` + o.Name + `\b`).MatchString(out.String()) {
			t.Errorf("--help does not name --%s", o.Name)
		}
	}
}

func TestTheCredlySimulatorRunsAloneAsItsFlagsSay(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	said := &lines{first: make(chan struct{})}
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"sandbox", "credly", "--listen", "127.0.0.1:0", "--lenient-auth", "--read-delay", "3s", "--fault", "500", "--fault-rate", "1", "--fault-path", "/v1/organizations/*/events"},
			strings.NewReader(""), io.Discard, said, nil)
	}()
	select {
	case <-said.first:
	case code := <-done:
		t.Fatal(code, said.String())
	}
	base := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(said.String())
	get := func(path string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(simcredly.DemoToken, "")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	_, body := get("/__sim/options")
	var options simcredly.Options
	if err := json.Unmarshal([]byte(body), &options); err != nil || options != (simcredly.Options{LenientAuth: true, ReadDelay: 3 * time.Second}) {
		t.Error(err, body)
	}
	if code, _ := get("/v1/organizations/" + simcredly.DemoOrg + "/events"); code != http.StatusInternalServerError {
		t.Error("the fault is not at work:", code)
	}
	if code, _ := get("/v1/organizations/" + simcredly.DemoOrg); code != http.StatusOK {
		t.Error(code)
	}
	cancel()
	if code := <-done; code != 0 {
		t.Error("it ends with", code, said.String())
	}
	if code := run(t.Context(), []string{"sandbox", "credly", "--fault", "flood"}, strings.NewReader(""), io.Discard, said, nil); code != 2 || !strings.Contains(said.String(), "flood") {
		t.Error("an unknown fault:", code)
	}
}
