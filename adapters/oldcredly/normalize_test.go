package oldcredly_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"badgebridge/adapters"
	"badgebridge/adapters/oldcredly"
	"badgebridge/openbadges"
)

const configuration = `{"email":"badgeos@old.example.org","password":"a-password-of-twenty","token":"0123456789abcdef0123456789abcdef","salt":"fedcba9876543210fedcba9876543210"}`

func open(t testing.TB) adapters.Door {
	t.Helper()
	a, err := oldcredly.Driver().New(json.RawMessage(configuration), http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	return a.(adapters.Door)
}

func TestASecretThatIsTooShortIsRefusedByItsName(t *testing.T) {
	for _, name := range []string{"password", "token", "salt"} {
		var c map[string]string
		if err := json.Unmarshal([]byte(configuration), &c); err != nil {
			t.Fatal(err)
		}
		c[name] = "short"
		raw, _ := json.Marshal(c)
		_, err := oldcredly.Driver().New(raw, http.DefaultClient)
		if err == nil || !strings.HasPrefix(err.Error(), name+": ") || strings.Contains(err.Error(), "short") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheAccountIsExchangedForTheToken(t *testing.T) {
	d := open(t)
	for _, c := range []struct {
		user, password string
		ok             bool
	}{
		{"badgeos@old.example.org", "a-password-of-twenty", true},
		{" BadgeOS@Old.example.org ", "a-password-of-twenty", true},
		{"badgeos@old.example.org", "a-password-of-twent", false},
		{"other@old.example.org", "a-password-of-twenty", false},
		{"", "", false},
	} {
		token, ok := d.Login(c.user, c.password)
		if ok != c.ok || ok != d.Admits(token) {
			t.Errorf("%q %q: %v, admitted %v", c.user, c.password, ok, d.Admits(token))
		}
	}
}

func TestOneBadgeToOneAddressIsOneRecord(t *testing.T) {
	d := open(t)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	read := func(email, badge string) adapters.Record {
		t.Helper()
		class := openbadges.BadgeClass{Name: "Pathfinder", Unknown: map[string]json.RawMessage{"expires_in": json.RawMessage("86400")}}
		rec, err := d.ReadAward(url.Values{"badge_id": {badge}, "email": {email}, "notify": {"1"}, "evidence_file": {"javascript:alert(1)"}}, class, at)
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	one := read("Ada@Example.org", "7")
	if two := read(" ada@example.org", "7"); two.Ref != one.Ref {
		t.Errorf("%s and %s", one.Ref, two.Ref)
	}
	if other := read("ada@example.org", "8"); other.Ref == one.Ref {
		t.Error("two badges have one record")
	}
	if other := read("bo@example.org", "7"); other.Ref == one.Ref {
		t.Error("two people have one record")
	}
	if strings.Contains(string(one.Ref), "ada") || !one.Award.Expires.Equal(at.Add(24*time.Hour)) || one.Award.BadgeClass.ID != "7" || len(one.Award.Evidence) != 0 {
		t.Errorf("%+v", one)
	}
}

func TestTextsAreCutWhereBadgeOSCutsThem(t *testing.T) {
	c, _, err := open(t).ReadBadge(url.Values{"title": {strings.Repeat("ä", 200)}, "short_description": {"In short"}, "criteria": {"https://old.example.org/how"}})
	if err != nil || len([]rune(c.Name)) != 128 || c.Description != "In short" || c.Criteria.ID != "https://old.example.org/how" {
		t.Errorf("%+v, %v", c, err)
	}
}

func FuzzReadForms(f *testing.F) {
	f.Add("title=a&attachment=aGk%3D&expires_in=5&criteria=http%3A%2F%2Fx%2F", "badge_id=1&email=a%40b.c&first_name=A")
	f.Fuzz(func(t *testing.T, badge, award string) {
		d := open(t)
		b, _ := url.ParseQuery(badge)
		class, image, err := d.ReadBadge(b)
		if err == nil && class.Name == "" || err != nil && image != nil {
			t.Errorf("%q: %+v %v", badge, class, err)
		}
		a, _ := url.ParseQuery(award)
		if rec, err := d.ReadAward(a, class, time.Unix(0, 0)); err == nil && (rec.Ref == "" || rec.Award.Recipient.Identity == "" || !json.Valid(rec.Raw)) {
			t.Errorf("%q: %+v", award, rec)
		}
	})
}
