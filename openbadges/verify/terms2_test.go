package verify_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"badgebridge/openbadges/verify"
)

// TestADocumentMeansWhatItsContextsMakeOfIt is about OB 2.0 as JSON-LD.
func TestADocumentMeansWhatItsContextsMakeOfIt(t *testing.T) {
	const ctx = "https://w3id.org/openbadges/v2"
	with := func(u string, more string, edit ...string) func(map[string]string) {
		return func(w map[string]string) {
			w[u] = strings.Replace(w[u], quoted(ctx), `[`+quoted(ctx)+`,`+more+`]`, 1)
			w[u] = strings.NewReplacer(edit...).Replace(w[u])
		}
	}
	edit := func(u string, pairs ...string) func(map[string]string) {
		return func(w map[string]string) { w[u] = strings.NewReplacer(pairs...).Replace(w[u]) }
	}
	served := func(f func(map[string]string), body string) func(map[string]string) {
		return func(w map[string]string) { f(w); w["https://ctx.example/c"] = body }
	}
	const a, b, o = site + "/a", site + "/b", site + "/o"
	for name, c := range map[string]struct {
		change func(map[string]string)
		want   verify.Outcome
		check  string
	}{
		"a further term":                        {with(a, `{"foo":"http://example.org/foo"}`), verify.Valid, ""},
		"a default language":                    {with(a, `{"@language":"de"}`), verify.Valid, ""},
		"a member in another language":          {with(a, `{"verliehen":{"@id":"obi:issueDate","@type":"xsd:dateTime"}}`, "issuedOn", "verliehen"), verify.Valid, "context:warn"},
		"by a chain of names":                   {with(a, `{"p":"https://w3id.org/openbadges#","verliehen":"am","am":{"@id":"p:issueDate"}}`, "issuedOn", "verliehen"), verify.Valid, "context:warn"},
		"in a context elsewhere":                {served(with(a, `"https://ctx.example/c"`, "issuedOn", "verliehen"), `{"@context":[{"verliehen":"obi:issueDate"}]}`), verify.Valid, "context:warn"},
		"another name of the id":                {with(a, `{"adresse":"@id"}`, `"id"`, `"adresse"`), verify.Valid, "context:warn"},
		"a type in another language":            {with(b, `{"Abzeichen":"obi:BadgeClass"}`, `"type":"BadgeClass"`, `"type":"Abzeichen"`), verify.Valid, "context:warn"},
		"a type with its prefix":                {edit(a, `"Assertion"`, `"obi:Assertion"`), verify.Valid, "context:warn"},
		"a type as an IRI":                      {edit(a, `"Assertion"`, `"https://w3id.org/openbadges#Assertion"`), verify.Valid, "context:warn"},
		"a member with its prefix":              {edit(b, `"name"`, `"schema:name"`), verify.Valid, "context:warn"},
		"a text as a value object":              {edit(b, `"N"`, `{"@value":"N"}`), verify.Valid, "context:warn"},
		"the second name of verification":       {edit(a, `"verification"`, `"verify"`), verify.Valid, "context:warn"},
		"a badge taken away":                    {with(a, `{"badge":null}`), verify.Invalid, "schema"},
		"a badge that means something else":     {with(a, `{"badge":"http://example.org/badge"}`), verify.Invalid, "schema"},
		"a recipient that is turned around":     {with(a, `{"recipient":{"@reverse":"http://example.org/r"}}`), verify.Invalid, "recipient"},
		"an issuer that means something else":   {served(with(b, `"https://ctx.example/c"`), `{"@context":{"issuer":"http://example.org/x"}}`), verify.Invalid, "schema"},
		"the same meaning again":                {with(b, `{"issuer":{"@id":"obi:issuer","@type":"@id"},"image":{"@type":"@id"}}`), verify.Valid, ""},
		"Open Badges has the last word":         {edit(a, quoted(ctx), `[{"badge":"http://example.org/x"},`+quoted(ctx)+`]`), verify.Valid, ""},
		"a type that means something else":      {with(a, `{"Assertion":"http://example.org/Assertion"}`), verify.Invalid, "type"},
		"an identity that means something else": {edit(a, `{"type":"email"`, `{"@context":{"identity":"http://example.org/i"},"type":"email"`), verify.Invalid, "recipient"},
		"a prefix of one's own":                 {with(a, `{"obi":"http://example.org/"}`, `"issuedOn"`, `"obi:issueDate"`), verify.Invalid, "schema"},
		"links as objects":                      {edit(b, `"`+o+`"`, `{"id":"`+o+`"}`, `"`+site+`/i.svg"`, `{"id":"`+site+`/i.svg"}`), verify.Valid, ""},
		"a picture's author as an object":       {edit(b, `"`+site+`/i.svg"`, `{"id":"`+site+`/i.svg","author":{"type":"Profile","id":"https://me.example/"}}`), verify.Valid, ""},
		"an SVG written out with blanks":        {edit(b, `"`+site+`/i.svg"`, `"data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg'/>"`), verify.Valid, ""},
		"a recipient by a word of one's own":    {edit(a, `"email"`, `"studentNumber"`), verify.Valid, ""},
	} {
		w := world()
		c.change(w)
		rep := check(offline(w), url(a))
		by, status, _ := strings.Cut(c.check, ":")
		if status == "" {
			status = "fail"
		}
		if rep.Outcome != c.want || c.check != "" && !hasCheck(rep, by, verify.Status(status)) {
			t.Errorf("%s: %s, want %s by %q: %v", name, rep.Outcome, c.want, c.check, rep.Problems())
		}
	}
}

// TestTheKeysOfASignedBadge is about which keys are an issuer's in OB 2.0.
func TestTheKeysOfASignedBadge(t *testing.T) {
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&short.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	shortPEM := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	sign := func(_ string, a string) string { return rs256(t, `{"alg":"RS256"}`, a) }
	within := func(more string) func(map[string]string) {
		return func(w map[string]string) {
			delete(w, site+"/k")
			w[site+"/o"] = strings.Replace(w[site+"/o"], `"publicKey":"`+site+`/k"`, `"publicKey":{"type":"CryptographicKey","id":"`+site+`/o#k"`+more+`,"publicKeyPem":`+quoted(publicPEM(t))+`}`, 1)
		}
	}
	const embeddedKey = `"` + site + `/o#k"`
	creator := func(v string) func(string) string {
		return func(a string) string {
			return strings.Replace(a, `"creator":"`+site+`/k"`, `"creator":`+v, 1)
		}
	}
	for name, c := range map[string]struct {
		change  func(map[string]string)
		payload func(string) string
		sign    func(name, payload string) string
		want    verify.Outcome
		check   string
	}{
		"a link": {nil, nil, nil, verify.Valid, "key:pass"},
		"a link as an object": {func(w map[string]string) {
			w[site+"/o"] = strings.Replace(w[site+"/o"], `"publicKey":"`+site+`/k"`, `"publicKey":{"id":"`+site+`/k"}`, 1)
		}, nil, nil, verify.Valid, "key:pass"},
		"within the issuer's document": {within(`,"owner":"` + site + `/o"`), creator(embeddedKey), nil, verify.Valid, "key:pass"},
		"within it, not saying whose":  {within(""), creator(embeddedKey), nil, verify.Valid, "key:warn"},
		"within it, of another":        {within(`,"owner":"https://other.example/o"`), creator(embeddedKey), nil, verify.Invalid, "key"},
		"owner as an object": {func(w map[string]string) {
			w[site+"/k"] = strings.Replace(w[site+"/k"], `"owner":"`+site+`/o"`, `"owner":{"id":"`+site+`/o"}`, 1)
		}, nil, nil, verify.Valid, "key:pass"},
		"a document not saying whose": {func(w map[string]string) {
			w[site+"/k"] = strings.Replace(w[site+"/k"], `"owner":"`+site+`/o",`, ``, 1)
		}, nil, nil, verify.Valid, "key:warn"},
		"a document that is a bare key": {func(w map[string]string) {
			w[site+"/k"] = `{"@context":"https://w3id.org/openbadges/v2","publicKeyPem":` + quoted(publicPEM(t)) + `}`
		}, nil, nil, verify.Valid, "key:warn"},
		"a document of another address": {func(w map[string]string) {
			w[site+"/k"] = strings.Replace(w[site+"/k"], site+"/k", "https://other.example/k", 1)
		}, nil, nil, verify.Invalid, "key"},
		"a document of another class": {func(w map[string]string) {
			w[site+"/k"] = strings.Replace(w[site+"/k"], "CryptographicKey", "Profile", 1)
		}, nil, nil, verify.Invalid, "type"},
		"the creator as an object":     {nil, creator(`{"id":"` + site + `/k"}`), nil, verify.Valid, "key:pass"},
		"another creator as an object": {nil, creator(`{"id":"https://evil.example/k"}`), nil, verify.Invalid, "key"},
		"the list of revoked as an object": {func(w map[string]string) {
			w[site+"/o"] = strings.Replace(w[site+"/o"], `"publicKey"`, `"revocationList":{"id":"`+site+`/rl"},"publicKey"`, 1)
			w[site+"/rl"] = `{"@context":"https://w3id.org/openbadges/v2","type":"RevocationList","id":"` + site + `/rl","issuer":{"id":"` + site + `/o"},"revokedAssertions":"urn:uuid:1"}`
		}, func(a string) string { return strings.Replace(a, idIn(a), "urn:uuid:1", 1) }, nil, verify.Invalid, "status"},
		"an RSA key that is too short": {func(w map[string]string) {
			w[site+"/k"] = strings.Replace(w[site+"/k"], quoted(publicPEM(t)), quoted(shortPEM), 1)
		}, nil, func(_, payload string) string {
			return forge(`{"alg":"RS256"}`, payload, func(input string) []byte {
				sum := sha256.Sum256([]byte(input))
				sig, err := rsa.SignPKCS1v15(rand.Reader, short, crypto.SHA256, sum[:])
				if err != nil {
					t.Fatal(err)
				}
				return sig
			})
		}, verify.Invalid, "key"},
	} {
		w, a := signed2World(t)
		if c.change != nil {
			c.change(w)
		}
		if c.payload != nil {
			a = c.payload(a)
		}
		if c.sign == nil {
			c.sign = sign
		}
		rep := check(offline(w), verify.Input{Data: []byte(c.sign(name, a))})
		check, status, _ := strings.Cut(c.check, ":")
		if status == "" {
			status = "fail"
		}
		if rep.Outcome != c.want || check != "" && !hasCheck(rep, check, verify.Status(status)) {
			t.Errorf("%s: %s, want %s by %q: %v", name, rep.Outcome, c.want, c.check, rep.Problems())
		}
	}
	// Padding, a part too many and a part that is empty are no compact JWS.
	w, a := signed2World(t)
	good := rs256(t, `{"alg":"RS256"}`, a)
	parts := strings.Split(good, ".")
	for name, jws := range map[string]string{
		"padding":         good + "==",
		"a detached body": parts[0] + ".." + parts[2],
		"no signature":    parts[0] + "." + parts[1] + ".",
		"base64 as such":  parts[0] + "." + base64.StdEncoding.EncodeToString([]byte(a+"  ")) + "." + parts[2],
	} {
		if rep := check(offline(w), verify.Input{Data: []byte(jws)}); rep.Outcome != verify.Invalid {
			t.Errorf("%s: %s", name, rep.Outcome)
		}
	}
}

// idIn is the id of an assertion's text.
func idIn(a string) string {
	_, rest, _ := strings.Cut(a, `"id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}
