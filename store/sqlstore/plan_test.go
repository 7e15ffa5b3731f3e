package sqlstore_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"badgebridge/internal/testenv/database"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
)

// byIndex are the reads behind the pages of one person and one badge.
func byIndex(ctx context.Context, db *sqlstore.DB) []error {
	var failed []error
	note := func(_ any, err error) {
		if err != nil {
			failed = append(failed, err)
		}
	}
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	mine := store.ShelfFilter{PersonID: "p", Claim: store.Claimed, Visibilities: []store.Visibility{store.Public}, Now: now, Limit: 24}
	named, state, inside := mine, mine, mine
	named.Text, named.Order, named.Issuer = "two words", store.ByName, "Far College"
	state.State, state.Origin = store.Unclear, "campus"
	inside.CollectionID, inside.Order, inside.State = "c", store.AsCollection, store.Ending
	for _, f := range []store.ShelfFilter{mine, named, state, inside} {
		note(db.ShelfBadges(ctx, f))
		note(db.CountShelf(ctx, f))
		note(db.ShelfFacets(ctx, f))
	}
	note(db.CollectionsOf(ctx, "p"))
	note(db.CollectionCovers(ctx, "p", mine.Visibilities, 4))
	note(db.CollectionBadges(ctx, "c"))
	note(db.CollectionsWith(ctx, "a"))
	note(db.CollectedOf(ctx, "a", "b"))
	note(db.CollectedWaiting(ctx, "p"))
	note(db.AssertionsOf(ctx, openbadges.V20, "a", "b"))
	note(db.IdentifiersOf(ctx, "p", "q"))
	note(db.SignInsOf(ctx, "p", "q"))
	note(db.AwardsByAssertion(ctx, "p", "https://far.example/a"))
	note(db.Awards(ctx, store.AwardFilter{PersonID: "p", ClassID: "c", Limit: 1}))
	return failed
}

// grows are the tables that people and their badges fill.
var grows = regexp.MustCompile(`^(awards|collected|assertions|collections|collection_badges|profiles|former_profiles|persons|identifiers|sign_ins|links|pushes|[abkl])$`)

func TestWhatOnePersonsPagesReadIsFoundByAnIndex(t *testing.T) {
	for name, c := range map[string]struct {
		url  func(testing.TB) string
		plan func(*testing.T, *sqlstore.DB, string) []string
	}{"sqlite": {database.SQLite, scansOfSQLite}, "postgres": {database.Postgres, scansOfPostgres}} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			db := open(t, c.url(t), sqlstore.Options{Watch: func(statement string, _ int) { asked = append(asked, statement) }})
			for _, err := range byIndex(t.Context(), db) {
				t.Error(err)
			}
			if len(asked) < 20 {
				t.Fatalf("only %d statements were heard of", len(asked))
			}
			if !slices.Contains(c.plan(t, db, `SELECT COUNT(*) FROM awards WHERE narrative = $1`), "awards") {
				t.Error("a read that no index helps was not noticed")
			}
			for _, statement := range asked {
				for _, table := range c.plan(t, db, statement) {
					if grows.MatchString(table) {
						t.Errorf("all of %s is read for\n%s", table, statement)
					}
				}
			}
		})
	}
}

var number = regexp.MustCompile(`\$\d+`)

func numbers(statement string) (most int) {
	for _, p := range number.FindAllString(statement, -1) {
		n, _ := strconv.Atoi(p[1:])
		most = max(most, n)
	}
	return most
}

var scanOfSQLite = regexp.MustCompile(`^SCAN (\w+)`)

// scansOfSQLite lists the tables, by the name that the statement has for them,
// that SQLite reads through.
func scansOfSQLite(t *testing.T, db *sqlstore.DB, statement string) (tables []string) {
	t.Helper()
	rows, err := db.SQL().QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, make([]any, numbers(statement))...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		if m := scanOfSQLite.FindStringSubmatch(step); m != nil {
			tables = append(tables, m[1])
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return tables
}

var scanOfPostgres = regexp.MustCompile(`Seq Scan on (\w+)`)

// scansOfPostgres lists the tables that PostgreSQL reads through although it was
// told to do so only where no index helps, whatever the values are.
func scansOfPostgres(t *testing.T, db *sqlstore.DB, statement string) (tables []string) {
	t.Helper()
	conn, err := db.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	run := "EXPLAIN EXECUTE looked_at"
	if n := numbers(statement); n > 0 {
		run = fmt.Sprintf("%s (%s)", run, strings.TrimSuffix(strings.Repeat("NULL, ", n), ", "))
	}
	for _, s := range []string{"SET enable_seqscan = off", "SET plan_cache_mode = force_generic_plan", "PREPARE looked_at AS " + statement} {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	rows, err := conn.Query(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var step string
		if err := rows.Scan(&step); err != nil {
			t.Fatal(err)
		}
		if m := scanOfPostgres.FindStringSubmatch(step); m != nil {
			tables = append(tables, m[1])
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%v\n%s", err, statement)
	}
	if _, err := conn.Exec(t.Context(), "DEALLOCATE looked_at"); err != nil {
		t.Fatal(err)
	}
	return tables
}
