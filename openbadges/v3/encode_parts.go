package v3

import (
	"encoding/json"
	"strings"

	"badgebridge/openbadges"
	"badgebridge/openbadges/internal/wire"
)

func (e *encoder) profile(p openbadges.Profile) *wire.Writer {
	w := wire.NewWriter()
	e.profileInto(w, p)
	return w
}

func (e *encoder) profileInto(w *wire.Writer, p openbadges.Profile) {
	e.needURI("id", p.ID)
	w.Put("id", p.ID)
	w.Put("type", append([]string{"Profile"}, p.Types...))
	w.Put("name", p.Name)
	w.Put("url", p.URL)
	w.Put("email", p.Email)
	w.Put("phone", p.Telephone)
	w.Put("description", p.Description)
	w.Put("image", e.at("image").image(p.Image))
	if p.Address != nil {
		w.Put("address", addressValue(*p.Address))
	}
	w.Put("otherIdentifier", e.identifiers(p.Identifiers))
	w.Put("official", p.Official)
	if p.ParentOrg != nil {
		w.Put("parentOrg", e.at("parentOrg").profile(*p.ParentOrg))
	}
	if n := p.Person; n != nil {
		w.Put("familyName", n.FamilyName)
		w.Put("givenName", n.GivenName)
		w.Put("additionalName", n.AdditionalName)
		w.Put("patronymicName", n.PatronymicName)
		w.Put("honorificPrefix", n.HonorificPrefix)
		w.Put("honorificSuffix", n.HonorificSuffix)
		w.Put("familyNamePrefix", n.FamilyNamePrefix)
	}
	w.Put("dateOfBirth", p.DateOfBirth)
	e.endorsements(w, p.Endorsements)
	w.PutUnknown(p.Unknown)
}

func addressValue(a openbadges.Address) *wire.Writer {
	w := wire.NewWriter()
	w.Put("type", []string{"Address"})
	w.Put("addressCountry", a.Country)
	w.Put("addressCountryCode", a.CountryCode)
	w.Put("addressRegion", a.Region)
	w.Put("addressLocality", a.Locality)
	w.Put("streetAddress", a.Street)
	w.Put("postOfficeBoxNumber", a.PostOffice)
	w.Put("postalCode", a.PostalCode)
	if a.Latitude != "" || a.Longitude != "" {
		g := wire.NewWriter()
		g.Put("type", "GeoCoordinates")
		g.Put("latitude", a.Latitude)
		g.Put("longitude", a.Longitude)
		w.Put("geo", g)
	}
	w.PutUnknown(a.Unknown)
	return w
}

func (e *encoder) identifiers(list []openbadges.IdentifierEntry) []*wire.Writer {
	var out []*wire.Writer
	for i, entry := range list {
		at := e.at("otherIdentifier[%d]", i)
		at.need("identifier", entry.Identifier)
		at.need("identifierType", entry.Type)
		w := wire.NewWriter()
		w.Put("type", "IdentifierEntry")
		w.Put("identifier", entry.Identifier)
		w.Put("identifierType", at.enum("identifierType", identifierTypes, entry.Type))
		w.PutUnknown(entry.Unknown)
		out = append(out, w)
	}
	return out
}

func (e *encoder) image(i *openbadges.Image) *wire.Writer {
	if i == nil {
		return nil
	}
	e.needURI("id", i.ID)
	if i.Author != "" {
		e.lose("author", "has no place in OB 3.0")
	}
	w := wire.NewWriter()
	w.Put("id", i.ID)
	w.Put("type", "Image")
	w.Put("caption", i.Caption)
	w.PutUnknown(i.Unknown)
	return w
}

func (e *encoder) criteria(c openbadges.Criteria) *wire.Writer {
	if c.ID != "" {
		e.at("criteria").needURI("id", c.ID)
	}
	w := wire.NewWriter()
	w.Put("id", c.ID)
	w.Put("narrative", c.Narrative)
	w.PutUnknown(c.Unknown)
	return w
}

func (e *encoder) evidence(list []openbadges.Evidence) []*wire.Writer {
	var out []*wire.Writer
	for i, v := range list {
		if v.ID != "" {
			e.at("evidence[%d]", i).needURI("id", v.ID)
		}
		w := wire.NewWriter()
		w.Put("id", v.ID)
		w.Put("type", append([]string{"Evidence"}, v.Types...))
		w.Put("name", v.Name)
		w.Put("description", v.Description)
		w.Put("narrative", v.Narrative)
		w.Put("genre", v.Genre)
		w.Put("audience", v.Audience)
		w.PutUnknown(v.Unknown)
		out = append(out, w)
	}
	return out
}

func (e *encoder) alignments(list []openbadges.Alignment) []*wire.Writer {
	var out []*wire.Writer
	for i, a := range list {
		at := e.at("alignment[%d]", i)
		at.need("targetName", a.TargetName)
		at.needURI("targetUrl", a.TargetURL)
		w := wire.NewWriter()
		w.Put("type", []string{"Alignment"})
		w.Put("targetName", a.TargetName)
		w.Put("targetUrl", a.TargetURL)
		w.Put("targetDescription", a.TargetDescription)
		w.Put("targetFramework", a.TargetFramework)
		w.Put("targetCode", a.TargetCode)
		w.Put("targetType", at.enum("targetType", targetTypes, a.TargetType))
		w.PutUnknown(a.Unknown)
		out = append(out, w)
	}
	return out
}

func (e *encoder) result(r openbadges.Result) *wire.Writer {
	if r.Status != "" && !strings.Contains(" "+resultStates+" ", " "+r.Status+" ") {
		e.miss("status", "is none of %s", resultStates)
	}
	if r.ResultDescription != "" {
		e.needURI("resultDescription", r.ResultDescription)
	}
	if r.AchievedLevel != "" {
		e.needURI("achievedLevel", r.AchievedLevel)
	}
	w := wire.NewWriter()
	w.Put("type", []string{"Result"})
	w.Put("resultDescription", r.ResultDescription)
	w.Put("value", r.Value)
	w.Put("status", r.Status)
	w.Put("achievedLevel", r.AchievedLevel)
	w.Put("alignment", e.alignments(r.Alignments))
	w.PutUnknown(r.Unknown)
	return w
}

func (e *encoder) resultDescription(d openbadges.ResultDescription) *wire.Writer {
	e.needURI("id", d.ID)
	e.need("name", d.Name)
	e.need("resultType", d.ResultType)
	w := wire.NewWriter()
	w.Put("id", d.ID)
	w.Put("type", []string{"ResultDescription"})
	w.Put("name", d.Name)
	w.Put("resultType", e.enum("resultType", resultTypes, d.ResultType))
	w.Put("allowedValue", d.AllowedValues)
	w.Put("requiredLevel", d.RequiredLevel)
	w.Put("requiredValue", d.RequiredValue)
	w.Put("valueMin", d.ValueMin)
	w.Put("valueMax", d.ValueMax)
	var levels []*wire.Writer
	for i, l := range d.Levels {
		at := e.at("rubricCriterionLevel[%d]", i)
		at.needURI("id", l.ID)
		at.need("name", l.Name)
		k := wire.NewWriter()
		k.Put("id", l.ID)
		k.Put("type", []string{"RubricCriterionLevel"})
		k.Put("name", l.Name)
		k.Put("description", l.Description)
		k.Put("level", l.Level)
		k.Put("points", l.Points)
		k.Put("alignment", at.alignments(l.Alignments))
		k.PutUnknown(l.Unknown)
		levels = append(levels, k)
	}
	w.Put("rubricCriterionLevel", levels)
	w.Put("alignment", e.alignments(d.Alignments))
	w.PutUnknown(d.Unknown)
	return w
}

// endorsements writes those that are documents of OB 3.0, as they came.
func (e *encoder) endorsements(w *wire.Writer, list []openbadges.Endorsement) {
	var documents []json.RawMessage
	var jwts []string
	for i, v := range list {
		credential := isEndorsementCredential(v.Document)
		if v.JWT != "" {
			jwts = append(jwts, v.JWT)
		}
		if credential {
			documents = append(documents, v.Document)
		}
		if v.JWT == "" && !credential {
			e.at("endorsement[%d]", i).lose("id", "the endorsement %s is no EndorsementCredential; its author has to sign a new one", v.ID)
		}
	}
	w.Put("endorsement", documents)
	w.Put("endorsementJwt", jwts)
}

func isEndorsementCredential(doc json.RawMessage) bool {
	var v struct {
		Subject json.RawMessage `json:"credentialSubject"`
	}
	return len(doc) > 0 && json.Unmarshal(doc, &v) == nil && len(v.Subject) > 0
}
