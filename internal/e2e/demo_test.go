package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"badgebridge/internal/testenv/chromium"
	"badgebridge/openbadges/bake"
)

// visit is a person at a browser.
type visit struct {
	t   *testing.T
	ctx context.Context
	g   *Gateway
}

func (v visit) do(actions ...chromedp.Action) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, 40*time.Second)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		var url, text string
		_ = chromedp.Run(v.ctx, chromedp.Location(&url), chromedp.Evaluate(`document.body.innerText`, &text))
		v.t.Fatalf("at %s: %v\n%s", url, err, text)
	}
}

func (v visit) open(path string) {
	v.t.Helper()
	v.do(chromedp.Navigate(v.g.URL + path))
}

// press clicks the first button or link that bears exactly these words.
func (v visit) press(words string) {
	v.t.Helper()
	find := fmt.Sprintf(`//*[self::a or self::button][normalize-space(.)=%q or starts-with(normalize-space(.), %q)]`, words, words)
	v.do(chromedp.WaitVisible(find, chromedp.BySearch), chromedp.Click(find, chromedp.BySearch))
}

// text is what the page says.
func (v visit) text() string {
	v.t.Helper()
	var text string
	v.do(chromedp.Evaluate(`document.body.innerText`, &text))
	return text
}

// sees waits until the page says all of the words; it asks for the page anew
// when reload is set.
func (v visit) sees(reload bool, words ...string) {
	v.t.Helper()
	Eventually(v.t, 40*time.Second, "the page says "+strings.Join(words, ", "), func() error {
		text := v.text()
		for _, w := range words {
			if !strings.Contains(text, w) {
				if reload {
					v.do(chromedp.Reload())
				}
				return fmt.Errorf("no %q in:\n%s", w, text)
			}
		}
		return nil
	})
}

func (v visit) signIn(name string) {
	v.t.Helper()
	v.open("/login")
	v.press("Sign in with Example Association")
	v.press("Sign in as " + name)
	v.do(chromedp.WaitVisible(`.avatar, form[action="/logout"]`, chromedp.ByQuery))
}

// shot takes the page at desktop and phone width, light and dark, when
// BADGEBRIDGE_SCREENSHOTS asks for it.
func (v visit) shot(name string) {
	v.t.Helper()
	if os.Getenv("BADGEBRIDGE_SCREENSHOTS") == "" {
		return
	}
	for _, width := range []int64{1440, 390} {
		for _, scheme := range []string{"light", "dark"} {
			v.do(chromedp.EmulateViewport(width, 900), emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
			chromium.Screenshot(v.t, v.ctx, fmt.Sprintf("%s-%d-%s", name, width, scheme))
		}
	}
	v.do(chromedp.EmulateViewport(1440, 900), emulation.SetEmulatedMedia())
}

func TestTheDemoPlaysTheWholeStory(t *testing.T) {
	port := FreePort(t)
	g := New(t, Options{Demo: true, Port: port}).Start()
	ctx := chromium.Start(t)
	v := visit{t, ctx, g}
	Eventually(t, 30*time.Second, "the demo is ready", func() error {
		if !strings.Contains(g.Said(), "Sign in with") {
			return fmt.Errorf("not yet")
		}
		return nil
	})

	v.open("/")
	v.shot("start")
	v.signIn("Ada Example")
	v.sees(false, "Waiting for you", "Open Practice")
	v.shot("badges")
	// The newest offer comes first.
	var badge string
	v.do(chromedp.AttributeValue(`.offer form[action$="/claim"]`, "action", &badge, nil, chromedp.ByQuery))
	badge = strings.TrimSuffix(strings.TrimPrefix(badge, "/badges/"), "/claim")
	v.do(chromedp.Click(fmt.Sprintf(`form[action="/badges/%s/claim"] button`, badge), chromedp.ByQuery))
	v.do(chromedp.WaitVisible(`#visibility`, chromedp.ByQuery))
	v.open("/badges/" + badge)
	v.shot("badge")

	// Private at first: nobody else sees the page.
	if code, _ := get(t, g.URL+"/b/"+badge, ""); code != http.StatusNotFound {
		t.Errorf("the page of a private badge answered %d to a stranger", code)
	}
	v.do(chromedp.Click(`input[name="visibility"][value="link"]`, chromedp.ByQuery), chromedp.Submit(`#visibility form`, chromedp.ByQuery))
	v.do(chromedp.WaitVisible(`#link`, chromedp.ByQuery))
	v.open("/badges/" + badge)
	v.sees(true, "Credly")
	v.do(chromedp.Submit(`form[action="/logout"]`, chromedp.ByQuery))
	v.open("/b/" + badge)
	v.sees(false, "Open Practice", "Genuine")
	v.shot("public")

	code, baked := get(t, g.URL+"/b/"+badge+"/baked.png", "")
	if code != http.StatusOK {
		t.Fatalf("the baked image answered %d", code)
	}
	if _, err := png.Decode(bytes.NewReader(baked)); err != nil {
		t.Errorf("the baked image is no PNG: %v", err)
	}
	payload, err := bake.UnbakePNG(baked)
	must(t, err)
	var assertion struct{ ID string }
	must(t, json.Unmarshal(payload.Text, &assertion))
	if !strings.HasPrefix(assertion.ID, g.URL+"/ob/v2/assertions/") {
		t.Errorf("the image carries %s", assertion.ID)
	}
	path := filepath.Join(t.TempDir(), "baked.png")
	must(t, os.WriteFile(path, baked, 0o600))
	if status, out, errs := Run(t, nil, "", "verify", assertion.ID, "--recipient", "email:ada@example.org"); status != 0 {
		t.Errorf("verify says %d: %s%s", status, out, errs)
	}

	// The admin sees both remotes, the mappings, the runs and the pushes.
	v.signIn("Grace Admin Example")
	v.open("/admin")
	v.sees(false, "Overview")
	v.shot("admin-overview")
	v.open("/admin/remotes")
	v.sees(false, "Example Association (simulated site)", "Credly (simulated)")
	v.shot("admin-remotes")
	if text := v.text(); strings.Contains(text, "not answering") {
		t.Errorf("a remote is not well:\n%s", text)
	}
	v.open("/admin/mappings")
	v.sees(false, "Open Practice")
	v.shot("admin-mappings")
	v.open("/admin/runs")
	v.shot("admin-runs")
	v.open("/admin/pushes")
	v.sees(true, "Open Practice", "Ada Example", "Bo")
	v.shot("admin-pushes")
	var push string
	v.do(chromedp.AttributeValue(`//a[starts-with(@href, "/admin/pushes/")][ancestor::tr[contains(., "Ada")] or ancestor::li[contains(., "Ada")]]`, "href", &push, nil, chromedp.BySearch))
	v.open(push)
	v.sees(true, "Where it lives")
	v.shot("admin-push")
	v.do(chromedp.Submit(`form[action="/logout"]`, chromedp.ByQuery))

	// Bo's badge waits for a family name; with it the push goes.
	v.signIn("Bo")
	v.sees(false, "Open Practice")
	var mine string
	v.do(chromedp.AttributeValue(`.wall a[href^="/badges/"]`, "href", &mine, nil, chromedp.ByQuery))
	v.open(mine)
	v.sees(false, "name")
	v.shot("badge-name")
	v.do(
		chromedp.SetValue(`#name input[name="given"], #name input[name="given_name"]`, "Bo", chromedp.ByQuery),
		chromedp.SetValue(`#name input[name="family"], #name input[name="family_name"]`, "Example", chromedp.ByQuery),
		chromedp.Submit(`#name form`, chromedp.ByQuery),
	)
	Eventually(t, 40*time.Second, "Credly has Bo's badge", func() error {
		_, body := get(t, fmt.Sprintf("http://localhost:%d/__sim/badges", port+2), "")
		if !strings.Contains(string(body), "bo@example.org") {
			return fmt.Errorf("not yet: %s", body)
		}
		return nil
	})
	v.open(mine)
	v.shot("badge-sent")
	for _, p := range chromium.Problems(ctx) {
		if !strings.HasPrefix(p, "network:") {
			t.Errorf("the console says: %s", p)
		}
	}
}

func get(t testing.TB, url, accept string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	must(t, err)
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(t, err)
	return res.StatusCode, body
}
