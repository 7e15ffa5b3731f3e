package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/sync/reconcile"
)

// Preview is what a policy would do: a dry run.
type Preview struct {
	Actions []PreviewAction // at most maxPreview
	// Counts by what would happen: "issue", "revoke", "cancel", or "wait:" and
	// the reason; "exists" counts awards whose recipient has the badge at the other
	// side by an award of its own, "none" those that need nothing.
	Counts map[string]int
	Total  int // awards looked at
}

// maxPreview bounds the actions that a Preview lists one by one.
const maxPreview = 500

// PreviewAction is one award in a dry run.
type PreviewAction struct {
	AwardID string
	Remote  adapters.Remote
	Op      store.Op
	State   store.PushState
	Reason  string
	Badge   string
	Who     string // a name, "" unknown
	Address string // shortened, "" unknown
}

// planBatch is how many awards one transaction plans.
const planBatch = 200

// inline is how many awards a change of policy plans before it answers; the
// rest is a background job.
const inline = 500

// JobPlan is the kind of the job that plans the awards of a mapping. Its
// arguments are {"mapping_id": ID}.
const JobPlan = "engine.plan"

// PutMapping creates (ID "") or changes a mapping and plans the awards that it
// concerns: at once where they are few, else in the background. Errors:
// store.ErrExists for a pair that is mapped already, store.ErrStale when it was
// changed in the meantime.
func (e *Engine) PutMapping(ctx context.Context, m store.Mapping) (store.Mapping, error) {
	err := e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		if err := e.checkMapping(ctx, tx, m); err != nil {
			return err
		}
		now := store.Moment(e.cfg.Now())
		m.UpdatedAt = now
		if err := e.reachBack(ctx, tx, &m, now); err != nil {
			return err
		}
		if m.ID == "" {
			m.CreatedAt = now
			stored, err := tx.CreateMapping(ctx, m)
			if err != nil {
				return err
			}
			m = stored
			b, err := tx.Class(ctx, m.ClassB)
			if err != nil {
				return err
			}
			// From here on what changes at B is shown.
			if m.Base, m.PutKey = baseOf(b).String(), ""; m.Base != "" {
				if err := tx.SetMappingBase(ctx, m.ID, m.Base, m.PutKey); err != nil {
					return err
				}
			}
		} else {
			if err := tx.PutMapping(ctx, m); err != nil {
				return err
			}
			stored, err := tx.Mapping(ctx, m.ID)
			if err != nil {
				return err
			}
			m = stored
		}
		// The job is the promise that every award is planned, whatever happens to
		// this process.
		return tx.Enqueue(ctx, store.Job{Kind: JobPlan, Args: []byte(`{"mapping_id":"` + m.ID + `"}`), UniqueKey: fmt.Sprintf("%s:%d", m.ID, m.Version)})
	})
	if err != nil {
		return m, fmt.Errorf("save the mapping: %w", err)
	}
	if _, err := e.planMapping(ctx, m.ClassA, m.ClassB, inline); err != nil {
		e.cfg.Log.Warn("planning goes on in the background", "mapping", m.ID, "error", err)
	}
	e.Wake()
	return m, nil
}

// clockSlack is how far a remote's clock may be behind ours.
const clockSlack = 5 * time.Minute

// FromNowOn has a policy begin now in the directions that it switches on and
// that were off before: older awards are left alone until an admin says so
// (Backfill). before is the stored mapping, the zero value where there is none.
func (e *Engine) FromNowOn(m, before store.Mapping) store.Mapping {
	now := store.Moment(e.cfg.Now().Add(-clockSlack))
	off := func(w store.When) bool { return w == "" || w == store.Never }
	if !off(m.AToB) && off(before.AToB) {
		m.SinceAB = now
	}
	if !off(m.BToA) && off(before.BToA) {
		m.SinceBA = now
	}
	return m
}

// WithOld is the mapping with nothing left alone.
func WithOld(m store.Mapping) store.Mapping {
	m.SinceAB, m.SinceBA = time.Time{}, time.Time{}
	return m
}

// Backfill lets a mapping reach the awards that were old when its policy was
// set. version is the one that the admin looked at: store.ErrStale otherwise.
func (e *Engine) Backfill(ctx context.Context, id string, version int) error {
	m, err := e.cfg.Store.Mapping(ctx, id)
	if err != nil {
		return fmt.Errorf("backfill mapping %s: %w", id, err)
	}
	m = WithOld(m)
	m.Version = version
	_, err = e.PutMapping(ctx, m)
	return err
}

// reachBack notes that from now on a mapping reaches awards that were there
// before. Whoever has the badge at the other side may have got it by hand, so that
// side is read in full; until that is done each one is looked for.
func (e *Engine) reachBack(ctx context.Context, tx store.Tx, m *store.Mapping, now time.Time) error {
	var before store.Mapping
	if m.ID != "" {
		var err error
		if before, err = tx.Mapping(ctx, m.ID); err != nil {
			return err
		}
		m.BackfillAt = before.BackfillAt
	}
	reaches := func(w store.When, since time.Time) bool { return w != "" && w != store.Never && since.IsZero() }
	for _, d := range []struct {
		is, was bool
		class   string
	}{
		{reaches(m.AToB, m.SinceAB), reaches(before.AToB, before.SinceAB), m.ClassB},
		{reaches(m.BToA, m.SinceBA), reaches(before.BToA, before.SinceBA), m.ClassA},
	} {
		if !d.is || d.was {
			continue
		}
		m.BackfillAt = now
		class, err := tx.Class(ctx, d.class)
		if err != nil {
			return err
		}
		if err := tx.ListSoon(ctx, class.Remote, now); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

// checkMapping refuses what can't work.
func (e *Engine) checkMapping(ctx context.Context, tx store.Tx, m store.Mapping) error {
	a, err := tx.Class(ctx, m.ClassA)
	if err != nil {
		return fmt.Errorf("the first badge: %w", err)
	}
	b, err := tx.Class(ctx, m.ClassB)
	if err != nil {
		return fmt.Errorf("the second badge: %w", err)
	}
	if a.Remote == b.Remote {
		return &adapters.Error{Op: "map badges", Kind: adapters.ErrRejected, Words: "both badges are of " + string(a.Remote) + "; a mapping joins badges of two places"}
	}
	return nil
}

// PlanMapping plans every award that the mapping concerns. It is idempotent.
func (e *Engine) PlanMapping(ctx context.Context, id string) error {
	m, err := e.cfg.Store.Mapping(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("plan mapping %s: %w", id, err)
	}
	if _, err = e.planMapping(ctx, m.ClassA, m.ClassB, 0); err != nil {
		return fmt.Errorf("plan mapping %s: %w", id, err)
	}
	e.Wake()
	return nil
}

// planMapping plans up to limit awards (0: all) of the two classes.
func (e *Engine) planMapping(ctx context.Context, classA, classB string, limit int) (planned int, err error) {
	for _, class := range []string{classA, classB} {
		after := ""
		for {
			batch, err := e.cfg.Store.Awards(ctx, store.AwardFilter{ClassID: class, After: after, Limit: planBatch})
			if err != nil {
				return planned, err
			}
			if len(batch) == 0 {
				break
			}
			err = e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
				for _, a := range batch {
					if _, err := e.plan(ctx, tx, a.ID, "policy"); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return planned, err
			}
			planned += len(batch)
			after = batch[len(batch)-1].ID
			if limit > 0 && planned >= limit {
				return planned, nil
			}
		}
	}
	return planned, nil
}

// DeleteMapping ends a mapping. Copies that exist stay; what waits is cancelled.
func (e *Engine) DeleteMapping(ctx context.Context, id string) error {
	var m store.Mapping
	err := e.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		var err error
		if m, err = tx.Mapping(ctx, id); err != nil {
			return err
		}
		return tx.DeleteMapping(ctx, id)
	})
	if err != nil {
		return fmt.Errorf("delete mapping %s: %w", id, err)
	}
	// A push whose mapping is gone can't be sent (it would be held), so that
	// cancelling the rest is tidying, not safety.
	if _, err := e.planMapping(ctx, m.ClassA, m.ClassB, 0); err != nil {
		return fmt.Errorf("cancel what waited for mapping %s: %w", id, err)
	}
	return nil
}

// DryRun says what the mapping would do to the awards that exist, without
// doing any of it. A mapping with an ID stands in for the stored one.
func (e *Engine) DryRun(ctx context.Context, m store.Mapping) (Preview, error) {
	st := e.cfg.Store
	if err := e.checkMapping(ctx, st, m); err != nil {
		return Preview{}, fmt.Errorf("dry run: %w", err)
	}
	out := Preview{Counts: map[string]int{}}
	for _, class := range []string{m.ClassA, m.ClassB} {
		stored, err := st.MappingsOf(ctx, class)
		if err != nil {
			return out, fmt.Errorf("dry run: %w", err)
		}
		mappings := slices.DeleteFunc(stored, func(o store.Mapping) bool {
			return o.ID == m.ID || (o.ClassA == m.ClassA && o.ClassB == m.ClassB)
		})
		mappings = append(mappings, m)
		after := ""
		for {
			batch, err := st.Awards(ctx, store.AwardFilter{ClassID: class, After: after, Limit: planBatch})
			if err != nil {
				return out, fmt.Errorf("dry run: %w", err)
			}
			if len(batch) == 0 {
				break
			}
			for _, a := range batch {
				facts, err := e.facts(ctx, st, a, mappings)
				if err != nil {
					return out, fmt.Errorf("dry run: %w", err)
				}
				out.Total++
				actions := reconcile.Plan(facts)
				switch {
				case len(actions) > 0:
				case reconcile.HasAlready(facts):
					out.Counts["exists"]++
				default:
					out.Counts["none"]++
				}
				for _, act := range actions {
					if err := e.preview(ctx, st, &out, a, act); err != nil {
						return out, fmt.Errorf("dry run: %w", err)
					}
				}
			}
			after = batch[len(batch)-1].ID
		}
	}
	return out, nil
}

// preview adds one action to a dry run.
func (e *Engine) preview(ctx context.Context, tx store.Tx, out *Preview, a store.Award, act reconcile.Action) error {
	switch act.State {
	case store.PushWaiting:
		out.Counts["wait:"+act.Reason]++
	case store.PushCancelled:
		out.Counts["cancel"]++
	default:
		out.Counts[string(act.Op)]++
	}
	if len(out.Actions) >= maxPreview {
		return nil
	}
	class, err := tx.Class(ctx, a.ClassID)
	if err != nil {
		return err
	}
	to, err := e.recipient(ctx, tx, a)
	if err != nil {
		return err
	}
	out.Actions = append(out.Actions, PreviewAction{
		AwardID: a.ID, Remote: act.Remote, Op: act.Op, State: act.State, Reason: act.Reason, Badge: class.Content.Name,
		Who: to.Name(), Address: Shorten(to.Identity),
	})
	return nil
}

// Shorten hides most of an address: "b…@example.org".
func Shorten(address string) string {
	for i, c := range address {
		if c == '@' {
			if i == 0 {
				return address
			}
			return string([]rune(address)[0]) + "…" + address[i:]
		}
	}
	if r := []rune(address); len(r) > 4 {
		return string(r[:2]) + "…"
	}
	return address
}
