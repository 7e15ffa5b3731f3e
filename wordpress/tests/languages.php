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

// Words that a language does not have yet appear in English; not many may.
$tests['every language says nearly everything, with the same holes'] = static function ( Tests $t ) {
	$plugin = dirname( __DIR__ ) . '/plugin/badgebridge';
	$holes  = static function ( string $text ): array {
		preg_match_all( '/(?<!%)%(?:\d+\$)?[sd]/', $text, $found );
		sort( $found[0] );
		return $found[0];
	};
	foreach ( glob( "$plugin/languages/*.po" ) as $path ) {
		$known = Translations::parse( file_get_contents( $path ) );
		$words = ( new Translations( $plugin ) )->words();
		$said  = 0;
		foreach ( $words as $key => $word ) {
			if ( ! isset( $known[ $key ] ) || in_array( '', $known[ $key ], true ) ) {
				continue;
			}
			++$said;
			foreach ( $known[ $key ] as $text ) {
				$t->same( $holes( $word['id'] ), $holes( $text ), basename( $path ) . ": {$word['id']}" );
			}
		}
		$t->same( true, $said > 0.9 * count( $words ), basename( $path ) . ": $said of " . count( $words ) );
	}
};
