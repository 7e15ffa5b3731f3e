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

$plugin = dirname( __DIR__ ) . '/plugin/badgebridge';
foreach ( array( 'Signature', 'Cursor', 'Fingerprint', 'Moment', 'Row', 'Feed' ) as $part ) {
	require_once $plugin . '/src/' . $part . '.php';
}

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

foreach ( array( 'signature', 'cursor', 'moment', 'source' ) as $file ) {
	require __DIR__ . "/$file.php";
}

exit( ( new Tests() )->run( $tests ) );
