package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/internal/testenv/smtpsink"
	"badgebridge/openbadges"
	simcredly "badgebridge/sandbox/credly"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
)

// The people of the stories. All are members of the association but the admin.
const (
	alex = "alex.admin@example.org"
	ada  = "ada@example.org"
	bo   = "bo@example.org"
	cy   = "cy@example.org"
)

// Association is the site that a gateway is paired with, as its own people
// handle it.
type Association interface {
	// Reach says which gateway answers at PublicURL.
	Reach(t testing.TB, g *Gateway)
	Pair(t testing.TB, gatewayURL, code string)
	AddBadge(t testing.TB, title string) int64
	AddMember(t testing.TB, email, given, family string) int64
	Award(t testing.TB, badge, member int64) (entry int64)
	Revoke(t testing.TB, entry int64)
	// Holds lists the awards by entry, oldest first.
	Holds(t testing.TB) []Holding
	// CutWebhooks lets no webhook arrive, or does again.
	CutWebhooks(t testing.TB, cut bool)
	// Rows is all that the site stores of badges and of the gateway, for comparing.
	Rows(t testing.TB) string
}

// Holding is an award as the site has it.
type Holding struct{ Entry, Badge, Member int64 }

// World is a gateway with the systems around it.
type World struct {
	Gateway *Gateway
	DB      *sqlstore.DB // the gateway's own database, opened beside it
	Site    Association
	Sim     *simcredly.Sim
	Mail    *smtpsink.Sink
	Admin   *Browser

	SiteName adapters.Remote // what the gateway calls the site, once it is paired
	Badge    int64           // at the site
	Class    store.Class     // the same at the gateway
	Template store.Class     // the badge at Credly

	credlyURL string
}

// WorldOptions say what a world is made of.
type WorldOptions struct {
	Site        Association
	DatabaseURL string            // "" SQLite
	Env         map[string]string // over the defaults
}

// credlyName is what the admin page calls a connected Credly.
const credlyName = adapters.Remote("credly")

// NewWorld starts a gateway that nobody has set up yet, a Credly and a mail
// server. The gateway looks at its remotes by itself only once an hour.
func NewWorld(t testing.TB, o WorldOptions) *World {
	t.Helper()
	w := &World{Site: o.Site, Mail: smtpsink.Start(t)}
	var err error
	w.Sim, err = simcredly.New(simcredly.Config{})
	must(t, err)
	must(t, w.Sim.Seed(simcredly.Seed{
		Orgs:   []simcredly.Org{{ID: simcredly.DemoOrg, Name: "Example Association", Slug: "example"}},
		Tokens: []simcredly.Token{{OrgID: simcredly.DemoOrg, Token: simcredly.DemoToken, Read: true, Write: true}},
		Templates: []simcredly.Template{{ID: "0c7cbd20-0000-4000-8000-000000000001", OrgID: simcredly.DemoOrg, Name: "Open Practice",
			Description: "Works in the open."}},
	}))
	srv := httptest.NewServer(w.Sim)
	t.Cleanup(srv.Close)
	w.credlyURL = srv.URL

	dir := t.TempDir()
	url := o.DatabaseURL
	if url == "" {
		url = "sqlite:" + filepath.Join(dir, "badgebridge.db")
	}
	env := map[string]string{
		"BADGEBRIDGE_DATABASE_URL": url, "BADGEBRIDGE_PULL_EVERY": "1h", "BADGEBRIDGE_LIST_EVERY": "24h",
		"BADGEBRIDGE_CALLS_PER_SECOND": "500", "BADGEBRIDGE_CREDLY_BASE_URL": srv.URL + "/v1",
	}
	for k, v := range o.Env {
		env[k] = v
	}
	w.Gateway = New(t, Options{Dir: dir, Env: env}).Start()
	w.DB = openStore(t, url)
	w.Site.Reach(t, w.Gateway)
	w.Admin = NewBrowser(t, w.Gateway)
	return w
}

// Setenv changes a setting for the next Start.
func (g *Gateway) Setenv(name, value string) {
	g.env = slices.DeleteFunc(g.env, func(kv string) bool { return strings.HasPrefix(kv, name+"=") })
	g.env = append(g.env, name+"="+value)
}

// SetUp goes the way of an administrator from the printed link to a saved
// mapping: nothing is written behind the pages.
func (w *World) SetUp(t *testing.T, policy map[string]string) {
	promise(t, "the first start is done on the set-up pages", func(t *testing.T) {
		w.Admin.SetUp(t, w.Gateway, w.Mail, alex)
		if p := w.Admin.Open(t, w.Gateway.Link()); p.Status != http.StatusNotFound {
			t.Errorf("the link answers %d a second time", p.Status)
		}
		again := NewBrowser(t, w.Gateway)
		again.SignIn(t, w.Mail, alex)
		again.Must(t, "/admin")
	})
	promise(t, "a site is paired by the code of the admin page", func(t *testing.T) {
		w.Badge = w.Site.AddBadge(t, "Open Practice & more")
		w.Site.Pair(t, PublicURL, w.Admin.PairingCode(t))
		remotes, err := w.DB.Remotes(t.Context())
		must(t, err)
		if len(remotes) != 1 || remotes[0].Kind != "wordpress" {
			t.Fatalf("%+v", remotes)
		}
		w.SiteName = remotes[0].Name
		w.Class = classOf(t, w.DB, w.SiteName)
		if w.Class.Content.Name != "Open Practice & more" {
			t.Errorf("the badge is called %q", w.Class.Content.Name)
		}
	})
	promise(t, "Credly is connected on the admin page", func(t *testing.T) {
		w.Admin.Must(t, "/admin/connect/credly")
		p := w.Admin.Submit(t, w.Admin.page.Form(t, "/admin/connect/credly"), map[string]string{"where": "custom", "organization": simcredly.DemoOrg, "token": "not-the-token"})
		p.want(t, http.StatusUnprocessableEntity)
		p = w.Admin.Press(t, "/admin/connect/credly", map[string]string{"organization": simcredly.DemoOrg, "token": simcredly.DemoToken})
		if !strings.HasSuffix(p.URL.Path, "/admin/remotes/credly") {
			t.Fatalf("the page is %s:\n%s", p.URL, p.Text())
		}
		w.Template = classOf(t, w.DB, credlyName)
	})
	promise(t, "a mapping is saved after its dry run", func(t *testing.T) {
		dry := w.Admin.Map(t, w.Class.ID, w.Template.ID, policy)
		if !strings.Contains(dry, "Open Practice & more") {
			t.Errorf("the dry run does not name the badge:\n%s", dry)
		}
	})
}

// promise runs a part of a story; what follows makes no sense without it.
func promise(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	if !t.Run(name, f) {
		t.FailNow()
	}
}

// Offered waits until the gateway knows an award to the address, and returns the
// newest.
func (w *World) Offered(t testing.TB, email string, count int) store.Award {
	t.Helper()
	var out store.Award
	Eventually(t, 30*time.Second, "the award to "+email+" is offered", func() error {
		all, err := w.DB.AwardsFor(t.Context(), email, 100)
		if err != nil {
			return err
		}
		if len(all) != count {
			return fmt.Errorf("%d awards, want %d", len(all), count)
		}
		out = slices.MaxFunc(all, func(a, b store.Award) int { return a.CreatedAt.Compare(b.CreatedAt) })
		return nil
	})
	return out
}

// Pushed waits until an award's push of this kind to the remote is in a state.
func (w *World) Pushed(t testing.TB, award string, op store.Op, remote adapters.Remote, state store.PushState) store.Push {
	t.Helper()
	var out store.Push
	Eventually(t, 30*time.Second, fmt.Sprintf("%s at %s is %s", op, remote, state), func() error {
		all, err := w.DB.PushesOf(t.Context(), award)
		if err != nil {
			return err
		}
		for _, p := range all {
			if p.Op == op && p.Remote == remote && p.State == state {
				out = p
				return nil
			}
		}
		return fmt.Errorf("pushes: %+v", all)
	})
	return out
}

// AtCredly lists the badges of an address at Credly.
func (w *World) AtCredly(email string) []simcredly.Badge {
	var out []simcredly.Badge
	for _, b := range w.Sim.Badges() {
		if strings.EqualFold(b.Email, email) {
			out = append(out, b)
		}
	}
	return out
}

// Webhooks is how many calls arrived at the gateway's door for webhooks.
func (w *World) Webhooks() int {
	return strings.Count(w.Gateway.Said(), "route=/webhooks/:remote/:secret")
}

// patience is how long a test waits; a benchmark has more to do.
func patience(t testing.TB, test time.Duration) time.Duration {
	if _, bench := t.(*testing.B); bench {
		return 30 * time.Minute
	}
	return test
}

// ListAll has everything at a remote listed, from its page, and returns the run.
func (w *World) ListAll(t testing.TB, remote adapters.Remote) store.Run {
	t.Helper()
	before := w.lists(t, remote)
	var out store.Run
	w.Admin.Remote(t, string(remote), "list")
	Eventually(t, patience(t, time.Minute), "all of "+string(remote)+" is listed", func() error {
		for _, r := range w.lists(t, remote) {
			if r.State != store.RunGoing && !slices.ContainsFunc(before, func(b store.Run) bool { return b.ID == r.ID }) {
				out = r
				return nil
			}
		}
		return fmt.Errorf("no run of it has ended")
	})
	return out
}

func (w *World) lists(t testing.TB, remote adapters.Remote) []store.Run {
	t.Helper()
	all, err := w.DB.Runs(t.Context(), remote, 200)
	must(t, err)
	return slices.DeleteFunc(all, func(r store.Run) bool { return r.Kind != "list" })
}

// Pulled has a remote pulled, from its page, and waits for the run.
func (w *World) Pulled(t testing.TB, remote adapters.Remote) store.Run {
	t.Helper()
	began := store.Moment(time.Now())
	w.Admin.Remote(t, string(remote), "sync")
	var out store.Run
	Eventually(t, patience(t, 30*time.Second), string(remote)+" is pulled", func() error {
		all, err := w.DB.Runs(t.Context(), remote, 20)
		if err != nil {
			return err
		}
		for _, r := range all {
			if !r.StartedAt.Before(began) && r.State != store.RunGoing {
				out = r
				return nil
			}
		}
		return fmt.Errorf("no run since")
	})
	return out
}

// Settled waits until no push is on its way.
func (w *World) Settled(t testing.TB) {
	t.Helper()
	Eventually(t, 30*time.Second, "nothing is on its way", func() error {
		n, err := w.DB.CountPushes(t.Context())
		if err == nil && n[store.PushQueued]+n[store.PushSent] > 0 {
			err = fmt.Errorf("%v", n)
		}
		return err
	})
}

// Everything is all that anybody stores about badges, and what was written at
// Credly, for comparing.
func (w *World) Everything(t testing.TB) map[string]string {
	t.Helper()
	calls := w.Sim.Calls()
	calls.Read = nil // looking changes nothing
	return map[string]string{"site": w.Site.Rows(t), "credly": plain(t, w.Sim.Badges()), "calls": plain(t, calls), "gateway": w.rows(t)}
}

func plain(t testing.TB, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	must(t, err)
	return string(b)
}

// rows is what the gateway stores of awards, without when they were last seen.
func (w *World) rows(t testing.TB) string {
	t.Helper()
	ctx := t.Context()
	awards, err := w.DB.Awards(ctx, store.AwardFilter{Limit: 1000})
	must(t, err)
	classes, err := w.DB.Classes(ctx, "")
	must(t, err)
	mappings, err := w.DB.Mappings(ctx)
	must(t, err)
	out := []any{awards, classes, mappings}
	for _, a := range awards {
		links, err := w.DB.LinksOf(ctx, a.ID)
		must(t, err)
		for i := range links {
			links[i].ListedRun, links[i].SeenAt = "", time.Time{}
		}
		pushes, err := w.DB.PushesOf(ctx, a.ID)
		must(t, err)
		for _, p := range pushes {
			events, err := w.DB.PushEvents(ctx, p.ID)
			must(t, err)
			out = append(out, events)
		}
		came, err := w.DB.ProvenanceOf(ctx, a.ID)
		must(t, err)
		claims, err := w.DB.ClaimsOf(ctx, a.ID)
		must(t, err)
		document, _ := w.DB.AssertionOf(ctx, a.ID, openbadges.V20)
		out = append(out, links, pushes, came, claims, document)
	}
	return plain(t, out)
}

// Same compares two of Everything.
func Same(t testing.TB, before, after map[string]string) {
	t.Helper()
	for what, old := range before {
		if old == after[what] {
			continue
		}
		a, b := strings.Split(old, "\n"), strings.Split(after[what], "\n")
		for i := range max(len(a), len(b)) {
			if i >= len(a) || i >= len(b) || a[i] != b[i] {
				t.Errorf("%s changed at line %d:\nbefore: %s\nafter:  %s", what, i+1, strings.Join(a[min(i, len(a)):min(i+8, len(a))], "\n"), strings.Join(b[min(i, len(b)):min(i+8, len(b))], "\n"))
				break
			}
		}
	}
}

// state waits until the site's remote is in a state.
func (w *World) state(t testing.TB, want store.RemoteState) {
	t.Helper()
	Eventually(t, 30*time.Second, "the site is "+string(want), func() error {
		r, err := w.DB.Remote(t.Context(), w.SiteName)
		if err == nil && r.State != want {
			err = fmt.Errorf("it is %s: %s", r.State, r.Reason)
		}
		return err
	})
}

// title is what the pages call the site.
func (w *World) title(t testing.TB) string {
	t.Helper()
	r, err := w.DB.Remote(t.Context(), w.SiteName)
	must(t, err)
	return r.Title
}

func (w *World) pushes(t testing.TB, award string) []store.Push {
	t.Helper()
	all, err := w.DB.PushesOf(t.Context(), award)
	must(t, err)
	return all
}

// issueAtCredly makes a badge on Credly's own pages, and returns its id.
func (w *World) issueAtCredly(t testing.TB, email string) string {
	t.Helper()
	id, err := w.Sim.Issue(simcredly.Badge{OrgID: simcredly.DemoOrg, TemplateID: string(w.Template.Ref), Email: email, FirstName: "Given", LastName: "Family"})
	must(t, err)
	return id
}
