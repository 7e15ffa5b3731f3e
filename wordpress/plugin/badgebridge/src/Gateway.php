<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** Signed calls of this site to its gateway, in the name of one member. */
final class Gateway {

	const PATH = '/api/v1/sites/';

	/** @var Pairing */
	private $pairing;

	/** @var Identity */
	private $identity;

	public function __construct( Pairing $pairing, Identity $identity ) {
		$this->pairing  = $pairing;
		$this->identity = $identity;
	}

	/**
	 * @param int   $user_id The member it is about; 0 for the site itself.
	 * @param array $body    What the call carries beside the member.
	 * @return array The answer.
	 * @throws Fault Where the gateway is away, or says no.
	 */
	public function call( string $method, string $route, int $user_id, array $body = array(), float $timeout = 10 ): array {
		list( $status, $type, $text ) = $this->send( $method, $route, $user_id, $body, $timeout );
		$reply = json_decode( $text, true );
		if ( $status >= 200 && $status < 300 && ( is_array( $reply ) || 204 === $status ) ) {
			return (array) $reply;
		}
		throw self::refusal( $status, $reply );
	}

	/**
	 * A picture that the gateway gives for a member.
	 *
	 * @return array{0: string, 1: string} Media type and bytes.
	 * @throws Fault Where there is none.
	 */
	public function file( string $route, int $user_id, array $body ): array {
		list( $status, $type, $bytes ) = $this->send( 'POST', $route, $user_id, $body, 20 );
		if ( 200 === $status && in_array( $type, array( 'image/png', 'image/svg+xml' ), true ) ) {
			return array( $type, $bytes );
		}
		throw self::refusal( $status, json_decode( $bytes, true ) );
	}

	private static function refusal( int $status, $reply ): Fault {
		$words = is_array( $reply ) && isset( $reply['message'] ) && is_string( $reply['message'] ) ? wp_strip_all_tags( $reply['message'] ) : '';
		if ( 404 === $status && '' === $words ) {
			return new Fault( 'old', 503, __( 'The gateway is older than this plugin and does not know this yet.', 'badgebridge' ) );
		}
		/* translators: %d: HTTP status */
		return new Fault( is_array( $reply ) && isset( $reply['code'] ) && is_string( $reply['code'] ) ? $reply['code'] : 'refused', $status, '' !== $words ? $words : sprintf( __( 'The gateway answered %d.', 'badgebridge' ), $status ) );
	}

	/** @return array{0: int, 1: string, 2: string} Status, media type, body. */
	private function send( string $method, string $route, int $user_id, array $body, float $timeout ): array {
		$pairing = $this->pairing->current();
		if ( ! $pairing ) {
			throw new Fault( 'unpaired', 503, __( 'The site is not connected with a gateway.', 'badgebridge' ) );
		}
		$url   = $pairing['gateway'] . self::PATH . rawurlencode( $pairing['remote'] ) . $route;
		$parts = wp_parse_url( $url );
		parse_str( $parts['query'] ?? '', $query );
		if ( $user_id ) {
			$body['user_id'] = $user_id;
		}
		$json  = 'GET' === $method ? '' : (string) wp_json_encode( (object) $body );
		$time  = (string) time();
		$nonce = bin2hex( random_bytes( 16 ) );
		// Not wp_safe_remote_request, which refuses private hosts: an administrator
		// named this one.
		$answer = wp_remote_request(
			$url,
			array(
				'method'      => $method,
				'timeout'     => $timeout,
				'redirection' => 0,
				'body'        => '' === $json ? null : $json,
				'headers'     => array(
					'Content-Type'          => 'application/json',
					'Accept'                => 'application/json',
					'Accept-Language'       => str_replace( '_', '-', get_user_locale() ),
					'Badgebridge-Key'       => $pairing['key_id'],
					'Badgebridge-Time'      => $time,
					'Badgebridge-Nonce'     => $nonce,
					'Badgebridge-Signature' => Signature::sign( $pairing['secret'], $method, (string) Signature::target( $parts['path'], $query ), $time, $nonce, $json ),
					'Badgebridge-Site'      => $this->identity->uuid(),
					'Badgebridge-Home'      => $this->identity->home(),
				),
			)
		);
		if ( is_wp_error( $answer ) ) {
			throw new Fault( 'away', 503, __( 'The badge gateway can’t be reached just now.', 'badgebridge' ) . ' (' . $answer->get_error_message() . ')' );
		}
		return array( (int) wp_remote_retrieve_response_code( $answer ), (string) strtok( (string) wp_remote_retrieve_header( $answer, 'content-type' ), ';' ), (string) wp_remote_retrieve_body( $answer ) );
	}

	/** call(), where no answer is as good as any: null then. */
	public function try_call( string $method, string $route, int $user_id, array $body = array(), float $timeout = 4 ): ?array {
		try {
			return $this->call( $method, $route, $user_id, $body, $timeout );
		} catch ( Fault $fault ) {
			return null;
		}
	}
}
