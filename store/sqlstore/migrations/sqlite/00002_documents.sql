-- +goose Up
-- An award's documents in all versions share one id. SQLite can't change a
-- primary key, so the table is made anew.
CREATE TABLE assertions_2 (
	id         TEXT NOT NULL,
	award_id   TEXT NOT NULL REFERENCES awards (id),
	version    TEXT NOT NULL,
	salt       TEXT NOT NULL,
	sha256     TEXT NOT NULL,
	baked_sha  TEXT NOT NULL,
	jwt_sha    TEXT NOT NULL DEFAULT '',
	created_at TIMESTAMP NOT NULL,
	PRIMARY KEY (id, version),
	UNIQUE (award_id, version)
);
INSERT INTO assertions_2 (id, award_id, version, salt, sha256, baked_sha, created_at)
	SELECT id, award_id, version, salt, sha256, baked_sha, created_at FROM assertions;
DROP TABLE assertions;
ALTER TABLE assertions_2 RENAME TO assertions;

CREATE TABLE class_documents (
	version_id TEXT NOT NULL REFERENCES class_versions (id),
	version    TEXT NOT NULL, -- of Open Badges: 1.1 or 3.0; that of 2.0 is class_versions.document_sha
	sha256     TEXT NOT NULL,
	PRIMARY KEY (version_id, version)
);

CREATE TABLE status_lists (
	id         TEXT NOT NULL PRIMARY KEY,
	seq        INTEGER NOT NULL UNIQUE, -- the newest takes new entries
	size       INTEGER NOT NULL,
	rev        INTEGER NOT NULL DEFAULT 0,
	content    TEXT NOT NULL DEFAULT '', -- digest of what the document says
	document   BLOB NOT NULL,
	signed_at  TIMESTAMP,
	created_at TIMESTAMP NOT NULL
);
CREATE TABLE status_entries (
	list_id  TEXT NOT NULL REFERENCES status_lists (id),
	position INTEGER NOT NULL,
	award_id TEXT NOT NULL UNIQUE REFERENCES awards (id),
	PRIMARY KEY (list_id, position)
);
CREATE INDEX awards_revoked ON awards (id) WHERE revoked;

-- One key signs at a time, whatever two replicas do at once.
CREATE UNIQUE INDEX signing_keys_active ON signing_keys (purpose, algorithm) WHERE retired_at IS NULL;

-- +goose Down
SELECT 1; -- what the gateway issued must not be dropped by a command: restore a backup instead
