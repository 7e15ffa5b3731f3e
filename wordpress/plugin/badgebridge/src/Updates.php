<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/**
 * New versions of this plugin come from the paired gateway: WordPress asks through
 * the Update URI in the plugin's header, and never takes another plugin of
 * the same name from its directory. An administrator installs them like any other.
 * add_filter( 'badgebridge_updates', '__return_false' ) has none offered.
 */
final class Updates {

	const HOST    = 'gateway.badgebridge.invalid'; // of the Update URI; only a name, as no gateway is everybody's
	const NEWS    = '/api/v1/site/plugin.json';
	const ARCHIVE = '/api/v1/site/plugin.zip';
	const MOST    = 10485760; // bytes of an archive

	/** @var Pairing */
	private $pairing;

	public function __construct( Pairing $pairing ) {
		$this->pairing = $pairing;
	}

	public static function wanted(): bool {
		return (bool) apply_filters( 'badgebridge_updates', true );
	}

	public function start(): void {
		if ( self::wanted() ) {
			add_filter( 'update_plugins_' . self::HOST, array( $this, 'offer' ), 10, 3 );
			add_filter( 'upgrader_pre_download', array( $this, 'fetch' ), 10, 2 );
			add_filter( 'plugins_api', array( $this, 'about' ), 10, 3 );
		}
	}

	/**
	 * What the gateway has.
	 *
	 * @return array{version: string, sha256: string, requires: string, requires_php: string, tested: string, changelog: string}|null
	 *     Null where the site is not paired, or the gateway does not say.
	 */
	public function news(): ?array {
		$pairing = $this->pairing->current();
		if ( ! $pairing ) {
			return null;
		}
		// Not wp_safe_remote_get, which refuses private hosts: an administrator
		// named this one.
		$answer = wp_remote_get( $pairing['gateway'] . self::NEWS, array( 'timeout' => 8, 'redirection' => 0, 'limit_response_size' => 65536 ) );
		$reply  = 200 === wp_remote_retrieve_response_code( $answer ) ? json_decode( wp_remote_retrieve_body( $answer ), true ) : null;
		$news   = array();
		foreach ( array( 'version' => '/^\d+(\.\d+){1,3}$/D', 'sha256' => '/^[0-9a-f]{64}$/D', 'requires' => '/^\d+(\.\d+){1,2}$/D', 'requires_php' => '/^\d+(\.\d+){1,2}$/D', 'tested' => '/^\d+(\.\d+){1,2}$/D', 'changelog' => '/^.{0,20000}$/Dsu' ) as $name => $form ) {
			$value = is_array( $reply ) && isset( $reply[ $name ] ) && is_string( $reply[ $name ] ) ? $reply[ $name ] : '';
			if ( ! preg_match( $form, $value ) ) {
				return null;
			}
			$news[ $name ] = $value;
		}
		return $news;
	}

	/** @param array|false $update What another filter has said. */
	public function offer( $update, $data, $file ) {
		$news = plugin_basename( BADGEBRIDGE_FILE ) === $file ? $this->news() : null;
		if ( ! $news ) {
			return $update;
		}
		return array(
			'slug'         => 'badgebridge',
			'version'      => $news['version'],
			'url'          => $this->pairing->current()['gateway'],
			'package'      => $this->pairing->current()['gateway'] . self::ARCHIVE,
			'requires'     => $news['requires'],
			'requires_php' => $news['requires_php'],
			'tested'       => $news['tested'],
		);
	}

	/**
	 * Downloads the archive itself: WordPress's own way refuses private hosts. What
	 * is not the archive that the gateway names is not installed.
	 *
	 * @param bool|string|\WP_Error $reply   What another filter has said.
	 * @param string                $package Address of an archive.
	 */
	public function fetch( $reply, $package ) {
		$pairing = $this->pairing->current();
		if ( false !== $reply || ! $pairing || $pairing['gateway'] . self::ARCHIVE !== $package ) {
			return $reply;
		}
		$news = $this->news();
		if ( ! $news ) {
			return new \WP_Error( 'badgebridge_away', __( 'The gateway does not say which version it has.', 'badgebridge' ) );
		}
		$file   = wp_tempnam( 'badgebridge.zip' );
		$answer = wp_remote_get( $package, array( 'timeout' => 120, 'redirection' => 0, 'stream' => true, 'filename' => $file, 'limit_response_size' => self::MOST ) );
		if ( is_wp_error( $answer ) || 200 !== wp_remote_retrieve_response_code( $answer ) || ! hash_equals( $news['sha256'], (string) hash_file( 'sha256', $file ) ) ) {
			wp_delete_file( $file );
			return is_wp_error( $answer ) ? $answer : new \WP_Error( 'badgebridge_archive', __( 'What came is not the archive that the gateway names. Nothing was installed.', 'badgebridge' ) );
		}
		return $file;
	}

	/** What "View details" shows. */
	public function about( $result, $action = '', $asked = null ) {
		if ( 'plugin_information' !== $action || ! is_object( $asked ) || 'badgebridge' !== ( $asked->slug ?? '' ) ) {
			return $result;
		}
		$news = $this->news();
		return $news ? (object) array(
			'name'         => 'Badgebridge',
			'slug'         => 'badgebridge',
			'version'      => $news['version'],
			'requires'     => $news['requires'],
			'requires_php' => $news['requires_php'],
			'tested'       => $news['tested'],
			'homepage'     => $this->pairing->current()['gateway'],
			'sections'     => array( 'changelog' => wpautop( esc_html( $news['changelog'] ) ) ),
		) : $result;
	}
}
