<?php
namespace Badgebridge;

$tests['times are read as RFC 3339 says'] = static function ( Tests $t ) {
	$t->same( 0, Moment::parse( '1970-01-01T00:00:00Z' ) );
	$t->same( 1714979289, Moment::parse( '2024-05-06T07:08:09Z' ) );
	$t->same( 1714979289, Moment::parse( '2024-05-06T09:08:09.987+02:00' ) );
	$t->same( 1714979289, Moment::parse( '2024-05-05t23:38:09-07:30' ) );
	foreach ( array( '', 'yesterday', '2024-02-30T00:00:00Z', '2024-05-06', '2024-05-06 07:08:09', '2024-05-06T07:08:09', '2024-05-06T24:00:00Z', "2024-05-06T07:08:09Z\n", '@0' ) as $text ) {
		$t->same( null, Moment::parse( $text ), $text );
	}
};
