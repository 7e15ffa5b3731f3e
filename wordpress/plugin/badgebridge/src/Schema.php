<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** Our tables. Written by hand: dbDelta is picky and does not know binary collations. */
final class Schema {

	const VERSION = '3';

	public static function table( string $name ): string {
		global $wpdb;
		return $wpdb->prefix . 'badgebridge_' . $name;
	}

	public function is_current(): bool {
		return self::VERSION === get_option( 'badgebridge_schema' );
	}

	public function install(): void {
		global $wpdb;
		$options = 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb4';
		$ascii   = 'CHARACTER SET ascii COLLATE ascii_bin NOT NULL';
		$tables  = array(
			'changes' => "seq bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
				token char(16) $ascii,
				at bigint NOT NULL,
				kind varchar(16) $ascii,
				entry_id bigint NOT NULL,
				fingerprint char(16) $ascii,
				reason varchar(1000) NOT NULL DEFAULT '',
				cause varchar(16) $ascii DEFAULT '',
				KEY entry (entry_id)",
			// The mark of a key goes into the provider's row, so that an award can
			// be found again whose key was not noted because the request died.
			'grants'  => "grant_key varchar(200) $ascii PRIMARY KEY,
				mark char(40) $ascii UNIQUE,
				badge_id bigint NOT NULL,
				user_id bigint NOT NULL,
				issued_on bigint NOT NULL,
				entry_id bigint NOT NULL DEFAULT 0,
				fingerprint char(16) $ascii DEFAULT '',
				page_url varchar(2000) NOT NULL DEFAULT '',
				created_at bigint NOT NULL,
				KEY entry (entry_id)",
			'badges'  => "badge_key varchar(200) $ascii PRIMARY KEY,
				badge_id bigint NOT NULL UNIQUE",
			'codes'   => "code_hash char(64) $ascii PRIMARY KEY,
				about text NOT NULL,
				until bigint NOT NULL,
				KEY age (until)",
			'outbox'  => "id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
				event_id char(32) $ascii,
				kind varchar(32) $ascii,
				entry_id bigint NOT NULL DEFAULT 0,
				created_at bigint NOT NULL,
				next_at bigint NOT NULL,
				attempts int NOT NULL DEFAULT 0,
				KEY due (next_at)",
			'nonces'  => "nonce varchar(64) $ascii PRIMARY KEY,
				at bigint NOT NULL,
				KEY age (at)",
		);
		foreach ( $tables as $name => $columns ) {
			// phpcs:ignore Badgebridge.Security.PreparedQuery -- constants of this function.
			$wpdb->query( 'CREATE TABLE IF NOT EXISTS ' . self::table( $name ) . " ( $columns ) $options" );
		}
		// Version 1 had no cause of a change.
		$table = self::table( 'changes' );
		if ( ! $wpdb->get_results( "SHOW COLUMNS FROM $table LIKE 'cause'" ) ) {
			// phpcs:ignore Badgebridge.Security.PreparedQuery -- constants of this function.
			$wpdb->query( "ALTER TABLE $table ADD COLUMN cause varchar(16) $ascii DEFAULT ''" );
		}
		update_option( 'badgebridge_schema', self::VERSION );
	}

	public static function drop(): void {
		global $wpdb;
		foreach ( array( 'changes', 'grants', 'badges', 'codes', 'outbox', 'nonces' ) as $name ) {
			$wpdb->query( 'DROP TABLE IF EXISTS ' . self::table( $name ) );
		}
	}

	/** What is kept for minutes or days, under names with a member's number. */
	public static function drop_transients(): void {
		global $wpdb;
		foreach ( array( '_transient_badgebridge_', '_transient_timeout_badgebridge_' ) as $prefix ) {
			$names = $wpdb->get_col( $wpdb->prepare( "SELECT option_name FROM {$wpdb->options} WHERE option_name LIKE %s", $wpdb->esc_like( $prefix ) . '%' ) );
			array_map( 'delete_option', $names );
		}
	}
}
