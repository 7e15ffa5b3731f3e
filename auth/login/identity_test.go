package login_test

import (
	"errors"
	"slices"
	"testing"

	"badgebridge/auth/login"
	"badgebridge/store"
)

const ada = "ada@example.org"

func mustSignIn(t *testing.T, w *world, d *double) login.Result {
	t.Helper()
	res, err := w.signIn(t, d, "/badges?page=2")
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestTheFirstSignInMakesAPersonWithNamesAndRoles(t *testing.T) {
	d := newDouble(t, "double")
	d.claims["roles"], d.claims["email"] = []string{"administrator", "member"}, "Ada@Example.org"
	w := newWorld(t, d.provider())
	res := mustSignIn(t, w, d)
	if !res.New || res.PersonID == "" || res.Provider != "double" || res.ReturnTo != "/badges?page=2" || res.IDToken == "" || res.Email != ada {
		t.Fatalf("%+v", res)
	}
	p, err := w.st.Person(t.Context(), res.PersonID)
	if err != nil || p.Name() != "Ada Demo" {
		t.Errorf("the person is %+v, %v", p, err)
	}
	if w.owner(t, ada) != res.PersonID || w.proven[ada] != res.PersonID {
		t.Error("the address was not attached and told")
	}
	list, err := w.st.SignInsOf(t.Context(), res.PersonID)
	if err != nil || len(list) != 1 || !slices.Equal(list[0].Roles, []string{"administrator", "member"}) || list[0].Provider != "double" {
		t.Errorf("the sign-ins are %+v, %v", list, err)
	}
}

func TestTheSecondSignInIsTheSamePersonWithTheRolesOfToday(t *testing.T) {
	d := newDouble(t, "double")
	d.claims["roles"] = []string{"administrator"}
	w := newWorld(t, d.provider())
	first := mustSignIn(t, w, d)
	// Everything but the subject changed, and the role is gone.
	d.claims = map[string]any{"email": "new@example.org", "email_verified": true, "name": "Somebody Else", "roles": []string{}}
	second := mustSignIn(t, w, d)
	if second.PersonID != first.PersonID || second.New {
		t.Fatalf("%+v then %+v", first, second)
	}
	list, _ := w.st.SignInsOf(t.Context(), first.PersonID)
	if len(list) != 1 || len(list[0].Roles) != 0 {
		t.Errorf("the sign-ins are %+v", list)
	}
	if p, _ := w.st.Person(t.Context(), first.PersonID); p.Name() != "Ada Demo" {
		t.Errorf("the name became %q", p.Name())
	}
	if w.owner(t, "new@example.org") != first.PersonID || w.owner(t, ada) != first.PersonID {
		t.Error("a proven address is missing")
	}
}

func TestAnAddressIsAttachedOnlyWhenVerifiedByWhoIsAuthoritative(t *testing.T) {
	for name, c := range map[string]struct {
		authoritative bool
		verified      any
		attached      bool
	}{
		"verified, authoritative":     {true, true, true},
		"verified in writing":         {true, "true", true},
		"not verified":                {true, false, false},
		"nothing said":                {true, nil, false},
		"verified by a number":        {true, 1, false},
		"verified, not authoritative": {false, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDouble(t, "double")
			d.claims["email_verified"] = c.verified
			w := newWorld(t, d.provider(func(p *login.Provider) { p.EmailAuthoritative = c.authoritative }))
			res := mustSignIn(t, w, d)
			if !res.New {
				t.Fatalf("%+v", res)
			}
			if got := w.owner(t, ada) == res.PersonID; got != c.attached {
				t.Errorf("attached: %t", got)
			}
			if (res.Email == ada) != c.attached || (res.Unproven == ada) == c.attached || len(w.proven) == 1 != c.attached {
				t.Errorf("%+v, heard %v", res, w.proven)
			}
		})
	}
}

func TestAClaimFromTheUserInfoIsNotProvenByTheToken(t *testing.T) {
	d := newDouble(t, "double")
	d.claims = map[string]any{"email_verified": true} // signed, but about which address?
	d.userInfo = map[string]any{"sub": d.subject, "email": ada}
	w := newWorld(t, d.provider())
	if res := mustSignIn(t, w, d); res.Email != "" || w.owner(t, ada) != "" {
		t.Errorf("%+v", res)
	}
}

func TestWhoCameByCodeAndComesByAProviderThatProvesTheAddressIsOnePerson(t *testing.T) {
	d := newDouble(t, "double")
	w := newWorld(t, d.provider())
	byCode := w.byCode(t, "ada@example.org")
	if !byCode.New || byCode.Provider != login.CodeProvider {
		t.Fatalf("%+v", byCode)
	}
	res := mustSignIn(t, w, d)
	if res.PersonID != byCode.PersonID || res.New || res.Email != ada || w.people(t) != 1 {
		t.Fatalf("by code %s, by provider %+v", byCode.PersonID, res)
	}
	if p, _ := w.st.Person(t.Context(), res.PersonID); p.Name() != "Ada Demo" {
		t.Errorf("the names were not taken over: %q", p.Name())
	}
	if again := w.byCode(t, ada); again.PersonID != res.PersonID || again.New {
		t.Errorf("by code again: %+v", again)
	}
}

func TestClaimsNeverMergeAccounts(t *testing.T) {
	for name, c := range map[string]struct {
		authoritative, verified, otherWayIn bool
	}{
		"not verified":                      {true, false, false},
		"not authoritative":                 {false, true, false},
		"the account has another way in":    {true, true, true},
		"neither, and another way in there": {false, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			d, other := newDouble(t, "double"), newDouble(t, "other")
			w := newWorld(t, d.provider(func(p *login.Provider) { p.EmailAuthoritative = c.authoritative }), other.provider())
			d.claims["email_verified"] = c.verified
			var owner string
			if c.otherWayIn {
				owner = mustSignIn(t, w, other).PersonID
			} else {
				owner = w.byCode(t, ada).PersonID
			}
			res := mustSignIn(t, w, d)
			if res.PersonID != "" || !res.EmailTaken || res.Pending == "" || res.Unproven != ada || w.people(t) != 1 {
				t.Fatalf("%+v, %d accounts", res, w.people(t))
			}
			if _, err := w.st.SignIn(t.Context(), d.srv.URL, d.subject); !errors.Is(err, store.ErrNotFound) {
				t.Fatalf("a sign-in was kept: %v", err)
			}

			// A code to the address decides: it is the same person.
			id, err := w.SendCode(t.Context(), login.CodeRequest{Email: ada, Pending: res.Pending})
			if err != nil {
				t.Fatal(err)
			}
			m, code := w.code(t)
			if m.Purpose != login.PurposeJoin {
				t.Errorf("the mail is for %q", m.Purpose)
			}
			if _, err := w.CheckCode(t.Context(), id, code); !errors.Is(err, login.ErrCodeExpired) {
				t.Fatalf("the code alone signs in: %v", err)
			}
			joined, err := w.CheckPending(t.Context(), id, code, res.Pending)
			if err != nil || joined.PersonID != owner || joined.ReturnTo != "/badges?page=2" || joined.IDToken != res.IDToken {
				t.Fatalf("%+v, %v; the owner is %s", joined, err, owner)
			}
			if again := mustSignIn(t, w, d); again.PersonID != owner || again.EmailTaken {
				t.Errorf("the next time: %+v", again)
			}
			if _, err := w.Separate(t.Context(), res.Pending); !errors.Is(err, login.ErrUnknownState) {
				t.Errorf("decided twice: %v", err)
			}
		})
	}
}

func TestWhoCannotProveTheAddressGetsAnAccountWithoutIt(t *testing.T) {
	d := newDouble(t, "double")
	d.claims["email_verified"] = false
	w := newWorld(t, d.provider())
	owner := w.byCode(t, ada).PersonID
	res := mustSignIn(t, w, d)
	own, err := w.Separate(t.Context(), res.Pending)
	if err != nil || own.PersonID == "" || own.PersonID == owner || !own.New || own.ReturnTo != "/badges?page=2" {
		t.Fatalf("%+v, %v", own, err)
	}
	if w.owner(t, ada) != owner {
		t.Error("the address changed hands")
	}
	again := mustSignIn(t, w, d)
	if again.PersonID != own.PersonID || !again.EmailTaken || again.Pending != "" {
		t.Errorf("the next time: %+v", again)
	}
}

func TestAPendingSignInIsNotJoinedByACodeToAnotherAddress(t *testing.T) {
	d := newDouble(t, "double")
	d.claims["email_verified"] = false
	w := newWorld(t, d.provider())
	owner := w.byCode(t, ada).PersonID
	res := mustSignIn(t, w, d)
	id, err := w.SendCode(t.Context(), login.CodeRequest{Email: "mallory@example.org", Pending: res.Pending})
	if err != nil {
		t.Fatal(err)
	}
	_, code := w.code(t)
	if got, err := w.CheckPending(t.Context(), id, code, res.Pending); !errors.Is(err, login.ErrUnknownState) || got.PersonID != "" {
		t.Fatalf("%+v, %v", got, err)
	}
	if list, _ := w.st.SignInsOf(t.Context(), owner); len(list) != 0 {
		t.Errorf("the account got a way in: %+v", list)
	}
}

func TestAnAddressOfAnotherPersonStaysTheirsWhenAKnownSignInNamesIt(t *testing.T) {
	d := newDouble(t, "double")
	w := newWorld(t, d.provider())
	first := mustSignIn(t, w, d)
	owner := w.byCode(t, "grace@example.org").PersonID
	d.claims["email"] = "grace@example.org"
	res := mustSignIn(t, w, d)
	if res.PersonID != first.PersonID || !res.EmailTaken || res.Email != "" || w.owner(t, "grace@example.org") != owner {
		t.Errorf("%+v", res)
	}
	if w.proven["grace@example.org"] != owner {
		t.Error("awards to the address would change hands")
	}
}

func TestOneSubjectAtTwoIssuersIsTwoPeople(t *testing.T) {
	a, b := newDouble(t, "a"), newDouble(t, "b")
	delete(a.claims, "email")
	delete(b.claims, "email")
	w := newWorld(t, a.provider(), b.provider())
	if mustSignIn(t, w, a).PersonID == mustSignIn(t, w, b).PersonID {
		t.Error("they are one")
	}
}

func TestClaimsOfOddTypesAreTakenAsAbsent(t *testing.T) {
	d := newDouble(t, "double")
	d.claims = map[string]any{
		"email": []string{ada}, "email_verified": true, "given_name": 7, "name": "Ada King Demo",
		"roles": "administrator", "locale": map[string]string{},
	}
	w := newWorld(t, d.provider())
	res := mustSignIn(t, w, d)
	p, err := w.st.Person(t.Context(), res.PersonID)
	if err != nil || p.GivenName != "Ada King" || p.FamilyName != "Demo" || p.Locale != "" {
		t.Errorf("%+v, %v", p, err)
	}
	if !slices.Equal(res.Roles, []string{"administrator"}) {
		t.Errorf("roles %q", res.Roles)
	}
	if ids, _ := w.st.IdentifiersOf(t.Context(), res.PersonID); len(ids) != 0 {
		t.Errorf("identifiers %v", ids)
	}
}

func TestRolesAreTakenOnlyFromTheNamedClaim(t *testing.T) {
	d := newDouble(t, "double")
	d.claims["roles"] = []string{"administrator"}
	w := newWorld(t, d.provider(func(p *login.Provider) { p.RolesClaim = "" }))
	if res := mustSignIn(t, w, d); len(res.Roles) != 0 {
		t.Errorf("%q", res.Roles)
	}
}
