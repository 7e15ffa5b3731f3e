<?php
/**
 * Plugin Name: BadgeOS (test double)
 * Description: Stands in for BadgeOS 3.7 in tests: same tables, functions and hooks, and the same faults. Not for real sites.
 * Version: 3.7.0
 * License: GPL-3.0-or-later
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/includes/tables.php';
require_once __DIR__ . '/includes/badges.php';
require_once __DIR__ . '/includes/awards.php';
require_once __DIR__ . '/includes/doors.php';

class BadgeOS {

	public static $version = '3.7.0';
	public $achievement_types = array();
	public $achievement_date  = '';

	public function __construct() {
		// Neither is declared, which PHP 8.2 complains about on each request.
		$this->award_ids  = array();
		$this->start_time = time();
		register_activation_hook( __FILE__, 'badgeos_double_activate' );
		add_action( 'init', array( $this, 'register_types' ) );
	}

	public function register_types() {
		$common = array(
			'capability_type' => 'post',
			'show_in_rest'    => false,
			'show_ui'         => current_user_can( badgeos_get_manager_capability() ),
		);
		register_post_type( 'achievement-type', $common + array( 'public' => false, 'label' => 'Achievement types', 'supports' => array( 'title', 'thumbnail', 'page-attributes' ) ) );
		$types = get_posts( array( 'post_type' => 'achievement-type', 'post_status' => 'publish', 'numberposts' => -1 ) );
		foreach ( $types as $type ) {
			$slug = sanitize_title( substr( strtolower( $type->post_title ), 0, 20 ) );
			register_post_type(
				$slug,
				$common + array(
					'public'      => true,
					'has_archive' => true,
					'label'       => $type->post_title,
					'supports'    => array( 'title', 'editor', 'excerpt', 'author', 'thumbnail', 'page-attributes' ),
				)
			);
			$this->achievement_types[ $slug ] = array( 'single_name' => $type->post_title );
		}
		$step = badgeos_double_step_type();
		register_post_type( $step, $common + array( 'public' => false, 'label' => 'Steps', 'supports' => array( 'title' ) ) );
		$this->achievement_types[ $step ] = array( 'single_name' => 'step' );
	}
}

$GLOBALS['badgeos'] = new BadgeOS();
