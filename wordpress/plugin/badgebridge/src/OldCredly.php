<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/**
 * What BadgeOS up to 3.6.8 left of its link to the Credly of then: which badges were
 * to be sent there, and which members had agreed or refused. It is only read.
 */
final class OldCredly {

	const SENDS   = '_badgeos_send_to_credly';
	const NUMBER  = '_badgeos_credly_badge_id';
	const CONSENT = 'credly_user_enable';
	const ACCOUNT = 'credly_user_id';
	const MOST    = 500;

	/**
	 * @param string[] $types Post types of badges.
	 * @return array<string, mixed>
	 */
	public static function report( array $types ): array {
		$badges  = self::badges( $types );
		$members = self::members();
		return array(
			'badges'  => array_slice( $badges, 0, self::MOST ),
			'members' => array_slice( $members, 0, self::MOST ),
			'more'    => count( $badges ) > self::MOST || count( $members ) > self::MOST,
		);
	}

	/**
	 * @param string[] $types
	 * @return array<int, array<string, mixed>>
	 */
	private static function badges( array $types ): array {
		if ( ! $types ) {
			return array();
		}
		$posts = get_posts(
			array(
				'post_type'      => $types,
				'post_status'    => array( 'publish', 'draft', 'pending', 'private', 'future' ),
				'posts_per_page' => self::MOST + 1,
				'orderby'        => 'ID',
				'order'          => 'ASC',
				'no_found_rows'  => true,
				'meta_query'     => array(
					'relation' => 'OR',
					array(
						'key'   => self::SENDS,
						'value' => 'true',
					),
					array(
						'key'     => self::NUMBER,
						'value'   => '',
						'compare' => '!=',
					),
				),
			)
		);
		$list  = array();
		foreach ( $posts as $post ) {
			$list[] = array(
				'id'     => (int) $post->ID,
				'title'  => $post->post_title,
				'number' => (string) get_post_meta( $post->ID, self::NUMBER, true ),
				'sends'  => 'true' === get_post_meta( $post->ID, self::SENDS, true ),
			);
		}
		return $list;
	}

	/** @return array<int, array<string, mixed>> */
	private static function members(): array {
		$users = get_users(
			array(
				'number'     => self::MOST + 1,
				'orderby'    => 'ID',
				'order'      => 'ASC',
				'meta_query' => array(
					'relation' => 'OR',
					array(
						'key'     => self::CONSENT,
						'compare' => 'EXISTS',
					),
					array(
						'key'     => self::ACCOUNT,
						'compare' => 'EXISTS',
					),
				),
			)
		);
		$list  = array();
		foreach ( $users as $user ) {
			$consent = (string) get_user_meta( $user->ID, self::CONSENT, true );
			$list[]  = array(
				'id'           => (int) $user->ID,
				'display_name' => (string) $user->display_name,
				'consent'      => 'false' === $consent ? 'refused' : ( 'true' === $consent ? 'given' : 'unknown' ),
				// A fault of that BadgeOS stores the site's own number here at times.
				'account'      => (string) get_user_meta( $user->ID, self::ACCOUNT, true ),
			);
		}
		return $list;
	}
}
