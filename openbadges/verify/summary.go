package verify

import (
	"encoding/json"

	"badgebridge/openbadges"
	v2 "badgebridge/openbadges/v2"
)

// bytesOf gives a document for the tolerant reader of v2: as it came where that
// is OB 2.0, else with the names and ids that the upgrade gave it.
func (s *session) bytesOf(doc map[string]any, raw []byte) []byte {
	if raw != nil && s.rep.Version == string(openbadges.V20) {
		return raw
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return nil // the reader refuses it
	}
	return b
}

// conclude puts what the documents say into the report, for programs and for
// people; each document may be nil, and raw is nil where there is no assertion.
func (s *session) conclude(doc map[string]any, raw []byte, b badge) {
	out := &Badge{}
	if s.rep.Badge != nil {
		out.RevocationReason = s.rep.Badge.RevocationReason
	}
	s.rep.Badge = out
	var c openbadges.BadgeClass
	var p openbadges.Profile
	if b.doc != nil {
		c, _, _ = v2.DecodeBadgeClass(s.bytesOf(b.doc, b.raw))
		out.ID, out.Name, out.Description, out.Tags = c.ID, clip(c.Name), c.Description, c.Tags
		out.Criteria, out.CriteriaText = c.Criteria.ID, c.Criteria.Narrative
		if c.Image != nil {
			out.Image = c.Image.ID
		}
	}
	if b.issuer.doc != nil {
		p, _, _ = v2.DecodeIssuer(s.bytesOf(b.issuer.doc, b.issuer.raw))
		out.Issuer = Issuer{ID: p.ID, Name: clip(p.Name), URL: p.URL, Email: p.Email}
		if p.Image != nil {
			out.Issuer.Image = p.Image.ID
		}
	}
	if doc == nil {
		return
	}
	a, _, _ := v2.DecodeAssertion(s.bytesOf(doc, raw))
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
	if raw == nil {
		return
	}
	if b.doc != nil {
		a.Award.BadgeClass = c
	}
	if b.issuer.doc != nil {
		a.Award.BadgeClass.Issuer = p
	}
	m := a.Model(raw)
	m.Version = openbadges.Version(s.rep.Version)
	s.rep.Assertion = &m
}
