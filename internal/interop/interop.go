// Package interop asks other people's Open Badges libraries what they think of
// our documents, and has them write documents for ours to read. It is for tests
// only.
//
// Node runs those of Digital Bazaar, of the Digital Credentials Consortium, and
// jose; Python runs openbadgeslib. (1EdTech's validator is in internal/pyvalidator.)
// They are installed once per machine, in the versions of node/package-lock.json and
// python/requirements.txt, and see no network.
package interop

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"badgebridge/internal/testenv/packages"
)

var (
	//go:embed node/package.json
	packageJSON []byte
	//go:embed node/package-lock.json
	packageLock []byte
	//go:embed node/runner.mjs
	nodeRunner []byte
	//go:embed python/requirements.txt
	requirements string
	//go:embed python/runner.py
	pythonRunner string
)

// Process is a running interpreter with libraries. It takes one request at a
// time.
type Process struct {
	mu  sync.Mutex
	in  io.WriteCloser
	out *bufio.Reader
}

// Refused is what a library says of a document that it does not take.
type Refused struct{ Why string }

func (r *Refused) Error() string { return r.Why }

// Node starts the JavaScript libraries. Where they can't be had the test is
// skipped, or fails where CI=true.
func Node(t testing.TB) *Process {
	t.Helper()
	dir, err := packages.NPM("credentials", map[string][]byte{"package.json": packageJSON, "package-lock.json": packageLock})
	if err != nil {
		absent(t, err)
	}
	// The script is not part of what is installed, so that changing it costs nothing.
	script := filepath.Join(dir, fmt.Sprintf("runner-%d.mjs", os.Getpid()))
	if err := os.WriteFile(script, nodeRunner, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(script) })
	cmd := exec.CommandContext(context.Background(), "node", "--no-warnings", script)
	cmd.Dir = dir
	return start(t, cmd)
}

// Python starts openbadgeslib. Otherwise it is as Node.
func Python(t testing.TB) *Process {
	t.Helper()
	python, err := packages.Venv("openbadgeslib", requirements)
	if err != nil {
		absent(t, err)
	}
	return start(t, exec.CommandContext(context.Background(), python, "-W", "ignore", "-c", pythonRunner))
}

func absent(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	t.Skipf("can't be installed here: %v", err)
}

func start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // it ends by itself
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v: %s", filepath.Base(cmd.Path), err, stderr.String())
		}
	})
	return &Process{in: in, out: bufio.NewReader(out)}
}

// Do runs an operation of the runner script and reads its answer into result,
// which may be nil. A *Refused is the library's own word.
func (p *Process) Do(op string, request map[string]any, result any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	message := map[string]any{"op": op}
	for k, v := range request {
		message[k] = v
	}
	line, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return err
	}
	answer, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("%s: no answer: %w", op, err)
	}
	var a struct {
		Result json.RawMessage `json:"result"`
		Error  *string         `json:"error"`
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return err
	}
	switch {
	case a.Error != nil:
		return &Refused{*a.Error}
	case result == nil:
		return nil
	case len(a.Result) == 0:
		return errors.New("an empty answer")
	}
	return json.Unmarshal(a.Result, result)
}
