<?php
namespace Badgebridge;

/** @return string[] All PHP files below a folder. */
function php_files( string $folder ): array {
	$files = array();
	foreach ( new \RecursiveIteratorIterator( new \RecursiveDirectoryIterator( $folder, \FilesystemIterator::SKIP_DOTS ) ) as $file ) {
		if ( 'php' === $file->getExtension() ) {
			$files[] = $file->getPathname();
		}
	}
	sort( $files );
	return $files;
}

$tests['every file is PHP'] = static function ( Tests $t ) {
	foreach ( php_files( dirname( __DIR__ ) . '/plugin' ) as $file ) {
		$t->same( true, count( token_get_all( file_get_contents( $file ), TOKEN_PARSE ) ) > 1, $file );
	}
};

// Loading compiles: a signature that does not fit its interface, a type or a
// constant that this PHP does not know ends it.
$tests['every class of the plugin loads'] = static function ( Tests $t ) {
	foreach ( php_files( dirname( __DIR__ ) . '/plugin/badgebridge/src' ) as $file ) {
		$class = __NAMESPACE__ . '\\' . basename( $file, '.php' );
		$t->same( true, class_exists( $class ) || interface_exists( $class ), $class );
	}
};

// Sites on shared hosting lag behind: nothing in the plugin may need PHP 8 or a
// WordPress newer than its header says.
$tests['the plugin needs no newer PHP than it says'] = static function ( Tests $t ) {
	$newer = array( 'T_MATCH', 'T_ENUM', 'T_READONLY', 'T_ATTRIBUTE', 'T_NULLSAFE_OBJECT_OPERATOR' );
	$calls = array( 'str_contains', 'str_starts_with', 'str_ends_with', 'get_debug_type', 'array_is_list', 'array_find' );
	foreach ( php_files( dirname( __DIR__ ) . '/plugin' ) as $file ) {
		$code = file_get_contents( $file );
		foreach ( token_get_all( $code ) as $token ) {
			if ( ! is_array( $token ) ) {
				continue;
			}
			$t->same( false, in_array( token_name( $token[0] ), $newer, true ), "$file:$token[2]: $token[1]" );
			$t->same( false, T_STRING === $token[0] && in_array( $token[1], $calls, true ), "$file:$token[2]: $token[1]" );
		}
		foreach ( array( 'union type' => '/[(,]\s*\??[\\\\\w]+\|[\\\\\w|]+\s+\$/', 'promoted property' => '/__construct\([^)]*\b(private|public|protected)\b/s', 'static or mixed' => '/\)\s*:\s*\??(static|mixed|never)\b/', 'catch without a variable' => '/catch\s*\(\s*[\\\\\w|]+\s*\)/' ) as $what => $pattern ) {
			$t->same( 0, preg_match( $pattern, $code ), "$file: $what" );
		}
	}
};

$tests['no file of the plugin does anything when it is opened directly'] = static function ( Tests $t ) {
	foreach ( php_files( dirname( __DIR__ ) . '/plugin' ) as $file ) {
		$code    = file_get_contents( $file );
		$guarded = 1 === preg_match( '/defined\( \'(ABSPATH|WP_UNINSTALL_PLUGIN)\' \) \|\| exit;/', $code );
		$pure    = false !== strpos( $code, 'Pure: no WordPress' ) || 'Row.php' === basename( $file );
		$t->same( true, $guarded || $pure, $file );
	}
};
