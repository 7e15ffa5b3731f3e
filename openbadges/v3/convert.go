package v3

import (
	"badgebridge/openbadges"
	"badgebridge/openbadges/internal/wire"
)

// The types by which a 3.0 document points to its 2.0 origin, from the migration
// guide of Open Badges 3.0, section "Linking".
const (
	typeAssertion2   = "https://w3id.org/openbadges#Assertion"
	typeBadgeClass2  = "https://w3id.org/openbadges#BadgeClass"
	typeEndorsement2 = "https://w3id.org/openbadges#Endorsement"
)

// FromModel gives a credential, to be signed, that says what an assertion says.
// The notes name what could not be carried over.
//
// An assertion of another version becomes a new credential by the rules of the
// migration guide: its id, and that of its achievement, are new ones, always the
// same for the same origin, and the original is kept as evidence and as related
// badge. id is the new credential's id; "" keeps that of a 3.0 credential and
// derives one ("urn:uuid:…") for the others.
func FromModel(a openbadges.Assertion, id string) (Credential, Notes) {
	var notes Notes
	upgrade := a.Version != openbadges.V30 && a.Version != ""
	if a.Version != openbadges.V30 {
		a = wire.Foreign(a, openbadges.V30, &notes)
	}
	c := Credential{
		ID: a.ID, Name: a.Award.BadgeClass.Name, Issuer: a.Issuer, Award: a.Award, Image: a.Image,
		Endorsements: a.Endorsements, Unknown: a.Unknown,
	}
	k := &c.Award.BadgeClass
	if upgrade {
		k.Issuer = c.Issuer // older versions know one issuer
		if c.Issuer.ID == "" && c.Issuer.URL != "" {
			c.Issuer.ID, k.Issuer.ID = c.Issuer.URL, c.Issuer.URL
			notes.Add("issuer.id", "is missing; the issuer's address takes its place")
		}
		c.ID = wire.DerivedID("assertion " + origin(a))
		c.link(a, &notes)
	}
	if id != "" {
		c.ID = id
	}
	return c, notes
}

// origin tells one original from any other, as well as it can be told.
func origin(a openbadges.Assertion) string {
	if a.ID != "" {
		return a.ID
	}
	return string(a.Document)
}

// link points from the new documents to those that they were made from.
func (c *Credential) link(a openbadges.Assertion, notes *Notes) {
	if wire.IsWeb(a.ID) {
		c.Award.Evidence = append(c.Award.Evidence, openbadges.Evidence{
			ID: a.ID, Types: []string{typeAssertion2}, Name: "Original badge",
			Description: "The Open Badges " + string(a.Version) + " assertion that this credential was made from.",
		})
	} else {
		notes.Add("id", "the original has no address, so the credential can't point to it")
	}
	var rest []openbadges.Endorsement
	for _, v := range c.Endorsements {
		if !wire.IsWeb(v.ID) {
			rest = append(rest, v)
			continue
		}
		c.Award.Evidence = append(c.Award.Evidence, openbadges.Evidence{ID: v.ID, Types: []string{typeEndorsement2}, Narrative: v.Comment})
	}
	c.Endorsements = rest

	k := &c.Award.BadgeClass
	from := k.ID
	if from == "" {
		from = k.Issuer.URL + "\n" + k.Name
	}
	if wire.IsWeb(k.ID) {
		k.Types = append(k.Types, typeBadgeClass2)
		k.Related = append(k.Related, openbadges.Related{ID: k.ID, Types: []string{typeBadgeClass2}, Language: k.Language, Version: k.Version})
	}
	k.ID = wire.DerivedID("achievement " + from)
	rest = nil
	for _, v := range k.Endorsements {
		if !wire.IsWeb(v.ID) {
			rest = append(rest, v)
			continue
		}
		k.Related = append(k.Related, openbadges.Related{ID: v.ID, Types: []string{typeEndorsement2}})
	}
	k.Endorsements = rest
}
