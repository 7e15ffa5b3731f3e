package web_test

import (
	"testing"

	"badgebridge/openbadges"
	"badgebridge/store"
)

// barriers lists what would keep people out, as far as a program can see it.
const barriers = `(() => {
  const out = [], say = (what, el) => out.push(what + ": " + el.outerHTML.slice(0, 120));
  if (!document.documentElement.lang) out.push("no language");
  if (!document.title) out.push("no title");
  const first = [...document.querySelectorAll("h1")].filter((e) => e.getClientRects().length).length;
  if (first !== 1) out.push(first + " h1");
  if (document.documentElement.scrollWidth > innerWidth) {
    out.push("scrolls sideways: " + document.documentElement.scrollWidth);
    document.querySelectorAll("main *").forEach((e) => { if (e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".pick")) say("too wide", e); });
  }
  document.querySelectorAll("img").forEach((e) => { if (!e.hasAttribute("alt")) say("no alt", e); if ((!e.complete || !e.naturalWidth) && e.getClientRects().length && (e.loading !== "lazy" || e.getBoundingClientRect().top < innerHeight)) say("not loaded", e); });
  document.querySelectorAll("input:not([type=hidden]), select, textarea").forEach((e) => { if (!e.labels.length && !e.ariaLabel) say("no label", e); });
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

	// A push that was refused, a badge that changed at Credly, one that a member is to name.
	mapOpenPractice(t, w)
	b := w.signIn(bo)
	unnamed := w.awardOf(bo, "Open Practice")
	b.post("/badges/" + unnamed.ID + "/claim")
	pushes, err := w.db.PushesOf(t.Context(), unnamed.ID)
	must(t, err)
	must(t, w.credly.RenameTemplate(string(other.Ref), "Mentor of mentors", "Has mentored mentors."))
	w.pull()
	g.post("/admin/import", "from", "credly", "to", string(w.siteName()), "class", w.class("credly", "Workshop Facilitator").ID, "target-"+w.class("credly", "Workshop Facilitator").ID, "new")
	imports, err := w.db.Imports(t.Context(), 1)
	must(t, err)

	address := owner.get("/b/" + a.ID + ".json").json(t)["id"].(string)
	at := w.inspector(t, "stranger")
	at.as(w.browser())
	at.look("start", "/")
	at.look("login", "/login")
	at.look("verify", "/verify")
	for name, input := range map[string]string{
		"verify-hers": address + "&recipient=" + ada, "verify-not-his": address + "&recipient=" + bo, "verify-unreachable": "https://unreachable.example/b",
	} {
		at.look(name, "/verify?input="+input, press("main form button", "#answer")...)
	}
	at.look("badge", "/b/"+a.ID)
	at.look("criteria", "/b/"+a.ClassVersionID+"/criteria")
	at.look("certificate", "/b/"+a.ID+"/certificate")
	at.look("embedded", "/b/"+a.ID+"/embed")
	at.look("issuer-frame", "/issuer/frame")
	at.look("catalog", "/catalog")
	at.look("catalog-badge", "/catalog/"+site.ID)
	at.look("catalog-nothing-found", "/catalog?q=nothing+like+that")
	at.look("issuer", "/issuers/"+issuerID(t, w))
	at.look("nothing", "/nothing")

	at.kind = "member"
	at.as(owner)
	at.look("badges", "/")
	at.look("own-badge", "/badges/"+a.ID)
	at.look("public-badge", "/b/"+a.ID)
	at.look("certificate", "/b/"+a.ID+"/certificate")
	at.look("account", "/me")
	at.look("backpacks", "/me/backpacks")
	at.look("backpack", "/me/backpacks/"+elsewhere.ID)
	at.as(b)
	at.look("waits-for-name", "/badges/"+unnamed.ID)

	at.kind = "admin"
	at.as(g)
	for name, path := range map[string]string{
		"overview": "", "remotes": "/remotes", "credly": "/remotes/credly", "site": "/remotes/" + string(w.siteName()), "old-links": "/remotes/" + string(w.siteName()) + "/old-credly",
		"connect-site": "/connect/wordpress", "connect-credly": "/connect/credly", "connect-old-credly": "/connect/old-credly",
		"badges": "/badges", "mappings": "/mappings", "new-mapping": "/mappings/new", "new-mapping-chosen": "/mappings/new?a=" + site.ID + "&b=" + other.ID,
		"mapping": "/mappings/" + mapping, "backfill": "/mappings/" + mapping + "/backfill", "drift": "/drift",
		"import": "/import", "import-nothing-found": "/import?q=nothing+like+that", "import-run": "/imports/" + imports[0].ID,
		"runs": "/runs", "run": "/runs/" + runs[0].ID, "pushes": "/pushes", "push": "/pushes/" + pushes[0].ID, "people": "/people",
	} {
		at.look(name, "/admin"+path)
	}
	at.look("import-review", "/admin/import", press("button[name=all]", "table.list select")...)
	at.look("new-mapping-preview", "/admin/mappings/new?a="+site.ID+"&b="+other.ID, press("main form[action$=preview] button", "form[action='/admin/mappings']")...)
}
