package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"badgebridge/adapters"
	"badgebridge/adapters/builtin"
	"badgebridge/auth/access"
	"badgebridge/auth/login"
	"badgebridge/auth/session"
	"badgebridge/auth/setup"
	"badgebridge/config"
	"badgebridge/internal/httpx"
	"badgebridge/internal/mail"
	"badgebridge/internal/obs"
	"badgebridge/internal/secret"
	"badgebridge/openbadges"
	"badgebridge/store/cache"
	"badgebridge/store/jobs"
	"badgebridge/store/sqlstore"
	"badgebridge/sync/backpack"
	"badgebridge/sync/connections"
	"badgebridge/sync/engine"
	"badgebridge/web"
	"badgebridge/web/mails"
)

// app is the whole gateway, wired: this file is the only place that knows every
// package.
type app struct {
	cfg      config.Config
	log      *slog.Logger
	keyring  *secret.Keyring
	db       *sqlstore.DB
	jobs     *jobs.Queue
	cache    *cache.Cache
	setup    *setup.Setup
	engine   *engine.Engine
	backpack *backpack.Backpack
	// connections sends people's badges to other backpacks.
	connections *connections.Connections
	login       *login.Login
	access      *access.Access
	sessions    *session.Sessions
	mailbox     *mail.Mailbox // demo only
	demoHosts   []string      // demo only: the simulators' host:port
	web         *web.Server
	closers     []func()
}

// close undoes what open and wire did, last first.
func (a *app) close() {
	for i := len(a.closers) - 1; i >= 0; i-- {
		a.closers[i]()
	}
	a.closers = nil
}

// databaseURL is the configured database, or SQLite in the data folder.
func databaseURL(cfg config.Config) string {
	if cfg.DatabaseURL != "" {
		return cfg.DatabaseURL
	}
	return "sqlite:" + filepath.Join(cfg.DataDir, "badgebridge.db")
}

// open makes what every command needs: log, keys, store, engine.
func open(ctx context.Context, cfg config.Config, logTo *os.File) (a *app, err error) {
	a = &app{cfg: cfg}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	if a.log, err = obs.NewLogger(logTo, cfg.LogLevel, cfg.LogFormat); err != nil {
		return a, err
	}
	if a.keyring, err = secret.LoadOrCreate(cfg.MasterKeyFile); err != nil {
		return a, fmt.Errorf("master_key_file: %w", err)
	}
	if a.db, err = sqlstore.Open(ctx, databaseURL(cfg), sqlstore.Options{Components: []sqlstore.Component{jobs.Schema()}}); err != nil {
		return a, fmt.Errorf("database: %w", err)
	}
	a.closers = append(a.closers, func() {
		if err := a.db.Close(); err != nil {
			a.log.Warn("database not closed", "error", err)
		}
	})
	if a.setup, err = setup.New(setup.Config{
		Store: a.db, Keyring: a.keyring, Now: time.Now, BaseURL: cfg.BaseURL, AllowHTTPLoopback: cfg.AllowHTTP || cfg.Demo,
	}); err != nil {
		return a, err
	}
	a.engine = engine.New(engine.Config{
		Store: a.db, Drivers: builtin.Drivers(), Keyring: a.keyring, Client: a.client(), Fetch: a.fetchImage(),
		Now: time.Now, Log: a.log, Owner: owner(), BaseURL: a.setup.BaseURL,
		PullEvery: cfg.PullEvery, ListEvery: cfg.ListEvery, CallTimeout: cfg.CallTimeout,
		Progress: a.progress, Changed: a.changed,
	})
	if a.jobs, err = jobs.New(a.db, jobs.Config{Workers: a.workers(), Logger: a.log}); err != nil {
		return a, fmt.Errorf("background jobs: %w", err)
	}
	a.db.SetEnqueuer(a.jobs)
	return a, a.declare(ctx)
}

// owner names this process in leases.
func owner() string {
	var b [6]byte
	_, _ = rand.Read(b[:])
	host, err := os.Hostname()
	if err != nil {
		host = "gateway"
	}
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), hex.EncodeToString(b[:]))
}

// client makes the HTTP client of one remote, and keeps it: limits and circuit
// belong to the remote, not to one adapter value.
func (a *app) client() func(adapters.Remote, []string) *http.Client {
	return func(_ adapters.Remote, hosts []string) *http.Client {
		c := httpx.RemoteConfig{
			Config:    httpx.Config{Version: version(), Timeout: a.cfg.CallTimeout},
			PerSecond: a.cfg.CallsPerSecond, Burst: max(10, int(2*a.cfg.CallsPerSecond)),
		}
		if a.cfg.Demo {
			c.PerSecond = -1 // the simulators are on this machine
		}
		return httpx.ForRemote(hosts, c)
	}
}

// maxImage bounds a badge image.
const maxImage = 4 << 20

// fetchImage reads images that remotes name: their own hosts may be private,
// any other goes through the guard.
func (a *app) fetchImage() func(context.Context, adapters.Remote, []string, string) ([]byte, string, error) {
	return func(ctx context.Context, _ adapters.Remote, hosts []string, url string) ([]byte, string, error) {
		client := httpx.ForRemote(hosts, httpx.RemoteConfig{Config: httpx.Config{Version: version(), MaxBody: maxImage}})
		res, err := httpx.Fetch(ctx, client, url, "image/png, image/svg+xml, image/jpeg;q=0.5", maxImage)
		if err != nil {
			return nil, "", err
		}
		if res.Status != http.StatusOK {
			return nil, "", fmt.Errorf("the image's address answered %d", res.Status)
		}
		kind := imageType(res.Body)
		if kind == "" {
			return nil, "", fmt.Errorf("what is at the image's address is no PNG, SVG or JPEG")
		}
		return res.Body, kind, nil
	}
}

// imageType tells what the bytes are, whatever the server said.
func imageType(b []byte) string {
	switch kind := http.DetectContentType(b); kind {
	case "image/png", "image/jpeg":
		return kind
	}
	if head := strings.ToLower(string(b[:min(len(b), 1024)])); strings.Contains(head, "<svg") {
		return "image/svg+xml"
	}
	return ""
}

// declare stores the remotes that the configuration file names.
func (a *app) declare(ctx context.Context) error {
	for i, r := range a.cfg.Remotes {
		raw, err := json.Marshal(r.Config)
		if err != nil {
			return fmt.Errorf("remotes[%d].config: %w", i, err)
		}
		title := r.Title
		if title == "" {
			title = r.Name
		}
		if _, err := a.engine.DeclareRemote(ctx, adapters.Remote(r.Name), r.Kind, title, raw, r.WebhookSecret.Reveal()); err != nil {
			return fmt.Errorf("remotes[%d]: %w", i, err)
		}
	}
	return nil
}

// workers are the background jobs by kind.
func (a *app) workers() map[string]jobs.Work {
	w := map[string]jobs.Work{
		engine.JobAttested: a.attested,
		// The backpack is wired after the queue, and before it is started.
		backpack.JobCollect: func(ctx context.Context, args []byte) error { return a.backpack.CollectFile(ctx, args) },
		engine.JobPlan: func(ctx context.Context, args []byte) error {
			var in struct {
				MappingID string `json:"mapping_id"`
			}
			if err := json.Unmarshal(args, &in); err != nil {
				return err
			}
			return a.engine.PlanMapping(ctx, in.MappingID)
		},
	}
	for kind, f := range mails.New(mails.Config{Store: a.db, Keyring: a.keyring, Sender: a.sender(), BaseURL: a.setup.BaseURL, Admins: a.adminAddresses, Log: a.log}).Workers() {
		w[kind] = f
	}
	return w
}

// adminAddresses are those that the configuration and the set-up name.
func (a *app) adminAddresses(ctx context.Context) ([]string, error) {
	named, err := access.Admins(ctx, a.db)
	if err != nil {
		return nil, err
	}
	all := append(slices.Clone(a.cfg.AdminEmails), named...)
	for i, address := range all {
		all[i] = openbadges.NormalizeEmail(address)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// sender sends mail: into the mailbox in the demo, else by SMTP as configured or
// as the set-up says.
func (a *app) sender() mail.Sender {
	if a.cfg.Demo {
		a.mailbox = mail.NewMailbox(time.Now)
		return a.mailbox
	}
	return &mail.Switch{Settings: func(ctx context.Context) (mail.SMTP, bool, error) {
		if s := a.cfg.SMTP; s.Host != "" {
			return mail.SMTP{Host: s.Host, Port: s.Port, User: s.User, Password: s.Password, From: s.From, TLS: s.TLS}, true, nil
		}
		return a.setup.Mail(ctx)
	}}
}

func (a *app) progress(p engine.Progress) {
	if a.cache != nil {
		a.cache.PutProgress(context.Background(), p.Run, cache.Progress{Phase: p.Kind, Seen: p.Seen, New: p.New, At: time.Now()})
	}
}

func (a *app) changed(awardID string) {
	if a.web != nil {
		a.web.Changed(awardID)
	}
	if a.connections != nil {
		a.connections.Changed(awardID)
	}
}
