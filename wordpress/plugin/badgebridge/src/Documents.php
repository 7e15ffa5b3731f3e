<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** Badges, members and awards in the contract's words. */
final class Documents {

	/** @var Provider|null */
	private $provider;

	/** @var Grants */
	private $grants;

	/** @var BadgeKeys */
	private $keys;

	/** @var array<int, array|null> Badges that this request has met. */
	private $badges = array();

	/** @var array<int, string> Keys of badges; "" where one has none. */
	private $known = array();

	public function __construct( ?Provider $provider, Grants $grants, BadgeKeys $keys ) {
		$this->provider = $provider;
		$this->grants   = $grants;
		$this->keys     = $keys;
	}

	/** Reads what these badges need in a few queries instead of some for each. */
	public function prime( array $badge_ids ): void {
		$ids = array_values( array_unique( array_filter( array_map( 'intval', $badge_ids ) ) ) );
		_prime_post_caches( $ids, false, true );
		$this->known = $this->keys->of( $ids ) + array_fill_keys( $ids, '' ) + $this->known;
	}

	public static function time( int $seconds ): string {
		return gmdate( 'Y-m-d\TH:i:s\Z', $seconds );
	}

	public function badge( int $id ): ?array {
		if ( ! array_key_exists( $id, $this->badges ) ) {
			$badge               = $this->provider ? $this->provider->badge( $id ) : null;
			$this->badges[ $id ] = $badge ? self::versioned( $this->complete( $badge ) ) : null;
		}
		return $this->badges[ $id ];
	}

	/** Adds what the gateway said of the badge. */
	private function complete( array $badge ): array {
		$id = $badge['id'];
		foreach ( array( 'criteria' => BadgeWriting::CRITERIA, 'criteria_url' => BadgeWriting::CRITERIA_URL, 'link_url' => BadgeWriting::LINK_URL ) as $name => $meta ) {
			$said = (string) get_post_meta( $id, $meta, true );
			if ( '' !== $said ) {
				$badge[ $name ] = $said;
			}
		}
		if ( ! isset( $this->known[ $id ] ) ) {
			$this->known += $this->keys->of( array( $id ) ) + array( $id => '' );
		}
		if ( '' !== $this->known[ $id ] ) {
			$badge['key'] = $this->known[ $id ];
		}
		return $badge;
	}

	public function member( int $id ): ?array {
		$user = get_userdata( $id );
		if ( ! $user || Erased::is( $id ) ) {
			return null;
		}
		return array(
			'id'           => (int) $user->ID,
			'email'        => (string) $user->user_email,
			'email_proven' => Proofs::proven( $user ),
			'given_name'   => (string) $user->first_name,
			'family_name'  => (string) $user->last_name,
			'display_name' => (string) $user->display_name,
		);
	}

	/**
	 * @param Row[] $rows Any number.
	 * @return array<int, array<string, mixed>> By entry id, in the same order.
	 */
	public function awards( array $rows ): array {
		$grants = $this->grants->of( $rows );
		Members::prime( array_map( static function ( Row $row ) { return $row->user_id; }, $rows ) );
		$this->prime( array_map( static function ( Row $row ) { return $row->badge_id; }, $rows ) );
		$awards = array();
		foreach ( $rows as $row ) {
			$awards[ $row->entry_id ] = $this->award( $row, $grants[ $row->entry_id ] ?? null );
		}
		return $awards;
	}

	private function award( Row $row, ?object $grant ): array {
		// The gateway's own second is kept beside the row: a wall clock that is set
		// back shows one hour twice.
		$issued_on = $grant ? (int) $grant->issued_on : $row->issued_on;
		$here      = $this->badge( $row->badge_id );
		$badge     = $here ?: self::gone( $row );
		$award     = array(
			'entry_id'    => $row->entry_id,
			'fingerprint' => $row->fingerprint(),
			'badge'       => $badge,
			'member'      => $this->member( $row->user_id ),
			'issued_on'   => self::time( $issued_on ),
		);
		if ( isset( $badge['expires_after'] ) ) {
			$after = new \DateTimeImmutable( '@' . $issued_on );
			$award['expires_on'] = self::time( $after->modify( '+' . $badge['expires_after']['count'] . ' ' . $badge['expires_after']['unit'] )->getTimestamp() );
		}
		if ( $grant ) {
			$award['key'] = $grant->grant_key;
		}
		if ( ! $here ) {
			$award['badge_deleted'] = true;
		}
		if ( null === $award['member'] && Erased::is( $row->user_id ) ) {
			$award['erased'] = true;
		}
		if ( '' !== $row->trigger ) {
			$award['trigger'] = $row->trigger;
		}
		return self::versioned( $award );
	}

	/** A badge of which only its awards are left. */
	private static function gone( Row $row ): array {
		return self::versioned(
			array(
				'id'           => $row->badge_id,
				'title'        => $row->title,
				'description'  => '',
				'criteria_url' => '',
				'criteria'     => '',
				'type'         => $row->type,
				'state'        => 'draft',
			)
		);
	}

	private static function versioned( array $document ): array {
		$document['version'] = substr( hash( 'sha256', (string) wp_json_encode( $document ) ), 0, 16 );
		return $document;
	}
}
