package web_test

import (
	"bytes"
	"encoding/base64"
	"html"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"badgebridge/sandbox/site"
	"badgebridge/store"
)

// oldSite is a BadgeOS of before 3.6.7: it knows an address, an account, and
// what it keeps in its database.
type oldSite struct {
	w     *world
	token string
}

func (o *oldSite) call(method, path string, query, form url.Values, header ...string) (int, map[string]any) {
	o.w.t.Helper()
	if query == nil {
		query = url.Values{}
	}
	if o.token != "" {
		query.Set("access_token", o.token)
	}
	at := o.w.server.URL + "/legacy/credly/v0.2/" + path
	if len(query) > 0 {
		at += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(o.w.t.Context(), method, at, strings.NewReader(form.Encode()))
	must(o.w.t, err)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("User-Agent", "WordPress/6.1.9; http://old.example.org")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	must(o.w.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(o.w.t, err)
	return res.StatusCode, answer{status: res.StatusCode, body: string(body), path: path}.json(o.w.t)
}

func basic(email, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(email+":"+password))
}

var valueOf = regexp.MustCompile(`<input id="(email|password|define)" readonly value="([^"]*)"`)

// openDoor makes the account on the admin's page and signs the site in with it,
// as saving BadgeOS's settings does.
func openDoor(w *world, g *browser) *oldSite {
	w.t.Helper()
	page := g.post("/admin/connect/old-credly", "site", "https://old.example.org")
	shown := map[string]string{}
	for _, m := range valueOf.FindAllStringSubmatch(page.body, -1) {
		shown[m[1]] = html.UnescapeString(m[2])
	}
	if !strings.Contains(shown["define"], "'BADGEOS_CREDLY_API_URL', '"+w.server.URL+"/legacy/credly/v0.2/'") || shown["email"] == "" || len(shown["password"]) < 16 {
		w.t.Fatalf("the page shows %v", shown)
	}
	g.get("/admin/connect/old-credly").lacks(w.t, shown["password"])
	o := &oldSite{w: w}
	if status, _ := o.call(http.MethodPost, "authenticate/", nil, nil, "Authorization", basic(shown["email"], "a guess")); status != http.StatusUnauthorized {
		w.t.Fatalf("a wrong password: %d", status)
	}
	status, got := o.call(http.MethodPost, "authenticate/", nil, nil, "Authorization", basic(shown["email"], shown["password"]))
	data, _ := got["data"].(map[string]any)
	if o.token, _ = data["token"].(string); status != http.StatusOK || len(o.token) < 32 {
		w.t.Fatalf("sign in: %d %v", status, got)
	}
	if strings.Contains(w.log.String(), o.token) || strings.Contains(w.log.String(), shown["password"]) {
		w.t.Error("a secret is in the log")
	}
	return o
}

func picture(t *testing.T, side int) string {
	t.Helper()
	var b bytes.Buffer
	must(t, png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, side, side))))
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// saved is what BadgeOS sends of a badge; it drops what is empty.
func savedBadge(t *testing.T, title string) url.Values {
	t.Helper()
	return url.Values{
		"attachment": {picture(t, 20)}, "title": {title}, "short_description": {"In short."},
		"description": {"Finds the way without a map."}, "is_giveable": {"1"}, "expires_in": {strconv.Itoa(365 * 86400)},
	}
}

func (o *oldSite) save(path string, form url.Values) int64 {
	o.w.t.Helper()
	status, got := o.call(http.MethodPost, path, nil, form)
	n, _ := got["data"].(float64)
	if status != http.StatusOK || n < 1 {
		o.w.t.Fatalf("save a badge: %d %v", status, got)
	}
	return int64(n)
}

func given(badge int64, email string) url.Values {
	return url.Values{
		"badge_id": {strconv.FormatInt(badge, 10)}, "email": {email}, "first_name": {"Ada"}, "last_name": {"Example"},
		"evidence_file": {"http://old.example.org/badges/pathfinder/"}, "testimonial": {"Well done."}, "notify": {"1"},
	}
}

func TestABadgeOSThatSpeaksTheOldCredlyIssuesAtTodaysOnce(t *testing.T) {
	w := newWorld(t)
	g := w.connect()
	o := openDoor(w, g)

	badge := o.save("badges", savedBadge(t, "Pathfinder"))
	if again := o.save("badges", savedBadge(t, "Pathfinder")); again != badge {
		t.Errorf("the same badge after a lost answer has the number %d, it was %d", again, badge)
	}
	changed := savedBadge(t, "Pathfinder")
	changed.Set("description", "Finds every way without a map.")
	if again := o.save("badges/"+strconv.FormatInt(badge, 10), changed); again != badge {
		t.Errorf("a change answers the number %d, it was %d", again, badge)
	}
	if other := o.save("badges", savedBadge(t, "Cartographer")); other == badge {
		t.Error("two badges have one number")
	}
	class := w.class("old-old-example-org", "Pathfinder")
	if class.Content.Description != "Finds every way without a map." || class.ImageSHA == "" {
		t.Errorf("%+v", class)
	}
	_, err := w.engine.PutMapping(t.Context(), store.Mapping{ClassA: class.ID, ClassB: w.class("credly", "Mentor").ID, AToB: store.AtOnce})
	must(t, err)

	if _, got := o.call(http.MethodGet, "badges/categories", url.Values{"query": {"way"}, "page": {"1"}, "per_page": {"10"}}, nil); len(got["data"].([]any)) != 0 {
		t.Errorf("categories: %v", got)
	}
	if _, got := o.call(http.MethodGet, "members", url.Values{"email": {ada}, "page": {"1"}, "per_page": {"1"}}, nil); len(got["data"].([]any)) != 0 {
		t.Errorf("members: %v", got)
	}

	before := len(w.credly.Badges())
	var clicks sync.WaitGroup
	hashes := make([]string, 5)
	for i := range hashes {
		clicks.Add(1)
		go func() {
			defer clicks.Done()
			form := given(badge, "Ada@Example.org")
			_, got := o.call(http.MethodPost, "member_badges", nil, form)
			data, _ := got["data"].(map[string]any)
			hashes[i], _ = data["hash"].(string)
		}()
	}
	clicks.Wait()
	for _, h := range hashes {
		if h == "" || h != hashes[0] {
			t.Fatalf("five clicks have the hashes %q", hashes)
		}
	}
	w.send()
	w.send()
	if got := len(w.credly.Badges()) - before; got != 1 {
		t.Errorf("there are %d new badges at Credly, not one", got)
	}
	award := w.awardOf(ada, "Pathfinder")
	if award.ID != hashes[0] || award.Expires.Sub(award.IssuedOn).Hours() != 365*24 || award.Recipient.Name() != "Ada Example" {
		t.Errorf("%+v", award)
	}
	w.signIn(ada).get("/").has(t, "Pathfinder")
	mailed := 0
	for _, l := range w.mailbox.Letters() {
		if l.To == ada && strings.Contains(l.Text, "Pathfinder") {
			mailed++
		}
	}
	if mailed != 1 {
		t.Errorf("the member was told %d times", mailed)
	}
}

func TestTheOldLinksOfASiteAreListedToBeMapped(t *testing.T) {
	w := newWorld(t)
	w.site.AddBadge(site.Badge{Title: "Was <b>sent</b>", OldNumber: "991", OldSends: true})
	w.site.AddMember(site.Member{Email: "old@example.org", GivenName: "Olda", FamilyName: "Example", OldConsent: "refused"})
	g := w.connect()
	page := g.get("/admin/remotes/" + string(w.siteName()) + "/old-credly")
	page.has(t, "Was &lt;b&gt;sent&lt;/b&gt;", "991", "/admin/mappings/new?a="+w.class(w.siteName(), "Was <b>sent</b>").ID, "Olda Example", "refused")
	page.lacks(t, "Mentor", "old@example.org")
	if got := g.get("/admin/remotes/credly/old-credly"); got.status != http.StatusNotFound {
		t.Errorf("Credly itself: %d", got.status)
	}
	if got := w.signIn(ada).get("/admin/remotes/" + string(w.siteName()) + "/old-credly"); got.status != http.StatusForbidden {
		t.Errorf("a member sees it: %d", got.status)
	}
}

func TestTheOldCredlyRefusesWithAReason(t *testing.T) {
	w := newWorld(t)
	g := w.signIn(admin)
	if got := g.post("/admin/connect/old-credly", "site", "old site"); got.status != http.StatusUnprocessableEntity {
		t.Errorf("an address that is none: %d", got.status)
	}
	o := openDoor(w, g)
	badge := o.save("badges", savedBadge(t, "Pathfinder"))
	without := func(form url.Values, name string) url.Values { form.Del(name); return form }
	with := func(form url.Values, name, value string) url.Values { form.Set(name, value); return form }
	for what, c := range map[string]struct {
		path   string
		form   url.Values
		status int
		word   string
	}{
		"no title":           {"badges", without(savedBadge(t, "x"), "title"), http.StatusBadRequest, "title: "},
		"no image":           {"badges", with(savedBadge(t, "x"), "attachment", "PHN2Zy8+"), http.StatusBadRequest, "attachment: "},
		"no base64":          {"badges", with(savedBadge(t, "x"), "attachment", "%%%"), http.StatusBadRequest, "attachment: "},
		"a silly expiry":     {"badges", with(savedBadge(t, "x"), "expires_in", "-4"), http.StatusBadRequest, "expires_in: "},
		"an unknown badge":   {"badges/12", savedBadge(t, "x"), http.StatusNotFound, "no badge of that number"},
		"no number":          {"badges/x", savedBadge(t, "x"), http.StatusNotFound, "no badge of that number"},
		"an unknown award":   {"member_badges", given(badge+1, ada), http.StatusNotFound, "no badge of that number"},
		"no recipient":       {"member_badges", without(given(badge, ada), "email"), http.StatusBadRequest, "email: "},
		"a member's number":  {"member_badges", with(without(given(badge, ada), "email"), "member_id", "7"), http.StatusBadRequest, "member_id: "},
		"two recipients":     {"member_badges", given(badge, "a@example.org, b@example.org"), http.StatusBadRequest, "email: "},
		"a badge of letters": {"member_badges", with(given(badge, ada), "badge_id", "x"), http.StatusBadRequest, "badge_id: "},
	} {
		status, got := o.call(http.MethodPost, c.path, nil, c.form)
		meta, _ := got["meta"].(map[string]any)
		if words, _ := meta["message"].(string); status != c.status || !strings.Contains(words, c.word) || got["data"] != nil {
			t.Errorf("%s: %d %v", what, status, got)
		}
	}
	stranger := &oldSite{w: w, token: "0123456789012345678901234567890123456789"}
	for _, path := range []string{"badges", "member_badges"} {
		if status, _ := stranger.call(http.MethodPost, path, nil, given(badge, ada)); status != http.StatusUnauthorized {
			t.Errorf("another's token at %s: %d", path, status)
		}
	}
	if status, _ := (&oldSite{w: w}).call(http.MethodPost, "member_badges", nil, given(badge, ada)); status != http.StatusUnauthorized {
		t.Errorf("no token: %d", status)
	}
}
