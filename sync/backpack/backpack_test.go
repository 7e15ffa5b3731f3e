package backpack_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"log/slog"
	"maps"
	"net/http"
	"testing"
	"time"

	"badgebridge/internal/testenv/database"
	"badgebridge/openbadges"
	"badgebridge/openbadges/bake"
	"badgebridge/openbadges/verify"
	"badgebridge/store"
	"badgebridge/store/sqlstore"
	"badgebridge/sync/backpack"
)

const issuerHost = "https://issuer.example"

type world struct {
	*backpack.Backpack
	t     *testing.T
	store store.Store
	web   verify.Offline // what the world outside answers
	now   time.Time
	ada   store.Person
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, web: verify.Offline{}, now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	db, err := sqlstore.Open(t.Context(), database.SQLite(t), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetEnqueuer(silent{})
	w.store = db
	w.Backpack = backpack.New(backpack.Config{
		Store: db, Fetcher: w.web, Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler),
		BaseURL: func(context.Context) string { return "https://badges.example" },
	})
	w.ada, err = db.CreatePerson(t.Context(), store.Person{GivenName: "Ada", FamilyName: "Demo"})
	if err != nil {
		t.Fatal(err)
	}
	w.prove("ada@example.org")
	w.put("/issuer", map[string]any{"@context": "https://w3id.org/openbadges/v2", "type": "Issuer", "id": issuerHost + "/issuer",
		"name": "Demo College", "url": issuerHost, "email": "badges@issuer.example"})
	w.web[issuerHost+"/badge.png"] = verify.Resource{Status: 200, Header: http.Header{"Content-Type": {"image/png"}}, Body: picture(t)}
	w.put("/badge", map[string]any{"@context": "https://w3id.org/openbadges/v2", "type": "BadgeClass", "id": issuerHost + "/badge",
		"name": "Navigator", "description": "Finds the way", "image": issuerHost + "/badge.png", "criteria": map[string]any{"narrative": "Find it."},
		"issuer": issuerHost + "/issuer"})
	return w
}

// silent takes jobs and runs none.
type silent struct{}

func (silent) Enqueue(context.Context, *sql.Tx, store.Job) error { return nil }

func picture(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (w *world) put(path string, doc map[string]any) []byte {
	w.t.Helper()
	body, err := json.Marshal(doc)
	if err != nil {
		w.t.Fatal(err)
	}
	w.web[issuerHost+path] = verify.Resource{Status: 200, Header: http.Header{"Content-Type": {"application/ld+json"}}, Body: body}
	return body
}

// assertion hosts an assertion and returns its bytes.
func (w *world) assertion(path, email string, change ...func(map[string]any)) []byte {
	doc := map[string]any{
		"@context": "https://w3id.org/openbadges/v2", "type": "Assertion", "id": issuerHost + path,
		"recipient": map[string]any{"type": "email", "hashed": false, "identity": email},
		"badge":     issuerHost + "/badge", "verification": map[string]any{"type": "HostedBadge"}, "issuedOn": "2026-01-02T03:04:05Z",
	}
	for _, f := range change {
		f(doc)
	}
	return w.put(path, doc)
}

func (w *world) prove(email string) {
	w.t.Helper()
	if err := w.store.AddIdentifier(w.t.Context(), store.Identifier{Type: openbadges.IdentityEmail, Value: email, PersonID: w.ada.ID, ProvenBy: "code", ProvenAt: w.now}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) collect(in backpack.Given) backpack.Result {
	w.t.Helper()
	if in.Source == "" {
		in.Source = "file"
	}
	res, err := w.Collect(w.t.Context(), w.ada.ID, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return res
}

func (w *world) want(res backpack.Result, fate backpack.Fate, reason backpack.Reason) {
	w.t.Helper()
	if res.Fate != fate || res.Reason != reason {
		w.t.Fatalf("fate is %q %q, want %q %q: %v", res.Fate, res.Reason, fate, reason, res.Report.Problems())
	}
}

func (w *world) awards() []store.Award {
	w.t.Helper()
	list, err := w.store.AwardsOf(w.t.Context(), w.ada.ID, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func TestABadgeIsKeptOnceHoweverItComes(t *testing.T) {
	w := newWorld(t)
	doc := w.assertion("/a/1", "Ada@Example.org")
	first := w.collect(backpack.Given{Data: doc})
	w.want(first, backpack.Kept, "")
	w.want(w.collect(backpack.Given{URL: issuerHost + "/a/1", Source: "url"}), backpack.Known, "")
	baked, err := bake.Bake(picture(t), bake.OpenBadges, doc)
	if err != nil {
		t.Fatal(err)
	}
	w.want(w.collect(backpack.Given{Data: baked}), backpack.Known, "")
	if n := len(w.awards()); n != 1 {
		t.Fatalf("%d badges", n)
	}
	a := w.awards()[0]
	if a.ID != first.AwardID || a.Origin != store.BackpackOrigin || a.Claim != store.Claimed || a.Visibility != store.Private {
		t.Errorf("award is %+v", a)
	}
	v, err := w.store.ClassVersion(t.Context(), a.ClassVersionID)
	if err != nil || v.Content.Name != "Navigator" || v.Content.Issuer.Name != "Demo College" || v.ImageSHA == "" {
		t.Errorf("badge is %+v, %v", v, err)
	}
	// The same award under another address: what an issuer does that serves two versions.
	w.assertion("/v2/a/1", "ada@example.org")
	w.want(w.collect(backpack.Given{URL: issuerHost + "/v2/a/1"}), backpack.Joined, "")
	list, err := w.store.CollectedOf(t.Context(), a.ID)
	if err != nil || len(list) != 2 || len(w.awards()) != 1 {
		t.Errorf("%d documents of %d badges, %v", len(list), len(w.awards()), err)
	}
}

func TestWhatIsRefusedIsNotKeptAndSaysWhy(t *testing.T) {
	w := newWorld(t)
	w.web[issuerHost+"/none"] = verify.Resource{Status: http.StatusNotFound}
	for name, c := range map[string]struct {
		in     backpack.Given
		reason backpack.Reason
	}{
		"a text":           {backpack.Given{Data: []byte("hello")}, backpack.ReasonUnreadable},
		"a plain picture":  {backpack.Given{Data: picture(t)}, backpack.ReasonUnreadable},
		"nobody answers":   {backpack.Given{URL: "https://nowhere.example/a"}, backpack.ReasonUnreachable},
		"nothing is there": {backpack.Given{URL: issuerHost + "/none"}, backpack.ReasonNotThere},
		"a badge class":    {backpack.Given{URL: issuerHost + "/badge"}, backpack.ReasonNotABadge},
		"revoked":          {backpack.Given{Data: w.assertion("/revoked", "ada@example.org", func(m map[string]any) { m["revoked"] = true })}, backpack.ReasonRevoked},
		"no badge class":   {backpack.Given{Data: w.assertion("/nobadge", "ada@example.org", func(m map[string]any) { m["badge"] = "urn:none" })}, backpack.ReasonInvalid},
		"too large a file": {backpack.Given{Data: make([]byte, backpack.MaxGiven+1)}, backpack.ReasonTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			res := w.collect(c.in)
			if res.Fate != backpack.Refused || res.Reason != c.reason {
				t.Errorf("fate is %q %q, want %q: %v", res.Fate, res.Reason, c.reason, res.Report.Problems())
			}
		})
	}
	if n := len(w.awards()); n != 0 {
		t.Errorf("%d badges were kept", n)
	}
	if _, err := w.Collect(t.Context(), w.ada.ID, backpack.Given{}); err == nil {
		t.Error("nothing at all was taken for a badge")
	}
}

func TestAnExpiredBadgeIsKeptAsExpired(t *testing.T) {
	w := newWorld(t)
	res := w.collect(backpack.Given{Data: w.assertion("/old", "ada@example.org", func(m map[string]any) { m["expires"] = "2026-02-01T00:00:00Z" })})
	w.want(res, backpack.Kept, "")
	list, err := w.store.CollectedOf(t.Context(), res.AwardID)
	if err != nil || list[0].Standing != store.ExpiredNow || list[0].Message == "" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestABadgeForAnUnprovenAddressWaitsForTheProof(t *testing.T) {
	w := newWorld(t)
	res := w.collect(backpack.Given{Data: w.assertion("/a/2", "ada@work.example")})
	w.want(res, backpack.Awaiting, "")
	if res.To != "ada@work.example" || res.AwardID != "" || len(w.awards()) != 0 {
		t.Errorf("%+v", res)
	}
	w.want(w.collect(backpack.Given{URL: issuerHost + "/a/2"}), backpack.Awaiting, "")
	if n, err := w.Proven(t.Context(), w.ada.ID); err != nil || n != 0 {
		t.Errorf("%d without a proof, %v", n, err)
	}
	w.prove("ada@work.example")
	if n, err := w.Proven(t.Context(), w.ada.ID); err != nil || n != 1 || len(w.awards()) != 1 {
		t.Errorf("%d of %d, %v", n, len(w.awards()), err)
	}
	if waiting, err := w.store.CollectedWaiting(t.Context(), w.ada.ID); err != nil || len(waiting) != 0 {
		t.Errorf("%d still wait, %v", len(waiting), err)
	}
}

func TestARevocationAtTheSourceReachesTheBackpack(t *testing.T) {
	w := newWorld(t)
	res := w.collect(backpack.Given{Data: w.assertion("/a/3", "ada@example.org")})
	w.want(res, backpack.Kept, "")
	if n, _, err := w.RecheckDue(t.Context(), 10); n != 0 || err != nil {
		t.Fatalf("%d checked before they are due, %v", n, err)
	}
	w.web[issuerHost+"/a/3"] = verify.Resource{Status: 410, Body: []byte(`{"@context":"https://w3id.org/openbadges/v2","type":"Assertion","id":"` + issuerHost + `/a/3","revoked":true,"revocationReason":"a mistake"}`)}
	w.now = w.now.Add(8 * 24 * time.Hour)
	if n, changed, err := w.RecheckDue(t.Context(), 10); n != 1 || changed != 1 || err != nil {
		t.Fatalf("%d checked, %d changed, %v", n, changed, err)
	}
	a, err := w.store.Award(t.Context(), res.AwardID)
	if err != nil || !a.Revoked || a.RevocationReason != "a mistake" {
		t.Errorf("award is %+v, %v", a, err)
	}
	if n, _, err := w.RecheckDue(t.Context(), 10); n != 0 || err != nil {
		t.Errorf("a revoked badge was checked again: %d, %v", n, err)
	}
	// A revocation is final, whatever the source says later.
	w.assertion("/a/3", "ada@example.org")
	w.want(w.collect(backpack.Given{URL: issuerHost + "/a/3"}), backpack.Known, "")
	if a, err = w.store.Award(t.Context(), res.AwardID); err != nil || !a.Revoked {
		t.Errorf("the revocation is gone: %+v, %v", a, err)
	}
}

func TestABadgeOutlivesItsIssuersSite(t *testing.T) {
	w := newWorld(t)
	res := w.collect(backpack.Given{Data: w.assertion("/a/4", "ada@example.org")})
	there := maps.Clone(w.web)
	clear(w.web)
	var last store.Collected
	for i := range 6 {
		w.now = w.now.Add(15 * 24 * time.Hour)
		if _, _, err := w.RecheckDue(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		list, err := w.store.CollectedOf(t.Context(), res.AwardID)
		if err != nil {
			t.Fatal(err)
		}
		if last = list[0]; i == 0 && last.Standing != store.Genuine {
			t.Errorf("one failure made it %s", last.Standing)
		}
	}
	if since := last.GoneSince; since.IsZero() || !since.Before(last.CheckedAt) || !since.After(last.GenuineAt) {
		t.Errorf("gone since %s, genuine at %s, looked at on %s", since, last.GenuineAt, last.CheckedAt)
	}
	if last.Standing != store.GoneSource || last.GenuineAt.IsZero() || last.DocumentSHA == "" {
		t.Errorf("standing %s, genuine at %s, %d failures", last.Standing, last.GenuineAt, last.Failures)
	}
	if doc, err := w.store.Document(t.Context(), last.DocumentSHA); err != nil || !bytes.Contains(doc.Body, []byte("/a/4")) {
		t.Errorf("the document is lost: %v", err)
	}
	// The site comes back, and with it what is known of the badge.
	maps.Copy(w.web, there)
	w.now = w.now.Add(15 * 24 * time.Hour)
	if _, changed, err := w.RecheckDue(t.Context(), 10); err != nil || changed != 1 {
		t.Errorf("%d changed, %v", changed, err)
	}
	if last, err := w.store.Collected(t.Context(), last.ID); err != nil || last.Standing != store.Genuine || !last.GoneSince.IsZero() || last.Failures != 0 {
		t.Errorf("after the site came back: %+v, %v", last, err)
	}
}

func TestManyFilesAtOnceKeepWhatIsGood(t *testing.T) {
	w := newWorld(t)
	for i := range 30 {
		doc := w.assertion(fmt.Sprintf("/m/%d", i), "ada@example.org", func(m map[string]any) {
			m["issuedOn"] = fmt.Sprintf("2026-01-02T03:%02d:05Z", i)
		})
		w.want(w.collect(backpack.Given{Data: doc}), backpack.Kept, "")
	}
	if n := len(w.awards()); n != 30 {
		t.Errorf("%d badges", n)
	}
}
