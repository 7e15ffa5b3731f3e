package mails

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"time"

	"badgebridge/adapters"
	"badgebridge/store"
	"badgebridge/sync/engine"
	"badgebridge/web/locale"
)

// toAdmins writes one letter to every admin whose address is known. Letters to
// some may have gone when it fails for another; they are sent again then.
func (m *Mails) toAdmins(ctx context.Context, write func(w *locale.Words) letter) error {
	words, t, err := m.load()
	if err != nil {
		return err
	}
	to, err := m.cfg.Admins(ctx)
	if err != nil {
		return err
	}
	if len(to) == 0 {
		m.cfg.Log.WarnContext(ctx, "no admin's address is known; a letter is not sent")
		return nil
	}
	var wrong []error
	for _, address := range to {
		wrong = append(wrong, m.toAdmin(ctx, address, words, t, write))
	}
	return errors.Join(wrong...)
}

func (m *Mails) toAdmin(ctx context.Context, to string, words *locale.Bundle, t *template.Template, write func(w *locale.Words) letter) error {
	w := words.For("", "")
	site, err := m.site(ctx, w)
	if err != nil {
		return err
	}
	l := write(w)
	l.Lang, l.Hello = w.Lang, w.T("mail.greeting-unnamed")
	l.Foot = w.T("mail.foot", "Site", site, "Base", m.cfg.BaseURL(ctx))
	return m.send(ctx, to, t, l)
}

// gone says that a badge is no longer at its remote and that its mapping
// stopped.
func (m *Mails) gone(ctx context.Context, args []byte) error {
	var in struct {
		MappingID string `json:"mapping_id"`
	}
	if err := json.Unmarshal(args, &in); err != nil {
		return fmt.Errorf("letter about a badge that is gone: %w", err)
	}
	st := m.cfg.Store
	mapping, err := st.Mapping(ctx, in.MappingID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	gone, err := st.Class(ctx, mapping.ClassB)
	if err == nil && gone.State != engine.GoneState {
		gone, err = st.Class(ctx, mapping.ClassA)
	}
	if err != nil {
		return err
	}
	if gone.State != engine.GoneState {
		return nil // it is back
	}
	place := m.place(ctx, gone)
	return m.toAdmins(ctx, func(w *locale.Words) letter {
		return letter{
			Subject: w.T("mail.gone.subject", "Badge", gone.Content.Name, "Place", place),
			Lead:    w.T("mail.gone.lead", "Badge", gone.Content.Name, "Place", place),
			Action:  w.T("mail.gone.action"), Link: m.cfg.BaseURL(ctx) + "/admin/mappings/" + mapping.ID, Small: w.T("mail.gone.stays"),
		}
	})
}

func (m *Mails) place(ctx context.Context, c store.Class) string {
	if r, err := m.cfg.Store.Remote(ctx, c.Remote); err == nil && r.Title != "" {
		return r.Title
	}
	return string(c.Remote)
}

// expiry says that a remote's credentials end soon.
func (m *Mails) expiry(ctx context.Context, args []byte) error {
	var in struct {
		Remote  string    `json:"remote"`
		Expires time.Time `json:"expires"`
		Days    int       `json:"days"`
	}
	if err := json.Unmarshal(args, &in); err != nil {
		return fmt.Errorf("letter about credentials that end: %w", err)
	}
	place := m.place(ctx, store.Class{Remote: adapters.Remote(in.Remote)})
	return m.toAdmins(ctx, func(w *locale.Words) letter {
		return letter{
			Subject: w.N("mail.expiry.subject", in.Days, "Place", place),
			Lead:    w.T("mail.expiry.lead", "Place", place, "Date", w.Date(in.Expires)),
			Action:  w.T("mail.expiry.action"), Link: m.cfg.BaseURL(ctx) + "/admin/remotes/" + in.Remote, Small: w.T("mail.expiry.how"),
		}
	})
}
