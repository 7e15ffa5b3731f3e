-- +goose Up
-- What people collect, arrange and connect themselves. ../postgres holds the same
-- tables with its own column types.

CREATE TABLE collected (
	id           TEXT NOT NULL PRIMARY KEY,
	person_id    TEXT NOT NULL REFERENCES persons (id),
	award_id     TEXT REFERENCES awards (id),
	locator      TEXT NOT NULL,
	source       TEXT NOT NULL,
	version      TEXT NOT NULL,
	verification TEXT NOT NULL,
	document_sha TEXT NOT NULL,
	original_sha TEXT NOT NULL,
	image_sha    TEXT NOT NULL,
	standing     TEXT NOT NULL CHECK (standing IN ('genuine', 'undecided', 'gone', 'expired', 'revoked', 'invalid', 'waiting')),
	report       BLOB NOT NULL,
	message      TEXT NOT NULL,
	genuine_at   TIMESTAMP,
	checked_at   TIMESTAMP,
	next_check   TIMESTAMP,
	failures     INTEGER NOT NULL,
	created_at   TIMESTAMP NOT NULL,
	updated_at   TIMESTAMP NOT NULL,
	UNIQUE (person_id, locator)
);
CREATE INDEX collected_award ON collected (award_id) WHERE award_id IS NOT NULL;
CREATE INDEX collected_due ON collected (next_check) WHERE next_check IS NOT NULL;
CREATE INDEX collected_waiting ON collected (person_id) WHERE standing = 'waiting';
CREATE INDEX awards_assertion ON awards (assertion_url) WHERE assertion_url <> '';
CREATE INDEX awards_page ON awards (page_url) WHERE page_url <> '';

CREATE TABLE collections (
	number     INTEGER PRIMARY KEY AUTOINCREMENT,
	id         TEXT NOT NULL UNIQUE,
	person_id  TEXT NOT NULL REFERENCES persons (id),
	name       TEXT NOT NULL,
	story      TEXT NOT NULL,
	cover_id   TEXT NOT NULL,
	visibility TEXT NOT NULL CHECK (visibility IN ('private', 'link', 'public')),
	position   INTEGER NOT NULL,
	created_at TIMESTAMP NOT NULL,
	updated_at TIMESTAMP NOT NULL
);
CREATE INDEX collections_person ON collections (person_id, position);

CREATE TABLE collection_badges (
	collection_id TEXT NOT NULL REFERENCES collections (id),
	award_id      TEXT NOT NULL REFERENCES awards (id),
	position      INTEGER NOT NULL,
	note          TEXT NOT NULL,
	PRIMARY KEY (collection_id, award_id)
);
CREATE INDEX collection_badges_award ON collection_badges (award_id);

CREATE TABLE profiles (
	number     INTEGER PRIMARY KEY AUTOINCREMENT,
	person_id  TEXT NOT NULL UNIQUE REFERENCES persons (id),
	handle     TEXT NOT NULL,
	about      TEXT NOT NULL,
	link       TEXT NOT NULL,
	show_name  BOOLEAN NOT NULL,
	visibility TEXT NOT NULL CHECK (visibility IN ('private', 'link', 'public')),
	updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX profiles_handle ON profiles (handle) WHERE handle <> '';

CREATE TABLE grants (
	id               TEXT NOT NULL PRIMARY KEY,
	person_id        TEXT NOT NULL REFERENCES persons (id),
	origin           TEXT NOT NULL,
	scopes           TEXT NOT NULL,
	access_hash      TEXT NOT NULL UNIQUE,
	refresh_hash     TEXT NOT NULL UNIQUE,
	old_refresh_hash TEXT NOT NULL,
	access_until     TIMESTAMP,
	created_at       TIMESTAMP NOT NULL,
	used_at          TIMESTAMP
);
CREATE INDEX grants_person ON grants (person_id);
CREATE INDEX grants_old ON grants (old_refresh_hash) WHERE old_refresh_hash <> '';

CREATE TABLE connections (
	id         TEXT NOT NULL PRIMARY KEY,
	person_id  TEXT NOT NULL REFERENCES persons (id),
	kind       TEXT NOT NULL,
	title      TEXT NOT NULL,
	sealed     BLOB NOT NULL,
	auto       BOOLEAN NOT NULL,
	state      TEXT NOT NULL CHECK (state IN ('active', 'broken', 'paused')),
	message    TEXT NOT NULL,
	created_at TIMESTAMP NOT NULL,
	updated_at TIMESTAMP NOT NULL
);
CREATE INDEX connections_person ON connections (person_id);

CREATE TABLE deposits (
	seq           INTEGER PRIMARY KEY AUTOINCREMENT,
	id            TEXT NOT NULL UNIQUE,
	connection_id TEXT NOT NULL REFERENCES connections (id),
	award_id      TEXT NOT NULL REFERENCES awards (id),
	deposit_key   TEXT NOT NULL,
	state         TEXT NOT NULL CHECK (state IN ('waiting', 'queued', 'sent', 'done', 'rejected', 'held', 'cancelled')),
	words         TEXT NOT NULL,
	ref           TEXT NOT NULL,
	attempts      INTEGER NOT NULL,
	next_at       TIMESTAMP NOT NULL,
	lease_until   TIMESTAMP,
	created_at    TIMESTAMP NOT NULL,
	updated_at    TIMESTAMP NOT NULL,
	UNIQUE (connection_id, award_id)
);
CREATE INDEX deposits_due ON deposits (next_at, seq) WHERE state IN ('queued', 'sent');
CREATE INDEX deposits_award ON deposits (award_id);

-- +goose Down
SELECT 1; -- what people collected must not be dropped by a command: restore a backup instead
