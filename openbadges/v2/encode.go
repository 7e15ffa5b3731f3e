package v2

import (
	"encoding/json"
	"fmt"
	"net/mail"

	"badgebridge/openbadges"
	"badgebridge/openbadges/internal/wire"
)

// EncodeAssertion writes a hosted Assertion. The recipient has to be hashed (see
// HashRecipient), unless a.PlainRecipient says that it may be read by anybody.
// A revoked award gives the stub of EncodeRevoked.
// a.Image is the baked picture; the badge is linked by a.Award.BadgeClass.ID,
// unless a.Embed says that it is written into the document, with its issuer.
// The notes are what the model holds and the document does not. The same input
// gives the same bytes. ErrIncomplete names the members that are missing. For
// signed assertions see SignAssertion.
func EncodeAssertion(a Assertion) ([]byte, Notes, error) {
	if a.Award.Revoked {
		b, err := EncodeRevoked(a.ID, a.Award.RevocationReason)
		return b, nil, err
	}
	var missing Notes
	wire.NeedURL(&missing, "id", a.ID)
	if a.Verification.Type != "" && a.Verification.Type != HostedBadge {
		missing.Add("verification", "only hosted assertions are written")
	}
	return writeAssertion(a, json.RawMessage(`{"type":"HostedBadge"}`), missing)
}

// writeAssertion writes what hosted and signed assertions have in common.
func writeAssertion(a Assertion, verification any, missing Notes) ([]byte, Notes, error) {
	var lost Notes
	r := a.Award.Recipient
	if !a.Embed {
		wire.NeedURL(&missing, "badge", a.Award.BadgeClass.ID)
	}
	if a.Award.IssuedOn.IsZero() {
		missing.Add("issuedOn", "is missing")
	}
	if !a.Award.Expires.IsZero() && a.Award.Expires.Before(a.Award.IssuedOn) {
		missing.Add("expires", "lies before issuedOn")
	}
	if r.Identity == "" {
		missing.Add("recipient.identity", "is missing")
	}
	if !r.Hashed && !a.PlainRecipient {
		missing.Add("recipient.hashed", "is false: anybody could read the address")
	}
	w := wire.NewWriter()
	w.Put("@context", Context)
	w.Put("type", "Assertion")
	w.Put("id", a.ID)
	w.Put("recipient", identityObject(r))
	if a.Embed {
		var classLost, classMissing Notes
		badge := wire.NewWriter()
		writeClass(badge, a.Award.BadgeClass, true, &classLost, &classMissing)
		w.Put("badge", badge)
		lost.AddUnder("badge", classLost)
		missing.AddUnder("badge", classMissing)
	} else {
		w.Put("badge", a.Award.BadgeClass.ID)
	}
	w.Put("issuedOn", FormatTime(a.Award.IssuedOn))
	if !a.Award.Expires.IsZero() {
		w.Put("expires", FormatTime(a.Award.Expires))
	}
	w.Put("image", imageValue(a.Image))
	w.Put("evidence", evidenceValue(a.Award.Evidence))
	w.Put("narrative", a.Award.Narrative)
	w.Put("verification", verification)
	w.Put("uid", a.UID)
	w.Put("endorsement", endorsementValue(a.Endorsements, &lost))
	w.PutUnknown(a.Unknown)
	wire.Losses{Notes: &lost, Version: openbadges.V20}.Award(a.Award)
	return finish("assertion", w, lost, missing)
}

func finish(what string, w *wire.Writer, lost, missing Notes) ([]byte, Notes, error) {
	if len(missing) > 0 {
		return nil, nil, wire.Incomplete(what, missing)
	}
	b, err := w.Bytes()
	if err != nil {
		return nil, nil, fmt.Errorf("write %s: %w", what, err)
	}
	return b, lost, nil
}

// EncodeBadgeClass writes a BadgeClass that links its issuer. ErrIncomplete
// names what OB 2.0 requires and c lacks: id, name, description, image, criteria
// and the issuer's id.
func EncodeBadgeClass(c openbadges.BadgeClass) ([]byte, Notes, error) {
	var lost, missing Notes
	w := wire.NewWriter()
	w.Put("@context", Context)
	writeClass(w, c, false, &lost, &missing)
	return finish("badge", w, lost, missing)
}

// writeClass writes the members of a BadgeClass; embedded, it need not have an
// address of its own, and holds its issuer.
func writeClass(w *wire.Writer, c openbadges.BadgeClass, embedded bool, lost, missing *Notes) {
	if embedded {
		wire.NeedURI(missing, "id", c.ID)
	} else {
		wire.NeedURL(missing, "id", c.ID)
	}
	wire.Need(missing, "name", c.Name)
	wire.Need(missing, "description", c.Description)
	if c.Image == nil || c.Image.ID == "" {
		missing.Add("image", "is missing")
	}
	if c.Criteria.ID == "" && c.Criteria.Narrative == "" {
		missing.Add("criteria", "is missing: an address or a text is needed")
	}
	if !embedded {
		wire.NeedURL(missing, "issuer", c.Issuer.ID)
	}
	for i, a := range c.Alignments {
		wire.Need(missing, fmt.Sprintf("alignment[%d].targetName", i), a.TargetName)
		wire.Need(missing, fmt.Sprintf("alignment[%d].targetUrl", i), a.TargetURL)
	}
	w.Put("type", typeValue("BadgeClass", c.Types))
	w.Put("id", c.ID)
	w.Put("name", c.Name)
	w.Put("description", c.Description)
	w.Put("image", imageValue(c.Image))
	w.Put("criteria", criteriaValue(c.Criteria))
	if embedded {
		var issuerLost, issuerMissing Notes
		issuer := wire.NewWriter()
		writeIssuer(issuer, c.Issuer, &issuerLost, &issuerMissing)
		w.Put("issuer", issuer)
		lost.AddUnder("issuer", issuerLost)
		missing.AddUnder("issuer", issuerMissing)
	} else {
		w.Put("issuer", c.Issuer.ID)
	}
	w.Put("tags", c.Tags)
	w.Put("alignment", alignmentValue(c.Alignments, lost))
	w.Put("version", c.Version)
	w.Put("@language", c.Language)
	w.Put("related", relatedValue(c.Related))
	w.Put("endorsement", endorsementValue(c.Endorsements, lost))
	w.PutUnknown(c.Unknown)
	wire.Losses{Notes: lost, Version: openbadges.V20}.Class(c)
}

// EncodeIssuer writes an issuer's Profile. ErrIncomplete names what OB 2.0
// requires of an issuer and p lacks: id, name, url and a real e-mail address.
func EncodeIssuer(p openbadges.Profile) ([]byte, Notes, error) {
	var lost, missing Notes
	w := wire.NewWriter()
	w.Put("@context", Context)
	writeIssuer(w, p, &lost, &missing)
	return finish("issuer", w, lost, missing)
}

func writeIssuer(w *wire.Writer, p openbadges.Profile, lost, missing *Notes) {
	wire.NeedURL(missing, "id", p.ID)
	wire.Need(missing, "name", p.Name)
	wire.NeedURL(missing, "url", p.URL)
	if addr, err := mail.ParseAddress(p.Email); err != nil || addr.Address != p.Email {
		missing.Add("email", "is not an e-mail address")
	}
	w.Put("type", typeValue("Issuer", p.Types))
	w.Put("id", p.ID)
	w.Put("name", p.Name)
	w.Put("url", p.URL)
	w.Put("email", p.Email)
	w.Put("telephone", p.Telephone)
	w.Put("description", p.Description)
	w.Put("image", imageValue(p.Image))
	w.Put("endorsement", endorsementValue(p.Endorsements, lost))
	w.PutUnknown(p.Unknown)
	wire.Losses{Notes: lost, Version: openbadges.V20}.Profile(p)
}

// EncodeRevoked writes the stub that stands, with HTTP status 410, in the place
// of a revoked assertion. reason may be "".
func EncodeRevoked(id, reason string) ([]byte, error) {
	if id == "" {
		return nil, wire.Incomplete("revoked assertion", Notes{{Path: "id", Message: "is missing"}})
	}
	w := wire.NewWriter()
	w.Put("@context", Context)
	w.Put("type", "Assertion")
	w.Put("id", id)
	w.Always("revoked", true)
	w.Put("revocationReason", reason)
	return w.Bytes()
}

func identityObject(r openbadges.Recipient) *wire.Writer {
	w := wire.NewWriter()
	t := r.Type
	if t == "" {
		t = openbadges.IdentityEmail
	}
	w.Put("type", string(t))
	w.Always("hashed", r.Hashed)
	w.Put("salt", r.Salt)
	w.Put("identity", r.Identity)
	return w
}

func imageValue(i *openbadges.Image) any {
	switch {
	case i == nil || i.ID == "":
		return nil
	case i.Caption == "" && i.Author == "" && len(i.Unknown) == 0:
		return i.ID
	}
	w := wire.NewWriter()
	w.Put("type", "Image")
	w.Put("id", i.ID)
	w.Put("caption", i.Caption)
	w.Put("author", i.Author)
	w.PutUnknown(i.Unknown)
	return w
}

func criteriaValue(c openbadges.Criteria) any {
	if c.Narrative == "" && len(c.Unknown) == 0 {
		return c.ID
	}
	w := wire.NewWriter()
	w.Put("id", c.ID)
	w.Put("narrative", c.Narrative)
	w.PutUnknown(c.Unknown)
	return w
}

func evidenceValue(list []openbadges.Evidence) any {
	out := make([]*wire.Writer, 0, len(list))
	for _, e := range list {
		w := wire.NewWriter()
		w.Put("type", typeValue("Evidence", e.Types))
		w.Put("id", e.ID)
		w.Put("name", e.Name)
		w.Put("description", e.Description)
		w.Put("narrative", e.Narrative)
		w.Put("genre", e.Genre)
		w.Put("audience", e.Audience)
		w.PutUnknown(e.Unknown)
		out = append(out, w)
	}
	return out
}

func alignmentValue(list []openbadges.Alignment, lost *Notes) any {
	out := make([]*wire.Writer, 0, len(list))
	for i, a := range list {
		w := wire.NewWriter()
		w.Put("type", "AlignmentObject")
		w.Put("targetName", a.TargetName)
		w.Put("targetUrl", a.TargetURL)
		w.Put("targetDescription", a.TargetDescription)
		w.Put("targetFramework", a.TargetFramework)
		w.Put("targetCode", a.TargetCode)
		w.PutUnknown(a.Unknown)
		if a.TargetType != "" {
			lost.Add(fmt.Sprintf("alignment[%d].targetType", i), "has no place in OB 2.0")
		}
		out = append(out, w)
	}
	return out
}

// typeValue is a class's own type, with those beyond it where there are any.
func typeValue(own string, further []string) any {
	if len(further) == 0 {
		return own
	}
	return append([]string{own}, further...)
}

func relatedValue(list []openbadges.Related) any {
	out := make([]*wire.Writer, 0, len(list))
	for _, r := range list {
		w := wire.NewWriter()
		w.Put("id", r.ID)
		w.Put("type", r.Types)
		w.Put("@language", r.Language)
		w.Put("version", r.Version)
		w.PutUnknown(r.Unknown)
		out = append(out, w)
	}
	return out
}

// endorsementValue writes links, and embedded Endorsements as they came. One of
// OB 3.0 has no place: its author has to make another.
func endorsementValue(list []openbadges.Endorsement, lost *Notes) any {
	var out []json.RawMessage
	for i, e := range list {
		var doc struct {
			Claim json.RawMessage `json:"claim"`
		}
		switch {
		case len(e.Document) > 0 && json.Unmarshal(e.Document, &doc) == nil && len(doc.Claim) > 0:
			out = append(out, e.Document)
		case len(e.Document) == 0 && e.JWT == "" && e.ID != "":
			link, _ := json.Marshal(e.ID)
			out = append(out, link)
		default:
			lost.Add(fmt.Sprintf("endorsement[%d]", i), "an endorsement of OB 3.0 has no place in OB 2.0")
		}
	}
	return out
}
