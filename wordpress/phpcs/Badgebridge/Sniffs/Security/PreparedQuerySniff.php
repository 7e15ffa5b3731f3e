<?php
namespace Badgebridge\Sniffs\Security;

use PHP_CodeSniffer\Files\File;
use PHP_CodeSniffer\Sniffs\Sniff;
use PHP_CodeSniffer\Util\Tokens;

/** The text of a query holds nothing but names of tables; values go through $wpdb->prepare(). */
class PreparedQuerySniff implements Sniff {

	const METHODS = array( 'query', 'get_var', 'get_row', 'get_results', 'get_col', 'prepare' );

	/** What may stand in the text: $table, {$wpdb->posts}, {$this->table()}, self::table( 'x' ). */
	const NAMES = '/^(\$table|\{?\$wpdb->[a-z]+\}?|\{?\$this->table\(\)\}?|(self|Schema)::table\( ?[\'a-z$]+ ?\)|\$wpdb->prepare\(.*\))$/s';

	public function register() {
		return array( T_VARIABLE );
	}

	public function process( File $file, $at ) {
		$tokens = $file->getTokens();
		if ( '$wpdb' !== $tokens[ $at ]['content'] || T_OBJECT_OPERATOR !== $tokens[ $at + 1 ]['code'] || ! in_array( $tokens[ $at + 2 ]['content'], self::METHODS, true ) ) {
			return;
		}
		$open = $file->findNext( Tokens::$emptyTokens, $at + 3, null, true );
		if ( T_OPEN_PARENTHESIS !== $tokens[ $open ]['code'] ) {
			return;
		}
		$start = $open + 1;
		$end   = $tokens[ $open ]['parenthesis_closer'];
		for ( $i = $start; $i <= $end; $i++ ) {
			$code = $tokens[ $i ]['code'];
			if ( $i === $end || T_COMMA === $code || T_STRING_CONCAT === $code ) {
				$this->part( $file, $start, $i );
				if ( T_COMMA === $code ) {
					return;
				}
				$start = $i + 1;
			} else {
				$i = min( $end - 1, $tokens[ $i ]['parenthesis_closer'] ?? $i );
			}
		}
	}

	private function part( File $file, int $from, int $to ): void {
		$tokens = $file->getTokens();
		$first  = $file->findNext( Tokens::$emptyTokens, $from, $to, true );
		if ( false === $first || T_CONSTANT_ENCAPSED_STRING === $tokens[ $first ]['code'] ) {
			return;
		}
		if ( in_array( $tokens[ $first ]['code'], array( T_DOUBLE_QUOTED_STRING, T_HEREDOC ), true ) ) {
			preg_match_all( '/\{\$[^}]+\}|\$[A-Za-z_]\w*/', $file->getTokensAsString( $first, $to - $first ), $found );
			foreach ( $found[0] as $name ) {
				if ( ! preg_match( self::NAMES, $name ) ) {
					$file->addError( '%s stands in the text of a query', $first, 'Interpolated', array( $name ) );
				}
			}
			return;
		}
		$text = trim( $file->getTokensAsString( $first, $to - $first ) );
		if ( ! preg_match( self::NAMES, $text ) ) {
			$file->addError( 'Nothing shows that this query is prepared: %s', $first, 'Unprepared', array( $text ) );
		}
	}
}
