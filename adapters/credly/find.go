package credly

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"badgebridge/adapters"
)

// Settle implements adapters.Finder.
func (a *adapter) Settle() time.Duration { return a.settle }

// liveStates leaves revoked badges out: to issue again after a revocation is a
// new badge.
const liveStates = "pending,accepted,rejected"

// maxAddresses bounds how many addresses of one person are asked for.
const maxAddresses = 10

// nobody is an address that no badge can have been issued to.
const nobody = "nobody@badgebridge.invalid"

// Find implements adapters.Finder. It looks for our own key of the person first,
// then for the address of the recipient and every other that the person has
// proven; Credly matches all addresses of an account.
func (a *adapter) Find(ctx context.Context, in adapters.Issuance) (adapters.Ref, adapters.Found, error) {
	template := string(in.Class)
	if template == "" || !filterable(template) {
		return "", adapters.Unknown, nil
	}
	asked, unclear := false, false
	look := func(key, value string, fits func(badge) bool) (*badge, error) {
		if value == "" || !filterable(value) {
			return nil, nil
		}
		asked = true
		hits, err := a.hits(ctx, key, value, template, fits)
		if err != nil {
			return nil, err
		}
		hit, unsure := choose(hits, in)
		unclear = unclear || unsure
		return hit, nil
	}
	hit, err := look("issuer_earner_id", in.EarnerKey, func(b badge) bool { return b.EarnerID.String() == in.EarnerKey })
	mine := addresses(in)
	for _, address := range mine {
		if hit != nil || err != nil {
			break
		}
		hit, err = look(a.findBy, address, func(b badge) bool {
			return oneOf(mine, b.Email) || a.findBy == findByAccount && oneOf(mine, b.User.Email)
		})
	}
	switch {
	case err != nil:
		return "", adapters.Unknown, err
	case hit != nil:
		return adapters.Ref(hit.ID.String()), adapters.Present, nil
	case !asked || unclear:
		return "", adapters.Unknown, nil
	}
	return "", adapters.Absent, nil
}

// addresses are those to look for: the recipient's, as it is typed and in lower
// case, and the others that the person has proven.
func addresses(in adapters.Issuance) []string {
	var out []string
	for _, one := range append([]string{email(in.Recipient), strings.ToLower(email(in.Recipient))}, in.Addresses...) {
		if one = strings.TrimSpace(one); one != "" && !slices.Contains(out, one) && len(out) < maxAddresses {
			out = append(out, one)
		}
	}
	return out
}

func oneOf(list []string, v text) bool {
	return slices.ContainsFunc(list, func(one string) bool { return strings.EqualFold(one, v.String()) })
}

// filterable: these have a meaning in a filter, and no escape is documented.
func filterable(v string) bool {
	return !strings.ContainsAny(v, "|,") && !strings.Contains(v, "::")
}

// hits reads all badges of a template that match. fits tells whether a row is one
// that was asked for. One that is not shows that the filter was not understood,
// so that nothing is known; but a person's account at Credly may have addresses
// that the gateway does not know, so that there the filter itself is tried.
func (a *adapter) hits(ctx context.Context, key, value, template string, fits func(badge) bool) ([]badge, error) {
	q := query{op: "find", path: "/badges", sort: "created_at",
		filter: key + "::" + value + "|badge_template_id::" + template + "|state::" + liveStates}
	var out []badge
	tried := key != findByAccount || value == nobody
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
			ok := b.Template.ID.String() == template && fits(b)
			if !ok && !tried && b.Template.ID.String() == template {
				none := func(badge) bool { return false }
				if _, err := a.hits(ctx, key, nobody, template, none); err != nil {
					return nil, err
				}
				tried, fits, ok = true, func(badge) bool { return true }, true
			}
			if !ok {
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

var ids = regexp.MustCompile(`[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}`)

// Locate implements adapters.Locator. An address at Credly may name the
// organization, too; the badge is what follows "badges/" or "badge/", or the only
// id that is left.
func (a *adapter) Locate(ctx context.Context, given string) (adapters.Record, error) {
	const op = "read a badge"
	var found []string
	for _, at := range ids.FindAllStringIndex(given, 20) {
		id := strings.ToLower(given[at[0]:at[1]])
		before := strings.ToLower(given[:at[0]])
		switch {
		case strings.HasSuffix(before, "badges/"), strings.HasSuffix(before, "badge/"):
			found = []string{id}
		case id != a.org && !slices.Contains(found, id):
			found = append(found, id)
			continue
		default:
			continue
		}
		break
	}
	if len(found) != 1 {
		return adapters.Record{}, refuse(op, "That names no badge at Credly. Copy the address of the badge's page there.")
	}
	rec, err := a.record(ctx, adapters.Ref(found[0]))
	if err == nil && !strings.EqualFold(string(rec.Ref), found[0]) {
		return adapters.Record{}, a.garbled(op, errors.New("the answer is another badge"))
	}
	return rec, err
}
