// Package pyvalidator runs 1EdTech's own Open Badges validator (the Python
// package openbadges 1.1.2) on documents that tests serve, as a second opinion
// that this project did not write. It is for tests only.
//
// The validator is installed once per machine into a cache folder outside the
// repository. It sees no network: contexts come from its own package, named hosts
// are led to a local server.
package pyvalidator

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

//go:embed runner.py
var runner string

//go:embed bakery.py
var bakery string

//go:embed requirements.txt
var requirements string

// Validator is an installed validator. It is safe for concurrent use.
type Validator struct{ python string }

// Message is one remark of the validator.
type Message struct {
	Name    string `json:"name"`         // its task, for example VERIFY_RECIPIENT_IDENTIFIER
	Level   string `json:"messageLevel"` // ERROR, WARNING, INFO
	Result  string `json:"result"`
	NodeID  string `json:"node_id"`
	Success bool   `json:"success"`
}

// Result is the validator's verdict.
type Result struct {
	Valid    bool      `json:"valid"`
	Version  string    `json:"openBadgesVersion"`
	Messages []Message `json:"messages"`
	// MedianSeconds is there after Time.
	MedianSeconds float64 `json:"medianSeconds"`
}

// Errors gives the messages that made the verdict, one a line.
func (r Result) Errors() string {
	var b strings.Builder
	for _, m := range r.Messages {
		if m.Level == "ERROR" {
			fmt.Fprintf(&b, "%s: %s\n", m.Name, m.Result)
		}
	}
	return b.String()
}

// Ensure returns the validator and installs it first where that was not done on
// this machine (a minute, once). Without Python or without a package index the
// test is skipped, or fails where CI=true.
func Ensure(t testing.TB) *Validator {
	t.Helper()
	v, err := install()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("1EdTech's validator: %v", err)
		}
		t.Skipf("1EdTech's validator can't be installed here: %v", err)
	}
	return v
}

// install makes the environment under a lock, so that tests of several packages
// may ask for it at once.
func install() (*Validator, error) {
	cache, err := os.UserCacheDir() // $XDG_CACHE_HOME or ~/.cache
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(requirements))
	dir := filepath.Join(cache, "badgebridge", "pyvalidator", hex.EncodeToString(sum[:6]))
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	defer lock.Close() // releases the lock, as would the end of the process
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	v := &Validator{python: filepath.Join(dir, "bin", "python")}
	ready := filepath.Join(dir, "ready")
	if _, err := os.Stat(ready); err == nil {
		return v, nil
	}
	if err := os.RemoveAll(dir); err != nil { // an attempt that was cut short
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "python3", "-m", "venv", dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("python3 -m venv: %w: %s", err, tail(out))
	}
	list := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(list, []byte(requirements), 0o644); err != nil {
		return nil, err
	}
	pip := exec.CommandContext(ctx, v.python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", list)
	if out, err := pip.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("pip install: %w: %s", err, tail(out))
	}
	return v, os.WriteFile(ready, nil, 0o644)
}

func tail(out []byte) string {
	s := strings.TrimSpace(string(out))
	if len(s) > 600 {
		s = "…" + s[len(s)-600:]
	}
	return s
}

// Verify asks the validator about input: a URL, the JSON of a document, or a
// compact JWS. recipientEmail may be "". hosts leads the hosts of https and http
// addresses to a local server: {"badges.example.test": "http://127.0.0.1:8081"}.
// Addresses on loopback are fetched as they are; all others are unreachable.
// The error is about running it; a badge that is not valid is no error.
func (v *Validator) Verify(ctx context.Context, input, recipientEmail string, hosts map[string]string) (Result, error) {
	req := map[string]any{"input": input, "hosts": hosts}
	if recipientEmail != "" {
		req["recipient"] = map[string]any{"email": recipientEmail}
	}
	return v.run(ctx, req)
}

// VerifyOffline is Verify over resources in memory, in the form of "badgebridge
// verify --resources": a JSON object of URL -> {status, content_type, body |
// body_base64}.
func (v *Validator) VerifyOffline(ctx context.Context, input, recipientEmail string, resources json.RawMessage) (Result, error) {
	req := map[string]any{"input": input, "resources": resources}
	if recipientEmail != "" {
		req["recipient"] = map[string]any{"email": recipientEmail}
	}
	return v.run(ctx, req)
}

// Time verifies offline, repeat times after a first time, in one process, and
// gives the median with the verdict: what the validator itself takes, without the
// start of Python and without any network.
func (v *Validator) Time(ctx context.Context, input, recipientEmail string, resources json.RawMessage, repeat int) (time.Duration, Result, error) {
	res, err := v.run(ctx, map[string]any{
		"input": input, "resources": resources, "recipient": map[string]any{"email": recipientEmail}, "repeat": repeat,
	})
	return time.Duration(res.MedianSeconds * float64(time.Second)), res, err
}

func (v *Validator) run(ctx context.Context, request map[string]any) (Result, error) {
	var res Result
	err := v.script(ctx, runner, request, &res)
	return res, err
}

// Bake writes text into a picture with openbadges-bakery.
func (v *Validator) Bake(ctx context.Context, image []byte, text string) ([]byte, error) {
	var out struct {
		Image []byte `json:"image"`
	}
	err := v.script(ctx, bakery, map[string]any{"op": "bake", "image": image, "text": text}, &out)
	return out.Image, err
}

// Unbake reads what is baked into a picture with openbadges-bakery.
func (v *Validator) Unbake(ctx context.Context, image []byte) (string, error) {
	var out struct {
		Text string `json:"text"`
	}
	err := v.script(ctx, bakery, map[string]any{"op": "unbake", "image": image}, &out)
	return out.Text, err
}

// script runs one of the scripts on a request and reads its answer.
func (v *Validator) script(ctx context.Context, script string, request, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	in, err := json.Marshal(request)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, v.python, "-W", "ignore", "-c", script)
	cmd.Stdin = bytes.NewReader(in)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run the validator: %w: %s", err, tail(errs.Bytes()))
	}
	if err := json.Unmarshal(out.Bytes(), answer); err != nil {
		return fmt.Errorf("read the validator's answer: %w: %s", err, tail(out.Bytes()))
	}
	return nil
}
