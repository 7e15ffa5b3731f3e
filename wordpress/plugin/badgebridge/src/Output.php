<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/**
 * Keeps the notices of other plugins out of our answers. BadgeOS raises some
 * twenty deprecation notices per request on PHP 8.2; on a site that displays
 * errors they would stand before the JSON.
 */
final class Output {

	public static function guard(): void {
		if ( ! self::ours() ) {
			return;
		}
		ini_set( 'display_errors', '0' );
		ob_start();
		$level = ob_get_level();
		add_filter(
			'rest_pre_serve_request',
			static function ( $served ) use ( $level ) {
				while ( ob_get_level() >= $level && ob_end_clean() ) {
					continue;
				}
				return $served;
			},
			-1000
		);
		// Plugins that close the REST API to visitors would close it to the
		// gateway too, which proves itself by its signature.
		add_filter( 'rest_authentication_errors', '__return_true', PHP_INT_MAX );
	}

	/** Throws away what others have printed so far. */
	public static function clean(): void {
		ini_set( 'display_errors', '0' );
		while ( ob_get_level() && ob_end_clean() ) {
			continue;
		}
	}

	private static function ours(): bool {
		$uri   = isset( $_SERVER['REQUEST_URI'] ) ? rawurldecode( (string) $_SERVER['REQUEST_URI'] ) : '';
		$route = '/' . Rest::NS . '/';
		$path  = (string) strtok( $uri, '?' );
		$asked = isset( $_GET['rest_route'] ) && is_string( $_GET['rest_route'] ) ? $_GET['rest_route'] : '';
		return false !== strpos( $path, '/' . rest_get_url_prefix() . $route ) || false !== strpos( $path, '/' . Oidc::SEGMENT . '/' ) || 0 === strpos( '/' . ltrim( $asked, '/' ), $route );
	}
}
