package site

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"badgebridge/sandbox/site/seal"
)

// Badge is a badge of the site.
type Badge struct {
	ID           int64      `json:"id"`
	Title        string     `json:"title"`
	Description  string     `json:"description"`
	Criteria     string     `json:"criteria"` // Markdown
	Type         string     `json:"type"`
	Draft        bool       `json:"draft,omitempty"`
	ExpiresAfter *Span      `json:"expires_after,omitempty"`
	Hue          float64    `json:"hue"`
	Shape        seal.Shape `json:"shape"`
	Glyph        seal.Glyph `json:"glyph"`

	// What the gateway brought. Image is drawn from Hue, Shape and Glyph when nil;
	// ImageNo counts how often it was changed.
	Image       []byte `json:"image,omitempty"`
	ImageNo     int    `json:"image_no,omitempty"`
	CriteriaURL string `json:"criteria_url,omitempty"` // the badge's own page when ""
	LinkURL     string `json:"link_url,omitempty"`
	Key         string `json:"key,omitempty"`

	// What a BadgeOS of before 3.6.9 left: the badge's number at the old Credly, and
	// whether awards were sent there.
	OldNumber string `json:"old_number,omitempty"`
	OldSends  bool   `json:"old_sends,omitempty"`
}

// Span is how long an award of a badge holds.
type Span struct {
	Count int    `json:"count"`
	Unit  string `json:"unit"` // day, month, year
}

// Member is a user of the site.
type Member struct {
	ID          int64    `json:"id"`
	Email       string   `json:"email"`
	EmailProven bool     `json:"email_proven"` // the site mailed a link there and it was used
	GivenName   string   `json:"given_name"`
	FamilyName  string   `json:"family_name"`
	DisplayName string   `json:"display_name"` // given and family name when ""
	Roles       []string `json:"roles"`        // WordPress role names; subscriber when none
	Locale      string   `json:"locale"`       // BCP 47; en when ""
	Erased      bool     `json:"erased,omitempty"`
	OldConsent  string   `json:"old_consent,omitempty"` // given or refused, to the old Credly
}

// entry is one row of the table of earned achievements.
type entry struct {
	ID      int64  `json:"id"`
	Member  int64  `json:"member"`
	Badge   int64  `json:"badge"`
	Date    string `json:"date"` // as stored: the site's wall clock
	Key     string `json:"key,omitempty"`
	Trigger string `json:"trigger,omitempty"`
}

// grant remembers what was awarded under a gateway's key, for ever.
type grant struct {
	Entry       int64  `json:"entry"`
	Fingerprint string `json:"fingerprint"`
	Badge       int64  `json:"badge"`
	Member      int64  `json:"member"`
}

type change struct {
	Seq         int64  `json:"seq"`
	Mark        string `json:"mark"` // tells this change from one that took its number after a restore
	At          string `json:"at"`
	Kind        string `json:"kind"`
	Entry       int64  `json:"entry"`
	Fingerprint string `json:"fingerprint"`
	Reason      string `json:"reason,omitempty"`
}

// state is all that a backup holds.
type state struct {
	UUID     string           `json:"uuid"`
	Home     string           `json:"home"`
	Provider string           `json:"provider"` // badgeos, gamipress, none
	Epoch    string           `json:"epoch"`
	Badges   []Badge          `json:"badges"`
	Members  []Member         `json:"members"`
	Entries  []entry          `json:"entries"`
	Grants   map[string]grant `json:"grants"`
	// BadgeKeys remembers which badge a gateway's key names, for ever.
	BadgeKeys map[string]int64 `json:"badge_keys,omitempty"`
	Feed      []change         `json:"feed"`
	Last      struct {
		Badge, Member, Entry, Seq int64
	} `json:"last"`
	Pairing *Pairing `json:"pairing,omitempty"`
	Queue   []event  `json:"queue"`
}

const stored = "2006-01-02 15:04:05"

func (s *Site) seed(cfg Config) error {
	s.st = state{UUID: cfg.UUID, Home: cfg.BaseURL, Provider: "badgeos", Epoch: shortHex(), Grants: map[string]grant{}}
	if cfg.Pairing != nil {
		p := *cfg.Pairing
		p.UUID, p.Home = cfg.UUID, cfg.BaseURL
		s.st.Pairing = &p
	}
	for _, b := range cfg.Seed.Badges {
		s.st.addBadge(b)
	}
	for _, m := range cfg.Seed.Members {
		s.st.addMember(m)
	}
	for _, a := range cfg.Seed.Awards {
		m := s.st.memberByEmail(a.Email)
		i := slices.IndexFunc(s.st.Badges, func(b Badge) bool { return b.Title == a.Badge })
		if m == nil || i < 0 {
			return fmt.Errorf("site: seed: there is no badge %q or no member %q", a.Badge, a.Email)
		}
		on := a.On
		if on.IsZero() {
			on = s.cfg.Now()
		}
		s.insert(s.st.Badges[i].ID, m.ID, on, "", a.Trigger, true)
	}
	s.st.Queue = nil // what was there at the start is nothing new
	return s.save()
}

// load reads the state file; found is false when there is none.
func (s *Site) load() (found bool, err error) {
	if s.cfg.StateFile == "" {
		return false, nil
	}
	data, err := os.ReadFile(s.cfg.StateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("site: state: %w", err)
	}
	if err := json.Unmarshal(data, &s.st); err != nil {
		return false, fmt.Errorf("site: state file %s: %w; delete it to start over", s.cfg.StateFile, err)
	}
	return true, nil
}

// save writes the state file. Callers hold mu, or are alone.
func (s *Site) save() error {
	if s.cfg.StateFile == "" {
		return nil
	}
	data, err := json.MarshalIndent(s.st, "", "\t")
	if err != nil {
		return fmt.Errorf("site: state: %w", err)
	}
	temp, err := os.CreateTemp(filepath.Dir(s.cfg.StateFile), ".site-*")
	if err != nil {
		return fmt.Errorf("site: state: %w", err)
	}
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), s.cfg.StateFile)
	}
	if err != nil {
		os.Remove(temp.Name())
		return fmt.Errorf("site: state: %w", err)
	}
	return nil
}

// change runs f on the state and keeps the outcome.
func (s *Site) change(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := f(); err != nil {
		return err
	}
	if err := s.save(); err != nil {
		s.cfg.Log.Error("the simulated site can't keep its state", "error", err)
	}
	s.poke()
	return nil
}

func (st *state) addBadge(b Badge) int64 {
	if b.ID == 0 {
		b.ID = st.Last.Badge + 1
	}
	if b.Type == "" {
		b.Type = "badges"
	}
	st.Last.Badge = max(st.Last.Badge, b.ID)
	st.Badges = append(st.Badges, b)
	return b.ID
}

func (st *state) addMember(m Member) int64 {
	if m.ID == 0 {
		m.ID = st.Last.Member + 1
	}
	if len(m.Roles) == 0 {
		m.Roles = []string{"subscriber"}
	}
	if m.Locale == "" {
		m.Locale = "en"
	}
	st.Last.Member = max(st.Last.Member, m.ID)
	st.Members = append(st.Members, m)
	return m.ID
}

func (st *state) badge(id int64) *Badge {
	for i := range st.Badges {
		if st.Badges[i].ID == id {
			return &st.Badges[i]
		}
	}
	return nil
}

func (st *state) member(id int64) *Member {
	for i := range st.Members {
		if st.Members[i].ID == id {
			return &st.Members[i]
		}
	}
	return nil
}

func (st *state) memberByEmail(address string) *Member {
	for i := range st.Members {
		if strings.EqualFold(st.Members[i].Email, strings.TrimSpace(address)) {
			return &st.Members[i]
		}
	}
	return nil
}

func (st *state) entry(id int64) *entry {
	for i := range st.Entries {
		if st.Entries[i].ID == id {
			return &st.Entries[i]
		}
	}
	return nil
}

func (e entry) fingerprint() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d|%d|%s", e.Member, e.Badge, e.Date))
	return hex.EncodeToString(sum[:])[:16]
}

// insert adds a row; aloud also tells the feed and the gateway.
func (s *Site) insert(badge, member int64, on time.Time, key, trigger string, aloud bool) entry {
	s.st.Last.Entry++
	e := entry{
		ID: s.st.Last.Entry, Badge: badge, Member: member, Date: on.In(s.location).Format(stored), Key: key, Trigger: trigger,
	}
	s.st.Entries = append(s.st.Entries, e)
	if aloud {
		s.record("granted", e, "")
	}
	return e
}

// remove takes a row away; kind "" leaves no trace.
func (s *Site) remove(id int64, kind, reason string) bool {
	i := slices.IndexFunc(s.st.Entries, func(e entry) bool { return e.ID == id })
	if i < 0 {
		return false
	}
	e := s.st.Entries[i]
	s.st.Entries = slices.Delete(s.st.Entries, i, i+1)
	if kind != "" {
		s.record(kind, e, reason)
	}
	return true
}

// record adds to the feed, and a webhook to the queue.
func (s *Site) record(kind string, e entry, reason string) {
	s.st.Last.Seq++
	s.st.Feed = append(s.st.Feed, change{
		Seq: s.st.Last.Seq, Mark: shortHex(), At: instant(s.cfg.Now()), Kind: kind,
		Entry: e.ID, Fingerprint: e.fingerprint(), Reason: reason,
	})
	name := "award.changed"
	switch kind {
	case "granted":
		name = "award.granted"
	case "revoked":
		name = "award.revoked"
	}
	s.enqueue(name, e.ID)
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
