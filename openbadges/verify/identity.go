package verify

import (
	"crypto/subtle"
	"strings"

	"badgebridge/openbadges"
)

// wrongRecipient checks an IdentityObject, "" when it is right. The texts never
// repeat the identity.
func wrongRecipient(r map[string]any, isObject, legacy bool) string {
	if !isObject {
		return "is no object"
	}
	types := typesOf(r)
	if len(types) == 0 {
		return "has no type"
	}
	t := identityType(r)
	if t == "" {
		return "has no type that names how the recipient is known"
	}
	identity, ok := single(r["identity"]).(string)
	if !ok || identity == "" {
		return "has no identity"
	}
	hashed, ok := single(r["hashed"]).(bool)
	if !ok {
		return "does not say whether it is hashed"
	}
	if salt, present := r["salt"]; present && salt != nil {
		if _, ok := single(salt).(string); !ok {
			return "has a salt that is no text"
		}
	}
	alg, hex, isHash := strings.Cut(identity, "$")
	isHash = isHash && hashLength(alg, legacy) == len(hex) && strings.Trim(strings.ToLower(hex), "0123456789abcdef") == ""
	switch {
	case hashed && !isHash:
		return "says that it is hashed, but holds no hash of an allowed kind"
	case !hashed && isHash:
		return "says that it is not hashed, but holds a hash"
	case !hashed && t == openbadges.IdentityEmail && !strings.Contains(identity, "@"):
		return "holds no e-mail address"
	}
	return ""
}

// hashLength is the number of hex digits of an algorithm that the version
// allows, -1 for others.
func hashLength(alg string, legacy bool) int {
	switch {
	case alg == "sha256":
		return 64
	case alg == "md5":
		return 32
	case alg == "sha1" && legacy:
		return 40
	case alg == "sha512" && legacy:
		return 128
	}
	return -1
}

// identityType is the kind of identifier, also where it is written as an IRI.
// A word that no context of ours maps is taken as it is: nobody can be compared
// with it, but the badge is not wrong for it ("should be an IRI mapped in the
// present context"). "" when there is none.
func identityType(r map[string]any) openbadges.IdentityType {
	other := ""
	for _, t := range typesOf(r) {
		short := t
		for _, prefix := range []string{"schema:", "http://schema.org/", "https://schema.org/"} {
			short = strings.TrimPrefix(short, prefix)
		}
		switch it := openbadges.IdentityType(short); it {
		case openbadges.IdentityEmail, openbadges.IdentityURL, openbadges.IdentityTelephone, openbadges.IdentityID:
			return it
		}
		if t == "@id" {
			return openbadges.IdentityID
		}
		if isIRI(t) {
			return openbadges.IdentityType(t)
		}
		if t != "IdentityObject" && t != "" {
			other = t
		}
	}
	return openbadges.IdentityType(other)
}

// recipient compares the badge's recipient with whom the caller presumes.
func (s *session) recipient(node string, doc map[string]any) {
	if len(s.opt.Recipient) == 0 {
		s.rep.skip("recipient", node, "nobody was named to compare with")
		return
	}
	r := object(doc["recipient"])
	if s.rep.failed("recipient", node) || r == nil {
		return
	}
	m := openbadges.Recipient{Type: identityType(r)}
	m.Identity, _ = single(r["identity"]).(string)
	m.Salt, _ = single(r["salt"]).(string)
	m.Hashed, _ = single(r["hashed"]).(bool)

	matched, decided, offered := false, true, false
	for _, id := range s.opt.Recipient {
		if id.Type != m.Type {
			continue
		}
		offered = true
		ok, known := sameIdentity(m, id)
		matched = matched || ok
		decided = decided && known
	}
	switch {
	case matched:
		s.rep.Recipient.Matched = &matched
		s.rep.pass("recipient", node, "the badge was made out to this recipient")
	case !decided:
		s.rep.undecided("recipient", node, "the recipient is hashed in a way that is not known")
	default:
		s.rep.Recipient.Matched = &matched
		if offered {
			s.rep.fail("recipient", node, "the badge was made out to somebody else")
		} else {
			s.rep.fail("recipient", node, "the badge names its recipient by %s, and none was given to compare with", clip(string(m.Type)))
		}
	}
}

// sameIdentity compares by the rules of an e-mail address, or to the letter for
// every other identifier.
func sameIdentity(m openbadges.Recipient, id Identifier) (match, decided bool) {
	if m.Type == openbadges.IdentityEmail {
		return m.Matches(id.Value)
	}
	if !m.Hashed {
		return subtle.ConstantTimeCompare([]byte(m.Identity), []byte(id.Value)) == 1, true
	}
	return m.Matches(id.Value)
}
