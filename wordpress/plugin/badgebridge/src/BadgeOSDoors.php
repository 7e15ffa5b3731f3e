<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/**
 * Closes what BadgeOS 3.7 leaves open. BadgeOS is not maintained any more; awards that
 * everyone can delete are no source for a gateway. Each door has a switch: a filter
 * on badgebridge_close_doors is given its name, and false leaves it open.
 */
final class BadgeOSDoors {

	const USERS    = 'user-list';   // a list of all user names, for visitors
	const QUERY    = 'award-query'; // a query that takes SQL from the address
	const REVOKE   = 'bulk-revoke'; // any member deletes anyone's awards, and any page has an administrator do it
	const REBAKE   = 'rebake';      // anybody has anyone's award written anew, for themselves
	const PICTURES = 'pictures';    // the baked picture of a revoked award stays for everybody

	const ALL = array( self::USERS, self::QUERY, self::REVOKE, self::REBAKE, self::PICTURES );

	public static function closed( string $door ): bool {
		return (bool) apply_filters( 'badgebridge_close_doors', true, $door );
	}

	/** @return array{0: string, 1: string} What is closed, and what it means that it is not. */
	public static function words( string $door ): array {
		$words = array(
			self::USERS    => array( __( 'BadgeOS’s list of all users is closed to visitors', 'badgebridge' ), __( 'anybody can read the names of all accounts', 'badgebridge' ) ),
			self::QUERY    => array( __( 'BadgeOS’s list of awards takes no SQL from visitors', 'badgebridge' ), __( 'anybody can read the whole database', 'badgebridge' ) ),
			self::REVOKE   => array( __( 'BadgeOS lets only its managers delete awards, and only from this site’s pages', 'badgebridge' ), __( 'any member can delete anyone’s awards', 'badgebridge' ) ),
			self::REBAKE   => array( __( 'BadgeOS lets only its managers write awards anew', 'badgebridge' ), __( 'anybody can have anyone’s award written anew in their own name', 'badgebridge' ) ),
			self::PICTURES => array( __( 'The picture of a revoked award goes with it', 'badgebridge' ), __( 'it still shows the badge as genuine to whoever knows its address', 'badgebridge' ) ),
		);
		return $words[ $door ];
	}

	public function close(): void {
		if ( self::closed( self::USERS ) || self::closed( self::QUERY ) ) {
			add_filter( 'rest_endpoints', array( $this, 'routes' ) );
		}
		foreach ( array( self::REVOKE => 'delete_badgeos_bulk_achievements', self::REBAKE => 'bos_ob_convert_to_open_badge' ) as $door => $action ) {
			if ( self::closed( $door ) ) {
				add_action( 'wp_ajax_' . $action, array( $this, 'managers_only' ), 0 );
				add_action( 'wp_ajax_nopriv_' . $action, array( $this, 'managers_only' ), 0 );
			}
		}
	}

	/** Its own pages call these routes for editors, so they stay, for those who may. */
	public function routes( array $endpoints ): array {
		foreach ( $endpoints as $route => $handlers ) {
			$may = null;
			if ( 0 === strpos( $route, '/badgeos/user-lists' ) && self::closed( self::USERS ) ) {
				$may = static function () {
					return current_user_can( 'list_users' );
				};
			} elseif ( 0 === strpos( $route, '/badgeos/block-achievements-award-list/' ) && self::closed( self::QUERY ) ) {
				$may = array( self::class, 'manages' );
			}
			if ( ! $may ) {
				continue;
			}
			foreach ( $handlers as $i => $handler ) {
				if ( is_int( $i ) && is_array( $handler ) ) {
					$endpoints[ $route ][ $i ]['permission_callback'] = $may;
				}
			}
		}
		return $endpoints;
	}

	public function managers_only(): void {
		if ( ! self::manages() || ! self::from_here() ) {
			wp_die( esc_html__( 'You are not allowed to do this.', 'badgebridge' ), '', array( 'response' => 403 ) );
		}
	}

	/** BadgeOS sends no nonce with these calls. Browsers say from which page a call comes, and another site's page can't change it. */
	private static function from_here(): bool {
		foreach ( array( 'HTTP_ORIGIN', 'HTTP_REFERER' ) as $header ) {
			if ( isset( $_SERVER[ $header ] ) && is_string( $_SERVER[ $header ] ) ) {
				$from = wp_parse_url( wp_unslash( $_SERVER[ $header ] ) );
				$here = wp_parse_url( admin_url() );
				return is_array( $from ) && isset( $from['host'] ) && strtolower( $from['host'] ) === strtolower( $here['host'] ) && ( $from['port'] ?? 0 ) === ( $here['port'] ?? 0 );
			}
		}
		return true; // No browser; then nobody's cookies are used by another.
	}

	public static function manages(): bool {
		return current_user_can( function_exists( 'badgeos_get_manager_capability' ) ? badgeos_get_manager_capability() : 'manage_options' );
	}
}
