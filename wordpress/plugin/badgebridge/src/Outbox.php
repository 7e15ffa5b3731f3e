<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/**
 * Tells the gateway that something happened. An event is a hint, and the gateway
 * looks now and then by itself; so it is tried at the end of the request that made it, then
 * by cron ever more rarely, and given up after some days.
 */
final class Outbox {

	const GIVE_UP = 604800; // seconds: 7 days
	const SLOWEST = 21600;  // seconds between two attempts: 6 hours

	/** @var OutboxTable */
	private $table;

	/** @var Pairing */
	private $pairing;

	/** @var Identity */
	private $identity;

	/** @var bool Whether this request has added an event. */
	private $fresh = false;

	public function __construct( OutboxTable $table, Pairing $pairing, Identity $identity ) {
		$this->table    = $table;
		$this->pairing  = $pairing;
		$this->identity = $identity;
	}

	/** Notes an event to be sent; entry 0 names none. */
	public function put( string $kind, int $entry_id ): void {
		if ( $this->pairing->current() ) {
			$this->table->add( $kind, $entry_id );
			$this->fresh = true;
		}
	}

	/** At the end of a request: sends if it has added something. */
	public function send_fresh(): void {
		if ( ! $this->fresh ) {
			return;
		}
		$this->fresh = false;
		// Whoever caused it need not wait for the gateway.
		if ( function_exists( 'fastcgi_finish_request' ) ) {
			fastcgi_finish_request();
		}
		$this->send( 5 );
	}

	/** Sends what is due, for about so many seconds. A copy of the site sends nothing. */
	public function send( int $seconds = 20 ): void {
		$pairing = $this->pairing->current();
		if ( ! $pairing ) {
			return;
		}
		$until = microtime( true ) + $seconds;
		foreach ( $this->table->due() as $event ) {
			if ( microtime( true ) > $until ) {
				return;
			}
			if ( ! $this->table->claim( $event, 60 ) ) {
				continue;
			}
			$error = $this->post( $pairing, $event );
			if ( '' === $error || time() - (int) $event->created_at > self::GIVE_UP ) {
				$this->table->done( $event );
			} else {
				$this->table->later( $event, min( self::SLOWEST, 60 << min( 10, (int) $event->attempts ) ) );
			}
			update_option( 'badgebridge_webhook', array( 'at' => time(), 'error' => $error ), false );
			if ( '' !== $error ) {
				return; // The gateway is away; the others wait for their turn.
			}
		}
	}

	/** Sends a test event now. Gives "" or what went wrong. */
	public function test(): string {
		$pairing = $this->pairing->current();
		if ( ! $pairing ) {
			return __( 'The site is not paired.', 'badgebridge' );
		}
		return $this->post( $pairing, (object) array( 'event_id' => bin2hex( random_bytes( 16 ) ), 'kind' => 'test', 'entry_id' => 0 ) );
	}

	public function make_due(): void {
		$this->table->make_due();
	}

	private function post( array $pairing, object $event ): string {
		$body = array(
			'id'        => $event->event_id,
			'site_uuid' => $this->identity->uuid(),
			'home_url'  => $this->identity->home(),
			'kind'      => $event->kind,
		);
		if ( (int) $event->entry_id > 0 ) {
			$body['entry_id'] = (int) $event->entry_id;
		}
		$body  = (string) wp_json_encode( $body );
		$parts = wp_parse_url( $pairing['webhook_url'] );
		parse_str( $parts['query'] ?? '', $query );
		$target = Signature::target( $parts['path'] ?? '/', $query );
		$time   = (string) time();
		$nonce  = bin2hex( random_bytes( 16 ) );
		// Not wp_safe_remote_post, which refuses private hosts: an administrator
		// named this one.
		$answer = wp_remote_post(
			$pairing['webhook_url'],
			array(
				'timeout'     => 4,
				'redirection' => 0,
				'body'        => $body,
				'headers'     => array(
					'Content-Type'          => 'application/json',
					'Badgebridge-Key'       => $pairing['key_id'],
					'Badgebridge-Time'      => $time,
					'Badgebridge-Nonce'     => $nonce,
					'Badgebridge-Signature' => Signature::sign( $pairing['secret'], 'POST', (string) $target, $time, $nonce, $body ),
				),
			)
		);
		if ( is_wp_error( $answer ) ) {
			return $answer->get_error_message();
		}
		$status = (int) wp_remote_retrieve_response_code( $answer );
		/* translators: %d: HTTP status */
		return $status >= 200 && $status < 300 ? '' : sprintf( __( 'The gateway answered %d.', 'badgebridge' ), $status );
	}
}
