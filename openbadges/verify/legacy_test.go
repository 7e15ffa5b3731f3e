package verify_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"hash/crc32"
	"net/http"
	"strings"
	"sync"
	"testing"

	"badgebridge/openbadges/bake"
	"badgebridge/openbadges/verify"
)

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func publicPEM(tb testing.TB) string {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(&rsaKey().PublicKey)
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// rs256 signs a payload as a compact JWS.
func rs256(tb testing.TB, header, payload string) string {
	tb.Helper()
	enc := base64.RawURLEncoding.EncodeToString
	input := enc([]byte(header)) + "." + enc([]byte(payload))
	sum := sha256.Sum256([]byte(input))
	sig, err := rsa.SignPKCS1v15(rand.Reader, rsaKey(), crypto.SHA256, sum[:])
	if err != nil {
		tb.Fatal(err)
	}
	return input + "." + enc(sig)
}

// signed1World is a good signed badge of OB 1.1.
func signed1World(tb testing.TB) (world map[string]string, assertion string) {
	return map[string]string{
			site + "/k.pem": publicPEM(tb),
			site + "/rl":    `{"other":"another badge"}`,
			site + "/b": `{"@context":"https://w3id.org/openbadges/v1","type":"BadgeClass","id":"` + site + `/b","name":"N","description":"D",
			"image":"` + site + `/i.svg","criteria":"` + site + `/c","issuer":"` + site + `/o"}`,
			site + "/o":     `{"@context":"https://w3id.org/openbadges/v1","type":"Issuer","id":"` + site + `/o","name":"O","url":"https://example.org","revocationList":"` + site + `/rl"}`,
			site + "/i.svg": svg,
		}, `{"@context":"https://w3id.org/openbadges/v1","type":"Assertion","id":"urn:uuid:1","uid":"abc","recipient":{"type":"email","hashed":false,"identity":"` + address + `"},
		"badge":"` + site + `/b","issuedOn":"2020-01-01","verify":{"type":"signed","url":"` + site + `/k.pem"}}`
}

func TestASignedBadgeOfVersion1(t *testing.T) {
	edit := func(u, old, with string) func(map[string]string, *string) {
		return func(w map[string]string, a *string) {
			target := w[u]
			if u == "" {
				target = *a
			}
			if !strings.Contains(target, old) {
				t.Fatalf("nothing to replace: %s", old)
			}
			target = strings.Replace(target, old, with, 1)
			if u == "" {
				*a = target
			} else {
				w[u] = target
			}
		}
	}
	for name, c := range map[string]struct {
		change func(w map[string]string, a *string)
		want   verify.Outcome
		check  string
		status verify.Status
	}{
		"is valid":                         {func(map[string]string, *string) {}, verify.Valid, "key", verify.Pass},
		"is valid without a context (1.0)": {edit("", `"@context":"https://w3id.org/openbadges/v1","type":"Assertion","id":"urn:uuid:1",`, ``), verify.Valid, "key", verify.Pass},
		"is taken back by its uid":         {edit(site+"/rl", `"other"`, `"abc":"a mistake","other"`), verify.Invalid, "status", verify.Fail},
		"is taken back in the form of 2.0": {edit(site+"/rl", `"other":"another badge"`, `"@context":"https://w3id.org/openbadges/v2","type":"RevocationList","revokedAssertions":[{"uid":"abc"}]`), verify.Invalid, "status", verify.Fail},
		"has a list that is away":          {func(w map[string]string, _ *string) { delete(w, site+"/rl") }, verify.Unknown, "status", verify.Warn},
		"has a key that is away":           {func(w map[string]string, _ *string) { delete(w, site+"/k.pem") }, verify.Unknown, "key", verify.Warn},
		"has a key that is none":           {func(w map[string]string, _ *string) { w[site+"/k.pem"] = "hello" }, verify.Invalid, "key", verify.Fail},
		"has a key on another site": {func(w map[string]string, a *string) {
			w["https://evil.example/k.pem"] = w[site+"/k.pem"]
			edit("", site+"/k.pem", "https://evil.example/k.pem")(w, a)
		}, verify.Unknown, "issuer", verify.Warn},
		"has no uid":                    {edit("", `"uid":"abc",`, ``), verify.Invalid, "schema", verify.Fail},
		"says that it is hosted":        {edit("", `"type":"signed"`, `"type":"hosted"`), verify.Invalid, "proof", verify.Fail},
		"does not say where its key is": {edit("", `,"url":"`+site+`/k.pem"`, ``), verify.Invalid, "key", verify.Fail},
	} {
		w, a := signed1World(t)
		c.change(w, &a)
		rep := check(offline(w), verify.Input{Data: []byte(rs256(t, `{"alg":"RS256"}`, a))})
		if rep.Outcome != c.want || !hasCheck(rep, c.check, c.status) || rep.Verification != "signed" {
			t.Errorf("%s: got %s: %v", name, rep.Outcome, rep.Problems())
		}
	}
	w, a := signed1World(t)
	jws := rs256(t, `{"alg":"RS256"}`, a)
	broken := jws[:len(jws)-8] + "AAAAAAAA"
	if rep := check(offline(w), verify.Input{Data: []byte(broken)}); rep.Outcome != verify.Invalid || !hasCheck(rep, "proof", verify.Fail) {
		t.Errorf("a broken signature: %s %v", rep.Outcome, rep.Problems())
	}
}

func TestAPublicPageLeadsToItsBadge(t *testing.T) {
	baked, err := bake.Bake([]byte(svg), bake.OpenBadges, []byte(world()[site+"/a"]))
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		"an alternate link":     `<link rel="stylesheet" href="/x.json"><link rel="alternate nofollow" type="application/ld+json" href="a">`,
		"a script":              `<script type="application/ld+json">{"@context":"https://schema.org","@type":"Thing"}</script><script type="application/ld+json">` + world()[site+"/a"] + `</script>`,
		"a meta element":        `<meta name="openbadges:assertion" content="/a">`,
		"an attribute":          `<div class="badge" data-assertion-url="` + site + `/a"></div>`,
		"a link to a file":      `<a href="https://elsewhere.example/">x</a> <a href="/a" type="application/json">JSON</a>`,
		"a link to what is not": `<a href="/missing.json"></a><a href="/o" type="application/json"></a><a href="/a" type="application/json">JSON</a>`,
		"a baked picture":       `<img src="/i.svg"><img src='/baked.svg'>`,
	} {
		w := world()
		w[site+"/baked.svg"] = string(baked)
		w[site+"/page"] = "<!DOCTYPE html><html><head><title>T</title></head><body>" + body + "</body></html>"
		rep := check(offline(w), url(site+"/page"))
		if rep.Outcome != verify.Valid || rep.Subject != site+"/a" {
			t.Errorf("%s: %s %v", name, rep.Outcome, rep.Problems())
		}
	}
	for name, body := range map[string]string{
		"nothing":                  `<p>Hello`,
		"itself":                   `<link rel="alternate" type="application/ld+json" href="/page">`,
		"another page":             `<link rel="alternate" type="application/ld+json" href="/page2">`,
		"an address of this place": `<a href="file:///etc/passwd.json"></a><a href="javascript:x.json"></a>`,
		"very many things":         strings.Repeat(`<a href="/x.json?`+strings.Repeat("y", 10)+`">`, 20_000),
	} {
		w := world()
		w[site+"/page"] = "<!DOCTYPE html><html>" + body
		w[site+"/page2"] = `<html><link rel="alternate" type="application/ld+json" href="/a"></html>`
		f := &counting{Fetcher: offline(w)}
		rep := check(f, url(site+"/page"))
		if rep.Outcome != verify.Invalid || !hasCheck(rep, "format", verify.Fail) || f.n > 20 {
			t.Errorf("%s: %s after %d requests: %v", name, rep.Outcome, f.n, rep.Problems())
		}
	}
}

func TestRedirectsAreFollowedOnOneSite(t *testing.T) {
	for name, c := range map[string]struct {
		from, to string
		want     verify.Outcome
	}{
		"on the same site":  {site + "/old", site + "/a", verify.Valid},
		"from http":         {"http://badges.example.org/a", site + "/a", verify.Valid},
		"back to http":      {site + "/old", "http://badges.example.org/a", verify.Unknown},
		"in a circle":       {site + "/old", site + "/old", verify.Unknown},
		"to a user name":    {site + "/old", "https://badges.example.org@evil.example/a", verify.Unknown},
		"to another scheme": {site + "/old", "file:///a", verify.Unknown},
	} {
		f := offline(world())
		f["http://badges.example.org/a"] = f[site+"/a"]
		f[c.from] = verify.Resource{Status: 302, Header: http.Header{"Location": {c.to}}}
		if rep := check(f, url(c.from)); rep.Outcome != c.want {
			t.Errorf("%s: %s %v", name, rep.Outcome, rep.Problems())
		}
	}
	// A site that redirects to wherever one asks does not vouch for what is there.
	w := world()
	open := site + "/go?to=https://evil.example/a"
	f := offline(w)
	f["https://evil.example/a"] = verify.Resource{Status: 200, Body: []byte(strings.ReplaceAll(w[site+"/a"], site+`/a"`, open+`"`))}
	f[open] = verify.Resource{Status: 302, Header: http.Header{"Location": {"https://evil.example/a"}}}
	if rep := check(f, url(open)); rep.Valid {
		t.Error("an open redirect made a forged badge valid")
	}
}

func TestEndorsementsAreVerified(t *testing.T) {
	const other = "https://endorser.example"
	good := `{"@context":"https://w3id.org/openbadges/v2","type":"Endorsement","id":"` + other + `/e","claim":{"id":"` + site + `/b","endorsementComment":"fine"},
		"issuer":"` + other + `/o","issuedOn":"2020-01-01T00:00:00Z","verification":{"type":"HostedBadge"}}`
	endorser := `{"@context":"https://w3id.org/openbadges/v2","type":"Profile","id":"` + other + `/o","name":"E","url":"` + other + `","email":"e@endorser.example"`
	key := `{"@context":"https://w3id.org/openbadges/v2","type":"CryptographicKey","id":"` + other + `/k","owner":"` + other + `/o","publicKeyPem":` + quoted(publicPEM(t)) + `}`
	signed := strings.Replace(good, "HostedBadge", "SignedBadge", 1)
	for name, c := range map[string]struct {
		e, o string
		want verify.Outcome
	}{
		"hosted":                  {good, endorser + "}", verify.Valid},
		"on another's site":       {good, strings.Replace(endorser, `"name"`, `"verification":{"allowedOrigins":"elsewhere.example"},"name"`, 1) + "}", verify.Invalid},
		"without an endorser":     {good, "", verify.Unknown},
		"dated in the future":     {strings.Replace(good, "2020", "2999", 1), endorser + "}", verify.Invalid},
		"taken back":              {strings.Replace(good, `"claim"`, `"revoked":true,"claim"`, 1), endorser + "}", verify.Invalid},
		"without its signature":   {signed, endorser + "}", verify.Invalid},
		"signed":                  {rs256(t, `{"alg":"RS256"}`, signed), endorser + `,"publicKey":"` + other + `/k"}`, verify.Valid},
		"signed, key not named":   {rs256(t, `{"alg":"RS256"}`, signed), endorser + "}", verify.Invalid},
		"an address that is away": {"", endorser + "}", verify.Unknown},
	} {
		w := world()
		w[site+"/b"] = strings.Replace(w[site+"/b"], `"name"`, `"endorsement":["`+other+`/e"],"name"`, 1)
		w[other+"/k"] = key
		if c.e != "" {
			w[other+"/e"] = c.e
		}
		if c.o != "" {
			w[other+"/o"] = c.o
		}
		rep := check(offline(w), url(site+"/a"))
		if rep.Outcome != c.want || !hasCheck(rep, "endorsement", map[verify.Outcome]verify.Status{verify.Valid: verify.Pass, verify.Invalid: verify.Fail, verify.Unknown: verify.Warn}[c.want]) {
			t.Errorf("%s: %s %v", name, rep.Outcome, rep.Problems())
		}
	}
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// png is a small picture without a badge.
func png(chunks ...[]byte) []byte {
	out := []byte("\x89PNG\r\n\x1a\n")
	out = append(out, pngChunk("IHDR", []byte{0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0})...)
	for _, c := range chunks {
		out = append(out, c...)
	}
	return append(out, pngChunk("IEND", nil)...)
}

func pngChunk(kind string, data []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	body := append([]byte(kind), data...)
	out = append(out, body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
}

func itxt(keyword, text string) []byte {
	return pngChunk("iTXt", []byte(keyword+"\x00\x00\x00\x00\x00"+text))
}

func TestAnImageThatCarriesAnotherBadge(t *testing.T) {
	w := world()
	other := strings.ReplaceAll(w[site+"/a"], site+`/a"`, site+`/z"`)
	for name, picture := range map[string][]byte{
		"two badges": png(itxt("openbadges", w[site+"/a"]), itxt("openbadges", other)),
		"two names":  png(itxt("openbadges", w[site+"/a"]), itxt("openbadgecredential", other)),
		"an old one": png(itxt("openbadges", w[site+"/a"]), pngChunk("tEXt", []byte("openbadges\x00"+site+"/z"))),
		"an SVG":     []byte(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="http://openbadges.org"><openbadges:assertion verify="` + site + `/z"><![CDATA[` + w[site+"/a"] + `]]></openbadges:assertion></svg>`),
	} {
		if rep := check(offline(w), verify.Input{Data: picture}); rep.Outcome != verify.Invalid || !hasCheck(rep, "image", verify.Fail) {
			t.Errorf("%s: %s %v", name, rep.Outcome, rep.Problems())
		}
	}
	for carried, want := range map[string]verify.Outcome{w[site+"/a"]: verify.Valid, other: verify.Invalid} {
		w := world()
		w[site+"/a"] = strings.Replace(w[site+"/a"], `"badge"`, `"image":"`+site+`/p.png","badge"`, 1)
		w[site+"/p.png"] = string(png(itxt("openbadges", carried)))
		if rep := check(offline(w), url(site+"/a")); rep.Outcome != want || hasCheck(rep, "image", verify.Fail) != (want == verify.Invalid) {
			t.Errorf("the assertion's own picture: %s %v", rep.Outcome, rep.Problems())
		}
	}
}

func TestAStubOfARevokedBadgeIsEnough(t *testing.T) {
	for name, stub := range map[string]string{
		"without a context": `{"id":"` + site + `/a","revoked":true,"revocationReason":"mistake"}`,
		"with one":          `{"@context":"https://w3id.org/openbadges/v2","type":"Assertion","id":"` + site + `/a","revoked":true}`,
		"as of 1.0":         `{"revoked":true}`,
	} {
		for _, status := range []int{200, 410} {
			f := offline(world())
			f[site+"/a"] = verify.Resource{Status: status, Body: []byte(stub)}
			for _, in := range []verify.Input{url(site + "/a"), {Data: []byte(world()[site+"/a"])}} {
				if rep := check(f, in); !rep.Revoked || !hasCheck(rep, "status", verify.Fail) {
					t.Errorf("%s, %d: %s %v", name, status, rep.Outcome, rep.Problems())
				}
			}
		}
	}
}

func FuzzParseObject(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":[1,2.5e3,true,null,"\u00e9\ud83d\ude00"],"a":{"b":"x"}}`, "{\"a\":\"\xff\"}", `{"a":01}`, `{"a":1}}`, ` {"a" : -0 } `} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := verify.ParseObject(data)
		want, wantErr := slowParse(data)
		if (err == nil) != (wantErr == nil) && !(err != nil && bytes.ContainsAny(data, "[{")) {
			t.Fatalf("%q: %v, encoding/json says %v", data, err, wantErr)
		}
		if err == nil && quoted2(got) != quoted2(want) {
			t.Fatalf("%q: %v, encoding/json reads %v", data, got, want)
		}
	})
}

func slowParse(data []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var doc map[string]any
	if err := d.Decode(&doc); err != nil {
		return nil, err
	}
	if doc == nil || len(bytes.TrimSpace(data[d.InputOffset():])) > 0 {
		return nil, http.ErrNotSupported
	}
	return doc, nil
}

func quoted2(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
