package verify

import (
	"crypto/subtle"
	"strings"

	"badgebridge/openbadges"
)

// identities3 lists whom the subject of a credential says that it is: its id, and
// its identifiers, plain or hashed.
func identities3(subject map[string]any) []openbadges.Identity {
	var out []openbadges.Identity
	if id, ok := subject["id"].(string); ok && id != "" {
		out = append(out, openbadges.Identity{Type: openbadges.IdentityID, Identity: id})
	}
	for _, e := range list(subject["identifier"]) {
		m, ok := e.(map[string]any)
		if !ok {
			continue
		}
		i := openbadges.Identity{}
		i.Identity, _ = m["identityHash"].(string)
		i.Salt, _ = m["salt"].(string)
		i.Hashed, _ = m["hashed"].(bool)
		t, _ := m["identityType"].(string)
		switch t = strings.TrimPrefix(t, "ext:"); t {
		case "emailAddress":
			i.Type = openbadges.IdentityEmail
		default:
			i.Type = openbadges.IdentityType(t)
		}
		if i.Identity != "" {
			out = append(out, i)
		}
	}
	return out
}

// recipient3 compares the credential's subject with whom the caller presumes. One
// identifier that fits is enough.
func (s *session) recipient3(c *credential) {
	if len(s.opt.Recipient) == 0 {
		s.rep.skip("recipient", c.id, "nobody was named to compare with")
		return
	}
	subject := object(c.doc["credentialSubject"])
	if subject == nil || s.rep.failed("recipient", c.id) {
		return
	}
	matched, decided, offered := false, true, false
	for _, have := range identities3(subject) {
		for _, given := range s.opt.Recipient {
			comparable, ok, known := sameIdentity3(have, given)
			offered = offered || comparable
			matched = matched || comparable && ok
			decided = decided && (!comparable || known)
		}
	}
	switch {
	case matched:
		s.rep.Recipient.Matched = &matched
		s.rep.pass("recipient", c.id, "the credential was made out to this recipient")
	case !decided:
		s.rep.undecided("recipient", c.id, "the recipient is hashed in a way that is not known")
	case offered:
		s.rep.Recipient.Matched = &matched
		s.rep.fail("recipient", c.id, "the credential was made out to somebody else")
	default:
		s.rep.Recipient.Matched = &matched
		s.rep.fail("recipient", c.id, "the credential names its recipient in another way than by what was given to compare with")
	}
}

// sameIdentity3 compares one identifier of a subject with one that was given.
// comparable is false when they are of different kinds.
func sameIdentity3(have openbadges.Identity, given Identifier) (comparable, match, decided bool) {
	if have.Type == openbadges.IdentityID && !have.Hashed {
		scheme, rest, _ := strings.Cut(have.Identity, ":")
		switch {
		case given.Type == openbadges.IdentityEmail && strings.EqualFold(scheme, "mailto"):
			return true, strings.EqualFold(rest, strings.TrimSpace(given.Value)), true
		case given.Type == openbadges.IdentityTelephone && strings.EqualFold(scheme, "tel"):
			return true, rest == given.Value, true
		case given.Type == openbadges.IdentityURL:
			if scheme != "http" && scheme != "https" {
				return false, false, true
			}
			return true, equal(have.Identity, given.Value), true
		}
	}
	if have.Type != given.Type {
		return false, false, true
	}
	match, decided = sameIdentity(openbadges.Recipient{Type: have.Type, Identity: have.Identity, Hashed: have.Hashed, Salt: have.Salt}, given)
	return true, match, decided
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
