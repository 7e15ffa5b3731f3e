package verify_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"badgebridge/internal/httpx"
	"badgebridge/openbadges/bake"
	"badgebridge/openbadges/did"
	"badgebridge/openbadges/verify"
)

// The tests here are attacks, each by its name. None may come out as valid.

// signed2World is a good signed badge of OB 2.0.
func signed2World(tb testing.TB) (world2 map[string]string, assertion string) {
	w := world()
	w[site+"/o"] = strings.Replace(w[site+"/o"], `"name"`, `"publicKey":"`+site+`/k","name"`, 1)
	w[site+"/k"] = `{"@context":"https://w3id.org/openbadges/v2","type":"CryptographicKey","id":"` + site + `/k","owner":"` + site + `/o","publicKeyPem":` + quoted(publicPEM(tb)) + `}`
	return w, strings.Replace(w[site+"/a"], `"HostedBadge"`, `"SignedBadge","creator":"`+site+`/k"`, 1)
}

// forge makes a JWS with a signature of any bytes.
func forge(header, payload string, sign func(input string) []byte) string {
	enc := base64.RawURLEncoding.EncodeToString
	input := enc([]byte(header)) + "." + enc([]byte(payload))
	return input + "." + enc(sign(input))
}

func unsigned(string) []byte { return nil }

func mac(secret []byte) func(string) []byte {
	return func(input string) []byte {
		h := hmac.New(sha256.New, secret)
		h.Write([]byte(input))
		return h.Sum(nil)
	}
}

func refused(t *testing.T, name string, f verify.Fetcher, data string, check string) {
	t.Helper()
	rep := check3(f, verify.Input{Data: []byte(data)})
	if rep.Outcome != verify.Invalid || !hasCheck(rep, check, verify.Fail) {
		t.Errorf("%s: %s, not by %s: %v", name, rep.Outcome, check, rep.Problems())
	}
}

func TestAttackAlgNone(t *testing.T) {
	w, a := signed2World(t)
	k := newKey(t)
	doc := text(credential3(t, k.did))
	if rep := check(offline(w), verify.Input{Data: []byte(rs256(t, `{"alg":"RS256"}`, a))}); !rep.Valid {
		t.Fatalf("the badge is not good to begin with: %v", rep.Problems())
	}
	for _, alg := range []string{"none", "None", "NONE", "nOnE", ""} {
		refused(t, "2.0 "+alg, offline(w), forge(`{"alg":"`+alg+`"}`, a, unsigned), "proof")
		refused(t, "3.0 "+alg, serve(nil), forge(`{"alg":"`+alg+`","kid":"`+k.method+`"}`, doc, unsigned), "proof")
	}
	refused(t, "no alg", serve(nil), forge(`{"kid":"`+k.method+`"}`, doc, unsigned), "proof")
	refused(t, "two algs", serve(nil), forge(`{"alg":"none","alg":"EdDSA","kid":"`+k.method+`"}`, doc, unsigned), "format")
}

func TestAttackHMACWithThePublicKey(t *testing.T) {
	w, a := signed2World(t)
	k := newKey(t)
	jwk, err := did.JWK(&rsaKey().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(jwk["n"])
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range [][]byte{[]byte(publicPEM(t)), []byte(text(jwk)), raw, []byte(k.multi), {}} {
		for _, alg := range []string{"HS256", "HS512", "hs256"} {
			refused(t, "2.0 "+alg, offline(w), forge(`{"alg":"`+alg+`"}`, a, mac(secret)), "proof")
			refused(t, "3.0 "+alg, serve(nil), forge(`{"alg":"`+alg+`","jwk":`+text(jwk)+`}`, text(credential3(t, k.did)), mac(secret)), "proof")
		}
	}
	symmetric := `{"kty":"oct","k":"` + base64.RawURLEncoding.EncodeToString([]byte("secret")) + `"}`
	refused(t, "a key that is a secret", serve(nil), forge(`{"alg":"HS256","jwk":`+symmetric+`}`, text(credential3(t, k.did)), mac([]byte("secret"))), "proof")
}

func TestAttackKeyConfusion(t *testing.T) {
	ed, p256 := newKey(t), newP256(t)
	for _, c := range []struct {
		alg string
		key issuerKey
	}{{"RS256", ed}, {"ES256", ed}, {"EdDSA", p256}, {"RS256", p256}, {"EdDSA", issuerKey{private: rsaKey()}}} {
		issuer := c.key
		header := object{"alg": c.alg, "kid": issuer.method}
		if issuer.did == "" {
			jwk, err := did.JWK(issuer.private.Public())
			if err != nil {
				t.Fatal(err)
			}
			header, issuer = object{"alg": c.alg, "jwk": jwk}, ed
		}
		refused(t, fmt.Sprintf("%s with %T", c.alg, c.key.private), serve(nil), jwt(t, credential3(t, issuer.did), header, c.key), "proof")
	}
	// A suite for one kind of key, named with a key of another kind.
	doc := embed(t, credential3(t, ed.did), "eddsa-rdfc-2022", ed.method, ed)
	refused(t, "P-256 key for eddsa", serve(nil), text(set(doc, "proof.0.verificationMethod", p256.method)), "proof")
}

func TestAttackForeignIssuerWithAKeyOfOnesOwn(t *testing.T) {
	real, evil := newKey(t), newKey(t)
	res := serve(map[string]any{issuer3: controllerOf(issuer3, real)})
	for name, doc := range map[string]any{
		"a did:key":        embed(t, credential3(t, issuer3), "eddsa-rdfc-2022", evil.method, evil),
		"a header key":     jwt(t, credential3(t, issuer3), object{"jwk": mustJWK(t, evil)}, evil),
		"a kid of one's":   jwt(t, credential3(t, issuer3), object{"kid": evil.method}, evil),
		"another did:key":  embed(t, credential3(t, real.did), "eddsa-rdfc-2022", evil.method, evil),
		"a key in the URL": embed(t, credential3(t, issuer3), "eddsa-rdfc-2022", issuer3+"#"+evil.multi, evil),
	} {
		data, ok := doc.(string)
		if !ok {
			data = text(doc)
		}
		if rep := check3(res, verify.Input{Data: []byte(data)}); rep.Valid {
			t.Errorf("%s: valid", name)
		}
	}
}

func mustJWK(t *testing.T, k issuerKey) map[string]string {
	t.Helper()
	j, err := did.JWK(k.private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestAttackDuplicateKeys(t *testing.T) {
	k := newKey(t)
	good := text(embed(t, credential3(t, k.did), "eddsa-rdfc-2022", k.method, k))
	refused(t, "in a credential", serve(nil), strings.Replace(good, `"validFrom"`, `"validUntil":"2990-01-01T00:00:00Z","validUntil":"2021-01-01T00:00:00Z","validFrom"`, 1), "format")
	refused(t, "behind an escape", serve(nil), strings.Replace(good, `"validFrom"`, `"n\u0061me":"x","validFrom"`, 1), "format")
	payload := strings.Replace(text(credential3(t, k.did)), `"validFrom"`, `"iss":"a","iss":"`+k.did+`","validFrom"`, 1)
	refused(t, "in a token", serve(nil), compact(t, object{"kid": k.method}, payload, k), "format")
	twice := strings.Replace(text(controllerOf(issuer3, k)), `"assertionMethod"`, `"assertionMethod":[],"assertionMethod"`, 1)
	doc := embed(t, credential3(t, issuer3), "eddsa-rdfc-2022", issuer3+"#"+k.multi, k)
	if rep := check3(serve(map[string]any{issuer3: twice}), verify.Input{Data: []byte(text(doc))}); rep.Valid {
		t.Error("in the issuer's document: valid")
	}
}

func TestAttackDeepNesting(t *testing.T) {
	k := newKey(t)
	for name, deep := range map[string]string{"lists": strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000), "objects": strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)} {
		refused(t, name+" in 2.0", serve(nil), strings.Replace(world()[site+"/a"], `"badge"`, `"x":`+deep+`,"badge"`, 1), "format")
		refused(t, name+" in 3.0", serve(nil), strings.Replace(text(credential3(t, k.did)), `"validFrom"`, `"x":`+deep+`,"validFrom"`, 1), "format")
		refused(t, name+" in a token", serve(nil), forge(`{"alg":"EdDSA","kid":"`+k.method+`"}`, strings.Replace(text(credential3(t, k.did)), `"validFrom"`, `"x":`+deep+`,"validFrom"`, 1), unsigned), "format")
		refused(t, name+" alone", serve(nil), deep, "format")
	}
}

// endless writes until nobody listens, or limit is reached.
func endless(t *testing.T, w http.ResponseWriter, limit int64, sent *atomic.Int64) {
	block := bytes.Repeat([]byte(" "), 64<<10)
	for sent.Load() < limit {
		n, err := w.Write(block)
		sent.Add(int64(n))
		if err != nil {
			return
		}
	}
}

func TestAttackABodyOf100MB(t *testing.T) {
	const size = 100 << 20
	var sent atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { endless(t, w, size, &sent) }))
	defer srv.Close()
	for name, f := range map[string]verify.Fetcher{
		"plain client":   verify.HTTP{Client: srv.Client()},
		"guarded client": verify.HTTP{Client: httpx.Guarded(httpx.Config{AllowLoopback: []string{strings.TrimPrefix(srv.URL, "http://")}})},
	} {
		sent.Store(0)
		rep := check3(f, verify.Input{URL: srv.URL + "/a"}, func(o *verify.Options) { o.MaxImage, o.MaxDocument = 2<<20, 1<<20 })
		srv.CloseClientConnections()
		if rep.Outcome != verify.Unknown || sent.Load() > size/2 {
			t.Errorf("%s: %s after %d bytes", name, rep.Outcome, sent.Load())
		}
	}
	refused(t, "given as it is", serve(nil), `{"a":"`+strings.Repeat("x", 3<<20)+`"}`, "input")
}

func TestAttackGzipBombAsStatusList(t *testing.T) {
	k := newKey(t)
	const list = "https://issuer.example/status/1"
	doc := set(credential3(t, k.did), "credentialStatus", object{"id": list + "#7", "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "7", "statusListCredential": list})
	bomb := statusList(t, k, encodedList(t, true, 64<<20)) // 64 KB that become 64 MB
	var rep verify.Report
	used := testing.AllocsPerRun(1, func() {
		rep = check3(serve(map[string]any{list: bomb}), verify.Input{Data: []byte(text(embed(t, doc, "eddsa-rdfc-2022", k.method, k)))})
	})
	if rep.Valid || used > 1e6 {
		t.Errorf("%s", rep.Outcome)
	}
}

func TestAttackRedirectToAPrivateAddressAndRebinding(t *testing.T) {
	var hits atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { hits.Add(1); w.Write([]byte(world()[site+"/a"])) }))
	defer inside.Close()
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside.URL+"/a", http.StatusFound) }))
	defer outside.Close()
	f := verify.HTTP{Client: httpx.Guarded(httpx.Config{AllowLoopback: []string{strings.TrimPrefix(outside.URL, "http://")}})}
	for name, u := range map[string]string{
		"a redirect":    outside.URL + "/a",
		"the address":   inside.URL + "/a",
		"link-local":    "http://169.254.169.254/latest/meta-data/",
		"in IPv6":       "http://[::ffff:127.0.0.1]/a",
		"as a number":   "http://2130706433/a",
		"a short form":  "http://127.1/a",
		"a port":        "http://example.com:22/",
		"another thing": "file:///etc/passwd",
	} {
		rep := check3(f, verify.Input{URL: u})
		if rep.Valid || hits.Load() != 0 {
			t.Errorf("%s: %s, %d requests arrived inside", name, rep.Outcome, hits.Load())
		}
		for _, c := range rep.Checks {
			if name == "a redirect" && strings.Contains(c.Message, "root:") {
				t.Errorf("%s: %s", name, c.Message)
			}
		}
	}
	// A name that leads inside only when it is dialled.
	rebinding := verify.HTTP{Client: httpx.Guarded(httpx.Config{Resolver: &net.Resolver{PreferGo: true, Dial: localNames(t)}})}
	rep := check3(rebinding, verify.Input{URL: "http://rebind.example.test/a"})
	if rep.Valid || hits.Load() != 0 || !hasCheck(rep, "hosting", verify.Warn) {
		t.Errorf("rebinding: %s, %d requests arrived inside", rep.Outcome, hits.Load())
	}
}

func TestAttackSVG(t *testing.T) {
	a := world()[site+"/a"]
	w := world()
	for name, c := range map[string]struct {
		svg  string
		want verify.Outcome
	}{
		"a script is not run and does not matter": {`<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="http://openbadges.org"><script>alert(1)</script><openbadges:assertion verify="` + site + `/a"/></svg>`, verify.Valid},
		"an external entity is not read":          {`<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="http://openbadges.org"><openbadges:assertion>&x;</openbadges:assertion></svg>`, verify.Invalid},
		"an entity in the address":                {`<!DOCTYPE svg [<!ENTITY x "` + site + `/a">]><svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="http://openbadges.org"><openbadges:assertion verify="&x;"/></svg>`, verify.Invalid},
		"entities of entities":                    {`<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="http://openbadges.org"><openbadges:assertion>&c;</openbadges:assertion></svg>`, verify.Invalid},
		"another namespace":                       {`<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="http://evil.example"><openbadges:assertion verify="` + site + `/a"/></svg>`, verify.Invalid},
		"nesting":                                 {`<svg xmlns="http://www.w3.org/2000/svg">` + strings.Repeat("<g>", 100_000) + `</svg>`, verify.Invalid},
		"no end":                                  {`<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="http://openbadges.org"><openbadges:assertion><![CDATA[` + a, verify.Invalid},
	} {
		rep := check(offline(w), verify.Input{Data: []byte(c.svg)})
		if rep.Outcome != c.want {
			t.Errorf("%s: %s %v", name, rep.Outcome, rep.Problems())
		}
		for _, k := range rep.Checks {
			if strings.Contains(k.Message, "root:") {
				t.Errorf("%s: a file was read: %s", name, k.Message)
			}
		}
	}
}

func TestAttackPNG(t *testing.T) {
	a := world()[site+"/a"]
	var many [][]byte
	for range 10_000 {
		many = append(many, pngChunk("tEXt", []byte("Comment\x00x")))
	}
	if rep := check(offline(world()), verify.Input{Data: png(append(many, itxt("openbadges", a))...)}); rep.Outcome != verify.Valid {
		t.Errorf("10,000 chunks: %s %v", rep.Outcome, rep.Problems())
	}
	var copies [][]byte
	for range 10_000 {
		copies = append(copies, itxt("openbadges", strings.Replace(a, site+`/a"`, site+`/z"`, 1)))
	}
	if rep := check(offline(world()), verify.Input{Data: png(append([][]byte{itxt("openbadges", a)}, copies...)...)}); rep.Valid {
		t.Error("10,000 badges: valid")
	}
	bad := itxt("openbadges", a)
	bad[len(bad)-1] ^= 1
	refused(t, "a wrong checksum", offline(world()), string(png(bad)), "input")
	huge := itxt("openbadges", a)
	copy(huge, "\xff\xff\xff\xff")
	refused(t, "a length beyond the picture", offline(world()), string(png(huge)), "input")
	cut := png(itxt("openbadges", a))
	refused(t, "cut off", offline(world()), string(cut[:len(cut)-20]), "input")
	if _, err := bake.Unbake(png()); !errors.Is(err, bake.ErrNotBaked) {
		t.Error(err)
	}
	refused(t, "no badge", offline(world()), string(png()), "input")
}

func TestAttackPictureWithinPictures(t *testing.T) {
	w := world()
	f := offline(w)
	self := []byte(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="http://openbadges.org"><openbadges:assertion verify="` + site + `/self.svg"/></svg>`)
	f[site+"/self.svg"] = verify.Resource{Status: 200, Body: self}
	refused(t, "a picture that names itself", f, string(self), "input")
}

func TestAttackAListOfListsOfStatus(t *testing.T) {
	k := newKey(t)
	const list = "https://issuer.example/status/1"
	entry := object{"id": list + "#7", "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "7", "statusListCredential": list}
	doc := set(credential3(t, k.did), "credentialStatus", entry)
	looping := set(statusList(t, k, encodedList(t, true, 16<<10)), "proof", nil)
	looping["credentialStatus"] = entry
	f := &counting{Fetcher: serve(map[string]any{list: embed(t, looping, "eddsa-rdfc-2022", k.method, k)})}
	check3(f, verify.Input{Data: []byte(text(embed(t, doc, "eddsa-rdfc-2022", k.method, k)))})
	if f.n > 3 {
		t.Errorf("%d requests", f.n)
	}
}

func FuzzCredential(f *testing.F) {
	k := named(f, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)))
	f.Add([]byte(text(embed(f, full3(f, k.did), "eddsa-jcs-2022", k.method, k))), []byte(text(controllerOf(issuer3, k))))
	f.Add([]byte(jwt(f, credential3(f, issuer3), object{"kid": issuer3 + "#" + k.multi}, k)), []byte(text(controllerOf(issuer3, newKey(f)))))
	f.Add([]byte(jwt(f, credential3(f, issuer3), object{"jwk": object{}}, k)), []byte(`{"keys":[{}]}`))
	f.Add([]byte(text(set(credential3(f, issuer3), "credentialStatus", object{"type": "BitstringStatusListEntry", "statusListCredential": issuer3, "statusListIndex": "1", "statusPurpose": "revocation"}))), []byte(text(statusList(f, k, encodedList(f, true, 16<<10)))))
	f.Fuzz(func(t *testing.T, data, issuer []byte) {
		res := verify.Offline{issuer3: {Status: 200, Body: issuer}, "https://issuer.example/.well-known/jwks.json": {Status: 200, Body: issuer}}
		rep := check3(res, verify.Input{Data: data}, recipients("email:"+address))
		// Who changes anything has to have a key; the seeds' is gone. Only its own
		// issuer, a did:key, can still be shown genuine.
		if rep.Valid && !bytes.Contains(data, []byte(k.did)) {
			t.Fatalf("valid: %s", data)
		}
		if rep.Valid != (rep.Outcome == verify.Valid) || len(rep.Checks) == 0 {
			t.Fatal("the answer contradicts itself")
		}
	})
}

// localNames is a name server for which every name is at 127.0.0.1.
func localNames(t *testing.T) func(ctx context.Context, network, address string) (net.Conn, error) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) == 0 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
				}}
			}
			if out, err := m.Pack(); err == nil {
				pc.WriteTo(out, from)
			}
		}
	}()
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", pc.LocalAddr().String())
	}
}
