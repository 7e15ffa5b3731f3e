<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** What members do with their own badges: plain forms, so that no script is needed. */
final class MemberActs {

	const ACTS = array( 'claim', 'decline', 'publish', 'link', 'hide', 'send' );

	/** @var Plugin */
	private $plugin;

	public function __construct( Plugin $plugin ) {
		$this->plugin = $plugin;
	}

	public function start(): void {
		add_action( 'admin_post_badgebridge_act', array( $this, 'act' ) );
		add_action( 'admin_post_badgebridge_baked', array( $this, 'baked' ) );
		foreach ( array( 'act', 'baked' ) as $act ) {
			add_action(
				'admin_post_nopriv_badgebridge_' . $act,
				static function () {
					auth_redirect();
				}
			);
		}
	}

	/** The member's own award that the request names; ends the request where it is not theirs. */
	private function own( string $act, int $entry ): Row {
		check_admin_referer( 'badgebridge_' . $act . '_' . $entry );
		$provider = $this->plugin->provider();
		$rows     = $provider ? $provider->awards_by_id( array( $entry ) ) : array();
		if ( ! isset( $rows[ $entry ] ) || get_current_user_id() !== $rows[ $entry ]->user_id ) {
			wp_die( esc_html__( 'This badge is not yours.', 'badgebridge' ), '', array( 'response' => 403 ) );
		}
		return $rows[ $entry ];
	}

	public function act(): void {
		$act   = isset( $_POST['act'] ) && is_string( $_POST['act'] ) ? sanitize_key( wp_unslash( $_POST['act'] ) ) : '';
		$entry = isset( $_POST['entry'] ) && is_string( $_POST['entry'] ) ? (int) $_POST['entry'] : 0;
		$row   = $this->own( 'act', $entry );
		if ( ! in_array( $act, self::ACTS, true ) ) {
			wp_die( esc_html__( 'This can’t be done with a badge.', 'badgebridge' ), '', array( 'response' => 400 ) );
		}
		$to   = isset( $_POST['to'] ) && is_string( $_POST['to'] ) ? sanitize_text_field( wp_unslash( $_POST['to'] ) ) : '';
		$user = wp_get_current_user();
		try {
			$reply = $this->plugin->gateway()->call(
				'POST',
				'/act',
				(int) $user->ID,
				array(
					'act'     => $act,
					'to'      => $to,
					'entries' => array( array( 'entry_id' => $row->entry_id, 'fingerprint' => $row->fingerprint() ) ),
					'member'  => array(
						'email'        => (string) $user->user_email,
						'email_proven' => Proofs::proven( $user ),
						'given_name'   => (string) $user->first_name,
						'family_name'  => (string) $user->last_name,
						'locale'       => str_replace( '_', '-', get_user_locale( $user ) ),
					),
				)
			);
			Erased::undo( (int) $user->ID );
			$this->plugin->member_badges()->take( (int) $user->ID, $reply );
			delete_transient( 'badgebridge_wall' );
			delete_transient( 'badgebridge_wall_' . $user->ID );
			$said = array( 'ok', self::done( $act ) );
		} catch ( Fault $fault ) {
			$said = array( 'error', 'address-taken' === $fault->fault()
				? __( 'Your address belongs to an account at the badge gateway already. Sign in there once, by “Send to Credly or another backpack”, to join the two.', 'badgebridge' )
				: $fault->getMessage() );
		}
		set_transient( 'badgebridge_member_said_' . $user->ID, $said, 60 );
		$back = wp_get_referer();
		wp_safe_redirect( ( $back ? $back : home_url( '/' ) ) . '#badgebridge-' . $row->entry_id, 303 );
		exit;
	}

	private static function done( string $act ): string {
		$words = array(
			'claim'   => __( 'The badge is claimed.', 'badgebridge' ),
			'decline' => __( 'The badge is declined.', 'badgebridge' ),
			'publish' => __( 'The badge is public now.', 'badgebridge' ),
			'link'    => __( 'Whoever has the link can see the badge now.', 'badgebridge' ),
			'hide'    => __( 'The badge is hidden now.', 'badgebridge' ),
			'send'    => __( 'The badge is on its way there.', 'badgebridge' ),
		);
		return $words[ $act ];
	}

	/** The picture with the badge in it. The gateway makes it; it goes to its owner alone. */
	public function baked(): void {
		$row = $this->own( 'baked', isset( $_GET['entry'] ) && is_string( $_GET['entry'] ) ? (int) $_GET['entry'] : 0 );
		try {
			list( $type, $bytes ) = $this->plugin->gateway()->file( '/baked', get_current_user_id(), array( 'entries' => array( array( 'entry_id' => $row->entry_id, 'fingerprint' => $row->fingerprint() ) ) ) );
		} catch ( Fault $fault ) {
			wp_die( esc_html( $fault->getMessage() ), '', array( 'response' => 502 ) );
		}
		Output::clean();
		nocache_headers();
		header( 'Cache-Control: no-store, private' );
		header( 'Content-Type: ' . $type );
		header( 'X-Content-Type-Options: nosniff' );
		header( 'Content-Disposition: attachment; filename="badge-' . $row->entry_id . ( 'image/png' === $type ? '.png' : '.svg' ) . '"' );
		echo $bytes; // phpcs:ignore Badgebridge.Security.EscapedOutput -- a picture, and sent as one.
		exit;
	}
}
