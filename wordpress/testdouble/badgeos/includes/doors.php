<?php
// What BadgeOS leaves open to everyone; here without the harm.
defined( 'ABSPATH' ) || exit;

add_action(
	'rest_api_init',
	static function () {
		$open = array( 'methods' => 'GET', 'permission_callback' => '__return_true' );
		register_rest_route(
			'badgeos',
			'/user-lists',
			$open + array(
				'callback' => static function () {
					return wp_list_pluck( get_users(), 'user_login', 'ID' );
				},
			)
		);
		register_rest_route( 'badgeos', '/block-achievements-award-list/(?P<achievement>[a-zA-Z0-9_-]+)/(?P<user_id>[a-zA-Z0-9_-]+)', $open + array( 'callback' => '__return_empty_array' ) );
		register_rest_route( 'badgeos', '/achievement-types', $open + array( 'callback' => 'badgeos_get_achievement_types_slugs' ) );
	}
);

/** No nonce, no capability: any signed-in user deletes anyone's awards. */
function delete_badgeos_bulk_achievements_records() {
	global $wpdb;
	$user_id      = $_POST['user_id'];
	$achievements = array();
	$entries      = array();
	foreach ( (array) $_POST['achievements'] as $record ) {
		list( $achievement, , $entry ) = explode( '_', $record );

		$achievements[] = $achievement;
		$entries[]      = $entry;
	}
	badgeos_update_user_achievements( array( 'user_id' => $user_id, 'all_achievements' => array() ) );
	foreach ( $entries as $i => $entry ) {
		$where = array( 'user_id' => $user_id );
		if ( 0 != $entry ) {
			$where['entry_id'] = $entry;
		}
		do_action( 'badgeos_before_revoke_achievement', $user_id, (int) $achievements[ $i ], $entry );
		$wpdb->delete( $wpdb->prefix . 'badgeos_achievements', $where );
		do_action( 'badgeos_after_revoke_achievement', $user_id, (int) $achievements[ $i ], $entry );
	}
	do_action( 'badgeos_revoke_bulk_achievement', $user_id, $achievements, $entries );
	echo 'success';
	exit;
}
add_action( 'wp_ajax_delete_badgeos_bulk_achievements', 'delete_badgeos_bulk_achievements_records' );

/** No nonce, no owner: any visitor has anyone's entry baked anew, for the one who asks. */
function badgeos_double_convert() {
	global $wpdb;
	$entry_id = absint( $_POST['entry_id'] );
	$wpdb->update( $wpdb->prefix . 'badgeos_achievements', array( 'rec_type' => 'open_badge' ), array( 'entry_id' => $entry_id ) );
	wp_send_json( array( 'status' => 'success' ) );
}
add_action( 'wp_ajax_bos_ob_convert_to_open_badge', 'badgeos_double_convert' );
add_action( 'wp_ajax_nopriv_bos_ob_convert_to_open_badge', 'badgeos_double_convert' );
