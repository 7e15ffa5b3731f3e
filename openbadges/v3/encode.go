package v3

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"badgebridge/openbadges"
	"badgebridge/openbadges/internal/wire"
)

// EncodeCredential writes an OpenBadgeCredential without a proof, the
// achievement embedded. Its identifiers have to be hashed, unless
// c.PlainRecipient says that they may be read by anybody; the subject's id is
// always plain. The notes are what the value holds and the document does not.
// The same input gives the same bytes. ErrIncomplete names the members that are
// missing.
func EncodeCredential(c Credential) ([]byte, Notes, error) {
	e := &encoder{}
	a := c.Award
	wire.NeedURI(&e.missing, "id", c.ID)
	valid := a.ValidFrom
	if valid.IsZero() {
		valid = a.IssuedOn
	}
	if valid.IsZero() {
		e.missing.Add("validFrom", "is missing")
	}
	if !a.Expires.IsZero() && a.Expires.Before(valid) {
		e.missing.Add("validUntil", "lies before validFrom")
	}
	if a.Revoked && len(c.Status) == 0 {
		e.lost.Add("revoked", "is said by the credentialStatus, and there is none")
	}
	if len(c.Proofs) > 0 {
		e.lost.Add("proof", "is that of another document; this one needs its own")
	}

	w := wire.NewWriter()
	w.Put("@context", e.contexts(c.Contexts))
	w.Put("id", c.ID)
	w.Put("type", append([]string{"VerifiableCredential", "OpenBadgeCredential"}, c.Types...))
	w.Put("issuer", e.at("issuer").profile(c.Issuer))
	w.Put("validFrom", valid)
	w.Put("validUntil", a.Expires)
	if !a.ValidFrom.IsZero() && !a.ValidFrom.Equal(a.IssuedOn) {
		w.Put("awardedDate", a.IssuedOn)
	}
	w.Put("name", c.Name)
	w.Put("description", c.Description)
	w.Put("image", e.at("image").image(c.Image))
	w.Put("credentialSubject", e.at("credentialSubject").subject(c))
	w.Put("evidence", e.evidence(a.Evidence))
	e.endorsements(w, c.Endorsements)
	w.Put("credentialStatus", single(c.Status))
	w.Put("credentialSchema", c.Schemas)
	w.Put("refreshService", single(c.Refresh))
	w.Put("termsOfUse", c.Terms)
	w.PutUnknown(c.Unknown)
	if len(e.missing) > 0 {
		return nil, nil, wire.Incomplete("credential", e.missing)
	}
	b, err := w.Bytes()
	if err != nil {
		return nil, nil, fmt.Errorf("write credential: %w", err)
	}
	return b, e.lost, nil
}

// EncodeAchievement writes an Achievement on its own, as it stands at its id.
// Errors and notes as with EncodeCredential.
func EncodeAchievement(c openbadges.BadgeClass) ([]byte, Notes, error) {
	e := &encoder{}
	w := e.achievement(c, openbadges.Profile{}, true)
	return e.end("achievement", w)
}

// EncodeProfile writes a Profile on its own, as it stands at its id. Errors and
// notes as with EncodeCredential.
func EncodeProfile(p openbadges.Profile) ([]byte, Notes, error) {
	e := &encoder{}
	w := wire.NewWriter()
	w.Put("@context", e.contexts(nil))
	e.profileInto(w, p)
	return e.end("profile", w)
}

func (e *encoder) end(what string, w *wire.Writer) ([]byte, Notes, error) {
	if len(e.missing) > 0 {
		return nil, nil, wire.Incomplete(what, e.missing)
	}
	b, err := w.Bytes()
	if err != nil {
		return nil, nil, fmt.Errorf("write %s: %w", what, err)
	}
	return b, e.lost, nil
}

// single is a list of which the specification allows one entry; several stay a
// list.
func single(list []json.RawMessage) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

// encoder gathers what is missing and what gets lost, by path. Those that at
// gives share its notes.
type encoder struct {
	path          string
	root          *encoder
	lost, missing openbadges.Notes
}

func (e *encoder) top() *encoder {
	if e.root != nil {
		return e.root
	}
	return e
}

func (e *encoder) at(format string, args ...any) *encoder {
	return &encoder{path: e.name(fmt.Sprintf(format, args...)), root: e.top()}
}

func (e *encoder) name(member string) string {
	if e.path == "" {
		return member
	}
	return e.path + "." + member
}

func (e *encoder) lose(member, format string, args ...any) {
	e.top().lost.Add(e.name(member), format, args...)
}

func (e *encoder) miss(member, format string, args ...any) {
	e.top().missing.Add(e.name(member), format, args...)
}

func (e *encoder) need(member, value string) { wire.Need(&e.top().missing, e.name(member), value) }

func (e *encoder) needURI(member, value string) {
	wire.NeedURI(&e.top().missing, e.name(member), value)
}

// contexts leaves out those that serve a proof alone.
func (e *encoder) contexts(further []json.RawMessage) []json.RawMessage {
	out := []json.RawMessage{quote(ContextVC), quote(ContextOB)}
	for _, c := range further {
		var iri string
		if json.Unmarshal(c, &iri) == nil && strings.HasPrefix(iri, "https://w3id.org/security/") {
			e.lose("@context", "%s belongs to a proof", iri)
			continue
		}
		out = append(out, c)
	}
	return out
}

func quote(s string) json.RawMessage {
	b, _ := json.Marshal(s)
	return b
}

func (e *encoder) subject(c Credential) *wire.Writer {
	a := c.Award
	w := wire.NewWriter()
	id, identities := e.identities(a.Recipient, c.PlainRecipient)
	w.Put("id", id)
	w.Put("type", []string{"AchievementSubject"})
	w.Put("identifier", identities)
	w.Put("achievement", e.at("achievement").achievement(a.BadgeClass, c.Issuer, false))
	w.Put("narrative", a.Narrative)
	w.Put("image", e.at("image").image(c.SubjectImage))
	w.Put("activityStartDate", a.ActivityStart)
	w.Put("activityEndDate", a.ActivityEnd)
	w.Put("creditsEarned", a.CreditsEarned)
	w.Put("licenseNumber", a.LicenseNumber)
	w.Put("role", a.Role)
	w.Put("term", a.Term)
	if a.Source != nil {
		w.Put("source", e.at("source").profile(*a.Source))
	}
	var results []*wire.Writer
	for i, r := range a.Results {
		results = append(results, e.at("result[%d]", i).result(r))
	}
	w.Put("result", results)
	w.PutUnknown(a.Unknown)
	if a.Recipient.Name() != "" {
		e.lose("identifier", "the recipient's name is not written")
	}
	return w
}

// identities splits a recipient into the subject's id, which is the first plain
// identifier that is a URI, and the IdentityObjects.
func (e *encoder) identities(r openbadges.Recipient, plain bool) (id string, out []*wire.Writer) {
	all := append([]openbadges.Identity{{Type: r.Type, Identity: r.Identity, Hashed: r.Hashed, Salt: r.Salt}}, r.Also...)
	for i, identity := range all {
		if identity.Identity == "" {
			continue
		}
		at := e.at("identifier[%d]", i)
		t := identity.Type
		if !identity.Hashed && id == "" && (t == openbadges.IdentityID || t == openbadges.IdentityURL) {
			id = identity.Identity
			e.needURI("id", id)
			if t == openbadges.IdentityURL {
				at.lose("identityType", "is url, which OB 3.0 has no type for; the address became the subject's id")
			}
			continue
		}
		if !identity.Hashed && !plain {
			at.miss("hashed", "is false: anybody could read the address")
		}
		name := string(t)
		switch t {
		case openbadges.IdentityEmail, "":
			name = "emailAddress"
		case openbadges.IdentityTelephone, openbadges.IdentityURL, openbadges.IdentityID:
			name = "ext:" + name
		}
		w := wire.NewWriter()
		w.Put("type", "IdentityObject")
		w.Always("hashed", identity.Hashed)
		w.Put("identityHash", identity.Identity)
		w.Put("identityType", at.enum("identityType", identifierTypes, name))
		w.Put("salt", identity.Salt)
		out = append(out, w)
	}
	if id == "" && len(out) == 0 {
		e.miss("identifier", "is missing: the badge is nobody's")
	}
	return id, out
}

// enum makes a value one that the enumeration allows.
func (e *encoder) enum(member, enumeration, value string) string {
	if value == "" || has(enumeration, value) {
		return value
	}
	e.lose(member, "%q is none of the values of OB 3.0; it became an extension", value)
	return "ext:" + strings.ReplaceAll(value, " ", "")
}

// achievement writes the badge. Its creator is left out where it is the issuer
// of the credential.
func (e *encoder) achievement(c openbadges.BadgeClass, issuer openbadges.Profile, alone bool) *wire.Writer {
	e.needURI("id", c.ID)
	e.need("name", c.Name)
	e.need("description", c.Description)
	if c.Criteria.ID == "" && c.Criteria.Narrative == "" {
		e.miss("criteria", "is missing: an address or a text is needed")
	}
	w := wire.NewWriter()
	if alone {
		w.Put("@context", e.contexts(nil))
	}
	w.Put("id", c.ID)
	w.Put("type", append([]string{"Achievement"}, c.Types...))
	w.Put("name", c.Name)
	w.Put("description", c.Description)
	w.Put("achievementType", e.enum("achievementType", achievementTypes, c.AchievementType))
	w.Put("criteria", e.criteria(c.Criteria))
	w.Put("image", e.at("image").image(c.Image))
	if !isZero(c.Issuer) && !reflect.DeepEqual(c.Issuer, issuer) {
		w.Put("creator", e.at("creator").profile(c.Issuer))
	}
	w.Put("tag", c.Tags)
	w.Put("alignment", e.alignments(c.Alignments))
	w.Put("creditsAvailable", c.CreditsAvailable)
	w.Put("fieldOfStudy", c.FieldOfStudy)
	w.Put("specialization", c.Specialization)
	w.Put("humanCode", c.HumanCode)
	w.Put("otherIdentifier", e.identifiers(c.Identifiers))
	w.Put("version", c.Version)
	w.Put("inLanguage", c.Language)
	var related []*wire.Writer
	for i, r := range c.Related {
		e.at("related[%d]", i).needURI("id", r.ID)
		k := wire.NewWriter()
		k.Put("id", r.ID)
		k.Put("type", append([]string{"Related"}, r.Types...))
		k.Put("inLanguage", r.Language)
		k.Put("version", r.Version)
		k.PutUnknown(r.Unknown)
		related = append(related, k)
	}
	w.Put("related", related)
	var descriptions []*wire.Writer
	for i, d := range c.ResultDescriptions {
		descriptions = append(descriptions, e.at("resultDescription[%d]", i).resultDescription(d))
	}
	w.Put("resultDescription", descriptions)
	e.endorsements(w, c.Endorsements)
	w.PutUnknown(c.Unknown)
	return w
}
