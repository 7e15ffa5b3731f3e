<?php
namespace Badgebridge;

/** Times in the contract: RFC 3339. Pure: no WordPress. */
final class Moment {

	/** Seconds since 1970, fractions cut off; null where the text is no such time. */
	public static function parse( string $text ): ?int {
		if ( ! preg_match( '/^(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.\d{1,9})?(Z|z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/D', $text, $m ) ) {
			return null;
		}
		if ( ! checkdate( (int) $m[2], (int) $m[3], (int) $m[1] ) ) {
			return null;
		}
		$zone = 'Z' === strtoupper( $m[7] ) ? '+00:00' : $m[7];
		$time = \DateTimeImmutable::createFromFormat( 'Y-m-d H:i:s P', "$m[1]-$m[2]-$m[3] $m[4]:$m[5]:$m[6] $zone" );
		return $time ? $time->getTimestamp() : null;
	}
}
