package engine_test

import (
	"net/http"
	"testing"
	"time"

	"badgebridge/adapters"
	simcredly "badgebridge/sandbox/credly"
	"badgebridge/sandbox/site"
	"badgebridge/store"
	"badgebridge/sync/engine"
	"badgebridge/sync/outbox"
)

const issuing = "/v1/organizations/*/badges"

// repeating makes a template that allows duplicates the one that is mapped.
func (w *world) repeating() {
	w.t.Helper()
	const id = "0c7cbd20-0000-4000-8000-000000000009"
	must(w.t, w.credly.Seed(simcredly.Seed{Templates: []simcredly.Template{{ID: id, OrgID: simcredly.DemoOrg, Name: "Again", Description: "As often as earned.", AllowDuplicates: true}}}))
	w.pull()
	class, err := w.store.ClassByRef(w.t.Context(), "credly", id)
	must(w.t, err)
	w.template = class
}

// byHand issues the mapped badge on Credly's own pages.
func (w *world) byHand(email string, at time.Time) string {
	w.t.Helper()
	id, err := w.credly.Issue(simcredly.Badge{TemplateID: string(w.template.Ref), Email: email, FirstName: "Ada", LastName: "Example", IssuedAt: at})
	must(w.t, err)
	return id
}

// live counts the badges of the mapped template that are not taken back.
func (w *world) live() (n int) {
	for _, b := range w.credly.Badges() {
		if b.State != simcredly.Revoked && b.TemplateID == string(w.template.Ref) {
			n++
		}
	}
	return n
}

func (w *world) pushOf(i int) store.Push {
	w.t.Helper()
	return w.push(w.awards("wp")[i].ID)
}

func (w *world) pushTo(email string) store.Push {
	w.t.Helper()
	all, err := w.store.AwardsFor(w.t.Context(), email, 10)
	must(w.t, err)
	if len(all) != 1 {
		w.t.Fatalf("%d awards to %s", len(all), email)
	}
	return w.push(all[0].ID)
}

func TestOneBadgeStandsForSeveralAwardsWhereCredlyTakesOneAndGoesWithTheLastOfThem(t *testing.T) {
	w := newWorld(t)
	w.mapBadges(store.Mapping{AToB: store.AtOnce, RevokeAB: true})
	first, second := w.give(w.ada), w.give(w.ada)
	w.round()
	if n := w.live(); n != 1 {
		t.Fatalf("%d badges at Credly", n)
	}
	one, other := w.pushOf(0), w.pushOf(1)
	if one.State != store.PushDone || other.State != store.PushDone || one.Ref != other.Ref || one.Reason+other.Reason != outbox.Exists {
		t.Errorf("%+v\n%+v", one, other)
	}
	w.quiet()
	must(t, w.site.Revoke(first, "Given in error."))
	w.round()
	if n := w.live(); n != 1 {
		t.Fatalf("%d badges at Credly, though one award holds", n)
	}
	w.quiet()
	must(t, w.site.Revoke(second, "Given in error."))
	w.round()
	if n := w.live(); n != 0 {
		t.Fatalf("%d badges at Credly, though no award holds", n)
	}
	w.quiet()
}

func TestATemplateThatAllowsDuplicatesGetsOneBadgeForEachAwardAlsoOfOneDay(t *testing.T) {
	w := newWorld(t)
	w.repeating()
	w.mapBadges(store.Mapping{AToB: store.AtOnce, RevokeAB: true})
	w.give(w.ada)
	day := w.now.Now()
	for range 2 {
		_, err := w.site.Award(w.siteBadge2(), w.ada, "a course")
		must(t, err)
	}
	// Every answer is lost; each has to be found again, and none taken for another.
	w.credly.Inject(simcredly.Fault{Kind: simcredly.FaultDropAfter, Method: http.MethodPost, Path: issuing, Count: 3})
	w.round()
	if n := w.live(); n != 3 {
		t.Fatalf("%d badges at Credly (awarded on %s)", n, day)
	}
	refs := map[adapters.Ref]bool{}
	for i := range 3 {
		p := w.pushOf(i)
		if p.State != store.PushDone {
			t.Errorf("award %d: %+v", i, p)
		}
		refs[p.Ref] = true
	}
	if len(refs) != 3 {
		t.Errorf("three awards are %d badges", len(refs))
	}
	w.quiet()
	must(t, w.site.Revoke(w.site.Awards()[1].Entry, "Given in error."))
	w.round()
	if n := w.live(); n != 2 {
		t.Fatalf("%d badges at Credly after one of three was taken back", n)
	}
	w.quiet()
}

// What somebody issued at Credly's own pages is one more place where a badge can
// come from, at any time before or after the gateway's own.
func TestABadgeIssuedByHandAtCredlyIsNeverIssuedAgain(t *testing.T) {
	for _, repeat := range []bool{false, true} {
		for name, story := range map[string]func(w *world){
			"before the gateway knew Credly's badges": func(w *world) {
				w.byHand("ada@example.org", w.now.Now().Add(-time.Hour))
				w.mapBadges(store.Mapping{AToB: store.AtOnce})
			},
			"and read before the mapping was made": func(w *world) {
				w.byHand("ada@example.org", w.now.Now().Add(-time.Hour))
				w.pull()
				w.mapBadges(store.Mapping{AToB: store.AtOnce})
			},
			"to another address that the member has proven": func(w *world) {
				w.byHand("ada@home.example", w.now.Now().Add(-time.Hour))
				w.prove(w.person("ada@example.org", "Ada", "Example"), "ada@home.example")
				w.mapBadges(store.Mapping{AToB: store.AtOnce})
			},
			"to another address that the member has proven, and read before": func(w *world) {
				w.byHand("ada@home.example", w.now.Now().Add(-time.Hour))
				w.pull()
				ada := w.person("ada@example.org", "Ada", "Example")
				w.prove(ada, "ada@home.example")
				must(w.t, w.engine.Adopt(w.t.Context(), ada, "ada@home.example"))
				w.mapBadges(store.Mapping{AToB: store.AtOnce})
			},
		} {
			t.Run(name+map[bool]string{true: " (a badge that may repeat)"}[repeat], func(t *testing.T) {
				w := newWorld(t)
				if repeat {
					w.repeating()
				}
				w.give(w.ada)
				w.pull()
				story(w)
				w.send()
				w.round()
				w.quiet()
				if n := len(w.credly.Badges()); n != 1 {
					t.Errorf("%d badges at Credly", n)
				}
			})
		}
	}
}

func TestABadgeIssuedByHandAtCredlyAfterOursIsAnAwardOfItsOwn(t *testing.T) {
	w := newWorld(t)
	w.repeating()
	w.mapBadges(store.Mapping{AToB: store.AtOnce, BToA: store.AtOnce, RevokeAB: true})
	entry := w.give(w.ada)
	w.round()
	w.now.add(time.Hour)
	w.byHand("ada@example.org", w.now.Now())
	w.round()
	w.quiet()
	if n, all := len(w.site.Awards()), len(w.awards("")); n != 1 || all != 2 {
		t.Errorf("%d awards at the site, %d at the gateway", n, all)
	}
	must(t, w.site.Revoke(entry, "Given in error."))
	w.round()
	if n := w.live(); n != 1 {
		t.Errorf("%d badges hold at Credly: only ours is ours to take back", n)
	}
}

func TestWhatCredlySaysIsThereAndDoesNotShowYetIsLookedForLaterAndThenAPersonsToDecide(t *testing.T) {
	w := newWorld(t)
	w.mapBadges(store.Mapping{AToB: store.AtOnce})
	w.now.add(time.Hour)
	w.credly.HideFresh(90 * time.Second)
	w.byHand("ada@example.org", w.now.Now())
	w.give(w.ada)
	_, err := w.engine.Sync(t.Context(), "wp", engine.SyncOptions{Cause: "command"})
	must(t, err)
	w.send()
	p := w.pushOf(0)
	if p.State != store.PushSent || p.Reason != outbox.Hidden || p.Words == "" {
		t.Fatalf("%+v", p)
	}
	w.now.add(3 * time.Minute)
	w.send()
	if p = w.pushOf(0); p.State != store.PushDone || p.Reason != outbox.Exists {
		t.Fatalf("%+v", p)
	}

	// One that Credly never shows.
	w.credly.HideFresh(1000 * time.Hour)
	cy := w.site.AddMember(site.Member{Email: "cy@example.org", GivenName: "Cy", FamilyName: "Example"})
	hidden := w.byHand("cy@example.org", w.now.Now())
	w.give(cy)
	for range 2 {
		_, err = w.engine.Sync(t.Context(), "wp", engine.SyncOptions{Cause: "command"})
		must(t, err)
		w.send()
		w.now.add(3 * time.Minute)
		w.send()
		if p = w.pushTo("cy@example.org"); p.State != store.PushHeld || p.Reason != outbox.Elsewhere || p.Words == "" {
			t.Fatalf("%+v", p)
		}
		must(t, w.engine.SendAgain(t.Context(), p.ID, "")) // the person looks in vain
	}
	must(t, w.credly.Revoke(hidden, "Made room."))
	w.send()
	if p = w.pushTo("cy@example.org"); p.State != store.PushDone {
		t.Fatalf("%+v", p)
	}
}

func TestALookupThatFailsLosesNothingAndIsRepeated(t *testing.T) {
	w := newWorld(t)
	w.mapBadges(store.Mapping{AToB: store.AtOnce})
	w.now.add(time.Hour)
	w.byHand("ada@example.org", w.now.Now())
	w.give(w.ada)
	_, err := w.engine.Sync(t.Context(), "wp", engine.SyncOptions{Cause: "command"})
	must(t, err)
	w.credly.Inject(simcredly.Fault{Kind: simcredly.FaultServerError, Method: http.MethodGet, Path: issuing, Count: 1})
	w.send() // refused as a duplicate, and the search for it fails
	if p := w.pushOf(0); p.State != store.PushSent || p.Reason != outbox.Hidden {
		t.Fatalf("%+v", p)
	}
	w.now.add(10 * time.Minute)
	w.send()
	if p := w.pushOf(0); p.State != store.PushDone || p.Reason != outbox.Exists {
		t.Fatalf("%+v", p)
	}
}

// An issue whose call may have succeeded is never sent again unseen, whatever a
// person or the policy does to it in between.
func TestADoubtfulIssueStaysDoubtfulThroughWhateverPeopleDo(t *testing.T) {
	for name, between := range map[string]func(w *world, m store.Mapping, p store.Push){
		"cancelled and sent again": func(w *world, _ store.Mapping, p store.Push) {
			w.credly.Inject(simcredly.Fault{Kind: simcredly.FaultServerError, Method: http.MethodGet, Path: issuing})
			for range outbox.MaxAttempts {
				w.now.add(time.Hour)
				w.send()
			}
			w.credly.ClearFaults()
			if p = w.push(p.AwardID); p.State != store.PushHeld || p.Reason != outbox.Doubt {
				w.t.Fatalf("%+v", p)
			}
			must(w.t, w.engine.CancelPush(w.t.Context(), p.ID, ""))
			must(w.t, w.engine.SendAgain(w.t.Context(), p.ID, ""))
		},
		"its mapping deleted and made again": func(w *world, m store.Mapping, p store.Push) {
			must(w.t, w.store.DeleteMapping(w.t.Context(), m.ID))
			w.now.add(time.Hour)
			w.send()
			if p = w.push(p.AwardID); p.State != store.PushHeld || p.Reason != outbox.Config {
				w.t.Fatalf("%+v", p)
			}
			w.mapBadges(store.Mapping{AToB: store.AtOnce})
			must(w.t, w.engine.SendAgain(w.t.Context(), p.ID, ""))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.repeating()
			m := w.mapBadges(store.Mapping{AToB: store.AtOnce})
			w.credly.Inject(simcredly.Fault{Kind: simcredly.FaultDropAfter, Method: http.MethodPost, Path: issuing, Count: 1})
			w.give(w.ada)
			w.pull()
			w.send()
			p := w.pushOf(0)
			if p.State != store.PushSent || !p.Unsure {
				t.Fatalf("%+v", p)
			}
			between(w, m, p)
			w.send()
			w.now.add(time.Hour)
			w.send()
			if p = w.push(p.AwardID); p.State != store.PushDone || len(w.credly.Badges()) != 1 {
				t.Fatalf("%+v, %d badges", p, len(w.credly.Badges()))
			}
			w.pull()
			w.quiet()
		})
	}
}

func TestARevocationOfABadgeThatCredlyDoesNotShowYetIsNotLost(t *testing.T) {
	w := newWorld(t)
	w.mapBadges(store.Mapping{AToB: store.AtOnce, RevokeAB: true})
	entry := w.give(w.ada)
	w.pull()
	w.send()
	w.first = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut {
			return false
		}
		w.first = nil
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusNotFound)
		_, _ = rw.Write([]byte(`{"data":{"message":"Badge not found"},"metadata":{}}`))
		return true
	}
	must(t, w.site.Revoke(entry, "Given in error."))
	w.pull()
	w.send()
	w.now.add(10 * time.Minute)
	w.send()
	if n := w.live(); n != 0 {
		t.Fatalf("%d badges hold at Credly: %+v", n, w.pushOf(0))
	}
}

func TestABackfillTellsWhoHasTheBadgeAlreadyAndReachesNobodyTwice(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.byHand("ada@example.org", w.now.Now())
	w.pull()
	w.give(w.ada)
	w.give(w.bo)
	w.pull()
	w.now.add(time.Hour)
	m := w.engine.FromNowOn(store.Mapping{ClassA: w.siteBadge.ID, ClassB: w.template.ID, AToB: store.AtOnce}, store.Mapping{})
	m, err := w.engine.PutMapping(ctx, m)
	must(t, err)
	seen, err := w.engine.DryRun(ctx, engine.WithOld(m))
	must(t, err)
	if seen.Counts["exists"] != 1 || seen.Counts["wait:name"] != 1 || seen.Counts["issue"] != 0 {
		t.Errorf("%+v", seen.Counts)
	}
	must(t, w.engine.Backfill(ctx, m.ID, m.Version))
	must(t, w.engine.SetName(ctx, w.person("bo@example.org", "", ""), "Bo", "Example"))
	r, err := w.store.Remote(ctx, "credly")
	must(t, err)
	if r.NextList.After(w.now.Now()) {
		t.Error("Credly is not read before the old awards are sent")
	}
	w.round()
	if n := len(w.credly.Badges()); n != 2 {
		t.Errorf("%d badges at Credly", n)
	}
	w.quiet()
}

func TestOneSettingSaysWhoMailsTheMember(t *testing.T) {
	for mailer, want := range map[store.Mailer]struct {
		letters    int // the gateway's own
		suppressed bool
	}{
		store.MailGateway: {1, true},
		store.MailA:       {0, true}, // the site
		store.MailB:       {0, false},
	} {
		// A connection from before may have a setting of its own: it says nothing.
		for stored, config := range map[string][]any{"": nil, " with notify: true": {"notify", true}, " with notify: false": {"notify", false}} {
			t.Run(string(mailer)+stored, func(t *testing.T) {
				w := newWorld(t, config...)
				w.mapBadges(store.Mapping{AToB: store.AtOnce, Mailer: mailer})
				w.give(w.ada)
				w.round()
				badges := w.credly.Badges()
				if len(badges) != 1 || badges[0].SuppressMail != want.suppressed {
					t.Errorf("%+v", badges)
				}
				if n := w.jobs.count("mail.offer"); n != want.letters {
					t.Errorf("the gateway writes %d letters", n)
				}
			})
		}
	}
}
