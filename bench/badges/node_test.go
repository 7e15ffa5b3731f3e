package badges_test

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"badgebridge/openbadges/jsonld"
)

//go:embed node/package.json
var packageJSON []byte

//go:embed node/package-lock.json
var packageLock []byte

//go:embed node/run.mjs
var script []byte

// seconds are the medians for one credential.
type seconds struct{ Issue, Verify float64 }

// runNode issues and verifies the credentials with Digital Bazaar's libraries. Where
// node or npm is missing, or the packages can't be had, the benchmark is skipped.
func runNode(b *testing.B, all map[string][]byte) map[string]seconds {
	b.Helper()
	dir, err := install()
	if err != nil {
		b.Skipf("Digital Bazaar's libraries can't be installed here: %v", err)
	}
	p := jsonld.New(jsonld.Config{})
	contexts := map[string]any{}
	for _, url := range []string{
		"https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json", "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
		"https://w3id.org/security/multikey/v1", "https://www.w3.org/ns/did/v1",
	} {
		if contexts[url], err = p.Context(url); err != nil {
			b.Fatal(err)
		}
	}
	documents := map[string]json.RawMessage{}
	for name, raw := range all {
		documents[name] = raw
	}
	in, err := json.Marshal(map[string]any{"contexts": contexts, "credentials": documents, "rounds": 60})
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), "node", "run.mjs")
	cmd.Dir, cmd.Stdin, cmd.Stderr = dir, bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("node: %v", err)
	}
	var times map[string]seconds
	if err := json.Unmarshal(out, &times); err != nil {
		b.Fatal(err)
	}
	return times
}

// install puts the packages of the lock file into the user's cache folder, once.
func install() (dir string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(bytes.Join([][]byte{packageJSON, packageLock, script}, nil))
	dir = filepath.Join(cache, "badgebridge", "bench-credentials", hex.EncodeToString(sum[:6]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close() // releases the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("lock: %w", err)
	}
	ready := filepath.Join(dir, "ready")
	if _, err := os.Stat(ready); err == nil {
		return dir, nil
	}
	for name, content := range map[string][]byte{"package.json": packageJSON, "package-lock.json": packageLock, "run.mjs": script} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return "", err
		}
	}
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w: %.600s", err, out)
	}
	return dir, os.WriteFile(ready, nil, 0o644)
}
