package e2e

import (
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"badgebridge/internal/testenv/chromium"
	"badgebridge/internal/testenv/wordpress"
	simcredly "badgebridge/sandbox/credly"
	"badgebridge/store"
	companion "badgebridge/wordpress"
)

// proxy stands before a site, as a web host's does, and can drop headers.
type proxy struct {
	*httptest.Server
	drops atomic.Pointer[[]string]
}

func startProxy(t testing.TB, site string) *proxy {
	t.Helper()
	to, err := url.Parse(site)
	must(t, err)
	p := &proxy{}
	p.Drop()
	p.Server = httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
		for name := range r.Out.Header {
			for _, drop := range *p.drops.Load() {
				if strings.HasPrefix(name, drop) {
					r.Out.Header.Del(name)
				}
			}
		}
	}})
	t.Cleanup(p.Close)
	return p
}

// Drop has the proxy drop the headers that begin with one of these from now on.
func (p *proxy) Drop(names ...string) { p.drops.Store(&names) }

// journey is an association with everything real but Credly, seen in a browser.
type journey struct {
	*World
	site  *wordpressSite
	proxy *proxy
	there visit // at the site
	here  visit // at the gateway
	name  string

	otherPort int // of another backpack
}

// forget makes the browser one that nobody has used.
func (j *journey) forget(t testing.TB) {
	t.Helper()
	_, err := chromedp.Call(j.there.ctx, network.ClearBrowserCookies, cdp.Empty{})
	must(t, err)
}

// signIn types name and password at the site: the only place where anybody does.
func (j *journey) signIn(t *testing.T, user, password string) {
	t.Helper()
	v := j.there.of(t)
	j.forget(t)
	v.open("/wp-login.php")
	v.fill(map[string]string{"log": user, "pwd": password})
	v.click("#wp-submit")
	v.waits("#wpadminbar")
	v.settled()
}

// of is the same person in another part of the test.
func (v visit) of(t *testing.T) visit { return visit{t, v.ctx, v.g} }

// looks says that nothing is wider than a phone, and takes pictures.
func (j *journey) looks(t *testing.T, name string) {
	t.Helper()
	v := j.there.of(t)
	for _, width := range []int64{1440, 390} {
		v.do(chromedp.EmulateViewport(width, 900))
		v.settled()
		if wide := v.eval(`String(document.documentElement.scrollWidth > document.documentElement.clientWidth)`); wide != "false" {
			t.Errorf("%s is wider than %d pixels", name, width)
		}
		chromium.Screenshot(t, v.ctx, fmt.Sprintf("wordpress-%s-%s-%d", j.name, name, width))
	}
	v.do(chromedp.EmulateViewport(1280, 900))
}

// looksInThemes is looks for a page of the site, in a theme made of blocks and in
// one of templates.
func (j *journey) looksInThemes(t *testing.T, name, path string) {
	t.Helper()
	for _, theme := range []string{wordpress.ClassicTheme, wordpress.BlockTheme} {
		j.site.UseTheme(t, theme)
		j.there.of(t).open(path)
		j.looks(t, name+"-"+theme)
	}
}

func TestAnAssociationInABrowser(t *testing.T) {
	for _, version := range []string{wordpress.V61, wordpress.V65} {
		t.Run("WordPress "+version, func(t *testing.T) {
			j := startJourney(t, version)
			j.install(t)
			j.connect(t)
			j.editsPages(t)
			j.sendsOn(t, j.member(t))
			j.visitor(t)
			j.selfTest(t)
			for _, p := range chromium.Problems(j.here.ctx) {
				if !strings.HasPrefix(p, "network:") {
					t.Errorf("the console says: %s", p)
				}
			}
		})
	}
}

func startJourney(t *testing.T, version string) *journey {
	t.Helper()
	site := &wordpressSite{Site: wordpress.Start(t, wordpress.Options{Version: version, NoPlugin: true})}
	port := FreePort(t)
	j := &journey{World: NewWorld(t, WorldOptions{Site: site, Env: map[string]string{"BADGEBRIDGE_LOOPBACK_HOSTS": fmt.Sprintf("127.0.0.1:%d", port)}}),
		site: site, proxy: startProxy(t, site.BaseURL), name: version, otherPort: port}
	site.SetHome(t, j.proxy.URL)
	site.BaseURL = j.proxy.URL
	ctx := chromium.StartFor(t, 6*time.Minute)
	j.here, j.there = visit{t, ctx, j.Gateway}, visit{t, ctx, &Gateway{URL: j.proxy.URL}}
	return j
}

// pluginZip is the archive that associations get.
func pluginZip(t *testing.T) string {
	t.Helper()
	release, err := companion.NewRelease()
	must(t, err)
	out := filepath.Join(t.TempDir(), "badgebridge-plugin.zip")
	must(t, os.WriteFile(out, release.Archive, 0o600))
	return out
}

func (j *journey) install(t *testing.T) {
	promise(t, "the plugin is installed from its archive in wp-admin", func(t *testing.T) {
		v := j.there.of(t)
		j.signIn(t, j.site.AdminUser, j.site.AdminPassword)
		v.open("/wp-admin/plugin-install.php?tab=upload")
		v.do(chromedp.SetUploadFiles(chromedp.CSS("#pluginzip"), []string{pluginZip(t)}), chromedp.Click(chromedp.CSS("#install-plugin-submit")))
		v.sees(false, "Plugin installed successfully.")
		v.press("Activate Plugin")
		v.sees(false, "Plugin activated.")
		v.open("/wp-admin/options-general.php?page=badgebridge")
		v.sees(false, "Pair with a gateway")
		j.looks(t, "settings-new")
	})
}

func (j *journey) connect(t *testing.T) {
	promise(t, "site and gateway are connected, asked at the site and agreed to at the gateway, and Credly is mapped", func(t *testing.T) {
		v, s := j.here.of(t), j.there.of(t)
		v.open(strings.TrimPrefix(j.Gateway.Link(), j.Gateway.URL))
		v.fill(map[string]string{
			"base_url": j.Gateway.URL, "issuer_name": "Demo Association", "issuer_url": "https://example.org", "issuer_email": "badges@example.org",
			"admin_email": alex, "given": "Alex", "family": "Admin",
			"smtp_host": j.Mail.Host, "smtp_port": fmt.Sprint(j.Mail.Port), "smtp_tls": "none", "smtp_from": "badges@example.org",
		})
		v.click("main form button")
		v.sees(false, "At a glance")
		j.Badge = j.badge(t, "Open Practice & more", 200)

		v.open("/admin/connect/wordpress")
		v.click("main form button")
		v.waits(".secret")
		j.looks(t, "connect-site-code")
		s.open("/wp-admin/options-general.php?page=badgebridge")
		s.fill(map[string]string{"gateway": j.Gateway.URL})
		s.click("#submit")
		v.sees(false, strings.TrimPrefix(j.proxy.URL, "http://")+" wants to be connected")
		j.looks(t, "connect-agree")
		v.press("Agree and go back")
		s.sees(false, "has agreed. Press Connect to confirm it for this site.")
		j.looks(t, "settings-agreed")
		s.click("#submit")
		s.sees(false, "The site is paired.", "Cut the pairing")
		j.looks(t, "settings-paired")
		remotes, err := j.DB.Remotes(t.Context())
		must(t, err)
		j.SiteName = remotes[0].Name
		j.Class = classOf(t, j.DB, j.SiteName)

		v.open("/admin/connect/credly")
		v.fill(map[string]string{"where": "custom", "organization": simcredly.DemoOrg, "token": simcredly.DemoToken})
		v.click("main form button")
		v.sees(false, "Token expires")
		j.looks(t, "credly-connected")
		j.Template = classOf(t, j.DB, credlyName)
		v.open("/admin/mappings/new?a=" + url.QueryEscape(j.Class.ID) + "&b=" + url.QueryEscape(j.Template.ID))
		v.fill(map[string]string{"a_to_b": "on-claim"})
		v.press("Show what would happen")
		v.click(`form[action="/admin/mappings"] button`)
		v.sees(false, "The mapping is saved.")
	})
}

// badge makes a badge with a picture: a hexagon of some hue.
func (j *journey) badge(t *testing.T, title string, hue int) int64 {
	t.Helper()
	id := j.site.CreateBadge(t, title)
	j.site.PHP(t, fmt.Sprintf(`$picture = imagecreatetruecolor( 400, 400 );
		imagesavealpha( $picture, true );
		imagefill( $picture, 0, 0, imagecolorallocatealpha( $picture, 0, 0, 0, 127 ) );
		$corners = array();
		for ( $i = 0; $i < 6; $i++ ) { array_push( $corners, 200 + 190 * cos( $i * M_PI / 3 ), 200 + 190 * sin( $i * M_PI / 3 ) ); }
		imagefilledpolygon( $picture, $corners, imagecolorallocate( $picture, %[1]d, 90, 160 ) );
		imagefilledellipse( $picture, 200, 200, 160, 160, imagecolorallocate( $picture, 250, 240, 220 ) );
		ob_start();
		imagepng( $picture );
		$file = wp_upload_bits( 'badge-%[2]d.png', null, ob_get_clean() );
		$image = wp_insert_attachment( array( 'post_mime_type' => 'image/png', 'post_title' => 'Badge', 'post_status' => 'inherit' ), $file['file'], %[2]d );
		wp_update_attachment_metadata( $image, wp_generate_attachment_metadata( $image, $file['file'] ) );
		set_post_thumbnail( %[2]d, $image );`, hue, id))
	return id
}

// editsPages makes the pages in the block editor, as an association does.
func (j *journey) editsPages(t *testing.T) {
	promise(t, "the blocks are put into pages with the block editor", func(t *testing.T) {
		j.edit(t, "My badges", "badgebridge/my-badges", `{}`, "You have no badges yet.")
		j.edit(t, "Wall", "badgebridge/badge-wall", `{}`, "No badges are shown here yet.")
		j.edit(t, "One", "badgebridge/badge", `{entry: 1}`, "This badge is not public.")
	})
}

// edit makes a page of one block and publishes it. The editor has to show what the
// server makes of the block, and nothing that can be pressed.
func (j *journey) edit(t *testing.T, title, block, attributes, shown string) {
	t.Helper()
	v := j.there.of(t)
	v.open("/wp-admin/post-new.php?post_type=page")
	Eventually(t, 40*time.Second, "the editor knows the block", func() error {
		if v.eval(fmt.Sprintf(`String(!!(window.wp && wp.blocks && wp.blocks.getBlockType(%q) && wp.data.select("core/editor").getCurrentPostId()))`, block)) != "true" {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	v.eval(fmt.Sprintf(`(() => {
		const guide = wp.data.dispatch("core/edit-post");
		if (wp.data.select("core/edit-post").isFeatureActive("welcomeGuide")) { guide.toggleFeature("welcomeGuide"); }
		const block = wp.blocks.createBlock(%q, %s);
		wp.data.dispatch("core/block-editor").insertBlocks([block]);
		wp.data.dispatch("core/editor").editPost({ title: %q });
		wp.data.dispatch("core/block-editor").selectBlock(block.clientId);
		return "";
	})()`, block, attributes, title))
	inEditor := fmt.Sprintf(`(() => {
		const frame = document.querySelector("iframe[name=editor-canvas]");
		const at = (frame ? frame.contentDocument : document).querySelector('[data-type=%q]');
		return at ? at.innerText : "no block";
	})()`, block)
	Eventually(t, 40*time.Second, "the editor shows the block", func() error {
		if text := v.eval(inEditor); !strings.Contains(text, shown) {
			return fmt.Errorf("it shows %q", text)
		}
		return nil
	})
	if attributes != "{}" {
		v.sees(false, "The number of the award")
	}
	chromium.Screenshot(t, v.ctx, fmt.Sprintf("wordpress-%s-editor-%s", j.name, strings.ReplaceAll(block, "/", "-")))
	v.eval(`(wp.data.dispatch("core/editor").editPost({ status: "publish" }), wp.data.dispatch("core/editor").savePost(), "")`)
	Eventually(t, 40*time.Second, "the page is published", func() error {
		if v.eval(`String(wp.data.select("core/editor").isCurrentPostPublished() && !wp.data.select("core/editor").isEditedPostDirty())`) != "true" {
			return fmt.Errorf("not yet")
		}
		return nil
	})
}

// member claims one badge, and returns the site's records of it and of another
// that waits.
func (j *journey) member(t *testing.T) (entries []int64) {
	var award store.Award
	promise(t, "a member claims, publishes and sends a badge without a second login", func(t *testing.T) {
		user := j.site.CreateUser(t, "walker", ada, "Ada", "Example")
		other := int64(0)
		for _, title := range []string{"Ten Miles", "Helper of the Year with a very long name indeed, longer than a card is wide"} {
			other = j.site.Award(t, j.badge(t, title, 40), user)
		}
		entry := j.site.Award(t, j.Badge, user)
		entries = []int64{entry, other}
		Eventually(t, 40*time.Second, "the gateway knows the awards", func() error {
			all, err := j.DB.AwardsFor(t.Context(), ada, 10)
			if err == nil && len(all) != 3 {
				err = fmt.Errorf("%d awards", len(all))
			}
			for _, a := range all {
				if a.ClassID == j.Class.ID {
					award = a
				}
			}
			return err
		})
		v, card := j.there.of(t), fmt.Sprintf("#badgebridge-%d ", entry)
		j.signIn(t, "walker", "demo-pass")
		v.open("/my-badges/")
		v.sees(false, "Open Practice & more", "Waits for you", "Ten Miles")
		j.looksInThemes(t, "my-badges-offered", "/my-badges/")
		v.click(card + `button[value="claim"]`)
		v.sees(false, "The badge is claimed.")
		j.Pushed(t, award.ID, store.OpIssue, credlyName, store.PushDone)
		if n := len(j.AtCredly(ada)); n != 1 {
			t.Errorf("%d at Credly", n)
		}
		v.open("/my-badges/")
		v.sees(true, "Credly: There")
		v.click(card + `button[value="publish"]`)
		v.sees(false, "The badge is public now.", "Claimed, public.")
		j.looksInThemes(t, "my-badges", "/my-badges/")
	})
	promise(t, "the way to the gateway asks for nothing, also where a proxy strips Authorization", func(t *testing.T) {
		v := j.there.of(t)
		j.proxy.Drop("Authorization")
		defer j.proxy.Drop()
		v.open("/my-badges/")
		v.press("Send to Credly or another backpack")
		v.waits(`form[action="/logout"]`)
		v.settled()
		if at := v.eval("location.href"); at != j.Gateway.URL+"/badges/"+award.ID && !strings.HasPrefix(at, j.Gateway.URL+"/badges/"+award.ID+"#") {
			t.Errorf("it leads to %s", at)
		}
		v.sees(false, "Open Practice & more", "Credly")
	})
	return entries
}

func (j *journey) visitor(t *testing.T) {
	promise(t, "a visitor sees what is public, and nothing of the member's own page", func(t *testing.T) {
		v := j.there.of(t)
		j.forget(t)
		v.open("/my-badges/")
		v.sees(false, "Sign in to see your badges.")
		if strings.Contains(v.text(), "Open Practice") {
			t.Error("a visitor sees the member's badges")
		}
		j.looksInThemes(t, "wall", "/wall/")
		v.sees(false, "Open Practice & more", "Ada Example")
		if strings.Contains(v.text(), "Ten Miles") {
			t.Error("the wall shows a private badge")
		}
		j.site.PHP(t, `foreach ( get_posts( array( 'post_type' => 'page', 'name' => 'one' ) ) as $page ) {
			wp_update_post( array( 'ID' => $page->ID, 'post_content' => '<!-- wp:badgebridge/badge {"entry":3} /-->' ) ); }`)
		j.looksInThemes(t, "badge", "/one/")
		v.click(".badgebridge-verify")
		// The gateway of this test is at an address that it would not fetch itself.
		v.sees(false, "Verify a badge")
		if at, filled := v.eval("location.origin"), v.eval(`document.querySelector("#input").value`); at != j.Gateway.URL || !strings.HasPrefix(filled, j.Gateway.URL+"/b/") {
			t.Errorf("to verify %q at %s", filled, at)
		}
		v.open("/one/")
		v.press("Show")
		v.sees(false, "Genuine", "Open Practice & more")
	})
}

func (j *journey) selfTest(t *testing.T) {
	const page = "/wp-admin/options-general.php?page=badgebridge&self-test=1"
	run := func(t *testing.T) string {
		t.Helper()
		j.there.of(t).open(page)
		return strings.Join(strings.Fields(j.there.of(t).eval(`document.querySelector(".badgebridge-self-test").innerText`)), " ")
	}
	promise(t, "the self-test is green on a healthy site", func(t *testing.T) {
		j.signIn(t, j.site.AdminUser, j.site.AdminPassword)
		if said := run(t); strings.Contains(said, "✗") || strings.Count(said, "✓") < 12 {
			t.Errorf("it says:\n%s", said)
		}
		j.looks(t, "self-test")
	})
	promise(t, "behind a proxy that strips headers it names the cure", func(t *testing.T) {
		j.proxy.Drop("Badgebridge-", "Authorization")
		defer j.proxy.Drop()
		if said := run(t); !strings.Contains(said, "✗ To mend: Signature headers arrive") || !strings.Contains(said, "Have it pass them on") {
			t.Errorf("it says:\n%s", said)
		}
		j.looks(t, "self-test-headers")
	})
	promise(t, "with a wrong clock it names the cure", func(t *testing.T) {
		j.site.SetClock(t, 20*time.Minute)
		if said := run(t); !strings.Contains(said, "✗ To mend: The clock is right") || !strings.Contains(said, "seconds off the gateway") || !strings.Contains(said, "NTP") {
			t.Errorf("it says:\n%s", said)
		}
		j.looks(t, "self-test-clock")
		j.site.SetClock(t, 0)
		if said := run(t); strings.Contains(said, "✗") {
			t.Errorf("set right it says:\n%s", said)
		}
	})
}
