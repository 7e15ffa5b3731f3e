<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** A member's badges as the gateway has them, or had them last: a slow gateway costs two seconds, and then half a minute nothing. */
final class MemberBadges {

	const WAIT  = 1.8; // seconds for the gateway's answers, of all that one page asks
	const LEAST = 0.2; // seconds with which asking makes sense
	const SHOWN = 200;
	const AWAY  = 'badgebridge_away';

	/** @var Plugin */
	private $plugin;

	/** @var float Seconds that this request has waited for the gateway. */
	private $waited = 0.0;

	public function __construct( Plugin $plugin ) {
		$this->plugin = $plugin;
	}

	/**
	 * @param bool $own Whether the member asks; else only what anybody may see.
	 * @return array{rows: Row[], states: array<int, array>, fresh: bool, at: int} States by entry.
	 */
	public function of( int $user_id, bool $own ): array {
		$provider = $this->plugin->provider();
		$rows     = $provider && ! Erased::is( $user_id ) ? $provider->awards_of( $user_id, self::SHOWN ) : array();
		if ( $own ) {
			return $this->read( $rows, $user_id );
		}
		return $this->open( $rows, 'badgebridge_wall_' . $user_id );
	}

	/** The newest awards of all members, as far as anybody may see them. */
	public function wall(): array {
		$provider = $this->plugin->provider();
		return $this->open( $provider ? $provider->latest( self::SHOWN ) : array(), 'badgebridge_wall' );
	}

	/** Asks for what anybody may see, once in five minutes for all visitors together. */
	private function open( array $rows, string $name ): array {
		$kept = get_transient( $name );
		if ( ! is_array( $kept ) ) {
			$kept = $this->read( $rows, 0 );
			if ( $kept['fresh'] ) {
				unset( $kept['rows'] );
				set_transient( $name, $kept, 5 * MINUTE_IN_SECONDS );
				set_transient( $name . '_last', $kept, WEEK_IN_SECONDS );
			} else {
				$last = get_transient( $name . '_last' );
				$kept = is_array( $last ) ? array( 'fresh' => false ) + $last : $kept;
			}
		}
		$rows = array_values( array_filter( $rows, static function ( Row $row ) use ( $kept ) {
			return ! empty( $kept['states'][ $row->entry_id ]['public'] );
		} ) );
		return array( 'rows' => $rows ) + $kept;
	}

	private function read( array $rows, int $user_id ): array {
		$entries = array();
		foreach ( $rows as $row ) {
			$entries[] = array( 'entry_id' => $row->entry_id, 'fingerprint' => $row->fingerprint() );
		}
		$answer = $entries && ! get_transient( self::AWAY ) ? $this->ask( $user_id, $entries ) : null;
		if ( null === $answer && $user_id ) {
			$kept = MemberState::kept( $user_id );
			return array( 'rows' => $rows, 'states' => $kept ? (array) $kept['states'] : array(), 'fresh' => ! $entries, 'at' => $kept ? (int) $kept['at'] : 0 );
		}
		return array( 'rows' => $rows, 'states' => $answer ? $answer : array(), 'fresh' => null !== $answer || ! $entries, 'at' => time() );
	}

	private function ask( int $user_id, array $entries ): ?array {
		$left = self::WAIT - $this->waited;
		if ( $left < self::LEAST ) {
			return null;
		}
		$began = microtime( true );
		try {
			$reply = $this->plugin->gateway()->call( 'POST', '/badges', $user_id, array( 'entries' => $entries ), $left );
		} catch ( Fault $fault ) {
			if ( 'unpaired' !== $fault->fault() ) {
				set_transient( self::AWAY, '1', 30 );
			}
			return null;
		} finally {
			$this->waited += microtime( true ) - $began;
		}
		return $this->take( $user_id, $reply );
	}

	/** States by entry from an answer of the gateway, kept with the member. */
	public function take( int $user_id, array $reply ): array {
		$states = array();
		foreach ( isset( $reply['badges'] ) && is_array( $reply['badges'] ) ? $reply['badges'] : array() as $badge ) {
			if ( is_array( $badge ) && isset( $badge['entry_id'] ) ) {
				$states[ (int) $badge['entry_id'] ] = $badge;
			}
		}
		if ( $user_id ) {
			$kept = MemberState::kept( $user_id );
			MemberState::keep( $user_id, array( 'states' => $states + ( $kept && count( $states ) < 2 ? (array) $kept['states'] : array() ) ) );
		}
		return $states;
	}
}
