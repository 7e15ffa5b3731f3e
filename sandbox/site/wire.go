package site

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// The contract's shapes, as the site writes them.

type wireBadge struct {
	ID           int64  `json:"id"`
	Version      string `json:"version"`
	Title        string `json:"title"`
	Description  string `json:"description"`
	CriteriaURL  string `json:"criteria_url"`
	Criteria     string `json:"criteria"`
	ImageURL     string `json:"image_url"`
	LinkURL      string `json:"link_url,omitempty"`
	Key          string `json:"key,omitempty"`
	Type         string `json:"type"`
	State        string `json:"state"`
	ExpiresAfter *Span  `json:"expires_after,omitempty"`
}

type wireMember struct {
	ID          int64  `json:"id"`
	Email       string `json:"email"`
	EmailProven bool   `json:"email_proven"`
	GivenName   string `json:"given_name"`
	FamilyName  string `json:"family_name"`
	DisplayName string `json:"display_name"`
}

type wireAward struct {
	EntryID     int64       `json:"entry_id"`
	Fingerprint string      `json:"fingerprint"`
	Version     string      `json:"version"`
	Badge       wireBadge   `json:"badge"`
	Member      *wireMember `json:"member"`
	IssuedOn    string      `json:"issued_on"`
	ExpiresOn   string      `json:"expires_on,omitempty"`
	Key         string      `json:"key,omitempty"`
	Trigger     string      `json:"trigger,omitempty"`
	Erased      bool        `json:"erased,omitempty"`
}

type wireChange struct {
	Seq         int64      `json:"seq"`
	At          string     `json:"at"`
	Kind        string     `json:"kind"`
	EntryID     int64      `json:"entry_id"`
	Fingerprint string     `json:"fingerprint"`
	Reason      string     `json:"reason,omitempty"`
	Award       *wireAward `json:"award"`
}

// version is short and changes with the content.
func version(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // the contract's own types can always be written
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:6])
}

func (s *Site) wireBadge(b Badge) wireBadge {
	id := strconv.FormatInt(b.ID, 10)
	w := wireBadge{
		ID: b.ID, Title: b.Title, Description: b.Description, Criteria: b.Criteria, Type: b.Type, State: "published",
		CriteriaURL: s.cfg.BaseURL + "/badges/" + id, ImageURL: s.cfg.BaseURL + "/badge-images/" + id + ".png", ExpiresAfter: b.ExpiresAfter,
	}
	w.LinkURL, w.Key = b.LinkURL, b.Key
	if b.CriteriaURL != "" {
		w.CriteriaURL = b.CriteriaURL
	}
	if b.ImageNo > 0 {
		w.ImageURL += "?v=" + strconv.Itoa(b.ImageNo)
	}
	if b.Draft {
		w.State = "draft"
	}
	w.Version = version([]any{w, b.Hue, b.Shape, b.Glyph})
	return w
}

func (m Member) wire() wireMember {
	return wireMember{
		ID: m.ID, Email: m.Email, EmailProven: m.EmailProven, GivenName: m.GivenName, FamilyName: m.FamilyName, DisplayName: m.Name(),
	}
}

// Name is the member's display name.
func (m Member) Name() string {
	if m.DisplayName != "" {
		return m.DisplayName
	}
	if name := strings.TrimSpace(m.GivenName + " " + m.FamilyName); name != "" {
		return name
	}
	return m.Email
}

// wireAward is nil when the badge is gone: the real plugin reports no row that
// it can't describe.
func (s *Site) wireAward(e entry) *wireAward {
	b := s.st.badge(e.Badge)
	if b == nil {
		return nil
	}
	issued := s.date(e)
	w := &wireAward{
		EntryID: e.ID, Fingerprint: e.fingerprint(), Badge: s.wireBadge(*b), IssuedOn: instant(issued), Key: e.Key, Trigger: e.Trigger,
	}
	if m := s.st.member(e.Member); m != nil && m.Erased {
		w.Erased = true
	} else if m != nil {
		member := m.wire()
		w.Member = &member
	}
	if until := b.expiry(issued); !until.IsZero() {
		w.ExpiresOn = instant(until)
	}
	w.Version = version(w)
	return w
}

// date reads the stored wall clock back.
func (s *Site) date(e entry) time.Time {
	t, err := time.ParseInLocation(stored, e.Date, s.location)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

func (b Badge) expiry(issued time.Time) time.Time {
	if b.ExpiresAfter == nil {
		return time.Time{}
	}
	n := b.ExpiresAfter.Count
	switch b.ExpiresAfter.Unit {
	case "day":
		return issued.AddDate(0, 0, n)
	case "month":
		return issued.AddDate(0, n, 0)
	case "year":
		return issued.AddDate(n, 0, 0)
	}
	return time.Time{}
}
