package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// openTimeout bounds the first connection: long enough for a database that is
// starting too, short enough that an operator sees the reason.
const openTimeout = 10 * time.Second

func (d *DB) openSQLite(ctx context.Context, address string, maxConns int) error {
	path, err := sqlitePath(address)
	if err != nil {
		return err
	}
	if err := prepareFile(path); err != nil {
		return err
	}
	if maxConns <= 0 {
		maxConns = 8
	}
	// One connection would lock up whoever reads while a transaction is open.
	maxConns = max(maxConns, 2)
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: strings.Join([]string{
		"_pragma=busy_timeout(5000)",
		"_pragma=journal_mode(WAL)",
		"_pragma=synchronous(NORMAL)",
		"_pragma=foreign_keys(1)",
		// What is deleted is overwritten in the file: an erased account is gone.
		"_pragma=secure_delete(1)",
		"_txlock=immediate",
		"_time_format=sqlite",
	}, "&")}
	pool, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	pool.SetMaxOpenConns(maxConns)
	pool.SetMaxIdleConns(maxConns)
	d.sql, d.engine = pool, sqliteEngine()

	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	var n int
	if err := pool.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_master").Scan(&n); err != nil {
		_ = pool.Close()
		return sqliteTrouble(path, err)
	}
	return nil
}

// sqlitePath reads the file's path out of the forms that Open names.
func sqlitePath(address string) (string, error) {
	path := address
	if rest, ok := strings.CutPrefix(path, "sqlite:"); ok {
		path = rest
	} else if rest, ok := strings.CutPrefix(path, "file:"); ok {
		path = rest
	} else if scheme, _, ok := strings.Cut(path, "://"); ok {
		return "", fmt.Errorf("database URL: the scheme %q is not known: use sqlite:PATH or postgres://USER@HOST/NAME", scheme)
	}
	path = strings.TrimPrefix(path, "//")
	if path == "" || strings.Contains(path, ":memory:") {
		return "", errors.New("database URL: SQLite needs a file: use sqlite:PATH, in a folder that is kept")
	}
	if strings.ContainsAny(path, "?\x00") {
		return "", errors.New("database URL: parameters after the SQLite path are not supported: the gateway sets its own")
	}
	return filepath.Clean(path), nil
}

// prepareFile makes folder and file, for their owner only, and finds out
// whether both can be written: SQLite's own messages don't say which.
func prepareFile(path string) error {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("open database %s: its folder can't be made: set the data folder to one that this user may write: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		cure := "let the gateway's user own the file and its folder"
		if errors.Is(err, syscall.EROFS) {
			cure = "the file system is read-only: set the data folder to one that can be written"
		} else if errors.Is(err, syscall.EISDIR) {
			cure = "the path names a folder: name a file in it"
		}
		return fmt.Errorf("open database %s: %s: %w", path, cure, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("open database %s: %w", path, err)
	}
	// The log beside the file needs the folder as well.
	probe, err := os.CreateTemp(folder, ".write-probe-*")
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("open database %s: SQLite keeps a log beside its file: let the gateway's user write the folder %s: %w", path, folder, err)
	}
	if err == nil {
		_ = probe.Close()
		_ = os.Remove(probe.Name())
	}
	return nil
}

func sqliteTrouble(path string, err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
			return fmt.Errorf("open database %s: the file is not a sound SQLite database: restore it from a backup, or name another file: %w", path, err)
		case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
			return fmt.Errorf("open database %s: it can't be written: let the gateway's user own the file and its folder: %w", path, err)
		case sqlite3.SQLITE_FULL:
			return fmt.Errorf("open database %s: the disk is full: make room: %w", path, err)
		case sqlite3.SQLITE_BUSY:
			return fmt.Errorf("open database %s: another program keeps it locked: stop that program first: %w", path, err)
		}
	}
	return fmt.Errorf("open database %s: %w", path, err)
}

func (d *DB) openPostgres(ctx context.Context, address string, maxConns int) error {
	cfg, err := pgxpool.ParseConfig(address)
	if err != nil {
		// pgx leaves the password out of this error only where it can tell which
		// part that is: a broken URL is not repeated.
		return errors.New("database URL: it can't be read as postgres://USER:PASSWORD@HOST:PORT/NAME: write characters such as @ / # % in the password as %40 %2F %23 %25")
	}
	if maxConns > 0 {
		cfg.MaxConns = int32(min(maxConns, 1000)) //nolint:gosec // bounded here
	} else if !strings.Contains(address, "pool_max_conns") {
		cfg.MaxConns = 16
	}
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "badgebridge"
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = openTimeout
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	d.pool, d.sql, d.engine = pool, stdlib.OpenDBFromPool(pool), postgresEngine()

	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if err := d.sql.PingContext(ctx); err != nil {
		_ = d.sql.Close()
		pool.Close()
		return postgresTrouble(cfg.ConnConfig.Host, cfg.ConnConfig.Port, cfg.ConnConfig.Database, err)
	}
	return nil
}

func postgresTrouble(host string, port uint16, name string, err error) error {
	where := fmt.Sprintf("open database %s at %s", name, net.JoinHostPort(host, fmt.Sprint(port)))
	var e *pgconn.PgError
	if errors.As(err, &e) {
		switch e.Code {
		case "28P01", "28000":
			return fmt.Errorf("%s: PostgreSQL refuses the user or the password: correct them in the database URL: %s (%s)", where, e.Message, e.Code)
		case "3D000":
			return fmt.Errorf("%s: there is no such database: create it, owned by the gateway's user: %s (%s)", where, e.Message, e.Code)
		case "53300":
			return fmt.Errorf("%s: PostgreSQL has no connection left: raise max_connections, or lower pool_max_conns in the URL: %s (%s)", where, e.Message, e.Code)
		case "57P03":
			return fmt.Errorf("%s: PostgreSQL is still starting: try again in a moment: %s (%s)", where, e.Message, e.Code)
		}
		return fmt.Errorf("%s: %s (%s)", where, e.Message, e.Code)
	}
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return fmt.Errorf("%s: the host's name is not known: correct it in the database URL: %w", where, dns)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: nothing answers there: start PostgreSQL, or correct host and port in the database URL", where)
	case errors.Is(err, context.DeadlineExceeded), os.IsTimeout(err):
		return fmt.Errorf("%s: no answer in %s: is a firewall between, and does PostgreSQL listen on that address?", where, openTimeout)
	}
	return fmt.Errorf("%s: %w", where, err)
}
