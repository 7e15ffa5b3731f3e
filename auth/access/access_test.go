package access_test

import (
	"testing"
	"time"

	"badgebridge/auth/access"
	"badgebridge/internal/testenv/database"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
)

func TestRoles(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	cfg := access.Config{
		AdminEmails:          []string{" Ops@Example.org"},
		AdminRolesByProvider: map[string][]string{"campus": {"administrator"}},
		Now:                  func() time.Time { return now },
	}
	signIn := func(provider string, at time.Time, roles ...string) *store.SignIn {
		return &store.SignIn{Issuer: "https://" + provider + ".example.org", Subject: "1", Provider: provider, Roles: roles, LastAt: at}
	}
	for name, c := range map[string]struct {
		address string
		admins  string // the setting
		signIn  *store.SignIn
		want    access.Role
	}{
		"somebody":                                {"ada@example.org", "", nil, access.Member},
		"somebody without anything":               {"", "", nil, access.Member},
		"a configured address":                    {"ops@example.org", "", nil, access.Admin},
		"the set-up's admin":                      {"first@example.org", `["first@example.org"]`, nil, access.Admin},
		"not the set-up's admin":                  {"ada@example.org", `["first@example.org"]`, nil, access.Member},
		"a role of a named provider":              {"", "", signIn("campus", now, "member", "administrator"), access.Admin},
		"another role there":                      {"", "", signIn("campus", now, "editor"), access.Member},
		"the same role of a provider that is not": {"", "", signIn("elsewhere", now, "administrator"), access.Member},
		"a role of long ago":                      {"", "", signIn("campus", now.Add(-access.RoleLife), "administrator"), access.Member},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := sqlstore.Open(t.Context(), database.SQLite(t), sqlstore.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			p, err := db.CreatePerson(t.Context(), store.Person{})
			if err != nil {
				t.Fatal(err)
			}
			if c.address != "" {
				err = db.AddIdentifier(t.Context(), store.Identifier{
					Type: openbadges.IdentityEmail, Value: c.address, PersonID: p.ID, ProvenBy: "code", ProvenAt: now,
				})
			}
			if err == nil && c.admins != "" {
				err = db.PutSetting(t.Context(), access.AdminsSetting, c.admins)
			}
			if err == nil && c.signIn != nil {
				c.signIn.PersonID = p.ID
				err = db.PutSignIn(t.Context(), *c.signIn)
			}
			if err != nil {
				t.Fatal(err)
			}
			cfg := cfg
			cfg.Store = db
			a := access.New(cfg)
			if got, err := a.Role(t.Context(), p.ID); err != nil || got != c.want {
				t.Errorf("%v, %v; want %v", got, err, c.want)
			}
			for _, id := range []string{"", "made-up"} {
				if got, err := a.Role(t.Context(), id); err != nil || got != access.Nobody {
					t.Errorf("%q is %v, %v", id, got, err)
				}
			}
		})
	}
}

func TestADamagedListOfAdminsMakesNobodyAnAdmin(t *testing.T) {
	db, err := sqlstore.Open(t.Context(), database.SQLite(t), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	p, err := db.CreatePerson(t.Context(), store.Person{})
	if err == nil {
		err = db.AddIdentifier(t.Context(), store.Identifier{Type: openbadges.IdentityEmail, Value: "a@example.org", PersonID: p.ID, ProvenBy: "code", ProvenAt: time.Now()})
	}
	if err == nil {
		err = db.PutSetting(t.Context(), access.AdminsSetting, "a@example.org")
	}
	if err != nil {
		t.Fatal(err)
	}
	if got, err := access.New(access.Config{Store: db}).Role(t.Context(), p.ID); err == nil || got != access.Nobody {
		t.Errorf("%v, %v", got, err)
	}
}
