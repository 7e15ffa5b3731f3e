package setup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // the formats that a logo may have
	_ "image/png"
	"net"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"badgebridge/auth/access"
	"badgebridge/auth/login"
	"badgebridge/internal/mail"
	"badgebridge/openbadges"
	"badgebridge/store"
)

// What a logo may be.
const (
	MaxLogo     = 1 << 20 // bytes
	MaxLogoSide = 4096    // pixels
)

// Form is what the pages ask for.
type Form struct {
	BaseURL     string
	IssuerName  string
	IssuerURL   string
	IssuerEmail string
	Logo        []byte // PNG or JPEG; empty keeps the one that is there, or none
	LogoType    string // what the browser said; the bytes decide
	AdminEmail  string
	GivenName   string // of the admin; may be empty
	FamilyName  string
	SMTP        *mail.SMTP // nil: mail is set up later, or sent by the paired site
}

// Problem is what is wrong with one field: the key of a text and what it needs.
type Problem struct {
	Key  string
	Args map[string]any
}

// FieldErrors names the fields that can't be used, by the names "base_url",
// "issuer_name", "issuer_url", "issuer_email", "logo", "admin_email",
// "smtp_host", "smtp_port", "smtp_user", "smtp_from" and "smtp_tls".
type FieldErrors map[string]Problem

// Error lists the fields.
func (e FieldErrors) Error() string {
	names := make([]string, 0, len(e))
	for n, p := range e {
		names = append(names, n+" ("+p.Key+")")
	}
	sort.Strings(names)
	return "set-up: fields that can't be used: " + strings.Join(names, ", ")
}

// Result is the outcome of a complete set-up.
type Result struct {
	PersonID string // the first admin: sign this person in
	BaseURL  string
}

// Complete checks the form and stores it. Parts that are right are stored even
// when others are not, so that the pages can be taken up again half-way; then
// the error is a FieldErrors. When all is right the admin exists, with the
// address proven by the link, and the link is used up. ErrLink.
func (s *Setup) Complete(ctx context.Context, token string, f Form) (Result, error) {
	if err := s.allowed(ctx, s.cfg.Store, token); err != nil {
		return Result{}, fmt.Errorf("set-up: %w", err)
	}
	problems := FieldErrors{}
	if err := s.saveBaseURL(ctx, f, problems); err != nil {
		return Result{}, fmt.Errorf("set-up: %w", err)
	}
	if err := s.saveIssuer(ctx, f, problems); err != nil {
		return Result{}, fmt.Errorf("set-up: %w", err)
	}
	if err := s.saveMail(ctx, f, problems); err != nil {
		return Result{}, fmt.Errorf("set-up: %w", err)
	}
	email, err := login.Address(f.AdminEmail)
	if err != nil {
		problems["admin_email"] = Problem{Key: "not_an_address"}
	}
	if len(problems) > 0 {
		return Result{}, problems
	}
	var res Result
	err = s.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		// Again, inside: of two browsers with the link one wins.
		if err := s.allowed(ctx, tx, token); err != nil {
			return err
		}
		var err error
		if res.PersonID, err = s.makeAdmin(ctx, tx, email, f); err != nil {
			return err
		}
		if err := tx.DeleteSetting(ctx, settingLink); err != nil {
			return err
		}
		return tx.PutSetting(ctx, settingDone, s.cfg.Now().UTC().Format(time.RFC3339))
	})
	if err != nil {
		return Result{}, fmt.Errorf("set-up: %w", err)
	}
	res.BaseURL = s.BaseURL(ctx)
	return res, nil
}

func (s *Setup) makeAdmin(ctx context.Context, tx store.Tx, email string, f Form) (string, error) {
	now := s.cfg.Now()
	personID := ""
	owner, err := tx.Identifier(ctx, openbadges.IdentityEmail, email)
	switch {
	case err == nil:
		personID = owner.PersonID
	case errors.Is(err, store.ErrNotFound):
		p, err := tx.CreatePerson(ctx, store.Person{
			GivenName: line(f.GivenName, 100), FamilyName: line(f.FamilyName, 100), CreatedAt: now, UpdatedAt: now,
		})
		if err != nil {
			return "", err
		}
		personID = p.ID
	default:
		return "", err
	}
	err = tx.AddIdentifier(ctx, store.Identifier{
		Type: openbadges.IdentityEmail, Value: email, PersonID: personID, ProvenBy: "setup", ProvenAt: now,
	})
	if err != nil {
		return "", err
	}
	admins, err := adminList(ctx, tx)
	if err != nil {
		return "", err
	}
	if !slices.Contains(admins, email) {
		admins = append(admins, email)
	}
	enc, err := json.Marshal(admins)
	if err != nil {
		return "", err
	}
	return personID, tx.PutSetting(ctx, access.AdminsSetting, string(enc))
}

func adminList(ctx context.Context, st store.Settings) ([]string, error) {
	return access.Admins(ctx, st)
}

func (s *Setup) saveBaseURL(ctx context.Context, f Form, problems FieldErrors) error {
	if s.cfg.BaseURL != "" {
		return nil // the configuration says it
	}
	base, problem := checkBaseURL(f.BaseURL, s.cfg.AllowHTTPLoopback)
	if problem != nil {
		problems["base_url"] = *problem
		return nil
	}
	old, err := setting(ctx, s.cfg.Store, settingBaseURL)
	if err != nil {
		return err
	}
	if old != "" && old != base {
		// Addresses of issued badges are for ever.
		done, err := has(ctx, s.cfg.Store, settingDone)
		if err != nil {
			return err
		}
		if done {
			problems["base_url"] = Problem{Key: "base_url_fixed", Args: map[string]any{"URL": old}}
			return nil
		}
	}
	if err := s.cfg.Store.PutSetting(ctx, settingBaseURL, base); err != nil {
		return err
	}
	s.remember(base)
	return nil
}

// checkBaseURL normalizes a public address: no path, no final slash, no port
// that the scheme has anyway.
func checkBaseURL(raw string, httpLoopback bool) (string, *Problem) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return "", &Problem{Key: "required"}
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "" || len(raw) > 500 {
		return "", &Problem{Key: "not_a_url"}
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return "", &Problem{Key: "base_url_bare"} // scheme and host, nothing else
	}
	host := strings.ToLower(u.Hostname())
	local := isLoopback(host)
	switch u.Scheme {
	case "https":
	case "http":
		if !local {
			return "", &Problem{Key: "base_url_https"}
		}
		if !httpLoopback {
			return "", &Problem{Key: "base_url_loopback"}
		}
	default:
		return "", &Problem{Key: "base_url_https"}
	}
	if !local && net.ParseIP(host) == nil && !strings.Contains(host, ".") {
		return "", &Problem{Key: "base_url_public"} // a name that only this network knows
	}
	port := u.Port()
	if port == "443" && u.Scheme == "https" || port == "80" && u.Scheme == "http" {
		port = ""
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" {
		host += ":" + port
	}
	return u.Scheme + "://" + host, nil
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (s *Setup) saveIssuer(ctx context.Context, f Form, problems FieldErrors) error {
	before := len(problems)
	name := line(f.IssuerName, 200)
	if name == "" {
		problems["issuer_name"] = Problem{Key: "required"}
	}
	site := strings.TrimSpace(f.IssuerURL)
	if site == "" {
		problems["issuer_url"] = Problem{Key: "required"}
	} else if u, err := url.Parse(site); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || len(site) > 500 {
		problems["issuer_url"] = Problem{Key: "not_a_url"}
	}
	email, err := login.Address(f.IssuerEmail)
	if err != nil {
		problems["issuer_email"] = Problem{Key: "not_an_address"}
	}
	mediaType := ""
	if len(f.Logo) > 0 {
		var p *Problem
		if mediaType, p = checkLogo(f.Logo); p != nil {
			problems["logo"] = *p
		}
	}
	if len(problems) > before {
		return nil
	}
	return s.cfg.Store.InTx(ctx, func(tx store.Tx) error {
		i, err := tx.OwnIssuer(ctx)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		i.Own = true
		i.Profile.Name, i.Profile.URL, i.Profile.Email = name, site, email
		if mediaType != "" {
			sha, err := tx.PutDocument(ctx, mediaType, f.Logo)
			if err != nil {
				return err
			}
			i.ImageSHA = sha
			i.Profile.Image = &openbadges.Image{MediaType: mediaType, SHA256: sha}
		}
		_, err = tx.PutIssuer(ctx, i)
		return err
	})
}

// checkLogo reads what the bytes are. SVG is not taken: it is a program as much
// as a picture.
func checkLogo(b []byte) (mediaType string, p *Problem) {
	if len(b) > MaxLogo {
		return "", &Problem{Key: "image_too_large", Args: map[string]any{"KB": MaxLogo >> 10}}
	}
	c, format, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil || format != "png" && format != "jpeg" {
		return "", &Problem{Key: "image_type"}
	}
	if c.Width > MaxLogoSide || c.Height > MaxLogoSide || c.Width < 1 || c.Height < 1 {
		return "", &Problem{Key: "image_side", Args: map[string]any{"Pixels": MaxLogoSide}}
	}
	return "image/" + format, nil
}

func (s *Setup) saveMail(ctx context.Context, f Form, problems FieldErrors) error {
	if f.SMTP == nil {
		return nil
	}
	m := s.keepPassword(ctx, *f.SMTP)
	switch err := m.Check(); {
	case err == nil:
		return s.putMail(ctx, s.cfg.Store, m)
	case errors.Is(err, mail.ErrHost):
		problems["smtp_host"] = Problem{Key: "not_a_host"}
	case errors.Is(err, mail.ErrPort):
		problems["smtp_port"] = Problem{Key: "not_a_port"}
	case errors.Is(err, mail.ErrTLS):
		problems["smtp_tls"] = Problem{Key: "smtp_tls"}
	case errors.Is(err, mail.ErrFrom):
		problems["smtp_from"] = Problem{Key: "not_an_address"}
	default:
		problems["smtp_user"] = Problem{Key: "smtp_user"}
	}
	return nil
}

// line makes one line of what somebody typed.
func line(s string, most int) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most])
	}
	return s
}
