<?php
namespace Badgebridge;

/** An award as the provider stores it. */
final class Row {

	/** @var int */
	public $entry_id = 0;

	/** @var int */
	public $badge_id = 0;

	/** @var int */
	public $user_id = 0;

	/** @var string As it is stored. */
	public $stored_date = '';

	/** @var int Seconds since 1970. */
	public $issued_on = 0;

	/** @var string Raw title, as it was when the badge was awarded. */
	public $title = '';

	/** @var string Post type of the badge. */
	public $type = '';

	/** @var string What awarded it, in the provider's words. */
	public $trigger = '';

	public function fingerprint(): string {
		return Fingerprint::of( $this->user_id, $this->badge_id, $this->stored_date );
	}
}
