-- +goose Up
-- What people own of their accounts: where letters go, what they want to hear,
-- what they were told; and what it takes to join and to end accounts. ../postgres holds
-- the same tables with its own column types.

ALTER TABLE persons ADD COLUMN mail TEXT NOT NULL DEFAULT ''; -- the address that letters go to; '' the oldest

ALTER TABLE collected ADD COLUMN gone_since TIMESTAMP; -- the first of the checks in a row that found nothing

ALTER TABLE sessions ADD COLUMN person_id TEXT NOT NULL DEFAULT '';
UPDATE sessions SET person_id = COALESCE(json_extract(CAST(data AS TEXT), '$.values.person'), '')
	WHERE json_valid(CAST(data AS TEXT));
CREATE INDEX sessions_person ON sessions (person_id) WHERE person_id <> '';

CREATE TABLE notices (
	id         TEXT NOT NULL PRIMARY KEY,
	owner      TEXT NOT NULL, -- a person's id, or 'sha256$' and the digest of an address that is nobody's yet
	kind       TEXT NOT NULL CHECK (kind IN ('offered', 'expiring', 'revoked')),
	award_id   TEXT NOT NULL REFERENCES awards (id),
	mark       TEXT NOT NULL, -- what is told of the award under one kind more than once
	days       INTEGER NOT NULL,
	created_at TIMESTAMP NOT NULL,
	mailed_at  TIMESTAMP,
	seen_at    TIMESTAMP,
	UNIQUE (owner, kind, award_id, mark)
);
CREATE INDEX notices_award ON notices (award_id);

CREATE TABLE notice_refusals (
	owner TEXT NOT NULL,
	kind  TEXT NOT NULL,
	at    TIMESTAMP NOT NULL,
	PRIMARY KEY (owner, kind)
);

CREATE TABLE former_profiles (
	number    INTEGER NOT NULL PRIMARY KEY, -- of an account that became part of another one
	handle    TEXT NOT NULL,
	person_id TEXT NOT NULL REFERENCES persons (id)
);
CREATE INDEX former_profiles_person ON former_profiles (person_id);
CREATE UNIQUE INDEX former_profiles_handle ON former_profiles (handle) WHERE handle <> '';

CREATE TABLE former_persons (
	id        TEXT NOT NULL PRIMARY KEY, -- of an account that became part of another one
	person_id TEXT NOT NULL REFERENCES persons (id)
);
CREATE INDEX former_persons_person ON former_persons (person_id);

CREATE INDEX awards_expiring ON awards (expires) WHERE expires IS NOT NULL AND person_id IS NOT NULL;
-- Who still refers to a document, before its bytes go.
CREATE INDEX collected_document ON collected (document_sha);
CREATE INDEX collected_original ON collected (original_sha) WHERE original_sha <> '';
CREATE INDEX collected_image ON collected (image_sha) WHERE image_sha <> '';
CREATE INDEX assertions_document ON assertions (sha256);
CREATE INDEX assertions_baked ON assertions (baked_sha) WHERE baked_sha <> '';
CREATE INDEX links_document ON links (document_sha) WHERE document_sha <> '';
CREATE INDEX provenance_document ON provenance (document_sha) WHERE document_sha <> '';
CREATE INDEX class_versions_image ON class_versions (image_sha) WHERE image_sha <> '';
CREATE INDEX class_versions_document ON class_versions (document_sha) WHERE document_sha <> '';
CREATE INDEX class_documents_sha ON class_documents (sha256);
CREATE INDEX claim_events_person ON claim_events (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX destinations_person ON destinations (person_id);

-- +goose Down
SELECT 1; -- what people were told must not be dropped by a command: restore a backup instead
