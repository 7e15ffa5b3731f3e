<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** Writes down what happens on the site, and has the gateway told when the request ends. */
final class Watcher {

	const AT_MOST = 1000; // awards that one change names; the listing finds the rest

	/** @var Plugin */
	private $plugin;

	/** @var array<int, string> Members of whom something changed in this request, and the contract's cause. */
	private $changed = array();

	/** @var array<int, string> Badges that went or came back in this request. */
	private $badges = array();

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
		add_action(
			'deleted_user',
			function ( $user_id ) {
				$this->note( $user_id, 'user_deleted' );
			}
		);
		add_action( 'trashed_post', array( $this, 'badge' ) );
		add_action( 'untrashed_post', array( $this, 'badge' ) );
		add_action( 'before_delete_post', array( $this, 'badge' ) );
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

	public function note( $user_id, string $cause = '' ): void {
		if ( '' === ( $this->changed[ (int) $user_id ] ?? '' ) ) {
			$this->changed[ (int) $user_id ] = $cause;
		}
	}

	/** A badge goes to the trash, comes back, or goes for good. Its awards stay. */
	public function badge( $post_id ): void {
		$post = get_post( $post_id );
		if ( $post && in_array( $post->post_type, $this->plugin->provider()->types(), true ) ) {
			$this->badges[ (int) $post_id ] = 'untrashed_post' === current_action() ? '' : 'badge_deleted';
		}
	}

	public function finish(): void {
		$provider = $this->plugin->provider();
		foreach ( $this->changed as $user_id => $cause ) {
			$this->updated( $provider->awards_of( $user_id, self::AT_MOST ), $cause );
		}
		foreach ( $this->badges as $badge_id => $cause ) {
			$this->updated( $provider->awards_for( $badge_id, self::AT_MOST ), $cause );
		}
		$this->changed = array();
		$this->badges  = array();
		$this->plugin->outbox()->send_fresh();
	}

	/** @param Row[] $rows Newest first. */
	private function updated( array $rows, string $cause ): void {
		foreach ( array_reverse( $rows ) as $row ) {
			$this->plugin->feed()->record( 'updated', $row, '', $cause );
		}
		if ( $rows ) {
			$this->plugin->outbox()->put( 'award.changed', 1 === count( $rows ) ? $rows[0]->entry_id : 0 );
		}
	}
}
