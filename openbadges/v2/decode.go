package v2

import (
	"bytes"
	"fmt"
	"strings"

	"badgebridge/openbadges"
	"badgebridge/openbadges/internal/wire"
)

// DecodeAssertion reads an Assertion. It takes what real issuers write: a badge
// and an issuer linked or embedded, single values for arrays and the other way
// round, the member names of OB 1.x, dates in other forms. The notes name every
// such departure. Errors: ErrNotJSON, ErrTooLarge; an incomplete document is
// no error.
func DecodeAssertion(doc []byte) (Assertion, Notes, error) {
	o, err := wire.Open(doc)
	if err != nil {
		return Assertion{}, nil, fmt.Errorf("read assertion: %w", err)
	}
	var a Assertion
	a.ID = o.Text("id", "@id")
	o.CheckType("Assertion")
	a.Endorsements = endorsements(o)
	a.UID = o.Text("uid")
	a.Award.Recipient = recipient(o)
	a.Award.BadgeClass = linkedClass(o)
	a.Award.IssuedOn = o.When("issuedOn", "issued_on")
	a.Award.Expires = o.When("expires")
	a.Award.Narrative = o.Text("narrative")
	a.Award.Evidence = evidence(o)
	a.Award.AssertionURL = wire.WebURL(a.ID)
	a.Image = picture(o)
	if raw, name := o.Get("verification", "verify"); raw != nil {
		if v, ok := o.Child(raw, name); ok {
			a.Verification = Verification{Type: verificationType(v.Types()), Creator: v.Text("creator"), URL: v.Text("url")}
			if a.Award.AssertionURL == "" && a.Verification.Type == HostedBadge {
				a.Award.AssertionURL = wire.WebURL(a.Verification.URL)
			}
		} else {
			o.Note(name, "is not an object")
		}
	}
	a.Award.Revoked, _ = o.Truth("revoked")
	a.Award.RevocationReason = o.Text("revocationReason")
	a.Unknown = o.Unknown()
	return a, o.Notes(), nil
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

// recipient reads an IdentityObject, in any of the shapes of all versions.
func recipient(o *wire.Object) openbadges.Recipient {
	raw, name := o.Get("recipient")
	list := wire.ListOf(raw)
	if len(list) == 0 {
		o.Note(name, "is missing")
		return openbadges.Recipient{}
	}
	if len(list) > 1 {
		o.Note(name, "has %d values; only the first is used", len(list))
	}
	r, ok := o.Child(list[0], name)
	if !ok { // OB 0.5 and some 1.0
		o.Note(name, "is a plain value")
		out := openbadges.Recipient{Type: openbadges.IdentityEmail, Identity: o.TextOf(list[0], name), Salt: o.Text("salt")}
		out.Hashed = wire.LooksHashed(out.Identity)
		return out
	}
	out := openbadges.Recipient{Identity: r.Text("identity"), Salt: r.Text("salt")}
	hashed, present := r.Truth("hashed")
	if !present {
		hashed = wire.LooksHashed(out.Identity)
		r.Note("hashed", "is missing; taken as %v", hashed)
	}
	out.Hashed = hashed
	out.Type = identityType(r)
	return out
}

func identityType(r *wire.Object) openbadges.IdentityType {
	for _, t := range r.Types() {
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
	r.Note("type", "is missing; taken as email")
	return openbadges.IdentityEmail
}

// linkedClass reads the badge of an assertion, a link or the whole thing.
func linkedClass(o *wire.Object) openbadges.BadgeClass {
	raw, name := o.Get("badge")
	list := wire.ListOf(raw)
	if len(list) == 0 {
		o.Note(name, "is missing")
		return openbadges.BadgeClass{}
	}
	if b, ok := o.Child(list[0], name); ok {
		return badgeClass(b)
	}
	return openbadges.BadgeClass{ID: o.TextOf(raw, name)}
}

// DecodeBadgeClass reads a BadgeClass. Its Issuer has nothing but the ID where
// the document only links it. Errors and notes as with DecodeAssertion.
func DecodeBadgeClass(doc []byte) (openbadges.BadgeClass, Notes, error) {
	o, err := wire.Open(doc)
	if err != nil {
		return openbadges.BadgeClass{}, nil, fmt.Errorf("read badge: %w", err)
	}
	return badgeClass(o), o.Notes(), nil
}

func badgeClass(o *wire.Object) openbadges.BadgeClass {
	c := openbadges.BadgeClass{ID: o.Text("id", "@id")}
	c.Types = o.CheckType("BadgeClass")
	c.Name = o.Text("name")
	c.Description = o.Text("description")
	if strings.Contains(c.Description, "</") || strings.Contains(c.Description, "<p>") {
		o.Note("description", "holds HTML")
	}
	c.Image = picture(o)
	c.Criteria = criteria(o)
	raw, name := o.Get("issuer")
	if list := wire.ListOf(raw); len(list) > 0 {
		if p, ok := o.Child(list[0], name); ok {
			c.Issuer = profile(p)
		} else {
			c.Issuer.ID = o.TextOf(raw, name)
		}
	}
	c.Tags = o.Texts("tags")
	c.Alignments = alignments(o)
	if raw, name := o.Get("version"); raw != nil {
		if wire.KindOf(raw) == '"' {
			c.Version = o.TextOf(raw, name)
		} else { // the specification allows numbers
			c.Version = string(bytes.TrimSpace(raw))
		}
	}
	c.Language = o.Text("@language")
	c.Related = related(o)
	c.Endorsements = endorsements(o)
	c.Unknown = o.Unknown()
	return c
}

func criteria(o *wire.Object) openbadges.Criteria {
	raw, name := o.Get("criteria")
	list := wire.ListOf(raw)
	if len(list) == 0 {
		return openbadges.Criteria{}
	}
	if len(list) > 1 {
		o.Note(name, "has %d values; only the first is used", len(list))
	}
	if c, ok := o.Child(list[0], name); ok {
		c.Types()
		return openbadges.Criteria{ID: c.Text("id", "@id"), Narrative: c.Text("narrative"), Unknown: c.UnknownInside()}
	}
	s := o.TextOf(list[0], name)
	if strings.Contains(s, ":") && !strings.ContainsAny(s, " \n") {
		return openbadges.Criteria{ID: s}
	}
	o.Note(name, "is a text and no address")
	return openbadges.Criteria{Narrative: s}
}

// further gives the types beyond the class's own.
func further(types []string, own string) []string {
	var out []string
	for _, t := range types {
		if t != own {
			out = append(out, t)
		}
	}
	return out
}

func picture(o *wire.Object) *openbadges.Image {
	raw, name := o.Get("image")
	list := wire.ListOf(raw)
	if len(list) == 0 {
		return nil
	}
	if len(list) > 1 {
		o.Note(name, "has %d values; only the first is used", len(list))
	}
	if i, ok := o.Child(list[0], name); ok {
		i.Types()
		return &openbadges.Image{
			ID: i.Text("id", "@id"), Caption: i.Text("caption"), Author: i.Text("author"), Unknown: i.UnknownInside(),
		}
	}
	if s := o.TextOf(list[0], name); s != "" {
		return &openbadges.Image{ID: s}
	}
	return nil
}

func evidence(o *wire.Object) []openbadges.Evidence {
	raw, name := o.Get("evidence")
	var out []openbadges.Evidence
	for _, entry := range wire.ListOf(raw) {
		e, ok := o.Child(entry, name)
		if !ok {
			if id := o.TextOf(entry, name); id != "" {
				out = append(out, openbadges.Evidence{ID: id})
			}
			continue
		}
		out = append(out, openbadges.Evidence{
			ID: e.Text("id", "@id"), Name: e.Text("name"), Description: e.Text("description"),
			Narrative: e.Text("narrative"), Genre: e.Text("genre"), Audience: e.Text("audience"),
			Types: further(e.Types(), "Evidence"), Unknown: e.UnknownInside(),
		})
	}
	return out
}

func alignments(o *wire.Object) []openbadges.Alignment {
	raw, name := o.Get("alignment", "alignments") // Moodle writes the latter
	var out []openbadges.Alignment
	for _, entry := range wire.ListOf(raw) {
		a, ok := o.Child(entry, name)
		if !ok {
			o.Note(name, "has an entry that is no object")
			if s := o.TextOf(entry, name); s != "" {
				out = append(out, openbadges.Alignment{TargetURL: s})
			}
			continue
		}
		a.Types()
		out = append(out, openbadges.Alignment{
			TargetName: a.Text("targetName", "name"), TargetURL: a.Text("targetUrl", "url"),
			TargetDescription: a.Text("targetDescription", "description"),
			TargetFramework:   a.Text("targetFramework", "framework"), TargetCode: a.Text("targetCode"),
			TargetType: a.Text("targetType"), Unknown: a.UnknownInside(),
		})
	}
	return out
}

func related(o *wire.Object) []openbadges.Related {
	raw, name := o.Get("related")
	var out []openbadges.Related
	for _, entry := range wire.ListOf(raw) {
		r, ok := o.Child(entry, name)
		if !ok {
			if id := o.TextOf(entry, name); id != "" {
				out = append(out, openbadges.Related{ID: id})
			}
			continue
		}
		out = append(out, openbadges.Related{
			ID: r.Text("id", "@id"), Types: r.Types(), Language: r.Text("@language"), Version: r.Text("version"), Unknown: r.UnknownInside(),
		})
	}
	return out
}

// endorsements reads links to Endorsements and embedded ones.
func endorsements(o *wire.Object) []openbadges.Endorsement {
	raw, name := o.Get("endorsement")
	var out []openbadges.Endorsement
	for _, entry := range wire.ListOf(raw) {
		e, ok := o.Child(entry, name)
		if !ok {
			if id := o.TextOf(entry, name); id != "" {
				out = append(out, openbadges.Endorsement{ID: id})
			}
			continue
		}
		v := openbadges.Endorsement{ID: e.Text("id", "@id"), IssuedOn: e.When("issuedOn"), Document: entry}
		if claim, at := e.Get("claim"); claim != nil {
			if c, ok := e.Child(claim, at); ok {
				v.Subject, v.Comment = c.Text("id", "@id"), c.Text("endorsementComment")
			}
		}
		if issuer, at := e.Get("issuer"); issuer != nil {
			if p, ok := e.Child(issuer, at); ok {
				v.Issuer = profile(p)
			} else {
				v.Issuer.ID = e.TextOf(issuer, at)
			}
		}
		out = append(out, v)
	}
	return out
}

// DecodeIssuer reads a Profile. Errors and notes as with DecodeAssertion.
func DecodeIssuer(doc []byte) (openbadges.Profile, Notes, error) {
	o, err := wire.Open(doc)
	if err != nil {
		return openbadges.Profile{}, nil, fmt.Errorf("read issuer: %w", err)
	}
	return profile(o), o.Notes(), nil
}

func profile(o *wire.Object) openbadges.Profile {
	p := openbadges.Profile{ID: o.Text("id", "@id")}
	p.Types = o.CheckType("Issuer", "Profile", "IssuerOrg")
	p.Name = o.Text("name")
	p.URL = o.Text("url")
	p.Email = o.Text("email")
	p.Telephone = o.Text("telephone")
	p.Description = o.Text("description")
	p.Image = picture(o)
	p.Endorsements = endorsements(o)
	p.Unknown = o.Unknown()
	return p
}
