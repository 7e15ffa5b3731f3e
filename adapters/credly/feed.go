package credly

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"badgebridge/adapters"
)

const (
	allStates = "pending,accepted,rejected,revoked"
	// maxSweep is how many pages of changes one call reads; more are cheaper to
	// get by listing everything.
	maxSweep = 60
	// drift is how far the clocks at Credly's end may be apart, added to settle.
	drift = time.Minute
)

var (
	byExport   = query{op: "export badges", path: "/high_volume_issued_badge_search", filter: "state::" + allStates, format: "default"}
	byCreation = query{op: "list badges", path: "/badges", filter: "state::" + allStates, sort: "-created_at"}
	// byState leaves out pending badges: most of them never changed state, and
	// where a sort puts rows without a date is not known.
	byState    = query{op: "list changed badges", path: "/badges", filter: "state::accepted,rejected,revoked", sort: "-state_updated_at"}
	byTemplate = query{op: "list badge templates", path: "/badge_templates", filter: "state::active,draft,archived", sort: "-created_at"}
)

// cursor is what a Cursor holds, as JSON.
type cursor struct {
	// Since is Credly's time when the reading began that was completed last: all
	// that was visible then was delivered.
	Since time.Time `json:"since,omitzero"`
	// Events is the last page of the log of events, where the newest are at its end.
	Events int `json:"events,omitempty"`
	// At is set while a listing is under way.
	At *place `json:"at,omitempty"`
}

func (c cursor) String() adapters.Cursor {
	b, err := json.Marshal(c)
	if err != nil { // not for this type
		return ""
	}
	return adapters.Cursor(b)
}

// readCursor reads what String wrote. A cursor that is none of ours can't be
// gone on from.
func readCursor(op string, s adapters.Cursor) (c cursor, err error) {
	if s == "" {
		return cursor{At: &place{}}, nil
	}
	dec := json.NewDecoder(strings.NewReader(string(s)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil || c.Since.IsZero() {
		return cursor{}, &adapters.Error{Op: "credly: " + op, Kind: adapters.ErrCursorGone, Err: errors.New("the cursor is not understood")}
	}
	return c, nil
}

// List implements adapters.Source: all badges in every state, the newest first.
func (a *adapter) List(ctx context.Context, from adapters.Cursor) (adapters.Page, error) {
	c, err := readCursor(byCreation.op, from)
	if err != nil {
		return adapters.Page{}, err
	}
	if c.At == nil {
		c.At = &place{}
	}
	p, next, err := a.list(ctx, c)
	if err != nil {
		return adapters.Page{}, err
	}
	p.ChangesFrom = cursor{Since: next.Since}.String()
	return p, nil
}

// list reads one page of everything. next.Since is when the listing began.
func (a *adapter) list(ctx context.Context, c cursor) (adapters.Page, cursor, error) {
	q, read := byCreation, a.page
	if a.listing == listingExport {
		q, read = byExport, a.export
	}
	at := *c.At
	if link, _, _ := strings.Cut(at.Next, "?"); link != "" && !strings.HasSuffix(link, q.path) {
		// It was begun in the other way: what is read twice does no harm.
		at = place{}
	}
	r, err := read(ctx, q, at)
	if err != nil {
		return adapters.Page{}, c, err
	}
	next := cursor{Since: c.Since, At: &r.next}
	if next.Since.IsZero() {
		next.Since = r.at
	}
	out := adapters.Page{More: r.more, Next: next.String()}
	for _, raw := range r.items {
		rec, err := normalizeBadge(raw, a.base.String())
		if err != nil {
			return adapters.Page{}, c, a.garbled(q.op, err)
		}
		out.Records = append(out.Records, rec)
	}
	return out, next, nil
}

func (a *adapter) garbled(op string, err error) error {
	return &adapters.Error{Op: "credly: " + op, Kind: adapters.ErrUnavailable, Err: fmt.Errorf("the answer is not understood: %w", err)}
}

// Changes implements adapters.Source. From "" on it reads everything, newest
// first; that can't skip a row when others are deleted meanwhile, which the
// other direction could. From then on each call is one page, oldest first: the
// badges created and those whose state changed since the reading before, with
// so much overlap that a badge that became visible late is still seen. It costs
// three calls when nothing happened: those lists, and the log of events for
// what has no date in them (deletions, and changes of privacy).
func (a *adapter) Changes(ctx context.Context, after adapters.Cursor) (adapters.Page, error) {
	c, err := readCursor("list changes", after)
	if err != nil {
		return adapters.Page{}, err
	}
	if c.At != nil {
		p, next, err := a.list(ctx, c)
		if err == nil && !p.More {
			p.Next = cursor{Since: next.Since}.String()
		}
		return p, err
	}
	floor := c.Since.Add(-a.settle - drift)
	changed := map[string]change{}
	began, err := a.sweep(ctx, byCreation, floor, func(b badge) time.Time { return b.CreatedAt.Time }, changed)
	if err != nil {
		return adapters.Page{}, err
	}
	if _, err := a.sweep(ctx, byState, floor, func(b badge) time.Time { return b.StateUpdatedAt.Time }, changed); err != nil {
		return adapters.Page{}, err
	}
	events, err := a.addEvents(ctx, floor, c.Events, changed)
	if err != nil {
		return adapters.Page{}, err
	}
	list := make([]change, 0, len(changed))
	for _, ch := range changed {
		list = append(list, ch)
	}
	slices.SortFunc(list, func(x, y change) int {
		if c := x.at.Compare(y.at); c != 0 {
			return c
		}
		return strings.Compare(x.id, y.id)
	})
	out := adapters.Page{Next: cursor{Since: began, Events: events}.String()}
	for _, ch := range list {
		if ch.deleted {
			out.Records = append(out.Records, deletion(event{Badge: badge{ID: text(ch.id)}, OccurredAt: when{ch.at}}))
			continue
		}
		rec, err := normalizeBadge(ch.raw, a.base.String())
		if err != nil {
			return adapters.Page{}, a.garbled("list changes", err)
		}
		out.Records = append(out.Records, rec)
		if ch.replaces != "" {
			// The badge that it replaces changed without a date of its own.
			if _, there := changed[ch.replaces]; !there {
				out.Records = append(out.Records, replaced(ch.replaces, ch.id, ch.at))
			}
		}
	}
	return out, nil
}

// change is a badge that a sweep found.
type change struct {
	id       string
	deleted  bool
	at       time.Time
	raw      json.RawMessage
	replaces string
}

// sweep reads a list that is sorted downwards by the time that stamp gives, as
// far down as floor, and notes what it finds. A later sweep's find replaces an
// earlier one's, since it was read later.
func (a *adapter) sweep(ctx context.Context, q query, floor time.Time, stamp func(badge) time.Time, into map[string]change) (began time.Time, err error) {
	gone := func(why string) (time.Time, error) {
		return began, &adapters.Error{Op: "credly: " + q.op, Kind: adapters.ErrCursorGone, Err: errors.New(why)}
	}
	var at place
	var last time.Time
	for range maxSweep {
		r, err := a.page(ctx, q, at)
		if err != nil {
			return began, err
		}
		if began.IsZero() {
			began = r.at
		}
		if r.next.Page != at.Page+1 && at.Page > 1 {
			last = time.Time{} // it went back
		}
		done := false
		for _, raw := range r.items {
			var b badge
			if err := lenient(raw, &b); err != nil || b.ID.String() == "" {
				return began, a.garbled(q.op, errors.New("a badge without id"))
			}
			t := stamp(b)
			if t.IsZero() {
				continue // says nothing about the order; the other sweep has it
			}
			if !last.IsZero() && t.After(last) {
				// Not sorted as asked: stopping at floor would skip badges.
				return gone("the list is not sorted as asked")
			}
			last = t
			if t.Before(floor) {
				done = true
				continue // the rest of the page still tells whether it is sorted
			}
			ch := change{id: b.ID.String(), at: t, raw: raw, replaces: b.Replaces.String()}
			if old, there := into[ch.id]; there && old.at.After(ch.at) {
				ch.at = old.at
			}
			into[ch.id] = ch
		}
		if done || !r.more {
			return began, nil
		}
		at = r.next
	}
	return gone(fmt.Sprintf("more than %d badges changed", maxSweep*perPage))
}

// Absence implements adapters.Source: a revoked badge stays in the list; Credly
// deletes for privacy or to undo a mistake, which says nothing about the award.
func (a *adapter) Absence() adapters.Absence { return adapters.AbsenceDeleted }

// BadgeClasses implements adapters.Catalog. Only active templates can be issued.
func (a *adapter) BadgeClasses(ctx context.Context, from adapters.Cursor) (adapters.ClassPage, error) {
	c, err := readCursor(byTemplate.op, from)
	if err != nil {
		return adapters.ClassPage{}, err
	}
	if c.At == nil {
		c.At = &place{}
	}
	r, err := a.page(ctx, byTemplate, *c.At)
	if err != nil {
		return adapters.ClassPage{}, err
	}
	out := adapters.ClassPage{More: r.more, Next: cursor{Since: r.at, At: &r.next}.String()}
	for _, raw := range r.items {
		class, err := normalizeClass(raw, a.base.String())
		if err != nil {
			return adapters.ClassPage{}, a.garbled(byTemplate.op, err)
		}
		out.Classes = append(out.Classes, class)
	}
	return out, nil
}
