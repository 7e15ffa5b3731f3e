// Package sqlstore keeps the gateway's truth in SQLite or PostgreSQL.
//
// There is one SQL text for both, with $1 placeholders; what differs is in
// dialect.go and in the column types of migrations/. The rules that a caller
// can rely on are those of the package store, and the suite in storetest holds
// both engines to them.
//
// A method called on the DB runs by itself; the same method called on the
// store.Tx that InTx hands out is part of that transaction. Inside InTx use
// nothing but that Tx: SQLite lets one writer in at a time, so that a call on
// the DB would wait for the very transaction it is made from.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"badgebridge/store"
)

// Options are what Open needs beside the URL. The zero value is right for
// most programs and tests.
type Options struct {
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// KeepSchema leaves the schema as it is, whatever its version: for the
	// commands that show or change it. Without it Open brings an older schema
	// up to date and refuses a newer one.
	KeepSchema bool
	// MaxConns bounds the connections; 0 means 8 on SQLite and 16 on PostgreSQL.
	MaxConns int
	// Components are migrated together with the schema of this package.
	Components []Component
	// Watch, when set, hears of each statement of the store's methods with the
	// number of rows that it returned or changed: for tests and benchmarks that
	// count. It is called by many goroutines at once.
	Watch func(statement string, rows int)
}

// Enqueuer adds a background job as part of tx. The package jobs has one.
type Enqueuer interface {
	Enqueue(ctx context.Context, tx *sql.Tx, j store.Job) error
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	calls
	sql      *sql.DB
	pool     *pgxpool.Pool // nil on SQLite
	engine   engine
	now      func() time.Time
	parts    []Component
	watch    func(statement string, rows int)
	enqueuer atomic.Pointer[Enqueuer]
}

var _ store.Store = (*DB)(nil)

// Open connects to the database that the URL names and brings its schema up
// to date (see Options.KeepSchema):
//
//	sqlite:data/badgebridge.db   file:data/badgebridge.db   data/badgebridge.db
//	postgres://user:password@host:5432/badgebridge?sslmode=require
//
// A SQLite file is made when it is missing, readable by its owner only, and so
// is its folder. An error says in one line what is wrong and what helps; it
// never holds the password.
func Open(ctx context.Context, url string, opts Options) (*DB, error) {
	d := &DB{now: opts.Now, parts: opts.Components, watch: opts.Watch}
	if d.now == nil {
		d.now = time.Now
	}
	if d.watch == nil {
		d.watch = func(string, int) {}
	}
	d.calls = calls{db: d}
	var err error
	if isPostgres(url) {
		err = d.openPostgres(ctx, url, opts.MaxConns)
	} else {
		err = d.openSQLite(ctx, url, opts.MaxConns)
	}
	if err != nil {
		return nil, err
	}
	d.q = d.sql
	if opts.KeepSchema {
		return d, nil
	}
	if err := d.MigrateUp(ctx); err != nil {
		_ = d.Close()
		return nil, err
	}
	return d, nil
}

func isPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

// SQL is the pool under the store, for packages that keep tables of their own
// in the same database. It must not be used inside InTx.
func (d *DB) SQL() *sql.DB { return d.sql }

// Pool is the native pool under SQL on PostgreSQL, nil on SQLite.
func (d *DB) Pool() *pgxpool.Pool { return d.pool }

// Dialect tells which engine it is.
func (d *DB) Dialect() Dialect { return d.engine.name }

// SetEnqueuer says who takes the jobs that Enqueue is given. It is called once,
// when the program is wired.
func (d *DB) SetEnqueuer(e Enqueuer) { d.enqueuer.Store(&e) }

// Ping tells whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	if err := d.sql.PingContext(ctx); err != nil {
		return fmt.Errorf("ping database: %w", err)
	}
	return nil
}

// Close waits for running statements and closes the connections. On SQLite it
// also lets the planner keep what it learned about the indexes.
func (d *DB) Close() error {
	if d.engine.beforeClose != "" {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		_, _ = d.sql.ExecContext(ctx, d.engine.beforeClose)
		cancel()
	}
	err := d.sql.Close()
	if d.pool != nil {
		d.pool.Close()
	}
	return err
}

// attempts bounds how often InTx runs a transaction that the database asks to
// run again.
const attempts = 6

// InTx runs f in one transaction and runs it again, a few times and a little
// later each time, when the database gave it up in favour of another (deadlock,
// serialization failure, SQLite busy).
func (d *DB) InTx(ctx context.Context, f func(tx store.Tx) error) error {
	return d.inTx(ctx, func(c *calls) error { return f(c) })
}

func (d *DB) inTx(ctx context.Context, f func(c *calls) error) error {
	pause := 5 * time.Millisecond
	for attempt := 1; ; attempt++ {
		err := d.once(ctx, f)
		if err == nil || attempt == attempts || !d.engine.again(err) {
			return err
		}
		timer := time.NewTimer(pause + rand.N(pause))
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
		pause *= 2
	}
}

func (d *DB) once(ctx context.Context, f func(c *calls) error) error {
	tx, err := d.sql.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := f(&calls{db: d, q: tx, tx: tx}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("commit: %w", err)
	} else if err != nil { // ctx ended first: database/sql has rolled back
		return fmt.Errorf("commit: %w", errors.Join(context.Cause(ctx), err))
	}
	return nil
}
