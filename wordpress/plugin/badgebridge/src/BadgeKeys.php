<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** Which badge a key of the gateway names: one, and for ever. */
final class BadgeKeys {

	/** 0 where the key names none yet. */
	public function badge( string $key ): int {
		global $wpdb;
		$table = Schema::table( 'badges' );
		return (int) $wpdb->get_var( $wpdb->prepare( "SELECT badge_id FROM $table WHERE badge_key = %s", $key ) );
	}

	/**
	 * @param int[] $badge_ids Any number.
	 * @return array<int, string> Keys by badge.
	 */
	public function of( array $badge_ids ): array {
		global $wpdb;
		$ids = array_unique( array_filter( array_map( 'intval', $badge_ids ) ) );
		if ( ! $ids ) {
			return array();
		}
		$table = Schema::table( 'badges' );
		$keys  = array();
		// phpcs:ignore Badgebridge.Security.PreparedQuery -- $ids are numbers.
		foreach ( $wpdb->get_results( "SELECT badge_id, badge_key FROM $table WHERE badge_id IN ( " . implode( ',', $ids ) . ' )' ) as $row ) {
			$keys[ (int) $row->badge_id ] = $row->badge_key;
		}
		return $keys;
	}

	/** @throws Fault Where the badge has another key, or the key another badge. */
	public function put( string $key, int $badge_id ): void {
		global $wpdb;
		if ( $badge_id === $this->badge( $key ) ) {
			return;
		}
		$told = $wpdb->suppress_errors();
		$done = $wpdb->insert( Schema::table( 'badges' ), array( 'badge_key' => $key, 'badge_id' => $badge_id ) );
		$wpdb->suppress_errors( $told );
		if ( ! $done ) {
			throw new Fault( 'another_badge', 409, __( 'The key names another badge already, or the badge has another key.', 'badgebridge' ) );
		}
	}
}
