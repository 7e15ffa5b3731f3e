<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** Settings > Badgebridge: pair, look, cut. */
final class SettingsPage {

	const SLUG = 'badgebridge';

	/** @var Plugin */
	private $plugin;

	public function __construct( Plugin $plugin ) {
		$this->plugin = $plugin;
	}

	public function start(): void {
		add_action(
			'admin_menu',
			function () {
				add_options_page( 'Badgebridge', 'Badgebridge', 'manage_options', self::SLUG, array( $this, 'show' ) );
			}
		);
		foreach ( array( 'pair', 'test', 'cut', 'renew', 'provider', 'rekey' ) as $act ) {
			add_action(
				'admin_post_badgebridge_' . $act,
				function () use ( $act ) {
					$this->act( $act );
				}
			);
		}
	}

	/** Does one of the page's acts and goes back to the page. */
	private function act( string $act ): void {
		if ( ! current_user_can( 'manage_options' ) ) {
			wp_die( esc_html__( 'You are not allowed to do this.', 'badgebridge' ), '', array( 'response' => 403 ) );
		}
		check_admin_referer( 'badgebridge_' . $act );
		try {
			if ( 'pair' === $act && '' === $this->posted( 'code' ) ) {
				$this->ask( $this->plugin->pairing()->checked( $this->posted( 'gateway' ) ) );
				return;
			}
			$this->say( 'success', $this->done( $act ) );
		} catch ( Fault $fault ) {
			$this->say( 'error', $fault->getMessage() );
		}
		wp_safe_redirect( admin_url( 'options-general.php?page=' . self::SLUG ) );
		exit;
	}

	/**
	 * Sends the administrator to the gateway, whose own administrators agree there and
	 * come back with a code. The secret ties their answer to this question.
	 */
	private function ask( string $gateway ): void {
		$state = bin2hex( random_bytes( 24 ) );
		set_transient( 'badgebridge_asked_' . get_current_user_id(), array( $gateway, $state ), 15 * MINUTE_IN_SECONDS );
		$query = array( 'return' => admin_url( 'options-general.php?page=' . self::SLUG ), 'state' => $state );
		nocache_headers();
		// The administrator named this host, and for this answer alone it is one to go to.
		add_filter(
			'allowed_redirect_hosts',
			static function ( array $hosts ) use ( $gateway ): array {
				$hosts[] = (string) wp_parse_url( $gateway, PHP_URL_HOST );
				return $hosts;
			}
		);
		wp_safe_redirect( $gateway . '/admin/connect/wordpress?' . http_build_query( $query, '', '&', PHP_QUERY_RFC3986 ), 303, 'Badgebridge' );
		exit;
	}

	/**
	 * What the gateway answered to a question from this page.
	 *
	 * @return array{gateway: string, code: string, problem: string} All "" where nothing was answered.
	 */
	private function answered(): array {
		$got = array();
		foreach ( array( 'state', 'code', 'error' ) as $name ) {
			$got[ $name ] = isset( $_GET[ $name ] ) && is_string( $_GET[ $name ] ) ? sanitize_text_field( wp_unslash( $_GET[ $name ] ) ) : '';
		}
		$none = array( 'gateway' => '', 'code' => '', 'problem' => '' );
		if ( '' === $got['state'] || ( '' === $got['code'] && '' === $got['error'] ) ) {
			return $none;
		}
		$asked = get_transient( 'badgebridge_asked_' . get_current_user_id() );
		if ( ! is_array( $asked ) || ! hash_equals( $asked[1], $got['state'] ) ) {
			return array( 'problem' => __( 'What the gateway answered does not belong to what was asked here, or it came too late. Begin again.', 'badgebridge' ) ) + $none;
		}
		if ( '' === $got['code'] ) {
			return array( 'gateway' => $asked[0], 'problem' => __( 'The gateway did not agree. Nothing was connected.', 'badgebridge' ) ) + $none;
		}
		return array( 'gateway' => $asked[0], 'code' => substr( $got['code'], 0, 40 ) ) + $none;
	}

	/** @throws Fault Where it can't be done. */
	private function done( string $act ): string {
		switch ( $act ) {
			case 'pair':
				$this->plugin->pairing()->pair( $this->posted( 'gateway' ), $this->posted( 'code' ) );
				delete_transient( 'badgebridge_asked_' . get_current_user_id() );
				return __( 'The site is paired.', 'badgebridge' );
			case 'test':
				$error = $this->plugin->outbox()->test();
				if ( '' !== $error ) {
					throw new Fault( 'test', 502, $error );
				}
				return __( 'The gateway took the test message.', 'badgebridge' );
			case 'provider':
				Providers::choose( $this->posted( 'provider' ) );
				return __( 'The badge plugin is chosen.', 'badgebridge' );
			case 'renew':
				$this->plugin->pairing()->cut();
				$this->plugin->identity()->renew();
				return __( 'This copy is a site of its own now.', 'badgebridge' );
			case 'rekey':
				$this->plugin->gateway()->call( 'POST', '/rekey', 0 );
				return __( 'The gateway makes a new key and brings it in a moment.', 'badgebridge' );
			default:
				$told = $this->plugin->gateway()->try_call( 'POST', '/cut', 0 );
				$this->plugin->pairing()->cut();
				return null !== $told
					? __( 'The site is not paired any more, and the gateway knows it.', 'badgebridge' )
					: __( 'The site is not paired any more. The gateway could not be told; remove the site there, too.', 'badgebridge' );
		}
	}

	private function posted( string $name ): string {
		return isset( $_POST[ $name ] ) && is_string( $_POST[ $name ] ) ? sanitize_text_field( wp_unslash( $_POST[ $name ] ) ) : '';
	}

	private function say( string $kind, string $text ): void {
		set_transient( 'badgebridge_said_' . get_current_user_id(), array( $kind, $text ), 60 );
	}

	public function show(): void {
		$pairing = $this->plugin->pairing()->stored();
		echo '<div class="wrap"><h1>Badgebridge</h1>';
		$said = get_transient( 'badgebridge_said_' . get_current_user_id() );
		if ( is_array( $said ) ) {
			delete_transient( 'badgebridge_said_' . get_current_user_id() );
			printf( '<div class="notice notice-%s" role="status"><p>%s</p></div>', esc_attr( $said[0] ), esc_html( $said[1] ) );
		}
		foreach ( ( new Warnings( $this->plugin ) )->all() as $warning ) {
			printf( '<div class="notice notice-warning"><p>%s</p></div>', esc_html( $warning ) );
		}
		if ( $this->plugin->pairing()->is_foreign() ) {
			$this->show_foreign( $pairing );
		} elseif ( $pairing ) {
			$this->show_paired( $pairing );
		}
		$this->show_form( $pairing );
		$this->show_provider();
		$this->show_self_test();
		$this->show_end();
		echo '</div>';
	}

	private function show_paired( array $pairing ): void {
		echo '<h2>' . esc_html__( 'Paired', 'badgebridge' ) . '</h2><p>';
		/* translators: 1: gateway's address, 2: name there, 3: date */
		echo esc_html( sprintf( __( 'This site is “%2$s” at %1$s since %3$s.', 'badgebridge' ), $pairing['gateway'], $pairing['remote'], wp_date( get_option( 'date_format' ), (int) $pairing['paired_at'] ) ) );
		echo '</p>';
		$this->button( 'test', __( 'Send a test message', 'badgebridge' ) );
		$this->button( 'rekey', __( 'Replace the key', 'badgebridge' ) );
		$this->button( 'cut', __( 'Cut the pairing', 'badgebridge' ) );
	}

	private function show_foreign( array $pairing ): void {
		echo '<h2>' . esc_html__( 'This site was paired under another address', 'badgebridge' ) . '</h2><p>';
		/* translators: 1: old address, 2: present address */
		echo esc_html( sprintf( __( 'The pairing was made at %1$s; now the site is at %2$s. Until you say what it is, it neither answers the gateway nor sends anything.', 'badgebridge' ), $pairing['home'], $this->plugin->identity()->home() ) );
		echo '</p><p>' . esc_html__( 'If the site has moved, pair it again below with a new code. If this is a copy, for example for tests, make it a site of its own:', 'badgebridge' ) . '</p>';
		$this->button( 'renew', __( 'This is a copy', 'badgebridge' ) );
	}

	private function show_form( ?array $pairing ): void {
		$answer  = $this->answered();
		$gateway = '' !== $answer['gateway'] ? $answer['gateway'] : ( $pairing ? $pairing['gateway'] : '' );
		echo '<h2>' . esc_html( $pairing ? __( 'Pair again', 'badgebridge' ) : __( 'Pair with a gateway', 'badgebridge' ) ) . '</h2>';
		if ( '' !== $answer['problem'] ) {
			printf( '<div class="notice notice-error inline" role="alert"><p>%s</p></div>', esc_html( $answer['problem'] ) );
		} elseif ( '' !== $answer['code'] ) {
			/* translators: %s: address */
			printf( '<div class="notice notice-info inline" role="status"><p>%s</p></div>', esc_html( sprintf( __( 'The gateway at %s has agreed. Press Connect to confirm it for this site.', 'badgebridge' ), $answer['gateway'] ) ) );
		} else {
			echo '<p>' . esc_html__( 'You go to the gateway, agree there as its administrator, and come back to confirm. With a one-time code from the gateway’s page for sites it is done at once.', 'badgebridge' ) . '</p>';
		}
		printf( '<form method="post" action="%s">', esc_url( admin_url( 'admin-post.php' ) ) );
		wp_nonce_field( 'badgebridge_pair' );
		echo '<input type="hidden" name="action" value="badgebridge_pair"><table class="form-table" role="presentation">';
		printf(
			'<tr><th scope="row"><label for="badgebridge-gateway">%s</label></th><td><input class="regular-text" type="url" id="badgebridge-gateway" name="gateway" value="%s" placeholder="https://badges.example.org" required></td></tr>',
			esc_html__( 'Address of the gateway', 'badgebridge' ),
			esc_attr( $gateway )
		);
		printf(
			'<tr><th scope="row"><label for="badgebridge-code">%s</label></th><td><input class="regular-text code" type="text" id="badgebridge-code" name="code" autocomplete="off" value="%s" aria-describedby="badgebridge-code-hint"><p class="description" id="badgebridge-code-hint">%s</p></td></tr>',
			esc_html__( 'One-time code', 'badgebridge' ),
			esc_attr( $answer['code'] ),
			'' === $answer['code'] ? esc_html__( 'Leave it empty to get one at the gateway.', 'badgebridge' ) : ''
		);
		echo '</table>';
		submit_button( __( 'Connect', 'badgebridge' ) );
		echo '</form>';
	}

	private function show_provider(): void {
		echo '<h2>' . esc_html__( 'Badge plugin', 'badgebridge' ) . '</h2>';
		printf( '<form method="post" action="%s">', esc_url( admin_url( 'admin-post.php' ) ) );
		wp_nonce_field( 'badgebridge_provider' );
		echo '<input type="hidden" name="action" value="badgebridge_provider"><p><label for="badgebridge-provider">' . esc_html__( 'Badges are awarded by', 'badgebridge' ) . '</label> <select id="badgebridge-provider" name="provider">';
		$choices = array(
			''          => __( 'the one that is active', 'badgebridge' ),
			'badgeos'   => 'BadgeOS',
			'gamipress' => 'GamiPress',
		);
		foreach ( $choices as $id => $name ) {
			printf( '<option value="%s"%s>%s</option>', esc_attr( $id ), selected( Providers::chosen(), $id, false ), esc_html( $name ) );
		}
		echo '</select> <button class="button">' . esc_html__( 'Save', 'badgebridge' ) . '</button></p></form>';
	}

	private function show_self_test(): void {
		echo '<h2 id="self-test">' . esc_html__( 'Self-test', 'badgebridge' ) . '</h2>';
		if ( ! isset( $_GET['self-test'] ) ) {
			printf( '<p><a class="button" href="%s">%s</a></p>', esc_url( admin_url( 'options-general.php?page=' . self::SLUG . '&self-test=1#self-test' ) ), esc_html__( 'Run the self-test', 'badgebridge' ) );
			return;
		}
		echo '<ul class="badgebridge-self-test">';
		foreach ( ( new SelfTest( $this->plugin ) )->run() as $line ) {
			printf(
				'<li%s><p style="margin:.4em 0"><strong>%s %s</strong>%s</p></li>',
				$line['good'] ? '' : ' class="notice notice-error inline"',
				$line['good'] ? '<span aria-hidden="true">✓</span> <span class="screen-reader-text">' . esc_html__( 'Good:', 'badgebridge' ) . '</span>' : '<span aria-hidden="true">✗</span> <span class="screen-reader-text">' . esc_html__( 'To mend:', 'badgebridge' ) . '</span>',
				esc_html( $line['name'] ),
				'' === $line['cure'] ? '' : '<br>' . esc_html( $line['cure'] )
			);
		}
		echo '</ul>';
	}

	private function show_end(): void {
		echo '<h2>' . esc_html__( 'When you delete this plugin', 'badgebridge' ) . '</h2><p>';
		echo esc_html__( 'Cut the pairing first, so that the gateway knows. Deleting takes away all that this plugin has stored: the pairing, its tables and settings, and what it noted about members. What stays: awards and badges in BadgeOS or GamiPress, also those that came from the gateway, with their pictures; and what the gateway knows. Erase that there.', 'badgebridge' );
		echo '</p>';
	}

	private function button( string $act, string $label ): void {
		printf( '<form method="post" action="%s" style="display:inline-block;margin-right:1em">', esc_url( admin_url( 'admin-post.php' ) ) );
		wp_nonce_field( 'badgebridge_' . $act );
		printf( '<input type="hidden" name="action" value="%s"><button class="button">%s</button></form>', esc_attr( 'badgebridge_' . $act ), esc_html( $label ) );
	}
}
