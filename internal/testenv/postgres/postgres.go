// Package postgres gives tests a real PostgreSQL server.
//
// The first Start of a test process makes a cluster in a temporary folder and
// starts a server on it, on a free loopback port; each Start makes a database
// of its own there. The server ends with the last test that uses it. It keeps
// no promise about a power cut (fsync is off): it is for tests only.
package postgres

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// install is the cure that a missing server is reported with.
const install = "apt-get install postgresql"

// patience is how long the server may take to start or stop.
const patience = 60 * time.Second

// shared is the server of this test process. A test package has no better
// owner for it: its tests run side by side and one cluster costs a second.
var shared struct {
	sync.Mutex
	server *server
	users  int
	count  int
}

type server struct {
	folder string
	port   int
	cmd    *exec.Cmd
	done   chan struct{} // closed when the process has ended
	log    *bytes.Buffer // read only after done, or through logText
	logMu  sync.Mutex
	made   map[string]bool // templates of Copy
}

// Start returns the URL of an empty database on a real PostgreSQL. The
// database lives until t ends. Without PostgreSQL on the machine the test is
// skipped, or fails where CI=true.
func Start(t testing.TB) (url string) {
	t.Helper()
	return create(t, "", nil)
}

// Copy is Start, but the database is a copy of the named one, which prepare
// fills once for each server. prepare has to close its connections.
func Copy(t testing.TB, name string, prepare func(ctx context.Context, url string) error) (url string) {
	t.Helper()
	return create(t, name, prepare)
}

func create(t testing.TB, template string, prepare func(ctx context.Context, url string) error) (url string) {
	t.Helper()
	bin := binaries(t)
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		s, err := start(bin)
		if err != nil {
			t.Fatalf("start PostgreSQL: %v", err)
		}
		shared.server = s
	}
	shared.users++
	t.Cleanup(release)

	shared.count++
	name := fmt.Sprintf("test_%d", shared.count)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	statement := "CREATE DATABASE " + name
	if template != "" {
		if err := shared.server.template(ctx, template, prepare); err != nil {
			t.Fatalf("make database %s: %v", template, err)
		}
		statement += " TEMPLATE " + template
	}
	if err := shared.server.exec(ctx, statement); err != nil {
		t.Fatalf("make database %s: %v", name, err)
	}
	return shared.server.url(name)
}

// template makes the database that is copied, if it is not there.
func (s *server) template(ctx context.Context, name string, prepare func(ctx context.Context, url string) error) error {
	if s.made[name] {
		return nil
	}
	if err := s.exec(ctx, "CREATE DATABASE "+name); err != nil {
		return err
	}
	if err := prepare(ctx, s.url(name)); err != nil {
		return err
	}
	if s.made == nil {
		s.made = map[string]bool{}
	}
	s.made[name] = true
	return nil
}

// Keep runs the tests of a package on one server, for its TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(postgres.Keep(m)) }
//
// Without it a server starts anew whenever none of its users is left.
func Keep(m *testing.M) int {
	shared.Lock()
	shared.users++
	shared.Unlock()
	defer release()
	return m.Run()
}

// release stops the server when its last user is gone.
func release() {
	shared.Lock()
	defer shared.Unlock()
	shared.users--
	if shared.users == 0 && shared.server != nil {
		shared.server.stop()
		shared.server = nil
	}
}

// binaries finds the folder that holds initdb and postgres.
func binaries(t testing.TB) string {
	t.Helper()
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is sound
	best, version := "", -1
	for _, path := range found {
		folder := filepath.Dir(path)
		if v, err := strconv.Atoi(filepath.Base(filepath.Dir(folder))); err == nil && v > version {
			best, version = folder, v
		}
	}
	if best == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("PostgreSQL is missing: " + install)
		}
		t.Skip("PostgreSQL is missing: " + install)
	}
	return best
}

func start(bin string) (*server, error) {
	folder, err := os.MkdirTemp("", "pg-")
	if err != nil {
		return nil, err
	}
	s := &server{folder: folder, done: make(chan struct{}), log: new(bytes.Buffer)}
	if err := s.run(bin); err != nil {
		_ = os.RemoveAll(folder)
		return nil, err
	}
	return s, nil
}

func (s *server) run(bin string) error {
	as, err := owner(s.folder)
	if err != nil {
		return err
	}
	data := filepath.Join(s.folder, "data")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"),
		"-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = as, s.folder
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}

	if s.port, err = freePort(); err != nil {
		return err
	}
	s.cmd = exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", s.folder, "-p", strconv.Itoa(s.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
		"-c", "shared_buffers=32MB", "-c", "max_connections=200", "-c", "autovacuum=off", "-c", "timezone=Pacific/Auckland")
	s.cmd.SysProcAttr, s.cmd.Dir = as, s.folder
	s.cmd.Stdout, s.cmd.Stderr = logWriter{s}, logWriter{s}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.done)
	}()
	if err := s.wait(ctx); err != nil {
		s.stop()
		return fmt.Errorf("%w\n%s", err, s.logText())
	}
	return nil
}

// owner tells who runs the server: PostgreSQL refuses to run as root, so that
// root hands the folder and the processes to the user postgres. The server
// dies with the test process, also when that is killed.
func owner(folder string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Geteuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("root can't run PostgreSQL and there is no user postgres: %s: %w", install, err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(folder, uid, gid); err != nil {
		return nil, err
	}
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)} //nolint:gosec // ids of the system
	return attr, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (s *server) url(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

func (s *server) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statement)
	return err
}

// wait asks until the server answers.
func (s *server) wait(ctx context.Context) error {
	for {
		err := s.exec(ctx, "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-s.done:
			return fmt.Errorf("the server ended: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the server by its process id and takes its folder away.
func (s *server) stop() {
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} { // fast, at once, for good
		_ = s.cmd.Process.Signal(sig)
		select {
		case <-s.done:
			_ = os.RemoveAll(s.folder)
			return
		case <-time.After(patience / 3):
		}
	}
}

type logWriter struct{ s *server }

// Write keeps the beginning of the server's log: there a failed start says why.
func (w logWriter) Write(p []byte) (int, error) {
	w.s.logMu.Lock()
	defer w.s.logMu.Unlock()
	if w.s.log.Len() < 64<<10 {
		w.s.log.Write(p)
	}
	return len(p), nil
}

func (s *server) logText() string {
	s.logMu.Lock()
	defer s.logMu.Unlock()
	return strings.TrimSpace(s.log.String())
}
