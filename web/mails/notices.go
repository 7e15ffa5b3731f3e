package mails

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"math"
	"net/url"
	"slices"
	"time"

	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/sync/notices"
	"badgebridge/web/locale"
)

// owner is whom a notice about the award belongs to: its person, or the address
// that nobody has proven here.
func (x about) owner() string {
	if x.award.PersonID != "" {
		return x.award.PersonID
	}
	return store.Digest(x.to)
}

// noted finds the row of a notice, or makes it: it is what keeps a letter from
// being sent twice.
func (m *Mails) noted(ctx context.Context, n store.Notice) (store.Notice, error) {
	made, err := m.cfg.Store.CreateNotice(ctx, n)
	if errors.Is(err, store.ErrExists) {
		return m.cfg.Store.NoticeOf(ctx, n.Owner, n.Kind, n.AwardID, n.Mark)
	}
	return made, err
}

// tell sends the letter of a notice, unless it went before or its owner wants no
// such letters.
func (m *Mails) tell(ctx context.Context, x about, n store.Notice, t *template.Template, l letter) error {
	if !n.MailedAt.IsZero() {
		return nil
	}
	for _, owner := range []string{n.Owner, store.Digest(x.to)} {
		refused, err := m.cfg.Store.Refusals(ctx, owner)
		if err != nil {
			return err
		}
		if slices.Contains(refused, n.Kind) {
			return nil
		}
	}
	token, err := StopToken(m.cfg.Keyring, n.Owner, n.Kind)
	if err != nil {
		return err
	}
	l.Lang, l.Hello, l.Image = x.words.Lang, x.hello, x.image
	l.Foot = x.words.T("mail.foot", "Site", x.site, "Base", x.base)
	l.Why = x.words.T("mail.why." + string(n.Kind))
	l.Stop, l.StopLabel = x.base+"/letters/stop/"+token, x.words.T("mail.stop")
	l.Headers = map[string]string{
		"List-Unsubscribe": "<" + l.Stop + ">", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click", // RFC 8058
	}
	if u, err := url.Parse(x.base); err == nil && u.Hostname() != "" {
		// The same letter, should it go twice after all, is the same letter to mail
		// programs.
		l.Headers["Message-ID"] = "<" + n.ID + "@" + u.Hostname() + ">"
	}
	if err := m.send(ctx, x.to, t, l); err != nil {
		return err
	}
	return m.cfg.Store.MarkMailed(ctx, n.ID, m.cfg.Now())
}

// revoked says that a badge was taken back.
func (m *Mails) revoked(ctx context.Context, args []byte) error {
	words, t, err := m.load()
	if err != nil {
		return err
	}
	x, err := m.about(ctx, words, args)
	if errors.Is(err, errNobody) || err == nil && (!x.award.Revoked || x.award.PersonID == "") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("letter about a badge that was taken back: %w", err)
	}
	n, err := m.noted(ctx, store.Notice{Owner: x.owner(), Kind: store.NoticeRevoked, AwardID: x.award.ID, CreatedAt: m.cfg.Now()})
	if err != nil {
		return err
	}
	w := x.words
	small := w.T("mail.revoked.stays")
	if x.award.RevocationReason != "" {
		small = w.T("mail.revoked.reason", "Reason", x.award.RevocationReason) + " " + small
	}
	return m.tell(ctx, x, n, t, letter{
		Subject: w.T("mail.revoked.subject", "Badge", x.badge), Lead: w.T("mail.revoked.lead", "Issuer", x.issuer, "Badge", x.badge),
		Action: w.T("mail.revoked.action"), Link: x.base + "/badges/" + x.award.ID, Small: small,
	})
}

// notice mails a notice that was made elsewhere: of a badge that ends.
func (m *Mails) notice(ctx context.Context, args []byte) error {
	words, t, err := m.load()
	if err != nil {
		return err
	}
	var in struct {
		NoticeID string `json:"notice_id"`
	}
	if err := json.Unmarshal(args, &in); err != nil {
		return fmt.Errorf("letter of a notice: %w", err)
	}
	n, err := m.cfg.Store.Notice(ctx, in.NoticeID)
	if errors.Is(err, store.ErrNotFound) {
		return nil // its account is gone
	}
	if err != nil {
		return err
	}
	x, err := m.aboutAward(ctx, words, n.AwardID)
	if errors.Is(err, errNobody) || err == nil && (x.award.Revoked || x.award.PersonID != n.Owner || notices.Mark(x.award.Expires, n.Days) != n.Mark) {
		return nil // renewed, taken back, or another's meanwhile
	}
	if err != nil {
		return fmt.Errorf("letter of a notice: %w", err)
	}
	return m.tell(ctx, x, n, t, ending(x, m.cfg.Now()))
}

// ending is the letter about a badge that ends, or has ended.
func ending(x about, now time.Time) letter {
	w := x.words
	l := letter{Action: w.T("mail.ending.action"), Link: x.base + "/badges/" + x.award.ID, Small: w.T("mail.ending.renew", "Issuer", x.issuer)}
	on := w.Date(x.award.Expires)
	if left := int(math.Ceil(x.award.Expires.Sub(now).Hours() / 24)); left > 0 {
		l.Subject = w.N("mail.ending.subject", left, "Badge", x.badge)
		l.Lead = w.T("mail.ending.lead", "Issuer", x.issuer, "Badge", x.badge, "Date", on)
		return l
	}
	l.Subject = w.T("mail.ended.subject", "Badge", x.badge)
	l.Lead = w.T("mail.ended.lead", "Issuer", x.issuer, "Badge", x.badge, "Date", on)
	return l
}

// greet is how a letter begins.
func greet(w *locale.Words, p store.Person, r openbadges.Recipient) string {
	name := p.GivenName
	if name == "" {
		name = r.GivenName
	}
	if name == "" {
		return w.T("mail.greeting-unnamed")
	}
	return w.T("mail.greeting", "Person", name)
}
