package connections

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/sync/outbox"
)

// idle is how long Run sleeps at most: another replica's work is seen after that.
const idle = 2 * time.Second

// sweepEvery is how often everything is looked at that sends by itself: for what
// a crash made forgotten.
const sweepEvery = 5 * time.Minute

// batch is how many deposits are read at a time.
const batch = 20

// Wake makes Run look for work at once. It never blocks.
func (c *Connections) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends. Errors of one connection are noted on it and stop no
// other.
func (c *Connections) Run(ctx context.Context) error {
	var swept time.Time
	for {
		all := c.cfg.Now().Sub(swept) >= sweepEvery
		if all {
			swept = c.cfg.Now()
		}
		if _, err := c.Offer(ctx, all); err != nil && ctx.Err() == nil {
			c.cfg.Log.ErrorContext(ctx, "badges were not put on their way", "error", err)
		}
		if _, err := c.SendDue(ctx); err != nil && ctx.Err() == nil {
			c.cfg.Log.ErrorContext(ctx, "sending to backpacks stopped", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.wake:
		case <-time.After(idle):
		}
	}
}

// SendDue serves the connections that have something to send, until none has or
// ctx ends, and returns how many attempts were made. Several processes may do so
// at once.
func (c *Connections) SendDue(ctx context.Context) (int, error) {
	total := 0
	for ctx.Err() == nil {
		if c.cfg.BaseURL(ctx) == "" {
			return total, nil // nothing of ours could be verified
		}
		now := c.cfg.Now()
		until := now.Add(2*c.cfg.CallTimeout + 5*time.Second)
		conns, err := c.cfg.Store.LeaseConnections(ctx, now, until, c.cfg.Workers)
		if err != nil {
			return total, fmt.Errorf("lease connections: %w", err)
		}
		if len(conns) == 0 {
			return total, nil
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		for _, conn := range conns {
			wg.Go(func() {
				n := c.serve(ctx, conn, until)
				mu.Lock()
				total += n
				mu.Unlock()
			})
		}
		wg.Wait()
	}
	return total, ctx.Err()
}

// serve sends what is due through one connection that is leased until then, and
// releases it: at once, or after a pause that the other side asked for.
func (c *Connections) serve(ctx context.Context, conn store.Connection, until time.Time) (sent int) {
	pause := time.Duration(0)
	defer func() {
		end, cancel := closing(ctx)
		defer cancel()
		if err := c.cfg.Store.ReleaseConnection(end, conn.ID, store.Moment(c.cfg.Now().Add(pause))); err != nil {
			c.cfg.Log.ErrorContext(ctx, "a connection was not released", "connection", conn.ID, "error", err)
		}
	}()
	l, err := c.open(conn)
	if err == nil {
		err = c.renew(ctx, l, false)
	}
	if err != nil {
		pause = c.failed(ctx, conn, err)
		return 0
	}
	for {
		due, err := c.cfg.Store.DueDeposits(ctx, conn.ID, c.cfg.Now(), batch)
		if err != nil || len(due) == 0 {
			return sent
		}
		for _, d := range due {
			if ctx.Err() != nil || c.cfg.Now().Add(c.cfg.CallTimeout).After(until) {
				return sent
			}
			sent++
			if err := c.deposit(ctx, l, d); err != nil {
				pause = c.failed(ctx, conn, err)
				return sent
			}
		}
	}
}

// failed notes that a connection can't be used now and says how long to leave it
// alone.
func (c *Connections) failed(ctx context.Context, conn store.Connection, err error) time.Duration {
	end, cancel := closing(ctx)
	defer cancel()
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrStale):
		return 0 // the person disconnected, or connected again
	case errors.Is(err, adapters.ErrUnauthorized):
		if err := c.breaks(end, conn.ID, said(err)); err != nil && !errors.Is(err, store.ErrNotFound) {
			c.cfg.Log.ErrorContext(ctx, "a connection was not marked", "connection", conn.ID, "error", err)
		}
		return 0
	case adapters.Temporary(err), adapters.IsAmbiguous(err):
		return min(max(adapters.RetryAfter(err), 5*time.Second), time.Hour)
	}
	c.cfg.Log.ErrorContext(ctx, "a connection can't be used", "connection", conn.ID, "error", err)
	return time.Minute
}

// breaks marks a connection whose grant has ended: the person has to connect
// again, and what is left waits for that.
func (c *Connections) breaks(ctx context.Context, id, words string) error {
	return c.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		conn, err := tx.Connection(ctx, id)
		if err != nil {
			return err
		}
		conn.State, conn.Message = store.ConnectionBroken, words
		if err := tx.PutConnection(ctx, conn); err != nil {
			return err
		}
		for _, from := range []store.PushState{store.PushQueued, store.PushSent} {
			if _, err := tx.MoveDeposits(ctx, id, from, store.PushWaiting); err != nil {
				return err
			}
		}
		return nil
	})
}

// deposit makes one attempt. What the other side said of this badge is on its
// row; an error is one of the connection, or of the store.
func (c *Connections) deposit(ctx context.Context, l *line, d store.Deposit) error {
	in, reason, err := c.pack(ctx, l.Connection, d)
	if err != nil {
		return err
	}
	if reason != "" {
		d.State, d.Reason, d.Words = store.PushCancelled, reason, ""
		if reason == NoForm {
			d.State = store.PushRejected
		}
		return c.cfg.Store.PutDeposit(ctx, d)
	}
	// Sent is written before the call, so that after a crash the call may have
	// happened.
	d.State, d.Reason, d.Words, d.Attempts = store.PushSent, "", "", d.Attempts+1
	d.NextAt = store.Moment(c.cfg.Now().Add(c.cfg.CallTimeout))
	if err := c.cfg.Store.PutDeposit(ctx, d); err != nil {
		return err
	}
	ref, err := c.store(ctx, l, in)
	end, cancel := closing(ctx)
	defer cancel()
	if err == nil {
		d.State, d.Ref = store.PushDone, ref
		return c.cfg.Store.PutDeposit(end, d)
	}
	if ctx.Err() != nil {
		return err // stopping: it stays sent, and is given again
	}
	if ours := new(adapters.Error); !errors.As(err, &ours) {
		// Nothing that the other side said: the grant changed or went meanwhile.
		d.State, d.Attempts, d.NextAt = store.PushQueued, d.Attempts-1, store.Moment(c.cfg.Now())
		if perr := c.cfg.Store.PutDeposit(end, d); perr != nil {
			return perr
		}
		return err
	}
	// A deposit is settled like an update: doing it twice is no error.
	p := outbox.Failed(store.Push{Op: store.OpUpdate, Key: d.Key, Attempts: d.Attempts}, err, store.Moment(c.cfg.Now()), 0)
	d.State, d.Reason, d.Words, d.Attempts = p.State, p.Reason, said(err), p.Attempts
	if !p.NextAt.IsZero() {
		d.NextAt = p.NextAt
	}
	if perr := c.cfg.Store.PutDeposit(end, d); perr != nil {
		return perr
	}
	if errors.Is(err, adapters.ErrUnauthorized) || adapters.Temporary(err) || adapters.IsAmbiguous(err) {
		return err
	}
	return nil
}

// store gives a badge to the other side; a grant that has ended is renewed once
// on the way.
func (c *Connections) store(ctx context.Context, l *line, in adapters.Deposit) (adapters.Ref, error) {
	give := func() (adapters.Ref, error) {
		b, ok := l.adapter.(adapters.Backpack)
		if !ok {
			return "", &adapters.Error{Op: "store", Kind: adapters.ErrRejected, Err: errors.New("it keeps no badges")}
		}
		call, cancel := context.WithTimeout(ctx, c.cfg.CallTimeout)
		defer cancel()
		return b.Store(call, in)
	}
	ref, err := give()
	if errors.Is(err, adapters.ErrUnauthorized) && !l.renewed {
		l.renewed = true
		if err := c.renew(ctx, l, true); err != nil {
			return "", err
		}
		return give()
	}
	return ref, err
}
