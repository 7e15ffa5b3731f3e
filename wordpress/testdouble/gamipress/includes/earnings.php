<?php
defined( 'ABSPATH' ) || exit;

function gamipress_double_table() {
	global $wpdb;
	return $wpdb->prefix . 'gamipress_user_earnings';
}

function gamipress_double_activate() {
	global $wpdb;
	$table = gamipress_double_table();
	$wpdb->query(
		"CREATE TABLE IF NOT EXISTS $table (
			user_earning_id bigint(20) NOT NULL AUTO_INCREMENT PRIMARY KEY,
			title text,
			user_id bigint(20) NOT NULL DEFAULT 0,
			post_id bigint(20) NOT NULL DEFAULT 0,
			post_type varchar(50) NOT NULL DEFAULT '',
			points bigint(20) NOT NULL DEFAULT 0,
			points_type varchar(50) NOT NULL DEFAULT '',
			date datetime,
			KEY user_id (user_id),
			KEY post_id (post_id)
		)"
	);
	$wpdb->query(
		"CREATE TABLE IF NOT EXISTS {$table}_meta (
			meta_id bigint(20) NOT NULL AUTO_INCREMENT PRIMARY KEY,
			user_earning_id bigint(20) NOT NULL DEFAULT 0,
			meta_key varchar(255),
			meta_value longtext,
			KEY user_earning_id (user_earning_id),
			KEY meta_key (meta_key(191))
		)"
	);
	add_option( 'gamipress_settings', array( 'minimum_role' => 'manage_options' ) );
	if ( ! get_posts( array( 'post_type' => 'achievement-type', 'post_status' => 'publish' ) ) ) {
		wp_insert_post( array( 'post_type' => 'achievement-type', 'post_status' => 'publish', 'post_title' => 'Badge', 'post_name' => 'badges' ) );
	}
	GamiPress()->register_types();
}

/** Stores one earning: of a badge, a step, points or a rank. */
function gamipress_insert_user_earning( $user_id = 0, $data = array(), $meta = array() ) {
	global $wpdb;
	$data = wp_parse_args(
		$data,
		array(
			'title'       => '',
			'user_id'     => $user_id ? absint( $user_id ) : get_current_user_id(),
			'post_id'     => 0,
			'post_type'   => '',
			'points'      => 0,
			'points_type' => '',
			'date'        => current_time( 'mysql' ),
		)
	);
	$wpdb->insert( gamipress_double_table(), $data );
	$id = $wpdb->insert_id;
	foreach ( $meta as $key => $value ) {
		gamipress_update_user_earning_meta( $id, '_gamipress_' . sanitize_key( $key ), $value );
	}
	do_action( 'gamipress_insert_user_earning', $id, $data, $meta, $user_id );
	return $id;
}

function gamipress_update_user_earning_meta( $id, $key, $value ) {
	global $wpdb;
	$table = gamipress_double_table() . '_meta';
	$wpdb->delete( $table, array( 'user_earning_id' => $id, 'meta_key' => $key ) );
	return $wpdb->insert( $table, array( 'user_earning_id' => $id, 'meta_key' => $key, 'meta_value' => $value ) );
}

/** No hook tells that these go. */
function gamipress_on_delete_user( $user_id ) {
	global $wpdb;
	$wpdb->delete( gamipress_double_table(), array( 'user_id' => $user_id ) );
}
add_action( 'delete_user', 'gamipress_on_delete_user', 10, 2 );

/** Nor when a badge goes in wp-admin. */
function gamipress_on_delete_post( $post_id ) {
	global $wpdb;
	$wpdb->delete( gamipress_double_table(), array( 'post_id' => $post_id ) );
}
if ( is_admin() || defined( 'BADGEBRIDGE_TEST_SNIPPET' ) ) {
	add_action( 'delete_post', 'gamipress_on_delete_post' );
}

/** WordPress's tool erases the earnings, too, without a word to anybody. */
function gamipress_privacy_user_earnings_eraser( $email_address, $page = 1 ) {
	global $wpdb;
	$user = get_user_by( 'email', $email_address );
	if ( $user ) {
		$wpdb->delete( gamipress_double_table(), array( 'user_id' => $user->ID ) );
	}
	return array( 'items_removed' => true, 'items_retained' => false, 'messages' => array(), 'done' => true );
}

function gamipress_privacy_register_user_earnings_erasers( $erasers ) {
	$erasers[] = array( 'eraser_friendly_name' => 'User Earnings', 'callback' => 'gamipress_privacy_user_earnings_eraser' );
	return $erasers;
}
add_filter( 'wp_privacy_personal_data_erasers', 'gamipress_privacy_register_user_earnings_erasers' );
