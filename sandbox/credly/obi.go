package credly

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

const obContext = "https://w3id.org/openbadges/v2"

func plain(status int, body any) reply { return reply{status: status, body: body} }

func obiBase(c *call) string { return c.base + "/v1/obi/v2" }

func classURL(c *call, t *Template) string {
	return obiBase(c) + "/issuers/" + t.OrgID + "/badge_classes/" + t.ID
}

// obiAssertion is the hosted Open Badges 2.0 assertion: there for a badge that
// is accepted and public, gone with a stub when it was revoked.
func (s *Sim) obiAssertion(c *call) reply {
	b := s.byID[c.r.PathValue("id")]
	if b == nil || !b.Public || b.VisibleAt.After(s.now()) || (b.State == Pending || b.State == Rejected) && !s.opt.UnansweredAssertionOK {
		return fail(http.StatusNotFound, "Not found")
	}
	id := obiBase(c) + "/badge_assertions/" + b.ID
	if b.State == Revoked && !s.opt.RevokedAssertionOK {
		v := map[string]any{"@context": obContext, "type": "Assertion", "id": id, "revoked": true}
		if b.RevokeReason != "" {
			v["revocationReason"] = b.RevokeReason
		}
		return plain(http.StatusGone, v)
	}
	sum := sha256.Sum256([]byte(s.hashed(b)))
	v := map[string]any{
		"@context": obContext, "type": "Assertion", "id": id, "badge": classURL(c, s.st.templates[b.TemplateID]),
		"issuedOn":     stamp(b.IssuedAt),
		"recipient":    map[string]any{"type": "email", "hashed": true, "identity": "sha256$" + hex.EncodeToString(sum[:])},
		"verification": map[string]any{"type": "hosted"},
	}
	if b.ExpiresAt != nil {
		v["expires"] = stamp(*b.ExpiresAt)
	}
	var ev []any
	for _, e := range b.Evidence {
		if e["type"] != "UrlEvidence" {
			continue
		}
		ev = append(ev, map[string]any{
			"@context": obContext, "type": "Evidence", "id": e["value"], "name": e["name"], "description": e["description"], "genre": e["type"],
		})
	}
	if ev != nil {
		v["evidence"] = ev
	}
	return plain(http.StatusOK, v)
}

// hashed is the address that the recipient's hash is made of.
func (s *Sim) hashed(b *Badge) string {
	address := b.Email
	if u := s.earner(b); u != nil && s.opt.HashPrimaryEmail {
		address = u.Emails[0]
	}
	if s.opt.HashAsTyped {
		return address
	}
	return strings.ToLower(address)
}

func (s *Sim) obiClass(c *call) reply {
	t := s.template(c.r.PathValue("id"))
	if t == nil || t.Private || t.State == "draft" || c.org != nil && c.org.ID != t.OrgID {
		return fail(http.StatusNotFound, "Not found")
	}
	criteria := map[string]any{"@context": obContext}
	var lines []string
	for _, a := range t.Activities {
		lines = append(lines, strings.TrimSpace(a.Type+": "+a.Title+" "+a.URL))
	}
	if len(lines) > 0 {
		criteria["narrative"] = strings.Join(lines, "\n")
	}
	o := s.org(t.OrgID)
	criteria["id"] = templateURL(c, o, t)
	alignment := []any{}
	for _, a := range t.Alignments {
		alignment = append(alignment, map[string]any{"targetName": a.Name, "targetUrl": a.URL, "targetDescription": a.Description})
	}
	return plain(http.StatusOK, map[string]any{
		"@context": obContext, "type": "BadgeClass", "id": classURL(c, t), "name": t.Name, "description": t.Description,
		"image": map[string]any{"@context": obContext, "id": imageURL(c, t)}, "criteria": criteria,
		"issuer": s.obiProfile(c, o, "Profile"), "alignment": alignment, "tags": list(t.Skills),
	})
}

func (s *Sim) obiIssuer(c *call) reply {
	if c.org == nil {
		return fail(http.StatusNotFound, "Not found")
	}
	return plain(http.StatusOK, s.obiProfile(c, c.org, "Issuer"))
}

// obiProfile is the issuer: "Issuer" where it stands alone, "Profile" embedded,
// as Credly has it.
func (s *Sim) obiProfile(c *call, o *Org, kind string) map[string]any {
	v := map[string]any{
		"@context": obContext, "type": kind, "id": obiBase(c) + "/issuers/" + o.ID, "name": o.Name,
		"url": c.base + "/org/" + o.Slug, "email": "info@credly.com",
	}
	if o.ContactEmail != "" {
		v["email"] = o.ContactEmail
	}
	if o.Bio != "" {
		v["description"] = o.Bio
	}
	return v
}
