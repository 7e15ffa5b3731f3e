package web_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"badgebridge/internal/pyvalidator"
	"badgebridge/openbadges"
	"badgebridge/openbadges/bake"
	"badgebridge/openbadges/did"
	"badgebridge/store"
	"badgebridge/sync/signing"
)

// own turns an address of this gateway into a path.
func (w *world) own(t *testing.T, address any) string {
	t.Helper()
	s, _ := address.(string)
	path, ok := strings.CutPrefix(s, w.server.URL)
	if !ok {
		t.Fatalf("%v is not ours", address)
	}
	return path
}

// served fetches every document of an award, by following the links from its
// page, and returns them by path.
func (w *world) served(t *testing.T, owner *browser, a store.Award) map[string]answer {
	t.Helper()
	out := map[string]answer{}
	b := w.browser()
	get := func(path string) map[string]any {
		got := b.get(path, "Accept", "application/ld+json, application/json")
		if got.status != http.StatusOK || got.header.Get("Access-Control-Allow-Origin") != "*" || got.header.Get("ETag") == "" {
			t.Fatalf("%s: %d %v %s", path, got.status, got.header, got.body)
		}
		out[path] = got
		return got.json(t)
	}
	for version, link := range map[string]string{"1.1": "badge", "2.0": "badge"} {
		id := owner.get("/b/"+a.ID, "Accept", "application/json", "X", version).json(t)["id"]
		if version == "1.1" {
			id = owner.get("/b/" + a.ID + ".json?version=1.1").json(t)["id"]
		}
		assertion := get(w.own(t, id))
		class := get(w.own(t, assertion[link]))
		get(w.own(t, class["issuer"]))
	}
	credential := get(w.own(t, owner.get("/b/" + a.ID + ".json?version=3.0").json(t)["id"]))
	subject := credential["credentialSubject"].(map[string]any)
	get(w.own(t, subject["achievement"].(map[string]any)["id"]))
	issuer := get(w.own(t, credential["issuer"].(map[string]any)["id"]))
	get(w.own(t, credential["credentialStatus"].(map[string]any)["statusListCredential"]))
	get(w.own(t, issuer["id"]) + "/did.json")
	get("/.well-known/did.json")
	get("/.well-known/jwks.json")
	return out
}

func TestAnAwardIsServedInEveryVersionAndTheDocumentsNameEachOther(t *testing.T) {
	w, owner, a := claimed(t)
	docs := w.served(t, owner, a)
	for path, got := range docs {
		if strings.Contains(got.body, ada) {
			t.Errorf("%s tells the address", path)
		}
		again := w.browser().get(path)
		if again.body != got.body {
			t.Errorf("%s is not the same twice", path)
		}
		if path == "/.well-known/jwks.json" || strings.HasSuffix(path, "did.json") {
			continue
		}
		if named := w.browser().get(path + ".json"); named.status != http.StatusOK || named.body != got.body {
			t.Errorf("%s.json: %d", path, named.status)
		}
	}
	v2 := w.assertion(t, a, openbadges.V20)
	v3 := w.assertion(t, a, openbadges.V30)
	if v2.ID != v3.ID {
		t.Errorf("the documents of one award have the ids %s and %s", v2.ID, v3.ID)
	}
	c := docs["/ob/v3/credentials/"+v3.ID].json(t)
	text := docs["/ob/v3/credentials/"+v3.ID].body
	for _, want := range []string{
		`"identityHash":"` + openbadges.HashIdentity(ada, v3.Salt) + `"`, `"salt":"` + v3.Salt + `"`,
		w.server.URL + "/ob/v2/assertions/" + v2.ID, w.server.URL + "/ob/v2/badgeclasses/" + a.ClassVersionID, "https://w3id.org/openbadges#BadgeClass",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the credential lacks %s: %s", want, text)
		}
	}
	if got := docs["/ob/v2/badgeclasses/"+a.ClassVersionID].body; !strings.Contains(got, w.server.URL+"/ob/v3/achievements/"+a.ClassVersionID) {
		t.Errorf("the badge class does not name the achievement: %s", got)
	}
	// The address that a badge without a criteria page gets in 1.1.
	if got := w.browser().get("/b/" + a.ClassVersionID + "/criteria"); got.status != http.StatusOK || strings.Contains(got.body, "Ada") {
		t.Errorf("the criteria: %d %s", got.status, got.body)
	}

	// The proof's key is the issuer's own, under each of its names.
	issuer := w.controller(t, "/ob/v3/issuers/"+issuerID(t, w))
	method := c["proof"].(map[string]any)["verificationMethod"].(string)
	m, err := issuer.Method(method)
	must(t, err)
	if !issuer.Allows(m.ID, "assertionMethod") {
		t.Errorf("%s may not assert", method)
	}
	for _, path := range []string{"/.well-known/did.json", w.own(t, issuer.ID) + "/did.json"} {
		self := docs[path].json(t)["id"].(string)
		doc, err := did.ParseDocument([]byte(docs[path].body), self)
		must(t, err)
		location, err := did.WebURL(self)
		must(t, err)
		if !strings.HasSuffix(location, path) || len(doc.Methods) != len(issuer.Methods) {
			t.Errorf("%s is the document of %s", path, location)
		}
	}
}

func (w *world) assertion(t *testing.T, a store.Award, v openbadges.Version) store.Assertion {
	t.Helper()
	row, err := w.db.AssertionOf(t.Context(), a.ID, v)
	must(t, err)
	return row
}

func TestTheReferenceTakesTheOlderDocumentWithItsLinkToTheNewer(t *testing.T) {
	reference := pyvalidator.Ensure(t)
	w := newWorld(t)
	w.connect()
	owner := w.signIn(ada)
	a := w.awardOf(ada, "Mentor")
	w.public = "https://badges.example.test"
	owner.post("/badges/" + a.ID + "/claim")
	id := w.assertion(t, a, openbadges.V20).ID
	for path, version := range map[string]string{"/ob/v2/assertions/": "2.0"} {
		for recipient, want := range map[string]bool{ada: true, bo: false} {
			got, err := reference.Verify(t.Context(), w.public+path+id, recipient, map[string]string{"badges.example.test": w.server.URL})
			must(t, err)
			if got.Valid != want || got.Version != version {
				t.Errorf("%s for %s: %v, version %s:\n%s", version, recipient, got.Valid, got.Version, got.Errors())
			}
			for _, m := range got.Messages {
				if want && m.Level == "WARNING" {
					t.Errorf("%s: it warns: %s: %s", version, m.Name, m.Result)
				}
			}
		}
	}
}

func TestACredentialIsServedAsAJWTOnRequest(t *testing.T) {
	w, owner, a := claimed(t)
	id := w.assertion(t, a, openbadges.V30).ID
	b := w.browser()
	for _, path := range []string{"/.well-known/jwks.json", "/ob/v3/issuers/" + issuerID(t, w)} {
		if got := b.get(path); strings.Contains(got.body, "RSA") {
			t.Errorf("an RSA key was made before anybody needs it: %s", got.body)
		}
	}
	first := b.get("/ob/v3/credentials/" + id + ".jwt")
	if first.status != http.StatusOK || first.header.Get("Content-Type") != "application/vc+jwt" || first.header.Get("Vary") != "Accept" {
		t.Fatalf("%d %v", first.status, first.header)
	}
	for accept, want := range map[string]string{
		"application/vc+jwt": "application/vc+jwt", "application/jwt": "application/vc+jwt",
		"application/vc+jwt, application/ld+json;q=0.5": "application/vc+jwt",
		"application/ld+json, application/vc+jwt":       "application/vc+ld+json",
		"application/vc+jwt;q=0, application/json":      "application/vc+ld+json",
		"application/vc+jwt;q=x":                        "application/vc+ld+json", "": "application/vc+ld+json", "*/*": "application/vc+ld+json", "application/vc": "application/vc+ld+json",
	} {
		got := b.get("/ob/v3/credentials/"+id, "Accept", accept)
		if got.status != http.StatusOK || got.header.Get("Content-Type") != want {
			t.Errorf("%q: %d %s", accept, got.status, got.header.Get("Content-Type"))
		}
		if want == "application/vc+jwt" && got.body != first.body {
			t.Errorf("%q: not the same bytes", accept)
		}
	}
	if got := owner.get("/b/"+a.ID, "Accept", "application/vc+jwt"); got.body != first.body {
		t.Errorf("by the page's address: %d", got.status)
	}
	if got := owner.get("/b/" + a.ID + ".jwt"); got.body != first.body {
		t.Errorf("by the page's address with .jwt: %d", got.status)
	}

	parts := strings.Split(first.body, ".")
	if len(parts) != 3 {
		t.Fatal(first.body)
	}
	head, err := base64.RawURLEncoding.DecodeString(parts[0])
	must(t, err)
	var h map[string]string
	must(t, json.Unmarshal(head, &h))
	key := b.get(w.own(t, h["kid"]))
	if k := key.json(t); h["alg"] != "RS256" || len(h) != 3 || h["typ"] != "JWT" || k["kty"] != "RSA" || k["d"] != nil {
		t.Errorf("header %s, key %s", head, key.body)
	}
	issuer := w.controller(t, "/ob/v3/issuers/"+issuerID(t, w))
	if _, err := issuer.Method(h["kid"]); err != nil {
		t.Errorf("the issuer does not name the key: %v", err)
	}
	if set := b.get("/.well-known/jwks.json"); !strings.Contains(set.body, `"kid":"`+h["kid"]+`"`) {
		t.Errorf("the key set lacks the key: %s", set.body)
	}
	for _, path := range []string{"/ob/v2/assertions/" + id + ".jwt", "/ob/v3/credentials/unknown.jwt", "/ob/v3/issuers/" + issuer.ID + "/keys/unknown", "/ob/v3/issuers//did.json"} {
		if got := b.get(path); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

// controller reads the keys of the issuer whose document is at path.
func (w *world) controller(t *testing.T, path string) did.Document {
	t.Helper()
	doc, err := did.ParseDocument([]byte(w.browser().get(path).body), w.server.URL+path)
	must(t, err)
	return doc
}

func issuerID(t *testing.T, w *world) string {
	t.Helper()
	i, err := w.db.OwnIssuer(t.Context())
	must(t, err)
	return i.ID
}

func TestTheDownloadedImageCarriesTheVersionThatIsAskedFor(t *testing.T) {
	_, owner, a := claimed(t)
	for version, kind := range map[string]bake.Kind{"": bake.OpenBadges, "1.1": bake.OpenBadges, "2.0": bake.OpenBadges, "3.0": bake.Credential} {
		for range 2 { // made, then kept
			got := owner.get("/b/" + a.ID + "/baked.png?version=" + version)
			p, err := bake.Unbake([]byte(got.body))
			if got.status != http.StatusOK || err != nil || p.Kind != kind {
				t.Fatalf("%q: %d %v %v", version, got.status, p.Kind, err)
			}
			doc := owner.get("/b/" + a.ID + ".json?version=" + version)
			if doc.body != string(p.Text) {
				t.Errorf("%q: another document is baked in", version)
			}
		}
	}
	for _, path := range []string{"/b/" + a.ID + ".json?version=4", "/b/" + a.ID + "/baked.png?version=x"} {
		if got := owner.get(path, "Accept", "application/json"); got.status != http.StatusBadRequest || got.json(t)["field"] != "version" {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

func (w *world) revoke(t *testing.T, email, badge, reason string) {
	t.Helper()
	for _, h := range w.site.Awards() {
		if h.Member.Email == email && h.Badge.Title == badge {
			must(t, w.site.Revoke(h.Entry, reason))
		}
	}
	w.pull()
}

func TestARevokedAwardIsGoneInEveryVersionAndInItsStatusList(t *testing.T) {
	w, owner, a := claimed(t)
	docs := w.served(t, owner, a)
	id := w.assertion(t, a, openbadges.V30).ID
	entry, err := w.db.StatusOf(t.Context(), a.ID)
	must(t, err)
	list := "/ob/status/" + entry.List
	w.revoke(t, ada, "Mentor", "issued by mistake")
	b := w.browser()
	for _, path := range []string{"/ob/v1/assertions/" + id, "/ob/v2/assertions/" + id, "/ob/v3/credentials/" + id, "/ob/v3/credentials/" + id + ".jwt"} {
		got := b.get(path)
		if got.status != http.StatusGone || got.json(t)["revoked"] != true {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	stub := b.get("/ob/v3/credentials/" + id).json(t)
	if stub["revocationReason"] != "issued by mistake" || stub["credentialStatus"].(map[string]any)["statusListCredential"] != w.server.URL+list {
		t.Errorf("stub %v", stub)
	}
	signed := b.get(list)
	if signed.body == docs[list].body {
		t.Error("the status list says what it said before")
	}
	w.now.add(time.Minute)
	if later := b.get(list); later.body != signed.body {
		t.Error("the list is signed anew though nothing changed")
	}
	w.now.add(13 * time.Hour)
	if later := b.get(list); later.body == signed.body {
		t.Error("the list is not signed anew before its time runs out")
	}
	// Classes and issuers hold on.
	for path := range docs {
		if strings.Contains(path, "badgeclasses") || strings.Contains(path, "achievements") || strings.Contains(path, "issuers") {
			if got := b.get(path); got.status != http.StatusOK {
				t.Errorf("%s: %d", path, got.status)
			}
		}
	}
}

func TestAnAwardFromBeforeGetsItsOtherDocumentsWhenTheyAreAskedFor(t *testing.T) {
	for name, first := range map[string]string{"1.1": "/ob/v1/assertions/", "3.0": "/ob/v3/credentials/", "JWT": "/ob/v3/credentials/.jwt", "by its page": ""} {
		t.Run(name, func(t *testing.T) {
			w, owner, a := claimed(t)
			v2 := w.assertion(t, a, openbadges.V20)
			before := w.browser().get("/ob/v2/assertions/" + v2.ID).body
			for _, q := range []string{"DELETE FROM assertions WHERE version <> '2.0'", "DELETE FROM class_documents", "DELETE FROM status_entries"} {
				_, err := w.db.SQL().ExecContext(t.Context(), q)
				must(t, err)
			}
			w.now.add(10 * time.Second)
			if path, jwt := strings.CutSuffix(first, ".jwt"); path != "" {
				if jwt {
					path += v2.ID + ".jwt"
				} else {
					path += v2.ID
				}
				if got := w.browser().get(path); got.status != http.StatusOK {
					t.Fatalf("%s: %d %s", path, got.status, got.body)
				}
			}
			docs := w.served(t, owner, a)
			if docs["/ob/v2/assertions/"+v2.ID].body != before {
				t.Error("the document that there was has changed")
			}
			if v3 := w.assertion(t, a, openbadges.V30); v3.ID != v2.ID || v3.Salt != v2.Salt {
				t.Errorf("%+v beside %+v", v3, v2)
			}
		})
	}
}

func TestKeysAreReplacedWhileDocumentsAreSigned(t *testing.T) {
	w := newWorld(t)
	w.connect()
	ctx := t.Context()
	list, err := w.db.Awards(ctx, store.AwardFilter{Origin: w.siteName(), Claim: store.Offered, Limit: 100})
	must(t, err)
	person, err := w.db.CreatePerson(ctx, store.Person{GivenName: "Any"})
	must(t, err)
	var mine []store.Award
	for _, a := range list {
		if a.PageURL != "" {
			continue
		}
		a.PersonID = person.ID
		_, err := w.db.PutAward(ctx, a)
		must(t, err)
		mine = append(mine, a)
	}
	must(t, w.engine.Keys().Ensure(ctx, signing.EdDSA))
	var wg sync.WaitGroup
	for _, a := range mine {
		wg.Go(func() {
			if err := w.engine.Claim(ctx, a.ID, person.ID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Go(func() {
		for range 3 {
			if _, err := w.engine.Keys().Rotate(ctx); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	issuer := w.controller(t, "/ob/v3/issuers/"+issuerID(t, w))
	for _, a := range mine {
		c := w.browser().get("/ob/v3/credentials/" + w.assertion(t, a, openbadges.V30).ID).json(t)
		if _, err := issuer.Method(c["proof"].(map[string]any)["verificationMethod"].(string)); err != nil {
			t.Errorf("a credential names a key that the issuer does not: %v", err)
		}
	}
	w.signIn(admin).get("/admin").has(t, "Badges are signed with the key of", "3 older keys")
	if len(mine) < 3 {
		t.Fatalf("only %d awards", len(mine))
	}
}

func TestAPrivateKeyIsNowhereToBeSeen(t *testing.T) {
	w, owner, a := claimed(t)
	w.browser().get("/ob/v3/credentials/" + w.assertion(t, a, openbadges.V30).ID + ".jwt")
	for path, got := range w.served(t, owner, a) {
		for _, secret := range []string{`"d":`, `"p":`, `"q":`, "PRIVATE"} {
			if strings.Contains(got.body, secret) {
				t.Errorf("%s has %s", path, secret)
			}
		}
	}
	u, err := url.Parse(w.server.URL)
	must(t, err)
	if !strings.Contains(w.browser().get("/.well-known/did.json").body, "did:web:"+strings.ReplaceAll(u.Host, ":", "%3A")) {
		t.Error("the host has no did:web")
	}
}
