<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** GamiPress 2.x to 5.x: its award and revoke functions do what they say and name the earning. */
final class GamiPress implements Provider {

	const MARK = '_badgebridge_mark';

	/** @var array|null Badge, user and mark that we are just awarding. */
	private $granting = null;

	/** @var int Earning that the award in progress has got. */
	private $granted = 0;

	/** @var int Earning that we are just revoking. */
	private $revoking = 0;

	/** @var array<int, Row> Rows that a revoke in progress is about to delete. */
	private $doomed = array();

	public static function is_active(): bool {
		return function_exists( '\GamiPress' ) && function_exists( 'gamipress_award_achievement_to_user' );
	}

	public function id(): string {
		return 'gamipress';
	}

	public function name(): string {
		return 'GamiPress';
	}

	public function version(): string {
		return defined( 'GAMIPRESS_VER' ) ? (string) GAMIPRESS_VER : '';
	}

	public function capability(): string {
		return function_exists( 'gamipress_get_manager_capability' ) ? (string) gamipress_get_manager_capability() : 'manage_options';
	}

	/** Steps are a type of requirement there, not of achievement. */
	public function types(): array {
		return array_values( array_map( 'strval', (array) gamipress_get_achievement_types_slugs() ) );
	}

	public function badge_ids( int $after, int $limit ): array {
		return Posts::ids( $this->types(), $after, $limit );
	}

	public function badge( int $id ): ?array {
		$post = Posts::badge( $id, $this->types() );
		return $post ? ( new GamiPressBadge( $post ) )->document() : null;
	}

	public function saving( callable $write, bool $fresh ): int {
		$id = $write();
		if ( $fresh && $id ) {
			update_post_meta( $id, '_gamipress_earned_by', 'admin' );
			update_post_meta( $id, '_gamipress_maximum_earnings', '0' );
		}
		return $id;
	}

	public function awards( int $after, int $limit ): array {
		global $wpdb;
		return $this->rows( $wpdb->prepare( 'user_earning_id > %d', $after ), 'user_earning_id', $limit );
	}

	public function awards_by_id( array $entry_ids ): array {
		$ids = array_filter( array_map( 'intval', $entry_ids ) );
		if ( ! $ids ) {
			return array();
		}
		$rows = array();
		foreach ( $this->rows( 'user_earning_id IN ( ' . implode( ',', $ids ) . ' )', 'user_earning_id', count( $ids ) ) as $row ) {
			$rows[ $row->entry_id ] = $row;
		}
		return $rows;
	}

	public function awards_of( int $user_id, int $limit ): array {
		global $wpdb;
		return $this->rows( $wpdb->prepare( 'user_id = %d', $user_id ), 'user_earning_id DESC', $limit );
	}

	public function latest( int $limit ): array {
		return $this->rows( '1 = 1', 'user_earning_id DESC', $limit );
	}

	public function awards_for( int $badge_id, int $limit ): array {
		global $wpdb;
		return $this->rows( $wpdb->prepare( 'post_id = %d', $badge_id ), 'user_earning_id DESC', $limit );
	}

	public function find_mark( string $mark, int $badge_id, int $user_id, int $issued_on ): ?Row {
		global $wpdb;
		$meta = $this->table() . '_meta';
		// phpcs:ignore Badgebridge.Security.PreparedQuery -- $meta is a table.
		$rows = $this->rows( $wpdb->prepare( "user_id = %d AND post_id = %d AND user_earning_id IN ( SELECT user_earning_id FROM $meta WHERE meta_key = %s AND meta_value = %s )", $user_id, $badge_id, self::MARK, $mark ), 'user_earning_id', 1 );
		if ( $rows ) {
			return $rows[0];
		}
		// The request may have died between the earning and its mark. The second
		// that was asked for tells it, unless it belongs to another grant.
		$grants = Schema::table( 'grants' );
		// phpcs:ignore Badgebridge.Security.PreparedQuery -- $grants is a table.
		$rows = $this->rows( $wpdb->prepare( "user_id = %d AND post_id = %d AND date = %s AND user_earning_id NOT IN ( SELECT entry_id FROM $grants )", $user_id, $badge_id, self::local( $issued_on ) ), 'user_earning_id', 1 );
		return $rows ? $rows[0] : null;
	}

	public function grant( int $badge_id, int $user_id, int $issued_on, string $mark ): Row {
		$backdate = static function ( $object, $id = 0, $context = 'earned' ) use ( $badge_id, $issued_on ) {
			if ( is_object( $object ) && (int) $id === $badge_id && 'earned' === $context ) {
				$object->date_earned = (int) strtotime( self::local( $issued_on ) . ' UTC' );
			}
			return $object;
		};
		add_filter( 'gamipress_achievement_object', $backdate, 100, 3 );
		$this->granting = array( $badge_id, $user_id );
		$this->granted  = 0;
		try {
			gamipress_award_achievement_to_user( $badge_id, $user_id, 0, 'badgebridge' );
		} finally {
			$this->granting = null;
			remove_filter( 'gamipress_achievement_object', $backdate, 100 );
		}
		if ( ! $this->granted ) {
			throw new Fault( 'not_awarded', 503, __( 'GamiPress did not award the badge.', 'badgebridge' ) );
		}
		gamipress_update_user_earning_meta( $this->granted, self::MARK, $mark );
		return $this->awards_by_id( array( $this->granted ) )[ $this->granted ];
	}

	public function revoke( Row $row ): void {
		$this->revoking = $row->entry_id;
		try {
			gamipress_revoke_achievement_to_user( $row->badge_id, $row->user_id, $row->entry_id );
		} finally {
			$this->revoking = 0;
		}
		if ( $this->awards_by_id( array( $row->entry_id ) ) ) {
			throw new Fault( 'busy', 503, __( 'GamiPress did not take the badge back.', 'badgebridge' ) );
		}
	}

	public function erases(): bool {
		return true;
	}

	public function watch( callable $granted, callable $removed ): void {
		add_action(
			'gamipress_insert_user_earning',
			function ( $entry_id, $data = array(), $meta = array(), $user_id = 0 ) use ( $granted ) {
				$badge_id = is_array( $data ) && isset( $data['post_id'] ) ? (int) $data['post_id'] : 0;
				if ( (int) $entry_id > 0 ) {
					$this->added( $badge_id, (int) $user_id, (int) $entry_id, $granted );
				}
			},
			10,
			4
		);
		add_action(
			'gamipress_revoke_achievement_to_user',
			function ( $user_id, $badge_id = 0, $entry_id = 0 ) {
				foreach ( $this->awards_by_id( array( (int) $entry_id ) ) as $row ) {
					if ( $row->entry_id !== $this->revoking ) {
						$this->doomed[ $row->entry_id ] = $row;
					}
				}
			},
			10,
			3
		);
		add_action(
			'gamipress_revoke_achievement_to_user_after',
			function () use ( $removed ) {
				$this->removed( 'revoked', 'person', $removed );
			}
		);
		// GamiPress deletes the earnings of a user who goes, at 10.
		add_action(
			'delete_user',
			function ( $user_id ) {
				foreach ( $this->awards_of( (int) $user_id, 10000 ) as $row ) {
					$this->doomed[ $row->entry_id ] = $row;
				}
			},
			5
		);
		add_action(
			'deleted_user',
			function () use ( $removed ) {
				$this->removed( 'deleted', 'user_deleted', $removed );
			},
			5
		);
		$this->watch_badges( $removed );
	}

	/** In wp-admin GamiPress deletes the earnings of a badge that goes, with no hook of its own. */
	private function watch_badges( callable $removed ): void {
		add_action(
			'before_delete_post',
			function ( $post_id ) {
				$post = get_post( $post_id );
				foreach ( $post && in_array( $post->post_type, $this->types(), true ) ? $this->awards_for( (int) $post_id, 10000 ) : array() as $row ) {
					$this->doomed[ $row->entry_id ] = $row;
				}
			},
			5
		);
		add_action(
			'deleted_post',
			function () use ( $removed ) {
				$this->removed( 'deleted', 'badge_deleted', $removed );
			},
			20
		);
	}

	private function added( int $badge_id, int $user_id, int $entry_id, callable $granted ): void {
		if ( null !== $this->granting && 0 === $this->granted && array( $badge_id, $user_id ) === $this->granting ) {
			$this->granted = $entry_id;
			return;
		}
		$rows = $this->awards_by_id( array( $entry_id ) );
		if ( $rows ) {
			$granted( $rows[ $entry_id ] );
		}
	}

	private function removed( string $kind, string $cause, callable $removed ): void {
		$doomed       = $this->doomed;
		$this->doomed = array();
		foreach ( array_chunk( $doomed, 500, true ) as $part ) {
			$left = $this->awards_by_id( array_keys( $part ) );
			foreach ( $part as $entry_id => $row ) {
				if ( ! isset( $left[ $entry_id ] ) ) {
					$removed( $row, $kind, $cause );
				}
			}
		}
	}

	/**
	 * @param string $where Prepared.
	 * @return Row[]
	 */
	private function rows( string $where, string $order, int $limit ): array {
		global $wpdb;
		$types = $this->types();
		if ( ! $types ) {
			return array();
		}
		$holes = implode( ',', array_fill( 0, count( $types ), '%s' ) );
		// phpcs:ignore Badgebridge.Security.PreparedQuery -- a list of %s.
		$typed = $wpdb->prepare( "post_type IN ( $holes )", $types );
		$rows  = array();
		// phpcs:ignore Badgebridge.Security.PreparedQuery -- $where is prepared by its maker, $order a constant of this class.
		foreach ( (array) $wpdb->get_results( "SELECT * FROM {$this->table()} WHERE $where AND $typed ORDER BY $order LIMIT " . (int) $limit ) as $stored ) {
			$row              = new Row();
			$row->entry_id    = (int) $stored->user_earning_id;
			$row->badge_id    = (int) $stored->post_id;
			$row->user_id     = (int) $stored->user_id;
			$row->stored_date = (string) $stored->date;
			$row->issued_on   = 0 === strpos( $row->stored_date, '0000' ) ? 0 : (int) strtotime( get_gmt_from_date( $row->stored_date ) . ' UTC' );
			$row->title       = BadgeText::decode( (string) $stored->title );
			$row->type        = (string) $stored->post_type;
			$rows[]           = $row;
		}
		return $rows;
	}

	private static function local( int $seconds ): string {
		return get_date_from_gmt( gmdate( 'Y-m-d H:i:s', $seconds ) );
	}

	/** On a network that uses it as a whole, the table is the network's. */
	private function table(): string {
		global $wpdb;
		$network = function_exists( 'gamipress_is_network_wide_active' ) && gamipress_is_network_wide_active();
		return ( $network ? $wpdb->base_prefix : $wpdb->prefix ) . 'gamipress_user_earnings';
	}
}
