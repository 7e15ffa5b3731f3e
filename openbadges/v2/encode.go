package v2

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"net/url"
	"strings"

	"badgebridge/openbadges"
)

// EncodeAssertion writes a hosted Assertion. The recipient has to be hashed (see
// HashRecipient), unless a.PlainRecipient says that it may be read by anybody.
// A revoked award gives the stub of EncodeRevoked.
// a.Image is the baked picture; the badge is linked by a.Award.BadgeClass.ID.
// The notes are what the model holds and the document does not. The same input
// gives the same bytes. ErrIncomplete names the members that are missing.
func EncodeAssertion(a Assertion) ([]byte, Notes, error) {
	if a.Award.Revoked {
		b, err := EncodeRevoked(a.ID, a.Award.RevocationReason)
		return b, nil, err
	}
	var lost, missing Notes
	r := a.Award.Recipient
	needURL(&missing, "id", a.ID)
	needURL(&missing, "badge", a.Award.BadgeClass.ID)
	if a.Award.IssuedOn.IsZero() {
		missing.add("issuedOn", "is missing")
	}
	if !a.Award.Expires.IsZero() && a.Award.Expires.Before(a.Award.IssuedOn) {
		missing.add("expires", "lies before issuedOn")
	}
	if r.Identity == "" {
		missing.add("recipient.identity", "is missing")
	}
	if !r.Hashed && !a.PlainRecipient {
		missing.add("recipient.hashed", "is false: anybody could read the address")
	}
	if a.Verification.Type != "" && a.Verification.Type != HostedBadge {
		missing.add("verification", "only hosted assertions are written")
	}
	if len(missing) > 0 {
		return nil, nil, incomplete("assertion", missing)
	}

	w := newWriter()
	w.put("@context", Context)
	w.put("type", "Assertion")
	w.put("id", a.ID)
	w.put("recipient", identityObject(r))
	w.put("badge", a.Award.BadgeClass.ID)
	w.put("issuedOn", FormatTime(a.Award.IssuedOn))
	if !a.Award.Expires.IsZero() {
		w.put("expires", FormatTime(a.Award.Expires))
	}
	w.put("image", imageValue(a.Image))
	w.put("evidence", evidenceValue(a.Award.Evidence))
	w.put("narrative", a.Award.Narrative)
	w.put("verification", json.RawMessage(`{"type":"HostedBadge"}`))
	w.put("uid", a.UID)
	putUnknown(w, a.Unknown)

	if r.Name() != "" {
		lost.add("recipient", "the recipient's name has no place in OB 2.0")
	}
	b, err := w.bytes()
	return b, lost, err
}

// EncodeBadgeClass writes a BadgeClass that links its issuer. ErrIncomplete
// names what OB 2.0 requires and c lacks: id, name, description, image, criteria
// and the issuer's id.
func EncodeBadgeClass(c openbadges.BadgeClass) ([]byte, Notes, error) {
	var lost, missing Notes
	needURL(&missing, "id", c.ID)
	need(&missing, "name", c.Name)
	need(&missing, "description", c.Description)
	if c.Image == nil || c.Image.ID == "" {
		missing.add("image", "is missing")
	}
	if c.Criteria.ID == "" && c.Criteria.Narrative == "" {
		missing.add("criteria", "is missing: an address or a text is needed")
	}
	needURL(&missing, "issuer", c.Issuer.ID)
	for i, a := range c.Alignments {
		need(&missing, fmt.Sprintf("alignment[%d].targetName", i), a.TargetName)
		need(&missing, fmt.Sprintf("alignment[%d].targetUrl", i), a.TargetURL)
	}
	if len(missing) > 0 {
		return nil, nil, incomplete("badge", missing)
	}
	w := newWriter()
	w.put("@context", Context)
	w.put("type", "BadgeClass")
	w.put("id", c.ID)
	w.put("name", c.Name)
	w.put("description", c.Description)
	w.put("image", imageValue(c.Image))
	w.put("criteria", criteriaValue(c.Criteria))
	w.put("issuer", c.Issuer.ID)
	w.put("tags", c.Tags)
	w.put("alignment", alignmentValue(c.Alignments, &lost))
	w.put("version", c.Version)
	w.put("@language", c.Language)
	putUnknown(w, c.Unknown)
	b, err := w.bytes()
	return b, lost, err
}

// EncodeIssuer writes an issuer's Profile. ErrIncomplete names what OB 2.0
// requires of an issuer and p lacks: id, name, url and a real e-mail address.
func EncodeIssuer(p openbadges.Profile) ([]byte, Notes, error) {
	var missing Notes
	needURL(&missing, "id", p.ID)
	need(&missing, "name", p.Name)
	needURL(&missing, "url", p.URL)
	if addr, err := mail.ParseAddress(p.Email); err != nil || addr.Address != p.Email {
		missing.add("email", "is not an e-mail address")
	}
	if len(missing) > 0 {
		return nil, nil, incomplete("issuer", missing)
	}
	w := newWriter()
	w.put("@context", Context)
	w.put("type", "Issuer")
	w.put("id", p.ID)
	w.put("name", p.Name)
	w.put("url", p.URL)
	w.put("email", p.Email)
	w.put("telephone", p.Telephone)
	w.put("description", p.Description)
	w.put("image", imageValue(p.Image))
	putUnknown(w, p.Unknown)
	b, err := w.bytes()
	return b, nil, err
}

// EncodeRevoked writes the stub that stands, with HTTP status 410, in the place
// of a revoked assertion. reason may be "".
func EncodeRevoked(id, reason string) ([]byte, error) {
	if id == "" {
		return nil, incomplete("revoked assertion", Notes{{Path: "id", Message: "is missing"}})
	}
	w := newWriter()
	w.put("@context", Context)
	w.put("type", "Assertion")
	w.put("id", id)
	w.always("revoked", true)
	w.put("revocationReason", reason)
	return w.bytes()
}

func incomplete(what string, missing Notes) error {
	parts := make([]string, len(missing))
	for i, n := range missing {
		parts[i] = n.String()
	}
	return fmt.Errorf("write %s: %w: %s", what, ErrIncomplete, strings.Join(parts, "; "))
}

func need(missing *Notes, path, value string) {
	if strings.TrimSpace(value) == "" {
		missing.add(path, "is missing")
	}
}

func needURL(missing *Notes, path, value string) {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		missing.add(path, "is not a web address")
	}
}

func identityObject(r openbadges.Recipient) json.RawMessage {
	w := newWriter()
	t := r.Type
	if t == "" {
		t = openbadges.IdentityEmail
	}
	w.put("type", string(t))
	w.always("hashed", r.Hashed)
	w.put("salt", r.Salt)
	w.put("identity", r.Identity)
	return w.raw()
}

func (w *writer) raw() json.RawMessage {
	b, err := w.bytes()
	if err != nil {
		return nil
	}
	return b
}

func imageValue(i *openbadges.Image) any {
	switch {
	case i == nil || i.ID == "":
		return nil
	case i.Caption == "" && i.Author == "":
		return i.ID
	}
	w := newWriter()
	w.put("type", "Image")
	w.put("id", i.ID)
	w.put("caption", i.Caption)
	w.put("author", i.Author)
	return w.raw()
}

func criteriaValue(c openbadges.Criteria) any {
	if c.Narrative == "" {
		return c.ID
	}
	w := newWriter()
	w.put("id", c.ID)
	w.put("narrative", c.Narrative)
	return w.raw()
}

func evidenceValue(list []openbadges.Evidence) any {
	out := make([]json.RawMessage, 0, len(list))
	for _, e := range list {
		w := newWriter()
		w.put("type", "Evidence")
		w.put("id", e.ID)
		w.put("name", e.Name)
		w.put("description", e.Description)
		w.put("narrative", e.Narrative)
		w.put("genre", e.Genre)
		w.put("audience", e.Audience)
		out = append(out, w.raw())
	}
	return out
}

func alignmentValue(list []openbadges.Alignment, lost *Notes) any {
	out := make([]json.RawMessage, 0, len(list))
	for i, a := range list {
		w := newWriter()
		w.put("type", "AlignmentObject")
		w.put("targetName", a.TargetName)
		w.put("targetUrl", a.TargetURL)
		w.put("targetDescription", a.TargetDescription)
		w.put("targetFramework", a.TargetFramework)
		w.put("targetCode", a.TargetCode)
		if a.TargetType != "" {
			lost.add(fmt.Sprintf("alignment[%d].targetType", i), "has no place in OB 2.0")
		}
		out = append(out, w.raw())
	}
	return out
}

// putUnknown writes members that came from elsewhere, in the order of their
// names, behind ours.
func putUnknown(w *writer, unknown map[string]json.RawMessage) {
	for _, name := range sortedNames(unknown) {
		w.put(name, unknown[name])
	}
}
