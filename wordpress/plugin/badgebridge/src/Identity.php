<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** Who this site is. The uuid is made once; a copy of the database carries it along. */
final class Identity {

	public function ensure(): void {
		if ( ! get_option( 'badgebridge_uuid' ) ) {
			add_option( 'badgebridge_uuid', wp_generate_uuid4() );
		}
		if ( ! get_option( 'badgebridge_epoch' ) ) {
			add_option( 'badgebridge_epoch', bin2hex( random_bytes( 8 ) ) );
		}
	}

	/** Makes this a site of its own: for a copy that is to live on beside the first. */
	public function renew(): void {
		update_option( 'badgebridge_uuid', wp_generate_uuid4() );
		$this->new_epoch();
	}

	/** Begins the feed of changes anew: whoever stood in it has to list everything. */
	public function new_epoch(): void {
		update_option( 'badgebridge_epoch', bin2hex( random_bytes( 8 ) ) );
	}

	public function uuid(): string {
		return (string) get_option( 'badgebridge_uuid' );
	}

	public function epoch(): string {
		return (string) get_option( 'badgebridge_epoch' );
	}

	/**
	 * The home URL. Not home_url(), whose scheme follows the request: it would
	 * differ between a page view and cron.
	 */
	public function home(): string {
		return untrailingslashit( (string) get_option( 'home' ) );
	}

	/** Where the routes are appended, for the gateway. */
	public function rest_url(): string {
		if ( get_option( 'permalink_structure' ) ) {
			return $this->home() . ( $this->has_index() ? '/index.php/' : '/' ) . rest_get_url_prefix();
		}
		return $this->home() . '/?rest_route=';
	}

	private function has_index(): bool {
		global $wp_rewrite;
		return $wp_rewrite->using_index_permalinks();
	}

	public function name(): string {
		return html_entity_decode( (string) get_option( 'blogname' ), ENT_QUOTES | ENT_HTML5, 'UTF-8' );
	}
}
