// Package reconcile decides what has to be sent: facts and policy in, actions
// out. It is pure (no clock, no I/O), so that its promises can be tested by
// properties:
//
//   - planning again after doing what was planned yields nothing;
//   - the order in which facts became true does not matter;
//   - nothing is ever sent to the origin;
//   - at most one live copy per remote;
//   - a revocation is final;
//   - what was old when its policy was set is left alone until an admin says otherwise;
//   - without a mapping whose policy says so, nothing is sent.
package reconcile

import (
	"cmp"
	"slices"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
)

// The reasons of a waiting or cancelled push. They are stored and shown in the
// reader's language.
const (
	WaitClaim    = "claim"        // the member has not answered yet
	WaitName     = "name"         // the remote needs given and family name
	WaitAddress  = "address"      // the recipient's address is not known
	WaitPaused   = "paused"       // an admin paused the mapping
	WaitIssuable = "not-issuable" // the badge there is a draft or archived
	WaitReplaced = "replaced"     // an earlier copy there is being taken back first

	NotWanted = "not-wanted" // cancelled by plan; planned anew it comes back
	ByPerson  = "person"     // cancelled by a person; it stays so
)

// Facts is everything about one award that decides what has to be sent.
type Facts struct {
	Award   Award
	Links   []Link
	Pushes  []Push
	Targets []Target
}

// Award is the part of an award that policy looks at.
type Award struct {
	ID         string
	Origin     adapters.Remote
	Claim      store.ClaimState
	Revoked    bool
	Expired    bool
	Flagged    bool
	HasAddress bool
	Named      bool
	// IssuedOn and ClaimedAt say when the award became what it is; ClaimedAt is
	// zero when nobody knows.
	IssuedOn  time.Time
	ClaimedAt time.Time
	// Rejected: its earner rejected it at the origin itself.
	Rejected bool
}

// Link is a record of the award at a remote.
type Link struct {
	Remote     adapters.Remote
	Ref        adapters.Ref
	Role       store.LinkRole
	State      store.LinkState
	Generation int
	// Heir is the push of another award that holds and for which this record stands,
	// too; "" none.
	Heir string
}

// Push is a write that exists already.
type Push struct {
	ID         string
	Op         store.Op
	Remote     adapters.Remote
	Generation int
	State      store.PushState
	Reason     string
	Ref        adapters.Ref
}

// Target is a place that a mapping names for the award's badge, with the policy
// of that mapping in this direction and what the remote can do.
type Target struct {
	Remote    adapters.Remote
	MappingID string
	When      store.When
	// Since leaves older awards alone; zero leaves none.
	Since  time.Time
	Revoke bool
	// RevokeRejected takes the copy back when the earner rejects the award at its
	// origin.
	RevokeRejected bool
	Paused         bool
	Issuable       bool
	CanIssue       bool
	CanRevoke      bool
	NeedsName      bool
	// Twin: the recipient has the target badge there already by an award of its
	// own; a copy would be a second one.
	Twin bool
}

// Action is one change to the table of pushes. PushID is "" for a new one.
type Action struct {
	PushID     string
	Op         store.Op
	Remote     adapters.Remote
	Generation int
	MappingID  string
	Ref        adapters.Ref
	State      store.PushState
	Reason     string
}

// Plan says what has to change among the award's pushes. The actions come in a
// fixed order: by remote, then operation.
func Plan(f Facts) []Action {
	var out []Action
	planned := map[adapters.Remote]bool{}
	for _, t := range ordered(f.Targets) {
		if t.Remote == f.Award.Origin || planned[t.Remote] {
			continue // never to the origin; one mapping a remote decides
		}
		planned[t.Remote] = true
		out = append(out, planIssue(f, t)...)
		out = append(out, planRevoke(f, t)...)
	}
	// What waits for a remote that no mapping names any more is not wanted.
	for _, p := range f.Pushes {
		if !planned[p.Remote] && p.Op == store.OpIssue && cancellable(p) {
			out = append(out, cancel(p))
		}
	}
	slices.SortStableFunc(out, func(a, b Action) int {
		return cmp.Or(cmp.Compare(a.Remote, b.Remote), cmp.Compare(a.Op, b.Op), cmp.Compare(a.Generation, b.Generation))
	})
	return out
}

// HasAlready says that nothing is planned for the award at one of its targets only
// because its recipient has the badge there by an award of its own.
func HasAlready(f Facts) bool {
	if len(Plan(f)) > 0 {
		return false
	}
	alone := f
	alone.Targets = slices.Clone(f.Targets)
	for i := range alone.Targets {
		alone.Targets[i].Twin = false
	}
	return slices.ContainsFunc(Plan(alone), func(a Action) bool { return a.Op == store.OpIssue && a.PushID == "" })
}

// ordered puts the target that sends most readily first, so that of two
// mappings to one remote the outcome does not hang on their order.
func ordered(targets []Target) []Target {
	rank := map[store.When]int{store.AtOnce: 0, store.OnClaim: 1, store.Never: 2}
	out := slices.Clone(targets)
	slices.SortStableFunc(out, func(a, b Target) int {
		paused := map[bool]int{false: 0, true: 1}
		return cmp.Or(
			cmp.Compare(a.Remote, b.Remote),
			cmp.Compare(rank[a.When], rank[b.When]),
			cmp.Compare(paused[a.Paused], paused[b.Paused]),
			cmp.Compare(a.MappingID, b.MappingID))
	})
	return out
}

func planIssue(f Facts, t Target) []Action {
	last, have := latestIssue(f.Pushes, t.Remote)
	if !wanted(f, t) {
		if have && cancellable(last) {
			return []Action{cancel(last)}
		}
		return nil
	}
	state, reason := readiness(f.Award, t)
	for _, l := range f.Links {
		if l.Remote == t.Remote && l.State == store.LinkPresent {
			state, reason = store.PushWaiting, WaitReplaced // it is leaving, and never are there two
		}
	}
	switch {
	case !have:
		return []Action{{Op: store.OpIssue, Remote: t.Remote, Generation: 1, MappingID: t.MappingID, State: state, Reason: reason}}
	case last.State == store.PushWaiting, last.State == store.PushQueued,
		last.State == store.PushCancelled && last.Reason == NotWanted:
		if last.State == state && (last.Reason == reason || state == store.PushQueued) {
			return nil // a queued push keeps the reason of its last attempt
		}
		return []Action{{PushID: last.ID, Op: store.OpIssue, Remote: t.Remote, Generation: last.Generation, MappingID: t.MappingID, State: state, Reason: reason}}
	}
	return nil // under way, done, or a person's to decide
}

// wanted says whether a live copy should exist at the target.
func wanted(f Facts, t Target) bool {
	a := f.Award
	if t.When == store.Never || t.When == "" || !t.CanIssue || t.Twin ||
		a.Revoked || a.Expired || a.Flagged || a.Claim == store.Declined || old(a, t) {
		return false
	}
	last, _ := latestIssue(f.Pushes, t.Remote)
	for _, l := range f.Links {
		if l.Remote == t.Remote && l.State == store.LinkPresent && !leaving(f, l, last) {
			return false
		}
	}
	return true
}

// leaving says that a copy is being taken back so that a later generation, which
// a person asked for, takes its place.
func leaving(f Facts, l Link, last Push) bool {
	return l.Role == store.RoleCopy && last.Generation > max(l.Generation, 1) && hasRevoke(f.Pushes, l.Remote, max(l.Generation, 1), l.Ref)
}

// old says that the award's moment had passed when the policy was set: its claim
// where the policy waits for one, else its issue. A claim that is still to come
// is never old.
func old(a Award, t Target) bool {
	if t.Since.IsZero() {
		return false
	}
	at := a.IssuedOn
	if t.When == store.OnClaim {
		if a.Claim != store.Claimed {
			return false
		}
		if !a.ClaimedAt.IsZero() {
			at = a.ClaimedAt
		}
	}
	return at.Before(t.Since)
}

// readiness says whether a wanted issue can be sent now, or what it waits for.
func readiness(a Award, t Target) (store.PushState, string) {
	switch {
	case t.When == store.OnClaim && a.Claim != store.Claimed:
		return store.PushWaiting, WaitClaim
	case t.Paused:
		return store.PushWaiting, WaitPaused
	case !t.Issuable:
		return store.PushWaiting, WaitIssuable
	case !a.HasAddress:
		return store.PushWaiting, WaitAddress
	case t.NeedsName && !a.Named:
		return store.PushWaiting, WaitName
	}
	return store.PushQueued, ""
}

func planRevoke(f Facts, t Target) []Action {
	taken := f.Award.Revoked && t.Revoke || f.Award.Rejected && t.RevokeRejected
	if !taken || !t.CanRevoke || t.Paused {
		return nil
	}
	var out []Action
	for _, l := range f.Links {
		if l.Remote != t.Remote || l.Role != store.RoleCopy || l.State != store.LinkPresent || l.Heir != "" {
			continue
		}
		generation := max(l.Generation, 1)
		if hasRevoke(f.Pushes, t.Remote, generation, l.Ref) {
			continue
		}
		out = append(out, Action{Op: store.OpRevoke, Remote: t.Remote, Generation: generation, MappingID: t.MappingID, Ref: l.Ref, State: store.PushQueued})
	}
	return out
}

func hasRevoke(pushes []Push, r adapters.Remote, generation int, ref adapters.Ref) bool {
	return slices.ContainsFunc(pushes, func(p Push) bool {
		return p.Op == store.OpRevoke && p.Remote == r && (p.Generation == generation || p.Ref == ref)
	})
}

func latestIssue(pushes []Push, r adapters.Remote) (last Push, have bool) {
	for _, p := range pushes {
		if p.Op == store.OpIssue && p.Remote == r && (!have || p.Generation > last.Generation) {
			last, have = p, true
		}
	}
	return last, have
}

// cancellable: not sent, so that nothing can be there because of it. A sent
// push is settled first; what it left is then revoked by an action of its own.
func cancellable(p Push) bool {
	return p.State == store.PushWaiting || p.State == store.PushQueued
}

func cancel(p Push) Action {
	return Action{PushID: p.ID, Op: p.Op, Remote: p.Remote, Generation: p.Generation, State: store.PushCancelled, Reason: NotWanted}
}
