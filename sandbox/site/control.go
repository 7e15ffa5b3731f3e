package site

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// What an association's people, its hoster and its accidents do to the site.

// ErrNoSuch: there is no such badge, member or award.
var ErrNoSuch = errors.New("the site has no such badge, member or award")

// AddBadge adds a badge and returns its id.
func (s *Site) AddBadge(b Badge) (id int64) {
	s.change(func() error { id = s.st.addBadge(b); return nil }) //nolint:errcheck // never fails
	return id
}

// AddMember adds a member and returns their id.
func (s *Site) AddMember(m Member) (id int64) {
	s.change(func() error { id = s.st.addMember(m); return nil }) //nolint:errcheck // never fails
	return id
}

// EraseMember does what a site does when a member asks it to erase their data:
// the awards stay, and say no more whose they are.
func (s *Site) EraseMember(id int64) error {
	return s.change(func() error {
		m := s.st.member(id)
		if m == nil {
			return ErrNoSuch
		}
		m.Erased = true
		s.touch(func(e entry) bool { return e.Member == id })
		return nil
	})
}

// UpdateMember changes a member with f; their awards are in the feed again.
func (s *Site) UpdateMember(id int64, f func(*Member)) error {
	return s.change(func() error {
		m := s.st.member(id)
		if m == nil {
			return ErrNoSuch
		}
		before := m.wire()
		f(m)
		m.ID = id
		if m.wire() != before {
			s.touch(func(e entry) bool { return e.Member == id })
		}
		return nil
	})
}

// UpdateBadge changes a badge with f; its awards are in the feed again.
func (s *Site) UpdateBadge(id int64, f func(*Badge)) error {
	return s.change(func() error {
		b := s.st.badge(id)
		if b == nil {
			return ErrNoSuch
		}
		before := s.wireBadge(*b).Version
		f(b)
		b.ID = id
		if s.wireBadge(*b).Version != before {
			s.touch(func(e entry) bool { return e.Badge == id })
		}
		return nil
	})
}

// RemoveMember deletes an account. The awards stay, without a member.
func (s *Site) RemoveMember(id int64) error {
	return s.change(func() error {
		i := slices.IndexFunc(s.st.Members, func(m Member) bool { return m.ID == id })
		if i < 0 {
			return ErrNoSuch
		}
		s.st.Members = slices.Delete(s.st.Members, i, i+1)
		s.touch(func(e entry) bool { return e.Member == id })
		return nil
	})
}

func (s *Site) touch(which func(entry) bool) {
	for _, e := range s.st.Entries {
		if which(e) {
			s.record("updated", e, "")
		}
	}
}

// Award gives a badge to a member now. trigger is the reason in the site's words.
func (s *Site) Award(badge, member int64, trigger string) (entry int64, err error) {
	return s.award(badge, member, trigger, true)
}

// AwardSilently adds an award that neither the feed nor a webhook tells of, like
// one from before the plugin was there.
func (s *Site) AwardSilently(badge, member int64) (entry int64, err error) {
	return s.award(badge, member, "", false)
}

func (s *Site) award(badge, member int64, trigger string, aloud bool) (entry int64, err error) {
	err = s.change(func() error {
		if s.st.badge(badge) == nil || s.st.member(member) == nil {
			return ErrNoSuch
		}
		entry = s.insert(badge, member, s.cfg.Now(), "", trigger, aloud).ID
		return nil
	})
	return entry, err
}

// Revoke takes an award back: an explicit act with a tombstone.
func (s *Site) Revoke(entry int64, reason string) error { return s.drop(entry, "revoked", reason) }

// Delete drops an award with a tombstone that says that nobody meant to revoke.
func (s *Site) Delete(entry int64, reason string) error { return s.drop(entry, "deleted", reason) }

// DeleteSilently drops an award without a trace.
func (s *Site) DeleteSilently(entry int64) error { return s.drop(entry, "", "") }

func (s *Site) drop(entry int64, kind, reason string) error {
	return s.change(func() error {
		if !s.remove(entry, kind, reason) {
			return ErrNoSuch
		}
		return nil
	})
}

// Held is an award as the site holds it, for tests and pages.
type Held struct {
	Entry       int64
	Fingerprint string
	Badge       Badge
	Member      *Member // nil when the account is gone
	On          time.Time
	Key         string // the gateway's, "" for the site's own
	Trigger     string
}

// Awards lists what the site holds, by entry.
func (s *Site) Awards() []Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Held, 0, len(s.st.Entries))
	for _, e := range s.st.Entries {
		h := Held{Entry: e.ID, Fingerprint: e.fingerprint(), On: s.date(e), Key: e.Key, Trigger: e.Trigger}
		if b := s.st.badge(e.Badge); b != nil {
			h.Badge = *b
		}
		if m := s.st.member(e.Member); m != nil {
			member := *m
			h.Member = &member
		}
		out = append(out, h)
	}
	return out
}

// Badges lists the badges, by id.
func (s *Site) Badges() []Badge {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.st.Badges)
}

// Members lists the members, by id.
func (s *Site) Members() []Member {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.st.Members)
}

// PairedWith is the pairing, nil when there is none.
func (s *Site) PairedWith() *Pairing {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.st.Pairing == nil {
		return nil
	}
	p := *s.st.Pairing
	return &p
}

// Pending is how many webhooks are still to be sent.
func (s *Site) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.st.Queue)
}

// Backup is the whole site as bytes.
func (s *Site) Backup() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(s.st)
}

// Restore puts the site back to a backup: entries and changes made since are
// gone, and their numbers are given again.
func (s *Site) Restore(backup []byte) error {
	var st state
	if err := json.Unmarshal(backup, &st); err != nil {
		return fmt.Errorf("site: restore: %w", err)
	}
	return s.change(func() error { s.st = st; return nil })
}

// SetIdentity makes the site another one: a clone has the same uuid at another
// home. It goes on answering at its old address.
func (s *Site) SetIdentity(uuid, home string) {
	s.change(func() error { s.st.UUID, s.st.Home = uuid, home; return nil }) //nolint:errcheck // never fails
}

// Identity is the site's uuid and home URL.
func (s *Site) Identity() (uuid, home string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.st.UUID, s.st.Home
}

// SetProvider switches the badge plugin: "badgeos", "gamipress" or "none".
func (s *Site) SetProvider(id string) {
	s.change(func() error { s.st.Provider = id; return nil }) //nolint:errcheck // never fails
}

// SetActive switches the Badgebridge plugin on and off; without it WordPress
// knows none of its routes.
func (s *Site) SetActive(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inactive = !on
}

// TestWebhook sends the gateway a test event.
func (s *Site) TestWebhook() {
	s.change(func() error { s.enqueue("test", 0); return nil }) //nolint:errcheck // never fails
}

// RetryWebhooks sends all that is still to be sent, whenever it would be due, and
// returns when each was tried.
func (s *Site) RetryWebhooks(ctx context.Context) { s.round(ctx, true) }

// Pair gives the gateway the one-time code and keeps the key that it answers
// with. The error holds the gateway's own words.
func (s *Site) Pair(ctx context.Context, gatewayURL, code string) error {
	uuid, home := s.Identity()
	body, err := json.Marshal(map[string]string{
		"code": strings.TrimSpace(code), "site_uuid": uuid, "home_url": home, "rest_url": s.cfg.BaseURL + "/wp-json",
		"name": s.cfg.Name, "plugin_version": "simulated", "oidc_issuer": s.Issuer(),
	})
	if err != nil {
		return fmt.Errorf("pair: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	gatewayURL = strings.TrimRight(strings.TrimSpace(gatewayURL), "/")
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, gatewayURL+"/api/v1/pair", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("pair: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	response, err := s.cfg.Client.Do(request)
	if err != nil {
		return fmt.Errorf("pair: the gateway can't be reached: %w", err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("pair: %w", err)
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		var no refusal
		if json.Unmarshal(data, &no) != nil || no.Message == "" {
			no.Message = http.StatusText(response.StatusCode)
		}
		return fmt.Errorf("pair: the gateway refused (%d): %s", response.StatusCode, no.Message)
	}
	var p Pairing
	if err := json.Unmarshal(data, &p); err != nil || p.KeyID == "" || p.Secret == "" {
		return errors.New("pair: the gateway's answer holds no key")
	}
	p.UUID, p.Home, p.Gateway = uuid, home, gatewayURL
	return s.change(func() error { s.st.Pairing, s.st.Queue = &p, nil; return nil })
}

// Unpair forgets the gateway.
func (s *Site) Unpair() {
	s.change(func() error { s.st.Pairing, s.st.Queue = nil, nil; return nil }) //nolint:errcheck // never fails
}
