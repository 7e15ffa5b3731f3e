package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
)

// patience is how long a server may take to answer at all.
const patience = 60 * time.Second

// server is a started program that answers on loopback.
type server struct {
	base string
	cmd  *exec.Cmd
	log  *bytes.Buffer
	done chan struct{}
}

func start(base string, cmd *exec.Cmd) (*server, error) {
	s := &server{base: base, cmd: cmd, log: new(bytes.Buffer), done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = s.log, s.log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = cmd.Wait(); close(s.done) }()
	return s, nil
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}

// get reads a path, and takes nothing but 200 or a redirect's end for an answer.
func (s *server) get(ctx context.Context, path string) (body []byte, kind string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, http.NoBody)
	if err != nil {
		return nil, "", err
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	if res.StatusCode >= 400 {
		return nil, "", fmt.Errorf("%s answered %s", path, res.Status)
	}
	body, err = io.ReadAll(res.Body)
	return body, res.Header.Get("Content-Type"), err
}

// waitFor asks for path until it is answered with 200, and tells how long after
// since that was.
func (s *server) waitFor(ctx context.Context, path string, since time.Time) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if _, _, err := s.get(ctx, path); err == nil {
			return time.Since(since), nil
		}
		select {
		case <-s.done:
			return 0, fmt.Errorf("%s ended:\n%s", filepath.Base(s.cmd.Path), s.log)
		case <-ctx.Done():
			return 0, fmt.Errorf("%s does not answer", filepath.Base(s.cmd.Path))
		case <-time.After(time.Millisecond):
		}
	}
}

// freePort finds a port that was free a moment ago.
func freePort(ctx context.Context) (int, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// startGateway starts the gateway on a data folder and tells how long it took
// until /healthz answered 200.
func startGateway(ctx context.Context, binary, data string, demo bool) (*server, time.Duration, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, 0, err
	}
	args := []string{"serve"}
	if demo {
		args = append(args, "--demo")
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	base := fmt.Sprintf("http://localhost:%d", port)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "BADGEBRIDGE_") }),
		fmt.Sprintf("BADGEBRIDGE_LISTEN=localhost:%d", port), "BADGEBRIDGE_DATA_DIR="+data,
		"BADGEBRIDGE_BASE_URL="+base, "BADGEBRIDGE_ALLOW_HTTP=true", "BADGEBRIDGE_LOG_LEVEL=warn")
	began := time.Now()
	s, err := start(base, cmd)
	if err != nil {
		return nil, 0, err
	}
	took, err := s.waitFor(ctx, "/healthz", began)
	if err != nil {
		s.stop()
		return nil, 0, err
	}
	return s, took, nil
}

// claimedAssertion waits until the demo's first claim has made an assertion and
// gives its path.
func claimedAssertion(ctx context.Context, data string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	db, err := sqlstore.Open(ctx, "sqlite:"+filepath.Join(data, "badgebridge.db"), sqlstore.Options{KeepSchema: true})
	if err != nil {
		return "", err
	}
	defer db.Close()
	for {
		awards, err := db.Awards(ctx, store.AwardFilter{Claim: store.Claimed, Limit: 100})
		if err != nil {
			return "", err
		}
		for _, a := range awards {
			made, err := db.AssertionOf(ctx, a.ID, openbadges.V20)
			if err == nil && !a.Revoked {
				return "/ob/v2/assertions/" + made.ID, nil
			}
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return "", err
			}
		}
		select {
		case <-ctx.Done():
			return "", errors.New("the demo has made no assertion")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// startNginx serves body as the file /assertion.
func startNginx(ctx context.Context, dir string, body []byte, kind string) (*server, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	root := filepath.Join(dir, "nginx")
	if err := os.MkdirAll(filepath.Join(root, "www"), 0o755); err != nil {
		return nil, err
	}
	// Its workers run as another user, who has to get there.
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // see above
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(root, "www", "assertion"), body, 0o644); err != nil { //nolint:gosec // a public document
		return nil, err
	}
	conf := fmt.Sprintf(`daemon off;
worker_processes auto;
pid %[1]s/pid;
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  open_file_cache max=100;
  client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3; uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
  server {
    listen 127.0.0.1:%[2]d;
    root %[1]s/www;
    default_type "%[3]s";
    add_header Access-Control-Allow-Origin *;
    add_header Cache-Control "public, max-age=60";
  }
}
`, root, port, kind)
	file := filepath.Join(root, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return nil, err
	}
	program, err := exec.LookPath("nginx")
	if err != nil {
		program = "/usr/sbin/nginx" // not everybody has sbin in PATH
	}
	s, err := start(fmt.Sprintf("http://127.0.0.1:%d", port), exec.CommandContext(ctx, program, "-p", root, "-c", file, "-e", "stderr"))
	if err != nil {
		return nil, fmt.Errorf("nginx: %w (apt-get install nginx)", err)
	}
	if _, err := s.waitFor(ctx, "/assertion", time.Now()); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

var perSecond = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)

// load has wrk ask for url as often as it can and gives the requests a second.
// Any answer that is not 2xx is an error.
func load(ctx context.Context, url string, turn time.Duration) (float64, error) {
	cmd := exec.CommandContext(ctx, "wrk", "-t1", "-c32", fmt.Sprintf("-d%ds", max(1, int(turn.Seconds()))), url)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk: %w (apt-get install wrk)\n%s", err, out)
	}
	if bytes.Contains(out, []byte("Non-2xx")) || bytes.Contains(out, []byte("Socket errors")) {
		return 0, fmt.Errorf("not every request to %s was answered well:\n%s", url, out)
	}
	m := perSecond.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("wrk's words are not understood:\n%s", out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}

var vmRSS = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// residentMiB is the resident memory of a process, from /proc.
func residentMiB(pid int) (float64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	m := vmRSS.FindSubmatch(data)
	if m == nil {
		return 0, errors.New("no VmRSS in /proc")
	}
	kib, err := strconv.ParseFloat(string(m[1]), 64)
	return kib / 1024, err
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	if len(s) == 0 {
		return 0
	}
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

func spread(v []float64) string { return fmt.Sprintf("%.2f to %.2f", slices.Min(v), slices.Max(v)) }
