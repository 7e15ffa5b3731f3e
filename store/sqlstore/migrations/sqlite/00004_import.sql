-- +goose Up
-- Imports of badges from one remote into another, the policy of a mapping in
-- full, and where a member wants a badge sent.

ALTER TABLE mappings ADD COLUMN since_ab TIMESTAMP; -- older awards are not sent; NULL: all are
ALTER TABLE mappings ADD COLUMN since_ba TIMESTAMP;
ALTER TABLE mappings ADD COLUMN on_reject TEXT NOT NULL DEFAULT 'keep' CHECK (on_reject IN ('keep', 'revoke'));
ALTER TABLE mappings ADD COLUMN mailer TEXT NOT NULL DEFAULT 'gateway' CHECK (mailer IN ('gateway', 'a', 'b'));
ALTER TABLE mappings ADD COLUMN base TEXT NOT NULL DEFAULT ''; -- what of B was last decided about, JSON
ALTER TABLE mappings ADD COLUMN put_key TEXT NOT NULL DEFAULT ''; -- under which key A was written, '' never

ALTER TABLE classes ADD COLUMN page_url TEXT NOT NULL DEFAULT ''; -- for people, at the remote

CREATE TABLE destinations (
	award_id  TEXT NOT NULL PRIMARY KEY REFERENCES awards (id),
	email     TEXT NOT NULL,
	person_id TEXT NOT NULL,
	chosen_at TIMESTAMP NOT NULL
);

CREATE TABLE imports (
	seq         INTEGER PRIMARY KEY AUTOINCREMENT,
	id          TEXT NOT NULL UNIQUE,
	from_remote TEXT NOT NULL,
	to_remote   TEXT NOT NULL, -- '' into the catalog alone
	state       TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
	message     TEXT NOT NULL,
	created_by  TEXT NOT NULL,
	lease_owner TEXT NOT NULL DEFAULT '',
	lease_until TIMESTAMP,
	created_at  TIMESTAMP NOT NULL,
	ended_at    TIMESTAMP
);
CREATE INDEX imports_going ON imports (seq) WHERE state = 'running';

CREATE TABLE import_items (
	import_id  TEXT NOT NULL REFERENCES imports (id),
	position   INTEGER NOT NULL,
	class_id   TEXT NOT NULL REFERENCES classes (id), -- the badge that is imported
	target_id  TEXT NOT NULL, -- the class it is joined with: chosen before, or made; '' not yet
	mapping_id TEXT NOT NULL,
	state      TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'failed')),
	message    TEXT NOT NULL, -- why it failed, for people
	warnings   TEXT NOT NULL, -- what was missing, as words of ours between commas
	updated_at TIMESTAMP NOT NULL,
	PRIMARY KEY (import_id, position)
);
CREATE INDEX import_items_class ON import_items (class_id);

-- +goose Down
SELECT 1; -- what an admin decided must not be dropped by a command: restore a backup instead
