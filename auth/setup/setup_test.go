package setup_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"image"
	"image/gif"
	"image/png"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"badgebridge/auth/access"
	"badgebridge/auth/setup"
	"badgebridge/internal/mail"
	"badgebridge/internal/secret"
	"badgebridge/internal/testenv/database"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
)

type world struct {
	*setup.Setup
	db  *sqlstore.DB
	cfg setup.Config
	t   time.Time
}

func newWorld(t *testing.T, more ...func(*setup.Config)) *world {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), database.SQLite(t), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	key := make([]byte, secret.KeySize)
	_, _ = rand.Read(key)
	ring, err := secret.NewKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{db: db, t: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
	w.cfg = setup.Config{Store: db, Keyring: ring, Now: func() time.Time { return w.t }}
	for _, f := range more {
		f(&w.cfg)
	}
	if w.Setup, err = setup.New(w.cfg); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) link(t *testing.T) string {
	t.Helper()
	token, err := w.NewLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func logo(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func goodForm(t *testing.T) setup.Form {
	return setup.Form{
		BaseURL: "https://Badges.Example.org:443/", IssuerName: " Campus  Association", IssuerURL: "https://example.org",
		IssuerEmail: "Badges@example.org", Logo: logo(t), LogoType: "text/html", AdminEmail: "First@Example.org", GivenName: "First", FamilyName: "Admin",
		SMTP: &mail.SMTP{Host: "mail.example.org", User: "u", Password: secret.New("very-secret"), From: "Campus <badges@example.org>"},
	}
}

func TestACompleteSetUpSaysAllThatIsNeeded(t *testing.T) {
	w := newWorld(t)
	if st, err := w.Status(t.Context()); err != nil || st.Done || st.HasBaseURL || st.HasIssuer || st.HasAdmin || st.HasMail || w.BaseURL(t.Context()) != "" {
		t.Fatalf("%+v, %v", st, err)
	}
	token := w.link(t)
	if len(token) < 43 {
		t.Errorf("the token has %d characters", len(token))
	}
	res, err := w.Complete(t.Context(), token, goodForm(t))
	if err != nil || res.PersonID == "" || res.BaseURL != "https://badges.example.org" {
		t.Fatalf("%+v, %v", res, err)
	}
	if w.BaseURL(t.Context()) != "https://badges.example.org" {
		t.Errorf("%q", w.BaseURL(t.Context()))
	}
	i, err := w.db.OwnIssuer(t.Context())
	if err != nil || !i.Own || i.Profile.Name != "Campus Association" || i.Profile.Email != "badges@example.org" || i.ImageSHA == "" {
		t.Errorf("%+v, %v", i, err)
	}
	if d, err := w.db.Document(t.Context(), i.ImageSHA); err != nil || d.MediaType != "image/png" {
		t.Errorf("the logo is %q, %v", d.MediaType, err)
	}
	role, err := access.New(access.Config{Store: w.db}).Role(t.Context(), res.PersonID)
	if err != nil || role != access.Admin {
		t.Errorf("the first admin is a %v, %v", role, err)
	}
	if id, err := w.db.Identifier(t.Context(), openbadges.IdentityEmail, "first@example.org"); err != nil || id.PersonID != res.PersonID || id.ProvenBy != "setup" {
		t.Errorf("%+v, %v", id, err)
	}
	m, ok, err := w.Mail(t.Context())
	if err != nil || !ok || m.Password.Reveal() != "very-secret" || m.Host != "mail.example.org" {
		t.Errorf("%+v, %v", m, err)
	}
	kept, _ := w.db.Setting(t.Context(), "smtp")
	if strings.Contains(kept, "very-secret") || !strings.HasPrefix(kept, "v1.") {
		t.Error("the mail account is kept in clear")
	}
	if st, err := w.Status(t.Context()); err != nil || !st.Done || !st.HasBaseURL || !st.HasIssuer || !st.HasAdmin || !st.HasMail || !st.LinkUntil.IsZero() {
		t.Errorf("%+v, %v", st, err)
	}
	if _, err := w.Complete(t.Context(), token, goodForm(t)); !errors.Is(err, setup.ErrLink) {
		t.Errorf("the link is good twice: %v", err)
	}
}

// inStep lets transactions begin only when n of them are about to: all have read
// what was there before by then.
type inStep struct {
	store.Store
	n int

	mu    sync.Mutex
	here  int
	round chan struct{}
}

func (s *inStep) InTx(ctx context.Context, f func(store.Tx) error) error {
	s.mu.Lock()
	s.here++
	round := s.round
	if s.here == s.n {
		s.here, s.round = 0, make(chan struct{})
		close(round)
	}
	s.mu.Unlock()
	<-round
	return s.Store.InTx(ctx, f)
}

func TestOfTwoBrowsersWithTheLinkOneMakesTheAdmin(t *testing.T) {
	const browsers = 3
	w := newWorld(t, func(c *setup.Config) { c.Store = &inStep{Store: c.Store, n: browsers, round: make(chan struct{})} })
	token := w.link(t)
	errs := make(chan error, browsers)
	for i := range cap(errs) {
		go func() {
			f := goodForm(t)
			f.AdminEmail = string(rune('a'+i)) + "@example.org"
			_, err := w.Complete(t.Context(), token, f)
			errs <- err
		}()
	}
	good := 0
	for range cap(errs) {
		switch err := <-errs; {
		case err == nil:
			good++
		case !errors.Is(err, setup.ErrLink):
			t.Error(err)
		}
	}
	if people, _ := w.db.Persons(t.Context(), "", 10); good != 1 || len(people) != 1 {
		t.Errorf("%d were let in, %d people", good, len(people))
	}
}

func TestOnlyTheLinkOpensTheSetUp(t *testing.T) {
	w := newWorld(t)
	refused := func(token, what string) {
		t.Helper()
		if _, err := w.Begin(t.Context(), token); !errors.Is(err, setup.ErrLink) {
			t.Errorf("%s: begin gives %v", what, err)
		}
		if _, err := w.Complete(t.Context(), token, goodForm(t)); !errors.Is(err, setup.ErrLink) {
			t.Errorf("%s: complete gives %v", what, err)
		}
		if _, err := w.db.OwnIssuer(t.Context()); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: something was stored", what)
		}
	}
	refused("", "no link is out, no token")
	first := w.link(t)
	refused("", "no token")
	refused("made-up", "a made-up token")
	second := w.link(t)
	refused(first, "an earlier link")
	kept, _ := w.db.Setting(t.Context(), "setup.link")
	if strings.Contains(kept, second) {
		t.Error("the store knows the token")
	}
	w.t = w.t.Add(setup.LinkLife)
	refused(second, "a link of yesterday")
	if _, err := w.Begin(t.Context(), w.link(t)); err != nil {
		t.Errorf("a new link: %v", err)
	}
}

func TestASetUpIsTakenUpAgainHalfWay(t *testing.T) {
	w := newWorld(t)
	token := w.link(t)
	f := goodForm(t)
	f.AdminEmail, f.SMTP.Host = "nobody", ""
	_, err := w.Complete(t.Context(), token, f)
	var fields setup.FieldErrors
	if !errors.As(err, &fields) {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(fields)); !slices.Equal(got, []string{"admin_email", "smtp_host"}) {
		t.Fatalf("%q", got)
	}
	if st, _ := w.Status(t.Context()); st.Done || !st.HasIssuer || !st.HasBaseURL || st.HasAdmin || st.HasMail || st.LinkUntil.IsZero() {
		t.Errorf("%+v", st)
	}
	if people, _ := w.db.Persons(t.Context(), "", 10); len(people) != 0 {
		t.Error("an account was made")
	}
	// The machine was restarted in between.
	again, err := setup.New(w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	g, err := again.Begin(t.Context(), token)
	if err != nil || g.BaseURL != "https://badges.example.org" || g.IssuerName != "Campus Association" {
		t.Fatalf("%+v, %v", g, err)
	}
	g.AdminEmail = "first@example.org"
	if _, err := again.Complete(t.Context(), token, g); err != nil {
		t.Fatal(err)
	}
	if i, _ := w.db.OwnIssuer(t.Context()); i.ImageSHA == "" {
		t.Error("the logo of the first time is gone")
	}
}

func TestFieldsThatCannotBeUsed(t *testing.T) {
	var notAnImage bytes.Buffer
	if err := gif.Encode(&notAnImage, image.NewRGBA(image.Rect(0, 0, 2, 2)), nil); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		do    func(f *setup.Form)
		field string
		key   string
	}{
		"no address":              {func(f *setup.Form) { f.BaseURL = "" }, "base_url", "required"},
		"http":                    {func(f *setup.Form) { f.BaseURL = "http://badges.example.org" }, "base_url", "base_url_https"},
		"http on loopback":        {func(f *setup.Form) { f.BaseURL = "http://localhost:8080" }, "base_url", "base_url_loopback"},
		"with a path":             {func(f *setup.Form) { f.BaseURL = "https://example.org/badges" }, "base_url", "base_url_bare"},
		"with a password":         {func(f *setup.Form) { f.BaseURL = "https://a:b@example.org" }, "base_url", "base_url_bare"},
		"a local name":            {func(f *setup.Form) { f.BaseURL = "https://intranet" }, "base_url", "base_url_public"},
		"no URL":                  {func(f *setup.Form) { f.BaseURL = "badges.example.org" }, "base_url", "not_a_url"},
		"no name":                 {func(f *setup.Form) { f.IssuerName = " " }, "issuer_name", "required"},
		"no site":                 {func(f *setup.Form) { f.IssuerURL = "" }, "issuer_url", "required"},
		"a site that is a script": {func(f *setup.Form) { f.IssuerURL = "javascript:alert(1)" }, "issuer_url", "not_a_url"},
		"no e-mail":               {func(f *setup.Form) { f.IssuerEmail = "x" }, "issuer_email", "not_an_address"},
		"a logo that is text":     {func(f *setup.Form) { f.Logo = []byte("<svg xmlns='http://www.w3.org/2000/svg'/>") }, "logo", "image_type"},
		"a logo that moves":       {func(f *setup.Form) { f.Logo = notAnImage.Bytes() }, "logo", "image_type"},
		"a large logo":            {func(f *setup.Form) { f.Logo = make([]byte, setup.MaxLogo+1) }, "logo", "image_too_large"},
		"no admin":                {func(f *setup.Form) { f.AdminEmail = "" }, "admin_email", "not_an_address"},
		"no mail server":          {func(f *setup.Form) { f.SMTP.Host = "a b" }, "smtp_host", "not_a_host"},
		"no port":                 {func(f *setup.Form) { f.SMTP.Port = 70000 }, "smtp_port", "not_a_port"},
		"mail in clear":           {func(f *setup.Form) { f.SMTP.TLS = mail.NoTLS }, "smtp_tls", "smtp_tls"},
		"no sender":               {func(f *setup.Form) { f.SMTP.From = "Campus" }, "smtp_from", "not_an_address"},
		"a user, no password":     {func(f *setup.Form) { f.SMTP.Password = secret.String{} }, "smtp_user", "smtp_user"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			f := goodForm(t)
			c.do(&f)
			_, err := w.Complete(t.Context(), w.link(t), f)
			var fields setup.FieldErrors
			if !errors.As(err, &fields) || len(fields) != 1 || fields[c.field].Key != c.key {
				t.Errorf("%v", err)
			}
			if err != nil && strings.Contains(err.Error(), "very-secret") {
				t.Error("the error shows the password")
			}
		})
	}
}

func TestTheConfigurationsAddressWins(t *testing.T) {
	w := newWorld(t, func(c *setup.Config) { c.BaseURL = "https://fixed.example.org/" })
	f := goodForm(t)
	f.BaseURL = "nonsense"
	res, err := w.Complete(t.Context(), w.link(t), f)
	if err != nil || res.BaseURL != "https://fixed.example.org" || w.BaseURL(t.Context()) != res.BaseURL {
		t.Errorf("%+v, %v", res, err)
	}
	cfg := w.cfg
	cfg.BaseURL = "http://badges.example.org"
	if _, err := setup.New(cfg); err == nil {
		t.Error("http in the configuration is accepted")
	}
	cfg.BaseURL, cfg.AllowHTTPLoopback = "http://localhost:8080", true
	if s, err := setup.New(cfg); err != nil || s.BaseURL(t.Context()) != "http://localhost:8080" {
		t.Errorf("%v", err)
	}
}

func TestTheAddressStaysOnceBadgesMayHaveBeenIssued(t *testing.T) {
	w := newWorld(t)
	if _, err := w.Complete(t.Context(), w.link(t), goodForm(t)); err != nil {
		t.Fatal(err)
	}
	f := goodForm(t)
	f.BaseURL = "https://other.example.org"
	_, err := w.Complete(t.Context(), w.link(t), f)
	var fields setup.FieldErrors
	if !errors.As(err, &fields) || fields["base_url"].Key != "base_url_fixed" {
		t.Errorf("%v", err)
	}
	if w.BaseURL(t.Context()) != "https://badges.example.org" {
		t.Error("it changed")
	}
}

func TestAStoredPasswordDoesNotTravelToAnotherServer(t *testing.T) {
	w := newWorld(t)
	m := *goodForm(t).SMTP
	if err := w.PutMail(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	m.Password, m.From = secret.String{}, "new@example.org"
	if err := w.PutMail(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := w.Mail(t.Context()); got.Password.Reveal() != "very-secret" || got.From != "new@example.org" {
		t.Errorf("%+v", got)
	}
	m.Host = "evil.example.org"
	if err := w.PutMail(t.Context(), m); !errors.Is(err, mail.ErrUser) {
		t.Errorf("%v", err)
	}
}

func TestAnotherReplicaSeesTheAddressSoon(t *testing.T) {
	w := newWorld(t)
	other, err := setup.New(w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if other.BaseURL(t.Context()) != "" {
		t.Fatal("there is an address")
	}
	if _, err := w.Complete(t.Context(), w.link(t), goodForm(t)); err != nil {
		t.Fatal(err)
	}
	if got := other.BaseURL(context.Background()); got != "https://badges.example.org" {
		t.Errorf("%q", got)
	}
}
