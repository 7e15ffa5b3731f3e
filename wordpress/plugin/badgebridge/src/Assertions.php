<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/**
 * Answers BadgeOS's assertion page in its place. Its own answer says "genuine" to
 * any three numbers, and another date each time. This one tells the truth: the
 * document of an award that is there, under its old id, the same on every day;
 * 410 for one that was taken back; 404 for everything else. It runs before
 * BadgeOS's own answer, which listens at 10.
 * add_filter( 'badgebridge_answer_assertions', '__return_false' ) leaves it to BadgeOS.
 */
final class Assertions {

	/** @var Plugin */
	private $plugin;

	public function __construct( Plugin $plugin ) {
		$this->plugin = $plugin;
	}

	public function start(): void {
		if ( apply_filters( 'badgebridge_answer_assertions', true ) ) {
			add_filter( 'template_include', array( $this, 'answer' ), 5 );
		}
	}

	public function answer( $template ) {
		$page = (int) get_option( 'badgeos_assertion_url' );
		if ( $page < 1 || ! is_page( $page ) ) {
			return $template;
		}
		Output::clean();
		header( 'Content-Type: application/ld+json; charset=utf-8' );
		header( 'X-Content-Type-Options: nosniff' );
		header( 'Access-Control-Allow-Origin: *' );
		$row = $this->row();
		if ( $row ) {
			header( 'Cache-Control: no-cache' );
			status_header( 200 );
			echo wp_json_encode( $this->document( $row, (string) get_permalink( $page ) ), JSON_UNESCAPED_SLASHES );
		} elseif ( $this->was() ) {
			status_header( 410 );
			echo wp_json_encode( array( '@context' => 'https://w3id.org/openbadges/v2', 'type' => 'Assertion', 'id' => $this->id( (string) get_permalink( $page ) ), 'revoked' => true ), JSON_UNESCAPED_SLASHES );
		} else {
			status_header( 404 );
			echo '{"error":"not_found"}';
		}
		exit;
	}

	private static function asked( string $name ): int {
		return isset( $_GET[ $name ] ) && is_string( $_GET[ $name ] ) && preg_match( '/^[0-9]{1,10}$/D', $_GET[ $name ] ) ? (int) $_GET[ $name ] : 0;
	}

	/** The award, only where all three numbers are its own and its member is there. */
	private function row(): ?Row {
		$rows = $this->plugin->provider()->awards_by_id( array( self::asked( 'eid' ) ) );
		$row  = $rows ? reset( $rows ) : null;
		return $row && self::asked( 'bg' ) === $row->badge_id && self::asked( 'uid' ) === $row->user_id && get_userdata( $row->user_id ) ? $row : null;
	}

	private function was(): bool {
		return ! $this->plugin->provider()->awards_by_id( array( self::asked( 'eid' ) ) ) && $this->plugin->feed()->revoked( self::asked( 'eid' ) );
	}

	private function id( string $page ): string {
		return add_query_arg( array( 'bg' => self::asked( 'bg' ), 'eid' => self::asked( 'eid' ), 'uid' => self::asked( 'uid' ) ), $page );
	}

	private function document( Row $row, string $page ): array {
		$user  = get_userdata( $row->user_id );
		$award = $this->plugin->documents()->awards( array( $row ) )[ $row->entry_id ];
		$query = array( 'bg' => $row->badge_id, 'eid' => $row->entry_id, 'uid' => $row->user_id );
		$id    = $this->id( $page );
		// BadgeOS's salt and its way to hash, so that what was handed out keeps fitting.
		$document = array(
			'@context'     => 'https://w3id.org/openbadges/v2',
			'type'         => 'Assertion',
			'id'           => $id,
			'recipient'    => array( 'type' => 'email', 'hashed' => true, 'salt' => 'BADGEOSOBI', 'identity' => 'sha256$' . hash( 'sha256', $user->user_email . 'BADGEOSOBI' ) ),
			'badge'        => add_query_arg( $query, (string) get_permalink( (int) get_option( 'badgeos_json_url' ) ) ),
			'issuedOn'     => $award['issued_on'],
			'verification' => array( 'type' => 'HostedBadge', 'verificationProperty' => 'id' ),
		);
		if ( isset( $award['expires_on'] ) ) {
			$document['expires'] = $award['expires_on'];
		}
		$page = $this->page( $row );
		if ( '' !== $page ) {
			$document['related'] = array( 'id' => $page );
		}
		return $document;
	}

	/**
	 * Where else the award can be looked at: the page that came with the gateway's grant
	 * (at Credly, where it was issued there), or ours. Anybody can ask for this
	 * document, so that it names nothing that is not for everybody.
	 */
	private function page( Row $row ): string {
		$grant = $this->plugin->grants()->of( array( $row ) )[ $row->entry_id ] ?? null;
		if ( $grant && '' !== $grant->page_url ) {
			return $grant->page_url;
		}
		$state = MemberState::kept( $row->user_id )['states'][ $row->entry_id ] ?? array();
		return ! empty( $state['public'] ) && isset( $state['page_url'] ) && is_string( $state['page_url'] ) && preg_match( '#^https?://#i', $state['page_url'] ) ? $state['page_url'] : '';
	}
}
