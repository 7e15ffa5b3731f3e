<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** One badge on a page. Whatever comes from the gateway is escaped like anything else. */
final class BadgeCard {

	/** For its owner, with what can be done. */
	public static function own( Plugin $plugin, Row $row, ?array $state, bool $fresh ): string {
		$html = self::head( $plugin, $row );
		if ( null === $state ) {
			$html .= '<p class="badgebridge-state">' . esc_html( $fresh ? __( 'The gateway will know this badge in a moment.', 'badgebridge' ) : '' ) . '</p>';
			return self::item( $row, $html );
		}
		$html .= '<p class="badgebridge-state">' . esc_html( self::words( $state ) ) . '</p>';
		$lines = '';
		foreach ( isset( $state['copies'] ) && is_array( $state['copies'] ) ? $state['copies'] : array() as $copy ) {
			$place  = esc_html( self::text( $copy, 'place' ) );
			$url    = self::web( self::text( $copy, 'url' ) );
			$lines .= '<li>' . ( '' !== $url ? '<a href="' . esc_url( $url ) . '">' . $place . '</a>' : $place ) . ': ' . esc_html( self::text( $copy, 'words' ) ) . '</li>';
		}
		if ( '' !== $lines ) {
			$html .= '<ul class="badgebridge-copies">' . $lines . '</ul>';
		}
		return self::item( $row, $html . self::acts( $row, $state ) );
	}

	/** The state and the acts alone, below what another plugin shows. */
	public static function under( Row $row, array $state ): string {
		return '<div class="badgebridge-under" id="badgebridge-' . $row->entry_id . '"><p class="badgebridge-state">' . esc_html( self::words( $state ) ) . '</p>' . self::acts( $row, $state ) . '</div>';
	}

	/** For everybody, with the way to verify it. */
	public static function open( Plugin $plugin, Row $row, array $state ): string {
		$user  = get_userdata( $row->user_id );
		$html  = self::head( $plugin, $row );
		$html .= $user ? '<p class="badgebridge-earner">' . esc_html( $user->display_name ) . '</p>' : '';
		$page  = self::web( self::text( $state, 'page_url' ) );
		$proof = self::web( self::text( $state, 'verify_url' ) );
		if ( '' !== $page ) {
			$html .= '<p class="badgebridge-links"><a href="' . esc_url( $page ) . '">' . esc_html__( 'Show', 'badgebridge' ) . '</a>';
			$html .= '' !== $proof ? ' <a class="badgebridge-verify" href="' . esc_url( $proof ) . '"><span aria-hidden="true">✓</span> ' . esc_html__( 'Verify', 'badgebridge' ) . '</a>' : '';
			$html .= '</p>';
		}
		return self::item( $row, $html );
	}

	private static function item( Row $row, string $html ): string {
		return '<li class="badgebridge-badge" id="badgebridge-' . $row->entry_id . '">' . $html . '</li>';
	}

	private static function head( Plugin $plugin, Row $row ): string {
		$badge = $plugin->documents()->badge( $row->badge_id );
		$title = $badge ? $badge['title'] : $row->title;
		$image = $badge && isset( $badge['image_url'] ) ? '<img alt="" width="96" height="96" loading="lazy" src="' . esc_url( $badge['image_url'] ) . '">' : '';
		return $image . '<h3>' . esc_html( $title ) . '</h3><p class="badgebridge-date">' . esc_html( wp_date( get_option( 'date_format' ), $row->issued_on ) ) . '</p>';
	}

	private static function words( array $state ): string {
		switch ( self::text( $state, 'state' ) ) {
			case 'offered':
				return __( 'Waits for you: claim it to show it and to take it elsewhere.', 'badgebridge' );
			case 'claimed':
				$shown = array(
					'public' => __( 'Claimed, public.', 'badgebridge' ),
					'link'   => __( 'Claimed; whoever has the link can see it.', 'badgebridge' ),
				);
				return $shown[ self::text( $state, 'visibility' ) ] ?? __( 'Claimed, private.', 'badgebridge' );
			case 'declined':
				return __( 'Declined.', 'badgebridge' );
			case 'revoked':
				return __( 'Revoked.', 'badgebridge' );
			default:
				return __( 'Kept elsewhere.', 'badgebridge' );
		}
	}

	private static function acts( Row $row, array $state ): string {
		$labels = array(
			'claim'   => __( 'Claim', 'badgebridge' ),
			'decline' => __( 'Decline', 'badgebridge' ),
			'publish' => __( 'Publish', 'badgebridge' ),
			'link'    => __( 'Show by link', 'badgebridge' ),
			'hide'    => __( 'Hide', 'badgebridge' ),
		);
		$now    = array( 'public' => 'publish', 'link' => 'link', 'private' => 'hide' );
		$html   = '';
		foreach ( isset( $state['can'] ) && is_array( $state['can'] ) ? $state['can'] : array() as $act ) {
			if ( ! is_string( $act ) || ! isset( $labels[ $act ] ) || $act === ( $now[ self::text( $state, 'visibility' ) ] ?? '' ) ) {
				continue;
			}
			$html .= self::form( $row, $act, $labels[ $act ], '', in_array( $act, array( 'claim', 'publish' ), true ) );
		}
		$links = array();
		if ( ! empty( $state['baked'] ) ) {
			$links[ wp_nonce_url( admin_url( 'admin-post.php?action=badgebridge_baked&entry=' . $row->entry_id ), 'badgebridge_baked_' . $row->entry_id ) ] = __( 'Download', 'badgebridge' );
		}
		foreach ( array(
			'page_url'   => __( 'Public page', 'badgebridge' ),
			'share_url'  => __( 'Add to LinkedIn', 'badgebridge' ),
			'manage_url' => __( 'Send to Credly or another backpack', 'badgebridge' ),
		) as $name => $label ) {
			$url = self::web( self::text( $state, $name ) );
			if ( '' !== $url && ( 'manage_url' !== $name || 'claimed' === self::text( $state, 'state' ) ) ) {
				$links[ $url ] = $label;
			}
		}
		$html = '' !== $html ? '<div class="badgebridge-acts">' . $html . '</div>' : '';
		$html .= self::sends( $row, $state );
		if ( $links ) {
			$html .= '<p class="badgebridge-links">';
			foreach ( $links as $url => $label ) {
				$html .= '<a href="' . esc_url( $url ) . '">' . esc_html( $label ) . '</a> ';
			}
			$html .= '</p>';
		}
		return $html;
	}

	/** The backpacks that the member has connected at the gateway, each with a button that says yes to sending the badge there. */
	private static function sends( Row $row, array $state ): string {
		$html = '';
		foreach ( isset( $state['send_to'] ) && is_array( $state['send_to'] ) ? $state['send_to'] : array() as $goal ) {
			$to    = self::text( $goal, 'id' );
			$place = self::text( $goal, 'place' );
			if ( '' !== $to && '' !== $place ) {
				/* translators: %s: host name of a backpack */
				$html .= self::form( $row, 'send', sprintf( __( 'Send to %s', 'badgebridge' ), $place ), $to, false );
			}
		}
		return '' === $html ? '' : '<div class="badgebridge-acts">' . $html . '</div><p class="badgebridge-means">' . esc_html__( 'What is sent is the address of the badge’s record, with nothing that the record does not say.', 'badgebridge' ) . '</p>';
	}

	private static function form( Row $row, string $act, string $label, string $to, bool $main ): string {
		return '<form method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '">' . wp_nonce_field( 'badgebridge_act_' . $row->entry_id, '_wpnonce', true, false )
			. '<input type="hidden" name="action" value="badgebridge_act"><input type="hidden" name="entry" value="' . $row->entry_id . '">'
			. ( '' !== $to ? '<input type="hidden" name="to" value="' . esc_attr( $to ) . '">' : '' )
			. '<button class="wp-element-button' . ( $main ? '' : ' badgebridge-second' ) . '" name="act" value="' . esc_attr( $act ) . '">' . esc_html( $label ) . '</button></form> ';
	}

	private static function text( $from, string $name ): string {
		return is_array( $from ) && isset( $from[ $name ] ) && is_string( $from[ $name ] ) ? $from[ $name ] : '';
	}

	/** An address of the web, or "". */
	private static function web( string $url ): string {
		return preg_match( '#^https?://#i', $url ) ? $url : '';
	}
}
