package jose_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"
	"pgregory.net/rapid"

	"badgebridge/openbadges/jose"
)

func Example() {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, ed25519.SeedSize))
	compact, err := jose.Sign(jose.Header{KeyID: "https://guild.example.org/keys/1"}, []byte(`{"id":"urn:uuid:1"}`), key)
	if err != nil {
		fmt.Println(err)
		return
	}
	j, err := jose.Parse([]byte(compact), 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	// Whose key it is, is to be looked up by the kid.
	fmt.Println(j.Header.Algorithm, j.Header.KeyID, j.Verify(key.Public()), string(j.Payload))
	// Output: EdDSA https://guild.example.org/keys/1 <nil> {"id":"urn:uuid:1"}
}

func ExampleParseJWK() {
	k, err := jose.ParseJWK([]byte(`{"kty":"OKP","crv":"Ed25519","kid":"key-1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	thumbprint, err := k.Thumbprint()
	fmt.Println(k.KeyID, thumbprint, err)
	_, err = jose.ParseJWK([]byte(`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}`))
	fmt.Println(err)
	// Output:
	// key-1 kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k <nil>
	// jose: the key is not a public one: it has the member "d"
}

// keys are made once: RSA takes its time.
var keys = sync.OnceValue(func() map[string]crypto.Signer {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return map[string]crypto.Signer{jose.RS256: r, jose.ES256: p256, jose.EdDSA: ed}
})

func parse(tb testing.TB, compact string) jose.JWS {
	tb.Helper()
	j, err := jose.Parse([]byte(compact), 0)
	if err != nil {
		tb.Fatal(err)
	}
	return j
}

func TestSignedIsVerifiedHereAndElsewhere(t *testing.T) {
	payload := []byte("{\"a\":1}\n")
	for algorithm, key := range keys() {
		h := jose.Header{Algorithm: algorithm, Type: "JWT", Content: "json", KeyID: "k1", Key: &jose.JWK{Key: key.Public()}}
		compact, err := jose.Sign(h, payload, key)
		if err != nil {
			t.Fatal(err)
		}
		j := parse(t, compact)
		if j.Header.Algorithm != algorithm || j.Header.Type != "JWT" || j.Header.Content != "json" || j.Header.KeyID != "k1" || !bytes.Equal(j.Payload, payload) {
			t.Errorf("%+v %q", j.Header, j.Payload)
		}
		if err := j.VerifyJWK(*j.Header.Key); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
		other, err := gojose.ParseSignedCompact(compact, []gojose.SignatureAlgorithm{gojose.SignatureAlgorithm(algorithm)})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := other.Verify(key.Public()); err != nil || !bytes.Equal(got, payload) {
			t.Errorf("%s: go-jose: %v", algorithm, err)
		}
	}
}

func TestWhatOthersSignIsVerified(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ks := keys()
	for algorithm, key := range map[gojose.SignatureAlgorithm]crypto.Signer{
		gojose.RS256: ks[jose.RS256], gojose.RS384: ks[jose.RS256], gojose.RS512: ks[jose.RS256], gojose.ES256: ks[jose.ES256], gojose.ES384: p384, gojose.EdDSA: ks[jose.EdDSA],
	} {
		s, err := gojose.NewSigner(gojose.SigningKey{Algorithm: algorithm, Key: key}, (&gojose.SignerOptions{EmbedJWK: true}).WithType("JWT"))
		if err != nil {
			t.Fatal(err)
		}
		signed, err := s.Sign([]byte("payload"))
		if err != nil {
			t.Fatal(err)
		}
		compact, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		j := parse(t, compact)
		if err := j.Verify(key.Public()); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
		if err := j.VerifyJWK(*j.Header.Key); err != nil {
			t.Errorf("%s by its own jwk: %v", algorithm, err)
		}
	}
}

// compact puts a JWS together without checks.
func compact(header, payload string, signature []byte) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(header)) + "." + enc([]byte(payload)) + "." + enc(signature)
}

func TestHeadersThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		header string
		want   error
	}{
		"none":                   {`{"alg":"none"}`, jose.ErrAlgorithm},
		"none, otherwise":        {`{"alg":"nOnE"}`, jose.ErrAlgorithm},
		"a shared secret":        {`{"alg":"HS256"}`, jose.ErrAlgorithm},
		"PSS":                    {`{"alg":"PS256"}`, jose.ErrAlgorithm},
		"no algorithm":           {`{}`, jose.ErrAlgorithm},
		"crit":                   {`{"alg":"EdDSA","crit":["exp"]}`, jose.ErrAlgorithm},
		"crit, empty":            {`{"alg":"EdDSA","crit":[]}`, jose.ErrAlgorithm},
		"an unencoded payload":   {`{"alg":"EdDSA","b64":false}`, jose.ErrAlgorithm},
		"one key twice":          {`{"alg":"EdDSA","alg":"none"}`, jose.ErrMalformed},
		"one key twice, escaped": {`{"alg":"EdDSA","\u0061lg":"none"}`, jose.ErrMalformed},
		"a list":                 {`[{"alg":"EdDSA"}]`, jose.ErrMalformed},
		"a text":                 {`"EdDSA"`, jose.ErrMalformed},
		"something after it":     {`{"alg":"EdDSA"}{}`, jose.ErrMalformed},
		"a number as algorithm":  {`{"alg":1}`, jose.ErrMalformed},
		"a number as kid":        {`{"alg":"EdDSA","kid":1}`, jose.ErrMalformed},
		"a text as jwk":          {`{"alg":"EdDSA","jwk":"x"}`, jose.ErrMalformed},
		"a private jwk":          {`{"alg":"EdDSA","jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"AA"}}`, jose.ErrPrivate},
		"deep":                   {`{"alg":"EdDSA","x":` + strings.Repeat("[", 50) + strings.Repeat("]", 50) + `}`, jose.ErrMalformed},
		"large":                  {`{"alg":"EdDSA","x":"` + strings.Repeat("x", 20_000) + `"}`, jose.ErrMalformed},
	} {
		if _, err := jose.Parse([]byte(compact(c.header, "{}", make([]byte, 64))), 0); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestFormsThatAreRefused(t *testing.T) {
	good, err := jose.Sign(jose.Header{}, []byte("payload"), keys()[jose.EdDSA])
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	for name, text := range map[string]string{
		"nothing":           "",
		"two parts":         parts[0] + "." + parts[1],
		"four parts":        good + ".",
		"padding":           parts[0] + "." + parts[1] + "==." + parts[2],
		"the other base64":  parts[0] + "." + parts[1] + "." + "+/" + parts[2][2:],
		"a line break":      parts[0] + "." + parts[1] + "." + parts[2][:10] + "\n" + parts[2][10:],
		"a space before it": " " + good,
		"a line after it":   good + "\n",
		"bits left over":    parts[0] + "." + parts[1] + "." + parts[2][:85] + "B",
		"JSON":              `{"payload":"","signatures":[]}`,
	} {
		if _, err := jose.Parse([]byte(text), 0); !errors.Is(err, jose.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := jose.Parse([]byte(good), len(good)-1); !errors.Is(err, jose.ErrMalformed) {
		t.Errorf("too long: %v", err)
	}
	if _, err := jose.Parse([]byte(good), len(good)); err != nil {
		t.Errorf("just right: %v", err)
	}
}

// TestTheKeyDecides: an algorithm never makes a key be used as something else.
func TestTheKeyDecides(t *testing.T) {
	ks := keys()
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	pem, err := jose.MarshalPEM(ks[jose.RS256].Public())
	if err != nil {
		t.Fatal(err)
	}
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte("{}"))
	mac := hmac.New(sha256.New, []byte(pem))
	mac.Write([]byte(header))
	if _, err := jose.Parse([]byte(header+"."+base64.RawURLEncoding.EncodeToString(mac.Sum(nil))), 0); !errors.Is(err, jose.ErrAlgorithm) {
		t.Errorf("a MAC with the public key: %v", err)
	}
	weak := &rsa.PublicKey{N: new(big.Int).Rsh(ks[jose.RS256].Public().(*rsa.PublicKey).N, 1500), E: 3}
	keys := map[string]crypto.PublicKey{
		"RSA": ks[jose.RS256].Public(), "P-256": ks[jose.ES256].Public(), "Ed25519": ks[jose.EdDSA].Public(), "P-384": &p384.PublicKey,
		"none": nil, "RSA of 548 bits": weak, "RSA without a number": &rsa.PublicKey{E: 3}, "a secret": []byte("secret"), "a private key": ks[jose.EdDSA],
	}
	fits := map[string]string{"RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "ES256": "P-256", "ES384": "P-384", "EdDSA": "Ed25519"}
	for algorithm, fit := range fits {
		j := parse(t, compact(`{"alg":"`+algorithm+`"}`, "{}", make([]byte, 64)))
		for name, key := range keys {
			want := jose.ErrKey
			if name == fit {
				want = jose.ErrSignature
			}
			if err := j.Verify(key); !errors.Is(err, want) {
				t.Errorf("%s with %s: %v", algorithm, name, err)
			}
		}
	}
	if jose.RSABits(ks[jose.RS256].Public()) != 2048 || jose.RSABits(ks[jose.EdDSA].Public()) != 0 {
		t.Error("the bits of keys")
	}
}

func TestAJWKIsUsedForWhatItIsFor(t *testing.T) {
	key := keys()[jose.RS256]
	c, err := jose.Sign(jose.Header{}, nil, key)
	if err != nil {
		t.Fatal(err)
	}
	j := parse(t, c)
	for name, k := range map[string]struct {
		jwk  jose.JWK
		want error
	}{
		"any":                  {jose.JWK{Key: key.Public()}, nil},
		"signatures":           {jose.JWK{Key: key.Public(), Use: "sig", Algorithm: "RS256"}, nil},
		"encryption":           {jose.JWK{Key: key.Public(), Use: "enc"}, jose.ErrKey},
		"another algorithm":    {jose.JWK{Key: key.Public(), Algorithm: "RS512"}, jose.ErrKey},
		"encryption algorithm": {jose.JWK{Key: key.Public(), Algorithm: "RSA-OAEP"}, jose.ErrKey},
	} {
		if err := j.VerifyJWK(k.jwk); !errors.Is(err, k.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnECDSASignatureInASN1IsRefused(t *testing.T) {
	key := keys()[jose.ES256]
	c, err := jose.Sign(jose.Header{}, []byte("x"), key)
	if err != nil {
		t.Fatal(err)
	}
	signed := c[:strings.LastIndexByte(c, '.')]
	sum := sha256.Sum256([]byte(signed))
	der, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if err := parse(t, signed+"."+base64.RawURLEncoding.EncodeToString(der)).Verify(key.Public()); !errors.Is(err, jose.ErrSignature) {
		t.Error(err)
	}
}

func TestNoByteOfAJWSCanChange(t *testing.T) {
	payload := []byte(`{"id":"urn:uuid:1","name":"Latte art"}`)
	for algorithm, key := range keys() {
		c, err := jose.Sign(jose.Header{KeyID: "k"}, payload, key)
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(r *rapid.T) {
			changed := []byte(c)
			at := rapid.IntRange(0, len(c)-1).Draw(r, "at")
			changed[at] ^= byte(rapid.IntRange(1, 255).Draw(r, "flip"))
			if j, err := jose.Parse(changed, 0); err == nil && j.Verify(key.Public()) == nil {
				r.Fatalf("%s verifies with byte %d changed: %s", algorithm, at, changed)
			}
		})
	}
}

func TestOnlyStrongKeysSign(t *testing.T) {
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if _, err := jose.Sign(jose.Header{}, nil, p384); !errors.Is(err, jose.ErrKey) {
		t.Errorf("P-384: %v", err)
	}
	if _, err := jose.Sign(jose.Header{Algorithm: "ES256"}, nil, keys()[jose.EdDSA]); !errors.Is(err, jose.ErrAlgorithm) {
		t.Errorf("an algorithm that is not the key's: %v", err)
	}
}

func TestJWKs(t *testing.T) {
	ks := keys()
	for algorithm, key := range ks {
		k := jose.JWK{Key: key.Public(), KeyID: "k1", Algorithm: algorithm, Use: "sig"}
		raw, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		got, err := jose.ParseJWK(raw)
		if err != nil || got.KeyID != "k1" || got.Algorithm != algorithm || got.Use != "sig" || !key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(got.Key) {
			t.Errorf("%s: %+v %v", algorithm, got, err)
		}
		var other gojose.JSONWebKey
		if err := other.UnmarshalJSON(raw); err != nil {
			t.Errorf("%s: go-jose: %v", algorithm, err)
			continue
		}
		sum, err := other.Thumbprint(crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if mine, err := k.Thumbprint(); err != nil || mine != base64.RawURLEncoding.EncodeToString(sum) {
			t.Errorf("%s: thumbprint %s, go-jose %x: %v", algorithm, mine, sum, err)
		}
		private, err := json.Marshal(gojose.JSONWebKey{Key: key})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := jose.ParseJWK(private); !errors.Is(err, jose.ErrPrivate) {
			t.Errorf("%s, private: %v", algorithm, err)
		}
		pem, err := jose.MarshalPEM(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		if back, err := jose.ParsePEM(pem); err != nil || !key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(back) {
			t.Errorf("%s in PEM: %v", algorithm, err)
		}
	}
	const ed = `"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"a secret":              {`{"kty":"oct","k":"AA"}`, jose.ErrPrivate},
		"a secret without it":   {`{"kty":"oct"}`, jose.ErrPrivate},
		"an empty d":            {`{` + ed + `,"d":null}`, jose.ErrPrivate},
		"other primes":          {`{"kty":"RSA","n":"AQAB","e":"AQAB","oth":[]}`, jose.ErrPrivate},
		"a kind that is new":    {`{"kty":"AKP","pub":"AA"}`, jose.ErrKey},
		"another curve":         {`{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}`, jose.ErrKey},
		"for encryption":        {`{` + ed + `,"use":"enc"}`, jose.ErrKey},
		"for signing only":      {`{` + ed + `,"key_ops":["sign"]}`, jose.ErrKey},
		"a member twice":        {`{` + ed + `,"x":"AA"}`, jose.ErrMalformed},
		"a number for x":        {`{"kty":"OKP","crv":"Ed25519","x":1}`, jose.ErrMalformed},
		"a short key":           {`{"kty":"OKP","crv":"Ed25519","x":"AA"}`, jose.ErrMalformed},
		"a point off its curve": {`{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}`, jose.ErrMalformed},
		"RSA of 17 bits":        {`{"kty":"RSA","n":"AQAB","e":"AQAB"}`, jose.ErrMalformed},
		"a list":                {`[]`, jose.ErrMalformed},
	} {
		if _, err := jose.ParseJWK([]byte(c.text)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := jose.ParseJWK([]byte(`{` + ed + `,"key_ops":["verify"],"alg":"EdDSA","x5c":[]}`)); err != nil {
		t.Error(err)
	}
	if _, err := jose.ParsePEM("no key"); !errors.Is(err, jose.ErrMalformed) {
		t.Error(err)
	}
}

func TestJWKSets(t *testing.T) {
	ks := keys()
	set := jose.JWKSet{Keys: []jose.JWK{{Key: ks[jose.RS256].Public(), KeyID: "r"}, {Key: ks[jose.EdDSA].Public(), KeyID: "e"}}}
	raw, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	got, err := jose.ParseJWKSet(raw)
	if err != nil || len(got.Keys) != 2 || len(got.Unread) != 0 {
		t.Fatal(got, err)
	}
	if _, ok := got.Key("e"); !ok {
		t.Error("the key e is not found")
	}
	if _, ok := got.Key("x"); ok {
		t.Error("the key x is found")
	}
	if raw, err := json.Marshal(jose.JWKSet{}); err != nil || string(raw) != `{"keys":[]}` {
		t.Errorf("%s %v", raw, err)
	}
	mixed, err := jose.ParseJWKSet([]byte(`{"keys":[{"kty":"AKP","kid":"new"},{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	if err != nil || len(mixed.Keys) != 1 || len(mixed.Unread) != 1 {
		t.Errorf("%+v %v", mixed, err)
	}
	one := `{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"no keys":       {`{}`, jose.ErrMalformed},
		"a text":        {`{"keys":["x"]}`, jose.ErrMalformed},
		"one kid twice": {`{"keys":[` + one + `,` + one + `]}`, jose.ErrMalformed},
		"a private one": {`{"keys":[{"kty":"oct","k":"AA"}]}`, jose.ErrPrivate},
		"too many":      {`{"keys":[` + strings.Repeat("{},", 256) + `{}]}`, jose.ErrMalformed},
	} {
		if _, err := jose.ParseJWKSet([]byte(c.text)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, key := range keys() {
		c, err := jose.Sign(jose.Header{KeyID: "k", Key: &jose.JWK{Key: key.Public()}}, []byte("{}"), key)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(c))
	}
	f.Add([]byte("e30.e30."))
	f.Add([]byte(compact(`{"alg":"none"}`, "{}", nil)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		j, err := jose.Parse(raw, 1<<16)
		if err != nil {
			return
		}
		for _, key := range keys() {
			_ = j.Verify(key.Public())
		}
		// What is read has one form only.
		enc := base64.RawURLEncoding.EncodeToString
		parts := strings.Split(string(raw), ".")
		if parts[1] != enc(j.Payload) || parts[2] != enc(j.Signature) {
			t.Errorf("%q has another form", raw)
		}
		_, _ = jose.ParseVC(raw)
	})
}

func FuzzJWK(f *testing.F) {
	f.Add([]byte(`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"},{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, _ = jose.ParseJWKSet(raw)
		k, err := jose.ParseJWK(raw)
		if err != nil {
			return
		}
		text, err := json.Marshal(k)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		if again, err := jose.ParseJWK(text); err != nil || !k.Key.(interface{ Equal(crypto.PublicKey) bool }).Equal(again.Key) {
			t.Errorf("%q: %v", raw, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for algorithm, key := range keys() {
		c, err := jose.Sign(jose.Header{KeyID: "k"}, bytes.Repeat([]byte("x"), 1000), key)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(algorithm, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				j, err := jose.Parse([]byte(c), 0)
				if err != nil {
					b.Fatal(err)
				}
				if err := j.Verify(key.Public()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
