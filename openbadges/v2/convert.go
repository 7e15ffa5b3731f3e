package v2

import (
	"badgebridge/openbadges"
	"badgebridge/openbadges/internal/wire"
)

// FromModel gives a hosted Assertion, to be written and served, that says what an
// assertion says. The notes name what could not be carried over; EncodeAssertion
// names the rest. id is the address where it will be hosted; "" keeps that of the
// origin. The badge is embedded where the model holds more of it than its id.
func FromModel(a openbadges.Assertion, id string) (Assertion, Notes) {
	var notes Notes
	if a.Version != openbadges.V20 {
		a = wire.Foreign(a, openbadges.V20, &notes)
		a = wire.OneIssuer(a, openbadges.V20, &notes)
		wire.ClassID(&a.Award.BadgeClass, &notes)
	}
	if a.Version == openbadges.V30 {
		a = wire.OneIdentity(a, &notes, openbadges.IdentityEmail, openbadges.IdentityURL, openbadges.IdentityTelephone, openbadges.IdentityID)
	}
	out := Assertion{
		ID: a.ID, Award: a.Award, Image: a.Image, Verification: Verification{Type: HostedBadge},
		Endorsements: a.Endorsements, Unknown: a.Unknown, Embed: a.Award.BadgeClass.Name != "",
	}
	switch {
	case id != "":
		out.ID = id
	case a.Version != openbadges.V20 && a.Version != "":
		notes.Add("id", "is still that of the original; the new document has to be hosted at an address of its own")
	}
	return out, notes
}
