// Package access says who may do what. There are two roles. An admin is made by
// the operator's configuration (an address), by the set-up (the first admin), or
// by a role that a provider which the operator named gives somebody; never by
// what a person can say about themselves.
package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"badgebridge/openbadges"
	"badgebridge/store"
)

// Role is what somebody may do. More is greater.
type Role int

// The roles.
const (
	Nobody Role = iota // not signed in, or no such person
	Member
	Admin
)

// String is the role's word.
func (r Role) String() string {
	switch r {
	case Member:
		return "member"
	case Admin:
		return "admin"
	}
	return "nobody"
}

// AdminsSetting is the store's setting that lists the admins' addresses, made at
// set-up: a JSON array of normalized addresses.
const AdminsSetting = "admins"

// RoleLife is how long a provider's word about roles holds. A session lasts as
// long at most, so nobody loses a role while at work.
const RoleLife = 30 * 24 * time.Hour

// Config is what an Access works with. Store is required.
type Config struct {
	Store Store
	// AdminEmails come from the operator's configuration. They count for the
	// person who has proven them.
	AdminEmails []string
	// AdminRolesByProvider says which role names of which provider make an admin.
	AdminRolesByProvider map[string][]string
	Now                  func() time.Time // nil: time.Now
}

// Store is what an Access asks of the store.
type Store interface {
	Setting(ctx context.Context, name string) (string, error)
	PutSetting(ctx context.Context, name, value string) error
	Person(ctx context.Context, id string) (store.Person, error)
	SignInsOf(ctx context.Context, personIDs ...string) ([]store.SignIn, error)
	IdentifiersOf(ctx context.Context, personIDs ...string) ([]store.Identifier, error)
}

// Access finds out roles. It is safe for concurrent use.
type Access struct {
	cfg    Config
	emails map[string]bool
}

// New makes an Access. It does no I/O.
func New(cfg Config) *Access {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	a := &Access{cfg: cfg, emails: map[string]bool{}}
	for _, e := range cfg.AdminEmails {
		a.emails[openbadges.NormalizeEmail(e)] = true
	}
	return a
}

// Role is the role of a person; Nobody for "" and for ids that nobody has.
func (a *Access) Role(ctx context.Context, personID string) (Role, error) {
	if personID == "" {
		return Nobody, nil
	}
	if _, err := a.cfg.Store.Person(ctx, personID); errors.Is(err, store.ErrNotFound) {
		return Nobody, nil
	} else if err != nil {
		return Nobody, fmt.Errorf("role: %w", err)
	}
	admin, err := a.byAddress(ctx, personID)
	if err == nil && !admin {
		admin, err = a.bySignIn(ctx, personID)
	}
	switch {
	case err != nil:
		return Nobody, fmt.Errorf("role: %w", err)
	case admin:
		return Admin, nil
	}
	return Member, nil
}

// byAddress reports whether the person has proven an admin's address.
func (a *Access) byAddress(ctx context.Context, personID string) (bool, error) {
	ids, err := a.cfg.Store.IdentifiersOf(ctx, personID)
	if err != nil || len(ids) == 0 {
		return false, err
	}
	admins, err := Admins(ctx, a.cfg.Store)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(ids, func(i store.Identifier) bool {
		return i.Type == openbadges.IdentityEmail && (a.emails[i.Value] || slices.Contains(admins, i.Value))
	}), nil
}

// bySignIn reports whether a named provider lately gave the person a role that
// makes an admin.
func (a *Access) bySignIn(ctx context.Context, personID string) (bool, error) {
	if len(a.cfg.AdminRolesByProvider) == 0 {
		return false, nil
	}
	list, err := a.cfg.Store.SignInsOf(ctx, personID)
	if err != nil {
		return false, err
	}
	now := a.cfg.Now()
	return slices.ContainsFunc(list, func(s store.SignIn) bool {
		return now.Sub(s.LastAt) < RoleLife && slices.ContainsFunc(s.Roles, func(r string) bool {
			return slices.Contains(a.cfg.AdminRolesByProvider[s.Provider], r)
		})
	}), nil
}

// OnlyAdmin reports whether nobody could act as an admin any more without this
// person: they are one by an address that the set-up named, and it named no other.
func (a *Access) OnlyAdmin(ctx context.Context, personID string) (bool, error) {
	if len(a.emails) > 0 || len(a.cfg.AdminRolesByProvider) > 0 && a.anyRole() {
		return false, nil
	}
	admins, err := Admins(ctx, a.cfg.Store)
	if err != nil || len(admins) == 0 {
		return false, err
	}
	ids, err := a.cfg.Store.IdentifiersOf(ctx, personID)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(admins, func(admin string) bool {
		return !slices.ContainsFunc(ids, func(i store.Identifier) bool { return i.Value == admin })
	}), nil
}

func (a *Access) anyRole() bool {
	for _, roles := range a.cfg.AdminRolesByProvider {
		if len(roles) > 0 {
			return true
		}
	}
	return false
}

// Forget takes addresses from those that the set-up made admins: their person is
// gone.
func (a *Access) Forget(ctx context.Context, addresses []string) error {
	admins, err := Admins(ctx, a.cfg.Store)
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(admins), func(admin string) bool { return slices.Contains(addresses, admin) })
	if len(left) == len(admins) {
		return nil
	}
	data, err := json.Marshal(left)
	if err != nil {
		return err
	}
	return a.cfg.Store.PutSetting(ctx, AdminsSetting, string(data))
}

// Admins lists the addresses that the set-up made admins.
func Admins(ctx context.Context, st interface {
	Setting(ctx context.Context, name string) (string, error)
}) ([]string, error) {
	v, err := st.Setting(ctx, AdminsSetting)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []string
	if err := json.Unmarshal([]byte(v), &list); err != nil {
		return nil, fmt.Errorf("read the setting %s: %w", AdminsSetting, err)
	}
	return list, nil
}
