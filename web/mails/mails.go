// Package mails writes the letters that the gateway sends (codes, offers, a
// name that is needed) and is the worker of their jobs. Sending is the business
// of internal/mail; the words are in web/locale.
package mails

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"badgebridge/auth/login"
	"badgebridge/internal/mail"
	"badgebridge/internal/secret"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/backpack"
	"badgebridge/sync/engine"
	"badgebridge/sync/notices"
	"badgebridge/sync/reconcile"
	"badgebridge/web/locale"
)

// The kinds of jobs beside login.CodeJob. Their args are {"award_id": ID}.
const (
	OfferJob = "mail.offer" // a badge waits to be claimed
	NameJob  = "mail.name"  // a claimed badge waits for its earner's name

	// To the admins.
	GoneJob   = engine.JobGone   // a badge is gone and its mapping stopped
	ExpiryJob = engine.JobExpiry // a remote's credentials end soon
)

// Config is what the letters are made of. All fields are required.
type Config struct {
	Store   store.Store
	Keyring *secret.Keyring // opens the codes
	Sender  mail.Sender
	BaseURL func(ctx context.Context) string
	// Admins lists the admins' addresses, for what they have to know.
	Admins func(ctx context.Context) ([]string, error)
	Log    *slog.Logger
	Now    func() time.Time // nil: time.Now
}

// Mails writes and sends letters. It is safe for concurrent use.
type Mails struct {
	cfg  Config
	load func() (*locale.Bundle, *template.Template, error)
}

//go:embed letter.html
var files embed.FS

// New makes the letters. It does no I/O; a template of ours that can't be read
// is told by the first job.
func New(cfg Config) *Mails {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	var words *locale.Bundle
	var page *template.Template
	var err error
	var once sync.Once
	return &Mails{cfg: cfg, load: func() (*locale.Bundle, *template.Template, error) {
		once.Do(func() {
			if words, err = locale.Load(); err == nil {
				page, err = template.ParseFS(files, "letter.html")
			}
		})
		return words, page, err
	}}
}

// Workers are the functions of the jobs, by kind. An error means that the job
// should be tried again; what trying again can't help is logged and done with.
func (m *Mails) Workers() map[string]func(ctx context.Context, args []byte) error {
	return map[string]func(ctx context.Context, args []byte) error{
		login.CodeJob: m.code,
		OfferJob:      m.offer,
		NameJob:       m.name,
		GoneJob:       m.gone,
		ExpiryJob:     m.expiry,

		engine.JobRevoked:   m.revoked,
		backpack.JobRevoked: m.revoked,
		notices.Job:         m.notice,
	}
}

// letter is what a letter says, before it has a form.
type letter struct {
	Lang    string
	Subject string
	Hello   string
	Lead    string
	Code    string // shown large; "" none
	Image   string // absolute address; "" none
	Link    string // "" none
	Action  string // what the link says
	Small   string
	Foot    string
	// Of letters that can be stopped: why this one came, and the link.
	Why, Stop, StopLabel string
	Headers              map[string]string
}

// send gives the letter its two forms. The text form comes first in importance:
// everything is in it.
func (m *Mails) send(ctx context.Context, to string, t *template.Template, l letter) error {
	var html bytes.Buffer
	if err := t.Execute(&html, l); err != nil {
		return fmt.Errorf("write letter: %w", err)
	}
	text := l.Hello + "\n\n" + l.Lead + "\n"
	if l.Code != "" {
		text += "\n    " + l.Code + "\n"
	}
	if l.Link != "" {
		text += "\n" + l.Action + ":\n" + l.Link + "\n"
	}
	if l.Small != "" {
		text += "\n" + l.Small + "\n"
	}
	text += "\n-- \n" + l.Foot + "\n"
	if l.Stop != "" {
		text += l.Why + "\n" + l.StopLabel + ": " + l.Stop + "\n"
	}
	headers := map[string]string{"Auto-Submitted": "auto-generated", "Content-Language": l.Lang}
	maps.Copy(headers, l.Headers)
	err := m.cfg.Sender.Send(ctx, mail.Message{
		To: to, Subject: strings.Join(strings.Fields(l.Subject), " "), Text: text, HTML: html.String(),
		Headers: headers,
	})
	if errors.Is(err, mail.ErrPermanent) {
		m.cfg.Log.WarnContext(ctx, "letter refused for good", "error", err)
		return nil
	}
	return err
}

// site is the association's name.
func (m *Mails) site(ctx context.Context, w *locale.Words) (string, error) {
	own, err := m.cfg.Store.OwnIssuer(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return w.T("site.default-name"), nil
	}
	return own.Profile.Name, err
}

func (m *Mails) code(ctx context.Context, args []byte) error {
	words, t, err := m.load()
	if err != nil {
		return err
	}
	c, code, err := login.OpenCode(m.cfg.Keyring, args)
	if errors.Is(err, secret.ErrSeal) || errors.Is(err, secret.ErrKeyUnknown) {
		// Trying again won't open it; the person asks for another code.
		m.cfg.Log.ErrorContext(ctx, "a code can't be opened and is not sent", "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	w := words.For(c.Locale, "")
	site, err := m.site(ctx, w)
	if err != nil {
		return err
	}
	return m.send(ctx, c.To, t, letter{
		Lang: w.Lang, Subject: w.T("mail.code.subject", "Code", code, "Site", site), Hello: w.T("mail.greeting-unnamed"),
		Lead: w.T("mail.code.lead"), Code: code, Small: w.T("mail.code.unasked"),
		Foot: w.T("mail.foot", "Site", site, "Base", m.cfg.BaseURL(ctx)),
	})
}

// about is an award with whom to write to.
type about struct {
	award  store.Award
	badge  string
	image  string
	issuer string
	site   string
	base   string
	to     string
	words  *locale.Words
	hello  string
}

// errNobody: there is nobody to write to, or nothing to write any more.
var errNobody = errors.New("nobody to write to")

func (m *Mails) about(ctx context.Context, words *locale.Bundle, args []byte) (about, error) {
	var in struct {
		AwardID string `json:"award_id"`
	}
	if err := json.Unmarshal(args, &in); err != nil || in.AwardID == "" {
		return about{}, fmt.Errorf("the job names no award: %w", errNobody)
	}
	return m.aboutAward(ctx, words, in.AwardID)
}

func (m *Mails) aboutAward(ctx context.Context, words *locale.Bundle, awardID string) (about, error) {
	st := m.cfg.Store
	a, err := st.Award(ctx, awardID)
	if errors.Is(err, store.ErrNotFound) {
		return about{}, errNobody
	}
	if err != nil {
		return about{}, err
	}
	x := about{award: a, base: m.cfg.BaseURL(ctx)}
	if x.base == "" {
		return x, errNobody
	}
	var p store.Person
	if a.PersonID != "" {
		if p, err = st.Person(ctx, a.PersonID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return x, err
		}
	}
	if x.to, err = m.address(ctx, a); err != nil {
		return x, err
	}
	x.words = words.For(p.Locale, "")
	x.hello = greet(x.words, p, a.Recipient)
	class, err := st.Class(ctx, a.ClassID)
	if err != nil {
		return x, err
	}
	x.badge = class.Content.Name
	if class.ImageSHA != "" {
		x.image = x.base + "/ob/images/" + class.ImageSHA
	}
	if x.site, err = m.site(ctx, x.words); err != nil {
		return x, err
	}
	x.issuer = x.site
	if class.Remote == store.BackpackOrigin && class.Content.Issuer.Name != "" {
		x.issuer = class.Content.Issuer.Name
	}
	if class.IssuerID != "" {
		if i, err := st.Issuer(ctx, class.IssuerID); err == nil && i.Profile.Name != "" {
			x.issuer = i.Profile.Name
		}
	}
	return x, nil
}

// address is where the award's earner reads mail: the address that the person
// chose, or, where the award is nobody's yet, the one that it was awarded to.
func (m *Mails) address(ctx context.Context, a store.Award) (string, error) {
	if a.PersonID != "" {
		to, err := m.cfg.Store.MailOf(ctx, a.PersonID)
		if !errors.Is(err, store.ErrNotFound) {
			return to, err
		}
	}
	if a.Recipient.Type == openbadges.IdentityEmail && !a.Recipient.Hashed && a.Recipient.Identity != "" {
		return a.Recipient.Identity, nil
	}
	return "", errNobody
}

// offer says that a badge waits. Whoever has answered meanwhile gets no letter.
func (m *Mails) offer(ctx context.Context, args []byte) error {
	words, t, err := m.load()
	if err != nil {
		return err
	}
	x, err := m.about(ctx, words, args)
	if errors.Is(err, errNobody) || err == nil && (x.award.Claim != store.Offered || x.award.Revoked) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("offer letter: %w", err)
	}
	n, err := m.noted(ctx, store.Notice{Owner: x.owner(), Kind: store.NoticeOffered, AwardID: x.award.ID, CreatedAt: m.cfg.Now(), SeenAt: m.cfg.Now()})
	if err != nil {
		return fmt.Errorf("offer letter: %w", err)
	}
	w := x.words
	return m.tell(ctx, x, n, t, letter{
		Subject: w.T("mail.offer.subject", "Site", x.site, "Badge", x.badge),
		Lead:    w.T("mail.offer.lead", "Issuer", x.issuer, "Badge", x.badge), Action: w.T("mail.offer.action"), Link: x.base + "/badges/" + x.award.ID,
		Small: w.T("mail.offer.not"),
	})
}

// name says that a claimed badge waits for its earner's name.
func (m *Mails) name(ctx context.Context, args []byte) error {
	words, t, err := m.load()
	if err != nil {
		return err
	}
	x, err := m.about(ctx, words, args)
	if errors.Is(err, errNobody) || err == nil && x.award.Revoked {
		return nil
	}
	if err != nil {
		return fmt.Errorf("name letter: %w", err)
	}
	pushes, err := m.cfg.Store.PushesOf(ctx, x.award.ID)
	if err != nil {
		return fmt.Errorf("name letter: %w", err)
	}
	place := ""
	for _, p := range pushes {
		if p.State == store.PushWaiting && p.Reason == reconcile.WaitName {
			place = string(p.Remote)
			if r, err := m.cfg.Store.Remote(ctx, p.Remote); err == nil && r.Title != "" {
				place = r.Title
			}
		}
	}
	if place == "" {
		return nil // the name came meanwhile
	}
	n, err := m.noted(ctx, store.Notice{Owner: x.owner(), Kind: store.NoticeOffered, AwardID: x.award.ID, Mark: "name", CreatedAt: m.cfg.Now(), SeenAt: m.cfg.Now()})
	if err != nil {
		return fmt.Errorf("name letter: %w", err)
	}
	w := x.words
	return m.tell(ctx, x, n, t, letter{
		Subject: w.T("mail.name.subject", "Badge", x.badge),
		Lead:    w.T("mail.name.lead", "Badge", x.badge, "Place", place), Action: w.T("mail.name.action"), Link: x.base + "/badges/" + x.award.ID + "#name",
		Small: w.T("mail.name.why"),
	})
}
