// Package layers holds the rule of which part may know which:
//
//	openbadges <- adapters <- sync <- auth, web <- cmd
//
// and which library lives where. docs/architecture.md explains it.
package layers_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

type pkg struct {
	ImportPath string
	Imports    []string
}

const module = "badgebridge/"

// mayKnow says, for a package by the longest matching prefix, which of our own
// packages it may import (by prefix; a trailing "!" means exactly that one).
var mayKnow = map[string][]string{
	"openbadges":       {"openbadges"},
	"adapters":         {"openbadges", "adapters!", "internal/httpx", "internal/secret"},
	"adapters/builtin": {"adapters"},
	"config":           {"internal/secret"},
	"store":            {"openbadges!", "adapters!"},
	"store/sqlstore":   {"openbadges!", "adapters!", "store!"},
	"store/storetest":  {"openbadges!", "adapters!", "store!"},
	"store/cache":      {"openbadges!", "adapters!", "store!", "internal"},
	"store/jobs":       {"store!", "store/sqlstore", "internal"},
	"sync":             {"openbadges", "adapters!", "store!", "sync", "internal/secret"},
	"auth":             {"openbadges", "adapters!", "store!", "sync", "auth", "internal"},
	"web":              {"openbadges", "adapters!", "store!", "sync", "auth", "web", "internal"},
	"internal":         {"internal", "openbadges"},
	"internal/e2e":     {""},
	// Starts a real site with our plugin in it.
	"internal/testenv/wordpress": {"wordpress", "internal/testenv/packages"},
	// Hands out copies of a migrated database.
	"internal/testenv/database": {"store/sqlstore", "internal/testenv/postgres"},
	"sandbox":                   {"sandbox"},
	"wordpress":                 {"wordpress"},
	"cmd":                       {""},
	"bench":                     {""},
	"scripts":                   {"scripts"},
	"scripts/pluginzip":         {"wordpress!"},
}

// libraries live where they are named and nowhere else.
var libraries = map[string][]string{
	"github.com/gin-gonic/gin":    {"web", "auth/login"},
	"github.com/go-resty/resty":   {"adapters", "internal/httpx"},
	"github.com/redis/go-redis":   {"store/cache"},
	"github.com/riverqueue/river": {"store/jobs"},
	"database/sql":                {"store", "internal/testenv"},
}

func TestEveryPackageKnowsOnlyWhatItMay(t *testing.T) {
	for _, p := range list(t) {
		self := strings.TrimPrefix(p.ImportPath, module)
		rule, ok := longest(mayKnow, self)
		if !ok {
			t.Errorf("%s: no rule says what it may know", self)
			continue
		}
		for _, imported := range p.Imports {
			if own, ok := strings.CutPrefix(imported, module); ok && !allowed(rule, self, own) {
				t.Errorf("%s must not know %s", self, own)
			}
			for library, homes := range libraries {
				if under(imported, library) && !underAny(self, homes) {
					t.Errorf("%s must not use %s", self, imported)
				}
			}
			if self == "openbadges" && strings.Contains(strings.Split(imported, "/")[0], ".") {
				t.Errorf("the model needs only the standard library, not %s", imported)
			}
			if imported == module+"config" && !under(self, "cmd") {
				t.Errorf("%s must not know config", self)
			}
		}
	}
}

func TestNoPackageIsADrawerForEverything(t *testing.T) {
	for _, p := range list(t) {
		switch name := filepath.Base(p.ImportPath); name {
		case "util", "utils", "common", "models", "helpers", "misc", "shared":
			t.Errorf("%s: say what it is for", p.ImportPath)
		}
	}
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func longest(rules map[string][]string, self string) (rule []string, ok bool) {
	best := -1
	for prefix, r := range rules {
		if under(self, prefix) && len(prefix) > best {
			best, rule, ok = len(prefix), r, true
		}
	}
	return rule, ok
}

func allowed(rule []string, self, own string) bool {
	if under(own, self) || under(self, own) && own != "adapters" && own != "store" {
		return true
	}
	for _, r := range rule {
		if exact, ok := strings.CutSuffix(r, "!"); ok {
			if own == exact {
				return true
			}
		} else if r == "" || under(own, r) {
			return true
		}
	}
	return false
}

func under(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, strings.TrimSuffix(prefix, "/")+"/")
}

func underAny(path string, prefixes []string) bool {
	for _, p := range prefixes {
		if under(path, p) {
			return true
		}
	}
	return false
}
