// Package redis gives tests a real Redis server.
package redis

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long the server may take to start or stop.
const patience = 30 * time.Second

// Server is a redis-server of one test. It keeps nothing when it stops.
type Server struct {
	// URL is where it listens, also after Stop and Start.
	URL string

	t       testing.TB
	path    string
	folder  string
	address string
	cmd     *exec.Cmd
	done    chan struct{}
}

// Start runs a redis-server on a free loopback port until t ends. Without one
// on the machine the test is skipped, or fails where CI=true.
func Start(t testing.TB) *Server {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		const missing = "redis-server is missing: apt-get install redis-server"
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, path: path, folder: t.TempDir(), address: l.Addr().String()}
	_ = l.Close()
	s.URL = "redis://" + s.address + "/0"
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// Start starts the server again after Stop, empty and at the same address.
func (s *Server) Start() {
	s.t.Helper()
	_, port, err := net.SplitHostPort(s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	log := filepath.Join(s.folder, "log")
	s.cmd = exec.Command(s.path, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
		"--dir", s.folder, "--logfile", log, "--daemonize", "no")
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("start redis-server: %v", err)
	}
	done := make(chan struct{})
	s.done = done
	go func(cmd *exec.Cmd) {
		_ = cmd.Wait()
		close(done)
	}(s.cmd)
	deadline := time.Now().Add(patience)
	for {
		err := s.ping()
		if err == nil {
			return
		}
		select {
		case <-done:
			text, _ := os.ReadFile(log)
			s.t.Fatalf("redis-server ended: %v\n%s", err, text)
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("redis-server does not answer: %v", err)
		}
	}
}

// Stop kills the server, as a crash would. Stopping twice is no error.
func (s *Server) Stop() {
	s.t.Helper()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	select {
	case <-s.done:
		s.cmd = nil
	case <-time.After(patience):
		s.t.Fatalf("redis-server (pid %s) does not end", strconv.Itoa(s.cmd.Process.Pid))
	}
}

// Freeze stops the server's process without closing its connections, as a
// network that swallows packets would; Thaw lets it go on.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatalf("signal redis-server: %v", err)
	}
}

// ping speaks the protocol by itself, so that tests of a client don't start
// with that client.
func (s *Server) ping() error {
	conn, err := net.DialTimeout("tcp", s.address, time.Second)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.HasPrefix(answer, "+PONG") {
		err = fmt.Errorf("it answers %q", answer)
	}
	return err
}
