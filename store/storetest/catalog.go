package storetest

import (
	"encoding/json"
	"testing"

	"badgebridge/adapters"
	"badgebridge/openbadges"
	"badgebridge/store"
)

func issuers(t *testing.T, s store.Store) {
	ctx := t.Context()
	_, err := s.OwnIssuer(ctx)
	wantErr(t, err, store.ErrNotFound)
	_, err = s.Issuer(ctx, "unknown")
	wantErr(t, err, store.ErrNotFound)

	own := got[store.Issuer](t)(s.PutIssuer(ctx, store.Issuer{Own: true, Profile: openbadges.Profile{
		Name: "Verein für Navigation", Email: "office@example.org", Image: &openbadges.Image{ID: "https://example.org/logo.png"},
		Unknown: map[string]json.RawMessage{"x": json.RawMessage(`{"y":[1,2]}`)},
	}}))
	if own.ID == "" || own.CreatedAt.IsZero() {
		t.Fatalf("id or time missing: %+v", own)
	}
	same(t, "own issuer", got[store.Issuer](t)(s.OwnIssuer(ctx)), own)
	same(t, "issuer by id", got[store.Issuer](t)(s.Issuer(ctx, own.ID)), own)

	own.Profile.Name, own.ImageSHA = "Navigators", "abc"
	changed := got[store.Issuer](t)(s.PutIssuer(ctx, own))
	same(t, "name", got[store.Issuer](t)(s.OwnIssuer(ctx)).Profile.Name, "Navigators")
	same(t, "created at stays", changed.CreatedAt, own.CreatedAt)
	same(t, "put again", got[store.Issuer](t)(s.PutIssuer(ctx, changed)), changed)

	_, err = s.PutIssuer(ctx, store.Issuer{Own: true, Profile: openbadges.Profile{Name: "Second"}})
	wantErr(t, err, store.ErrExists)
	got[store.Issuer](t)(s.PutIssuer(ctx, store.Issuer{Profile: openbadges.Profile{ID: "https://elsewhere.example/issuer", Name: "Foreign"}}))
}

func classes(t *testing.T, s store.Store) {
	ctx := t.Context()
	issuer := got[store.Issuer](t)(s.PutIssuer(ctx, store.Issuer{Profile: openbadges.Profile{Name: "Org"}}))
	put := func(t *testing.T, k store.Class) (store.Class, bool) {
		t.Helper()
		stored, changed, err := s.PutClass(ctx, k)
		must(t, err)
		return stored, changed
	}
	content := openbadges.BadgeClass{
		Name: "navigator", Description: "Finds the way", Image: &openbadges.Image{ID: "https://example.org/n.png"},
		Criteria: openbadges.Criteria{Narrative: "Sail <north> & back"}, Tags: []string{"sea", "stars"},
		Alignments: []openbadges.Alignment{{TargetName: "a", TargetURL: "https://example.org/a"}},
		Unknown:    map[string]json.RawMessage{"z": json.RawMessage(`1`)},
	}
	first, changed := put(t, store.Class{Remote: "credly", Ref: "t1", IssuerID: issuer.ID, State: "active", Issuable: true, PageURL: "https://example.org/t1", Content: content})
	same(t, "a new class is a change", changed, true)
	same(t, "version", first.Version, 1)
	same(t, "class", got[store.Class](t)(s.Class(ctx, first.ID)), first)
	same(t, "class by ref", got[store.Class](t)(s.ClassByRef(ctx, "credly", "t1")), first)

	again, changed := put(t, store.Class{Remote: "credly", Ref: "t1", IssuerID: issuer.ID, State: "active", Issuable: true, Content: content})
	same(t, "the same content is no change", changed, false)
	same(t, "the same class", again, first)

	archived, changed := put(t, store.Class{Remote: "credly", Ref: "t1", IssuerID: issuer.ID, State: "archived", Content: content})
	same(t, "another state is a change", changed, true)
	same(t, "but no new version", archived.VersionID, first.VersionID)
	same(t, "state", got[store.Class](t)(s.Class(ctx, first.ID)).State, "archived")

	edited := content
	edited.Description = "Finds every way"
	second, changed := put(t, store.Class{Remote: "credly", Ref: "t1", IssuerID: issuer.ID, State: "archived", Content: edited})
	same(t, "another content is a change", changed, true)
	same(t, "the same class", second.ID, first.ID)
	same(t, "version", second.Version, 2)
	same(t, "newest content", got[store.Class](t)(s.Class(ctx, first.ID)).Content, edited)
	old := got[store.ClassVersion](t)(s.ClassVersion(ctx, first.VersionID))
	same(t, "the old version stays", old.Content, content)
	same(t, "the old version's number", old.Version, 1)
	if old.ContentSHA == got[store.ClassVersion](t)(s.ClassVersion(ctx, second.VersionID)).ContentSHA {
		t.Fatal("both versions have one digest")
	}

	// Images are fetched later.
	imageless := got[[]store.ClassVersion](t)(s.VersionsWithoutImage(ctx, "credly", 10))
	same(t, "versions without image, oldest first", ids(imageless, func(v store.ClassVersion) string { return v.ID }),
		[]string{first.VersionID, second.VersionID})
	same(t, "none of another remote", len(got[[]store.ClassVersion](t)(s.VersionsWithoutImage(ctx, "campus", 10))), 0)
	must(t, s.SetVersionImage(ctx, second.VersionID, "abc"))
	must(t, s.SetVersionImage(ctx, second.VersionID, "abc"))
	must(t, s.SetVersionImage(ctx, second.VersionID, "def"))
	same(t, "the image that was first", got[store.Class](t)(s.Class(ctx, first.ID)).ImageSHA, "abc")
	same(t, "one is left", len(got[[]store.ClassVersion](t)(s.VersionsWithoutImage(ctx, "credly", 10))), 1)
	wantErr(t, s.SetVersionImage(ctx, "unknown", "abc"), store.ErrNotFound)
	_, changed = put(t, store.Class{Remote: "credly", Ref: "t1", IssuerID: issuer.ID, State: "archived", Content: edited})
	same(t, "a report without image is no change", changed, false)

	same(t, "the first document", got[string](t)(s.SetVersionDocument(ctx, first.VersionID, "doc-1")), "doc-1")
	same(t, "it stays", got[string](t)(s.SetVersionDocument(ctx, first.VersionID, "doc-2")), "doc-1")
	same(t, "document", got[store.ClassVersion](t)(s.ClassVersion(ctx, first.VersionID)).DocumentSHA, "doc-1")
	_, err := s.ClassDocument(ctx, first.VersionID, openbadges.V30)
	wantErr(t, err, store.ErrNotFound)
	same(t, "the first document of OB 3.0", got[string](t)(s.PutClassDocument(ctx, first.VersionID, openbadges.V30, "doc-3")), "doc-3")
	same(t, "it stays", got[string](t)(s.PutClassDocument(ctx, first.VersionID, openbadges.V30, "doc-4")), "doc-3")
	same(t, "document of OB 3.0", got[string](t)(s.ClassDocument(ctx, first.VersionID, openbadges.V30)), "doc-3")
	_, err = s.ClassDocument(ctx, first.VersionID, openbadges.V11)
	wantErr(t, err, store.ErrNotFound)
	_, err = s.SetVersionDocument(ctx, "unknown", "doc")
	wantErr(t, err, store.ErrNotFound)

	// The gateway's own badges have no ref; each put without id is a new one.
	own, _ := put(t, store.Class{Content: openbadges.BadgeClass{Name: "Own"}})
	other, _ := put(t, store.Class{Content: openbadges.BadgeClass{Name: "Own"}})
	if own.ID == other.ID {
		t.Fatal("two badges of our own became one")
	}
	own.Content.Name = "Mine"
	own, _ = put(t, own)
	same(t, "version by id", own.Version, 2)

	put(t, store.Class{Remote: "credly", Ref: "t2", Content: openbadges.BadgeClass{Name: "Astronomer"}})
	put(t, store.Class{Remote: store.BackpackOrigin, Ref: "theirs", Content: openbadges.BadgeClass{Name: "Brought"}})
	names := func(k store.Class) string { return k.Content.Name }
	same(t, "by name", ids(got[[]store.Class](t)(s.Classes(ctx, "credly")), names), []string{"Astronomer", "navigator"})
	same(t, "all by name", ids(got[[]store.Class](t)(s.Classes(ctx, "")), names), []string{"Astronomer", "Mine", "navigator", "Own"})
	same(t, "what people brought", ids(got[[]store.Class](t)(s.Classes(ctx, store.BackpackOrigin)), names), []string{"Brought"})

	for _, missing := range []func() error{
		func() error { _, err := s.Class(ctx, "unknown"); return err },
		func() error { _, err := s.ClassByRef(ctx, "credly", "unknown"); return err },
		func() error { _, err := s.ClassByRef(ctx, "", ""); return err },
		func() error { _, err := s.ClassVersion(ctx, "unknown"); return err },
	} {
		wantErr(t, missing(), store.ErrNotFound)
	}

	// Replicas that report the same edit make one version of it.
	edited.Name = "Helmsman"
	atOnce(6, func(int) {
		if _, _, err := s.PutClass(ctx, store.Class{Remote: "credly", Ref: adapters.Ref("t1"), Content: edited}); err != nil {
			t.Error(err)
		}
	})
	same(t, "version", got[store.Class](t)(s.Class(ctx, first.ID)).Version, 3)
	fresh := make(chan string, 6)
	atOnce(6, func(int) {
		k, _, err := s.PutClass(ctx, store.Class{Remote: "credly", Ref: "new", Content: content})
		if err != nil {
			t.Error(err)
		}
		fresh <- k.ID
	})
	one := <-fresh
	for range 5 {
		same(t, "one class of one ref", <-fresh, one)
	}
}
