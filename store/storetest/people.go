package storetest

import (
	"slices"
	"testing"
	"time"

	"badgebridge/openbadges"
	"badgebridge/store"
)

func people(t *testing.T, s store.Store) {
	ctx := t.Context()
	ada := got[store.Person](t)(s.CreatePerson(ctx, store.Person{GivenName: "Ada", FamilyName: "Demo", Locale: "de"}))
	bob := got[store.Person](t)(s.CreatePerson(ctx, store.Person{GivenName: "Bob"}))
	same(t, "person", got[store.Person](t)(s.Person(ctx, ada.ID)), ada)
	_, err := s.CreatePerson(ctx, ada)
	wantErr(t, err, store.ErrExists)
	_, err = s.Person(ctx, "unknown")
	wantErr(t, err, store.ErrNotFound)
	ada.FamilyName = "Example"
	must(t, s.PutPerson(ctx, ada))
	same(t, "name", got[store.Person](t)(s.Person(ctx, ada.ID)).Name(), "Ada Example")
	wantErr(t, s.PutPerson(ctx, store.Person{ID: "unknown"}), store.ErrNotFound)

	byID := []string{ada.ID, bob.ID}
	slices.Sort(byID)
	id := func(p store.Person) string { return p.ID }
	same(t, "persons by id", ids(got[[]store.Person](t)(s.Persons(ctx, "", 10)), id), byID)
	same(t, "first page", ids(got[[]store.Person](t)(s.Persons(ctx, "", 1)), id), byID[:1])
	same(t, "second page", ids(got[[]store.Person](t)(s.Persons(ctx, byID[0], 1)), id), byID[1:])

	in := store.SignIn{Issuer: "https://id.example.org", Subject: "42", PersonID: ada.ID, Provider: "campus", Roles: []string{"admin"}, LastAt: t0}
	must(t, s.PutSignIn(ctx, in))
	same(t, "sign-in", got[store.SignIn](t)(s.SignIn(ctx, in.Issuer, in.Subject)), in)
	in.Roles, in.LastAt = nil, t0.Add(time.Hour)
	must(t, s.PutSignIn(ctx, in))
	same(t, "sign-in, later", got[store.SignIn](t)(s.SignIn(ctx, in.Issuer, in.Subject)), in)
	stolen := in
	stolen.PersonID = bob.ID
	wantErr(t, s.PutSignIn(ctx, stolen), store.ErrExists)
	same(t, "sign-ins", got[[]store.SignIn](t)(s.SignInsOf(ctx, ada.ID)), []store.SignIn{in})
	same(t, "sign-ins of both", got[[]store.SignIn](t)(s.SignInsOf(ctx, bob.ID, ada.ID)), []store.SignIn{in})
	same(t, "none of the other", len(got[[]store.SignIn](t)(s.SignInsOf(ctx, bob.ID))), 0)
	_, err = s.SignIn(ctx, in.Issuer, "unknown")
	wantErr(t, err, store.ErrNotFound)

	mail := store.Identifier{Type: openbadges.IdentityEmail, Value: "ada@example.org", PersonID: ada.ID, ProvenBy: "code", ProvenAt: t0}
	must(t, s.AddIdentifier(ctx, mail))
	mail.ProvenBy, mail.ProvenAt = "provider:campus", t0.Add(time.Hour)
	must(t, s.AddIdentifier(ctx, mail))
	same(t, "renewed proof", got[store.Identifier](t)(s.Identifier(ctx, openbadges.IdentityEmail, "ada@example.org")), mail)
	taken := mail
	taken.PersonID = bob.ID
	wantErr(t, s.AddIdentifier(ctx, taken), store.ErrExists)
	same(t, "identifiers of both", got[[]store.Identifier](t)(s.IdentifiersOf(ctx, bob.ID, ada.ID)), []store.Identifier{mail})
	same(t, "it stays hers", got[[]store.Identifier](t)(s.IdentifiersOf(ctx, ada.ID)), []store.Identifier{mail})
	_, err = s.Identifier(ctx, openbadges.IdentityURL, "ada@example.org")
	wantErr(t, err, store.ErrNotFound)
}

func codes(t *testing.T, s store.Store) {
	ctx := t.Context()
	code := store.Code{ID: "c1", Email: "ada@example.org", Hash: "h", Purpose: "sign-in", ExpiresAt: t0}
	must(t, s.CreateCode(ctx, code))
	wantErr(t, s.CreateCode(ctx, code), store.ErrExists)
	code.Attempts = 1
	same(t, "first attempt", got[store.Code](t)(s.TryCode(ctx, "c1")), code)
	seen := make(chan int, 8)
	atOnce(8, func(int) {
		k, err := s.TryCode(ctx, "c1")
		if err != nil {
			t.Error(err)
		}
		seen <- k.Attempts
	})
	close(seen)
	var counts []int
	for n := range seen {
		counts = append(counts, n)
	}
	slices.Sort(counts)
	same(t, "every attempt counts", counts, []int{2, 3, 4, 5, 6, 7, 8, 9})
	must(t, s.DeleteCode(ctx, "c1"))
	must(t, s.DeleteCode(ctx, "c1"))
	_, err := s.TryCode(ctx, "c1")
	wantErr(t, err, store.ErrNotFound)
}

func sessions(t *testing.T, s store.Store) {
	ctx := t.Context()
	must(t, s.PutSession(ctx, "h1", "", []byte("one"), t0.Add(time.Hour)))
	must(t, s.PutSession(ctx, "h1", "", []byte("two \x00"), t0.Add(2*time.Hour)))
	same(t, "session", got[[]byte](t)(s.Session(ctx, "h1", t0.Add(time.Hour))), []byte("two \x00"))
	_, err := s.Session(ctx, "h1", t0.Add(2*time.Hour))
	wantErr(t, err, store.ErrNotFound)
	_, err = s.Session(ctx, "unknown", t0)
	wantErr(t, err, store.ErrNotFound)
	must(t, s.DeleteSession(ctx, "h1"))
	must(t, s.DeleteSession(ctx, "h1"))
	_, err = s.Session(ctx, "h1", t0)
	wantErr(t, err, store.ErrNotFound)

	must(t, s.CreateLoginState(ctx, "s1", []byte("state"), t0.Add(time.Hour)))
	wantErr(t, s.CreateLoginState(ctx, "s1", []byte("other"), t0.Add(time.Hour)), store.ErrExists)
	taken := make(chan []byte, 8)
	atOnce(8, func(int) {
		data, err := s.TakeLoginState(ctx, "s1", t0)
		if err == nil {
			taken <- data
		} else if !isNotFound(err) {
			t.Error(err)
		}
	})
	same(t, "a state is good once", len(taken), 1)
	same(t, "its data", <-taken, []byte("state"))
	must(t, s.CreateLoginState(ctx, "s2", []byte("state"), t0))
	_, err = s.TakeLoginState(ctx, "s2", t0)
	wantErr(t, err, store.ErrNotFound)

	fresh := make(chan struct{}, 8)
	atOnce(8, func(int) {
		ok, err := s.UseOnce(ctx, "webhook", "id-1", t0, t0.Add(time.Hour))
		if err != nil {
			t.Error(err)
		}
		if ok {
			fresh <- struct{}{}
		}
	})
	same(t, "new once", len(fresh), 1)
	same(t, "another scope", got[bool](t)(s.UseOnce(ctx, "nonce", "id-1", t0, t0.Add(time.Hour))), true)
	same(t, "before it expires", got[bool](t)(s.UseOnce(ctx, "webhook", "id-1", t0.Add(59*time.Minute), t0.Add(3*time.Hour))), false)
	same(t, "after it expired", got[bool](t)(s.UseOnce(ctx, "webhook", "id-1", t0.Add(time.Hour), t0.Add(3*time.Hour))), true)

	must(t, s.PutSession(ctx, "old", "", []byte{}, t0))
	must(t, s.PutSession(ctx, "new", "", nil, t0.Add(time.Hour)))
	n := got[int](t)(s.PruneSessions(ctx, t0.Add(time.Second)))
	if n < 1 {
		t.Fatalf("%d rows pruned", n)
	}
	_, err = s.Session(ctx, "old", t0.Add(-time.Hour))
	wantErr(t, err, store.ErrNotFound)
	got[[]byte](t)(s.Session(ctx, "new", t0))
	same(t, "pruned again", got[int](t)(s.PruneSessions(ctx, t0.Add(time.Second))), 0)
}
