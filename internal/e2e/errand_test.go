package e2e

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/adapters/builtin"
	"badgebridge/internal/secret"
	"badgebridge/openbadges"
	simcredly "badgebridge/sandbox/credly"
	"badgebridge/sandbox/site"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
	"badgebridge/sync/engine"
)

// errand is a site full of awards that an admin lets a gateway carry to Credly,
// through whatever goes wrong on the way.
type errand struct {
	awards      int
	replicas    int     // gateways on one database
	kills       int     // at issue calls, before and after Credly's commit by turns
	faults      float64 // the share of Credly's calls that fail in one way or another
	databaseURL string  // "" SQLite
	redisURL    string
	seed        uint64
	within      time.Duration
}

// outcome is what an errand cost.
type outcome struct {
	took    time.Duration
	calls   int64 // at Credly, of every kind
	posts   int64 // issue calls
	killed  int
	peakMiB int // the most memory that a gateway had resident
}

// highway stands between the gateways and the simulated Credly. It counts, and
// kills a gateway at chosen issue calls: before the remote commits, or between
// its commit and the answer.
type highway struct {
	sim          http.Handler
	calls, posts atomic.Int64
	strikes      map[int64]string // call number -> "before" or "after"
	gateways     []*Gateway
	killed       chan *Gateway
}

func (h *highway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.calls.Add(1)
	if r.Method != http.MethodPost || !strings.HasSuffix(strings.TrimSuffix(r.URL.Path, "/"), "/badges") {
		h.sim.ServeHTTP(w, r)
		return
	}
	n := h.posts.Add(1)
	when := h.strikes[n]
	if when == "" {
		h.sim.ServeHTTP(w, r)
		return
	}
	defer func() { // also when the simulator's own fault ends the call
		victim := h.gateways[int(n)%len(h.gateways)]
		victim.Kill()
		h.killed <- victim
		panic(http.ErrAbortHandler)
	}()
	if when == "after" {
		h.sim.ServeHTTP(httptest.NewRecorder(), r)
	}
}

const errandTemplate = "0c7cbd20-0000-4000-8000-000000000001"

// run goes the errand and holds that each award is one badge.
func (e errand) run(t testing.TB) outcome {
	rnd := rand.New(rand.NewPCG(e.seed, e.seed))
	dir := t.TempDir()
	if e.databaseURL == "" {
		e.databaseURL = "sqlite:" + filepath.Join(dir, "badgebridge.db")
	}
	sim, err := simcredly.New(simcredly.Config{FaultSeed: e.seed})
	must(t, err)
	must(t, sim.Seed(simcredly.Seed{
		Orgs:   []simcredly.Org{{ID: simcredly.DemoOrg, Name: "Example Association", Slug: "example"}},
		Tokens: []simcredly.Token{{OrgID: simcredly.DemoOrg, Token: simcredly.DemoToken, Read: true, Write: true}},
		// A template that allows duplicates: Credly itself would stop nothing.
		Templates: []simcredly.Template{{ID: errandTemplate, OrgID: simcredly.DemoOrg, Name: "Open Practice", Description: "Works in the open.", AllowDuplicates: true}},
	}))
	sim.HideFresh(700 * time.Millisecond)
	way := &highway{sim: sim, strikes: map[int64]string{}, killed: make(chan *Gateway, e.kills+1)}
	for i := range e.kills {
		at := int64(3 + i*e.awards/(e.kills+1) + rnd.IntN(max(e.awards/20, 1)))
		way.strikes[at] = []string{"after", "before"}[i%2]
	}
	server := httptest.NewServer(way)
	t.Cleanup(server.Close)

	st := e.site(t)
	db := e.gateways(t, way, dir, st, server.URL)
	mapping := e.awarded(t, db, st)
	if e.faults > 0 {
		for _, kind := range []string{simcredly.FaultRateLimitBare, simcredly.FaultServerError, simcredly.FaultCut, simcredly.FaultDropAfter} {
			sim.Inject(simcredly.Fault{Kind: kind, Path: "/v1/organizations/*/*", Probability: e.faults / 4})
		}
	}
	before, began := way.calls.Load(), time.Now()
	e.backfill(t, dir, mapping)
	out := outcome{killed: e.carry(t, db, way)}
	out.took, out.calls, out.posts = time.Since(began), way.calls.Load()-before, way.posts.Load()
	for _, g := range way.gateways {
		out.peakMiB = max(out.peakMiB, g.peakMiB())
	}
	e.holdOnce(t, db, sim)
	return out
}

// site is a simulated site with one badge.
func (e errand) site(t testing.TB) *site.Site {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.Start()
	t.Cleanup(server.Close)
	st, err := site.New(site.Config{
		BaseURL: server.URL, Name: "Example Association", Timezone: "America/New_York",
		Pairing: &site.Pairing{KeyID: "key-1", Secret: "a-secret-of-the-tests"},
		Seed:    site.Seed{Badges: []site.Badge{{Title: "Open Practice", Description: "Works in the open.", Criteria: "A talk."}}},
	})
	must(t, err)
	t.Cleanup(st.Close)
	server.Config.Handler = st
	return st
}

// gateways starts the replicas and opens their database beside them.
func (e errand) gateways(t testing.TB, way *highway, dir string, st *site.Site, credlyURL string) *sqlstore.DB {
	t.Helper()
	uuid, home := st.Identity()
	yaml := fmt.Sprintf(`
remotes:
  - {name: wp, kind: wordpress, config: {rest_url: %q, site_uuid: %q, home_url: %q, key_id: key-1, secret: a-secret-of-the-tests}}
  - {name: credly, kind: credly, config: {base_url: %q, organization_id: %q, token: %q, settle: 1s}}
`, home+"/wp-json", uuid, home, credlyURL+"/v1", simcredly.DemoOrg, simcredly.DemoToken)
	for i := range max(e.replicas, 1) {
		own := dir
		if i > 0 {
			own = t.TempDir()
		}
		g := New(t, Options{Dir: own, YAML: yaml, Env: map[string]string{
			"BADGEBRIDGE_DATABASE_URL": e.databaseURL, "BADGEBRIDGE_REDIS_URL": e.redisURL, "BADGEBRIDGE_MASTER_KEY_FILE": filepath.Join(dir, "master.key"),
			"BADGEBRIDGE_PULL_EVERY": "5s", "BADGEBRIDGE_CALL_TIMEOUT": "2s", "BADGEBRIDGE_CALLS_PER_SECOND": "2000", "BADGEBRIDGE_BASE_URL": PublicURL,
		}})
		way.gateways = append(way.gateways, g.Start())
	}
	db := openStore(t, e.databaseURL)
	_, err := db.PutIssuer(t.Context(), store.Issuer{Own: true, Profile: openbadges.Profile{Name: "Example Association", URL: "https://example.org", Email: "badges@example.org"}})
	must(t, err)
	return db
}

// awarded has the site award its badge to everybody, waits until the gateway
// knows, and maps it with nothing flowing.
func (e errand) awarded(t testing.TB, db *sqlstore.DB, st *site.Site) store.Mapping {
	t.Helper()
	for i := range e.awards {
		m := st.AddMember(site.Member{Email: fmt.Sprintf("member%d@example.org", i), GivenName: "Member", FamilyName: fmt.Sprintf("Number %d", i)})
		_, err := st.Award(st.Badges()[0].ID, m, "a course")
		must(t, err)
	}
	here, there := classOf(t, db, "wp"), classOf(t, db, "credly")
	mapping, err := db.CreateMapping(t.Context(), store.Mapping{ClassA: here.ID, ClassB: there.ID})
	must(t, err)
	Eventually(t, e.within, "the gateway knows all awards", func() error {
		n, err := db.CountAwards(t.Context(), store.AwardFilter{})
		if err == nil && n != e.awards {
			err = fmt.Errorf("%d of %d", n, e.awards)
		}
		return err
	})
	return mapping
}

// backfill is the admin's act: the policy is switched on, old awards included.
func (e errand) backfill(t testing.TB, dir string, m store.Mapping) {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), e.databaseURL, sqlstore.Options{KeepSchema: true})
	must(t, err)
	defer db.Close()
	db.SetEnqueuer(noJobs{})
	keys, err := secret.LoadOrCreate(filepath.Join(dir, "master.key"))
	must(t, err)
	admin := engine.New(engine.Config{
		Store: db, Drivers: builtin.Drivers(), Keyring: keys, Now: time.Now, Owner: "admin",
		Log:     slog.New(slog.NewTextHandler(io.Discard, nil)),
		Client:  func(adapters.Remote, []string) *http.Client { return http.DefaultClient },
		BaseURL: func(context.Context) string { return PublicURL },
	})
	m.AToB = store.AtOnce
	_, err = admin.PutMapping(t.Context(), m)
	must(t, err)
	must(t, admin.PlanMapping(t.Context(), m.ID))
}

// noJobs drops the job that would plan what backfill plans by itself.
type noJobs struct{}

func (noJobs) Enqueue(context.Context, *sql.Tx, store.Job) error { return nil }

// carry starts every gateway again that was killed, until all is settled, and
// returns how many were.
func (e errand) carry(t testing.TB, db *sqlstore.DB, way *highway) (kills int) {
	t.Helper()
	Eventually(t, e.within, "every award is settled", func() error {
		select {
		case g := <-way.killed:
			kills++
			g.Start()
		default:
		}
		n, err := db.CountPushes(t.Context())
		if err == nil && n[store.PushDone] != e.awards {
			err = fmt.Errorf("%v", n)
		}
		if err == nil && len(way.killed) > 0 {
			err = errors.New("one was killed")
		}
		return err
	})
	return kills
}

// holdOnce holds that each member has one badge at Credly, and that the gateway
// knows which.
func (e errand) holdOnce(t testing.TB, db *sqlstore.DB, sim *simcredly.Sim) {
	t.Helper()
	badges := sim.Badges()
	per, ids := map[string]int{}, map[adapters.Ref]bool{}
	for _, b := range badges {
		per[b.Email]++
		ids[adapters.Ref(b.ID)] = true
	}
	twice, missing := 0, 0
	for i := range e.awards {
		switch per[fmt.Sprintf("member%d@example.org", i)] {
		case 0:
			missing++
		case 1:
		default:
			twice++
		}
	}
	if twice+missing > 0 || len(badges) != e.awards {
		t.Errorf("%d awards: %d missing, %d doubled, %d badges at Credly", e.awards, missing, twice, len(badges))
	}
	after := ""
	for {
		batch, err := db.Awards(t.Context(), store.AwardFilter{After: after, Limit: 500})
		must(t, err)
		if len(batch) == 0 {
			break
		}
		for _, a := range batch {
			links, err := db.LinksOf(t.Context(), a.ID)
			must(t, err)
			if len(links) != 2 || !ids[links[1].Ref] {
				t.Fatalf("award %s is linked with %+v", a.ID, links)
			}
			delete(ids, links[1].Ref)
		}
		after = batch[len(batch)-1].ID
	}
	if len(ids) > 0 {
		t.Errorf("%d badges at Credly are nobody's at the gateway", len(ids))
	}
	if n, err := db.CountAwards(t.Context(), store.AwardFilter{}); err != nil || n != e.awards {
		t.Errorf("%d awards at the gateway, want %d (%v)", n, e.awards, err)
	}
}

// peakMiB is the most memory that the running program ever had resident.
func (g *Gateway) peakMiB() int {
	g.mu.Lock()
	pid := g.cmd.Process.Pid
	g.mu.Unlock()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, err := strconv.Atoi(fields[0])
	if err != nil {
		return 0
	}
	return kib / 1024
}
