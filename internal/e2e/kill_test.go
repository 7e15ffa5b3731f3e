package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"badgebridge/internal/testenv/postgres"
	"badgebridge/openbadges"
	simcredly "badgebridge/sandbox/credly"
	"badgebridge/sandbox/site"
	"badgebridge/store"
)

// assassin stands between the gateway and the simulated Credly and kills the
// gateway at chosen issue calls: before the remote commits, or between its
// commit and the answer.
type assassin struct {
	sim     http.Handler
	calls   atomic.Int64
	strikes map[int64]string // call number -> "before" or "after"
	kill    func()
	killed  chan string
}

func (a *assassin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !strings.HasSuffix(strings.TrimSuffix(r.URL.Path, "/"), "/badges") {
		a.sim.ServeHTTP(w, r)
		return
	}
	when := a.strikes[a.calls.Add(1)]
	switch when {
	case "before":
		a.kill()
		a.killed <- when
		panic(http.ErrAbortHandler)
	case "after":
		a.sim.ServeHTTP(httptest.NewRecorder(), r)
		a.kill()
		a.killed <- when
		panic(http.ErrAbortHandler)
	}
	a.sim.ServeHTTP(w, r)
}

func TestKilledAtAnyInstructionNothingIsLostAndNothingIssuedTwice(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			url := ""
			if engine == "postgres" {
				url = postgres.Start(t)
			}
			killMany(t, url, 500)
		})
	}
}

func killMany(t *testing.T, databaseURL string, awards int) {
	const seed = 42
	rnd := rand.New(rand.NewPCG(seed, seed))
	dir := t.TempDir()
	if databaseURL == "" {
		databaseURL = "sqlite:" + filepath.Join(dir, "badgebridge.db")
	}
	const template = "0c7cbd20-0000-4000-8000-000000000001"
	sim, err := simcredly.New(simcredly.Config{})
	must(t, err)
	must(t, sim.Seed(simcredly.Seed{
		Orgs:      []simcredly.Org{{ID: simcredly.DemoOrg, Name: "Example Association", Slug: "example"}},
		Tokens:    []simcredly.Token{{OrgID: simcredly.DemoOrg, Token: simcredly.DemoToken, Read: true, Write: true}},
		Templates: []simcredly.Template{{ID: template, OrgID: simcredly.DemoOrg, Name: "Open Practice", Description: "Works in the open.", AllowDuplicates: true}},
	}))
	sim.HideFresh(700 * time.Millisecond)
	a := &assassin{sim: sim, strikes: map[int64]string{}, killed: make(chan string, 100)}
	for i := range 12 {
		// The first strikes come early, the rest anywhere.
		a.strikes[int64(5+i*(awards/15)+rnd.IntN(awards/20))] = []string{"before", "after"}[i%2]
	}
	credlyServer := httptest.NewServer(a)
	t.Cleanup(credlyServer.Close)

	siteServer := httptest.NewUnstartedServer(nil)
	siteServer.Start()
	t.Cleanup(siteServer.Close)
	st, err := site.New(site.Config{
		BaseURL: siteServer.URL, Name: "Example Association", Timezone: "America/New_York",
		Pairing: &site.Pairing{KeyID: "key-1", Secret: "a-secret-of-the-tests"},
		Seed:    site.Seed{Badges: []site.Badge{{Title: "Open Practice", Description: "Works in the open.", Criteria: "A talk."}}},
	})
	must(t, err)
	t.Cleanup(st.Close)
	siteServer.Config.Handler = st
	uuid, home := st.Identity()

	g := New(t, Options{Dir: dir, Env: map[string]string{
		"BADGEBRIDGE_DATABASE_URL": databaseURL, "BADGEBRIDGE_PULL_EVERY": "200ms", "BADGEBRIDGE_CALL_TIMEOUT": "2s", "BADGEBRIDGE_CALLS_PER_SECOND": "2000", "BADGEBRIDGE_BASE_URL": "https://badges.example.test",
	}, YAML: fmt.Sprintf(`
remotes:
  - {name: wp, kind: wordpress, config: {rest_url: %q, site_uuid: %q, home_url: %q, key_id: key-1, secret: a-secret-of-the-tests}}
  - {name: credly, kind: credly, config: {base_url: %q, organization_id: %q, token: %q, settle: 1s}}
`, siteServer.URL+"/wp-json", uuid, home, credlyServer.URL+"/v1", simcredly.DemoOrg, simcredly.DemoToken)})
	a.kill = g.Kill
	g.Start()

	db := openStore(t, databaseURL)
	ctx := t.Context()
	_, err = db.PutIssuer(ctx, store.Issuer{Own: true, Profile: openbadges.Profile{Name: "Example Association", URL: "https://example.org", Email: "badges@example.org"}})
	must(t, err)
	here, there := classOf(t, db, "wp"), classOf(t, db, "credly")
	_, err = db.CreateMapping(ctx, store.Mapping{ClassA: here.ID, ClassB: there.ID, AToB: store.AtOnce})
	must(t, err)

	badge := st.Badges()[0]
	for i := range awards {
		m := st.AddMember(site.Member{Email: fmt.Sprintf("member%d@example.org", i), GivenName: "Member", FamilyName: fmt.Sprintf("Number %d", i)})
		_, err := st.Award(badge.ID, m, "a course")
		must(t, err)
	}

	// Keep it running: whenever it was killed, start it again. In the middle the
	// badge is renamed; and now and then it is killed at no special moment.
	renamed, kills := false, 0
	deadline := time.Now().Add(6 * time.Minute)
	for {
		select {
		case when := <-a.killed:
			kills++
			t.Logf("killed %s the remote's commit, at call %d", when, a.calls.Load())
			g.Start()
		case <-time.After(time.Duration(100+rnd.IntN(900)) * time.Millisecond):
			if len(sim.Badges()) < awards && rnd.IntN(8) == 0 {
				kills++
				g.Kill()
				g.Start()
			}
		}
		if !renamed && len(sim.Badges()) > awards/2 {
			renamed = true
			must(t, st.UpdateBadge(badge.ID, func(b *site.Badge) { b.Title = "Open Practice, new name" }))
		}
		if settled(ctx, db, awards) && len(a.killed) == 0 {
			break
		}
		if time.Now().After(deadline) {
			n, _ := db.CountPushes(ctx)
			t.Fatalf("not settled: %v, %d badges at Credly", n, len(sim.Badges()))
		}
	}
	if kills < 8 || !renamed {
		t.Errorf("killed only %d times, renamed %v: the test did not test", kills, renamed)
	}
	per := map[string]int{}
	for _, b := range sim.Badges() {
		per[b.Email]++
	}
	twice, missing := 0, 0
	for i := range awards {
		switch per[fmt.Sprintf("member%d@example.org", i)] {
		case 0:
			missing++
		case 1:
		default:
			twice++
		}
	}
	if twice+missing > 0 || len(sim.Badges()) != awards {
		t.Errorf("%d awards: %d missing, %d doubled, %d badges at Credly", awards, missing, twice, len(sim.Badges()))
	}
	all, err := db.CountAwards(ctx, store.AwardFilter{})
	must(t, err)
	if all != awards {
		t.Errorf("%d awards at the gateway, want %d", all, awards)
	}
	t.Logf("%d awards, killed %d times, %d issue calls", awards, kills, a.calls.Load())
}

func settled(ctx context.Context, db store.Store, awards int) bool {
	n, err := db.CountPushes(ctx)
	return err == nil && n[store.PushDone] == awards
}
