<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** What the gateway granted, by its key. */
final class Grants {

	const KEY = '/^[A-Za-z0-9._~-]{16,200}$/D';

	/** The mark of a key, short enough for the provider's row. */
	public static function mark( string $key ): string {
		return substr( hash( 'sha256', $key ), 0, 40 );
	}

	/** Null where nothing was granted, or begun, under this key. */
	public function find( string $key ): ?object {
		global $wpdb;
		$table = Schema::table( 'grants' );
		return $wpdb->get_row( $wpdb->prepare( "SELECT * FROM $table WHERE grant_key = %s", $key ) );
	}

	/** Notes that a grant is about to be made. It is the only one for the key, or it fails. */
	public function begin( string $key, int $badge_id, int $user_id, int $issued_on, string $page_url ): void {
		global $wpdb;
		$done = $wpdb->insert(
			Schema::table( 'grants' ),
			array(
				'grant_key'  => $key,
				'mark'       => self::mark( $key ),
				'badge_id'   => $badge_id,
				'user_id'    => $user_id,
				'issued_on'  => $issued_on,
				'page_url'   => $page_url,
				'created_at' => time(),
			)
		);
		if ( ! $done ) {
			throw new Fault( 'busy', 503, __( 'The key could not be noted; try again.', 'badgebridge' ) );
		}
	}

	/** Notes which award a grant became. */
	public function finish( string $key, Row $row ): void {
		global $wpdb;
		$wpdb->update(
			Schema::table( 'grants' ),
			array( 'entry_id' => $row->entry_id, 'fingerprint' => $row->fingerprint() ),
			array( 'grant_key' => $key )
		);
	}

	/** Takes what is personal out of the grants of a user: the page, not the key that keeps a grant from being made twice. */
	public function unlink( int $user_id ): void {
		global $wpdb;
		$wpdb->update( Schema::table( 'grants' ), array( 'page_url' => '' ), array( 'user_id' => $user_id ) );
	}

	/** Forgets a grant that was begun and did not happen. */
	public function abandon( string $key ): void {
		global $wpdb;
		$wpdb->delete( Schema::table( 'grants' ), array( 'grant_key' => $key, 'entry_id' => 0 ) );
	}

	/**
	 * @param Row[] $rows Any number.
	 * @return array<int, object> The grants that these awards came from, by entry id.
	 */
	public function of( array $rows ): array {
		global $wpdb;
		$prints = array();
		foreach ( $rows as $row ) {
			$prints[ $row->entry_id ] = $row->fingerprint();
		}
		if ( ! $prints ) {
			return array();
		}
		$table = Schema::table( 'grants' );
		$ids   = implode( ',', array_map( 'intval', array_keys( $prints ) ) );
		$found = array();
		// phpcs:ignore Badgebridge.Security.PreparedQuery -- $ids are numbers.
		foreach ( $wpdb->get_results( "SELECT * FROM $table WHERE entry_id IN ( $ids )" ) as $grant ) {
			if ( $prints[ (int) $grant->entry_id ] === $grant->fingerprint ) {
				$found[ (int) $grant->entry_id ] = $grant;
			}
		}
		return $found;
	}
}
