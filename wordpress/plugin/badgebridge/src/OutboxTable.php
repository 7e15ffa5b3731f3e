<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** The events that the gateway has not taken yet. */
final class OutboxTable {

	const MANY = 10; // events that are sent one by one; more become a single hint

	public function add( string $kind, int $entry_id ): void {
		global $wpdb;
		$wpdb->insert(
			Schema::table( 'outbox' ),
			array(
				'event_id'   => bin2hex( random_bytes( 16 ) ),
				'kind'       => $kind,
				'entry_id'   => $entry_id,
				'created_at' => time(),
				'next_at'    => time(),
			)
		);
	}

	/** @return object[] What is due, oldest first. */
	public function due(): array {
		global $wpdb;
		$this->merge();
		$table = Schema::table( 'outbox' );
		return (array) $wpdb->get_results( $wpdb->prepare( "SELECT * FROM $table WHERE next_at <= %d ORDER BY id LIMIT %d", time(), self::MANY ) );
	}

	/** Takes an event for some time; false where another request was faster. */
	public function claim( object $event, int $seconds ): bool {
		global $wpdb;
		$table = Schema::table( 'outbox' );
		return 1 === $wpdb->query( $wpdb->prepare( "UPDATE $table SET next_at = %d, attempts = attempts + 1 WHERE id = %d AND attempts = %d", time() + $seconds, $event->id, $event->attempts ) );
	}

	public function later( object $event, int $seconds ): void {
		global $wpdb;
		$wpdb->update( Schema::table( 'outbox' ), array( 'next_at' => time() + $seconds ), array( 'id' => $event->id ) );
	}

	public function done( object $event ): void {
		global $wpdb;
		$wpdb->delete( Schema::table( 'outbox' ), array( 'id' => $event->id ) );
	}

	public function make_due(): void {
		global $wpdb;
		$wpdb->query( 'UPDATE ' . Schema::table( 'outbox' ) . ' SET next_at = 0' );
	}

	public function clear(): void {
		global $wpdb;
		$wpdb->query( 'DELETE FROM ' . Schema::table( 'outbox' ) );
	}

	public function size(): int {
		global $wpdb;
		return (int) $wpdb->get_var( 'SELECT COUNT(*) FROM ' . Schema::table( 'outbox' ) );
	}

	/** Events are hints: instead of many, one says that much changed. */
	private function merge(): void {
		global $wpdb;
		if ( $this->size() <= self::MANY ) {
			return;
		}
		$table = Schema::table( 'outbox' );
		$last = (int) $wpdb->get_var( "SELECT MAX( id ) FROM $table" );
		$this->add( 'award.changed', 0 );
		$wpdb->query( $wpdb->prepare( "DELETE FROM $table WHERE id <= %d", $last ) );
	}
}
