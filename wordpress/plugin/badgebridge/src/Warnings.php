<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** What an administrator should know, in plain words. */
final class Warnings {

	/** @var Plugin */
	private $plugin;

	public function __construct( Plugin $plugin ) {
		$this->plugin = $plugin;
	}

	/** @return string[] */
	public function all(): array {
		$warnings = array();
		if ( ! $this->plugin->provider() ) {
			$warnings[] = __( 'No badge plugin is active: neither awards can be read nor granted.', 'badgebridge' );
		}
		if ( class_exists( '\BadgeOS' ) && function_exists( 'GamiPress' ) ) {
			$warnings[] = __( 'BadgeOS and GamiPress are both active and register the same post types. Badgebridge reads BadgeOS; switch the other one off.', 'badgebridge' );
		}
		if ( 'https' !== wp_parse_url( $this->plugin->identity()->home(), PHP_URL_SCHEME ) ) {
			$warnings[] = __( 'The site’s address does not begin with https://: members’ addresses travel in the clear.', 'badgebridge' );
		}
		$last = get_option( 'badgebridge_webhook' );
		if ( is_array( $last ) && ! empty( $last['error'] ) ) {
			/* translators: 1: time, 2: technical reason */
			$warnings[] = sprintf( __( 'The last message to the gateway, at %1$s, failed: %2$s', 'badgebridge' ), Documents::time( (int) $last['at'] ), $last['error'] );
		}
		return $warnings;
	}
}
