<?php
namespace Badgebridge;

$tests['signatures are those of the shared vectors'] = static function ( Tests $t ) use ( $vectors ) {
	foreach ( $vectors['signatures'] as $v ) {
		$target = Signature::target( $v['path'], $v['query'] );
		$t->same( $v['target'], $target, $v['name'] );
		$t->same( $v['signature'], Signature::sign( $v['secret'], $v['method'], $target, $v['time'], $v['nonce'], $v['body'] ), $v['name'] );
	}
	$t->same( true, count( $vectors['signatures'] ) > 3, 'vectors' );
};

$tests['parameters that are no plain values can\'t be signed'] = static function ( Tests $t ) {
	$t->same( null, Signature::target( '/badgebridge/v1/awards', array( 'after' => array( '1' ) ) ) );
};

$tests['parameters are sorted by name as bytes'] = static function ( Tests $t ) {
	$t->same( '/p?10=b&9=a&B=c&a=d', Signature::target( '/p', array( 'a' => 'd', 9 => 'a', 'B' => 'c', 10 => 'b' ) ) );
};

$tests['times that are no times are refused'] = static function ( Tests $t ) {
	$t->same( 5, Signature::off( '1000', 1005 ) );
	$t->same( 5, Signature::off( '1010', 1005 ) );
	foreach ( array( '', '-5', '1e3', ' 1000', "1000\n", '1000.0', '99999999999999999999' ) as $text ) {
		$t->same( null, Signature::off( $text, 1005 ), var_export( $text, true ) );
	}
};

$tests['nonces are 16 to 64 plain characters'] = static function ( Tests $t ) {
	foreach ( array( 'abcdefghij012345' => 1, 'short' => 0, "abcdefghij012345\n" => 0, 'abcdefghij01234 5' => 0 ) as $nonce => $good ) {
		$t->same( $good, preg_match( Signature::NONCE, $nonce ), $nonce );
	}
	$t->same( 0, preg_match( Signature::NONCE, str_repeat( 'a', 65 ) ) );
};

$tests['fingerprints are those of the shared vectors'] = static function ( Tests $t ) use ( $vectors ) {
	foreach ( $vectors['fingerprints'] as $v ) {
		$t->same( $v['fingerprint'], Fingerprint::of( $v['user'], $v['badge'], $v['date'] ) );
	}
	$t->same( true, Fingerprint::is_one( '0123456789abcdef' ) );
	foreach ( array( '0123456789ABCDEF', '0123', "0123456789abcdef\n", null, 5 ) as $text ) {
		$t->same( false, Fingerprint::is_one( $text ) );
	}
};

$tests['a row has the fingerprint of what is stored'] = static function ( Tests $t ) {
	$row              = new Row();
	$row->user_id     = 2;
	$row->badge_id    = 12;
	$row->stored_date = '2026-11-23 12:30:54';
	$t->same( Fingerprint::of( 2, 12, '2026-11-23 12:30:54' ), $row->fingerprint() );
};
