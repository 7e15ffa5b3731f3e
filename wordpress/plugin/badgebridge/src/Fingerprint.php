<?php
namespace Badgebridge;

/**
 * What tells two awards with one entry id apart. Pure: no WordPress.
 */
final class Fingerprint {

	/** @param string $date As it is stored, whatever time zone that is in. */
	public static function of( int $user_id, int $badge_id, string $date ): string {
		return substr( hash( 'sha256', $user_id . '|' . $badge_id . '|' . $date ), 0, 16 );
	}

	public static function is_one( $text ): bool {
		return is_string( $text ) && 1 === preg_match( '/^[0-9a-f]{16}$/D', $text );
	}
}
