<?php
/**
 * Removes all that the plugin has stored, on every site of a network. What stays:
 * the awards and badges in BadgeOS or GamiPress, also those that the gateway made,
 * with their pictures and the criteria that it gave them; and what the gateway knows,
 * which is erased there.
 *
 * @package Badgebridge
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

require_once __DIR__ . '/src/Schema.php';

foreach ( is_multisite() ? get_sites( array( 'fields' => 'ids', 'number' => 0 ) ) : array( 0 ) as $badgebridge_site ) {
	if ( $badgebridge_site ) {
		switch_to_blog( $badgebridge_site );
	}
	\Badgebridge\Schema::drop();
	foreach ( array( 'uuid', 'epoch', 'schema', 'pairing', 'webhook', 'feed_pruned', 'provider', 'provider_seen', 'oidc_key' ) as $badgebridge_name ) {
		delete_option( 'badgebridge_' . $badgebridge_name );
	}
	\Badgebridge\Schema::drop_transients();
	wp_clear_scheduled_hook( 'badgebridge_cron' );
	if ( $badgebridge_site ) {
		restore_current_blog();
	}
}
foreach ( array( 'badgebridge_state', 'badgebridge_erased', 'badgebridge_proven', 'badgebridge_mailed' ) as $badgebridge_name ) {
	delete_metadata( 'user', 0, $badgebridge_name, '', true );
}
