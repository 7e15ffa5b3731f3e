package verify_test

import (
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"
	"time"

	"badgebridge/openbadges/did"
	"badgebridge/openbadges/verify"
)

const suite3 = "eddsa-rdfc-2022"

// TestWhatTheTextOfOpenBadges3Demands has cases of the specification's own
// sentences, beside those of the data model (TestEachFaultIsToldByItsCheck).
func TestWhatTheTextOfOpenBadges3Demands(t *testing.T) {
	k := newKey(t)
	base := func(change ...any) object {
		doc := credential3(t, k.did)
		for i := 0; i+1 < len(change); i += 2 {
			set(doc, change[i].(string), change[i+1])
		}
		return parse(t, text(doc))
	}
	const s, a = "credentialSubject.", "credentialSubject.achievement."
	grade := object{"id": "urn:uuid:r1", "type": []any{"ResultDescription"}, "name": "n", "resultType": "LetterGrade"}
	state := object{"id": "urn:uuid:r2", "type": []any{"ResultDescription"}, "name": "n", "resultType": "Status"}
	result := func(more ...any) []any {
		r := object{"type": []any{"Result"}}
		for i := 0; i+1 < len(more); i += 2 {
			r[more[i].(string)] = more[i+1]
		}
		return []any{r}
	}
	old := func(change ...any) object {
		doc := base("validFrom", nil, "issuanceDate", "2020-01-01T00:00:00Z")
		set(doc, "@context", []any{"https://www.w3.org/2018/credentials/v1", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json", "https://w3id.org/security/data-integrity/v2"})
		for i := 0; i+1 < len(change); i += 2 {
			set(doc, change[i].(string), change[i+1])
		}
		return parse(t, text(doc))
	}
	for name, c := range map[string]struct {
		doc  object
		want verify.Outcome
		by   string
	}{
		"types in another order":                 {base("type", []any{"OpenBadgeCredential", "VerifiableCredential"}), verify.Valid, "type:pass"},
		"contexts in another order":              {base("@context", []any{"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json", "https://www.w3.org/ns/credentials/v2"}), verify.Invalid, "context"},
		"a release of the context unknown yet":   {nil, verify.Unknown, "context:warn"},
		"an id that is a blank node":             {base("id", "_:b0"), verify.Invalid, "schema"},
		"an achievement that is a blank node":    {base(a+"id", "_:b0"), verify.Invalid, "subject"},
		"a relative id":                          {base("id", "credentials/1"), verify.Invalid, "schema"},
		"an hour of one digit":                   {base("validFrom", "2020-01-01T1:00:00Z"), verify.Invalid, "schema"},
		"a zone further away than any":           {base("validFrom", "2020-01-01T01:00:00+15:00"), verify.Invalid, "schema"},
		"the zone that is furthest away":         {base("validFrom", "2020-01-01T01:00:00+14:00"), verify.Valid, "validity:pass"},
		"it begins in the future":                {base("validFrom", "2026-01-01T00:00:01Z"), verify.Invalid, "validity"},
		"it begins now":                          {base("validFrom", "2026-01-01T00:00:00Z"), verify.Valid, "validity:pass"},
		"it ends before it begins":               {base("validFrom", "2020-01-02T00:00:00Z", "validUntil", "2020-01-01T00:00:00Z"), verify.Invalid, "validity"},
		"an award in the future":                 {base("awardedDate", "2030-01-01T00:00:00Z"), verify.Valid, "validity:pass"},
		"issuanceDate under VC 2.0":              {base("issuanceDate", "2020-01-01T00:00:00Z"), verify.Invalid, "context"},
		"VC 1.1":                                 {old(), verify.Valid, "format:warn"},
		"VC 1.1 that ran out":                    {old("expirationDate", "2025-01-01T00:00:00Z"), verify.Invalid, "validity"},
		"VC 1.1 of the future":                   {old("issuanceDate", "2027-01-01T00:00:00Z"), verify.Invalid, "validity"},
		"VC 1.1 without a name":                  {old("name", nil), verify.Invalid, "schema"},
		"VC 1.1 whose issuer is an id":           {old("issuer", k.did), verify.Invalid, "issuer"},
		"VC 2.0 whose issuer is an id":           {base("issuer", k.did), verify.Valid, "issuer:pass"},
		"nobody is the subject":                  {base(s+"id", nil), verify.Invalid, "subject"},
		"an empty list of identifiers":           {base(s+"id", nil, s+"identifier", []any{}), verify.Invalid, "subject"},
		"a result of the achievement's":          {base(a+"resultDescription", []any{grade}, s+"result", result("resultDescription", "urn:uuid:r1", "value", "A")), verify.Valid, "subject:pass"},
		"a result of no description":             {base(s+"result", result("value", "A")), verify.Valid, "subject:pass"},
		"a result of another achievement's":      {base(a+"resultDescription", []any{grade}, s+"result", result("resultDescription", "urn:uuid:r9", "value", "A")), verify.Invalid, "subject"},
		"a result of nothing at all":             {base(s+"result", result("resultDescription", "urn:uuid:r1", "value", "A")), verify.Invalid, "subject"},
		"a status without one":                   {base(a+"resultDescription", []any{state}, s+"result", result("resultDescription", "urn:uuid:r2", "value", "Done")), verify.Invalid, "subject"},
		"a status":                               {base(a+"resultDescription", []any{state}, s+"result", result("resultDescription", "urn:uuid:r2", "status", "Completed")), verify.Valid, "subject:pass"},
		"a level that is nowhere":                {base(a+"resultDescription", []any{grade}, s+"result", result("resultDescription", "urn:uuid:r1", "achievedLevel", "urn:uuid:l9")), verify.Valid, "subject:warn"},
		"numbers in other forms":                 {base(s+"creditsEarned", 1e2, a+"creditsAvailable", 1.0), verify.Valid, "proof:pass"},
		"text in decomposed letters":             {base("name", "Café"), verify.Valid, "proof:pass"},
		"a protected term defined anew":          {nil, verify.Invalid, "context"},
		"a term of one's own":                    {base("@context.1", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json", "@context", []any{"https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json", object{"mood": "https://example.org/mood"}}, "mood", "good"), verify.Valid, "proof:pass"},
		"a schema of a kind that is not ours":    {base("credentialSchema", []any{object{"id": "https://x.example/s", "type": "JsonSchemaCredential"}}), verify.Valid, "schema:warn"},
		"a status entry whose place is negative": {base("credentialStatus", object{"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "-1", "statusListCredential": "https://x.example/l"}), verify.Invalid, "status"},
	} {
		var signed object
		switch name {
		case "a release of the context unknown yet":
			signed = set(embed(t, base(), "eddsa-jcs-2022", k.method, k), "@context.1", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.9.json")
			delete(signed, "proof")
			signed = embed(t, signed, "eddsa-jcs-2022", k.method, k)
		case "a protected term defined anew":
			signed = base("@context", []any{"https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json", object{"name": "https://example.org/x"}})
			signed = embed(t, signed, "eddsa-jcs-2022", k.method, k)
		case "issuanceDate under VC 2.0":
			signed = embed(t, c.doc, "eddsa-jcs-2022", k.method, k)
		default:
			signed = embed(t, c.doc, "eddsa-jcs-2022", k.method, k)
			if c.want == verify.Valid {
				outcome(t, name+" (rdfc)", serve(nil), embed(t, c.doc, suite3, k.method, k), c.want, c.by)
			}
		}
		outcome(t, name, serve(nil), signed, c.want, c.by)
	}
	composed := embed(t, base("name", "Caf\u00e9"), suite3, k.method, k)
	outcome(t, "letters composed after signing", serve(nil), set(composed, "name", "Cafe\u0301"), verify.Invalid, "proof")
	outcome(t, "a number written otherwise", serve(nil), strings.Replace(text(embed(t, base(s+"creditsEarned", 100), suite3, k.method, k)), `"creditsEarned":100`, `"creditsEarned":1.0e2`, 1), verify.Valid, "proof:pass")
	outcome(t, "made in the future", serve(nil), embed(t, base(), suite3, k.method, k, "created", "2026-02-01T00:00:00Z"), verify.Valid, "proof:warn")
	outcome(t, "made by a clock that is fast", serve(nil), embed(t, base(), suite3, k.method, k, "created", "2026-01-01T00:01:00Z"), verify.Valid, "proof:pass")
	outcome(t, "made at no time zone", serve(nil), set(embed(t, base(), suite3, k.method, k), "proof.0.created", "2020-01-01T00:00:00"), verify.Invalid, "proof")
	outcome(t, "a value in another base", serve(nil), set(embed(t, base(), suite3, k.method, k), "proof.0.proofValue", "u"+strings.Repeat("A", 86)), verify.Invalid, "proof")
}

// TestAKeyNeedsAPurpose: Controlled Identifiers has a verification method for
// nothing until a relationship names it; the keys of OB 2.0's profiles know none.
func TestAKeyNeedsAPurpose(t *testing.T) {
	k := newKey(t)
	signed := embed(t, credential3(t, issuer3), suite3, issuer3+"#"+k.multi, k)
	bare := set(controllerOf(issuer3, k), "assertionMethod", nil)
	outcome(t, "a method without a purpose", serve(map[string]any{issuer3: bare}), signed, verify.Invalid, "key")
	profile := set(set(controllerOf(issuer3, k), "assertionMethod", nil), "publicKey", bare["verificationMethod"])
	outcome(t, "a key of a profile", serve(map[string]any{issuer3: set(profile, "verificationMethod", nil)}), signed, verify.Valid, "issuer:pass")
}

func TestATokenBeyondItsClaims(t *testing.T) {
	k := newKey(t)
	token := func(header object, claims ...any) string {
		header["kid"] = k.method
		return jwt(t, credential3(t, k.did), header, k, claims...)
	}
	outcome(t, "typ JWT", serve(nil), token(object{"typ": "JWT"}), verify.Valid, "proof:pass")
	outcome(t, "another typ", serve(nil), token(object{"typ": "vc+jwt"}), verify.Valid, "proof:warn")
	outcome(t, "an end of the token alone", serve(nil), token(object{}, "exp", 1893456000), verify.Valid, "proof:warn")
	rep := outcome(t, "that has passed", serve(nil), token(object{}, "exp", 1735689600), verify.Invalid, "validity")
	if !rep.Expired || rep.Badge == nil || rep.Badge.Expires != "2025-01-01T00:00:00Z" {
		t.Errorf("the end is not told: %+v", rep.Badge)
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := did.JWK(&short.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	outcome(t, "an RSA key that is too short", serve(nil), jwt(t, credential3(t, issuer3), object{"alg": "RS256", "jwk": jwk}, issuerKey{private: short}), verify.Invalid, "key")
}

func TestASchemaSaysWhatACredentialMayHold(t *testing.T) {
	k := newKey(t)
	const at = "https://issuer.example/schema.json"
	doc := set(credential3(t, k.did), "credentialSchema", []any{object{"id": at, "type": "1EdTechJsonSchemaValidator2019"}})
	doc["@context"] = append(doc["@context"].([]any), "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json")
	signed := embed(t, doc, suite3, k.method, k)
	for schema, want := range map[string]verify.Outcome{
		`{"$defs":{"n":{"const":"C"}},"properties":{"name":{"$ref":"#/$defs/n"}}}`:                              verify.Valid,
		`{"$defs":{"n":{"const":"D"}},"properties":{"name":{"$ref":"#/$defs/n"}}}`:                              verify.Invalid,
		`{"properties":{"type":{"minItems":2,"maxItems":2,"uniqueItems":true}}}`:                                verify.Valid,
		`{"properties":{"type":{"minItems":3}}}`:                                                                verify.Invalid,
		`{"properties":{"type":{"maxItems":1}}}`:                                                                verify.Invalid,
		`{"properties":{"type":{"contains":{"const":"OpenBadgeCredential"}}}}`:                                  verify.Valid,
		`{"properties":{"type":{"contains":{"const":"Other"}}}}`:                                                verify.Invalid,
		`{"not":{"required":["nickname"]}}`:                                                                     verify.Valid,
		`{"not":{"required":["name"]}}`:                                                                         verify.Invalid,
		`{"additionalProperties":false}`:                                                                        verify.Invalid,
		`{"properties":{"issuer":{"properties":{"id":{},"type":{},"name":{}},"additionalProperties":false}}}`:   verify.Valid,
		`{"properties":{"issuer":{"properties":{"id":{},"type":{}},"additionalProperties":false}}}`:             verify.Invalid,
		`{"properties":{"issuer":{"properties":{"id":{},"type":{}},"additionalProperties":{"type":"string"}}}}`: verify.Valid,
		`{"patternProperties":{"^x":{}},"additionalProperties":false}`:                                          verify.Unknown,
		`{"dependentSchemas":{}}`:                                                                               verify.Unknown,
	} {
		rep := check3(serve(map[string]any{at: schema}), verify.Input{Data: []byte(text(signed))})
		if rep.Outcome != want {
			t.Errorf("%s: %s: %v", schema, rep.Outcome, rep.Problems())
		}
	}
}

func TestARefreshedCredentialCounts(t *testing.T) {
	k, other := newKey(t), newKey(t)
	const at = "https://issuer.example/refresh/1"
	doc := func(change ...any) object {
		d := set(credential3(t, k.did), "@context", []any{"https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json", "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"})
		set(d, "refreshService", object{"id": at, "type": "1EdTechCredentialRefresh"})
		for i := 0; i+1 < len(change); i += 2 {
			set(d, change[i].(string), change[i+1])
		}
		return embed(t, d, suite3, k.method, k)
	}
	newer := []any{"validFrom", "2025-06-01T00:00:00Z"}
	with := func(more ...any) object { return doc(append(newer, more...)...) }
	for name, c := range map[string]struct {
		given  object
		answer any
		want   verify.Outcome
		by     string
		from   string
	}{
		"the same":                         {doc(), doc(), verify.Valid, "validity:pass", "2020-01-01T00:00:00Z"},
		"a newer one":                      {doc(), with(), verify.Valid, "validity:warn", "2025-06-01T00:00:00Z"},
		"a newer one that ran out":         {doc(), with("validUntil", "2025-12-01T00:00:00Z"), verify.Invalid, "validity", "2025-06-01T00:00:00Z"},
		"a newer one of one that ran out":  {doc("validUntil", "2025-01-01T00:00:00Z"), with("validUntil", "2030-01-01T00:00:00Z"), verify.Valid, "validity:warn", "2025-06-01T00:00:00Z"},
		"an older one":                     {with(), doc(), verify.Valid, "validity:warn", "2025-06-01T00:00:00Z"},
		"one that was changed":             {doc(), set(with(), "name", "X"), verify.Valid, "validity:warn", "2020-01-01T00:00:00Z"},
		"one that is not well made":        {doc(), with("credentialSubject.achievement.name", nil), verify.Valid, "validity:warn", "2020-01-01T00:00:00Z"},
		"another credential":               {doc(), with("id", "https://issuer.example/credentials/2"), verify.Valid, "validity:warn", "2020-01-01T00:00:00Z"},
		"another issuer's":                 {doc(), embed(t, set(set(with(), "proof", nil), "issuer.id", other.did), suite3, other.method, other), verify.Valid, "validity:warn", "2020-01-01T00:00:00Z"},
		"a page":                           {doc(), "<html></html>", verify.Valid, "validity:warn", "2020-01-01T00:00:00Z"},
		"nobody":                           {doc(), nil, verify.Valid, "validity:warn", "2020-01-01T00:00:00Z"},
		"a token":                          {doc(), jwt(t, set(with(), "proof", nil), object{"kid": k.method}, k, "nbf", time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC).Unix()), verify.Valid, "validity:warn", "2025-06-01T00:00:00Z"},
		"one that has a newer one itself":  {doc(), with("refreshService", object{"id": "https://issuer.example/refresh/2", "type": "1EdTechCredentialRefresh"}), verify.Valid, "validity:warn", "2025-06-01T00:00:00Z"},
		"nothing is asked without a proof": {set(doc(), "name", "X"), with(), verify.Invalid, "proof", "2020-01-01T00:00:00Z"},
	} {
		docs := map[string]any{}
		if c.answer != nil {
			docs[at] = c.answer
		}
		rep := outcome(t, name, serve(docs), c.given, c.want, c.by)
		if rep.Badge == nil || rep.Badge.IssuedOn != c.from {
			t.Errorf("%s: the badge that counts is of %+v, want %s", name, rep.Badge, c.from)
		}
	}
}
