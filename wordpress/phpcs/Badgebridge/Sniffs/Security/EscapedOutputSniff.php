<?php
namespace Badgebridge\Sniffs\Security;

use PHP_CodeSniffer\Files\File;
use PHP_CodeSniffer\Sniffs\Sniff;
use PHP_CodeSniffer\Util\Tokens;

/** What is printed is a literal, a number, or comes out of a function that escapes. */
class EscapedOutputSniff implements Sniff {

	const ESCAPES = array(
		'esc_html', 'esc_attr', 'esc_url', 'esc_textarea', 'esc_html__', 'esc_attr__', 'esc_html_x', 'esc_attr_x', 'wp_kses', 'wp_kses_post',
		'wp_json_encode', 'number_format_i18n', 'selected', 'checked', 'disabled', 'wp_nonce_field', 'count', 'intval', 'absint',
	);

	/** They give what they are given. */
	const PASSES = array( 'sprintf', 'implode', 'trim' );

	public function register() {
		return array( T_ECHO, T_PRINT, T_STRING );
	}

	public function process( File $file, $at ) {
		$tokens = $file->getTokens();
		if ( T_STRING !== $tokens[ $at ]['code'] ) {
			$this->range( $file, $at + 1, $file->findEndOfStatement( $at ) );
			return;
		}
		$open = $file->findNext( Tokens::$emptyTokens, $at + 1, null, true );
		if ( T_OPEN_PARENTHESIS !== $tokens[ $open ]['code'] || ! in_array( $tokens[ $at ]['content'], array( 'printf', 'vprintf', 'wp_die' ), true ) ) {
			return;
		}
		$end = $tokens[ $open ]['parenthesis_closer'];
		if ( 'wp_die' === $tokens[ $at ]['content'] ) {
			$end = $this->argument( $file, $open + 1, $end );
		}
		$this->range( $file, $open + 1, $end );
	}

	/** Where the first argument ends. */
	private function argument( File $file, int $at, int $end ): int {
		$tokens = $file->getTokens();
		for ( ; $at < $end; $at++ ) {
			if ( T_COMMA === $tokens[ $at ]['code'] ) {
				return $at;
			}
			$at = $tokens[ $at ]['parenthesis_closer'] ?? $tokens[ $at ]['bracket_closer'] ?? $at;
		}
		return $end;
	}

	private function range( File $file, int $from, int $to ): void {
		$tokens = $file->getTokens();
		foreach ( $this->terms( $tokens, $from, $to ) as list( $start, $end ) ) {
			$this->term( $file, $start, $end );
		}
	}

	/** The parts between dots and commas; of a choice what can be chosen. */
	private function terms( array $tokens, int $from, int $to ): array {
		$terms = array();
		$start = $from;
		for ( $at = $from; $at < $to; $at++ ) {
			$code = $tokens[ $at ]['code'];
			if ( T_INLINE_THEN === $code ) {
				$start = $at + 1; // What stands before is a question.
			} elseif ( in_array( $code, array( T_STRING_CONCAT, T_COMMA, T_INLINE_ELSE, T_COALESCE ), true ) ) {
				$terms[] = array( $start, $at );
				$start   = $at + 1;
			} else {
				$at = $tokens[ $at ]['parenthesis_closer'] ?? $tokens[ $at ]['bracket_closer'] ?? $at;
			}
		}
		$terms[] = array( $start, $to );
		// A question may hold dots of its own: nothing before its mark is printed.
		return $terms;
	}

	private function term( File $file, int $from, int $to ): void {
		$tokens = $file->getTokens();
		$first  = $file->findNext( Tokens::$emptyTokens, $from, $to, true );
		if ( false === $first ) {
			return;
		}
		$code = $tokens[ $first ]['code'];
		if ( in_array( $code, array( T_CONSTANT_ENCAPSED_STRING, T_LNUMBER, T_DNUMBER, T_INT_CAST, T_DOUBLE_CAST ), true ) ) {
			return;
		}
		if ( T_OPEN_PARENTHESIS === $code ) {
			$this->range( $file, $first + 1, $tokens[ $first ]['parenthesis_closer'] );
			return;
		}
		$open = $file->findNext( Tokens::$emptyTokens, $first + 1, $to, true );
		if ( T_STRING === $code && false !== $open && T_OPEN_PARENTHESIS === $tokens[ $open ]['code'] ) {
			if ( in_array( $tokens[ $first ]['content'], self::ESCAPES, true ) ) {
				return;
			}
			if ( in_array( $tokens[ $first ]['content'], self::PASSES, true ) ) {
				$this->range( $file, $open + 1, $tokens[ $open ]['parenthesis_closer'] );
				return;
			}
		}
		$file->addError( 'This is printed without being escaped: %s', $first, 'Unescaped', array( trim( $file->getTokensAsString( $first, min( $to - $first, 8 ) ) ) ) );
	}
}
