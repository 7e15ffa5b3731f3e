package verify_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"badgebridge/openbadges"
	"badgebridge/openbadges/verify"
)

func check3(f verify.Fetcher, in verify.Input, opt ...func(*verify.Options)) verify.Report {
	o := verify.Options{Fetcher: f, Now: func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }}
	for _, f := range opt {
		f(&o)
	}
	return verify.Verify(context.Background(), in, o)
}

func recipients(ids ...string) func(*verify.Options) {
	return func(o *verify.Options) {
		for _, id := range ids {
			kind, value, _ := strings.Cut(id, ":")
			if kind == "did" {
				kind, value = "id", id
			}
			o.Recipient = append(o.Recipient, verify.Identifier{Type: openbadges.IdentityType(kind), Value: value})
		}
	}
}

func TestAGoodCredentialIsValidUnderEverySuite(t *testing.T) {
	for _, k := range []issuerKey{newKey(t), newP256(t)} {
		suites := []string{"eddsa-rdfc-2022", "eddsa-jcs-2022"}
		if strings.HasPrefix(k.multi, "zDn") {
			suites = []string{"ecdsa-rdfc-2019"}
		}
		for _, suite := range suites {
			for what, doc := range map[string]object{"small": credential3(t, k.did), "full": full3(t, k.did)} {
				rep := outcome(t, suite+" "+what, serve(nil), embed(t, doc, suite, k.method, k), verify.Valid, "issuer:pass")
				if rep.Version != "3.0" || rep.Verification != "proof" || rep.Subject != doc["id"] {
					t.Errorf("%s %s: %+v", suite, what, rep)
				}
				if rep.Badge == nil || rep.Badge.Name != "A" || rep.Badge.Issuer.Name != "I" || rep.Assertion == nil || rep.Assertion.Version != openbadges.V30 {
					t.Errorf("%s %s: what was verified is not told: %+v %+v", suite, what, rep.Badge, rep.Assertion)
				}
			}
		}
		outcome(t, "JWT", serve(nil), jwt(t, full3(t, k.did), object{"kid": k.method}, k, "exp", endOfFull), verify.Valid, "issuer:pass")
	}
}

// TestEachFaultIsToldByItsCheck goes through the data model of OB 3.0: what each
// member may be, and what not.
func TestEachFaultIsToldByItsCheck(t *testing.T) {
	k := newKey(t)
	const a, s = "credentialSubject.achievement.", "credentialSubject."
	for path, c := range map[string]struct {
		check string
		bad   []any
		good  []any
	}{
		"@context":               {"context", []any{"https://www.w3.org/ns/credentials/v2", []any{}, []any{"https://www.w3.org/ns/credentials/v2"}, []any{"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json", "https://www.w3.org/ns/credentials/v2"}}, []any{[]any{"https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json", "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"}, []any{"https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json"}}},
		"id":                     {"schema", []any{nil, null{}, "", "no uri", 1, []any{"urn:x:1"}}, []any{"urn:uuid:1"}},
		"type":                   {"type", []any{nil, "VerifiableCredential", []any{"OpenBadgeCredential"}, []any{"VerifiableCredential", "Other"}, []any{1}}, []any{[]any{"VerifiableCredential", "AchievementCredential"}}},
		"issuer":                 {"issuer", []any{nil, null{}, 1, []any{}, "a name", object{"id": "https://x.example", "name": "no type"}, object{"type": []any{"Profile"}}}, nil},
		"issuer.type":            {"issuer", []any{nil, "Person", []any{}}, []any{"Profile", []any{"Profile", "ext:x"}}},
		"issuer.id":              {"issuer", []any{nil, "x", 1}, nil},
		"issuer.name":            {"issuer", []any{1, []any{"I"}, null{}}, nil},
		"issuer.url":             {"issuer", []any{"no url", 1}, []any{"https://x.example"}},
		"issuer.email":           {"issuer", []any{"nobody", 1, "a b@c"}, []any{"a@example.org"}},
		"issuer.image":           {"image", []any{"https://x.example/i.png", object{"id": "https://x.example/i.png"}, object{"type": "Image"}}, nil},
		"issuer.otherIdentifier": {"issuer", []any{object{}, "x", []any{object{"type": "Wrong", "identifier": "1", "identifierType": "sourcedId"}}, []any{object{"type": "IdentifierEntry", "identifier": "1", "identifierType": "none"}}, []any{object{"type": "IdentifierEntry", "identifierType": "sourcedId"}}}, []any{[]any{object{"type": "IdentifierEntry", "identifier": "1", "identifierType": "ext:mine"}}}},
		"issuer.parentOrg":       {"issuer", []any{"https://x.example", object{"id": "urn:x:1"}}, nil},
		"issuer.dateOfBirth":     {"issuer", []any{"yesterday", "2000-13-01"}, nil},
		"issuer.address":         {"issuer", []any{"here", object{"type": "Place"}, object{"type": "Address", "geo": object{"type": "GeoCoordinates", "latitude": "1", "longitude": 2}}, object{"type": "Address", "geo": object{"type": "GeoCoordinates", "latitude": 1}}}, nil},
		"validFrom":              {"schema", []any{nil, null{}, "2020-01-01", "2020-01-01T00:00:00", "2020-01-01 00:00:00Z", "2020-02-30T00:00:00Z", 1577836800, []any{"2020-01-01T00:00:00Z"}, "2020-01-01T00:00:00,5Z", "2020-01-01t00:00:00z"}, []any{"2020-01-01T00:00:00.123Z", "2020-01-01T00:00:00-08:00", "2019-12-31T24:00:00Z"}},
		"validUntil":             {"schema", []any{"never", 1}, []any{"2030-01-01T00:00:00Z"}},
		"awardedDate":            {"schema", []any{"2020"}, nil},
		"name":                   {"schema", []any{1, object{"@value": "x"}, []any{"x"}}, nil},
		"description":            {"schema", []any{true}, nil},
		"image":                  {"image", []any{"https://x.example/i.png", []any{}, object{"type": []any{"Image"}, "id": 1}}, nil},
		"credentialSubject":      {"subject", []any{nil, null{}, "did:example:1", []any{}}, nil},
		s + "id":                 {"subject", []any{nil, "no uri", 1}, nil},
		s + "type":               {"subject", []any{nil, "Person", []any{"Other"}}, []any{"AchievementSubject"}},
		s + "achievement":        {"subject", []any{nil, "https://x.example", []any{}}, nil},
		s + "identifier":         {"recipient", []any{object{}, "x", []any{object{"type": "Wrong", "hashed": false, "identityHash": "a", "identityType": "emailAddress"}}, []any{object{"type": "IdentityObject", "hashed": "true", "identityHash": "a", "identityType": "emailAddress"}}, []any{object{"type": "IdentityObject", "hashed": true, "identityHash": "a@example.org", "identityType": "emailAddress"}}, []any{object{"type": "IdentityObject", "hashed": false, "identityHash": "sha256$" + digest, "identityType": "emailAddress"}}, []any{object{"type": "IdentityObject", "hashed": false, "identityHash": "a@example.org", "identityType": "email"}}, []any{object{"type": "IdentityObject", "hashed": false, "identityHash": "a@example.org"}}}, []any{[]any{object{"type": []any{"IdentityObject"}, "hashed": false, "identityHash": "a@example.org", "identityType": "emailAddress"}}}},
		s + "result":             {"subject", []any{object{"type": "Result"}, []any{object{"type": "Other"}}, []any{object{"type": "Result", "status": "ext:Done"}}, []any{object{"type": "Result", "resultDescription": "none"}}}, []any{[]any{object{"type": []any{"Result"}, "status": "Completed"}}}},
		s + "creditsEarned":      {"subject", []any{"1", []any{1}}, []any{0, 1.5}},
		s + "activityEndDate":    {"subject", []any{"2020"}, nil},
		s + "source":             {"subject", []any{"https://x.example", object{"id": "urn:x:1", "type": "Organization"}}, nil},
		s + "image":              {"image", []any{"x"}, nil},
		s + "narrative":          {"subject", []any{1}, nil},
		a + "id":                 {"subject", []any{nil, "x"}, nil},
		a + "type":               {"subject", []any{nil, "BadgeClass"}, []any{"Achievement"}},
		a + "name":               {"subject", []any{nil, 1, null{}}, nil},
		a + "description":        {"subject", []any{nil, 1}, nil},
		a + "criteria":           {"subject", []any{nil, "https://x.example", []any{}, object{"id": "x"}, object{"narrative": 1}}, []any{object{"id": "https://x.example"}}},
		a + "achievementType":    {"subject", []any{"Medal", "ext:", []any{"Badge"}}, []any{"Badge", "ext:Medal"}},
		a + "image":              {"image", []any{"https://x.example/i.png"}, nil},
		a + "tag":                {"subject", []any{"x", []any{1}}, []any{[]any{}}},
		a + "alignment":          {"alignment", []any{object{"type": "Alignment", "targetName": "n", "targetUrl": "https://x.example"}, []any{object{"type": "Alignment", "targetName": "n"}}, []any{object{"type": "Alignment", "targetUrl": "https://x.example"}}, []any{object{"targetName": "n", "targetUrl": "https://x.example"}}, []any{object{"type": "Alignment", "targetName": "n", "targetUrl": "https://x.example", "targetType": "Other"}}}, []any{[]any{object{"type": []any{"Alignment"}, "targetName": "n", "targetUrl": "https://x.example", "targetType": "CTDL"}}}},
		a + "resultDescription":  {"subject", []any{[]any{object{"id": "urn:x:1", "type": "Other", "name": "n", "resultType": "Status"}}, []any{object{"id": "urn:x:1", "type": "ResultDescription", "name": "n", "resultType": "Mood"}}, []any{object{"id": "urn:x:1", "type": "ResultDescription", "resultType": "Status"}}}, []any{[]any{object{"id": "urn:x:1", "type": "ResultDescription", "name": "n", "resultType": "ext:Mood"}}}},
		a + "inLanguage":         {"subject", []any{"no language", 1}, []any{"de", "en-GB"}},
		a + "related":            {"subject", []any{[]any{object{"type": "Related"}}, []any{"urn:x:1"}}, nil},
		a + "creator":            {"subject", []any{"https://x.example", object{"id": "urn:x:1"}}, nil},
		a + "version":            {"subject", []any{1}, []any{"1"}},
		a + "endorsement":        {"endorsement", []any{"https://x.example", object{}}, nil},
		"endorsementJwt":         {"endorsement", []any{"a.b.c", []any{"x"}, []any{1}}, nil},
		"evidence":               {"evidence", []any{object{"type": "Evidence"}, "https://x.example", []any{"https://x.example"}, []any{object{"type": "Other"}}, []any{object{"type": "Evidence", "id": "x"}}, []any{object{"type": "Evidence", "genre": 1}}}, []any{[]any{object{"type": "Evidence", "narrative": "n"}}, []any{}}},
		"credentialSchema":       {"schema", []any{"https://x.example", []any{object{"id": "https://x.example"}}, []any{object{"type": "1EdTechJsonSchemaValidator2019"}}}, []any{object{"id": "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json", "type": "1EdTechJsonSchemaValidator2019"}}},
		"refreshService":         {"schema", []any{"https://x.example", object{"id": "x", "type": "y"}}, []any{object{"id": "https://x.example/r", "type": "1EdTechCredentialRefresh"}}},
		"termsOfUse":             {"schema", []any{"x", object{"id": "https://x.example"}}, []any{[]any{object{"type": "Evidence"}}}},
		"credentialStatus":       {"status", []any{"https://x.example", object{"id": "https://x.example/s"}, object{"id": "https://x.example/s", "type": "BitstringStatusListEntry"}}, nil},
	} {
		for i, v := range c.bad {
			doc := set(credential3(t, k.did), path, v)
			outcome(t, fmt.Sprintf("%s: bad %d: %s", path, i, text(v)), serve(nil), embed(t, doc, "eddsa-jcs-2022", k.method, k), verify.Invalid, c.check)
		}
		for i, v := range c.good {
			doc := set(credential3(t, k.did), path, v)
			if contexts := doc["@context"].([]any); path != "@context" {
				doc["@context"] = append(contexts, "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json")
			}
			outcome(t, fmt.Sprintf("%s: good %d: %s", path, i, text(v)), serve(nil), embed(t, doc, "eddsa-jcs-2022", k.method, k), verify.Valid, "")
		}
	}
}

func TestTheDatesOfACredential(t *testing.T) {
	k := newKey(t)
	for name, c := range map[string]struct {
		from, until any
		want        verify.Outcome
	}{
		"ended":                 {"2020-01-01T00:00:00Z", "2025-01-01T00:00:00Z", verify.Invalid},
		"ends now":              {"2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z", verify.Invalid},
		"ended in another zone": {"2020-01-01T00:00:00Z", "2026-01-01T00:30:00+01:00", verify.Invalid},
		"holds":                 {"2020-01-01T00:00:00Z", "2026-01-01T00:00:01Z", verify.Valid},
		"not yet":               {"2026-01-01T00:00:01Z", nil, verify.Invalid},
		"just now":              {"2026-01-01T00:00:00Z", nil, verify.Valid},
		"ends before it begins": {"2025-01-01T00:00:00Z", "2024-01-01T00:00:00Z", verify.Invalid},
	} {
		doc := set(set(credential3(t, k.did), "validFrom", c.from), "validUntil", c.until)
		check := "validity:pass"
		if c.want == verify.Invalid {
			check = "validity"
		}
		rep := outcome(t, name, serve(nil), embed(t, doc, "eddsa-rdfc-2022", k.method, k), c.want, check)
		if rep.Expired != strings.HasPrefix(name, "end") {
			t.Errorf("%s: expired is %v", name, rep.Expired)
		}
	}
}

func TestTheOlderFormOfCredentialsIsRead(t *testing.T) {
	k := newKey(t)
	old := credential3(t, k.did)
	set(old, "@context", []any{"https://www.w3.org/2018/credentials/v1", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json", "https://w3id.org/security/data-integrity/v2"})
	set(old, "validFrom", nil)
	set(old, "issuanceDate", "2020-01-01T00:00:00Z")
	outcome(t, "embedded", serve(nil), embed(t, old, "eddsa-rdfc-2022", k.method, k), verify.Valid, "format:warn")
	outcome(t, "expired", serve(nil), embed(t, set(parse(t, text(old)), "expirationDate", "2021-01-01T00:00:00Z"), "eddsa-rdfc-2022", k.method, k), verify.Invalid, "validity")
	outcome(t, "without a date", serve(nil), embed(t, set(parse(t, text(old)), "issuanceDate", nil), "eddsa-rdfc-2022", k.method, k), verify.Invalid, "schema")
	outcome(t, "without a name", serve(nil), embed(t, set(parse(t, text(old)), "name", nil), "eddsa-rdfc-2022", k.method, k), verify.Invalid, "schema")
	outcome(t, "issuer by id alone", serve(nil), embed(t, set(parse(t, text(old)), "issuer", k.did), "eddsa-rdfc-2022", k.method, k), verify.Invalid, "issuer")
	token := compact(t, object{"kid": k.method}, text(object{"vc": old, "iss": k.did, "jti": old["id"], "nbf": 1577836800, "sub": "did:example:someone"}), k)
	outcome(t, "JWT", serve(nil), token, verify.Valid, "format:warn")
	outcome(t, "JWT of another", serve(nil), compact(t, object{"kid": k.method}, text(object{"vc": old, "iss": "did:example:x", "jti": old["id"], "nbf": 1577836800, "sub": "did:example:someone"}), k), verify.Invalid, "proof")
}

func TestAnIssuerByIDAloneIsAllowedInTheNewForm(t *testing.T) {
	k := newKey(t)
	outcome(t, "issuer by id", serve(nil), embed(t, set(credential3(t, k.did), "issuer", k.did), "eddsa-rdfc-2022", k.method, k), verify.Valid, "issuer:pass")
}

func TestWhoseACredentialIs(t *testing.T) {
	k := newKey(t)
	hash := func(of string) string { return openbadges.HashIdentity(of, "deadsea") }
	hashed := object{"type": "IdentityObject", "hashed": true, "salt": "deadsea", "identityType": "emailAddress", "identityHash": hash(address)}
	for name, c := range map[string]struct {
		id    any
		ids   []any
		who   []string
		match bool
	}{
		"a hashed address":            {nil, []any{hashed}, []string{"email:" + address}, true},
		"in other letters":            {nil, []any{hashed}, []string{"email:Nobody@Example.org"}, true},
		"somebody else's":             {nil, []any{hashed}, []string{"email:other@example.org"}, false},
		"one of several given":        {nil, []any{hashed}, []string{"email:other@example.org", "email:" + address}, true},
		"a plain address":             {nil, []any{object{"type": "IdentityObject", "hashed": false, "identityType": "emailAddress", "identityHash": "NOBODY@example.org"}}, []string{"email:" + address}, true},
		"the second of two":           {nil, []any{object{"type": "IdentityObject", "hashed": false, "identityType": "sourcedId", "identityHash": "7"}, hashed}, []string{"email:" + address}, true},
		"another kind":                {nil, []any{object{"type": "IdentityObject", "hashed": false, "identityType": "sourcedId", "identityHash": "7"}}, []string{"sourcedId:7"}, true},
		"a DID":                       {"did:example:me", nil, []string{"did:example:me"}, true},
		"another DID":                 {"did:example:me", nil, []string{"did:example:you"}, false},
		"an address of the web":       {"https://me.example/", nil, []string{"url:https://me.example/"}, true},
		"a mailto":                    {"mailto:nobody@example.org", nil, []string{"email:" + address}, true},
		"a DID where a mail is given": {"did:example:me", nil, []string{"email:" + address}, false},
		"a telephone":                 {"tel:+4912345", nil, []string{"telephone:+4912345"}, true},
	} {
		doc := set(credential3(t, k.did), "credentialSubject.id", c.id)
		if c.ids != nil {
			set(doc, "credentialSubject.identifier", c.ids)
		}
		want, by := verify.Valid, "recipient:pass"
		if !c.match {
			want, by = verify.Invalid, "recipient"
		}
		rep := outcome(t, name, serve(nil), embed(t, doc, "eddsa-jcs-2022", k.method, k), want, by, recipients(c.who...))
		if rep.Recipient.Matched == nil || *rep.Recipient.Matched != c.match {
			t.Errorf("%s: matched is %v", name, rep.Recipient.Matched)
		}
		for _, leak := range []string{"obody@", "deadsea", "sha256$", "other@"} {
			for _, c := range rep.Checks {
				if strings.Contains(c.Message, leak) {
					t.Errorf("%s: a check shows %q: %s", name, leak, c.Message)
				}
			}
		}
	}
}
