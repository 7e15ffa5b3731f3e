package e2e

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"badgebridge/openbadges/bake"
	"badgebridge/openbadges/dataintegrity"
	"badgebridge/openbadges/did"
	"badgebridge/openbadges/jose"
	"badgebridge/openbadges/jsonld"
)

// signer signs credentials that verify without its site: its name is its key.
type signer struct {
	t    *testing.T
	key  ed25519.PrivateKey
	name string
}

func newSigner(t *testing.T) signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	multi, err := did.Multikey(key.Public())
	must(t, err)
	return signer{t, key, "did:key:" + multi}
}

// linkedInID is the number that the signer's profile gives for itself at LinkedIn.
const linkedInID = "1234567"

// document is a credential that is still to be signed; until zero: for ever.
func (c signer) document(n int, name, email string, until time.Time) map[string]any {
	doc := map[string]any{
		"@context": []any{"https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"},
		"id":       fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012d", n),
		"type":     []any{"VerifiableCredential", "OpenBadgeCredential"},
		"issuer": map[string]any{"id": c.name, "type": []any{"Profile"}, "name": "Demo College",
			"otherIdentifier": []any{map[string]any{"type": "IdentifierEntry", "identifier": linkedInID, "identifierType": "ext:LinkedInOrganization"}}},
		"name": name, "validFrom": "2026-01-01T00:00:00Z",
		"credentialSubject": map[string]any{
			"type":       []any{"AchievementSubject"},
			"identifier": []any{map[string]any{"type": "IdentityObject", "hashed": false, "identityHash": email, "identityType": "emailAddress"}},
			"achievement": map[string]any{"id": fmt.Sprintf("urn:uuid:00000000-0000-4000-9000-%012d", n), "type": []any{"Achievement"}, "name": name,
				"description": "Demo", "criteria": map[string]any{"narrative": "Done."}},
		},
	}
	if !until.IsZero() {
		doc["validUntil"] = until.UTC().Format(time.RFC3339)
	}
	return doc
}

// keyID names the signer's key.
func (c signer) keyID() string { return c.name + "#" + strings.TrimPrefix(c.name, "did:key:") }

// jwt is a credential as a VC-JWT.
func (c signer) jwt(n int, name, email string, until time.Time) string {
	c.t.Helper()
	doc := c.document(n, name, email, until)
	doc["jti"], doc["iss"], doc["nbf"] = doc["id"], c.name, 1767225600
	if !until.IsZero() {
		doc["exp"] = until.Unix()
	}
	payload, err := json.Marshal(doc)
	must(c.t, err)
	signed, err := jose.Sign(jose.Header{Algorithm: "EdDSA", KeyID: c.keyID(), Type: "vc+jwt"}, payload, c.key)
	must(c.t, err)
	return signed
}

// proven is a credential with an embedded proof.
func (c signer) proven(n int, name, email string, until time.Time) []byte {
	c.t.Helper()
	text, err := json.Marshal(c.document(n, name, email, until))
	must(c.t, err)
	doc, err := jsonld.ParseObject(text, jsonld.Limits{})
	must(c.t, err)
	proof, err := dataintegrity.Sign(c.t.Context(), jsonld.New(jsonld.Config{}), doc, dataintegrity.Options{VerificationMethod: c.keyID(), Created: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}, c.key)
	must(c.t, err)
	text, err = json.Marshal(dataintegrity.Attach(doc, proof))
	must(c.t, err)
	return text
}

// hosts has the college host a badge of its own name, awarded to an address, and
// returns the assertion's address and text.
func (c *college) hosts(t *testing.T, n int, name, email string) (address string, text []byte) {
	t.Helper()
	class := c.put(fmt.Sprintf("/badge/%d", n), map[string]any{"type": "BadgeClass", "name": name, "description": "Demo", "image": c.URL + "/badge.svg",
		"criteria": map[string]any{"narrative": "Done."}, "issuer": c.URL + "/issuer"})
	address = c.award(n, email)
	doc := maps.Clone(c.docs[fmt.Sprintf("/a/%d", n)])
	doc["badge"] = class
	c.put(fmt.Sprintf("/a/%d", n), doc)
	text, err := json.Marshal(doc)
	must(t, err)
	return address, text
}

// revoke has the college answer that it has taken an assertion back.
func (c *college) revoke(address, why string) {
	c.put(strings.TrimPrefix(address, c.URL), map[string]any{"type": "Assertion", "revoked": true, "revocationReason": why})
	c.end(address, http.StatusGone)
}

// kind is a badge that somebody brings, and how it is met.
type kind struct {
	what, name string
	url        string // or:
	file       string
	body       []byte
	kept       bool
	says       []string
}

// The names of the badges of badgesOfAllKinds that the tests ask for.
const (
	earner  = "chidi@example.org" // of the demo, who has not been here before
	hosted  = "Navigator"
	limited = "Star Gazer"
	jwt     = "Knot Tier"
	waits   = "Harbour Pilot"
	elses   = "Boatswain"
)

// badgesOfAllKinds are those that an earner may come with: good ones of every
// make for the earner, one for their second address, and bad ones. The first is hosted by
// the college.
func badgesOfAllKinds(c signer, school *college, second string) []kind {
	c.t.Helper()
	const kept = "The badge is verified and kept. Only you can see it."
	last := time.Date(2099, 11, 30, 0, 0, 0, 0, time.UTC)
	address, _ := school.hosts(c.t, 1, hosted, earner)
	_, file := school.hosts(c.t, 2, "Quartermaster", earner)
	_, inPNG := school.hosts(c.t, 3, "Rigger", earner)
	taken, _ := school.hosts(c.t, 4, "Cabin Boy", earner)
	school.revoke(taken, "Run away")
	good := c.jwt(4, jwt, earner, time.Time{})
	forged := []byte(c.jwt(8, "Admiral", earner, time.Time{}))
	at := len(forged) - 9 // in the signature
	if forged[at] == 'A' {
		forged[at] = 'B'
	} else {
		forged[at] = 'A'
	}
	return []kind{
		{what: "a hosted one by its address", name: hosted, url: address, kept: true, says: []string{kept, hosted, "Demo College · 127.0.0.1"}},
		{what: "the same again", name: hosted, url: address, kept: true, says: []string{"You have this badge already."}},
		{what: "a hosted one as JSON", name: "Quartermaster", file: "badge.json", body: file, kept: true, says: []string{kept, "Open Badges 2.0"}},
		{what: "a baked PNG", name: "Rigger", file: "badge.png", body: bakedPNG(c.t, inPNG), kept: true, says: []string{kept, "Open Badges 2.0"}},
		{what: "a baked SVG", name: "Sail Maker", file: "badge.svg", body: bakedSVG(c.t, c.proven(2, "Sail Maker", earner, time.Time{})), kept: true, says: []string{kept, "Open Badges 3.0"}},
		{what: "one with a proof in it", name: limited, file: "badge.json", body: c.proven(3, limited, earner, last), kept: true, says: []string{kept, "30 November 2099"}},
		{what: "a JWT", name: jwt, file: "badge.jwt", body: []byte(good), kept: true, says: []string{kept, "Open Badges 3.0"}},
		{what: "an expired one", name: "Old Salt", file: "badge.jwt", body: []byte(c.jwt(5, "Old Salt", earner, time.Now().Add(-48*time.Hour))), kept: true, says: []string{kept, "Expired"}},
		{what: "one for another address", name: waits, file: "badge.jwt", body: []byte(c.jwt(6, waits, second, time.Time{})), says: []string{"which you have not proven here", "Add an address"}},
		{what: "somebody else's", name: elses, file: "badge.jwt", body: []byte(c.jwt(7, elses, bo, time.Time{})), says: []string{"which you have not proven here"}},
		{what: "a revoked one", name: "Cabin Boy", url: taken, says: []string{"The badge was revoked by its issuer.", "Ask its issuer why."}},
		{what: "a forged one", name: "Admiral", file: "badge.jwt", body: forged, says: []string{"The badge does not verify:", "signature", "Ask its issuer to issue it again"}},
		{what: "one that is not there", name: "nobody", url: school.URL + "/a/none", says: []string{"Nothing is at this address", "Check the address."}},
		{what: "a file that is none", name: "nobody", file: "hello.txt", body: []byte("hello"), says: []string{"There is no badge in it.", "Take the picture as it was downloaded"}},
	}
}

func bakedPNG(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, 16, 16))))
	out, err := bake.Bake(b.Bytes(), bake.OpenBadges, text)
	must(t, err)
	return out
}

func bakedSVG(t *testing.T, text []byte) []byte {
	t.Helper()
	out, err := bake.Bake([]byte(`<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><circle r="4"/></svg>`), bake.Credential, text)
	must(t, err)
	return out
}
