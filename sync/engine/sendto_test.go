package engine_test

import (
	"errors"
	"testing"
	"time"

	"badgebridge/openbadges"
	simcredly "badgebridge/sandbox/credly"
	"badgebridge/store"
	"badgebridge/sync/engine"
	"badgebridge/sync/reconcile"
)

func (w *world) prove(person, email string) {
	w.t.Helper()
	must(w.t, w.store.AddIdentifier(w.t.Context(), store.Identifier{Type: openbadges.IdentityEmail, Value: email, PersonID: person, ProvenBy: "code", ProvenAt: w.now.Now()}))
}

func TestABadgeGoesToTheAddressThatItsMemberChose(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.mapBadges(store.Mapping{AToB: store.OnClaim, Mailer: store.MailB})
	ada := w.person("ada@example.org", "Ada", "Lovelace")
	w.prove(ada, "ada@home.example")
	w.give(w.ada)
	w.pull()
	a := w.award("wp")
	if w.jobs.count("mail.offer") != 0 {
		t.Error("the gateway mails though Credly does")
	}
	if err := w.engine.SendTo(ctx, a.ID, ada, "somebody@else.example"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an address that is not proven: %v", err)
	}
	must(t, w.engine.SendTo(ctx, a.ID, ada, "Ada@Home.example"))
	must(t, w.engine.Claim(ctx, a.ID, ada))
	w.send()
	got := w.credly.Badges()
	if len(got) != 1 || got[0].Email != "ada@home.example" || got[0].LastName != "Lovelace" || got[0].SuppressMail {
		t.Fatalf("%+v", got)
	}
	w.round()
	w.quiet()
}

func TestAPendingBadgeIsSentToAnotherAddressAndNeverAreThereTwo(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.mapBadges(store.Mapping{AToB: store.OnClaim})
	ada := w.person("ada@example.org", "Ada", "Lovelace")
	w.prove(ada, "ada@home.example")
	w.give(w.ada)
	w.pull()
	a := w.award("wp")
	must(t, w.engine.Claim(ctx, a.ID, ada))
	w.send()
	w.round()
	for _, wrong := range []error{
		w.engine.SendElsewhere(ctx, a.ID, "somebody", "credly", "ada@home.example"),
		w.engine.SendElsewhere(ctx, a.ID, ada, "credly", "somebody@else.example"),
		w.engine.SendElsewhere(ctx, a.ID, ada, "wp", "ada@home.example"),
	} {
		if !errors.Is(wrong, store.ErrNotFound) && !errors.Is(wrong, store.ErrStale) {
			t.Errorf("%v", wrong)
		}
	}
	must(t, w.engine.SendElsewhere(ctx, a.ID, ada, "credly", "ada@home.example"))
	if err := w.engine.SendElsewhere(ctx, a.ID, ada, "credly", "ada@home.example"); !errors.Is(err, store.ErrStale) {
		t.Errorf("twice: %v", err)
	}
	// A plan in between does not send the second before the first is gone.
	w.pull()
	pushes, err := w.store.PushesOf(ctx, a.ID)
	must(t, err)
	if last := pushes[len(pushes)-1]; last.State != store.PushWaiting || last.Reason != reconcile.WaitReplaced {
		t.Fatalf("%+v", last)
	}
	w.send()
	live, dead := 0, 0
	for _, b := range w.credly.Badges() {
		switch {
		case b.State == simcredly.Revoked && b.Email == "ada@example.org":
			dead++
		case b.State == simcredly.Pending && b.Email == "ada@home.example":
			live++
		default:
			t.Errorf("%+v", b)
		}
	}
	if live != 1 || dead != 1 {
		t.Fatalf("%d live, %d taken back", live, dead)
	}
	w.round()
	w.quiet()
	if n, err := w.store.CountAwards(ctx, store.AwardFilter{}); err != nil || n != 1 {
		t.Errorf("%d awards, %v", n, err)
	}
	for _, b := range w.credly.Badges() {
		if b.State == simcredly.Pending {
			must(t, w.credly.Accept(b.ID))
		}
	}
	w.pull()
	if err := w.engine.SendElsewhere(ctx, a.ID, ada, "credly", "ada@example.org"); !errors.Is(err, store.ErrStale) {
		t.Errorf("an accepted one is taken back: %v", err)
	}
}

func TestWhatItsEarnerRejectsAtCredlyIsTakenBackAtTheSiteOnlyByPolicy(t *testing.T) {
	for policy, want := range map[store.OnReject]int{store.RejectKeeps: 1, store.RejectRevokes: 0} {
		t.Run(string(policy), func(t *testing.T) {
			w := newWorld(t)
			w.mapBadges(store.Mapping{BToA: store.AtOnce, OnReject: policy})
			id, err := w.credly.Issue(simcredly.Badge{TemplateID: string(w.template.Ref), Email: "ada@example.org", FirstName: "Ada", LastName: "Lovelace"})
			must(t, err)
			w.round()
			if n := len(w.site.Awards()); n != 1 {
				t.Fatalf("%d at the site", n)
			}
			must(t, w.credly.Reject(id))
			w.round()
			w.quiet()
			if n := len(w.site.Awards()); n != want {
				t.Errorf("%d at the site, want %d", n, want)
			}
		})
	}
}

func TestOldAwardsAreReachedByABackfillAlone(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.give(w.ada)
	w.pull()
	w.now.add(time.Hour)
	m := w.engine.FromNowOn(store.Mapping{ClassA: w.siteBadge.ID, ClassB: w.template.ID, AToB: store.AtOnce}, store.Mapping{})
	m, err := w.engine.PutMapping(ctx, m)
	must(t, err)
	w.person("ada@example.org", "Ada", "Lovelace")
	w.round()
	if n := len(w.credly.Badges()); n != 0 {
		t.Fatalf("%d old awards were sent", n)
	}
	seen, err := w.engine.DryRun(ctx, engine.WithOld(m))
	must(t, err)
	if len(seen.Actions) != 1 || seen.Actions[0].Who != "Ada Lovelace" || seen.Actions[0].Address != "a…@example.org" || seen.Counts["issue"] != 1 {
		t.Errorf("%+v", seen)
	}
	if err := w.engine.Backfill(ctx, m.ID, m.Version+1); !errors.Is(err, store.ErrStale) {
		t.Errorf("backfilled after an outdated look: %v", err)
	}
	must(t, w.engine.Backfill(ctx, m.ID, m.Version))
	w.round()
	if n := len(w.credly.Badges()); n != 1 {
		t.Errorf("%d were sent by the backfill", n)
	}
}
