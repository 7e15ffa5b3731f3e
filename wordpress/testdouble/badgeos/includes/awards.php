<?php
defined( 'ABSPATH' ) || exit;

/** Rows of one user, by entry id; every value is a string. */
function badgeos_get_user_achievements( $args = array() ) {
	global $wpdb;
	$args  = wp_parse_args( $args, array( 'user_id' => 0, 'entry_id' => 0, 'achievement_id' => 0, 'no_step' => false ) );
	$where = array( 'user_id = ' . (int) ( $args['user_id'] ?: get_current_user_id() ) );
	if ( $args['entry_id'] ) {
		$where[] = 'entry_id = ' . (int) $args['entry_id'];
	}
	if ( $args['achievement_id'] ) {
		$where[] = 'ID = ' . (int) $args['achievement_id'];
	}
	if ( $args['no_step'] ) {
		$where[] = $wpdb->prepare( 'post_type <> %s', badgeos_double_step_type() );
	}
	return $wpdb->get_results( "SELECT * FROM {$wpdb->prefix}badgeos_achievements WHERE " . implode( ' AND ', $where ) . ' ORDER BY entry_id' );
}

function badgeos_build_achievement_object( $achievement_id = 0, $context = 'earned', $trigger = '', $image = '', $rec_type = 'normal' ) {
	$post = get_post( $achievement_id );
	if ( ! $post ) {
		return false;
	}
	$points = get_post_meta( $achievement_id, '_badgeos_points', true );
	$object = (object) array(
		'ID'         => $achievement_id,
		'title'      => $post->post_title,
		'post_type'  => $post->post_type,
		'image'      => $image,
		'rec_type'   => $rec_type,
		'points'     => isset( $points['_badgeos_points'] ) ? $points['_badgeos_points'] : 0,
		'point_type' => isset( $points['_badgeos_points_type'] ) ? $points['_badgeos_points_type'] : '',
		'trigger'    => $trigger,
	);
	return apply_filters( 'achievement_object', $object, $achievement_id, $context );
}

/**
 * Stores one award and gives its entry id; or, with all_achievements, rewrites
 * user meta that nobody reads, and fires the award hook with entry id 0.
 *
 * The id is read from $wpdb after the hook has run: a listener that inserts a row
 * of its own changes which entry BadgeOS believes it has made.
 */
function badgeos_update_user_achievements( $args = array() ) {
	global $wpdb;
	$user_id = (int) $args['user_id'];
	if ( empty( $args['new_achievements'] ) ) {
		$saved = update_user_meta( $user_id, '_badgeos_achievements', isset( $args['all_achievements'] ) ? $args['all_achievements'] : array() );
		do_action( 'badgeos_achievements_new_added', '', 0, $user_id, 0 );
		return $saved;
	}
	$new      = $args['new_achievements'][0];
	$rec_type = apply_filters( 'badgeos_achievements_record_type', $new->rec_type, $new->ID, $user_id );
	$actual   = $GLOBALS['badgeos']->achievement_date ?: current_time( 'mysql' );

	$GLOBALS['badgeos']->achievement_date = '';
	$wpdb->insert(
		$wpdb->prefix . 'badgeos_achievements',
		array(
			'ID'                 => $new->ID,
			'post_type'          => $new->post_type,
			'achievement_title'  => get_the_title( $new->ID ),
			'points'             => $new->points,
			'point_type'         => $new->point_type,
			'this_trigger'       => $new->trigger,
			'user_id'            => $user_id,
			'site_id'            => get_current_blog_id(),
			'image'              => $new->image,
			'rec_type'           => $rec_type,
			'actual_date_earned' => $actual,
			'date_earned'        => current_time( 'mysql' ),
		)
	);
	do_action( 'badgeos_achievements_new_added', $rec_type, $new->ID, $user_id, $wpdb->insert_id );
	return $wpdb->insert_id;
}

/**
 * Awards without asking whether it may: not idempotent, no maximum, drafts too.
 * Drops an award in silence when the same badge was awarded before in the same
 * request, whoever got it. Gives nothing back.
 */
function badgeos_award_achievement_to_user( $achievement_id = 0, $user_id = 0, $this_trigger = '', $site_id = 0, $args = array() ) {
	if ( ! badgeos_is_achievement( $achievement_id ) ) {
		return false;
	}
	if ( in_array( $achievement_id, $GLOBALS['badgeos']->award_ids ) ) {
		$GLOBALS['badgeos']->award_ids = array();
		return false;
	}
	$user_id = $user_id ?: get_current_user_id();
	$site_id = $site_id ?: get_current_blog_id();
	$object  = badgeos_build_achievement_object( $achievement_id, 'earned', $this_trigger );
	$entry   = badgeos_update_user_achievements( array( 'user_id' => $user_id, 'new_achievements' => array( $object ) ) );
	do_action( 'badgeos_unlock_' . $object->post_type, $user_id, $achievement_id, $this_trigger, $site_id, $args );
	do_action( 'badgeos_award_achievement', $user_id, $achievement_id, $this_trigger, $site_id, $args, $entry );
}

/** What fills the guard: it runs after each award, for the badges that depend on it. */
function badgeos_maybe_award_additional_achievements_to_user( $user_id = 0, $achievement_id = 0 ) {
	if ( ! in_array( $achievement_id, $GLOBALS['badgeos']->award_ids ) ) {
		$GLOBALS['badgeos']->award_ids[] = $achievement_id;
	}
}
add_action( 'badgeos_award_achievement', 'badgeos_maybe_award_additional_achievements_to_user', 10, 2 );

/** Claims to revoke; the row stays. */
function badgeos_revoke_achievement_from_user( $entry_id = 0, $achievement_id = 0, $user_id = 0 ) {
	badgeos_update_user_achievements( array( 'user_id' => $user_id, 'all_achievements' => array() ) );
	do_action( 'badgeos_revoke_achievement', $user_id, $achievement_id );
}

function badgeos_decrement_user_trigger_count( $user_id, $step_id, $del_ach_id ) {
	$trigger = get_post_meta( $step_id, '_badgeos_trigger_type', true );
	$counts  = get_user_meta( $user_id, '_badgeos_triggered_triggers', true );
	$counts  = is_array( $counts ) ? $counts : array();
	$site_id = get_current_blog_id();
	$count   = isset( $counts[ $site_id ][ $trigger ] ) ? (int) $counts[ $site_id ][ $trigger ] : 0;

	$counts[ $site_id ][ $trigger ] = max( 0, $count - (int) get_post_meta( $step_id, '_badgeos_count', true ) );
	update_user_meta( $user_id, '_badgeos_triggered_triggers', $counts );
	do_action( 'badgeos_decrement_user_trigger_count', $user_id, $step_id, $trigger, $del_ach_id, $site_id );
	return $counts[ $site_id ][ $trigger ];
}

/** Bakes when the badge says so; here the picture is only a mark in a file. */
function badgeos_obadge_issue_badge( $user_id, $achievement_id, $this_trigger, $site_id, $args, $entry_id ) {
	global $wpdb;
	if ( 'true' !== get_post_meta( $achievement_id, '_open_badge_enable_baking', true ) ) {
		return;
	}
	$uploads = wp_upload_dir();
	$folder  = $uploads['basedir'] . '/user_badges/' . (int) $user_id;
	$name    = 'Badge-' . (int) $entry_id . '-' . (int) $achievement_id . '.png';
	wp_mkdir_p( $folder );
	file_put_contents( $folder . '/' . $name, 'baked' );
	$wpdb->update( $wpdb->prefix . 'badgeos_achievements', array( 'image' => $name ), array( 'entry_id' => $entry_id ) );
}
add_action( 'badgeos_award_achievement', 'badgeos_obadge_issue_badge', 10, 6 );

function badgeos_double_record_type( $rec_type, $achievement_id, $user_id ) {
	return 'true' === get_post_meta( $achievement_id, '_open_badge_enable_baking', true ) ? 'open_badge' : $rec_type;
}
add_filter( 'badgeos_achievements_record_type', 'badgeos_double_record_type', 10, 3 );
