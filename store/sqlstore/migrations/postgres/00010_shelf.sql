-- +goose Up
-- What a backpack is searched by, and badges that are brought many at once.
-- ../sqlite holds the same tables with its own column types.

-- words is what a search looks into, folded by the store: lower-case, without
-- accents. Rows from before are only made lower-case here.
ALTER TABLE class_versions ADD COLUMN issuer_name TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE class_versions ADD COLUMN words TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE class_versions SET issuer_name = COALESCE(content::jsonb #>> '{Issuer,Name}', ''),
	words = lower(COALESCE(content::jsonb ->> 'Name', '') || ' ' || COALESCE(content::jsonb ->> 'Description', '') || ' ' || COALESCE(content::jsonb #>> '{Issuer,Name}', ''));
ALTER TABLE issuers ADD COLUMN name TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE issuers ADD COLUMN words TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE issuers SET name = COALESCE(profile::jsonb ->> 'Name', ''), words = lower(COALESCE(profile::jsonb ->> 'Name', ''));

-- The catalog lists what can be earned, which is few among what people bring.
CREATE INDEX classes_earnable ON classes (remote) WHERE issuable;

-- The earner does not want their name on the badge's public pages.
ALTER TABLE awards ADD COLUMN name_hidden BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE batches (
	id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	person_id  TEXT COLLATE "C" NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
	created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX batches_person ON batches (person_id, created_at);

CREATE TABLE batch_files (
	batch_id TEXT COLLATE "C" NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
	position INTEGER NOT NULL,
	name     TEXT COLLATE "C" NOT NULL,
	body     BYTEA NOT NULL, -- empty once it was looked at
	done     BOOLEAN NOT NULL,
	fate     TEXT COLLATE "C" NOT NULL,
	reason   TEXT COLLATE "C" NOT NULL,
	made_to  TEXT COLLATE "C" NOT NULL,
	badge    TEXT COLLATE "C" NOT NULL,
	checks   TEXT COLLATE "C" NOT NULL,
	award_id TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (batch_id, position)
);

-- +goose Down
SELECT 1; -- a store without these columns is an older one: restore a backup instead
