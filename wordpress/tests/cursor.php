<?php
namespace Badgebridge;

$tests['a cursor survives its text'] = static function ( Tests $t ) {
	foreach ( array( '0123456789abcdef.12.fedcba9876543210', '0123456789abcdef.0.0', '0123456789abcdef.999999999999999999.0000000000000000' ) as $text ) {
		$t->same( $text, (string) Cursor::parse( $text ) );
	}
	$t->same( '0123456789abcdef.0.0', (string) Cursor::origin( '0123456789abcdef' ) );
};

$tests['what is no cursor is none'] = static function ( Tests $t ) {
	$bad = array( '', 'x', '12', '0123456789abcdef.12', '0123456789abcdef.012.fedcba9876543210', '0123456789abcdef.-1.fedcba9876543210',
		'0123456789abcdef.12.fedcba987654321', '0123456789abcdef.12.0', '0123456789abcdef.0.fedcba9876543210', "0123456789abcdef.12.fedcba9876543210\n",
		'0123456789abcdef.9999999999999999999.fedcba9876543210', ' 0123456789abcdef.12.fedcba9876543210' );
	foreach ( $bad as $text ) {
		$t->same( null, Cursor::parse( $text ), $text );
	}
};

$tests['a reader waits at a young gap and passes an old one'] = static function ( Tests $t ) {
	$rows = static function ( array $ats ) {
		$made = array();
		foreach ( $ats as $seq => $at ) {
			$made[] = (object) array( 'seq' => (string) $seq, 'at' => (string) $at );
		}
		return $made;
	};
	$seqs = static function ( array $rows ) {
		return array_map( static function ( $row ) { return (int) $row->seq; }, $rows );
	};
	$now = 1000;
	$t->same( array( 5, 6 ), $seqs( Feed::before_gap( $rows( array( 5 => 999, 6 => 1000 ) ), 4, $now ) ), 'no gap' );
	$t->same( array( 5 ), $seqs( Feed::before_gap( $rows( array( 5 => 999, 7 => 1000 ) ), 4, $now ) ), 'young gap' );
	$t->same( array( 5, 7 ), $seqs( Feed::before_gap( $rows( array( 5 => 900, 7 => 900 ) ), 4, $now ) ), 'old gap' );
	$t->same( array(), $seqs( Feed::before_gap( $rows( array( 6 => 1000 ) ), 4, $now ) ), 'young gap at once' );
	$t->same( array( 6 ), $seqs( Feed::before_gap( $rows( array( 6 => 1000 ) ), 0, $now ) ), 'the numbering may begin anywhere' );
};
