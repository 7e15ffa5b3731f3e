-- +goose Up
-- What a person's connection to another backpack needs. ../sqlite holds the same
-- with its own column types.

ALTER TABLE connections ADD COLUMN address TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE connections ADD COLUMN auto_since TIMESTAMPTZ;
ALTER TABLE connections ADD COLUMN lease_until TIMESTAMPTZ;
CREATE UNIQUE INDEX connections_address ON connections (person_id, kind, address) WHERE address <> '';
CREATE INDEX connections_auto ON connections (person_id) WHERE auto;

-- A connection is leased, not one of its deposits.
ALTER TABLE deposits DROP COLUMN lease_until;
ALTER TABLE deposits ADD COLUMN reason TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX deposits_state ON deposits (connection_id, state);

-- +goose Down
SELECT 1; -- what people connected must not be dropped by a command: restore a backup instead
