<?php
/**
 * Plugin Name: GamiPress (test double)
 * Description: Stands in for GamiPress 5.7 in tests: same tables, functions and hooks. Not for real sites.
 * Version: 5.7.0
 * License: GPL-3.0-or-later
 */

defined( 'ABSPATH' ) || exit;

define( 'GAMIPRESS_VER', '5.7.0' );

require_once __DIR__ . '/includes/earnings.php';
require_once __DIR__ . '/includes/awards.php';

final class GamiPress {

	public $achievement_types = array();

	public static function instance() {
		static $instance = null;
		if ( ! $instance ) {
			$instance = new GamiPress();
			register_activation_hook( __FILE__, 'gamipress_double_activate' );
			add_action( 'init', array( $instance, 'register_types' ) );
		}
		return $instance;
	}

	public function register_types() {
		register_post_type( 'achievement-type', array( 'public' => false, 'show_in_rest' => true, 'supports' => array( 'title', 'thumbnail' ) ) );
		register_post_type( 'step', array( 'public' => false, 'show_in_rest' => true, 'hierarchical' => true, 'supports' => array( 'title' ) ) );
		// A type's slug is its post_name, not made from its title.
		foreach ( get_posts( array( 'post_type' => 'achievement-type', 'post_status' => 'publish', 'numberposts' => -1 ) ) as $type ) {
			register_post_type(
				$type->post_name,
				array(
					'public'       => true,
					'has_archive'  => true,
					'show_in_rest' => true,
					'label'        => $type->post_title,
					'supports'     => array( 'title', 'editor', 'excerpt', 'author', 'thumbnail' ),
				)
			);
			$this->achievement_types[ $type->post_name ] = array( 'singular_name' => $type->post_title );
		}
	}
}

function GamiPress() {
	return GamiPress::instance();
}

GamiPress();

function gamipress_get_manager_capability() {
	$settings = (array) get_option( 'gamipress_settings', array() );
	return isset( $settings['minimum_role'] ) ? $settings['minimum_role'] : 'manage_options';
}

function gamipress_get_achievement_types_slugs() {
	return array_keys( GamiPress()->achievement_types );
}

function gamipress_is_achievement( $post = null ) {
	return apply_filters( 'gamipress_is_achievement', in_array( get_post_type( $post ), gamipress_get_achievement_types_slugs(), true ), $post );
}

function gamipress_is_requirement( $post = null ) {
	return 'step' === get_post_type( $post );
}

/** Steps hang below their badge by post_parent. */
function gamipress_get_achievement_steps( $achievement_id = 0, $post_status = 'publish' ) {
	return get_posts(
		array(
			'post_type'   => 'step',
			'post_parent' => $achievement_id,
			'post_status' => $post_status,
			'numberposts' => -1,
			'orderby'     => 'menu_order',
			'order'       => 'ASC',
		)
	);
}
