<?php
defined( 'ABSPATH' ) || exit;

/** The post type of steps; an administrator can rename it. */
function badgeos_double_step_type() {
	$settings = (array) get_option( 'badgeos_settings', array() );
	return isset( $settings['achievement_step_post_type'] ) ? trim( $settings['achievement_step_post_type'] ) : 'step';
}

function badgeos_double_activate() {
	global $wpdb;
	// The award table has no index but the primary key.
	$wpdb->query(
		"CREATE TABLE IF NOT EXISTS {$wpdb->prefix}badgeos_achievements (
			entry_id int(10) NOT NULL AUTO_INCREMENT PRIMARY KEY,
			ID int(10) DEFAULT 0,
			sub_nom_id int(10) DEFAULT 0,
			post_type varchar(100),
			achievement_title text,
			rec_type varchar(10) DEFAULT '',
			points int(10) DEFAULT 0,
			point_type varchar(50) DEFAULT '',
			user_id int(10) DEFAULT 0,
			this_trigger varchar(100),
			image varchar(50),
			site_id int(10) DEFAULT 0,
			actual_date_earned timestamp NULL DEFAULT CURRENT_TIMESTAMP,
			date_earned timestamp NULL DEFAULT CURRENT_TIMESTAMP
		)"
	);
	$wpdb->query(
		"CREATE TABLE IF NOT EXISTS {$wpdb->prefix}p2p (
			p2p_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
			p2p_from bigint unsigned NOT NULL,
			p2p_to bigint unsigned NOT NULL,
			p2p_type varchar(44) NOT NULL DEFAULT ''
		)"
	);
	$wpdb->query(
		"CREATE TABLE IF NOT EXISTS {$wpdb->prefix}p2pmeta (
			meta_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
			p2p_id bigint unsigned NOT NULL DEFAULT 0,
			meta_key varchar(255),
			meta_value longtext
		)"
	);
	add_option(
		'badgeos_settings',
		array(
			'minimum_role'               => 'manage_options',
			'achievement_main_post_type' => 'achievement-type',
			'achievement_step_post_type' => 'step',
		)
	);
	if ( ! get_posts( array( 'post_type' => 'achievement-type', 'post_status' => 'publish' ) ) ) {
		wp_insert_post( array( 'post_type' => 'achievement-type', 'post_status' => 'publish', 'post_title' => 'Badges' ) );
	}
	$GLOBALS['badgeos']->register_types();
}
