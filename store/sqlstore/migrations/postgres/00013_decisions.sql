-- +goose Up
-- Who asked for a step of a push: where the remote can't say what it did, a person
-- decides, and it is kept who that was.

ALTER TABLE push_events ADD COLUMN by_person TEXT NOT NULL DEFAULT ''; -- '' the gateway itself

-- +goose Down
ALTER TABLE push_events DROP COLUMN by_person;
