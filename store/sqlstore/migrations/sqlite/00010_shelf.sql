-- +goose Up
-- What a backpack is searched by, and badges that are brought many at once.
-- ../postgres holds the same tables with its own column types.

-- words is what a search looks into, folded by the store: lower-case, without
-- accents. Rows from before are only made lower-case here.
ALTER TABLE class_versions ADD COLUMN issuer_name TEXT NOT NULL DEFAULT '';
ALTER TABLE class_versions ADD COLUMN words TEXT NOT NULL DEFAULT '';
UPDATE class_versions SET issuer_name = COALESCE(json_extract(content, '$.Issuer.Name'), ''),
	words = lower(COALESCE(json_extract(content, '$.Name'), '') || ' ' || COALESCE(json_extract(content, '$.Description'), '') || ' ' || COALESCE(json_extract(content, '$.Issuer.Name'), ''));
ALTER TABLE issuers ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE issuers ADD COLUMN words TEXT NOT NULL DEFAULT '';
UPDATE issuers SET name = COALESCE(json_extract(profile, '$.Name'), ''), words = lower(COALESCE(json_extract(profile, '$.Name'), ''));

-- The catalog lists what can be earned, which is few among what people bring.
CREATE INDEX classes_earnable ON classes (remote) WHERE issuable;

-- The earner does not want their name on the badge's public pages.
ALTER TABLE awards ADD COLUMN name_hidden BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE batches (
	id         TEXT NOT NULL PRIMARY KEY,
	person_id  TEXT NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
	created_at TIMESTAMP NOT NULL
);
CREATE INDEX batches_person ON batches (person_id, created_at);

CREATE TABLE batch_files (
	batch_id TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
	position INTEGER NOT NULL,
	name     TEXT NOT NULL,
	body     BLOB NOT NULL, -- empty once it was looked at
	done     BOOLEAN NOT NULL,
	fate     TEXT NOT NULL,
	reason   TEXT NOT NULL,
	made_to  TEXT NOT NULL,
	badge    TEXT NOT NULL,
	checks   TEXT NOT NULL,
	award_id TEXT NOT NULL,
	PRIMARY KEY (batch_id, position)
);

-- +goose Down
SELECT 1; -- a store without these columns is an older one: restore a backup instead
