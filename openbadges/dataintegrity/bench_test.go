package dataintegrity_test

import (
	"crypto/ed25519"
	"testing"

	"badgebridge/openbadges/dataintegrity"
	"badgebridge/openbadges/jsonld"
)

// BenchmarkVerify verifies a small credential beside one bare signature.
func BenchmarkVerify(b *testing.B) {
	p := jsonld.New(jsonld.Config{})
	key, _ := signer()
	public := key.Public().(ed25519.PublicKey)
	message := make([]byte, 64)
	signature := ed25519.Sign(key, message)
	b.Run("bare Ed25519", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !ed25519.Verify(public, message, signature) {
				b.Fatal("does not verify")
			}
		}
	})
	for _, suite := range []string{dataintegrity.EdDSARDFC2022, dataintegrity.EdDSAJCS2022} {
		doc, _ := signed(b, p, suite)
		b.Run(suite, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s, err := dataintegrity.Open(p, doc)
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Verify(b.Context(), s.Proofs()[0], public); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
