<?php
// Runs a snippet inside WordPress: php run.php SITE HOST SNIPPET
$_SERVER['HTTP_HOST']      = $argv[2];
$_SERVER['REQUEST_URI']    = '/';
$_SERVER['REQUEST_METHOD'] = 'GET';
require $argv[1] . '/wp-load.php';
foreach ( array( 'plugin', 'file', 'media', 'image', 'misc', 'user', 'post' ) as $part ) {
	require_once ABSPATH . 'wp-admin/includes/' . $part . '.php';
}
( static function ( $file ) {
	require $file;
} )( $argv[3] );
