<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** A refusal that the other side can read: a stable code, a text for people, an HTTP status. */
final class Fault extends \Exception {

	/** @var string */
	private $fault;

	/** @var int */
	private $status;

	/** @var string */
	private $field;

	public function __construct( string $fault, int $status, string $message, string $field = '' ) {
		parent::__construct( $message );
		$this->fault  = $fault;
		$this->status = $status;
		$this->field  = $field;
	}

	public static function invalid( string $field, string $message ): self {
		return new self( 'invalid', 422, $message, $field );
	}

	public function fault(): string {
		return $this->fault;
	}

	public function status(): int {
		return $this->status;
	}

	/** @return array{code: string, message: string, field?: string} */
	public function document(): array {
		$document = array( 'code' => $this->fault, 'message' => $this->getMessage() );
		if ( '' !== $this->field ) {
			$document['field'] = $this->field;
		}
		return $document;
	}
}
