<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/**
 * Which addresses are proven: those to which this site itself mailed a link that
 * was used. WordPress lets administrators, imports and other plugins set any
 * address, so nothing else counts; and a proof is of one address and goes with it.
 */
final class Proofs {

	const PROVEN = 'badgebridge_proven'; // the address
	const MAILED = 'badgebridge_mailed'; // address and key of the link on its way

	/** @var callable function ( int $user_id ) */
	private $changed;

	/** @param callable $changed Called when an address has been proven. */
	public function __construct( callable $changed ) {
		$this->changed = $changed;
	}

	public static function proven( \WP_User $user ): bool {
		$address = (string) get_user_meta( $user->ID, self::PROVEN, true );
		return '' !== $address && hash_equals( $address, self::fold( (string) $user->user_email ) );
	}

	private static function fold( string $email ): string {
		return mb_strtolower( trim( $email ) );
	}

	public function start(): void {
		// A link to set or to renew a password.
		add_filter(
			'retrieve_password_message',
			function ( $message, $key = '', $login = '', $user = null ) {
				if ( $user instanceof \WP_User && is_string( $key ) && '' !== $key ) {
					$this->mailed( $user, $key );
				}
				return $message;
			},
			1000,
			4
		);
		add_filter(
			'wp_new_user_notification_email',
			function ( $mail, $user = null ) {
				$to = is_array( $mail ) && isset( $mail['to'] ) ? $mail['to'] : '';
				if ( $user instanceof \WP_User && is_string( $to ) && self::fold( $to ) === self::fold( $user->user_email ) && preg_match( '/[?&]key=([A-Za-z0-9]+)/', (string) $mail['message'], $m ) ) {
					$this->mailed( $user, $m[1] );
				}
				return $mail;
			},
			1000,
			2
		);
		add_action( 'password_reset', array( $this, 'used' ), 1 );
		// A link to confirm a new address.
		add_action( 'profile_update', array( $this, 'confirmed' ), 10, 2 );
	}

	private function mailed( \WP_User $user, string $key ): void {
		update_user_meta( $user->ID, self::MAILED, self::fold( $user->user_email ) . ' ' . hash( 'sha256', $key ) );
	}

	/** WordPress's own page keeps the link's key in a cookie while the password is typed. */
	public function used( $user ): void {
		$name = 'wp-resetpass-' . COOKIEHASH;
		if ( ! $user instanceof \WP_User || ! isset( $_COOKIE[ $name ] ) || ! is_string( $_COOKIE[ $name ] ) ) {
			return;
		}
		$parts  = explode( ':', wp_unslash( $_COOKIE[ $name ] ), 2 );
		$mailed = explode( ' ', (string) get_user_meta( $user->ID, self::MAILED, true ), 2 );
		if ( 2 === count( $parts ) && 2 === count( $mailed ) && hash_equals( $mailed[1], hash( 'sha256', $parts[1] ) ) && self::fold( $user->user_email ) === $mailed[0] ) {
			$this->prove( $user );
		}
	}

	/** The link in the mail to a new address carries a key, and the address becomes the account's by it. */
	public function confirmed( $user_id, $old = null ): void {
		$key  = isset( $_GET['newuseremail'] ) && is_string( $_GET['newuseremail'] ) ? wp_unslash( $_GET['newuseremail'] ) : '';
		$asks = get_user_meta( (int) $user_id, '_new_email', true );
		$user = get_userdata( (int) $user_id );
		if ( '' === $key || ! $user || get_current_user_id() !== (int) $user_id || ! is_array( $asks ) || empty( $asks['hash'] ) || empty( $asks['newemail'] ) ) {
			return;
		}
		if ( hash_equals( (string) $asks['hash'], $key ) && self::fold( (string) $asks['newemail'] ) === self::fold( $user->user_email ) ) {
			$this->prove( $user );
		}
	}

	private function prove( \WP_User $user ): void {
		update_user_meta( $user->ID, self::PROVEN, self::fold( $user->user_email ) );
		delete_user_meta( $user->ID, self::MAILED );
		call_user_func( $this->changed, (int) $user->ID );
	}
}
