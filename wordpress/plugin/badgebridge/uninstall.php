<?php
/**
 * Removes all that the plugin has stored. What stays: the awards and badges in
 * BadgeOS or GamiPress, also those that the gateway made, with their pictures; and
 * what the gateway knows, which is erased there.
 *
 * @package Badgebridge
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

require_once __DIR__ . '/src/Schema.php';

\Badgebridge\Schema::drop();
foreach ( array( 'uuid', 'epoch', 'schema', 'pairing', 'webhook', 'feed_pruned', 'provider', 'provider_seen', 'oidc_key' ) as $badgebridge_name ) {
	delete_option( 'badgebridge_' . $badgebridge_name );
}
foreach ( array( 'badgebridge_state', 'badgebridge_erased', 'badgebridge_proven', 'badgebridge_mailed' ) as $badgebridge_name ) {
	delete_metadata( 'user', 0, $badgebridge_name, '', true );
}
wp_clear_scheduled_hook( 'badgebridge_cron' );
