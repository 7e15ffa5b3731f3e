package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"badgebridge/internal/testenv/postgres"
	"badgebridge/store"
	"badgebridge/store/jobs"
	"badgebridge/store/sqlstore"
)

func TestMain(m *testing.M) { os.Exit(postgres.Keep(m)) }

var engines = map[string]func(t testing.TB) string{
	"sqlite":   func(t testing.TB) string { return "sqlite:" + t.TempDir() + "/badgebridge.db" },
	"postgres": func(t testing.TB) string { return postgres.Start(t) },
}

func onBoth(t *testing.T, test func(t *testing.T, db *sqlstore.DB)) {
	for name, url := range engines {
		t.Run(name, func(t *testing.T) {
			db, err := sqlstore.Open(t.Context(), url(t), sqlstore.Options{Components: []sqlstore.Component{jobs.Schema()}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			test(t, db)
		})
	}
}

// queue makes a queue that retries at once, and wires it.
func queue(t *testing.T, db *sqlstore.DB, workers map[string]jobs.Work) *jobs.Queue {
	t.Helper()
	q, err := jobs.New(db, jobs.Config{
		Workers: workers, MaxAttempts: 3, Poll: 100 * time.Millisecond,
		Backoff: func(int) time.Duration { return time.Millisecond },
	})
	if err != nil {
		t.Fatal(err)
	}
	db.SetEnqueuer(q)
	return q
}

func start(t *testing.T, q *jobs.Queue) {
	t.Helper()
	if err := q.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, q) })
}

func stop(t *testing.T, q *jobs.Queue) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := q.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// seen collects what workers were given.
type seen struct {
	mu   sync.Mutex
	args []string
}

func (s *seen) add(args []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.args = append(s.args, string(args))
}

func (s *seen) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.args...)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(40 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatal("in vain waited for: " + what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func enqueue(t *testing.T, q store.Queue, j store.Job) {
	t.Helper()
	if err := q.Enqueue(t.Context(), j); err != nil {
		t.Fatal(err)
	}
}

func TestAJobIsPartOfTheTransactionThatAsksForIt(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sqlstore.DB) {
		var s seen
		start(t, queue(t, db, map[string]jobs.Work{"note": func(_ context.Context, args []byte) error { s.add(args); return nil }}))
		broken := errors.New("broken")
		for i := range 10 {
			err := db.InTx(t.Context(), func(tx store.Tx) error {
				enqueue(t, tx, store.Job{Kind: "note", Args: fmt.Appendf(nil, `{"n":%d}`, i)})
				if i%2 == 0 {
					return broken
				}
				return nil
			})
			if i%2 == 0 != errors.Is(err, broken) {
				t.Fatal(err)
			}
		}
		enqueue(t, db, store.Job{Kind: "note", Args: []byte(`{"n":"last"}`)})
		eventually(t, "six jobs", func() bool { return len(s.list()) == 6 })
		for _, args := range s.list() {
			for _, rolledBack := range "02468" {
				if strings.Contains(args, string(rolledBack)) {
					t.Errorf("job %s ran although its transaction was rolled back", args)
				}
			}
		}
	})
}

func TestAUniqueJobIsTakenOnceByKind(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sqlstore.DB) {
		var s seen
		work := func(_ context.Context, args []byte) error { s.add(args); return nil }
		q := queue(t, db, map[string]jobs.Work{"mail": work, "note": work})
		for i := range 5 {
			enqueue(t, db, store.Job{Kind: "mail", UniqueKey: "award-1", Args: fmt.Appendf(nil, `"mail %d"`, i)})
		}
		enqueue(t, db, store.Job{Kind: "note", UniqueKey: "award-1", Args: []byte(`"note"`)})
		enqueue(t, db, store.Job{Kind: "mail", UniqueKey: "award-2", Args: []byte(`"other"`)})
		for range 2 { // without a key nothing is dropped
			enqueue(t, db, store.Job{Kind: "mail", Args: []byte(`"free"`)})
		}
		// In a transaction the duplicate must not spoil what comes after it.
		if err := db.InTx(t.Context(), func(tx store.Tx) error {
			enqueue(t, tx, store.Job{Kind: "mail", UniqueKey: "award-1"})
			enqueue(t, tx, store.Job{Kind: "mail", Args: []byte(`"end"`)})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		start(t, q)
		count := func(want string) (n int) {
			for _, args := range s.list() {
				if args == want {
					n++
				}
			}
			return n
		}
		eventually(t, "all jobs", func() bool {
			return count(`"end"`) == 1 && count(`"free"`) == 2 && count(`"other"`) == 1 && count(`"note"`) == 1
		})
		eventually(t, "the first", func() bool { return count(`"mail 0"`) == 1 })
		if n := len(s.list()); n != 6 {
			t.Fatalf("%d jobs ran: %v", n, s.list())
		}
	})
}

func TestAFailingJobIsTriedAgainAndThenShownAsFailed(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sqlstore.DB) {
		var good, bad, lost seen
		q := queue(t, db, map[string]jobs.Work{
			"twice": func(_ context.Context, args []byte) error {
				good.add(args)
				if len(good.list()) < 3 {
					return errors.New("not yet")
				}
				return nil
			},
			"never": func(_ context.Context, args []byte) error {
				bad.add(args)
				if len(bad.list()) == 2 {
					panic("on purpose")
				}
				return fmt.Errorf("attempt %d: mailbox full", len(bad.list()))
			},
			"later": func(_ context.Context, args []byte) error { lost.add(args); return nil },
		})
		start(t, q)
		enqueue(t, db, store.Job{Kind: "twice"})
		enqueue(t, db, store.Job{Kind: "never", Args: []byte(`{"to":"ada@example.org"}`)})
		enqueue(t, db, store.Job{Kind: "later", NotBefore: time.Now().Add(time.Hour)})
		eventually(t, "success at the third attempt", func() bool { return len(good.list()) == 3 })
		var failed []jobs.FailedJob
		eventually(t, "the job that was given up", func() bool {
			var err error
			if failed, err = q.Failed(t.Context(), 10); err != nil {
				t.Fatal(err)
			}
			return len(failed) == 1 && failed[0].Next.IsZero()
		})
		if f := failed[0]; f.Kind != "never" || f.Attempts != 3 || f.Error != "attempt 3: mailbox full" || f.At.IsZero() {
			t.Fatalf("failed job: %+v", f)
		}
		if err := q.Retry(t.Context(), failed[0].ID); err != nil {
			t.Fatal(err)
		}
		eventually(t, "another attempt", func() bool { return len(bad.list()) == 4 })
		if err := q.Retry(t.Context(), 1<<40); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("retry of an unknown job: %v", err)
		}
		if len(lost.list()) != 0 {
			t.Fatal("a job ran before its time")
		}
	})
}

func TestAJobWhoseWorkerWasStoppedRunsAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sqlstore.DB) {
		entered := make(chan struct{})
		first := queue(t, db, map[string]jobs.Work{"slow": func(ctx context.Context, _ []byte) error {
			close(entered)
			<-ctx.Done()
			return ctx.Err()
		}})
		if err := first.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		enqueue(t, db, store.Job{Kind: "slow", Args: []byte(`1`)})
		<-entered
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		if err := first.Stop(ended); err != nil {
			t.Fatal(err)
		}
		var s seen
		start(t, queue(t, db, map[string]jobs.Work{"slow": func(_ context.Context, args []byte) error { s.add(args); return nil }}))
		eventually(t, "the second run", func() bool { return len(s.list()) == 1 })
	})
}

func TestAnUnknownKindWaitsAndBadJobsAreRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sqlstore.DB) {
		if err := db.Enqueue(t.Context(), store.Job{Kind: "mail"}); err == nil {
			t.Fatal("a job without a queue was taken")
		}
		q := queue(t, db, nil)
		for _, j := range []store.Job{{}, {Kind: "mail", Args: []byte("no json")}} {
			if err := db.Enqueue(t.Context(), j); err == nil {
				t.Errorf("job %+v was taken", j)
			}
		}
		start(t, q)
		enqueue(t, db, store.Job{Kind: "from-the-future"})
		eventually(t, "the failure", func() bool {
			failed, err := q.Failed(t.Context(), 10)
			return err == nil && len(failed) == 1 && strings.Contains(failed[0].Error, "from-the-future")
		})
		status, err := db.MigrationStatus(t.Context())
		if err != nil || len(status) != 2 || status[1].Part != "jobs" || status[1].Pending() || status[1].Have == 0 {
			t.Fatalf("status %+v, %v", status, err)
		}
	})
}
