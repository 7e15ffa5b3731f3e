package engine_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/adapters/credly"
	"badgebridge/adapters/wordpress"
	"badgebridge/internal/secret"
	"badgebridge/internal/testenv/database"
	"badgebridge/openbadges"
	simcredly "badgebridge/sandbox/credly"
	"badgebridge/sandbox/site"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
	"badgebridge/sync/engine"
)

// world is a gateway's engine between a simulated site and a simulated Credly.
type world struct {
	t      *testing.T
	now    *clock
	store  store.Store
	engine *engine.Engine
	site   *site.Site
	credly *simcredly.Sim
	jobs   *jobs
	first  func(http.ResponseWriter, *http.Request) bool // answers a call to Credly in its place

	siteBadge, template store.Class
	ada, bo             int64 // members of the site
}

const base = "https://badges.example.org"

// clock is moved by hand.
type clock struct {
	mu    sync.Mutex
	t     time.Time
	count int // down to 0, which calls then
	then  func()
}

// after calls f when the clock was asked n times more.
func (c *clock) after(n int, f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count, c.then = n, f
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count--; c.count == 0 && c.then != nil {
		c.then()
	}
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// jobs collects what the engine asks for in the background.
type jobs struct {
	mu   sync.Mutex
	kind map[string]int
}

func (j *jobs) Enqueue(_ context.Context, _ *sql.Tx, job store.Job) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.kind[job.Kind]++
	return nil
}

func (j *jobs) count(kind string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.kind[kind]
}

// drawings are the pictures that the simulated Credly drew, by the end of their
// address, for all worlds: it takes long, and an id always gives the same one.
var drawings sync.Map

func newWorld(t *testing.T, credlyConfig ...any) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{t: t, now: &clock{t: time.Now().UTC().Truncate(time.Second)}, jobs: &jobs{kind: map[string]int{}}}

	sim, err := simcredly.New(simcredly.Config{Now: w.now.Now})
	must(t, err)
	must(t, sim.Seed(simcredly.Seed{
		Orgs:      []simcredly.Org{{ID: simcredly.DemoOrg, Name: "Example Association", Slug: "example"}},
		Tokens:    []simcredly.Token{{OrgID: simcredly.DemoOrg, Token: simcredly.DemoToken, Read: true, Write: true, Delete: true}},
		Templates: []simcredly.Template{{ID: "0c7cbd20-0000-4000-8000-000000000001", OrgID: simcredly.DemoOrg, Name: "Open Practice", Description: "Works in the open.", GlobalURL: "https://example.org/open"}},
	}))
	w.credly = sim
	credlyServer := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.first == nil || !w.first(rw, r) {
			sim.ServeHTTP(rw, r)
		}
	}))
	t.Cleanup(credlyServer.Close)

	siteServer := httptest.NewUnstartedServer(nil)
	siteServer.Start()
	t.Cleanup(siteServer.Close)
	w.site, err = site.New(site.Config{
		BaseURL: siteServer.URL, Name: "Example Association", Timezone: "America/New_York",
		Pairing: &site.Pairing{KeyID: "key-1", Secret: "a-secret-of-the-tests"},
		Seed: site.Seed{Badges: []site.Badge{{Title: "Open Practice", Description: "Works in the open.", Criteria: "A talk and two reviews."}}, Members: []site.Member{
			{Email: "ada@example.org", GivenName: "Ada", FamilyName: "Example"},
			{Email: "bo@example.org", GivenName: "Bo"},
		}},
	})
	must(t, err)
	t.Cleanup(w.site.Close)
	siteServer.Config.Handler = w.site
	w.ada, w.bo = w.site.Members()[0].ID, w.site.Members()[1].ID

	db, err := sqlstore.Open(ctx, database.SQLite(t), sqlstore.Options{Now: w.now.Now})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	db.SetEnqueuer(w.jobs)
	w.store = db
	keys, err := secret.LoadOrCreate(filepath.Join(t.TempDir(), "master.key"))
	must(t, err)
	w.engine = engine.New(engine.Config{
		Store: db, Drivers: []adapters.Driver{credly.Driver(), wordpress.Driver()}, Keyring: keys,
		Client: func(adapters.Remote, []string) *http.Client { return &http.Client{} },
		Fetch: func(ctx context.Context, remote adapters.Remote, _ []string, url string) ([]byte, string, error) {
			_, drawing, _ := strings.Cut(url, "/images/")
			if drawn, ok := drawings.Load(drawing); ok && remote == "credly" {
				return drawn.([]byte), "image/png", nil
			}
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if err != nil {
				return nil, "", err
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return nil, "", err
			}
			defer res.Body.Close()
			b, err := io.ReadAll(res.Body)
			if kind := res.Header.Get("Content-Type"); err != nil || res.StatusCode != http.StatusOK || kind != "image/png" || remote != "credly" {
				return b, kind, err
			}
			drawings.Store(drawing, b)
			return b, "image/png", nil
		},
		Now: w.now.Now, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), Owner: "test",
		BaseURL: func(context.Context) string { return base },
	})
	_, err = db.PutIssuer(ctx, store.Issuer{Own: true, Profile: openbadges.Profile{Name: "Example Association", URL: "https://example.org", Email: "badges@example.org"}})
	must(t, err)

	uuid, home := w.site.Identity()
	w.addRemote("wp", "wordpress", map[string]any{"rest_url": siteServer.URL + "/wp-json", "site_uuid": uuid, "home_url": home, "key_id": "key-1", "secret": "a-secret-of-the-tests"})
	config := map[string]any{"base_url": credlyServer.URL + "/v1", "organization_id": simcredly.DemoOrg, "token": simcredly.DemoToken, "settle": "2m"}
	for i := 0; i+1 < len(credlyConfig); i += 2 {
		config[credlyConfig[i].(string)] = credlyConfig[i+1]
	}
	w.addRemote("credly", "credly", config)
	w.pull()
	w.siteBadge, w.template = w.class("wp"), w.class("credly")
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) addRemote(name adapters.Remote, kind string, config map[string]any) {
	w.t.Helper()
	b, err := json.Marshal(config)
	must(w.t, err)
	_, err = w.engine.AddRemote(w.t.Context(), name, kind, string(name), b, "")
	must(w.t, err)
}

func (w *world) class(remote adapters.Remote) store.Class {
	w.t.Helper()
	classes, err := w.store.Classes(w.t.Context(), remote)
	must(w.t, err)
	if len(classes) == 0 {
		w.t.Fatalf("no badges of %s", remote)
	}
	return classes[0]
}

// pull reads both remotes.
func (w *world) pull() {
	w.t.Helper()
	for _, name := range []adapters.Remote{"wp", "credly"} {
		run, err := w.engine.Sync(w.t.Context(), name, engine.SyncOptions{Cause: "command"})
		must(w.t, err)
		if run.State != store.RunDone {
			w.t.Fatalf("run of %s: %+v", name, run)
		}
	}
}

// send sends what is due now.
func (w *world) send() {
	w.t.Helper()
	_, err := w.engine.SendDue(w.t.Context())
	must(w.t, err)
}

// round is what happens in the background: pulls and pushes until quiet, with
// time passing.
func (w *world) round() {
	w.t.Helper()
	w.pull()
	w.send()
	w.now.add(5 * time.Minute)
	w.send()
	w.pull()
}

func (w *world) mapBadges(m store.Mapping) store.Mapping {
	w.t.Helper()
	m.ClassA, m.ClassB = w.siteBadge.ID, w.template.ID
	m, err := w.engine.PutMapping(w.t.Context(), m)
	must(w.t, err)
	return m
}

// person makes an account that has proven the address.
func (w *world) person(email, given, family string) string {
	w.t.Helper()
	p, err := w.store.CreatePerson(w.t.Context(), store.Person{GivenName: given, FamilyName: family})
	must(w.t, err)
	must(w.t, w.store.AddIdentifier(w.t.Context(), store.Identifier{Type: openbadges.IdentityEmail, Value: email, PersonID: p.ID, ProvenBy: "code", ProvenAt: w.now.Now()}))
	must(w.t, w.engine.Adopt(w.t.Context(), p.ID, email))
	return p.ID
}

func (w *world) award(origin adapters.Remote) store.Award {
	w.t.Helper()
	all := w.awards(origin)
	if len(all) != 1 {
		w.t.Fatalf("%d awards of %s, want 1", len(all), origin)
	}
	return all[0]
}

func (w *world) awards(origin adapters.Remote) []store.Award {
	w.t.Helper()
	all, err := w.store.Awards(w.t.Context(), store.AwardFilter{Origin: origin, Limit: 1000})
	must(w.t, err)
	return all
}

func (w *world) push(awardID string) store.Push {
	w.t.Helper()
	all, err := w.store.PushesOf(w.t.Context(), awardID)
	must(w.t, err)
	if len(all) == 0 {
		w.t.Fatal("no push")
	}
	return all[len(all)-1]
}

func (w *world) wantPush(awardID string, state store.PushState, reason string) store.Push {
	w.t.Helper()
	p := w.push(awardID)
	if p.State != state || p.Reason != reason {
		w.t.Fatalf("push is %s %q (%s), want %s %q", p.State, p.Reason, p.Words, state, reason)
	}
	return p
}

// quiet checks that syncing everything again changes nothing and writes nothing.
func (w *world) quiet() {
	w.t.Helper()
	before, siteBefore := fmt.Sprint(w.credly.Calls().Received), len(w.site.Awards())
	awards := len(w.awards(""))
	for range 2 {
		w.now.add(time.Hour)
		for _, name := range []adapters.Remote{"wp", "credly"} {
			run, err := w.engine.Sync(w.t.Context(), name, engine.SyncOptions{Cause: "command", Full: true})
			must(w.t, err)
			if run.State != store.RunDone || run.New+run.Changed+run.Pushes != 0 {
				w.t.Errorf("sync of %s again: %+v", name, run)
			}
		}
		w.send()
	}
	if after := fmt.Sprint(w.credly.Calls().Received); after != before {
		w.t.Errorf("writes at Credly were %s, are %s", before, after)
	}
	if n := len(w.site.Awards()); n != siteBefore {
		w.t.Errorf("the site had %d awards, has %d", siteBefore, n)
	}
	if n := len(w.awards("")); n != awards {
		w.t.Errorf("%d awards became %d", awards, n)
	}
}
