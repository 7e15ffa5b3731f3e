package backpack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"badgebridge/openbadges/verify"
	"badgebridge/store"
)

// JobCollect is the kind of the job that looks at one file of a batch. Its args
// are {"batch": …, "position": …}; CollectFile does it.
const JobCollect = "backpack.collect"

type collectArgs struct {
	Batch    string `json:"batch"`
	Position int    `json:"position"`
}

// batchAge is how long what became of a batch can be looked at.
const batchAge = 24 * time.Hour

// Bring keeps several files of a person until each was looked at, and has that
// done in the background. It returns the batch's id.
func (b *Backpack) Bring(ctx context.Context, personID string, files []store.BatchFile) (string, error) {
	if len(files) == 0 || len(files) > MaxFiles {
		return "", fmt.Errorf("bring %d files: %w", len(files), ErrNothing)
	}
	var id string
	err := b.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		var err error
		if id, err = tx.CreateBatch(ctx, personID, files, b.cfg.Now().Add(-batchAge)); err != nil {
			return err
		}
		for i := range files {
			args, err := json.Marshal(collectArgs{id, i})
			if err != nil {
				return err
			}
			if err := tx.Enqueue(ctx, store.Job{Kind: JobCollect, Args: args, UniqueKey: fmt.Sprintf("%s/%d", id, i)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("bring files: %w", err)
	}
	return id, nil
}

// CollectFile looks at one file of a batch and notes what became of it. A second
// run does no harm; an error means: again, later.
func (b *Backpack) CollectFile(ctx context.Context, args []byte) error {
	var in collectArgs
	if err := json.Unmarshal(args, &in); err != nil {
		return err
	}
	f, person, err := b.cfg.Store.BatchWork(ctx, in.Batch, in.Position)
	if errors.Is(err, store.ErrNotFound) {
		return nil // the batch, or the account, has gone
	}
	if err != nil || f.Done {
		return err
	}
	res, err := b.Collect(ctx, person, Given{Data: f.Body, Source: "file"})
	switch {
	case errors.Is(err, ErrNothing):
		res = Result{Fate: Refused, Reason: ReasonUnreadable}
	case err != nil:
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err() // a check that was cut short says nothing
	}
	f.Done, f.Fate, f.Reason, f.AwardID, f.Checks = true, string(res.Fate), string(res.Reason), res.AwardID, Failed(res.Report)
	f.MadeTo = res.To
	if res.Report.Badge != nil {
		f.Badge = res.Report.Badge.Name
	}
	return b.cfg.Store.PutBatchFile(ctx, f)
}

// Failed are the messages of the checks that failed, a few of them.
func Failed(r verify.Report) []string {
	const most = 5
	var out []string
	for _, c := range r.Checks {
		if c.Status == verify.Fail && len(out) < most {
			out = append(out, c.Message)
		}
	}
	return out
}
