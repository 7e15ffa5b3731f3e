<?php
defined( 'ABSPATH' ) || exit;

function badgeos_get_manager_capability() {
	$settings = (array) get_option( 'badgeos_settings', array() );
	return isset( $settings['minimum_role'] ) ? $settings['minimum_role'] : 'manage_options';
}

/** All types of achievements; steps count as one. */
function badgeos_get_achievement_types_slugs() {
	return array_keys( $GLOBALS['badgeos']->achievement_types );
}

function badgeos_is_achievement( $post = null ) {
	return apply_filters( 'badgeos_is_achievement', in_array( get_post_type( $post ), badgeos_get_achievement_types_slugs(), true ), $post );
}

/** The steps of a badge that is earned by steps, in their order; otherwise false. */
function badgeos_get_required_achievements_for_achievement( $achievement_id = 0 ) {
	global $wpdb;
	if ( 'triggers' !== get_post_meta( $achievement_id, '_badgeos_earned_by', true ) ) {
		return false;
	}
	return $wpdb->get_results(
		$wpdb->prepare(
			"SELECT post.* FROM {$wpdb->posts} post
			JOIN {$wpdb->prefix}p2p link ON link.p2p_from = post.ID
			JOIN {$wpdb->prefix}p2pmeta place ON place.p2p_id = link.p2p_id AND place.meta_key = 'order'
			WHERE link.p2p_to = %d ORDER BY CAST( place.meta_value AS SIGNED )",
			$achievement_id
		)
	);
}

/** Only the one question that revoking asks: which posts lead to a badge. */
function badgeos_get_achievements( $args = array() ) {
	global $wpdb;
	if ( empty( $args['children_of'] ) ) {
		return array();
	}
	return $wpdb->get_results(
		$wpdb->prepare(
			"SELECT post.* FROM {$wpdb->posts} post JOIN {$wpdb->prefix}p2p link ON link.p2p_from = post.ID
			WHERE link.p2p_to = %d AND post.post_status = 'publish'",
			$args['children_of']
		)
	);
}

/** Dies outside wp-admin, where download_url() does not exist. */
function badgeos_achievement_set_default_thumbnail( $post_id ) {
	$step = badgeos_double_step_type();
	if ( ! badgeos_is_achievement( $post_id ) || get_post_type( $post_id ) === $step || wp_is_post_revision( $post_id ) || has_post_thumbnail( $post_id ) ) {
		return;
	}
	$file = download_url( home_url( '/no-such-picture.png' ) );
	if ( is_wp_error( $file ) ) {
		unlink( $file );
	}
}
add_action( 'save_post', 'badgeos_achievement_set_default_thumbnail' );
