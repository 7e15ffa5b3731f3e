package engine_test

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"badgebridge/adapters"
	simcredly "badgebridge/sandbox/credly"
	"badgebridge/sandbox/site"
	"badgebridge/store"
	"badgebridge/sync/engine"
)

// faulty are the ways in which a call to Credly can fail.
var faulty = []string{
	simcredly.FaultRateLimit, simcredly.FaultRateLimitDate, simcredly.FaultRateLimitBare, simcredly.FaultServerError,
	simcredly.FaultDropBefore, simcredly.FaultDropAfter, simcredly.FaultTruncate, simcredly.FaultCut,
}

// endpoints are the calls of the flows: find and read, issue, revoke, the log of
// events, the catalog.
var endpoints = []struct{ method, path string }{
	{http.MethodGet, "/v1/organizations/*/badges"},
	{http.MethodPost, "/v1/organizations/*/badges"},
	{http.MethodPut, "/v1/organizations/*/badges/*/revoke"},
	{http.MethodGet, "/v1/organizations/*/events"},
	{http.MethodGet, "/v1/organizations/*/badge_templates"},
}

// Whatever of Credly's undocumented behaviour turns out otherwise than assumed,
// nothing is lost and nothing doubled, and what can't be done is said in Credly's
// own words and can be sent again.
func TestWhateverCredlyTurnsOutToDoNothingIsLostOrDoubled(t *testing.T) {
	var s *story
	options := simcredly.Inferred()
	if raced {
		options = options[:12]
	}
	for i, o := range options {
		if i%12 == 0 { // a new world now and then: one for each takes long, and one fills up
			s = newStory(t, simcredly.Options{}, i%24 == 0)
		}
		t.Run(o.Name, func(t *testing.T) {
			defer func(outer *testing.T) { s.t = outer }(s.t)
			s.t = t
			s.options = simcredly.Flipped(o)
			s.tell(faulty[i%len(faulty)], faulty[(i+3)%len(faulty)]) // each option meets other faults
			s.credly.SetOptions(simcredly.Options{})
			s.calm("as assumed again")
		})
		if i%12 == 11 {
			s.quiet()
		}
	}
	s.quiet()
}

func TestTheFiveThatDecideInPairsWithEveryFaultOnEveryCall(t *testing.T) {
	five := simcredly.Deciding()
	sets := map[string]simcredly.Options{"as assumed": {}, "as assumed, and no duplicates": {}}
	for i, a := range five {
		for _, b := range five[i+1:] {
			sets[a.Name+" and "+b.Name] = simcredly.Flipped(a, b)
		}
	}
	for name, options := range sets {
		if raced && !strings.HasPrefix(name, "as assumed") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			// A revoked badge stands in the way only where Credly refuses a second one.
			s := newStory(t, options, !options.RevokedStillDuplicate && !strings.Contains(name, "no duplicates"))
			s.tell(faulty[:4]...)
			s.tell(faulty[4:]...)
			s.quiet()
		})
	}
}

// story is the same few days again and again, with other people each time.
type story struct {
	*world
	options simcredly.Options
	days    int
}

// newStory has a template that allows duplicates, so that Credly itself stops no
// second badge, or one that does not.
func newStory(t *testing.T, o simcredly.Options, repeat bool) *story {
	w := newWorld(t)
	if repeat {
		w.repeating()
	}
	w.mapBadges(store.Mapping{AToB: store.AtOnce, BToA: store.AtOnce, RevokeAB: true, RevokeBA: true})
	return &story{world: w, options: o}
}

// tell goes through issue, find, replace and revoke, in both directions, with
// each call failing once in each of these ways.
func (s *story) tell(faults ...string) {
	s.t.Helper()
	s.days++
	s.credly.SetOptions(s.options)
	address := func(name string) string { return fmt.Sprintf("%s%d@example.org", name, s.days) }
	who := map[string]int64{}
	for _, name := range []string{"dee", "eve", "flo"} {
		who[name] = s.site.AddMember(site.Member{Email: address(name), GivenName: name, FamilyName: "Example"})
	}
	fail := func() {
		for _, fault := range faults {
			for _, e := range endpoints {
				s.credly.Inject(simcredly.Fault{Kind: fault, Method: e.method, Path: e.path, Count: 1, Seconds: 1})
			}
		}
	}
	fail()
	entry := s.give(who["dee"]) // is taken back at the site
	s.give(who["eve"])          // goes to another address
	hand, err := s.credly.Issue(simcredly.Badge{TemplateID: string(s.template.Ref), Email: address("flo"), FirstName: "Flo", LastName: "Example", IssuedAt: s.now.Now()})
	must(s.t, err) // is granted on the site, and taken back at Credly
	s.calm("issued")
	for name, want := range map[string]int{"dee": 1, "eve": 1, "flo": 1} {
		s.holds(address(name), want)
	}

	fail()
	eve := s.person(address("eve"), "Eve", "Example")
	s.prove(eve, address("eva"))
	awards, err := s.store.AwardsFor(s.t.Context(), address("eve"), 1)
	must(s.t, err)
	// Where Credly accepts for its earners there is nothing pending to move.
	moved := s.engine.SendElsewhere(s.t.Context(), awards[0].ID, eve, "credly", address("eva")) == nil
	must(s.t, s.site.Revoke(entry, "Given in error."))
	must(s.t, s.credly.Revoke(hand, "Withdrawn."))
	s.calm("revoked")
	s.holds(address("dee"), 0)
	s.holds(address("flo"), 0)
	if moved {
		s.holds(address("eve"), 0)
		s.holds(address("eva"), 1)
	}
	for _, h := range s.site.Awards() {
		if h.Member != nil && slices.Contains([]string{address("dee"), address("flo")}, h.Member.Email) {
			s.t.Errorf("%s still holds the badge at the site", h.Member.Email)
		}
	}
}

// holds holds how many badges of the address hold at Credly.
func (s *story) holds(email string, want int) {
	s.t.Helper()
	n := 0
	for _, b := range s.credly.Badges() {
		if b.Email == email && b.State != simcredly.Revoked && b.Replacement == "" {
			n++
		}
	}
	if n != want {
		s.t.Errorf("%d badges of %s hold at Credly, want %d", n, email, want)
	}
}

// calm lets time pass until nothing is on its way. What was given up is shown
// with words; a person mends the cause, which may be Credly's behaviour itself,
// and sends it again.
func (s *story) calm(after string) {
	s.t.Helper()
	ctx := s.t.Context()
	for still := 0; still < 2; {
		cause := map[bool]string{true: "command", false: "schedule"}[still == 0] // the former reads the catalog, too
		still++
		for _, name := range []adapters.Remote{"wp", "credly"} {
			run, err := s.engine.Sync(ctx, name, engine.SyncOptions{Cause: cause})
			if err != nil && run.Message == "" {
				s.t.Errorf("a pull failed without a word: %v", err)
			}
			if err != nil || run.New+run.Changed+run.Pushes > 0 {
				still = 0
			}
		}
		n, err := s.engine.SendDue(ctx)
		must(s.t, err)
		if n > 0 {
			still = 0
		}
		s.now.add(20 * time.Minute)
	}
	s.credly.ClearFaults()
	stuck := false
	for _, state := range []store.PushState{store.PushHeld, store.PushRejected} {
		pushes, err := s.store.Pushes(ctx, store.PushFilter{State: state, Limit: 100})
		must(s.t, err)
		for _, p := range pushes {
			if cmp.Or(p.Words, p.Reason) == "" || p.State == store.PushRejected && p.Words == "" {
				s.t.Errorf("%s, and nobody is told why: %+v", after, p)
			}
			s.t.Logf("%s: %s to %s is %s (%s): %s", after, p.Op, p.Remote, p.State, p.Reason, p.Words)
			stuck = true
			s.credly.SetOptions(simcredly.Options{})
			must(s.t, s.engine.SendAgain(ctx, p.ID, ""))
		}
	}
	for i := 0; i < 3 && stuck; i++ {
		s.pull()
		s.send()
		s.now.add(20 * time.Minute)
	}
	n, err := s.store.CountPushes(ctx)
	must(s.t, err)
	for state, count := range n {
		if state != store.PushDone && state != store.PushCancelled && count > 0 {
			s.t.Errorf("%s: %d pushes are %s", after, count, state)
		}
	}
}
