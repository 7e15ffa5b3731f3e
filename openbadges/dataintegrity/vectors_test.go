package dataintegrity_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"badgebridge/openbadges/dataintegrity"
	"badgebridge/openbadges/did"
	"badgebridge/openbadges/jsonld"
)

// vectorDir is where the vectors of W3C and others lie when the project is built
// with its test data beside it.
const vectorDir = "../../../shared/vectors"

func vector(tb testing.TB, name ...string) []byte {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join(append([]string{vectorDir}, name...)...))
	if err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatalf("the test vectors are missing: %v", err)
		}
		tb.Skipf("the test vectors are not here: %v", err)
	}
	return raw
}

func w3c(tb testing.TB, name string) []byte { return vector(tb, "w3c", "eddsa", name) }

// examples is a processor that knows the context of W3C's examples, which is a
// single vocabulary.
func examples() *jsonld.Processor {
	return jsonld.New(jsonld.Config{Loader: func(_ context.Context, url string) ([]byte, error) {
		if url != "https://www.w3.org/ns/credentials/examples/v2" {
			return nil, fmt.Errorf("no network in tests: %s", url)
		}
		return []byte(`{"@context":{"@vocab":"https://www.w3.org/ns/credentials/examples#"}}`), nil
	}})
}

func object(tb testing.TB, raw []byte) map[string]any {
	tb.Helper()
	doc, err := jsonld.ParseObject(raw, jsonld.Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	return doc
}

// methodKey is the key of a did:key.
func methodKey(tb testing.TB, method string) any {
	tb.Helper()
	_, fragment := did.Split(method)
	key, err := did.ParseMultikey(fragment)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// secretKey reads a private key as W3C's vectors have it.
func secretKey(tb testing.TB, multibase string) ed25519.PrivateKey {
	tb.Helper()
	raw, err := did.DecodeMultibase(multibase)
	if err != nil || len(raw) != 34 || !bytes.HasPrefix(raw, []byte{0x80, 0x26}) {
		tb.Fatalf("no private key: %x %v", raw, err)
	}
	return ed25519.NewKeyFromSeed(raw[2:])
}

func TestTheW3CVectorsVerify(t *testing.T) {
	p := examples()
	for _, name := range []string{
		"eddsa-rdfc-2022/signedDataInt.json", "eddsa-jcs-2022/signedJCS.json",
		"Ed25519Signature2020/signedEdSig.json", "proof-set-chain/signedProofSet1.json", "proof-set-chain/signedProofSet2.json",
		"proof-set-chain/signedProofChain1.json", "proof-set-chain/signedProofChain2.json",
	} {
		t.Run(name, func(t *testing.T) {
			s, err := dataintegrity.Open(p, object(t, w3c(t, name)))
			if err != nil {
				t.Fatal(err)
			}
			if len(s.Proofs()) == 0 {
				t.Fatal("no proofs")
			}
			for i, proof := range s.Proofs() {
				if err := s.Verify(t.Context(), proof, methodKey(t, proof.VerificationMethod)); err != nil {
					t.Errorf("proof %d: %v", i, err)
				}
			}
		})
	}
}

func TestTheW3CVectorsAreReproduced(t *testing.T) {
	p := examples()
	var pair struct {
		Private string `json:"privateKeyMultibase"`
	}
	if err := json.Unmarshal(w3c(t, "keyPair.json"), &pair); err != nil {
		t.Fatal(err)
	}
	key := secretKey(t, pair.Private)
	for signedName, files := range map[string]struct{ doc, sig string }{
		"eddsa-rdfc-2022/signedDataInt.json": {"unsigned.json", "eddsa-rdfc-2022/sigHexDataInt.txt"},
		"eddsa-jcs-2022/signedJCS.json":      {"unsigned.json", "eddsa-jcs-2022/sigHexJCS.txt"},
	} {
		t.Run(signedName, func(t *testing.T) {
			want := object(t, w3c(t, signedName))
			proof, err := dataintegrity.Proofs(want)
			if err != nil || len(proof) != 1 {
				t.Fatal(proof, err)
			}
			doc := object(t, w3c(t, files.doc))
			got, err := dataintegrity.Sign(t.Context(), p, doc, options(proof[0]), key)
			if err != nil {
				t.Fatal(err)
			}
			same(t, got, proof[0].Raw)
			raw, err := did.DecodeMultibase(got["proofValue"].(string))
			if err != nil || hex.EncodeToString(raw) != strings.TrimSpace(string(w3c(t, files.sig))) {
				t.Errorf("the signature is %x: %v", raw, err)
			}
		})
	}
}

// TestTheW3CChainIsReproduced builds the set and the chain step by step.
func TestTheW3CChainIsReproduced(t *testing.T) {
	p := examples()
	var pairs map[string]struct {
		Private string `json:"privateKeyMultibase"`
	}
	if err := json.Unmarshal(w3c(t, "proof-set-chain/multiKeyPairs.json"), &pairs); err != nil {
		t.Fatal(err)
	}
	want, err := dataintegrity.Proofs(object(t, w3c(t, "proof-set-chain/signedProofChain2.json")))
	if err != nil || len(want) != 4 {
		t.Fatal(want, err)
	}
	doc := object(t, w3c(t, "proof-set-chain/unsigned.json"))
	for i, proof := range want {
		got, err := dataintegrity.Sign(t.Context(), p, doc, options(proof), secretKey(t, pairs[fmt.Sprintf("keyPair%d", i+1)].Private))
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, proof.Raw)
		doc = dataintegrity.Attach(doc, got)
	}
	s, err := dataintegrity.Open(p, doc)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := s.Chain(s.Proofs()[3])
	if err != nil || len(chain) != 3 || chain[0].ID != want[2].ID {
		t.Errorf("the last proof builds on %v: %v", chain, err)
	}
}

func options(p dataintegrity.Proof) dataintegrity.Options {
	return dataintegrity.Options{
		Cryptosuite: p.Cryptosuite, VerificationMethod: p.VerificationMethod, Purpose: p.Purpose, Created: p.Created, Expires: p.Expires,
		ID: p.ID, Previous: p.Previous, Domains: p.Domains, Challenge: p.Challenge,
	}
}

func same(tb testing.TB, got, want map[string]any) {
	tb.Helper()
	g, _ := json.Marshal(got)
	w, _ := json.Marshal(want)
	if !bytes.Equal(g, w) {
		tb.Errorf("got\n%s\nwant\n%s\n%v", g, w, slices.Sorted(maps.Keys(got)))
	}
}
