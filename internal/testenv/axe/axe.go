// Package axe runs axe-core, the accessibility checks of Deque, in the page
// that a test's browser shows. It is for tests only.
package axe

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"badgebridge/internal/testenv/packages"
)

var (
	//go:embed package.json
	packageJSON []byte
	//go:embed package-lock.json
	packageLock []byte
	//go:embed run.js
	run string
)

// Script is the text of axe.min.js in the version of the lock file.
type Script string

// Start installs axe-core, once per machine. Where it can't be had the test is
// skipped, or fails where CI=true.
func Start(t testing.TB) Script {
	t.Helper()
	dir, err := packages.NPM("axe", map[string][]byte{"package.json": packageJSON, "package-lock.json": packageLock})
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return Script(text)
}

// Check holds the page that ctx (of chromedp) shows, with the frames of its own
// origin, to the success criteria of WCAG 2.2, levels A and AA, that axe-core
// can see. It returns a line for each element that fails: the rule, what the
// rule asks, and the element's HTML, cut to 160 characters.
func (s Script) Check(ctx context.Context) ([]string, error) {
	// The debugger evaluates the script, so that a page's content security policy does not stop it.
	there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](string(s)+"\n;typeof axe === 'object'"))
	if err != nil {
		return nil, fmt.Errorf("axe-core: %w", err)
	}
	if !there {
		return nil, fmt.Errorf("axe-core: the page has not taken the script")
	}
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](run, chromedp.EvalAwaitPromise))
	if err != nil {
		return nil, fmt.Errorf("axe-core: %w", err)
	}
	return found, nil
}
