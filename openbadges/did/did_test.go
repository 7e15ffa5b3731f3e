package did_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"badgebridge/openbadges/did"
)

func Example() {
	url, err := did.Locate("did:web:example.org:issuers:1#key-1")
	fmt.Println(url, err)

	doc, err := did.ParseDocument([]byte(`{
		"id": "did:web:example.org:issuers:1",
		"verificationMethod": [{
			"id": "#key-1", "type": "Multikey", "controller": "did:web:example.org:issuers:1",
			"publicKeyMultibase": "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
		}],
		"assertionMethod": ["#key-1"]
	}`), "did:web:example.org:issuers:1")
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := doc.Method("did:web:example.org:issuers:1#key-1")
	fmt.Printf("%T %v %v\n", m.Key, doc.Allows(m.ID, did.AssertionMethod), err)
	// Output:
	// https://example.org/issuers/1/did.json <nil>
	// ed25519.PublicKey true <nil>
}

func keys(tb testing.TB) map[string]any {
	tb.Helper()
	edKey, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	out := map[string]any{"Ed25519": edKey}
	for _, c := range []elliptic.Curve{elliptic.P256(), elliptic.P384()} {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			tb.Fatal(err)
		}
		out[c.Params().Name] = &k.PublicKey
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	out["RSA"] = &r.PublicKey
	return out
}

func same(a, b any) bool {
	ja, errA := did.JWK(a)
	jb, errB := did.JWK(b)
	return errA == nil && errB == nil && fmt.Sprint(ja) == fmt.Sprint(jb)
}

func TestKeysSurviveEveryForm(t *testing.T) {
	for name, key := range keys(t) {
		jwk, err := did.JWK(key)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := json.Marshal(jwk)
		if back, err := did.ParseJWK(raw); err != nil || !same(back, key) {
			t.Errorf("%s as JWK: %v", name, err)
		}
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := did.ParsePEM(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))); err != nil || !same(back, key) {
			t.Errorf("%s as PEM: %v", name, err)
		}
		id, method, err := did.JWKDID(key)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := did.Resolve(id)
		if m, mErr := doc.Method(method); err != nil || mErr != nil || !same(m.Key, key) || m.Controller != id || !doc.Allows(method, did.AssertionMethod) {
			t.Errorf("%s as did:jwk: %v %v", name, err, mErr)
		}
		if name == "RSA" {
			if _, err := did.Multikey(key); !errors.Is(err, did.ErrUnsupported) {
				t.Errorf("RSA as a Multikey: %v", err)
			}
			continue
		}
		id, method, err = did.KeyDID(key)
		if err != nil {
			t.Fatal(err)
		}
		doc, err = did.Resolve(method)
		if m, mErr := doc.Method(method); err != nil || mErr != nil || !same(m.Key, key) || m.Controller != id || doc.Allows(method, did.KeyAgreement) {
			t.Errorf("%s as did:key: %v %v", name, err, mErr)
		}
	}
}

func TestKnownKeysAreWrittenAsOthersWriteThem(t *testing.T) {
	// The public key of a seed of zeros.
	for multikey, want := range map[string]string{
		"z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp": "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29",
	} {
		key, err := did.ParseMultikey(multikey)
		if k, ok := key.(ed25519.PublicKey); err != nil || !ok || hex.EncodeToString(k) != want {
			t.Errorf("%s: %x %v", multikey, key, err)
		}
	}
	for prefix, curve := range map[string]elliptic.Curve{"zDn": elliptic.P256(), "z82": elliptic.P384()} {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := did.Multikey(&k.PublicKey); err != nil || !strings.HasPrefix(s, prefix) {
			t.Errorf("%s begins otherwise: %s %v", curve.Params().Name, s, err)
		}
	}
}

func TestAKeyIsFoundUnderItsOwnNameOnly(t *testing.T) {
	all := keys(t)
	_, one, _ := did.KeyDID(all["Ed25519"])
	_, other, _ := did.KeyDID(all["P-256"])
	id, _ := did.Split(one)
	_, fragment := did.Split(other)
	doc, err := did.Resolve(id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := doc.Method(id + "#" + fragment); !errors.Is(err, did.ErrNotFound) {
		t.Errorf("a fragment of another key: %v", err)
	}
	if m, err := doc.Method(id); err != nil || m.ID != one {
		t.Errorf("without a fragment: %v", err)
	}
}

func TestWhereDocumentsAre(t *testing.T) {
	for id, want := range map[string]string{
		"did:web:example.org":                   "https://example.org/.well-known/did.json",
		"did:web:example.org%3A8443":            "https://example.org:8443/.well-known/did.json",
		"did:web:example.org:user:alice#k":      "https://example.org/user/alice/did.json",
		"did:web:example.org:ob:v3:i:0a-b_c.d":  "https://example.org/ob/v3/i/0a-b_c.d/did.json",
		"https://example.org/issuers/1?v=3#key": "https://example.org/issuers/1?v=3",
		"did:key:z6Mk#z6Mk":                     "",
	} {
		if got, err := did.Locate(id); err != nil || got != want {
			t.Errorf("%s: %q %v", id, got, err)
		}
	}
	for _, bad := range []string{
		"did:web:", "did:web::a", "did:web:example.org:", "did:web:example.org:a::b", "did:web:example.org:..:b", "did:web:example.org:%2e%2e:b", "did:web:example.org:a%2Fb",
		"did:web:evil.example%2F..", "did:web:issuer%40evil.example", "did:web:example.org%3Fx", "did:web:example.org%23x", "did:web:example.org:a b", "did:web:%5B::1%5D",
		"https://user@example.org/", "https:///x", "did:example:1", "ftp://example.org/", "", "urn:x", "did:web:" + strings.Repeat("a", 5000),
	} {
		if got, err := did.Locate(bad); err == nil {
			t.Errorf("%q is at %q", bad, got)
		}
	}
}

func TestDocumentsOfEveryStyleAreRead(t *testing.T) {
	const multikey = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
	const bare = "DF3tf8bHzBBSv7zZxbX2wyvNkRmN9MdyAcAZz2uJZQXs"
	for name, body := range map[string]string{
		"embedded in a purpose": `"assertionMethod":[{"id":"#k","type":"Multikey","controller":"https://example.org/i","publicKeyMultibase":"` + multikey + `"}]`,
		"named by a purpose":    `"verificationMethod":{"id":"https://example.org/i#k","type":"Multikey","controller":"https://example.org/i","publicKeyMultibase":"` + multikey + `"},"assertionMethod":"#k"`,
		"publicKey of OB 2.0":   `"publicKey":{"id":"https://example.org/i#k","type":"CryptographicKey","owner":"https://example.org/i","publicKeyPem":"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAO2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=\n-----END PUBLIC KEY-----\n"}`,
		"a JWK":                 `"verificationMethod":[{"id":"#k","type":"JsonWebKey2020","controller":"https://example.org/i","publicKeyJwk":{"kty":"OKP","crv":"Ed25519","x":"O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik"}}],"assertionMethod":["#k"]`,
		"the style of 2018":     `"verificationMethod":[{"id":"#k","type":"Ed25519VerificationKey2018","controller":"https://example.org/i","publicKeyBase58":"` + bare + `"}],"assertionMethod":["#k"]`,
	} {
		doc, err := did.ParseDocument([]byte(`{"id":"https://example.org/i","alsoKnownAs":"did:web:example.org",`+body+`}`), "https://example.org/i#k")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m, err := doc.Method("https://example.org/i#k")
		if _, ok := m.Key.(ed25519.PublicKey); err != nil || m.Err != nil || !ok && name != "the style of 2018" || m.Controller != "https://example.org/i" {
			t.Errorf("%s: %v %v %T", name, err, m.Err, m.Key)
		}
		if !doc.Allows(m.ID, did.AssertionMethod) || doc.Allows(m.ID, did.Authentication) || doc.Allows("#other", did.AssertionMethod) {
			t.Errorf("%s: allowed for %v", name, doc.Purposes(m.ID))
		}
	}
}

func TestADocumentThatLiesIsRefused(t *testing.T) {
	key := `"type":"Multikey","publicKeyMultibase":"z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"`
	for name, body := range map[string]string{
		"another's":           `{"id":"https://evil.example/i"}`,
		"without an id":       `{}`,
		"two keys of one id":  `{"id":"https://example.org/i","verificationMethod":[{"id":"#k",` + key + `},{"id":"https://example.org/i#k",` + key + `}]}`,
		"a key without an id": `{"id":"https://example.org/i","verificationMethod":[{` + key + `}]}`,
		"a list":              `[]`,
		"null":                `null`,
	} {
		if _, err := did.ParseDocument([]byte(body), "https://example.org/i"); !errors.Is(err, did.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	doc, err := did.ParseDocument([]byte(`{"id":"https://example.org/i","verificationMethod":[
		{"id":"#two",`+key+`,"publicKeyJwk":{}},{"id":"#none","type":"Multikey"},{"id":"#new","type":"Multikey","publicKeyMultibase":"z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc"},
		{"id":"#old",`+key+`,"revoked":"2020-01-01T00:00:00Z"},{"id":"#odd",`+key+`,"expires":"never"}]}`), "https://example.org/i")
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]error{"#two": did.ErrInvalid, "#none": did.ErrInvalid, "#new": did.ErrUnsupported, "#old": nil, "#odd": did.ErrInvalid} {
		m, err := doc.Method("https://example.org/i" + id)
		if err != nil || !errors.Is(m.Err, want) {
			t.Errorf("%s: %v %v", id, err, m.Err)
		}
		if id == "#old" && m.GoodAt(time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)) {
			t.Error("a revoked key is good")
		}
	}
	if _, err := did.ParseMethod([]byte(`{"id":"https://example.org/k2",`+key+`}`), "https://example.org/k"); !errors.Is(err, did.ErrInvalid) {
		t.Errorf("a key under another's address: %v", err)
	}
	if m, err := did.ParseMethod([]byte(`{"id":"https://example.org/k","owner":"https://example.org/i",`+key+`}`), "https://example.org/k"); err != nil || m.Err != nil || m.Controller != "https://example.org/i" {
		t.Errorf("a key's own document: %v %v", err, m)
	}
}

func TestBadKeysAreRefused(t *testing.T) {
	for _, jwk := range []string{
		`{"kty":"OKP","crv":"Ed25519","x":"O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik","d":"AA"}`, `{"kty":"oct","k":"AA"}`, `{"kty":"OKP","crv":"Ed25519","x":"AA"}`,
		`{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}`, `{"kty":"EC","crv":"secp256k1","x":"AQ","y":"AQ"}`, `{"kty":"RSA","n":"AQ","e":"AQAB"}`, `{}`, `[]`, `x`,
		`{"kty":"OKP","crv":"Ed25519","x":"O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik","use":"enc"}`,
	} {
		if key, err := did.ParseJWK([]byte(jwk)); err == nil {
			t.Errorf("%s gives %v", jwk, key)
		}
	}
	for _, s := range []string{"", "z", "zz", "z0", "x1", "z6Mk", "u", "u7QE", "z" + strings.Repeat("1", 5000), did.EncodeMultibase(append([]byte{0x80, 0x24, 2}, bytes.Repeat([]byte{0xff}, 32)...))} {
		if key, err := did.ParseMultikey(s); err == nil {
			t.Errorf("%.20s gives %v", s, key)
		}
	}
	for _, s := range []string{"", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"} {
		if key, err := did.ParsePEM(s); err == nil {
			t.Errorf("%s gives %v", s, key)
		}
	}
}

func FuzzMultibase(f *testing.F) {
	f.Add([]byte{0, 0, 1, 255})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 500 {
			return
		}
		if back, err := did.DecodeMultibase(did.EncodeMultibase(data)); err != nil || !bytes.Equal(back, data) {
			t.Fatalf("%x becomes %x, %v", data, back, err)
		}
	})
}

func FuzzDocument(f *testing.F) {
	f.Add([]byte(`{"id":"https://example.org/i","verificationMethod":[{"id":"#k","publicKeyMultibase":"z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"}],"assertionMethod":["#k"]}`))
	f.Add([]byte(`{"id":"https://example.org/i","publicKey":{"id":"#k","publicKeyJwk":{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := did.ParseDocument(data, "https://example.org/i")
		if err != nil {
			return
		}
		for _, m := range doc.Methods {
			if m.Key == nil && m.Err == nil {
				t.Fatalf("%+v has neither a key nor an error", m)
			}
		}
	})
}

func BenchmarkResolveKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := did.Resolve("did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"); err != nil {
			b.Fatal(err)
		}
	}
}
