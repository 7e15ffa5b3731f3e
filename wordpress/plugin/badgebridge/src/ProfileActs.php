<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** Puts what a member can do with a badge under it wherever BadgeOS or GamiPress shows it, for its owner alone. */
final class ProfileActs {

	/** @var Plugin */
	private $plugin;

	/** @var array|null The member's badges, read once. */
	private $badges = null;

	public function __construct( Plugin $plugin ) {
		$this->plugin = $plugin;
	}

	public function start(): void {
		add_filter(
			'badgeos_render_achievement',
			function ( $html, $badge_id = 0 ) {
				return $html . $this->under( (int) $badge_id );
			},
			20,
			2
		);
		add_action(
			'gamipress_after_render_achievement',
			function ( $badge_id ) {
				echo $this->under( (int) $badge_id ); // phpcs:ignore Badgebridge.Security.EscapedOutput -- where it is made.
			},
			20
		);
	}

	private function under( int $badge_id ): string {
		$user_id = get_current_user_id();
		if ( ! $user_id || is_admin() || wp_doing_ajax() || ! $this->plugin->pairing()->current() ) {
			return '';
		}
		if ( null === $this->badges ) {
			MemberPages::private_page();
			wp_enqueue_style( 'badgebridge' );
			$this->badges = $this->plugin->member_badges()->of( $user_id, true );
		}
		$html = '';
		foreach ( $this->badges['rows'] as $row ) {
			if ( $badge_id === $row->badge_id && isset( $this->badges['states'][ $row->entry_id ] ) ) {
				$html .= BadgeCard::under( $row, $this->badges['states'][ $row->entry_id ] );
			}
		}
		return $html;
	}
}
