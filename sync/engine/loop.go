package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"badgebridge/store"
)

// idle is how long the loops sleep at most: another replica's work, and a
// webhook that another replica took, are seen after that.
const idle = 2 * time.Second

// pullsAtOnce bounds how many remotes one process pulls at a time.
const pullsAtOnce = 4

// Run works until ctx ends: pulls what is due, sends what is queued. Errors of
// one remote are noted on it and stop nothing else.
func (e *Engine) Run(ctx context.Context) error {
	e.pullAtStart(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { e.loop(ctx, e.wakePull, e.pullDue) })
	wg.Go(func() { e.loop(ctx, e.wake, e.sendDue) })
	wg.Go(func() { e.loop(ctx, e.wakeImport, e.importDue) })
	wg.Wait()
	return ctx.Err()
}

// pullAtStart makes every remote due: nobody knows how long the gateway was
// away, or whether it was stopped to pull more often.
func (e *Engine) pullAtStart(ctx context.Context) {
	remotes, err := e.cfg.Store.Remotes(ctx)
	for _, r := range remotes {
		if r.State == store.RemoteActive {
			err = errors.Join(err, e.cfg.Store.MarkDirty(ctx, r.Name))
		}
	}
	if err != nil && ctx.Err() == nil {
		e.cfg.Log.Error("remotes not made due at the start", "error", err)
	}
}

func (e *Engine) loop(ctx context.Context, wake <-chan struct{}, work func(context.Context) time.Duration) {
	for ctx.Err() == nil {
		wait := work(ctx)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// pullDue pulls every remote that is due and says how long to wait.
func (e *Engine) pullDue(ctx context.Context) time.Duration {
	names, err := e.cfg.Store.DueRemotes(ctx, e.cfg.Now(), pullsAtOnce)
	if err != nil {
		if ctx.Err() == nil {
			e.cfg.Log.Error("due remotes not read", "error", err)
		}
		return idle
	}
	var wg sync.WaitGroup
	for _, name := range names {
		wg.Go(func() {
			run, err := e.Sync(ctx, name, SyncOptions{Cause: "schedule"})
			switch {
			case errors.Is(err, store.ErrStale):
			case err != nil && ctx.Err() == nil:
				e.cfg.Log.Warn("pull failed", "remote", name, "run", run.ID, "error", err)
			case run.State == store.RunHeld:
				e.cfg.Log.Warn("pull held", "remote", name, "run", run.ID, "reason", run.Message)
			}
		})
	}
	wg.Wait()
	return idle
}

// sendDue sends what is due and says how long to wait.
func (e *Engine) sendDue(ctx context.Context) time.Duration {
	if _, err := e.SendDue(ctx); err != nil {
		if ctx.Err() == nil {
			e.cfg.Log.Error("sending stopped", "error", err)
		}
		return idle
	}
	at, ok, err := e.cfg.Store.NextPush(ctx)
	if err != nil || !ok {
		return idle
	}
	// One that is due and was not leased is another process's, or waits for an
	// earlier push of the same award: look again soon, not at once.
	return min(idle, max(at.Sub(e.cfg.Now()), 200*time.Millisecond))
}
