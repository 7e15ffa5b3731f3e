<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/**
 * WordPress's own tools for personal data, with ours in them. An erasure takes the
 * person's data out here and at the gateway, and says what stays and where: what
 * the badge plugin stores, what the person has at the gateway in an account of
 * their own, and copies elsewhere.
 */
final class Privacy {

	/** @var Plugin */
	private $plugin;

	public function __construct( Plugin $plugin ) {
		$this->plugin = $plugin;
	}

	public function start(): void {
		add_filter(
			'wp_privacy_personal_data_exporters',
			function ( $list ) {
				$list['badgebridge'] = array( 'exporter_friendly_name' => 'Badgebridge', 'callback' => array( $this, 'export' ) );
				return $list;
			}
		);
		add_filter(
			'wp_privacy_personal_data_erasers',
			function ( $list ) {
				// First of all: GamiPress's own deletes the awards, and then nobody
				// knows any more what the gateway has to erase.
				return array( 'badgebridge' => array( 'eraser_friendly_name' => 'Badgebridge', 'callback' => array( $this, 'erase' ) ) ) + $list;
			},
			1000
		);
		add_action( 'admin_init', array( $this, 'policy' ) );
	}

	/** Proposes a paragraph for the site's privacy policy. */
	public function policy(): void {
		if ( function_exists( 'wp_add_privacy_policy_content' ) ) {
			wp_add_privacy_policy_content(
				'Badgebridge',
				wp_kses_post( '<p>' . __( 'When you earn a badge, this site tells the association’s badge gateway which badge it is, when you earned it, and your name and e-mail address, so that you can claim the badge. Nothing goes from there to others, such as Credly or another backpack, before you agree.', 'badgebridge' ) . '</p>' )
			);
		}
	}

	public function export( $email, $page = 1 ): array {
		$groups = array();
		foreach ( Members::by_email( (string) $email ) as $user_id ) {
			foreach ( $this->rows( $user_id ) as $row ) {
				$award = $this->plugin->documents()->awards( array( $row ) )[ $row->entry_id ];
				$lines = array(
					array( 'name' => __( 'Badge', 'badgebridge' ), 'value' => $award['badge']['title'] ),
					array( 'name' => __( 'Awarded on', 'badgebridge' ), 'value' => $award['issued_on'] ),
				);
				$grant = $this->plugin->grants()->of( array( $row ) )[ $row->entry_id ] ?? null;
				if ( $grant ) {
					$lines[] = array( 'name' => __( 'Granted by the gateway under the key', 'badgebridge' ), 'value' => $grant->grant_key );
					if ( '' !== $grant->page_url ) {
						$lines[] = array( 'name' => __( 'Page at the gateway', 'badgebridge' ), 'value' => $grant->page_url );
					}
				}
				$groups[] = array(
					'group_id'    => 'badgebridge',
					'group_label' => __( 'Badges that the badge gateway knows', 'badgebridge' ),
					'item_id'     => 'badgebridge-' . $row->entry_id,
					'data'        => $lines,
				);
			}
			$state = MemberState::kept( $user_id );
			if ( $state ) {
				$groups[] = array(
					'group_id'    => 'badgebridge-state',
					'group_label' => __( 'What the badge gateway last said of these badges', 'badgebridge' ),
					'item_id'     => 'badgebridge-state-' . $user_id,
					'data'        => array( array( 'name' => __( 'State', 'badgebridge' ), 'value' => (string) wp_json_encode( $state ) ) ),
				);
			}
		}
		return array( 'data' => $groups, 'done' => true );
	}

	public function erase( $email, $page = 1 ): array {
		$removed  = false;
		$messages = array();
		$pairing  = $this->plugin->pairing()->current();
		foreach ( Members::by_email( (string) $email ) as $user_id ) {
			$rows   = $this->rows( $user_id );
			$report = $pairing && $rows ? $this->plugin->gateway()->try_call( 'POST', '/erasure', $user_id, array() ) : null;
			Erased::mark( $user_id );
			MemberState::forget( $user_id );
			$this->plugin->grants()->unlink( $user_id );
			$erases = $rows && $this->plugin->provider()->erases();
			foreach ( array_reverse( $rows ) as $row ) {
				$this->plugin->feed()->record( $erases ? 'deleted' : 'updated', $row, '', 'erased' );
			}
			if ( $rows ) {
				$this->plugin->outbox()->put( 'award.changed', 0 );
				$removed = true;
				$count   = count( $rows );
				/* translators: 1: number of awards, 2: BadgeOS or GamiPress */
				$stay = _n( '%1$d award stays in the table of %2$s, under the account’s number; delete it there, or with the account.', '%1$d awards stay in the table of %2$s, under the account’s number; delete them there, or with the account.', $count, 'badgebridge' );
				/* translators: 1: number of awards, 2: GamiPress */
				$go         = _n( '%2$s deletes %1$d award itself; at the gateway it stays valid, without a name.', '%2$s deletes %1$d awards itself; at the gateway they stay valid, without a name.', $count, 'badgebridge' );
				$messages[] = sprintf( $erases ? $go : $stay, $count, $this->plugin->provider()->name() );
			}
			if ( $pairing && $rows ) {
				$messages = array_merge( $messages, $this->said( $report ) );
			}
		}
		return array( 'items_removed' => $removed, 'items_retained' => (bool) $messages, 'messages' => $messages, 'done' => true );
	}

	/** What the gateway answered of what stays, in words. */
	private function said( ?array $report ): array {
		if ( ! is_array( $report ) ) {
			return array( __( 'The gateway could not be asked just now. It is told to erase name and address as soon as it can be reached; ask there what has gone on to Credly or to other backpacks.', 'badgebridge' ) );
		}
		$messages = array( __( 'The gateway erases the name and the address that this site has told it.', 'badgebridge' ) );
		foreach ( isset( $report['stays'] ) && is_array( $report['stays'] ) ? array_slice( $report['stays'], 0, 20 ) : array() as $line ) {
			if ( is_string( $line ) ) {
				$messages[] = wp_strip_all_tags( $line );
			}
		}
		return $messages;
	}

	/** @return Row[] */
	private function rows( int $user_id ): array {
		$provider = $this->plugin->provider();
		return $provider ? $provider->awards_of( $user_id, 10000 ) : array();
	}
}
