<?php
namespace Badgebridge;

defined( 'ABSPATH' ) || exit;

/**
 * What awards badges on this site. Steps, points and ranks are never shown through
 * it: only badges and their awards.
 */
interface Provider {

	/** Whether the plugin behind it runs in this request. */
	public static function is_active(): bool;

	/** "badgeos" or "gamipress", as the contract names it. */
	public function id(): string;

	/** As people call it. */
	public function name(): string;

	public function version(): string;

	/** What a user has to be allowed to manage awards. */
	public function capability(): string;

	/** @return string[] Post types of badges, without steps; the first is the one of a new badge. */
	public function types(): array;

	/** @return int[] Ids of badges above $after, published or not, ascending. */
	public function badge_ids( int $after, int $limit ): array;

	/**
	 * One badge as the contract describes it, without its version; null where
	 * there is none with this id.
	 *
	 * @return array<string, mixed>|null
	 */
	public function badge( int $id ): ?array;

	/**
	 * Runs $write, which saves a badge's post, with what the plugin does badly on
	 * saving held off; marks a $fresh badge as one that only people award.
	 *
	 * @param callable $write function (): int, the post's id.
	 */
	public function saving( callable $write, bool $fresh ): int;

	/** @return Row[] Awards with an entry id above $after, ascending. */
	public function awards( int $after, int $limit ): array;

	/**
	 * @param int[] $entry_ids Any number.
	 * @return array<int, Row> By entry id; what is not there is missing.
	 */
	public function awards_by_id( array $entry_ids ): array;

	/** @return Row[] Awards of one user, at most $limit of the newest. */
	public function awards_of( int $user_id, int $limit ): array;

	/** @return Row[] The newest awards of all, at most $limit. */
	public function latest( int $limit ): array;

	/** @return Row[] Awards of one badge, at most $limit of the newest. */
	public function awards_for( int $badge_id, int $limit ): array;

	/**
	 * Awards, once per call, and keeps $mark with the award. Watchers are not
	 * told of this award, only of those that follow from it.
	 *
	 * @param int $issued_on Seconds since 1970.
	 * @throws Fault Where the provider did not award.
	 */
	public function grant( int $badge_id, int $user_id, int $issued_on, string $mark ): Row;

	/** The award that was made with $mark; null where there is none. */
	public function find_mark( string $mark, int $badge_id, int $user_id, int $issued_on ): ?Row;

	/** Takes an award back for good. Watchers are not told. */
	public function revoke( Row $row ): void;

	/** Whether it deletes a user's awards itself when WordPress erases their personal data. */
	public function erases(): bool;

	/**
	 * Calls back for what happens on the site.
	 *
	 * @param callable $granted function ( Row $row ), when it is stored.
	 * @param callable $removed function ( Row $row, string $kind, string $cause ), when it is
	 *                          gone; kind and cause are the contract's.
	 */
	public function watch( callable $granted, callable $removed ): void;
}
