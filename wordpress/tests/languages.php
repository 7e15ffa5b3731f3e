<?php
namespace Badgebridge;

require_once dirname( __DIR__ ) . '/tools/Translations.php';

use Badgebridge\Tools\Translations;

$tests['the template and the compiled translations are those of the source'] = static function ( Tests $t ) {
	$plugin = dirname( __DIR__ ) . '/plugin/badgebridge';
	$files  = ( new Translations( $plugin ) )->files();
	foreach ( $files as $name => $content ) {
		$t->same( true, is_file( "$plugin/languages/$name" ) && file_get_contents( "$plugin/languages/$name" ) === $content, "$name; run make translations" );
	}
	$t->same( count( $files ), count( glob( "$plugin/languages/*" ) ), 'files in languages' );
	$t->same( true, count( ( new Translations( $plugin ) )->words() ) > 150, 'words' );
};

$tests['every language says everything, with the same holes'] = static function ( Tests $t ) {
	$plugin = dirname( __DIR__ ) . '/plugin/badgebridge';
	$holes  = static function ( string $text ): array {
		preg_match_all( '/(?<!%)%(?:\d+\$)?[sd]/', $text, $found );
		sort( $found[0] );
		return $found[0];
	};
	foreach ( glob( "$plugin/languages/*.po" ) as $path ) {
		$known = Translations::parse( file_get_contents( $path ) );
		foreach ( ( new Translations( $plugin ) )->words() as $key => $word ) {
			$t->same( true, isset( $known[ $key ] ) && ! in_array( '', $known[ $key ], true ), basename( $path ) . ": {$word['id']}" );
			foreach ( $known[ $key ] as $text ) {
				$t->same( $holes( $word['id'] ), $holes( $text ), basename( $path ) . ": {$word['id']}" );
			}
		}
	}
};
