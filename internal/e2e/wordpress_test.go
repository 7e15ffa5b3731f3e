package e2e

import (
	"fmt"
	"os"
	"testing"

	"badgebridge/internal/testenv/wordpress"
)

// wordpressSite is a real WordPress with the real plugin.
type wordpressSite struct {
	*wordpress.Site
	logins int
}

// startWordPress starts a site with the double of BadgeOS, or with BadgeOS itself
// where BADGEOS_DIR says where it is.
func startWordPress(t testing.TB) *wordpressSite {
	t.Helper()
	return &wordpressSite{Site: wordpress.Start(t, wordpress.Options{ProviderDir: os.Getenv("BADGEOS_DIR")})}
}

// Reach puts a name server and a proxy's work into one filter: what WordPress
// sends to the public address goes to the gateway on this machine.
func (s *wordpressSite) Reach(t testing.TB, g *Gateway) {
	t.Helper()
	s.PHP(t, fmt.Sprintf(`$code = <<<'PHP'
<?php
add_filter( 'pre_http_request', function ( $done, $args, $url ) {
	if ( 0 !== strpos( $url, '%[1]s/' ) ) {
		return $done;
	}
	if ( file_exists( WP_CONTENT_DIR . '/cut' ) ) {
		return new WP_Error( 'http_request_failed', 'The way to the gateway is cut.' );
	}
	$answer = wp_remote_request( '%[2]s' . substr( $url, strlen( '%[1]s' ) ), $args );
	if ( substr( $url, -5 ) === '/pair' ) {
		usleep( 700000 ); // The gateway calls before a slow site has put the key away.
	}
	return $answer;
}, 10, 3 );
PHP;
		if ( ! file_put_contents( WPMU_PLUGIN_DIR . '/reach.php', $code ) ) { fwrite( STDERR, 'not written' ); exit( 1 ); }`, PublicURL, g.URL))
}

func (s *wordpressSite) CutWebhooks(t testing.TB, cut bool) {
	t.Helper()
	if cut {
		s.PHP(t, `touch( WP_CONTENT_DIR . '/cut' );`)
	} else {
		s.PHP(t, `unlink( WP_CONTENT_DIR . '/cut' );`)
	}
}

func (s *wordpressSite) Pair(t testing.TB, gatewayURL, code string) {
	t.Helper()
	must(t, s.Site.Pair(t, gatewayURL, code))
}

func (s *wordpressSite) AddBadge(t testing.TB, title string) int64 { return s.CreateBadge(t, title) }

func (s *wordpressSite) AddMember(t testing.TB, email, given, family string) int64 {
	t.Helper()
	s.logins++
	return s.CreateUser(t, fmt.Sprintf("member%d", s.logins), email, given, family)
}

func (s *wordpressSite) Holds(t testing.TB) []Holding {
	t.Helper()
	var out []Holding
	for _, r := range s.Awards(t) {
		out = append(out, Holding{Entry: r.EntryID, Badge: r.Badge, Member: r.User})
	}
	return out
}

// Rows implements Association. Nonces are of single calls.
func (s *wordpressSite) Rows(t testing.TB) string {
	t.Helper()
	return s.PHP(t, `global $wpdb; $out = array();
		foreach ( $wpdb->get_col( "SHOW TABLES LIKE 'wp\_badge%'" ) as $table ) {
			if ( 'wp_badgebridge_nonces' !== $table ) { $out[ $table ] = $wpdb->get_results( "SELECT * FROM $table ORDER BY 1" ); }
		}
		$out['users'] = $wpdb->get_results( 'SELECT ID, user_email FROM wp_users ORDER BY 1' );
		echo wp_json_encode( $out, JSON_PRETTY_PRINT );`)
}

func TestAnAwardTravelsBetweenWordPressAndCredly(t *testing.T) {
	site := startWordPress(t)
	TellStory(t, NewWorld(t, WorldOptions{Site: site}), Turns{Validate: true})
}
