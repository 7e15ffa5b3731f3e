//go:build oldbadgeos

package e2e

import (
	"fmt"
	"html"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"badgebridge/internal/testenv/wordpress"
	simcredly "badgebridge/sandbox/credly"
	"badgebridge/store"
)

var shownOnce = regexp.MustCompile(`<input id="(email|password)" readonly value="([^"]*)"`)

// TestTheRealOldBadgeOSIssuesThroughTheGateway is for a real BadgeOS of before
// 3.6.7, which BADGEOS_DIR names; it is no part of the repository.
func TestTheRealOldBadgeOSIssuesThroughTheGateway(t *testing.T) {
	w := NewWorld(t, WorldOptions{Site: StartSimulatedSite(t)})
	w.Admin.SetUp(t, w.Gateway, w.Mail, alex)
	w.Admin.Must(t, "/admin/connect/credly")
	w.Admin.Press(t, "/admin/connect/credly", map[string]string{"where": "custom", "organization": simcredly.DemoOrg, "token": simcredly.DemoToken})
	w.Template = classOf(t, w.DB, credlyName)

	w.Admin.Must(t, "/admin/connect/old-credly")
	page := w.Admin.Press(t, "/admin/connect/old-credly", map[string]string{"site": "http://old.example.org"})
	account := map[string]string{}
	for _, m := range shownOnce.FindAllStringSubmatch(string(page.Body), -1) {
		account[m[1]] = html.UnescapeString(m[2])
	}

	site := wordpress.Start(t, wordpress.Options{NoPlugin: true, NoProvider: true})
	site.PHP(t, fmt.Sprintf(`wp_mkdir_p( WPMU_PLUGIN_DIR );
		file_put_contents( WPMU_PLUGIN_DIR . '/gateway.php', "<?php
			define( 'BADGEOS_CREDLY_API_URL', %s );
			add_filter( 'badgeos_default_achievement_post_thumbnail', '__return_empty_string' );
			add_action( 'http_api_debug', function ( \$r, \$c, \$t, \$args, \$url ) {
				if ( false !== strpos( \$url, '/legacy/credly/' ) ) {
					file_put_contents( WP_CONTENT_DIR . '/asked.log', \$args['method'] . ' ' . strtok( \$url, '?' ) . ' ' . ( is_wp_error( \$r ) ? \$r->get_error_message() : \$r['response']['code'] . ' ' . \$r['body'] ) . PHP_EOL, FILE_APPEND );
				}
			}, 10, 5 );" );`, strings.ReplaceAll(fmt.Sprintf("'%s/legacy/credly/v0.2/'", w.Gateway.URL), `"`, ``)))
	site.AddProvider(t, wordpress.BadgeOS, os.Getenv("BADGEOS_DIR"))
	t.Cleanup(func() {
		t.Log(site.PHP(t, `echo @file_get_contents( WP_CONTENT_DIR . '/asked.log' );`))
	})

	key := site.PHP(t, fmt.Sprintf(`require_once ABSPATH . 'wp-admin/includes/admin.php';
		wp_set_current_user( 1 );
		echo badgeos_credly_get_api_key( '%s', '%s' );`, account["email"], account["password"]))
	if len(key) < 32 {
		t.Fatalf("the site's key is %q", key)
	}
	site.PHP(t, fmt.Sprintf(`update_option( 'credly_settings', array( 'api_key' => '%s', 'credly_enable' => 'true' ) );`, key))

	badge := site.CreateBadge(t, "Old Pathfinder")
	save := func() int64 {
		out := site.PHP(t, fmt.Sprintf(`require_once ABSPATH . 'wp-admin/includes/admin.php';
			wp_set_current_user( 1 );
			$up = wp_upload_dir(); $file = $up['path'] . '/seal.png';
			if ( ! has_post_thumbnail( %[1]d ) ) {
				$img = imagecreatetruecolor( 60, 60 ); imagepng( $img, $file );
				$at = wp_insert_attachment( array( 'post_mime_type' => 'image/png', 'post_title' => 'Seal', 'post_status' => 'inherit' ), $file, %[1]d );
				set_post_thumbnail( %[1]d, $at );
			}
			$_POST = array( 'credly_details_nonce' => wp_create_nonce( 'credly_details' ), '_badgeos_send_to_credly' => '1', '_badgeos_credly_include_evidence' => '1',
				'_badgeos_credly_enable_notification' => '1', '_badgeos_credly_include_testimonial' => '1', '_badgeos_credly_expiration' => '0', '_badgeos_credly_is_giveable' => '1', '_badgeos_credly_badge_id' => get_post_meta( %[1]d, '_badgeos_credly_badge_id', true ) );
			$c = new BadgeOS_Credly(); $c->badge_metabox_save( %[1]d );
			echo get_post_meta( %[1]d, '_badgeos_credly_badge_id', true );`, badge))
		n, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
		if err != nil {
			t.Fatalf("the badge's number is %q", out)
		}
		return n
	}
	number := save()
	if again := save(); again != number {
		t.Errorf("saved again the number is %d, it was %d", again, number)
	}
	remotes, err := w.DB.Remotes(t.Context())
	must(t, err)
	var class store.Class
	for _, r := range remotes {
		if r.Kind == "old-credly" {
			class = classOf(t, w.DB, r.Name)
		}
	}
	if class.Content.Name != "Old Pathfinder" || class.ImageSHA == "" {
		t.Fatalf("%+v", class)
	}
	w.Admin.Map(t, class.ID, w.Template.ID, map[string]string{"a_to_b": string(store.AtOnce)})

	user := site.CreateUser(t, "ada", ada, "Ada", "Example")
	site.Award(t, badge, user)
	for range 5 {
		out := site.PHP(t, fmt.Sprintf(`wp_set_current_user( %[1]d ); $c = new BadgeOS_Credly(); $done = $c->post_credly_user_badge( %[1]d, %[2]d ); echo $done ? 'sent' : 'failed';`, user, badge))
		if strings.TrimSpace(out) != "sent" {
			t.Fatalf("BadgeOS takes the answer for %q", out)
		}
	}
	award := w.Offered(t, ada, 1)
	w.Pushed(t, award.ID, store.OpIssue, credlyName, store.PushDone)
	if got := w.AtCredly(ada); len(got) != 1 {
		t.Errorf("there are %d badges at Credly", len(got))
	}
}
