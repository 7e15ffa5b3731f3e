package engine_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"badgebridge/adapters"
	simcredly "badgebridge/sandbox/credly"
	"badgebridge/store"
	"badgebridge/sync/engine"
	"badgebridge/sync/outbox"
)

const decider = "person-alex"

// inDoubt has the issue of one award fail at Credly in a way, and every search for
// it after that, until a person has to decide.
func inDoubt(t *testing.T, way string) (*world, store.Push) {
	t.Helper()
	w := newWorld(t)
	w.repeating()
	w.mapBadges(store.Mapping{AToB: store.AtOnce})
	w.credly.Inject(simcredly.Fault{Kind: way, Method: http.MethodPost, Path: issuing, Count: 1})
	w.give(w.ada)
	w.pull()
	w.send()
	w.credly.Inject(simcredly.Fault{Kind: simcredly.FaultServerError, Method: http.MethodGet, Path: issuing})
	for range outbox.MaxAttempts {
		w.now.add(time.Hour)
		w.send()
	}
	w.credly.ClearFaults()
	p := w.pushOf(0)
	if p.State != store.PushHeld || p.Reason != outbox.Doubt || !p.Unsure {
		t.Fatalf("no doubt: %+v", p)
	}
	if link, send, err := w.engine.Decidable(t.Context(), p); !link || !send || err != nil {
		t.Fatalf("what a person can decide: %v %v %v", link, send, err)
	}
	return w, p
}

// decided checks who decided, when, and what follows.
func (w *world) decided(p store.Push, reason string) {
	w.t.Helper()
	events, err := w.store.PushEvents(w.t.Context(), p.ID)
	must(w.t, err)
	for _, e := range events {
		if e.Reason == reason {
			if e.By != decider || !e.At.Equal(store.Moment(w.now.Now())) {
				w.t.Errorf("the decision is written down as %+v", e)
			}
			return
		}
	}
	w.t.Errorf("no decision in %+v", events)
}

func (w *world) posts() (n int) {
	for call, times := range w.credly.Calls().Received {
		if strings.HasPrefix(call, http.MethodPost) {
			n += times
		}
	}
	return n
}

func (w *world) once(p store.Push) {
	w.t.Helper()
	w.send()
	if p = w.push(p.AwardID); p.State != store.PushDone || w.live() != 1 {
		w.t.Fatalf("%+v, %d badges", p, w.live())
	}
	w.pull()
	w.quiet()
	if w.live() != 1 {
		w.t.Errorf("%d badges", w.live())
	}
}

func TestAPersonSaysThatADoubtfulBadgeIsNotThereAndItIsSentOnce(t *testing.T) {
	t.Run("it is not there", func(t *testing.T) {
		w, p := inDoubt(t, simcredly.FaultDropBefore)
		must(t, w.engine.SendAbsent(t.Context(), p.ID, decider))
		w.decided(p, outbox.Vouched)
		w.once(p)
	})
	t.Run("it is there after all: what shows by then is linked and nothing is sent", func(t *testing.T) {
		w, p := inDoubt(t, simcredly.FaultDropAfter)
		must(t, w.engine.SendAbsent(t.Context(), p.ID, decider))
		posts := w.posts()
		w.once(p)
		if n := w.posts(); n != posts {
			t.Errorf("%d more POSTs", n-posts)
		}
	})
	t.Run("it can't be looked for again just now: the decision stands", func(t *testing.T) {
		w, p := inDoubt(t, simcredly.FaultDropBefore)
		w.credly.Inject(simcredly.Fault{Kind: simcredly.FaultServerError, Method: http.MethodGet, Path: issuing, Count: 3})
		must(t, w.engine.SendAbsent(t.Context(), p.ID, decider))
		w.send()
		if p := w.push(p.AwardID); p.State != store.PushSent || p.Reason != outbox.Vouched {
			t.Fatalf("%+v", p)
		}
		for range 4 {
			w.now.add(time.Hour)
			w.send()
		}
		w.once(p)
	})
	t.Run("even where Credly can't tell it from another one", func(t *testing.T) {
		w, p := inDoubt(t, simcredly.FaultDropBefore)
		award, err := w.store.Award(t.Context(), p.AwardID)
		must(t, err)
		_, err = w.credly.Issue(simcredly.Badge{TemplateID: string(w.template.Ref), Email: "ada@example.org", FirstName: "Ada", LastName: "Example",
			EarnerID: award.EarnerKey, IssuedAt: award.IssuedOn.AddDate(0, -1, 0)})
		must(t, err)
		must(t, w.engine.SendAgain(t.Context(), p.ID, decider))
		w.send()
		if p = w.push(p.AwardID); p.State != store.PushHeld || p.Reason != outbox.Doubt {
			t.Fatalf("asking again: %+v", p)
		}
		must(t, w.engine.SendAbsent(t.Context(), p.ID, decider))
		w.send()
		if p = w.push(p.AwardID); p.State != store.PushDone || w.live() != 2 {
			t.Fatalf("%+v, %d badges", p, w.live())
		}
		w.now.add(time.Hour)
		w.send()
		if n := w.live(); n != 2 {
			t.Errorf("%d badges", n)
		}
	})
	t.Run("twice said it is sent once, and nobody decides what is decided", func(t *testing.T) {
		w, p := inDoubt(t, simcredly.FaultDropBefore)
		must(t, w.engine.SendAbsent(t.Context(), p.ID, decider))
		if err := w.engine.SendAbsent(t.Context(), p.ID, decider); !errors.Is(err, store.ErrStale) {
			t.Errorf("a second time: %v", err)
		}
		if err := w.engine.LinkThere(t.Context(), p.ID, decider, "x"); !errors.Is(err, store.ErrStale) {
			t.Errorf("and the other way: %v", err)
		}
		w.once(p)
	})
}

func TestAPersonSaysWhichBadgeADoubtfulIssueMadeAndItIsLinked(t *testing.T) {
	w, p := inDoubt(t, simcredly.FaultDropAfter)
	made := w.credly.Badges()
	if len(made) != 1 {
		t.Fatalf("%d badges", len(made))
	}
	id := made[0].ID
	foreign, err := w.credly.Issue(simcredly.Badge{TemplateID: string(w.template.Ref), Email: "cy@example.org", FirstName: "Cy", LastName: "Example", IssuedAt: w.now.Now()})
	must(t, err)
	const sheet = "0c7cbd20-0000-4000-8000-00000000000a"
	must(t, w.credly.Seed(simcredly.Seed{Templates: []simcredly.Template{{ID: sheet, OrgID: simcredly.DemoOrg, Name: "Another", Description: "Another."}}}))
	other, err := w.credly.Issue(simcredly.Badge{TemplateID: sheet, Email: "ada@example.org", FirstName: "Ada", LastName: "Example", IssuedAt: w.now.Now()})
	must(t, err)
	dead := w.byHand("ada@example.org", w.now.Now())
	must(t, w.credly.Revoke(dead, "Made in error."))
	for text, want := range map[string]error{
		"":         adapters.ErrRejected,
		"my badge": adapters.ErrRejected,
		"https://www.credly.com/organizations/" + simcredly.DemoOrg: adapters.ErrRejected,
		"00000000-0000-4000-8000-0000000000ff":                      adapters.ErrNotFound,
		foreign:                                                     engine.ErrOtherRecord, other: engine.ErrOtherRecord, dead: engine.ErrOtherRecord,
	} {
		if err := w.engine.LinkThere(t.Context(), p.ID, decider, text); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
	if q := w.push(p.AwardID); q.State != store.PushHeld || q.Reason != outbox.Doubt {
		t.Fatalf("a refused decision changed it: %+v", q)
	}
	posts := w.posts()
	// The host of what a person types is never called: only the id counts.
	must(t, w.engine.LinkThere(t.Context(), p.ID, decider, "http://127.0.0.1:1/mgmt/organizations/"+simcredly.DemoOrg+"/badges/"+id+"?x=1"))
	w.decided(p, outbox.Pointed)
	q := w.push(p.AwardID)
	if q.State != store.PushDone || string(q.Ref) != id || q.Unsure {
		t.Fatalf("%+v", q)
	}
	link, err := w.store.Link(t.Context(), "credly", adapters.Ref(id))
	must(t, err)
	if link.AwardID != p.AwardID || link.Role != store.RoleCopy || link.Acceptance != "pending" || link.PageURL == "" {
		t.Errorf("%+v", link)
	}
	w.pull()
	w.quiet()
	if n := w.posts(); n != posts {
		t.Errorf("%d more POSTs", n-posts)
	}
}

func TestARecordOfAnotherAwardIsNotLinkedASecondTime(t *testing.T) {
	w, p := inDoubt(t, simcredly.FaultDropBefore)
	w.give(w.ada)
	_, err := w.engine.Sync(t.Context(), "wp", engine.SyncOptions{Cause: "command"})
	must(t, err)
	w.send()
	badges := w.credly.Badges()
	if len(badges) != 1 {
		t.Fatalf("%d badges", len(badges))
	}
	link, err := w.store.Link(t.Context(), "credly", adapters.Ref(badges[0].ID))
	must(t, err)
	if link.AwardID == p.AwardID {
		t.Fatal("the answer of the call was not believed")
	}
	must(t, w.engine.LinkThere(t.Context(), p.ID, decider, badges[0].ID)) // one recipient's, of one badge: it stands for both
	if q := w.push(p.AwardID); q.State != store.PushDone || q.Reason != outbox.Exists {
		t.Errorf("%+v", q)
	}
	if again, err := w.store.Link(t.Context(), "credly", adapters.Ref(badges[0].ID)); err != nil || again.AwardID != link.AwardID {
		t.Errorf("it was taken from its award: %+v %v", again, err)
	}
}
