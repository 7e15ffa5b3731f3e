package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"badgebridge/internal/testenv/axe"
	"badgebridge/internal/testenv/chromium"
)

// inspector looks at pages in a browser, on a phone by day and on a wide screen
// by night, for what would keep people out.
type inspector struct {
	w     *world
	ctx   context.Context
	rules axe.Script
	kind  string // begins the names of its pictures
	seen  int    // pages
	load  *weigher
}

func (w *world) inspector(t *testing.T, kind string) *inspector {
	t.Helper()
	i := &inspector{w: w, ctx: chromium.StartFor(t, 12*time.Minute), rules: axe.Start(t), kind: kind, load: &weigher{base: w.server.URL}}
	i.load.start(t, i.ctx)
	// A page that looks again by itself stays while it is inspected.
	_, err := chromedp.Call(i.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: "window.setInterval = () => 0"})
	must(t, err)
	t.Cleanup(func() {
		t.Logf("%d pages looked at; the heaviest has %.1f kB without its pictures: %s", i.seen, float64(i.load.most)/1000, i.load.mostOf)
	})
	return i
}

// picturesThere says whether the pictures in view came, or can't: those that are
// loaded late come after the page's own end.
const picturesThere = `[...document.images].every((e) => e.complete || !e.getClientRects().length || e.getBoundingClientRect().top >= innerHeight)`

// do is a call of the browser's that has to go well.
func (i *inspector) do(actions ...chromedp.Action[chromedp.Void]) {
	i.w.t.Helper()
	must(i.w.t, chromium.Steady(i.ctx, func() error { return chromedp.Do(i.ctx, actions...) }))
}

// as has the window be who's browser.
func (i *inspector) as(who *browser) {
	i.w.t.Helper()
	base, err := url.Parse(i.w.server.URL)
	must(i.w.t, err)
	_, err = chromedp.Call(i.ctx, network.ClearBrowserCookies, cdp.Empty{})
	must(i.w.t, err)
	for _, cookie := range who.c.Jar.Cookies(base) {
		_, err := chromedp.Call(i.ctx, network.SetCookie, network.SetCookieParams{Name: cookie.Name, Value: cookie.Value, Domain: base.Hostname(), Path: "/"})
		must(i.w.t, err)
	}
}

// look opens a page, does what leads on from there, and inspects what is shown.
func (i *inspector) look(name, path string, then ...chromedp.Action[chromedp.Void]) {
	t := i.w.t
	t.Helper()
	i.seen++
	for _, size := range []struct {
		width  int64
		scheme string
	}{{390, "light"}, {1440, "dark"}} {
		i.scheme(size.scheme)
		i.do(chromedp.EmulateViewport(size.width, 844))
		i.load.begin()
		answer, err := chromedp.Run(i.ctx, chromedp.NavigateResponse(i.w.server.URL+path))
		must(t, err)
		if name != "nothing" && answer.Status >= http.StatusBadRequest {
			t.Errorf("%s %s at %s: %d", i.kind, name, path, answer.Status)
		}
		if len(then) > 0 {
			i.do(then...)
		}
		_, err = chromedp.Run(i.ctx, chromedp.Poll[bool](picturesThere))
		must(t, err)
		found, err := chromedp.Run(i.ctx, chromedp.Evaluate[string](barriers))
		must(t, err)
		broken, err := i.rules.Check(i.ctx)
		must(t, err)
		broken = append(broken, i.load.complaints(i.kind+" "+name)...)
		if found += strings.Join(broken, "\n"); found != "" {
			t.Errorf("%s %s at %s, %d px, %s:\n%s", i.kind, name, path, size.width, size.scheme, found)
		}
		for _, p := range chromium.Problems(i.ctx) {
			if name != "nothing" || !strings.HasPrefix(p, "network:") {
				t.Errorf("%s %s at %s: %s", i.kind, name, path, p)
			}
		}
		i.picture(name, size.width, size.scheme)
	}
	// German has the longest words; the others take turns, to save time.
	i.fits("de", name, path, then...)
	i.fits([]string{"es", "fr"}[len(name)%2], name, path, then...)
}

// cut lists the text that a narrow screen cuts off or that runs out of what it is in.
const cut = `(() => {
  const out = [], say = (what, text, e) => out.push(what + ": " + text.trim().slice(0, 60) + " in " + e.outerHTML.slice(0, 90));
  document.querySelectorAll("details").forEach((e) => { e.open = true; });
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) out.push("scrolls sideways: " + document.documentElement.scrollWidth);
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode, e = node.parentElement;
    if (!node.textContent.trim() || !e.getClientRects().length || e.closest(".hidden, .skip, script, style, textarea, select, pre")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const right = Math.max(...[...range.getClientRects()].map((r) => r.right));
    for (let box = e; box && box !== document.body; box = box.parentElement) {
      const style = getComputedStyle(box), inline = style.display === "inline";
      if (/hidden|clip/.test(style.overflowX) && box.scrollWidth > box.clientWidth + 1) { say("cut off", node.textContent, box); break; }
      if (!inline && right > box.getBoundingClientRect().right + 1 && box.matches(".card, .btn, .tag, .note, .choice, td, main, .wrap, li, figure, nav")) { say("runs out", node.textContent, box); break; }
    }
  }
  return out.join("\n");
})()`

// fits opens a page on a phone in a language whose words may be longer.
func (i *inspector) fits(lang, name, path string, then ...chromedp.Action[chromedp.Void]) {
	t := i.w.t
	t.Helper()
	i.speak(lang)
	defer i.speak("en")
	i.scheme("light")
	i.do(chromedp.EmulateViewport(390, 844), chromedp.Navigate(i.w.server.URL+path))
	i.do(then...)
	in, err := chromedp.Run(i.ctx, chromedp.Evaluate[string](`document.documentElement.lang`))
	must(t, err)
	if in != lang {
		t.Errorf("%s %s at %s: speaks %q, not %q", i.kind, name, path, in, lang)
	}
	found, err := chromedp.Run(i.ctx, chromedp.Evaluate[string](cut))
	must(t, err)
	if found != "" {
		t.Errorf("%s %s at %s in %s:\n%s", i.kind, name, path, lang, found)
		chromium.Screenshot(t, i.ctx, "cut-"+i.kind+"-"+name+"-"+lang)
	}
	chromium.Problems(i.ctx) // were told of already
}

// speak has the browser ask for a language.
func (i *inspector) speak(lang string) {
	i.w.t.Helper()
	_, err := chromedp.Call(i.ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": lang}})
	must(i.w.t, err)
}

// picture takes the page as it stands in both schemes, where pictures are asked
// for; it leaves the scheme as it was.
func (i *inspector) picture(name string, width int64, scheme string) {
	if os.Getenv("BADGEBRIDGE_SCREENSHOTS") == "" {
		return
	}
	i.w.t.Helper()
	for _, as := range []string{map[string]string{"light": "dark", "dark": "light"}[scheme], scheme} {
		i.scheme(as)
		chromium.Screenshot(i.w.t, i.ctx, fmt.Sprintf("%s-%s-%d-%s", i.kind, name, width, as))
	}
}

func (i *inspector) scheme(scheme string) {
	i.w.t.Helper()
	_, err := chromedp.Call(i.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	must(i.w.t, err)
}

// press presses what is selected and waits for what is to be seen then.
func press(what, then string) []chromedp.Action[chromedp.Void] {
	return []chromedp.Action[chromedp.Void]{chromedp.Click(chromedp.CSS(what)), chromedp.WaitVisible(chromedp.CSS(then))}
}
