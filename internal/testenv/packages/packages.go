// Package packages installs what tests need from npm and PyPI: in the versions
// of a lock file, once per machine, into the user's cache folder. The registry
// is the one that npm and pip are configured for.
package packages

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

const limit = 5 * time.Minute

// NPM makes a folder with the given files, package.json and package-lock.json
// among them, and the packages of the lock file. No package's install script is
// run. It returns the folder; name says what it is for.
func NPM(name string, files map[string][]byte) (dir string, err error) {
	return ensure(name, files, func(ctx context.Context, dir string) error {
		npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		npm.Dir = dir
		return run(npm)
	})
}

// Venv makes a Python environment with the packages of a list of requirements,
// each of which has to be pinned: nothing that the list does not name is
// installed. It returns the path of its interpreter.
func Venv(name, requirements string) (python string, err error) {
	const list = "requirements.txt"
	dir, err := ensure(name, map[string][]byte{list: []byte(requirements)}, func(ctx context.Context, dir string) error {
		if err := run(exec.CommandContext(ctx, "python3", "-m", "venv", dir)); err != nil {
			return err
		}
		return run(exec.CommandContext(ctx, filepath.Join(dir, "bin", "python"), "-m", "pip", "install", "--quiet", "--no-deps", "-r", filepath.Join(dir, list)))
	})
	return filepath.Join(dir, "bin", "python"), err
}

func run(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	out = bytes.TrimSpace(out)
	if len(out) > 600 {
		out = append([]byte("…"), out[len(out)-600:]...)
	}
	return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, out)
}

// ensure makes a folder that is named by the digest of its files, under a lock:
// tests of several packages may ask for it at once.
func ensure(name string, files map[string][]byte, fill func(ctx context.Context, dir string) error) (dir string, err error) {
	cache, err := os.UserCacheDir() // $XDG_CACHE_HOME or ~/.cache
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, n := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(sum, "%s %d\n", n, len(files[n]))
		sum.Write(files[n])
	}
	dir = filepath.Join(cache, "badgebridge-test", name+"-"+hex.EncodeToString(sum.Sum(nil)[:6]))
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close() // releases the lock, as would the end of the process
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("lock: %w", err)
	}
	ready := filepath.Join(dir, ".ready")
	if _, err := os.Stat(ready); err == nil {
		return dir, nil
	}
	if err := os.RemoveAll(dir); err != nil { // an attempt that was cut short
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for n, content := range files {
		if err := os.WriteFile(filepath.Join(dir, n), content, 0o644); err != nil {
			return "", err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := fill(ctx, dir); err != nil {
		return "", err
	}
	return dir, os.WriteFile(ready, nil, 0o644)
}
