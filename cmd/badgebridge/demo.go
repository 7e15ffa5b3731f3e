package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"badgebridge/adapters"
	"badgebridge/internal/secret"
	"badgebridge/openbadges"
	"badgebridge/sandbox/college"
	simcredly "badgebridge/sandbox/credly"
	"badgebridge/sandbox/demo"
	"badgebridge/sandbox/site"
	"badgebridge/store"
	"badgebridge/sync/engine"

	"badgebridge/config"
)

// The demo's pairing: of a simulated site on this machine with a gateway on
// this machine, and good for nothing else.
const (
	demoKeyID   = "demo-key"
	demoSecret  = "demo-secret-of-a-simulated-site"
	demoWebhook = "demo-webhook-of-a-simulated-site"
	demoSite    = adapters.Remote("site")
	demoCredly  = adapters.Remote("credly")
)

// sandboxes are the simulated systems of the demo.
type sandboxes struct {
	site       *site.Site
	credly     *simcredly.Sim
	college    *college.College
	siteURL    string
	credlyURL  string
	collegeURL string
	servers    []*http.Server
}

func (s *sandboxes) close() {
	end, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, srv := range s.servers {
		_ = srv.Shutdown(end)
	}
	if s.site != nil {
		s.site.Close()
	}
	if s.credly != nil {
		_ = s.credly.Close()
	}
}

// hosts are the simulators' host:port pairs.
func (s *sandboxes) hosts() []string {
	return []string{strings.TrimPrefix(s.siteURL, "http://"), strings.TrimPrefix(s.credlyURL, "http://"), strings.TrimPrefix(s.collegeURL, "http://")}
}

// demoConfig turns a configuration into the demo's: its own data folder,
// loopback only.
func demoConfig(cfg config.Config) (config.Config, error) {
	cfg.Demo = true
	if cfg.DataDir == config.Defaults().DataDir {
		cfg.DataDir = "./data-demo"
	}
	if cfg.MasterKeyFile == filepath.Join(config.Defaults().DataDir, "master.key") {
		cfg.MasterKeyFile = filepath.Join(cfg.DataDir, "master.key")
	}
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return cfg, fmt.Errorf("listen: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return cfg, fmt.Errorf("listen: %q: the demo answers on loopback only; write localhost:%s", cfg.Listen, port)
	}
	if cfg.BaseURL == "" {
		cfg.BaseURL = "http://localhost:" + port
	}
	for _, p := range demo.People() {
		if slices.Contains(p.Roles, "administrator") {
			cfg.AdminEmails = append(cfg.AdminEmails, p.Email) // also by a code from the mailbox
		}
	}
	cfg.PullEvery = min(cfg.PullEvery, 15*time.Second)
	return cfg, nil
}

// listenLoopback takes the port, or any free one when it is taken.
func listenLoopback(port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	return l, err
}

// startSandboxes starts the simulated site, the simulated Credly and another
// issuer on the three ports after the gateway's.
func startSandboxes(cfg config.Config) (s *sandboxes, err error) {
	s = &sandboxes{}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	_, text, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return s, err
	}
	port, err := strconv.Atoi(text)
	if err != nil || port == 0 {
		port = 8080
	}
	siteL, err := listenLoopback(port + 1)
	if err != nil {
		return s, fmt.Errorf("the simulated site: %w", err)
	}
	credlyL, err := listenLoopback(port + 2)
	if err != nil {
		return s, fmt.Errorf("the simulated Credly: %w", err)
	}
	collegeL, err := listenLoopback(port + 3)
	if err != nil {
		return s, fmt.Errorf("the other issuer: %w", err)
	}
	s.siteURL = fmt.Sprintf("http://localhost:%d", siteL.Addr().(*net.TCPAddr).Port)
	s.credlyURL = fmt.Sprintf("http://localhost:%d", credlyL.Addr().(*net.TCPAddr).Port)
	s.collegeURL = fmt.Sprintf("http://localhost:%d", collegeL.Addr().(*net.TCPAddr).Port)
	now := time.Now()
	s.college, err = college.New(college.Config{
		BaseURL: s.collegeURL, Name: demo.College, Badges: demo.Elsewhere(), StateFile: filepath.Join(cfg.DataDir, "demo-college.json"), Now: now,
	})
	if err != nil {
		return s, fmt.Errorf("the other issuer: %w", err)
	}
	s.site, err = site.New(site.Config{
		BaseURL: s.siteURL, Name: demo.Association, Timezone: "Europe/Berlin", GatewayURL: cfg.BaseURL,
		Pairing:      &site.Pairing{Remote: string(demoSite), KeyID: demoKeyID, Secret: demoSecret, WebhookURL: cfg.BaseURL + demoWebhookPath()},
		RedirectURIs: []string{cfg.BaseURL + "/login/callback/" + string(demoSite)}, LogoutURIs: []string{cfg.BaseURL + "/"},
		StateFile: filepath.Join(cfg.DataDir, "demo-site.json"), Seed: demo.SiteSeed(now),
	})
	if err != nil {
		return s, fmt.Errorf("the simulated site: %w", err)
	}
	s.credly, err = simcredly.New(simcredly.Config{BaseURL: s.credlyURL, StateFile: filepath.Join(cfg.DataDir, "demo-credly.json")})
	if err != nil {
		return s, fmt.Errorf("the simulated Credly: %w", err)
	}
	if err = s.credly.Seed(credlySeed(cfg.BaseURL)); err != nil {
		return s, fmt.Errorf("the simulated Credly: %w", err)
	}
	for _, one := range []struct {
		l net.Listener
		h http.Handler
	}{{siteL, s.site}, {credlyL, s.credly}, {collegeL, s.college}} {
		srv := &http.Server{Handler: one.h, ReadHeaderTimeout: 10 * time.Second}
		s.servers = append(s.servers, srv)
		go func() { _ = srv.Serve(one.l) }()
	}
	return s, nil
}

func demoWebhookPath() string { return "/webhooks/" + string(demoSite) + "/" + demoWebhook }

// credlySeed is the demo association at Credly: its templates bear the names of
// its badges.
func credlySeed(baseURL string) simcredly.Seed {
	seed := simcredly.Seed{
		Orgs: []simcredly.Org{{ID: simcredly.DemoOrg, Name: demo.Association, Slug: "example-association", WebsiteURL: demo.AssociationURL,
			ContactEmail: demo.AssociationEmail, WebhookURL: baseURL + "/webhooks/" + string(demoCredly) + "/" + demoWebhook + "-credly"}},
		Tokens: []simcredly.Token{{OrgID: simcredly.DemoOrg, ID: "5f0b8c9e-1c5e-4d64-9b0e-0d1f3a6c7e02", Token: simcredly.DemoToken,
			Description: "demo", Read: true, Write: true, Delete: true}},
	}
	for i, b := range demo.Badges() {
		if b.Template == "" {
			continue
		}
		slug := strings.ReplaceAll(strings.ToLower(b.Template), " ", "-")
		seed.Templates = append(seed.Templates, simcredly.Template{
			ID: fmt.Sprintf("0a7e1b52-6f3d-4c28-8a51-9d2e4b6c8f%02x", i), ImageID: fmt.Sprintf("3c9d5e70-2b4a-4f16-b8d3-7e1a0c5f92%02x", i), OrgID: simcredly.DemoOrg,
			Name: b.Template, Description: b.Description, State: "active", Skills: b.Skills, GlobalURL: demo.AssociationURL + "/badges/" + slug,
			Activities: []simcredly.Activity{{Type: "Course", Title: b.Criteria, URL: demo.AssociationURL + "/courses/" + slug}},
		})
	}
	return seed
}

// demoProvider is the simulated site as the sign-in of the demo, by the ordinary
// code path.
func demoProvider(s *sandboxes) config.Provider {
	return config.Provider{
		Name: string(demoSite), Title: demo.Association, Issuer: s.site.Issuer(), ClientID: demoKeyID, ClientSecret: secret.New(demoSecret),
		RolesClaim: "roles", AdminRoles: []string{"administrator"}, EmailAuthoritative: true,
	}
}

// prepareDemo connects the simulated systems, maps the badges and plays the
// first act: one member has a badge at Credly, another one's waits for a name, a
// third brought badges from elsewhere and shows some.
// On a restart it changes nothing that is there.
func prepareDemo(ctx context.Context, a *app, s *sandboxes) error {
	if _, err := a.db.OwnIssuer(ctx); errors.Is(err, store.ErrNotFound) {
		_, err = a.db.PutIssuer(ctx, store.Issuer{Own: true, Profile: openbadges.Profile{
			Name: demo.Association, URL: demo.AssociationURL, Email: demo.AssociationEmail, Description: "A demo association that exists only on this machine.",
		}})
		if err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	uuid, home := s.site.Identity()
	for _, r := range []struct {
		name    adapters.Remote
		kind    string
		title   string
		webhook string
		config  map[string]any
	}{
		{demoSite, "wordpress", demo.Association + " (simulated site)", demoWebhook, map[string]any{
			"rest_url": s.siteURL + "/wp-json", "site_uuid": uuid, "home_url": home, "key_id": demoKeyID, "secret": demoSecret, "webhook_path": demoWebhookPath(), "oidc_issuer": s.site.Issuer()}},
		{demoCredly, "credly", "Credly (simulated)", demoWebhook + "-credly", map[string]any{
			"base_url": s.credlyURL + "/v1", "organization_id": simcredly.DemoOrg, "token": simcredly.DemoToken, "settle": "2s"}},
	} {
		raw, err := json.Marshal(r.config)
		if err != nil {
			return err
		}
		if _, err := a.engine.AddRemote(ctx, r.name, r.kind, r.title, raw, r.webhook); err != nil {
			return err
		}
		if run, err := a.engine.Sync(ctx, r.name, engine.SyncOptions{Cause: "command"}); err != nil {
			return fmt.Errorf("first sync of %s: %w", r.name, err)
		} else if run.State != store.RunDone {
			return fmt.Errorf("first sync of %s: %s", r.name, run.Message)
		}
	}
	if existing, err := a.db.Mappings(ctx); err != nil || len(existing) > 0 {
		return err
	}
	if err := mapDemo(ctx, a); err != nil {
		return err
	}
	for _, m := range []struct{ email, badge string }{{"emre@example.org", "Mentor"}, {"bo@example.org", "Open Practice"}} {
		if err := playClaim(ctx, a, s, m.email, m.badge); err != nil {
			return fmt.Errorf("the demo's first act: %w", err)
		}
	}
	if err := playEarner(ctx, a, s); err != nil {
		return fmt.Errorf("the demo's first act: %w", err)
	}
	return nil
}

// mapDemo joins the site's badges with the templates of the same name.
func mapDemo(ctx context.Context, a *app) error {
	here, err := a.db.Classes(ctx, demoSite)
	if err != nil {
		return err
	}
	there, err := a.db.Classes(ctx, demoCredly)
	if err != nil {
		return err
	}
	for _, h := range here {
		for _, t := range there {
			if h.Content.Name != t.Content.Name {
				continue
			}
			_, err := a.engine.PutMapping(ctx, store.Mapping{ClassA: h.ID, ClassB: t.ID, AToB: store.OnClaim, BToA: store.AtOnce, RevokeAB: true, RevokeBA: true})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// playClaim has a demo member claim a badge, which the site awards first where
// they lack it.
func playClaim(ctx context.Context, a *app, s *sandboxes, email, badge string) error {
	var member site.Member
	for _, m := range s.site.Members() {
		if m.Email == email {
			member = m
		}
	}
	held := false
	for _, h := range s.site.Awards() {
		held = held || (h.Badge.Title == badge && h.Member != nil && h.Member.ID == member.ID)
	}
	if !held {
		for _, b := range s.site.Badges() {
			if b.Title != badge {
				continue
			}
			if _, err := s.site.Award(b.ID, member.ID, "Awarded by an administrator"); err != nil {
				return err
			}
		}
		if _, err := a.engine.Sync(ctx, demoSite, engine.SyncOptions{Cause: "command"}); err != nil {
			return err
		}
	}
	personID, err := enrol(ctx, a, s, email)
	if err != nil {
		return err
	}
	return claimAs(ctx, a, personID, badge)
}

// enrol makes the account that a member's first sign-in makes, and gives it what
// waits for their address.
func enrol(ctx context.Context, a *app, s *sandboxes, email string) (personID string, err error) {
	members := s.site.Members()
	i := slices.IndexFunc(members, func(m site.Member) bool { return m.Email == email })
	if i < 0 {
		return "", fmt.Errorf("the site has no member %s", email)
	}
	member := members[i]
	uuid, _ := s.site.Identity()
	err = a.db.InTx(ctx, func(tx store.Tx) error {
		p, err := tx.CreatePerson(ctx, store.Person{GivenName: member.GivenName, FamilyName: member.FamilyName, Locale: "en"})
		if err != nil {
			return err
		}
		personID = p.ID
		if err := tx.PutSignIn(ctx, store.SignIn{Issuer: s.site.Issuer(), Subject: uuid + ":" + strconv.FormatInt(member.ID, 10), PersonID: p.ID, Provider: string(demoSite), Roles: member.Roles, LastAt: store.Moment(time.Now())}); err != nil {
			return err
		}
		return tx.AddIdentifier(ctx, store.Identifier{Type: openbadges.IdentityEmail, Value: email, PersonID: p.ID, ProvenBy: "provider:" + string(demoSite), ProvenAt: store.Moment(time.Now())})
	})
	if err != nil {
		return "", err
	}
	return personID, a.engine.Adopt(ctx, personID, email)
}

// claimAs claims the person's badge of the site by its name.
func claimAs(ctx context.Context, a *app, personID, badge string) error {
	awards, err := a.db.AwardsOf(ctx, personID, 100)
	if err != nil {
		return err
	}
	for _, award := range awards {
		c, err := a.db.Class(ctx, award.ClassID)
		if err != nil {
			return err
		}
		if c.Content.Name == badge && award.Origin == demoSite {
			return a.engine.Claim(ctx, award.ID, personID)
		}
	}
	return fmt.Errorf("nobody awarded them %q", badge)
}
