package pyvalidator_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"badgebridge/internal/pyvalidator"
	"badgebridge/openbadges"
	"badgebridge/openbadges/bake"
	v2 "badgebridge/openbadges/v2"
	"badgebridge/openbadges/verify"
)

const host = "https://badges.example.test"

// site holds what a gateway would serve for one badge.
func site(t *testing.T) map[string][]byte {
	t.Helper()
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	issuer := openbadges.Profile{ID: host + "/issuers/1", Name: "Example Association", URL: "https://example.org", Email: "badges@example.org",
		Image: &openbadges.Image{ID: host + "/image.png"}}
	class := openbadges.BadgeClass{
		ID: host + "/badges/1", Name: "First Aid & more", Description: "Knows what to do.", Issuer: issuer, Version: "2", Language: "en",
		Image: &openbadges.Image{ID: host + "/image.png", Caption: "A cross"}, Tags: []string{"health"},
		Criteria:   openbadges.Criteria{ID: host + "/badges/1/criteria", Narrative: "Pass the *test*."},
		Alignments: []openbadges.Alignment{{TargetName: "Care", TargetURL: "https://example.org/care", TargetFramework: "F", TargetCode: "C-1"}},
	}
	a := v2.Assertion{
		ID:    host + "/assertions/1",
		Image: &openbadges.Image{ID: host + "/assertions/1/baked.png"},
		Award: openbadges.Award{
			BadgeClass: class, Narrative: "Well done",
			Recipient: v2.HashRecipient(openbadges.Recipient{Type: openbadges.IdentityEmail, Identity: "Learner.One@Example.org"}, "f00dsalt"),
			IssuedOn:  time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), Expires: time.Date(2990, 1, 1, 0, 0, 0, 0, time.UTC),
			Evidence: []openbadges.Evidence{{ID: "https://example.org/evidence/1", Narrative: "Seen", Name: "Photo"}},
		},
	}
	out := map[string][]byte{"/image.png": picture.Bytes()}
	var err error
	keep := func(path string, doc []byte, _ v2.Notes, e error) {
		if e != nil {
			t.Fatal(e)
		}
		out[path] = doc
	}
	doc, notes, err := v2.EncodeAssertion(a)
	keep("/assertions/1", doc, notes, err)
	doc, notes, err = v2.EncodeBadgeClass(class)
	keep("/badges/1", doc, notes, err)
	doc, notes, err = v2.EncodeIssuer(issuer)
	keep("/issuers/1", doc, notes, err)
	if out["/assertions/1/baked.png"], err = bake.Bake(picture.Bytes(), bake.OpenBadges, out["/assertions/1"]); err != nil {
		t.Fatal(err)
	}
	return out
}

// signed adds a key to the site, which the issuer names, and gives an assertion
// that is signed with it.
func signed(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	a, _, err := v2.DecodeAssertion(files["/assertions/1"])
	if err != nil {
		t.Fatal(err)
	}
	a.ID, a.Image = "urn:uuid:a953081a-4bbc-4927-9ffa-7646baa4daca", nil
	a.Verification = v2.Verification{Type: v2.SignedBadge, Creator: host + "/key"}
	jws, _, err := v2.SignAssertion(a, key)
	if err != nil {
		t.Fatal(err)
	}
	if files["/key"], err = v2.EncodeKey(host+"/key", host+"/issuers/1", key.Public()); err != nil {
		t.Fatal(err)
	}
	files["/issuers/1"] = bytes.Replace(files["/issuers/1"], []byte(`"type":"Issuer"`), []byte(`"type":"Issuer","publicKey":"`+host+`/key"`), 1)
	return jws
}

func start(t *testing.T, files map[string][]byte) (*httptest.Server, map[string]string) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/ld+json")
		if strings.HasSuffix(r.URL.Path, ".png") {
			w.Header().Set("Content-Type", "image/png")
		}
		w.Write(body)
	}))
	t.Cleanup(srv.Close)
	return srv, map[string]string{"badges.example.test": srv.URL}
}

func TestTheReferenceAcceptsWhatTheGatewayWrites(t *testing.T) {
	v := pyvalidator.Ensure(t)
	files := site(t)
	jws := signed(t, files)
	baked, err := bake.Bake(files["/image.png"], bake.OpenBadges, jws)
	if err != nil {
		t.Fatal(err)
	}
	files["/signed.png"] = baked
	_, hosts := start(t, files)
	ctx := context.Background()
	for name, c := range map[string]struct {
		input, recipient string
		valid            bool
		problem          string
	}{
		"by address":        {host + "/assertions/1", "learner.one@example.org", true, ""},
		"as JSON":           {string(files["/assertions/1"]), "learner.one@example.org", true, ""},
		"baked":             {host + "/assertions/1/baked.png", "learner.one@example.org", true, ""},
		"signed":            {string(jws), "learner.one@example.org", true, ""},
		"signed, baked":     {host + "/signed.png", "learner.one@example.org", true, ""},
		"the badge":         {host + "/badges/1", "", true, ""},
		"the issuer":        {host + "/issuers/1", "", true, ""},
		"another recipient": {host + "/assertions/1", "somebody.else@example.org", false, "VERIFY_RECIPIENT_IDENTIFIER"},
		"not there":         {host + "/assertions/2", "", false, "FETCH_HTTP_NODE"},
		"another host":      {"https://nowhere.example.test/a", "", false, "FETCH_HTTP_NODE"},
	} {
		t.Run(name, func(t *testing.T) {
			res, err := v.Verify(ctx, c.input, c.recipient, hosts)
			if err != nil {
				t.Fatal(err)
			}
			if res.Valid != c.valid || !strings.Contains(res.Errors(), c.problem) {
				t.Errorf("valid=%v, want %v:\n%s", res.Valid, c.valid, res.Errors())
			}
		})
	}
}

func TestTheReferenceRunsOnResourcesInMemory(t *testing.T) {
	v := pyvalidator.Ensure(t)
	resources := map[string]map[string]any{}
	for path, body := range site(t) {
		resources[host+path] = map[string]any{"status": 200, "content_type": "application/ld+json", "body_base64": body}
	}
	raw, err := json.Marshal(resources)
	if err != nil {
		t.Fatal(err)
	}
	res, err := v.VerifyOffline(context.Background(), host+"/assertions/1", "learner.one@example.org", raw)
	if err != nil || !res.Valid || res.Version != "2.0" {
		t.Errorf("valid=%v, %v:\n%s", res.Valid, err, res.Errors())
	}
}

func TestOurVerdictIsTheReferencesOnOurOwnBadges(t *testing.T) {
	files := site(t)
	jws := signed(t, files)
	res := verify.Offline{}
	for path, body := range files {
		res[host+path] = verify.Resource{Status: 200, Body: body}
	}
	for who, want := range map[string]verify.Outcome{"Learner.One@example.org": verify.Valid, "somebody.else@example.org": verify.Invalid} {
		for name, data := range map[string][]byte{"hosted, baked": files["/assertions/1/baked.png"], "signed": jws} {
			rep := verify.Verify(context.Background(), verify.Input{Data: data}, verify.Options{
				Fetcher: res, Recipient: []verify.Identifier{{Type: openbadges.IdentityEmail, Value: who}},
			})
			if rep.Outcome != want {
				t.Errorf("%s, %s: %s: %v", name, who, rep.Outcome, rep.Problems())
			}
		}
	}
}
