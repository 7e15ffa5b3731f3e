package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"badgebridge/adapters/builtin"
	"badgebridge/adapters/credly"
	"badgebridge/auth/access"
	"badgebridge/auth/login"
	"badgebridge/auth/session"
	"badgebridge/config"
	"badgebridge/internal/httpx"
	"badgebridge/openbadges"
	"badgebridge/openbadges/verify"
	"badgebridge/sandbox/demo"
	"badgebridge/store"
	"badgebridge/store/cache"
	"badgebridge/sync/archive"
	"badgebridge/sync/backpack"
	"badgebridge/sync/connections"
	"badgebridge/sync/notices"
	"badgebridge/web"
	"badgebridge/web/mails"
	companion "badgebridge/wordpress"
)

// wire adds what only a serving process needs: cache, sign-in, pages.
func (a *app) wire(ctx context.Context) (err error) {
	if a.cache, err = cache.Open(ctx, cache.Config{URL: a.cfg.RedisURL, Logger: a.log}); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	a.closers = append(a.closers, func() {
		if err := a.cache.Close(); err != nil {
			a.log.Warn("redis not closed", "error", err)
		}
	})
	if a.login, err = login.New(login.Config{
		Providers: providers(a.cfg.Providers), Store: a.db, Keyring: a.keyring, BaseURL: a.setup.BaseURL, Now: time.Now, Log: a.log,
		OnProven: a.proven, Allow: a.allowLogin, MaySignUp: a.maySignUp(), Merge: a.engine.Merge,
	}); err != nil {
		return fmt.Errorf("providers: %w", err)
	}
	roles := map[string][]string{}
	for _, p := range a.cfg.Providers {
		roles[p.Name] = p.AdminRoles
	}
	a.access = access.New(access.Config{Store: a.db, AdminEmails: a.cfg.AdminEmails, AdminRolesByProvider: roles, Now: time.Now})
	a.sessions = session.New(a.db, false, time.Now)
	a.sessions.SecureBy(func(ctx context.Context) bool { return strings.HasPrefix(a.setup.BaseURL(ctx), "https://") })
	a.backpack = backpack.New(backpack.Config{
		Store: a.db, Fetcher: verify.HTTP{Client: a.guarded()}, BaseURL: a.setup.BaseURL, Now: time.Now, Log: a.log, Changed: a.changed,
		Resolve: credly.AssertionURL, Again: backpack.Conditional{Client: a.guarded(), Memory: a.cache},
	})
	a.connections = connections.New(connections.Config{
		Store: a.db, Drivers: builtin.Drivers(), Keyring: a.keyring, Client: a.strange, BaseURL: a.setup.BaseURL, Now: time.Now, Log: a.log,
		CallTimeout: 2 * a.cfg.CallTimeout, // the other side reads the badge from its issuer meanwhile
	})
	cfg := web.Config{
		Archive: archive.New(archive.Config{Store: a.db, Backpack: a.backpack, Claim: a.engine.Claim, BaseURL: a.setup.BaseURL, Now: time.Now, Log: a.log}),
		Store:   a.db, Engine: a.engine, Backpack: a.backpack, Connections: a.connections, Sessions: a.sessions, Login: a.login, Access: a.access, Setup: a.setup, Cache: pageCache{a.cache},
		Disconnect: func(ctx context.Context, c store.Connection) error {
			_, err := a.connections.Disconnect(ctx, c.PersonID, c.ID)
			return err
		},
		BaseURL: a.setup.BaseURL, Fetcher: verify.HTTP{Client: a.guarded()}, Version: version(), TrustedProxies: a.cfg.TrustedProxies,
		SitePlugin:   sitePlugin,
		SitesChanged: a.offerSites, ReadStop: func(token string) (string, store.NoticeKind, error) { return mails.ReadStop(a.keyring, token) },
		KnownOnly: a.cfg.SignUp == "awarded", Readiness: a.ready, MetricsToken: a.cfg.MetricsToken.Reveal(), CredlyBaseURL: a.cfg.CredlyBaseURL, Log: a.log, Now: time.Now,
	}
	if a.cfg.Demo {
		cfg.Demo, cfg.Mailbox, cfg.Hue = true, a.mailbox, demo.Hue
		for _, p := range demo.People() {
			name := strings.TrimSpace(p.GivenName + " " + p.FamilyName)
			cfg.DemoPeople = append(cfg.DemoPeople, web.DemoPerson{Email: p.Email, Name: name, Hint: p.Story})
		}
	}
	a.web, err = web.New(cfg)
	return err
}

// guarded reaches what strangers name; in the demo also the simulators on this
// machine.
func (a *app) guarded() *http.Client {
	return httpx.Guarded(httpx.Config{Version: version(), AllowLoopback: a.loopback()})
}

// loopback are the hosts on this machine that are called although strangers name
// them.
func (a *app) loopback() []string {
	hosts := slices.Clone(a.cfg.LoopbackHosts)
	if a.cfg.Demo {
		hosts = append(hosts, a.demoHosts...)
	}
	return hosts
}

// strange makes the client for a backpack that a member named: it carries the
// member's own token there, and nowhere else.
func (a *app) strange(hosts []string) *http.Client {
	return httpx.ForRemote(hosts, httpx.RemoteConfig{
		Config:  httpx.Config{Version: version(), Timeout: time.Minute, HeaderTimeout: time.Minute, AllowLoopback: a.loopback()},
		Strange: true, PerSecond: 10, Burst: 20,
	})
}

// proven gives a person what was waiting for the proof of an address.
func (a *app) proven(ctx context.Context, personID, email string) error {
	if err := a.engine.Adopt(ctx, personID, email); err != nil {
		return err
	}
	// What they brought themselves is verified again, which asks others: that
	// their answers are late must not keep anybody from signing in.
	if _, err := a.backpack.Proven(ctx, personID); err != nil {
		a.log.WarnContext(ctx, "badges that waited for a proof", "person", personID, "error", err)
	}
	return nil
}

// tell makes the notices that have become due, now and then.
func (a *app) tell(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if n, err := notices.Ending(ctx, a.db, time.Now()); err != nil && ctx.Err() == nil {
			a.log.Warn("people not told of badges that end", "error", err)
		} else if n > 0 {
			a.log.Info("people told of badges that end", "badges", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// recheck verifies again, now and then, what people brought.
func (a *app) recheck(ctx context.Context) {
	tick := time.NewTicker(5 * time.Minute)
	defer tick.Stop()
	for {
		if n, changed, err := a.backpack.RecheckDue(ctx, 200); err != nil && ctx.Err() == nil {
			a.log.Warn("badges not checked again", "error", err)
		} else if n > 0 {
			a.log.Info("badges checked again", "badges", n, "changed", changed)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func providers(in []config.Provider) []login.Provider {
	out := make([]login.Provider, 0, len(in))
	for _, p := range in {
		out = append(out, login.Provider{
			Name: p.Name, Title: p.Title, Issuer: p.Issuer, ClientID: p.ClientID, ClientSecret: p.ClientSecret, Scopes: p.Scopes,
			RolesClaim: p.RolesClaim, AdminRoles: p.AdminRoles, EmailAuthoritative: p.EmailAuthoritative,
		})
	}
	return out
}

// maySignUp is who makes an account by a code, nil everybody.
func (a *app) maySignUp() func(context.Context, store.Tx, string) (bool, error) {
	if a.cfg.SignUp != "awarded" {
		return nil
	}
	return func(ctx context.Context, tx store.Tx, email string) (bool, error) {
		awards, err := tx.AwardsFor(ctx, email, 1)
		if err != nil || len(awards) > 0 {
			return err == nil, err
		}
		named, err := access.Admins(ctx, tx)
		for _, admin := range append(named, a.cfg.AdminEmails...) {
			if openbadges.NormalizeEmail(admin) == email {
				return true, nil
			}
		}
		return false, err
	}
}

// allowLogin bounds how often codes are asked for and tried.
func (a *app) allowLogin(ctx context.Context, bucket, key string) bool {
	perHour := map[string]int{"code-address": 6, "code-ip": 60, "try-ip": 120}[bucket]
	if perHour == 0 {
		perHour = 60
	}
	ok, _ := a.cache.Allow(ctx, "login/"+bucket+"/"+key, float64(perHour)/3600, perHour)
	return ok
}

// pageCache is the shared cache as the pages use it.
type pageCache struct{ c *cache.Cache }

// Allow implements web.Cache.
func (p pageCache) Allow(ctx context.Context, key string, limit int, period time.Duration) (bool, error) {
	ok, _ := p.c.Allow(ctx, "web/"+key, float64(limit)/period.Seconds(), limit)
	return ok, nil
}

// Progress implements web.Cache.
func (p pageCache) Progress(ctx context.Context, run string) (int, bool) {
	at, ok := p.c.Progress(ctx, run)
	return at.Seen, ok
}

// ready says how the parts that the gateway needs are.
func (a *app) ready(ctx context.Context) []web.Check {
	ask, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	db := web.Check{Name: "database", Status: "ok"}
	if err := a.db.Ping(ask); err != nil {
		db.Status, db.Message = "down", "The database does not answer."
	}
	redis := web.Check{Name: "redis", Status: "ok"}
	if bad, why := a.cache.Degraded(); bad {
		redis.Status, redis.Message = "degraded", why
	}
	remotes := web.Check{Name: "remotes", Status: "ok"}
	all, err := a.db.Remotes(ask)
	if err != nil {
		remotes.Status = "down"
	}
	var bad []string
	for _, r := range all {
		if r.Health == "failing" || r.Health == "unauthorized" {
			bad = append(bad, string(r.Name))
		}
	}
	if len(bad) > 0 {
		remotes.Status, remotes.Message = "degraded", "Not answering as they should: "+strings.Join(bad, ", ")+"."
	}
	return []web.Check{db, redis, remotes}
}

// sitePlugin is the plugin that this program carries.
func sitePlugin() (web.SitePlugin, error) {
	r, err := companion.NewRelease()
	return web.SitePlugin{
		Version: r.Version, Requires: r.Requires, RequiresPHP: r.RequiresPHP, Tested: r.Tested, SHA256: r.SHA256, Changelog: r.Changelog, Archive: r.Archive,
	}, err
}
