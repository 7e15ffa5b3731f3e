package credly

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"badgebridge/adapters"
)

// theEvents is the organization's log. No sort is documented for it.
var theEvents = query{op: "list events", path: "/events"}

// The events that are told apart. All others are about a badge or a template as it
// is.
const (
	eventDeleted         = "badge.deleted"
	eventPrivacy         = "badge.privacy.changed"
	eventTemplateDeleted = "badge_template.deleted"
)

type event struct {
	ID           text     `json:"id"`
	Type         text     `json:"event_type"`
	Organization text     `json:"organization_id"`
	OccurredAt   when     `json:"occurred_at"`
	Badge        badge    `json:"badge"`
	Template     template `json:"badge_template"`
}

// deletion is the tombstone of a badge that an event says was deleted.
func deletion(e event) adapters.Record {
	return adapters.Record{Ref: adapters.Ref(e.Badge.ID.String()),
		Gone: &adapters.Tombstone{Kind: adapters.GoneDeleted, At: e.OccurredAt.Time, Reason: "deleted at Credly"}}
}

// replaced is the tombstone of a badge whose place another took.
func replaced(id, by string, at time.Time) adapters.Record {
	return adapters.Record{Ref: adapters.Ref(id), Gone: &adapters.Tombstone{Kind: adapters.GoneDeleted, At: at, Reason: replacedBy(by)}}
}

// addEvents adds to into what has no date in the lists of badges: those that
// were deleted, and those whose privacy changed. An event is a hint; what counts
// is the badge as it is now. A token that may not read events is no fault: then
// List sees these changes. page is where the log ended last; it returns where it
// ends now.
func (a *adapter) addEvents(ctx context.Context, floor time.Time, page int, into map[string]change) (int, error) {
	list, page, err := a.eventsSince(ctx, floor, page)
	if errors.Is(err, adapters.ErrUnauthorized) || errors.Is(err, adapters.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	for _, e := range list {
		id := e.Badge.ID.String()
		old, there := into[id]
		switch e.Type.String() {
		case eventDeleted:
			into[id] = change{id: id, at: e.OccurredAt.Time, deleted: true}
		case eventPrivacy:
			if there || id == "" {
				if there && old.at.Before(e.OccurredAt.Time) {
					old.at = e.OccurredAt.Time
					into[id] = old
				}
				continue
			}
			res, err := a.do(ctx, "read a badge", http.MethodGet, a.orgURL("/badges/"+url.PathEscape(id), nil), nil)
			if errors.Is(err, adapters.ErrNotFound) {
				continue // deleted meanwhile: that has an event of its own
			}
			if err != nil {
				return 0, err
			}
			into[id] = change{id: id, at: e.OccurredAt.Time, raw: res.Data}
		}
	}
	return page, nil
}

// leaf is one page of the log of events.
type leaf struct {
	rows
	events      []event
	first, last time.Time // of its events, in the order in which they are listed
}

func (a *adapter) leaf(ctx context.Context, p place) (leaf, error) {
	r, err := a.page(ctx, theEvents, p)
	out := leaf{rows: r}
	for _, raw := range r.items {
		var e event
		if lenient(raw, &e) != nil || e.OccurredAt.IsZero() {
			continue
		}
		if out.last = e.OccurredAt.Time; out.first.IsZero() {
			out.first = out.last
		}
		out.events = append(out.events, e)
	}
	return out, err
}

// eventsSince reads the events not older than floor, from whichever end of the
// log the newest are at. page is the log's last one as it was, where the newest
// are at the end, and 0 elsewhere; it returns the same.
func (a *adapter) eventsSince(ctx context.Context, floor time.Time, page int) ([]event, int, error) {
	if page > 1 {
		l, err := a.leaf(ctx, place{Page: page})
		if err == nil && len(l.events) > 0 && !l.last.Before(l.first) {
			return a.eventsFrom(ctx, floor, page, l)
		}
		if err != nil && !errors.Is(err, adapters.ErrNotFound) {
			return nil, 0, err
		}
		// The log became shorter, or its order changed: begin anew.
	}
	l, err := a.leaf(ctx, place{})
	if err != nil {
		return nil, 0, err
	}
	if l.more && l.first.Before(l.last) { // the oldest first: begin at the end
		page = l.pages
		if l, err = a.leaf(ctx, place{Page: page}); err != nil {
			return nil, 0, err
		}
		return a.eventsFrom(ctx, floor, page, l)
	}
	out := newer(l.events, floor)
	for read := 1; l.more && !l.last.Before(floor) && read < maxSweep; read++ {
		if l, err = a.leaf(ctx, l.next); err != nil {
			return nil, 0, err
		}
		out = append(out, newer(l.events, floor)...)
	}
	return out, 0, nil
}

// eventsFrom reads a log whose newest events are at the end: from the page l on to
// the end, and back as far as floor.
func (a *adapter) eventsFrom(ctx context.Context, floor time.Time, page int, l leaf) ([]event, int, error) {
	out := newer(l.events, floor)
	last, ahead, err := page, l, error(nil)
	for read := 1; ahead.more && read < maxSweep; read++ {
		if ahead, err = a.leaf(ctx, ahead.next); err != nil {
			return nil, 0, err
		}
		out, last = append(out, newer(ahead.events, floor)...), last+1
	}
	for read := 1; page > 1 && !l.first.Before(floor) && read < maxSweep; read++ {
		page--
		if l, err = a.leaf(ctx, place{Page: page}); err != nil {
			return nil, 0, err
		}
		out = append(out, newer(l.events, floor)...)
	}
	return out, last, nil
}

func newer(in []event, floor time.Time) []event {
	return slices.DeleteFunc(in, func(e event) bool { return e.OccurredAt.Before(floor) })
}
