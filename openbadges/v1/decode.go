package v1

import (
	"fmt"
	"net/url"
	"strings"

	"badgebridge/openbadges"
	"badgebridge/openbadges/internal/wire"
)

// DecodeAssertion reads an assertion of OB 0.5, 1.0 or 1.1; Version says which.
// The notes name every departure from the text. Errors: ErrNotJSON, ErrTooLarge;
// an incomplete document is no error.
func DecodeAssertion(doc []byte) (Assertion, Notes, error) {
	o, err := wire.Open(doc)
	if err != nil {
		return Assertion{}, nil, fmt.Errorf("read assertion: %w", err)
	}
	a := Assertion{Version: openbadges.V10}
	badge, name := o.First("badge")
	b, embedded := o.Child(badge, name)
	switch {
	case o.Has("@context"):
		a.Version = openbadges.V11
	case embedded && isBadge05(b):
		a.Version = openbadges.V05
	}
	if a.Version == openbadges.V05 {
		assertion05(&a, o, b)
		return a, o.Notes(), nil
	}
	a.ID = o.Text("id", "@id")
	if a.Version == openbadges.V11 {
		o.CheckType("Assertion")
	}
	a.UID = o.Text("uid")
	if a.UID == "" {
		o.Note("uid", "is missing")
	}
	a.Award.Recipient = recipient(o, false)
	switch {
	case embedded:
		o.Note(name, "is embedded where a link is expected")
		a.Award.BadgeClass = badgeClass(b, a.Version == openbadges.V11)
	case badge == nil:
		o.Note(name, "is missing")
	default:
		a.Award.BadgeClass.ID = o.TextOf(badge, name)
	}
	dates(&a, o, "issuedOn", "issued_on")
	a.Award.Narrative = o.Text("narrative")
	evidence(&a, o)
	a.Image = picture(o)
	verification(&a, o)
	if a.ID == "" && a.Verify.Type == Hosted {
		a.ID = a.Verify.URL
	}
	a.Award.AssertionURL = wire.WebURL(a.ID)
	a.Award.Revoked, _ = o.Truth("revoked")
	a.Award.RevocationReason = o.Text("revocationReason")
	a.Unknown = o.Unknown()
	return a, o.Notes(), nil
}

func dates(a *Assertion, o *wire.Object, issued ...string) {
	a.Award.IssuedOn = o.OldTime(issued...)
	a.Award.Expires = o.OldTime("expires")
}

func verification(a *Assertion, o *wire.Object) {
	raw, name := o.First("verify", "verification")
	v, ok := o.Child(raw, name)
	if !ok {
		o.Note(name, "is missing")
		return
	}
	a.Verify = Verify{Type: v.Text("type", "@type"), URL: v.Text("url")}
	switch a.Verify.Type {
	case "HostedBadge":
		a.Verify.Type = Hosted
	case "SignedBadge":
		a.Verify.Type = Signed
	}
	for _, n := range wire.SortedNames(v.Unknown()) {
		v.Note(n, "is not carried over")
	}
}

// recipient reads an IdentityObject, or the plain string of 0.5 and some 1.0.
func recipient(o *wire.Object, plain bool) openbadges.Recipient {
	raw, name := o.First("recipient")
	if raw == nil {
		o.Note(name, "is missing")
		return openbadges.Recipient{}
	}
	r, ok := o.Child(raw, name)
	if !ok {
		if !plain {
			o.Note(name, "is a plain value where an object is expected")
		}
		out := openbadges.Recipient{Type: openbadges.IdentityEmail, Identity: o.TextOf(raw, name), Salt: o.Text("salt")}
		out.Hashed = !strings.Contains(out.Identity, "@") && out.Identity != ""
		return out
	}
	if plain {
		o.Note(name, "is an object where a string is expected")
	}
	out := openbadges.Recipient{Type: openbadges.IdentityEmail, Identity: r.Text("identity"), Salt: r.Text("salt")}
	hashed, present := r.Truth("hashed")
	if !present {
		hashed = wire.LooksHashed(out.Identity)
		r.Note("hashed", "is missing; taken as %v", hashed)
	}
	out.Hashed = hashed
	switch t := r.Text("type", "@type"); t {
	case "email":
	case "":
		r.Note("type", "is missing; taken as email")
	default:
		r.Note("type", "is %.40q; OB 1.x knows email only", t)
		out.Type = openbadges.IdentityType(t)
	}
	for _, n := range wire.SortedNames(r.Unknown()) {
		r.Note(n, "is not carried over")
	}
	return out
}

func evidence(a *Assertion, o *wire.Object) {
	raw, name := o.Get("evidence")
	list := wire.ListOf(raw)
	if len(list) > 1 {
		o.Note(name, "has %d values where one is expected", len(list))
	}
	for _, entry := range list {
		if e, ok := o.Child(entry, name); ok {
			o.Note(name, "is an object where an address is expected")
			a.Award.Evidence = append(a.Award.Evidence, openbadges.Evidence{
				ID: e.Text("id", "@id"), Name: e.Text("name"), Description: e.Text("description"), Narrative: e.Text("narrative"),
				Genre: e.Text("genre"), Audience: e.Text("audience"),
			})
			continue
		}
		if id := o.TextOf(entry, name); id != "" {
			a.Award.Evidence = append(a.Award.Evidence, openbadges.Evidence{ID: id})
		}
	}
}

func picture(o *wire.Object) *openbadges.Image {
	raw, name := o.First("image")
	if raw == nil {
		return nil
	}
	if i, ok := o.Child(raw, name); ok {
		o.Note(name, "is an object where an address is expected")
		i.Types()
		return &openbadges.Image{ID: i.Text("id", "@id"), Caption: i.Text("caption"), Author: i.Text("author"), Unknown: i.UnknownInside()}
	}
	if s := o.TextOf(raw, name); s != "" {
		return &openbadges.Image{ID: s}
	}
	return nil
}

// isBadge05 tells a badge of OB 0.5 from one of 1.x that is embedded: its issuer
// has an origin, and it may name its version.
func isBadge05(b *wire.Object) bool {
	if b.Has("issuer") {
		raw, name := b.Get("issuer")
		if p, ok := b.Child(raw, name); ok && p.Has("origin") {
			return true
		}
	}
	return b.Has("version") && !b.Has("@context") && !b.Has("id")
}

// assertion05 reads an assertion of OB 0.5, where image, criteria and evidence
// may be paths at the issuer's origin.
func assertion05(a *Assertion, o, b *wire.Object) {
	a.Award.Recipient = recipient(o, true)
	dates(a, o, "issued_on", "issuedOn")
	evidence(a, o)
	a.Image = picture(o)
	if o.Has("verify") { // Mozilla's Backpack and baker add it
		verification(a, o)
		a.ID = a.Verify.URL
		a.Award.AssertionURL = wire.WebURL(a.ID)
	}

	c := &a.Award.BadgeClass
	c.Name, c.Description = b.Text("name"), b.Text("description")
	if v := b.Text("version"); v != "0.5.0" && v != "" {
		b.Note("version", "is %.20q; 0.5.0 expected", v)
	}
	c.Image = picture(b)
	if s := b.Text("criteria"); s != "" {
		c.Criteria.ID = s
	}
	raw, name := b.First("issuer")
	if p, ok := b.Child(raw, name); ok {
		c.Issuer = openbadges.Profile{Name: p.Text("name"), URL: p.Text("origin", "url"), Email: p.Text("contact", "email")}
		if org := p.Text("org"); org != "" {
			// The way in which the reference validator carries both.
			c.Issuer.Name += ": " + org
			p.Note("org", "became part of the issuer's name")
		}
		c.Issuer.Unknown = p.Unknown()
	} else {
		b.Note(name, "is missing")
	}
	c.Unknown = b.Unknown()
	a.Unknown = o.Unknown()

	origin, err := url.Parse(c.Issuer.URL)
	if err != nil || origin.Host == "" {
		b.Note("issuer.origin", "is not a web address")
		return
	}
	absolute := func(s *string) {
		if ref, err := url.Parse(*s); err == nil && ref.Scheme == "" && *s != "" {
			*s = origin.ResolveReference(ref).String()
		}
	}
	for i := range a.Award.Evidence {
		absolute(&a.Award.Evidence[i].ID)
	}
	absolute(&c.Criteria.ID)
	for _, i := range []*openbadges.Image{c.Image, a.Image} {
		if i != nil {
			absolute(&i.ID)
		}
	}
}

// DecodeBadgeClass reads a BadgeClass of OB 1.0 or 1.1. Its Issuer has nothing but
// the ID where the document only links it. Errors and notes as with
// DecodeAssertion.
func DecodeBadgeClass(doc []byte) (openbadges.BadgeClass, Notes, error) {
	o, err := wire.Open(doc)
	if err != nil {
		return openbadges.BadgeClass{}, nil, fmt.Errorf("read badge: %w", err)
	}
	return badgeClass(o, o.Has("@context")), o.Notes(), nil
}

// badgeClass reads a BadgeClass; typed says that it is one of 1.1, which has a
// type.
func badgeClass(o *wire.Object, typed bool) openbadges.BadgeClass {
	c := openbadges.BadgeClass{ID: o.Text("id", "@id")}
	if typed {
		c.Types = o.CheckType("BadgeClass")
	}
	c.Name, c.Description = o.Text("name"), o.Text("description")
	c.Image = picture(o)
	if raw, name := o.First("criteria"); raw != nil {
		if k, ok := o.Child(raw, name); ok {
			o.Note(name, "is an object where an address is expected")
			c.Criteria = openbadges.Criteria{ID: k.Text("id", "@id"), Narrative: k.Text("narrative")}
		} else if s := o.TextOf(raw, name); wire.IsWeb(s) {
			c.Criteria.ID = s
		} else {
			o.Note(name, "is no address")
			c.Criteria.Narrative = s
		}
	}
	raw, name := o.First("issuer")
	if p, ok := o.Child(raw, name); ok {
		o.Note(name, "is embedded where a link is expected")
		c.Issuer = profile(p, typed)
	} else if raw != nil {
		c.Issuer.ID = o.TextOf(raw, name)
	}
	c.Tags = o.TextSet("tags")
	o.Each([]string{"alignment", "alignments"}, func(a *wire.Object) {
		c.Alignments = append(c.Alignments, openbadges.Alignment{
			TargetName: a.Text("name", "targetName"), TargetURL: a.Text("url", "targetUrl"),
			TargetDescription: a.Text("description", "targetDescription"), Unknown: a.UnknownInside(),
		})
	}, func(link string) {
		o.Note("alignment", "has an entry that is no object")
		c.Alignments = append(c.Alignments, openbadges.Alignment{TargetURL: link})
	})
	c.Unknown = o.Unknown()
	return c
}

// DecodeIssuer reads an IssuerOrganization of OB 1.0 or 1.1. Errors and notes as
// with DecodeAssertion.
func DecodeIssuer(doc []byte) (openbadges.Profile, Notes, error) {
	o, err := wire.Open(doc)
	if err != nil {
		return openbadges.Profile{}, nil, fmt.Errorf("read issuer: %w", err)
	}
	return profile(o, o.Has("@context")), o.Notes(), nil
}

func profile(o *wire.Object, typed bool) openbadges.Profile {
	p := openbadges.Profile{ID: o.Text("id", "@id")}
	if typed {
		p.Types = o.CheckType("Issuer", "IssuerOrg", "IssuerOrganization", "Profile")
	}
	p.Name, p.URL, p.Email = o.Text("name"), o.Text("url"), o.Text("email")
	p.Description = o.Text("description")
	p.Image = picture(o)
	p.Unknown = o.Unknown()
	return p
}
