package chromium_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"badgebridge/internal/testenv/chromium"
)

func TestAPageIsShownAndItsComplaintsAreHeard(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "img-src 'none'")
		_, _ = w.Write([]byte(`<!doctype html><link rel="icon" href="data:,"><h1>Here</h1><img src="/x.png">
			<script>console.error("one", 2); setTimeout(() => { document.title = "done"; throw new Error("three"); })</script>`))
	}))
	defer srv.Close()
	ctx := chromium.Start(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(srv.URL)); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.title === "done"`)); err != nil {
		t.Fatal(err)
	}
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("h1")))
	if err != nil || text != "Here" {
		t.Fatalf("the page says %q, %v", text, err)
	}
	chromium.Screenshot(t, ctx, "chromium")
	heard := strings.Join(chromium.Problems(ctx), "\n")
	for _, want := range []string{"one 2", "Error: three", "Content Security Policy"} {
		if !strings.Contains(heard, want) {
			t.Errorf("nothing about %q in:\n%s", want, heard)
		}
	}
	if again := chromium.Problems(ctx); len(again) != 0 {
		t.Errorf("told twice: %q", again)
	}
}
