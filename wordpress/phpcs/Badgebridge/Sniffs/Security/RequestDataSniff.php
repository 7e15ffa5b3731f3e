<?php
namespace Badgebridge\Sniffs\Security;

use PHP_CodeSniffer\Files\File;
use PHP_CodeSniffer\Sniffs\Sniff;

/** What a request brings is read where the same function asks is_string(): anybody can send an array. */
class RequestDataSniff implements Sniff {

	public function register() {
		return array( T_VARIABLE );
	}

	public function process( File $file, $at ) {
		$tokens = $file->getTokens();
		$name   = $tokens[ $at ]['content'];
		if ( '$_FILES' === $name ) {
			$file->addError( 'No file is taken from a request', $at, 'Files' );
			return;
		}
		if ( ! in_array( $name, array( '$_GET', '$_POST', '$_COOKIE' ), true ) ) {
			return;
		}
		$function = $file->getCondition( $at, T_FUNCTION );
		$from     = $function ? $tokens[ $function ]['scope_opener'] : 0;
		$to       = $function ? $tokens[ $function ]['scope_closer'] : $file->numTokens - 1;
		for ( $i = $from; $i < $to; $i++ ) {
			if ( 'is_string' === $tokens[ $i ]['content'] && $file->findNext( T_VARIABLE, $i, $i + 4, false, $name ) ) {
				return;
			}
		}
		// Whether it is there at all can be asked of anything.
		$before = $file->findPrevious( array( T_WHITESPACE, T_OPEN_PARENTHESIS ), $at - 1, null, true );
		if ( T_ISSET !== $tokens[ $before ]['code'] ) {
			$file->addError( '%s is read without is_string()', $at, 'Unchecked', array( $name ) );
		}
	}
}
