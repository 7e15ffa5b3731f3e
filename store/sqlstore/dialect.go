package sqlstore

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Dialect names an engine.
type Dialect string

// The engines.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// engine holds all that differs between the engines once a connection is open:
// a handful of clauses and the codes of errors.
type engine struct {
	name Dialect
	// forUpdate ends a SELECT whose row the transaction is about to change.
	// SQLite needs none: a transaction there is the only writer from its start.
	forUpdate string
	// skipLocked is forUpdate for a queue: rows that another transaction has in
	// hand are left out instead of waited for.
	skipLocked string
	// lockLeasing makes the transaction the only one that leases pushes.
	lockLeasing string
	// lockParts and unlockParts keep replicas from migrating components together.
	lockParts, unlockParts string
	beforeClose            string

	duplicate func(error) bool // a unique key is taken
	orphan    func(error) bool // a row that it refers to does not exist
	again     func(error) bool // the transaction was given up and can run again
}

func sqliteEngine() engine {
	is := func(codes ...int) func(error) bool {
		return func(err error) bool {
			var e *sqlite.Error
			if !errors.As(err, &e) {
				return false
			}
			for _, code := range codes {
				if e.Code() == code {
					return true
				}
			}
			return false
		}
	}
	return engine{
		name:        SQLite,
		beforeClose: "PRAGMA optimize",
		duplicate:   is(sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY),
		orphan:      is(sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY),
		again:       is(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_BUSY_RECOVERY, sqlite3.SQLITE_LOCKED),
	}
}

func postgresEngine() engine {
	is := func(codes ...string) func(error) bool {
		return func(err error) bool {
			var e *pgconn.PgError
			if !errors.As(err, &e) {
				return false
			}
			for _, code := range codes {
				if e.Code == code {
					return true
				}
			}
			return false
		}
	}
	return engine{
		name:       Postgres,
		forUpdate:  " FOR UPDATE",
		skipLocked: " FOR UPDATE OF p SKIP LOCKED",
		// The numbers only have to be the same everywhere and differ.
		lockLeasing: "SELECT pg_advisory_xact_lock(7089077955073074547)",
		lockParts:   "SELECT pg_advisory_lock(7089077955073011297)",
		unlockParts: "SELECT pg_advisory_unlock(7089077955073011297)",
		duplicate:   is("23505"),
		orphan:      is("23503"),
		again:       is("40001", "40P01"),
	}
}
