package openbadges_test

import (
	"crypto/sha512"
	"encoding/hex"
	"strings"
	"testing"

	"badgebridge/openbadges"
)

// FuzzRecipientHash: a hash names whom it was made for, in every spelling that
// is tried, and nobody else; a damaged one names nobody.
func FuzzRecipientHash(f *testing.F) {
	f.Add("nobody@example.org", "deadsea", "somebody@example.org", "sha256$ecf5409f3f4b91ab60cc5ef4c02aef7032354375e70cf4d8e43f6a1d29891942")
	f.Add("  Ada.O'Neil@Example.ORG ", "", "ada.o'neil@example.org", "md5$")
	f.Add("é@ü", "$", "\xff", "sha1$28d50415252ab6c689a54413da15b083034b66e5")
	f.Fuzz(func(t *testing.T, identity, salt, other, hash string) {
		r := openbadges.Recipient{Type: openbadges.IdentityEmail, Hashed: true, Salt: salt, Identity: openbadges.HashIdentity(identity, salt)}
		if match, decided := r.Matches(identity); !match || !decided {
			t.Fatalf("%q, salt %q: %v, %v", identity, salt, match, decided)
		}
		r.Identity = strings.ToUpper(r.Identity[:7]) + r.Identity[7:]
		if _, decided := r.Matches(identity); decided {
			t.Fatalf("an unknown algorithm was decided for %q", identity)
		}
		sum := sha512.Sum512([]byte(identity + salt))
		r.Identity = "sha512$" + strings.ToUpper(hex.EncodeToString(sum[:]))
		if match, _ := r.Matches(identity); !match {
			t.Fatalf("%q, salt %q: capital digits", identity, salt)
		}
		// Another person matches only by a spelling of the very same text.
		r.Identity = openbadges.HashIdentity(identity, salt)
		tried := false
		for _, s := range openbadges.Spellings(other) {
			tried = tried || s+salt == identity+salt
		}
		if match, _ := r.Matches(other); match != tried {
			t.Fatalf("%q matches the hash of %q: %v", other, identity, match)
		}
		r.Identity = hash
		if match, decided := r.Matches(other); match && !decided {
			t.Fatalf("%q: a match that is not decided", hash)
		}
		r.Hashed = false
		if match, _ := r.Matches(hash); !match {
			t.Fatalf("%q in plain text is not itself", hash)
		}
	})
}
