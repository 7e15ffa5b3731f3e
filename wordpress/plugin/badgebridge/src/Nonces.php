<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** The nonces that were used lately. A table, because an object cache may forget. */
final class Nonces {

	/** Uses a nonce up; false where it was used before. */
	public function take( string $nonce ): bool {
		global $wpdb;
		if ( 0 === random_int( 0, 199 ) ) {
			$this->forget(); // Cron may be switched off.
		}
		$table = Schema::table( 'nonces' );
		return 1 === $wpdb->query( $wpdb->prepare( "INSERT IGNORE INTO $table ( nonce, at ) VALUES ( %s, %d )", $nonce, time() ) );
	}

	/** Forgets those that are too old for their time to pass anyway. */
	public function forget(): void {
		global $wpdb;
		$table = Schema::table( 'nonces' );
		$wpdb->query( $wpdb->prepare( "DELETE FROM $table WHERE at < %d", time() - 2 * Signature::REMEMBER ) );
	}
}
