<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** BadgeOS 3.x. Its functions are called where they do what they say; where not, see the comments. */
final class BadgeOS implements Provider {

	const MARK = 'badgebridge:';

	/** @var int[]|null Badge and user that we are just awarding. */
	private $granting = null;

	/** @var int Entry that the award in progress has got. */
	private $granted = 0;

	/** @var int Entry that we are just revoking. */
	private $revoking = 0;

	/** @var array<int, Row> Rows that a revoke in progress is about to delete. */
	private $doomed = array();

	/** @var array<int, string> The baked pictures of these. */
	private $pictures = array();

	public static function is_active(): bool {
		return class_exists( '\BadgeOS' ) && function_exists( 'badgeos_award_achievement_to_user' );
	}

	public function id(): string {
		return 'badgeos';
	}

	public function name(): string {
		return 'BadgeOS';
	}

	public function version(): string {
		return isset( \BadgeOS::$version ) ? (string) \BadgeOS::$version : '';
	}

	public function capability(): string {
		return function_exists( 'badgeos_get_manager_capability' ) ? (string) badgeos_get_manager_capability() : 'manage_options';
	}

	public function types(): array {
		return array_values( array_diff( array_map( 'strval', (array) badgeos_get_achievement_types_slugs() ), array( $this->step_type() ) ) );
	}

	public function badge_ids( int $after, int $limit ): array {
		return Posts::ids( $this->types(), $after, $limit );
	}

	public function badge( int $id ): ?array {
		$post = Posts::badge( $id, $this->types() );
		return $post ? ( new BadgeOSBadge( $post ) )->document() : null;
	}

	/**
	 * On saving, BadgeOS fetches a default picture with a function that exists in
	 * wp-admin only, and deletes what it did not get.
	 */
	public function saving( callable $write, bool $fresh ): int {
		$fetches = remove_action( 'save_post', 'badgeos_achievement_set_default_thumbnail' );
		try {
			$id = $write();
		} finally {
			if ( $fetches ) {
				add_action( 'save_post', 'badgeos_achievement_set_default_thumbnail' );
			}
		}
		if ( $fresh && $id ) {
			update_post_meta( $id, '_badgeos_earned_by', 'admin' );
			update_post_meta( $id, '_badgeos_maximum_earnings', '-1' );
			update_post_meta( $id, '_badgeos_hidden', 'show' );
		}
		return $id;
	}

	public function awards( int $after, int $limit ): array {
		global $wpdb;
		// Steps are stored beside the badges that they lead to.
		return $this->rows( $wpdb->prepare( "SELECT * FROM {$this->table()} WHERE entry_id > %d AND post_type <> %s ORDER BY entry_id LIMIT %d", $after, $this->step_type(), $limit ) );
	}

	public function awards_by_id( array $entry_ids ): array {
		global $wpdb;
		$ids = array_filter( array_map( 'intval', $entry_ids ) );
		if ( ! $ids ) {
			return array();
		}
		$rows = array();
		// phpcs:ignore Badgebridge.Security.PreparedQuery -- $ids are numbers.
		foreach ( $this->rows( $wpdb->prepare( "SELECT * FROM {$this->table()} WHERE entry_id IN ( " . implode( ',', $ids ) . ' ) AND post_type <> %s', $this->step_type() ) ) as $row ) {
			$rows[ $row->entry_id ] = $row;
		}
		return $rows;
	}

	public function awards_of( int $user_id, int $limit ): array {
		global $wpdb;
		return $this->rows( $wpdb->prepare( "SELECT * FROM {$this->table()} WHERE user_id = %d AND post_type <> %s ORDER BY entry_id DESC LIMIT %d", $user_id, $this->step_type(), $limit ) );
	}

	public function latest( int $limit ): array {
		global $wpdb;
		return $this->rows( $wpdb->prepare( "SELECT * FROM {$this->table()} WHERE post_type <> %s ORDER BY entry_id DESC LIMIT %d", $this->step_type(), $limit ) );
	}

	public function awards_for( int $badge_id, int $limit ): array {
		global $wpdb;
		return $this->rows( $wpdb->prepare( "SELECT * FROM {$this->table()} WHERE ID = %d AND post_type <> %s ORDER BY entry_id DESC LIMIT %d", $badge_id, $this->step_type(), $limit ) );
	}

	public function find_mark( string $mark, int $badge_id, int $user_id, int $issued_on ): ?Row {
		global $wpdb;
		$rows = $this->rows( $wpdb->prepare( "SELECT * FROM {$this->table()} WHERE user_id = %d AND ID = %d AND this_trigger = %s LIMIT 1", $user_id, $badge_id, self::MARK . $mark ) );
		return $rows ? $rows[0] : null;
	}

	public function grant( int $badge_id, int $user_id, int $issued_on, string $mark ): Row {
		global $wpdb;
		$core = $GLOBALS['badgeos'];
		// BadgeOS drops every second award of a badge in one request, even for
		// another user, and it says nothing.
		$core->award_ids = array();
		// It would fetch the picture from this very site, and hangs where the site
		// can't call itself. The gateway bakes.
		$bakes = remove_action( 'badgeos_award_achievement', 'badgeos_obadge_issue_badge', 10 );

		$this->granting = array( $badge_id, $user_id );
		$this->granted  = 0;
		try {
			badgeos_award_achievement_to_user( $badge_id, $user_id, self::MARK . $mark );
		} finally {
			$this->granting  = null;
			$core->award_ids = array();
			if ( $bakes ) {
				add_action( 'badgeos_award_achievement', 'badgeos_obadge_issue_badge', 10, 6 );
			}
		}
		// What the function gives back says nothing; the hook told the entry.
		if ( ! $this->granted ) {
			throw new Fault( 'not_awarded', 503, __( 'BadgeOS did not award the badge.', 'badgebridge' ) );
		}
		// The date is always "now" there, in the site's own time.
		$local = get_date_from_gmt( gmdate( 'Y-m-d H:i:s', $issued_on ) );
		$wpdb->update( $this->table(), array( 'date_earned' => $local, 'actual_date_earned' => $local ), array( 'entry_id' => $this->granted ) );
		return $this->awards_by_id( array( $this->granted ) )[ $this->granted ];
	}

	/** BadgeOS's own function fires its hook and leaves the row, so this does what its admin pages do. */
	public function revoke( Row $row ): void {
		global $wpdb;
		$this->revoking = $row->entry_id;
		try {
			$this->take_back_steps( $row );
			do_action( 'badgeos_before_revoke_achievement', $row->user_id, $row->badge_id, $row->entry_id );
			$picture = $this->picture( $row );
			$wpdb->delete( $this->table(), array( 'entry_id' => $row->entry_id, 'user_id' => $row->user_id ) );
			if ( $picture ) {
				wp_delete_file( $picture );
			}
			do_action( 'badgeos_after_revoke_achievement', $row->user_id, $row->badge_id, $row->entry_id );
			do_action( 'badgeos_revoke_bulk_achievement', $row->user_id, array( $row->badge_id ), array( $row->entry_id ) );
		} finally {
			$this->revoking = 0;
		}
	}

	/** Else the badge would be earned again with the next trigger. */
	private function take_back_steps( Row $row ): void {
		global $wpdb;
		if ( ! function_exists( 'badgeos_get_required_achievements_for_achievement' ) || ! function_exists( 'badgeos_decrement_user_trigger_count' ) ) {
			return;
		}
		foreach ( (array) ( badgeos_get_required_achievements_for_achievement( $row->badge_id ) ?: array() ) as $step ) {
			$taken = $wpdb->query( $wpdb->prepare( "DELETE FROM {$this->table()} WHERE user_id = %d AND ID = %d AND post_type = %s ORDER BY entry_id LIMIT 1", $row->user_id, $step->ID, $this->step_type() ) );
			if ( $taken ) {
				badgeos_decrement_user_trigger_count( $row->user_id, (int) $step->ID, $row->badge_id );
			}
		}
	}

	/** The baked picture of an award, which BadgeOS would leave to everyone; "" where there is none. */
	private function picture( Row $row ): string {
		global $wpdb;
		$folder = wp_upload_dir( null, false )['basedir'] . '/user_badges/' . $row->user_id;
		if ( ! is_dir( $folder ) ) {
			return '';
		}
		$name = (string) $wpdb->get_var( $wpdb->prepare( "SELECT image FROM {$this->table()} WHERE entry_id = %d", $row->entry_id ) );
		if ( ! preg_match( '/^Badge-[0-9]+-[0-9]+\.png$/D', $name ) ) {
			return '';
		}
		return is_file( $folder . '/' . $name ) ? $folder . '/' . $name : '';
	}

	public function erases(): bool {
		return false; // It takes no part in WordPress's tools.
	}

	public function watch( callable $granted, callable $removed ): void {
		// This one and not badgeos_award_achievement, which the bulk tool does not fire.
		add_action(
			'badgeos_achievements_new_added',
			function ( $type, $badge_id = 0, $user_id = 0, $entry_id = 0 ) use ( $granted ) {
				if ( (int) $entry_id > 0 ) {
					$this->keeping_insert_id( function () use ( $granted, $badge_id, $user_id, $entry_id ) {
						$this->added( (int) $badge_id, (int) $user_id, (int) $entry_id, $granted );
					} );
				}
			},
			10,
			4
		);
		$before = function ( $user_id, $badge_id = 0, $entry_id = 0 ) {
			$this->doom( (int) $user_id, (int) $entry_id );
		};
		add_action( 'badgeos_before_revoke_achievement', $before, 10, 3 );
		add_action( 'badgeos_before_revoke_achievement_from_point_deduct', $before, 10, 3 );
		add_action(
			'badgeos_after_revoke_achievement',
			function () use ( $removed ) {
				$this->removed( 'revoked', 'person', $removed );
			}
		);
		add_action(
			'badgeos_after_revoke_achievement_from_point_deduct',
			function () use ( $removed ) {
				$this->removed( 'deleted', 'points', $removed );
			}
		);
	}

	/**
	 * BadgeOS reads the entry's id from $wpdb again after its hook has run: a row
	 * that we insert meanwhile would become the entry that it bakes and announces.
	 */
	private function keeping_insert_id( callable $work ): void {
		global $wpdb;
		$kept = $wpdb->insert_id;
		try {
			$work();
		} finally {
			$wpdb->insert_id = $kept;
		}
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

	/** Without an entry id the admin pages delete all that the user has. */
	private function doom( int $user_id, int $entry_id ): void {
		$rows = $entry_id ? $this->awards_by_id( array( $entry_id ) ) : $this->awards_of( $user_id, 10000 );
		foreach ( $rows as $row ) {
			if ( $row->user_id === $user_id && $row->entry_id !== $this->revoking ) {
				$this->doomed[ $row->entry_id ]   = $row;
				$this->pictures[ $row->entry_id ] = $this->picture( $row );
			}
		}
	}

	private function removed( string $kind, string $cause, callable $removed ): void {
		$doomed         = $this->doomed;
		$this->doomed   = array();
		$pictures       = $this->pictures;
		$this->pictures = array();
		$erase          = 'revoked' === $kind && BadgeOSDoors::closed( BadgeOSDoors::PICTURES );
		foreach ( array_chunk( $doomed, 500, true ) as $part ) {
			$left = $this->awards_by_id( array_keys( $part ) );
			foreach ( $part as $entry_id => $row ) {
				if ( ! isset( $left[ $entry_id ] ) ) {
					if ( $erase && '' !== ( $pictures[ $entry_id ] ?? '' ) ) {
						wp_delete_file( $pictures[ $entry_id ] );
					}
					$removed( $row, $kind, $cause );
				}
			}
		}
	}

	/** @return Row[] */
	private function rows( string $sql ): array {
		global $wpdb;
		$rows = array();
		// phpcs:ignore Badgebridge.Security.PreparedQuery -- by its makers, above.
		foreach ( (array) $wpdb->get_results( $sql ) as $stored ) {
			$row              = new Row();
			$row->entry_id    = (int) $stored->entry_id;
			$row->badge_id    = (int) $stored->ID;
			$row->user_id     = (int) $stored->user_id;
			$row->stored_date = (string) $stored->date_earned;
			$row->issued_on   = self::seconds( (string) $stored->date_earned, (string) $stored->rec_type );
			// Stored as it is shown: texturised and encoded.
			$row->title   = BadgeText::decode( (string) $stored->achievement_title );
			$row->type    = (string) $stored->post_type;
			$row->trigger = 0 === strpos( (string) $stored->this_trigger, self::MARK ) ? 'badgebridge' : (string) $stored->this_trigger;
			$rows[]       = $row;
		}
		return $rows;
	}

	/** Dates are the site's wall clock; those that the upgrade to 3.0 carried over are UTC. */
	private static function seconds( string $date, string $rec_type ): int {
		if ( '' === $date || 0 === strpos( $date, '0000' ) ) {
			return 0;
		}
		$utc = 'normal_old' === $rec_type ? $date : get_gmt_from_date( $date );
		return (int) strtotime( $utc . ' UTC' );
	}

	private function step_type(): string {
		$settings = (array) get_option( 'badgeos_settings', array() );
		return isset( $settings['achievement_step_post_type'] ) ? trim( (string) $settings['achievement_step_post_type'] ) : 'step';
	}

	private function table(): string {
		global $wpdb;
		return $wpdb->prefix . 'badgeos_achievements';
	}
}
