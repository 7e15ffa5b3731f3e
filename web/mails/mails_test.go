package mails_test

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"badgebridge/internal/mail"
	"badgebridge/internal/secret"
	"badgebridge/internal/testenv/database"
	"badgebridge/openbadges"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
	"badgebridge/web/mails"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refusing is a mail server that refuses every letter in one way.
type refusing struct{ err error }

func (r refusing) Send(context.Context, mail.Message) error { return r.err }

func setUp(t *testing.T, sender mail.Sender) (*sqlstore.DB, *secret.Keyring, map[string]func(context.Context, []byte) error, store.Award) {
	t.Helper()
	ctx := t.Context()
	db, err := sqlstore.Open(ctx, database.SQLite(t), sqlstore.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	keys, err := secret.LoadOrCreate(filepath.Join(t.TempDir(), "master.key"))
	must(t, err)
	_, err = db.PutIssuer(ctx, store.Issuer{Own: true, Profile: openbadges.Profile{Name: "Example Association"}})
	must(t, err)
	class, _, err := db.PutClass(ctx, store.Class{Remote: "site", Ref: "1", Content: openbadges.BadgeClass{Name: "Open\r\nBcc: x@example.org Practice <b>"}})
	must(t, err)
	a, err := db.CreateAward(ctx, store.Award{
		ClassID: class.ID, ClassVersionID: class.VersionID, Origin: "site", OriginRef: "1", Claim: store.Offered, Visibility: store.Private,
		Recipient: openbadges.Recipient{Type: openbadges.IdentityEmail, Identity: "ada@example.org", GivenName: "Ada"}, IssuedOn: time.Now().UTC(),
	})
	must(t, err)
	workers := mails.New(mails.Config{
		Store: db, Keyring: keys, Sender: sender, BaseURL: func(context.Context) string { return "https://badges.example.org" },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}).Workers()
	return db, keys, workers, a
}

func args(id string) []byte { return []byte(`{"award_id":"` + id + `"}`) }

func TestAnOfferSaysWhatWhoAndWhereAndCarriesNoMarkup(t *testing.T) {
	box := mail.NewMailbox(time.Now)
	_, _, workers, a := setUp(t, box)
	must(t, workers[mails.OfferJob](t.Context(), args(a.ID)))
	l := box.Letters()
	if len(l) != 1 || l[0].To != "ada@example.org" {
		t.Fatalf("%+v", l)
	}
	for _, want := range []string{"Hello Ada,", "Example Association", "https://badges.example.org/badges/" + a.ID} {
		if !strings.Contains(l[0].Text, want) || !strings.Contains(l[0].HTML, want) {
			t.Errorf("no %q in\n%s\n%s", want, l[0].Text, l[0].HTML)
		}
	}
	if strings.ContainsAny(l[0].Subject, "\r\n") || strings.Contains(l[0].HTML, "Practice <b>") {
		t.Errorf("%q\n%s", l[0].Subject, l[0].HTML)
	}
}

func TestWhoHasAnsweredOrLostTheBadgeGetsNoOffer(t *testing.T) {
	box := mail.NewMailbox(time.Now)
	db, _, workers, a := setUp(t, box)
	for _, change := range []func(*store.Award){
		func(a *store.Award) { a.Claim = store.Claimed },
		func(a *store.Award) { a.Claim = store.Declined },
		func(a *store.Award) { a.Claim, a.Revoked = store.Offered, true },
	} {
		change(&a)
		_, err := db.PutAward(t.Context(), a)
		must(t, err)
		must(t, workers[mails.OfferJob](t.Context(), args(a.ID)))
	}
	must(t, workers[mails.OfferJob](t.Context(), args("gone")))
	must(t, workers[mails.NameJob](t.Context(), args(a.ID)))
	if n := len(box.Letters()); n != 0 {
		t.Errorf("%d letters", n)
	}
}

func TestAFailureThatMayPassIsTriedAgainAndOneForGoodIsNot(t *testing.T) {
	_, _, workers, a := setUp(t, refusing{mail.ErrTemporary})
	if workers[mails.OfferJob](t.Context(), args(a.ID)) == nil {
		t.Error("a temporary failure is taken for done")
	}
	_, _, workers, a = setUp(t, refusing{mail.ErrPermanent})
	must(t, workers[mails.OfferJob](t.Context(), args(a.ID)))
	_, _, workers, a = setUp(t, refusing{mail.ErrNotSet})
	if workers[mails.OfferJob](t.Context(), args(a.ID)) == nil {
		t.Error("a letter is dropped while mail is not set up")
	}
}
