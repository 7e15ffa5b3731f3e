// Package chromium starts a headless browser for tests of pages: Debian's own
// Chromium, with a fresh profile for each test and nothing that calls home.
package chromium

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Path is where Debian's package chromium puts the program.
const Path = "/usr/bin/chromium"

// Limit is how long one test may use its browser.
const Limit = 3 * time.Minute

// Start starts a browser with one window and returns the context that chromedp
// works in; the browser ends with the test. Where Chromium is missing the test
// is skipped, but fails where the environment says CI=true.
func Start(t testing.TB) context.Context {
	t.Helper()
	return StartFor(t, Limit)
}

// StartFor is Start for a test that needs more time than Limit.
func StartFor(t testing.TB, limit time.Duration) context.Context {
	t.Helper()
	if _, err := os.Stat(Path); err != nil {
		const how = "no " + Path + ": apt-get install --no-install-recommends chromium"
		if os.Getenv("CI") == "true" {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(Path),
		chromedp.NoSandbox, // a container's root may not make one
		chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("no-pings", true),
		chromedp.Flag("disable-features", "Translate,OptimizationHints,MediaRouter,InterestFeedContentSuggestions,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable"),
		// Names that are no address of this machine go nowhere: a page that
		// calls a stranger fails here, and on every other machine too.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]"),
		chromedp.Flag("lang", "en"),
		chromedp.WSURLReadTimeout(40*time.Second), // a busy machine
	)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	ctx, cancelAllocator := chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(cancelAllocator)
	p := new(problems)
	ctx = context.WithValue(ctx, problemsKey{}, p)
	ctx, cancelTab := chromedp.NewContext(ctx)
	// Ends the browser and waits for it, so that its folder can be deleted.
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		cancelTab()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", Path, err)
	}
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatalf("start %s: %v", Path, err)
	}
	return ctx
}

type problemsKey struct{}

// problems collects what the browser's console complains about.
type problems struct {
	mu   sync.Mutex
	list []string
}

func (p *problems) hear(ev any) {
	line := ""
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		line = "exception: " + e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			line += " " + e.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type != "error" && e.Type != "assert" {
			return
		}
		words := make([]string, 0, len(e.Args))
		for _, a := range e.Args {
			words = append(words, strings.Trim(string(a.Value), `"`)+a.Description)
		}
		line = "console: " + strings.Join(words, " ")
	case *log.EventEntryAdded:
		if e.Entry.Level != "error" {
			return
		}
		line = fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
	default:
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, line)
}

// Problems returns the errors that the console of Start's window has shown so
// far, and forgets them: exceptions, console.error, refused content, failed
// requests (those begin with "network:").
func Problems(ctx context.Context) []string {
	p, ok := ctx.Value(problemsKey{}).(*problems)
	if !ok {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.list
	p.list = nil
	return list
}

// moved are Chromium's words for a page that has changed between the moment when
// an element was found and the one when it was to be used.
var moved = []string{"Could not find node with given id", "No node with given id", "Cannot find context with specified id", "Execution context was destroyed"}

// Steady does something in a page, and does it again while Chromium answers that
// the page has changed under it, which a page that is still being loaded does.
// Nothing was pressed or written then.
func Steady(ctx context.Context, do func() error) error {
	for {
		err := do()
		if err == nil || ctx.Err() != nil || !slices.ContainsFunc(moved, func(words string) bool { return strings.Contains(err.Error(), words) }) {
			return err
		}
	}
}

// Screenshot writes the whole page as a PNG into the folder that the environment
// names in BADGEBRIDGE_SCREENSHOTS; without it nothing is written.
func Screenshot(t testing.TB, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("BADGEBRIDGE_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Errorf("screenshot %s: %v", name, err)
		return
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Errorf("screenshot %s: %v", name, err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Errorf("screenshot %s: %v", name, err)
	}
}
