package interop_test

import (
	"crypto"
	"strings"
	"testing"
	"time"

	"badgebridge/internal/interop"
	"badgebridge/openbadges/jose"
	"badgebridge/openbadges/statuslist"
	"badgebridge/openbadges/verify"
)

// algorithms are those of JOSE that badges are signed with, each with a key.
func algorithms(t testing.TB) map[string]crypto.Signer {
	t.Helper()
	return map[string]crypto.Signer{jose.RS256: rsaKey(), jose.ES256: p256Key(t).private, jose.EdDSA: edKey(t, 3).private}
}

// issuerOf is the did:key of a key, or an address where there is no such form
// that others read.
func issuerOf(t testing.TB, k crypto.Signer) string {
	t.Helper()
	if k == crypto.Signer(rsaKey()) {
		return "https://issuer.example.org/issuers/1"
	}
	return named(t, k).did
}

func TestJoseAcceptsOurTokensAndWeAcceptItsOwn(t *testing.T) {
	node := interop.Node(t)
	for alg, k := range algorithms(t) {
		t.Run(alg, func(t *testing.T) {
			issuer := issuerOf(t, k)
			doc := credential(t, issuer, true, -1)
			token, err := jose.SignVC(doc, jose.Header{Algorithm: alg}, k)
			if err != nil {
				t.Fatal(err)
			}
			var read struct {
				Payload object `json:"payload"`
			}
			if err := node.Do("jwtVerify", object{"token": token, "issuer": issuer}, &read); err != nil {
				t.Fatalf("ours: %v", err)
			}
			if read.Payload["jti"] != doc["id"] || read.Payload["name"] != "First Aid" {
				t.Errorf("jose read %v", read.Payload)
			}
			head, rest, _ := strings.Cut(token, ".")
			body, sig, _ := strings.Cut(rest, ".")
			if err := node.Do("jwtVerify", object{"token": head + "." + body[:len(body)-4] + "AAAA." + sig, "issuer": issuer}, nil); err == nil {
				t.Error("jose took a changed token")
			}

			public, err := jose.JWK{Key: k.Public()}.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			payload := object{}
			for n, v := range doc {
				payload[n] = v
			}
			payload["iss"], payload["jti"], payload["nbf"], payload["exp"] = issuer, doc["id"], issued.Add(-time.Hour).Unix(), time.Date(2990, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
			var theirs string
			header := object{"alg": alg, "typ": "JWT", "jwk": parse(t, public)}
			if err := node.Do("jwtSign", object{"payload": payload, "header": header, "jwk": privateJWK(t, k)}, &theirs); err != nil {
				t.Fatal(err)
			}
			// The proof is good; whose key it is depends on what the issuer's address says,
			// and a did:key says it by itself.
			rep := check([]byte(theirs), nil)
			want := verify.Valid
			if strings.HasPrefix(issuer, "https:") {
				want = verify.Unknown
			}
			if rep.Outcome != want || !passed(rep, "proof") {
				t.Errorf("theirs: %s: %v", rep.Outcome, rep.Problems())
			}
		})
	}
}

func passed(rep verify.Report, check string) bool {
	for _, c := range rep.Checks {
		if c.Name == check && c.Status == verify.Pass {
			return true
		}
	}
	return false
}

func TestThumbprintsAreThoseOfJose(t *testing.T) {
	node := interop.Node(t)
	for alg, k := range algorithms(t) {
		j := jose.JWK{Key: k.Public()}
		ours, err := j.Thumbprint()
		if err != nil {
			t.Fatal(err)
		}
		public, err := j.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var theirs string
		if err := node.Do("thumbprint", object{"jwk": parse(t, public)}, &theirs); err != nil || ours != theirs {
			t.Errorf("%s: %s, jose says %s, %v", alg, ours, theirs, err)
		}
	}
}

// openbadgeslib knows RS256, ES256 and EdDSA for OB 3.0, with a key that it is
// given.
func TestOpenbadgeslibAcceptsOurTokensAndWeAcceptItsOwn(t *testing.T) {
	python := interop.Python(t)
	for alg, k := range algorithms(t) {
		t.Run(alg, func(t *testing.T) {
			issuer := issuerOf(t, k)
			token, err := jose.SignVC(credential(t, issuer, false, -1), jose.Header{Algorithm: alg}, k)
			if err != nil {
				t.Fatal(err)
			}
			var read struct{ ID, Issuer, Achievement string }
			if err := python.Do("jwt_verify", object{"token": token, "key": publicPEM(t, k.Public())}, &read); err != nil {
				t.Errorf("ours: %v", err)
			} else if read.Issuer != issuer || read.Achievement != "First Aid" {
				t.Errorf("it read %+v", read)
			}
			other := publicPEM(t, edKey(t, 9).private.Public())
			if err := python.Do("jwt_verify", object{"token": token, "key": other}, nil); err == nil {
				t.Error("it took a token by another key")
			}
			var theirs string
			err = python.Do("jwt_sign", object{"key": privatePEM(t, k), "algorithm": alg, "credential": object{
				"issuer": issuer, "id": "urn:uuid:7c4f5b63-0c3c-4b6c-9d5e-2f3a8d1b0009", "from": "2026-01-02T03:04:05+00:00", "recipient": "did:example:learner",
				"achievement": object{"id": "https://issuer.example.org/badges/1", "name": "First Aid", "description": "D", "criteria": "C"},
			}}, &theirs)
			if err != nil {
				t.Fatal(err)
			}
			jws, err := jose.Parse([]byte(theirs), jose.DefaultMax)
			if err != nil {
				t.Fatal(err)
			}
			if err := jws.Verify(k.Public()); err != nil {
				t.Errorf("theirs: %v", err)
			}
			if vc, err := jose.ParseVC([]byte(theirs)); err != nil || vc.Credential["id"] == nil || len(differing(vc.Mismatches)) > 0 {
				t.Errorf("theirs as a credential: %v, %+v", err, vc.Mismatches)
			}
		})
	}
}

func TestStatusListsAreReadOnBothSides(t *testing.T) {
	node := interop.Node(t)
	k := edKey(t, 4)
	list := statuslist.New(statuslist.MinEntries)
	marked := []int{0, 7, 8, 4711, statuslist.MinEntries - 1}
	for _, i := range marked {
		if err := list.Set(i, true); err != nil {
			t.Fatal(err)
		}
	}
	encoded, err := list.Encode()
	if err != nil {
		t.Fatal(err)
	}
	ask := append([]int{1, 6, 9, 100_000}, marked...)
	var theirs struct {
		Length int    `json:"length"`
		Status []bool `json:"status"`
	}
	if err := node.Do("statusDecode", object{"encodedList": encoded, "indices": ask}, &theirs); err != nil {
		t.Fatal(err)
	}
	for n, i := range ask {
		if mine, err := list.Get(i); err != nil || theirs.Status[n] != mine {
			t.Errorf("place %d: they read %v, we %v, %v", i, theirs.Status[n], mine, err)
		}
	}
	if theirs.Length != statuslist.MinEntries {
		t.Errorf("they count %d places", theirs.Length)
	}

	for index, revoked := range map[int]bool{6: false, 7: true} {
		doc := prove(t, credential(t, k.did, false, index), "eddsa-rdfc-2022", k)
		documents := object{listURL: statusDocument(t, list, k)}
		var v verdict
		if err := node.Do("verify", object{"library": "digitalbazaar", "credential": doc, "documents": documents}, &v); err != nil {
			t.Fatal(err)
		}
		var c struct {
			Verified bool   `json:"verified"`
			Status   []bool `json:"status"`
			Error    string `json:"error"`
		}
		if err := node.Do("statusCheck", object{"credential": doc, "documents": documents}, &c); err != nil {
			t.Fatal(err)
		}
		// A revoked credential's proof is as good as any other's: they say it in status.
		if !v.Verified && !revoked {
			t.Errorf("place %d: the credential is refused: %s", index, v.Error)
		}
		if len(c.Status) != 1 || c.Status[0] != revoked {
			t.Errorf("place %d: they read %v: %s", index, c.Status, c.Error)
		}
		rep := check(marshal(t, doc), verify.Offline{listURL: {Status: 200, Body: marshal(t, documents[listURL])}})
		if want := map[bool]verify.Outcome{false: verify.Valid, true: verify.Invalid}[revoked]; rep.Outcome != want || rep.Revoked != revoked {
			t.Errorf("place %d: we say %s: %v", index, rep.Outcome, rep.Problems())
		}
	}

	var made object
	if err := node.Do("statusCreate", object{"id": listURL, "length": statuslist.MinEntries, "set": marked, "purpose": "revocation"}, &made); err != nil {
		t.Fatal(err)
	}
	made["issuer"] = k.did
	var signed object
	if err := node.Do("issue", object{"library": "digitalbazaar", "suite": "eddsa-rdfc-2022", "credential": made, "key": k.multikey(t)}, &signed); err != nil {
		t.Fatal(err)
	}
	for index, revoked := range map[int]bool{6: false, 4711: true} {
		doc := prove(t, credential(t, k.did, false, index), "eddsa-rdfc-2022", k)
		rep := check(marshal(t, doc), verify.Offline{listURL: {Status: 200, Body: marshal(t, signed)}})
		if want := map[bool]verify.Outcome{false: verify.Valid, true: verify.Invalid}[revoked]; rep.Outcome != want {
			t.Errorf("their list, place %d: %s: %v", index, rep.Outcome, rep.Problems())
		}
	}
}

// differing leaves out what a token merely lacks.
func differing(list []jose.Mismatch) (out []jose.Mismatch) {
	for _, m := range list {
		if !m.Missing {
			out = append(out, m)
		}
	}
	return out
}
