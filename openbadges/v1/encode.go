package v1

import (
	"fmt"

	"badgebridge/openbadges"
	"badgebridge/openbadges/internal/wire"
)

// EncodeAssertion writes a hosted Assertion of OB 1.1. The recipient is an e-mail
// address and has to be hashed, unless a.PlainRecipient says that it may be read
// by anybody. A revoked award gives the stub of EncodeRevoked. The notes are what
// the value holds and the document does not. The same input gives the same bytes.
// ErrIncomplete names the members that are missing.
func EncodeAssertion(a Assertion) ([]byte, Notes, error) {
	if a.Award.Revoked {
		return EncodeRevoked(), Notes{{Path: "revoked", Message: "the award is revoked; nothing else is written"}}, nil
	}
	var lost, missing Notes
	award, r := a.Award, a.Award.Recipient
	wire.NeedURL(&missing, "id", a.ID)
	wire.Need(&missing, "uid", a.UID)
	if award.IssuedOn.IsZero() {
		missing.Add("issuedOn", "is missing")
	}
	if !award.Expires.IsZero() && award.Expires.Before(award.IssuedOn) {
		missing.Add("expires", "lies before issuedOn")
	}
	wire.Need(&missing, "recipient.identity", r.Identity)
	if r.Type != openbadges.IdentityEmail && r.Type != "" {
		missing.Add("recipient.type", "is %s; OB 1.1 knows email only", r.Type)
	}
	if !r.Hashed && !a.PlainRecipient {
		missing.Add("recipient.hashed", "is false: anybody could read the address")
	}
	if a.Verify.Type != "" && a.Verify.Type != Hosted {
		missing.Add("verify", "only hosted assertions are written")
	}
	w := wire.NewWriter()
	w.Put("@context", Context)
	w.Put("type", "Assertion")
	w.Put("id", a.ID)
	w.Put("uid", a.UID)
	identity := wire.NewWriter()
	identity.Put("type", "email")
	identity.Always("hashed", r.Hashed)
	identity.Put("salt", r.Salt)
	identity.Put("identity", r.Identity)
	w.Put("recipient", identity)
	if a.Embed {
		var classLost, classMissing Notes
		badge := wire.NewWriter()
		writeClass(badge, award.BadgeClass, true, &classLost, &classMissing)
		w.Put("badge", badge)
		lost.AddUnder("badge", classLost)
		missing.AddUnder("badge", classMissing)
	} else {
		wire.NeedURL(&missing, "badge", award.BadgeClass.ID)
		w.Put("badge", award.BadgeClass.ID)
	}
	w.Put("issuedOn", award.IssuedOn)
	w.Put("expires", award.Expires)
	w.Put("image", imageValue(a.Image, "image", &lost))
	w.Put("evidence", evidenceValue(award.Evidence, &lost))
	verify := wire.NewWriter()
	verify.Put("type", Hosted)
	verify.Put("url", a.ID)
	w.Put("verify", verify)
	w.PutUnknown(a.Unknown)

	losses := wire.Losses{Notes: &lost, Version: openbadges.V11}
	losses.Has(award.Narrative != "", "narrative")
	losses.Award(award)
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

// EncodeBadgeClass writes a BadgeClass of OB 1.1 that links its issuer.
// ErrIncomplete names what is required and c lacks: id, name, description, image,
// the address of the criteria, and the issuer's id.
func EncodeBadgeClass(c openbadges.BadgeClass) ([]byte, Notes, error) {
	var lost, missing Notes
	w := wire.NewWriter()
	w.Put("@context", Context)
	writeClass(w, c, false, &lost, &missing)
	return finish("badge", w, lost, missing)
}

func writeClass(w *wire.Writer, c openbadges.BadgeClass, embedded bool, lost, missing *Notes) {
	losses := wire.Losses{Notes: lost, Version: openbadges.V11}
	if !embedded || c.ID != "" {
		if embedded {
			wire.NeedURI(missing, "id", c.ID)
		} else {
			wire.NeedURL(missing, "id", c.ID)
		}
	}
	wire.Need(missing, "name", c.Name)
	wire.Need(missing, "description", c.Description)
	if c.Image == nil || c.Image.ID == "" {
		missing.Add("image", "is missing")
	}
	wire.NeedURL(missing, "criteria", c.Criteria.ID)
	w.Put("type", typeValue("BadgeClass", c.Types))
	w.Put("id", c.ID)
	w.Put("name", c.Name)
	w.Put("description", c.Description)
	w.Put("image", imageValue(c.Image, "image", lost))
	w.Put("criteria", c.Criteria.ID)
	losses.Has(c.Criteria.Narrative != "", "criteria.narrative")
	for _, name := range wire.SortedNames(c.Criteria.Unknown) {
		losses.Has(true, "criteria."+name)
	}
	if embedded {
		var issuerLost, issuerMissing Notes
		issuer := wire.NewWriter()
		writeIssuer(issuer, c.Issuer, &issuerLost, &issuerMissing)
		w.Put("issuer", issuer)
		lost.AddUnder("issuer", issuerLost)
		missing.AddUnder("issuer", issuerMissing)
	} else {
		wire.NeedURL(missing, "issuer", c.Issuer.ID)
		w.Put("issuer", c.Issuer.ID)
	}
	w.Put("tags", c.Tags)
	var alignments []*wire.Writer
	for i, a := range c.Alignments {
		at := fmt.Sprintf("alignment[%d].", i)
		wire.Need(missing, at+"name", a.TargetName)
		wire.Need(missing, at+"url", a.TargetURL)
		k := wire.NewWriter()
		k.Put("name", a.TargetName)
		k.Put("url", a.TargetURL)
		k.Put("description", a.TargetDescription)
		k.PutUnknown(a.Unknown)
		alignments = append(alignments, k)
		losses.Has(a.TargetFramework != "", at+"targetFramework")
		losses.Has(a.TargetCode != "", at+"targetCode")
		losses.Has(a.TargetType != "", at+"targetType")
	}
	w.Put("alignment", alignments)
	w.PutUnknown(c.Unknown)
	losses.Has(c.Version != "", "version")
	losses.Has(c.Language != "", "@language")
	losses.Has(len(c.Related) > 0, "related")
	losses.Has(len(c.Endorsements) > 0, "endorsement")
	losses.Class(c)
}

// EncodeIssuer writes an issuer of OB 1.1. ErrIncomplete names what is required
// and p lacks: id, name and url.
func EncodeIssuer(p openbadges.Profile) ([]byte, Notes, error) {
	var lost, missing Notes
	w := wire.NewWriter()
	w.Put("@context", Context)
	wire.NeedURL(&missing, "id", p.ID)
	writeIssuer(w, p, &lost, &missing)
	return finish("issuer", w, lost, missing)
}

func writeIssuer(w *wire.Writer, p openbadges.Profile, lost, missing *Notes) {
	losses := wire.Losses{Notes: lost, Version: openbadges.V11}
	wire.Need(missing, "name", p.Name)
	wire.NeedURL(missing, "url", p.URL)
	w.Put("type", typeValue("Issuer", p.Types))
	w.Put("id", p.ID)
	w.Put("name", p.Name)
	w.Put("url", p.URL)
	w.Put("description", p.Description)
	w.Put("image", imageValue(p.Image, "image", lost))
	w.Put("email", p.Email)
	w.PutUnknown(p.Unknown)
	losses.Has(p.Telephone != "", "telephone")
	losses.Has(len(p.Endorsements) > 0, "endorsement")
	losses.Profile(p)
}

// EncodeRevoked writes what stands, with HTTP status 410, in the place of a
// revoked assertion. OB 1.1 tells no reason.
func EncodeRevoked() []byte { return []byte(`{"revoked":true}`) }

func typeValue(own string, further []string) any {
	if len(further) == 0 {
		return own
	}
	return append([]string{own}, further...)
}

// imageValue is a picture's address: OB 1.1 says nothing else of it.
func imageValue(i *openbadges.Image, path string, lost *Notes) string {
	if i == nil {
		return ""
	}
	losses := wire.Losses{Notes: lost, Version: openbadges.V11}
	losses.Has(i.Caption != "", path+".caption")
	losses.Has(i.Author != "", path+".author")
	for _, name := range wire.SortedNames(i.Unknown) {
		losses.Has(true, path+"."+name)
	}
	return i.ID
}

// evidenceValue is the first address: OB 1.1 has room for one, and for nothing
// about it.
func evidenceValue(list []openbadges.Evidence, lost *Notes) string {
	losses := wire.Losses{Notes: lost, Version: openbadges.V11}
	url := ""
	for i, e := range list {
		at := fmt.Sprintf("evidence[%d]", i)
		if url != "" || !wire.IsWeb(e.ID) {
			lost.Add(at, "OB 1.1 has room for one address")
			continue
		}
		url = e.ID
		losses.Has(e.Name != "", at+".name")
		losses.Has(e.Description != "", at+".description")
		losses.Has(e.Narrative != "", at+".narrative")
		losses.Has(e.Genre != "", at+".genre")
		losses.Has(e.Audience != "", at+".audience")
		losses.Has(len(e.Types) > 0, at+".type")
		for _, name := range wire.SortedNames(e.Unknown) {
			losses.Has(true, at+"."+name)
		}
	}
	return url
}
