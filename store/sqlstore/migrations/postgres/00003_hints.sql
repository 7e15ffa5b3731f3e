-- +goose Up
-- Webhooks: the address of each remote's, and the events that came until the
-- remote was asked about them. ../sqlite holds the same with its own column types.

ALTER TABLE remotes ADD COLUMN webhook_secret TEXT NOT NULL DEFAULT ''; -- sealed

CREATE TABLE hints (
	remote      TEXT NOT NULL,
	id          TEXT NOT NULL,
	state       TEXT NOT NULL CHECK (state IN ('waiting', 'confirmed', 'pulled', 'unknown')),
	attempts    INTEGER NOT NULL,
	received_at TIMESTAMPTZ NOT NULL,
	next_at     TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (remote, id)
);
CREATE INDEX hints_waiting ON hints (remote, next_at) WHERE state = 'waiting';
CREATE INDEX hints_received ON hints (received_at);

-- +goose Down
SELECT 1; -- a remote that has a webhook must not lose it by a command: restore a backup instead
