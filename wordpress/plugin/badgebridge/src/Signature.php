<?php
namespace Badgebridge;

/** The signature of a request in either direction. Pure: no WordPress, no clock. */
final class Signature {

	const WINDOW    = 300; // seconds that the two clocks may differ
	const NONCE     = '/^[A-Za-z0-9_-]{16,64}$/D';
	const REMEMBER  = 600; // seconds for which a nonce is not taken again

	/**
	 * The target of a request: its path, and the query parameters sorted by name.
	 *
	 * @param string               $path  The REST route on a site, the URL's path at the gateway.
	 * @param array<string, mixed> $query Decoded; rest_route is left out.
	 * @return string|null Null where a parameter is no plain value; such a request can't be signed.
	 */
	public static function target( string $path, array $query ): ?string {
		unset( $query['rest_route'] );
		ksort( $query, SORT_STRING );
		$pairs = array();
		foreach ( $query as $name => $value ) {
			if ( ! is_scalar( $value ) ) {
				return null;
			}
			$pairs[] = rawurlencode( (string) $name ) . '=' . rawurlencode( (string) $value );
		}
		return $pairs ? $path . '?' . implode( '&', $pairs ) : $path;
	}

	public static function sign( string $secret, string $method, string $target, string $time, string $nonce, string $body ): string {
		$text = implode( "\n", array( 'v1', strtoupper( $method ), $target, $time, $nonce, hash( 'sha256', $body ) ) );
		return hash_hmac( 'sha256', $text, $secret );
	}

	/** The seconds that $time is off $now; null where it is no time. */
	public static function off( string $time, int $now ): ?int {
		return preg_match( '/^[0-9]{1,12}$/D', $time ) ? abs( (int) $time - $now ) : null;
	}
}
