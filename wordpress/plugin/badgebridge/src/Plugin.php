<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/**
 * The only place that knows every part. Parts are made when they are first asked
 * for, so that a page view that has nothing to do with badges costs nothing.
 */
final class Plugin {

	/** @var array<string, object|null> */
	private $parts = array();

	public function start(): void {
		Output::guard();
		register_activation_hook( BADGEBRIDGE_FILE, array( $this, 'activate' ) );
		register_deactivation_hook( BADGEBRIDGE_FILE, array( $this, 'deactivate' ) );
		add_action(
			'init',
			static function () {
				load_plugin_textdomain( 'badgebridge', false, 'badgebridge/languages' );
			},
			1
		);
		// At 20, when the badge plugins have registered their types.
		add_action( 'init', array( $this, 'init' ), 20 );
		add_action( 'rest_api_init', function () { $this->rest()->register(); } );
		add_action( 'badgebridge_cron', array( $this, 'cron' ) );
		add_filter( 'cron_schedules', array( $this, 'schedules' ) );
		if ( is_admin() ) {
			( new SettingsPage( $this ) )->start();
		}
	}

	public function activate(): void {
		$this->schema()->install();
		$this->identity()->ensure();
		if ( ! wp_next_scheduled( 'badgebridge_cron' ) ) {
			wp_schedule_event( time() + 60, 'badgebridge_minutes', 'badgebridge_cron' );
		}
	}

	public function deactivate(): void {
		wp_clear_scheduled_hook( 'badgebridge_cron' );
	}

	public function init(): void {
		// After an update of the plugin's files, and on a network's other sites,
		// nothing has activated it.
		if ( ! $this->schema()->is_current() || '' === $this->identity()->uuid() ) {
			$this->activate();
		}
		Providers::note( $this->provider(), $this->identity() );
		$watcher = new Watcher( $this );
		$watcher->start();
		( new Privacy( $this ) )->start();
		( new Proofs( array( $watcher, 'note' ) ) )->start();
		( new MemberPages( $this ) )->start();
		( new MemberActs( $this ) )->start();
		( new ProfileActs( $this ) )->start();
		$this->updates()->start();
		( new Oidc( $this ) )->answer();
		if ( BadgeOS::is_active() ) {
			( new BadgeOSDoors() )->close();
			if ( 'badgeos' === ( $this->provider() ? $this->provider()->id() : '' ) ) {
				( new Assertions( $this ) )->start();
			}
		}
	}

	public function schedules( $schedules ) {
		$schedules['badgebridge_minutes'] = array( 'interval' => 300, 'display' => __( 'Every five minutes', 'badgebridge' ) );
		return $schedules;
	}

	public function cron(): void {
		$this->outbox()->send();
		$this->nonces()->forget();
		$this->feed()->prune();
	}

	public function schema(): Schema {
		return $this->part( 'schema', function () { return new Schema(); } );
	}

	public function identity(): Identity {
		return $this->part( 'identity', function () { return new Identity(); } );
	}

	public function pairing(): Pairing {
		return $this->part( 'pairing', function () { return new Pairing( $this->identity(), $this->outbox_table() ); } );
	}

	public function nonces(): Nonces {
		return $this->part( 'nonces', function () { return new Nonces(); } );
	}

	public function feed(): Feed {
		return $this->part( 'feed', function () { return new Feed( $this->identity()->epoch() ); } );
	}

	public function grants(): Grants {
		return $this->part( 'grants', function () { return new Grants(); } );
	}

	public function outbox(): Outbox {
		return $this->part( 'outbox', function () { return new Outbox( $this->outbox_table(), $this->pairing(), $this->identity() ); } );
	}

	private function outbox_table(): OutboxTable {
		return $this->part( 'outbox_table', function () { return new OutboxTable(); } );
	}

	public function documents(): Documents {
		return $this->part( 'documents', function () { return new Documents( $this->provider(), $this->grants(), $this->badge_keys() ); } );
	}

	private function badge_keys(): BadgeKeys {
		return $this->part( 'badge_keys', function () { return new BadgeKeys(); } );
	}

	public function badge_writing(): BadgeWriting {
		return $this->part( 'badge_writing', function () { return new BadgeWriting( $this->provider(), $this->badge_keys() ); } );
	}

	public function codes(): Codes {
		return $this->part( 'codes', function () { return new Codes(); } );
	}

	public function member_badges(): MemberBadges {
		return $this->part( 'member_badges', function () { return new MemberBadges( $this ); } );
	}

	public function gateway(): Gateway {
		return $this->part( 'gateway', function () { return new Gateway( $this->pairing(), $this->identity() ); } );
	}

	public function updates(): Updates {
		return $this->part( 'updates', function () { return new Updates( $this->pairing() ); } );
	}

	public function awarding(): Awarding {
		return $this->part(
			'awarding',
			function () {
				return new Awarding( $this->provider(), $this->grants(), $this->feed() );
			}
		);
	}

	private function rest(): Rest {
		return $this->part( 'rest', function () { return new Rest( $this, new Guard( $this->identity(), $this->pairing(), $this->nonces() ) ); } );
	}

	/**
	 * What awards badges on this site; null where nothing does. Asked for
	 * after "init", when all plugins are there.
	 */
	public function provider(): ?Provider {
		return $this->part( 'provider', function () { return Providers::current(); } );
	}

	private function part( string $name, callable $make ) {
		if ( ! array_key_exists( $name, $this->parts ) ) {
			$this->parts[ $name ] = $make();
		}
		return $this->parts[ $name ];
	}
}
