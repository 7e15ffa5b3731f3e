package jsonld_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"badgebridge/openbadges/jsonld"
)

func Example() {
	p := jsonld.New(jsonld.Config{})
	doc, err := jsonld.ParseObject([]byte(`{
		"@context": "https://www.w3.org/ns/credentials/v2",
		"id": "urn:example:award",
		"type": "VerifiableCredential",
		"name": "Welcome"
	}`), jsonld.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	nquads, err := p.Canonicalize(context.Background(), doc, 0)
	fmt.Printf("%s%v\n", nquads, err)

	doc["nmae"] = "Welcome"
	_, err = p.Canonicalize(context.Background(), doc, 0)
	fmt.Println(errors.Is(err, jsonld.ErrUnsafe))
	// Output:
	// <urn:example:award> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://www.w3.org/2018/credentials#VerifiableCredential> .
	// <urn:example:award> <https://schema.org/name> "Welcome" .
	// <nil>
	// true
}

func parse(tb testing.TB, doc string) map[string]any {
	tb.Helper()
	m, err := jsonld.ParseObject([]byte(doc), jsonld.Limits{})
	if err != nil {
		tb.Fatalf("%v in %s", err, doc)
	}
	return m
}

// canon canonicalizes members of a document whose context maps x: and defines p.
func canon(tb testing.TB, members string) (string, error) {
	tb.Helper()
	doc := `{"@context":{"@version":1.1,"x":"urn:x:","p":"urn:p","q":{"@id":"urn:q","@type":"@id"},"l":{"@id":"urn:l","@container":"@list"},
		"j":{"@id":"urn:j","@type":"@json"},"d":{"@id":"urn:d","@type":"http://www.w3.org/2001/XMLSchema#double"},"gone":null,"lm":{"@id":"urn:lm","@container":"@language"}},
		"@id":"urn:s",` + members + `}`
	b, err := jsonld.New(jsonld.Config{}).Canonicalize(tb.Context(), parse(tb, doc), 0)
	return string(b), err
}

func TestNothingIsDroppedInSilence(t *testing.T) {
	for name, members := range map[string]string{
		"an undefined term":                    `"p":"v","evil":"x"`,
		"an undefined term further in":         `"p":{"p":"v","evil":"x"}`,
		"a term that is defined as nothing":    `"p":"v","gone":"x"`,
		"a type that is no term":               `"@type":"Evil","p":"v"`,
		"a relative id":                        `"p":{"@id":"evil","p":"v"}`,
		"a relative reference":                 `"q":"evil"`,
		"an IRI with a space":                  `"q":"https://example.org/a b"`,
		"an IRI that would end its line":       `"q":"urn:x> .\n<urn:y"`,
		"an undefined term inside @set":        `"@type":"x:T","@set":[{"evil":"x"}]`,
		"an undefined term inside @list":       `"p":{"@list":[{"evil":"x"}]}`,
		"an undefined term inside a list":      `"l":[{"evil":"x"}]`,
		"an unknown keyword":                   `"p":"v","@evil":"x"`,
		"framing's @default":                   `"p":{"@default":"x"}`,
		"a language without a text":            `"p":{"@language":"en"}`,
		"a value that is null":                 `"p":{"@value":null}`,
		"a direction":                          `"p":{"@value":"v","@direction":"rtl"}`,
		"a language that is none":              `"p":{"@value":"v","@language":"e n"}`,
		"a language of a map that is none":     `"lm":{"e n":"v"}`,
		"an object that says nothing":          `"p":{}`,
		"a blank predicate":                    `"_:b":"v"`,
		"a relative datatype":                  `"p":{"@value":"v","@type":"evil"}`,
		"a value in a graph":                   `"p":"v","@graph":["evil"]`,
		"an object in a graph, saying nothing": `"p":"v","@graph":[{"@id":"urn:evil"}]`,
		"reverse properties":                   `"@reverse":{"p":{"@id":"urn:o"}}`,
		"included nodes":                       `"p":"v","@included":[{"@id":"urn:o","p":"v"}]`,
		"an alias of @set":                     `"p":{"@context":{"s":"@set"},"s":[{"evil":1}]}`,
		"an alias of an alias":                 `"p":{"@context":{"t":{"@id":"@list"},"s":"t"},"s":[{"evil":1}]}`,
		"an alias put together":                `"p":{"@context":{"at":"@","@vocab":"@"},"at:set":[{"evil":1}],"set":[{"evil":1}]}`,
		"an index":                             `"p":{"@value":"v","@index":"evil"}`,
		"a map's index":                        `"p":{"@context":{"m":{"@id":"urn:m","@container":"@index"}},"m":{"evil":"v"}}`,
		"nothing at all":                       `"p":null`,
	} {
		got, err := canon(t, members)
		if err == nil || got != "" {
			t.Errorf("%s gives %q, %v", name, got, err)
		}
	}
}

func TestValuesBecomeLiterals(t *testing.T) {
	const x = "^^<http://www.w3.org/2001/XMLSchema#"
	for value, want := range map[string]string{
		`"v"`: `"v"`, `true`: `"true"` + x + `boolean>`, `42`: `"42"` + x + `integer>`, `42.0`: `"42"` + x + `integer>`, `-0.0`: `"0"` + x + `integer>`,
		`3.5`: `"3.5E0"` + x + `double>`, `1e21`: `"1.0E21"` + x + `double>`, `1e20`: `"100000000000000000000"` + x + `integer>`,
		`33.333333333333336`: `"3.333333333333334E1"` + x + `double>`, `1e-7`: `"1.0E-7"` + x + `double>`, `-12.25`: `"-1.225E1"` + x + `double>`,
		`{"@value":"v","@language":"de-CH"}`: `"v"@de-ch`, `{"@value":"1","@type":"urn:t"}`: `"1"^^<urn:t>`, `{"@value":5,"@type":"urn:t"}`: `"5"^^<urn:t>`,
	} {
		got, err := canon(t, `"p":`+value)
		if want = "<urn:s> <urn:p> " + want + " .\n"; err != nil || got != want {
			t.Errorf("%s: %v, got %s want %s", value, err, got, want)
		}
	}
	if got, err := canon(t, `"d":5`); err != nil || got != `<urn:s> <urn:d> "5.0E0"`+x+"double> .\n" {
		t.Errorf("a whole number as a double: %s %v", got, err)
	}
	if got, err := canon(t, `"j":{"b":[1.50,"ü"],"a":null}`); err != nil ||
		got != `<urn:s> <urn:j> "{\"a\":null,\"b\":[1.5,\"ü\"]}"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON> .`+"\n" {
		t.Errorf("a JSON literal: %s %v", got, err)
	}
	if got, err := canon(t, `"l":["a"],"p":{"@id":"urn:o","l":[]}`); err != nil || !strings.Contains(got, "#first> \"a\"") || !strings.Contains(got, "<urn:o> <urn:l> <http://www.w3.org/1999/02/22-rdf-syntax-ns#nil>") {
		t.Errorf("lists: %s %v", got, err)
	}
}

func TestStrictJSON(t *testing.T) {
	for _, bad := range []string{
		``, `{`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"a":{"b":1,"b":1}}`, `{"a":"\ud800"}`, `{"a":"\ud800\u0041"}`, `{"a":"\udc00"}`, "{\"a\":\"\xff\"}",
		`{"a":1e400}`, `{"a":01}`, `{"a":1.}`, `{"a":+1}`, `{"a":NaN}`, `{"a":1,}`, `[1,]`, `{"a":1} x`, "\ufeff{}", "{\"a\":\"\n\"}", `{'a':1}`, `{"a":"\x41"}`, `tru`, `-`,
	} {
		if v, err := jsonld.Parse([]byte(bad), jsonld.Limits{}); !errors.Is(err, jsonld.ErrSyntax) {
			t.Errorf("%q: %v, %v", bad, v, err)
		}
	}
	for name, big := range map[string]string{
		"nesting": strings.Repeat("[", 65) + strings.Repeat("]", 65),
		"values":  "[" + strings.Repeat("1,", 20_000) + "1]",
		"bytes":   `"` + strings.Repeat("x", 1<<20) + `"`,
	} {
		if _, err := jsonld.Parse([]byte(big), jsonld.Limits{}); !errors.Is(err, jsonld.ErrLimit) {
			t.Errorf("too many %s: %v", name, err)
		}
	}
	if _, err := jsonld.ParseObject([]byte(`[]`), jsonld.Limits{}); !errors.Is(err, jsonld.ErrSyntax) {
		t.Errorf("a list as a document: %v", err)
	}
}

func TestContextsAreBounded(t *testing.T) {
	served := map[string]string{
		"https://example.org/self":   `{"@context":["https://example.org/self",{"p":"urn:p"}]}`,
		"https://example.org/ping":   `{"@context":["https://example.org/pong"]}`,
		"https://example.org/pong":   `{"@context":["https://example.org/ping"]}`,
		"https://example.org/large":  `{"@context":{"p":"urn:` + strings.Repeat("x", 300<<10) + `"}}`,
		"https://example.org/import": `{"@context":{"@import":"https://www.w3.org/ns/credentials/v2","p":"urn:p"}}`,
		"https://example.org/dup":    `{"@context":{"p":"urn:p","p":"urn:q"}}`,
		"https://example.org/set":    `{"@context":{"p":"@set"}}`,
		"https://example.org/page":   `<html></html>`,
		"https://example.org/good":   `{"@context":{"p":"urn:p"},"more":"is not looked at"}`,
	}
	p := jsonld.New(jsonld.Config{Loader: func(_ context.Context, url string) ([]byte, error) {
		if doc, ok := served[url]; ok {
			return []byte(doc), nil
		}
		return nil, errors.New("404")
	}})
	for name, want := range map[string]error{
		"self": jsonld.ErrLimit, "ping": jsonld.ErrLimit, "large": jsonld.ErrLimit, "import": jsonld.ErrUnsupported,
		"dup": jsonld.ErrSyntax, "set": jsonld.ErrUnsupported, "page": jsonld.ErrContext, "absent": jsonld.ErrContext, "good": nil,
	} {
		doc := map[string]any{"@context": "https://example.org/" + name, "@id": "urn:s", "p": "v"}
		if _, err := p.Quads(t.Context(), doc); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
	many := []any{}
	for range 40 {
		many = append(many, map[string]any{"p": "urn:p"})
	}
	if _, err := p.Quads(t.Context(), map[string]any{"@context": many, "@id": "urn:s", "p": "v"}); !errors.Is(err, jsonld.ErrLimit) {
		t.Errorf("40 contexts: %v", err)
	}
	if _, err := jsonld.New(jsonld.Config{}).Quads(t.Context(), map[string]any{"@context": "https://example.org/good", "p": "v"}); !errors.Is(err, jsonld.ErrContext) {
		t.Errorf("without a loader: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Quads(ctx, map[string]any{"@context": "https://example.org/good", "@id": "urn:s", "p": "v"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestBothContentsOfContext303AreKnown(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	base := `{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"%s],
		"id":"urn:s","type":["VerifiableCredential","AchievementCredential"],"endorsementJwt":["eyJ"]}`
	got, err := p.Canonicalize(t.Context(), parse(t, fmt.Sprintf(base, "")), 0)
	if err != nil || !bytes.Contains(got, []byte("vocab.html#endorsementJwt>")) {
		t.Errorf("the content since 2026: %s %v", got, err)
	}
	got, err = p.Canonicalize(t.Context(), parse(t, fmt.Sprintf(base, `,{"endorsementJwt":"urn:own"}`)), 0)
	if err != nil || !bytes.Contains(got, []byte("<urn:own>")) {
		t.Errorf("an issuer who defined the term before: %s %v", got, err)
	}
}

func TestTheBuiltInContextsAreWhatTheirListSays(t *testing.T) {
	sums, err := os.ReadFile("contexts/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("contexts/README.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for line := range strings.Lines(string(sums)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		raw, err := os.ReadFile(filepath.Join("contexts", name))
		if err != nil {
			t.Fatal(err)
		}
		if got := sha256.Sum256(raw); hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s was changed", name)
		}
		if !bytes.Contains(readme, []byte(strings.TrimPrefix(name, "openbadges-3.0"))) {
			t.Errorf("README.md does not say where %s comes from", name)
		}
		listed[name] = true
	}
	for _, pattern := range []string{"contexts/*.json", "contexts/*.jsonld"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if !listed[filepath.Base(name)] {
				t.Errorf("%s is not in SHA256SUMS", name)
			}
		}
	}
}

// vectors finds the shared test data, or skips where it is not to be had.
func vectors(tb testing.TB, path string) string {
	tb.Helper()
	path = filepath.Join("..", "..", "..", "shared", "vectors", path)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatalf("the test vectors are missing: %v", err)
		}
		tb.Skipf("the test vectors are not on this machine: %v", err)
	}
	return path
}

func TestTheBuiltInContextsSayWhatThePublishedOnesSay(t *testing.T) {
	dir := vectors(t, "contexts")
	var index map[string]string
	raw, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil || json.Unmarshal(raw, &index) != nil {
		t.Fatal(err)
	}
	p := jsonld.New(jsonld.Config{})
	seen := 0
	for url, name := range index {
		if !p.Knows(url) {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		ours, err := p.Context(url)
		if err != nil {
			t.Fatal(err)
		}
		seen++
		if want := parse(t, string(raw)); !reflect.DeepEqual(ours["@context"], want["@context"]) {
			t.Errorf("%s differs", url)
		}
	}
	if seen < 9 {
		t.Errorf("only %d contexts compared", seen)
	}
}

func TestOneProcessorServesManyGoroutines(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	doc := parse(t, credential)
	want, err := p.Canonicalize(t.Context(), doc, 0)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if got, err := p.Canonicalize(t.Context(), parse(t, credential), 0); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%v %s", err, got)
				}
			}
		})
	}
	wg.Wait()
}

const credential = `{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
"id":"urn:uuid:7c4f5b63-0c3c-4b6c-9d5e-2f3a8d1b0001","type":["VerifiableCredential","AchievementCredential"],
"issuer":{"id":"https://issuer.example.org/profile","type":["Profile"],"name":"Demo Association"},"validFrom":"2026-01-01T00:00:00Z","name":"Demo badge",
"credentialSubject":{"type":["AchievementSubject"],"identifier":[{"type":"IdentityObject","hashed":true,"identityHash":"sha256$00","identityType":"emailAddress","salt":"s"}],
"achievement":{"id":"https://issuer.example.org/badges/1","type":["Achievement"],"name":"Demo badge","description":"For trying out.","criteria":{"narrative":"Try it out."}}}}`

func FuzzParseAgreesWithEncodingJSON(f *testing.F) {
	f.Add([]byte(credential))
	f.Add([]byte(`{"a":[1,-0.5e-3,"\u00e9\ud83d\ude00\n",true,null,{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := jsonld.Parse(data, jsonld.Limits{})
		if err != nil {
			return
		}
		var want any
		if err := json.Unmarshal(data, &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: got %#v, encoding/json has %#v, %v", data, got, want, err)
		}
	})
}

func FuzzQuads(f *testing.F) {
	p := jsonld.New(jsonld.Config{Limits: jsonld.Limits{MaxValues: 400}})
	f.Add([]byte(credential))
	f.Add([]byte(`{"@context":{"p":{"@id":"urn:p","@container":"@list"}},"@id":"_:b","p":[1,{"@value":"x","@language":"en"}]}`))
	f.Add([]byte(`{"@context":[null,{"@base":"https://example.org/","@vocab":"#","t":{"@reverse":"u"}}],"@graph":[{"@id":"a","t":{"@id":"b"}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := jsonld.ParseObject(data, jsonld.Limits{MaxValues: 400})
		if err != nil {
			return
		}
		if quads, err := p.Quads(t.Context(), doc); err == nil && len(quads) == 0 {
			t.Fatal("neither quads nor an error")
		}
	})
}

func BenchmarkCanonicalize(b *testing.B) {
	p := jsonld.New(jsonld.Config{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Canonicalize(b.Context(), parse(b, credential), 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(credential)))
	for b.Loop() {
		parse(b, credential)
	}
}
