package storetest

import (
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
)

func imports(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	var items []store.ImportItem
	for _, ref := range []string{"t1", "t2", "t3"} {
		c, _, err := w.PutClass(ctx, store.Class{Remote: "credly", Ref: adapters.Ref(ref), Content: openbadges.BadgeClass{Name: ref}})
		must(t, err)
		items = append(items, store.ImportItem{ClassID: c.ID, Warnings: []string{"criteria", "image"}})
	}
	items[1].TargetID, items[1].Warnings = w.class.ID, nil
	i := got[store.Import](t)(w.CreateImport(ctx, store.Import{From: "credly", To: "campus", CreatedBy: w.person.ID}, items))
	same(t, "a new import runs", i.State, store.ImportGoing)
	same(t, "import", got[store.Import](t)(w.Import(ctx, i.ID)), i)
	stored := got[[]store.ImportItem](t)(w.ImportItems(ctx, i.ID, 0, 10))
	same(t, "items", len(stored), 3)
	for n, item := range stored {
		items[n].ImportID, items[n].Position, items[n].State, items[n].UpdatedAt = i.ID, n+1, store.ItemWaiting, item.UpdatedAt
	}
	same(t, "items by position", stored, items)
	same(t, "items after one", got[[]store.ImportItem](t)(w.ImportItems(ctx, i.ID, 1, 1)), items[1:2])

	done := stored[0]
	done.State, done.TargetID, done.MappingID = store.ItemDone, w.class.ID, "mapping"
	must(t, w.PutImportItem(ctx, done))
	failed := stored[1]
	failed.State, failed.Message = store.ItemFailed, "The site said no."
	must(t, w.PutImportItem(ctx, failed))
	counted := got[store.Import](t)(w.Import(ctx, i.ID))
	same(t, "counts", []int{counted.Total, counted.Done, counted.Failed, counted.Left()}, []int{3, 1, 1, 1})
	wantErr(t, w.PutImportItem(ctx, store.ImportItem{ImportID: i.ID, Position: 9}), store.ErrNotFound)

	now := t0.Add(time.Hour)
	same(t, "due", got[[]string](t)(w.DueImports(ctx, now, 5)), []string{i.ID})
	same(t, "leased", got[bool](t)(w.LeaseImport(ctx, i.ID, "one", now, now.Add(time.Minute))), true)
	same(t, "leased by another", got[bool](t)(w.LeaseImport(ctx, i.ID, "two", now, now.Add(time.Minute))), false)
	same(t, "extended", got[bool](t)(w.LeaseImport(ctx, i.ID, "one", now, now.Add(2*time.Minute))), true)
	same(t, "in hand", len(got[[]string](t)(w.DueImports(ctx, now.Add(time.Minute), 5))), 0)
	same(t, "its worker is gone", got[bool](t)(w.LeaseImport(ctx, i.ID, "two", now.Add(2*time.Minute), now.Add(3*time.Minute))), true)

	wantErr(t, w.ResumeImport(ctx, i.ID), store.ErrStale)
	i.State, i.Message, i.EndedAt = store.ImportFailed, "The token expired.", now
	must(t, w.EndImport(ctx, i))
	wantErr(t, w.EndImport(ctx, i), store.ErrStale)
	same(t, "ended", got[bool](t)(w.LeaseImport(ctx, i.ID, "one", now.Add(time.Hour), now.Add(2*time.Hour))), false)
	must(t, w.ResumeImport(ctx, i.ID))
	again := got[store.Import](t)(w.Import(ctx, i.ID))
	same(t, "resumed", []any{again.State, again.Message, again.EndedAt.IsZero(), again.Done, again.Failed}, []any{store.ImportGoing, "", true, 1, 0})
	second := got[store.Import](t)(w.CreateImport(ctx, store.Import{From: "credly"}, nil))
	list := got[[]store.Import](t)(w.Imports(ctx, 10))
	same(t, "newest first", []string{list[0].ID, list[1].ID}, []string{second.ID, i.ID})
	_, err := w.Import(ctx, "unknown")
	wantErr(t, err, store.ErrNotFound)
	wantErr(t, w.ResumeImport(ctx, "unknown"), store.ErrNotFound)
}

func destinations(t *testing.T, s store.Store) {
	ctx := t.Context()
	w := newWorld(t, s)
	a := got[store.Award](t)(w.CreateAward(ctx, w.award("ada@example.org", "r1")))
	_, err := w.Destination(ctx, a.ID)
	wantErr(t, err, store.ErrNotFound)
	for _, email := range []string{"ada@example.org", "ada@work.example"} {
		d := store.Destination{AwardID: a.ID, Email: email, PersonID: w.person.ID, ChosenAt: store.Moment(t0)}
		must(t, w.PutDestination(ctx, d))
		same(t, "destination", got[store.Destination](t)(w.Destination(ctx, a.ID)), d)
	}
	wantErr(t, w.PutDestination(ctx, store.Destination{AwardID: "unknown", Email: "x@example.org", ChosenAt: t0}), store.ErrNotFound)
}
