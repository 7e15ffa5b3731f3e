-- +goose Up
-- One schema, two engines: ../postgres holds the same tables with its own column
-- types. Times are UTC at microseconds, NULL for "none"; ids are 26 random
-- characters; lists and objects that no query looks into are JSON text.

CREATE TABLE settings (
	name       TEXT NOT NULL PRIMARY KEY,
	value      TEXT NOT NULL,
	updated_at TIMESTAMP NOT NULL
);

CREATE TABLE documents (
	sha256     TEXT NOT NULL PRIMARY KEY,
	media_type TEXT NOT NULL,
	body       BLOB NOT NULL,
	created_at TIMESTAMP NOT NULL
);

CREATE TABLE remotes (
	name           TEXT NOT NULL PRIMARY KEY,
	kind           TEXT NOT NULL,
	title          TEXT NOT NULL,
	config         BLOB,
	state          TEXT NOT NULL CHECK (state IN ('active', 'paused', 'read-only')),
	reason         TEXT NOT NULL,
	declared       BOOLEAN NOT NULL,
	identity       TEXT NOT NULL,
	webhook_hash   TEXT NOT NULL,
	feed_cursor    TEXT NOT NULL,
	list_cursor    TEXT NOT NULL,
	list_run       TEXT NOT NULL,
	dirty          BOOLEAN NOT NULL,
	was_dirty      BOOLEAN NOT NULL DEFAULT FALSE, -- what LeaseRemote found in dirty
	next_pull      TIMESTAMP,
	next_list      TIMESTAMP,
	lease_owner    TEXT NOT NULL DEFAULT '',
	lease_until    TIMESTAMP,
	health         TEXT NOT NULL,
	health_message TEXT NOT NULL,
	health_details BLOB,
	checked_at     TIMESTAMP,
	created_at     TIMESTAMP NOT NULL,
	updated_at     TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX remotes_webhook ON remotes (webhook_hash) WHERE webhook_hash <> '';

CREATE TABLE issuers (
	id         TEXT NOT NULL PRIMARY KEY,
	own        BOOLEAN NOT NULL,
	profile    TEXT NOT NULL,
	image_sha  TEXT NOT NULL,
	created_at TIMESTAMP NOT NULL,
	updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX issuers_own ON issuers (own) WHERE own;

CREATE TABLE classes (
	id         TEXT NOT NULL PRIMARY KEY,
	remote     TEXT NOT NULL, -- '' the gateway's own
	ref        TEXT NOT NULL,
	issuer_id  TEXT REFERENCES issuers (id),
	version    INTEGER NOT NULL,
	version_id TEXT NOT NULL,
	name       TEXT NOT NULL,
	state      TEXT NOT NULL,
	issuable   BOOLEAN NOT NULL,
	created_at TIMESTAMP NOT NULL,
	updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX classes_ref ON classes (remote, ref) WHERE ref <> '';

CREATE TABLE class_versions (
	id           TEXT NOT NULL PRIMARY KEY,
	class_id     TEXT NOT NULL REFERENCES classes (id),
	version      INTEGER NOT NULL,
	content      TEXT NOT NULL,
	content_sha  TEXT NOT NULL,
	image_sha    TEXT NOT NULL,
	document_sha TEXT NOT NULL DEFAULT '',
	names_image  BOOLEAN NOT NULL,
	created_at   TIMESTAMP NOT NULL,
	UNIQUE (class_id, version)
);
CREATE INDEX class_versions_imageless ON class_versions (created_at) WHERE names_image AND image_sha = '';

CREATE TABLE persons (
	id          TEXT NOT NULL PRIMARY KEY,
	given_name  TEXT NOT NULL,
	family_name TEXT NOT NULL,
	locale      TEXT NOT NULL,
	created_at  TIMESTAMP NOT NULL,
	updated_at  TIMESTAMP NOT NULL
);

CREATE TABLE sign_ins (
	issuer    TEXT NOT NULL,
	subject   TEXT NOT NULL,
	person_id TEXT NOT NULL REFERENCES persons (id),
	provider  TEXT NOT NULL,
	roles     TEXT NOT NULL,
	last_at   TIMESTAMP,
	PRIMARY KEY (issuer, subject)
);
CREATE INDEX sign_ins_person ON sign_ins (person_id);

CREATE TABLE identifiers (
	type      TEXT NOT NULL,
	value     TEXT NOT NULL,
	person_id TEXT NOT NULL REFERENCES persons (id),
	proven_by TEXT NOT NULL,
	proven_at TIMESTAMP,
	PRIMARY KEY (type, value)
);
CREATE INDEX identifiers_person ON identifiers (person_id);

CREATE TABLE codes (
	id         TEXT NOT NULL PRIMARY KEY,
	email      TEXT NOT NULL,
	hash       TEXT NOT NULL,
	purpose    TEXT NOT NULL,
	attempts   INTEGER NOT NULL,
	expires_at TIMESTAMP
);
CREATE INDEX codes_expiry ON codes (expires_at);

CREATE TABLE awards (
	id                TEXT NOT NULL PRIMARY KEY,
	class_id          TEXT NOT NULL REFERENCES classes (id),
	class_version_id  TEXT NOT NULL REFERENCES class_versions (id),
	origin            TEXT NOT NULL,
	origin_ref        TEXT NOT NULL,
	earner_key        TEXT NOT NULL,
	email             TEXT NOT NULL, -- the recipient, where it is a plain address
	recipient         TEXT NOT NULL,
	person_id         TEXT REFERENCES persons (id),
	issued_on         TIMESTAMP,
	expires           TIMESTAMP,
	narrative         TEXT NOT NULL,
	evidence          TEXT NOT NULL,
	claim             TEXT NOT NULL CHECK (claim IN ('offered', 'claimed', 'declined')),
	claimed_at        TIMESTAMP,
	visibility        TEXT NOT NULL CHECK (visibility IN ('private', 'link', 'public')),
	revoked           BOOLEAN NOT NULL,
	revoked_at        TIMESTAMP,
	revocation_reason TEXT NOT NULL,
	flag              TEXT NOT NULL,
	assertion_url     TEXT NOT NULL,
	page_url          TEXT NOT NULL,
	content_sha       TEXT NOT NULL,
	created_at        TIMESTAMP NOT NULL,
	updated_at        TIMESTAMP NOT NULL
);
-- One record at its origin is one award, whatever two replicas do at once.
CREATE UNIQUE INDEX awards_origin ON awards (origin, origin_ref) WHERE origin_ref <> '';
CREATE INDEX awards_person ON awards (person_id, issued_on) WHERE person_id IS NOT NULL;
CREATE INDEX awards_email ON awards (email, class_id) WHERE email <> '';
CREATE INDEX awards_earner ON awards (class_id, earner_key);
CREATE INDEX awards_flagged ON awards (id) WHERE flag <> '';

CREATE TABLE claim_events (
	seq       INTEGER PRIMARY KEY AUTOINCREMENT,
	award_id  TEXT NOT NULL REFERENCES awards (id),
	person_id TEXT,
	state     TEXT NOT NULL CHECK (state IN ('offered', 'claimed', 'declined')),
	at        TIMESTAMP NOT NULL
);
CREATE INDEX claim_events_award ON claim_events (award_id);

CREATE TABLE assertions (
	id         TEXT NOT NULL PRIMARY KEY,
	award_id   TEXT NOT NULL REFERENCES awards (id),
	version    TEXT NOT NULL,
	salt       TEXT NOT NULL,
	sha256     TEXT NOT NULL,
	baked_sha  TEXT NOT NULL,
	created_at TIMESTAMP NOT NULL,
	UNIQUE (award_id, version)
);

CREATE TABLE links (
	seq          INTEGER PRIMARY KEY AUTOINCREMENT,
	remote       TEXT NOT NULL,
	ref          TEXT NOT NULL,
	award_id     TEXT NOT NULL REFERENCES awards (id),
	role         TEXT NOT NULL CHECK (role IN ('origin', 'copy')),
	state        TEXT NOT NULL CHECK (state IN ('present', 'revoked', 'gone')),
	acceptance   TEXT NOT NULL,
	page_url     TEXT NOT NULL,
	version      TEXT NOT NULL,
	push_key     TEXT NOT NULL,
	generation   INTEGER NOT NULL,
	document_sha TEXT NOT NULL,
	normalizer   INTEGER NOT NULL,
	listed_run   TEXT NOT NULL,
	seen_at      TIMESTAMP,
	created_at   TIMESTAMP NOT NULL,
	UNIQUE (remote, ref)
);
CREATE INDEX links_award ON links (award_id);
CREATE INDEX links_present ON links (remote, created_at) WHERE state = 'present';

CREATE TABLE provenance (
	seq          INTEGER PRIMARY KEY AUTOINCREMENT,
	remote       TEXT NOT NULL,
	ref          TEXT NOT NULL,
	award_id     TEXT REFERENCES awards (id),
	document_sha TEXT NOT NULL,
	run_id       TEXT NOT NULL,
	at           TIMESTAMP NOT NULL
);
CREATE INDEX provenance_award ON provenance (award_id);

CREATE TABLE mappings (
	id         TEXT NOT NULL PRIMARY KEY,
	class_a    TEXT NOT NULL REFERENCES classes (id),
	class_b    TEXT NOT NULL REFERENCES classes (id),
	pair       TEXT NOT NULL UNIQUE, -- both ids in order: a pair has no direction
	a_to_b     TEXT NOT NULL CHECK (a_to_b IN ('never', 'on-claim', 'at-once')),
	b_to_a     TEXT NOT NULL CHECK (b_to_a IN ('never', 'on-claim', 'at-once')),
	revoke_ab  BOOLEAN NOT NULL,
	revoke_ba  BOOLEAN NOT NULL,
	paused     TEXT NOT NULL,
	version    INTEGER NOT NULL,
	created_by TEXT NOT NULL,
	created_at TIMESTAMP NOT NULL,
	updated_at TIMESTAMP NOT NULL
);
CREATE INDEX mappings_a ON mappings (class_a);
CREATE INDEX mappings_b ON mappings (class_b);

CREATE TABLE pushes (
	seq         INTEGER PRIMARY KEY AUTOINCREMENT, -- the order in which they were asked for
	id          TEXT NOT NULL UNIQUE,
	push_key    TEXT NOT NULL UNIQUE,
	op          TEXT NOT NULL CHECK (op IN ('issue', 'update', 'revoke', 'remove')),
	remote      TEXT NOT NULL,
	award_id    TEXT NOT NULL REFERENCES awards (id),
	generation  INTEGER NOT NULL,
	mapping_id  TEXT NOT NULL,
	state       TEXT NOT NULL CHECK (state IN ('waiting', 'queued', 'sent', 'done', 'rejected', 'held', 'cancelled')),
	reason      TEXT NOT NULL,
	words       TEXT NOT NULL,
	ref         TEXT NOT NULL,
	cause       TEXT NOT NULL,
	attempts    INTEGER NOT NULL,
	next_at     TIMESTAMP NOT NULL, -- year 1 for "at once"
	-- When it may be leased; NULL in every other state. The queue is the index over it.
	due_at      TIMESTAMP GENERATED ALWAYS AS (CASE WHEN state IN ('queued', 'sent') THEN next_at END) STORED,
	sent_at     TIMESTAMP,
	deadline    TIMESTAMP,
	lease_owner TEXT NOT NULL DEFAULT '',
	lease_until TIMESTAMP,
	created_at  TIMESTAMP NOT NULL,
	updated_at  TIMESTAMP NOT NULL
);
CREATE INDEX pushes_due ON pushes (due_at, seq) WHERE due_at IS NOT NULL;
CREATE INDEX pushes_award ON pushes (award_id, remote, seq);
CREATE INDEX pushes_state ON pushes (state, seq);
CREATE INDEX pushes_remote ON pushes (remote, seq);

CREATE TABLE push_events (
	seq     INTEGER PRIMARY KEY AUTOINCREMENT,
	push_id TEXT NOT NULL REFERENCES pushes (id),
	at      TIMESTAMP NOT NULL,
	state   TEXT NOT NULL,
	reason  TEXT NOT NULL,
	words   TEXT NOT NULL
);
CREATE INDEX push_events_push ON push_events (push_id);

CREATE TABLE runs (
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,
	id         TEXT NOT NULL UNIQUE,
	remote     TEXT NOT NULL,
	kind       TEXT NOT NULL,
	cause      TEXT NOT NULL,
	state      TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'held')),
	message    TEXT NOT NULL,
	seen       INTEGER NOT NULL,
	new        INTEGER NOT NULL,
	changed    INTEGER NOT NULL,
	pushes     INTEGER NOT NULL,
	started_at TIMESTAMP NOT NULL,
	ended_at   TIMESTAMP
);
CREATE INDEX runs_remote ON runs (remote, seq);
CREATE INDEX runs_going ON runs (remote) WHERE state = 'running';
CREATE INDEX runs_idle ON runs (ended_at) WHERE new = 0 AND changed = 0 AND pushes = 0;

CREATE TABLE sessions (
	token_hash TEXT NOT NULL PRIMARY KEY,
	data       BLOB NOT NULL,
	expires_at TIMESTAMP NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE login_states (
	state_hash TEXT NOT NULL PRIMARY KEY,
	data       BLOB NOT NULL,
	expires_at TIMESTAMP NOT NULL
);
CREATE INDEX login_states_expiry ON login_states (expires_at);

CREATE TABLE used_once (
	scope      TEXT NOT NULL,
	value      TEXT NOT NULL,
	expires_at TIMESTAMP NOT NULL,
	PRIMARY KEY (scope, value)
);
CREATE INDEX used_once_expiry ON used_once (expires_at);

CREATE TABLE signing_keys (
	id         TEXT NOT NULL PRIMARY KEY,
	purpose    TEXT NOT NULL,
	algorithm  TEXT NOT NULL,
	public     BLOB NOT NULL,
	sealed     BLOB NOT NULL,
	created_at TIMESTAMP NOT NULL,
	retired_at TIMESTAMP
);
CREATE INDEX signing_keys_purpose ON signing_keys (purpose, created_at);

-- +goose Down
SELECT 1; -- what the gateway issued must not be dropped by a command: restore a backup instead
