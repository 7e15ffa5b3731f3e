package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"badgebridge/internal/secret"
)

const hidden = "hunter2-very-secret"

type holder struct {
	Token secret.String `json:"token" yaml:"token"`
	inner secret.String
}

func TestNoPrinterShowsASecret(t *testing.T) {
	s := secret.New(hidden)
	h := holder{Token: s, inner: s}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T", "%10s", "%U"} {
		fmt.Fprintf(&out, verb+"\n", s)
		fmt.Fprintf(&out, verb+"\n", &s)
		fmt.Fprintf(&out, verb+"\n", h)
		fmt.Fprintf(&out, verb+"\n", &h)
		fmt.Fprintf(&out, verb+"\n", []any{s, map[string]secret.String{"k": s}})
	}
	fmt.Fprintln(&out, errors.New(fmt.Sprint(s)), s)
	for _, l := range []*slog.Logger{slog.New(slog.NewTextHandler(&out, nil)), slog.New(slog.NewJSONHandler(&out, nil))} {
		l.Info("m", "s", s, "h", h, "p", &h)
	}
	b, err := json.Marshal(map[string]any{"s": s, "h": h, "list": []secret.String{s}})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	y, err := yaml.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(y)
	for _, form := range []string{hidden, fmt.Sprintf("%x", hidden), fmt.Sprintf("%X", hidden), base64.StdEncoding.EncodeToString([]byte(hidden))} {
		if strings.Contains(out.String(), form) {
			t.Fatalf("the secret is printed as %q in:\n%s", form, out.String())
		}
	}
	if !strings.Contains(string(b), `"[redacted]"`) || !strings.Contains(string(y), "[redacted]") {
		t.Fatalf("want [redacted], got %s and %s", b, y)
	}
}

func TestASecretIsReadFromJSONAndYAML(t *testing.T) {
	var a, b holder
	if err := json.Unmarshal([]byte(`{"token":"`+hidden+`"}`), &a); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte("token: "+hidden), &b); err != nil {
		t.Fatal(err)
	}
	if a.Token.Reveal() != hidden || !a.Token.Equal(b.Token) {
		t.Fatalf("got %q and %q", a.Token.Reveal(), b.Token.Reveal())
	}
	err := json.Unmarshal([]byte(`{"token":12345678}`), &a)
	if err == nil || strings.Contains(err.Error(), "12345678") {
		t.Fatalf("a wrong type must fail without showing the value, got %v", err)
	}
	var zero secret.String
	if zero.Reveal() != "" || zero.String() != "" || !zero.IsZero() {
		t.Fatal("the zero value must be the empty secret")
	}
}

func TestSealedValuesOpenOnlyInTheirPlace(t *testing.T) {
	k, err := secret.NewKeyring(bytes.Repeat([]byte{7}, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := k.SealString(secret.New(hidden), "remotes/credentials/1")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(sealed, "v1."+k.KeyID()+".") || strings.Contains(sealed, hidden) {
		t.Fatalf("unexpected form %q", sealed)
	}
	got, err := k.OpenString(sealed, "remotes/credentials/1")
	if err != nil || got.Reveal() != hidden {
		t.Fatalf("got %v, %v", got, err)
	}
	if _, err := k.Open(sealed, "remotes/credentials/2"); !errors.Is(err, secret.ErrSeal) {
		t.Fatalf("another place must not open it, got %v", err)
	}
	for _, damaged := range []string{"", "v1", "v1..", "v2" + sealed[2:], sealed[:len(sealed)-1], sealed + "A", strings.Replace(sealed, ".", "!", 2)} {
		if _, err := k.Open(damaged, "remotes/credentials/1"); err == nil {
			t.Fatalf("%q was opened", damaged)
		}
	}
	again, _ := k.SealString(secret.New(hidden), "remotes/credentials/1")
	if again == sealed {
		t.Fatal("sealing twice gave the same bytes")
	}
}

func TestARotatedKeyFileStillOpensOldValues(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "master.key")
	old, err := secret.LoadOrCreate(path)
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", st.Mode(), err)
	}
	sealed, _ := old.Seal([]byte("a"), "x")
	ring, err := secret.Rotate(path)
	if err != nil {
		t.Fatal(err)
	}
	if ring.KeyID() == old.KeyID() || !ring.Stale(sealed) {
		t.Fatal("rotation must bring a new sealing key")
	}
	if b, err := ring.Open(sealed, "x"); err != nil || string(b) != "a" {
		t.Fatalf("got %q, %v", b, err)
	}
	fresh, _ := ring.Seal([]byte("b"), "x")
	if _, err := old.Open(fresh, "x"); !errors.Is(err, secret.ErrKeyUnknown) {
		t.Fatalf("want ErrKeyUnknown, got %v", err)
	}
	reloaded, err := secret.LoadOrCreate(path)
	if err != nil || reloaded.KeyID() != ring.KeyID() {
		t.Fatalf("reloading gave another key: %v", err)
	}
}

func TestProcessesThatStartAtOnceShareOneKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	ids := make([]string, 16)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Add(1)
		go func() {
			defer wg.Done()
			k, err := secret.LoadOrCreate(path)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = k.KeyID()
		}()
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("different keys: %v", ids)
		}
	}
	left, _ := os.ReadDir(filepath.Dir(path))
	if len(left) != 1 {
		t.Fatalf("files left behind: %v", left)
	}
}

func TestABadKeyFileIsRefusedWithoutShowingIt(t *testing.T) {
	dir := t.TempDir()
	cases := map[string]struct {
		text string
		mode os.FileMode
	}{
		"open to all": {base64.StdEncoding.EncodeToString(make([]byte, 32)) + "\n", 0o644},
		"too short":   {base64.StdEncoding.EncodeToString([]byte(hidden)) + "\n", 0o600},
		"not base64":  {hidden + "\n", 0o600},
		"empty":       {"# nothing\n", 0o600},
	}
	for name, c := range cases {
		path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
		if err := os.WriteFile(path, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		_, err := secret.LoadOrCreate(path)
		if err == nil || strings.Contains(err.Error(), strings.TrimSpace(c.text)) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func ExampleString() {
	token := secret.New("s3cr3t")
	fmt.Println(token, len(token.Reveal()))
	// Output: [redacted] 6
}

func ExampleKeyring() {
	ring, _ := secret.NewKeyring(make([]byte, secret.KeySize))
	sealed, _ := ring.Seal([]byte("token"), "remotes/credentials/wp-campus")
	plain, _ := ring.Open(sealed, "remotes/credentials/wp-campus")
	fmt.Println(string(plain))
	// Output: token
}
