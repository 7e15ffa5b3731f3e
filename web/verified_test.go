package web_test

import (
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"badgebridge/openbadges"
	"badgebridge/openbadges/dataintegrity"
	"badgebridge/openbadges/did"
	"badgebridge/openbadges/jsonld"
)

// verdictOn asks the API about a badge.
func (w *world) verdictOn(t *testing.T, contentType, badge, recipient string) answer {
	t.Helper()
	b := w.browser()
	body := []byte(badge)
	path := "/api/v1/verify?recipient=" + recipient
	if contentType == "" {
		var err error
		body, err = json.Marshal(map[string]string{"url": badge, "recipient": recipient})
		must(t, err)
		contentType = "application/json"
	}
	return b.send(path, contentType, body)
}

// forms are all forms of an award, as whoever got them holds them: by address,
// and as a file.
func (w *world) forms(t *testing.T, owner *browser, id, page string) map[string][2]string {
	t.Helper()
	out := map[string][2]string{}
	for version, path := range map[string]string{"1.1": "/ob/v1/assertions/", "2.0": "/ob/v2/assertions/", "3.0": "/ob/v3/credentials/"} {
		out[version+" by address"] = [2]string{"", w.server.URL + path + id}
		out[version+" as JSON"] = [2]string{"application/ld+json", w.browser().get(path + id).body}
		out[version+" baked"] = [2]string{"image/png", owner.get(page + "/baked.png?version=" + version).body}
	}
	out["3.0 as a JWT"] = [2]string{"application/vc+jwt", w.browser().get("/ob/v3/credentials/" + id + ".jwt").body}
	out["3.0 as a JWT by address"] = [2]string{"", w.server.URL + "/ob/v3/credentials/" + id + ".jwt"}
	for name, form := range out {
		if form[1] == "" {
			t.Fatalf("there is no %s", name)
		}
	}
	return out
}

func TestEveryFormOfAnAwardVerifiesUntilItIsRevoked(t *testing.T) {
	w, owner, a := claimed(t)
	id := w.assertion(t, a, openbadges.V30).ID
	forms := w.forms(t, owner, id, "/b/"+a.ID)
	for name, form := range forms {
		got := w.verdictOn(t, form[0], form[1], ada)
		r := got.json(t)
		if r["outcome"] != "valid" || r["version"] != name[:3] || r["recipient"].(map[string]any)["matched"] != true {
			t.Errorf("%s: %s", name, got.body)
		}
		if other := w.verdictOn(t, form[0], form[1], bo).json(t); other["outcome"] != "invalid" || other["recipient"].(map[string]any)["matched"] != false {
			t.Errorf("%s: for another person: %v", name, other)
		}
	}

	w.now.add(time.Minute) // as often as that it may be asked

	// New keys: what the old ones signed holds, and new badges have the new ones.
	old := w.controller(t, "/ob/v3/issuers/"+issuerID(t, w))
	_, err := w.engine.Keys().Rotate(t.Context())
	must(t, err)
	owner.post("/badges/" + w.awardOf(ada, "Reviewer").ID + "/claim")
	for name, form := range forms {
		if got := w.verdictOn(t, form[0], form[1], ada); got.json(t)["outcome"] != "valid" {
			t.Errorf("%s, after the keys were replaced: %s", name, got.body)
		}
	}
	second := w.awardOf(ada, "Reviewer")
	id2 := w.assertion(t, second, openbadges.V30).ID
	for name, form := range w.forms(t, owner, id2, "/b/"+second.ID) {
		if got := w.verdictOn(t, form[0], form[1], ada); got.json(t)["outcome"] != "valid" {
			t.Errorf("%s of a new badge: %s", name, got.body)
		}
	}
	proof := w.browser().get("/ob/v3/credentials/" + id2).json(t)["proof"].(map[string]any)
	if _, err := old.Method(proof["verificationMethod"].(string)); err == nil {
		t.Error("the new badge is signed with the old key")
	}

	w.now.add(time.Minute)
	w.revoke(t, ada, "Mentor", "issued by mistake")
	for name, form := range forms {
		got := w.verdictOn(t, form[0], form[1], ada)
		if r := got.json(t); got.status != http.StatusOK || r["outcome"] != "invalid" {
			t.Errorf("%s, revoked: %s", name, got.body)
			continue
		}
		var r struct {
			Checks []struct{ Name, Status string }
		}
		must(t, json.Unmarshal([]byte(got.body), &r))
		for _, c := range r.Checks {
			if c.Status == "fail" && c.Name != "status" {
				t.Errorf("%s, revoked: it fails by %s: %s", name, c.Name, got.body)
			}
		}
	}
	for name, form := range w.forms(t, owner, id2, "/b/"+second.ID) {
		if got := w.verdictOn(t, form[0], form[1], ada); got.json(t)["outcome"] != "valid" {
			t.Errorf("%s, after another badge was revoked: %s", name, got.body)
		}
	}
}

func TestTheVerifyPageShowsWhatOnlyACredentialHas(t *testing.T) {
	w := newWorld(t)
	public, private, err := ed25519.GenerateKey(nil)
	must(t, err)
	issuer, method, err := did.KeyDID(public)
	must(t, err)
	doc, err := jsonld.ParseObject([]byte(`{
		"@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
		"id": "urn:uuid:7c7dcd64-96d3-4f0c-8a0b-0f6a3e3f7f10", "type": ["VerifiableCredential", "OpenBadgeCredential"], "name": "Statistics",
		"issuer": {"id": "`+issuer+`", "type": ["Profile"], "name": "Example University"}, "validFrom": "2026-01-02T00:00:00Z",
		"credentialSubject": {"id": "did:example:ada", "type": ["AchievementSubject"], "creditsEarned": 6, "role": "Lead", "licenseNumber": "L-7",
			"result": [{"type": ["Result"], "resultDescription": "urn:uuid:1", "value": "94"}],
			"achievement": {"id": "urn:uuid:2", "type": ["Achievement"], "achievementType": "Course", "name": "Statistics", "description": "Reads and doubts figures.",
				"criteria": {"narrative": "An examination."},
				"resultDescription": [{"id": "urn:uuid:1", "type": ["ResultDescription"], "name": "Final mark", "resultType": "Percent", "valueMin": "0", "valueMax": "100"}],
				"alignment": [{"type": ["Alignment"], "targetName": "Probability", "targetUrl": "https://standards.example.org/p"}]}}}`), jsonld.Limits{})
	must(t, err)
	proof, err := dataintegrity.Sign(t.Context(), jsonld.New(jsonld.Config{}), doc, dataintegrity.Options{VerificationMethod: method, Created: w.now.Now()}, private)
	must(t, err)
	text, err := json.Marshal(dataintegrity.Attach(doc, proof))
	must(t, err)
	w.browser().post("/verify", "input", string(text)).has(t, "<strong>Genuine</strong>", "Statistics", "Example University",
		"Course", "Final mark", "94 / 100", "Lead", "L-7", "<dd>6</dd>", "Probability", "An examination.", "2 January 2026")
}
