<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** Writes down what happens on the site, and has the gateway told when the request ends. */
final class Watcher {

	const AT_MOST = 1000; // awards of one member that a change of address names

	/** @var Plugin */
	private $plugin;

	/** @var array<int, true> Members whose name or address changed in this request. */
	private $changed = array();

	public function __construct( Plugin $plugin ) {
		$this->plugin = $plugin;
	}

	public function start(): void {
		$provider = $this->plugin->provider();
		if ( ! $provider ) {
			return;
		}
		$provider->watch(
			function ( Row $row ) {
				$this->plugin->feed()->record( 'granted', $row );
				$this->plugin->outbox()->put( 'award.granted', $row->entry_id );
			},
			function ( Row $row, string $kind, string $cause ) {
				$this->plugin->feed()->record( $kind, $row, '', $cause );
				$this->plugin->outbox()->put( 'award.revoked', $row->entry_id );
			}
		);
		add_action( 'profile_update', array( $this, 'profile' ), 10, 2 );
		add_action( 'updated_user_meta', array( $this, 'meta' ), 10, 3 );
		add_action( 'deleted_user', array( $this, 'note' ) );
		// Late: it may end the answer, and others may still want to say something.
		add_action( 'shutdown', array( $this, 'finish' ), 1000 );
	}

	public function profile( $user_id, $old = null ): void {
		$new = get_userdata( $user_id );
		if ( ! $new || ! $old || $new->user_email !== $old->user_email || $new->display_name !== $old->display_name ) {
			$this->note( $user_id );
		}
	}

	public function meta( $meta_id, $user_id, $key ): void {
		if ( 'first_name' === $key || 'last_name' === $key ) {
			$this->note( $user_id );
		}
	}

	public function note( $user_id ): void {
		$this->changed[ (int) $user_id ] = true;
	}

	public function finish(): void {
		foreach ( array_keys( $this->changed ) as $user_id ) {
			$rows = $this->plugin->provider()->awards_of( $user_id, self::AT_MOST );
			foreach ( array_reverse( $rows ) as $row ) {
				$this->plugin->feed()->record( 'updated', $row );
			}
			if ( $rows ) {
				$this->plugin->outbox()->put( 'award.changed', 1 === count( $rows ) ? $rows[0]->entry_id : 0 );
			}
		}
		$this->changed = array();
		$this->plugin->outbox()->send_fresh();
	}
}
