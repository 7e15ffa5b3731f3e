package interop_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"badgebridge/openbadges"
	"badgebridge/openbadges/dataintegrity"
	"badgebridge/openbadges/did"
	"badgebridge/openbadges/jsonld"
	"badgebridge/openbadges/statuslist"
	v2 "badgebridge/openbadges/v2"
	v3 "badgebridge/openbadges/v3"
	"badgebridge/openbadges/verify"
)

// object is a JSON object.
type object = map[string]any

var (
	processor = sync.OnceValue(func() *jsonld.Processor { return jsonld.New(jsonld.Config{}) })
	issued    = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

const (
	listURL = "https://issuer.example.org/status/1"
	earner  = "learner.one@example.org"
)

// key is a signing key with its did:key.
type key struct {
	private crypto.Signer
	did     string
	method  string
}

func named(t testing.TB, private crypto.Signer) key {
	t.Helper()
	id, method, err := did.KeyDID(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return key{private, id, method}
}

// edKey is an Ed25519 key, always the same for one number.
func edKey(t testing.TB, n byte) key {
	return named(t, ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune('a'+n)), ed25519.SeedSize))))
}

func p256Key(t testing.TB) key {
	t.Helper()
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), []byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return named(t, private)
}

// rsaKey takes a while to make, so that there is one.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(nil, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// multikey is the key in the form that the JavaScript libraries take, the private
// part included.
func (k key) multikey(t testing.TB) object {
	t.Helper()
	public := strings.TrimPrefix(k.did, "did:key:")
	var secret []byte
	switch p := k.private.(type) {
	case ed25519.PrivateKey:
		secret = append([]byte{0x80, 0x26}, p...) // multicodec ed25519-priv, seed and public key
	case *ecdsa.PrivateKey:
		d, err := p.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		secret = append([]byte{0x86, 0x26}, d...) // multicodec p256-priv
	}
	return object{"id": k.method, "controller": k.did, "publicKeyMultibase": public, "secretKeyMultibase": did.EncodeMultibase(secret)}
}

// privateJWK is the key as jose takes it.
func privateJWK(t testing.TB, private crypto.Signer) object {
	t.Helper()
	public, err := did.JWK(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	out := object{}
	for n, v := range public {
		out[n] = v
	}
	set := func(n string, b []byte) { out[n] = base64url(b) }
	switch p := private.(type) {
	case ed25519.PrivateKey:
		set("d", p.Seed())
	case *ecdsa.PrivateKey:
		d, err := p.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		set("d", d)
	case *rsa.PrivateKey:
		for n, v := range map[string]*big.Int{"d": p.D, "p": p.Primes[0], "q": p.Primes[1], "dp": p.Precomputed.Dp, "dq": p.Precomputed.Dq, "qi": p.Precomputed.Qinv} {
			set(n, v.Bytes())
		}
	}
	return out
}

func privatePEM(t testing.TB, private crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func publicPEM(t testing.TB, public crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// credential is a credential as our codec writes it, of the smallest or with all
// that Open Badges 3.0 has a place for, without proof. index is its place in the
// status list; -1 leaves the status out.
func credential(t testing.TB, issuer string, full bool, index int) object {
	t.Helper()
	hashed := v2.HashRecipient(openbadges.Recipient{Type: openbadges.IdentityEmail, Identity: earner}, "f00dsalt")
	c := v3.Credential{
		ID: "urn:uuid:7c4f5b63-0c3c-4b6c-9d5e-2f3a8d1b0001", Name: "First Aid",
		Issuer: openbadges.Profile{ID: issuer, Name: "Example Association", URL: "https://example.org/", Email: "badges@example.org"},
		Award: openbadges.Award{
			Recipient: hashed, IssuedOn: issued, Expires: time.Date(2990, 1, 1, 0, 0, 0, 0, time.UTC),
			BadgeClass: openbadges.BadgeClass{
				ID: "https://issuer.example.org/badges/1", Name: "First Aid", Description: "Knows what to do – æøå, 日本, “quotes” & <tags>.",
				Criteria: openbadges.Criteria{ID: "https://issuer.example.org/badges/1/criteria", Narrative: "Pass the *test*.\nTwice."},
				Image:    &openbadges.Image{ID: "https://issuer.example.org/image.png", Caption: "A cross"},
			},
		},
	}
	if index >= 0 {
		entry := statuslist.Entry{Type: statuslist.TypeBitstring, Purpose: statuslist.Revocation, Index: index, List: listURL}
		c.Status = []json.RawMessage{marshal(t, entry.Object())}
	}
	if full {
		fill(&c)
	}
	doc, lost, err := v3.EncodeCredential(c)
	if err != nil || len(lost) > 0 {
		t.Fatalf("%v, %v", err, lost)
	}
	return parse(t, doc)
}

func fill(c *v3.Credential) {
	alignment := openbadges.Alignment{TargetName: "Care", TargetURL: "https://example.org/care", TargetCode: "C-1", TargetDescription: "Caring", TargetFramework: "F", TargetType: "CFItem"}
	entry := openbadges.IdentifierEntry{Identifier: "4711", Type: "sourcedId"}
	w := &c.Award
	b := &w.BadgeClass
	c.Description, c.Image = "For a year of work", &openbadges.Image{ID: "https://issuer.example.org/award.png"}
	c.Issuer.Description, c.Issuer.Telephone, c.Issuer.Identifiers = "An association", "+4512345678", []openbadges.IdentifierEntry{entry}
	c.Issuer.Address = &openbadges.Address{Country: "Denmark", CountryCode: "DK", Locality: "Aarhus", PostalCode: "8000", Street: "A 1", Latitude: "56.15", Longitude: "10.2"}
	c.Issuer.ParentOrg = &openbadges.Profile{ID: "https://example.com/", Name: "Parent", Official: "Somebody"}
	w.ValidFrom, w.Narrative, w.CreditsEarned, w.LicenseNumber, w.Role, w.Term = issued.Add(-time.Hour), "Well *done*", "1.5", "L-1", "Helper", "Spring"
	w.ActivityStart, w.ActivityEnd = issued.AddDate(-1, 0, 0), issued
	w.Source = &openbadges.Profile{ID: "https://example.com/assessor", Name: "Assessor", Person: &openbadges.PersonName{GivenName: "Ada", FamilyName: "Demo", HonorificPrefix: "Dr"}}
	w.Evidence = []openbadges.Evidence{{ID: "https://example.org/e/1", Name: "Photo", Narrative: "Seen", Description: "D", Genre: "Photo", Audience: "all"}}
	level := openbadges.RubricLevel{ID: "urn:uuid:7c4f5b63-0c3c-4b6c-9d5e-2f3a8d1b0010", Name: "Good", Level: "2", Points: "8", Description: "good", Alignments: []openbadges.Alignment{alignment}}
	description := openbadges.ResultDescription{
		ID: "urn:uuid:7c4f5b63-0c3c-4b6c-9d5e-2f3a8d1b0011", Name: "Grade", ResultType: "RubricCriterionLevel", AllowedValues: []string{"A", "B"}, RequiredLevel: level.ID,
		RequiredValue: "B", ValueMin: "0", ValueMax: "10", Levels: []openbadges.RubricLevel{level}, Alignments: []openbadges.Alignment{alignment},
	}
	w.Results = []openbadges.Result{{ResultDescription: description.ID, Value: "A", Status: "Completed", AchievedLevel: level.ID, Alignments: []openbadges.Alignment{alignment}}}
	b.ResultDescriptions, b.Alignments = []openbadges.ResultDescription{description}, []openbadges.Alignment{alignment}
	b.Issuer = openbadges.Profile{ID: "https://example.com/creator", Name: "Creator"}
	b.Version, b.Language, b.Tags, b.AchievementType, b.CreditsAvailable = "2", "en-GB", []string{"health", "care"}, "Certificate", "2.5"
	b.FieldOfStudy, b.Specialization, b.HumanCode, b.Identifiers = "Health", "First aid", "FA-1", []openbadges.IdentifierEntry{entry}
	b.Related = []openbadges.Related{{ID: "https://issuer.example.org/badges/2", Language: "da", Version: "1"}}
}

// prove adds a proof by our own package.
func prove(t testing.TB, doc object, suite string, k key) object {
	t.Helper()
	proof, err := dataintegrity.Sign(context.Background(), processor(), doc, dataintegrity.Options{Cryptosuite: suite, VerificationMethod: k.method, Created: issued}, k.private)
	if err != nil {
		t.Fatal(err)
	}
	return dataintegrity.Attach(doc, proof)
}

// check verifies with our own package, at a time when the badges hold.
func check(data []byte, resources verify.Offline) verify.Report {
	return verify.Verify(context.Background(), verify.Input{Data: data}, verify.Options{
		Fetcher: resources, Now: func() time.Time { return issued.AddDate(0, 6, 0) },
		Recipient: []verify.Identifier{{Type: openbadges.IdentityEmail, Value: earner}},
	})
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t testing.TB, b []byte) object {
	t.Helper()
	out, err := jsonld.ParseObject(b, jsonld.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
