<?php
namespace Badgebridge\Sniffs\Text;

use PHP_CodeSniffer\Files\File;
use PHP_CodeSniffer\Sniffs\Sniff;
use PHP_CodeSniffer\Util\Tokens;

/** Words that people read are literals, so that they are found, in the plugin's own text domain; words with holes say what goes in. */
class TranslatedTextSniff implements Sniff {

	/** How many literals come before the domain; of _n() one number does, too. */
	const FUNCTIONS = array( '__' => 1, '_e' => 1, 'esc_html__' => 1, 'esc_attr__' => 1, 'esc_html_e' => 1, 'esc_attr_e' => 1, '_x' => 2, 'esc_html_x' => 2, 'esc_attr_x' => 2, '_n' => 2 );

	public function register() {
		return array( T_STRING );
	}

	public function process( File $file, $at ) {
		$tokens = $file->getTokens();
		$open   = $file->findNext( Tokens::$emptyTokens, $at + 1, null, true );
		$before = $file->findPrevious( Tokens::$emptyTokens, $at - 1, null, true );
		if ( ! isset( self::FUNCTIONS[ $tokens[ $at ]['content'] ] ) || T_OPEN_PARENTHESIS !== $tokens[ $open ]['code'] || in_array( $tokens[ $before ]['code'], array( T_FUNCTION, T_OBJECT_OPERATOR, T_DOUBLE_COLON ), true ) ) {
			return;
		}
		$name    = $tokens[ $at ]['content'];
		$close   = $tokens[ $open ]['parenthesis_closer'];
		$strings = array();
		for ( $i = $open + 1, $place = 0; $i < $close; $i++ ) {
			$code = $tokens[ $i ]['code'];
			if ( T_COMMA === $code ) {
				++$place;
			} elseif ( T_CONSTANT_ENCAPSED_STRING === $code && ! isset( $strings[ $place ] ) ) {
				$strings[ $place ] = $tokens[ $i ]['content'];
			} elseif ( ! isset( Tokens::$emptyTokens[ $code ] ) && $place < self::FUNCTIONS[ $name ] ) {
				$file->addError( 'The words of %s() are no literal', $i, 'NoLiteral', array( $name ) );
				return;
			} else {
				$i = $tokens[ $i ]['parenthesis_closer'] ?? $i;
			}
		}
		if ( "'badgebridge'" !== end( $strings ) ) {
			$file->addError( '%s() does not name the text domain', $at, 'Domain', array( $name ) );
		}
		$this->holes( $file, $at, (string) ( $strings[0] ?? '' ) );
	}

	private function holes( File $file, int $at, string $text ): void {
		$count = preg_match_all( '/(?<!%)%(\d+\$)?[sd]/', $text, $found );
		if ( ! $count ) {
			return;
		}
		if ( $count > 1 && in_array( '', $found[1], true ) ) {
			$file->addError( 'Several holes in one text are numbered, so that their order can change', $at, 'Unnumbered' );
		}
		$comment = $file->findPrevious( T_COMMENT, $at - 1, null, false, null );
		$line    = $file->getTokens()[ $at ]['line'];
		for ( $i = $at; $i > 0 && $file->getTokens()[ $i ]['line'] >= $line - 1; $i-- ) {
			if ( 0 === strpos( $file->getTokens()[ $i ]['content'], '/* translators:' ) ) {
				return;
			}
		}
		$file->addError( 'No comment right above says what goes into the holes: /* translators: ... */', $at, 'Translators', array( $comment ) );
	}
}
