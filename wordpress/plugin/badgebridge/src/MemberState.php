<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** What the gateway last said of a member's badges, kept with the member, for when it is away. */
final class MemberState {

	const META = 'badgebridge_state';

	public static function kept( int $user_id ): ?array {
		$kept = json_decode( (string) get_user_meta( $user_id, self::META, true ), true );
		return is_array( $kept ) ? $kept : null;
	}

	public static function keep( int $user_id, array $state ): void {
		update_user_meta( $user_id, self::META, wp_slash( (string) wp_json_encode( array( 'at' => time() ) + $state ) ) );
	}

	public static function forget( int $user_id ): void {
		delete_user_meta( $user_id, self::META );
	}
}
