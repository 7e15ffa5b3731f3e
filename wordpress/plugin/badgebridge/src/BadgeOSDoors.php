<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/**
 * Closes doors that BadgeOS 3.7 leaves open to visitors: a list of all user
 * names, a query that takes SQL from the address, and calls that delete or rewrite anyone's
 * awards. BadgeOS is not maintained any more; awards that everyone can delete are
 * no source for a gateway. add_filter( 'badgebridge_close_doors', '__return_false' )
 * leaves them as they are.
 */
final class BadgeOSDoors {

	public function close(): void {
		if ( ! apply_filters( 'badgebridge_close_doors', true ) ) {
			return;
		}
		add_filter( 'rest_endpoints', array( $this, 'routes' ) );
		foreach ( array( 'delete_badgeos_bulk_achievements', 'bos_ob_convert_to_open_badge' ) as $action ) {
			add_action( 'wp_ajax_' . $action, array( $this, 'managers_only' ), 0 );
			add_action( 'wp_ajax_nopriv_' . $action, array( $this, 'managers_only' ), 0 );
		}
	}

	/** Its own pages call these routes for editors, so they stay, for those who may. */
	public function routes( array $endpoints ): array {
		foreach ( $endpoints as $route => $handlers ) {
			$may = null;
			if ( 0 === strpos( $route, '/badgeos/user-lists' ) ) {
				$may = static function () {
					return current_user_can( 'list_users' );
				};
			} elseif ( 0 === strpos( $route, '/badgeos/block-achievements-award-list/' ) ) {
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
		if ( ! self::manages() ) {
			wp_die( esc_html__( 'You are not allowed to do this.', 'badgebridge' ), '', array( 'response' => 403 ) );
		}
	}

	public static function manages(): bool {
		return current_user_can( function_exists( 'badgeos_get_manager_capability' ) ? badgeos_get_manager_capability() : 'manage_options' );
	}
}
