-- +goose Up
-- One schema, two engines: ../sqlite holds the same tables with its own column
-- types (text sorts by code points, as there). Times are UTC at microseconds, NULL for "none"; ids are 26 random
-- characters; lists and objects that no query looks into are JSON text.

CREATE TABLE settings (
	name       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	value      TEXT COLLATE "C" NOT NULL,
	updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE documents (
	sha256     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	media_type TEXT COLLATE "C" NOT NULL,
	body       BYTEA NOT NULL,
	created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE remotes (
	name           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	kind           TEXT COLLATE "C" NOT NULL,
	title          TEXT COLLATE "C" NOT NULL,
	config         BYTEA,
	state          TEXT COLLATE "C" NOT NULL CHECK (state IN ('active', 'paused', 'read-only')),
	reason         TEXT COLLATE "C" NOT NULL,
	declared       BOOLEAN NOT NULL,
	identity       TEXT COLLATE "C" NOT NULL,
	webhook_hash   TEXT COLLATE "C" NOT NULL,
	feed_cursor    TEXT COLLATE "C" NOT NULL,
	list_cursor    TEXT COLLATE "C" NOT NULL,
	list_run       TEXT COLLATE "C" NOT NULL,
	dirty          BOOLEAN NOT NULL,
	was_dirty      BOOLEAN NOT NULL DEFAULT FALSE, -- what LeaseRemote found in dirty
	next_pull      TIMESTAMPTZ,
	next_list      TIMESTAMPTZ,
	lease_owner    TEXT COLLATE "C" NOT NULL DEFAULT '',
	lease_until    TIMESTAMPTZ,
	health         TEXT COLLATE "C" NOT NULL,
	health_message TEXT COLLATE "C" NOT NULL,
	health_details BYTEA,
	checked_at     TIMESTAMPTZ,
	created_at     TIMESTAMPTZ NOT NULL,
	updated_at     TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX remotes_webhook ON remotes (webhook_hash) WHERE webhook_hash <> '';

CREATE TABLE issuers (
	id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	own        BOOLEAN NOT NULL,
	profile    TEXT COLLATE "C" NOT NULL,
	image_sha  TEXT COLLATE "C" NOT NULL,
	created_at TIMESTAMPTZ NOT NULL,
	updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX issuers_own ON issuers (own) WHERE own;

CREATE TABLE classes (
	id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	remote     TEXT COLLATE "C" NOT NULL, -- '' the gateway's own
	ref        TEXT COLLATE "C" NOT NULL,
	issuer_id  TEXT COLLATE "C" REFERENCES issuers (id),
	version    INTEGER NOT NULL,
	version_id TEXT COLLATE "C" NOT NULL,
	name       TEXT COLLATE "C" NOT NULL,
	state      TEXT COLLATE "C" NOT NULL,
	issuable   BOOLEAN NOT NULL,
	created_at TIMESTAMPTZ NOT NULL,
	updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX classes_ref ON classes (remote, ref) WHERE ref <> '';

CREATE TABLE class_versions (
	id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	class_id     TEXT COLLATE "C" NOT NULL REFERENCES classes (id),
	version      INTEGER NOT NULL,
	content      TEXT COLLATE "C" NOT NULL,
	content_sha  TEXT COLLATE "C" NOT NULL,
	image_sha    TEXT COLLATE "C" NOT NULL,
	document_sha TEXT COLLATE "C" NOT NULL DEFAULT '',
	names_image  BOOLEAN NOT NULL,
	created_at   TIMESTAMPTZ NOT NULL,
	UNIQUE (class_id, version)
);
CREATE INDEX class_versions_imageless ON class_versions (created_at) WHERE names_image AND image_sha = '';

CREATE TABLE persons (
	id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	given_name  TEXT COLLATE "C" NOT NULL,
	family_name TEXT COLLATE "C" NOT NULL,
	locale      TEXT COLLATE "C" NOT NULL,
	created_at  TIMESTAMPTZ NOT NULL,
	updated_at  TIMESTAMPTZ NOT NULL
);

CREATE TABLE sign_ins (
	issuer    TEXT COLLATE "C" NOT NULL,
	subject   TEXT COLLATE "C" NOT NULL,
	person_id TEXT COLLATE "C" NOT NULL REFERENCES persons (id),
	provider  TEXT COLLATE "C" NOT NULL,
	roles     TEXT COLLATE "C" NOT NULL,
	last_at   TIMESTAMPTZ,
	PRIMARY KEY (issuer, subject)
);
CREATE INDEX sign_ins_person ON sign_ins (person_id);

CREATE TABLE identifiers (
	type      TEXT COLLATE "C" NOT NULL,
	value     TEXT COLLATE "C" NOT NULL,
	person_id TEXT COLLATE "C" NOT NULL REFERENCES persons (id),
	proven_by TEXT COLLATE "C" NOT NULL,
	proven_at TIMESTAMPTZ,
	PRIMARY KEY (type, value)
);
CREATE INDEX identifiers_person ON identifiers (person_id);

CREATE TABLE codes (
	id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	email      TEXT COLLATE "C" NOT NULL,
	hash       TEXT COLLATE "C" NOT NULL,
	purpose    TEXT COLLATE "C" NOT NULL,
	attempts   INTEGER NOT NULL,
	expires_at TIMESTAMPTZ
);
CREATE INDEX codes_expiry ON codes (expires_at);

CREATE TABLE awards (
	id                TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	class_id          TEXT COLLATE "C" NOT NULL REFERENCES classes (id),
	class_version_id  TEXT COLLATE "C" NOT NULL REFERENCES class_versions (id),
	origin            TEXT COLLATE "C" NOT NULL,
	origin_ref        TEXT COLLATE "C" NOT NULL,
	earner_key        TEXT COLLATE "C" NOT NULL,
	email             TEXT COLLATE "C" NOT NULL, -- the recipient, where it is a plain address
	recipient         TEXT COLLATE "C" NOT NULL,
	person_id         TEXT COLLATE "C" REFERENCES persons (id),
	issued_on         TIMESTAMPTZ,
	expires           TIMESTAMPTZ,
	narrative         TEXT COLLATE "C" NOT NULL,
	evidence          TEXT COLLATE "C" NOT NULL,
	claim             TEXT COLLATE "C" NOT NULL CHECK (claim IN ('offered', 'claimed', 'declined')),
	claimed_at        TIMESTAMPTZ,
	visibility        TEXT COLLATE "C" NOT NULL CHECK (visibility IN ('private', 'link', 'public')),
	revoked           BOOLEAN NOT NULL,
	revoked_at        TIMESTAMPTZ,
	revocation_reason TEXT COLLATE "C" NOT NULL,
	flag              TEXT COLLATE "C" NOT NULL,
	assertion_url     TEXT COLLATE "C" NOT NULL,
	page_url          TEXT COLLATE "C" NOT NULL,
	content_sha       TEXT COLLATE "C" NOT NULL,
	created_at        TIMESTAMPTZ NOT NULL,
	updated_at        TIMESTAMPTZ NOT NULL
);
-- One record at its origin is one award, whatever two replicas do at once.
CREATE UNIQUE INDEX awards_origin ON awards (origin, origin_ref) WHERE origin_ref <> '';
CREATE INDEX awards_person ON awards (person_id, issued_on) WHERE person_id IS NOT NULL;
CREATE INDEX awards_email ON awards (email, class_id) WHERE email <> '';
CREATE INDEX awards_earner ON awards (class_id, earner_key);
CREATE INDEX awards_flagged ON awards (id) WHERE flag <> '';

CREATE TABLE claim_events (
	seq       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	award_id  TEXT COLLATE "C" NOT NULL REFERENCES awards (id),
	person_id TEXT COLLATE "C",
	state     TEXT COLLATE "C" NOT NULL CHECK (state IN ('offered', 'claimed', 'declined')),
	at        TIMESTAMPTZ NOT NULL
);
CREATE INDEX claim_events_award ON claim_events (award_id);

CREATE TABLE assertions (
	id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	award_id   TEXT COLLATE "C" NOT NULL REFERENCES awards (id),
	version    TEXT COLLATE "C" NOT NULL,
	salt       TEXT COLLATE "C" NOT NULL,
	sha256     TEXT COLLATE "C" NOT NULL,
	baked_sha  TEXT COLLATE "C" NOT NULL,
	created_at TIMESTAMPTZ NOT NULL,
	UNIQUE (award_id, version)
);

CREATE TABLE links (
	seq          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	remote       TEXT COLLATE "C" NOT NULL,
	ref          TEXT COLLATE "C" NOT NULL,
	award_id     TEXT COLLATE "C" NOT NULL REFERENCES awards (id),
	role         TEXT COLLATE "C" NOT NULL CHECK (role IN ('origin', 'copy')),
	state        TEXT COLLATE "C" NOT NULL CHECK (state IN ('present', 'revoked', 'gone')),
	acceptance   TEXT COLLATE "C" NOT NULL,
	page_url     TEXT COLLATE "C" NOT NULL,
	version      TEXT COLLATE "C" NOT NULL,
	push_key     TEXT COLLATE "C" NOT NULL,
	generation   INTEGER NOT NULL,
	document_sha TEXT COLLATE "C" NOT NULL,
	normalizer   INTEGER NOT NULL,
	listed_run   TEXT COLLATE "C" NOT NULL,
	seen_at      TIMESTAMPTZ,
	created_at   TIMESTAMPTZ NOT NULL,
	UNIQUE (remote, ref)
);
CREATE INDEX links_award ON links (award_id);
CREATE INDEX links_present ON links (remote, created_at) WHERE state = 'present';

CREATE TABLE provenance (
	seq          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	remote       TEXT COLLATE "C" NOT NULL,
	ref          TEXT COLLATE "C" NOT NULL,
	award_id     TEXT COLLATE "C" REFERENCES awards (id),
	document_sha TEXT COLLATE "C" NOT NULL,
	run_id       TEXT COLLATE "C" NOT NULL,
	at           TIMESTAMPTZ NOT NULL
);
CREATE INDEX provenance_award ON provenance (award_id);

CREATE TABLE mappings (
	id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	class_a    TEXT COLLATE "C" NOT NULL REFERENCES classes (id),
	class_b    TEXT COLLATE "C" NOT NULL REFERENCES classes (id),
	pair       TEXT COLLATE "C" NOT NULL UNIQUE, -- both ids in order: a pair has no direction
	a_to_b     TEXT COLLATE "C" NOT NULL CHECK (a_to_b IN ('never', 'on-claim', 'at-once')),
	b_to_a     TEXT COLLATE "C" NOT NULL CHECK (b_to_a IN ('never', 'on-claim', 'at-once')),
	revoke_ab  BOOLEAN NOT NULL,
	revoke_ba  BOOLEAN NOT NULL,
	paused     TEXT COLLATE "C" NOT NULL,
	version    INTEGER NOT NULL,
	created_by TEXT COLLATE "C" NOT NULL,
	created_at TIMESTAMPTZ NOT NULL,
	updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX mappings_a ON mappings (class_a);
CREATE INDEX mappings_b ON mappings (class_b);

CREATE TABLE pushes (
	seq         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order in which they were asked for
	id          TEXT COLLATE "C" NOT NULL UNIQUE,
	push_key    TEXT COLLATE "C" NOT NULL UNIQUE,
	op          TEXT COLLATE "C" NOT NULL CHECK (op IN ('issue', 'update', 'revoke', 'remove')),
	remote      TEXT COLLATE "C" NOT NULL,
	award_id    TEXT COLLATE "C" NOT NULL REFERENCES awards (id),
	generation  INTEGER NOT NULL,
	mapping_id  TEXT COLLATE "C" NOT NULL,
	state       TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'queued', 'sent', 'done', 'rejected', 'held', 'cancelled')),
	reason      TEXT COLLATE "C" NOT NULL,
	words       TEXT COLLATE "C" NOT NULL,
	ref         TEXT COLLATE "C" NOT NULL,
	cause       TEXT COLLATE "C" NOT NULL,
	attempts    INTEGER NOT NULL,
	next_at     TIMESTAMPTZ NOT NULL, -- year 1 for "at once"
	-- When it may be leased; NULL in every other state. The queue is the index over it.
	due_at      TIMESTAMPTZ GENERATED ALWAYS AS (CASE WHEN state IN ('queued', 'sent') THEN next_at END) STORED,
	sent_at     TIMESTAMPTZ,
	deadline    TIMESTAMPTZ,
	lease_owner TEXT COLLATE "C" NOT NULL DEFAULT '',
	lease_until TIMESTAMPTZ,
	created_at  TIMESTAMPTZ NOT NULL,
	updated_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX pushes_due ON pushes (due_at, seq) WHERE due_at IS NOT NULL;
CREATE INDEX pushes_award ON pushes (award_id, remote, seq);
CREATE INDEX pushes_state ON pushes (state, seq);
CREATE INDEX pushes_remote ON pushes (remote, seq);

CREATE TABLE push_events (
	seq     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	push_id TEXT COLLATE "C" NOT NULL REFERENCES pushes (id),
	at      TIMESTAMPTZ NOT NULL,
	state   TEXT COLLATE "C" NOT NULL,
	reason  TEXT COLLATE "C" NOT NULL,
	words   TEXT COLLATE "C" NOT NULL
);
CREATE INDEX push_events_push ON push_events (push_id);

CREATE TABLE runs (
	seq        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id         TEXT COLLATE "C" NOT NULL UNIQUE,
	remote     TEXT COLLATE "C" NOT NULL,
	kind       TEXT COLLATE "C" NOT NULL,
	cause      TEXT COLLATE "C" NOT NULL,
	state      TEXT COLLATE "C" NOT NULL CHECK (state IN ('running', 'done', 'failed', 'held')),
	message    TEXT COLLATE "C" NOT NULL,
	seen       INTEGER NOT NULL,
	new        INTEGER NOT NULL,
	changed    INTEGER NOT NULL,
	pushes     INTEGER NOT NULL,
	started_at TIMESTAMPTZ NOT NULL,
	ended_at   TIMESTAMPTZ
);
CREATE INDEX runs_remote ON runs (remote, seq);
CREATE INDEX runs_going ON runs (remote) WHERE state = 'running';
CREATE INDEX runs_idle ON runs (ended_at) WHERE new = 0 AND changed = 0 AND pushes = 0;

CREATE TABLE sessions (
	token_hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	data       BYTEA NOT NULL,
	expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE login_states (
	state_hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	data       BYTEA NOT NULL,
	expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX login_states_expiry ON login_states (expires_at);

CREATE TABLE used_once (
	scope      TEXT COLLATE "C" NOT NULL,
	value      TEXT COLLATE "C" NOT NULL,
	expires_at TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (scope, value)
);
CREATE INDEX used_once_expiry ON used_once (expires_at);

CREATE TABLE signing_keys (
	id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	purpose    TEXT COLLATE "C" NOT NULL,
	algorithm  TEXT COLLATE "C" NOT NULL,
	public     BYTEA NOT NULL,
	sealed     BYTEA NOT NULL,
	created_at TIMESTAMPTZ NOT NULL,
	retired_at TIMESTAMPTZ
);
CREATE INDEX signing_keys_purpose ON signing_keys (purpose, created_at);

-- +goose Down
SELECT 1; -- what the gateway issued must not be dropped by a command: restore a backup instead
