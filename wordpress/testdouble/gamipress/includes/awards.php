<?php
defined( 'ABSPATH' ) || exit;

function gamipress_build_achievement_object( $achievement_id = 0, $context = 'earned' ) {
	$post = get_post( $achievement_id );
	if ( ! $post ) {
		return false;
	}
	$object = (object) array(
		'ID'          => $achievement_id,
		'post_type'   => $post->post_type,
		'points'      => absint( get_post_meta( $achievement_id, '_gamipress_points', true ) ),
		'points_type' => get_post_meta( $achievement_id, '_gamipress_points_type', true ),
		'date_earned' => current_time( 'timestamp' ),
	);
	return apply_filters( 'gamipress_achievement_object', $object, $achievement_id, $context );
}

function gamipress_update_user_achievements( $args = array() ) {
	foreach ( $args['new_achievements'] as $new ) {
		gamipress_insert_user_earning(
			absint( $args['user_id'] ),
			array(
				'title'       => get_post_field( 'post_title', $new->ID ),
				'post_id'     => $new->ID,
				'post_type'   => $new->post_type,
				'points'      => $new->points,
				'points_type' => $new->points_type,
				'date'        => gmdate( 'Y-m-d H:i:s', $new->date_earned ),
			)
		);
	}
	return true;
}

/** Awards without asking whether it may; the maximum counts elsewhere. Gives nothing back. */
function gamipress_award_achievement_to_user( $achievement_id = 0, $user_id = 0, $admin_id = 0, $trigger = '', $site_id = 0, $args = array() ) {
	if ( ! gamipress_is_achievement( $achievement_id ) && ! gamipress_is_requirement( $achievement_id ) ) {
		return false;
	}
	$user_id = $user_id ?: get_current_user_id();
	$object  = gamipress_build_achievement_object( $achievement_id );
	gamipress_update_user_achievements( array( 'user_id' => $user_id, 'new_achievements' => array( $object ) ) );
	do_action( 'gamipress_unlock_' . $object->post_type, $user_id, $achievement_id, $trigger, $site_id, $args );
	do_action( 'gamipress_award_achievement', $user_id, $achievement_id, $trigger, $site_id, $args );
}

/** Really deletes: without a number the newest earning of the post; the badge's steps go with it. */
function gamipress_revoke_achievement_to_user( $achievement_id = 0, $user_id = 0, $earning_id = 0 ) {
	global $wpdb;
	$table = gamipress_double_table();
	if ( ! $earning_id ) {
		$earning_id = $wpdb->get_var( $wpdb->prepare( "SELECT user_earning_id FROM $table WHERE user_id = %d AND post_id = %d ORDER BY user_earning_id DESC LIMIT 1", $user_id, $achievement_id ) );
	}
	if ( gamipress_is_achievement( $achievement_id ) && apply_filters( 'gamipress_revoke_requirements_on_revoke_parent', true, $achievement_id, $user_id, $earning_id ) ) {
		foreach ( gamipress_get_achievement_steps( $achievement_id ) as $step ) {
			gamipress_revoke_achievement_to_user( $step->ID, $user_id );
		}
	}
	if ( $achievement_id ) {
		do_action( 'gamipress_revoke_' . get_post_type( $achievement_id ), $user_id, $achievement_id, $earning_id );
	}
	do_action( 'gamipress_revoke_achievement_to_user', $user_id, $achievement_id, $earning_id );
	if ( $earning_id ) {
		$wpdb->delete( $table, array( 'user_earning_id' => $earning_id ) );
		$wpdb->delete( $table . '_meta', array( 'user_earning_id' => $earning_id ) );
	}
	do_action( 'gamipress_revoke_achievement_to_user_after', $user_id, $achievement_id, $earning_id );
}
