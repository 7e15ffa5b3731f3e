<?php
namespace Badgebridge\Tools;

/**
 * The plugin's words: collected from its source into a template (.pot), carried
 * over into each language's list (.po), and compiled into what WordPress reads
 * (.mo, and .json for the editor's script). The same source gives the same bytes.
 */
final class Translations {

	const DOMAIN    = 'badgebridge';
	const SCRIPT    = 'badgebridge-blocks'; // the handle of assets/blocks.js
	const FUNCTIONS = array( '__', '_e', 'esc_html__', 'esc_attr__', 'esc_html_e', 'esc_attr_e', '_n', '_x', 'esc_html_x', 'esc_attr_x' );

	/** @var string */
	private $plugin;

	/** @param string $plugin The plugin's folder. */
	public function __construct( string $plugin ) {
		$this->plugin = $plugin;
	}

	/** @return array<string, string> All files below languages/, by name: content as it should be. */
	public function files(): array {
		$words = $this->words();
		$files = array( self::DOMAIN . '.pot' => $this->template( $words ) );
		foreach ( glob( $this->plugin . '/languages/' . self::DOMAIN . '-*.po' ) as $path ) {
			$base    = basename( $path, '.po' );
			$locale  = substr( $base, strlen( self::DOMAIN ) + 1 );
			$known   = self::parse( (string) file_get_contents( $path ) );
			$entries = array();
			foreach ( $words as $key => $word ) {
				$entries[ $key ] = $known[ $key ] ?? ( $word['plural'] ? array( '', '' ) : array( '' ) );
			}
			$head = $known[''][0] ?? '';
			$files[ "$base.po" ]                        = $this->listed( $head, $words, $entries );
			$files[ "$base.mo" ]                        = self::compile( $head, $entries );
			$files[ "$base-" . self::SCRIPT . '.json' ] = self::script( $locale, $head, $words, $entries );
		}
		ksort( $files );
		return $files;
	}

	/**
	 * @return array<string, array{id: string, plural: string, context: string, notes: string[], places: string[]}>
	 *     By key, as .mo files have it; in the order of the source.
	 */
	public function words(): array {
		$words = array();
		foreach ( $this->sources() as $path ) {
			$name = substr( $path, strlen( $this->plugin ) + 1 );
			$text = (string) file_get_contents( $path );
			$found = 'js' === pathinfo( $path, PATHINFO_EXTENSION ) ? self::in_script( $text ) : self::in_php( $text );
			if ( 'badgebridge.php' === $name && preg_match( '/^ \* Description:\s+(.+)$/m', $text, $m ) ) {
				array_unshift( $found, array( 'args' => array( $m[1] ), 'function' => '__', 'note' => 'Description of the plugin' ) );
			}
			foreach ( $found as $use ) {
				$context = in_array( $use['function'], array( '_x', 'esc_html_x', 'esc_attr_x' ), true ) ? $use['args'][1] : '';
				$plural  = '_n' === $use['function'] ? $use['args'][1] : '';
				$key     = ( '' !== $context ? $context . "\4" : '' ) . $use['args'][0] . ( '' !== $plural ? "\0" . $plural : '' );
				if ( ! isset( $words[ $key ] ) ) {
					$words[ $key ] = array( 'id' => $use['args'][0], 'plural' => $plural, 'context' => $context, 'notes' => array(), 'places' => array() );
				}
				if ( '' !== $use['note'] && ! in_array( $use['note'], $words[ $key ]['notes'], true ) ) {
					$words[ $key ]['notes'][] = $use['note'];
				}
				if ( ! in_array( $name, $words[ $key ]['places'], true ) ) {
					$words[ $key ]['places'][] = $name; // Without its line: it would change with every edit.
				}
			}
		}
		return $words;
	}

	private function sources(): array {
		$paths = array();
		foreach ( new \RecursiveIteratorIterator( new \RecursiveDirectoryIterator( $this->plugin, \FilesystemIterator::SKIP_DOTS ) ) as $file ) {
			if ( in_array( $file->getExtension(), array( 'php', 'js' ), true ) ) {
				$paths[] = $file->getPathname();
			}
		}
		sort( $paths );
		return $paths;
	}

	private static function in_php( string $text ): array {
		$tokens = token_get_all( $text );
		$found  = array();
		$note   = '';
		$noted  = 0;
		foreach ( $tokens as $i => $token ) {
			if ( ! is_array( $token ) ) {
				continue;
			}
			if ( T_COMMENT === $token[0] && preg_match( '#/\*\s*translators:\s*(.+?)\s*\*/#s', $token[1], $m ) ) {
				$note  = $m[1];
				$noted = $token[2];
			}
			if ( T_STRING === $token[0] && in_array( $token[1], self::FUNCTIONS, true ) ) {
				$args = self::literals( $tokens, $i + 1 );
				if ( $args && self::DOMAIN === end( $args ) ) {
					$found[] = array( 'args' => $args, 'function' => $token[1], 'note' => $token[2] - $noted <= 1 ? $note : '' );
				}
			}
		}
		return $found;
	}

	/** The literal arguments of a call; none where it is no call. */
	private static function literals( array $tokens, int $at ): array {
		$args  = array();
		$depth = 0;
		for ( ; isset( $tokens[ $at ] ); $at++ ) {
			$token = $tokens[ $at ];
			if ( '(' === $token ) {
				++$depth;
			} elseif ( ')' === $token && 0 === --$depth ) {
				return $args;
			} elseif ( 0 === $depth && ! ( is_array( $token ) && T_WHITESPACE === $token[0] ) ) {
				return array();
			} elseif ( 1 === $depth && is_array( $token ) && T_CONSTANT_ENCAPSED_STRING === $token[0] ) {
				$args[] = self::unquote( $token[1] );
			}
		}
		return $args;
	}

	private static function in_script( string $text ): array {
		$found = array();
		preg_match_all( "/\b__\(\s*('(?:[^'\\\\]|\\\\.)*')\s*,\s*'" . self::DOMAIN . "'\s*\)/", $text, $uses );
		foreach ( $uses[1] as $literal ) {
			$found[] = array( 'args' => array( self::unquote( $literal ) ), 'function' => '__', 'note' => '' );
		}
		return $found;
	}

	private static function unquote( string $literal ): string {
		return "'" === $literal[0] ? strtr( substr( $literal, 1, -1 ), array( "\\'" => "'", '\\\\' => '\\' ) ) : stripcslashes( substr( $literal, 1, -1 ) );
	}

	private function template( array $words ): string {
		$entries = array();
		foreach ( $words as $key => $word ) {
			$entries[ $key ] = $word['plural'] ? array( '', '' ) : array( '' );
		}
		return $this->listed( "Project-Id-Version: Badgebridge\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\nX-Domain: badgebridge\n", $words, $entries );
	}

	private function listed( string $head, array $words, array $entries ): string {
		$out = "# Copyright: the Badgebridge authors. License: GPL-3.0-or-later, as the plugin.\nmsgid \"\"\nmsgstr " . self::quoted( $head );
		foreach ( $words as $key => $word ) {
			$out .= "\n";
			foreach ( $word['notes'] as $note ) {
				$out .= "#. $note\n";
			}
			$out .= '#: ' . implode( ' ', $word['places'] ) . "\n";
			if ( preg_match( '/(?<!%)%(\d+\$)?[sd]/', $word['id'] ) ) {
				$out .= "#, php-format\n";
			}
			$out .= '' !== $word['context'] ? 'msgctxt ' . self::quoted( $word['context'] ) : '';
			$out .= 'msgid ' . self::quoted( $word['id'] );
			if ( $word['plural'] ) {
				$out .= 'msgid_plural ' . self::quoted( $word['plural'] );
				foreach ( $entries[ $key ] as $n => $text ) {
					$out .= "msgstr[$n] " . self::quoted( $text );
				}
			} else {
				$out .= 'msgstr ' . self::quoted( $entries[ $key ][0] );
			}
		}
		return $out;
	}

	private static function quoted( string $text ): string {
		$lines = preg_split( '/(?<=\n)/', $text, -1, PREG_SPLIT_NO_EMPTY );
		$quote = static function ( string $line ): string {
			return '"' . strtr( $line, array( '\\' => '\\\\', '"' => '\\"', "\n" => '\\n', "\t" => '\\t' ) ) . "\"\n";
		};
		return count( $lines ) > 1 ? "\"\"\n" . implode( '', array_map( $quote, $lines ) ) : $quote( $text );
	}

	/** @return array<string, string[]> Translations by key; "" is the head. */
	public static function parse( string $text ): array {
		$found = array();
		foreach ( preg_split( '/\n\s*\n/', $text ) as $block ) {
			$parts = array();
			$name  = '';
			foreach ( explode( "\n", $block ) as $line ) {
				if ( preg_match( '/^(msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?)\s+(".*")\s*$/', $line, $m ) ) {
					$name           = $m[1];
					$parts[ $name ] = stripcslashes( substr( $m[2], 1, -1 ) );
				} elseif ( '' !== $name && preg_match( '/^(".*")\s*$/', $line, $m ) ) {
					$parts[ $name ] .= stripcslashes( substr( $m[1], 1, -1 ) );
				}
			}
			if ( ! isset( $parts['msgid'] ) ) {
				continue;
			}
			$key           = ( isset( $parts['msgctxt'] ) ? $parts['msgctxt'] . "\4" : '' ) . $parts['msgid'] . ( isset( $parts['msgid_plural'] ) ? "\0" . $parts['msgid_plural'] : '' );
			$found[ $key ] = isset( $parts['msgid_plural'] ) ? array( $parts['msgstr[0]'] ?? '', $parts['msgstr[1]'] ?? '' ) : array( $parts['msgstr'] ?? '' );
		}
		return $found;
	}

	/** A .mo file; what is not translated is left out. */
	private static function compile( string $head, array $entries ): string {
		$texts = array( '' => $head );
		foreach ( $entries as $key => $text ) {
			if ( ! in_array( '', $text, true ) ) {
				$texts[ $key ] = implode( "\0", $text );
			}
		}
		ksort( $texts, SORT_STRING );
		$count  = count( $texts );
		$at     = 28 + 16 * $count;
		$tables = array( '', '' );
		$blobs  = array( '', '' );
		foreach ( array( array_map( 'strval', array_keys( $texts ) ), array_values( $texts ) ) as $which => $strings ) {
			foreach ( $strings as $string ) {
				$tables[ $which ] .= pack( 'VV', strlen( $string ), $at );
				$blobs[ $which ]  .= $string . "\0";
				$at               += strlen( $string ) + 1;
			}
		}
		return pack( 'V7', 0x950412de, 0, $count, 28, 28 + 8 * $count, 0, 28 + 16 * $count ) . $tables[0] . $tables[1] . $blobs[0] . $blobs[1];
	}

	private static function script( string $locale, string $head, array $words, array $entries ): string {
		preg_match( '/^Plural-Forms:\s*(.+)$/m', $head, $plural );
		$texts = array( '' => array( 'domain' => 'messages', 'lang' => $locale, 'plural-forms' => trim( $plural[1] ?? '' ) ) );
		foreach ( $entries as $key => $text ) {
			if ( preg_grep( '/\.js$/', $words[ $key ]['places'] ) && ! in_array( '', $text, true ) ) {
				$texts[ $key ] = $text;
			}
		}
		return json_encode( array( 'domain' => 'messages', 'locale_data' => array( 'messages' => $texts ) ), JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES ) . "\n";
	}
}
