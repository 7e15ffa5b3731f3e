<?php
/**
 * Brings plugin/badgebridge/languages up to the plugin's source: php wordpress/tools/translations.php
 * A new language begins with a copy of the template under badgebridge-LOCALE.po.
 *
 * @package Badgebridge
 */

require __DIR__ . '/Translations.php';

$plugin = dirname( __DIR__ ) . '/plugin/badgebridge';
@mkdir( "$plugin/languages" );
foreach ( ( new Badgebridge\Tools\Translations( $plugin ) )->files() as $name => $content ) {
	if ( ! is_file( "$plugin/languages/$name" ) || file_get_contents( "$plugin/languages/$name" ) !== $content ) {
		file_put_contents( "$plugin/languages/$name", $content );
		echo "wrote $name\n";
	}
}
