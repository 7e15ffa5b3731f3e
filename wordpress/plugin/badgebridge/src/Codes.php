<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** Authorization codes: good once, for a minute, and only their hash is kept. */
final class Codes {

	const LIFE = 60;

	/** @param array $grant What the code stands for. */
	public function make( array $grant ): string {
		global $wpdb;
		$code  = Jwk::encode( random_bytes( 32 ) );
		$table = Schema::table( 'codes' );
		$wpdb->query( $wpdb->prepare( "DELETE FROM $table WHERE until < %d", time() ) );
		$done = $wpdb->insert(
			$table,
			array(
				'code_hash' => hash( 'sha256', $code ),
				'about'     => (string) wp_json_encode( $grant ),
				'until'     => time() + self::LIFE,
			)
		);
		if ( ! $done ) {
			throw new Fault( 'busy', 503, __( 'The code could not be noted; try again.', 'badgebridge' ) );
		}
		return $code;
	}

	/** Uses a code up. Null where it is unknown, used or too old; of two callers at once one gets it. */
	public function take( string $code ): ?array {
		global $wpdb;
		$table = Schema::table( 'codes' );
		$hash  = hash( 'sha256', $code );
		$row = $wpdb->get_row( $wpdb->prepare( "SELECT about, until FROM $table WHERE code_hash = %s", $hash ) );
		if ( ! $row || 1 !== $wpdb->delete( $table, array( 'code_hash' => $hash ) ) || (int) $row->until < time() ) {
			return null;
		}
		$grant = json_decode( $row->about, true );
		return is_array( $grant ) ? $grant : null;
	}
}
