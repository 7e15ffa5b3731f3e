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
		$badge = array(
			'id'           => (int) $this->post->ID,
			// Not get_the_title(), which changes quotes and adds entities.
			'title'        => self::decode( $this->post->post_title ),
			'description'  => $this->description(),
			'criteria_url' => (string) get_permalink( $this->post ),
			'criteria'     => $this->criteria(),
			'type'         => $this->post->post_type,
			'state'        => 'publish' === $this->post->post_status || 'private' === $this->post->post_status ? 'published' : 'draft',
		);
		$image = $this->image();
		if ( $image ) {
			$badge['image_url'] = $image;
		}
		$count = (int) get_post_meta( $this->post->ID, '_open_badge_expiration', true );
		$unit  = strtolower( (string) get_post_meta( $this->post->ID, '_open_badge_expiration_type', true ) );
		if ( $count > 0 && in_array( $unit, array( 'day', 'month', 'year' ), true ) ) {
			$badge['expires_after'] = array( 'count' => $count, 'unit' => $unit );
		}
		return $badge;
	}

	private function description(): string {
		$html = '' !== trim( $this->post->post_content ) ? $this->post->post_content : $this->post->post_excerpt;
		$html = strip_shortcodes( excerpt_remove_blocks( $html ) );
		// Paragraphs stay apart when their tags go.
		$html = preg_replace( '#</(p|li|h[1-6]|div)>|<br\s*/?>#i', "$0\n", $html );
		return trim( self::decode( wp_strip_all_tags( $html ) ) );
	}

	private function criteria(): string {
		$steps = function_exists( 'badgeos_get_required_achievements_for_achievement' )
			? badgeos_get_required_achievements_for_achievement( $this->post->ID ) : array();
		$lines = array();
		foreach ( (array) ( $steps ?: array() ) as $step ) {
			$lines[] = '- ' . addcslashes( self::decode( $step->post_title ), '\\`*_[]<>#' );
		}
		if ( $lines ) {
			return implode( "\n", $lines );
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

	/** The badge's picture, or else its type's. */
	private function image(): string {
		$image = get_the_post_thumbnail_url( $this->post, 'full' );
		if ( ! $image ) {
			$types = get_posts(
				array(
					'post_type'   => 'achievement-type',
					'post_status' => 'publish',
					'numberposts' => 50,
				)
			);
			foreach ( $types as $type ) {
				if ( sanitize_title( substr( strtolower( $type->post_title ), 0, 20 ) ) === $this->post->post_type ) {
					$image = get_the_post_thumbnail_url( $type, 'full' );
				}
			}
		}
		return (string) $image;
	}

	private static function decode( string $text ): string {
		return html_entity_decode( $text, ENT_QUOTES | ENT_HTML5, 'UTF-8' );
	}
}
