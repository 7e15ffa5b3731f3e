<?php
namespace Badgebridge;

/** The code and field of the refusal of $work; null where nothing is refused. */
function refusal( callable $work ): ?array {
	try {
		$work();
		return null;
	} catch ( Fault $fault ) {
		return array( $fault->fault(), $fault->status(), $fault->document()['field'] ?? '' );
	}
}

$tests['a body is an object with members of the asked kinds'] = static function ( Tests $t ) {
	$body = new Body( json_decode( '{"text":"Zoë","id":7,"at":"2024-05-06T07:08:09Z","part":{"x":"y"},"none":null}' ) );
	$t->same( 'Zoë', $body->text( 'text', 3 ) );
	$t->same( 'else', $body->text( 'absent', 10, 'else' ) );
	$t->same( 7, $body->id( 'id' ) );
	$t->same( 1714979289, $body->moment( 'at' ) );
	$t->same( 'y', $body->member( 'part' )->text( 'x', 1 ) );
	$t->same( false, $body->has( 'none' ) );
};

$tests['what a body should not hold is refused with its field'] = static function ( Tests $t ) {
	foreach ( array( 'null', '[]', '"x"', '7', 'nonsense' ) as $json ) {
		$t->same( array( 'invalid', 422, '' ), refusal( static function () use ( $json ) { new Body( json_decode( $json ) ); } ), $json );
	}
	$values = array( '"0"', '0', '-1', '1.0', '1e9', '"1 OR 1=1"', 'true', 'null', '[]', '{}', '99999999999999999999' );
	foreach ( $values as $value ) {
		$body = new Body( json_decode( '{"x":' . $value . '}' ) );
		$t->same( array( 'invalid', 422, 'x' ), refusal( static function () use ( $body ) { $body->id( 'x' ); } ), "id $value" );
	}
	foreach ( array( '"abcd"', '7', 'null', '[]', '{}' ) as $value ) {
		$body = new Body( json_decode( '{"x":' . $value . '}' ) );
		$t->same( array( 'invalid', 422, 'x' ), refusal( static function () use ( $body ) { $body->text( 'x', 3 ); } ), "text $value" );
	}
	foreach ( array( '"1969-12-31T23:59:59Z"', '"2999-01-01T00:00:00Z"', '"now"', '1' ) as $value ) {
		$body = new Body( json_decode( '{"x":' . $value . '}' ) );
		$t->same( array( 'invalid', 422, 'x' ), refusal( static function () use ( $body ) { $body->moment( 'x' ); } ), "moment $value" );
	}
};

$tests['what becomes a post is text and comes back as it was'] = static function ( Tests $t ) {
	foreach ( array( 'Star & Co "Helper" <3', '<script>alert(1)</script>', '[badgebridge_my_badges]', '<!-- wp:html -->', "O'Demo &amp; Zoë" ) as $text ) {
		$stored = BadgeText::encode( $text );
		$t->same( 0, preg_match( '/[<>\[\]"\']/', $stored ), $text );
		$t->same( $text, BadgeText::decode( $stored ) );
	}
};

$tests['steps are a list whatever they are called'] = static function ( Tests $t ) {
	$t->same( "- Walk \\*ten\\* miles\n- \\<b\\>R &amp; D", BadgeText::steps( array( (object) array( 'post_title' => 'Walk *ten* miles' ), (object) array( 'post_title' => '<b>R &amp;amp; D' ) ) ) );
	$t->same( '', BadgeText::steps( array() ) );
};

$tests['the site signs what the gateway can check with its published key'] = static function ( Tests $t ) {
	$GLOBALS['options'] = array();
	list( $head, $claims, $mark ) = explode( '.', Jwk::sign( array( 'sub' => 'a:1', 'aud' => 'k' ) ) );
	$set = Jwk::set()['keys'][0];
	$raw = static function ( string $text ): string { return (string) base64_decode( strtr( $text, '-_', '+/' ) ); };
	$t->same( array( 'alg' => 'RS256', 'typ' => 'JWT', 'kid' => $set['kid'] ), json_decode( $raw( $head ), true ) );
	$t->same( array( 'sub' => 'a:1', 'aud' => 'k' ), json_decode( $raw( $claims ), true ) );
	$key = openssl_pkey_get_details( openssl_pkey_get_private( $GLOBALS['options'][ Jwk::OPTION ]['pem'] ) );
	$t->same( $set['n'], Jwk::encode( $key['rsa']['n'] ) );
	$t->same( 1, openssl_verify( "$head.$claims", $raw( $mark ), $key['key'], OPENSSL_ALGO_SHA256 ) );
	$t->same( $set['kid'], Jwk::set()['keys'][0]['kid'], 'the key stays' );
	Jwk::renew();
	$t->same( true, $set['kid'] !== Jwk::set()['keys'][0]['kid'], 'a new key has another name' );
	$t->same( false, isset( Jwk::set()['keys'][0]['pem'] ), 'the private half is not published' );
};
