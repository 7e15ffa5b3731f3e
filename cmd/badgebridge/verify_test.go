package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// spaces never ends.
type spaces struct{ read int64 }

func (s *spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	s.read += int64(len(p))
	return len(p), nil
}

func call(t *testing.T, in io.Reader, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(context.Background(), args, in, &o, &e, nil)
	return code, o.String(), e.String()
}

func TestVerifyReadsOnlySoMuch(t *testing.T) {
	in := &spaces{}
	code, _, errs := call(t, in, "verify", "-")
	if code != 2 || !strings.Contains(errs, "longer than") || in.read > 2*maxInput {
		t.Errorf("standard input without an end: %d %q after %d bytes", code, errs, in.read)
	}
	large := filepath.Join(t.TempDir(), "large.json")
	f, err := os.Create(large)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(100 << 20); err != nil { // takes no space
		t.Fatal(err)
	}
	f.Close()
	if code, _, errs := call(t, nil, "verify", large); code != 2 || !strings.Contains(errs, "longer than") {
		t.Errorf("a file of 100 MB: %d %q", code, errs)
	}
}

func TestVerifyAnswersOnTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	const site = "https://badges.example.org"
	docs := map[string]any{
		site + "/a":     `{"@context":"https://w3id.org/openbadges/v2","type":"Assertion","id":"` + site + `/a","recipient":{"type":"email","hashed":false,"identity":"ada@example.org"},"badge":"` + site + `/b","issuedOn":"2020-01-01T00:00:00Z","verification":{"type":"HostedBadge"}}`,
		site + "/b":     `{"@context":"https://w3id.org/openbadges/v2","type":"BadgeClass","id":"` + site + `/b","name":"N","description":"D","image":"` + site + `/i.svg","criteria":{"narrative":"C"},"issuer":"` + site + `/o"}`,
		site + "/o":     `{"@context":"https://w3id.org/openbadges/v2","type":"Profile","id":"` + site + `/o","name":"O","url":"https://example.org","email":"o@example.org"}`,
		site + "/i.svg": `<svg xmlns="http://www.w3.org/2000/svg"/>`,
		site + "/page":  `<!doctype html><link rel="alternate" type="application/ld+json" href="/a">`,
	}
	resources := map[string]any{}
	for u, body := range docs {
		resources[u] = map[string]any{"status": 200, "body": body}
	}
	resources[site+"/old"] = map[string]any{"status": 301, "headers": map[string]string{"Location": "/a"}}
	raw, err := json.Marshal(resources)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "resources.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"an address":             {[]string{site + "/a"}, 0, `"outcome": "valid"`},
		"a page":                 {[]string{site + "/page"}, 0, `"subject": "` + site + `/a"`},
		"a redirect":             {[]string{site + "/old"}, 0, `"outcome": "valid"`},
		"one of two recipients":  {[]string{site + "/a", "--recipient", "email:x@example.org", "--recipient", "mailto:ada@example.org"}, 0, `"matched": true`},
		"somebody else":          {[]string{site + "/a", "--recipient", "email:x@example.org"}, 1, `"matched": false`},
		"a DID":                  {[]string{site + "/a", "--recipient", "did:example:1"}, 1, `"matched": false`},
		"before it was issued":   {[]string{site + "/a", "--at", "2019-01-01T00:00:00Z"}, 1, `"outcome": "invalid"`},
		"what is not there":      {[]string{site + "/none"}, 2, `"outcome": "unknown"`},
		"a recipient in no form": {[]string{site + "/a", "--recipient", "ada"}, 2, ``},
	} {
		code, out, errs := call(t, nil, append([]string{"verify", "--json", "--resources", file}, c.args...)...)
		if code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%s: %d %s %s", name, code, errs, out)
		}
	}
}
