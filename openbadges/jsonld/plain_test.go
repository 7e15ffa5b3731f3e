package jsonld_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"badgebridge/openbadges/jsonld"
)

// TestASignedCredentialCannotBeRenamed changes the JSON of a credential so that
// its RDF, and with that its signature, stays what it was.
func TestASignedCredentialCannotBeRenamed(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	signed := strings.Replace(credential, `"name":"Demo badge",
"cred`, `"name":"Demo badge","validUntil":"2026-02-01T00:00:00Z","evidence":[{"id":"urn:e:1","type":["Evidence"]},{"id":"urn:e:2","type":["Evidence"]}],
"cred`, 1)
	want, err := p.Canonicalize(t.Context(), parse(t, signed), 0)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.CanonicalizePlain(t.Context(), parse(t, signed), 0); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("the credential itself: %v", err)
	}
	const until = `"validUntil":"2026-02-01T00:00:00Z"`
	const typed = `{"@value":"2026-02-01T00:00:00Z","@type":"http://www.w3.org/2001/XMLSchema#dateTime"}`
	replace := func(old, repl string) string {
		if !strings.Contains(signed, old) {
			t.Fatalf("no %s in the credential", old)
		}
		return strings.Replace(signed, old, repl, 1)
	}
	alias := func(context, member string) string {
		return strings.Replace(replace(until, member), `context-3.0.3.json"]`, `context-3.0.3.json",`+context+`]`, 1)
	}
	for name, forged := range map[string]string{
		"a full IRI":                replace(until, `"https://www.w3.org/2018/credentials#validUntil":`+typed),
		"an alias":                  alias(`{"u":{"@id":"https://www.w3.org/2018/credentials#validUntil","@type":"http://www.w3.org/2001/XMLSchema#dateTime"}}`, `"u":"2026-02-01T00:00:00Z"`),
		"a compact IRI":             alias(`{"c":"https://www.w3.org/2018/credentials#"}`, `"c:validUntil":`+typed),
		"@id instead of id":         replace(`"id":"urn:uuid:7c`, `"@id":"urn:uuid:7c`),
		"@type instead of type":     replace(`"type":["VerifiableCredential"`, `"@type":["VerifiableCredential"`),
		"half under another name":   replace(`,{"id":"urn:e:2","type":["Evidence"]}],`, `],"https://www.w3.org/2018/credentials#evidence":{"id":"urn:e:2","type":["Evidence"]},`),
		"a class for its property":  replace(`"criteria":`, `"Criteria":`),
		"hidden in another's node":  replace(`{"narrative":"Try it out."}`, `{"https://purl.imsglobal.org/spec/vc/ob/vocab.html#narrative":"Try it out."}`),
		"an empty name beside it":   replace(until, `"validUntil":[],"https://www.w3.org/2018/credentials#validUntil":`+typed),
		"a name that means nothing": replace(until, `"validUntil":null,"https://www.w3.org/2018/credentials#validUntil":`+typed),
	} {
		doc := parse(t, forged)
		if got, err := p.Canonicalize(t.Context(), doc, 0); name != "hidden in another's node" && name != "a class for its property" && (err != nil || !bytes.Equal(got, want)) {
			t.Errorf("%s is no forgery that keeps the signature: %v", name, err)
		}
		if _, err := p.CanonicalizePlain(t.Context(), doc, 0); !errors.Is(err, jsonld.ErrUnsafe) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMoreAboutTheDocumentElsewhereIsRefused(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	doc := parse(t, credential)
	id := doc["id"]
	doc["evidence"] = []any{map[string]any{"id": id, "type": []any{"Evidence"}}}
	if _, err := p.Plain(t.Context(), doc); !errors.Is(err, jsonld.ErrUnsafe) {
		t.Errorf("got %v", err)
	}
	doc["evidence"] = []any{map[string]any{"id": id}}
	if _, err := p.Plain(t.Context(), doc); err != nil {
		t.Errorf("only naming it: %v", err)
	}
	endorsement := parse(t, `{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],"id":"urn:e","type":["VerifiableCredential","EndorsementCredential"],
		"issuer":"did:example:e","credentialSubject":{"type":["EndorsementSubject"],"endorsementComment":"Good."}}`)
	subject := endorsement["credentialSubject"].(map[string]any)
	subject["id"] = id
	doc["endorsement"] = []any{endorsement}
	if _, err := p.Plain(t.Context(), doc); err != nil {
		t.Errorf("an endorsement of the document: %v", err)
	}
	endorsement["type"] = []any{"VerifiableCredential", "AchievementCredential"}
	subject["type"] = []any{"EndorsementSubject", "VerifiableCredential"}
	if _, err := p.Plain(t.Context(), doc); !errors.Is(err, jsonld.ErrUnsafe) {
		t.Errorf("an endorsement that makes the document a credential: %v", err)
	}
	subject["type"], subject["validUntil"] = []any{"EndorsementSubject"}, "2026-02-01T00:00:00Z"
	if _, err := p.Plain(t.Context(), doc); !errors.Is(err, jsonld.ErrUnsafe) {
		t.Errorf("an endorsement that carries the document's expiry: %v", err)
	}
}

func TestTermsOfAnIssuersOwnAreWelcome(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	doc := parse(t, credential)
	doc["@context"] = append(doc["@context"].([]any), map[string]any{"level": "https://issuer.example.org/terms#level", "ex": "https://issuer.example.org/terms#"})
	doc["level"] = "gold"
	doc["ex:room"] = []any{"12", "13"}
	doc["https://issuer.example.org/terms#year"] = 3.0
	got, err := p.CanonicalizePlain(t.Context(), doc, 0)
	if err != nil || !bytes.Contains(got, []byte("terms#room> \"13\"")) {
		t.Errorf("%s %v", got, err)
	}
}
