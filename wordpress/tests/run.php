<?php
/**
 * The plugin's tests that need no WordPress: php wordpress/tests/run.php
 * Ends with 0 when all is well.
 *
 * @package Badgebridge
 */

namespace Badgebridge;

define( 'ABSPATH', __DIR__ . '/' );
error_reporting( E_ALL );
set_error_handler(
	static function ( $level, $text, $file, $line ) {
		throw new \ErrorException( $text, 0, $level, $file, $line );
	}
);

require __DIR__ . '/wordpress.php';
spl_autoload_register(
	static function ( $class ) {
		require dirname( __DIR__ ) . '/plugin/badgebridge/src/' . substr( $class, strlen( __NAMESPACE__ ) + 1 ) . '.php';
	}
);

final class Tests {

	/** @var int */
	private $failed = 0;

	public function run( array $tests ): int {
		foreach ( $tests as $promise => $test ) {
			try {
				$test( $this );
				echo "ok   $promise\n";
			} catch ( \Throwable $fault ) {
				++$this->failed;
				echo "FAIL $promise: {$fault->getMessage()} ({$fault->getFile()}:{$fault->getLine()})\n";
			}
		}
		// PHP in WebAssembly does not pass the status on.
		echo $this->failed ? "$this->failed FAILED\n" : 'all ' . count( $tests ) . " passed\n";
		return $this->failed ? 1 : 0;
	}

	public function same( $want, $got, string $what = '' ): void {
		if ( $want !== $got ) {
			throw new \Exception( trim( "$what: want " . var_export( $want, true ) . ', got ' . var_export( $got, true ), ': ' ) );
		}
	}
}

$tests   = array();
$vectors = json_decode( file_get_contents( __DIR__ . '/vectors.json' ), true );

foreach ( array( 'signature', 'cursor', 'moment', 'body', 'languages', 'source' ) as $file ) {
	require __DIR__ . "/$file.php";
}

echo 'PHP ' . PHP_VERSION . "\n";
exit( ( new Tests() )->run( $tests ) );
