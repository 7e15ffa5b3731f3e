<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** The key that this site signs its ID tokens with: RSA, because every PHP with OpenSSL has it. */
final class Jwk {

	const OPTION = 'badgebridge_oidc_key';

	/** Whether this PHP can sign at all. */
	public static function possible(): bool {
		return function_exists( 'openssl_pkey_new' ) && function_exists( 'openssl_sign' );
	}

	/** Makes a new key; tokens under the old one do not fit any more, which is right after a leak. */
	public static function renew(): void {
		delete_option( self::OPTION );
		self::stored();
	}

	/** @return array{kid: string, n: string, e: string, pem: string} */
	private static function stored(): array {
		$key = get_option( self::OPTION );
		if ( is_array( $key ) && isset( $key['kid'], $key['n'], $key['e'], $key['pem'] ) ) {
			return $key;
		}
		// Not every server has a configuration of OpenSSL where PHP looks for it.
		$how  = array( 'config' => dirname( __DIR__ ) . '/assets/openssl.cnf', 'private_key_bits' => 2048, 'private_key_type' => OPENSSL_KEYTYPE_RSA );
		$made = openssl_pkey_new( $how );
		$pem  = '';
		if ( ! $made || ! openssl_pkey_export( $made, $pem, null, $how ) ) {
			throw new Fault( 'no_key', 503, __( 'PHP’s OpenSSL can’t make a key on this site.', 'badgebridge' ) );
		}
		$rsa = openssl_pkey_get_details( $made )['rsa'];
		$key = array( 'n' => self::encode( $rsa['n'] ), 'e' => self::encode( $rsa['e'] ), 'pem' => $pem );
		// RFC 7638: the thumbprint of the members in their order.
		$key['kid'] = self::encode( hash( 'sha256', '{"e":"' . $key['e'] . '","kty":"RSA","n":"' . $key['n'] . '"}', true ) );
		// Of two requests at once the first one's key counts.
		add_option( self::OPTION, $key, '', 'no' );
		wp_cache_delete( self::OPTION, 'options' );
		wp_cache_delete( 'notoptions', 'options' );
		$won = get_option( self::OPTION );
		return is_array( $won ) ? $won : $key;
	}

	/** The public half, as RFC 7517 writes it. */
	public static function set(): array {
		$key = self::stored();
		return array( 'keys' => array( array( 'kty' => 'RSA', 'use' => 'sig', 'alg' => 'RS256', 'kid' => $key['kid'], 'n' => $key['n'], 'e' => $key['e'] ) ) );
	}

	/** A signed JWT of these claims. */
	public static function sign( array $claims ): string {
		$key  = self::stored();
		$text = self::encode( (string) wp_json_encode( array( 'alg' => 'RS256', 'typ' => 'JWT', 'kid' => $key['kid'] ) ) ) . '.' . self::encode( (string) wp_json_encode( $claims ) );
		$mark = '';
		if ( ! openssl_sign( $text, $mark, $key['pem'], OPENSSL_ALGO_SHA256 ) ) {
			throw new Fault( 'no_key', 503, __( 'PHP’s OpenSSL does not sign on this site.', 'badgebridge' ) );
		}
		return $text . '.' . self::encode( $mark );
	}

	public static function encode( string $bytes ): string {
		return rtrim( strtr( base64_encode( $bytes ), '+/', '-_' ), '=' );
	}
}
