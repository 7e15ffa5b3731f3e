package web_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"badgebridge/store"
)

// shelf is a member of newOutside with n badges of the college.
func (o *outside) brings(b *browser, email string, n int) []store.Award {
	o.t.Helper()
	for i := range n {
		if a := b.post("/badges/add", "url", o.awards(i+1, email)); a.status != http.StatusOK {
			o.t.Fatalf("add: %d %s", a.status, a.body)
		}
	}
	id, err := o.db.Identifier(o.t.Context(), "email", email)
	must(o.t, err)
	list, err := o.db.AwardsOf(o.t.Context(), id.PersonID, n)
	must(o.t, err)
	return list
}

var collectionPath = regexp.MustCompile(`^/collections/([a-z2-7]{26})`)

func (b *browser) makesCollection(kv ...string) string {
	b.w.t.Helper()
	a := b.post("/collections", kv...)
	m := collectionPath.FindStringSubmatch(a.path)
	if a.status != http.StatusOK || m == nil {
		b.w.t.Fatalf("make a collection: %d at %s\n%s", a.status, a.path, a.body)
	}
	return m[1]
}

// order lists the badges on a collection's page as they stand there.
func (a answer) order() []string {
	var out []string
	for _, m := range regexp.MustCompile(`name="award" value="([a-z2-7]+)"`).FindAllStringSubmatch(a.body, -1) {
		out = append(out, m[1])
	}
	return out
}

func TestACollectionIsMadeArrangedByButtonsAndShown(t *testing.T) {
	o := newOutside(t)
	b, stranger := o.signIn(ada), o.browser()
	list := o.brings(b, ada, 3)
	b.get("/collections").has(t, "No collections yet", "Public profile")
	if a := b.post("/collections", "name", " "); a.status != http.StatusUnprocessableEntity {
		t.Errorf("without a name: %d", a.status)
	}
	id := b.makesCollection("name", "Sailing", "story", "What I *learned* <script>alert(1)</script> ![](https://track.example/x.png) [more](https://example.org/more) [js](javascript:alert(1))", "visibility", "private")
	b.post("/collections/"+id+"/badges", "badge", list[0].ID, "badge", list[1].ID, "badge", list[2].ID, "badge", list[0].ID).has(t, "Badges added: 3.")

	at := "/collections/" + id
	want := func(what string, a answer, ids ...store.Award) {
		t.Helper()
		for i, w := range ids {
			if got := a.order(); len(got) != len(ids) || got[i] != w.ID {
				t.Errorf("%s: the order is %v, want %v", what, got, ids)
				return
			}
		}
	}
	want("as added", b.get(at), list[0], list[1], list[2])
	moved := b.post(at+"/arrange", "do", "up:"+list[2].ID, "note-"+list[0].ID, "A *long* tack")
	want("moved up", moved, list[0], list[2], list[1])
	moved.has(t, `value="up:`+list[2].ID+`" autofocus`, "A *long* tack")
	want("moved down", b.post(at+"/arrange", "do", "down:"+list[0].ID), list[2], list[0], list[1])
	want("as dragged", b.post(at+"/arrange", "do", "order", "award", list[1].ID, "award", list[0].ID), list[1], list[0], list[2])
	if a := b.do(http.MethodPost, at+"/arrange", map[string][]string{"do": {"order"}, "award": {list[0].ID, list[1].ID, list[2].ID}}, "X-Arrange", "1"); a.status != http.StatusNoContent {
		t.Errorf("dragged: %d", a.status)
	}
	want("taken out", b.post(at+"/arrange", "do", "remove:"+list[1].ID), list[0], list[2])

	page := "/c/" + id
	if a := stranger.get(page); a.status != http.StatusNotFound {
		t.Errorf("a private collection: %d", a.status)
	}
	b.get(page).has(t, "Only you can see this page")
	b.post(at, "name", "Sailing", "story", "What I *learned*", "visibility", "public").has(t, "The collection is public.", "2 badges are less visible")
	stranger.get(page).lacks(t, "Sailor", "A <em>long</em> tack")
	b.post("/badges/"+list[0].ID+"/visibility", "visibility", "link")
	stranger.get(page).lacks(t, "Sailor")
	b.post(at + "/reveal")
	shown := stranger.get(page)
	shown.has(t, "Sailor", "A <em>long</em> tack", "What I <em>learned</em>", `content="index"`)
	if shown.status != http.StatusOK {
		t.Errorf("the public collection: %d", shown.status)
	}

	if a := b.post(at + "/delete"); a.path != "/collections" {
		t.Errorf("deleted: at %s", a.path)
	}
	if a := stranger.get(page); a.status != http.StatusNotFound {
		t.Errorf("deleted: %d", a.status)
	}
	if a := b.get("/badges/" + list[0].ID); a.status != http.StatusOK {
		t.Errorf("its badge: %d", a.status)
	}
}

func TestAStoryIsRenderedWithoutWhatCouldHarm(t *testing.T) {
	o := newOutside(t)
	b := o.signIn(ada)
	id := b.makesCollection("name", "Story", "visibility", "public", "story", strings.Join([]string{
		"# Loud", "Some *soft* words", `<img src=x onerror=alert(1)><script>alert(1)</script>`, "![track](https://track.example/x.png)",
		"[good](https://example.org/good) [bad](javascript:alert(1)) [data](data:text/html,x)", "https://example.org/bare", `<a href="https://x.example" onclick=alert(1)>raw</a>`,
	}, "\n\n"))
	page := o.browser().get("/c/" + id)
	page.has(t, "<h3>Loud</h3>", "<em>soft</em>", `href="https://example.org/good"`, `href="https://example.org/bare"`, "nofollow")
	_, main, _ := strings.Cut(page.body, "<main")
	for _, bad := range []string{"<script", "onerror", "track.example", "javascript:", "data:", "onclick", "<h1>Loud"} {
		if strings.Contains(main, bad) {
			t.Errorf("the page has %q:\n%s", bad, main)
		}
	}
}

func TestACollectionIsItsOwnersAlone(t *testing.T) {
	o := newOutside(t)
	b, other := o.signIn(ada), o.signIn(bo)
	mine, theirs := o.brings(b, ada, 1), o.brings(other, bo, 1)
	id := b.makesCollection("name", "Mine", "visibility", "public")
	for _, path := range []string{"", "/badges", "/arrange", "/reveal", "/delete"} {
		if a := other.post("/collections/"+id+path, "name", "Theirs"); a.status != http.StatusNotFound {
			t.Errorf("another member posts to %q: %d", path, a.status)
		}
	}
	if a := other.get("/collections/" + id); a.status != http.StatusNotFound {
		t.Errorf("another member reads it: %d", a.status)
	}
	if a := b.post("/collections/"+id+"/badges", "badge", mine[0].ID, "badge", theirs[0].ID); a.status != http.StatusNotFound {
		t.Errorf("somebody else's badge: %d", a.status)
	}
	if list, err := o.db.CollectionBadges(t.Context(), id); err != nil || len(list) != 0 {
		t.Errorf("%v %v", list, err)
	}
}

func TestABackpackIsSearchedAndPaged(t *testing.T) {
	o := newOutside(t)
	b := o.signIn(ada)
	list := o.brings(b, ada, 30)
	b.get("/").has(t, "30 badges", "Page 1 of 2", "Search badges", "Demo College")
	if n := strings.Count(b.get("/?page=2").body, `class="card badge"`); n != 6 {
		t.Errorf("%d badges on the second page", n)
	}
	b.get("/?page=99").has(t, "Page 2 of 2")
	id := b.makesCollection("name", "Few")
	b.post("/collections/"+id+"/badges", "badge", list[3].ID, "badge", list[4].ID)
	for query, n := range map[string]int{
		"q=sailor": 30, "q=college+SAILS": 30, "q=nothing": 0, "collection=" + id: 2, "collection=unknown": 0, "state=holds": 30, "state=revoked": 0,
		"source=backpack&q=sail": 30, "issuer=Demo+College": 30, "issuer=Other": 0, "q=%25": 0, "state=nonsense": 30, "sort=name&q=sail": 30,
	} {
		a := b.get("/?" + query)
		words := fmt.Sprintf("%d badges found", n)
		if query == "state=nonsense" {
			words = "All badges"
		}
		if a.has(t, words); strings.Contains(a.body, "Nothing found") != (n == 0) {
			t.Errorf("%s: it finds something and nothing", query)
		}
	}
	b.get("/?q=sailor&page=2").has(t, "Page 2 of 2", "/?q=sailor")
}

func TestAProfileShowsWhatIsPublicAndNoMore(t *testing.T) {
	o := newOutside(t)
	b, stranger, other := o.signIn(ada), o.browser(), o.signIn(bo)
	list := o.brings(b, ada, 3)
	for handle, words := range map[string]string{"": "Choose an address", "A b": "3 to 40 letters", "-ada": "3 to 40 letters"} {
		if a := b.post("/profile", "handle", handle, "visibility", "public"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, words) {
			t.Errorf("%q: %d", handle, a.status)
		}
	}
	if a := b.post("/profile", "handle", "ada-demo", "visibility", "link", "link", "javascript:alert(1)"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a link that is none: %d", a.status)
	}
	b.post("/profile", "handle", "Ada-Demo", "visibility", "private", "about", "I *sail*.", "link", "https://ada.example.org/me").has(t, "Only you can see your profile page")
	if a := other.post("/profile", "handle", "ada-demo", "visibility", "public"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Somebody else has this address") {
		t.Errorf("a handle that is taken: %d", a.status)
	}
	if a := stranger.get("/p/ada-demo"); a.status != http.StatusNotFound {
		t.Errorf("a private profile: %d", a.status)
	}
	b.post("/badges/"+list[0].ID+"/visibility", "visibility", "public")
	b.post("/badges/"+list[1].ID+"/visibility", "visibility", "link")
	open := b.makesCollection("name", "Open to all", "visibility", "public")
	byLink := b.makesCollection("name", "By link only", "visibility", "link")
	for _, id := range []string{open, byLink} {
		b.post("/collections/"+id+"/badges", "badge", list[0].ID, "badge", list[1].ID, "badge", list[2].ID)
	}
	b.post("/profile", "handle", "ada-demo", "visibility", "public", "about", "I *sail*.", "link", "https://ada.example.org/me")
	page := stranger.get("/p/ada-demo")
	page.has(t, "I <em>sail</em>.", "ada.example.org", "Open to all", "1 badge", "/b/"+list[0].ID, `content="index"`)
	page.lacks(t, "Ada Example", "By link only", list[1].ID, list[2].ID, ada)
	b.post("/me/name", "given", "Ada", "family", "Example")
	stranger.get("/p/ada-demo").lacks(t, "Ada Example")
	b.post("/profile", "handle", "ada-demo", "visibility", "public", "show_name", "yes")
	stranger.get("/p/ada-demo").has(t, "Ada Example")

	shown := stranger.get("/c/" + byLink)
	shown.has(t, "/b/"+list[0].ID, "/b/"+list[1].ID, `content="noindex, nofollow"`)
	shown.lacks(t, list[2].ID)
	feed := stranger.get("/c/" + open + "/feed.atom")
	if feed.header.Get("Content-Type") != "application/atom+xml; charset=utf-8" {
		t.Errorf("feed: %v", feed.header)
	}
	feed.has(t, list[0].ID)
	feed.lacks(t, list[1].ID, list[2].ID, ada)
}
