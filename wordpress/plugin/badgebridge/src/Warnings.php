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
		$active = Providers::active();
		$chosen = Providers::chosen();
		if ( ! $this->plugin->provider() && $active ) {
			$warnings[] = __( 'The badge plugin that is chosen in the settings of Badgebridge is not active; the one that is active does not count. Choose that one, or activate the other.', 'badgebridge' );
		} elseif ( ! $active ) {
			$warnings[] = __( 'Neither BadgeOS nor GamiPress is active: awards can neither be read nor granted.', 'badgebridge' );
		}
		if ( count( $active ) > 1 ) {
			$provider = $this->plugin->provider();
			/* translators: %s: BadgeOS or GamiPress */
			$warnings[] = sprintf( __( 'BadgeOS and GamiPress are both active and register the same post types, so each sees the other’s badges. Badgebridge reads %s alone; switch the other one off.', 'badgebridge' ), $provider ? $provider->name() : $chosen );
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
