package web_test

import (
	"bytes"
	"html"
	"image/png"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"badgebridge/openbadges/verify"
	"badgebridge/store"
)

// links are the addresses of the page's links by host, as a browser reads them.
func (a answer) links(t *testing.T) map[string]*url.URL {
	t.Helper()
	out := map[string]*url.URL{}
	for _, m := range regexp.MustCompile(`href="((?:https|mailto):[^"]+)"`).FindAllStringSubmatch(a.body, -1) {
		u, err := url.Parse(html.UnescapeString(m[1]))
		must(t, err)
		out[u.Scheme+"://"+u.Host+u.Path] = u
	}
	return out
}

func wantQuery(t *testing.T, u *url.URL, want map[string]string) {
	t.Helper()
	if u == nil {
		t.Errorf("there is no link with %v", want)
		return
	}
	q := u.Query()
	for k, v := range want {
		if q.Get(k) != v {
			t.Errorf("%s: %s = %q, want %q", u.Host, k, q.Get(k), v)
		}
	}
	if len(q) != len(want) {
		t.Errorf("%s: fields %v", u.Host, q)
	}
}

func TestEveryLinkToShareABadgeHasWhatItsSiteTakesAndNoMore(t *testing.T) {
	w, owner, a := claimed(t)
	owner.post("/badges/"+a.ID+"/visibility", "visibility", "public")
	page := owner.get("/badges/" + a.ID)
	at := w.server.URL + "/b/" + a.ID
	text := "I earned the badge “Mentor” from Example Association."
	links := page.links(t)
	wantQuery(t, links["https://www.linkedin.com/sharing/share-offsite/"], map[string]string{"url": at})
	wantQuery(t, links["https://x.com/intent/tweet"], map[string]string{"text": text, "url": at})
	wantQuery(t, links["https://www.facebook.com/sharer/sharer.php"], map[string]string{"u": at})
	wantQuery(t, links["mailto://"], map[string]string{"subject": text, "body": text + "\n\n" + at})
	if m := links["mailto://"]; m != nil && strings.Contains(m.RawQuery, "+") {
		t.Errorf("a mail program shows the plus signs of %s", m.RawQuery)
	}
	page.has(t, `value="`+at+`"`, html.EscapeString(`<iframe src="`+at+`/embed"`), html.EscapeString(`<a href="`+at+`"><img src="`+at+`/image"`))
	for path, kind := range map[string]string{"/qr.svg": "image/svg+xml", "/qr.png": "image/png", "/card.png": "image/png", "/certificate": "text/html; charset=utf-8"} {
		if got := w.browser().get("/b/" + a.ID + path); got.status != http.StatusOK || got.header.Get("Content-Type") != kind {
			t.Errorf("%s: %d %s", path, got.status, got.header.Get("Content-Type"))
		}
	}
	w.browser().get("/b/"+a.ID+"/certificate").has(t, "This certifies that", "Ada Example", "Mentor", at, "qr.svg")

	owner.post("/badges/"+a.ID+"/visibility", "visibility", "private")
	page = owner.get("/badges/" + a.ID)
	page.has(t, "Only you can see this badge")
	page.lacks(t, "linkedin.com", "x.com", "facebook.com", "mailto:", "qr.svg")
}

func TestALinkToABadgeHasACardOfTheRightSize(t *testing.T) {
	w, owner, a := claimed(t)
	owner.post("/badges/"+a.ID+"/visibility", "visibility", "public")
	at := w.server.URL + "/b/" + a.ID
	w.browser().get("/b/"+a.ID, "Accept", "*/*").has(t,
		`<meta property="og:type" content="website">`, `<meta property="og:title" content="Mentor, awarded to Ada Example">`, `<meta property="og:url" content="`+at+`">`,
		`<meta property="og:description" content="Accompanied two new members through their first year.">`, `<meta property="og:image" content="`+at+`/card.png">`,
		`<meta property="og:image:width" content="1200"><meta property="og:image:height" content="630">`, `<meta name="twitter:card" content="summary_large_image">`,
		`<meta name="twitter:image" content="`+at+`/card.png">`, `<link rel="canonical" href="`+at+`">`)
	first := w.browser().get("/b/" + a.ID + "/card.png")
	p, err := png.Decode(bytes.NewReader([]byte(first.body)))
	must(t, err)
	if s := p.Bounds().Size(); s.X != 1200 || s.Y != 630 {
		t.Errorf("the card is %v", s)
	}
	if again := w.browser().get("/b/"+a.ID+"/card.png", "If-None-Match", first.header.Get("ETag")); again.status != http.StatusNotModified {
		t.Errorf("asked again: %d", again.status)
	}
	half, err := png.Decode(strings.NewReader(w.browser().get("/b/" + a.ID + "/card.png?width=600").body))
	must(t, err)
	if half.Bounds().Dx() != 600 {
		t.Errorf("the smaller one is %v", half.Bounds())
	}
	w.revoke(t, ada, "Mentor", "issued by mistake")
	if revoked := w.browser().get("/b/" + a.ID + "/card.png"); revoked.header.Get("ETag") == first.header.Get("ETag") {
		t.Error("a revoked badge has the card that it had before")
	}
}

func TestOEmbedAnswersForOurOwnPagesOnly(t *testing.T) {
	w, owner, a := claimed(t)
	owner.post("/badges/"+a.ID+"/visibility", "visibility", "public")
	at := w.server.URL + "/b/" + a.ID
	b := w.browser()
	ask := func(address, more string) answer { return b.get("/oembed?url=" + url.QueryEscape(address) + more) }
	photo := ask(at, "&format=json&maxwidth=500&maxheight=750")
	m := photo.json(t)
	if photo.status != http.StatusOK || m["version"] != "1.0" || m["type"] != "photo" || m["url"] != at+"/card.png?width=600" || m["width"] != 500.0 || m["height"] != 262.0 ||
		m["title"] != "Mentor" || m["author_name"] != "Ada Example" || m["provider_url"] != w.server.URL {
		t.Errorf("photo: %d %s", photo.status, photo.body)
	}
	rich := ask(at, "&type=rich&maxwidth=320").json(t)
	if rich["type"] != "rich" || rich["width"] != 320.0 || !strings.HasPrefix(rich["html"].(string), `<iframe src="`+at+`/embed" width="320"`) || rich["url"] != nil {
		t.Errorf("rich: %v", rich)
	}
	page := b.get("/b/" + a.ID)
	m2 := regexp.MustCompile(`type="application/json\+oembed"[^>]* href="([^"]+)"`).FindStringSubmatch(page.body)
	if m2 == nil || b.get(strings.TrimPrefix(html.UnescapeString(m2[1]), w.server.URL)).status != http.StatusOK {
		t.Errorf("the page leads to no oEmbed: %v", m2)
	}
	for _, address := range []string{
		"", "x", "/b/" + a.ID, "http://elsewhere.example/b/" + a.ID, w.server.URL + ".evil.example/b/" + a.ID, strings.Replace(at, "http://", "https://", 1),
		strings.Replace(at, "http://", "http://user@", 1), at + "/image", at + "/../../admin", w.server.URL + "/b/" + strings.Repeat("a", 26), w.server.URL + "/admin", "javascript:alert(1)",
		w.server.URL + "/b/%2e%2e", at + "x",
	} {
		if got := ask(address, ""); got.status != http.StatusNotFound {
			t.Errorf("%q: %d", address, got.status)
		}
	}
	if got := ask(at, "&format=xml"); got.status != http.StatusNotImplemented {
		t.Errorf("XML: %d", got.status)
	}
	for _, more := range []string{"&maxwidth=-1", "&maxwidth=x", "&type=video"} {
		if got := ask(at, more); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", more, got.status)
		}
	}
	frame := b.get("/b/" + a.ID + "/embed")
	if frame.header.Get("X-Frame-Options") != "" || !strings.Contains(frame.header.Get("Content-Security-Policy"), "frame-ancestors *") || frame.header.Get("Set-Cookie") != "" {
		t.Errorf("frame: %v", frame.header)
	}
	frame.has(t, "Mentor", `target="_top"`, "/static/embed.js")
}

// everything is every address under which a badge could be seen.
func everything(w *world, a store.Award) []string {
	address := url.QueryEscape(w.server.URL + "/b/" + a.ID)
	return []string{
		"/b/" + a.ID, "/b/" + a.ID + ".json", "/b/" + a.ID + ".jwt", "/b/" + a.ID + "/image", "/b/" + a.ID + "/baked.png", "/b/" + a.ID + "/criteria", "/b/" + a.ID + "/card.png",
		"/b/" + a.ID + "/card.png?width=600", "/b/" + a.ID + "/embed", "/b/" + a.ID + "/certificate", "/b/" + a.ID + "/qr.svg", "/b/" + a.ID + "/qr.png",
		"/oembed?url=" + address, "/oembed?type=rich&url=" + address,
	}
}

func TestAPrivateBadgeIsNowhere(t *testing.T) {
	w, owner, a := claimed(t)
	col := owner.makesCollection("name", "Seen by all", "visibility", "public")
	owner.post("/collections/"+col+"/badges", "badge", a.ID)
	owner.post("/profile", "handle", "ada-demo", "visibility", "public")
	for name, b := range map[string]*browser{"a stranger": w.browser(), "another member": w.signIn(bo)} {
		for _, path := range everything(w, a) {
			if got := b.get(path); got.status != http.StatusNotFound {
				t.Errorf("%s gets %d for %s", name, got.status, path)
			}
		}
		for _, path := range []string{"/c/" + col, "/c/" + col + "/feed.atom", "/c/" + col + "/card.png", "/p/ada-demo", "/p/ada-demo/feed.atom", "/catalog"} {
			got := b.get(path)
			if got.status != http.StatusOK {
				t.Errorf("%s: %d", path, got.status)
			}
			if got.lacks(t, a.ID); path != "/catalog" {
				got.lacks(t, "Mentor")
			}
		}
	}
	if got := owner.get("/b/" + a.ID + "/embed"); got.status != http.StatusNotFound {
		t.Errorf("its owner's frame of a private badge: %d", got.status)
	}
}

func TestNoPublicPageTellsAnAddressOrAHiddenName(t *testing.T) {
	w, owner, a := claimed(t)
	owner.post("/badges/"+a.ID+"/visibility", "visibility", "public", "name_asked", "yes")
	col := owner.makesCollection("name", "Seen by all", "visibility", "public")
	owner.post("/collections/"+col+"/badges", "badge", a.ID)
	owner.post("/profile", "handle", "demo-earner", "visibility", "public")
	paths := append(everything(w, a), "/c/"+col, "/c/"+col+"/feed.atom", "/p/demo-earner", "/p/demo-earner/feed.atom", "/catalog")
	for _, path := range paths {
		got := w.browser().get(path)
		if got.status != http.StatusOK {
			t.Errorf("%s: %d", path, got.status)
		}
		got.lacks(t, ada, "ada@", "Ada Example", "Ada")
	}
	owner.post("/badges/"+a.ID+"/visibility", "visibility", "public", "name_asked", "yes", "show_name", "yes")
	w.browser().get("/b/"+a.ID).has(t, "Ada Example")
}

func TestWhatIsOpenByLinkIsNotIndexedAndTellsNoOtherSite(t *testing.T) {
	w, owner, a := claimed(t)
	owner.post("/badges/"+a.ID+"/visibility", "visibility", "link")
	col := owner.makesCollection("name", "By link", "visibility", "link")
	owner.post("/collections/"+col+"/badges", "badge", a.ID)
	owner.post("/profile", "handle", "demo-earner", "visibility", "link")
	var pages []string
	for _, path := range everything(w, a) {
		if strings.HasPrefix(path, "/b/") {
			pages = append(pages, path)
		}
	}
	for _, path := range append(pages, "/c/"+col, "/c/"+col+"/feed.atom", "/c/"+col+"/card.png", "/p/demo-earner", "/p/demo-earner/card.png") {
		got := w.browser().get(path)
		if got.status != http.StatusOK || !strings.Contains(got.header.Get("X-Robots-Tag"), "noindex") || got.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %d, robots %q, referrer %q", path, got.status, got.header.Get("X-Robots-Tag"), got.header.Get("Referrer-Policy"))
		}
		if strings.HasPrefix(got.header.Get("Content-Type"), "text/html") && !strings.Contains(got.body, `<meta name="robots" content="noindex`) {
			t.Errorf("%s lets itself be indexed", path)
		}
	}
	owner.post("/badges/"+a.ID+"/visibility", "visibility", "public")
	if got := w.browser().get("/b/" + a.ID); strings.Contains(got.header.Get("X-Robots-Tag"), "noindex") || !strings.Contains(got.body, `content="index"`) {
		t.Errorf("a public page keeps search engines away")
	}
}

func TestTheStatesOfABroughtBadgeAreToldApart(t *testing.T) {
	o := newOutside(t)
	b, stranger := o.signIn(ada), o.browser()
	a := o.brings(b, ada, 1)[0]
	b.post("/badges/"+a.ID+"/visibility", "visibility", "public")
	page := stranger.get("/b/" + a.ID)
	page.has(t, "<strong>Genuine</strong>", "Demo College", "college.example", `src="/ob/images/`, "Sail.", "Every single check")
	page.lacks(t, "<circle", ada)

	delete(o.web, college+"/a/1")
	o.now.add(time.Hour)
	stranger.get("/b/"+a.ID).has(t, "◌", "Genuine when last seen", "Its source does not answer any more", "The badge was verified on")

	o.web[college+"/a/1"] = verify.Resource{Status: http.StatusGone, Header: http.Header{"Content-Type": {"application/json"}},
		Body: []byte(`{"@context":"https://w3id.org/openbadges/v2","type":"Assertion","id":"` + college + `/a/1","revoked":true,"revocationReason":"Lost at sea"}`)}
	o.now.add(time.Hour)
	stranger.get("/b/"+a.ID).has(t, "⊘", "<strong>Revoked</strong>", "Lost at sea", "taken it back")
}
