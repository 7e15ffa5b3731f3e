<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** A GamiPress achievement in the contract's words. It knows no term. */
final class GamiPressBadge {

	/** @var \WP_Post */
	private $post;

	public function __construct( \WP_Post $post ) {
		$this->post = $post;
	}

	public function document(): array {
		$badge             = BadgeText::of( $this->post );
		$badge['criteria'] = $this->criteria();
		$image             = BadgeText::image( $this->post, $this->type() );
		if ( '' !== $image ) {
			$badge['image_url'] = $image;
		}
		return $badge;
	}

	private function criteria(): string {
		$steps = function_exists( 'gamipress_get_achievement_steps' ) ? gamipress_get_achievement_steps( $this->post->ID ) : array();
		$lines = BadgeText::steps( (array) ( $steps ?: array() ) );
		if ( '' !== $lines ) {
			return $lines;
		}
		if ( 'points' === get_post_meta( $this->post->ID, '_gamipress_earned_by', true ) ) {
			/* translators: %d: number of points */
			return sprintf( __( 'Earned with %d points.', 'badgebridge' ), (int) get_post_meta( $this->post->ID, '_gamipress_points_required', true ) );
		}
		return __( 'Awarded by an administrator of the association.', 'badgebridge' );
	}

	private function type(): ?\WP_Post {
		$found = get_posts(
			array(
				'post_type'   => 'achievement-type',
				'post_status' => 'publish',
				'name'        => $this->post->post_type,
				'numberposts' => 1,
			)
		);
		return $found ? $found[0] : null;
	}
}
