package verify_test

import (
	"context"
	"crypto/ed25519"
	"testing"

	"badgebridge/openbadges/dataintegrity"
	"badgebridge/openbadges/jsonld"
	"badgebridge/openbadges/verify"
)

// BenchmarkCredential measures a whole verification of an OB 3.0 credential by a
// did:key issuer, beside its proof alone and beside the signature alone.
func BenchmarkCredential(b *testing.B) {
	k := newKey(b)
	message := make([]byte, 64)
	sig := k.sign(b, message)
	public, ok := k.private.Public().(ed25519.PublicKey)
	if !ok {
		b.Fatal("another kind of key")
	}
	b.Run("ed25519", func(b *testing.B) {
		for b.Loop() {
			if !ed25519.Verify(public, message, sig) {
				b.Fatal("the signature does not fit")
			}
		}
	})
	proc := jsonld.New(jsonld.Config{})
	for _, suite := range []string{"eddsa-rdfc-2022", "eddsa-jcs-2022"} {
		for what, doc := range map[string]object{"small": credential3(b, k.did), "full": full3(b, k.did)} {
			data := []byte(text(embed(b, doc, suite, k.method, k)))
			b.Run(suite+"/"+what+"/proof", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					doc, err := jsonld.ParseObject(data, jsonld.Limits{})
					if err != nil {
						b.Fatal(err)
					}
					proofs, err := dataintegrity.Proofs(doc)
					if err != nil {
						b.Fatal(err)
					}
					if err := dataintegrity.Verify(context.Background(), proc, doc, proofs[0], public); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(suite+"/"+what+"/verify", func(b *testing.B) {
				b.ReportAllocs()
				f := serve(nil)
				for b.Loop() {
					if rep := check3(f, verify.Input{Data: data}); !rep.Valid {
						b.Fatal(rep.Problems())
					}
				}
			})
		}
	}
	token := []byte(jwt(b, credential3(b, k.did), object{"kid": k.method}, k))
	b.Run("jwt/small/verify", func(b *testing.B) {
		b.ReportAllocs()
		f := serve(nil)
		for b.Loop() {
			if rep := check3(f, verify.Input{Data: token}); !rep.Valid {
				b.Fatal(rep.Problems())
			}
		}
	})
}
