<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** A lock in the database, for all web servers of the site. It goes with the connection. */
final class Lock {

	/**
	 * Runs $work while no other request holds the lock.
	 *
	 * @throws Fault With "busy" where it is held too long.
	 */
	public static function hold( string $name, int $seconds, callable $work ) {
		global $wpdb;
		// Names count for the whole database server, and have at most 64 characters.
		$name = 'badgebridge-' . substr( hash( 'sha256', DB_NAME . '|' . $wpdb->prefix . '|' . $name ), 0, 40 );
		if ( '1' !== (string) $wpdb->get_var( $wpdb->prepare( 'SELECT GET_LOCK( %s, %d )', $name, $seconds ) ) ) {
			throw new Fault( 'busy', 503, __( 'Another request is at the same work; try again.', 'badgebridge' ) );
		}
		try {
			return $work();
		} finally {
			$wpdb->query( $wpdb->prepare( 'DO RELEASE_LOCK( %s )', $name ) );
		}
	}
}
