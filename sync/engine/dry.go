package engine

import (
	"context"
	"errors"
	"fmt"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/sync/reconcile"
)

// maxDry bounds the records that a dry pull reads.
const maxDry = 20000

// errDry ends the transaction of a dry pull: nothing of it stays.
var errDry = errors.New("dry run")

// DrySync reads what changed at a remote and says what would follow, without
// keeping any of it. A remote that was never listed is listed.
func (e *Engine) DrySync(ctx context.Context, name adapters.Remote) (Preview, error) {
	out := Preview{Counts: map[string]int{}}
	r, adapter, err := e.adapter(ctx, e.cfg.Store, name)
	if err != nil {
		return out, err
	}
	source, ok := adapter.(adapters.Source)
	if !ok {
		return out, nil
	}
	records, err := e.readAll(ctx, source, r.Cursor)
	if err != nil {
		return out, fmt.Errorf("dry run of %s: %w", name, err)
	}
	err = e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		out = Preview{Counts: map[string]int{}, Total: len(records)}
		before := map[string]store.Push{}
		for _, rec := range records {
			if err := e.dryOne(ctx, tx, r, rec, before, &out); err != nil {
				return fmt.Errorf("record %s: %w", rec.Ref, err)
			}
		}
		return errDry
	})
	if !errors.Is(err, errDry) {
		return out, fmt.Errorf("dry run of %s: %w", name, err)
	}
	return out, nil
}

// dryOne takes one record and notes which pushes came of it.
func (e *Engine) dryOne(ctx context.Context, tx store.Tx, r store.Remote, rec adapters.Record, seen map[string]store.Push, out *Preview) error {
	if link, err := tx.Link(ctx, r.Name, rec.Ref); err == nil {
		pushes, err := tx.PushesOf(ctx, link.AwardID)
		if err != nil {
			return err
		}
		for _, p := range pushes {
			if _, ok := seen[p.ID]; !ok {
				seen[p.ID] = p
			}
		}
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	got, err := e.take(ctx, tx, arrival{remote: r, run: "dry"}, rec)
	if err != nil {
		return err
	}
	out.Counts["new"] += got.new
	out.Counts["changed"] += got.changed
	if got.new+got.changed == 0 {
		return nil
	}
	link, err := tx.Link(ctx, r.Name, rec.Ref)
	if err != nil {
		return err
	}
	award, err := tx.Award(ctx, link.AwardID)
	if err != nil {
		return err
	}
	pushes, err := tx.PushesOf(ctx, award.ID)
	if err != nil {
		return err
	}
	for _, p := range pushes {
		if old, ok := seen[p.ID]; ok && old.State == p.State && old.Reason == p.Reason {
			continue
		}
		seen[p.ID] = p
		act := reconcile.Action{Op: p.Op, Remote: p.Remote, State: p.State, Reason: p.Reason}
		if err := e.preview(ctx, tx, out, award, act); err != nil {
			return err
		}
	}
	return nil
}

// readAll reads the feed after the cursor, or everything where there is none.
func (e *Engine) readAll(ctx context.Context, source adapters.Source, after adapters.Cursor) ([]adapters.Record, error) {
	read := source.Changes
	if after == "" {
		read = source.List
	}
	var out []adapters.Record
	for range maxPages {
		call, cancel := context.WithTimeout(ctx, e.cfg.CallTimeout)
		page, err := read(call, after)
		cancel()
		if errors.Is(err, adapters.ErrCursorGone) {
			read, after, out = source.List, "", nil
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, page.Records...)
		if len(out) > maxDry {
			return nil, fmt.Errorf("there are more than %d records; let an ordinary sync read them first", maxDry)
		}
		if !page.More {
			return out, nil
		}
		after = page.Next
	}
	return out, nil
}
