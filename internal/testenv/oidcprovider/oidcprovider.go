// Package oidcprovider starts a real OpenID provider for tests: the npm package
// oidc-provider, which is certified by the OpenID Foundation, under node. It is
// installed from the registry once, into the user's cache folder, in the
// versions of our lock file.
package oidcprovider

import (
	"bufio"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	//go:embed package.json
	packageJSON []byte
	//go:embed package-lock.json
	packageLock []byte
	//go:embed server.mjs
	serverScript []byte
)

const (
	installLimit = 3 * time.Minute
	startLimit   = 40 * time.Second
)

// Account is somebody who can sign in at the provider.
type Account struct {
	ID       string         `json:"id"` // also the subject
	Password string         `json:"password"`
	Claims   map[string]any `json:"claims"`
}

// Accounts are two people: Ada, an administrator with a verified address, and
// Ben, whose address nobody verified.
func Accounts() []Account {
	return []Account{
		{ID: "ada", Password: "ada-demo", Claims: map[string]any{
			"email": "ada@example.org", "email_verified": true, "name": "Ada Demo", "given_name": "Ada", "family_name": "Demo",
			"locale": "en", "roles": []string{"administrator", "member"},
		}},
		{ID: "ben", Password: "ben-demo", Claims: map[string]any{
			"email": "ben@example.org", "email_verified": false, "name": "Ben Demo", "given_name": "Ben", "family_name": "Demo",
			"roles": []string{"member"},
		}},
	}
}

// Options say who may sign in where. Empty fields take a default.
type Options struct {
	ClientID, ClientSecret string
	RedirectURIs           []string // required
	PostLogoutRedirectURIs []string
	Accounts               []Account // Accounts()
}

// Server is one provider with an address of its own. It is not safe for
// concurrent use.
type Server struct {
	Issuer                 string
	ClientID, ClientSecret string

	dir      string
	settings []byte
	cmd      *exec.Cmd
	stdin    io.Closer
	output   *tail
}

// New installs the provider and picks its address, but does not start it. Where
// node or npm is missing the test is skipped, but fails where the environment
// says CI=true.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			how := "no " + program + ": apt-get install nodejs npm"
			if os.Getenv("CI") == "true" {
				t.Fatal(how)
			}
			t.Skip(how)
		}
	}
	if o.ClientID == "" {
		o.ClientID = "badgebridge-test"
	}
	if o.ClientSecret == "" {
		o.ClientSecret = "a-secret-for-tests-only-0123456789"
	}
	if o.Accounts == nil {
		o.Accounts = Accounts()
	}
	dir, err := install()
	if err != nil {
		t.Fatalf("install oidc-provider: %v", err)
	}
	port := freePort(t)
	s := &Server{
		Issuer: "http://localhost:" + strconv.Itoa(port), ClientID: o.ClientID, ClientSecret: o.ClientSecret, dir: dir,
	}
	if s.settings, err = json.Marshal(map[string]any{
		"issuer": s.Issuer, "port": port, "clientID": o.ClientID, "clientSecret": o.ClientSecret,
		"redirectURIs": o.RedirectURIs, "postLogoutRedirectURIs": o.PostLogoutRedirectURIs, "accounts": o.Accounts,
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Start starts the provider and returns when it listens. After Stop it comes
// back at the same address, with new keys and without memory of who was signed
// in.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if s.cmd != nil {
		return
	}
	cmd := exec.Command("node", "server.mjs")
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "BADGEBRIDGE_OIDC="+string(s.settings), "NODE_ENV=test")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.output = new(tail)
	cmd.Stderr = s.output
	if err := cmd.Start(); err != nil {
		t.Fatalf("start oidc-provider: %v", err)
	}
	s.cmd, s.stdin = cmd, stdin
	ready := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			if lines.Text() == "ready" {
				ready <- true
			}
			fmt.Fprintln(s.output, lines.Text())
		}
		ready <- false
	}()
	select {
	case ok := <-ready:
		if !ok {
			t.Fatalf("oidc-provider ended at once:\n%s", s.output)
		}
	case <-time.After(startLimit):
		t.Fatalf("oidc-provider does not listen:\n%s", s.output)
	}
}

// Stop ends the provider. Stopping twice is no error.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.stdin.Close()
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Output is the end of what the provider printed.
func (s *Server) Output() string {
	if s.output == nil {
		return ""
	}
	return s.output.String()
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// install puts the packages of the lock file into a cache folder that is named
// by their digest, once; processes that come at the same time wait.
func install() (dir string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, b := range [][]byte{packageJSON, packageLock, serverScript} {
		sum.Write(b)
	}
	dir = filepath.Join(cache, "badgebridge-test", "oidc-provider-"+hex.EncodeToString(sum.Sum(nil)[:8]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	done := filepath.Join(dir, ".done")
	if _, err := os.Stat(done); err == nil {
		return dir, nil
	}
	for name, b := range map[string][]byte{"package.json": packageJSON, "package-lock.json": packageLock, "server.mjs": serverScript} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return "", err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), installLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return dir, os.WriteFile(done, nil, 0o644)
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if len(t.b) > 16<<10 {
		t.b = append([]byte(nil), t.b[len(t.b)-8<<10:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}
