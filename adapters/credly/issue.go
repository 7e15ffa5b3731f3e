package credly

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"badgebridge/adapters"
	"badgebridge/openbadges"
)

// stampLayout is how Credly takes times: with an explicit zone.
const stampLayout = "2006-01-02 15:04:05 -0700"

// issuance is the body of an issue. issuer_earner_id is what Find looks for.
type issuance struct {
	Email        string        `json:"recipient_email"`
	FirstName    string        `json:"issued_to_first_name"`
	LastName     string        `json:"issued_to_last_name"`
	Template     string        `json:"badge_template_id"`
	IssuedAt     string        `json:"issued_at"`
	ExpiresAt    string        `json:"expires_at,omitempty"` // absent: the template's default
	EarnerID     string        `json:"issuer_earner_id,omitempty"`
	SuppressMail bool          `json:"suppress_badge_notification_email"`
	Evidence     []urlEvidence `json:"evidence,omitempty"`
}

type urlEvidence struct {
	Type        string `json:"type"`
	Name        string `json:"name"`
	Value       string `json:"value"`
	Description string `json:"description,omitempty"`
}

func refuse(op, words string) error {
	return &adapters.Error{Op: "credly: " + op, Kind: adapters.ErrRejected, Words: words}
}

// Issue implements adapters.Issuer. Credly keeps no key of ours, so that the
// same call twice is refused as a duplicate (ErrConflict) unless the template
// allows duplicates: after a doubtful outcome ask Find.
func (a *adapter) Issue(ctx context.Context, in adapters.Issuance) (adapters.Ref, error) {
	const op = "issue"
	body, err := a.issuance(op, in)
	if err != nil {
		return "", err
	}
	res, err := a.do(ctx, op, http.MethodPost, a.orgURL("/badges", nil), body)
	if err != nil {
		return "", err
	}
	var b badge
	if err := lenient(res.Data, &b); err != nil || b.ID.String() == "" {
		return "", &adapters.Error{Op: "credly: " + op, Kind: adapters.ErrUnavailable, Ambiguous: true,
			Err: errors.New("the answer names no badge")}
	}
	return adapters.Ref(b.ID.String()), nil
}

// issuance checks what Credly would refuse anyway, in words that say the cure.
func (a *adapter) issuance(op string, in adapters.Issuance) (issuance, error) {
	r := in.Recipient
	switch {
	case in.Class == "":
		return issuance{}, refuse(op, "No Credly badge template is mapped to this badge.")
	case r.Hashed || r.Type != openbadges.IdentityEmail || !strings.Contains(r.Identity, "@"):
		return issuance{}, refuse(op, "Credly issues to an e-mail address, and none is known for this recipient.")
	case !r.Named():
		return issuance{}, refuse(op, "Credly asks for a first and a last name, and this recipient lacks one.")
	case in.Award.IssuedOn.IsZero():
		return issuance{}, refuse(op, "Credly asks for the day of the award, and this award has none.")
	}
	out := issuance{
		Email: strings.TrimSpace(r.Identity), FirstName: strings.TrimSpace(r.GivenName), LastName: strings.TrimSpace(r.FamilyName),
		Template: string(in.Class), IssuedAt: in.Award.IssuedOn.UTC().Format(stampLayout), EarnerID: in.EarnerKey,
		SuppressMail: !in.Notify && !a.notify,
	}
	if !in.Award.Expires.IsZero() {
		out.ExpiresAt = in.Award.Expires.UTC().Format(stampLayout)
	}
	for _, e := range in.Award.Evidence {
		// Only this kind of evidence is documented letter by letter.
		if page := webURL(text(e.ID)); page != "" {
			name := e.Name
			if name == "" {
				name = "Evidence"
			}
			out.Evidence = append(out.Evidence, urlEvidence{"UrlEvidence", name, page, e.Description})
		}
	}
	return out, nil
}

// Settle implements adapters.Finder.
func (a *adapter) Settle() time.Duration { return a.settle }

// liveStates leaves revoked badges out: to issue again after a revocation is a
// new badge.
const liveStates = "pending,accepted,rejected"

// Find implements adapters.Finder. It looks for our own key of the person first,
// then for each address that they have proven; Credly matches all addresses of an
// account.
func (a *adapter) Find(ctx context.Context, in adapters.Issuance) (adapters.Ref, adapters.Found, error) {
	type look struct{ key, value string }
	looks := []look{{"issuer_earner_id", in.EarnerKey}, {"recipient_email_all", email(in.Recipient)}}
	for _, address := range in.Addresses {
		if l := (look{"recipient_email_all", strings.TrimSpace(address)}); !slices.Contains(looks, l) {
			looks = append(looks, l)
		}
	}
	asked, unclear := false, false
	for _, by := range looks {
		if by.value == "" || in.Class == "" || !filterable(by.value) || !filterable(string(in.Class)) {
			continue
		}
		asked = true
		hits, err := a.hits(ctx, by.key, by.value, string(in.Class))
		if err != nil {
			return "", adapters.Unknown, err
		}
		hit, unsure := choose(hits, in)
		if hit != nil {
			return adapters.Ref(hit.ID.String()), adapters.Present, nil
		}
		unclear = unclear || unsure
	}
	if !asked || unclear {
		return "", adapters.Unknown, nil
	}
	return "", adapters.Absent, nil
}

func email(r openbadges.Recipient) string {
	if r.Hashed || r.Type != openbadges.IdentityEmail {
		return ""
	}
	return strings.TrimSpace(r.Identity)
}

// filterable: these have a meaning in a filter, and no escape is documented.
func filterable(v string) bool {
	return !strings.ContainsAny(v, "|,") && !strings.Contains(v, "::")
}

// hits reads all badges of a template that match. A row that does not fit what
// was asked shows that the filter was not understood: then nothing is known.
func (a *adapter) hits(ctx context.Context, key, value, template string) ([]badge, error) {
	q := query{op: "find", path: "/badges", sort: "created_at",
		filter: key + "::" + value + "|badge_template_id::" + template + "|state::" + liveStates}
	var out []badge
	var at place
	for {
		r, err := a.page(ctx, q, at)
		if err != nil {
			return nil, err
		}
		for _, raw := range r.items {
			var b badge
			if err := lenient(raw, &b); err != nil || b.ID.String() == "" {
				return nil, a.garbled(q.op, errors.New("a badge without id"))
			}
			if b.Template.ID.String() != template || key == "issuer_earner_id" && b.EarnerID.String() != value {
				return nil, a.garbled(q.op, errors.New("the answer holds other badges than were asked for"))
			}
			out = append(out, b)
		}
		if !r.more {
			return out, nil
		}
		at = r.next
	}
}

// choose picks the badge that an issuance made, nil when none can be it. The
// choice among equals is the oldest, then the smallest id.
//
// The award's own date decides. Without it: a template that allows no duplicates
// has one badge for one person, so that what is there is what counts. On one that
// does, a badge that carries our key, with a date that is no award's, can't be
// told from the one that is looked for: unsure.
func choose(hits []badge, in adapters.Issuance) (hit *badge, unsure bool) {
	live := slices.DeleteFunc(hits, func(b badge) bool {
		return b.Replacement.String() != "" || b.State.String() == "revoked" || slices.Contains(in.Past, adapters.Ref(b.ID.String()))
	})
	slices.SortStableFunc(live, func(x, y badge) int {
		if c := x.CreatedAt.Compare(y.CreatedAt.Time); c != 0 {
			return c
		}
		return strings.Compare(x.ID.String(), y.ID.String())
	})
	same := func(b badge, t time.Time) bool {
		return b.IssuedAt.Truncate(time.Second).Equal(t.UTC().Truncate(time.Second))
	}
	free := make([]*badge, 0, len(live))
	for i, b := range live {
		if !slices.ContainsFunc(in.Siblings, func(s adapters.Sibling) bool { return s.Ref != "" && string(s.Ref) == b.ID.String() }) {
			free = append(free, &live[i])
		}
	}
	for _, b := range free {
		if same(*b, in.Award.IssuedOn) {
			return b, false
		}
	}
	free = slices.DeleteFunc(free, func(b *badge) bool {
		return slices.ContainsFunc(in.Siblings, func(s adapters.Sibling) bool { return same(*b, s.IssuedOn) })
	})
	if in.Existing && len(free) > 0 {
		return free[0], false
	}
	for i := range live {
		if !live[i].Template.AllowDuplicates || in.Award.IssuedOn.IsZero() {
			return &live[i], false
		}
	}
	for _, b := range free {
		unsure = unsure || in.EarnerKey != "" && b.EarnerID.String() == in.EarnerKey
	}
	return nil, unsure
}

// Revoke implements adapters.Revoker. Credly asks for a reason; an empty one
// becomes a plain sentence.
func (a *adapter) Revoke(ctx context.Context, r adapters.Ref, reason string) error {
	if strings.TrimSpace(reason) == "" {
		reason = "Revoked by the issuer."
	}
	at := a.orgURL("/badges/"+url.PathEscape(string(r)), nil)
	_, err := a.do(ctx, "revoke", http.MethodPut, at+"/revoke", map[string]string{"reason": reason})
	if !errors.Is(err, adapters.ErrRejected) && !errors.Is(err, adapters.ErrConflict) {
		return err
	}
	// How Credly refuses to revoke a revoked badge is not documented: look.
	res, lookErr := a.do(ctx, "look at a badge before revoking it", http.MethodGet, at, nil)
	if lookErr != nil {
		if adapters.Temporary(lookErr) {
			return lookErr
		}
		return err
	}
	var b badge
	if lenient(res.Data, &b) == nil && b.State.String() == "revoked" {
		return nil
	}
	return err
}

// Remove implements adapters.Remover: it deletes the badge at Credly, which
// needs a token that may delete. A badge that is not there is no error.
func (a *adapter) Remove(ctx context.Context, r adapters.Ref) error {
	_, err := a.do(ctx, "delete", http.MethodDelete, a.orgURL("/badges/"+url.PathEscape(string(r)), nil), nil)
	var e *adapters.Error
	if errors.As(err, &e) {
		switch {
		case errors.Is(err, adapters.ErrNotFound):
			return nil
		case e.Status == http.StatusForbidden:
			// The token may do all else: only this push is refused.
			e.Kind = adapters.ErrRejected
			e.Err = errors.New("the token may not delete; enable that for it in Credly")
		}
	}
	return err
}
