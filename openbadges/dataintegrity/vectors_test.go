package dataintegrity_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
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

// signedOB3 are the badges of 1EdTech's tests whose signature is good, whatever
// else is wrong with them.
var signedOB3 = []string{
	"simple.json", "simple-did-key-method.json", "simple-did-web-method.json", "simple-context-alias.json", "simple-context-version.json",
	"simple-err-expired.json", "simple-err-issued.json", "simple-multiple-proofs.json",
	"credential-status-revoked.json", "bit-string-list/testlist", "bit-string-list/credential-status-revoked.json",
}

// badOB3 are those that can't be verified, each with the reason.
var badOB3 = map[string]error{
	"simple-err-proof-value.json": dataintegrity.ErrSignature,
	// Types that no context defines: what stands beside them is not covered.
	"simple-err-credential-subject-achievement-result-description-type.json": jsonld.ErrUnsafe,
	"simple-err-credential-subject-identifier-type.json":                     jsonld.ErrUnsafe,
	"simple-err-credential-subject-result-type.json":                         jsonld.ErrUnsafe,
	"simple-err-credential-subject-type.json":                                jsonld.ErrUnsafe,
	"simple-err-evidence-type.json":                                          jsonld.ErrUnsafe,
	"simple-err-issuer-otheridentifier-type.json":                            jsonld.ErrUnsafe,
	"sd/derivedcredential.json":                                              dataintegrity.ErrUnsupported,
}

// specKey is the key of the Open Badges 3.0 specification's example and of
// 1EdTech's tests.
func specKey(tb testing.TB) ed25519.PrivateKey {
	tb.Helper()
	seed, err := hex.DecodeString("6241a409e6707bb640a0140a8a32bc3d193c33a661747284d6adfa4ed4180be4")
	if err != nil {
		tb.Fatal(err)
	}
	return ed25519.NewKeyFromSeed(seed)
}

func TestTheBadgesOf1EdTechVerify(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	key := specKey(t).Public()
	for _, name := range signedOB3 {
		t.Run(name, func(t *testing.T) {
			s, err := dataintegrity.Open(p, object(t, vector(t, "ob3", name)))
			if err != nil {
				t.Fatal(err)
			}
			good := 0
			for _, proof := range s.Proofs() {
				switch err := s.Verify(t.Context(), proof, key); {
				case err == nil:
					good++
				case !errors.Is(err, dataintegrity.ErrUnsupported):
					t.Error(err)
				}
			}
			if good != 1 {
				t.Errorf("%d proofs are good", good)
			}
		})
	}
}

func TestTheBadBadgesOf1EdTechDoNot(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	key := specKey(t).Public()
	for name, want := range badOB3 {
		s, err := dataintegrity.Open(p, object(t, vector(t, "ob3", name)))
		if err != nil || len(s.Proofs()) != 1 {
			t.Fatal(name, err)
		}
		if err := s.Verify(t.Context(), s.Proofs()[0], key); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTheSpecificationsExampleIsReproduced signs the example of the Open Badges
// 3.0 specification ("Linked Data Proof"). Its badge is that of a test of
// 1EdTech's but for the issuer.
func TestTheSpecificationsExampleIsReproduced(t *testing.T) {
	p := jsonld.New(jsonld.Config{})
	doc := object(t, vector(t, "ob3", "simple.json"))
	proofs, err := dataintegrity.Proofs(doc)
	if err != nil || len(proofs) != 1 {
		t.Fatal(proofs, err)
	}
	key := specKey(t)
	own, err := dataintegrity.Sign(t.Context(), p, doc, options(proofs[0]), key)
	if err != nil {
		t.Fatal(err)
	}
	same(t, own, proofs[0].Raw)

	const issuer = "https://example.edu/issuers/565049"
	delete(doc, "proof")
	doc["issuer"].(map[string]any)["id"] = issuer
	doc["issuer"].(map[string]any)["url"] = "https://www.imsglobal.org"
	o := options(proofs[0])
	o.VerificationMethod = issuer + "#z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi"
	got, err := dataintegrity.Sign(t.Context(), p, doc, o, key)
	if err != nil {
		t.Fatal(err)
	}
	if got["proofValue"] != "z5x9aCBYovW3CQCbKdNyhEm7ffYSw1YpEdPywQJoNbzDD2gkzQDKJ1sYKJaWvqZtkMtSbz35HcbgXVEDYHxCzgkCr" {
		t.Errorf("the signature is %v", got["proofValue"])
	}
}
