<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/** The JSON object that a request carries. */
final class Body {

	/** @var object */
	private $object;

	/** @throws Fault With "invalid" where the body is no JSON object. */
	public function __construct( $object ) {
		if ( ! is_object( $object ) ) {
			throw Fault::invalid( '', __( 'The body is no JSON object.', 'badgebridge' ) );
		}
		$this->object = $object;
	}

	/** The body of a request. */
	public static function of( \WP_REST_Request $request ): self {
		return new self( json_decode( (string) $request->get_body() ) );
	}

	/** Whether the member is there and not null. */
	public function has( string $name ): bool {
		return isset( $this->object->$name );
	}

	/** A member that is an object itself. */
	public function member( string $name ): self {
		$value = $this->object->$name ?? null;
		if ( ! is_object( $value ) ) {
			/* translators: %s: name of a field */
			throw Fault::invalid( $name, sprintf( __( '%s is missing, or no object.', 'badgebridge' ), $name ) );
		}
		return new self( $value );
	}

	/** @param string|null $default Null: the member has to be there. */
	public function text( string $name, int $longest, ?string $default = null ): string {
		$value = $this->object->$name ?? $default;
		if ( ! is_string( $value ) || mb_strlen( $value ) > $longest ) {
			/* translators: %s: name of a field */
			throw Fault::invalid( $name, sprintf( __( '%s is missing, or no text of a bearable length.', 'badgebridge' ), $name ) );
		}
		return $value;
	}

	public function id( string $name ): int {
		$value = $this->object->$name ?? null;
		if ( ! is_int( $value ) || $value < 1 ) {
			/* translators: %s: name of a field */
			throw Fault::invalid( $name, sprintf( __( '%s is missing, or no id.', 'badgebridge' ), $name ) );
		}
		return $value;
	}

	/** Seconds since 1970. BadgeOS's table ends in 2038, and nothing is awarded in the future. */
	public function moment( string $name ): int {
		$seconds = Moment::parse( $this->text( $name, 40 ) );
		if ( null === $seconds || $seconds < DAY_IN_SECONDS || $seconds > min( time() + DAY_IN_SECONDS, 2147400000 ) ) {
			/* translators: %s: name of a field */
			throw Fault::invalid( $name, sprintf( __( '%s is no time between 1970 and now.', 'badgebridge' ), $name ) );
		}
		return $seconds;
	}
}
