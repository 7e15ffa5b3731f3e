// Package notices finds out what people have to be told before it is too late:
// that a badge of theirs ends. Each thing is told once: the notice is a row that
// can be made only once, and the letter is asked for in the same transaction.
package notices

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"badgebridge/store"
)

// Job is the kind of the job that mails a notice. Its args are {"notice_id": …}.
const Job = "mail.notice"

// Days are how many days before its end a badge is told of; 0 when it has ended.
func Days() []int { return []int{30, 7, 0} }

const (
	day = 24 * time.Hour
	// missed is how long after its end a badge is still told of, when nobody looked
	// in time.
	missed = 7 * day
	batch  = 200
)

// Mark names the notice of an end and a number of days before it.
func Mark(ends time.Time, days int) string {
	return ends.UTC().Format(time.DateOnly) + "/" + strconv.Itoa(days)
}

// Ending makes the notices that are due by now and returns how many. Two replicas
// that look at once make each of them once.
func Ending(ctx context.Context, st store.Store, now time.Time) (int, error) {
	n, after := 0, ""
	for {
		list, err := st.AwardsEnding(ctx, now.Add(-missed), now.Add(30*day), after, batch)
		if err != nil {
			return n, fmt.Errorf("badges that end: %w", err)
		}
		for _, a := range list {
			made, err := ending(ctx, st, a, now)
			if err != nil {
				return n, fmt.Errorf("tell that badge %s ends: %w", a.ID, err)
			}
			if made {
				n++
			}
		}
		if len(list) < batch {
			return n, nil
		}
		after = list[len(list)-1].ID
	}
}

// ending makes the notice about one award, if there is one to make. Of several
// days that have come at once only the nearest is told; the others count as told.
func ending(ctx context.Context, st store.Store, a store.Award, now time.Time) (made bool, err error) {
	var reached []int
	for _, days := range Days() {
		if a.Expires.Sub(now) <= time.Duration(days)*day {
			reached = append(reached, days)
		}
	}
	if len(reached) == 0 {
		return false, nil
	}
	nearest := reached[len(reached)-1]
	if nearest == 0 && (a.Expires.Before(a.CreatedAt) || a.Expires.Before(a.ClaimedAt)) {
		return false, nil // it had ended before it came here
	}
	_, err = st.NoticeOf(ctx, a.PersonID, store.NoticeExpiring, a.ID, Mark(a.Expires, nearest))
	if !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	err = st.InTx(ctx, func(tx store.Tx) error {
		made = false
		for _, days := range reached {
			n := store.Notice{Owner: a.PersonID, Kind: store.NoticeExpiring, AwardID: a.ID, Mark: Mark(a.Expires, days), Days: days, CreatedAt: now}
			if days != nearest {
				n.SeenAt = now
			}
			n, err := tx.CreateNotice(ctx, n)
			if errors.Is(err, store.ErrExists) {
				continue
			}
			if err != nil {
				return err
			}
			if days != nearest {
				continue
			}
			args, err := json.Marshal(map[string]string{"notice_id": n.ID})
			if err != nil {
				return err
			}
			if err := tx.Enqueue(ctx, store.Job{Kind: Job, Args: args, UniqueKey: Job + ":" + n.ID}); err != nil {
				return err
			}
			made = true
		}
		return nil
	})
	return made, err
}
