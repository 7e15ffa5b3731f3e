<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** Members whose personal data was erased on request: the gateway is not told who they are any more. */
final class Erased {

	const META = 'badgebridge_erased'; // seconds since 1970

	public static function is( int $user_id ): bool {
		return '' !== (string) get_user_meta( $user_id, self::META, true );
	}

	public static function mark( int $user_id ): void {
		update_user_meta( $user_id, self::META, (string) time() );
	}

	/** The member takes part again, by an act of their own. */
	public static function undo( int $user_id ): void {
		delete_user_meta( $user_id, self::META );
	}
}
