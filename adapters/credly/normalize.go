package credly

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"badgebridge/adapters"
	"badgebridge/openbadges"
)

// NormalizeVersion rises when normalizing gives something else for the same
// bytes.
const NormalizeVersion = 1

// normalizeBadge turns one badge object into a record. api is the API's address,
// under which the hosted assertions live. It is pure.
//
// A badge that was replaced is a tombstone of kind deleted: its replacement is a
// record of its own, and nobody took the award back.
func normalizeBadge(raw []byte, api string) (adapters.Record, error) {
	var b badge
	if err := lenient(raw, &b); err != nil {
		return adapters.Record{}, fmt.Errorf("a badge is no JSON object: %w", err)
	}
	id := b.ID.String()
	if id == "" || b.Template.ID.String() == "" {
		return adapters.Record{}, errors.New("a badge without id or badge_template.id")
	}
	r := adapters.Record{Ref: adapters.Ref(id), External: adapters.Key(b.EarnerID.String()), Raw: raw}
	if to := b.Replacement.String(); to != "" || b.State.String() == "replaced" {
		r.Gone = &adapters.Tombstone{Kind: adapters.GoneDeleted, At: b.StateUpdatedAt.Time, Reason: replacedBy(to)}
	}
	class := normalizeTemplate(b.Template, api)
	if class.Image == nil {
		class.Image = image(b.Image, b.ImageURL)
	}
	r.Award = openbadges.Award{
		BadgeClass: class,
		Recipient: openbadges.Recipient{
			Type: openbadges.IdentityEmail, Identity: b.Email.String(),
			GivenName: b.FirstName.String(), FamilyName: b.LastName.String(),
		},
		IssuedOn: b.IssuedAt.Time,
		Expires:  b.ExpiresAt.Time,
		Evidence: normalizeEvidence(b.Evidence),
		PageURL:  webURL(b.AcceptURL),
	}
	if page := webURL(b.BadgeURL); page != "" {
		r.Award.PageURL = page
	}
	switch b.State.String() {
	case "pending":
		r.Award.Acceptance = openbadges.AcceptancePending
	case "accepted":
		r.Award.Acceptance = openbadges.AcceptanceAccepted
		if b.Public {
			r.Award.AssertionURL = api + "/obi/v2/badge_assertions/" + url.PathEscape(id)
		}
	case "rejected":
		r.Award.Acceptance = openbadges.AcceptanceRejected
	case "revoked":
		r.Award.Revoked = true
		r.Award.RevokedOn = b.StateUpdatedAt.Time
		r.Award.RevocationReason = b.RevokeReason.String()
	}
	r.Version = fingerprint(r.Award)
	return r, nil
}

func replacedBy(id string) string {
	if id == "" {
		return "replaced at Credly"
	}
	return "replaced at Credly by badge " + id
}

// normalizeClass turns one badge template into a class.
func normalizeClass(raw []byte, api string) (adapters.Class, error) {
	var t template
	if err := lenient(raw, &t); err != nil {
		return adapters.Class{}, fmt.Errorf("a badge template is no JSON object: %w", err)
	}
	if t.ID.String() == "" {
		return adapters.Class{}, errors.New("a badge template without id")
	}
	c := adapters.Class{
		Ref: adapters.Ref(t.ID.String()), Raw: raw, BadgeClass: normalizeTemplate(t, api),
		State: t.State.String(), Issuable: t.State.String() == "active", PageURL: webURL(t.URL),
	}
	c.Version = fingerprint(struct {
		Class openbadges.BadgeClass
		State string
	}{c.BadgeClass, c.State})
	return c, nil
}

func normalizeTemplate(t template, api string) openbadges.BadgeClass {
	c := openbadges.BadgeClass{
		ID: t.ID.String(), Name: t.Name.String(), Description: t.Description.String(),
		Image:    image(t.Image, t.ImageURL),
		Criteria: openbadges.Criteria{ID: webURL(t.CriteriaURL)},
		Issuer:   openbadges.Profile{Name: t.Owner.Name.String(), URL: webURL(t.Owner.VanityURL)},
	}
	if c.Criteria.ID == "" {
		c.Criteria.ID = webURL(t.GlobalURL)
	}
	if id := t.Owner.ID.String(); id != "" {
		c.Issuer.ID = api + "/obi/v2/issuers/" + url.PathEscape(id)
	}
	// The words in which Credly itself puts criteria into its Open Badges.
	var lines []string
	for _, a := range t.Activities {
		line := a.Title.String()
		if kind := a.Type.String(); kind != "" {
			line = kind + ": " + line
		}
		if page := webURL(a.URL); page != "" {
			line += " " + page
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	c.Criteria.Narrative = strings.Join(lines, "\n\n")
	for _, k := range t.Skills {
		if name := strings.TrimSpace(string(k)); name != "" {
			c.Tags = append(c.Tags, name)
		}
	}
	for _, a := range t.Alignments {
		// Open Badges requires both; the raw document keeps the others.
		if a.Name.String() != "" && webURL(a.URL) != "" {
			c.Alignments = append(c.Alignments, openbadges.Alignment{
				TargetName: a.Name.String(), TargetURL: webURL(a.URL), TargetDescription: a.Description.String(),
			})
		}
	}
	return c
}

func normalizeEvidence(in []evidence) []openbadges.Evidence {
	var out []openbadges.Evidence
	for _, e := range in {
		o := openbadges.Evidence{
			ID: webURL(e.Value), Name: e.Name.String(), Description: e.Description.String(), Genre: e.Type.String(),
		}
		if o.Name == "" {
			o.Name = e.Title.String()
		}
		var lines []string
		for _, v := range e.Values {
			lines = append(lines, v.Key.String()+": "+v.Value.String())
		}
		o.Narrative = strings.Join(lines, "\n\n")
		if o.ID+o.Name+o.Description+o.Narrative != "" {
			out = append(out, o)
		}
	}
	return out
}

func image(p *picture, direct text) *openbadges.Image {
	u := webURL(direct)
	if p != nil && webURL(p.URL) != "" {
		u = webURL(p.URL)
	}
	if u == "" {
		return nil
	}
	return &openbadges.Image{ID: u}
}

// webURL is a link that may be shown: absolute, http or https. Anything else is
// "".
func webURL(t text) string {
	u, err := url.Parse(t.String())
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return t.String()
}

// fingerprint is a version of what was normalized. Credly's own updated_at does
// not move with the embedded template, and counters in the raw bytes move with
// every badge.
func fingerprint(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // not for these types
		return ""
	}
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
