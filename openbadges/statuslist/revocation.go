package statuslist

import (
	"fmt"
)

const maxRevoked = 100_000

// RevocationList is a 1EdTechRevocationList (Verifiable Credentials Revocation
// List 1.0): the credentials that an issuer took back, by id.
type RevocationList struct {
	ID      string // the list's address
	Issuer  string
	Revoked []Revoked
}

// Revoked is one credential of the list.
type Revoked struct {
	ID     string // the credential's
	Reason string
	// Restored: the entry says revoked: false, which takes the revocation back.
	Restored bool
}

// ParseRevocationList reads the list's document, as jsonld.Parse returns it. Its
// entries are in revokedCredential; revokedCredentials, as some write it, is read
// too. An entry may be the bare id. Errors: ErrMalformed, ErrLimit above 100,000
// entries.
func ParseRevocationList(doc map[string]any) (RevocationList, error) {
	var l RevocationList
	var err error
	if l.ID, err = optional(doc, "id"); err != nil {
		return l, err
	}
	issuer := doc["issuer"]
	if o, ok := issuer.(map[string]any); ok {
		issuer = o["id"]
	}
	l.Issuer, _ = issuer.(string)
	found := false
	for _, member := range []string{"revokedCredential", "revokedCredentials"} {
		v, there := doc[member]
		if !there || v == nil {
			continue
		}
		found = true
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		if len(l.Revoked)+len(list) > maxRevoked {
			return l, fmt.Errorf("%w: more than %d entries", ErrLimit, maxRevoked)
		}
		for _, item := range list {
			r, err := revoked(item)
			if err != nil {
				return l, fmt.Errorf("%s: %w", member, err)
			}
			l.Revoked = append(l.Revoked, r)
		}
	}
	if !found {
		return l, fmt.Errorf("%w: the list has no revokedCredential", ErrMalformed)
	}
	return l, nil
}

func revoked(v any) (Revoked, error) {
	if s, ok := v.(string); ok && s != "" {
		return Revoked{ID: s}, nil
	}
	o, _ := v.(map[string]any)
	id, err := required(o, "id")
	if err != nil {
		return Revoked{}, err
	}
	r := Revoked{ID: id}
	if r.Reason, err = optional(o, "revocationReason"); err != nil {
		return r, err
	}
	if flag, there := o["revoked"]; there {
		on, ok := flag.(bool)
		if !ok {
			return r, fmt.Errorf("%w: revoked is neither true nor false", ErrMalformed)
		}
		r.Restored = !on
	}
	return r, nil
}

// Find tells whether a credential was revoked and why. Where the list has it
// twice, one revocation is enough.
func (l RevocationList) Find(credential string) (reason string, revoked bool) {
	for _, r := range l.Revoked {
		if r.ID == credential && !r.Restored {
			return r.Reason, true
		}
	}
	return "", false
}

// Document writes the list, under the name that the specification has
// (revokedCredential). Errors: ErrMalformed without id or issuer.
func (l RevocationList) Document() (map[string]any, error) {
	if l.ID == "" || l.Issuer == "" {
		return nil, fmt.Errorf("%w: a list needs an id and an issuer", ErrMalformed)
	}
	list := make([]any, 0, len(l.Revoked))
	for _, r := range l.Revoked {
		m := map[string]any{"id": r.ID, "revoked": !r.Restored}
		if r.Reason != "" {
			m["revocationReason"] = r.Reason
		}
		list = append(list, m)
	}
	return map[string]any{"id": l.ID, "issuer": l.Issuer, "revokedCredential": list}, nil
}
