-- +goose Up
-- What people collect, arrange and connect themselves. ../sqlite holds the same
-- tables with its own column types.

CREATE TABLE collected (
	id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	person_id    TEXT COLLATE "C" NOT NULL REFERENCES persons (id),
	award_id     TEXT COLLATE "C" REFERENCES awards (id),
	locator      TEXT COLLATE "C" NOT NULL,
	source       TEXT COLLATE "C" NOT NULL,
	version      TEXT COLLATE "C" NOT NULL,
	verification TEXT COLLATE "C" NOT NULL,
	document_sha TEXT COLLATE "C" NOT NULL,
	original_sha TEXT COLLATE "C" NOT NULL,
	image_sha    TEXT COLLATE "C" NOT NULL,
	standing     TEXT COLLATE "C" NOT NULL CHECK (standing IN ('genuine', 'undecided', 'gone', 'expired', 'revoked', 'invalid', 'waiting')),
	report       BYTEA NOT NULL,
	message      TEXT COLLATE "C" NOT NULL,
	genuine_at   TIMESTAMPTZ,
	checked_at   TIMESTAMPTZ,
	next_check   TIMESTAMPTZ,
	failures     INTEGER NOT NULL,
	created_at   TIMESTAMPTZ NOT NULL,
	updated_at   TIMESTAMPTZ NOT NULL,
	UNIQUE (person_id, locator)
);
CREATE INDEX collected_award ON collected (award_id) WHERE award_id IS NOT NULL;
CREATE INDEX collected_due ON collected (next_check) WHERE next_check IS NOT NULL;
CREATE INDEX collected_waiting ON collected (person_id) WHERE standing = 'waiting';
CREATE INDEX awards_assertion ON awards (assertion_url) WHERE assertion_url <> '';
CREATE INDEX awards_page ON awards (page_url) WHERE page_url <> '';

CREATE TABLE collections (
	number     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id         TEXT COLLATE "C" NOT NULL UNIQUE,
	person_id  TEXT COLLATE "C" NOT NULL REFERENCES persons (id),
	name       TEXT COLLATE "C" NOT NULL,
	story      TEXT COLLATE "C" NOT NULL,
	cover_id   TEXT COLLATE "C" NOT NULL,
	visibility TEXT COLLATE "C" NOT NULL CHECK (visibility IN ('private', 'link', 'public')),
	position   INTEGER NOT NULL,
	created_at TIMESTAMPTZ NOT NULL,
	updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX collections_person ON collections (person_id, position);

CREATE TABLE collection_badges (
	collection_id TEXT COLLATE "C" NOT NULL REFERENCES collections (id),
	award_id      TEXT COLLATE "C" NOT NULL REFERENCES awards (id),
	position      INTEGER NOT NULL,
	note          TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (collection_id, award_id)
);
CREATE INDEX collection_badges_award ON collection_badges (award_id);

CREATE TABLE profiles (
	number     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	person_id  TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES persons (id),
	handle     TEXT COLLATE "C" NOT NULL,
	about      TEXT COLLATE "C" NOT NULL,
	link       TEXT COLLATE "C" NOT NULL,
	show_name  BOOLEAN NOT NULL,
	visibility TEXT COLLATE "C" NOT NULL CHECK (visibility IN ('private', 'link', 'public')),
	updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX profiles_handle ON profiles (handle) WHERE handle <> '';

CREATE TABLE grants (
	id               TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	person_id        TEXT COLLATE "C" NOT NULL REFERENCES persons (id),
	origin           TEXT COLLATE "C" NOT NULL,
	scopes           TEXT COLLATE "C" NOT NULL,
	access_hash      TEXT COLLATE "C" NOT NULL UNIQUE,
	refresh_hash     TEXT COLLATE "C" NOT NULL UNIQUE,
	old_refresh_hash TEXT COLLATE "C" NOT NULL,
	access_until     TIMESTAMPTZ,
	created_at       TIMESTAMPTZ NOT NULL,
	used_at          TIMESTAMPTZ
);
CREATE INDEX grants_person ON grants (person_id);
CREATE INDEX grants_old ON grants (old_refresh_hash) WHERE old_refresh_hash <> '';

CREATE TABLE connections (
	id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	person_id  TEXT COLLATE "C" NOT NULL REFERENCES persons (id),
	kind       TEXT COLLATE "C" NOT NULL,
	title      TEXT COLLATE "C" NOT NULL,
	sealed     BYTEA NOT NULL,
	auto       BOOLEAN NOT NULL,
	state      TEXT COLLATE "C" NOT NULL CHECK (state IN ('active', 'broken', 'paused')),
	message    TEXT COLLATE "C" NOT NULL,
	created_at TIMESTAMPTZ NOT NULL,
	updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX connections_person ON connections (person_id);

CREATE TABLE deposits (
	seq           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id            TEXT COLLATE "C" NOT NULL UNIQUE,
	connection_id TEXT COLLATE "C" NOT NULL REFERENCES connections (id),
	award_id      TEXT COLLATE "C" NOT NULL REFERENCES awards (id),
	deposit_key   TEXT COLLATE "C" NOT NULL,
	state         TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'queued', 'sent', 'done', 'rejected', 'held', 'cancelled')),
	words         TEXT COLLATE "C" NOT NULL,
	ref           TEXT COLLATE "C" NOT NULL,
	attempts      INTEGER NOT NULL,
	next_at       TIMESTAMPTZ NOT NULL,
	lease_until   TIMESTAMPTZ,
	created_at    TIMESTAMPTZ NOT NULL,
	updated_at    TIMESTAMPTZ NOT NULL,
	UNIQUE (connection_id, award_id)
);
CREATE INDEX deposits_due ON deposits (next_at, seq) WHERE state IN ('queued', 'sent');
CREATE INDEX deposits_award ON deposits (award_id);

-- +goose Down
SELECT 1; -- what people collected must not be dropped by a command: restore a backup instead
