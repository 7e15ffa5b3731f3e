<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/**
 * The site as an OpenID provider for exactly one client, the paired gateway: who
 * is signed in here is signed in there, with no account more. Code flow with PKCE;
 * nothing but the registered redirect URI is ever redirected to.
 */
final class Oidc {

	const SEGMENT = 'badgebridge-sign-in';
	const LIFE    = 300; // seconds that an ID token holds

	/** @var Plugin */
	private $plugin;

	public function __construct( Plugin $plugin ) {
		$this->plugin = $plugin;
	}

	/** Where the provider lives; without permalinks behind index.php, as WordPress's own addresses then are. */
	public static function issuer( Identity $identity ): string {
		global $wp_rewrite;
		$index = ! get_option( 'permalink_structure' ) || ( $wp_rewrite && $wp_rewrite->using_index_permalinks() );
		return $identity->home() . ( $index ? '/index.php/' : '/' ) . self::SEGMENT;
	}

	/** Whether the site can be a provider; the gateway takes no other issuer than https, or http on its own machine. */
	public static function offered( Identity $identity ): bool {
		return Jwk::possible() && ! apply_filters( 'badgebridge_no_sign_in', false );
	}

	/** Answers, and ends the request, where it is for the provider. */
	public function answer(): void {
		$path = $this->path();
		if ( null === $path ) {
			return;
		}
		Output::clean();
		nocache_headers();
		header( 'Cache-Control: no-store' );
		header( 'X-Content-Type-Options: nosniff' );
		try {
			$pairing = $this->plugin->pairing()->current();
			if ( ! $pairing || ! self::offered( $this->plugin->identity() ) ) {
				throw new Fault( 'not_found', 404, __( 'This site signs nobody in for others.', 'badgebridge' ) );
			}
			$this->route( $path, $pairing );
		} catch ( Fault $fault ) {
			$this->json( array( 'error' => $fault->fault(), 'error_description' => $fault->getMessage() ), $fault->status() );
		}
		exit;
	}

	/** What follows the issuer in the address; null where the request is for something else. */
	private function path(): ?string {
		$uri   = isset( $_SERVER['REQUEST_URI'] ) ? (string) strtok( (string) $_SERVER['REQUEST_URI'], '?' ) : '';
		$mount = (string) wp_parse_url( self::issuer( $this->plugin->identity() ), PHP_URL_PATH );
		return 0 === strpos( $uri, $mount . '/' ) ? substr( $uri, strlen( $mount ) ) : null;
	}

	private function route( string $path, array $pairing ): void {
		$method = isset( $_SERVER['REQUEST_METHOD'] ) ? strtoupper( sanitize_text_field( wp_unslash( $_SERVER['REQUEST_METHOD'] ) ) ) : 'GET';
		$routes = array(
			'/.well-known/openid-configuration' => array( 'GET', 'discovery' ),
			'/jwks'                             => array( 'GET', 'jwks' ),
			'/authorize'                        => array( 'GET', 'authorize' ),
			'/token'                            => array( 'POST', 'token' ),
		);
		if ( ! isset( $routes[ $path ] ) ) {
			throw new Fault( 'not_found', 404, __( 'There is nothing here.', 'badgebridge' ) );
		}
		list( $want, $handler ) = $routes[ $path ];
		if ( $method !== $want && ! ( 'HEAD' === $method && 'GET' === $want ) ) {
			header( "Allow: $want" );
			throw new Fault( 'invalid_request', 405, __( 'This address takes another method.', 'badgebridge' ) );
		}
		$this->$handler( $pairing );
	}

	private function discovery(): void {
		$issuer = self::issuer( $this->plugin->identity() );
		$this->json(
			array(
				'issuer'                                => $issuer,
				'authorization_endpoint'                => $issuer . '/authorize',
				'token_endpoint'                        => $issuer . '/token',
				'jwks_uri'                              => $issuer . '/jwks',
				'response_types_supported'              => array( 'code' ),
				'response_modes_supported'              => array( 'query' ),
				'grant_types_supported'                 => array( 'authorization_code' ),
				'subject_types_supported'               => array( 'public' ),
				'id_token_signing_alg_values_supported' => array( 'RS256' ),
				'scopes_supported'                      => array( 'openid', 'profile', 'email' ),
				// Basic is taken too, but many a host strips Authorization on the way.
				'token_endpoint_auth_methods_supported' => array( 'client_secret_post' ),
				'code_challenge_methods_supported'      => array( 'S256' ),
				'claims_supported'                      => array( 'sub', 'email', 'email_verified', 'name', 'given_name', 'family_name', 'locale', 'roles' ),
				'authorization_response_iss_parameter_supported' => true,
			)
		);
	}

	private function jwks(): void {
		$this->json( Jwk::set() );
	}

	/** The one address that people are sent to. */
	public static function redirect_uri( array $pairing ): string {
		return $pairing['gateway'] . '/login/callback/' . $pairing['remote'];
	}

	private function authorize( array $pairing ): void {
		$client   = $this->asked( 'client_id' );
		$redirect = $this->asked( 'redirect_uri' );
		// Before anything is redirected: is it the gateway's own request?
		if ( ! hash_equals( $pairing['key_id'], $client ) || ! hash_equals( self::redirect_uri( $pairing ), $redirect ) ) {
			$this->page( 400, __( 'This sign-in was not asked for by the gateway that this site is connected with.', 'badgebridge' ) );
			return;
		}
		$error = '';
		if ( 'code' !== $this->asked( 'response_type' ) ) {
			$error = 'unsupported_response_type';
		} elseif ( ! in_array( 'openid', explode( ' ', $this->asked( 'scope' ) ), true ) ) {
			$error = 'invalid_scope';
		} elseif ( 'S256' !== $this->asked( 'code_challenge_method' ) || ! preg_match( '/^[A-Za-z0-9_-]{43}$/D', $this->asked( 'code_challenge' ) ) || '' === $this->asked( 'nonce' ) ) {
			$error = 'invalid_request';
		}
		if ( '' !== $error ) {
			$this->back( $redirect, array( 'error' => $error ) );
			return;
		}
		if ( ! is_user_logged_in() ) {
			if ( 'none' === $this->asked( 'prompt' ) ) {
				$this->back( $redirect, array( 'error' => 'login_required' ) );
				return;
			}
			$here = $this->origin() . (string) $_SERVER['REQUEST_URI'];
			wp_safe_redirect( wp_login_url( $here ), 302, 'Badgebridge' );
			return;
		}
		$user = wp_get_current_user();
		if ( is_multisite() && ! is_user_member_of_blog( $user->ID ) ) {
			$this->back( $redirect, array( 'error' => 'access_denied' ) );
			return;
		}
		$code = $this->plugin->codes()->make(
			array(
				'user'      => (int) $user->ID,
				'client'    => $client,
				'redirect'  => $redirect,
				'challenge' => $this->asked( 'code_challenge' ),
				'nonce'     => $this->asked( 'nonce' ),
				'at'        => time(),
			)
		);
		$this->back( $redirect, array( 'code' => $code ) );
	}

	/** Scheme and host of the home URL. */
	private function origin(): string {
		$parts = wp_parse_url( $this->plugin->identity()->home() );
		return $parts['scheme'] . '://' . $parts['host'] . ( isset( $parts['port'] ) ? ':' . $parts['port'] : '' );
	}

	private function back( string $redirect, array $say ): void {
		$state = $this->asked( 'state' );
		if ( '' !== $state ) {
			$say['state'] = $state;
		}
		$say['iss'] = self::issuer( $this->plugin->identity() );
		// Not wp_safe_redirect, which knows this site alone: the address is the
		// registered one, compared above.
		header( 'Location: ' . $redirect . '?' . http_build_query( $say, '', '&', PHP_QUERY_RFC3986 ), true, 302 );
	}

	private function token( array $pairing ): void {
		$this->check_client( $pairing );
		if ( 'authorization_code' !== $this->posted( 'grant_type' ) ) {
			throw new Fault( 'unsupported_grant_type', 400, __( 'Only codes are traded here.', 'badgebridge' ) );
		}
		$grant = $this->plugin->codes()->take( $this->posted( 'code' ) );
		$user  = $grant ? get_userdata( (int) $grant['user'] ) : false;
		$fits  = $grant && $user
			&& hash_equals( (string) $grant['client'], $pairing['key_id'] )
			&& hash_equals( (string) $grant['redirect'], $this->posted( 'redirect_uri' ) )
			&& preg_match( '/^[A-Za-z0-9._~-]{43,128}$/D', $this->posted( 'code_verifier' ) )
			&& hash_equals( (string) $grant['challenge'], Jwk::encode( hash( 'sha256', $this->posted( 'code_verifier' ), true ) ) );
		if ( ! $fits ) {
			throw new Fault( 'invalid_grant', 400, __( 'The code is unknown, used, too old, or not for this request.', 'badgebridge' ) );
		}
		Erased::undo( (int) $user->ID ); // Who signs in takes part again.
		$this->json(
			array(
				'access_token' => Jwk::encode( random_bytes( 32 ) ), // It opens nothing: all claims are in the ID token.
				'token_type'   => 'Bearer',
				'expires_in'   => self::LIFE,
				'scope'        => 'openid profile email',
				'id_token'     => Jwk::sign( $this->claims( $user, $pairing, $grant ) ),
			)
		);
	}

	private function claims( \WP_User $user, array $pairing, array $grant ): array {
		return array(
			'iss'            => self::issuer( $this->plugin->identity() ),
			'sub'            => self::subject( $this->plugin->identity(), (int) $user->ID ),
			'aud'            => $pairing['key_id'],
			'iat'            => time(),
			'exp'            => time() + self::LIFE,
			'nonce'          => (string) $grant['nonce'],
			'email'          => (string) $user->user_email,
			'email_verified' => Proofs::proven( $user ),
			'name'           => (string) $user->display_name,
			'given_name'     => (string) $user->first_name,
			'family_name'    => (string) $user->last_name,
			'locale'         => str_replace( '_', '-', get_user_locale( $user ) ),
			'roles'          => array_values( array_map( 'strval', (array) $user->roles ) ),
		);
	}

	public static function subject( Identity $identity, int $user_id ): string {
		return $identity->uuid() . ':' . $user_id;
	}

	private function check_client( array $pairing ): void {
		$id     = '';
		$secret = '';
		if ( isset( $_SERVER['PHP_AUTH_USER'], $_SERVER['PHP_AUTH_PW'] ) ) {
			$id     = rawurldecode( (string) $_SERVER['PHP_AUTH_USER'] );
			$secret = rawurldecode( (string) $_SERVER['PHP_AUTH_PW'] );
		} else {
			$header = (string) ( $_SERVER['HTTP_AUTHORIZATION'] ?? $_SERVER['REDIRECT_HTTP_AUTHORIZATION'] ?? '' );
			if ( 0 === stripos( $header, 'Basic ' ) ) {
				$pair   = explode( ':', (string) base64_decode( substr( $header, 6 ), true ), 2 ) + array( 1 => '' );
				$id     = rawurldecode( $pair[0] );
				$secret = rawurldecode( $pair[1] );
			} else {
				$id     = $this->posted( 'client_id' );
				$secret = $this->posted( 'client_secret' );
			}
		}
		$good = hash_equals( $pairing['secret'], $secret );
		if ( ! hash_equals( $pairing['key_id'], $id ) || ! $good ) {
			header( 'WWW-Authenticate: Basic realm="Badgebridge"' );
			throw new Fault( 'invalid_client', 401, __( 'The client is not the gateway that this site is connected with.', 'badgebridge' ) );
		}
	}

	/** A query parameter, at most 2000 bytes. */
	private function asked( string $name ): string {
		$value = isset( $_GET[ $name ] ) && is_string( $_GET[ $name ] ) ? wp_unslash( $_GET[ $name ] ) : '';
		return strlen( $value ) <= 2000 ? $value : '';
	}

	private function posted( string $name ): string {
		$value = isset( $_POST[ $name ] ) && is_string( $_POST[ $name ] ) ? wp_unslash( $_POST[ $name ] ) : '';
		return strlen( $value ) <= 2000 ? $value : '';
	}

	private function json( array $document, int $status = 200 ): void {
		status_header( $status );
		header( 'Content-Type: application/json; charset=utf-8' );
		echo wp_json_encode( $document, JSON_UNESCAPED_SLASHES );
	}

	private function page( int $status, string $text ): void {
		wp_die( esc_html( $text ), '', array( 'response' => $status ) );
	}
}
