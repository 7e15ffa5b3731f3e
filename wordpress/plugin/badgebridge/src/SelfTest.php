<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** What has to be right for this site to work with its gateway: each line with its cure. */
final class SelfTest {

	/** @var Plugin */
	private $plugin;

	public function __construct( Plugin $plugin ) {
		$this->plugin = $plugin;
	}

	/** @return array<int, array{name: string, good: bool, cure: string}> */
	public function run(): array {
		$lines   = array();
		$say     = static function ( string $name, bool $good, string $cure = '' ) use ( &$lines ) {
			$lines[] = array( 'name' => $name, 'good' => $good, 'cure' => $good ? '' : $cure );
		};
		$pairing = $this->plugin->pairing()->current();
		$say( __( 'A badge plugin is active', 'badgebridge' ), (bool) $this->plugin->provider(), __( 'Activate BadgeOS or GamiPress, or choose below the one that is active.', 'badgebridge' ) );
		$say( __( 'The site is paired', 'badgebridge' ), (bool) $pairing, __( 'Pair the site with your gateway below.', 'badgebridge' ) );
		$say( __( 'The address begins with https://', 'badgebridge' ), 'https' === wp_parse_url( $this->plugin->identity()->home(), PHP_URL_SCHEME ) || in_array( wp_parse_url( $this->plugin->identity()->home(), PHP_URL_HOST ), array( 'localhost', '127.0.0.1' ), true ), __( 'Give the site a certificate and change its address under Settings > General.', 'badgebridge' ) );
		$say( __( 'Permalinks are on', 'badgebridge' ), (bool) get_option( 'permalink_structure' ), __( 'Choose a structure under Settings > Permalinks. It works without, but some web servers do not pass on what the plain form needs.', 'badgebridge' ) );
		$this->loopback( $say, $pairing );
		$this->gateway( $say, $pairing );
		$next = wp_next_scheduled( 'badgebridge_cron' );
		$say( __( 'Regular work runs', 'badgebridge' ), $next && $next > time() - HOUR_IN_SECONDS, __( 'WordPress’s cron has not run for an hour. Have the server call wp-cron.php every five minutes, or take DISABLE_WP_CRON out of wp-config.php.', 'badgebridge' ) );
		$say( __( 'Members can sign in at the gateway by this site', 'badgebridge' ), Oidc::offered( $this->plugin->identity() ), __( 'Have PHP’s OpenSSL extension installed.', 'badgebridge' ) );
		$this->updates( $say, $pairing );
		if ( BadgeOS::is_active() ) {
			foreach ( BadgeOSDoors::ALL as $door ) {
				list( $closed, $harm ) = BadgeOSDoors::words( $door );
				/* translators: 1: name of a door, 2: what that means */
				$say( $closed, BadgeOSDoors::closed( $door ), sprintf( __( 'A filter on badgebridge_close_doors leaves “%1$s” open: %2$s. Remove it.', 'badgebridge' ), $door, $harm ) );
			}
			$say( __( 'BadgeOS’s assertion page tells the truth', 'badgebridge' ), (bool) apply_filters( 'badgebridge_answer_assertions', true ), __( 'A filter on badgebridge_answer_assertions leaves it to BadgeOS, which confirms badges that nobody has earned. Remove it.', 'badgebridge' ) );
		}
		return $lines;
	}

	/** Calls this site as the gateway does, through the site's own public address. */
	private function loopback( callable $say, ?array $pairing ): void {
		if ( ! $pairing ) {
			return;
		}
		$route  = '/' . Rest::NS . '/site';
		$probe  = static function () use ( $pairing, $route ) {
			$time  = (string) time();
			$nonce = bin2hex( random_bytes( 16 ) );
			return wp_remote_get(
				badgebridge()->identity()->rest_url() . $route,
				array(
					'timeout'     => 6,
					'redirection' => 0,
					'headers'     => array(
						'Badgebridge-Key'       => $pairing['key_id'],
						'Badgebridge-Time'      => $time,
						'Badgebridge-Nonce'     => $nonce,
						'Badgebridge-Signature' => Signature::sign( $pairing['secret'], 'GET', $route, $time, $nonce, '' ),
						'Badgebridge-Site'      => $pairing['uuid'],
						'Badgebridge-Home'      => $pairing['home'],
					),
				)
			);
		};
		$answer = $probe();
		$there  = ! is_wp_error( $answer );
		$say( __( 'The site can call itself', 'badgebridge' ), $there, __( 'The server may not reach its own public address. Ask your host to allow loopback connections.', 'badgebridge' ) );
		if ( ! $there ) {
			return;
		}
		$reply = json_decode( wp_remote_retrieve_body( $answer ), true );
		$code  = is_array( $reply ) && isset( $reply['code'] ) ? $reply['code'] : '';
		$json  = is_array( $reply ) && ( isset( $reply['uuid'] ) || in_array( $code, array( 'unsigned', 'bad_signature', 'clock', 'another_site' ), true ) );
		$say( __( 'The REST API answers', 'badgebridge' ), $json, __( 'A security plugin, a firewall or the web server blocks /wp-json/badgebridge/. Make an exception for it.', 'badgebridge' ) );
		$say( __( 'Signature headers arrive', 'badgebridge' ), $json && 'unsigned' !== $code, __( 'A proxy in front of the site strips headers that begin with Badgebridge-. Have it pass them on.', 'badgebridge' ) );
		$again = $probe();
		$first = (string) wp_remote_retrieve_header( $answer, 'x-cache' ) . (string) wp_remote_retrieve_header( $answer, 'age' );
		$say( __( 'No page cache answers for the API', 'badgebridge' ), ! is_wp_error( $again ) && '' === $first && false !== strpos( (string) wp_remote_retrieve_header( $again, 'cache-control' ), 'no-store' ), __( 'A page cache answers in the plugin’s place. Exclude /wp-json/badgebridge/ from it.', 'badgebridge' ) );
	}

	private function gateway( callable $say, ?array $pairing ): void {
		if ( ! $pairing ) {
			return;
		}
		$answer = wp_remote_get( $pairing['gateway'] . '/healthz', array( 'timeout' => 6, 'redirection' => 0 ) );
		$there  = ! is_wp_error( $answer );
		$say( __( 'The gateway can be reached', 'badgebridge' ), $there, __( 'Calls to the gateway fail. Is it running? Does the host block outgoing connections, or WP_HTTP_BLOCK_EXTERNAL without the gateway in WP_ACCESSIBLE_HOSTS?', 'badgebridge' ) );
		$date = $there ? strtotime( (string) wp_remote_retrieve_header( $answer, 'date' ) ) : false;
		if ( $date ) {
			/* translators: %d: seconds */
			$say( __( 'The clock is right', 'badgebridge' ), abs( $date - time() ) < Signature::WINDOW, sprintf( __( 'This server’s clock is %d seconds off the gateway’s. Have it set by NTP; signed calls fail at more than 300.', 'badgebridge' ), $date - time() ) );
		}
		if ( $there ) {
			$error = $this->plugin->outbox()->test();
			/* translators: %s: technical reason */
			$say( __( 'The gateway takes this site’s messages', 'badgebridge' ), '' === $error, sprintf( __( 'It refused a test message: %s Pair the site again if the clock is right.', 'badgebridge' ), $error ) );
		}
	}

	private function updates( callable $say, ?array $pairing ): void {
		$news = $pairing && Updates::wanted() ? $this->plugin->updates()->news() : null;
		if ( $news ) {
			/* translators: %s: number of a version */
			$say( __( 'The plugin is the gateway’s newest', 'badgebridge' ), version_compare( BADGEBRIDGE_VERSION, $news['version'], '>=' ), sprintf( __( 'Version %s is there: update under Plugins.', 'badgebridge' ), $news['version'] ) );
		}
	}
}
