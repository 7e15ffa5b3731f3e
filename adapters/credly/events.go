package credly

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"badgebridge/adapters"
)

// theEvents is the organization's log. No sort is documented for it.
var theEvents = query{op: "list events", path: "/events"}

type event struct {
	ID         text  `json:"id"`
	Type       text  `json:"event_type"`
	OccurredAt when  `json:"occurred_at"`
	Badge      badge `json:"badge"`
}

// addEvents adds to into what has no date in the lists of badges: those that
// were deleted, and those whose privacy changed. An event is a hint; what counts
// is the badge as it is now. A token that may not read events is no fault: then
// List sees these changes.
func (a *adapter) addEvents(ctx context.Context, floor time.Time, into map[string]change) error {
	list, err := a.eventsSince(ctx, floor)
	if errors.Is(err, adapters.ErrUnauthorized) || errors.Is(err, adapters.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range list {
		id := e.Badge.ID.String()
		old, there := into[id]
		switch e.Type.String() {
		case "badge.deleted":
			into[id] = change{id: id, at: e.OccurredAt.Time, deleted: true}
		case "badge.privacy.changed":
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
				return err
			}
			into[id] = change{id: id, at: e.OccurredAt.Time, raw: res.Data}
		}
	}
	return nil
}

// eventsSince reads the events not older than floor, from whichever end of the
// log the newest are at.
func (a *adapter) eventsSince(ctx context.Context, floor time.Time) ([]event, error) {
	var out []event
	// take reads one page. first and last are its outer times.
	take := func(p place) (r rows, first, last time.Time, err error) {
		if r, err = a.page(ctx, theEvents, p); err != nil {
			return
		}
		for _, raw := range r.items {
			var e event
			if lenient(raw, &e) != nil || e.OccurredAt.IsZero() {
				continue
			}
			if last = e.OccurredAt.Time; first.IsZero() {
				first = last
			}
			if !last.Before(floor) {
				out = append(out, e)
			}
		}
		return
	}
	r, first, last, err := take(place{})
	if err != nil || !r.more {
		return out, err
	}
	if first.Before(last) { // the oldest first: begin at the end
		for n, read := r.pages, 0; n > 1 && read < maxSweep; n, read = n-1, read+1 {
			if _, first, _, err = take(place{Page: n}); err != nil || first.Before(floor) {
				return out, err
			}
		}
		return out, nil
	}
	for read := 1; r.more && !last.Before(floor) && read < maxSweep; read++ {
		if r, _, last, err = take(r.next); err != nil {
			return out, err
		}
	}
	return out, nil
}
