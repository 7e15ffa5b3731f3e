package verify

import (
	"encoding/json"

	"badgebridge/openbadges"
	v2 "badgebridge/openbadges/v2"
)

// read turns a checked document into the model through the tolerant reader.
func readAssertion(doc map[string]any) v2.Assertion {
	b, err := json.Marshal(doc)
	if err != nil {
		return v2.Assertion{}
	}
	a, _, _ := v2.DecodeAssertion(b)
	return a
}

func readClass(doc map[string]any) openbadges.BadgeClass {
	if doc == nil {
		return openbadges.BadgeClass{}
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return openbadges.BadgeClass{}
	}
	c, _, _ := v2.DecodeBadgeClass(b)
	return c
}

func readIssuer(doc map[string]any) openbadges.Profile {
	if doc == nil {
		return openbadges.Profile{}
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return openbadges.Profile{}
	}
	p, _, _ := v2.DecodeIssuer(b)
	return p
}

// model gives the verified documents as one assertion.
func (s *session) model(doc map[string]any, raw []byte, b badge) *openbadges.Assertion {
	a := readAssertion(doc)
	if b.doc != nil {
		a.Award.BadgeClass = readClass(b.doc)
	}
	if b.issuer.doc != nil {
		a.Award.BadgeClass.Issuer = readIssuer(b.issuer.doc)
	}
	m := a.Model(raw)
	m.Version = openbadges.Version(s.rep.Version)
	return &m
}

// summary is what the report shows; each document may be nil.
func summary(assertion, class, issuer map[string]any) *Badge {
	out := &Badge{}
	if class != nil {
		c := readClass(class)
		out.ID, out.Name, out.Description, out.Tags = c.ID, clip(c.Name), c.Description, c.Tags
		out.Criteria, out.CriteriaText = c.Criteria.ID, c.Criteria.Narrative
		if c.Image != nil {
			out.Image = c.Image.ID
		}
	}
	if issuer != nil {
		p := readIssuer(issuer)
		out.Issuer = Issuer{ID: p.ID, Name: clip(p.Name), URL: p.URL, Email: p.Email}
		if p.Image != nil {
			out.Issuer.Image = p.Image.ID
		}
	}
	if assertion != nil {
		a := readAssertion(assertion)
		out.Narrative = a.Award.Narrative
		if !a.Award.IssuedOn.IsZero() {
			out.IssuedOn = v2.FormatTime(a.Award.IssuedOn)
		}
		if !a.Award.Expires.IsZero() {
			out.Expires = v2.FormatTime(a.Award.Expires)
		}
		for _, e := range a.Award.Evidence {
			if e.ID != "" {
				out.Evidence = append(out.Evidence, e.ID)
			}
		}
	}
	return out
}
