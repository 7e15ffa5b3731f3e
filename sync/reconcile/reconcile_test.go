package reconcile_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/sync/reconcile"
)

const (
	site   = adapters.Remote("site")
	credly = adapters.Remote("credly")
	other  = adapters.Remote("other")
)

// anyFacts draws facts as they can be in the store, and stranger ones.
func anyFacts(t *rapid.T) reconcile.Facts {
	remotes := []adapters.Remote{site, credly, other}
	f := reconcile.Facts{Award: reconcile.Award{
		ID:         "award",
		Origin:     rapid.SampledFrom(remotes).Draw(t, "origin"),
		Claim:      rapid.SampledFrom([]store.ClaimState{store.Offered, store.Claimed, store.Declined}).Draw(t, "claim"),
		Revoked:    rapid.Bool().Draw(t, "revoked"),
		Expired:    rapid.Bool().Draw(t, "expired"),
		Flagged:    rapid.Bool().Draw(t, "flagged"),
		HasAddress: rapid.Bool().Draw(t, "address"),
		Named:      rapid.Bool().Draw(t, "named"),
		IssuedOn:   anyTime(t, "issued"),
		ClaimedAt:  anyTime(t, "claimed at"),
		Rejected:   rapid.Bool().Draw(t, "rejected"),
	}}
	f.Links = append(f.Links, reconcile.Link{Remote: f.Award.Origin, Ref: "origin", Role: store.RoleOrigin, State: store.LinkPresent})
	for _, r := range remotes {
		if r != f.Award.Origin && rapid.Bool().Draw(t, "linked "+string(r)) {
			f.Links = append(f.Links, reconcile.Link{Remote: r, Ref: adapters.Ref("copy at " + r), Role: store.RoleCopy, Generation: 1,
				State: rapid.SampledFrom([]store.LinkState{store.LinkPresent, store.LinkRevoked, store.LinkGone}).Draw(t, "link")})
		}
		if rapid.Bool().Draw(t, "pushed "+string(r)) {
			f.Pushes = append(f.Pushes, reconcile.Push{ID: "p-" + string(r), Op: store.OpIssue, Remote: r, Generation: 1,
				State: rapid.SampledFrom([]store.PushState{store.PushWaiting, store.PushQueued, store.PushSent, store.PushDone,
					store.PushRejected, store.PushHeld, store.PushCancelled}).Draw(t, "push"),
				Reason: rapid.SampledFrom([]string{"", reconcile.WaitClaim, reconcile.WaitName, reconcile.NotWanted, reconcile.ByPerson}).Draw(t, "reason")})
		}
	}
	for _, l := range f.Links {
		if l.Role == store.RoleCopy && rapid.Bool().Draw(t, "sent elsewhere") { // a person asked for another copy
			states := []store.PushState{store.PushQueued, store.PushSent, store.PushDone, store.PushRejected}
			f.Pushes = append(f.Pushes,
				reconcile.Push{ID: "r-" + string(l.Remote), Op: store.OpRevoke, Remote: l.Remote, Generation: 1, Ref: l.Ref, State: rapid.SampledFrom(states).Draw(t, "revoke")},
				reconcile.Push{ID: "q-" + string(l.Remote), Op: store.OpIssue, Remote: l.Remote, Generation: 2, State: store.PushWaiting, Reason: reconcile.WaitReplaced})
		}
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "targets") {
		f.Targets = append(f.Targets, reconcile.Target{
			Remote:    rapid.SampledFrom(remotes).Draw(t, "target"),
			MappingID: fmt.Sprintf("m%d", i),
			When:      rapid.SampledFrom([]store.When{store.Never, store.OnClaim, store.AtOnce, ""}).Draw(t, "when"),
			Revoke:    rapid.Bool().Draw(t, "revoke"), Paused: rapid.Bool().Draw(t, "paused"), Issuable: rapid.Bool().Draw(t, "issuable"),
			CanIssue: rapid.Bool().Draw(t, "can issue"), CanRevoke: rapid.Bool().Draw(t, "can revoke"),
			Since: anyTime(t, "since"), RevokeRejected: rapid.Bool().Draw(t, "revoke rejected"),
			NeedsName: rapid.Bool().Draw(t, "needs name"), Twin: rapid.Bool().Draw(t, "twin"),
		})
	}
	return f
}

// anyTime is one of four hours, or none.
func anyTime(t *rapid.T, name string) time.Time {
	h := rapid.IntRange(0, 4).Draw(t, name)
	if h == 0 {
		return time.Time{}
	}
	return time.Date(2026, 1, 1, h, 0, 0, 0, time.UTC)
}

// do applies actions as the engine does.
func do(f reconcile.Facts, actions []reconcile.Action) reconcile.Facts {
	f.Pushes = append([]reconcile.Push(nil), f.Pushes...)
	for i, a := range actions {
		p := reconcile.Push{ID: a.PushID, Op: a.Op, Remote: a.Remote, Generation: a.Generation, State: a.State, Reason: a.Reason, Ref: a.Ref}
		if a.PushID == "" {
			p.ID = fmt.Sprintf("new-%d-%d", len(f.Pushes), i)
			f.Pushes = append(f.Pushes, p)
			continue
		}
		for j := range f.Pushes {
			if f.Pushes[j].ID == a.PushID {
				f.Pushes[j] = p
			}
		}
	}
	return f
}

func TestPlanningAgainAfterDoingWhatWasPlannedYieldsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFacts(t)
		after := do(f, reconcile.Plan(f))
		if again := reconcile.Plan(after); len(again) != 0 {
			t.Fatalf("facts %+v\nfirst %+v\nagain %+v", f, reconcile.Plan(f), again)
		}
	})
}

func TestTheOrderOfMappingsLinksAndPushesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFacts(t)
		g := f
		g.Targets = rapid.Permutation(f.Targets).Draw(t, "targets in another order")
		g.Links = rapid.Permutation(f.Links).Draw(t, "links in another order")
		g.Pushes = rapid.Permutation(f.Pushes).Draw(t, "pushes in another order")
		if a, b := reconcile.Plan(f), reconcile.Plan(g); !reflect.DeepEqual(a, b) {
			t.Fatalf("%+v\n%+v", a, b)
		}
	})
}

func TestWhatIsPlannedKeepsThePromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFacts(t)
		issues := map[adapters.Remote]int{}
		for _, a := range reconcile.Plan(f) {
			if a.State == store.PushCancelled {
				continue
			}
			if a.Remote == f.Award.Origin {
				t.Fatalf("sent to the origin: %+v", a)
			}
			var policy *reconcile.Target
			for i, m := range f.Targets {
				if m.MappingID == a.MappingID && m.Remote == a.Remote {
					policy = &f.Targets[i]
				}
			}
			if policy == nil {
				t.Fatalf("sent without a mapping: %+v", a)
			}
			switch a.Op {
			case store.OpIssue:
				issues[a.Remote]++
				if policy.When == store.Never || policy.When == "" {
					t.Fatalf("sent though the policy is off: %+v", a)
				}
				if f.Award.Revoked {
					t.Fatalf("a revoked award is issued: %+v", a)
				}
				if moment := momentOf(f.Award, policy.When); !policy.Since.IsZero() && !moment.IsZero() && moment.Before(policy.Since) {
					t.Fatalf("an old award is sent: %+v", a)
				}
				if policy.Twin {
					t.Fatalf("issued to someone who has it there already: %+v", a)
				}
				for _, l := range f.Links {
					if l.Remote == a.Remote && l.State == store.LinkPresent && !(a.State == store.PushWaiting && a.Reason == reconcile.WaitReplaced) {
						t.Fatalf("a second live copy: %+v", a)
					}
				}
				if a.State == store.PushQueued && policy.When == store.OnClaim && f.Award.Claim != store.Claimed {
					t.Fatalf("sent before the claim: %+v", a)
				}
				if a.State == store.PushQueued && policy.NeedsName && !f.Award.Named {
					t.Fatalf("sent without a name: %+v", a)
				}
			case store.OpRevoke:
				if !(f.Award.Revoked && policy.Revoke) && !(f.Award.Rejected && policy.RevokeRejected) {
					t.Fatalf("revoked without a revocation or rejection, or against the policy: %+v", a)
				}
			}
		}
		for r, n := range issues {
			if n > 1 {
				t.Fatalf("%d issues planned at %s", n, r)
			}
		}
	})
}

// momentOf is when an award became ready by a policy, zero when it has not, or
// nobody knows.
func momentOf(a reconcile.Award, when store.When) time.Time {
	switch {
	case when == store.AtOnce, a.Claim == store.Claimed && a.ClaimedAt.IsZero():
		return a.IssuedOn
	case a.Claim == store.Claimed:
		return a.ClaimedAt
	}
	return time.Time{}
}

func TestABackfillIsTheOnlyThingThatReachesOldAwards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFacts(t)
		f.Pushes = nil
		with := map[adapters.Remote]bool{}
		for _, a := range reconcile.Plan(f) {
			with[a.Remote] = with[a.Remote] || a.Op == store.OpIssue
		}
		all := f
		all.Targets = append([]reconcile.Target(nil), f.Targets...)
		for i := range all.Targets {
			all.Targets[i].Since = time.Time{}
		}
		reached := map[adapters.Remote]bool{}
		for _, a := range reconcile.Plan(all) {
			reached[a.Remote] = reached[a.Remote] || a.Op == store.OpIssue
		}
		for r := range with {
			if with[r] && !reached[r] {
				t.Fatalf("the backfill of %s reaches less than the policy alone: %+v", r, f)
			}
		}
	})
}

func TestAClaimAfterThePolicyWasSetIsNeverOld(t *testing.T) {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	f := reconcile.Facts{
		Award:   reconcile.Award{ID: "a", Origin: site, Claim: store.Offered, HasAddress: true, Named: true, IssuedOn: at.AddDate(-3, 0, 0)},
		Targets: []reconcile.Target{{Remote: credly, MappingID: "m", When: store.OnClaim, Since: at, Issuable: true, CanIssue: true}},
	}
	if got := reconcile.Plan(f); len(got) != 1 || got[0].Reason != reconcile.WaitClaim {
		t.Fatalf("an old award that is not claimed yet: %+v", got)
	}
	f.Award.Claim, f.Award.ClaimedAt = store.Claimed, at.Add(time.Hour)
	if got := reconcile.Plan(f); len(got) != 1 || got[0].State != store.PushQueued {
		t.Fatalf("claimed after: %+v", got)
	}
	f.Award.ClaimedAt = at.Add(-time.Hour)
	if got := reconcile.Plan(f); len(got) != 0 {
		t.Fatalf("claimed before: %+v", got)
	}
}

func TestAPushThatAPersonCancelledOrARemoteRefusedStaysSo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFacts(t)
		for _, a := range reconcile.Plan(f) {
			for _, p := range f.Pushes {
				if p.ID != a.PushID {
					continue
				}
				if p.State == store.PushSent || p.State == store.PushDone || p.State == store.PushRejected || p.State == store.PushHeld ||
					(p.State == store.PushCancelled && p.Reason != reconcile.NotWanted) {
					t.Fatalf("%+v was planned over %+v", a, p)
				}
			}
		}
	})
}

func TestTheStoryOfOneAward(t *testing.T) {
	f := reconcile.Facts{
		Award:   reconcile.Award{ID: "a", Origin: site, Claim: store.Offered, HasAddress: true},
		Links:   []reconcile.Link{{Remote: site, Role: store.RoleOrigin, State: store.LinkPresent}},
		Targets: []reconcile.Target{{Remote: credly, MappingID: "m", When: store.OnClaim, Revoke: true, Issuable: true, CanIssue: true, CanRevoke: true, NeedsName: true}},
	}
	step := func(what string, state store.PushState, reason string) {
		t.Helper()
		actions := reconcile.Plan(f)
		if len(actions) != 1 || actions[0].State != state || actions[0].Reason != reason {
			t.Fatalf("%s: want %s %q, got %+v", what, state, reason, actions)
		}
		f = do(f, actions)
	}
	step("offered", store.PushWaiting, reconcile.WaitClaim)
	f.Award.Claim = store.Claimed
	step("claimed", store.PushWaiting, reconcile.WaitName)
	f.Award.Named = true
	step("named", store.PushQueued, "")
	f.Pushes[0].State = store.PushDone
	f.Links = append(f.Links, reconcile.Link{Remote: credly, Ref: "c1", Role: store.RoleCopy, State: store.LinkPresent, Generation: 1})
	if got := reconcile.Plan(f); len(got) != 0 {
		t.Fatalf("done: %+v", got)
	}
	f.Award.Revoked = true
	step("revoked", store.PushQueued, "")
	if last := f.Pushes[1]; last.Op != store.OpRevoke || last.Ref != "c1" {
		t.Fatalf("revoked: %+v", last)
	}
	f.Links[1].State, f.Pushes[1].State = store.LinkRevoked, store.PushDone
	f.Award.Revoked = false // a restored backup says so; the engine never does
	if got := reconcile.Plan(f); len(got) != 0 {
		t.Fatalf("a revocation is final: %+v", got)
	}
}
