package backpack_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"badgebridge/openbadges/verify"
	simcredly "badgebridge/sandbox/credly"
	"badgebridge/store"
	"badgebridge/sync/backpack"
)

func TestABadgeAcceptedAtCredlyIsVerifiedByCredlysOwnAssertionAndCheckedAgain(t *testing.T) {
	w := newWorld(t)
	sim, err := simcredly.New(simcredly.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.Seed(simcredly.Seed{
		Orgs: []simcredly.Org{{ID: simcredly.DemoOrg, Name: "Example Association", Slug: "example"}},
		Templates: []simcredly.Template{{ID: "0c7cbd20-0000-4000-8000-000000000001", OrgID: simcredly.DemoOrg, Name: "Open Practice",
			Description: "Works in the open.", GlobalURL: "https://example.org/open"}},
	}); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(sim)
	t.Cleanup(srv.Close)
	w.now = time.Now()
	b := backpack.New(backpack.Config{
		Store: w.store, Fetcher: verify.HTTP{Client: srv.Client()}, Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler),
		BaseURL: func(context.Context) string { return "https://badges.example" },
		Resolve: func(page string) string {
			return strings.Replace(page, "https://www.credly.com/badges/", srv.URL+"/v1/obi/v2/badge_assertions/", 1)
		},
	})
	id, err := sim.Issue(simcredly.Badge{TemplateID: "0c7cbd20-0000-4000-8000-000000000001", Email: "ada@example.org", FirstName: "Ada", LastName: "Demo"})
	if err != nil {
		t.Fatal(err)
	}
	given := backpack.Given{URL: "https://www.credly.com/badges/" + id, Source: "url"}
	if res, err := b.Collect(t.Context(), w.ada.ID, given); err != nil || res.Fate != backpack.Refused {
		t.Errorf("while it is pending there: %+v, %v", res.Fate, err)
	}
	if err := sim.Accept(id); err != nil {
		t.Fatal(err)
	}
	res, err := b.Collect(t.Context(), w.ada.ID, given)
	if err != nil || res.Fate != backpack.Kept {
		t.Fatalf("by its public page: %s %s, %v\n%+v", res.Fate, res.Reason, err, res.Report.Checks)
	}
	if again, err := b.Collect(t.Context(), w.ada.ID, given); err != nil || again.Fate != backpack.Known {
		t.Errorf("again: %+v, %v", again.Fate, err)
	}
	if err := sim.Revoke(id, "Awarded in error"); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.AddDate(0, 1, 0)
	if c, changed, err := b.Recheck(t.Context(), res.ID); err != nil || !changed || c.Standing != store.RevokedNow {
		t.Errorf("after it was revoked: %+v %v %v", c.Standing, changed, err)
	}
}
