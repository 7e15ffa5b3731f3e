<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** What the gateway does to awards: each act once, whatever is repeated or cut short. */
final class Awarding {

	/** @var Provider */
	private $provider;

	/** @var Grants */
	private $grants;

	/** @var Feed */
	private $feed;

	public function __construct( ?Provider $provider, Grants $grants, Feed $feed ) {
		if ( null === $provider ) {
			throw new Fault( 'no_provider', 503, __( 'No badge plugin is active on this site.', 'badgebridge' ) );
		}
		$this->provider = $provider;
		$this->grants   = $grants;
		$this->feed     = $feed;
	}

	/**
	 * Awards once per key.
	 *
	 * @return array{0: Row, 1: bool} The award, and whether it was made now.
	 */
	public function grant( string $key, int $badge_id, string $email, int $issued_on, string $page_url ): array {
		return Lock::hold(
			'grant ' . $key,
			10,
			function () use ( $key, $badge_id, $email, $issued_on, $page_url ) {
				$grant = $this->grants->find( $key );
				if ( $grant && $grant->entry_id ) {
					return array( $this->standing( $grant ), false );
				}
				if ( $grant ) {
					// An earlier request died between noting the key and noting the award.
					$row = $this->provider->find_mark( $grant->mark, (int) $grant->badge_id, (int) $grant->user_id, (int) $grant->issued_on );
					if ( $row ) {
						$this->settle( $key, $row );
						return array( $row, false );
					}
					$this->grants->abandon( $key );
				}
				return array( $this->award( $key, $badge_id, $email, $issued_on, $page_url ), true );
			}
		);
	}

	/** The award that a key stands for; null where there is none any more, or none yet. */
	public function by_key( string $key ): ?Row {
		$grant = $this->grants->find( $key );
		if ( ! $grant ) {
			return null;
		}
		if ( ! $grant->entry_id ) {
			return $this->provider->find_mark( $grant->mark, (int) $grant->badge_id, (int) $grant->user_id, (int) $grant->issued_on );
		}
		return $this->row( (int) $grant->entry_id, $grant->fingerprint );
	}

	/** Takes an award back; what is gone already counts as taken back. */
	public function revoke( int $entry_id, string $fingerprint, string $reason ): void {
		Lock::hold(
			'revoke ' . $entry_id,
			10,
			function () use ( $entry_id, $fingerprint, $reason ) {
				$rows = $this->provider->awards_by_id( array( $entry_id ) );
				if ( ! $rows ) {
					if ( $this->feed->knows( $entry_id, $fingerprint ) ) {
						return;
					}
					throw new Fault( 'not_found', 404, __( 'There is no such award.', 'badgebridge' ) );
				}
				$row = $rows[ $entry_id ];
				if ( ! hash_equals( $row->fingerprint(), $fingerprint ) ) {
					throw new Fault( 'another_award', 409, __( 'The entry is another award than the one that was meant.', 'badgebridge' ) );
				}
				$this->provider->revoke( $row );
				$this->feed->record( 'revoked', $row, $reason, 'gateway' );
			}
		);
	}

	private function standing( object $grant ): Row {
		$row = $this->row( (int) $grant->entry_id, $grant->fingerprint );
		if ( ! $row ) {
			throw new Fault( 'revoked', 409, __( 'What was awarded under this key is not there any more.', 'badgebridge' ) );
		}
		return $row;
	}

	private function row( int $entry_id, string $fingerprint ): ?Row {
		$rows = $this->provider->awards_by_id( array( $entry_id ) );
		return $rows && $rows[ $entry_id ]->fingerprint() === $fingerprint ? $rows[ $entry_id ] : null;
	}

	private function award( string $key, int $badge_id, string $email, int $issued_on, string $page_url ): Row {
		if ( ! $this->provider->badge( $badge_id ) ) {
			throw new Fault( 'no_such_badge', 404, __( 'There is no such badge.', 'badgebridge' ) );
		}
		$members = Members::by_email( $email );
		if ( ! $members ) {
			throw new Fault( 'no_such_member', 404, __( 'No member has this address.', 'badgebridge' ) );
		}
		$member = $members[0];
		$this->grants->begin( $key, $badge_id, $member, $issued_on, $page_url );
		try {
			$row = $this->provider->grant( $badge_id, $member, $issued_on, Grants::mark( $key ) );
		} catch ( Fault $refused ) {
			$this->grants->abandon( $key );
			throw $refused;
		}
		$this->settle( $key, $row );
		return $row;
	}

	private function settle( string $key, Row $row ): void {
		$this->grants->finish( $key, $row );
		$this->feed->record( 'granted', $row );
	}
}
