-- +goose Up
-- An award's documents in all versions share one id.
ALTER TABLE assertions DROP CONSTRAINT assertions_pkey;
ALTER TABLE assertions ADD PRIMARY KEY (id, version);
ALTER TABLE assertions ADD COLUMN jwt_sha TEXT COLLATE "C" NOT NULL DEFAULT '';

CREATE TABLE class_documents (
	version_id TEXT COLLATE "C" NOT NULL REFERENCES class_versions (id),
	version    TEXT COLLATE "C" NOT NULL, -- of Open Badges: 1.1 or 3.0; that of 2.0 is class_versions.document_sha
	sha256     TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (version_id, version)
);

CREATE TABLE status_lists (
	id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	seq        INTEGER NOT NULL UNIQUE, -- the newest takes new entries
	size       INTEGER NOT NULL,
	rev        INTEGER NOT NULL DEFAULT 0,
	content    TEXT COLLATE "C" NOT NULL DEFAULT '', -- digest of what the document says
	document   BYTEA NOT NULL,
	signed_at  TIMESTAMPTZ,
	created_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE status_entries (
	list_id  TEXT COLLATE "C" NOT NULL REFERENCES status_lists (id),
	position INTEGER NOT NULL,
	award_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES awards (id),
	PRIMARY KEY (list_id, position)
);
CREATE INDEX awards_revoked ON awards (id) WHERE revoked;

-- One key signs at a time, whatever two replicas do at once.
CREATE UNIQUE INDEX signing_keys_active ON signing_keys (purpose, algorithm) WHERE retired_at IS NULL;

-- +goose Down
SELECT 1; -- what the gateway issued must not be dropped by a command: restore a backup instead
