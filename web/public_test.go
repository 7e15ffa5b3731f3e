package web_test

import (
	"bytes"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"badgebridge/openbadges"
	"badgebridge/openbadges/bake"
	"badgebridge/store"
)

// claimed connects everything and lets Ada claim her badge Mentor.
func claimed(t *testing.T) (*world, *browser, store.Award) {
	t.Helper()
	w := newWorld(t)
	w.connect()
	b := w.signIn(ada)
	a := w.awardOf(ada, "Mentor")
	if got := b.post("/badges/" + a.ID + "/claim"); got.status != http.StatusOK {
		t.Fatalf("claim: %d\n%s", got.status, got.body)
	}
	return w, b, a
}

func TestAPrivateBadgeDoesNotExistForOthers(t *testing.T) {
	w, owner, a := claimed(t)
	stranger, member := w.browser(), w.signIn(bo)
	for _, path := range []string{"", ".json", "/image", "/baked.png", "/criteria"} {
		for name, b := range map[string]*browser{"a stranger": stranger, "another member": member} {
			if got := b.get("/b/" + a.ID + path); got.status != http.StatusNotFound {
				t.Errorf("%s gets %d for %s of a private badge", name, got.status, path)
			}
		}
	}
	got := owner.get("/b/" + a.ID)
	if got.status != http.StatusOK {
		t.Fatalf("the owner gets %d", got.status)
	}
	got.has(t, "Only you can see this page")

	for _, path := range []string{"", ".json", "/image", "/baked.png"} {
		if got := owner.get("/b/" + a.ID + path); got.status != http.StatusOK || !strings.Contains(got.header.Get("Cache-Control"), "no-store") {
			t.Errorf("the owner's own %s: %d, %q", path, got.status, got.header.Get("Cache-Control"))
		}
	}

	// A guessed page answers exactly like one that never was.
	guess := stranger.get("/b/" + strings.Repeat("a", 26))
	private := stranger.get("/b/" + a.ID)
	strip := regexp.MustCompile(`Request [0-9a-f]{16}|return=[^"]*`)
	if strip.ReplaceAllString(guess.body, "") != strip.ReplaceAllString(private.body, "") {
		t.Error("a private badge's page differs from that of a badge that never was")
	}
}

func TestAPublicBadgeIsShownWithAVerdictFromChecksMadeNow(t *testing.T) {
	w, owner, a := claimed(t)
	owner.post("/badges/"+a.ID+"/visibility", "visibility", "public").has(t, "This badge is public.")
	got := w.browser().get("/b/" + a.ID)
	if got.status != http.StatusOK {
		t.Fatalf("%d", got.status)
	}
	got.has(t, "Mentor", "Ada Example", "Genuine", "Not revoked, not expired",
		`<meta property="og:image" content="`+w.server.URL+"/b/"+a.ID+`/card.png">`, `<meta name="robots" content="index">`)
	got.lacks(t, ada)
	owner.post("/badges/"+a.ID+"/visibility", "visibility", "link")
	w.browser().get("/b/"+a.ID).has(t, `content="noindex, nofollow"`)
	if got := owner.post("/badges/"+a.ID+"/visibility", "visibility", "everybody"); got.status != http.StatusBadRequest {
		t.Errorf("an unknown visibility: %d", got.status)
	}
}

func TestTheAssertionIsServedByteForByteAndGoneOnceRevoked(t *testing.T) {
	w, _, a := claimed(t)
	ctx := t.Context()
	doc, err := w.db.AssertionOf(ctx, a.ID, openbadges.V20)
	must(t, err)
	stored, err := w.db.Document(ctx, doc.SHA256)
	must(t, err)
	b := w.browser()
	path := "/ob/v2/assertions/" + doc.ID
	for range 2 { // from the store, then from memory
		got := b.get(path)
		if got.status != http.StatusOK || got.body != string(stored.Body) {
			t.Fatalf("%d %q, stored is %q", got.status, got.body, stored.Body)
		}
		for k, want := range map[string]string{
			"Content-Type": "application/ld+json", "Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff",
			"Cache-Control": "public, max-age=60",
		} {
			if got.header.Get(k) != want {
				t.Errorf("%s: %q, want %q", k, got.header.Get(k), want)
			}
		}
		if got.header.Get("Set-Cookie") != "" {
			t.Error("a public document sets a cookie")
		}
		again := b.get(path, "If-None-Match", got.header.Get("ETag"))
		if again.status != http.StatusNotModified || again.body != "" {
			t.Errorf("asked again with its ETag: %d", again.status)
		}
		head := b.do(http.MethodHead, path, nil)
		if head.status != http.StatusOK || head.header.Get("ETag") != got.header.Get("ETag") || head.header.Get("Content-Length") == "" {
			t.Errorf("HEAD: %d %v", head.status, head.header)
		}
	}
	for _, other := range []string{"/ob/v2/badgeclasses/" + a.ClassVersionID} {
		if got := b.get(other); got.status != http.StatusOK || !strings.Contains(got.body, `"Mentor"`) {
			t.Errorf("%s: %d %s", other, got.status, got.body)
		}
	}

	held := w.site.Awards()
	for _, h := range held {
		if h.Member.Email == ada && h.Badge.Title == "Mentor" {
			must(t, w.site.Revoke(h.Entry, "issued by mistake"))
		}
	}
	w.pull()
	w.now.add(5 * time.Second) // a replica that heard nothing of it knows by now
	got := b.get(path)
	if got.status != http.StatusGone {
		t.Fatalf("revoked: %d %s", got.status, got.body)
	}
	if m := got.json(t); m["revoked"] != true || m["revocationReason"] != "issued by mistake" || m["id"] != w.server.URL+path || m["recipient"] != nil {
		t.Errorf("stub %v", m)
	}
}

func TestNothingIsServedBeforeTheClaim(t *testing.T) {
	w := newWorld(t)
	w.connect()
	a := w.awardOf(ada, "Mentor")
	must(t, w.db.CreateAssertion(t.Context(), store.Assertion{ID: "early", AwardID: a.ID, Version: openbadges.V20, SHA256: strings.Repeat("0", 64)}))
	b := w.browser()
	for _, path := range []string{"/ob/v2/assertions/early", "/ob/v2/assertions/never-was", "/ob/v2/badgeclasses/" + a.ClassVersionID, "/ob/v2/issuers/x", "/ob/v3/credentials/x", "/ob/images/" + strings.Repeat("0", 64), "/ob/"} {
		got := b.get(path)
		if got.status != http.StatusNotFound || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %q", path, got.status, got.header.Get("Cache-Control"))
		}
	}
	if early, never := b.get("/ob/v2/assertions/early"), b.get("/ob/v2/assertions/never-was"); early.body != never.body {
		t.Error("an award before its claim can be told from none")
	}
	if got := b.post("/ob/v2/assertions/early"); got.status != http.StatusNotFound && got.status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", got.status)
	}
}

func TestOnlyImagesAreServedAsImages(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	feed, err := w.db.PutDocument(ctx, "application/json", []byte(`{"member":"secret"}`))
	must(t, err)
	page, err := w.db.PutDocument(ctx, "text/html", []byte(`<script>alert(1)</script>`))
	must(t, err)
	svg, err := w.db.PutDocument(ctx, "image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`))
	must(t, err)
	b := w.browser()
	for _, sha := range []string{feed, page} {
		if got := b.get("/ob/images/" + sha); got.status != http.StatusNotFound {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	got := b.get("/ob/images/" + svg)
	if got.status != http.StatusOK || !strings.Contains(got.header.Get("Content-Security-Policy"), "sandbox") || got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %v", got.status, got.header)
	}
}

func TestTheDownloadedImageCarriesTheBadge(t *testing.T) {
	w, owner, a := claimed(t)
	got := owner.get("/b/" + a.ID + "/baked.png")
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "image/png" || got.header.Get("Content-Disposition") != `attachment; filename="Mentor.png"` {
		t.Fatalf("%d %v", got.status, got.header)
	}
	p, err := bake.Unbake([]byte(got.body))
	must(t, err)
	doc, err := w.db.AssertionOf(t.Context(), a.ID, openbadges.V20)
	must(t, err)
	stored, err := w.db.Document(t.Context(), doc.SHA256)
	must(t, err)
	if !bytes.Equal(p.Text, stored.Body) {
		t.Error("another assertion is baked in")
	}
}

func TestTheLinkedInAddressHasEveryFieldAndNoEmptyOne(t *testing.T) {
	w, owner, a := claimed(t)
	owner.post("/badges/"+a.ID+"/visibility", "visibility", "link")
	body := owner.get("/badges/" + a.ID).body
	m := regexp.MustCompile(`href="(https://www\.linkedin\.com/profile/add\?[^"]+)"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatal("no link")
	}
	u, err := url.Parse(html.UnescapeString(m[1]))
	must(t, err)
	q := u.Query()
	issued := a.IssuedOn
	want := map[string]string{
		"startTask": "CERTIFICATION_NAME", "name": "Mentor", "organizationName": "Example Association",
		"issueYear": issued.Format("2006"), "issueMonth": issued.Format("1"),
		"expirationYear": a.Expires.Format("2006"), "expirationMonth": a.Expires.Format("1"),
		"certUrl": w.server.URL + "/b/" + a.ID, "certId": a.ID,
	}
	for k, v := range want {
		if q.Get(k) != v {
			t.Errorf("%s = %q, want %q", k, q.Get(k), v)
		}
	}
	if len(q) != len(want) {
		t.Errorf("fields %v", q)
	}
}

func TestAnExpiredBadgeSaysSo(t *testing.T) {
	w, owner, a := claimed(t)
	owner.post("/badges/"+a.ID+"/visibility", "visibility", "public")
	w.now.add(20 * 365 * 24 * time.Hour)
	got := w.browser().get("/b/" + a.ID)
	got.has(t, "Expired", "◷", "It was good until")
	got.lacks(t, "<strong>Genuine</strong>")
}

func TestARevokedBadgeHasARevokedPage(t *testing.T) {
	w, owner, a := claimed(t)
	owner.post("/badges/"+a.ID+"/visibility", "visibility", "public")
	a, err := w.db.Award(t.Context(), a.ID)
	must(t, err)
	a.Revoked, a.RevokedAt, a.RevocationReason = true, w.now.Now(), "issued by mistake"
	_, err = w.db.PutAward(t.Context(), a)
	must(t, err)
	got := w.browser().get("/b/" + a.ID)
	if got.status != http.StatusGone {
		t.Errorf("%d", got.status)
	}
	got.has(t, "Revoked", "issued by mistake", "taken back")
	got.lacks(t, "<strong>Genuine</strong>", "linkedin.com")
}

func TestAProgramGetsJSONFromTheBadgePage(t *testing.T) {
	w, owner, a := claimed(t)
	owner.post("/badges/"+a.ID+"/visibility", "visibility", "link")
	b := w.browser()
	for _, got := range []answer{
		b.get("/b/" + a.ID + ".json"),
		b.get("/b/"+a.ID, "Accept", "application/ld+json, application/json"),
	} {
		if got.status != http.StatusOK || got.json(t)["type"] != "Assertion" {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	// Crawlers that say nothing get the page.
	b.get("/b/"+a.ID, "Accept", "*/*").has(t, "<!doctype html>")
}
