package web_test

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/adapters/credly"
	"badgebridge/adapters/oldcredly"
	"badgebridge/adapters/wordpress"
	"badgebridge/auth/access"
	"badgebridge/auth/login"
	"badgebridge/auth/session"
	"badgebridge/auth/setup"
	"badgebridge/internal/mail"
	"badgebridge/internal/secret"
	"badgebridge/internal/testenv/database"
	"badgebridge/openbadges"
	simcredly "badgebridge/sandbox/credly"
	"badgebridge/sandbox/demo"
	"badgebridge/sandbox/site"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
	"badgebridge/sync/backpack"
	"badgebridge/sync/engine"
	"badgebridge/web"
	"badgebridge/web/mails"
)

const (
	admin = "grace@example.org"
	ada   = "ada@example.org"
	bo    = "bo@example.org"
)

// world is a gateway between a simulated site and a simulated Credly, seen
// through HTTP.
type world struct {
	t       testing.TB
	now     *clock
	db      *sqlstore.DB
	file    string // of the database
	asked   statements
	engine  *engine.Engine
	site    *site.Site
	siteURL string
	credly  *simcredly.Sim
	credURL string
	setup   *setup.Setup
	mailbox *mail.Mailbox
	server  *httptest.Server
	log     *syncBuffer
	cfg     web.Config
	signUp  func(email string) bool // who may make an account by a code; nil: anybody
	public  string                  // base URL, where it is not the server's own
}

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// inline does jobs when the transaction that asked for them is over: at flush.
type inline struct {
	mu   sync.Mutex
	jobs []store.Job
}

func (q *inline) Enqueue(_ context.Context, _ *sql.Tx, j store.Job) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs = append(q.jobs, j)
	return nil
}

func (q *inline) take() []store.Job {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.jobs
	q.jobs = nil
	return list
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newWorld starts everything; change may alter the configuration of the pages.
func newWorld(t testing.TB, change ...func(*web.Config)) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{t: t, now: &clock{t: time.Now().UTC().Truncate(time.Second)}, log: &syncBuffer{}}
	queue := &inline{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.log.String())
		}
	})

	sim, err := simcredly.New(simcredly.Config{Now: w.now.Now})
	must(t, err)
	must(t, sim.Seed(simcredly.DemoSeed()))
	w.credly = sim
	credlyServer := httptest.NewServer(sim)
	t.Cleanup(credlyServer.Close)
	w.credURL = credlyServer.URL + "/v1"

	siteServer := httptest.NewServer(nil)
	t.Cleanup(siteServer.Close)
	w.siteURL = siteServer.URL
	w.site, err = site.New(site.Config{BaseURL: siteServer.URL, Name: demo.Association, Timezone: "UTC", Seed: demo.SiteSeed(w.now.Now())})
	must(t, err)
	t.Cleanup(w.site.Close)
	siteServer.Config.Handler = w.site

	address := database.SQLite(t)
	w.file = strings.TrimPrefix(address, "sqlite:")
	w.db, err = sqlstore.Open(ctx, address, sqlstore.Options{Now: w.now.Now, Watch: w.asked.add})
	must(t, err)
	t.Cleanup(func() { must(t, w.db.Close()) })
	w.db.SetEnqueuer(queue)
	keys, err := secret.LoadOrCreate(filepath.Join(t.TempDir(), "master.key"))
	must(t, err)

	w.server = httptest.NewUnstartedServer(nil)
	w.server.Start()
	t.Cleanup(w.server.Close)
	base := func(context.Context) string { return cmp.Or(w.public, w.server.URL) }
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.setup, err = setup.New(setup.Config{Store: w.db, Keyring: keys, Now: w.now.Now, AllowHTTPLoopback: true})
	must(t, err)
	var pages *web.Server
	w.engine = engine.New(engine.Config{
		Store: w.db, Drivers: []adapters.Driver{credly.Driver(), oldcredly.Driver(), wordpress.Driver()}, Keyring: keys,
		Client: func(adapters.Remote, []string) *http.Client { return &http.Client{Timeout: 10 * time.Second} },
		Fetch:  fetchImage, Now: w.now.Now, Log: log, Owner: "test", BaseURL: base,
		Changed: func(id string) { pages.Changed(id) },
	})
	w.mailbox = mail.NewMailbox(w.now.Now)
	workers := mails.New(mails.Config{Store: w.db, Keyring: keys, Sender: w.mailbox, BaseURL: base, Log: log, Now: w.now.Now}).Workers()
	signIn, err := login.New(login.Config{Store: w.db, Keyring: keys, BaseURL: base, Now: w.now.Now, Log: log, Merge: w.engine.Merge,
		OnProven: func(ctx context.Context, personID, email string) error {
			err := w.engine.Adopt(ctx, personID, email)
			if err == nil && w.cfg.Backpack != nil {
				_, err = w.cfg.Backpack.Proven(ctx, personID)
			}
			return err
		},
		MaySignUp: func(_ context.Context, _ store.Tx, email string) (bool, error) {
			return w.signUp == nil || w.signUp(email), nil
		}})
	must(t, err)
	_, err = w.db.PutIssuer(ctx, store.Issuer{Own: true, Profile: openbadges.Profile{Name: demo.Association, URL: demo.AssociationURL, Email: demo.AssociationEmail}})
	must(t, err)
	w.cfg = web.Config{
		Store: w.db, Engine: w.engine, Sessions: session.New(w.db, false, w.now.Now), Login: signIn,
		Access: access.New(access.Config{Store: w.db, AdminEmails: []string{admin}, Now: w.now.Now}), Setup: w.setup,
		BaseURL: base, Version: "test", Log: log, Now: w.now.Now, CredlyBaseURL: w.credURL,
		ReadStop: func(token string) (string, store.NoticeKind, error) { return mails.ReadStop(keys, token) },
	}
	for _, f := range change {
		f(&w.cfg)
	}
	if w.cfg.Backpack != nil {
		workers[backpack.JobCollect] = w.cfg.Backpack.CollectFile
	}
	pages, err = web.New(w.cfg)
	must(t, err)
	w.server.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		pages.ServeHTTP(rw, r)
		for _, j := range queue.take() {
			if work := workers[j.Kind]; work != nil {
				if err := work(context.Background(), j.Args); err != nil {
					t.Errorf("job %s: %v", j.Kind, err)
				}
			}
		}
	})
	return w
}

// fetchImage gives every badge the same small picture: the simulators draw
// large ones, which takes longer than everything else here.
func fetchImage(context.Context, adapters.Remote, []string, string) ([]byte, string, error) {
	img := image.NewNRGBA(image.Rect(0, 0, 16, 16))
	for i := range img.Pix {
		img.Pix[i] = uint8(i)
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), "image/png", err
}

// browser is one person's browser. It follows redirects and keeps cookies.
type browser struct {
	w *world
	c *http.Client
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	must(w.t, err)
	return &browser{w: w, c: &http.Client{Jar: jar, Timeout: 20 * time.Second}}
}

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   string
	path   string // after redirects, with the query
}

func (b *browser) do(method, path string, form url.Values, header ...string) answer {
	b.w.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(b.w.t.Context(), method, b.w.server.URL+path, body)
	must(b.w.t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Accept", "text/html")
	if method == http.MethodPost {
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := b.c.Do(req)
	must(b.w.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(b.w.t, err)
	return answer{res.StatusCode, res.Header, string(text), res.Request.URL.RequestURI()}
}

// send posts a body as it is, as a program does.
func (b *browser) send(path, contentType string, body []byte) answer {
	b.w.t.Helper()
	req, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodPost, b.w.server.URL+path, bytes.NewReader(body))
	must(b.w.t, err)
	req.Header.Set("Content-Type", contentType)
	res, err := b.c.Do(req)
	must(b.w.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(b.w.t, err)
	return answer{res.StatusCode, res.Header, string(text), res.Request.URL.RequestURI()}
}

func (b *browser) get(path string, header ...string) answer {
	b.w.t.Helper()
	return b.do(http.MethodGet, path, nil, header...)
}

func (b *browser) post(path string, kv ...string) answer {
	b.w.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(kv); i += 2 {
		form.Add(kv[i], kv[i+1])
	}
	return b.do(http.MethodPost, path, form)
}

var codeInMail = regexp.MustCompile(`\b([0-9A-Z]{4}-[0-9A-Z]{4})\b`)

// code is the last one that was mailed to the address.
func (w *world) code(to string) string {
	w.t.Helper()
	for _, l := range w.mailbox.Letters() {
		if m := codeInMail.FindString(l.Text); l.To == to && m != "" {
			return m
		}
	}
	w.t.Fatalf("no code was mailed to %s", to)
	return ""
}

// signIn signs in by a code, as a person would.
func (w *world) signIn(email string) *browser {
	w.t.Helper()
	b := w.browser()
	if a := b.post("/login/email", "email", email, "return", "/"); a.status != http.StatusOK || a.path != "/login/code" {
		w.t.Fatalf("ask for a code: %d at %s", a.status, a.path)
	}
	if a := b.post("/login/code", "code", w.code(email)); a.status != http.StatusOK || a.path != "/" {
		w.t.Fatalf("sign in as %s: %d at %s\n%s", email, a.status, a.path, a.body)
	}
	return b
}

// connect pairs the site and connects Credly through the admin pages, and reads
// both.
func (w *world) connect() *browser {
	w.t.Helper()
	g := w.signIn(admin)
	g.post("/admin/connect/wordpress")
	must(w.t, w.site.Pair(w.t.Context(), w.server.URL, w.pairCode(g)))
	a := g.post("/admin/connect/credly", "where", "custom", "organization", simcredly.DemoOrg, "token", simcredly.DemoToken)
	if a.status != http.StatusOK || !strings.HasPrefix(a.path, "/admin/remotes/credly") {
		w.t.Fatalf("connect Credly: %d at %s\n%s", a.status, a.path, a.body)
	}
	w.pull()
	return g
}

var pairCodeOnPage = regexp.MustCompile(`class="secret">([A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4})<`)

func (w *world) pairCode(g *browser) string {
	w.t.Helper()
	m := pairCodeOnPage.FindStringSubmatch(g.get("/admin/connect/wordpress").body)
	if m == nil {
		w.t.Fatal("the page shows no code")
	}
	return m[1]
}

func (w *world) pull() {
	w.t.Helper()
	remotes, err := w.db.Remotes(w.t.Context())
	must(w.t, err)
	for _, r := range remotes {
		run, err := w.engine.Sync(w.t.Context(), r.Name, engine.SyncOptions{Cause: "command"})
		must(w.t, err)
		if run.State != store.RunDone {
			w.t.Fatalf("run of %s: %+v", r.Name, run)
		}
	}
}

func (w *world) send() {
	w.t.Helper()
	_, err := w.engine.SendDue(w.t.Context())
	must(w.t, err)
}

// awardOf is the award of the badge to the address.
func (w *world) awardOf(email, badge string) store.Award {
	w.t.Helper()
	list, err := w.db.AwardsFor(w.t.Context(), email, 100)
	must(w.t, err)
	for _, a := range list {
		class, err := w.db.Class(w.t.Context(), a.ClassID)
		must(w.t, err)
		if class.Content.Name == badge {
			return a
		}
	}
	w.t.Fatalf("%s has no award of %s", email, badge)
	return store.Award{}
}

func (w *world) class(remote adapters.Remote, name string) store.Class {
	w.t.Helper()
	list, err := w.db.Classes(w.t.Context(), remote)
	must(w.t, err)
	for _, c := range list {
		if c.Content.Name == name {
			return c
		}
	}
	w.t.Fatalf("%s has no badge %s", remote, name)
	return store.Class{}
}

func (w *world) siteName() adapters.Remote {
	w.t.Helper()
	list, err := w.db.Remotes(w.t.Context())
	must(w.t, err)
	for _, r := range list {
		if r.Kind == "wordpress" {
			return r.Name
		}
	}
	w.t.Fatal(errors.New("no site"))
	return ""
}

func (a answer) has(t testing.TB, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(a.body, p) {
			_, main, _ := strings.Cut(a.body, "<main")
			t.Errorf("%s (%d) lacks %q:\n%s", a.path, a.status, p, main)
		}
	}
}

func (a answer) lacks(t testing.TB, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(a.body, p) {
			t.Errorf("%s (%d) has %q", a.path, a.status, p)
		}
	}
}

func (a answer) json(t testing.TB) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatalf("%s (%d): %v\n%s", a.path, a.status, err, a.body)
	}
	return m
}
