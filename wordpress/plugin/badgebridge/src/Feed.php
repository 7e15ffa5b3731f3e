<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/**
 * What happened to awards, in order, in a table of our own: BadgeOS keeps no
 * trace of an award that was taken back.
 */
final class Feed {

	const KEEP   = 15552000; // seconds for which changes are kept: 180 days
	const SETTLE = 10;       // seconds after which a missing number stays missing

	/** @var string */
	private $epoch;

	public function __construct( string $epoch ) {
		$this->epoch = $epoch;
	}

	/**
	 * @param string $kind  One of the contract's: granted, updated, revoked, deleted.
	 * @param string $cause One of the contract's, or "".
	 */
	public function record( string $kind, Row $row, string $reason = '', string $cause = '' ): void {
		$write = function () use ( $kind, $row, $reason, $cause ) {
			global $wpdb;
			$wpdb->insert(
				Schema::table( 'changes' ),
				array(
					'token'       => bin2hex( random_bytes( 8 ) ),
					'at'          => time(),
					'kind'        => $kind,
					'entry_id'    => $row->entry_id,
					'fingerprint' => $row->fingerprint(),
					'reason'      => mb_substr( $reason, 0, 1000 ),
					'cause'       => $cause,
				)
			);
		};
		// One at a time, so that numbers become visible in their order. Better out
		// of order than not at all: readers wait at a young gap.
		try {
			Lock::hold( 'feed', 5, $write );
		} catch ( Fault $busy ) {
			$write();
		}
	}

	/** The cursor behind the newest change. */
	public function end(): string {
		global $wpdb;
		$table = Schema::table( 'changes' );
		$last = $wpdb->get_row( "SELECT seq, token FROM $table ORDER BY seq DESC LIMIT 1" );
		return (string) ( $last ? new Cursor( $this->epoch, (int) $last->seq, $last->token ) : Cursor::origin( $this->epoch ) );
	}

	/**
	 * The changes behind a cursor; "" is before the oldest that is kept.
	 *
	 * @return array{changes: object[], next: string, more: bool}
	 * @throws Fault With "cursor_gone".
	 */
	public function after( string $text, int $limit ): array {
		global $wpdb;
		$cursor = '' === $text ? Cursor::origin( $this->epoch ) : Cursor::parse( $text );
		if ( null === $cursor || ! $this->fits( $cursor, '' === $text ) ) {
			throw new Fault( 'cursor_gone', 410, __( 'This place in the feed does not exist any more. List all awards and go on from there.', 'badgebridge' ) );
		}
		$table = Schema::table( 'changes' );
		$rows = $wpdb->get_results( $wpdb->prepare( "SELECT * FROM $table WHERE seq > %d ORDER BY seq LIMIT %d", $cursor->seq, $limit + 1 ) );
		$rows = self::before_gap( $rows, $cursor->seq, time() );
		$more = count( $rows ) > $limit;
		$rows = array_slice( $rows, 0, $limit );
		$last = end( $rows );
		if ( $last ) {
			$cursor = new Cursor( $this->epoch, (int) $last->seq, $last->token );
		}
		return array( 'changes' => $rows, 'next' => (string) $cursor, 'more' => $more );
	}

	/**
	 * Leaves out what comes behind a young gap: the missing number may belong to a
	 * transaction that has not ended, and a reader who went past it would never see it.
	 *
	 * @param object[] $rows  Ascending.
	 * @param int      $after The number before them; 0 where the numbering may begin anywhere.
	 */
	public static function before_gap( array $rows, int $after, int $now ): array {
		foreach ( $rows as $i => $row ) {
			$follows = 0 === $after || (int) $row->seq === $after + 1;
			if ( ! $follows && (int) $row->at > $now - self::SETTLE ) {
				return array_slice( $rows, 0, $i );
			}
			$after = (int) $row->seq;
		}
		return $rows;
	}

	private function fits( Cursor $cursor, bool $oldest ): bool {
		global $wpdb;
		if ( $oldest ) {
			return true;
		}
		if ( $cursor->epoch !== $this->epoch ) {
			return false;
		}
		if ( 0 === $cursor->seq ) {
			return ! get_option( 'badgebridge_feed_pruned' );
		}
		$table = Schema::table( 'changes' );
		$token = $wpdb->get_var( $wpdb->prepare( "SELECT token FROM $table WHERE seq = %d", $cursor->seq ) );
		return is_string( $token ) && hash_equals( $token, $cursor->token );
	}

	/** Whether this very award was in the feed once. */
	public function knows( int $entry_id, string $fingerprint ): bool {
		global $wpdb;
		$table = Schema::table( 'changes' );
		return null !== $wpdb->get_var( $wpdb->prepare( "SELECT seq FROM $table WHERE entry_id = %d AND fingerprint = %s LIMIT 1", $entry_id, $fingerprint ) );
	}

	/** Whether the newest of what is known of an entry is that it was taken back. */
	public function revoked( int $entry_id ): bool {
		global $wpdb;
		$table = Schema::table( 'changes' );
		return 'revoked' === $wpdb->get_var( $wpdb->prepare( "SELECT kind FROM $table WHERE entry_id = %d ORDER BY seq DESC LIMIT 1", $entry_id ) );
	}

	/** Drops old changes, but never the newest: a reader may stand there. */
	public function prune(): void {
		global $wpdb;
		$table = Schema::table( 'changes' );
		$last = (int) $wpdb->get_var( "SELECT MAX( seq ) FROM $table" );
		if ( $wpdb->query( $wpdb->prepare( "DELETE FROM $table WHERE at < %d AND seq < %d LIMIT 5000", time() - self::KEEP, $last ) ) ) {
			update_option( 'badgebridge_feed_pruned', '1' );
		}
	}
}
