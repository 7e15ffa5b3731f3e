// Package jobs runs background work (mail, rechecks, housekeeping) from the
// same database as everything else, so that a job is part of the transaction
// that asks for it: rolled back together, committed together.
//
// A job runs at least once. It runs again when its worker returned an error,
// when the process ended in the middle, or when it took longer than it may;
// workers are written so that a second run does no harm. Pushes to remotes are
// not jobs, they have a queue of their own (store.Pushes).
//
// It is the only package that knows the library underneath, River.
package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"badgebridge/store"
	"badgebridge/store/sqlstore"
)

// Work does one job. args is the JSON that the job was enqueued with. An error
// means: again, later. The context ends after Config.Timeout.
type Work func(ctx context.Context, args []byte) error

// Config says what a Queue does. The zero value takes jobs in and runs none.
type Config struct {
	// Workers by the kind of their jobs. A job whose kind has none waits, as
	// one that failed: another replica may be newer.
	Workers map[string]Work
	// MaxAttempts is how often a job is tried; 0 means 10, with the default
	// Backoff a day and a half.
	MaxAttempts int
	// Backoff is the pause after the given number of failed attempts; nil means
	// 10 s, 30 s, 90 s… and 12 hours at most.
	Backoff func(failed int) time.Duration
	// Concurrency is how many jobs run side by side; 0 means 4.
	Concurrency int
	// Timeout bounds one run of a job; 0 means a minute.
	Timeout time.Duration
	// Poll is how often the database is asked for work; 0 means every second.
	// On PostgreSQL a new job is told at once and polling is the safety net.
	Poll time.Duration
	// Logger hears what goes wrong in the machinery; nil means nobody. An error
	// of a job is not logged but kept with the job, see Failed.
	Logger *slog.Logger
}

// Queue takes jobs and, once started, runs them. It is safe for concurrent use.
type Queue struct {
	client  *river.Client[*sql.Tx]
	workers map[string]Work
	max     int
}

var _ sqlstore.Enqueuer = (*Queue)(nil)

const (
	// rescueAfter is when a job that a process left behind runs again. It must
	// be longer than any job may take.
	rescueAfter = 3 * time.Minute
	// cancelPatience is how long a cancelled job may take to notice.
	cancelPatience = 5 * time.Second
)

// New makes a queue on the database, whose tables Schema brings up to date. It
// starts nothing. To have store.Queue use it, give it to db.SetEnqueuer.
func New(db *sqlstore.DB, cfg Config) (*Queue, error) {
	q := &Queue{workers: cfg.Workers, max: orDefault(cfg.MaxAttempts, 10)}
	timeout := orDefault(cfg.Timeout, time.Minute)
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &worker{queue: q}); err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	backoff := cfg.Backoff
	if backoff == nil {
		backoff = defaultBackoff
	}
	logger := cfg.Logger
	if logger == nil {
		logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	client, err := river.NewClient(driver(db), &river.Config{
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: orDefault(cfg.Concurrency, 4)}},
		Workers:              workers,
		MaxAttempts:          q.max,
		RetryPolicy:          retryPolicy(backoff),
		JobTimeout:           timeout,
		RescueStuckJobsAfter: max(rescueAfter, 2*timeout),
		FetchPollInterval:    orDefault(cfg.Poll, time.Second),
		// On SQLite listening is polling too, twenty times a second.
		PollOnly: db.Dialect() == sqlstore.SQLite,
		Logger:   slog.New(quiet{logger.Handler()}),
	})
	if err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	q.client = client
	return q, nil
}

func orDefault[T int | time.Duration](v, fallback T) T {
	if v <= 0 {
		return fallback
	}
	return v
}

func driver(db *sqlstore.DB) riverdriver.Driver[*sql.Tx] {
	if db.Dialect() == sqlstore.Postgres {
		return riverdatabasesql.NewWithPgxListener(db.SQL(), db.Pool())
	}
	return riversqlite.New(db.SQL())
}

// Start begins to run jobs. They stop when ctx ends, or by Stop.
func (q *Queue) Start(ctx context.Context) error {
	if err := q.client.Start(ctx); err != nil {
		return fmt.Errorf("start jobs: %w", err)
	}
	return nil
}

// Stop takes no more jobs and waits for those that run until ctx ends; then it
// cancels them, and they run again at the next start.
func (q *Queue) Stop(ctx context.Context) error {
	err := q.client.Stop(ctx)
	if err == nil || ctx.Err() == nil {
		return err
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelPatience)
	defer cancel()
	if err := q.client.StopAndCancel(last); err != nil {
		return fmt.Errorf("stop jobs: some don't end: %w", err)
	}
	return nil
}

// args is the job as River keeps it. There is one kind of River's for all of
// ours: theirs are tied to Go types at compile time.
type args struct {
	Name string          `json:"kind" river:"unique"`
	Key  string          `json:"key,omitempty" river:"unique"`
	Args json.RawMessage `json:"args,omitempty"`
}

// Kind is River's name for it.
func (args) Kind() string { return "badgebridge" }

// Enqueue adds the job as part of tx. A job whose kind and UniqueKey are those
// of one that waits, runs, or was done in the last day is dropped without error.
func (q *Queue) Enqueue(ctx context.Context, tx *sql.Tx, j store.Job) error {
	if j.Kind == "" {
		return errors.New("a job needs a kind")
	}
	if len(j.Args) > 0 && !json.Valid(j.Args) {
		return fmt.Errorf("job %s: its arguments are not JSON", j.Kind)
	}
	opts := &river.InsertOpts{MaxAttempts: q.max, ScheduledAt: j.NotBefore}
	if j.UniqueKey != "" {
		opts.UniqueOpts = river.UniqueOpts{ByArgs: true}
	}
	if _, err := q.client.InsertTx(ctx, tx, args{Name: j.Kind, Key: j.UniqueKey, Args: j.Args}, opts); err != nil {
		return fmt.Errorf("add job %s: %w", j.Kind, err)
	}
	return nil
}

type worker struct {
	river.WorkerDefaults[args]
	queue *Queue
}

// Work finds the function for the job. A panic in it counts as an error.
func (w *worker) Work(ctx context.Context, job *river.Job[args]) error {
	work, ok := w.queue.workers[job.Args.Name]
	if !ok {
		return fmt.Errorf("no worker for jobs of kind %q in this program", job.Args.Name)
	}
	return work(ctx, job.Args.Args)
}

type retryPolicy func(failed int) time.Duration

// NextRetry is when a failed job runs again.
func (p retryPolicy) NextRetry(job *rivertype.JobRow) time.Time {
	return time.Now().Add(p(job.Attempt))
}

func defaultBackoff(failed int) time.Duration {
	const longest = 12 * time.Hour
	pause := 10 * time.Second
	for range failed - 1 {
		if pause *= 3; pause > longest {
			return longest
		}
	}
	return pause
}

// FailedJob is a job whose last run ended in an error.
type FailedJob struct {
	ID       int64
	Kind     string
	Attempts int
	Error    string    // of the last run
	At       time.Time // of the last run
	Next     time.Time // when it runs again; zero: it was given up
}

// Failed lists jobs that failed and were given up or wait for another attempt,
// newest first. Given up jobs are kept for a week.
func (q *Queue) Failed(ctx context.Context, limit int) ([]FailedJob, error) {
	if limit <= 0 || limit > 1000 {
		limit = 1000
	}
	found, err := q.client.JobList(ctx, river.NewJobListParams().
		States(rivertype.JobStateDiscarded, rivertype.JobStateRetryable).
		OrderBy(river.JobListOrderByID, river.SortOrderDesc).First(limit))
	if err != nil {
		return nil, fmt.Errorf("list failed jobs: %w", err)
	}
	out := make([]FailedJob, 0, len(found.Jobs))
	for _, row := range found.Jobs {
		var a args
		if err := json.Unmarshal(row.EncodedArgs, &a); err != nil {
			return nil, fmt.Errorf("list failed jobs: job %d: %w", row.ID, err)
		}
		f := FailedJob{ID: row.ID, Kind: a.Name, Attempts: row.Attempt}
		if n := len(row.Errors); n > 0 {
			f.Error, f.At = row.Errors[n-1].Error, row.Errors[n-1].At.UTC()
		}
		if row.State == rivertype.JobStateRetryable {
			f.Next = row.ScheduledAt.UTC()
		}
		out = append(out, f)
	}
	return out, nil
}

// Retry runs a failed job again at once, also one that was given up.
// store.ErrNotFound when there is no such job.
func (q *Queue) Retry(ctx context.Context, id int64) error {
	_, err := q.client.JobRetry(ctx, id)
	if errors.Is(err, rivertype.ErrNotFound) {
		return fmt.Errorf("retry job %d: %w", id, store.ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("retry job %d: %w", id, err)
	}
	return nil
}

// quiet lets through what is wrong with the machinery and keeps back what
// River says of every failed job: that is kept with the job.
type quiet struct{ slog.Handler }

func (h quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError && h.Handler.Enabled(ctx, level)
}

func (h quiet) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelError {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

func (h quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{h.Handler.WithAttrs(attrs)} }

func (h quiet) WithGroup(name string) slog.Handler { return quiet{h.Handler.WithGroup(name)} }
