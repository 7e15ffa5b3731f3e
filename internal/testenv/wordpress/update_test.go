//go:build unix

package wordpress

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	companion "badgebridge/wordpress"
)

// A paired site sees a newer plugin at its gateway and installs it as any other update.
func TestASiteUpdatesThePluginFromItsGateway(t *testing.T) {
	release, err := companion.NewRelease()
	if err != nil {
		t.Fatal(err)
	}
	s := Start(t, Options{})
	gateway := newStub(t)
	news := map[string]string{"version": release.Version, "requires": release.Requires, "requires_php": release.RequiresPHP, "tested": release.Tested,
		"sha256": release.SHA256, "changelog": "= " + release.Version + " =\n* <script>alert(1)</script> & more"}
	archive := release.Archive
	gateway.serve("/api/v1/site/plugin.json", func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(news) })
	gateway.serve("/api/v1/site/plugin.zip", func(w http.ResponseWriter, _ *http.Request) { w.Write(archive) })

	// The site has an older one. WordPress asks its own directory first; here that has nothing.
	main := s.dir + "/site/wp-content/plugins/badgebridge/badgebridge.php"
	text, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	older := strings.NewReplacer("* Version:           "+release.Version, "* Version:           0.0.1", "'"+release.Version+"'", "'0.0.1'").Replace(string(text))
	if err := os.WriteFile(main, []byte(older), 0o644); err != nil {
		t.Fatal(err)
	}
	directory := `<?php add_filter( 'pre_http_request', function ( $done, $args, $url ) {
		return 'api.wordpress.org' !== wp_parse_url( $url, PHP_URL_HOST ) ? $done
			: array( 'headers' => array(), 'body' => '{"plugins":[],"translations":[],"no_update":[]}', 'response' => array( 'code' => 200, 'message' => 'OK' ), 'cookies' => array(), 'filename' => null );
	}, 10, 3 );`
	if err := os.WriteFile(s.dir+"/site/wp-content/mu-plugins/directory.php", []byte(directory), 0o644); err != nil {
		t.Fatal(err)
	}
	offered := func() string {
		return s.PHP(t, `require_once ABSPATH . 'wp-admin/includes/update.php'; wp_clean_plugins_cache(); wp_update_plugins();
			$updates = get_site_transient( 'update_plugins' );
			echo $updates->response['badgebridge/badgebridge.php']->new_version ?? 'none';`)
	}
	// As the button "Update now" does it.
	admin := signIn(t, s, s.AdminUser, s.AdminPassword)
	update := func() string {
		nonce := regexp.MustCompile(`"ajax_nonce":"(\w+)"`).FindStringSubmatch(admin.get(t, "/wp-admin/plugins.php"))
		if nonce == nil {
			t.Fatal("there is no button to update with")
		}
		return admin.post(t, "/wp-admin/admin-ajax.php", url.Values{"action": {"update-plugin"}, "slug": {"badgebridge"}, "plugin": {"badgebridge/badgebridge.php"}, "_ajax_nonce": {nonce[1]}})
	}
	installed := func() string {
		return s.PHP(t, `echo get_file_data( WP_PLUGIN_DIR . '/badgebridge/badgebridge.php', array( 'v' => 'Version' ) )['v'];`)
	}

	t.Run("without a pairing nothing is offered", func(t *testing.T) {
		if got := offered(); got != "none" {
			t.Errorf("offered %s", got)
		}
	})
	if err := s.Pair(t, gateway.URL, "ONE-TIME"); err != nil {
		t.Fatal(err)
	}
	t.Run("the newer version is offered, on the page of the plugins, too", func(t *testing.T) {
		if got := offered(); got != release.Version {
			t.Fatalf("offered %s", got)
		}
		page := admin.get(t, "/wp-admin/plugins.php")
		if !strings.Contains(page, "There is a new version of Badgebridge available") {
			t.Error("the page of the plugins does not say so")
		}
		about := admin.get(t, "/wp-admin/plugin-install.php?tab=plugin-information&plugin=badgebridge&section=changelog")
		if !strings.Contains(about, "&amp; more") || strings.Contains(about, "<script>alert(1)") {
			t.Errorf("the details are\n%s", about)
		}
	})
	t.Run("a switch has none offered", func(t *testing.T) {
		off := s.dir + "/site/wp-content/mu-plugins/off.php"
		if err := os.WriteFile(off, []byte(`<?php add_filter( 'badgebridge_updates', '__return_false' );`), 0o644); err != nil {
			t.Fatal(err)
		}
		defer os.Remove(off)
		if got := offered(); got != "none" {
			t.Errorf("offered %s", got)
		}
	})
	t.Run("what is not the named archive is not installed", func(t *testing.T) {
		offered()
		archive = append([]byte{}, release.Archive...)
		archive[len(archive)/2] ^= 1
		got := update()
		archive = release.Archive
		if !strings.Contains(got, "Nothing was installed") || installed() != "0.0.1" {
			t.Errorf("it answers %s, and %s is installed", got, installed())
		}
	})
	t.Run("nonsense for news offers nothing", func(t *testing.T) {
		good := news["version"]
		for _, version := range []string{"", "newest", "1.0;rm", "9.9'"} {
			news["version"] = version
			if got := offered(); got != "none" {
				t.Errorf("%q: offered %s", version, got)
			}
		}
		news["version"] = good
	})
	t.Run("it is installed and goes on", func(t *testing.T) {
		offered()
		if got := update(); !strings.Contains(got, `"success":true`) {
			t.Fatalf("it answers %s", got)
		}
		if got := installed(); got != release.Version {
			t.Errorf("%s is installed", got)
		}
		if got := offered(); got != "none" {
			t.Errorf("still offered %s", got)
		}
		if got := s.PHP(t, `echo json_encode( array( BADGEBRIDGE_VERSION, is_plugin_active( 'badgebridge/badgebridge.php' ), null !== badgebridge()->pairing()->current() ) );`); got != fmt.Sprintf(`[%q,true,true]`, release.Version) {
			t.Errorf("after the update: %s", got)
		}
	})
}
