package wire

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"badgebridge/openbadges"
)

// Losses notes what a part holds that an older version has no place for.
type Losses struct {
	Notes   *openbadges.Notes
	Version openbadges.Version // the version that has no place
}

// Has notes path when lost is true.
func (l Losses) Has(lost bool, path string) {
	if lost {
		l.Notes.Add(path, "has no place in OB %s", l.Version)
	}
}

// Award notes what only OB 3.0 says of an award.
func (l Losses) Award(a openbadges.Award) {
	if a.Recipient.Name() != "" {
		l.Notes.Add("recipient", "the recipient's name has no place in OB %s", l.Version)
	}
	l.Has(len(a.Recipient.Also) > 0, "recipient.also")
	l.Has(!a.ValidFrom.IsZero(), "validFrom")
	l.Has(len(a.Results) > 0, "result")
	l.Has(a.CreditsEarned != "", "creditsEarned")
	l.Has(a.LicenseNumber != "", "licenseNumber")
	l.Has(a.Role != "", "role")
	l.Has(a.Term != "", "term")
	l.Has(!a.ActivityStart.IsZero(), "activityStartDate")
	l.Has(!a.ActivityEnd.IsZero(), "activityEndDate")
	l.Has(a.Source != nil, "source")
	for _, name := range SortedNames(a.Unknown) {
		l.Has(true, "credentialSubject."+name)
	}
}

// Class notes what only OB 3.0 says of a badge.
func (l Losses) Class(c openbadges.BadgeClass) {
	l.Has(c.AchievementType != "", "achievementType")
	l.Has(c.CreditsAvailable != "", "creditsAvailable")
	l.Has(c.FieldOfStudy != "", "fieldOfStudy")
	l.Has(c.Specialization != "", "specialization")
	l.Has(c.HumanCode != "", "humanCode")
	l.Has(len(c.Identifiers) > 0, "otherIdentifier")
	l.Has(len(c.ResultDescriptions) > 0, "resultDescription")
}

// Profile notes what only OB 3.0 says of a profile.
func (l Losses) Profile(p openbadges.Profile) {
	l.Has(len(p.Identifiers) > 0, "otherIdentifier")
	l.Has(p.Address != nil, "address")
	l.Has(p.ParentOrg != nil, "parentOrg")
	l.Has(p.Official != "", "official")
	l.Has(p.Person != nil, "givenName")
	l.Has(p.DateOfBirth != "", "dateOfBirth")
}

// OneIssuer makes the issuer of an assertion that of its badge too: versions before
// 3.0 know one issuer only, by an address of the web.
func OneIssuer(a openbadges.Assertion, to openbadges.Version, notes *openbadges.Notes) openbadges.Assertion {
	was := a.Award.BadgeClass.Issuer
	if a.Issuer.ID != "" && was.ID != "" && was.ID != a.Issuer.ID {
		notes.Add("badge.issuer", "OB %s knows one issuer: %s, who made the badge, is lost", to, was.ID)
	}
	if a.Issuer.ID == "" && a.Issuer.Name == "" {
		a.Issuer = was
	}
	if !IsWeb(a.Issuer.ID) && IsWeb(a.Issuer.URL) {
		if a.Issuer.ID == "" {
			notes.Add("badge.issuer.id", "is missing; the issuer's own address takes its place")
		} else {
			notes.Add("badge.issuer.id", "%q is not an address of the web; the issuer's own address takes its place", a.Issuer.ID)
		}
		a.Issuer.ID = a.Issuer.URL
	}
	a.Award.BadgeClass.Issuer = a.Issuer
	return a
}

// ClassID gives an embedded badge that has no id of its own one that is derived
// from what it says.
func ClassID(c *openbadges.BadgeClass, notes *openbadges.Notes) {
	if c.ID == "" && c.Name != "" {
		c.ID = DerivedID("badge " + c.Issuer.URL + "\n" + c.Name + "\n" + c.Description)
		notes.Add("badge.id", "is missing; it got one of its own")
	}
}

// OneIdentity makes the first identifier of a kind that the version knows the
// only one, where there is any such.
func OneIdentity(a openbadges.Assertion, notes *openbadges.Notes, known ...openbadges.IdentityType) openbadges.Assertion {
	r := a.Award.Recipient
	all := append([]openbadges.Identity{{Type: r.Type, Identity: r.Identity, Hashed: r.Hashed, Salt: r.Salt}}, r.Also...)
	for i, identity := range all {
		if !slices.Contains(known, identity.Type) {
			continue
		}
		for k, other := range all {
			if k != i {
				notes.Add("recipient.also", "there is room for one identifier: that of type %s is lost", other.Type)
			}
		}
		r.Type, r.Identity, r.Hashed, r.Salt, r.Also = identity.Type, identity.Identity, identity.Hashed, identity.Salt, nil
		break
	}
	a.Award.Recipient = r
	return a
}

// DerivedID gives the same "urn:uuid:" for the same text, another for any other
// (a UUID of version 8 over SHA-256).
func DerivedID(text string) string {
	b := sha256.Sum256([]byte("badgebridge\x00" + text))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// Foreign takes out of an assertion that came in another version the members
// which the version to does not know, and notes them. What stays are extensions:
// objects that bring a context of their own; for OB 3.0 it has to be one that is
// made for 3.0, since there a term that no context defines spoils the proof.
func Foreign(a openbadges.Assertion, to openbadges.Version, notes *openbadges.Notes) openbadges.Assertion {
	f := foreign{to, notes}
	a.Unknown = f.keep("", a.Unknown)
	a.Award.Unknown = f.keep("credentialSubject.", a.Award.Unknown)
	a.Image = f.image("image", a.Image)
	a.Issuer = f.profile("badge.issuer", a.Issuer)
	a.Award.Evidence = slices.Clone(a.Award.Evidence)
	for i := range a.Award.Evidence {
		e := &a.Award.Evidence[i]
		e.Unknown = f.keep(fmt.Sprintf("evidence[%d].", i), e.Unknown)
		e.Types = f.types(e.Types)
	}
	c := &a.Award.BadgeClass
	c.Unknown = f.keep("badge.", c.Unknown)
	c.Types = f.types(c.Types)
	c.Image = f.image("badge.image", c.Image)
	c.Criteria.Unknown = f.keep("badge.criteria.", c.Criteria.Unknown)
	c.Alignments = slices.Clone(c.Alignments)
	for i := range c.Alignments {
		c.Alignments[i].Unknown = f.keep(fmt.Sprintf("badge.alignment[%d].", i), c.Alignments[i].Unknown)
	}
	c.Related = slices.Clone(c.Related)
	for i := range c.Related {
		c.Related[i].Unknown = f.keep(fmt.Sprintf("badge.related[%d].", i), c.Related[i].Unknown)
		c.Related[i].Types = f.types(c.Related[i].Types)
	}
	return a
}

type foreign struct {
	to    openbadges.Version
	notes *openbadges.Notes
}

// types keeps those that are IRIs of their own; the short names of one version
// mean nothing in another.
func (f foreign) types(in []string) []string {
	var out []string
	for _, t := range in {
		if IsWeb(t) && !strings.HasPrefix(t, "https://w3id.org/openbadges#") { // ours: see v3.FromModel
			out = append(out, t)
		}
	}
	return out
}

func (f foreign) image(path string, i *openbadges.Image) *openbadges.Image {
	if i == nil || len(i.Unknown) == 0 {
		return i
	}
	out := *i
	out.Unknown = f.keep(path+".", i.Unknown)
	return &out
}

func (f foreign) profile(path string, p openbadges.Profile) openbadges.Profile {
	p.Unknown = f.keep(path+".", p.Unknown)
	p.Image = f.image(path+".image", p.Image)
	p.Types = f.types(p.Types)
	return p
}

func (f foreign) keep(prefix string, in map[string]json.RawMessage) map[string]json.RawMessage {
	var out map[string]json.RawMessage
	for _, name := range SortedNames(in) {
		if !f.extension(in[name]) {
			f.notes.Add(prefix+name, "is not known to OB %s", f.to)
			continue
		}
		if out == nil {
			out = map[string]json.RawMessage{}
		}
		out[name] = in[name]
	}
	return out
}

func (f foreign) extension(raw json.RawMessage) bool {
	list := ListOf(raw)
	for _, entry := range list {
		var e struct {
			Context json.RawMessage `json:"@context"`
		}
		if KindOf(entry) != '{' || json.Unmarshal(entry, &e) != nil || KindOf(e.Context) == 'n' {
			return false
		}
		if three := strings.Contains(string(e.Context), "context-3."); three != (f.to == openbadges.V30) {
			return false
		}
	}
	return len(list) > 0
}
