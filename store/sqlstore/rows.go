package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"badgebridge/store"
)

// calls has every method of store.Tx, over the pool or over one transaction.
type calls struct {
	db *DB
	q  interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
	tx *sql.Tx // nil over the pool
}

// together runs f in the transaction that c belongs to, or in one of its own.
func (c *calls) together(ctx context.Context, f func(c *calls) error) error {
	if c.tx != nil {
		return f(c)
	}
	return c.db.inTx(ctx, f)
}

func (c *calls) now() time.Time { return store.Moment(c.db.now()) }

// exec runs a statement and tells how many rows it changed.
func (c *calls) exec(ctx context.Context, op, query string, args ...any) (int, error) {
	res, err := c.q.ExecContext(ctx, query, cleanAll(args)...)
	if err != nil {
		return 0, c.failed(op, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, c.failed(op, err)
	}
	c.db.watch(query, int(n))
	return int(n), nil
}

// must runs a statement that has to change a row, or else fails with none.
func (c *calls) must(ctx context.Context, op string, none error, query string, args ...any) error {
	n, err := c.exec(ctx, op, query, args...)
	if err == nil && n == 0 {
		return fmt.Errorf("%s: %w", op, none)
	}
	return err
}

// missingOrStale is for a conditional update that changed nothing: it asks
// whether the row is not there or its condition did not hold.
func (c *calls) missingOrStale(ctx context.Context, op, exists string, key any) error {
	n, err := count(ctx, c, op, exists, key)
	switch {
	case err != nil:
		return err
	case n == 0:
		return fmt.Errorf("%s: %w", op, store.ErrNotFound)
	}
	return fmt.Errorf("%s: %w", op, store.ErrStale)
}

// failed names the operation and turns the engine's code into the store's error.
func (c *calls) failed(op string, err error) error {
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%s: %w", op, store.ErrNotFound)
	case c.db.engine.duplicate(err):
		return fmt.Errorf("%s: %w (%w)", op, store.ErrExists, err)
	case c.db.engine.orphan(err):
		return fmt.Errorf("%s: a row that it refers to: %w (%w)", op, store.ErrNotFound, err)
	}
	return fmt.Errorf("%s: %w", op, err)
}

// scanner is a row under the cursor.
type scanner interface{ Scan(dest ...any) error }

// many reads all rows. They are closed before it returns, so that the next
// statement of a transaction finds its connection free.
func many[T any](ctx context.Context, c *calls, op string, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := c.q.QueryContext(ctx, query, cleanAll(args)...)
	if err != nil {
		return nil, c.failed(op, err)
	}
	defer func() { _ = rows.Close() }()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, c.failed(op, err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, c.failed(op, err)
	}
	c.db.watch(query, len(out))
	return out, nil
}

// one reads the first row; store.ErrNotFound when there is none.
func one[T any](ctx context.Context, c *calls, op string, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	all, err := many(ctx, c, op, scan, query, args...)
	if err != nil {
		var none T
		return none, err
	}
	if len(all) == 0 {
		var none T
		return none, fmt.Errorf("%s: %w", op, store.ErrNotFound)
	}
	return all[0], nil
}

// value scans a row of one column.
func value[T any](row scanner) (v T, err error) {
	err = row.Scan(&v)
	return v, err
}

func count(ctx context.Context, c *calls, op, query string, args ...any) (int, error) {
	return one(ctx, c, op, value[int], query, args...)
}

// moment is a time on its way into or out of a row: UTC, microseconds, NULL
// for the zero time.
type moment time.Time

func (m moment) Value() (driver.Value, error) {
	t := store.Moment(time.Time(m))
	if t.IsZero() {
		return nil, nil
	}
	return t, nil
}

// due is a moment in a column that is never NULL: the zero time stays itself
// and so sorts before all others.
type due time.Time

func (d due) Value() (driver.Value, error) { return store.Moment(time.Time(d)), nil }

// when scans a time into *t.
func when(t *time.Time) sql.Scanner { return (*timeInto)(t) }

type timeInto time.Time

func (t *timeInto) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = timeInto{}
	case time.Time:
		*t = timeInto(store.Moment(v))
	case string: // SQLite gives text where a column's type got lost in an expression
		parsed, err := time.Parse("2006-01-02 15:04:05.999999999-07:00", v)
		if err != nil {
			return err
		}
		*t = timeInto(store.Moment(parsed))
	default:
		return fmt.Errorf("a time can't be read from a %T", src)
	}
	return nil
}

// optional is a text column that is NULL for "", because it refers to a row.
type optional string

func (o optional) Value() (driver.Value, error) {
	if o == "" {
		return nil, nil
	}
	return clean(string(o)), nil
}

// orEmpty scans a text that may be NULL into *s.
func orEmpty(s *string) sql.Scanner { return (*textInto)(s) }

type textInto string

func (t *textInto) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = ""
	case string:
		*t = textInto(v)
	case []byte:
		*t = textInto(v)
	default:
		return fmt.Errorf("a text can't be read from a %T", src)
	}
	return nil
}

// asJSON is a value kept as JSON text.
func asJSON(v any) driver.Valuer { return jsonOf{v} }

type jsonOf struct{ v any }

func (j jsonOf) Value() (driver.Value, error) {
	b, err := json.Marshal(j.v)
	if err != nil {
		return nil, err
	}
	return string(b), nil
}

// fromJSON scans JSON text into *v.
func fromJSON(v any) sql.Scanner { return jsonInto{v} }

type jsonInto struct{ v any }

func (j jsonInto) Scan(src any) error {
	var text textInto
	if err := text.Scan(src); err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), j.v)
}

// notNil is a byte column that is never NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// cleanAll makes every text fit for both engines, in place: PostgreSQL refuses
// NUL and broken UTF-8, and one such character in a remote's words must not
// stop a whole pull for ever.
func cleanAll(args []any) []any {
	for i, a := range args {
		switch v := a.(type) {
		case string:
			args[i] = clean(v)
		case driver.Valuer, []byte, int, bool:
		default:
			if r := reflect.ValueOf(a); r.Kind() == reflect.String {
				args[i] = clean(r.String())
			}
		}
	}
	return args
}

func clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// maxRows bounds every listing that its caller did not bound.
const maxRows = 10_000

func limited(limit int) int {
	if limit <= 0 || limit > maxRows {
		return maxRows
	}
	return limit
}

// where collects the conditions of a listing. A condition holds %d where its
// placeholder's number goes.
type where struct {
	conditions []string
	args       []any
}

func (w *where) add(condition string, arg any) {
	w.args = append(w.args, arg)
	w.conditions = append(w.conditions, fmt.Sprintf(condition, len(w.args)))
}

// in adds that a column has one of the values, of which there is at least one.
func in[T any](w *where, column string, values []T) {
	list := make([]string, len(values))
	for i, v := range values {
		w.args = append(w.args, v)
		list[i] = fmt.Sprintf("$%d", len(w.args))
	}
	w.is(column + " IN (" + strings.Join(list, ", ") + ")")
}

func (w *where) is(condition string) { w.conditions = append(w.conditions, condition) }

func (w *where) String() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}
