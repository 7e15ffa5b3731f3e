package credly

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// Serve makes a simulator of cfg, puts seed in first and serves it on l until ctx
// ends. It fails when cfg.StateFile can't be read. Give DemoSeed or nothing.
func Serve(ctx context.Context, cfg Config, seed Seed, l net.Listener) error {
	s, err := New(cfg)
	if err != nil {
		return err
	}
	if err := s.Seed(seed); err != nil {
		return err
	}
	return s.Serve(ctx, l)
}

// Serve answers on l until ctx ends, and sends webhooks again when they become
// due.
func (s *Sim) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	stop := make(chan struct{})
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.kick()
			case <-stop:
				return
			}
		}
	}()
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		short, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		err = srv.Shutdown(short)
		cancel()
	}
	close(stop)
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, s.Close())
}

// The demo organization, its token and the others of DemoCredentials, which open
// nothing but a simulator.
const (
	DemoOrg          = "5f0b8c9e-1c5e-4d64-9b0e-0d1f3a6c7e01"
	DemoToken        = "demo-token-for-the-simulator-only"
	DemoReadToken    = "demo-token-that-may-only-read"
	DemoExpiredToken = "demo-token-that-has-expired"
	DemoForeignToken = "demo-token-of-the-other-environment"
	DemoApp          = "demo-application"
	DemoAppSecret    = "demo-secret-for-the-simulator-only"
)

// DemoCredentials are tokens that can do less than DemoToken, each in its way,
// and an OAuth application. sandbox is that of the Config.
func DemoCredentials(sandbox bool) Seed {
	long := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	token := func(name, text string) Token {
		return Token{ID: derivedID(name), OrgID: DemoOrg, Token: name, Description: text, Read: true, Write: true, Delete: true, Sandbox: sandbox}
	}
	whole, read, expired, foreign := token(DemoToken, "demo"), token(DemoReadToken, "read only"), token(DemoExpiredToken, "expired"), token(DemoForeignToken, "other environment")
	read.Write, read.Delete = false, false
	expired.CreatedAt = long
	foreign.Sandbox = !sandbox
	return Seed{
		Tokens: []Token{whole, read, expired, foreign},
		Apps:   []App{{UID: DemoApp, Secret: DemoAppSecret, OrgID: DemoOrg, Name: "Demo", Sandbox: sandbox}},
	}
}

// DemoSeed is a small association: one organization, a token that may do
// everything, and templates of which one is a draft and one archived.
func DemoSeed() Seed {
	t := func(n, name, text, state string, skills ...string) Template {
		return Template{
			ID: "0a7e1b52-6f3d-4c28-8a51-9d2e4b6c8f" + n, ImageID: "3c9d5e70-2b4a-4f16-b8d3-7e1a0c5f92" + n, OrgID: DemoOrg,
			Name: name, Description: text, State: state, Skills: skills,
			Activities: []Activity{{Type: "Course", Title: name, URL: "https://campus.example.org/courses/" + slug(name)}},
			GlobalURL:  "https://campus.example.org/badges/" + slug(name),
		}
	}
	return Seed{
		Orgs: []Org{{
			ID: DemoOrg, Name: "Demo Association of Facilitators", WebsiteURL: "https://campus.example.org",
			ContactEmail: "badges@campus.example.org", Bio: "A demo association that exists only on this machine.",
		}},
		Tokens: []Token{{ID: "5f0b8c9e-1c5e-4d64-9b0e-0d1f3a6c7e02", OrgID: DemoOrg, Token: DemoToken, Description: "demo", Read: true, Write: true, Delete: true}},
		Templates: []Template{
			t("01", "Workshop Facilitator", "Has led a workshop from the first idea to the last note on the wall.", "active", "Facilitation", "Planning", "Listening"),
			t("02", "Mentor", "Has stood by a newer member for a whole season.", "active", "Mentoring", "Feedback", "Patience"),
			t("03", "Open Data Steward", "Publishes data that others can use.", "active", "Open data", "Documentation", "Privacy"),
			t("04", "Accessible Events", "Runs events where everybody can take part.", "active", "Accessibility", "Event planning", "Inclusion"),
			t("05", "Community Translator", "Has carried our materials into another language.", "active", "Translation", "Editing", "Terminology"),
			t("06", "Grant Writer", "Still being drawn up.", "draft", "Writing", "Budgets", "Research"),
			t("07", "Founding Member", "Was there at the start. No longer given.", "archived", "Community"),
		},
	}
}
