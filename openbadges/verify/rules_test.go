package verify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"badgebridge/openbadges"
	"badgebridge/openbadges/bake"
	"badgebridge/openbadges/verify"
)

// exampleProof was made with the key whose seed is 32 zeros.
const exampleProof = "z3PfjhDjW2uJj6WkvnAsekj3UTetxf389NFL6ygR7n3jBviTHLUXqtTVhj5Yp6tJSGgEMQeMEcPfkRy8JwTtJg7WJ"

const (
	site    = "https://badges.example.org"
	svg     = `<svg xmlns="http://www.w3.org/2000/svg"/>`
	address = "nobody@example.org"
	digest  = "ecf5409f3f4b91ab60cc5ef4c02aef7032354375e70cf4d8e43f6a1d29891942"
)

// world is a good badge; tests change what they are about.
func world() map[string]string {
	return map[string]string{
		site + "/a": `{"@context":"https://w3id.org/openbadges/v2","type":"Assertion","id":"` + site + `/a",
			"recipient":{"type":"email","hashed":true,"salt":"deadsea","identity":"sha256$` + digest + `"},
			"badge":"` + site + `/b","issuedOn":"2020-01-01T00:00:00Z","verification":{"type":"HostedBadge"}}`,
		site + "/b": `{"@context":"https://w3id.org/openbadges/v2","type":"BadgeClass","id":"` + site + `/b","name":"N","description":"D",
			"image":"` + site + `/i.svg","criteria":{"narrative":"C"},"issuer":"` + site + `/o"}`,
		site + "/o":     `{"@context":"https://w3id.org/openbadges/v2","type":"Profile","id":"` + site + `/o","name":"O","url":"https://example.org","email":"o@example.org"}`,
		site + "/i.svg": svg,
	}
}

func offline(w map[string]string) verify.Offline {
	out := verify.Offline{}
	for u, body := range w {
		out[u] = verify.Resource{Status: 200, Header: http.Header{}, Body: []byte(body)}
	}
	return out
}

func check(f verify.Fetcher, in verify.Input, who ...string) verify.Report {
	opt := verify.Options{Fetcher: f, Now: func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }}
	for _, w := range who {
		opt.Recipient = append(opt.Recipient, verify.Identifier{Type: openbadges.IdentityEmail, Value: w})
	}
	return verify.Verify(context.Background(), in, opt)
}

func url(u string) verify.Input { return verify.Input{URL: u} }

func TestABadgeIsNotValidWhen(t *testing.T) {
	replace := func(u, old, with string) func(map[string]string) {
		return func(w map[string]string) {
			if !strings.Contains(w[u], old) {
				panic("nothing to replace: " + old)
			}
			w[u] = strings.Replace(w[u], old, with, 1)
		}
	}
	scope := func(json string) func(map[string]string) {
		return replace(site+"/o", `"name"`, `"verification":`+json+`,"name"`)
	}
	for name, c := range map[string]struct {
		change func(map[string]string)
		want   verify.Outcome
		failed string
	}{
		"the hosted copy says revoked":         {replace(site+"/a", `"badge"`, `"revoked":true,"revocationReason":"mistake","badge"`), verify.Invalid, "status"},
		"its id is another issuer's assertion": {replace(site+"/a", site+`/a"`, `https://other.example/a"`), verify.Unknown, ""},
		"its id is no address":                 {replace(site+"/a", site+`/a"`, `urn:uuid:1"`), verify.Invalid, "hosting"},
		"the picture is a JPEG":                {func(w map[string]string) { w[site+"/i.svg"] = "\xff\xd8\xff\xe0JFIF" }, verify.Invalid, "image"},
		"the picture is a page":                {func(w map[string]string) { w[site+"/i.svg"] = "<html><svg/></html>" }, verify.Invalid, "image"},
		"the address shows a page":             {func(w map[string]string) { w[site+"/a"] = "<!DOCTYPE html><html></html>" }, verify.Invalid, "format"},
		"something follows the document":       {func(w map[string]string) { w[site+"/a"] += "{}" }, verify.Invalid, "format"},
		"the document is nested too deep":      {replace(site+"/a", `"badge"`, `"x":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`,"badge"`), verify.Invalid, "format"},
		"the issuer's email is missing":        {replace(site+"/o", `,"email":"o@example.org"`, ``), verify.Invalid, "schema"},
		"startsWith names a longer host":       {scope(`{"startsWith":"https://badges.example.or"}`), verify.Invalid, "scope"},
		"startsWith has a user name":           {scope(`{"startsWith":"https://badges.example.org@evil.example/"}`), verify.Invalid, "scope"},
		"startsWith is another path":           {scope(`{"startsWith":"` + site + `/assertions/"}`), verify.Invalid, "scope"},
		"allowedOrigins is a parent domain":    {scope(`{"allowedOrigins":["example.org"]}`), verify.Invalid, "scope"},
		"allowedOrigins is in capitals":        {scope(`{"allowedOrigins":["Badges.example.org"]}`), verify.Invalid, "scope"},
		"the assertion's picture is within":    {replace(site+"/a", `"badge"`, `"image":"data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=","badge"`), verify.Invalid, "image"},
		"the badge is named by several":        {replace(site+"/a", `"`+site+`/b"`, `["`+site+`/b","`+site+`/b2"]`), verify.Invalid, "schema"},
		"the recipient has no type":            {replace(site+"/a", `"type":"email",`, ``), verify.Invalid, "recipient"},
		"it does not say whether it is hashed": {replace(site+"/a", `"hashed":true,`, ``), verify.Invalid, "recipient"},
		"the badge's type is missing":          {replace(site+"/b", `"type":"BadgeClass",`, ``), verify.Invalid, "type"},
		"the criteria are missing":             {replace(site+"/b", `"criteria":{"narrative":"C"},`, ``), verify.Invalid, "schema"},
		"the issuer is on another site": {func(w map[string]string) {
			const o = "https://other.example/o"
			w[o] = strings.ReplaceAll(w[site+"/o"], site+"/o", o)
			w[site+"/b"] = strings.Replace(w[site+"/b"], site+"/o", o, 1)
		}, verify.Invalid, "scope"},
		"it is dated by a number":               {replace(site+"/a", `"2020-01-01T00:00:00Z"`, `1577836800`), verify.Invalid, "schema"},
		"an endorsement is a number":            {replace(site+"/b", `"name"`, `"endorsement":1,"name"`), verify.Invalid, "endorsement"},
		"the scope is by another property":      {scope(`{"verificationProperty":"url"}`), verify.Unknown, ""},
		"the badge is embedded without address": {replace(site+"/a", `"`+site+`/b"`, `{"type":"BadgeClass","id":"a-12"}`), verify.Invalid, "schema"},
		"the issuer is embedded without any":    {replace(site+"/b", `"`+site+`/o"`, `{"type":"Profile","id":"urn:x:1","name":"O"}`), verify.Invalid, "issuer"},
		"an embedded issuer claims another":     {replace(site+"/b", `"`+site+`/o"`, `{"type":"Profile","id":"https://real.example/o","name":"Real"}`), verify.Unknown, ""},
		"the signature is missing":              {replace(site+"/a", "HostedBadge", "SignedBadge"), verify.Invalid, "proof"},
		"the verification is an unknown one":    {replace(site+"/a", "HostedBadge", "BlockchainBadge"), verify.Invalid, "schema"},
		"the hash is of an old kind":            {replace(site+"/a", "sha256$"+digest, "sha1$"+digest[:40]), verify.Invalid, "recipient"},
	} {
		w := world()
		c.change(w)
		rep := check(offline(w), url(site+"/a"))
		if rep.Outcome != c.want || rep.Valid {
			t.Errorf("%s: got %s, want %s: %v", name, rep.Outcome, c.want, rep.Problems())
		}
		if c.failed != "" && !hasCheck(rep, c.failed, verify.Fail) {
			t.Errorf("%s: check %q did not fail: %v", name, c.failed, rep.Problems())
		}
	}
}

func TestWhatAnIssuerAllowsIsAboutItsAssertions(t *testing.T) {
	const elsewhere = "https://assertions.example"
	for name, c := range map[string]struct {
		origins, badge string
		want           verify.Outcome
	}{
		"the badge stays with the issuer":   {`["assertions.example"]`, site, verify.Valid},
		"the badge is with the assertions":  {`["assertions.example"]`, elsewhere, verify.Valid},
		"the badge is with somebody else":   {`["assertions.example"]`, "https://third.example", verify.Invalid},
		"the assertion is nowhere allowed":  {`["other.example"]`, site, verify.Invalid},
		"the assertion is at another port":  {`["assertions.example:8443"]`, site, verify.Invalid},
		"both are with the issuer, unnamed": {`[]`, site, verify.Invalid},
	} {
		w := world()
		moved := map[string]string{}
		for u, body := range w {
			body = strings.ReplaceAll(strings.ReplaceAll(body, `"`+site+`/a"`, `"`+elsewhere+`/a"`), `"`+site+`/b"`, `"`+c.badge+`/b"`)
			moved[u] = strings.Replace(body, `"name":"O"`, `"name":"O","verification":{"allowedOrigins":`+c.origins+`}`, 1)
		}
		moved[elsewhere+"/a"], moved[c.badge+"/b"] = moved[site+"/a"], moved[site+"/b"]
		if rep := check(offline(moved), url(elsewhere+"/a")); rep.Outcome != c.want || c.want == verify.Invalid && !hasCheck(rep, "scope", verify.Fail) {
			t.Errorf("%s: %s: %v", name, rep.Outcome, rep.Problems())
		}
	}
}

func hasCheck(r verify.Report, name string, s verify.Status) bool {
	for _, c := range r.Checks {
		if c.Name == name && c.Status == s {
			return true
		}
	}
	return false
}

func TestAGoodBadgeIsValidInEveryForm(t *testing.T) {
	w := world()
	baked, err := bake.Bake([]byte(svg), bake.OpenBadges, []byte(w[site+"/a"]))
	if err != nil {
		t.Fatal(err)
	}
	w[site+"/baked.svg"] = string(baked)
	w[site+"/drift"] = w[site+"/a"]
	for name, in := range map[string]verify.Input{
		"address": url(site + "/a"), "address as text": {Data: []byte(" " + site + "/a\n")}, "JSON": {Data: []byte(w[site+"/a"])},
		"picture": {Data: baked}, "address of a picture": url(site + "/baked.svg"), "another address of it": url(site + "/drift"),
	} {
		rep := check(offline(w), in, "Nobody@example.org")
		if rep.Outcome != verify.Valid || rep.Version != "2.0" || rep.Verification != "hosted" || rep.Subject != site+"/a" || rep.Recipient.Matched == nil || !*rep.Recipient.Matched {
			t.Errorf("%s: %+v %v", name, rep.Outcome, rep.Problems())
			continue
		}
		if rep.Assertion == nil || string(rep.Assertion.Document) != w[site+"/a"] || rep.Assertion.Issuer.Name != "O" || rep.Badge.Name != "N" {
			t.Errorf("%s: what was verified is not what is hosted: %+v", name, rep.Assertion)
		}
	}
}

func TestARevokedBadgeTellsWhy(t *testing.T) {
	f := offline(world())
	f[site+"/a"] = verify.Resource{Status: 410, Body: []byte(`{"@context":"https://w3id.org/openbadges/v2","type":"Assertion","id":"` + site + `/a","revoked":true,"revocationReason":"Issued by mistake"}`)}
	rep := check(f, url(site+"/a"))
	if rep.Outcome != verify.Invalid || !rep.Revoked || rep.Badge == nil || rep.Badge.RevocationReason != "Issued by mistake" || rep.Version != "2.0" {
		t.Errorf("%+v %v", rep, rep.Problems())
	}
}

func TestAReportNeverShowsTheRecipient(t *testing.T) {
	for _, who := range []string{address, "somebody.else@example.org"} {
		for _, w := range []map[string]string{world(), func() map[string]string {
			w := world()
			w[site+"/a"] = strings.Replace(w[site+"/a"], `"hashed":true,"salt":"deadsea","identity":"sha256$`+digest, `"hashed":false,"identity":"`+address, 1)
			return w
		}()} {
			b, err := json.Marshal(check(offline(w), url(site+"/a"), who))
			if err != nil {
				t.Fatal(err)
			}
			for _, leak := range []string{address, digest, "deadsea", "somebody.else"} {
				if bytes.Contains(b, []byte(leak)) {
					t.Errorf("the report holds %q: %s", leak, b)
				}
			}
		}
	}
}

func TestTheReportHasItsFixedForm(t *testing.T) {
	b, err := json.Marshal(check(offline(world()), url(site+"/a")))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]json.RawMessage
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"outcome", "valid", "version", "verification", "subject", "recipient", "checks", "badge"} {
		if got[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	if string(got["recipient"]) != `{"matched":null}` {
		t.Errorf("recipient is %s", got["recipient"])
	}
	var checks []struct{ Name, Status, Message string }
	if err := json.Unmarshal(got["checks"], &checks); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, c := range checks {
		names[c.Name] = true
		if c.Message == "" || c.Status == "" {
			t.Errorf("%+v says nothing", c)
		}
	}
	for _, name := range strings.Fields("input format context type schema subject issuer proof key status validity scope recipient image evidence alignment endorsement extension hosting") {
		if !names[name] {
			t.Errorf("check %s is missing", name)
		}
		delete(names, name)
	}
	if len(names) > 0 {
		t.Errorf("other checks: %v", names)
	}
}

type counting struct {
	verify.Fetcher
	n int
}

func (c *counting) Fetch(ctx context.Context, u, accept string, limit int64) (verify.Resource, error) {
	c.n++
	return c.Fetcher.Fetch(ctx, u, accept, limit)
}

func TestAHostileBadgeCostsABoundedNumberOfRequests(t *testing.T) {
	w := world()
	var list []string
	for i := range 5000 {
		list = append(list, fmt.Sprintf(`"%s/e/%d"`, site, i))
	}
	w[site+"/b"] = strings.Replace(w[site+"/b"], `"name"`, `"endorsement":[`+strings.Join(list, ",")+`],"name"`, 1)
	f := &counting{Fetcher: offline(w)}
	if rep := check(f, url(site+"/a")); rep.Valid || f.n > 40 {
		t.Errorf("%s after %d requests", rep.Outcome, f.n)
	}
}

func TestOverTheWireAPageIsAskedAgainForJSON(t *testing.T) {
	var base string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/a" && r.Header.Get("Accept") != "application/json" {
			w.Write([]byte("<!doctype html><title>A badge</title>"))
			return
		}
		body, ok := world()[site+r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Write([]byte(strings.ReplaceAll(body, site, base)))
	}))
	defer srv.Close()
	base = srv.URL
	if rep := check(verify.HTTP{Client: srv.Client()}, url(base+"/a"), address); rep.Outcome != verify.Valid {
		t.Errorf("%s %v", rep.Outcome, rep.Problems())
	}
	if rep := check(verify.HTTP{Client: srv.Client()}, url(base+"/none")); rep.Outcome != verify.Invalid {
		t.Errorf("%s %v", rep.Outcome, rep.Problems())
	}
	srv.Close()
	if rep := check(verify.HTTP{Client: srv.Client()}, url(base+"/a")); rep.Outcome != verify.Unknown {
		t.Errorf("%s %v", rep.Outcome, rep.Problems())
	}
}

func TestResourcesAreReadFromAFile(t *testing.T) {
	res, err := verify.ReadResources(strings.NewReader(`{"https://x.example/a":{"status":410,"content_type":"text/plain","headers":{"etag":"1"},"body":"hi"},"https://x.example/b":{"body_base64":"aGk="}}`))
	if err != nil {
		t.Fatal(err)
	}
	a, b := res["https://x.example/a"], res["https://x.example/b"]
	if a.Status != 410 || string(a.Body) != "hi" || a.Header.Get("ETag") != "1" || a.Header.Get("Content-Type") != "text/plain" || b.Status != 200 || string(b.Body) != "hi" {
		t.Errorf("got %+v %+v", a, b)
	}
	for file, says := range map[string]string{
		"": "empty", "[]": "no JSON object", "{": "too early", "null": "null", "{} x": "something follows",
		`{"https://x.example/a":5}`:                               "https://x.example/a: it is no object",
		`{"https://x.example/a":null}`:                            "no object",
		`{"https://x.example/a":{"status":"200"}}`:                "https://x.example/a: status",
		`{"https://x.example/a":{"status":99999}}`:                "no status of HTTP",
		`{"https://x.example/a":{"body":{"x":1}}}`:                "body is",
		`{"https://x.example/a":{"body_base64":"!"}}`:             "body_base64",
		`{"https://x.example/a":{"headers":{"x":["a"]}}}`:         "headers",
		`{"https://x.example/a":{"body":"a","body_base64":"YQ"}}`: "both",
	} {
		_, err := verify.ReadResources(strings.NewReader(file))
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "Go ") {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	for _, doc := range world() {
		f.Add([]byte(doc))
	}
	f.Add([]byte("eyJhbGciOiJub25lIn0.e30."))
	f.Fuzz(func(t *testing.T, data []byte) {
		w := offline(world())
		w[site+"/x"] = verify.Resource{Status: 200, Body: data}
		for _, in := range []verify.Input{{Data: data}, {URL: site + "/x"}} {
			r := check(w, in, address)
			if r.Valid != (r.Outcome == verify.Valid) {
				t.Fatal("the answer contradicts itself")
			}
		}
	})
}

// BenchmarkHosted measures one hosted OB 2.0 badge with all resources in memory.
func BenchmarkHosted(b *testing.B) {
	f := offline(world())
	for b.Loop() {
		if rep := check(f, url(site+"/a"), address); !rep.Valid {
			b.Fatal(rep.Problems())
		}
	}
}

// A credential of 3.0 whose issuer can't be asked: the signature is good, and yet
// nothing shows that the key is the issuer's.
func ExampleVerify_unnamedKey() {
	credential := `{
		"@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
		"id": "urn:uuid:1", "type": ["VerifiableCredential", "OpenBadgeCredential"],
		"issuer": {"id": "https://issuer.example/1", "type": ["Profile"]}, "validFrom": "2020-01-01T00:00:00Z",
		"credentialSubject": {"id": "did:example:ada", "type": ["AchievementSubject"], "achievement": {
			"id": "urn:uuid:2", "type": ["Achievement"], "name": "Printing", "description": "Printed.", "criteria": {"narrative": "Print."}}},
		"proof": [{"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "created": "2020-01-01T00:00:00Z", "proofPurpose": "assertionMethod",
			"verificationMethod": "https://issuer.example/1#z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", "proofValue": "PROOF"}]
	}`
	credential = strings.Replace(credential, "PROOF", exampleProof, 1)
	rep := verify.Verify(context.Background(), verify.Input{Data: []byte(credential)}, verify.Options{})
	fmt.Println(rep.Outcome)
	for _, c := range rep.Checks {
		if c.Name == "proof" || c.Name == "issuer" {
			fmt.Println(c.Name, c.Status)
		}
	}
	// Output:
	// unknown
	// issuer warn
	// proof pass
}

func ExampleVerify() {
	rep := verify.Verify(context.Background(), verify.Input{URL: site + "/a"}, verify.Options{Fetcher: offline(world())})
	fmt.Println(rep.Outcome, rep.Badge.Name, rep.Badge.Issuer.Name)
	// Output: valid N O
}
