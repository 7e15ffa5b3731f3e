<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/**
 * My badges, Badge wall and Badge, as blocks and shortcodes. They are made here, in
 * the theme's own look, and need no script; pages that show a member's own badges
 * are kept by nobody.
 */
final class MemberPages {

	const KINDS = array( 'my-badges', 'badge-wall', 'badge' );

	/** @var Plugin */
	private $plugin;

	public function __construct( Plugin $plugin ) {
		$this->plugin = $plugin;
	}

	public function start(): void {
		wp_register_style( 'badgebridge', plugins_url( 'assets/member.css', BADGEBRIDGE_FILE ), array(), BADGEBRIDGE_VERSION );
		wp_register_script( 'badgebridge-blocks', plugins_url( 'assets/blocks.js', BADGEBRIDGE_FILE ), array( 'wp-blocks', 'wp-element', 'wp-block-editor', 'wp-components', 'wp-server-side-render', 'wp-i18n' ), BADGEBRIDGE_VERSION, true );
		wp_set_script_translations( 'badgebridge-blocks', 'badgebridge', dirname( BADGEBRIDGE_FILE ) . '/languages' );
		$attributes = array(
			'my-badges'  => array(),
			'badge-wall' => array( 'user' => array( 'type' => 'number', 'default' => 0 ) ),
			'badge'      => array( 'entry' => array( 'type' => 'number', 'default' => 0 ) ),
		);
		foreach ( self::KINDS as $kind ) {
			$render = array( $this, str_replace( '-', '_', $kind ) );
			add_shortcode(
				'badgebridge_' . str_replace( '-', '_', $kind ),
				static function ( $given ) use ( $render ) {
					return $render( is_array( $given ) ? $given : array() );
				}
			);
			register_block_type(
				'badgebridge/' . $kind,
				array(
					'api_version'     => 2,
					'attributes'      => $attributes[ $kind ],
					'editor_script'   => 'badgebridge-blocks',
					'style'           => 'badgebridge',
					'render_callback' => $render,
				)
			);
		}
		add_action( 'template_redirect', array( $this, 'keep_out_of_caches' ) );
	}

	/** Before anything is sent: a page with a member's own badges is for this member, now. */
	public function keep_out_of_caches(): void {
		$post = is_singular() ? get_queried_object() : null;
		if ( $post instanceof \WP_Post && ( has_shortcode( $post->post_content, 'badgebridge_my_badges' ) || has_block( 'badgebridge/my-badges', $post ) ) ) {
			self::private_page();
		}
	}

	public static function private_page(): void {
		if ( ! defined( 'DONOTCACHEPAGE' ) ) {
			define( 'DONOTCACHEPAGE', true ); // what page caches look for
		}
		if ( ! headers_sent() ) {
			nocache_headers();
			header( 'Cache-Control: no-store, private' );
		}
	}

	public function my_badges(): string {
		self::private_page();
		wp_enqueue_style( 'badgebridge' );
		$user_id = get_current_user_id();
		if ( ! $user_id ) {
			return '<p class="badgebridge-note">' . esc_html__( 'Sign in to see your badges.', 'badgebridge' ) . ' <a href="' . esc_url( wp_login_url( (string) get_permalink() ) ) . '">' . esc_html__( 'Sign in', 'badgebridge' ) . '</a></p>';
		}
		if ( Erased::is( $user_id ) ) {
			return '<p class="badgebridge-note">' . esc_html__( 'Your data was erased at the badge gateway, as you asked. Sign in there to take part again.', 'badgebridge' ) . '</p>';
		}
		$badges = $this->plugin->member_badges()->of( $user_id, true );
		$html   = $this->said( $user_id );
		if ( ! $badges['fresh'] ) {
			$html .= '<p class="badgebridge-note" role="status">' . esc_html( $badges['at']
				/* translators: %s: date and time */
				? sprintf( __( 'The badge gateway does not answer just now. This is how it was on %s.', 'badgebridge' ), wp_date( get_option( 'date_format' ) . ' ' . get_option( 'time_format' ), $badges['at'] ) )
				: __( 'The badge gateway does not answer just now. Your badges are safe; try again later.', 'badgebridge' ) ) . '</p>';
		}
		if ( ! $badges['rows'] ) {
			return $html . '<p class="badgebridge-note">' . esc_html__( 'You have no badges yet.', 'badgebridge' ) . '</p>';
		}
		$cards = '';
		foreach ( $badges['rows'] as $row ) {
			$cards .= BadgeCard::own( $this->plugin, $row, $badges['states'][ $row->entry_id ] ?? null, $badges['fresh'] );
		}
		return '<div class="badgebridge-my">' . $html . '<ul class="badgebridge-list">' . $cards . '</ul></div>';
	}

	private function said( int $user_id ): string {
		$said = get_transient( 'badgebridge_member_said_' . $user_id );
		if ( ! is_array( $said ) ) {
			return '';
		}
		delete_transient( 'badgebridge_member_said_' . $user_id );
		return sprintf( '<p class="badgebridge-said badgebridge-%s" role="%s">%s</p>', esc_attr( $said[0] ), 'ok' === $said[0] ? 'status' : 'alert', esc_html( $said[1] ) );
	}

	/** Without a user: the newest public badges of all. */
	public function badge_wall( array $given = array() ): string {
		wp_enqueue_style( 'badgebridge' );
		$user_id = isset( $given['user'] ) ? (int) $given['user'] : 0;
		$badges  = $user_id ? $this->plugin->member_badges()->of( $user_id, false ) : $this->plugin->member_badges()->wall();
		$cards   = '';
		foreach ( array_slice( $badges['rows'], 0, 60 ) as $row ) {
			$cards .= BadgeCard::open( $this->plugin, $row, $badges['states'][ $row->entry_id ] );
		}
		return '' === $cards
			? '<p class="badgebridge-note">' . esc_html__( 'No badges are shown here yet.', 'badgebridge' ) . '</p>'
			: '<ul class="badgebridge-list badgebridge-wall">' . $cards . '</ul>';
	}

	/** One public award, with the way to verify it. */
	public function badge( array $given = array() ): string {
		wp_enqueue_style( 'badgebridge' );
		$entry    = isset( $given['entry'] ) ? (int) $given['entry'] : 0;
		$provider = $this->plugin->provider();
		$rows     = $provider && $entry ? $provider->awards_by_id( array( $entry ) ) : array();
		if ( isset( $rows[ $entry ] ) ) {
			$badges = $this->plugin->member_badges()->of( $rows[ $entry ]->user_id, false );
			if ( ! empty( $badges['states'][ $entry ]['public'] ) ) {
				return '<ul class="badgebridge-list">' . BadgeCard::open( $this->plugin, $rows[ $entry ], $badges['states'][ $entry ] ) . '</ul>';
			}
		}
		return '<p class="badgebridge-note">' . esc_html__( 'This badge is not public.', 'badgebridge' ) . '</p>';
	}
}
