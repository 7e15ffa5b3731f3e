<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** Lets in what the paired gateway has signed, for this very site, once. */
final class Guard {

	/** @var Identity */
	private $identity;

	/** @var Pairing */
	private $pairing;

	/** @var Nonces */
	private $nonces;

	public function __construct( Identity $identity, Pairing $pairing, Nonces $nonces ) {
		$this->identity = $identity;
		$this->pairing  = $pairing;
		$this->nonces   = $nonces;
	}

	/** @throws Fault Where the request is not let in. */
	public function check( \WP_REST_Request $request ): void {
		$signed = array();
		foreach ( array( 'key', 'time', 'nonce', 'signature' ) as $name ) {
			$signed[ $name ] = (string) $request->get_header( 'badgebridge_' . $name );
			if ( '' === $signed[ $name ] ) {
				throw new Fault( 'unsigned', 401, __( 'The request is not signed.', 'badgebridge' ) );
			}
		}
		$this->check_signature( $request, $signed );
		$off = Signature::off( $signed['time'], time() );
		if ( null === $off || $off > Signature::WINDOW ) {
			/* translators: %s: the site's time */
			throw new Fault( 'clock', 401, sprintf( __( 'The clocks differ too much: here it is %s.', 'badgebridge' ), Documents::time( time() ) ) );
		}
		if ( ! $this->nonces->take( $signed['nonce'] ) ) {
			throw new Fault( 'bad_signature', 401, __( 'The request was sent before.', 'badgebridge' ) );
		}
		$uuid = (string) $request->get_header( 'badgebridge_site' );
		$home = (string) $request->get_header( 'badgebridge_home' );
		if ( $this->pairing->is_foreign() || $uuid !== $this->identity->uuid() || $home !== $this->identity->home() ) {
			throw new Fault( 'another_site', 409, __( 'The request is meant for another site: this one is a copy, or it has moved.', 'badgebridge' ) );
		}
	}

	private function check_signature( \WP_REST_Request $request, array $signed ): void {
		$pairing = $this->pairing->stored();
		$target  = Signature::target( $request->get_route(), $request->get_query_params() );
		// Without a pairing an answer takes as long.
		$secret = $pairing ? $pairing['secret'] : bin2hex( random_bytes( 16 ) );
		$want   = Signature::sign( $secret, $request->get_method(), (string) $target, $signed['time'], $signed['nonce'], (string) $request->get_body() );
		$good   = hash_equals( $want, $signed['signature'] );
		$known  = $pairing && hash_equals( $pairing['key_id'], $signed['key'] );
		if ( ! $good || ! $known || null === $target || ! preg_match( Signature::NONCE, $signed['nonce'] ) ) {
			throw new Fault( 'bad_signature', 401, __( 'The signature does not fit. Is the site still paired with this gateway?', 'badgebridge' ) );
		}
	}
}
