<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** The people of this site. */
final class Members {

	/**
	 * The ids of the users with this address, whatever its case, ascending. More than
	 * one only where an import went past WordPress's own check.
	 *
	 * @return int[]
	 */
	public static function by_email( string $email ): array {
		global $wpdb;
		$found = $wpdb->get_results( $wpdb->prepare( "SELECT ID, user_email FROM {$wpdb->users} WHERE user_email = %s ORDER BY ID LIMIT 20", $email ) );
		$ids   = array();
		foreach ( (array) $found as $user ) {
			// The database's comparison also takes an accented letter for a plain one.
			if ( mb_strtolower( $user->user_email ) === mb_strtolower( $email ) && self::belongs( (int) $user->ID ) ) {
				$ids[] = (int) $user->ID;
			}
		}
		return $ids;
	}

	/** @return int[] Ids above $after, ascending. */
	public static function ids( int $after, int $limit ): array {
		global $wpdb;
		$join = '';
		if ( is_multisite() ) {
			// Users are the network's; members are those with a role here.
			$join = $wpdb->prepare( " JOIN {$wpdb->usermeta} m ON m.user_id = u.ID AND m.meta_key = %s", $wpdb->get_blog_prefix() . 'capabilities' );
		}
		// phpcs:ignore Badgebridge.Security.PreparedQuery -- $join is prepared above.
		$ids = $wpdb->get_col( $wpdb->prepare( "SELECT u.ID FROM {$wpdb->users} u$join WHERE u.ID > %d ORDER BY u.ID LIMIT %d", $after, $limit ) );
		return array_map( 'intval', $ids );
	}

	/** Reads these users and their names in two queries instead of two for each. */
	public static function prime( array $ids ): void {
		cache_users( array_values( array_unique( $ids ) ) );
	}

	private static function belongs( int $id ): bool {
		return ! is_multisite() || is_user_member_of_blog( $id );
	}
}
