<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** The one gateway that this site belongs to, bound to the site's uuid and home URL. */
final class Pairing {

	const OPTION = 'badgebridge_pairing';

	/** @var Identity */
	private $identity;

	/** @var OutboxTable */
	private $outbox;

	public function __construct( Identity $identity, OutboxTable $outbox ) {
		$this->identity = $identity;
		$this->outbox   = $outbox;
	}

	/** The pairing as it is stored, also where it is another site's; null where there is none. */
	public function stored(): ?array {
		$pairing = get_option( self::OPTION );
		return is_array( $pairing ) && ! empty( $pairing['secret'] ) ? $pairing : null;
	}

	/** Whether the stored pairing was made by a site with another uuid or home: this is a copy, or it has moved. */
	public function is_foreign(): bool {
		$pairing = $this->stored();
		return $pairing && ( $pairing['uuid'] !== $this->identity->uuid() || $pairing['home'] !== $this->identity->home() );
	}

	/** The pairing that this site may use; null where there is none. */
	public function current(): ?array {
		return $this->is_foreign() ? null : $this->stored();
	}

	/**
	 * Pairs with a gateway by the one-time code from its admin page. An earlier
	 * pairing goes on until this one has succeeded.
	 *
	 * @throws Fault With a text for the administrator.
	 */
	public function pair( string $gateway, string $code ): void {
		$gateway = $this->checked( $gateway );
		$code    = trim( $code );
		if ( '' === $code || strlen( $code ) > 200 ) {
			throw Fault::invalid( 'code', __( 'Enter the code that the gateway shows.', 'badgebridge' ) );
		}
		$answer = wp_remote_post(
			$gateway . '/api/v1/pair',
			array(
				'timeout'     => 15,
				'redirection' => 0,
				'headers'     => array( 'Content-Type' => 'application/json', 'Accept' => 'application/json' ),
				'body'        => wp_json_encode(
					array(
						'code'           => $code,
						'site_uuid'      => $this->identity->uuid(),
						'home_url'       => $this->identity->home(),
						'rest_url'       => $this->identity->rest_url(),
						'name'           => $this->identity->name(),
						'plugin_version' => BADGEBRIDGE_VERSION,
						'oidc_issuer'    => Oidc::offered( $this->identity ) ? Oidc::issuer( $this->identity ) : '',
					)
				),
			)
		);
		$pairing = $this->accepted( $gateway, $answer );
		$this->outbox->clear();
		update_option( self::OPTION, $pairing, false );
		delete_option( 'badgebridge_webhook' );
	}

	/**
	 * Takes the key that the gateway has made anew. The old one is dead at once.
	 *
	 * @throws Fault Where it is no key.
	 */
	public function rekey( string $key_id, string $secret ): void {
		if ( ! preg_match( '/^[A-Za-z0-9._~-]{1,128}$/D', $key_id ) ) {
			throw Fault::invalid( 'key_id', __( 'That is no name of a key.', 'badgebridge' ) );
		}
		if ( strlen( $secret ) < 32 || ! preg_match( '/^[\x21-\x7e]+$/D', $secret ) ) {
			throw Fault::invalid( 'secret', __( 'That is no secret that anybody should use.', 'badgebridge' ) );
		}
		$pairing = $this->stored();
		if ( ! $pairing ) {
			throw new Fault( 'bad_signature', 401, __( 'The site is not paired.', 'badgebridge' ) );
		}
		update_option( self::OPTION, array( 'key_id' => $key_id, 'secret' => $secret, 'keyed_at' => time() ) + $pairing, false );
	}

	/** Forgets the pairing and what was still to be sent. The key is dead at once. */
	public function cut(): void {
		delete_option( self::OPTION );
		$this->outbox->clear();
	}

	/**
	 * The gateway's address as it is used from then on.
	 *
	 * @throws Fault Where that is no address of one.
	 */
	public function checked( string $gateway ): string {
		$gateway = untrailingslashit( trim( $gateway ) );
		$parts   = wp_parse_url( $gateway );
		if ( ! $parts || empty( $parts['host'] ) || ! in_array( $parts['scheme'] ?? '', array( 'http', 'https' ), true ) || isset( $parts['user'] ) || isset( $parts['query'] ) || isset( $parts['fragment'] ) ) {
			throw Fault::invalid( 'gateway', __( 'Enter the gateway’s address, for example https://badges.example.org.', 'badgebridge' ) );
		}
		$local = in_array( $parts['host'], array( 'localhost', '127.0.0.1', '[::1]' ), true );
		if ( 'https' !== $parts['scheme'] && ! $local ) {
			throw Fault::invalid( 'gateway', __( 'The gateway’s address has to begin with https://, because a secret is exchanged.', 'badgebridge' ) );
		}
		return $gateway;
	}

	/** The pairing that the gateway's answer makes. */
	private function accepted( string $gateway, $answer ): array {
		if ( is_wp_error( $answer ) ) {
			/* translators: 1: address, 2: technical reason */
			throw new Fault( 'unreachable', 502, sprintf( __( 'The gateway at %1$s can’t be reached from this site: %2$s', 'badgebridge' ), $gateway, $answer->get_error_message() ) );
		}
		$status = (int) wp_remote_retrieve_response_code( $answer );
		$reply  = json_decode( wp_remote_retrieve_body( $answer ), true );
		if ( $status >= 300 && is_array( $reply ) && ! empty( $reply['message'] ) && is_string( $reply['message'] ) ) {
			/* translators: %s: the gateway's reason */
			throw new Fault( 'refused', 502, sprintf( __( 'The gateway refused: %s', 'badgebridge' ), wp_strip_all_tags( $reply['message'] ) ) );
		}
		if ( $status >= 300 ) {
			/* translators: 1: address, 2: HTTP status */
			throw new Fault( 'refused', 502, sprintf( __( 'At %1$s there is no gateway that pairs (it answered %2$d). Is the address right?', 'badgebridge' ), $gateway, $status ) );
		}
		$pairing = array( 'gateway' => $gateway, 'uuid' => $this->identity->uuid(), 'home' => $this->identity->home(), 'paired_at' => time() );
		foreach ( array( 'remote', 'key_id', 'secret', 'webhook_url' ) as $name ) {
			if ( ! is_array( $reply ) || ! isset( $reply[ $name ] ) || ! is_string( $reply[ $name ] ) || '' === $reply[ $name ] ) {
				/* translators: %s: address */
				throw new Fault( 'refused', 502, sprintf( __( 'What answers at %s is no Badgebridge gateway.', 'badgebridge' ), $gateway ) );
			}
			$pairing[ $name ] = $reply[ $name ];
		}
		$this->check_webhook( $pairing['webhook_url'], $gateway );
		return $pairing;
	}

	/** Messages go as safely as the pairing did: to https, or to this machine where the gateway is on it. */
	private function check_webhook( string $url, string $gateway ): void {
		$parts = wp_parse_url( $url );
		$local = 'http' === wp_parse_url( $gateway, PHP_URL_SCHEME ) && in_array( $parts['host'] ?? '', array( 'localhost', '127.0.0.1', '[::1]' ), true );
		if ( ! $parts || empty( $parts['host'] ) || isset( $parts['user'] ) || 'https' !== ( $parts['scheme'] ?? '' ) && ! ( $local && 'http' === ( $parts['scheme'] ?? '' ) ) ) {
			throw new Fault( 'refused', 502, __( 'The gateway gave an address for messages that is none.', 'badgebridge' ) );
		}
	}
}
