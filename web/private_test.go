package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"badgebridge/openbadges/bake"
	"badgebridge/openbadges/verify"
	"badgebridge/store"
)

// What an issuer writes into a badge is not what its earner shows: a document may
// name the address in clear, and may be baked into the very picture.
func TestNoPublicPageOfABroughtBadgeTellsTheAddressThatItsDocumentNames(t *testing.T) {
	o := newOutside(t)
	b := o.signIn(ada)
	drawing := []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><circle r="4"/></svg>`)
	baked, err := bake.Bake(drawing, bake.OpenBadges, o.plainly(1, ada))
	must(t, err)
	o.web[college+"/badge.svg"] = verify.Resource{Status: http.StatusOK, Header: http.Header{"Content-Type": {"image/svg+xml"}}, Body: baked} // the badge's own picture, too
	b.bring("/badges/add", map[string][]byte{"badge.svg": baked}).has(t, "The badge is verified and kept.")
	list, err := o.db.AwardsOf(t.Context(), o.person(ada), 10)
	must(t, err)
	if len(list) != 1 {
		t.Fatalf("%d badges", len(list))
	}
	a := list[0]
	b.post("/badges/"+a.ID+"/visibility", "visibility", "public")
	col := b.makesCollection("name", "Seen by all", "visibility", "public")
	b.post("/collections/"+col+"/badges", "badge", a.ID)
	b.post("/profile", "handle", "demo-earner", "visibility", "public")
	stranger := o.browser()
	collection, err := o.db.Collection(t.Context(), col)
	must(t, err)
	user := stranger.do(http.MethodPost, "/displayer/convert/email", map[string][]string{"email": {ada}}, "Accept", "application/json").json(t)["userId"].(float64)
	group := fmt.Sprintf("/displayer/%d/group/%d.json", int(user), collection.Number)
	for _, path := range append(everything(o.world, a), "/c/"+col, "/c/"+col+"/feed.atom", "/c/"+col+"/card.png", "/p/demo-earner", "/p/demo-earner/feed.atom", group) {
		got := stranger.stop().get(path)
		if strings.Contains(strings.ToLower(got.body), ada) {
			t.Errorf("%s (%d) tells the address", path, got.status)
		}
		for name, values := range got.header {
			if strings.Contains(strings.Join(values, " "), ada) {
				t.Errorf("%s tells the address in its header %s", path, name)
			}
		}
	}
	class, err := o.db.Class(t.Context(), a.ClassID)
	must(t, err)
	picture := stranger.get("/ob/images/" + class.ImageSHA)
	if _, err := bake.Unbake([]byte(picture.body)); picture.status != http.StatusOK || err == nil {
		t.Errorf("the picture that everybody sees has a badge in it: %d %v", picture.status, err)
	}
	var shown struct {
		Badges []struct {
			ImageURL string `json:"imageUrl"`
		}
	}
	must(t, json.Unmarshal([]byte(stranger.get(group).body), &shown))
	if at := shown.Badges[0].ImageURL; stranger.get(strings.TrimPrefix(at, o.server.URL)).status != http.StatusOK {
		t.Errorf("the displayer's picture %s is not there", at)
	}
	// It is hers: she gets it as she brought it.
	if got := b.get("/b/" + a.ID + "/baked.png"); got.body != string(baked) {
		t.Errorf("her own picture: %d, %d bytes of %d", got.status, len(got.body), len(baked))
	}
}

func TestWhatIsPrivateOrByLinkIsOnNoListForMachines(t *testing.T) {
	w, owner, a := claimed(t)
	col := owner.makesCollection("name", "Quiet", "visibility", "link")
	owner.post("/collections/"+col+"/badges", "badge", a.ID)
	owner.post("/profile", "handle", "demo-earner", "visibility", "public")
	class, err := w.db.Class(t.Context(), a.ClassID)
	must(t, err)
	for _, v := range []store.Visibility{store.Private, store.ByLink} {
		owner.post("/badges/"+a.ID+"/visibility", "visibility", string(v))
		w.now.add(time.Minute)
		for _, path := range []string{"/", "/robots.txt", "/sitemap.xml", "/catalog", "/catalog/" + class.ID, "/issuers/" + issuerID(t, w), "/p/demo-earner", "/p/demo-earner/feed.atom", "/p/demo-earner/card.png"} {
			got := w.browser().get(path)
			if path != "/sitemap.xml" && got.status != http.StatusOK {
				t.Errorf("%s: %d", path, got.status)
			}
			got.lacks(t, a.ID, col, "Quiet")
		}
		convert := w.browser().do(http.MethodPost, "/displayer/convert/email", map[string][]string{"email": {ada}}, "Accept", "application/json")
		if strings.Contains(convert.body, "userId") {
			t.Errorf("%s: the displayer knows somebody who shows nothing: %s", v, convert.body)
		}
	}
}

func TestNoPageLetsItsAddressOutToAnotherSite(t *testing.T) {
	w, owner, a := claimed(t)
	owner.post("/badges/"+a.ID+"/visibility", "visibility", "link")
	col := owner.makesCollection("name", "Quiet", "story", "[Elsewhere](https://elsewhere.example/)", "visibility", "link")
	for _, path := range []string{"/", "/badges/" + a.ID, "/b/" + a.ID, "/b/" + a.ID + "/embed", "/c/" + col, "/collections/" + col, "/me", "/login/code", "/verify?input=https://elsewhere.example/a", "/nothing"} {
		got := owner.get(path)
		switch policy := got.header.Get("Referrer-Policy"); {
		case policy == "no-referrer":
		case policy == "strict-origin-when-cross-origin" && !strings.HasPrefix(path, "/b/") && !strings.HasPrefix(path, "/c/"): // the host alone
		default:
			t.Errorf("%s: Referrer-Policy %q", path, policy)
		}
		for _, tag := range strings.Split(got.body, "<a ")[1:] {
			tag, _, _ = strings.Cut(tag, ">")
			if strings.Contains(tag, `href="http`) && !strings.Contains(tag, `href="`+w.server.URL) && !strings.Contains(tag, "noopener") && !strings.Contains(tag, "noreferrer") {
				t.Errorf("%s: a link to another site hands its window over: %s", path, tag)
			}
		}
		if strings.Contains(got.body, "referrerpolicy") {
			t.Errorf("%s has an element with a policy of its own", path)
		}
	}
}
