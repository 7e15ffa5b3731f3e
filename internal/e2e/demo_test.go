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
	"badgebridge/sandbox/demo"
)

// visit is a person at a browser.
type visit struct {
	t   *testing.T
	ctx context.Context
	g   *Gateway
}

type step = chromedp.Action[chromedp.Void]

func (v visit) do(steps ...step) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, 40*time.Second)
	defer cancel()
	if err := chromium.Steady(ctx, func() error { return chromedp.Do(ctx, steps...) }); err != nil {
		url, _ := chromedp.Run(v.ctx, chromedp.Location())
		v.t.Fatalf("at %s: %v\n%s", url, err, v.text())
	}
}

func (v visit) open(path string) {
	v.t.Helper()
	v.settled()
	// A redirect that is still under way ends a navigation; the next one stands.
	Eventually(v.t, 20*time.Second, "the browser opens "+path, func() error {
		return chromedp.Do(v.ctx, chromedp.Navigate(v.g.URL+path))
	})
	v.settled()
}

// press clicks the first button or link whose words begin with these.
func (v visit) press(words string) {
	v.t.Helper()
	find := chromedp.Search(fmt.Sprintf(`//*[self::a or self::button][starts-with(normalize-space(.), %q)]`, words))
	v.do(chromedp.WaitVisible(find), chromedp.Click(find))
}

func (v visit) click(sel string) {
	v.t.Helper()
	v.do(chromedp.WaitVisible(chromedp.CSS(sel)), chromedp.Click(chromedp.CSS(sel)))
}

// waits until the page shows the element.
func (v visit) waits(sel string) {
	v.t.Helper()
	v.do(chromedp.WaitVisible(chromedp.CSS(sel)))
}

func (v visit) attribute(sel, name string) string {
	v.t.Helper()
	v.do(chromedp.WaitReady(chromedp.CSS(sel)))
	return v.eval(fmt.Sprintf(`document.querySelector(%q).getAttribute(%q) || ""`, sel, name))
}

func (v visit) eval(js string) string {
	v.t.Helper()
	var got string
	if err := chromium.Steady(v.ctx, func() (err error) {
		got, err = chromedp.Run(v.ctx, chromedp.Evaluate[string](js))
		return err
	}); err != nil {
		v.t.Fatalf("%s: %v", js, err)
	}
	return got
}

// text is what the page says.
func (v visit) text() string { return v.eval(`document.body ? document.body.innerText : ""`) }

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
	v.press("Continue with Example Association")
	v.press("Sign in as " + name)
	// The site has a button of the same kind, so it is the gateway's that counts.
	Eventually(v.t, 40*time.Second, name+" is signed in", func() error {
		if v.eval(fmt.Sprintf(`String(location.origin === %q && document.querySelector('form[action="/logout"]') !== null)`, v.g.URL)) != "true" {
			return fmt.Errorf("not signed in, at %s", v.eval("location.href"))
		}
		return nil
	})
	v.settled()
}

// settled waits until the browser has loaded what it is loading.
func (v visit) settled() {
	v.t.Helper()
	Eventually(v.t, 20*time.Second, "the page is loaded", func() error {
		if state, err := chromedp.Run(v.ctx, chromedp.Evaluate[string](`document.readyState`)); err != nil || state != "complete" {
			return fmt.Errorf("it is %s: %w", state, err)
		}
		return nil
	})
}

// signOut leaves the gateway, and the site too.
func (v visit) signOut() {
	v.t.Helper()
	v.open("/me")
	v.waits(`form[action="/logout"]`)
	v.eval(`(document.querySelector('form[action="/logout"]').requestSubmit(), "")`)
	Eventually(v.t, 20*time.Second, "signed out", func() error {
		if v.eval(`String(document.querySelector('form[action="/logout"]') === null && document.readyState === "complete")`) != "true" {
			return fmt.Errorf("still signed in")
		}
		return nil
	})
}

// shot takes the page at desktop and phone width, light and dark, when
// BADGEBRIDGE_SCREENSHOTS asks for it.
func (v visit) shot(name string) {
	v.t.Helper()
	if os.Getenv("BADGEBRIDGE_SCREENSHOTS") == "" {
		return
	}
	media := func(scheme string) {
		_, err := chromedp.Call(v.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		must(v.t, err)
	}
	for _, width := range []int64{390, 1440} {
		for _, scheme := range []string{"dark", "light"} {
			media(scheme)
			v.do(chromedp.EmulateViewport(width, 900))
			chromium.Screenshot(v.t, v.ctx, fmt.Sprintf("%s-%d-%s", name, width, scheme))
		}
	}
}

func TestTheDemoPlaysTheWholeStory(t *testing.T) {
	port := FreePort(t)
	g := New(t, Options{Demo: true, Port: port}).Start()
	limit := chromium.Limit
	if os.Getenv("BADGEBRIDGE_SCREENSHOTS") != "" {
		limit = 15 * time.Minute
	}
	ctx := chromium.StartFor(t, limit)
	v := visit{t, ctx, g}
	Eventually(t, 30*time.Second, "the demo is ready", func() error {
		if !strings.Contains(g.Said(), "Sign in: choose") {
			return fmt.Errorf("not yet")
		}
		return nil
	})

	v.open("/")
	v.shot("start")
	// What she shows is there before anybody signs in, and what she keeps to herself is not.
	v.open("/p/" + demo.Handle)
	v.sees(false, "Research that others can use", "Statistics in Practice", "Mentor")
	for _, kept := range []string{"Fit for the field", "First Aid", "Laboratory Safety", "Project Lead"} {
		if strings.Contains(v.text(), kept) {
			t.Errorf("the public profile shows %q", kept)
		}
	}
	v.press("Research that others can use")
	v.sees(false, "error bars", "Two people, two years")
	v.press("Statistics in Practice")
	v.sees(false, "Genuine", demo.College, "harbour tides")

	v.signIn("Ada Example")
	v.sees(false, "Waiting for you", "Open Practice", "Expires in 25 days", "Expired", "Revoked by issuer", "Source gone", "was taken back")
	v.shot("badges")
	for _, there := range []string{"Revoked by issuer", "Source gone"} {
		v.open(v.eval(fmt.Sprintf(`[...document.querySelectorAll(".wall li")].find(e => e.innerText.includes(%q)).querySelector("a").getAttribute("href").replace("/badges/", "/b/")`, there)))
		v.sees(false, map[string]string{"Revoked by issuer": demo.RevokedReason, "Source gone": "Its source does not answer any more"}[there])
		v.open("/")
	}
	// The newest offer comes first.
	badge := v.attribute(`.offer form[action$="/claim"]`, "action")
	badge = strings.TrimSuffix(strings.TrimPrefix(badge, "/badges/"), "/claim")
	v.click(fmt.Sprintf(`form[action="/badges/%s/claim"] button`, badge))
	v.waits(`#visibility`)
	v.open("/badges/" + badge)
	v.shot("badge")

	// Private at first: nobody else sees the page.
	if code, _ := get(t, g.URL+"/b/"+badge, ""); code != http.StatusNotFound {
		t.Errorf("the page of a private badge answered %d to a stranger", code)
	}
	v.click(`#visibility input[value="link"]`)
	v.click(`#visibility button`)
	v.waits(`#link`)
	v.open("/badges/" + badge)
	v.sees(true, "Credly")
	v.signOut()
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
	v.open("/admin/badges")
	v.sees(false, "Secure Coding")
	if strings.Contains(v.text(), "Summer School") {
		t.Error("the admin sees what a member brought")
	}
	v.open("/admin/mappings")
	v.sees(false, "Open Practice")
	v.shot("admin-mappings")
	v.open("/admin/runs")
	v.shot("admin-runs")
	v.open("/admin/pushes")
	v.sees(true, "Open Practice", "Ada Example", "Bo")
	v.shot("admin-pushes")
	v.open(v.eval(`[...document.querySelectorAll('a[href^="/admin/pushes/"]')].find(a => a.closest("tr, li").innerText.includes("Ada")).getAttribute("href")`))
	v.sees(true, "Where it lives")
	v.shot("admin-push")
	v.signOut()

	// Bo's badge waits for a family name; with it the push goes.
	v.signIn("Bo")
	v.sees(false, "Open Practice")
	mine := v.attribute(`.wall a[href^="/badges/"]`, "href")
	v.open(mine)
	v.sees(false, "name")
	v.shot("badge-name")
	v.eval(`(document.querySelector('#name input[name^="family"]').value = "Example")`)
	v.eval(`(document.querySelector('#name input[name^="given"]').value = "Bo")`)
	v.click(`#name form button`)
	Eventually(t, 40*time.Second, "Credly has Bo's badge", func() error {
		_, body := get(t, fmt.Sprintf("http://localhost:%d/__sim/badges", port+2), "")
		if !strings.Contains(string(body), "bo@example.org") {
			return fmt.Errorf("not yet: %s", body)
		}
		return nil
	})
	v.open(mine)
	v.shot("badge-sent")
	v.signOut()
	v.gallery()
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
