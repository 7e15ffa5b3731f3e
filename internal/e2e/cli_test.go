package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	simcredly "badgebridge/sandbox/credly"
)

// complaint checks that a command fails with the status and one line that holds
// the words.
func complaint(t *testing.T, env []string, code int, words []string, args ...string) {
	t.Helper()
	got, _, stderr := Run(t, env, "", args...)
	line := strings.TrimSpace(stderr)
	if got != code {
		t.Errorf("%v: status %d, want %d: %s", args, got, code, line)
	}
	last := line
	if i := strings.LastIndex(line, "\n"); i >= 0 {
		last = line[i+1:]
	}
	if !strings.HasPrefix(last, "badgebridge: ") || strings.Contains(line, "goroutine ") {
		t.Errorf("%v: not one clear line: %s", args, line)
	}
	for _, w := range words {
		if !strings.Contains(last, w) {
			t.Errorf("%v: %q lacks %q", args, last, w)
		}
	}
}

func TestEveryMistakeIsOneLineWithCauseAndCure(t *testing.T) {
	dir := t.TempDir()
	data := []string{"BADGEBRIDGE_DATA_DIR=" + dir, "BADGEBRIDGE_LISTEN=127.0.0.1:0"}
	yaml := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Run("an unknown key in the YAML", func(t *testing.T) {
		complaint(t, data, 2, []string{"base_ulr", "did you mean base_url"}, "serve", "--config", yaml("a.yaml", "base_ulr: https://x.example"))
	})
	t.Run("a configuration file that is not there", func(t *testing.T) {
		complaint(t, data, 2, []string{"does not exist", "--config"}, "serve", "--config", filepath.Join(dir, "none.yaml"))
	})
	t.Run("a port in use", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		defer l.Close()
		complaint(t, append(data, "BADGEBRIDGE_LISTEN="+l.Addr().String()), 2, []string{l.Addr().String(), "in use", "BADGEBRIDGE_LISTEN"}, "serve")
	})
	t.Run("a database that is not there", func(t *testing.T) {
		url := fmt.Sprintf("postgres://bb:geheim@127.0.0.1:%d/bb", FreePort(t))
		complaint(t, append(data, "BADGEBRIDGE_DATABASE_URL="+url), 2, []string{"database", "127.0.0.1"}, "serve")
		_, out, errs := Run(t, append(data, "BADGEBRIDGE_DATABASE_URL="+url), "", "serve")
		if strings.Contains(out+errs, "geheim") {
			t.Error("the password is printed")
		}
	})
	t.Run("a data folder that can't be written", func(t *testing.T) {
		file := yaml("a-file", "x")
		complaint(t, []string{"BADGEBRIDGE_DATA_DIR=" + filepath.Join(file, "data"), "BADGEBRIDGE_LISTEN=127.0.0.1:0"}, 2, []string{"a-file"}, "serve")
	})
	t.Run("a Redis address that is none", func(t *testing.T) {
		complaint(t, append(data, "BADGEBRIDGE_REDIS_URL=nonsense://x"), 2, []string{"redis"}, "serve")
	})
	t.Run("http as public address", func(t *testing.T) {
		complaint(t, append(data, "BADGEBRIDGE_BASE_URL=http://badges.example.org"), 2, []string{"base_url", "https://"}, "serve")
	})
	t.Run("a remote that nobody knows", func(t *testing.T) {
		complaint(t, data, 2, []string{"no remote", "nowhere"}, "sync", "nowhere")
	})
	t.Run("a command that does not exist", func(t *testing.T) {
		complaint(t, data, 2, []string{"unknown command"}, "frobnicate")
	})
	t.Run("a file that is not there", func(t *testing.T) {
		complaint(t, data, 2, []string{"no such file", "not a URL"}, "verify", filepath.Join(dir, "none.json"))
	})
}

func TestARedisThatIsNotThereStopsNothingAndIsSaidOnce(t *testing.T) {
	g := New(t, Options{Env: map[string]string{"BADGEBRIDGE_REDIS_URL": fmt.Sprintf("redis://127.0.0.1:%d", FreePort(t))}}).Start()
	Eventually(t, 20*time.Second, "readyz says what is degraded", func() error {
		code, body := get(t, g.URL+"/readyz", "")
		if code != http.StatusOK || !strings.Contains(string(body), `"degraded"`) || !strings.Contains(string(body), "Redis") {
			return fmt.Errorf("%d %s", code, body)
		}
		return nil
	})
	if n := strings.Count(g.Said(), "working without Redis"); n != 1 || !strings.Contains(g.Said(), "redis_url") {
		t.Errorf("said %d times:\n%s", n, g.Said())
	}
	if strings.Contains(g.Said(), "pool.go") {
		t.Error("the library prints on its own")
	}
}

func TestARemoteThatIsWrongSaysSoInItsOwnWords(t *testing.T) {
	sim, err := simcredly.New(simcredly.Config{})
	must(t, err)
	must(t, sim.Seed(simcredly.DemoSeed()))
	credlyServer := httptest.NewServer(sim)
	defer credlyServer.Close()
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><title>Welcome to our site</title>")
	}))
	defer html.Close()
	dir := t.TempDir()
	path := filepath.Join(dir, "badgebridge.yaml")
	must(t, os.WriteFile(path, fmt.Appendf(nil, `
remotes:
  - {name: credly, kind: credly, config: {base_url: %q, organization_id: %q, token: a-wrong-token}}
  - {name: wp, kind: wordpress, config: {rest_url: %q, site_uuid: 5e1f0000-0000-4000-8000-000000000001, home_url: %q, key_id: k, secret: a-secret-of-the-tests}}
`, credlyServer.URL+"/v1", simcredly.DemoOrg, html.URL+"/wp-json", html.URL), 0o600))
	env := []string{"BADGEBRIDGE_DATA_DIR=" + dir}
	code, out, errs := Run(t, env, "", "remotes", "check", "--json", "--config", path)
	if code != 1 {
		t.Errorf("status %d, want 1: %s", code, errs)
	}
	var lines []struct {
		Remote, Message string
		OK              bool
	}
	must(t, json.Unmarshal([]byte(out), &lines))
	if len(lines) != 2 || lines[0].OK || lines[1].OK {
		t.Fatalf("%s", out)
	}
	for i, word := range []string{"token", "web page"} {
		if !strings.Contains(lines[i].Message, word) {
			t.Errorf("%s: %q lacks %q", lines[i].Remote, lines[i].Message, word)
		}
	}
	if strings.Contains(out+errs, "a-wrong-token") || strings.Contains(out+errs, "a-secret-of") {
		t.Error("a credential is printed")
	}
	code, out, _ = Run(t, env, "", "sync", "--config", path)
	if code != 1 || !strings.Contains(out, "failed") {
		t.Errorf("status %d: %s", code, out)
	}
}

func TestVerifyTellsYesNoAndUnknownByItsStatus(t *testing.T) {
	const id = "https://badges.example.org/a/1"
	assertion := `{"@context":"https://w3id.org/openbadges/v2","type":"Assertion","id":"` + id + `","recipient":{"type":"email","hashed":false,"identity":"ada@example.org"},` +
		`"badge":"https://badges.example.org/b/1","issuedOn":"2024-01-01T00:00:00Z","verification":{"type":"HostedBadge"}}`
	class := `{"@context":"https://w3id.org/openbadges/v2","type":"BadgeClass","id":"https://badges.example.org/b/1","name":"Badge","description":"A badge.",` +
		`"image":"data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=","criteria":{"narrative":"Be there."},"issuer":"https://badges.example.org/i/1"}`
	issuer := `{"@context":"https://w3id.org/openbadges/v2","type":"Issuer","id":"https://badges.example.org/i/1","name":"Example","url":"https://badges.example.org","email":"b@example.org"}`
	resources := func(status int) string {
		doc := map[string]any{}
		for url, body := range map[string]string{id: assertion, "https://badges.example.org/b/1": class, "https://badges.example.org/i/1": issuer} {
			doc[url] = map[string]any{"status": 200, "content_type": "application/ld+json", "body": body}
		}
		doc[id].(map[string]any)["status"] = status
		b, err := json.Marshal(doc)
		must(t, err)
		path := filepath.Join(t.TempDir(), "resources.json")
		must(t, os.WriteFile(path, b, 0o600))
		return path
	}
	for _, tc := range []struct {
		status, code int
		outcome      string
		more         []string
	}{
		{200, 0, "valid", nil},
		{200, 0, "valid", []string{"--recipient", "email:ada@example.org"}},
		{200, 1, "invalid", []string{"--recipient", "email:bo@example.org"}},
		{410, 1, "invalid", nil},
		{503, 2, "unknown", nil},
	} {
		args := append([]string{"verify", id, "--json", "--resources", resources(tc.status)}, tc.more...)
		code, out, errs := Run(t, nil, "", args...)
		var r struct {
			Outcome string
			Valid   bool
			Checks  []struct{ Name, Status, Message string }
		}
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatalf("%v: %v: %s%s", args, err, out, errs)
		}
		if code != tc.code || r.Outcome != tc.outcome || r.Valid != (tc.outcome == "valid") || len(r.Checks) == 0 {
			t.Errorf("%v: status %d, %+v", args, code, r)
		}
	}
}

func TestTheSigningKeysAreListedAndReplacedOnTheCommandLine(t *testing.T) {
	env := []string{"BADGEBRIDGE_DATA_DIR=" + t.TempDir()}
	type printed struct {
		Keys []struct {
			ID, Algorithm, State string
		} `json:"keys"`
	}
	run := func(args ...string) (out printed) {
		t.Helper()
		code, text, stderr := Run(t, env, "", append(args, "--json")...)
		if code != 0 {
			t.Fatalf("%v: status %d: %s", args, code, stderr)
		}
		must(t, json.Unmarshal([]byte(text), &out))
		return out
	}
	if got := run("keys", "list"); len(got.Keys) != 0 {
		t.Errorf("before the first badge: %+v", got)
	}
	first := run("keys", "rotate")
	second := run("keys", "rotate")
	all := run("keys", "list")
	if len(first.Keys) != 1 || len(second.Keys) != 1 || len(all.Keys) != 2 || all.Keys[0].ID != second.Keys[0].ID || all.Keys[0].State != "active" || all.Keys[1].State != "retired" {
		t.Errorf("%+v, %+v, then %+v", first, second, all)
	}
}
