<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** The people of this site. */
final class Members {

	/** The id of the user with this address, whatever its case; 0 where there is none. */
	public static function by_email( string $email ): int {
		$user = is_email( $email ) ? get_user_by( 'email', $email ) : false;
		return $user && self::belongs( $user->ID ) ? (int) $user->ID : 0;
	}

	/** @return int[] Ids above $after, ascending. */
	public static function ids( int $after, int $limit ): array {
		global $wpdb;
		$join = '';
		if ( is_multisite() ) {
			// Users are the network's; members are those with a role here.
			$join = $wpdb->prepare( " JOIN {$wpdb->usermeta} m ON m.user_id = u.ID AND m.meta_key = %s", $wpdb->get_blog_prefix() . 'capabilities' );
		}
		// phpcs:ignore WordPress.DB.PreparedSQL
		$ids = $wpdb->get_col( $wpdb->prepare( "SELECT u.ID FROM {$wpdb->users} u$join WHERE u.ID > %d ORDER BY u.ID LIMIT %d", $after, $limit ) );
		return array_map( 'intval', $ids );
	}

	private static function belongs( int $id ): bool {
		return ! is_multisite() || is_user_member_of_blog( $id );
	}
}
