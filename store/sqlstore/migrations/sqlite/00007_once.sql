-- +goose Up
-- What has to be known so that nothing is awarded twice. ../postgres holds the same.

-- A call of this issue may have succeeded, and the remote was not asked since.
ALTER TABLE pushes ADD COLUMN unsure BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE pushes SET unsure = TRUE WHERE op = 'issue' AND (state = 'sent' OR (state = 'held' AND reason = 'doubt'));
CREATE INDEX pushes_ref ON pushes (remote, ref) WHERE ref <> '';

-- When the last complete reading of changes, and of everything, began.
ALTER TABLE remotes ADD COLUMN read_at TIMESTAMP;
ALTER TABLE remotes ADD COLUMN listed_at TIMESTAMP;

-- Awards from before this moment are sent although they are old: they are looked
-- for at the other side first. NULL: there are none.
ALTER TABLE mappings ADD COLUMN backfill_at TIMESTAMP;
