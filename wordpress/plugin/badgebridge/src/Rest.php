<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** The routes of the contract (site-api.yaml): decode, call, answer. */
final class Rest {

	const NS       = 'badgebridge/v1';
	const CONTRACT = '2'; // the version of site-api.yaml that this keeps
	const LEAST    = '1'; // the oldest one that a caller may speak

	/** @var Plugin */
	private $plugin;

	/** @var Guard */
	private $guard;

	/** @var bool Whether the request was proven to be the gateway's. */
	private $signed = false;

	/** @var \WP_REST_Request|null The request that was judged last. */
	private $asked = null;

	/** @var true|\WP_Error|null What was said about it. */
	private $verdict = null;

	public function __construct( Plugin $plugin, Guard $guard ) {
		$this->plugin = $plugin;
		$this->guard  = $guard;
	}

	public function register(): void {
		$this->route( '/site', 'GET', 'site' );
		$this->route( '/badges', 'GET', 'badges' );
		$this->route( '/badges/by-key/(?P<key>[^/]+)', 'PUT', 'put_badge' );
		$this->route( '/members', 'GET', 'members' );
		$this->route( '/awards', 'GET', 'awards' );
		$this->route( '/awards', 'POST', 'grant' );
		$this->route( '/awards/changes', 'GET', 'changes' );
		$this->route( '/awards/by-key/(?P<key>[^/]+)', 'GET', 'by_key' );
		$this->route( '/awards/(?P<entry>[0-9]{1,18})', 'GET', 'award' );
		$this->route( '/awards/(?P<entry>[0-9]{1,18})/revoke', 'POST', 'revoke' );
		$this->route( '/old-credly', 'GET', 'old_credly' );
		$this->route( '/pairing', 'DELETE', 'cut' );
		$this->route( '/pairing/key', 'PUT', 'rekey' );
		add_filter( 'rest_post_dispatch', array( $this, 'finish' ), 10, 3 );
	}

	private function route( string $path, string $method, string $handler ): void {
		register_rest_route(
			self::NS,
			$path,
			array(
				'methods'             => $method,
				'permission_callback' => array( $this, 'permit' ),
				'callback'            => function ( \WP_REST_Request $request ) use ( $handler ) {
					try {
						return $this->$handler( $request );
					} catch ( Fault $fault ) {
						return new \WP_REST_Response( $fault->document(), $fault->status() );
					}
				},
			)
		);
	}

	/**
	 * WordPress asks this again for the same request, to write its Allow header; a
	 * nonce is good for once.
	 *
	 * @return true|\WP_Error
	 */
	public function permit( \WP_REST_Request $request ) {
		if ( $request !== $this->asked ) {
			$this->asked   = $request;
			$this->verdict = $this->judge( $request );
		}
		return $this->verdict;
	}

	private function judge( \WP_REST_Request $request ) {
		try {
			$this->guard->check( $request );
		} catch ( Fault $fault ) {
			$this->signed = 'another_site' === $fault->fault();
			return new \WP_Error( $fault->fault(), $fault->getMessage(), array( 'status' => $fault->status() ) );
		}
		$this->signed = true;
		return true;
	}

	/** Says whose answer it is, and that nobody may keep it. */
	public function finish( $response, $server, $request ) {
		if ( 0 !== strpos( $request->get_route(), '/' . self::NS . '/' ) ) {
			return $response;
		}
		$response->header( 'Cache-Control', 'no-store' );
		if ( $this->signed ) {
			$response->header( 'Badgebridge-Site', $this->plugin->identity()->uuid() );
			$response->header( 'Badgebridge-Home', $this->plugin->identity()->home() );
		}
		$data = $response->get_data();
		if ( $response->is_error() && isset( $data['data'] ) ) {
			unset( $data['data'], $data['additional_errors'] );
			$response->set_data( $data );
		}
		return $response;
	}

	private function site(): \WP_REST_Response {
		$provider = $this->plugin->provider();
		$identity = $this->plugin->identity();
		return new \WP_REST_Response(
			array(
				'contract'          => self::CONTRACT,
				'contract_least'    => self::LEAST,
				'uuid'              => $identity->uuid(),
				'home_url'          => $identity->home(),
				'name'              => $identity->name(),
				'timezone'          => wp_timezone_string(),
				'provider'          => array(
					'id'      => $provider ? $provider->id() : 'none',
					'version' => $provider ? $provider->version() : '',
				),
				'plugin_version'    => BADGEBRIDGE_VERSION,
				'wordpress_version' => get_bloginfo( 'version' ),
				'php_version'       => PHP_VERSION,
				'feed_epoch'        => $identity->epoch(),
				'oidc_issuer'       => Oidc::offered( $identity ) ? Oidc::issuer( $identity ) : '',
				'warnings'          => ( new Warnings( $this->plugin ) )->all(),
			)
		);
	}

	private function badges( \WP_REST_Request $request ): \WP_REST_Response {
		$limit = $this->limit( $request );
		$ids   = $this->provider()->badge_ids( $this->after( $request ), $limit + 1 );
		$this->plugin->documents()->prime( $ids );
		return $this->page( 'badges', $ids, $limit, $request, array( $this->plugin->documents(), 'badge' ) );
	}

	private function put_badge( \WP_REST_Request $request ): \WP_REST_Response {
		$writing            = $this->plugin->badge_writing();
		list( $id, $fresh ) = $writing->put( $this->key( (string) $request->get_url_params()['key'] ), Body::of( $request ) );
		return new \WP_REST_Response( $this->plugin->documents()->badge( $id ), $fresh ? 201 : 200 );
	}

	private function key( string $key ): string {
		if ( ! preg_match( Grants::KEY, $key ) ) {
			throw Fault::invalid( 'key', __( 'A key has 16 to 200 letters, digits, dots, dashes, tildes and underscores.', 'badgebridge' ) );
		}
		return $key;
	}

	private function old_credly(): \WP_REST_Response {
		return new \WP_REST_Response( OldCredly::report( $this->provider()->types() ) );
	}

	private function members( \WP_REST_Request $request ): \WP_REST_Response {
		$limit = $this->limit( $request );
		$email = $request->get_param( 'email' );
		if ( null === $email ) {
			$ids = Members::ids( $this->after( $request ), $limit + 1 );
		} elseif ( is_string( $email ) && '' !== $email ) {
			$ids = Members::by_email( $email );
		} else {
			throw Fault::invalid( 'email', __( 'That is no e-mail address.', 'badgebridge' ) );
		}
		Members::prime( $ids );
		return $this->page( 'members', $ids, $limit, $request, array( $this->plugin->documents(), 'member' ) );
	}

	private function awards( \WP_REST_Request $request ): \WP_REST_Response {
		$limit = $this->limit( $request );
		$from  = $this->plugin->feed()->end();
		$rows  = $this->provider()->awards( $this->after( $request ), $limit + 1 );
		$more  = count( $rows ) > $limit;
		$rows  = array_slice( $rows, 0, $limit );
		$last  = end( $rows );
		return new \WP_REST_Response(
			array(
				'awards'       => array_values( $this->plugin->documents()->awards( $rows ) ),
				'next'         => $last ? (string) $last->entry_id : (string) $request->get_param( 'after' ),
				'more'         => $more,
				'changes_from' => $from,
			)
		);
	}

	private function changes( \WP_REST_Request $request ): \WP_REST_Response {
		$after = $request->get_param( 'after' );
		if ( null !== $after && ! is_string( $after ) ) {
			throw Fault::invalid( 'after', __( 'That is no cursor.', 'badgebridge' ) );
		}
		$page   = $this->plugin->feed()->after( (string) $after, $this->limit( $request ) );
		$awards = $this->plugin->documents()->awards( $this->provider()->awards_by_id( wp_list_pluck( $page['changes'], 'entry_id' ) ) );
		foreach ( $page['changes'] as $i => $change ) {
			$award    = $awards[ (int) $change->entry_id ] ?? null;
			$document = array(
				'seq'         => (int) $change->seq,
				'at'          => Documents::time( (int) $change->at ),
				'kind'        => $change->kind,
				'entry_id'    => (int) $change->entry_id,
				'fingerprint' => $change->fingerprint,
				'award'       => $award && $award['fingerprint'] === $change->fingerprint ? $award : null,
			);
			foreach ( array( 'reason', 'cause' ) as $name ) {
				if ( '' !== $change->$name ) {
					$document[ $name ] = $change->$name;
				}
			}
			$page['changes'][ $i ] = $document;
		}
		return new \WP_REST_Response( $page );
	}

	private function grant( \WP_REST_Request $request ): \WP_REST_Response {
		$body = Body::of( $request );
		$key  = $this->key( $body->text( 'key', 200 ) );
		list( $row, $new ) = $this->plugin->awarding()->grant( $key, $body->id( 'badge_id' ), $body->text( 'email', 320 ), $body->moment( 'issued_on' ), $body->text( 'page_url', 2000, '' ) );
		return $this->one( $row, $new ? 201 : 200 );
	}

	private function by_key( \WP_REST_Request $request ): \WP_REST_Response {
		return $this->one( $this->plugin->awarding()->by_key( (string) $request->get_url_params()['key'] ) );
	}

	private function award( \WP_REST_Request $request ): \WP_REST_Response {
		$rows = $this->provider()->awards_by_id( array( (int) $request->get_url_params()['entry'] ) );
		return $this->one( $rows ? reset( $rows ) : null );
	}

	private function revoke( \WP_REST_Request $request ): \WP_REST_Response {
		$body  = Body::of( $request );
		$print = $body->text( 'fingerprint', 16 );
		if ( ! Fingerprint::is_one( $print ) ) {
			throw Fault::invalid( 'fingerprint', __( 'That is no fingerprint.', 'badgebridge' ) );
		}
		$this->plugin->awarding()->revoke( (int) $request->get_url_params()['entry'], $print, $body->text( 'reason', 1000 ) );
		return new \WP_REST_Response( array( 'revoked' => true ) );
	}

	private function cut(): \WP_REST_Response {
		$this->plugin->pairing()->cut();
		return new \WP_REST_Response( null, 204 );
	}

	private function rekey( \WP_REST_Request $request ): \WP_REST_Response {
		$body = Body::of( $request );
		$this->plugin->pairing()->rekey( $body->text( 'key_id', 128 ), $body->text( 'secret', 200 ) );
		return new \WP_REST_Response( null, 204 );
	}

	private function one( ?Row $row, int $status = 200 ): \WP_REST_Response {
		if ( ! $row ) {
			throw new Fault( 'not_found', 404, __( 'There is no such award.', 'badgebridge' ) );
		}
		return new \WP_REST_Response( $this->plugin->documents()->awards( array( $row ) )[ $row->entry_id ], $status );
	}

	/** A page of what these ids stand for; one id more than the limit means that there is more. */
	private function page( string $name, array $ids, int $limit, \WP_REST_Request $request, callable $document ): \WP_REST_Response {
		$more = count( $ids ) > $limit;
		$ids  = array_slice( $ids, 0, $limit );
		return new \WP_REST_Response(
			array(
				$name  => array_values( array_filter( array_map( $document, $ids ) ) ),
				'next' => $ids ? (string) end( $ids ) : (string) $request->get_param( 'after' ),
				'more' => $more,
			)
		);
	}

	private function provider(): Provider {
		$provider = $this->plugin->provider();
		if ( ! $provider ) {
			throw new Fault( 'no_provider', 503, __( 'No badge plugin is active on this site.', 'badgebridge' ) );
		}
		return $provider;
	}

	private function after( \WP_REST_Request $request ): int {
		$after = $request->get_param( 'after' );
		if ( null === $after || '' === $after ) {
			return 0;
		}
		if ( ! is_string( $after ) || ! preg_match( '/^[0-9]{1,18}$/D', $after ) ) {
			throw Fault::invalid( 'after', __( 'That is no place in this list.', 'badgebridge' ) );
		}
		return (int) $after;
	}

	private function limit( \WP_REST_Request $request ): int {
		$limit = $request->get_param( 'limit' );
		if ( null === $limit ) {
			return 200;
		}
		if ( ! is_string( $limit ) || ! preg_match( '/^[0-9]{1,3}$/D', $limit ) || (int) $limit < 1 || (int) $limit > 500 ) {
			throw Fault::invalid( 'limit', __( 'A page has 1 to 500 entries.', 'badgebridge' ) );
		}
		return (int) $limit;
	}
}
