<?php
/**
 * Plugin Name:       Badgebridge
 * Description:       Connects BadgeOS or GamiPress on this site with a Badgebridge gateway: badges that members earn here can be claimed at Credly and in any backpack, and badges issued there appear here.
 * Version:           0.1.0
 * Requires at least: 5.8
 * Requires PHP:      7.4
 * Author:            The Badgebridge authors
 * License:           GPL-3.0-or-later
 * License URI:       https://www.gnu.org/licenses/gpl-3.0.html
 * Text Domain:       badgebridge
 * Domain Path:       /languages
 * Update URI:        https://gateway.badgebridge.invalid/plugin
 *
 * @package Badgebridge
 */

defined( 'ABSPATH' ) || exit;

define( 'BADGEBRIDGE_VERSION', '0.1.0' );
define( 'BADGEBRIDGE_FILE', __FILE__ );

spl_autoload_register(
	static function ( $class ) {
		if ( 0 === strpos( $class, 'Badgebridge\\' ) ) {
			$file = __DIR__ . '/src/' . str_replace( '\\', '/', substr( $class, 12 ) ) . '.php';
			if ( is_file( $file ) ) {
				require $file;
			}
		}
	}
);

/** The plugin's parts, wired once per request. */
function badgebridge(): \Badgebridge\Plugin {
	static $plugin = null;
	if ( null === $plugin ) {
		$plugin = new \Badgebridge\Plugin();
	}
	return $plugin;
}

badgebridge()->start();
