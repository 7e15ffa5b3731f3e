package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"badgebridge/internal/testenv/chromium"
	"badgebridge/store"
)

// hand is a person at a keyboard: it presses keys and looks where the focus is,
// and has no mouse.
type hand struct {
	t        *testing.T
	w        *world
	ctx      context.Context
	choosers chan *page.EventFileChooserOpened
}

// focused tells of the element that has the focus: what it is, and whether that
// is to be seen: an outline or a ring that it has not without the focus, its own
// or that of what it is in, inside the window and not behind something else.
const focused = `(() => {
  const e = document.activeElement;
  if (!e || e === document.body || e === document.documentElement) return JSON.stringify({ what: "" });
  const drawn = (s) => (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2) || s.boxShadow !== "none";
  let ring = drawn(getComputedStyle(e)) || drawn(getComputedStyle(e, "::after"));
  for (let p = e.parentElement; p && !ring; p = p.parentElement) if (p.matches(":focus-within") && p !== document.body) { const s = getComputedStyle(p); ring = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2; }
  const r = e.getBoundingClientRect(), label = e.labels && e.labels[0];
  const box = r.width > 1 ? r : (label ? label.getBoundingClientRect() : r);
  const inside = box.width > 0 && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1), y = Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1);
  const top = document.elementFromPoint(x, y);
  const over = !top || !(e.contains(top) || top.contains(e) || (label && label.contains(top)));
  const all = [...document.querySelectorAll("*")];
  return JSON.stringify({ what: e.outerHTML.replace(/\s+/g, " ").slice(0, 140), seen: ring && inside && !over, why: (ring ? "" : "no ring; ") + (inside ? "" : "outside; ") + (over ? "covered; " : ""), at: all.indexOf(e) });
})()`

// stop is where the focus is.
type stop struct {
	What, Why string
	Seen      bool
	At        int // in the document's order
}

func (h hand) focus() stop {
	h.t.Helper()
	text, err := chromedp.Run(h.ctx, chromedp.Evaluate[string](focused))
	must(h.t, err)
	var s stop
	must(h.t, json.Unmarshal([]byte(text), &s))
	return s
}

func (h hand) press(keys string) {
	h.t.Helper()
	must(h.t, chromedp.Do(h.ctx, chromedp.KeyEvent(keys)))
}

func (h hand) truth(js string) bool {
	h.t.Helper()
	got, err := chromedp.Run(h.ctx, chromedp.Evaluate[bool](js))
	must(h.t, err)
	return got
}

// open enters an address, which browsers take without a mouse.
func (h hand) open(path string) {
	h.t.Helper()
	must(h.t, chromedp.Do(h.ctx, chromedp.Navigate(h.w.server.URL+path)))
}

// to presses Tab until the focus is on what is selected. At each stop on the way
// the focus is to be seen, and each is further down the document than the last.
func (h hand) to(selector string) {
	h.t.Helper()
	js := fmt.Sprintf(`document.activeElement.matches(%q)`, selector)
	last := stop{At: -1}
	if h.truth(js) { // a page may begin there
		return
	}
	for range 150 {
		h.press(kb.Tab)
		s := h.focus()
		switch {
		case s.What == "" && last.At < 0: // from the address bar
			continue
		case s.What == "":
			h.t.Fatalf("%s: the end of the page, and no %s", h.where(), selector)
		case !s.Seen:
			h.t.Errorf("%s: the focus is not to be seen: %s%s", h.where(), s.Why, s.What)
		case s.At == last.At:
			h.t.Fatalf("%s: the focus is trapped at %s", h.where(), s.What)
		case s.At < last.At:
			h.t.Errorf("%s: the focus goes back from %s to %s", h.where(), last.What, s.What)
		}
		if last = s; h.truth(js) {
			return
		}
	}
	h.t.Fatalf("%s: %s is not reached, the focus is at %s", h.where(), selector, last.What)
}

func (h hand) where() string {
	at, _ := chromedp.Run(h.ctx, chromedp.Location())
	return strings.TrimPrefix(at, h.w.server.URL)
}

// goes presses a key that leads to another page, and waits for that.
func (h hand) goes(key string) {
	h.t.Helper()
	h.truth(`document.documentElement.dataset.before = "yes"` + ` === "yes"`)
	h.press(key)
	h.eventually("the page after "+h.where(), `!!document.documentElement && !document.documentElement.dataset.before && document.readyState === "complete"`)
}

func (h hand) eventually(what, js string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](js)); err == nil && ok {
			return
		}
		select {
		case <-ctx.Done():
			h.t.Fatalf("%s: %s:\n%s", what, js, h.text())
		case <-tick.C: // between two looks at another process
		}
	}
}

func (h hand) text() string {
	got, _ := chromedp.Run(h.ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
	return got
}

func (h hand) sees(words ...string) {
	h.t.Helper()
	text := h.text()
	for _, w := range words {
		if !strings.Contains(text, w) {
			h.t.Fatalf("%s does not say %q:\n%s", h.where(), w, text)
		}
	}
}

// tour goes through a whole page with Tab: every control is reached once, in the
// document's order, and after the last one the page is left; and back to the
// last control with Shift.
func (h hand) tour(path string) {
	h.t.Helper()
	h.open(path)
	want, err := chromedp.Run(h.ctx, chromedp.Evaluate[int](`[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, iframe, [tabindex]")].filter((e) =>
		!e.disabled && e.tabIndex >= 0 && e.checkVisibility() && !(e.type === "radio" && !e.checked && [...document.getElementsByName(e.name)].some((o) => o !== e && (o.checked || o.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING)))).length`))
	must(h.t, err)
	var seen []int
	for range want + 3 {
		h.press(kb.Tab)
		s := h.focus()
		if s.What == "" || len(seen) > 0 && s.At == seen[0] {
			break
		}
		if !s.Seen {
			h.t.Errorf("%s: the focus is not to be seen: %s%s", path, s.Why, s.What)
		}
		seen = append(seen, s.At)
	}
	if !slices.IsSorted(seen) || len(slices.Compact(slices.Clone(seen))) != len(seen) {
		h.t.Errorf("%s: the order of the focus is %v", path, seen)
	}
	if len(seen) != want {
		h.t.Errorf("%s: %d of %d controls are reached", path, len(seen), want)
	}
}

// skips holds that the first stop is the link to the content, and that it leads
// there.
func (h hand) skips() {
	h.t.Helper()
	h.press(kb.Tab)
	if s := h.focus(); !strings.Contains(s.What, `class="skip"`) || !s.Seen {
		h.t.Errorf("%s begins with %s (%s)", h.where(), s.What, s.Why)
	}
	h.press(kb.Enter)
	h.eventually("the content is at hand", `location.hash === "#main"`)
	h.press(kb.Tab)
	if !h.truth(`document.getElementById("main").contains(document.activeElement)`) {
		h.t.Errorf("%s: after the link to the content the focus is at %s", h.where(), h.focus().What)
	}
}

// signIn signs in by a code.
func (h hand) signIn(email string) {
	h.t.Helper()
	h.open("/login")
	h.skips()
	h.to("#email")
	h.press(email)
	h.goes(kb.Enter)
	h.eventually("the focus is where the code goes", `document.activeElement.id === "code"`)
	h.press(h.w.code(email))
	h.goes(kb.Enter)
	h.sees("Sign out")
}

// chooses presses a file field, and the dialog's answer is a file of this text.
func (h hand) chooses(name string, text []byte) {
	h.t.Helper()
	path := filepath.Join(h.t.TempDir(), name)
	must(h.t, os.WriteFile(path, text, 0o600))
	h.to("#file")
	h.press(" ")
	select {
	case e := <-h.choosers:
		_, err := chromedp.Call(h.ctx, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{path}, BackendNodeID: e.BackendNodeID})
		must(h.t, err)
	case <-h.ctx.Done():
		h.t.Fatal(errors.New("no dialog for a file opens"))
	}
}

// The journeys' main steps go by keyboard alone, each with and without scripts.
func TestTheJourneysGoByKeyboardAloneWithAndWithoutScripts(t *testing.T) {
	ctx := chromium.StartFor(t, 8*time.Minute)
	choosers := make(chan *page.EventFileChooserOpened, 4)
	must(t, chromedp.Listen(ctx, func(ev any) {
		if e, ok := ev.(*page.EventFileChooserOpened); ok {
			choosers <- e
		}
	}))
	_, err := chromedp.Call(ctx, page.SetInterceptFileChooserDialog, page.SetInterceptFileChooserDialogParams{Enabled: true})
	must(t, err)
	// The window is the one that is used, from the start of each page.
	_, err = chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	must(t, err)
	for _, scripts := range []bool{true, false} {
		t.Run(map[bool]string{true: "with scripts", false: "without scripts"}[scripts], func(t *testing.T) {
			must(t, chromedp.Do(ctx, chromedp.Navigate("about:blank")))
			_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripts})
			must(t, err)
			o := newOutside(t, withBackpacks(t))
			o.connect()
			h := hand{t: t, w: o.world, ctx: ctx, choosers: choosers}
			h.earns(o, scripts)
			h.administers()
			for _, p := range chromium.Problems(ctx) {
				t.Errorf("the console says: %s", p)
			}
		})
	}
}

// earns is an earner's way.
func (h hand) earns(o *outside, scripts bool) {
	t := h.t
	h.signIn(ada)
	own := h.w.awardOf(ada, "Mentor")
	h.to(fmt.Sprintf(`form[action="/badges/%s/claim"] button`, own.ID))
	h.goes(kb.Enter)
	h.sees("Mentor")

	// By a file, and by an address.
	h.open("/")
	h.to(`main a[href="/badges/add"]`)
	h.goes(kb.Enter)
	o.awards(1, ada)
	h.chooses("badge.json", o.web[college+"/a/1"].Body)
	h.to(`form[action="/badges/add"] button`)
	h.goes(kb.Enter)
	h.sees("The badge is verified and kept.", "Sailor")
	h.open("/badges/add")
	h.to("#url")
	h.press(o.awards(2, ada))
	h.to(`form[action="/badges/add"] button`)
	h.goes(kb.Enter)
	h.sees("The badge is verified and kept.")

	// A collection, with an order of its own.
	h.open("/collections")
	h.to(`a[href="/collections/new"]`)
	h.goes(kb.Enter)
	h.to("#name")
	h.press("Afloat")
	h.to("#story")
	h.press("What I learned.")
	h.to(`[name=visibility]`)
	h.press(kb.ArrowDown)
	h.press(kb.ArrowDown)
	h.to(`form[action="/collections"] button`)
	h.goes(kb.Enter)
	h.sees("The collection is made", "Public")
	for range 3 { // the focus is at the first that is not in it yet, or before it
		h.to(`.pick input:not(:checked)`)
		h.press(" ")
	}
	h.to(`form[action$="/badges"] button`)
	h.goes(kb.Enter)
	h.sees("Badges added: 3.")
	col := strings.TrimPrefix(h.where(), "/collections/")
	before := h.order(col)
	h.to(fmt.Sprintf(`button[value="down:%s"]`, before[0]))
	h.goes(kb.Enter)
	if want := []string{before[1], before[0], before[2]}; !slices.Equal(h.order(col), want) {
		t.Errorf("the order is %v, want %v", h.order(col), want)
	}
	stays := func(act string) {
		t.Helper()
		h.eventually("the focus stays with the badge", fmt.Sprintf(`document.activeElement.value === "%s:%s"`, act, before[0]))
	}
	stays("down")
	if s := h.focus(); !s.Seen {
		t.Errorf("after the move the focus is at %s (%s)", s.What, s.Why)
	}
	h.goes(kb.Enter)
	if want := []string{before[1], before[2], before[0]}; !slices.Equal(h.order(col), want) {
		t.Errorf("the order is %v, want %v", h.order(col), want)
	}
	stays("up") // down is no more
	if s := h.focus(); !s.Seen {
		t.Errorf("at the end of the list the focus is at %s (%s)", s.What, s.Why)
	}

	// Published, and shared.
	h.open("/badges/" + own.ID)
	h.to(`[name=visibility]`)
	h.press(kb.ArrowDown)
	h.press(kb.ArrowDown)
	h.to(`form[action$="/visibility"] button`)
	h.goes(kb.Enter)
	if got := h.w.awardOf(ada, "Mentor"); got.Visibility != store.Public {
		t.Errorf("the badge is %s", got.Visibility)
	}
	h.to(`#share a[href^="https://www.linkedin.com/profile/add"]`)
	h.to(`#share a[href^="mailto:"]`)
	h.to(`#share summary`)
	h.press(kb.Enter)
	if !h.truth(`document.activeElement.parentElement.open`) {
		t.Error("the QR code does not open")
	}
	if copies := h.truth(`[...document.querySelectorAll("[data-copy]")].some((e) => e.checkVisibility())`); copies != scripts {
		t.Errorf("a button that copies is to be seen: %v", copies)
	}
	for _, path := range []string{"/", "/badges/" + own.ID, "/collections/" + col, "/me", "/profile", "/b/" + own.ID, "/c/" + col, "/verify", "/catalog"} {
		h.tour(path)
	}
	h.open("/")
	h.to(`form[action="/logout"] button`)
	h.goes(kb.Enter)
	h.sees("Sign in")
}

func (h hand) order(collection string) (out []string) {
	h.t.Helper()
	list, err := h.w.db.CollectionBadges(h.t.Context(), collection)
	must(h.t, err)
	for _, b := range list {
		out = append(out, b.AwardID)
	}
	return out
}

// administers is an admin's way from two badges to a mapping.
func (h hand) administers() {
	h.signIn(admin)
	h.open("/admin/mappings")
	h.to(`a[href="/admin/mappings/new"]`)
	h.goes(kb.Enter)
	here, there := h.w.class(h.w.siteName(), "Mentor"), h.w.class("credly", "Mentor")
	h.picks("a", here.ID)
	h.picks("b", there.ID)
	h.to(`form[action="/admin/mappings/new"] button`)
	h.goes(kb.Enter)
	h.picks("a_to_b", "on-claim")
	h.to(`form[action="/admin/mappings/preview"] button`)
	h.goes(kb.Enter)
	h.sees("What would happen", "One badge would be sent now", "Save and send one")
	h.to(`form[action="/admin/mappings"] button`)
	h.goes(kb.Enter)
	h.sees("The mapping is saved.")
	if list, err := h.w.db.Mappings(h.t.Context()); err != nil || len(list) != 1 || list[0].AToB != store.OnClaim {
		h.t.Errorf("%+v, %v", list, err)
	}
	for _, path := range []string{"/admin", "/admin/mappings/new", "/admin/remotes/credly", "/admin/import"} {
		h.tour(path)
	}
}

// picks chooses a radio button of a group with the arrows.
func (h hand) picks(name, value string) {
	h.t.Helper()
	h.to(fmt.Sprintf(`[name=%q]`, name))
	if !h.truth(`document.activeElement.checked`) {
		h.press(" ")
	}
	for range 100 {
		if h.truth(fmt.Sprintf(`document.activeElement.value === %q && document.activeElement.checked`, value)) {
			return
		}
		h.press(kb.ArrowDown)
	}
	h.t.Fatalf("%s: %s is not to be chosen by arrows", h.where(), value)
}
