<?php
namespace Badgebridge;

/**
 * Where a reader of the feed stopped: epoch.seq.token. The token is the row's own
 * random mark, so a cursor stops fitting when the row it names is not the row that
 * was read: after a backup was restored, the same number is given to another change.
 * Pure: no WordPress.
 */
final class Cursor {

	/** @var string */
	public $epoch;

	/** @var int 0: before the first change. */
	public $seq;

	/** @var string */
	public $token;

	public function __construct( string $epoch, int $seq, string $token ) {
		$this->epoch = $epoch;
		$this->seq   = $seq;
		$this->token = $token;
	}

	/** Null where the text is no cursor. */
	public static function parse( string $text ): ?self {
		if ( ! preg_match( '/^([0-9a-f]{16})\.(0|[1-9][0-9]{0,17})\.(0|[0-9a-f]{16})$/D', $text, $m ) ) {
			return null;
		}
		if ( ( '0' === $m[2] ) !== ( '0' === $m[3] ) ) {
			return null;
		}
		return new self( $m[1], (int) $m[2], $m[3] );
	}

	public static function origin( string $epoch ): self {
		return new self( $epoch, 0, '0' );
	}

	public function __toString(): string {
		return $this->epoch . '.' . $this->seq . '.' . $this->token;
	}
}
