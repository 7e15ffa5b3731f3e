//go:build unix

package wordpress

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"badgebridge/wordpress/testdouble"
)

// The badge plugins that a site can have.
const (
	BadgeOS   = "badgeos"
	GamiPress = "gamipress"
)

// phpOf is what the site's people do, in the words of one badge plugin. Each has
// the arguments that its use in control.go gives.
type phpOf struct {
	table, id, badge string // of awards
	earnedBy         string
	award            string // badge, user
	awardSilently    string // badge, user
	revoke           string // entry
}

var providers = map[string]phpOf{
	BadgeOS: {
		table: "badgeos_achievements", id: "entry_id", badge: "ID", earnedBy: "_badgeos_earned_by",
		award: `$entry = 0;
			add_action( 'badgeos_achievements_new_added', function ( $type, $badge, $user, $id ) use ( &$entry ) { $entry = $entry ?: $id; }, 1, 4 );
			badgeos_award_achievement_to_user( %d, %d, 'demo' );
			echo (int) $entry;`,
		awardSilently: `global $wpdb; $badge = %d;
			$wpdb->insert( $wpdb->prefix . 'badgeos_achievements', array( 'ID' => $badge, 'post_type' => 'badges', 'achievement_title' => get_the_title( $badge ),
				'user_id' => %d, 'rec_type' => 'normal', 'site_id' => 1, 'this_trigger' => '',
				'actual_date_earned' => current_time( 'mysql' ), 'date_earned' => current_time( 'mysql' ) ) );
			echo $wpdb->insert_id;`,
		// The way its own admin pages do it: hooks before and after, and the row
		// deleted between them.
		revoke: `global $wpdb; $table = $wpdb->prefix . 'badgeos_achievements';
			$row = $wpdb->get_row( 'SELECT * FROM ' . $table . ' WHERE entry_id = %d' );
			if ( ! $row ) { fwrite( STDERR, 'no such entry' ); exit( 1 ); }
			badgeos_update_user_achievements( array( 'user_id' => $row->user_id, 'all_achievements' => array() ) );
			do_action( 'badgeos_before_revoke_achievement', $row->user_id, (int) $row->ID, $row->entry_id );
			$wpdb->delete( $table, array( 'user_id' => $row->user_id, 'entry_id' => $row->entry_id ) );
			do_action( 'badgeos_after_revoke_achievement', $row->user_id, (int) $row->ID, $row->entry_id );
			do_action( 'badgeos_revoke_bulk_achievement', $row->user_id, array( $row->ID ), array( $row->entry_id ) );`,
	},
	GamiPress: {
		table: "gamipress_user_earnings", id: "user_earning_id", badge: "post_id", earnedBy: "_gamipress_earned_by",
		award: `$entry = 0;
			add_action( 'gamipress_insert_user_earning', function ( $id ) use ( &$entry ) { $entry = $entry ?: $id; }, 1 );
			gamipress_award_achievement_to_user( %d, %d, 1, 'demo' );
			echo (int) $entry;`,
		awardSilently: `global $wpdb; $badge = %d;
			$wpdb->insert( $wpdb->prefix . 'gamipress_user_earnings', array( 'post_id' => $badge, 'post_type' => 'badges', 'title' => get_post_field( 'post_title', $badge ),
				'user_id' => %d, 'date' => current_time( 'mysql' ) ) );
			echo $wpdb->insert_id;`,
		revoke: `global $wpdb; $row = $wpdb->get_row( 'SELECT * FROM ' . $wpdb->prefix . 'gamipress_user_earnings WHERE user_earning_id = %d' );
			if ( ! $row ) { fwrite( STDERR, 'no such entry' ); exit( 1 ); }
			gamipress_revoke_achievement_to_user( (int) $row->post_id, (int) $row->user_id, $row->user_earning_id );`,
	},
}

// AddProvider copies a badge plugin in, from a folder or its double where dir is
// "", and activates it.
func (s *Site) AddProvider(t testing.TB, name, dir string) {
	t.Helper()
	var from fs.FS
	switch {
	case dir != "":
		from = os.DirFS(dir)
	case name == GamiPress:
		from = testdouble.GamiPress()
	default:
		from = testdouble.BadgeOS()
	}
	to := filepath.Join(s.dir, "site/wp-content/plugins", name)
	if err := copyFS(to, from); err != nil {
		t.Fatal(err)
	}
	// The real BadgeOS ends its activation with a redirect and exit.
	s.PHP(t, fmt.Sprintf(`add_action( 'activate_%[1]s/%[1]s.php', function () { remove_all_actions( 'activated_plugin' ); }, 9999 );
		$done = activate_plugin( '%[1]s/%[1]s.php' );
		if ( is_wp_error( $done ) ) { fwrite( STDERR, $done->get_error_message() ); exit( 1 ); }`, name))
	if dir != "" {
		s.finishReal(t, name, to)
	}
	s.PHP(t, `flush_rewrite_rules( false );`)
}

// finishReal does what an administrator's first look at wp-admin does.
func (s *Site) finishReal(t testing.TB, name, dir string) {
	t.Helper()
	if name == BadgeOS {
		s.PHP(t, `P2P_Storage::install(); update_option( 'p2p_storage', P2P_Storage::$version );`)
		return
	}
	// Its repository has one file under a name that it does not ask for, where
	// capitals count.
	libraries := filepath.Join(dir, "libraries/cmb2/includes")
	if data, err := os.ReadFile(filepath.Join(libraries, "CMB2_hookup.php")); err == nil {
		if err := os.WriteFile(filepath.Join(libraries, "CMB2_Hookup.php"), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		s.PHP(t, `wp_set_current_user( 1 ); require_once ABSPATH . 'wp-admin/includes/admin.php'; do_action( 'admin_init' );`)
	}
	s.PHP(t, `$id = wp_insert_post( array( 'post_type' => 'achievement-type', 'post_status' => 'publish', 'post_title' => 'Badge', 'post_name' => 'badges' ) );
		update_post_meta( $id, '_gamipress_plural_name', 'Badges' );`)
}
