package interop_test

import (
	"encoding/base64"
	"fmt"
	"testing"

	"badgebridge/internal/interop"
	"badgebridge/openbadges/dataintegrity"
	"badgebridge/openbadges/statuslist"
	"badgebridge/openbadges/verify"
)

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// verdict is what the JavaScript libraries say.
type verdict struct {
	Verified bool   `json:"verified"`
	Error    string `json:"error"`
}

// suites are those that each library has.
var suites = map[string][]string{
	"digitalbazaar": {dataintegrity.EdDSARDFC2022, dataintegrity.EdDSAJCS2022, dataintegrity.ECDSARDFC2019},
	"dcc":           {dataintegrity.EdDSARDFC2022},
}

func TestOthersAcceptOurProofs(t *testing.T) {
	node := interop.Node(t)
	k := edKey(t, 0)
	for library, list := range suites {
		for _, suite := range list {
			if suite == dataintegrity.ECDSARDFC2019 {
				continue // is not made here
			}
			for _, full := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/full=%v", library, suite, full), func(t *testing.T) {
					doc := prove(t, credential(t, k.did, full, -1), suite, k)
					var v verdict
					if err := node.Do("verify", object{"library": library, "credential": doc}, &v); err != nil || !v.Verified {
						t.Errorf("%v: %s\n%s", err, v.Error, marshal(t, doc))
					}
					doc["name"] = "Another"
					if err := node.Do("verify", object{"library": library, "credential": doc}, &v); err != nil || v.Verified {
						t.Errorf("a changed credential: %v, %+v", err, v)
					}
				})
			}
		}
	}
}

func TestWeAcceptTheProofsOfOthers(t *testing.T) {
	node := interop.Node(t)
	for library, list := range suites {
		for _, suite := range list {
			k := edKey(t, 1)
			if suite == dataintegrity.ECDSARDFC2019 {
				k = p256Key(t)
			}
			for _, full := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/full=%v", library, suite, full), func(t *testing.T) {
					var doc object
					if err := node.Do("issue", object{"library": library, "suite": suite, "credential": credential(t, k.did, full, -1), "key": k.multikey(t)}, &doc); err != nil {
						t.Fatal(err)
					}
					if rep := check(marshal(t, doc), nil); rep.Outcome != verify.Valid {
						t.Errorf("%s: %v\n%s", rep.Outcome, rep.Problems(), marshal(t, doc))
					}
					doc["name"] = "Another"
					if rep := check(marshal(t, doc), nil); rep.Outcome != verify.Invalid {
						t.Errorf("a changed credential: %s: %v", rep.Outcome, rep.Problems())
					}
				})
			}
		}
	}
}

// The consortium's verifier is what its wallet asks.
func TestTheConsortiumsVerifierAcceptsOurBadges(t *testing.T) {
	node := interop.Node(t)
	k := edKey(t, 2)
	list := statuslist.New(statuslist.MinEntries)
	if err := list.Set(7, true); err != nil {
		t.Fatal(err)
	}
	documents := object{listURL: statusDocument(t, list, k)}
	for index, revoked := range map[int]bool{-1: false, 6: false, 7: true} {
		t.Run(fmt.Sprint(index), func(t *testing.T) {
			doc := prove(t, credential(t, k.did, true, index), dataintegrity.EdDSARDFC2022, k)
			var v struct {
				Steps map[string]any `json:"steps"`
				Error string         `json:"error"`
			}
			if err := node.Do("verifierCore", object{"credential": doc, "documents": documents}, &v); err != nil || v.Error != "" {
				t.Fatalf("%v: %s", err, v.Error)
			}
			want := object{"valid_signature": true, "expiration": true, "registered_issuer": false}
			if index >= 0 {
				want["revocation_status"] = !revoked
			}
			for step, good := range want {
				if v.Steps[step] != good {
					t.Errorf("%s: got %v, want %v", step, v.Steps[step], good)
				}
			}
		})
	}
}

// statusDocument is a signed status list.
func statusDocument(t testing.TB, list *statuslist.List, k key) object {
	t.Helper()
	doc, err := list.Document(statuslist.Credential{ID: listURL, Issuer: k.did, Purposes: []string{statuslist.Revocation}, ValidFrom: issued})
	if err != nil {
		t.Fatal(err)
	}
	return prove(t, doc, dataintegrity.EdDSARDFC2022, k)
}
