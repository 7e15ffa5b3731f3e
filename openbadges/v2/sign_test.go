package v2_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"badgebridge/openbadges"
	"badgebridge/openbadges/jose"
	v2 "badgebridge/openbadges/v2"
)

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func ExampleSignAssertion() {
	const issuer = "https://badges.example.org/ob/v2/issuers/1"
	key := rsaKey()
	jws, _, err := v2.SignAssertion(v2.Assertion{
		ID:           "urn:uuid:a953081a-4bbc-4927-9ffa-7646baa4daca",
		Verification: v2.Verification{Type: v2.SignedBadge, Creator: issuer + "/key"},
		Award: openbadges.Award{
			BadgeClass: openbadges.BadgeClass{ID: "https://badges.example.org/ob/v2/badgeclasses/1"},
			Recipient:  v2.HashRecipient(openbadges.Recipient{Identity: "nobody@example.org"}, "deadsea"),
			IssuedOn:   time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC),
		},
	}, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	// This is served under the key's address, which the issuer's document names.
	_, err = v2.EncodeKey(issuer+"/key", issuer, key.Public())
	if err != nil {
		fmt.Println(err)
		return
	}
	signed, err := jose.Parse(jws, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(signed.Header.Algorithm, signed.Verify(key.Public()), strings.Contains(string(signed.Payload), `"verification":{"type":"SignedBadge"`))
	// Output: RS256 <nil> true
}

func signed() v2.Assertion {
	a := assertion()
	a.ID = "urn:uuid:a953081a-4bbc-4927-9ffa-7646baa4daca"
	a.Verification = v2.Verification{Type: v2.SignedBadge, Creator: "https://badges.example.org/keys/1"}
	return a
}

func TestASignedAssertionIsReadBack(t *testing.T) {
	jws, notes, err := v2.SignAssertion(signed(), rsaKey())
	if err != nil || len(notes) > 0 {
		t.Fatal(notes, err)
	}
	j, err := jose.Parse(jws, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Verify(rsaKey().Public()); err != nil || len(j.Header.Raw) != 1 {
		t.Errorf("%v %v", j.Header.Raw, err)
	}
	got, notes, err := v2.DecodeAssertion(j.Payload)
	if err != nil || len(notes) > 0 || got.ID != signed().ID || got.Verification != signed().Verification || got.Award.Narrative != "Well done" {
		t.Errorf("%+v %v %v", got, notes, err)
	}
}

func TestAnAssertionThatIsNotSigned(t *testing.T) {
	for name, change := range map[string]func(a *v2.Assertion){
		"id":                   func(a *v2.Assertion) { a.ID = "x1" },
		"verification.creator": func(a *v2.Assertion) { a.Verification.Creator = "" },
		"verification":         func(a *v2.Assertion) { a.Verification.Type = v2.HostedBadge },
		"revoked":              func(a *v2.Assertion) { a.Award.Revoked = true },
		"recipient.hashed":     func(a *v2.Assertion) { a.Award.Recipient.Hashed = false },
		"issuedOn":             func(a *v2.Assertion) { a.Award.IssuedOn = time.Time{} },
	} {
		a := signed()
		change(&a)
		if _, _, err := v2.SignAssertion(a, rsaKey()); !errors.Is(err, v2.ErrIncomplete) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := v2.SignAssertion(signed(), ed); !errors.Is(err, jose.ErrKey) {
		t.Errorf("Ed25519: %v", err)
	}
}

func TestAKeyHasADocument(t *testing.T) {
	raw, err := v2.EncodeKey("https://badges.example.org/keys/1", "https://badges.example.org/issuers/1", rsaKey().Public())
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]string
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	key, err := jose.ParsePEM(m["publicKeyPem"])
	if err != nil || !rsaKey().PublicKey.Equal(key) || m["owner"] != "https://badges.example.org/issuers/1" || m["type"] != "CryptographicKey" {
		t.Errorf("%v %v", m, err)
	}
	if _, err := v2.EncodeKey("x", "https://badges.example.org/issuers/1", rsaKey().Public()); !errors.Is(err, v2.ErrIncomplete) {
		t.Error(err)
	}
}
