// Package setup is the first start: a one-time link leads to pages that ask for
// what a gateway has to know before it may issue anything: its public address,
// who issues, who administers, and how mail is sent. It also answers what was
// said there, ever after.
package setup

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"badgebridge/internal/mail"
	"badgebridge/internal/secret"
	"badgebridge/store"
)

// LinkLife is how long a set-up link is good, unless it is used before.
const LinkLife = 24 * time.Hour

// The settings that the set-up writes.
const (
	settingLink    = "setup.link" // JSON of link
	settingDone    = "setup.done" // when, RFC 3339
	settingBaseURL = "base_url"
	settingSMTP    = "smtp" // sealed JSON of smtpSetting
	sealSMTP       = "settings/smtp"

	// baseURLFresh is how long another replica may still use an older address.
	baseURLFresh = 5 * time.Second
)

// ErrLink: the link is wrong, used, or older than a day. `badgebridge setup`
// prints a new one.
var ErrLink = errors.New("the set-up link is not valid")

// Config is what a Setup works with. Store, Keyring and Now are required.
type Config struct {
	Store   store.Store
	Keyring *secret.Keyring
	Now     func() time.Time
	// BaseURL from the operator's configuration wins over what the pages say.
	BaseURL string
	// AllowHTTPLoopback admits http://localhost and the like as base URL.
	AllowHTTPLoopback bool
}

// Setup reads and writes what the first start asks for. It is safe for
// concurrent use.
type Setup struct {
	cfg Config

	mu     sync.Mutex
	base   string
	baseAt time.Time
}

// New makes a Setup. An error says why the configured base URL can't be used.
func New(cfg Config) (*Setup, error) {
	if cfg.Store == nil || cfg.Keyring == nil || cfg.Now == nil {
		return nil, errors.New("make set-up: store, key ring and clock are required")
	}
	if cfg.BaseURL != "" {
		base, problem := checkBaseURL(cfg.BaseURL, cfg.AllowHTTPLoopback)
		if problem != nil {
			return nil, fmt.Errorf("base URL %q: %s", cfg.BaseURL, problem.Key)
		}
		cfg.BaseURL = base
	}
	return &Setup{cfg: cfg}, nil
}

// Status is how far the set-up is.
type Status struct {
	Done bool
	// What was said already; a form can begin with it.
	HasBaseURL, HasIssuer, HasAdmin, HasMail bool
	BaseURL                                  string
	// BaseURLFixed: the operator's configuration says it, not the pages.
	BaseURLFixed bool
	// LinkUntil is when the link that is out ends to be good; zero: there is none.
	LinkUntil time.Time
}

// Status reads how far the set-up is.
func (s *Setup) Status(ctx context.Context) (Status, error) {
	var st Status
	var err error
	if st.Done, err = has(ctx, s.cfg.Store, settingDone); err != nil {
		return st, fmt.Errorf("set-up status: %w", err)
	}
	st.BaseURL, st.BaseURLFixed = s.cfg.BaseURL, s.cfg.BaseURL != ""
	if !st.BaseURLFixed {
		if st.BaseURL, err = setting(ctx, s.cfg.Store, settingBaseURL); err != nil {
			return st, fmt.Errorf("set-up status: %w", err)
		}
	}
	st.HasBaseURL = st.BaseURL != ""
	if _, err = s.cfg.Store.OwnIssuer(ctx); err == nil {
		st.HasIssuer = true
	} else if !errors.Is(err, store.ErrNotFound) {
		return st, fmt.Errorf("set-up status: %w", err)
	}
	if st.HasMail, err = has(ctx, s.cfg.Store, settingSMTP); err != nil {
		return st, fmt.Errorf("set-up status: %w", err)
	}
	admins, err := adminList(ctx, s.cfg.Store)
	if err != nil {
		return st, fmt.Errorf("set-up status: %w", err)
	}
	st.HasAdmin = len(admins) > 0
	l, err := readLink(ctx, s.cfg.Store)
	if err != nil {
		return st, fmt.Errorf("set-up status: %w", err)
	}
	if s.cfg.Now().Before(l.Expires) {
		st.LinkUntil = l.Expires
	}
	return st, nil
}

// BaseURL is the public address without a final slash, "" while it is not known
// or the store can't be asked. What it answers may be five seconds old.
func (s *Setup) BaseURL(ctx context.Context) string {
	if s.cfg.BaseURL != "" {
		return s.cfg.BaseURL
	}
	s.mu.Lock()
	base, at := s.base, s.baseAt
	s.mu.Unlock()
	now := s.cfg.Now()
	if base != "" && now.Sub(at) < baseURLFresh {
		return base
	}
	fresh, err := setting(ctx, s.cfg.Store, settingBaseURL)
	if err != nil {
		return base // what was true a moment ago
	}
	s.remember(fresh)
	return fresh
}

func (s *Setup) remember(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base, s.baseAt = base, s.cfg.Now()
}

// link is the one-time link that is out. Only the token's hash is kept.
type link struct {
	Hash    string    `json:"hash"`
	Expires time.Time `json:"expires"`
}

// NewLink makes a new one-time token, which goes into {base}/setup/{token}; an
// earlier one ends. It works after the set-up, too: an operator who can run the
// program on the server can always make an admin.
func (s *Setup) NewLink(ctx context.Context) (token string, err error) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	token = base64.RawURLEncoding.EncodeToString(b[:])
	enc, err := json.Marshal(link{Hash: hash(token), Expires: s.cfg.Now().UTC().Add(LinkLife)})
	if err != nil {
		return "", fmt.Errorf("make a set-up link: %w", err)
	}
	if err := s.cfg.Store.PutSetting(ctx, settingLink, string(enc)); err != nil {
		return "", fmt.Errorf("make a set-up link: %w", err)
	}
	return token, nil
}

func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func readLink(ctx context.Context, st store.Settings) (link, error) {
	var l link
	v, err := setting(ctx, st, settingLink)
	if err != nil || v == "" {
		return l, err
	}
	return l, json.Unmarshal([]byte(v), &l)
}

// allowed checks a token. ErrLink.
func (s *Setup) allowed(ctx context.Context, st store.Settings, token string) error {
	l, err := readLink(ctx, st)
	if err != nil {
		return err
	}
	if token == "" || len(token) > 100 || l.Hash == "" ||
		subtle.ConstantTimeCompare([]byte(hash(token)), []byte(l.Hash)) != 1 || !s.cfg.Now().Before(l.Expires) {
		return ErrLink
	}
	return nil
}

// Begin opens the pages for who has the link, with what was said there before.
// The logo and the password are not given back: leaving them empty keeps them.
// The link stays good until Complete. ErrLink.
func (s *Setup) Begin(ctx context.Context, token string) (Form, error) {
	if err := s.allowed(ctx, s.cfg.Store, token); err != nil {
		return Form{}, fmt.Errorf("begin the set-up: %w", err)
	}
	var f Form
	f.BaseURL = s.BaseURL(ctx)
	if i, err := s.cfg.Store.OwnIssuer(ctx); err == nil {
		f.IssuerName, f.IssuerURL, f.IssuerEmail = i.Profile.Name, i.Profile.URL, i.Profile.Email
	} else if !errors.Is(err, store.ErrNotFound) {
		return f, fmt.Errorf("begin the set-up: %w", err)
	}
	admins, err := adminList(ctx, s.cfg.Store)
	if err != nil {
		return f, fmt.Errorf("begin the set-up: %w", err)
	}
	if len(admins) > 0 {
		f.AdminEmail = admins[0]
	}
	m, ok, err := s.Mail(ctx)
	if err != nil && !errors.Is(err, secret.ErrKeyUnknown) && !errors.Is(err, secret.ErrSeal) {
		return f, fmt.Errorf("begin the set-up: %w", err)
	}
	if ok {
		f.SMTP = &m
		f.SMTP.Password = secret.String{}
	}
	return f, nil
}

// smtpSetting is mail.SMTP as it is sealed in the store.
type smtpSetting struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	User     string `json:"user"`
	Password string `json:"password"`
	From     string `json:"from"`
	TLS      string `json:"tls"`
}

// Mail is how mail is sent, as mail.Switch asks for it; ok false when nobody has
// said.
func (s *Setup) Mail(ctx context.Context) (m mail.SMTP, ok bool, err error) {
	v, err := setting(ctx, s.cfg.Store, settingSMTP)
	if err != nil || v == "" {
		return m, false, err
	}
	plain, err := s.cfg.Keyring.Open(v, sealSMTP)
	if err != nil {
		return m, false, fmt.Errorf("read the mail settings: %w", err)
	}
	var w smtpSetting
	if err := json.Unmarshal(plain, &w); err != nil {
		return m, false, errors.New("read the mail settings: not in the form that was written")
	}
	return mail.SMTP{
		Host: w.Host, Port: w.Port, User: w.User, Password: secret.New(w.Password), From: w.From, TLS: w.TLS,
	}, true, nil
}

// PutMail changes how mail is sent, from the admin pages. The error is one of
// mail.SMTP's Check, or the store's. An empty password with a user keeps the
// one that is stored, only if host and user stay the same.
func (s *Setup) PutMail(ctx context.Context, m mail.SMTP) error {
	m = s.keepPassword(ctx, m)
	if err := m.Check(); err != nil {
		return fmt.Errorf("change the mail settings: %w", err)
	}
	return s.putMail(ctx, s.cfg.Store, m)
}

func (s *Setup) putMail(ctx context.Context, st store.Settings, m mail.SMTP) error {
	plain, err := json.Marshal(smtpSetting{
		Host: m.Host, Port: m.Port, User: m.User, Password: m.Password.Reveal(), From: m.From, TLS: m.TLS,
	})
	if err != nil {
		return fmt.Errorf("write the mail settings: %w", err)
	}
	sealed, err := s.cfg.Keyring.Seal(plain, sealSMTP)
	if err != nil {
		return fmt.Errorf("write the mail settings: %w", err)
	}
	return st.PutSetting(ctx, settingSMTP, sealed)
}

// keepPassword fills in the stored password where none was typed. It must not
// travel to another server: whoever may change the host would learn it.
func (s *Setup) keepPassword(ctx context.Context, m mail.SMTP) mail.SMTP {
	if m.User == "" || !m.Password.IsZero() {
		return m
	}
	old, ok, err := s.Mail(ctx)
	if err == nil && ok && old.User == m.User && strings.EqualFold(old.Host, m.Host) && (m.TLS != mail.NoTLS || old.TLS == mail.NoTLS) {
		m.Password = old.Password
	}
	return m
}

func setting(ctx context.Context, st store.Settings, name string) (string, error) {
	v, err := st.Setting(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return v, err
}

func has(ctx context.Context, st store.Settings, name string) (bool, error) {
	v, err := setting(ctx, st, name)
	return v != "", err
}
