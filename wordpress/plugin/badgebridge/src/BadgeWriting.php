<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** Badges that the gateway makes and changes: what a call leaves out stays as it is. */
final class BadgeWriting {

	const CRITERIA     = '_badgebridge_criteria';
	const CRITERIA_URL = '_badgebridge_criteria_url';
	const LINK_URL     = '_badgebridge_link_url';
	const PICTURE      = '_badgebridge_picture'; // on the attachment: the SHA-256 of what was sent

	const MOST_BYTES  = 2097152;
	const MOST_PIXELS = 2048;

	/** @var Provider */
	private $provider;

	/** @var BadgeKeys */
	private $keys;

	public function __construct( ?Provider $provider, BadgeKeys $keys ) {
		if ( null === $provider ) {
			throw new Fault( 'no_provider', 503, __( 'No badge plugin is active on this site.', 'badgebridge' ) );
		}
		$this->provider = $provider;
		$this->keys     = $keys;
	}

	/**
	 * @return array{0: int, 1: bool} The badge's id, and whether it was made now.
	 * @throws Fault Where the badge can't be what the body says.
	 */
	public function put( string $key, Body $body ): array {
		$draft = $this->draft( $body );
		return Lock::hold(
			'badge ' . $key,
			10,
			function () use ( $key, $draft ) {
				list( $id, $fresh ) = $this->target( $key, $draft );
				$id = $this->save( $id, $draft );
				// Before the picture, which may fail: a repeated call finds the badge.
				$this->keys->put( $key, $id );
				if ( null !== $draft['image'] ) {
					$this->paint( $id, $draft['image'] );
				}
				return array( $id, $fresh );
			}
		);
	}

	/** @return array<string, mixed> Checked; null for what is left out. */
	private function draft( Body $body ): array {
		$draft = array( 'badge_id' => $body->has( 'badge_id' ) ? $body->id( 'badge_id' ) : 0 );
		foreach ( array( 'title' => 200, 'description' => 10000, 'criteria' => 10000, 'criteria_url' => 2000, 'link_url' => 2000, 'type' => 100, 'state' => 20 ) as $name => $longest ) {
			$draft[ $name ] = $body->has( $name ) ? trim( $body->text( $name, $longest ) ) : null;
		}
		if ( '' === $draft['title'] ) {
			throw Fault::invalid( 'title', __( 'A badge needs a title.', 'badgebridge' ) );
		}
		foreach ( array( 'criteria_url', 'link_url' ) as $name ) {
			if ( null !== $draft[ $name ] && '' !== $draft[ $name ] && ! self::is_web( $draft[ $name ] ) ) {
				/* translators: %s: name of a field */
				throw Fault::invalid( $name, sprintf( __( '%s is no http or https address.', 'badgebridge' ), $name ) );
			}
		}
		if ( ! in_array( $draft['state'], array( null, 'published', 'draft' ), true ) ) {
			throw Fault::invalid( 'state', __( 'A badge is published or draft.', 'badgebridge' ) );
		}
		if ( null !== $draft['type'] && '' !== $draft['type'] && ! in_array( $draft['type'], $this->provider->types(), true ) ) {
			throw Fault::invalid( 'type', __( 'The site has no such type of badge.', 'badgebridge' ) );
		}
		$draft['image'] = $body->has( 'image' ) ? $this->picture( $body->member( 'image' ) ) : null;
		return $draft;
	}

	private static function is_web( string $url ): bool {
		$parts = wp_parse_url( $url );
		return is_array( $parts ) && ! empty( $parts['host'] ) && in_array( strtolower( $parts['scheme'] ?? '' ), array( 'http', 'https' ), true )
			&& ! preg_match( '/[\x00-\x20<>"]/', $url );
	}

	/** @return array{type: string, data: string} */
	private function picture( Body $image ): array {
		$type = $image->text( 'media_type', 20 );
		$data = base64_decode( $image->text( 'data', 4 * self::MOST_BYTES ), true );
		// phpcs:ignore Generic.PHP.NoSilencedErrors -- it warns of bytes that are no picture.
		$size = false !== $data && '' !== $data && strlen( $data ) <= self::MOST_BYTES ? @getimagesizefromstring( $data ) : false;
		if ( ! $size || $size['mime'] !== $type || ! in_array( $type, array( 'image/png', 'image/jpeg' ), true ) || $size[0] > self::MOST_PIXELS || $size[1] > self::MOST_PIXELS ) {
			throw Fault::invalid( 'image.data', __( 'That is no PNG or JPEG of at most 2 MiB and 2048 × 2048 pixels.', 'badgebridge' ) );
		}
		return array( 'type' => $type, 'data' => $data );
	}

	/** @return array{0: int, 1: bool} The badge to change, 0 for a new one, and whether it is new. */
	private function target( string $key, array $draft ): array {
		$id = $this->keys->badge( $key );
		if ( $id && $draft['badge_id'] && $draft['badge_id'] !== $id ) {
			throw new Fault( 'another_badge', 409, __( 'The key names another badge already.', 'badgebridge' ) );
		}
		if ( ! $id && $draft['badge_id'] ) {
			$id = $draft['badge_id'];
			if ( $this->keys->of( array( $id ) ) ) {
				throw new Fault( 'another_badge', 409, __( 'The badge has another key already.', 'badgebridge' ) );
			}
		}
		if ( $id ) {
			if ( ! $this->provider->badge( $id ) ) {
				throw new Fault( 'no_such_badge', 404, __( 'The badge is not there, or not any more.', 'badgebridge' ) );
			}
			return array( $id, false );
		}
		if ( null === $draft['title'] ) {
			throw Fault::invalid( 'title', __( 'A badge needs a title.', 'badgebridge' ) );
		}
		if ( ! $this->provider->types() ) {
			throw new Fault( 'no_provider', 503, __( 'The badge plugin has no type of badges yet. Make one there first.', 'badgebridge' ) );
		}
		return array( 0, true );
	}

	private function save( int $id, array $draft ): int {
		$post = array_filter(
			array(
				'post_title'   => null === $draft['title'] ? null : BadgeText::encode( $draft['title'] ),
				'post_content' => null === $draft['description'] ? null : BadgeText::encode( $draft['description'] ),
				'post_status'  => null === $draft['state'] ? null : ( 'draft' === $draft['state'] ? 'draft' : 'publish' ),
			),
			static function ( $value ) { return null !== $value; }
		);
		$fresh = 0 === $id;
		if ( $fresh ) {
			$types = $this->provider->types();
			$post += array( 'post_type' => $draft['type'] ? $draft['type'] : $types[0], 'post_status' => 'publish' );
		} else {
			$post = $this->changes( $id, $post );
		}
		if ( $post ) {
			$id = $this->provider->saving(
				static function () use ( $id, $post, $fresh ) {
					$saved = $fresh ? wp_insert_post( wp_slash( $post ), true ) : wp_update_post( wp_slash( array( 'ID' => $id ) + $post ), true );
					if ( is_wp_error( $saved ) ) {
						/* translators: %s: WordPress's reason */
						throw new Fault( 'not_saved', 503, sprintf( __( 'WordPress did not save the badge: %s', 'badgebridge' ), $saved->get_error_message() ) );
					}
					return (int) $saved;
				},
				$fresh
			);
		}
		foreach ( array( 'criteria' => self::CRITERIA, 'criteria_url' => self::CRITERIA_URL, 'link_url' => self::LINK_URL ) as $name => $meta ) {
			if ( null === $draft[ $name ] ) {
				continue;
			}
			if ( '' === $draft[ $name ] ) {
				delete_post_meta( $id, $meta );
			} else {
				update_post_meta( $id, $meta, wp_slash( $draft[ $name ] ) );
			}
		}
		return $id;
	}

	/** What of $post says something else than the badge does already. */
	private function changes( int $id, array $post ): array {
		$now   = get_post( $id );
		$badge = BadgeText::of( $now );
		if ( isset( $post['post_title'] ) && BadgeText::decode( $post['post_title'] ) === $badge['title'] ) {
			unset( $post['post_title'] );
		}
		if ( isset( $post['post_content'] ) && BadgeText::decode( $post['post_content'] ) === $badge['description'] ) {
			unset( $post['post_content'] );
		}
		if ( isset( $post['post_status'] ) && ( 'draft' === $post['post_status'] ) === ( 'draft' === $badge['state'] ) ) {
			unset( $post['post_status'] );
		}
		return $post;
	}

	/** Puts the bytes into the media library as they are, under a new address each time they change. */
	private function paint( int $id, array $image ): void {
		$sha = hash( 'sha256', $image['data'] );
		$old = (int) get_post_thumbnail_id( $id );
		if ( $old && $sha === get_post_meta( $old, self::PICTURE, true ) ) {
			return;
		}
		foreach ( array( 'file', 'media', 'image' ) as $part ) {
			require_once ABSPATH . "wp-admin/includes/$part.php";
		}
		$name = 'badge-' . $id . '-' . substr( $sha, 0, 12 ) . ( 'image/png' === $image['type'] ? '.png' : '.jpg' );
		$file = wp_upload_bits( $name, null, $image['data'] );
		if ( ! empty( $file['error'] ) ) {
			/* translators: %s: WordPress's reason */
			throw new Fault( 'not_saved', 503, sprintf( __( 'WordPress did not take the image: %s', 'badgebridge' ), (string) $file['error'] ) );
		}
		$attachment = wp_insert_attachment( array( 'post_mime_type' => $image['type'], 'post_title' => $name, 'post_status' => 'inherit' ), $file['file'], $id, true );
		if ( is_wp_error( $attachment ) ) {
			wp_delete_file( $file['file'] );
			throw new Fault( 'not_saved', 503, $attachment->get_error_message() );
		}
		update_post_meta( $attachment, self::PICTURE, $sha );
		wp_update_attachment_metadata( $attachment, wp_generate_attachment_metadata( $attachment, $file['file'] ) );
		set_post_thumbnail( $id, $attachment );
		if ( $old && '' !== (string) get_post_meta( $old, self::PICTURE, true ) ) {
			wp_delete_attachment( $old, true ); // One of ours that nothing shows any more.
		}
	}
}
