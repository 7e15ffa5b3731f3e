<?php
/**
 * The few functions of WordPress that the tested parts call, as far as the tests
 * need them. Tests of what WordPress does are run in a real one.
 *
 * @package Badgebridge
 */

define( 'DAY_IN_SECONDS', 86400 );

function __( $text, $domain = 'default' ) {
	return $text;
}

function esc_html__( $text, $domain = 'default' ) {
	return esc_html( $text );
}

function esc_html( $text ) {
	return htmlspecialchars( (string) $text, ENT_QUOTES, 'UTF-8' );
}

function wp_parse_url( $url, $part = -1 ) {
	return parse_url( $url, $part );
}

function wp_json_encode( $value, $flags = 0 ) {
	return json_encode( $value, $flags );
}

function untrailingslashit( $text ) {
	return rtrim( $text, '/\\' );
}

function wp_cache_delete( $key, $group = '' ) {
	return true;
}

function get_option( $name, $default = false ) {
	return $GLOBALS['options'][ $name ] ?? $default;
}

function add_option( $name, $value = '', $old = '', $autoload = 'yes' ) {
	$GLOBALS['options'] += array( $name => $value );
}

function update_option( $name, $value, $autoload = null ) {
	$GLOBALS['options'][ $name ] = $value;
}

function delete_option( $name ) {
	unset( $GLOBALS['options'][ $name ] );
}
