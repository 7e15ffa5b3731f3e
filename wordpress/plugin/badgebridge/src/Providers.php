<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/**
 * Which badge plugin counts. BadgeOS and GamiPress register the same post types,
 * so exactly one does: the chosen one, or else the one that is there.
 */
final class Providers {

	const OPTION = 'badgebridge_provider'; // "badgeos", "gamipress", or none for what is there
	const SEEN   = 'badgebridge_provider_seen';

	/** @return array<string, string> Class by id. */
	public static function all(): array {
		return array( 'badgeos' => BadgeOS::class, 'gamipress' => GamiPress::class );
	}

	/** @return string[] Ids of those that run. */
	public static function active(): array {
		$ids = array();
		foreach ( self::all() as $id => $class ) {
			if ( $class::is_active() ) {
				$ids[] = $id;
			}
		}
		return $ids;
	}

	public static function chosen(): string {
		$id = (string) get_option( self::OPTION );
		return isset( self::all()[ $id ] ) ? $id : '';
	}

	/** @throws Fault Where there is no such provider. */
	public static function choose( string $id ): void {
		if ( '' !== $id && ! isset( self::all()[ $id ] ) ) {
			throw Fault::invalid( 'provider', __( 'There is no such badge plugin.', 'badgebridge' ) );
		}
		update_option( self::OPTION, $id );
	}

	/** The one that counts; null where it does not run. */
	public static function current(): ?Provider {
		$active = self::active();
		$id     = self::chosen();
		if ( '' === $id ) {
			$id = $active ? $active[0] : '';
		}
		if ( ! in_array( $id, $active, true ) ) {
			return null;
		}
		$class = self::all()[ $id ];
		return new $class();
	}

	/**
	 * Another provider's entry numbers mean other awards: the feed begins anew, so
	 * that the gateway lists and compares instead of going on.
	 */
	public static function note( ?Provider $provider, Identity $identity ): void {
		if ( ! $provider ) {
			return; // Switched off for a moment, say for an update.
		}
		$seen = (string) get_option( self::SEEN );
		if ( $seen === $provider->id() ) {
			return;
		}
		if ( '' !== $seen ) {
			$identity->new_epoch();
		}
		update_option( self::SEEN, $provider->id() );
	}
}
