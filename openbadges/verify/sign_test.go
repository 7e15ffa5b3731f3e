package verify_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gowebpki/jcs"

	"badgebridge/openbadges/did"
	"badgebridge/openbadges/jsonld"
	"badgebridge/openbadges/verify"
)

// The signer here is written after the texts of Data Integrity and VC-JWT, apart
// from the packages that the verification uses.

var testProcessor = sync.OnceValue(func() *jsonld.Processor { return jsonld.New(jsonld.Config{}) })

// issuerKey is a key with the names that it has.
type issuerKey struct {
	private crypto.Signer
	did     string // did:key
	method  string // its id there
	multi   string // Multikey
}

func newKey(tb testing.TB) issuerKey {
	tb.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return named(tb, private)
}

func newP256(tb testing.TB) issuerKey {
	tb.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return named(tb, private)
}

func named(tb testing.TB, private crypto.Signer) issuerKey {
	tb.Helper()
	id, method, err := did.KeyDID(private.Public())
	if err != nil {
		tb.Fatal(err)
	}
	return issuerKey{private, id, method, strings.TrimPrefix(id, "did:key:")}
}

func (k issuerKey) sign(tb testing.TB, message []byte) []byte {
	tb.Helper()
	switch p := k.private.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(p, message)
	case *ecdsa.PrivateKey:
		sum := sha256.Sum256(message)
		r, s, err := ecdsa.Sign(rand.Reader, p, sum[:])
		if err != nil {
			tb.Fatal(err)
		}
		out := make([]byte, 64)
		r.FillBytes(out[:32])
		s.FillBytes(out[32:])
		return out
	case *rsa.PrivateKey:
		sum := sha256.Sum256(message)
		sig, err := rsa.SignPKCS1v15(rand.Reader, p, crypto.SHA256, sum[:])
		if err != nil {
			tb.Fatal(err)
		}
		return sig
	}
	tb.Fatalf("no way to sign with a %T", k.private)
	return nil
}

// object is a JSON object.
type object = map[string]any

func parse(tb testing.TB, s string) object {
	tb.Helper()
	var out object
	if err := json.Unmarshal([]byte(s), &out); err != nil {
		tb.Fatalf("%v: %s", err, s)
	}
	return out
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// set changes the member at a path ("credentialSubject.achievement.name"); a nil
// value takes it away. A number picks an entry of an array.
func set(doc object, path string, v any) object {
	parts := strings.Split(path, ".")
	at := any(doc)
	for _, p := range parts[:len(parts)-1] {
		switch c := at.(type) {
		case object:
			at = c[p]
		case []any:
			at = c[int(p[0]-'0')]
		}
	}
	last := parts[len(parts)-1]
	switch c := at.(type) {
	case object:
		if v == nil {
			delete(c, last)
		} else {
			c[last] = v
		}
	case []any:
		c[int(last[0]-'0')] = v
	default:
		panic("no such place: " + path)
	}
	return doc
}

type null struct{}

func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// embed adds a proof to a document, over what it says now.
func embed(tb testing.TB, doc object, suite, method string, k issuerKey, more ...string) object {
	tb.Helper()
	members := object{}
	for i := 0; i+1 < len(more); i += 2 {
		members[more[i]] = more[i+1]
	}
	return embedOver(tb, doc, nil, suite, method, k, members)
}

// embedOver is embed for a proof that signs more than the document.
func embedOver(tb testing.TB, doc, further object, suite, method string, k issuerKey, members object) object {
	tb.Helper()
	doc = parse(tb, text(doc))
	proofs, _ := doc["proof"].([]any)
	delete(doc, "proof")
	for n, v := range further {
		doc[n] = v
	}
	proof := object{"type": "DataIntegrityProof", "cryptosuite": suite, "created": "2020-01-01T00:00:00Z", "proofPurpose": "assertionMethod", "verificationMethod": method}
	for n, v := range members {
		proof[n] = v
	}
	config := parse(tb, text(proof))
	config["@context"] = doc["@context"]
	canon := func(v object) []byte {
		if strings.Contains(suite, "jcs") {
			b, err := jcs.Transform([]byte(text(v)))
			if err != nil {
				tb.Fatal(err)
			}
			return b
		}
		b, err := testProcessor().Canonicalize(context.Background(), v, crypto.SHA256)
		if err != nil {
			tb.Fatal(err)
		}
		return b
	}
	a, b := sha256.Sum256(canon(config)), sha256.Sum256(canon(doc))
	if strings.Contains(suite, "jcs") {
		proof["@context"] = doc["@context"]
	}
	proof["proofValue"] = did.EncodeMultibase(k.sign(tb, append(a[:], b[:]...)))
	doc["proof"] = append(proofs, proof)
	return doc
}

// jwt signs a credential as a VC-JWT of the data model 2.0, with its claims.
func jwt(tb testing.TB, doc object, header object, k issuerKey, claims ...any) string {
	tb.Helper()
	payload := parse(tb, text(doc))
	payload["jti"] = doc["id"]
	if issuer, ok := doc["issuer"].(object); ok {
		payload["iss"] = issuer["id"]
	} else {
		payload["iss"] = doc["issuer"]
	}
	if subject, ok := doc["credentialSubject"].(object); ok && subject["id"] != nil {
		payload["sub"] = subject["id"]
	}
	payload["nbf"] = 1577836800
	for i := 0; i+1 < len(claims); i += 2 {
		if claims[i+1] == nil {
			delete(payload, claims[i].(string))
		} else {
			payload[claims[i].(string)] = claims[i+1]
		}
	}
	return compact(tb, header, text(payload), k)
}

func compact(tb testing.TB, header object, payload string, k issuerKey) string {
	tb.Helper()
	if header["alg"] == nil {
		header["alg"] = map[bool]string{true: "EdDSA", false: "ES256"}[strings.HasPrefix(k.multi, "z6Mk")]
	}
	enc := base64.RawURLEncoding.EncodeToString
	input := enc([]byte(text(header))) + "." + enc([]byte(payload))
	return input + "." + enc(k.sign(tb, []byte(input)))
}

const issuer3 = "https://issuer.example/issuers/1"

// credential3 is a good credential of an issuer, without a proof.
func credential3(tb testing.TB, issuer string) object {
	tb.Helper()
	return parse(tb, `{
		"@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
		"id": "https://issuer.example/credentials/1",
		"type": ["VerifiableCredential", "OpenBadgeCredential"],
		"issuer": {"id": `+quoted(issuer)+`, "type": ["Profile"], "name": "I"},
		"validFrom": "2020-01-01T00:00:00Z",
		"name": "C",
		"credentialSubject": {
			"id": "did:example:someone", "type": ["AchievementSubject"],
			"achievement": {
				"id": "https://issuer.example/achievements/1", "type": ["Achievement"],
				"name": "A", "description": "D", "criteria": {"narrative": "N"}
			}
		}
	}`)
}

// endOfFull is the end of full3 as a claim.
var endOfFull = time.Date(2989, 12, 31, 23, 0, 0, 0, time.UTC).Unix()

// full3 is a good credential that uses every member of the data model.
func full3(tb testing.TB, issuer string) object {
	tb.Helper()
	doc := credential3(tb, issuer)
	alignment := parse(tb, `{"type":["Alignment"],"targetName":"T","targetUrl":"https://t.example/1","targetType":"CFItem","targetCode":"c","targetDescription":"d","targetFramework":"f"}`)
	entry := parse(tb, `{"type":"IdentifierEntry","identifier":"1","identifierType":"sourcedId"}`)
	profile := parse(tb, `{"id":"https://issuer.example/people/1","type":["Profile"],"name":"P","url":"https://p.example","email":"p@example.org","phone":"+4912345","description":"d",
		"familyName":"F","givenName":"G","additionalName":"A","patronymicName":"P","honorificPrefix":"Dr","honorificSuffix":"PhD","familyNamePrefix":"von","dateOfBirth":"2000-01-31","official":"O",
		"address":{"type":["Address"],"addressCountry":"Germany","addressCountryCode":"DE","addressRegion":"R","addressLocality":"L","streetAddress":"S 1","postOfficeBoxNumber":"2","postalCode":"3",
			"geo":{"type":"GeoCoordinates","latitude":48.1,"longitude":11.5}},
		"parentOrg":{"id":"https://issuer.example/parents/1","type":["Profile"],"name":"Parent"}}`)
	profile["otherIdentifier"] = []any{entry}
	for path, v := range map[string]any{
		"awardedDate": "2019-12-31T00:00:00Z", "description": "d", "validUntil": "2990-01-01T00:00:00+01:00",
		"evidence":                     []any{object{"id": "https://e.example/1", "type": []any{"Evidence"}, "name": "n", "narrative": "n", "description": "d", "genre": "g", "audience": "a"}},
		"credentialSubject.identifier": []any{object{"type": "IdentityObject", "hashed": true, "salt": "deadsea", "identityType": "emailAddress", "identityHash": "sha256$" + digest}},
		"credentialSubject.narrative":  "n", "credentialSubject.role": "r", "credentialSubject.term": "t", "credentialSubject.licenseNumber": "l",
		"credentialSubject.creditsEarned": 1.5, "credentialSubject.activityStartDate": "2019-01-01T00:00:00Z", "credentialSubject.activityEndDate": "2019-12-01T00:00:00Z",
		"credentialSubject.source":                profile,
		"credentialSubject.result":                []any{object{"type": []any{"Result"}, "resultDescription": "urn:uuid:r1", "value": "A", "status": "Completed", "achievedLevel": "urn:uuid:l1", "alignment": []any{alignment}}},
		"credentialSubject.achievement.alignment": []any{alignment}, "credentialSubject.achievement.achievementType": "Badge",
		"credentialSubject.achievement.creator": profile, "credentialSubject.achievement.creditsAvailable": 2, "credentialSubject.achievement.fieldOfStudy": "f",
		"credentialSubject.achievement.humanCode": "h", "credentialSubject.achievement.inLanguage": "en-GB", "credentialSubject.achievement.specialization": "s",
		"credentialSubject.achievement.version": "1", "credentialSubject.achievement.tag": []any{"t1", "t2"}, "credentialSubject.achievement.otherIdentifier": []any{entry},
		"credentialSubject.achievement.related": []any{object{"id": "https://r.example/1", "type": []any{"Related"}, "inLanguage": "de", "version": "2"}},
		"credentialSubject.achievement.resultDescription": []any{object{"id": "urn:uuid:r1", "type": []any{"ResultDescription"}, "name": "n", "resultType": "LetterGrade", "allowedValue": []any{"A", "B"},
			"requiredValue": "B", "requiredLevel": "urn:uuid:l1", "valueMin": "A", "valueMax": "B", "alignment": []any{alignment},
			"rubricCriterionLevel": []any{object{"id": "urn:uuid:l1", "type": []any{"RubricCriterionLevel"}, "name": "n", "description": "d", "level": "l", "points": "1", "alignment": []any{alignment}}}}},
	} {
		set(doc, path, v)
	}
	return parse(tb, text(doc))
}

// controllerOf is an issuer's document with its keys.
func controllerOf(id string, keys ...issuerKey) object {
	var methods, names []any
	for _, k := range keys {
		methods = append(methods, object{"id": id + "#" + k.multi, "type": "Multikey", "controller": id, "publicKeyMultibase": k.multi})
		names = append(names, id+"#"+k.multi)
	}
	return object{
		"@context": []any{"https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"},
		"id":       id, "type": []any{"Profile"}, "name": "I", "verificationMethod": methods, "assertionMethod": names,
	}
}

// serve makes resources of documents.
func serve(docs map[string]any) verify.Offline {
	out := verify.Offline{}
	for u, d := range docs {
		body, ok := d.(string)
		if !ok {
			body = text(d)
		}
		out[u] = verify.Resource{Status: 200, Body: []byte(body)}
	}
	return out
}

// outcome verifies one document and complains unless it comes out as wanted, by
// the check that is named ("issuer:warn"; "" for none).
func outcome(t *testing.T, name string, f verify.Fetcher, doc any, want verify.Outcome, by string, opt ...func(*verify.Options)) verify.Report {
	t.Helper()
	data, ok := doc.(string)
	if !ok {
		data = text(doc)
	}
	rep := check3(f, verify.Input{Data: []byte(data)}, opt...)
	check, status, _ := strings.Cut(by, ":")
	if status == "" {
		status = "fail"
	}
	if rep.Outcome != want || check != "" && !hasCheck(rep, check, verify.Status(status)) {
		var all []string
		for _, c := range rep.Checks {
			if c.Status != verify.Skip && c.Status != verify.Pass {
				all = append(all, string(c.Status)+" "+c.Name+": "+c.Message)
			}
		}
		t.Errorf("%s: got %s, want %s by %q:\n\t%s", name, rep.Outcome, want, by, strings.Join(all, "\n\t"))
	}
	return rep
}
