package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"badgebridge/internal/testenv/chromium"
	"badgebridge/openbadges"
	"badgebridge/store"
)

// barriers lists what would keep people out, as far as a program can see it.
const barriers = `(() => {
  const out = [], say = (what, el) => out.push(what + ": " + el.outerHTML.slice(0, 120));
  if (!document.documentElement.lang) out.push("no language");
  if (!document.title) out.push("no title");
  if (document.querySelectorAll("h1").length !== 1) out.push(document.querySelectorAll("h1").length + " h1");
  if (document.documentElement.scrollWidth > innerWidth) {
    out.push("scrolls sideways: " + document.documentElement.scrollWidth);
    document.querySelectorAll("main *").forEach((e) => { if (e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".pick")) say("too wide", e); });
  }
  document.querySelectorAll("img").forEach((e) => { if (!e.hasAttribute("alt")) say("no alt", e); if ((!e.complete || !e.naturalWidth) && e.getClientRects().length && (e.loading !== "lazy" || e.getBoundingClientRect().top < innerHeight)) say("not loaded", e); });
  document.querySelectorAll("input:not([type=hidden]), select, textarea").forEach((e) => { if (!e.labels.length) say("no label", e); });
  document.querySelectorAll("a, button").forEach((e) => { if (!e.textContent.trim()) say("no name", e); });
  const ids = new Set();
  document.querySelectorAll("[id]").forEach((e) => { if (ids.has(e.id)) say("id twice", e); ids.add(e.id); });
  document.querySelectorAll(".btn, nav a, select, input:not([type=hidden], [type=radio], [type=checkbox])").forEach((e) => {
    const r = e.getBoundingClientRect();
    if (r.height && r.height < 43.5) say("target of " + r.height + " px", e);
  });
  // Contrast of text on its background (WCAG 2.2, 1.4.3), computed by drawing both colours.
  const c = document.createElement("canvas"); c.width = c.height = 1;
  const g = c.getContext("2d", { willReadFrequently: true });
  const rgb = (colours) => { g.clearRect(0, 0, 1, 1); colours.forEach((x) => { g.fillStyle = x; g.fillRect(0, 0, 1, 1); }); return [...g.getImageData(0, 0, 1, 1).data].slice(0, 3); };
  const lum = (p) => { const l = p.map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * l[0] + .7152 * l[1] + .0722 * l[2]; };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || seen.has(e) || !e.getClientRects().length || e.closest(".hidden, .skip, [disabled]")) continue;
    seen.add(e);
    const back = [];
    for (let p = e; p; p = p.parentElement) back.unshift(getComputedStyle(p).backgroundColor);
    const a = lum(rgb(back)), b = lum(rgb([...back, getComputedStyle(e).color]));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) say("contrast " + ratio.toFixed(2), e);
  }
  return out.join("\n");
})()`

func TestPagesKeepNobodyOut(t *testing.T) {
	w := newWorld(t, withBackpacks(t))
	g := w.connect()
	mapping := mapMentor(t, w)
	owner := w.signIn(ada)
	a := w.awardOf(ada, "Mentor")
	owner.post("/badges/" + a.ID + "/claim")
	owner.post("/badges/"+a.ID+"/visibility", "visibility", "public")
	elsewhere := w.elsewhere(ada, store.ConnectionBroken, store.Deposit{AwardID: a.ID, State: store.PushRejected, Reason: "refused", Words: "badge assertion is for a different user"})
	person, err := w.db.Identifier(t.Context(), openbadges.IdentityEmail, ada)
	must(t, err)
	_, err = w.db.CreateGrant(t.Context(), store.Grant{PersonID: person.PersonID, Origin: "https://college.example", Scopes: []string{"issue"}, AccessHash: "a", RefreshHash: "r", UsedAt: w.now.Now()})
	must(t, err)
	g.post("/admin/connect/wordpress")
	runs, err := w.db.Runs(t.Context(), "credly", 1)
	must(t, err)
	other := w.class("credly", "Mentor")
	site := w.class(w.siteName(), "Reviewer")

	address := owner.get("/b/" + a.ID + ".json").json(t)["id"].(string)
	sizes := []struct {
		width  int64
		scheme string
	}{{390, "light"}, {1440, "dark"}}
	ctx := chromium.Start(t)
	base, err := url.Parse(w.server.URL)
	must(t, err)
	for _, who := range []struct {
		name    string
		browser *browser
		pages   []string
	}{
		{"stranger", w.browser(), []string{
			"/", "/login", "/verify", "/verify?input=" + address + "&recipient=" + ada, "/verify?input=" + address + "&recipient=" + bo,
			"/verify?input=https://unreachable.example/b", "/b/" + a.ID, "/b/" + a.ClassVersionID + "/criteria", "/nothing",
		}},
		{"member", owner, []string{"/", "/badges/" + a.ID, "/b/" + a.ID, "/me", "/me/backpacks", "/me/backpacks/" + elsewhere.ID}},
		{"admin", g, []string{
			"/admin", "/admin/remotes", "/admin/remotes/credly", "/admin/connect/wordpress", "/admin/connect/credly", "/admin/badges", "/admin/mappings",
			"/admin/mappings/new", "/admin/mappings/new?a=" + site.ID + "&b=" + other.ID, "/admin/mappings/" + mapping, "/admin/runs", "/admin/runs/" + runs[0].ID,
			"/admin/pushes", "/admin/people",
		}},
	} {
		for _, cookie := range who.browser.c.Jar.Cookies(base) {
			_, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: cookie.Name, Value: cookie.Value, Domain: base.Hostname(), Path: "/"})
			must(t, err)
		}
		for _, path := range who.pages {
			for _, size := range sizes {
				_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: size.scheme}}})
				must(t, err)
				must(t, chromedp.Do(ctx, chromedp.EmulateViewport(size.width, 844), chromedp.Navigate(w.server.URL+path)))
				if strings.HasPrefix(path, "/verify?") {
					must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("main form button")), chromedp.WaitVisible(chromedp.CSS("#answer"))))
				}
				found, err := chromedp.Run(ctx, chromedp.Evaluate[string](barriers))
				must(t, err)
				if found != "" {
					t.Errorf("%s at %s, %d px, %s:\n%s", who.name, path, size.width, size.scheme, found)
				}
				for _, p := range chromium.Problems(ctx) {
					if path != "/nothing" || !strings.HasPrefix(p, "network:") {
						t.Errorf("%s at %s: %s", who.name, path, p)
					}
				}
				name := strings.NewReplacer("/", "-", "?", "-", "=", "-", "&", "-", ":", "-").Replace(who.name + path + "-" + size.scheme)
				chromium.Screenshot(t, ctx, name)
			}
		}
	}
}
