package axe_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"badgebridge/internal/testenv/axe"
	"badgebridge/internal/testenv/chromium"
)

func TestAPageThatKeepsPeopleOutIsToldOfInSpiteOfItsPolicy(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'")
		page := `<!doctype html><html lang="en"><title>Page</title><link rel="icon" href="data:,"><main><h1>Page</h1><label>Name <input style="height:44px"></label></main>`
		if r.URL.Path == "/bad" {
			page += `<input id="bare" style="height:44px" value="` + strings.Repeat("x", 200) + `"><p style="color:#999;background:#fff">Pale</p>`
		}
		_, _ = w.Write([]byte(page))
	}))
	defer srv.Close()
	ctx, rules := chromium.Start(t), axe.Start(t)
	check := func(path string) []string {
		t.Helper()
		if err := chromedp.Do(ctx, chromedp.Navigate(srv.URL+path)); err != nil {
			t.Fatal(err)
		}
		found, err := rules.Check(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := check("/good"); len(found) != 0 {
		t.Errorf("a good page: %q", found)
	}
	found := check("/bad")
	all := strings.Join(found, "\n")
	if len(found) != 2 || !strings.Contains(all, `label: Form elements must have labels: <input id="bare" `) || !strings.Contains(all, "color-contrast: ") || strings.Contains(all, strings.Repeat("x", 160)) {
		t.Errorf("a bad page:\n%s", all)
	}
}
