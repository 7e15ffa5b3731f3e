// Package e2e runs the built binary against real and simulated systems. It
// holds nothing but tests and what they share.
package e2e

import (
	"bufio"
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
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// built is the binary, built once for all tests of the process.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "badgebridge-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "badgebridge")
	args := []string{"build", "-tags", "nomsgpack", "-o", path}
	if os.Getenv("E2E_RACE") != "" {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "badgebridge/cmd/badgebridge")...)
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

// Binary is the path of the built program.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Gateway is a running program.
type Gateway struct {
	URL   string
	Dir   string // its data folder
	t     testing.TB
	args  []string
	env   []string
	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{}
	out   *lines
}

// Options say how to start a gateway.
type Options struct {
	YAML string            // the configuration file's text
	Env  map[string]string // BADGEBRIDGE_… variables
	Demo bool
	Dir  string // an existing data folder; "" a new one
	Port int    // 0 a free one
}

// FreePort finds a port that is free now.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// New prepares a gateway; Start runs it.
func New(t testing.TB, o Options) *Gateway {
	t.Helper()
	g := &Gateway{t: t, Dir: o.Dir}
	if g.Dir == "" {
		g.Dir = t.TempDir()
	}
	if o.Port == 0 {
		o.Port = FreePort(t)
	}
	g.URL = fmt.Sprintf("http://localhost:%d", o.Port)
	g.args = []string{"serve"}
	if o.Demo {
		g.args = append(g.args, "--demo")
	}
	if o.YAML != "" {
		path := filepath.Join(g.Dir, "badgebridge.yaml")
		if err := os.WriteFile(path, []byte(o.YAML), 0o600); err != nil {
			t.Fatal(err)
		}
		g.args = append(g.args, "--config", path)
	}
	env := map[string]string{"BADGEBRIDGE_LISTEN": fmt.Sprintf("localhost:%d", o.Port), "BADGEBRIDGE_DATA_DIR": g.Dir, "BADGEBRIDGE_ALLOW_HTTP": "true"}
	for k, v := range o.Env {
		env[k] = v
	}
	g.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	for k, v := range env {
		if v != "" {
			g.env = append(g.env, k+"="+v)
		}
	}
	t.Cleanup(func() {
		g.Kill()
		if t.Failed() && g.out != nil {
			t.Logf("the gateway said:\n%s", g.out.tail(200))
		}
	})
	return g
}

// Start runs the program and waits until it answers.
func (g *Gateway) Start() *Gateway {
	g.t.Helper()
	binary := Binary(g.t)
	g.mu.Lock()
	cmd := exec.Command(binary, g.args...)
	cmd.Env = g.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if g.out == nil {
		g.out = &lines{}
	}
	cmd.Stdout, cmd.Stderr = g.out, g.out
	if err := cmd.Start(); err != nil {
		g.mu.Unlock()
		g.t.Fatal(err)
	}
	ended := make(chan struct{})
	g.cmd, g.ended = cmd, ended
	g.mu.Unlock()
	go func() { _ = cmd.Wait(); close(ended) }()
	Eventually(g.t, time.Minute, "the gateway answers", func() error {
		select {
		case <-ended:
			g.t.Fatalf("the gateway ended:\n%s", g.out.tail(50))
		default:
		}
		return alive(g.URL)
	})
	return g
}

func alive(url string) error {
	res, err := http.Get(url + "/healthz")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("healthz answered %d", res.StatusCode)
	}
	return nil
}

// Kill ends the program as a power cut would.
func (g *Gateway) Kill() { g.end(syscall.SIGKILL) }

// Stop asks the program to end and waits.
func (g *Gateway) Stop() { g.end(syscall.SIGTERM) }

func (g *Gateway) end(sig syscall.Signal) {
	g.mu.Lock()
	cmd, ended := g.cmd, g.ended
	g.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(sig)
	<-ended
}

// Said is what the program printed so far.
func (g *Gateway) Said() string { return g.out.tail(100000) }

// Link waits for the set-up link that the program prints.
func (g *Gateway) Link() string {
	g.t.Helper()
	re := regexp.MustCompile(`http://\S+/setup/\S+`)
	var link string
	Eventually(g.t, 20*time.Second, "the program prints a set-up link", func() error {
		if link = re.FindString(g.Said()); link == "" {
			return errors.New("no link yet")
		}
		return nil
	})
	return link
}

// Run runs one command of the program to its end.
func Run(t testing.TB, env []string, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, Binary(t), args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, env...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errw bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errw
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errw.String()
}

// Eventually waits for another process: it asks until f returns nil.
func Eventually(t testing.TB, within time.Duration, what string, f func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s: %v", what, within, err)
		}
		time.Sleep(50 * time.Millisecond) // between two questions to another process
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// lines keeps what a program prints.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) tail(n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	s := bufio.NewScanner(bytes.NewReader(l.buf.Bytes()))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		all = append(all, s.Text())
	}
	return strings.Join(all[max(0, len(all)-n):], "\n")
}

var _ io.Writer = (*lines)(nil)
