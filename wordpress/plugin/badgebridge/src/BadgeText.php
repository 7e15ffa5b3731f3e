<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** What a badge's post says, whichever plugin it belongs to. */
final class BadgeText {

	const EARNED_STATES = array( 'publish', 'private' );

	/** The members of the contract's Badge that every provider takes from the post. */
	public static function of( \WP_Post $post ): array {
		return array(
			'id'           => (int) $post->ID,
			// Not get_the_title(), which changes quotes and adds entities.
			'title'        => self::decode( $post->post_title ),
			'description'  => self::description( $post ),
			'criteria_url' => (string) get_permalink( $post ),
			'criteria'     => '',
			'type'         => $post->post_type,
			'state'        => in_array( $post->post_status, self::EARNED_STATES, true ) ? 'published' : 'draft',
		);
	}

	private static function description( \WP_Post $post ): string {
		$html = '' !== trim( $post->post_content ) ? $post->post_content : $post->post_excerpt;
		$html = strip_shortcodes( excerpt_remove_blocks( $html ) );
		// Paragraphs stay apart when their tags go.
		$html = preg_replace( '#</(p|li|h[1-6]|div)>|<br\s*/?>#i', "$0\n", $html );
		return trim( self::decode( wp_strip_all_tags( $html ) ) );
	}

	/** Steps as a Markdown list. */
	public static function steps( array $posts ): string {
		$lines = array();
		foreach ( $posts as $step ) {
			$lines[] = '- ' . addcslashes( self::decode( $step->post_title ), '\\`*_[]<>#' );
		}
		return implode( "\n", $lines );
	}

	/** The post's picture, or else that of its type's post. */
	public static function image( \WP_Post $post, ?\WP_Post $type ): string {
		$image = get_the_post_thumbnail_url( $post, 'full' );
		if ( ! $image && $type ) {
			$image = get_the_post_thumbnail_url( $type, 'full' );
		}
		return (string) $image;
	}

	/** Plain text as it can stand in a post: no tag, no shortcode, no block comes out of it. */
	public static function encode( string $text ): string {
		return str_replace( array( '[', ']' ), array( '&#91;', '&#93;' ), htmlspecialchars( $text, ENT_QUOTES | ENT_HTML5, 'UTF-8', true ) );
	}

	public static function decode( string $text ): string {
		return html_entity_decode( $text, ENT_QUOTES | ENT_HTML5, 'UTF-8' );
	}
}
