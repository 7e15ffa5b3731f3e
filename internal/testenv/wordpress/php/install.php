<?php
// Installs WordPress into an empty database: php install.php SITE
define( 'WP_INSTALLING', true );
$_SERVER['HTTP_HOST']   = '127.0.0.1';
$_SERVER['REQUEST_URI'] = '/';
require $argv[1] . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install( 'Demo Association', 'admin', 'admin@example.org', true, '', 'admin-pass' );
global $wp_rewrite;
$wp_rewrite->set_permalink_structure( '/%postname%/' );
$wp_rewrite->flush_rules( false );
update_option( 'timezone_string', 'America/New_York' );
update_option( 'gmt_offset', '' );
