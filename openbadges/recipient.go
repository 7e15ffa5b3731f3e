package openbadges

import (
	"crypto/md5"  //nolint:gosec // OB 2.0 allows md5 hashes; they are only compared
	"crypto/sha1" //nolint:gosec // OB 1.x allows sha1 hashes; they are only compared
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"strings"
)

// HashIdentity returns "sha256$hex" over identity followed by salt, the form
// of OB 2.0 IdentityObject. The identity is taken as it is: whoever issues
// normalizes it first.
func HashIdentity(identity, salt string) string {
	sum := sha256.Sum256([]byte(identity + salt))
	return "sha256$" + hex.EncodeToString(sum[:])
}

// Matches reports whether the plain identifier is one of those that r names. For
// a hash it tries the spellings that issuers are known to have hashed; the
// comparison takes the same time whatever the answer is. decided is false when
// a hash names an algorithm that no version of Open Badges knows and no other
// identifier matched.
func (r Recipient) Matches(identifier string) (match, decided bool) {
	match, decided = Identity{r.Type, r.Identity, r.Hashed, r.Salt}.matches(identifier)
	for _, also := range r.Also {
		m, d := also.matches(identifier)
		match, decided = match || m, decided && d
	}
	return match, decided || match
}

func (r Identity) matches(identifier string) (match, decided bool) {
	if !r.Hashed {
		return strings.EqualFold(strings.TrimSpace(r.Identity), strings.TrimSpace(identifier)), true
	}
	alg, want, ok := strings.Cut(r.Identity, "$")
	if !ok {
		return false, false
	}
	newHash := hashByName(alg)
	if newHash == nil {
		return false, false
	}
	want = strings.ToLower(want)
	found := 0
	for _, spelling := range Spellings(identifier) {
		h := newHash()
		h.Write([]byte(spelling + r.Salt))
		found |= subtle.ConstantTimeCompare([]byte(hex.EncodeToString(h.Sum(nil))), []byte(want))
	}
	return found == 1, true
}

func hashByName(alg string) func() hash.Hash {
	switch alg {
	case "sha256":
		return sha256.New
	case "md5":
		return md5.New
	case "sha1":
		return sha1.New
	case "sha512":
		return sha512.New
	}
	return nil
}

// Spellings lists the forms of an identifier that issuers hash in practice, as
// typed first: no version of Open Badges says how an address is normalized, and
// Mozilla's Backpack tried these six.
func Spellings(identifier string) []string {
	trimmed := strings.TrimSpace(identifier)
	lower := strings.ToLower(trimmed)
	candidates := []string{identifier, trimmed, lower, strings.ToUpper(trimmed)}
	if lower != "" {
		candidates = append(candidates, strings.ToUpper(lower[:1])+lower[1:])
	}
	if local, domain, ok := strings.Cut(lower, "@"); ok {
		candidates = append(candidates, titleWords(local)+"@"+titleWords(domain), strings.ToUpper(local)+"@"+domain)
	}
	seen := make(map[string]bool, len(candidates))
	out := candidates[:0]
	for _, c := range candidates {
		if !seen[c] {
			seen[c] = true
			out = append(out, c)
		}
	}
	return out
}

func titleWords(s string) string {
	out := []byte(s)
	start := true
	for i, c := range out {
		if start && c >= 'a' && c <= 'z' {
			out[i] = c - 'a' + 'A'
		}
		start = c == '.' || c == '-' || c == '_' || c == ' ' || c == '+'
	}
	return string(out)
}
