package v3

import (
	"encoding/json"
	"reflect"

	"badgebridge/openbadges"
	"badgebridge/openbadges/internal/wire"
)

// DecodeAchievement reads an Achievement on its own. Its Issuer is the creator.
// Errors and notes as with DecodeCredential.
func DecodeAchievement(doc []byte) (openbadges.BadgeClass, Notes, error) {
	o, err := wire.Open(doc)
	if err != nil {
		return openbadges.BadgeClass{}, nil, err
	}
	return achievement(o), o.Notes(), nil
}

// DecodeProfile reads a Profile on its own. Errors and notes as with
// DecodeCredential.
func DecodeProfile(doc []byte) (openbadges.Profile, Notes, error) {
	o, err := wire.Open(doc)
	if err != nil {
		return openbadges.Profile{}, nil, err
	}
	return profile(o), o.Notes(), nil
}

func achievement(o *wire.Object) openbadges.BadgeClass {
	c := openbadges.BadgeClass{ID: o.Text("id", "@id"), Types: o.CheckType("Achievement")}
	c.Name = o.Text("name")
	c.Description = o.Text("description")
	c.Language = o.Text("inLanguage", "@language")
	c.Version = o.Text("version")
	c.Image = picture(o, "image")
	c.Criteria = criteria(o)
	c.Tags = o.TextSet("tag", "tags")
	c.Alignments = alignments(o)
	if creator := linkedProfile(o, "creator"); creator != nil {
		c.Issuer = *creator
	}
	c.AchievementType = o.Text("achievementType")
	c.CreditsAvailable = o.Number("creditsAvailable")
	c.FieldOfStudy = o.Text("fieldOfStudy")
	c.Specialization = o.Text("specialization")
	c.HumanCode = o.Text("humanCode")
	c.Identifiers = identifiers(o)
	c.Endorsements = endorsements(o)
	o.Each([]string{"related"}, func(r *wire.Object) {
		c.Related = append(c.Related, openbadges.Related{
			ID: r.Text("id", "@id"), Types: r.CheckType("Related"), Language: r.Text("inLanguage", "@language"), Version: r.Text("version"),
			Unknown: r.UnknownInside(),
		})
	}, func(link string) {
		o.Note("related", "is a link where an object is expected")
		c.Related = append(c.Related, openbadges.Related{ID: link})
	})
	o.Each([]string{"resultDescription"}, func(r *wire.Object) {
		c.ResultDescriptions = append(c.ResultDescriptions, resultDescription(r))
	}, notAnObject(o, "resultDescription"))
	c.Unknown = o.UnknownInside()
	return c
}

func profile(o *wire.Object) openbadges.Profile {
	p := openbadges.Profile{ID: o.Text("id", "@id"), Types: o.CheckType("Profile")}
	p.Name = o.Text("name")
	p.URL = o.Text("url")
	p.Email = o.Text("email")
	p.Telephone = o.Text("phone", "telephone")
	p.Description = o.Text("description")
	p.Image = picture(o, "image")
	p.Identifiers = identifiers(o)
	p.Endorsements = endorsements(o)
	p.Official = o.Text("official")
	p.DateOfBirth = o.Text("dateOfBirth")
	p.ParentOrg = linkedProfile(o, "parentOrg")
	person := openbadges.PersonName{
		GivenName: o.Text("givenName"), AdditionalName: o.Text("additionalName"), FamilyName: o.Text("familyName"),
		FamilyNamePrefix: o.Text("familyNamePrefix"), PatronymicName: o.Text("patronymicName"),
		HonorificPrefix: o.Text("honorificPrefix"), HonorificSuffix: o.Text("honorificSuffix"),
	}
	if person != (openbadges.PersonName{}) {
		p.Person = &person
	}
	if raw, name := o.First("address"); raw != nil {
		if a, ok := o.Child(raw, name); ok {
			p.Address = address(a)
		} else {
			o.Note(name, "is not an object")
		}
	}
	p.Unknown = o.UnknownInside()
	return p
}

func isZero(p openbadges.Profile) bool { return reflect.ValueOf(p).IsZero() }

// linkedProfile reads a profile that may be given by its id alone.
func linkedProfile(o *wire.Object, name string) *openbadges.Profile {
	raw, name := o.First(name)
	if raw == nil {
		return nil
	}
	if p, ok := o.Child(raw, name); ok {
		out := profile(p)
		return &out
	}
	o.Note(name, "is a link; the profile itself is expected")
	return &openbadges.Profile{ID: o.TextOf(raw, name)}
}

func address(o *wire.Object) *openbadges.Address {
	further(o, "Address")
	a := &openbadges.Address{
		Country: o.Text("addressCountry"), CountryCode: o.Text("addressCountryCode"), Region: o.Text("addressRegion"),
		Locality: o.Text("addressLocality"), Street: o.Text("streetAddress"), PostOffice: o.Text("postOfficeBoxNumber"),
		PostalCode: o.Text("postalCode"),
	}
	raw, name := o.First("geo")
	if g, ok := o.Child(raw, name); ok {
		further(g, "GeoCoordinates")
		a.Latitude, a.Longitude = g.Number("latitude"), g.Number("longitude")
		noUnknown(g)
	}
	a.Unknown = o.UnknownInside()
	return a
}

func identifiers(o *wire.Object) []openbadges.IdentifierEntry {
	var out []openbadges.IdentifierEntry
	o.Each([]string{"otherIdentifier"}, func(i *wire.Object) {
		further(i, "IdentifierEntry")
		out = append(out, openbadges.IdentifierEntry{Identifier: i.Text("identifier"), Type: i.Text("identifierType"), Unknown: i.UnknownInside()})
	}, func(plain string) {
		o.Note("otherIdentifier", "is a string where an IdentifierEntry is expected")
		out = append(out, openbadges.IdentifierEntry{Identifier: plain, Type: "identifier"})
	})
	return out
}

func picture(o *wire.Object, name string) *openbadges.Image {
	raw, name := o.First(name)
	if raw == nil {
		return nil
	}
	if i, ok := o.Child(raw, name); ok {
		further(i, "Image")
		return &openbadges.Image{ID: i.Text("id", "@id"), Caption: i.Text("caption"), Unknown: i.UnknownInside()}
	}
	o.Note(name, "is a string where an Image is expected")
	if s := o.TextOf(raw, name); s != "" {
		return &openbadges.Image{ID: s}
	}
	return nil
}

func criteria(o *wire.Object) openbadges.Criteria {
	raw, name := o.First("criteria")
	if raw == nil {
		return openbadges.Criteria{}
	}
	if c, ok := o.Child(raw, name); ok {
		c.Types()
		return openbadges.Criteria{ID: c.Text("id", "@id"), Narrative: c.Text("narrative"), Unknown: c.UnknownInside()}
	}
	o.Note(name, "is a string where an object is expected")
	s := o.TextOf(raw, name)
	if wire.IsWeb(s) {
		return openbadges.Criteria{ID: s}
	}
	return openbadges.Criteria{Narrative: s}
}

func evidence(o *wire.Object) []openbadges.Evidence {
	var out []openbadges.Evidence
	o.Each([]string{"evidence"}, func(e *wire.Object) {
		out = append(out, openbadges.Evidence{
			ID: e.Text("id", "@id"), Types: e.CheckType("Evidence"), Name: e.Text("name"), Description: e.Text("description"),
			Narrative: e.Text("narrative"), Genre: e.Text("genre"), Audience: e.Text("audience"), Unknown: e.UnknownInside(),
		})
	}, func(link string) {
		o.Note("evidence", "is a link where an object is expected")
		out = append(out, openbadges.Evidence{ID: link})
	})
	return out
}

func alignments(o *wire.Object) []openbadges.Alignment {
	var out []openbadges.Alignment
	o.Each([]string{"alignment", "alignments"}, func(a *wire.Object) {
		further(a, "Alignment")
		out = append(out, openbadges.Alignment{
			TargetName: a.Text("targetName"), TargetURL: a.Text("targetUrl"), TargetDescription: a.Text("targetDescription"),
			TargetFramework: a.Text("targetFramework"), TargetCode: a.Text("targetCode"), TargetType: a.Text("targetType"),
			Unknown: a.UnknownInside(),
		})
	}, func(link string) {
		o.Note("alignment", "is a link where an object is expected")
		out = append(out, openbadges.Alignment{TargetURL: link})
	})
	return out
}

func result(o *wire.Object) openbadges.Result {
	further(o, "Result")
	return openbadges.Result{
		ResultDescription: o.Text("resultDescription"), Value: o.Text("value"), Status: o.Text("status"),
		AchievedLevel: o.Text("achievedLevel"), Alignments: alignments(o), Unknown: o.UnknownInside(),
	}
}

func resultDescription(o *wire.Object) openbadges.ResultDescription {
	further(o, "ResultDescription")
	d := openbadges.ResultDescription{
		ID: o.Text("id", "@id"), Name: o.Text("name"), ResultType: o.Text("resultType"),
		AllowedValues: o.TextSet("allowedValue"), RequiredLevel: o.Text("requiredLevel"), RequiredValue: o.Text("requiredValue"),
		ValueMin: o.Text("valueMin"), ValueMax: o.Text("valueMax"), Alignments: alignments(o),
	}
	o.Each([]string{"rubricCriterionLevel"}, func(l *wire.Object) {
		further(l, "RubricCriterionLevel")
		d.Levels = append(d.Levels, openbadges.RubricLevel{
			ID: l.Text("id", "@id"), Name: l.Text("name"), Description: l.Text("description"), Level: l.Text("level"),
			Points: l.Text("points"), Alignments: alignments(l), Unknown: l.UnknownInside(),
		})
	}, notAnObject(o, "rubricCriterionLevel"))
	d.Unknown = o.UnknownInside()
	return d
}

// endorsements reads the embedded credentials and the JWTs.
func endorsements(o *wire.Object) []openbadges.Endorsement {
	var out []openbadges.Endorsement
	list, name := o.Set("endorsement")
	for _, raw := range list {
		e, ok := o.Child(raw, name)
		if !ok {
			o.Note(name, "is a link; the EndorsementCredential itself is expected")
			if link := o.TextOf(raw, name); link != "" {
				out = append(out, openbadges.Endorsement{ID: link})
			}
			continue
		}
		out = append(out, endorsement(e, raw))
	}
	for _, jwt := range o.TextSet("endorsementJwt") {
		out = append(out, openbadges.Endorsement{JWT: jwt})
	}
	return out
}

func endorsement(o *wire.Object, raw json.RawMessage) openbadges.Endorsement {
	out := openbadges.Endorsement{ID: o.Text("id", "@id"), Document: raw}
	from := []string{"validFrom"}
	if o.Has("issuanceDate") {
		from = []string{"issuanceDate"}
	}
	out.IssuedOn = o.When(from...)
	if issuer, name := o.First("issuer"); issuer != nil {
		if p, ok := o.Child(issuer, name); ok {
			out.Issuer = profile(p)
		} else {
			out.Issuer.ID = o.TextOf(issuer, name)
		}
	}
	subject, name := o.First("credentialSubject")
	if s, ok := o.Child(subject, name); ok {
		s.CheckType("EndorsementSubject")
		out.Subject, out.Comment = s.Text("id", "@id"), s.Text("endorsementComment")
	} else {
		o.Note(name, "is missing")
	}
	return out
}
