//go:build unix

package wordpress

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// These are promises of the plugin past the contract: what it makes of BadgeOS's
// peculiarities, and of its own crashes. They run against the double, and against the real
// BadgeOS where BADGEOS_DIR names it.
func onEach(t *testing.T, test func(*testing.T, *Site)) {
	t.Run("with the double", func(t *testing.T) { test(t, Start(t, Options{})) })
	if dir := os.Getenv("BADGEOS_DIR"); dir != "" {
		t.Run("with BadgeOS", func(t *testing.T) { test(t, Start(t, Options{ProviderDir: dir})) })
	}
}

// stub is a gateway that pairs with everyone and notes what it is told.
type stub struct {
	*httptest.Server
	mu    sync.Mutex
	kinds []string
	other map[string]http.HandlerFunc
}

// serve has another path answered.
func (s *stub) serve(path string, h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.other[path] = h
}

func newStub(t *testing.T) *stub {
	s := &stub{other: map[string]http.HandlerFunc{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if h := s.other[r.URL.Path]; h != nil {
			h(w, r)
			return
		}
		if r.URL.Path == "/api/v1/pair" {
			json.NewEncoder(w).Encode(map[string]string{"remote": "demo", "key_id": "demo-key", "secret": "demo-secret-demo-secret",
				"webhook_url": s.URL + "/hook"})
			return
		}
		var e struct {
			Kind string `json:"kind"`
		}
		json.NewDecoder(r.Body).Decode(&e)
		s.kinds = append(s.kinds, e.Kind)
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *stub) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	kinds := s.kinds
	s.kinds = nil
	return kinds
}

// award gives the plugin's document of an entry, decoded; nil where there is none.
func award(t *testing.T, s *Site, entry int64) map[string]any {
	t.Helper()
	out := s.PHP(t, fmt.Sprintf(`$rows = badgebridge()->provider()->awards_by_id( array( %d ) );
		echo json_encode( $rows ? badgebridge()->documents()->awards( $rows )[ %d ] : null );`, entry, entry))
	var doc map[string]any
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return doc
}

// feed gives the kinds of changes about an entry, oldest first.
func feed(t *testing.T, s *Site, entry int64) string {
	t.Helper()
	return s.PHP(t, fmt.Sprintf(`global $wpdb;
		echo implode( ' ', $wpdb->get_col( "SELECT kind FROM {$wpdb->prefix}badgebridge_changes WHERE entry_id = %d ORDER BY seq" ) );`, entry))
}

func TestThePluginAndBadgeOS(t *testing.T) {
	onEach(t, func(t *testing.T, s *Site) {
		badge := s.CreateBadge(t, `Star & Co "Helper"`)
		user := s.CreateUser(t, "walker", "walker@example.org", "Wanda", "Walker")

		t.Run("listening does not change which entry BadgeOS believes it has made", func(t *testing.T) {
			// Else the numbers of entries and of changes would be the same.
			s.AwardSilently(t, badge, user)
			s.AwardSilently(t, badge, user)
			out := s.PHP(t, fmt.Sprintf(`$said = array();
				add_action( 'badgeos_achievements_new_added', function ( $type, $badge, $user, $id ) use ( &$said ) { $said[] = (int) $id; }, 1, 4 );
				add_action( 'badgeos_award_achievement', function ( $u, $b, $t, $s, $a, $entry ) use ( &$said ) { $said[] = (int) $entry; }, 1, 6 );
				badgeos_award_achievement_to_user( %d, %d );
				echo json_encode( $said );`, badge, user))
			var said []int64
			if json.Unmarshal([]byte(out), &said) != nil || len(said) != 2 || said[0] != said[1] {
				t.Errorf("entry ids: %s", out)
			}
		})

		t.Run("steps are no awards", func(t *testing.T) {
			step := addStep(t, s, badge)
			out := s.PHP(t, fmt.Sprintf(`badgeos_award_achievement_to_user( %d, %d );`, step, user))
			rows := s.Awards(t)
			entry := rows[len(rows)-1].EntryID
			if rows[len(rows)-1].PostType != "step" {
				t.Fatalf("no step was awarded: %+v %s", rows, out)
			}
			if doc := award(t, s, entry); doc != nil {
				t.Errorf("the step is an award: %v", doc)
			}
			if kinds := feed(t, s, entry); kinds != "" {
				t.Errorf("the step is in the feed: %s", kinds)
			}
			ids := s.PHP(t, `echo json_encode( badgebridge()->provider()->badge_ids( 0, 100 ) );`)
			if strings.Contains(ids, fmt.Sprint(step)) || !strings.Contains(ids, fmt.Sprint(badge)) {
				t.Errorf("badges: %s, where %d is a step", ids, step)
			}
			criteria := s.PHP(t, fmt.Sprintf(`echo badgebridge()->documents()->badge( %d )['criteria'];`, badge))
			if criteria != `- Walk \*ten\* miles` {
				t.Errorf("criteria: %q", criteria)
			}
		})

		t.Run("revoking takes the badge's steps back too", func(t *testing.T) {
			stepped := s.CreateBadge(t, "Ten miles")
			step := addStep(t, s, stepped)
			out := s.PHP(t, fmt.Sprintf(`global $wpdb;
				badgeos_award_achievement_to_user( %d, %d );
				badgeos_award_achievement_to_user( %d, %d );
				$rows = array_values( array_filter( badgebridge()->provider()->awards_of( %d, 50 ), function ( $r ) { return %d === $r->badge_id; } ) );
				foreach ( $rows as $row ) {
					badgebridge()->awarding()->revoke( $row->entry_id, $row->fingerprint(), 'test' );
				}
				echo count( $rows ), ' ', $wpdb->get_var( 'SELECT COUNT(*) FROM ' . $wpdb->prefix . 'badgeos_achievements WHERE ID IN ( %d, %d )' );`,
				step, user, stepped, user, user, stepped, step, stepped))
			if !regexp.MustCompile(`^[12] 0$`).MatchString(out) {
				t.Errorf("revoked and left: %s", out)
			}
		})

		t.Run("dates are the site's wall clock, except those that an upgrade carried over", func(t *testing.T) {
			entry := s.AwardSilently(t, badge, user)
			s.SQL(t, fmt.Sprintf("UPDATE wp_badgeos_achievements SET date_earned='2026-07-01 12:00:00' WHERE entry_id=%d;", entry))
			if got := award(t, s, entry)["issued_on"]; got != "2026-07-01T16:00:00Z" {
				t.Errorf("issued on %v", got)
			}
			s.SQL(t, fmt.Sprintf("UPDATE wp_badgeos_achievements SET rec_type='normal_old' WHERE entry_id=%d;", entry))
			if got := award(t, s, entry)["issued_on"]; got != "2026-07-01T12:00:00Z" {
				t.Errorf("issued on %v", got)
			}
		})

		t.Run("a deleted badge keeps its name on its awards", func(t *testing.T) {
			lost := s.CreateBadge(t, `Old & "Gone"`)
			entry := s.Award(t, lost, user)
			s.PHP(t, fmt.Sprintf(`wp_delete_post( %d, true );`, lost))
			doc := award(t, s, entry)
			if title := doc["badge"].(map[string]any)["title"]; title != "Old & “Gone”" {
				t.Errorf("title %q", title)
			}
		})

		t.Run("a badge's term becomes the award's end", func(t *testing.T) {
			dated := s.CreateBadge(t, "First aid")
			entry := s.AwardSilently(t, dated, user)
			s.SQL(t, fmt.Sprintf("UPDATE wp_badgeos_achievements SET date_earned='2024-02-29 12:00:00' WHERE entry_id=%d;", entry))
			s.PHP(t, fmt.Sprintf(`update_post_meta( %d, '_open_badge_expiration', '2' ); update_post_meta( %d, '_open_badge_expiration_type', 'Year' );`, dated, dated))
			if got := award(t, s, entry)["expires_on"]; got != "2026-03-01T17:00:00Z" {
				t.Errorf("expires on %v", got)
			}
		})

		t.Run("points lost are no revocation", func(t *testing.T) {
			entry := s.Award(t, badge, user)
			s.PHP(t, fmt.Sprintf(`global $wpdb;
				do_action( 'badgeos_before_revoke_achievement_from_point_deduct', '%d', %d, '%d' );
				$wpdb->delete( $wpdb->prefix . 'badgeos_achievements', array( 'entry_id' => %d ) );
				do_action( 'badgeos_after_revoke_achievement_from_point_deduct', '%d', %d, '%d' );`, user, badge, entry, entry, user, badge, entry))
			if kinds := feed(t, s, entry); kinds != "granted deleted" {
				t.Errorf("feed: %s", kinds)
			}
		})

		t.Run("BadgeOS's own revoke, which leaves the row, leaves no tombstone", func(t *testing.T) {
			entry := s.Award(t, badge, user)
			s.PHP(t, fmt.Sprintf(`badgeos_revoke_achievement_from_user( %d, %d, %d );`, entry, badge, user))
			if kinds := feed(t, s, entry); kinds != "granted" || award(t, s, entry) == nil {
				t.Errorf("feed: %s", kinds)
			}
		})

		t.Run("one request can grant a badge to several members", func(t *testing.T) {
			s.CreateUser(t, "second", "second@example.org", "Second", "Member")
			out := s.PHP(t, fmt.Sprintf(`$made = array();
				foreach ( array( 'walker', 'second', 'walker' ) as $i => $login ) {
					list( $row, $new ) = badgebridge()->awarding()->grant( 'one-request-key-' . $i, %d, $login . '@example.org', 1700000000, '' );
					$made[ $row->entry_id ] = $new;
				}
				echo json_encode( array_values( $made ) );`, badge))
			if out != "[true,true,true]" {
				t.Errorf("made: %s", out)
			}
		})

		t.Run("a grant whose request died is found again by its key", func(t *testing.T) {
			out := s.PHP(t, fmt.Sprintf(`global $wpdb;
				$key = 'key-of-a-grant-that-died';
				badgebridge()->grants()->begin( $key, %d, %d, 1700000000, '' );
				$row = badgebridge()->provider()->grant( %d, %d, 1700000000, \Badgebridge\Grants::mark( $key ) );
				list( $again, $new ) = badgebridge()->awarding()->grant( $key, %d, 'walker@example.org', 1700000000, '' );
				echo json_encode( array( $row->entry_id === $again->entry_id, $new, badgebridge()->awarding()->by_key( $key )->entry_id === $row->entry_id ) );`,
				badge, user, badge, user, badge))
			if out != "[true,false,true]" {
				t.Errorf("same award, made now, by key: %s", out)
			}
			out = s.PHP(t, fmt.Sprintf(`$key = 'key-of-a-grant-that-died-early';
				badgebridge()->grants()->begin( $key, %d, %d, 1700000000, '' );
				echo json_encode( badgebridge()->awarding()->grant( $key, %d, 'walker@example.org', 1700000000, '' )[1] );`, badge, user, badge))
			if out != "true" {
				t.Errorf("made now: %s", out)
			}
		})
	})
}

// addStep makes a step that leads to the badge.
func addStep(t *testing.T, s *Site, badge int64) int64 {
	t.Helper()
	return s.number(t, fmt.Sprintf(`global $wpdb;
		remove_action( 'save_post', 'badgeos_achievement_set_default_thumbnail' );
		$step = wp_insert_post( array( 'post_type' => 'step', 'post_status' => 'publish', 'post_title' => 'Walk *ten* miles' ) );
		update_post_meta( $step, '_badgeos_trigger_type', 'wp_login' );
		update_post_meta( $step, '_badgeos_count', 1 );
		update_post_meta( %d, '_badgeos_earned_by', 'triggers' );
		$wpdb->insert( $wpdb->prefix . 'p2p', array( 'p2p_from' => $step, 'p2p_to' => %d, 'p2p_type' => 'step-to-badges' ) );
		$wpdb->insert( $wpdb->prefix . 'p2pmeta', array( 'p2p_id' => $wpdb->insert_id, 'meta_key' => 'order', 'meta_value' => 0 ) );
		echo $step;`, badge, badge))
}

func TestThePluginOnASite(t *testing.T) {
	onEach(t, func(t *testing.T, s *Site) {
		gateway := newStub(t)
		browser := signIn(t, s, s.AdminUser, s.AdminPassword)

		t.Run("an administrator pairs on the settings page", func(t *testing.T) {
			page := browser.get(t, "/wp-admin/options-general.php?page=badgebridge")
			if !strings.Contains(page, "Pair with a gateway") {
				t.Fatalf("the settings page is\n%s", page)
			}
			after := browser.post(t, "/wp-admin/admin-post.php", url.Values{"action": {"badgebridge_pair"}, "_wpnonce": {nonceIn(t, page, "badgebridge_pair")},
				"gateway": {"http://gateway.example.org"}, "code": {"ONE-TIME"}})
			if !strings.Contains(after, "has to begin with https://") {
				t.Error("an address without TLS is not refused in words")
			}
			after = browser.post(t, "/wp-admin/admin-post.php", url.Values{"action": {"badgebridge_pair"}, "_wpnonce": {nonceIn(t, page, "badgebridge_pair")},
				"gateway": {gateway.URL}, "code": {" ONE-TIME "}})
			if !strings.Contains(after, "The site is paired.") || !strings.Contains(after, "Cut the pairing") {
				t.Errorf("after pairing:\n%s", after)
			}
			if strings.Contains(after, "demo-secret") {
				t.Error("the page shows the secret")
			}
		})

		t.Run("what the old Credly left is listed, and only that", func(t *testing.T) {
			sent, other := s.CreateBadge(t, "Was sent"), s.CreateBadge(t, "Was not sent")
			agreed, refused := s.CreateUser(t, "agreed", "agreed@example.org", "Ag", "Reed"), s.CreateUser(t, "refused", "refused@example.org", "Re", "Fused")
			out := s.PHP(t, fmt.Sprintf(`update_post_meta( %d, '_badgeos_send_to_credly', 'true' ); update_post_meta( %[1]d, '_badgeos_credly_badge_id', '991' );
				update_post_meta( %d, '_badgeos_send_to_credly', 'false' ); update_post_meta( %[2]d, '_badgeos_credly_badge_id', '' );
				update_user_meta( %d, 'credly_user_enable', 'true' ); update_user_meta( %[3]d, 'credly_user_id', '4242' ); update_user_meta( %d, 'credly_user_enable', 'false' );
				echo json_encode( Badgebridge\OldCredly::report( badgebridge()->provider()->types() ) );`, sent, other, agreed, refused))
			want := fmt.Sprintf(`{"badges":[{"id":%d,"title":"Was sent","number":"991","sends":true}],"members":[{"id":%d,"display_name":"Ag Reed","consent":"given","account":"4242"},`+
				`{"id":%d,"display_name":"Re Fused","consent":"refused","account":""}],"more":false}`, sent, agreed, refused)
			if out != want {
				t.Errorf("the report is\n%s\nnot\n%s", out, want)
			}
		})

		t.Run("nobody else can", func(t *testing.T) {
			s.CreateUser(t, "nobody", "nobody@example.org", "No", "Body")
			stranger := signIn(t, s, "nobody", "demo-pass")
			stranger.post(t, "/wp-admin/admin-post.php", url.Values{"action": {"badgebridge_cut"}, "_wpnonce": {"0123456789"}})
			browser.post(t, "/wp-admin/admin-post.php", url.Values{"action": {"badgebridge_cut"}, "_wpnonce": {"0123456789"}})
			if out := s.PHP(t, `echo json_encode( null !== badgebridge()->pairing()->current() );`); out != "true" {
				t.Error("the pairing is cut")
			}
		})

		t.Run("many awards at once make one hint", func(t *testing.T) {
			badge := s.CreateBadge(t, "Bulk")
			user := s.CreateUser(t, "many", "many@example.org", "Many", "Badges")
			gateway.take()
			s.PHP(t, fmt.Sprintf(`for ( $i = 0; $i < 30; $i++ ) {
				$GLOBALS['badgeos']->award_ids = array();
				badgeos_update_user_achievements( array( 'user_id' => %d, 'new_achievements' => array( badgeos_build_achievement_object( %d ) ) ) );
			}`, user, badge))
			if kinds := gateway.take(); len(kinds) != 1 || kinds[0] != "award.changed" {
				t.Errorf("the gateway was told %v", kinds)
			}
		})

		t.Run("a plugin that closes the REST API does not close it to the gateway", func(t *testing.T) {
			mu := `<?php add_filter( 'rest_authentication_errors', function () { return new WP_Error( 'rest_closed', 'Closed.', array( 'status' => 401 ) ); } );`
			file := s.dir + "/site/wp-content/mu-plugins/closed.php"
			if err := os.WriteFile(file, []byte(mu), 0o644); err != nil {
				t.Fatal(err)
			}
			defer os.Remove(file)
			if body := anonymous(t, s.RestURL+"/badgebridge/v1/site"); !strings.Contains(body, `"unsigned"`) {
				t.Errorf("it answers %s", body)
			}
			if body := anonymous(t, s.RestURL+"/wp/v2/posts"); !strings.Contains(body, "rest_closed") {
				t.Errorf("other routes answer %s", body)
			}
		})

		t.Run("visitors don't get what BadgeOS would show them", func(t *testing.T) {
			for _, route := range []string{"/badgeos/user-lists", "/badgeos/block-achievements-award-list/1/1?q=x"} {
				if body := anonymous(t, s.RestURL+route); !strings.Contains(body, "rest_forbidden") {
					t.Errorf("%s answers %s", route, body)
				}
			}
			if body := anonymous(t, s.RestURL+"/badgeos/achievement-types"); strings.Contains(body, "rest_forbidden") {
				t.Errorf("the types of badges are closed too: %s", body)
			}
		})

		t.Run("a subscriber can't delete awards", func(t *testing.T) {
			badge := s.CreateBadge(t, "Kept")
			user := s.CreateUser(t, "keeper", "keeper@example.org", "Keep", "Er")
			entry := s.Award(t, badge, user)
			form := url.Values{"action": {"delete_badgeos_bulk_achievements"}, "user_id": {fmt.Sprint(user)},
				"achievements[]": {fmt.Sprintf("%d_0_%d", badge, entry)}}
			signIn(t, s, "nobody", "demo-pass").post(t, "/wp-admin/admin-ajax.php", form)
			if award(t, s, entry) == nil {
				t.Fatal("the subscriber has deleted it")
			}
			browser.post(t, "/wp-admin/admin-ajax.php", form)
			if kinds := feed(t, s, entry); award(t, s, entry) != nil || kinds != "granted revoked" {
				t.Errorf("after the administrator's revoke the feed says %s", kinds)
			}
		})

		t.Run("it speaks the site's language", func(t *testing.T) {
			file := s.dir + "/site/wp-content/mu-plugins/german.php"
			if err := os.WriteFile(file, []byte(`<?php add_filter( 'locale', function () { return 'de_DE'; } );`), 0o644); err != nil {
				t.Fatal(err)
			}
			defer os.Remove(file)
			if page := browser.get(t, "/wp-admin/options-general.php?page=badgebridge"); !strings.Contains(page, "Kopplung trennen") || strings.Contains(page, "Cut the pairing") {
				t.Errorf("the settings page is\n%s", page)
			}
			if script := s.PHP(t, `wp_scripts(); echo wp_scripts()->print_translations( 'badgebridge-blocks', false );`); !strings.Contains(script, "Meine Badges") {
				t.Errorf("the editor's words are %s", script)
			}
		})

		t.Run("a copy is told apart and can become a site of its own", func(t *testing.T) {
			before := s.UUID(t)
			s.SQL(t, "UPDATE wp_options SET option_value='http://copy.example.org' WHERE option_name='home';")
			page := browser.get(t, "/wp-admin/options-general.php?page=badgebridge")
			if !strings.Contains(page, "paired under another address") {
				t.Fatalf("the page is\n%s", page)
			}
			browser.post(t, "/wp-admin/admin-post.php", url.Values{"action": {"badgebridge_renew"}, "_wpnonce": {nonceIn(t, page, "badgebridge_renew")}})
			if after := s.UUID(t); after == before || after == "" {
				t.Errorf("uuid %s, before %s", after, before)
			}
		})

		t.Run("uninstalling leaves nothing of the plugin", func(t *testing.T) {
			left := s.PHP(t, `global $wpdb;
				deactivate_plugins( 'badgebridge/badgebridge.php' );
				define( 'WP_UNINSTALL_PLUGIN', 'badgebridge/badgebridge.php' );
				require WP_PLUGIN_DIR . '/badgebridge/uninstall.php';
				echo json_encode( array( $wpdb->get_col( "SHOW TABLES LIKE '%badgebridge%'" ),
					$wpdb->get_col( "SELECT option_name FROM {$wpdb->options} WHERE option_name LIKE '%badgebridge%'" ),
					wp_next_scheduled( 'badgebridge_cron' ) ) );`)
			if left != "[[],[],false]" {
				t.Errorf("left: %s", left)
			}
		})
	})
}

func anonymous(t *testing.T, address string) string {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// browser is a signed-in visitor.
type browser struct {
	client *http.Client
	base   string
}

func signIn(t *testing.T, s *Site, user, password string) browser {
	t.Helper()
	return browser{s.SignIn(t, user, password), s.BaseURL}
}

func (b browser) get(t *testing.T, path string) string {
	t.Helper()
	resp, err := b.client.Get(b.base + path)
	return read(t, resp, err)
}

func (b browser) post(t *testing.T, path string, form url.Values) string {
	t.Helper()
	resp, err := b.client.PostForm(b.base+path, form)
	return read(t, resp, err)
}

func read(t *testing.T, resp *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// nonceIn gives the nonce of the form for an act.
func nonceIn(t *testing.T, page, act string) string {
	t.Helper()
	for _, form := range strings.Split(page, "<form ")[1:] {
		if !strings.Contains(form, `value="`+act+`"`) {
			continue
		}
		if m := regexp.MustCompile(`name="_wpnonce" value="([^"]+)"`).FindStringSubmatch(form); m != nil {
			return m[1]
		}
	}
	t.Fatalf("there is no form for %s", act)
	return ""
}
