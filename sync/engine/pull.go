package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
)

// leaseFor is how long a pull keeps its remote to itself without a sign of
// life, which it gives at every page: one call, and the time to record its
// answer. After a crash the remote is pulled again when that has passed.
func (e *Engine) leaseFor() time.Duration { return e.cfg.CallTimeout + 15*time.Second }

// fresh is how long a remote that was just connected is asked again at once when
// it fails: a site that was paired a moment ago may not have put the key away yet
// that it was given.
const fresh = time.Minute

// maxPages bounds one run: a feed that never ends is a fault of the remote.
const maxPages = 20000

// SyncOptions narrows a Sync.
type SyncOptions struct {
	Cause string // "person", "command", "schedule", "webhook"
	Full  bool   // list everything, too
}

// pull is one run over one remote.
type pull struct {
	e       *Engine
	run     store.Run
	remote  store.Remote
	adapter adapters.Adapter
	source  adapters.Source
	found   outcome
	hinted  bool // it asks about what webhooks named, and reads nothing else
	again   bool // it was asked for once more in the meantime
	// When what this run has read to its end began.
	readAt, listedAt time.Time
}

// held stops a run for a person to look at.
type heldError struct{ message string }

func (h heldError) Error() string { return h.message }

// Sync pulls one remote now and returns its run. A remote that another process
// pulls at the moment, or that is not active, gives store.ErrStale.
func (e *Engine) Sync(ctx context.Context, name adapters.Remote, o SyncOptions) (store.Run, error) {
	r, adapter, err := e.adapter(ctx, e.cfg.Store, name)
	if err != nil {
		return store.Run{}, err
	}
	if r.State != store.RemoteActive {
		return store.Run{}, fmt.Errorf("remote %s is %s (%s): %w", name, r.State, r.Reason, store.ErrStale)
	}
	now := e.cfg.Now()
	ok, dirty, err := e.cfg.Store.LeaseRemote(ctx, name, e.cfg.Owner, now, now.Add(e.leaseFor()))
	if err != nil {
		return store.Run{}, fmt.Errorf("lease remote %s: %w", name, err)
	}
	if !ok {
		return store.Run{}, fmt.Errorf("remote %s is being pulled by another process: %w", name, store.ErrStale)
	}
	// Every remote is made due at the start: the first pull is nobody's hint.
	_, again := e.pulled.LoadOrStore(name, true)
	if again && o.Cause == "schedule" && dirty {
		o.Cause = "webhook"
	}
	p := &pull{e: e, remote: r, adapter: adapter}
	if p.hinted = again && o.Cause == "schedule" && e.onlyHints(r, adapter, dirty); p.hinted {
		o.Cause = "webhook"
	}
	err = p.do(ctx, o)
	// The closing writes get a moment of their own, also when ctx has ended.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return p.close(end, err)
}

func (p *pull) do(ctx context.Context, o SyncOptions) error {
	e := p.e
	var err error
	p.run = store.Run{Remote: p.remote.Name, Kind: "changes", Cause: o.Cause, State: store.RunGoing, StartedAt: store.Moment(e.cfg.Now())}
	source, ok := p.adapter.(adapters.Source)
	if !ok {
		return nil // nothing to pull: the remote is only written to
	}
	p.source = source
	list := o.Full || p.remote.Cursor == "" || p.remote.ListCursor != "" || !e.cfg.Now().Before(p.remote.NextList)
	if list {
		p.run.Kind = "list"
	}
	if p.run, err = e.cfg.Store.CreateRun(ctx, p.run); err != nil {
		return fmt.Errorf("note the run: %w", err)
	}
	if err = e.cfg.Store.AbandonRuns(ctx, p.remote.Name, p.run.ID, "The process that ran it ended.", store.Moment(e.cfg.Now())); err != nil {
		return fmt.Errorf("note abandoned runs: %w", err)
	}
	if p.hinted {
		all, err := p.hints(ctx)
		if err != nil {
			return err
		}
		if p.hinted = !all; p.hinted {
			return p.images(ctx)
		}
	}
	if err = p.identify(ctx); err != nil {
		return err
	}
	if list || o.Cause == "person" || o.Cause == "command" {
		if err = p.classes(ctx); err != nil {
			return err
		}
	}
	if p.remote.Cursor != "" {
		err = p.changes(ctx)
		if errors.Is(err, adapters.ErrCursorGone) {
			// A restored backup, or a feed that was cleared: what happened since
			// can only be seen by listing everything.
			p.run.Kind, list = "list", true
			err = p.forget(ctx)
		}
		if err != nil {
			return err
		}
	}
	if list {
		if err = p.list(ctx); err != nil {
			return err
		}
	}
	p.readAt = p.run.StartedAt
	return p.images(ctx)
}

// identify checks the remote and that it is the system it was.
func (p *pull) identify(ctx context.Context) error {
	call, cancel := context.WithTimeout(ctx, p.e.cfg.CallTimeout)
	defer cancel()
	h, err := p.adapter.Check(call)
	if herr := p.e.noteHealth(ctx, p.remote.Name, h, err); herr != nil {
		return herr
	}
	if errors.Is(err, adapters.ErrIdentity) {
		return p.readOnly(ctx, adapters.Words(err))
	}
	if err != nil {
		return err
	}
	if p.remote.Identity == "" && h.Identity != "" {
		return p.e.cfg.Store.PinIdentity(ctx, p.remote.Name, h.Identity)
	}
	if h.Identity != p.remote.Identity {
		return p.readOnly(ctx, fmt.Sprintf("It was %q when it was connected and says it is %q now.", p.remote.Identity, h.Identity))
	}
	return nil
}

// readOnly stops everything to and from a remote that another system answers for.
func (p *pull) readOnly(ctx context.Context, words string) error {
	reason := "Another site answers here: a clone, a restored copy, or the site was moved. " + words +
		" Nothing is read or sent until an admin says which it is."
	if err := p.e.cfg.Store.SetRemoteState(ctx, p.remote.Name, store.RemoteReadOnly, reason); err != nil {
		return err
	}
	return heldError{reason}
}

// classes reads the remote's whole catalog.
func (p *pull) classes(ctx context.Context) error {
	catalog, ok := p.adapter.(adapters.Catalog)
	if !ok {
		return nil
	}
	var from adapters.Cursor
	seen := map[adapters.Ref]bool{}
	for range maxPages {
		call, cancel := context.WithTimeout(ctx, p.e.cfg.CallTimeout)
		page, err := catalog.BadgeClasses(call, from)
		cancel()
		if err != nil {
			return err
		}
		err = p.e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
			for _, c := range page.Classes {
				if _, _, err := p.e.putClass(ctx, tx, c, p.remote.Name, true); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, c := range page.Classes {
			seen[c.Ref] = true
		}
		if !page.More {
			return p.e.vanished(ctx, p.remote.Name, seen)
		}
		from = page.Next
	}
	return fmt.Errorf("the catalog of %s has no end", p.remote.Name)
}

// changes reads the feed from the cursor to its end, a transaction a page.
func (p *pull) changes(ctx context.Context) error {
	for range maxPages {
		call, cancel := context.WithTimeout(ctx, p.e.cfg.CallTimeout)
		page, err := p.source.Changes(call, p.remote.Cursor)
		cancel()
		if err != nil {
			return err
		}
		if err := p.page(ctx, page, true, func(tx store.Tx) error {
			if page.Next == p.remote.Cursor || page.Next == "" {
				return nil
			}
			return tx.AdvanceCursor(ctx, p.remote.Name, p.remote.Cursor, page.Next)
		}); err != nil {
			return err
		}
		if page.Next != "" {
			p.remote.Cursor = page.Next
		}
		if !page.More {
			return nil
		}
	}
	return fmt.Errorf("the feed of %s has no end", p.remote.Name)
}

// forget drops the cursor, so that the listing sets it anew.
func (p *pull) forget(ctx context.Context) error {
	if err := p.e.cfg.Store.AdvanceCursor(ctx, p.remote.Name, p.remote.Cursor, ""); err != nil {
		return err
	}
	p.remote.Cursor = ""
	return nil
}

// page records a page and moves on, in one transaction. A page with nothing on
// it and nowhere to move writes nothing.
func (p *pull) page(ctx context.Context, page adapters.Page, live bool, advance func(store.Tx) error) error {
	e := p.e
	now := e.cfg.Now()
	ok, asked, err := e.cfg.Store.LeaseRemote(ctx, p.remote.Name, e.cfg.Owner, now, now.Add(e.leaseFor()))
	if err != nil || !ok {
		return errors.Join(err, fmt.Errorf("remote %s: the lease was lost: %w", p.remote.Name, store.ErrStale))
	}
	p.again = p.again || asked
	var got outcome
	take := func(tx store.Tx) error {
		got = outcome{}
		for _, rec := range page.Records {
			one, err := e.take(ctx, tx, arrival{remote: p.remote, run: p.run.ID, live: live}, rec)
			if err != nil {
				return fmt.Errorf("record %s: %w", rec.Ref, err)
			}
			got.add(one)
		}
		return advance(tx)
	}
	err = e.cfg.Store.InTx(ctx, take)
	for range 3 {
		if !errors.Is(err, errTaken) {
			break
		}
		err = e.cfg.Store.InTx(ctx, take) // what was just sent from here is known by now
	}
	if err != nil {
		return err
	}
	p.take(got)
	p.run.Seen += len(page.Records)
	p.run.New, p.run.Changed, p.run.Pushes = p.found.new, p.found.changed, p.found.pushes
	if got.pushes > 0 {
		e.Wake()
	}
	e.cfg.Progress(Progress{Run: p.run.ID, Remote: p.remote.Name, Kind: p.run.Kind, Seen: p.run.Seen, New: p.run.New})
	return nil
}

// take adds what a committed transaction did, and tells whoever keeps copies of
// the awards' documents.
func (p *pull) take(got outcome) {
	for _, id := range got.awards {
		p.e.cfg.Changed(id)
	}
	got.awards = nil
	p.found.add(got)
}

// place is where a listing stands, so that a restarted process goes on instead
// of beginning again. It is kept in the remote's ListCursor.
type place struct {
	Next      adapters.Cursor `json:"next"`
	Changes   adapters.Cursor `json:"changes"`
	StartedAt time.Time       `json:"started_at"`
	Seen      int             `json:"seen"`
}

// list reads everything that exists and then looks at what is missing.
func (p *pull) list(ctx context.Context) error {
	e := p.e
	at := place{StartedAt: store.Moment(e.cfg.Now())}
	stored := p.remote.ListCursor
	name := p.run.ID
	if stored != "" && json.Unmarshal([]byte(stored), &at) == nil && p.remote.ListRun != "" {
		name = p.remote.ListRun // go on with the listing that was cut off
	}
	next := store.Moment(e.cfg.Now().Add(e.cfg.ListEvery))
	first := p.remote.Cursor == ""
	for range maxPages {
		call, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
		page, err := p.source.List(call, at.Next)
		cancel()
		if err != nil {
			return err
		}
		if at.Changes == "" {
			at.Changes = page.ChangesFrom
		}
		at.Next = page.Next
		at.Seen += len(page.Records)
		refs := make([]adapters.Ref, 0, len(page.Records))
		for _, r := range page.Records {
			refs = append(refs, r.Ref)
		}
		to := adapters.Cursor("")
		if page.More {
			b, err := json.Marshal(at)
			if err != nil {
				return err
			}
			to = adapters.Cursor(b)
		}
		err = p.page(ctx, page, false, func(tx store.Tx) error {
			if err := tx.MarkListed(ctx, p.remote.Name, refs, name); err != nil {
				return err
			}
			if page.More {
				return tx.AdvanceList(ctx, p.remote.Name, stored, to, name, p.remote.NextList)
			}
			if err := tx.AdvanceList(ctx, p.remote.Name, stored, "", "", next); err != nil {
				return err
			}
			if first && at.Changes != "" {
				return tx.AdvanceCursor(ctx, p.remote.Name, "", at.Changes)
			}
			return nil
		})
		if err != nil {
			return err
		}
		stored = to
		if !page.More {
			p.listedAt = at.StartedAt
			return p.absent(ctx, name, at.StartedAt)
		}
	}
	return fmt.Errorf("the listing of %s has no end", p.remote.Name)
}

// close writes how the run ended and gives the remote back.
func (p *pull) close(ctx context.Context, err error) (store.Run, error) {
	e := p.e
	now := store.Moment(e.cfg.Now())
	p.run.EndedAt = now
	next := now.Add(e.cfg.PullEvery)
	var held heldError
	switch {
	case err == nil:
		p.run.State = store.RunDone
		if p.hinted {
			next = p.remote.NextPull // which webhooks do not put off
		} else if p.run.ID != "" {
			_, err = e.cfg.Store.CoverHints(ctx, p.remote.Name, p.run.StartedAt)
		}
	case errors.As(err, &held):
		p.run.State, p.run.Message = store.RunHeld, held.message
		err = nil
	default:
		p.run.State, p.run.Message = store.RunFailed, adapters.Words(err)
		if now.Sub(p.remote.UpdatedAt) < fresh {
			next = now.Add(min(e.cfg.PullEvery, time.Second))
		}
		if after := adapters.RetryAfter(err); after > next.Sub(now) {
			next = now.Add(after)
		}
	}
	if p.again && err == nil {
		next = now
	}
	if p.run.ID != "" {
		if serr := e.cfg.Store.PutRun(ctx, p.run); serr != nil {
			err = errors.Join(err, serr)
		}
	}
	if read := later(p.readAt, p.listedAt); !read.IsZero() {
		if serr := e.cfg.Store.MarkRead(ctx, p.remote.Name, read, p.listedAt); serr != nil {
			err = errors.Join(err, serr)
		}
	}
	if serr := e.cfg.Store.ReleaseRemote(ctx, p.remote.Name, e.cfg.Owner, next); serr != nil {
		err = errors.Join(err, serr)
	}
	e.cfg.Progress(Progress{Run: p.run.ID, Remote: p.remote.Name, Kind: p.run.Kind, Seen: p.run.Seen, New: p.run.New, Done: true})
	if err != nil {
		return p.run, fmt.Errorf("pull %s: %w", p.remote.Name, err)
	}
	return p.run, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// noteHealth records what Check answered. It returns only the store's errors.
func (e *Engine) noteHealth(ctx context.Context, name adapters.Remote, h adapters.Health, err error) error {
	word, message := "ok", ""
	switch {
	case errors.Is(err, adapters.ErrUnauthorized):
		word, message = "unauthorized", adapters.Words(err)
	case err != nil:
		word, message = "failing", adapters.Words(err)
	}
	if err != nil {
		// What it said of itself before still holds, as far as anybody knows.
		r, rerr := e.cfg.Store.Remote(ctx, name)
		if rerr != nil {
			return rerr
		}
		return e.cfg.Store.SetRemoteHealth(ctx, name, word, message, r.HealthDetails, store.Moment(e.cfg.Now()))
	}
	details, merr := json.Marshal(struct {
		Name     string            `json:"name,omitempty"`
		Version  string            `json:"version,omitempty"`
		Details  map[string]string `json:"details,omitempty"`
		Warnings []string          `json:"warnings,omitempty"`
		Expires  time.Time         `json:"expires,omitzero"`
	}{h.Name, h.Version, h.Details, h.Warnings, h.CredentialExpires})
	if merr != nil {
		return merr
	}
	if err := e.cfg.Store.SetRemoteHealth(ctx, name, word, message, details, store.Moment(e.cfg.Now())); err != nil {
		return err
	}
	return e.warnOfExpiry(ctx, name, h.CredentialExpires)
}
