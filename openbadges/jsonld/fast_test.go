package jsonld_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"badgebridge/openbadges/jsonld"
	"badgebridge/openbadges/rdfc"
)

// bothWays holds the two ways to quads against each other and tells whether the
// tables had an answer at all.
func bothWays(tb rapid.TB, p *jsonld.Processor, doc map[string]any) (took bool) {
	tb.Helper()
	any, took := p.Fast(doc, false)
	plain, tookPlain := p.Fast(doc, true)
	if tookPlain && !took {
		tb.Fatalf("the tables accept as plain what they refuse otherwise\n%s", dump(doc))
	}
	if !took {
		return false
	}
	// Plain only refuses more: one expansion serves for both.
	general, err := p.General(context.Background(), doc, tookPlain)
	if err != nil {
		tb.Fatalf("plain %v: the tables accept what is refused: %v\n%s", tookPlain, err, dump(doc))
	}
	want := canonical(tb, general)
	for _, quads := range [][]rdfc.Quad{any, plain} {
		if got := canonical(tb, quads); quads != nil && got != want {
			tb.Fatalf("the tables give\n%s\nand expansion gives\n%s\n%s", got, want, dump(doc))
		}
	}
	return true
}

func canonical(tb rapid.TB, quads []rdfc.Quad) string {
	r, err := rdfc.Canonicalize(context.Background(), quads, rdfc.Options{})
	if err != nil && !errors.Is(err, rdfc.ErrTooComplex) {
		tb.Fatal(err)
	}
	return string(r.NQuads)
}

func dump(doc any) string {
	b, _ := json.Marshal(doc) //nolint:errchkjson // for a message
	return string(b)
}

func full(tb testing.TB) []byte {
	tb.Helper()
	raw, err := os.ReadFile("testdata/full.json")
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

func TestCredentialsGoByTheTables(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	for name, raw := range map[string]string{"small": credential, "medium": medium, "full": string(full(t))} {
		doc := parse(t, raw)
		for _, plain := range []bool{false, true} {
			if _, ok := p.Fast(doc, plain); !ok {
				t.Errorf("%s, plain %v: not by the tables", name, plain)
			}
		}
		bothWays(t, p, doc)
	}
	if n := p.Scopes(); n > 100 {
		t.Errorf("%d scopes for two credentials", n)
	}
}

// TestBothWaysAgreeOnTheVectors: whatever the test data has that is JSON, with
// and without its proof, and the proof by itself as it is signed.
func TestBothWaysAgreeOnTheVectors(t *testing.T) {
	dir := vectors(t, ".")
	p := jsonld.New(jsonld.Config{})
	seen, took := 0, 0
	check := func(doc map[string]any) {
		seen++
		if bothWays(t, p, doc) {
			took++
		}
	}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Base(path) == "cases.json" {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		doc, err := jsonld.ParseObject(raw, jsonld.Limits{})
		if err != nil {
			return nil //nolint:nilerr // a picture, or a broken document
		}
		check(doc)
		if proof, ok := doc["proof"].(map[string]any); ok {
			proof["@context"] = doc["@context"]
			delete(proof, "proofValue")
			check(proof)
			delete(doc, "proof")
			check(doc)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d documents went by the tables", took, seen)
	if took < 25 {
		t.Errorf("only %d of %d documents went by the tables", took, seen)
	}
}

func TestBothWaysAgreeOnAnyCredential(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	took := 0
	rapid.Check(t, func(t *rapid.T) {
		doc := generate(t, p)
		if bothWays(t, p, doc) {
			took++
		}
	})
	t.Logf("%d documents went by the tables", took)
	if took < 5 {
		t.Errorf("only %d documents went by the tables", took)
	}
}

// TestTheTablesAreBounded: a sender can't make them grow without end, nor keep
// others from using them.
func TestTheTablesAreBounded(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	urls := contextURLs()
	for i := range 3000 {
		n := len(urls)
		list := []any{urls[i%n], urls[i/n%n], urls[i/n/n%n]}
		doc := map[string]any{"@context": list, "id": "urn:s", "type": "VerifiableCredential"}
		p.Fast(doc, false)
		if got := p.Scopes(); got > jsonld.MaxScopes {
			t.Fatalf("%d scopes", got)
		}
	}
	if _, ok := p.Fast(parse(t, credential), true); !ok {
		t.Error("the tables are of no use any more")
	}
}

func TestLimitsHoldForTheTablesToo(t *testing.T) {
	for name, lim := range map[string]jsonld.Limits{
		"values": {MaxValues: 20}, "depth": {MaxDepth: 4}, "loads": {MaxLoads: 1},
	} {
		p := jsonld.New(jsonld.Config{Limits: lim})
		if _, err := p.Quads(t.Context(), parse(t, credential)); !errors.Is(err, jsonld.ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A document with just as many values as are allowed is good either way.
	doc := parse(t, credential)
	least := 1
	for ; least < 1000; least++ {
		if _, err := jsonld.New(jsonld.Config{Limits: jsonld.Limits{MaxValues: least}}).General(t.Context(), doc, true); err == nil {
			break
		}
	}
	if _, ok := jsonld.New(jsonld.Config{Limits: jsonld.Limits{MaxValues: least}}).Fast(doc, true); !ok {
		t.Errorf("expansion takes %d values, the tables don't", least)
	}
	if _, ok := jsonld.New(jsonld.Config{Limits: jsonld.Limits{MaxValues: least - 1}}).Fast(doc, true); ok {
		t.Errorf("the tables take more than %d values", least-1)
	}
}

// FuzzFastPath changes documents in their structure and compares both ways.
func FuzzFastPath(f *testing.F) {
	p := jsonld.New(jsonld.Config{Limits: jsonld.Limits{MaxValues: 2000}})
	bases := []string{credential, medium, presentation, strings.ReplaceAll(presentation, "https://www.w3.org/2018/credentials/v1", "https://www.w3.org/ns/credentials/v2"), status}
	for i := range bases {
		f.Add(byte(i), []byte{})
		f.Add(byte(i), []byte("\x03\x11\x27\x40\x05\x60\x01\x72"))
	}
	f.Fuzz(func(t *testing.T, base byte, program []byte) {
		doc := parse(t, bases[int(base)%len(bases)])
		if len(program) > 64 {
			return
		}
		mutate(doc, program)
		bothWays(t, p, doc)
	})
}

const presentation = `{"@context":["https://www.w3.org/2018/credentials/v1","https://w3id.org/security/data-integrity/v2"],"id":"urn:p","type":["VerifiablePresentation"],
"holder":"did:example:holder","verifiableCredential":[{"@context":["https://www.w3.org/2018/credentials/v1","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json"],"id":"urn:c","type":["VerifiableCredential"],
"issuer":"did:example:issuer","issuanceDate":"2026-01-01T00:00:00Z","credentialSubject":{"type":"AchievementSubject","achievement":{"id":"urn:a","type":"Achievement","name":"A","tag":["a","b",1,2.5,true,null]}}}],
"proof":[{"type":"DataIntegrityProof","cryptosuite":"eddsa-rdfc-2022","created":"2026-01-01T00:00:00Z","proofPurpose":"assertionMethod","verificationMethod":"did:example:holder#1"},
{"type":"DataIntegrityProof","cryptosuite":"eddsa-rdfc-2022","proofPurpose":"authentication","verificationMethod":{"id":"did:example:holder#2"}}]}`

const medium = `{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json","https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"],"id":"urn:c","type":["VerifiableCredential","AchievementCredential"],
"name":"N","image":{"id":"https://example.org/i.png","type":"Image","caption":"C"},"validFrom":"2026-01-01T00:00:00Z","issuer":{"id":"urn:i","type":"Profile","name":"I","address":{"type":["Address"],"addressCountry":"CH","geo":{"type":"GeoCoordinates","latitude":47.5,"longitude":8}}},
"credentialSubject":{"type":["AchievementSubject"],"creditsEarned":3,"achievement":{"id":"urn:a","type":["Achievement"],"criteria":{"narrative":"C"},"tag":["a","b"],"alignment":[{"type":["Alignment"],"targetName":"T","targetUrl":"https://example.org/t"}],
"resultDescription":[{"id":"urn:r","type":["ResultDescription"],"name":"R","resultType":"LetterGrade","allowedValue":["A","B"],"rubricCriterionLevel":[{"id":"urn:l","type":["RubricCriterionLevel"],"name":"L","points":"1"}]}]},
"identifier":[{"type":"IdentityObject","hashed":false,"identityHash":"a@example.org","identityType":"emailAddress"}],"result":[{"type":["Result"],"resultDescription":"urn:r","value":"A"}]},"evidence":[{"id":"urn:e","type":["Evidence"],"genre":"G"}],
"endorsement":[{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json"],"id":"urn:en","type":["VerifiableCredential","EndorsementCredential"],"issuer":"urn:x","credentialSubject":{"id":"urn:c","type":["EndorsementSubject"],"endorsementComment":"Good"}}],
"credentialSchema":[{"id":"urn:s","type":"1EdTechJsonSchemaValidator2019"}]}`

const status = `{"@context":["https://www.w3.org/ns/credentials/v2"],"id":"https://issuer.example.org/status/1","type":["VerifiableCredential","BitstringStatusListCredential"],
"issuer":{"id":"did:example:issuer","name":"Issuer"},"validFrom":"2026-01-01T00:00:00Z","credentialSubject":{"id":"https://issuer.example.org/status/1#list","type":"BitstringStatusList","statusPurpose":"revocation","encodedList":"uH4s","ttl":300000},
"credentialStatus":[{"type":"BitstringStatusListEntry","statusPurpose":"revocation","statusListIndex":"94567","statusListCredential":"https://issuer.example.org/status/2"}],
"relatedResource":[{"id":"https://issuer.example.org/r","digestSRI":"sha384-x","mediaType":"text/plain"}],"termsOfUse":{"type":"urn:t"},"renderMethod":[{"type":"urn:r","name":"R"}],
"proof":{"type":"DataIntegrityProof","cryptosuite":"eddsa-rdfc-2022","created":"2026-01-01T00:00:00Z","proofPurpose":"assertionMethod","verificationMethod":"did:example:issuer#1","proofValue":"z5"}}`

// TestAPresentationHoldsGraphs: in both data models, as JSON-LD has it.
func TestAPresentationHoldsGraphs(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	const vc2 = "https://www.w3.org/ns/credentials/v2"
	for _, context := range []string{vc2, "https://www.w3.org/2018/credentials/v1"} {
		doc := parse(t, `{"@context":"`+context+`","id":"urn:p","type":"VerifiablePresentation","verifiableCredential":[{"@context":"`+context+`","id":"urn:c","type":"VerifiableCredential","issuer":"urn:i"}]}`)
		got, err := p.Canonicalize(t.Context(), doc, 0)
		if err != nil || !bytes.Contains(got, []byte("<urn:c> <https://www.w3.org/2018/credentials#issuer> <urn:i> _:c14n0 .\n")) {
			t.Errorf("%s: %v\n%s", context, err, got)
		}
		if _, ok := p.Fast(doc, true); !ok {
			t.Errorf("%s: not by the tables", context)
		}
		bothWays(t, p, doc)
		doc["verifiableCredential"] = "urn:c"
		if got, err := p.Quads(t.Context(), doc); err == nil {
			t.Errorf("%s: only the name of a credential gives %v", context, got)
		}
	}
	doc := parse(t, `{"@context":"`+vc2+`","id":"urn:p","type":"VerifiablePresentation","https://www.w3.org/2018/credentials#verifiableCredential":{"@id":"urn:c","@type":"urn:t"}}`)
	if got, err := p.Quads(t.Context(), doc); !errors.Is(err, jsonld.ErrUnsupported) {
		t.Errorf("without a graph: %v, %v", got, err)
	}
}

func TestSumsAreThoseOfTheCanonicalForm(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	for name, raw := range map[string]string{"small": credential, "full": string(full(t)), "an own context": `{"@context":{"p":"urn:p"},"@id":"urn:s","p":"v"}`} {
		doc := parse(t, raw)
		form, err := p.Canonicalize(t.Context(), doc, crypto.SHA384)
		if err != nil {
			t.Fatal(err)
		}
		want := sha512.Sum384(form)
		if got, err := p.Sum(t.Context(), doc, crypto.SHA384); err != nil || !bytes.Equal(got, want[:]) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
		form, err = p.CanonicalizePlain(t.Context(), doc, 0)
		if name == "an own context" {
			if _, again := p.SumPlain(t.Context(), doc, 0); !errors.Is(err, jsonld.ErrUnsafe) || !errors.Is(again, jsonld.ErrUnsafe) {
				t.Errorf("%s: %v, %v", name, err, again)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(form)
		if got, err := p.SumPlain(t.Context(), doc, 0); err != nil || !bytes.Equal(got, sum[:]) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
}

// TestCanonicalFormsAreThoseOfAnotherImplementation: the hashes are of what jsonld.js
// 9 and rdf-canonize made of these documents, in safe mode.
func TestCanonicalFormsAreThoseOfAnotherImplementation(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	for name, c := range map[string]struct{ doc, want string }{
		"credential":   {credential, "ddc75db741fd37236f8e9f0799176c1c0e0b7a9b568a92d22b44acc732aedc40"},
		"medium":       {medium, "9a789382764a0a3784c822d068e4f3b0503b64e133382ea0d54f34e975e71470"},
		"full":         {string(full(t)), "45b6d0569a844c203e6887702faf324b17c1bac4468d4f40672be3e5fee1aa4f"},
		"presentation": {presentation, "3bda4dcd52e55bde1621029648abbae94ec6281ec8922efaeb7f96537b757914"},
		"status":       {status, "8114ea3abd4d48970f36069df48c1b445cb9bfba88d20535f9f1434ecc7bab83"},
	} {
		got, err := p.Sum(t.Context(), parse(t, c.doc), 0)
		if err != nil || hex.EncodeToString(got) != c.want {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
}

// BenchmarkFirst makes a Processor and canonicalizes a first credential, tables and
// all.
func BenchmarkFirst(b *testing.B) {
	doc := parse(b, string(full(b)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jsonld.New(jsonld.Config{}).SumPlain(b.Context(), doc, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWays(b *testing.B) {
	p := jsonld.New(jsonld.Config{})
	for name, raw := range map[string][]byte{"small": []byte(credential), "full": full(b)} {
		doc := parse(b, string(raw))
		b.Run(name+"/parse", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				parse(b, string(raw))
			}
		})
		b.Run(name+"/tables", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := p.Fast(doc, true); !ok {
					b.Fatal("not by the tables")
				}
			}
		})
		b.Run(name+"/general", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.General(b.Context(), doc, true); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/sum", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.SumPlain(b.Context(), doc, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
