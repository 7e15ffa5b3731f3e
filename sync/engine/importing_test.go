package engine_test

import (
	"context"
	"errors"
	"fmt"
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

// designs adds templates at Credly and returns them as the gateway then knows
// them, without the one that every world has.
func (w *world) designs(n int) []store.Class {
	w.t.Helper()
	var seed simcredly.Seed
	for i := range n {
		seed.Templates = append(seed.Templates, simcredly.Template{
			ID: fmt.Sprintf("0c7cbd20-0000-4000-8000-0000000001%02d", i), OrgID: simcredly.DemoOrg, Name: fmt.Sprintf("Design %02d", i),
			Description: "As drawn at Credly.", GlobalURL: "https://example.org/designs", ImageID: fmt.Sprintf("3f000000-0000-4000-8000-0000000001%02d", i),
			Activities: []simcredly.Activity{{Type: "Course", Title: "A course"}}, Skills: []string{"Drawing", "Sewing"},
		})
	}
	must(w.t, w.credly.Seed(seed))
	w.pull()
	all, err := w.store.Classes(w.t.Context(), "credly")
	must(w.t, err)
	return slices.DeleteFunc(all, func(c store.Class) bool { return !strings.HasPrefix(c.Content.Name, "Design ") })
}

func wishes(classes []store.Class) []engine.ImportWish {
	var out []engine.ImportWish
	for _, c := range classes {
		out = append(out, engine.ImportWish{ClassID: c.ID})
	}
	return out
}

func (w *world) importAll(classes []store.Class) store.Import {
	w.t.Helper()
	imp, err := w.engine.StartImport(w.t.Context(), "credly", "wp", "", wishes(classes))
	must(w.t, err)
	imp, err = w.engine.RunImport(w.t.Context(), imp.ID)
	must(w.t, err)
	return imp
}

func TestAnImportMakesEachBadgeOnceWithItsImageAndLetsNothingFlow(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	before := len(w.site.Badges())
	classes := w.designs(5)
	imp := w.importAll(classes)
	if imp.State != store.ImportDone || imp.Done != 5 || imp.Failed != 0 {
		t.Fatalf("%+v", imp)
	}
	made := w.site.Badges()[before:]
	if len(made) != 5 {
		t.Fatalf("%d badges were made", len(made))
	}
	for _, b := range made {
		if b.Image == nil || b.Description != "As drawn at Credly." || !strings.Contains(b.Criteria, "A course") || !strings.Contains(b.LinkURL, "/badge/design-") {
			t.Errorf("%+v", b)
		}
	}
	mappings, err := w.store.Mappings(ctx)
	must(t, err)
	for _, m := range mappings {
		if m.AToB != store.Never || m.BToA != store.Never || m.RevokeAB || m.RevokeBA {
			t.Errorf("something flows: %+v", m)
		}
	}
	again := w.importAll(classes)
	if again.Done != 5 || len(w.site.Badges()) != before+5 {
		t.Errorf("imported again: %+v, %d badges", again, len(w.site.Badges())-before)
	}
	w.pull()
	w.pull()
	if drifts, err := w.engine.Drifts(ctx); err != nil || len(drifts) != 0 {
		t.Errorf("drift right after an import: %+v, %v", drifts, err)
	}
}

func TestAnImportThatIsCutOffAnywhereGoesOnAndMakesEachBadgeOnce(t *testing.T) {
	w := newWorld(t)
	before := len(w.site.Badges())
	classes := w.designs(4)
	imp, err := w.engine.StartImport(t.Context(), "credly", "wp", "", wishes(classes))
	must(t, err)
	for cut := 1; cut < 200 && imp.State == store.ImportGoing; cut++ {
		// A process that ends after so many calls to the clock ends in the middle
		// of anything.
		ctx, cancel := context.WithCancel(t.Context())
		w.now.after(cut*3, cancel)
		_, err := w.engine.RunImport(ctx, imp.ID)
		cancel()
		if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, store.ErrStale) && ctx.Err() == nil {
			t.Fatal(err)
		}
		imp, err = w.store.Import(t.Context(), imp.ID)
		must(t, err)
	}
	if imp.State != store.ImportDone || imp.Done != 4 || len(w.site.Badges()) != before+4 {
		t.Fatalf("%+v, %d badges", imp, len(w.site.Badges())-before)
	}
}

func TestAnImportWaitsForASiteThatIsAwayAndSaysWhy(t *testing.T) {
	w := newWorld(t)
	classes := w.designs(2)
	imp, err := w.engine.StartImport(t.Context(), "credly", "wp", "", wishes(classes))
	must(t, err)
	w.site.SetActive(false)
	imp, err = w.engine.RunImport(t.Context(), imp.ID)
	must(t, err)
	items, err := w.store.ImportItems(t.Context(), imp.ID, 0, 5)
	must(t, err)
	if imp.State != store.ImportGoing || imp.Left() != 2 || !strings.Contains(items[0].Message, "plugin") {
		t.Fatalf("%+v %+v", imp, items)
	}
	if due, err := w.store.DueImports(t.Context(), w.now.Now(), 5); err != nil || len(due) != 0 {
		t.Errorf("it is tried again at once: %v %v", due, err)
	}
	w.site.SetActive(true)
	w.now.add(time.Minute)
	if imp, err = w.engine.RunImport(t.Context(), imp.ID); err != nil || imp.Done != 2 {
		t.Errorf("%+v %v", imp, err)
	}
}

func TestAnImportSaysWhatIsMissingAndCanJoinBadgesThatAreThere(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	must(t, w.credly.Seed(simcredly.Seed{Templates: []simcredly.Template{
		{ID: "0c7cbd20-0000-4000-8000-000000000201", OrgID: simcredly.DemoOrg, Name: "Design bare", Description: "Nothing more.", State: "draft"},
	}}))
	classes := w.designs(1)
	if len(classes) != 2 {
		t.Fatalf("%+v", classes)
	}
	bare, full := classes[0], classes[1]
	if full.Content.Name == "Design bare" {
		bare, full = full, bare
	}
	before := len(w.site.Badges())
	imp, err := w.engine.StartImport(ctx, "credly", "wp", "", []engine.ImportWish{{ClassID: bare.ID}, {ClassID: full.ID, TargetID: w.siteBadge.ID}})
	must(t, err)
	imp, err = w.engine.RunImport(ctx, imp.ID)
	must(t, err)
	items, err := w.store.ImportItems(ctx, imp.ID, 0, 5)
	must(t, err)
	if imp.Done != 2 || !slices.Equal(items[0].Warnings, []string{"criteria", "image", "draft"}) || len(items[1].Warnings) != 0 || items[1].TargetID != w.siteBadge.ID {
		t.Errorf("%+v %+v", imp, items)
	}
	if n := len(w.site.Badges()) - before; n != 1 {
		t.Errorf("%d badges were made", n)
	}
	for _, wrong := range [][]engine.ImportWish{nil, {{ClassID: w.siteBadge.ID}}, {{ClassID: full.ID, TargetID: bare.ID}}, {{ClassID: "nothing"}}} {
		if _, err := w.engine.StartImport(ctx, "credly", "wp", "", wrong); !errors.Is(err, adapters.ErrRejected) {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}

func TestWhatChangesAtCredlyIsShownFieldByFieldAndResolved(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	classes := w.designs(1)
	w.importAll(classes)
	must(t, w.site.UpdateBadge(w.site.Badges()[1].ID, func(b *site.Badge) { b.Title = "Our own title" }))
	was := w.site.Badges()[1]

	must(t, w.credly.Seed(simcredly.Seed{Templates: []simcredly.Template{{
		ID: string(classes[0].Ref), OrgID: simcredly.DemoOrg, Name: "Design, renamed", Description: "Drawn anew.", GlobalURL: "https://example.org/designs",
		ImageID: "3f000000-0000-4000-8000-000000000999", Activities: []simcredly.Activity{{Type: "Course", Title: "A course"}},
	}}}))
	w.pull()
	drifts, err := w.engine.Drifts(ctx)
	must(t, err)
	if len(drifts) != 1 || drifts[0].State != "" {
		t.Fatalf("%+v", drifts)
	}
	var fields []engine.Field
	for _, c := range drifts[0].Changes {
		fields = append(fields, c.Field)
		if c.Was == c.New || c.New == "" {
			t.Errorf("%+v", c)
		}
	}
	if want := []engine.Field{engine.FieldName, engine.FieldDescription, engine.FieldImage}; !slices.Equal(fields, want) {
		t.Fatalf("drifted: %v, want %v", fields, want)
	}
	if c := drifts[0].Changes[0]; c.Ours != "Our own title" || c.New != "Design, renamed" {
		t.Errorf("%+v", c)
	}
	d := drifts[0]
	if err := w.engine.Resolve(ctx, d.Mapping.ID, "another version", []engine.Field{engine.FieldImage}, nil); !errors.Is(err, store.ErrStale) {
		t.Errorf("resolved by an outdated look: %v", err)
	}
	must(t, w.engine.Resolve(ctx, d.Mapping.ID, d.B.VersionID, []engine.Field{engine.FieldImage, engine.FieldDescription}, []engine.Field{engine.FieldName}))
	now := w.site.Badges()[1]
	if now.Title != "Our own title" || now.Description != "Drawn anew." || slices.Equal(now.Image, was.Image) || now.Criteria != was.Criteria {
		t.Errorf("from %+v came %+v", was, now)
	}
	w.pull()
	if drifts, err = w.engine.Drifts(ctx); err != nil || len(drifts) != 0 {
		t.Errorf("after all was resolved: %+v, %v", drifts, err)
	}
	must(t, w.credly.SetTemplateState(string(classes[0].Ref), "archived"))
	w.pull()
	if drifts, err = w.engine.Drifts(ctx); err != nil || len(drifts) != 1 || drifts[0].State != "archived" {
		t.Errorf("archived: %+v, %v", drifts, err)
	}
}

func TestABadgeOfTheSiteItselfCanBeChangedByItsMapping(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.mapBadges(store.Mapping{})
	must(t, w.credly.Seed(simcredly.Seed{Templates: []simcredly.Template{{ID: string(w.template.Ref), OrgID: simcredly.DemoOrg, Name: "Open Practice II",
		Description: "Works in the open.", GlobalURL: "https://example.org/open"}}}))
	w.pull()
	drifts, err := w.engine.Drifts(ctx)
	must(t, err)
	if len(drifts) != 1 {
		t.Fatalf("%+v", drifts)
	}
	d := drifts[0]
	for _, c := range d.Changes {
		must(t, w.engine.Resolve(ctx, d.Mapping.ID, d.B.VersionID, []engine.Field{c.Field}, nil))
	}
	if got := w.site.Badges(); len(got) != 1 || got[0].Title != "Open Practice II" || got[0].Criteria == "" {
		t.Errorf("%+v", got)
	}
	if drifts, err = w.engine.Drifts(ctx); err != nil || len(drifts) != 0 {
		t.Errorf("%+v, %v", drifts, err)
	}
}

func TestATemplateThatIsGoneStopsItsMappingAndTellsTheAdminsOnce(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	classes := w.designs(2)
	w.importAll(classes)
	must(t, w.credly.DeleteTemplate(string(classes[0].Ref)))
	w.pull()
	w.pull()
	if n := w.jobs.count(engine.JobGone); n != 1 {
		t.Errorf("%d letters", n)
	}
	mappings, err := w.store.Mappings(ctx)
	must(t, err)
	for _, m := range mappings {
		if want := map[bool]string{true: engine.PausedGone}[m.ClassB == classes[0].ID]; m.Paused != want {
			t.Errorf("paused %q, want %q", m.Paused, want)
		}
	}
	drifts, err := w.engine.Drifts(ctx)
	must(t, err)
	if len(drifts) != 1 || drifts[0].State != engine.GoneState {
		t.Errorf("%+v", drifts)
	}
}

func TestATokensEndIsToldThirtySevenAndOneDayAheadOnceEach(t *testing.T) {
	w := newWorld(t)
	end := w.now.Now().Add(40 * 24 * time.Hour)
	must(t, w.credly.Seed(simcredly.Seed{Tokens: []simcredly.Token{{OrgID: simcredly.DemoOrg, Token: simcredly.DemoToken, Read: true, Write: true, ExpiresAt: &end}}}))
	told := 0
	for day := 0; day < 40; day++ {
		for range 2 {
			_, err := w.engine.CheckRemote(t.Context(), "credly")
			must(t, err)
		}
		if left := 40 - day; left == 30 || left == 7 || left == 1 {
			told++
		}
		if got := w.jobs.count(engine.JobExpiry); got != told {
			t.Fatalf("%d days before the end: %d letters, want %d", 40-day, got, told)
		}
		w.now.add(24 * time.Hour)
	}
	_, err := w.engine.CheckRemote(t.Context(), "credly")
	if !errors.Is(err, adapters.ErrUnauthorized) || w.jobs.count(engine.JobExpiry) != 3 {
		t.Errorf("after the end: %v, %d letters", err, w.jobs.count(engine.JobExpiry))
	}
}

func TestWhatIsAcceptedAtCredlyIsHandedOnForVerificationOnce(t *testing.T) {
	w := newWorld(t)
	id, err := w.credly.Issue(simcredly.Badge{TemplateID: string(w.template.Ref), Email: "ada@example.org", FirstName: "Ada", LastName: "Lovelace"})
	must(t, err)
	w.person("ada@example.org", "Ada", "Lovelace")
	w.pull()
	if n := w.jobs.count(engine.JobAttested); n != 0 {
		t.Fatalf("%d while it is pending", n)
	}
	must(t, w.credly.Accept(id))
	w.pull()
	w.pull()
	if a := w.award("credly"); w.jobs.count(engine.JobAttested) != 1 || a.AssertionURL == "" || a.Claim != store.Claimed || a.ClaimedAt.IsZero() {
		t.Errorf("%d, %+v", w.jobs.count(engine.JobAttested), a)
	}
}
