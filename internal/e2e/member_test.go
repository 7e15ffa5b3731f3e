package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"badgebridge/internal/testenv/wordpress"
	"badgebridge/openbadges/bake"
	"badgebridge/store"
)

// formOf finds the form of an act on the page, as a browser would send it.
func formOf(t *testing.T, page, act string) url.Values {
	t.Helper()
	for _, form := range strings.Split(page, "<form ")[1:] {
		form, _, _ = strings.Cut(form, "</form>")
		if !strings.Contains(form, `name="act" value="`+act+`"`) {
			continue
		}
		v := url.Values{"act": {act}}
		for _, m := range regexp.MustCompile(`name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(form, -1) {
			v.Set(m[1], m[2])
		}
		return v
	}
	t.Fatalf("there is no form to %s on\n%s", act, page)
	return nil
}

func readAll(t *testing.T, resp *http.Response, err error) string {
	t.Helper()
	must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	return string(body)
}

// The member never leaves the association's site, and never signs in twice.
func TestAMemberClaimsPublishesAndTakesABadgeOnTheAssociationsSite(t *testing.T) {
	site := &wordpressSite{Site: wordpress.Start(t, wordpress.Options{})}
	w := NewWorld(t, WorldOptions{Site: site})
	w.SetUp(t, map[string]string{"a_to_b": "on-claim"})
	user := site.CreateUser(t, "walker", ada, "Ada", "Example")
	site.CreateUser(t, "other", bo, "Bo", "Example")
	entry := site.Award(t, w.Badge, user)
	award := w.Offered(t, ada, 1)
	site.PHP(t, `wp_insert_post( array( 'post_type' => 'page', 'post_status' => 'publish', 'post_name' => 'my-badges', 'post_title' => 'My badges', 'post_content' => '[badgebridge_my_badges]' ) );
		wp_insert_post( array( 'post_type' => 'page', 'post_status' => 'publish', 'post_name' => 'wall', 'post_title' => 'Wall', 'post_content' => '<!-- wp:badgebridge/badge-wall /-->' ) );`)
	member := site.SignIn(t, "walker", "demo-pass")
	look := func(path string) string {
		resp, err := member.Get(site.BaseURL + path)
		return readAll(t, resp, err)
	}
	act := func(name string) string {
		resp, err := postFrom(member, site.BaseURL+"/wp-admin/admin-post.php", site.BaseURL+"/my-badges/", formOf(t, look("/my-badges/"), name))
		return readAll(t, resp, err)
	}

	promise(t, "the page is the member's own and nobody keeps it", func(t *testing.T) {
		resp, err := member.Get(site.BaseURL + "/my-badges/")
		page := readAll(t, resp, err)
		if !strings.Contains(page, "Open Practice &amp; more") || !strings.Contains(page, "Waits for you") {
			t.Fatalf("the page is\n%s", page)
		}
		if got := resp.Header.Get("Cache-Control"); !strings.Contains(got, "no-store") {
			t.Errorf("Cache-Control %q", got)
		}
		other := site.SignIn(t, "other", "demo-pass")
		resp, err = other.Get(site.BaseURL + "/my-badges/")
		if page := readAll(t, resp, err); strings.Contains(page, "Open Practice") {
			t.Error("another member sees it")
		}
		resp, err = postFrom(other, site.BaseURL+"/wp-admin/admin-post.php", site.BaseURL+"/my-badges/", formOf(t, look("/my-badges/"), "claim"))
		if readAll(t, resp, err); resp.StatusCode != http.StatusForbidden {
			t.Errorf("another member's claim answers %d", resp.StatusCode)
		}
	})
	promise(t, "claimed there, it is claimed here and goes to Credly once", func(t *testing.T) {
		if page := act("claim"); !strings.Contains(page, "The badge is claimed.") {
			t.Fatalf("after the claim:\n%s", page)
		}
		w.Pushed(t, award.ID, store.OpIssue, credlyName, store.PushDone)
		if n := len(w.AtCredly(ada)); n != 1 {
			t.Errorf("%d at Credly", n)
		}
	})
	promise(t, "published, everybody sees it, also on the site's wall", func(t *testing.T) {
		if page := act("publish"); !strings.Contains(page, "Claimed, public.") {
			t.Fatalf("after publishing:\n%s", page)
		}
		if p := Fetch(t, w.Gateway, "/b/"+award.ID, "text/html"); p.Status != http.StatusOK {
			t.Errorf("the public page answers %d", p.Status)
		}
		resp, err := http.Get(site.BaseURL + "/wall/")
		if page := readAll(t, resp, err); !strings.Contains(page, "Open Practice &amp; more") || !strings.Contains(page, "Verify") {
			t.Errorf("the wall is\n%s", page)
		}
	})
	promise(t, "the baked picture is downloaded", func(t *testing.T) {
		m := regexp.MustCompile(`href="([^"]+action=badgebridge_baked[^"]+)"`).FindStringSubmatch(look("/my-badges/"))
		if m == nil {
			t.Fatal("there is no download")
		}
		resp, err := member.Get(strings.NewReplacer("&#038;", "&", "&amp;", "&").Replace(m[1]))
		picture := readAll(t, resp, err)
		if _, err := bake.Unbake([]byte(picture)); err != nil {
			t.Errorf("%s: %v", resp.Header.Get("Content-Type"), err)
		}
	})
	promise(t, "the way to the gateway asks for no second login", func(t *testing.T) {
		m := regexp.MustCompile(`href="([^"]+/login/start/[^"]+)"`).FindStringSubmatch(look("/my-badges/"))
		if m == nil {
			t.Fatal("there is no way to the gateway")
		}
		client := *member
		client.Transport = Reach{w.Gateway}
		resp, err := client.Get(strings.NewReplacer("&#038;", "&", "&amp;", "&").Replace(m[1]))
		page := readAll(t, resp, err)
		if resp.StatusCode != http.StatusOK || !strings.HasSuffix(resp.Request.URL.Path, "/badges/"+award.ID) || !strings.Contains(page, "Open Practice &amp; more") {
			t.Errorf("it ends at %s with %d", resp.Request.URL, resp.StatusCode)
		}
	})
	promise(t, "with the gateway down the page shows what was last known", func(t *testing.T) {
		site.CutWebhooks(t, true)
		if page := look("/my-badges/"); !strings.Contains(page, "does not answer just now") || !strings.Contains(page, "Claimed, public.") {
			t.Errorf("the page is\n%s", page)
		}
		site.CutWebhooks(t, false)
		site.PHP(t, `delete_transient( 'badgebridge_away' );`)
	})
	promise(t, "hidden, nobody else sees it", func(t *testing.T) {
		act("hide")
		if p := Fetch(t, w.Gateway, "/b/"+award.ID, "text/html"); p.Status != http.StatusNotFound {
			t.Errorf("the public page answers %d", p.Status)
		}
	})
	promise(t, "revoked on the site, the page says so", func(t *testing.T) {
		site.Revoke(t, entry)
		Eventually(t, 30*time.Second, "it is revoked", func() error {
			a, err := w.DB.Award(t.Context(), award.ID)
			if err == nil && !a.Revoked {
				err = fmt.Errorf("%+v", a)
			}
			return err
		})
	})
}

func postFrom(c *http.Client, to, from string, form url.Values) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Referer", from)
	return c.Do(req)
}
