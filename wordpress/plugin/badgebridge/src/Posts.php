<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** The posts that are badges. */
final class Posts {

	const SHOWN  = array( 'publish', 'private', 'draft', 'pending', 'future' );
	const HIDDEN = array( 'trash', 'auto-draft', 'inherit' );

	/**
	 * @param string[] $types Post types.
	 * @return int[] Ids above $after, ascending.
	 */
	public static function ids( array $types, int $after, int $limit ): array {
		global $wpdb;
		if ( ! $types ) {
			return array();
		}
		$holes  = implode( ',', array_fill( 0, count( $types ), '%s' ) );
		$states = implode( ',', array_fill( 0, count( self::SHOWN ), '%s' ) );
		// phpcs:ignore Badgebridge.Security.PreparedQuery -- both are lists of %s.
		return array_map( 'intval', $wpdb->get_col( $wpdb->prepare( "SELECT ID FROM {$wpdb->posts} WHERE post_type IN ( $holes ) AND post_status IN ( $states ) AND ID > %d ORDER BY ID LIMIT %d", array_merge( $types, self::SHOWN, array( $after, $limit ) ) ) ) );
	}

	/** @param string[] $types Post types. */
	public static function badge( int $id, array $types ): ?\WP_Post {
		$post = get_post( $id );
		return $post instanceof \WP_Post && in_array( $post->post_type, $types, true ) && ! in_array( $post->post_status, self::HIDDEN, true ) ? $post : null;
	}
}
