package dataintegrity_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"badgebridge/openbadges/dataintegrity"
	"badgebridge/openbadges/did"
	"badgebridge/openbadges/jsonld"
)

const credential = `{
	"@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
	"id": "urn:uuid:1b7c9a1e-3f5d-4e52-9a53-7b4a1f6d2c11",
	"type": ["VerifiableCredential", "OpenBadgeCredential"],
	"issuer": {"id": "https://guild.example.org/issuers/1", "type": ["Profile"], "name": "Guild of Café Owners"},
	"validFrom": "2026-03-01T09:00:00Z",
	"validUntil": "2027-03-01T09:00:00Z",
	"name": "Latte art, first steps",
	"credentialSubject": {
		"id": "did:example:pupil-7",
		"type": ["AchievementSubject"],
		"achievement": {
			"id": "https://guild.example.org/badges/latte-1",
			"type": ["Achievement"],
			"name": "Latte art, first steps",
			"description": "Pours a heart & a \"tulip\".",
			"criteria": {"narrative": "Three cups in a row <of ten>."}
		},
		"result": [{"type": ["Result"], "resultDescription": "urn:uuid:6f1d", "value": "8.5"}]
	},
	"credentialStatus": {
		"id": "https://guild.example.org/status/1#94567",
		"type": "BitstringStatusListEntry",
		"statusPurpose": "revocation",
		"statusListIndex": "94567",
		"statusListCredential": "https://guild.example.org/status/1"
	}
}`

// signer is the same in every run.
func signer() (ed25519.PrivateKey, string) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	_, method, _ := did.KeyDID(key.Public())
	return key, method
}

func Example() {
	ctx, p := context.Background(), jsonld.New(jsonld.Config{})
	doc, err := jsonld.ParseObject([]byte(credential), jsonld.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	key, method := signer()
	proof, err := dataintegrity.Sign(ctx, p, doc, dataintegrity.Options{
		VerificationMethod: method, Created: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
	}, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	signed := dataintegrity.Attach(doc, proof)

	s, err := dataintegrity.Open(p, signed)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, proof := range s.Proofs() {
		// Whose key it is, and whether it may issue, is to be looked up by
		// proof.VerificationMethod.
		fmt.Println(proof.Cryptosuite, proof.Purpose, s.Verify(ctx, proof, key.Public()))
	}

	signed["name"] = "Latte art, master class"
	fmt.Println(dataintegrity.Verify(ctx, p, signed, s.Proofs()[0], key.Public()))
	// Output:
	// eddsa-rdfc-2022 assertionMethod <nil>
	// dataintegrity: the signature does not fit the document
}

// signed is the credential with one proof, and that proof.
func signed(tb testing.TB, p *jsonld.Processor, suite string) (map[string]any, dataintegrity.Proof) {
	tb.Helper()
	key, method := signer()
	doc := object(tb, []byte(credential))
	proof, err := dataintegrity.Sign(tb.Context(), p, doc, dataintegrity.Options{
		Cryptosuite: suite, VerificationMethod: method, Created: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
		Expires: time.Date(2028, 3, 1, 9, 0, 0, 0, time.UTC), Domains: []string{"guild.example.org", "b.example"}, Challenge: "42",
	}, key)
	if err != nil {
		tb.Fatal(err)
	}
	doc = dataintegrity.Attach(doc, proof)
	proofs, err := dataintegrity.Proofs(doc)
	if err != nil || len(proofs) != 1 {
		tb.Fatal(proofs, err)
	}
	return doc, proofs[0]
}

func TestAProofIsReadWhole(t *testing.T) {
	_, proof := signed(t, jsonld.New(jsonld.Config{}), "")
	_, method := signer()
	if proof.Type != "DataIntegrityProof" || proof.Cryptosuite != "eddsa-rdfc-2022" || proof.VerificationMethod != method || proof.Purpose != "assertionMethod" ||
		!proof.Created.Equal(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)) || proof.Expires.Year() != 2028 ||
		!slices.Equal(proof.Domains, []string{"guild.example.org", "b.example"}) || proof.Challenge != "42" || proof.Err != nil {
		t.Errorf("%+v", proof)
	}
}

// TestNoByteOfASignedDocumentCanChange flips bytes of the JSON text: what still
// is JSON, and is another document, must not verify.
func TestNoByteOfASignedDocumentCanChange(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	key, _ := signer()
	for _, suite := range []string{dataintegrity.EdDSARDFC2022, dataintegrity.EdDSAJCS2022} {
		doc, _ := signed(t, p, suite)
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		verify := func(raw []byte) error {
			doc, err := jsonld.ParseObject(raw, jsonld.Limits{})
			if err != nil {
				return err
			}
			s, err := dataintegrity.Open(p, doc)
			if err != nil {
				return err
			}
			if len(s.Proofs()) != 1 {
				return errors.New("no proof")
			}
			return s.Verify(t.Context(), s.Proofs()[0], key.Public())
		}
		if err := verify(text); err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(r *rapid.T) {
			at := rapid.IntRange(0, len(text)-1).Draw(r, "at")
			changed := bytes.Clone(text)
			changed[at] ^= byte(rapid.IntRange(1, 255).Draw(r, "flip"))
			if verify(changed) == nil && !sameMeaning(changed, text) {
				r.Fatalf("verifies with byte %d changed: %s", at, changed[max(0, at-20):min(len(changed), at+20)])
			}
		})
	}
}

// sameMeaning allows for the one change that a signature over RDF does not see
// and no reader minds: another context that says the same.
func sameMeaning(a, b []byte) bool {
	var x, y map[string]any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	delete(x, "@context")
	delete(y, "@context")
	ra, _ := json.Marshal(x)
	rb, _ := json.Marshal(y)
	return bytes.Equal(ra, rb)
}

func TestWhatASignatureMustNotSurvive(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	key, _ := signer()
	const issuerTerm = "https://www.w3.org/2018/credentials#validUntil"
	for _, c := range []struct {
		name   string
		suites string // both when empty
		change func(doc, proof map[string]any)
		want   error
	}{
		{"another purpose", "", func(_, p map[string]any) { p["proofPurpose"] = "authentication" }, dataintegrity.ErrSignature},
		{"a later end of the proof", "", func(_, p map[string]any) { p["expires"] = "2038-01-01T00:00:00Z" }, dataintegrity.ErrSignature},
		{"no end of the proof", "", func(_, p map[string]any) { delete(p, "expires") }, dataintegrity.ErrSignature},
		{"another domain", "", func(_, p map[string]any) { p["domain"] = "elsewhere.example" }, dataintegrity.ErrSignature},
		{"another key's name", "", func(_, p map[string]any) { p["verificationMethod"] = "https://guild.example.org/issuers/1#key" }, dataintegrity.ErrSignature},
		{"another suite", "", func(_, p map[string]any) {
			p["cryptosuite"] = map[any]any{"eddsa-rdfc-2022": "eddsa-jcs-2022", "eddsa-jcs-2022": "eddsa-rdfc-2022"}[p["cryptosuite"]]
		}, dataintegrity.ErrSignature},
		{"the older type", "", func(_, p map[string]any) { p["type"] = "Ed25519Signature2020" }, dataintegrity.ErrUnsupported},
		{"no end of the credential", "", func(d, _ map[string]any) { delete(d, "validUntil") }, dataintegrity.ErrSignature},
		{"no status", "", func(d, _ map[string]any) { delete(d, "credentialStatus") }, dataintegrity.ErrSignature},
		{"one member more", "", func(d, _ map[string]any) { d["awardedDate"] = "2026-03-01T09:00:00Z" }, dataintegrity.ErrSignature},
		{"a member under its full name", "eddsa-rdfc-2022", func(d, _ map[string]any) {
			d[issuerTerm] = map[string]any{"@value": d["validUntil"], "@type": "http://www.w3.org/2001/XMLSchema#dateTime"}
			delete(d, "validUntil")
		}, jsonld.ErrUnsafe},
		{"a member under an alias", "eddsa-rdfc-2022", func(d, _ map[string]any) {
			d["@context"] = append(slices.Clone(d["@context"].([]any)), map[string]any{"bestBefore": map[string]any{"@id": issuerTerm, "@type": "http://www.w3.org/2001/XMLSchema#dateTime"}})
			d["bestBefore"] = d["validUntil"]
			delete(d, "validUntil")
		}, jsonld.ErrUnsafe},
		{"the proof's end under its full name", "eddsa-rdfc-2022", func(_, p map[string]any) {
			p["https://w3id.org/security#expiration"] = map[string]any{"@value": p["expires"], "@type": "http://www.w3.org/2001/XMLSchema#dateTime"}
			delete(p, "expires")
		}, jsonld.ErrUnsafe},
		{"a member that means nothing", "eddsa-rdfc-2022", func(d, _ map[string]any) { d["honours"] = "summa cum laude" }, jsonld.ErrUnsafe},
		{"a member that means nothing", "eddsa-jcs-2022", func(d, _ map[string]any) { d["honours"] = "summa cum laude" }, dataintegrity.ErrSignature},
		{"another context first", "eddsa-jcs-2022", func(d, _ map[string]any) {
			d["@context"] = append([]any{"https://evil.example/context"}, d["@context"].([]any)...)
		}, dataintegrity.ErrSignature},
		{"a context less", "eddsa-jcs-2022", func(d, _ map[string]any) { d["@context"] = d["@context"].([]any)[:1] }, dataintegrity.ErrSignature},
		{"no context in the proof", "eddsa-jcs-2022", func(_, p map[string]any) { delete(p, "@context") }, dataintegrity.ErrSignature},
	} {
		for _, suite := range []string{dataintegrity.EdDSARDFC2022, dataintegrity.EdDSAJCS2022} {
			if c.suites != "" && c.suites != suite {
				continue
			}
			t.Run(c.name+" "+suite, func(t *testing.T) {
				doc, proof := signed(t, p, suite)
				raw := maps.Clone(proof.Raw)
				c.change(doc, raw)
				doc["proof"] = raw
				proofs, err := dataintegrity.Proofs(doc)
				if err != nil {
					t.Fatal(err)
				}
				if err := dataintegrity.Verify(t.Context(), p, doc, proofs[0], key.Public()); !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
			})
		}
	}
}

func TestAContextMoreAfterAJCSProofIsFine(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	key, _ := signer()
	doc, proof := signed(t, p, dataintegrity.EdDSAJCS2022)
	doc["@context"] = append(slices.Clone(doc["@context"].([]any)), "https://w3id.org/security/multikey/v1")
	if err := dataintegrity.Verify(t.Context(), p, doc, proof, key.Public()); err != nil {
		t.Error(err)
	}
}

func TestOnlyTheRightKindOfKeyIsUsed(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	doc, proof := signed(t, p, "")
	other, _, _ := ed25519.GenerateKey(rand.Reader)
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	r, _ := rsa.GenerateKey(rand.Reader, 2048)
	for name, c := range map[string]struct {
		key  crypto.PublicKey
		want error
	}{
		"another":   {other, dataintegrity.ErrSignature},
		"P-256":     {&ec.PublicKey, dataintegrity.ErrKey},
		"RSA":       {&r.PublicKey, dataintegrity.ErrKey},
		"none":      {nil, dataintegrity.ErrKey},
		"too short": {ed25519.PublicKey("short"), dataintegrity.ErrKey},
	} {
		if err := dataintegrity.Verify(t.Context(), p, doc, proof, c.key); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := dataintegrity.Sign(t.Context(), p, doc, dataintegrity.Options{VerificationMethod: "urn:k"}, ec); !errors.Is(err, dataintegrity.ErrKey) {
		t.Errorf("signing with P-256: %v", err)
	}
}

func TestOddProofs(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	key, _ := signer()
	doc, proof := signed(t, p, "")
	good := proof.Raw["proofValue"].(string)
	for name, c := range map[string]struct {
		member string
		value  any // nil: not there
		want   error
	}{
		"an unknown type":        {"type", "SomeProof", dataintegrity.ErrUnsupported},
		"no type":                {"type", nil, dataintegrity.ErrUnsupported},
		"a list of types":        {"type", []any{"DataIntegrityProof"}, dataintegrity.ErrUnsupported},
		"an unknown suite":       {"cryptosuite", "bbs-2023", dataintegrity.ErrUnsupported},
		"an older name":          {"cryptosuite", "eddsa-2022", dataintegrity.ErrUnsupported},
		"no suite":               {"cryptosuite", nil, dataintegrity.ErrUnsupported},
		"no key":                 {"verificationMethod", nil, dataintegrity.ErrMalformed},
		"a key written out":      {"verificationMethod", map[string]any{"id": "x"}, dataintegrity.ErrMalformed},
		"no purpose":             {"proofPurpose", nil, dataintegrity.ErrMalformed},
		"a date without a time":  {"created", "2026-03-01", dataintegrity.ErrMalformed},
		"a time without a zone":  {"created", "2026-03-01T09:00:00", dataintegrity.ErrMalformed},
		"an empty time":          {"expires", "", dataintegrity.ErrMalformed},
		"a number as time":       {"expires", 5.0, dataintegrity.ErrMalformed},
		"a domain that is none":  {"domain", []any{1.0}, dataintegrity.ErrMalformed},
		"no value":               {"proofValue", nil, dataintegrity.ErrMalformed},
		"base64url":              {"proofValue", "u" + good[1:], dataintegrity.ErrMalformed},
		"not base58":             {"proofValue", good[:20] + "0" + good[21:], dataintegrity.ErrMalformed},
		"a short value":          {"proofValue", "z6Mk", dataintegrity.ErrMalformed},
		"a long value":           {"proofValue", "z" + strings.Repeat("2", 4000), dataintegrity.ErrMalformed},
		"a value with a 0 first": {"proofValue", "z1" + good[1:], dataintegrity.ErrMalformed},
		"a previous one missing": {"previousProof", "urn:uuid:none", dataintegrity.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			raw := maps.Clone(proof.Raw)
			if raw[c.member] = c.value; c.value == nil {
				delete(raw, c.member)
			}
			// The odd one must not keep the good one from being verified.
			doc := dataintegrity.Attach(doc, raw)
			s, err := dataintegrity.Open(p, doc)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Verify(t.Context(), s.Proofs()[0], key.Public()); err != nil {
				t.Errorf("the good one beside it: %v", err)
			}
			odd := s.Proofs()[1]
			if err := s.Verify(t.Context(), odd, key.Public()); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if odd.Supported() == errors.Is(c.want, dataintegrity.ErrUnsupported) {
				t.Errorf("supported: %v", odd.Supported())
			}
		})
	}
}

func TestProofsThatAreNone(t *testing.T) {
	twice := map[string]any{"type": "X", "id": "urn:1"}
	many := make([]any, 33)
	for i := range many {
		many[i] = map[string]any{}
	}
	for name, v := range map[string]any{"a text": "proof", "a list of texts": []any{"proof"}, "one id twice": []any{twice, twice}, "too many": many} {
		if _, err := dataintegrity.Proofs(map[string]any{"proof": v}); !errors.Is(err, dataintegrity.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, doc := range map[string]map[string]any{"no member": {}, "null": {"proof": nil}, "an empty list": {"proof": []any{}}} {
		if proofs, err := dataintegrity.Proofs(doc); err != nil || len(proofs) != 0 {
			t.Errorf("%s: %v %v", name, proofs, err)
		}
	}
}

// TestAChain: the second proof is good only over the first as it stands there.
func TestAChain(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	key, method := signer()
	for _, suite := range []string{dataintegrity.EdDSARDFC2022, dataintegrity.EdDSAJCS2022} {
		doc := object(t, []byte(credential))
		for _, o := range []dataintegrity.Options{{ID: "urn:uuid:p1"}, {ID: "urn:uuid:p2", Previous: []string{"urn:uuid:p1"}}, {Previous: []string{"urn:uuid:p1", "urn:uuid:p2"}}} {
			o.Cryptosuite, o.VerificationMethod = suite, method
			proof, err := dataintegrity.Sign(t.Context(), p, doc, o, key)
			if err != nil {
				t.Fatal(err)
			}
			doc = dataintegrity.Attach(doc, proof)
		}
		check := func(doc map[string]any) (errs []error) {
			s, err := dataintegrity.Open(p, doc)
			if err != nil {
				t.Fatal(err)
			}
			for _, proof := range s.Proofs() {
				errs = append(errs, s.Verify(t.Context(), proof, key.Public()))
			}
			return errs
		}
		if errs := check(doc); errs[0] != nil || errs[1] != nil || errs[2] != nil {
			t.Fatalf("%s: %v", suite, errs)
		}
		first := maps.Clone(doc["proof"].([]any)[0].(map[string]any))
		first["created"] = "2026-01-01T00:00:00Z"
		changed := maps.Clone(doc)
		changed["proof"] = []any{first, doc["proof"].([]any)[1], doc["proof"].([]any)[2]}
		for i, err := range check(changed) {
			if !errors.Is(err, dataintegrity.ErrSignature) {
				t.Errorf("%s: proof %d over a changed first one: %v", suite, i, err)
			}
		}
		changed["proof"] = doc["proof"].([]any)[1:]
		if errs := check(changed); !errors.Is(errs[0], dataintegrity.ErrMalformed) {
			t.Errorf("%s: without the first one: %v", suite, errs)
		}
	}
	s, err := dataintegrity.Open(p, map[string]any{"proof": []any{
		map[string]any{"id": "urn:a", "previousProof": "urn:b"}, map[string]any{"id": "urn:b", "previousProof": "urn:a"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Chain(s.Proofs()[0]); !errors.Is(err, dataintegrity.ErrMalformed) {
		t.Errorf("a circle: %v", err)
	}
}

// TestECDSA signs by hand what the package only verifies.
func TestECDSA(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	for curve, hash := range map[elliptic.Curve]crypto.Hash{elliptic.P256(): crypto.SHA256, elliptic.P384(): crypto.SHA384} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		_, method, err := did.KeyDID(&key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		doc := object(t, []byte(credential))
		raw := map[string]any{"type": "DataIntegrityProof", "cryptosuite": "ecdsa-rdfc-2019", "created": "2026-03-01T09:00:00Z", "proofPurpose": "assertionMethod", "verificationMethod": method}
		config := maps.Clone(raw)
		config["@context"] = doc["@context"]
		var input []byte
		for _, d := range []map[string]any{config, doc} {
			canonical, err := p.Canonicalize(t.Context(), d, hash)
			if err != nil {
				t.Fatal(err)
			}
			h := hash.New()
			h.Write(canonical)
			input = h.Sum(input)
		}
		h := hash.New()
		h.Write(input)
		r, s, err := ecdsa.Sign(rand.Reader, key, h.Sum(nil))
		if err != nil {
			t.Fatal(err)
		}
		value := make([]byte, 2*hash.Size())
		r.FillBytes(value[:hash.Size()])
		s.FillBytes(value[hash.Size():])
		raw["proofValue"] = did.EncodeMultibase(value)
		doc["proof"] = raw
		proofs, err := dataintegrity.Proofs(doc)
		if err != nil {
			t.Fatal(err)
		}
		if err := dataintegrity.Verify(t.Context(), p, doc, proofs[0], &key.PublicKey); err != nil {
			t.Errorf("%s: %v", curve.Params().Name, err)
		}
		doc["name"] = "Something else"
		if err := dataintegrity.Verify(t.Context(), p, doc, proofs[0], &key.PublicKey); !errors.Is(err, dataintegrity.ErrSignature) {
			t.Errorf("%s, changed: %v", curve.Params().Name, err)
		}
		if _, err := dataintegrity.Sign(t.Context(), p, doc, dataintegrity.Options{Cryptosuite: "ecdsa-rdfc-2019", VerificationMethod: method}, key); !errors.Is(err, dataintegrity.ErrUnsupported) {
			t.Errorf("signing: %v", err)
		}
	}
}

func TestWhatCannotBeVerifiedIsNotSigned(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	key, method := signer()
	doc := object(t, []byte(credential))
	doc["honours"] = "summa cum laude"
	if _, err := dataintegrity.Sign(t.Context(), p, doc, dataintegrity.Options{VerificationMethod: method}, key); !errors.Is(err, jsonld.ErrUnsafe) {
		t.Errorf("an undefined member: %v", err)
	}
	delete(doc, "honours")
	for name, o := range map[string]dataintegrity.Options{
		"no key's name":             {},
		"a previous one that isn't": {VerificationMethod: method, Previous: []string{"urn:uuid:none"}},
	} {
		if _, err := dataintegrity.Sign(t.Context(), p, doc, o, key); !errors.Is(err, dataintegrity.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	doc["proof"] = map[string]any{"id": "urn:1", "type": "X"}
	if _, err := dataintegrity.Sign(t.Context(), p, doc, dataintegrity.Options{VerificationMethod: method, ID: "urn:1"}, key); !errors.Is(err, dataintegrity.ErrMalformed) {
		t.Errorf("an id that is taken: %v", err)
	}
}

// FuzzProof reads proofs of any shape: nothing panics, and nothing verifies but
// the proof that was made.
func FuzzProof(f *testing.F) {
	p := jsonld.New(jsonld.Config{})
	key, _ := signer()
	doc, proof := signed(f, p, "")
	_, other := signed(f, p, dataintegrity.EdDSAJCS2022)
	for _, m := range []map[string]any{proof.Raw, other.Raw, {"type": "DataIntegrityProof"}, {"id": "urn:1", "previousProof": []any{"urn:1"}}} {
		raw, err := json.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`[{"type":"X"},{"type":"DataIntegrityProof","cryptosuite":"eddsa-jcs-2022","verificationMethod":"a","proofPurpose":"b","proofValue":"z1"}]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := jsonld.Parse(raw, jsonld.Limits{MaxBytes: 4096})
		if err != nil {
			return
		}
		doc := maps.Clone(doc)
		doc["proof"] = v
		s, err := dataintegrity.Open(p, doc)
		if err != nil {
			return
		}
		for _, q := range s.Proofs() {
			_, _ = s.Chain(q)
			if s.Verify(t.Context(), q, key.Public()) != nil {
				continue
			}
			if value := q.Raw["proofValue"]; value != proof.Raw["proofValue"] && value != other.Raw["proofValue"] {
				t.Errorf("verifies: %s", raw)
			}
		}
	})
}
