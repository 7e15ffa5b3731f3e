package verify_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"badgebridge/openbadges/bake"
	"badgebridge/openbadges/did"
	"badgebridge/openbadges/verify"
)

func TestEveryCredentialOfThePublicValidatorHasAnAllowedOutcome(t *testing.T) {
	dir := filepath.Join(filepath.Dir(filepath.Dir(vectorFile(t))), "ob3")
	data, err := os.ReadFile(filepath.Join(dir, "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Input string
		Ours        *struct {
			Outcome []verify.Outcome
			NoFail  bool `json:"no_failed_check"`
		} `json:"expected_ours"`
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		in, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(c.Input)))
		if err != nil {
			t.Fatal(err)
		}
		rep := check3(serve(nil), verify.Input{Data: in})
		if c.Ours == nil {
			continue
		}
		failed := slices.ContainsFunc(rep.Checks, func(c verify.Check) bool { return c.Status == verify.Fail })
		if !slices.Contains(c.Ours.Outcome, rep.Outcome) || c.Ours.NoFail && failed {
			t.Errorf("%s: %s %v", c.Name, rep.Outcome, rep.Problems())
		}
		// Nobody is there to name the keys: none may pass as the issuer's.
		if rep.Valid || !failed && !hasCheck(rep, "issuer", verify.Warn) && !hasCheck(rep, "proof", verify.Warn) && !hasCheck(rep, "key", verify.Warn) {
			t.Errorf("%s: %s, though no issuer was asked", c.Name, rep.Outcome)
		}
	}
}

// TestAKeyCountsOnlyWhenTheIssuerNamesIt is about who may sign for whom.
func TestAKeyCountsOnlyWhenTheIssuerNamesIt(t *testing.T) {
	k, other := newKey(t), newKey(t)
	method := issuer3 + "#" + k.multi
	good := controllerOf(issuer3, k)
	const suite = "eddsa-rdfc-2022"
	edit := func(f func(object)) object { d := parse(t, text(good)); f(d); return d }
	docs := func(d any) verify.Offline { return serve(map[string]any{issuer3: d}) }
	for name, c := range map[string]struct {
		res    verify.Fetcher
		method string
		want   verify.Outcome
		by     string
	}{
		"named":                       {docs(good), method, verify.Valid, "issuer:pass"},
		"named, written out in place": {docs(edit(func(d object) { d["assertionMethod"] = d["verificationMethod"]; delete(d, "verificationMethod") })), method, verify.Valid, "issuer:pass"},
		"relative names": {docs(edit(func(d object) {
			set(d, "verificationMethod.0.id", "#"+k.multi)
			set(d, "assertionMethod.0", "#"+k.multi)
		})), method, verify.Valid, "issuer:pass"},
		"nobody could be asked":      {serve(nil), method, verify.Unknown, "issuer:warn"},
		"the document holds no keys": {docs(edit(func(d object) { delete(d, "verificationMethod"); delete(d, "assertionMethod") })), method, verify.Unknown, "issuer:warn"},
		"another key by that name":   {docs(edit(func(d object) { set(d, "verificationMethod.0.publicKeyMultibase", other.multi) })), method, verify.Invalid, "proof"},
		"not in the document":        {docs(controllerOf(issuer3, other)), method, verify.Invalid, "key"},
		"not for issuing":            {docs(edit(func(d object) { d["authentication"] = d["assertionMethod"]; delete(d, "assertionMethod") })), method, verify.Invalid, "key"},
		"withdrawn":                  {docs(edit(func(d object) { set(d, "verificationMethod.0.revoked", "2025-01-01T00:00:00Z") })), method, verify.Invalid, "key"},
		"to be withdrawn":            {docs(edit(func(d object) { set(d, "verificationMethod.0.revoked", "2027-01-01T00:00:00Z") })), method, verify.Valid, "issuer:pass"},
		"run out":                    {docs(edit(func(d object) { set(d, "verificationMethod.0.expires", "2025-01-01T00:00:00Z") })), method, verify.Invalid, "key"},
		"of another controller":      {docs(edit(func(d object) { set(d, "verificationMethod.0.controller", "https://other.example") })), method, verify.Invalid, "key"},
		"a document of another":      {docs(edit(func(d object) { d["id"] = "https://other.example" })), method, verify.Invalid, "key"},
		"of a kind that is not known": {docs(edit(func(d object) {
			set(d, "verificationMethod.0.publicKeyMultibase", "z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc")
		})), method, verify.Unknown, "key:warn"},
		"a did:key of its own":       {docs(good), k.method, verify.Valid, "issuer:pass"}, // the same key
		"a foreign did:key":          {docs(controllerOf(issuer3, other)), k.method, verify.Unknown, "issuer:warn"},
		"a foreign did:key, unasked": {serve(nil), k.method, verify.Unknown, "issuer:warn"},
		"a did:key that is named":    {docs(edit(func(d object) { delete(d, "verificationMethod"); d["assertionMethod"] = []any{k.method} })), k.method, verify.Valid, "issuer:pass"},
		"a foreign document": {serve(map[string]any{issuer3: controllerOf(issuer3, other), "https://evil.example/k": controllerOf("https://evil.example/k", k)}),
			"https://evil.example/k#" + k.multi, verify.Unknown, "issuer:warn"},
		"a foreign document that claims to be the issuer's": {serve(map[string]any{issuer3: controllerOf(issuer3, other), "https://evil.example/k": set(set(controllerOf("https://evil.example/k", k), "alsoKnownAs", issuer3), "controller", issuer3)}),
			"https://evil.example/k#" + k.multi, verify.Unknown, "issuer:warn"},
		"a foreign key that claims to be the issuer's": {serve(map[string]any{issuer3: controllerOf(issuer3, other), "https://evil.example/k": object{"id": "https://evil.example/k", "type": "Multikey", "controller": issuer3, "publicKeyMultibase": k.multi}}),
			"https://evil.example/k", verify.Unknown, "issuer:warn"},
		"a key with a document of its own": {serve(map[string]any{issuer3: set(set(controllerOf(issuer3), "verificationMethod", nil), "assertionMethod", []any{"https://issuer.example/k"}), "https://issuer.example/k": object{"id": "https://issuer.example/k", "type": "Multikey", "controller": issuer3, "publicKeyMultibase": k.multi}}),
			"https://issuer.example/k", verify.Valid, "issuer:pass"},
		"a did:web that the issuer is known as": {serve(map[string]any{issuer3: set(set(set(controllerOf(issuer3), "verificationMethod", nil), "assertionMethod", nil), "alsoKnownAs", []any{"did:web:issuer.example"}), "https://issuer.example/.well-known/did.json": controllerOf("did:web:issuer.example", k)}),
			"did:web:issuer.example#" + k.multi, verify.Valid, "issuer:pass"},
		"no name at all":           {serve(nil), "", verify.Invalid, "key"},
		"a name without a scheme":  {serve(nil), k.multi, verify.Invalid, "key"},
		"an unknown DID method":    {serve(nil), "did:example:1#" + k.multi, verify.Unknown, "key:warn"},
		"a damaged did:key":        {serve(nil), "did:key:z6Mk0OIl#z6Mk0OIl", verify.Invalid, "key"},
		"a fragment of another":    {serve(nil), k.did + "#" + other.multi, verify.Invalid, "key"},
		"a did:key, key left out":  {docs(good), k.did, verify.Valid, "issuer:pass"},
		"a user name in the name":  {serve(nil), "https://issuer.example@evil.example/#" + k.multi, verify.Invalid, "key"},
		"an address that is a key": {docs("hello"), issuer3 + "#key-1", verify.Unknown, "key:warn"},
	} {
		signed := embed(t, credential3(t, issuer3), suite, method, k)
		if strings.Contains(c.method, ":") {
			signed = embed(t, credential3(t, issuer3), suite, c.method, k)
		} else { // no JSON-LD could be made of it
			set(signed, "proof.0.verificationMethod", c.method)
		}
		outcome(t, name, c.res, signed, c.want, c.by)
	}

	// Issuers that are DIDs.
	jwkID, jwkMethod, err := did.JWKDID(k.private.Public())
	if err != nil {
		t.Fatal(err)
	}
	web := "did:web:issuer.example:issuers:1"
	webDoc := serve(map[string]any{"https://issuer.example/issuers/1/did.json": controllerOf(web, k)})
	outcome(t, "did:jwk", serve(nil), embed(t, credential3(t, jwkID), suite, jwkMethod, k), verify.Valid, "issuer:pass")
	outcome(t, "did:web", webDoc, embed(t, credential3(t, web), suite, web+"#"+k.multi, k), verify.Valid, "issuer:pass")
	outcome(t, "did:web that is away", serve(nil), embed(t, credential3(t, web), suite, web+"#key-1", k), verify.Unknown, "key:warn")
	outcome(t, "did:key of another", serve(nil), embed(t, credential3(t, other.did), suite, k.method, k), verify.Unknown, "issuer:warn")
	outcome(t, "an issuer that is no address", serve(nil), embed(t, credential3(t, "urn:uuid:1"), suite, k.method, k), verify.Unknown, "issuer:warn")
}

func TestAProofThatDoesNotHold(t *testing.T) {
	k := newKey(t)
	base := func() object { return credential3(t, k.did) }
	signed := func(suite string, more ...string) object { return embed(t, base(), suite, k.method, k, more...) }
	change := func(d object, path string, v any) object { return set(parse(t, text(d)), path, v) }
	for _, suite := range []string{"eddsa-rdfc-2022", "eddsa-jcs-2022"} {
		good := signed(suite)
		for name, c := range map[string]struct {
			doc  object
			want verify.Outcome
			by   string
		}{
			"another name":              {change(good, "credentialSubject.achievement.name", "B"), verify.Invalid, "proof"},
			"another recipient":         {change(good, "credentialSubject.id", "did:example:other"), verify.Invalid, "proof"},
			"another date of proof":     {change(good, "proof.0.created", "2021-01-01T00:00:00Z"), verify.Invalid, "proof"},
			"a damaged value":           {change(good, "proof.0.proofValue", "z1"), verify.Invalid, "proof"},
			"a value that is none":      {change(good, "proof.0.proofValue", 1), verify.Invalid, "proof"},
			"no value":                  {change(good, "proof.0.proofValue", nil), verify.Invalid, "proof"},
			"no purpose":                {change(good, "proof.0.proofPurpose", nil), verify.Invalid, "proof"},
			"no key":                    {change(good, "proof.0.verificationMethod", nil), verify.Invalid, "key"},
			"no type":                   {change(good, "proof.0.type", nil), verify.Invalid, "proof"},
			"no proof":                  {change(good, "proof", nil), verify.Invalid, "proof"},
			"an empty list":             {change(good, "proof", []any{}), verify.Invalid, "proof"},
			"a proof that is a text":    {change(good, "proof", "x"), verify.Invalid, "proof"},
			"for signing in":            {signed(suite, "proofPurpose", "authentication"), verify.Invalid, "proof"},
			"that ran out":              {signed(suite, "expires", "2025-01-01T00:00:00Z"), verify.Invalid, "proof"},
			"that will run out":         {signed(suite, "expires", "2027-01-01T00:00:00Z"), verify.Valid, "proof:pass"},
			"of another suite":          {change(good, "proof.0.cryptosuite", "bbs-2023"), verify.Unknown, "proof:warn"},
			"of an older kind":          {change(good, "proof.0.type", "Ed25519Signature2020"), verify.Unknown, "proof:warn"},
			"the suite of another key":  {change(good, "proof.0.cryptosuite", "ecdsa-rdfc-2019"), verify.Invalid, "proof"},
			"the object and not a list": {change(good, "proof", good["proof"].([]any)[0]), verify.Valid, "proof:pass"},
			"a good one beside":         {change(embed(t, good, suite, k.method, k), "proof.0.proofValue", "z1"), verify.Valid, "proof:warn"},
			"an unknown one beside":     {change(embed(t, good, suite, k.method, k), "proof.0.type", "SomeProofType"), verify.Valid, "proof:warn"},
			"a foreign one beside":      {embed(t, good, suite, newKey(t).method, newKey(t)), verify.Valid, "proof:warn"},
		} {
			outcome(t, suite+": "+name, serve(nil), c.doc, c.want, c.by)
		}
		first := embed(t, base(), suite, k.method, k, "id", "urn:uuid:p1")
		chained := chain(t, first, suite, k)
		outcome(t, suite+": a chain", serve(nil), chained, verify.Valid, "proof:pass")
		outcome(t, suite+": a chain whose first was changed", serve(nil), change(chained, "proof.0.created", "2021-01-01T00:00:00Z"), verify.Invalid, "proof")
		outcome(t, suite+": a chain that lost its first", serve(nil), change(chained, "proof", chained["proof"].([]any)[1:]), verify.Invalid, "proof")
		undefined := set(base(), "somethingNew", "x")
		if suite == "eddsa-jcs-2022" {
			outcome(t, suite+": an undefined term", serve(nil), embed(t, undefined, suite, k.method, k), verify.Invalid, "context")
		} else {
			outcome(t, suite+": an undefined term", serve(nil), set(good, "somethingNew", "x"), verify.Invalid, "context")
		}
	}
}

// chain adds a proof that signs the first one, too.
func chain(t *testing.T, doc object, suite string, k issuerKey) object {
	t.Helper()
	proof := object{"id": "urn:uuid:p2", "previousProof": "urn:uuid:p1"}
	doc = parse(t, text(doc))
	first := doc["proof"].([]any)[0]
	out := embedOver(t, doc, object{"proof": []any{first}}, suite, k.method, k, proof)
	return out
}

func TestATokenWhoseClaimsDifferFromTheCredential(t *testing.T) {
	k := newKey(t)
	doc := set(credential3(t, k.did), "validUntil", "2030-01-01T00:00:00Z")
	for name, c := range map[string]struct {
		claims []any
		want   verify.Outcome
		by     string
	}{
		"good":                 {[]any{"exp", 1893456000}, verify.Valid, "proof:pass"},
		"without exp":          {nil, verify.Valid, "proof:warn"},
		"another issuer":       {[]any{"iss", "did:example:x"}, verify.Invalid, "proof"},
		"another id":           {[]any{"jti", "urn:x:1"}, verify.Invalid, "proof"},
		"another subject":      {[]any{"sub", "did:example:x"}, verify.Invalid, "proof"},
		"another beginning":    {[]any{"nbf", 1577836801}, verify.Invalid, "proof"},
		"another end":          {[]any{"exp", 1893456001}, verify.Invalid, "proof"},
		"an end that is none":  {[]any{"exp", "1893456000"}, verify.Invalid, "proof"},
		"a list of issuers":    {[]any{"iss", []any{k.did}}, verify.Invalid, "proof"},
		"an audience":          {[]any{"aud", "https://x.example", "iat", 1577836800}, verify.Valid, "proof:pass"},
		"without its subject":  {[]any{"sub", nil}, verify.Valid, "proof:warn"},
		"without its issuer":   {[]any{"iss", nil}, verify.Invalid, "proof"},
		"without its id":       {[]any{"jti", nil}, verify.Invalid, "proof"},
		"without a beginning":  {[]any{"nbf", nil}, verify.Invalid, "proof"},
		"two credentials":      {[]any{"vc", doc}, verify.Invalid, "format"},
		"an undefined term":    {[]any{"somethingNew", "x"}, verify.Invalid, "context"},
		"a fraction of second": {[]any{"nbf", 1577836800.5}, verify.Valid, "proof:pass"},
	} {
		outcome(t, name, serve(nil), jwt(t, doc, object{"kid": k.method, "typ": "JWT"}, k, c.claims...), c.want, c.by)
	}
}

func TestTheHeadersOfATokenAndItsKeys(t *testing.T) {
	k, other, p256 := newKey(t), newKey(t), newP256(t)
	rsa := issuerKey{private: rsaKey()}
	jwk := func(k issuerKey) map[string]string {
		j, err := did.JWK(k.private.Public())
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	withKid := func(j map[string]string, kid string) object {
		out := object{"kid": kid}
		for n, v := range j {
			out[n] = v
		}
		return out
	}
	doc := credential3(t, issuer3)
	controller := controllerOf(issuer3, k)
	const set1, wellKnown = "https://issuer.example/keys.json", "https://issuer.example/.well-known/jwks.json"
	plain := object{"@context": []any{"https://www.w3.org/ns/credentials/v2"}, "id": issuer3, "type": "Profile", "name": "I"}
	for name, c := range map[string]struct {
		res    map[string]any
		header object
		key    issuerKey
		want   verify.Outcome
		by     string
	}{
		"kid in the issuer's document":       {map[string]any{issuer3: controller}, object{"kid": issuer3 + "#" + k.multi}, k, verify.Valid, "issuer:pass"},
		"kid and the same jwk":               {map[string]any{issuer3: controller}, object{"kid": issuer3 + "#" + k.multi, "jwk": jwk(k)}, k, verify.Valid, "issuer:pass"},
		"kid and another jwk":                {map[string]any{issuer3: controller}, object{"kid": issuer3 + "#" + k.multi, "jwk": jwk(other)}, other, verify.Invalid, "key"},
		"a short kid":                        {map[string]any{issuer3: controller}, object{"kid": k.multi}, k, verify.Valid, "issuer:pass"},
		"a fragment as kid":                  {map[string]any{issuer3: controller}, object{"kid": "#" + k.multi}, k, verify.Valid, "issuer:pass"},
		"kid that is away":                   {nil, object{"kid": issuer3 + "#key-1"}, k, verify.Unknown, "key:warn"},
		"jwk alone, nobody asked":            {nil, object{"jwk": jwk(k)}, k, verify.Unknown, "issuer:warn"},
		"jwk alone, named":                   {map[string]any{issuer3: controller}, object{"jwk": jwk(k)}, k, verify.Valid, "issuer:pass"},
		"jwk alone, not named":               {map[string]any{issuer3: controller}, object{"jwk": jwk(other)}, other, verify.Unknown, "issuer:warn"},
		"jwk in the site's set":              {map[string]any{issuer3: plain, wellKnown: object{"keys": []any{jwk(other), jwk(k)}}}, object{"jwk": jwk(k)}, k, verify.Valid, "issuer:pass"},
		"kid in the site's set":              {map[string]any{issuer3: plain, wellKnown: object{"keys": []any{withKid(jwk(k), "one")}}}, object{"kid": "one"}, k, verify.Valid, "issuer:pass"},
		"kid is the address of a set":        {map[string]any{issuer3: plain, set1: object{"keys": []any{withKid(jwk(other), "two"), withKid(jwk(k), "one")}}}, object{"kid": set1 + "#one"}, k, verify.Valid, "issuer:pass"},
		"kid that the set does not hold":     {map[string]any{issuer3: plain, set1: object{"keys": []any{withKid(jwk(other), "two")}}}, object{"kid": set1 + "#one"}, k, verify.Invalid, "key"},
		"kid twice in the set":               {map[string]any{issuer3: plain, set1: object{"keys": []any{withKid(jwk(other), "one"), withKid(jwk(k), "one")}}}, object{"kid": set1 + "#one"}, k, verify.Invalid, "key"},
		"kid is the address of a JWK":        {map[string]any{issuer3: plain, set1: jwk(k)}, object{"kid": set1}, k, verify.Valid, "issuer:pass"},
		"kid on another site":                {map[string]any{issuer3: plain, "https://evil.example/k": jwk(k)}, object{"kid": "https://evil.example/k"}, k, verify.Unknown, "issuer:warn"},
		"a set beside a document with keys":  {map[string]any{issuer3: controllerOf(issuer3, other), set1: jwk(k)}, object{"kid": set1}, k, verify.Unknown, "issuer:warn"},
		"kid is a key of Open Badges 2.0":    {map[string]any{issuer3: set(parse(t, text(plain)), "publicKey", "https://issuer.example/k"), "https://issuer.example/k": object{"id": "https://issuer.example/k", "type": "CryptographicKey", "owner": issuer3, "publicKeyPem": publicPEM(t)}}, object{"kid": "https://issuer.example/k", "alg": "RS256"}, rsa, verify.Valid, "issuer:pass"},
		"kid is a PEM file":                  {map[string]any{issuer3: plain, "https://issuer.example/k.pem": publicPEM(t)}, object{"kid": "https://issuer.example/k.pem", "alg": "RS256"}, rsa, verify.Valid, "issuer:pass"},
		"a did:key that is not the issuer's": {map[string]any{issuer3: controller}, object{"kid": other.method}, other, verify.Unknown, "issuer:warn"},
		"ES256":                              {map[string]any{issuer3: controllerOf(issuer3, p256)}, object{"kid": issuer3 + "#" + p256.multi}, p256, verify.Valid, "issuer:pass"},
		"no key named":                       {map[string]any{issuer3: controller}, object{}, k, verify.Invalid, "key"},
		"a further header":                   {map[string]any{issuer3: controller}, object{"kid": issuer3 + "#" + k.multi, "x5u": "https://x.example"}, k, verify.Valid, "proof:warn"},
		"a header that must be understood":   {map[string]any{issuer3: controller}, object{"kid": issuer3 + "#" + k.multi, "crit": []any{"b64"}, "b64": false}, k, verify.Invalid, "proof"},
		"another's signature":                {map[string]any{issuer3: controller}, object{"kid": issuer3 + "#" + k.multi}, other, verify.Invalid, "proof"},
		"an algorithm that is not the key's": {map[string]any{issuer3: controller}, object{"kid": issuer3 + "#" + k.multi, "alg": "ES256"}, k, verify.Invalid, "proof"},
		"an algorithm that is not known":     {map[string]any{issuer3: controller}, object{"kid": issuer3 + "#" + k.multi, "alg": "ES512"}, k, verify.Unknown, "proof:warn"},
		"a jwk that gives itself away":       {nil, object{"jwk": set(withKid(jwk(k), "x"), "d", "AAAA")}, k, verify.Invalid, "key"},
	} {
		outcome(t, name, serve(c.res), jwt(t, doc, c.header, c.key), c.want, c.by)
	}
}

// The statuses of a credential.

func encodedList(tb testing.TB, multibase bool, size int, ones ...int) string {
	tb.Helper()
	list := make([]byte, size)
	for _, i := range ones {
		list[i/8] |= 0x80 >> (i % 8)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(list)
	z.Close()
	out := base64.RawURLEncoding.EncodeToString(b.Bytes())
	if multibase {
		out = "u" + out
	}
	return out
}

func statusList(tb testing.TB, k issuerKey, encoded string, change ...any) object {
	tb.Helper()
	doc := parse(tb, `{"@context":["https://www.w3.org/ns/credentials/v2"],"id":"https://issuer.example/status/1","type":["VerifiableCredential","BitstringStatusListCredential"],
		"issuer":`+quoted(k.did)+`,"validFrom":"2020-01-01T00:00:00Z",
		"credentialSubject":{"id":"https://issuer.example/status/1#list","type":"BitstringStatusList","statusPurpose":"revocation","encodedList":`+quoted(encoded)+`}}`)
	for i := 0; i+1 < len(change); i += 2 {
		set(doc, change[i].(string), change[i+1])
	}
	return embed(tb, doc, "eddsa-rdfc-2022", k.method, k)
}

func TestAStatusListIsAsked(t *testing.T) {
	k, other := newKey(t), newKey(t)
	const list = "https://issuer.example/status/1"
	entry := func(change ...any) object {
		e := object{"id": list + "#7", "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "7", "statusListCredential": list}
		for i := 0; i+1 < len(change); i += 2 {
			set(e, change[i].(string), change[i+1])
		}
		return e
	}
	clear, taken := encodedList(t, true, 16<<10), encodedList(t, true, 16<<10, 7)
	old2021 := parse(t, `{"@context":["https://www.w3.org/2018/credentials/v1","https://w3id.org/vc/status-list/2021/v1","https://w3id.org/security/data-integrity/v2"],"id":"`+list+`","type":["VerifiableCredential","StatusList2021Credential"],
		"issuer":`+quoted(k.did)+`,"issuanceDate":"2020-01-01T00:00:00Z","credentialSubject":{"id":"`+list+`#list","type":"StatusList2021","statusPurpose":"revocation","encodedList":`+quoted(encodedList(t, false, 16<<10, 7))+`}}`)
	entry2021 := entry("type", "StatusList2021Entry")
	for name, c := range map[string]struct {
		entry any
		list  any
		want  verify.Outcome
		by    string
	}{
		"not taken back":            {entry(), statusList(t, k, clear), verify.Valid, "status:pass"},
		"taken back":                {entry(), statusList(t, k, taken), verify.Invalid, "status"},
		"another was taken back":    {entry("statusListIndex", "8"), statusList(t, k, taken), verify.Valid, "status:pass"},
		"the first place":           {entry("statusListIndex", "0"), statusList(t, k, encodedList(t, true, 16<<10, 0)), verify.Invalid, "status"},
		"the last place":            {entry("statusListIndex", "131071"), statusList(t, k, encodedList(t, true, 16<<10, 131071)), verify.Invalid, "status"},
		"an index as a number":      {entry("statusListIndex", 7), statusList(t, k, taken), verify.Invalid, "status"},
		"a place beyond the list":   {entry("statusListIndex", "131072"), statusList(t, k, clear), verify.Invalid, "status"},
		"a place below zero":        {entry("statusListIndex", "-1"), statusList(t, k, clear), verify.Invalid, "status"},
		"no place":                  {entry("statusListIndex", nil), statusList(t, k, clear), verify.Invalid, "status"},
		"no purpose":                {entry("statusPurpose", nil), statusList(t, k, clear), verify.Invalid, "status"},
		"another purpose":           {entry("statusPurpose", "suspension"), statusList(t, k, clear), verify.Invalid, "status"},
		"one of several purposes":   {entry("statusPurpose", "suspension"), statusList(t, k, taken, "credentialSubject.statusPurpose", []any{"revocation", "suspension"}), verify.Invalid, "status"},
		"two entries, one taken":    {[]any{entry("statusListIndex", "3"), entry()}, statusList(t, k, taken), verify.Invalid, "status"},
		"a list that is away":       {entry(), nil, verify.Unknown, "status:warn"},
		"a list that is no list":    {entry(), "<html>", verify.Invalid, "status"},
		"a list without a proof":    {entry(), set(statusList(t, k, clear), "proof", nil), verify.Invalid, "status"},
		"a list that was changed":   {entry(), set(statusList(t, k, taken), "credentialSubject.encodedList", clear), verify.Invalid, "status"},
		"a list by another":         {entry(), statusList(t, other, clear), verify.Valid, "status:warn"},
		"a list in another's name":  {entry(), embed(t, set(set(statusList(t, k, clear), "proof", nil), "issuer", k.did), "eddsa-rdfc-2022", other.method, other), verify.Unknown, "status:warn"},
		"a list that has run out":   {entry(), statusList(t, k, clear, "validUntil", "2025-01-01T00:00:00Z"), verify.Invalid, "status"},
		"a list that is too short":  {entry(), statusList(t, k, encodedList(t, true, 100)), verify.Invalid, "status"},
		"a list of another kind":    {entry(), embed(t, credential3(t, k.did), "eddsa-rdfc-2022", k.method, k), verify.Invalid, "status"},
		"a list that is damaged":    {entry(), statusList(t, k, "uAAAA"), verify.Invalid, "status"},
		"a list without its letter": {entry(), statusList(t, k, encodedList(t, false, 16<<10)), verify.Valid, "status:pass"},
		"StatusList2021":            {entry2021, embed(t, old2021, "eddsa-rdfc-2022", k.method, k), verify.Invalid, "status"},
		"StatusList2021, not taken": {set(parse(t, text(entry2021)), "statusListIndex", "9"), embed(t, old2021, "eddsa-rdfc-2022", k.method, k), verify.Valid, "status:pass"},
		"a list as a JWT":           {entry(), jwt(t, set(statusList(t, k, taken), "proof", nil), object{"kid": k.method}, k, "sub", nil), verify.Invalid, "status"},
		"a message":                 {entry("statusPurpose", "message", "statusListIndex", "3", "statusSize", 2, "statusMessage", []any{object{"status": "0x1", "message": "hello"}}), statusList(t, k, encodedList(t, true, 32<<10, 7), "credentialSubject.statusPurpose", "message"), verify.Valid, "status:warn"},
		"a kind that is not known":  {object{"id": list, "type": "Other"}, nil, verify.Unknown, "status:warn"},
	} {
		doc := set(credential3(t, k.did), "credentialStatus", c.entry)
		if strings.Contains(name, "kind that is not known") {
			doc["@context"] = append(doc["@context"].([]any), object{"Other": "https://x.example/Other"})
		}
		if strings.HasPrefix(name, "StatusList2021") {
			doc["@context"] = append(doc["@context"].([]any), "https://w3id.org/vc/status-list/2021/v1")
		}
		res := map[string]any{}
		if c.list != nil {
			res[list] = c.list
		}
		rep := outcome(t, name, serve(res), embed(t, doc, "eddsa-jcs-2022", k.method, k), c.want, c.by)
		if strings.Contains(name, "taken back") && rep.Revoked != (c.want == verify.Invalid) {
			t.Errorf("%s: revoked is %v", name, rep.Revoked)
		}
	}
	for name, c := range map[string]struct {
		list string
		want verify.Outcome
		by   string
	}{
		"in the list":               {`{"id":"` + list + `","issuer":` + quoted(k.did) + `,"revokedCredential":[{"id":"https://issuer.example/credentials/1","revoked":true,"revocationReason":"a mistake"}]}`, verify.Invalid, "status"},
		"in the plural list":        {`{"revokedCredentials":[{"id":"https://issuer.example/credentials/1"}]}`, verify.Invalid, "status"},
		"revoked is false":          {`{"revokedCredential":[{"id":"https://issuer.example/credentials/1","revoked":false}]}`, verify.Valid, "status:pass"},
		"another is in it":          {`{"revokedCredential":[{"id":"https://issuer.example/credentials/2"}]}`, verify.Valid, "status:pass"},
		"one entry and no list":     {`{"revokedCredential":{"id":"https://issuer.example/credentials/1"}}`, verify.Invalid, "status"},
		"an empty list":             {`{"revokedCredential":[]}`, verify.Valid, "status:pass"},
		"another issuer's list":     {`{"issuer":"https://other.example","revokedCredential":[]}`, verify.Unknown, "status:warn"},
		"something else":            {`{}`, verify.Invalid, "status"},
		"something that is no JSON": {`hello`, verify.Unknown, "status:warn"},
	} {
		doc := set(credential3(t, k.did), "credentialStatus", object{"id": list, "type": "1EdTechRevocationList"})
		doc["@context"] = append(doc["@context"].([]any), "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json")
		outcome(t, "1EdTech: "+name, serve(map[string]any{list: c.list}), embed(t, doc, "eddsa-rdfc-2022", k.method, k), c.want, c.by)
	}
}

func TestEndorsementsOfACredentialAreVerified(t *testing.T) {
	k, friend := newKey(t), newKey(t)
	e := func() object {
		return parse(t, `{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],"id":"urn:uuid:e1","type":["VerifiableCredential","EndorsementCredential"],"name":"E",
			"issuer":{"id":`+quoted(friend.did)+`,"type":["Profile"],"name":"F"},"validFrom":"2020-01-01T00:00:00Z",
			"credentialSubject":{"id":"https://issuer.example/achievements/1","type":["EndorsementSubject"],"endorsementComment":"fine"}}`)
	}
	good := embed(t, e(), "eddsa-rdfc-2022", friend.method, friend)
	for name, c := range map[string]struct {
		path string
		e    any
		want verify.Outcome
		by   string
	}{
		"of the achievement":        {"credentialSubject.achievement.endorsement", good, verify.Valid, "endorsement:pass"},
		"of the issuer":             {"issuer.endorsement", embed(t, set(e(), "credentialSubject.id", k.did), "eddsa-rdfc-2022", friend.method, friend), verify.Valid, "endorsement:pass"},
		"of the credential":         {"endorsement", embed(t, set(e(), "credentialSubject.id", "https://issuer.example/credentials/1"), "eddsa-rdfc-2022", friend.method, friend), verify.Valid, "endorsement:pass"},
		"as a JWT":                  {"endorsementJwt", jwt(t, e(), object{"kid": friend.method}, friend), verify.Valid, "endorsement:pass"},
		"as a JWT, changed":         {"endorsementJwt", jwt(t, e(), object{"kid": friend.method}, k), verify.Invalid, "endorsement"},
		"about something else":      {"endorsement", embed(t, set(e(), "credentialSubject.id", "urn:x:1"), "eddsa-rdfc-2022", friend.method, friend), verify.Valid, "endorsement:warn"},
		"that was changed":          {"endorsement", set(parse(t, text(good)), "credentialSubject.endorsementComment", "great"), verify.Invalid, "endorsement"},
		"without a proof":           {"endorsement", e(), verify.Invalid, "endorsement"},
		"that ran out":              {"endorsement", embed(t, set(e(), "validUntil", "2025-01-01T00:00:00Z"), "eddsa-rdfc-2022", friend.method, friend), verify.Invalid, "endorsement"},
		"without a name":            {"endorsement", embed(t, set(e(), "name", nil), "eddsa-rdfc-2022", friend.method, friend), verify.Invalid, "endorsement"},
		"of a foreign key":          {"endorsement", embed(t, e(), "eddsa-rdfc-2022", k.method, k), verify.Unknown, "endorsement:warn"},
		"that is no endorsement":    {"endorsement", embed(t, credential3(t, friend.did), "eddsa-rdfc-2022", friend.method, friend), verify.Invalid, "endorsement"},
		"a suite that is not known": {"endorsement", set(parse(t, text(good)), "proof.0.cryptosuite", "other"), verify.Unknown, "endorsement:warn"},
	} {
		doc := set(full3(t, k.did), c.path, []any{c.e})
		outcome(t, name, serve(nil), jwt(t, doc, object{"kid": k.method}, k, "exp", endOfFull), c.want, c.by)
	}
	outcome(t, "alone", serve(nil), good, verify.Valid, "proof:pass")
}

func TestACredentialInEveryForm(t *testing.T) {
	k := newKey(t)
	doc := text(embed(t, credential3(t, k.did), "eddsa-rdfc-2022", k.method, k))
	token := jwt(t, credential3(t, k.did), object{"kid": k.method}, k)
	for form, data := range map[string]string{"JSON": doc, "JWT": token} {
		res := map[string]any{"https://issuer.example/c": data}
		inputs := map[string]verify.Input{"data": {Data: []byte(data)}, "address": {URL: "https://issuer.example/c"}, "address as text": {Data: []byte("https://issuer.example/c\n")}}
		for _, kind := range []bake.Kind{bake.OpenBadges, bake.Credential} {
			for format, blank := range map[string][]byte{"PNG": png(), "SVG": []byte(svg)} {
				baked, err := bake.Bake(blank, kind, []byte(data))
				if err != nil {
					t.Fatal(err)
				}
				inputs[format+" "+string(kind)] = verify.Input{Data: baked}
				res["https://issuer.example/"+format] = string(baked)
				inputs[format+" address"] = verify.Input{URL: "https://issuer.example/" + format}
			}
		}
		for name, in := range inputs {
			rep := check3(serve(res), in)
			if !rep.Valid || rep.Version != "3.0" || rep.Verification != "proof" || rep.Subject != "https://issuer.example/credentials/1" {
				t.Errorf("%s as %s: %s %v", form, name, rep.Outcome, rep.Problems())
			} else if got := string(rep.Assertion.Document); got != data {
				t.Errorf("%s as %s: the document is %s", form, name, got)
			}
		}
	}
	gone := serve(nil)
	gone["https://issuer.example/c"] = verify.Resource{Status: http.StatusGone}
	if rep := check3(gone, verify.Input{URL: "https://issuer.example/c"}); !rep.Revoked || rep.Outcome != verify.Invalid {
		t.Errorf("gone: %s", rep.Outcome)
	}
}

func TestThePicturesOfACredential(t *testing.T) {
	k := newKey(t)
	const at = "https://issuer.example/p.png"
	other, err := bake.Bake(png(), bake.Credential, []byte(text(set(credential3(t, k.did), "id", "urn:x:other"))))
	if err != nil {
		t.Fatal(err)
	}
	own, err := bake.Bake(png(), bake.Credential, []byte(text(credential3(t, k.did))))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path string
		body any
		want verify.Outcome
		by   string
	}{
		"is there":             {"credentialSubject.achievement.image", string(png()), verify.Valid, "image:pass"},
		"is away":              {"credentialSubject.achievement.image", nil, verify.Valid, "image:warn"},
		"is something else":    {"credentialSubject.achievement.image", "hello", verify.Valid, "image:warn"},
		"carries this badge":   {"image", string(own), verify.Valid, "image:pass"},
		"carries another":      {"image", string(other), verify.Invalid, "image"},
		"carries another, too": {"credentialSubject.image", string(other), verify.Invalid, "image"},
	} {
		doc := set(credential3(t, k.did), c.path, object{"id": at, "type": "Image"})
		res := map[string]any{}
		if c.body != nil {
			res[at] = c.body
		}
		outcome(t, name, serve(res), embed(t, doc, "eddsa-rdfc-2022", k.method, k), c.want, c.by)
	}
}

func TestContextsOfOthersAreFetched(t *testing.T) {
	k := newKey(t)
	const at = "https://ctx.example/v1"
	doc := set(credential3(t, k.did), "mood", "good")
	doc["@context"] = append(doc["@context"].([]any), at)
	// The signer needs it as well: sign without JSON-LD.
	signed := embed(t, doc, "eddsa-jcs-2022", k.method, k)
	outcome(t, "there", serve(map[string]any{at: `{"@context":{"mood":"https://ctx.example/v1#mood"}}`}), signed, verify.Valid, "context:pass")
	outcome(t, "away", serve(nil), signed, verify.Unknown, "context:warn")
	outcome(t, "another", serve(map[string]any{at: `{"@context":{}}`}), signed, verify.Invalid, "context")
	outcome(t, "one that has it by another name", serve(map[string]any{at: `{"@context":{"mood":"https://www.w3.org/2018/credentials#validUntil"}}`}), signed, verify.Invalid, "context")
}

func TestTheSchemaThatACredentialNames(t *testing.T) {
	k := newKey(t)
	const at = "https://schema.example/s.json"
	doc := set(credential3(t, k.did), "credentialSchema", []any{object{"id": at, "type": "1EdTechJsonSchemaValidator2019"}})
	doc["@context"] = append(doc["@context"].([]any), "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json")
	signed := embed(t, doc, "eddsa-rdfc-2022", k.method, k)
	outcome(t, "fits", serve(map[string]any{at: `{"type":"object","required":["name"]}`}), signed, verify.Valid, "schema:pass")
	outcome(t, "does not fit", serve(map[string]any{at: `{"type":"object","required":["nickname"]}`}), signed, verify.Invalid, "schema")
	outcome(t, "is away", serve(nil), signed, verify.Unknown, "schema:warn")
	outcome(t, "asks for more than we know", serve(map[string]any{at: `{"if":{}}`}), signed, verify.Unknown, "schema:warn")
}
