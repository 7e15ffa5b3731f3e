package engine

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
)

// The jobs that tell the admins something by mail.
const (
	JobGone   = "mail.gone"   // {"mapping_id"}: a badge is gone and its mapping stopped
	JobExpiry = "mail.expiry" // {"remote", "expires", "days"}: credentials end
)

// JobRevoked tells a person that an award of theirs was taken back at its origin:
// {"award_id"}.
const JobRevoked = "mail.revoked"

// tellRevoked asks for that when a record revoked an award that its person had
// claimed. was is the award before the record.
func (e *Engine) tellRevoked(ctx context.Context, tx store.Tx, was, is store.Award) error {
	if was.Revoked || !is.Revoked || is.PersonID == "" || was.Claim != store.Claimed {
		return nil
	}
	return e.enqueue(ctx, tx, JobRevoked, is.ID)
}

// JobAttested is the job about an award whose origin began to host an assertion of
// its own: {"award_id"}. Whoever does it has it verified, for the award's person.
const JobAttested = "engine.attested"

// attested asks for that, once for each assertion.
func (e *Engine) attested(ctx context.Context, tx store.Tx, a store.Award) error {
	if a.AssertionURL == "" || a.PersonID == "" || a.Revoked {
		return nil
	}
	return tx.Enqueue(ctx, store.Job{
		Kind: JobAttested, Args: []byte(`{"award_id":"` + a.ID + `"}`), UniqueKey: JobAttested + ":" + a.ID + ":" + a.PersonID + ":" + a.AssertionURL,
	})
}

// PausedGone is why a mapping is paused whose badge its remote no longer lists.
const PausedGone = "badge-gone"

// vanished looks at what a whole catalog no longer names: those badges are gone,
// and their mappings stop until an admin has looked. A catalog that is empty all
// at once is not believed.
func (e *Engine) vanished(ctx context.Context, remote adapters.Remote, seen map[adapters.Ref]bool) error {
	known, err := e.cfg.Store.Classes(ctx, remote)
	if err != nil {
		return err
	}
	var gone []store.Class
	for _, c := range known {
		if c.Ref != "" && !seen[c.Ref] && c.State != GoneState {
			gone = append(gone, c)
		}
	}
	if len(seen) == 0 && len(gone) > 1 {
		e.cfg.Log.Warn("the catalog is empty all at once; nothing is taken for gone", "remote", remote, "badges", len(gone))
		return nil
	}
	for _, c := range gone {
		if err := e.cfg.Store.InTx(ctx, func(tx store.Tx) error { return e.classGone(ctx, tx, c) }); err != nil {
			return fmt.Errorf("badge %s of %s is gone: %w", c.Ref, remote, err)
		}
	}
	return nil
}

func (e *Engine) classGone(ctx context.Context, tx store.Tx, c store.Class) error {
	c.State, c.Issuable, c.ImageSHA = GoneState, false, ""
	if _, _, err := tx.PutClass(ctx, c); err != nil {
		return err
	}
	mappings, err := tx.MappingsOf(ctx, c.ID)
	if err != nil {
		return err
	}
	for _, m := range mappings {
		if m.Paused != "" {
			continue
		}
		m.Paused = PausedGone
		if err := tx.PutMapping(ctx, m); err != nil {
			return err
		}
		key := m.ID + ":" + strconv.Itoa(m.Version)
		for _, job := range []store.Job{
			{Kind: JobGone, Args: []byte(`{"mapping_id":"` + m.ID + `"}`), UniqueKey: JobGone + ":" + key},
			{Kind: JobPlan, Args: []byte(`{"mapping_id":"` + m.ID + `"}`), UniqueKey: key + ":gone"},
		} {
			if err := tx.Enqueue(ctx, job); err != nil {
				return err
			}
		}
	}
	return nil
}

// warnings are how many days before their end credentials are warned of, each
// once.
func warnings() []int { return []int{1, 7, 30} }

// warnOfExpiry has the admins told by mail when one of the days has come. Of
// several that have come at once, only the nearest is told.
func (e *Engine) warnOfExpiry(ctx context.Context, name adapters.Remote, expires time.Time) error {
	now := e.cfg.Now()
	if expires.IsZero() || !expires.After(now) {
		return nil
	}
	told := false
	for _, days := range warnings() {
		if expires.Sub(now) > time.Duration(days)*24*time.Hour {
			continue
		}
		day := expires.UTC().Format(time.DateOnly)
		err := e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
			first, err := tx.UseOnce(ctx, "expiry/"+string(name), day+"/"+strconv.Itoa(days), now, expires.Add(30*24*time.Hour))
			if err != nil || !first || told {
				return err
			}
			return tx.Enqueue(ctx, store.Job{Kind: JobExpiry, UniqueKey: fmt.Sprintf("%s:%s:%s:%d", JobExpiry, name, day, days),
				Args: fmt.Appendf(nil, `{"remote":%q,"expires":%q,"days":%d}`, string(name), expires.UTC().Format(time.RFC3339), days)})
		})
		if err != nil {
			return fmt.Errorf("warn of the end of %s's credentials: %w", name, err)
		}
		told = true
	}
	return nil
}
