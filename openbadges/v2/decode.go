package v2

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"badgebridge/openbadges"
)

func open(doc []byte) (*object, *Notes, error) {
	if len(doc) > MaxDocument {
		return nil, nil, ErrTooLarge
	}
	doc = bytes.TrimPrefix(doc, []byte("\xef\xbb\xbf"))
	notes := &Notes{}
	o, ok := asObject(doc, "", notes)
	if !ok {
		return nil, nil, ErrNotJSON
	}
	return o, notes, nil
}

// DecodeAssertion reads an Assertion. It takes what real issuers write: a badge
// and an issuer linked or embedded, single values for arrays and the other way
// round, the member names of OB 1.x, dates in other forms. The notes name every
// such departure. Errors: ErrNotJSON, ErrTooLarge; an incomplete document is
// no error.
func DecodeAssertion(doc []byte) (Assertion, Notes, error) {
	o, notes, err := open(doc)
	if err != nil {
		return Assertion{}, nil, fmt.Errorf("read assertion: %w", err)
	}
	var a Assertion
	a.ID = o.text("id", "@id")
	checkType(o, "Assertion")
	a.UID = o.text("uid")
	a.Award.Recipient = recipient(o)
	a.Award.BadgeClass = linkedClass(o)
	a.Award.IssuedOn = o.when("issuedOn", "issued_on")
	a.Award.Expires = o.when("expires")
	a.Award.Narrative = o.text("narrative")
	a.Award.Evidence = evidence(o)
	a.Award.AssertionURL = webURL(a.ID)
	a.Image = picture(o)
	if raw, name := o.get("verification", "verify"); raw != nil {
		if v, ok := asObject(raw, o.at(name), notes); ok {
			a.Verification = Verification{Type: verificationType(v.types()), Creator: v.text("creator"), URL: v.text("url")}
			if a.Award.AssertionURL == "" && a.Verification.Type == HostedBadge {
				a.Award.AssertionURL = webURL(a.Verification.URL)
			}
		} else {
			o.note(name, "is not an object")
		}
	}
	a.Award.Revoked, _ = o.truth("revoked")
	a.Award.RevocationReason = o.text("revocationReason")
	a.Unknown = o.unknown()
	return a, *notes, nil
}

func webURL(s string) string {
	if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
		return s
	}
	return ""
}

func verificationType(types []string) string {
	for _, t := range types {
		switch t {
		case "hosted", HostedBadge:
			return HostedBadge
		case "signed", SignedBadge:
			return SignedBadge
		}
	}
	if len(types) > 0 {
		return types[0]
	}
	return ""
}

func checkType(o *object, want ...string) {
	types := o.types()
	for _, t := range types {
		if slices.Contains(want, t) {
			return
		}
	}
	o.note("type", "is %q; %q expected", types, want)
}

// recipient reads an IdentityObject, in any of the shapes of all versions.
func recipient(o *object) openbadges.Recipient {
	raw, name := o.get("recipient")
	list := listOf(raw)
	if len(list) == 0 {
		o.note(name, "is missing")
		return openbadges.Recipient{}
	}
	if len(list) > 1 {
		o.note(name, "has %d values; only the first is used", len(list))
	}
	r, ok := asObject(list[0], o.at(name), o.notes)
	if !ok { // OB 0.5 and some 1.0
		o.note(name, "is a plain value")
		out := openbadges.Recipient{Type: openbadges.IdentityEmail, Identity: o.textOf(list[0], name), Salt: o.text("salt")}
		out.Hashed = looksHashed(out.Identity)
		return out
	}
	out := openbadges.Recipient{Identity: r.text("identity"), Salt: r.text("salt")}
	hashed, present := r.truth("hashed")
	if !present {
		hashed = looksHashed(out.Identity)
		r.note("hashed", "is missing; taken as %v", hashed)
	}
	out.Hashed = hashed
	out.Type = identityType(r)
	return out
}

func looksHashed(identity string) bool {
	alg, hex, ok := strings.Cut(identity, "$")
	return ok && alg != "" && !strings.Contains(identity, "@") && strings.Trim(strings.ToLower(hex), "0123456789abcdef") == ""
}

func identityType(r *object) openbadges.IdentityType {
	for _, t := range r.types() {
		switch strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(t, "schema:"), "http://schema.org/"), "https://schema.org/") {
		case "email":
			return openbadges.IdentityEmail
		case "url":
			return openbadges.IdentityURL
		case "telephone":
			return openbadges.IdentityTelephone
		case "id", "@id":
			return openbadges.IdentityID
		}
		if t != "IdentityObject" {
			return openbadges.IdentityType(t)
		}
	}
	r.note("type", "is missing; taken as email")
	return openbadges.IdentityEmail
}

// linkedClass reads the badge of an assertion, a link or the whole thing.
func linkedClass(o *object) openbadges.BadgeClass {
	raw, name := o.get("badge")
	list := listOf(raw)
	if len(list) == 0 {
		o.note(name, "is missing")
		return openbadges.BadgeClass{}
	}
	if b, ok := asObject(list[0], o.at(name), o.notes); ok {
		return badgeClass(b)
	}
	return openbadges.BadgeClass{ID: o.textOf(raw, name)}
}

// DecodeBadgeClass reads a BadgeClass. Its Issuer has nothing but the ID where
// the document only links it. Errors and notes as with DecodeAssertion.
func DecodeBadgeClass(doc []byte) (openbadges.BadgeClass, Notes, error) {
	o, notes, err := open(doc)
	if err != nil {
		return openbadges.BadgeClass{}, nil, fmt.Errorf("read badge: %w", err)
	}
	return badgeClass(o), *notes, nil
}

func badgeClass(o *object) openbadges.BadgeClass {
	c := openbadges.BadgeClass{ID: o.text("id", "@id")}
	checkType(o, "BadgeClass")
	c.Name = o.text("name")
	c.Description = o.text("description")
	if strings.Contains(c.Description, "</") || strings.Contains(c.Description, "<p>") {
		o.note("description", "holds HTML")
	}
	c.Image = picture(o)
	c.Criteria = criteria(o)
	raw, name := o.get("issuer")
	if list := listOf(raw); len(list) > 0 {
		if p, ok := asObject(list[0], o.at(name), o.notes); ok {
			c.Issuer = profile(p)
		} else {
			c.Issuer.ID = o.textOf(raw, name)
		}
	}
	c.Tags = o.texts("tags")
	c.Alignments = alignments(o)
	if raw, name := o.get("version"); raw != nil {
		if kindOf(raw) == '"' {
			c.Version = o.textOf(raw, name)
		} else { // the specification allows numbers
			c.Version = string(bytes.TrimSpace(raw))
		}
	}
	c.Language = o.text("@language")
	c.Unknown = o.unknown()
	return c
}

func criteria(o *object) openbadges.Criteria {
	raw, name := o.get("criteria")
	list := listOf(raw)
	if len(list) == 0 {
		return openbadges.Criteria{}
	}
	if len(list) > 1 {
		o.note(name, "has %d values; only the first is used", len(list))
	}
	if c, ok := asObject(list[0], o.at(name), o.notes); ok {
		out := openbadges.Criteria{ID: c.text("id", "@id"), Narrative: c.text("narrative")}
		c.types()
		keepInside(c)
		return out
	}
	s := o.textOf(list[0], name)
	if strings.Contains(s, ":") && !strings.ContainsAny(s, " \n") {
		return openbadges.Criteria{ID: s}
	}
	o.note(name, "is a text and no address")
	return openbadges.Criteria{Narrative: s}
}

// keepInside notes members of a small object that the model has no place for.
func keepInside(o *object) {
	for _, name := range sortedNames(o.unknown()) {
		o.note(name, "is not carried over")
	}
}

func picture(o *object) *openbadges.Image {
	raw, name := o.get("image")
	list := listOf(raw)
	if len(list) == 0 {
		return nil
	}
	if len(list) > 1 {
		o.note(name, "has %d values; only the first is used", len(list))
	}
	if i, ok := asObject(list[0], o.at(name), o.notes); ok {
		out := &openbadges.Image{ID: i.text("id", "@id"), Caption: i.text("caption"), Author: i.text("author")}
		i.types()
		keepInside(i)
		return out
	}
	if s := o.textOf(list[0], name); s != "" {
		return &openbadges.Image{ID: s}
	}
	return nil
}

func evidence(o *object) []openbadges.Evidence {
	raw, name := o.get("evidence")
	var out []openbadges.Evidence
	for _, entry := range listOf(raw) {
		e, ok := asObject(entry, o.at(name), o.notes)
		if !ok {
			if id := o.textOf(entry, name); id != "" {
				out = append(out, openbadges.Evidence{ID: id})
			}
			continue
		}
		out = append(out, openbadges.Evidence{
			ID: e.text("id", "@id"), Name: e.text("name"), Description: e.text("description"),
			Narrative: e.text("narrative"), Genre: e.text("genre"), Audience: e.text("audience"),
		})
		e.types()
		keepInside(e)
	}
	return out
}

func alignments(o *object) []openbadges.Alignment {
	raw, name := o.get("alignment")
	var out []openbadges.Alignment
	for _, entry := range listOf(raw) {
		a, ok := asObject(entry, o.at(name), o.notes)
		if !ok {
			o.note(name, "has an entry that is no object")
			if s := o.textOf(entry, name); s != "" {
				out = append(out, openbadges.Alignment{TargetURL: s})
			}
			continue
		}
		out = append(out, openbadges.Alignment{
			TargetName: a.text("targetName", "name"), TargetURL: a.text("targetUrl", "url"),
			TargetDescription: a.text("targetDescription", "description"),
			TargetFramework:   a.text("targetFramework", "framework"), TargetCode: a.text("targetCode"),
			TargetType: a.text("targetType"),
		})
		a.types()
		keepInside(a)
	}
	return out
}

// DecodeIssuer reads a Profile. Errors and notes as with DecodeAssertion.
func DecodeIssuer(doc []byte) (openbadges.Profile, Notes, error) {
	o, notes, err := open(doc)
	if err != nil {
		return openbadges.Profile{}, nil, fmt.Errorf("read issuer: %w", err)
	}
	return profile(o), *notes, nil
}

func profile(o *object) openbadges.Profile {
	p := openbadges.Profile{ID: o.text("id", "@id")}
	checkType(o, "Issuer", "Profile", "IssuerOrg")
	p.Name = o.text("name")
	p.URL = o.text("url")
	p.Email = o.text("email")
	p.Telephone = o.text("telephone")
	p.Description = o.text("description")
	p.Image = picture(o)
	p.Unknown = o.unknown()
	return p
}

func sortedNames(m map[string]json.RawMessage) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
