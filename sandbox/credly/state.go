package credly

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// tokenLife is how long an authorization token holds.
const tokenLife = 180 * 24 * time.Hour

func (s *Sim) load() error {
	if s.cfg.StateFile != "" {
		b, err := os.ReadFile(s.cfg.StateFile)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("credly simulator: read state: %w", err)
		}
		if err == nil {
			if err := json.Unmarshal(b, &s.st); err != nil {
				return fmt.Errorf("credly simulator: %s does not hold its state (remove the file to start anew): %w", s.cfg.StateFile, err)
			}
		}
	}
	s.index()
	return nil
}

// index rebuilds the lookups from the lists.
func (s *Sim) index() {
	st := &s.st
	s.byID = make(map[string]*Badge, len(st.Badges))
	st.byTemplate, st.byEarner = map[string][]*Badge{}, map[string][]*Badge{}
	st.byEmail, st.byUser, st.accounts = map[string][]*Badge{}, map[string][]*Badge{}, map[string]*User{}
	st.templates, st.emails, st.events = map[string]*Template{}, map[string]*User{}, map[string]*Event{}
	st.queue = nil
	if st.Bearers == nil {
		st.Bearers = map[string]*bearer{}
	}
	if st.Pictures == nil {
		st.Pictures = map[string][]byte{}
	}
	if st.Deleted == nil {
		st.Deleted = map[string]bool{}
	}
	for _, b := range st.Badges {
		s.indexBadge(b)
	}
	for _, t := range st.Templates {
		st.templates[t.ID] = t
	}
	for _, u := range st.Users {
		s.indexUser(u)
	}
	for _, e := range st.Events {
		st.events[e.ID] = e
	}
	for _, d := range st.Deliveries {
		if !d.Done && !d.GivenUp {
			st.queue = append(st.queue, d)
		}
	}
}

// ways are the lookups that a badge is in, each with its key there.
func (s *Sim) ways(b *Badge) map[*map[string][]*Badge]string {
	st := &s.st
	return map[*map[string][]*Badge]string{&st.byTemplate: b.TemplateID, &st.byEarner: b.EarnerID, &st.byEmail: emailKey(b.Email), &st.byUser: b.UserID}
}

func emailKey(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

func (s *Sim) indexBadge(b *Badge) {
	s.places++
	b.place = s.places
	s.byID[b.ID] = b
	for way, key := range s.ways(b) {
		if key != "" {
			(*way)[key] = append((*way)[key], b)
		}
	}
}

func (s *Sim) indexUser(u *User) {
	s.st.accounts[u.ID] = u
	for _, e := range u.Emails {
		s.st.emails[emailKey(e)] = u
	}
}

// save writes StateFile in one step: a crash leaves the old or the new state.
func (s *Sim) save() {
	if s.cfg.StateFile == "" {
		return
	}
	s.saveErr = func() error {
		b, err := json.Marshal(&s.st)
		if err != nil {
			return err
		}
		dir := filepath.Dir(s.cfg.StateFile)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		f, err := os.CreateTemp(dir, ".credly-*")
		if err != nil {
			return err
		}
		defer os.Remove(f.Name())
		_, err = f.Write(b)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		return os.Rename(f.Name(), s.cfg.StateFile)
	}()
}

func (s *Sim) addBadge(b *Badge) {
	s.st.Badges = append(s.st.Badges, b)
	s.indexBadge(b)
}

func (s *Sim) dropBadge(b *Badge) {
	same := func(o *Badge) bool { return o == b }
	s.st.Badges = slices.DeleteFunc(s.st.Badges, same)
	for way, key := range s.ways(b) {
		(*way)[key] = slices.DeleteFunc((*way)[key], same)
	}
	delete(s.byID, b.ID)
	delete(s.stale, b.ID)
	s.st.Deleted[b.ID] = true
}

func (s *Sim) org(id string) *Org {
	for _, o := range s.st.Orgs {
		if o.ID == id {
			return o
		}
	}
	return nil
}

// Seed adds what is in it. Records with an id that is there already replace the
// old ones, so that seeding twice changes nothing; empty ids and times are
// filled in. Seeded badges raise no events.
func (s *Sim) Seed(in Seed) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for _, o := range in.Orgs {
		o.ID = orNew(o.ID)
		o.CreatedAt, o.UpdatedAt = orTime(o.CreatedAt, now), orTime(o.UpdatedAt, now)
		if o.Slug == "" {
			o.Slug = slug(o.Name)
		}
		put(&s.st.Orgs, &o, func(x *Org) string { return x.ID })
	}
	for _, t := range in.Tokens {
		if s.org(t.OrgID) == nil || t.Token == "" {
			return fmt.Errorf("seed: token %q: needs a known organization_id and a token", t.ID)
		}
		t.ID, t.CreatedAt = orNew(t.ID), orTime(t.CreatedAt, now)
		if t.ExpiresAt == nil {
			end := t.CreatedAt.Add(tokenLife)
			t.ExpiresAt = &end
		}
		put(&s.st.Tokens, &t, func(x *Token) string { return x.Token })
	}
	for _, a := range in.Apps {
		if s.org(a.OrgID) == nil || a.UID == "" || a.Secret == "" {
			return fmt.Errorf("seed: application %q: needs a known organization_id, a uid and a secret", a.UID)
		}
		a.CreatedAt = orTime(a.CreatedAt, now)
		put(&s.st.Apps, &a, func(x *App) string { return x.UID })
	}
	for _, t := range in.Templates {
		if s.org(t.OrgID) == nil || t.Name == "" {
			return fmt.Errorf("seed: badge template %q: needs a known organization_id and a name", t.Name)
		}
		t.ID, t.ImageID = orNew(t.ID), orNew(t.ImageID)
		if t.State == "" {
			t.State = "active"
		}
		t.CreatedAt, t.UpdatedAt = orTime(t.CreatedAt, now), orTime(t.UpdatedAt, now)
		put(&s.st.Templates, &t, func(x *Template) string { return x.ID })
	}
	for _, u := range in.Users {
		if len(u.Emails) == 0 {
			return fmt.Errorf("seed: user %q: needs an address", u.ID)
		}
		u.ID = orNew(u.ID)
		if u.Slug == "" {
			u.Slug = slug(u.FirstName + " " + u.LastName)
		}
		put(&s.st.Users, &u, func(x *User) string { return x.ID })
	}
	s.index()
	for _, b := range in.Badges {
		t := s.st.templates[b.TemplateID]
		if t == nil || b.Email == "" {
			return fmt.Errorf("seed: badge %q: needs a known badge_template_id and a recipient_email", b.ID)
		}
		b.ID, b.OrgID = orNew(b.ID), t.OrgID
		if b.State == "" {
			b.State = Pending
		}
		if b.Locale == "" {
			b.Locale = "en"
		}
		b.CreatedAt = orTime(b.CreatedAt, now)
		b.IssuedAt, b.UpdatedAt = orTime(b.IssuedAt, b.CreatedAt), orTime(b.UpdatedAt, b.CreatedAt)
		b.VisibleAt = b.CreatedAt
		if old := s.byID[b.ID]; old != nil {
			s.dropBadge(old)
		}
		delete(s.st.Deleted, b.ID)
		s.addBadge(&b)
	}
	s.save()
	return nil
}

func put[T any](list *[]*T, v *T, key func(*T) string) {
	for i, old := range *list {
		if key(old) == key(v) {
			(*list)[i] = v
			return
		}
	}
	*list = append(*list, v)
}

func orNew(id string) string {
	if id == "" {
		return newID()
	}
	return id
}

func orTime(t, fallback time.Time) time.Time {
	if t.IsZero() {
		return fallback
	}
	return t.UTC().Truncate(time.Millisecond)
}

func slug(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !('a' <= r && r <= 'z' || '0' <= r && r <= '9')
	})
	return strings.Join(words, "-")
}
