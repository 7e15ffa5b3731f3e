package statuslist

import (
	"fmt"
	"math"
	"slices"
	"time"
)

const (
	typeBitstringList       = "BitstringStatusList"
	typeBitstringCredential = "BitstringStatusListCredential"
	type2021List            = "StatusList2021"
	type2021Credential      = "StatusList2021Credential"
)

// Credential is a list's document: a credential of its own, whose subject is the
// list.
type Credential struct {
	ID         string // its address; entries name it
	Type       string // the subject's: "BitstringStatusList" or "StatusList2021"
	Issuer     string
	Purposes   []string
	Encoded    string    // encodedList
	ValidFrom  time.Time // zero: always
	ValidUntil time.Time // zero: for ever
	TTL        time.Duration
}

// ParseCredential reads a list's document, as jsonld.Parse returns it, after its
// proof was verified. Errors: ErrVerification when it is no list, ErrMalformed.
func ParseCredential(doc map[string]any) (Credential, error) {
	var c Credential
	types := texts(doc["type"])
	switch {
	case slices.Contains(types, typeBitstringCredential):
		c.Type = typeBitstringList
	case slices.Contains(types, type2021Credential):
		c.Type = type2021List
	default:
		return c, fmt.Errorf("%w: the document is no status list but %.100q", ErrVerification, fmt.Sprint(doc["type"]))
	}
	var err error
	if c.ID, err = optional(doc, "id"); err != nil {
		return c, err
	}
	issuer := doc["issuer"]
	if o, ok := issuer.(map[string]any); ok {
		issuer = o["id"]
	}
	if c.Issuer, _ = issuer.(string); c.Issuer == "" {
		return c, fmt.Errorf("%w: the list has no issuer", ErrMalformed)
	}
	subject := doc["credentialSubject"]
	if l, ok := subject.([]any); ok && len(l) == 1 {
		subject = l[0]
	}
	o, ok := subject.(map[string]any)
	if !ok || !slices.Contains(texts(o["type"]), c.Type) {
		return c, fmt.Errorf("%w: the list's subject is no %s", ErrVerification, c.Type)
	}
	if c.Purposes = texts(o["statusPurpose"]); len(c.Purposes) == 0 {
		return c, fmt.Errorf("%w: the list has no statusPurpose", ErrMalformed)
	}
	if c.Encoded, err = required(o, "encodedList"); err != nil {
		return c, err
	}
	if c.TTL, err = ttl(o); err != nil {
		return c, err
	}
	for at, members := range map[*time.Time][]string{&c.ValidFrom: {"validFrom", "issuanceDate"}, &c.ValidUntil: {"validUntil", "expirationDate"}} {
		if *at, err = moment(doc, members); err != nil {
			return c, err
		}
	}
	return c, nil
}

func ttl(o map[string]any) (time.Duration, error) {
	v, there := o["ttl"]
	if !there {
		return 0, nil
	}
	ms, ok := v.(float64)
	if !ok || ms < 0 || ms != math.Trunc(ms) || ms > math.MaxInt64/float64(time.Millisecond)/2 {
		return 0, fmt.Errorf("%w: ttl is no number of milliseconds", ErrMalformed)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

func moment(doc map[string]any, members []string) (time.Time, error) {
	for _, member := range members {
		v, there := doc[member]
		if !there {
			continue
		}
		s, _ := v.(string)
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return t, fmt.Errorf("%w: the list's %s is no time with a time zone", ErrMalformed, member)
		}
		return t, nil
	}
	return time.Time{}, nil
}

// GoodAt is ErrVerification when the list is not valid at a time.
func (c Credential) GoodAt(at time.Time) error {
	switch {
	case !c.ValidFrom.IsZero() && at.Before(c.ValidFrom):
		return fmt.Errorf("%w: the list is not valid before %s", ErrVerification, c.ValidFrom.Format(time.RFC3339))
	case !c.ValidUntil.IsZero() && !at.Before(c.ValidUntil):
		return fmt.Errorf("%w: the list was valid until %s", ErrVerification, c.ValidUntil.Format(time.RFC3339))
	}
	return nil
}

// Document writes the list's document of a BitstringStatusList, without its
// proof, for the issuer to sign. c gives id, issuer, purposes (Revocation when
// there is none), validity and ttl; its Type and Encoded are not looked at.
// Errors: ErrMalformed without id or issuer.
func (l *List) Document(c Credential) (map[string]any, error) {
	if c.ID == "" || c.Issuer == "" {
		return nil, fmt.Errorf("%w: a list needs an id and an issuer", ErrMalformed)
	}
	encoded, err := l.Encode()
	if err != nil {
		return nil, err
	}
	subject := map[string]any{"id": c.ID + "#list", "type": typeBitstringList, "encodedList": encoded, "statusPurpose": any(Revocation)}
	switch len(c.Purposes) {
	case 0:
	case 1:
		subject["statusPurpose"] = c.Purposes[0]
	default:
		list := make([]any, len(c.Purposes))
		for i, p := range c.Purposes {
			list[i] = p
		}
		subject["statusPurpose"] = list
	}
	if c.TTL > 0 {
		subject["ttl"] = float64(c.TTL.Milliseconds())
	}
	doc := map[string]any{
		"@context":          []any{"https://www.w3.org/ns/credentials/v2"},
		"id":                c.ID,
		"type":              []any{"VerifiableCredential", typeBitstringCredential},
		"issuer":            c.Issuer,
		"credentialSubject": subject,
	}
	for member, t := range map[string]time.Time{"validFrom": c.ValidFrom, "validUntil": c.ValidUntil} {
		if !t.IsZero() {
			doc[member] = t.UTC().Format("2006-01-02T15:04:05Z")
		}
	}
	return doc, nil
}

// Object writes the entry of a BitstringStatusList as credentialStatus. Its id is
// the list's address with the index, as others write it; it is no address of its
// own.
func (e Entry) Object() map[string]any {
	index := fmt.Sprint(e.Index)
	m := map[string]any{
		"id": e.List + "#" + index, "type": TypeBitstring, "statusPurpose": e.Purpose,
		"statusListIndex": index, "statusListCredential": e.List,
	}
	if e.ID != "" {
		m["id"] = e.ID
	}
	return m
}
