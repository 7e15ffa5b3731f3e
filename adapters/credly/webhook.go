package credly

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"badgebridge/adapters"
)

// ParseWebhook implements adapters.Notifier. Credly does not sign: what makes
// sure of the sender is the secret in the address that the call came to. The
// body names an event, not a badge: ReadHint asks Credly for it.
func (a *adapter) ParseWebhook(_ http.Header, body []byte) ([]adapters.Hint, error) {
	fail := func(kind error, why string) ([]adapters.Hint, error) {
		return nil, &adapters.Error{Op: "credly: webhook", Kind: kind, Err: errors.New(why)}
	}
	if len(body) > 64<<10 {
		return fail(adapters.ErrRejected, "the body is larger than 64 KiB")
	}
	var w webhook
	if err := json.Unmarshal(body, &w); err != nil {
		return fail(adapters.ErrRejected, "the body is not a JSON object")
	}
	if w.OrganizationID != a.org {
		return fail(adapters.ErrUnauthorized, "it is about another organization")
	}
	if !uuid.MatchString(w.ID) {
		return fail(adapters.ErrRejected, "it names no event")
	}
	return []adapters.Hint{{ID: w.ID}}, nil
}

// ReadHint implements adapters.HintReader: the event is fetched from Credly, and
// the badge or template that it is about as it is now. Only a deletion is taken
// from the event, since there is nothing else left of it.
func (a *adapter) ReadHint(ctx context.Context, h adapters.Hint) (adapters.Hinted, error) {
	const op = "read an event"
	if !uuid.MatchString(h.ID) {
		return adapters.Hinted{}, &adapters.Error{Op: "credly: " + op, Kind: adapters.ErrNotFound, Err: errors.New("it is no event's id")}
	}
	res, err := a.do(ctx, op, http.MethodGet, a.orgURL("/events/"+url.PathEscape(h.ID), nil), nil)
	if err != nil {
		return adapters.Hinted{}, err
	}
	var e event
	if err := object(op, res, &e); err != nil {
		return adapters.Hinted{}, err
	}
	if !strings.EqualFold(e.ID.String(), h.ID) || e.Organization != "" && e.Organization.String() != a.org {
		return adapters.Hinted{}, a.garbled(op, errors.New("the answer is another event"))
	}
	switch kind := e.Type.String(); {
	case kind == eventDeleted && e.Badge.ID != "":
		return adapters.Hinted{Records: []adapters.Record{deletion(e)}}, nil
	case e.Badge.ID != "":
		return a.hintedBadge(ctx, e)
	case kind == eventTemplateDeleted:
		return adapters.Hinted{Catalog: true}, nil
	case e.Template.ID != "":
		return a.hintedTemplate(ctx, e)
	}
	return adapters.Hinted{}, nil // about somebody's employee record, or something new
}

func (a *adapter) hintedBadge(ctx context.Context, e event) (adapters.Hinted, error) {
	r, err := a.record(ctx, adapters.Ref(e.Badge.ID.String()))
	if err != nil {
		return adapters.Hinted{}, err // not there: not yet, or no longer, which has an event of its own
	}
	out := adapters.Hinted{Records: []adapters.Record{r}}
	var b badge
	if lenient(r.Raw, &b) == nil && b.Replaces != "" {
		// The badge that it replaces changed without an event of its own.
		out.Records = append(out.Records, replaced(b.Replaces.String(), b.ID.String(), b.CreatedAt.Time))
	}
	return out, nil
}

// record reads one badge.
func (a *adapter) record(ctx context.Context, r adapters.Ref) (adapters.Record, error) {
	const op = "read a badge"
	res, err := a.do(ctx, op, http.MethodGet, a.badgeURL(r), nil)
	if err != nil {
		return adapters.Record{}, err
	}
	rec, err := normalizeBadge(res.Data, a.base.String())
	if err != nil {
		return adapters.Record{}, a.garbled(op, err)
	}
	return rec, nil
}

func (a *adapter) hintedTemplate(ctx context.Context, e event) (adapters.Hinted, error) {
	class, err := a.template(ctx, e.Template.ID.String())
	if errors.Is(err, adapters.ErrNotFound) {
		return adapters.Hinted{Catalog: true}, nil
	}
	if err != nil {
		return adapters.Hinted{}, err
	}
	return adapters.Hinted{Classes: []adapters.Class{class}}, nil
}

// template reads one badge template.
func (a *adapter) template(ctx context.Context, id string) (adapters.Class, error) {
	const op = "read a badge template"
	res, err := a.do(ctx, op, http.MethodGet, a.orgURL("/badge_templates/"+url.PathEscape(id), nil), nil)
	if err != nil {
		return adapters.Class{}, err
	}
	class, err := normalizeClass(res.Data, a.base.String())
	if err != nil {
		return adapters.Class{}, a.garbled(op, err)
	}
	return class, nil
}
