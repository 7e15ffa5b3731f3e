<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** A BadgeOS badge in the contract's words. */
final class BadgeOSBadge {

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
		$count = (int) get_post_meta( $this->post->ID, '_open_badge_expiration', true );
		$unit  = strtolower( (string) get_post_meta( $this->post->ID, '_open_badge_expiration_type', true ) );
		if ( $count > 0 && in_array( $unit, array( 'day', 'month', 'year' ), true ) ) {
			$badge['expires_after'] = array( 'count' => $count, 'unit' => $unit );
		}
		return $badge;
	}

	private function criteria(): string {
		$steps = function_exists( 'badgeos_get_required_achievements_for_achievement' )
			? badgeos_get_required_achievements_for_achievement( $this->post->ID ) : array();
		$lines = BadgeText::steps( (array) ( $steps ?: array() ) );
		if ( '' !== $lines ) {
			return $lines;
		}
		switch ( get_post_meta( $this->post->ID, '_badgeos_earned_by', true ) ) {
			case 'points':
				/* translators: %d: number of points */
				return sprintf( __( 'Earned with %d points.', 'badgebridge' ), (int) get_post_meta( $this->post->ID, '_badgeos_points_required', true ) );
			case 'submission':
			case 'submission_auto':
			case 'nomination':
				return __( 'Awarded for a submission that was reviewed.', 'badgebridge' );
			default:
				return __( 'Awarded by an administrator of the association.', 'badgebridge' );
		}
	}

	private function type(): ?\WP_Post {
		$types = get_posts(
			array(
				'post_type'   => 'achievement-type',
				'post_status' => 'publish',
				'numberposts' => 50,
			)
		);
		foreach ( $types as $type ) {
			if ( sanitize_title( substr( strtolower( $type->post_title ), 0, 20 ) ) === $this->post->post_type ) {
				return $type;
			}
		}
		return null;
	}
}
