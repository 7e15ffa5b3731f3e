package storetest

import (
	"fmt"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
)

func links(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	a := w.made(w.award("ada@example.org", "1"))
	copied := store.Link{Remote: "credly", Ref: "b1", AwardID: a.ID, Role: store.RoleCopy, State: store.LinkPresent, Acceptance: "pending",
		PageURL: "https://example.org/b1", Version: "v1", PushKey: "key", Generation: 2, DocumentSHA: "abc", Normalizer: 3, ListedRun: "run-1",
		SeenAt: t0, CreatedAt: t0}
	origin := store.Link{Remote: "campus", Ref: "1", AwardID: a.ID, Role: store.RoleOrigin, State: store.LinkPresent, CreatedAt: t0.Add(time.Hour)}
	must(t, w.CreateLink(ctx, copied))
	wantErr(t, w.CreateLink(ctx, store.Link{Remote: copied.Remote, Ref: copied.Ref, AwardID: copied.AwardID, Role: store.RoleOrigin}), store.ErrExists)
	same(t, "a link that is there already", got[bool](t)(w.PutLink(ctx, copied)), false)
	same(t, "another one too", got[bool](t)(w.PutLink(ctx, origin)), true)
	same(t, "link", got[store.Link](t)(w.Link(ctx, "credly", "b1")), copied)
	same(t, "links, origin first", got[[]store.Link](t)(w.LinksOf(ctx, a.ID)), []store.Link{origin, copied})
	_, err := w.Link(ctx, "credly", "unknown")
	wantErr(t, err, store.ErrNotFound)
	_, err = w.Link(ctx, "campus", "b1")
	wantErr(t, err, store.ErrNotFound)

	later := copied
	later.SeenAt, later.ListedRun = t0.Add(time.Hour), "run-2"
	same(t, "that it was seen again is no change", got[bool](t)(w.PutLink(ctx, later)), false)
	changed := copied
	changed.State, changed.Acceptance, changed.SeenAt, changed.ListedRun = store.LinkRevoked, "accepted", t0.Add(time.Hour), ""
	changed.CreatedAt = t0.Add(time.Hour)
	same(t, "another state is a change", got[bool](t)(w.PutLink(ctx, changed)), true)
	changed.CreatedAt, changed.ListedRun = copied.CreatedAt, copied.ListedRun
	same(t, "link", got[store.Link](t)(w.Link(ctx, "credly", "b1")), changed)
	same(t, "the same again", got[bool](t)(w.PutLink(ctx, changed)), false)
	orphan := origin
	orphan.Ref, orphan.AwardID = "2", "unknown"
	_, err = w.PutLink(ctx, orphan)
	wantErr(t, err, store.ErrNotFound)

	must(t, w.AddProvenance(ctx, store.Provenance{Remote: "campus", Ref: "1", AwardID: a.ID, DocumentSHA: "d2", RunID: "r2", At: t0.Add(time.Hour)}))
	must(t, w.AddProvenance(ctx, store.Provenance{Remote: "campus", Ref: "1", AwardID: a.ID, DocumentSHA: "d1", RunID: "r1", At: t0}))
	must(t, w.AddProvenance(ctx, store.Provenance{Remote: "campus", Ref: "odd", DocumentSHA: "d3", RunID: "r1", At: t0})) // of no award
	same(t, "provenance, oldest first", got[[]store.Provenance](t)(w.ProvenanceOf(ctx, a.ID)), []store.Provenance{
		{Remote: "campus", Ref: "1", AwardID: a.ID, DocumentSHA: "d1", RunID: "r1", At: t0},
		{Remote: "campus", Ref: "1", AwardID: a.ID, DocumentSHA: "d2", RunID: "r2", At: t0.Add(time.Hour)},
	})
}

func unlisted(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	a := w.made(w.award("ada@example.org", "1"))
	const n = 250 // more than one statement's worth
	var refs []adapters.Ref
	for i := range n {
		ref := adapters.Ref(fmt.Sprintf("b%03d", i))
		refs = append(refs, ref)
		got[bool](t)(w.PutLink(ctx, store.Link{Remote: "credly", Ref: ref, AwardID: a.ID, Role: store.RoleCopy, State: store.LinkPresent,
			CreatedAt: t0.Add(time.Duration(n-i) * time.Second)}))
	}
	began := t0.Add(time.Hour)
	for ref, l := range map[adapters.Ref]store.Link{
		"gone":  {State: store.LinkGone, CreatedAt: t0},
		"young": {State: store.LinkPresent, CreatedAt: began},
	} {
		l.Remote, l.Ref, l.AwardID, l.Role = "credly", ref, a.ID, store.RoleCopy
		got[bool](t)(w.PutLink(ctx, l))
	}
	same(t, "present links", got[int](t)(w.CountLinks(ctx, "credly")), n+1)
	same(t, "of another remote", got[int](t)(w.CountLinks(ctx, "campus")), 0)

	must(t, w.MarkListed(ctx, "credly", nil, "run"))
	must(t, w.MarkListed(ctx, "credly", append(refs[:n-4:n-4], "unknown"), "run"))
	must(t, w.MarkListed(ctx, "campus", refs[n-4:], "run")) // same refs, another remote
	list, total, err := w.Unlisted(ctx, "credly", "run", began, 3)
	must(t, err)
	same(t, "all of them", total, 4)
	same(t, "oldest first", ids(list, func(l store.Link) string { return string(l.Ref) }), []string{"b249", "b248", "b247"})
	_, total, err = w.Unlisted(ctx, "credly", "other run", began, 3)
	must(t, err)
	same(t, "of a run that named none", total, n)
	same(t, "a mark is kept", got[store.Link](t)(w.Link(ctx, "credly", "b000")).ListedRun, "run")
}

func mappings(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	template, _, err := w.PutClass(ctx, store.Class{Remote: "credly", Ref: "t1", Content: openbadges.BadgeClass{Name: "Navigator"}})
	must(t, err)
	third, _, err := w.PutClass(ctx, store.Class{Remote: "credly", Ref: "t2", Content: openbadges.BadgeClass{Name: "Third"}})
	must(t, err)
	m := got[store.Mapping](t)(w.CreateMapping(ctx, store.Mapping{ClassA: w.class.ID, ClassB: template.ID, AToB: store.OnClaim, RevokeAB: true,
		Paused: "dry run", CreatedBy: w.person.ID}))
	same(t, "nothing flows until it is said", m.BToA, store.Never)
	same(t, "a rejection does nothing until it is said", m.OnReject, store.RejectKeeps)
	same(t, "the gateway mails until it is said", m.Mailer, store.MailGateway)
	same(t, "mapping", got[store.Mapping](t)(w.Mapping(ctx, m.ID)), m)
	for _, pair := range [][2]string{{m.ClassA, m.ClassB}, {m.ClassB, m.ClassA}} {
		_, err := w.CreateMapping(ctx, store.Mapping{ClassA: pair[0], ClassB: pair[1]})
		wantErr(t, err, store.ErrExists)
	}
	second := got[store.Mapping](t)(w.CreateMapping(ctx, store.Mapping{ClassA: w.class.ID, ClassB: third.ID}))
	same(t, "mappings, oldest first", got[[]store.Mapping](t)(w.Mappings(ctx)), []store.Mapping{m, second})
	same(t, "of either side", len(got[[]store.Mapping](t)(w.MappingsOf(ctx, w.class.ID))), 2)
	same(t, "of one side", got[[]store.Mapping](t)(w.MappingsOf(ctx, template.ID)), []store.Mapping{m})
	same(t, "of none", len(got[[]store.Mapping](t)(w.MappingsOf(ctx, "unknown"))), 0)

	next := m
	next.AToB, next.BToA, next.RevokeAB, next.RevokeBA, next.Paused = store.AtOnce, store.OnClaim, false, true, ""
	next.SinceAB, next.SinceBA, next.OnReject, next.Mailer = store.Moment(t0), store.Moment(t0.Add(time.Hour)), store.RejectRevokes, store.MailB
	next.BackfillAt = t0.Add(time.Minute)
	must(t, w.PutMapping(ctx, next))
	wantErr(t, w.PutMapping(ctx, next), store.ErrStale)
	stored := got[store.Mapping](t)(w.Mapping(ctx, m.ID))
	same(t, "version counts up", stored.Version, m.Version+1)
	next.Version, next.UpdatedAt = stored.Version, stored.UpdatedAt
	same(t, "mapping", stored, next)
	must(t, w.SetMappingBase(ctx, m.ID, `{"name":"Navigator"}`, "KEY"))
	next.Base, next.PutKey = `{"name":"Navigator"}`, "KEY"
	same(t, "the base is no part of the policy", got[store.Mapping](t)(w.Mapping(ctx, m.ID)), next)
	wantErr(t, w.SetMappingBase(ctx, "unknown", "", ""), store.ErrNotFound)
	wantErr(t, w.PutMapping(ctx, store.Mapping{ID: "unknown"}), store.ErrNotFound)
	must(t, w.DeleteMapping(ctx, m.ID))
	wantErr(t, w.DeleteMapping(ctx, m.ID), store.ErrNotFound)
	_, err = w.Mapping(ctx, m.ID)
	wantErr(t, err, store.ErrNotFound)
	got[store.Mapping](t)(w.CreateMapping(ctx, store.Mapping{ClassA: m.ClassB, ClassB: m.ClassA}))
}

func runs(t *testing.T, s store.Store) {
	ctx := t.Context()
	first := got[store.Run](t)(s.CreateRun(ctx, store.Run{Remote: "campus", Kind: "changes", Cause: "schedule", State: store.RunGoing, StartedAt: t0}))
	second := got[store.Run](t)(s.CreateRun(ctx, store.Run{Remote: "campus", Kind: "list", Cause: "person"}))
	other := got[store.Run](t)(s.CreateRun(ctx, store.Run{Remote: "credly", Kind: "list", State: store.RunGoing}))
	same(t, "first state", second.State, store.RunGoing)
	same(t, "run", got[store.Run](t)(s.Run(ctx, first.ID)), first)
	_, err := s.CreateRun(ctx, first)
	wantErr(t, err, store.ErrExists)
	_, err = s.Run(ctx, "unknown")
	wantErr(t, err, store.ErrNotFound)
	id := func(r store.Run) string { return r.ID }
	same(t, "newest first", ids(got[[]store.Run](t)(s.Runs(ctx, "", 10)), id), []string{other.ID, second.ID, first.ID})
	same(t, "of a remote", ids(got[[]store.Run](t)(s.Runs(ctx, "campus", 10)), id), []string{second.ID, first.ID})
	same(t, "bounded", len(got[[]store.Run](t)(s.Runs(ctx, "", 2))), 2)

	must(t, s.AbandonRuns(ctx, "campus", second.ID, "its process is gone", t0.Add(time.Hour)))
	first.State, first.Message, first.EndedAt = store.RunFailed, "its process is gone", t0.Add(time.Hour)
	same(t, "abandoned", got[store.Run](t)(s.Run(ctx, first.ID)), first)
	same(t, "kept", got[store.Run](t)(s.Run(ctx, second.ID)).State, store.RunGoing)
	same(t, "of another remote", got[store.Run](t)(s.Run(ctx, other.ID)).State, store.RunGoing)

	second.State, second.Message, second.Seen, second.New, second.Changed, second.Pushes, second.EndedAt = store.RunDone, "m", 9, 3, 2, 1, t0.Add(time.Hour)
	must(t, s.PutRun(ctx, second))
	same(t, "run", got[store.Run](t)(s.Run(ctx, second.ID)), second)
	wantErr(t, s.PutRun(ctx, store.Run{ID: "unknown", State: store.RunDone, StartedAt: t0}), store.ErrNotFound)

	same(t, "pruned too early", got[int](t)(s.PruneRuns(ctx, t0.Add(time.Hour))), 0)
	same(t, "pruned", got[int](t)(s.PruneRuns(ctx, t0.Add(2*time.Hour))), 1)
	same(t, "what changed something and what goes on stay", ids(got[[]store.Run](t)(s.Runs(ctx, "", 10)), id), []string{other.ID, second.ID})
}

func queue(t *testing.T, s store.Store) {
	// What a queue promises is held where it is made. Here no queue was given:
	// a job must not be lost in silence, alone or in a transaction.
	job := store.Job{Kind: "mail", Args: []byte(`{}`)}
	if err := s.Enqueue(t.Context(), job); err == nil {
		t.Error("a job that nobody takes was taken")
	}
	if err := s.InTx(t.Context(), func(tx store.Tx) error { return tx.Enqueue(t.Context(), job) }); err == nil {
		t.Error("a job that nobody takes was taken in a transaction")
	}
}
