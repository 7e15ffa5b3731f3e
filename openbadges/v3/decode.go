package v3

import (
	"encoding/json"
	"fmt"

	"badgebridge/openbadges"
	"badgebridge/openbadges/internal/wire"
)

// DecodeCredential reads an AchievementCredential, or the payload of a VC-JWT
// that holds one in its claim "vc". The notes name every departure from the
// specification. Errors: ErrNotJSON, ErrTooLarge; an incomplete credential is no
// error.
func DecodeCredential(doc []byte) (Credential, Notes, error) {
	o, err := wire.Open(doc)
	if err != nil {
		return Credential{}, nil, fmt.Errorf("read credential: %w", err)
	}
	if raw, name := o.Get("vc"); raw != nil && !o.Has("credentialSubject") {
		if vc, ok := o.Child(raw, name); ok {
			o.Note(name, "holds the credential, as in a VC-JWT of the data model 1.1")
			o = vc
		}
	}
	c := credential(o)
	return c, o.Notes(), nil
}

func credential(o *wire.Object) Credential {
	var c Credential
	old := c.contexts(o)
	c.ID = o.Text("id", "@id")
	c.types(o)
	c.Name = o.Text("name")
	c.Description = o.Text("description")
	c.Image = picture(o, "image")
	c.issuer(o, old)

	from, until := []string{"validFrom", "issuanceDate"}, []string{"validUntil", "expirationDate"}
	if old {
		from, until = []string{"issuanceDate", "validFrom"}, []string{"expirationDate", "validUntil"}
	}
	a := &c.Award
	a.IssuedOn = o.When("awardedDate")
	if valid := o.When(from...); a.IssuedOn.IsZero() {
		a.IssuedOn = valid
	} else if !valid.Equal(a.IssuedOn) {
		a.ValidFrom = valid
	}
	a.Expires = o.When(until...)
	a.Evidence = evidence(o)
	a.AssertionURL = wire.WebURL(c.ID)
	c.Endorsements = endorsements(o)
	c.Status = objects(o, "credentialStatus")
	c.Schemas = objects(o, "credentialSchema")
	c.Refresh = objects(o, "refreshService")
	c.Terms = objects(o, "termsOfUse")
	c.Proofs = objects(o, "proof")

	raw, name := o.First("credentialSubject")
	if s, ok := o.Child(raw, name); ok {
		c.subject(s)
	} else {
		o.Note(name, "is missing")
	}
	if isZero(a.BadgeClass.Issuer) {
		a.BadgeClass.Issuer = c.Issuer
	}
	c.Unknown = o.Unknown()
	return c
}

// contexts keeps the contexts that are not ours to write, and reports whether
// the credential is one of the data model 1.1.
func (c *Credential) contexts(o *wire.Object) (old bool) {
	raw, name := o.Get("@context")
	var vc, ob bool
	for i, entry := range wire.ListOf(raw) {
		var iri string
		if wire.KindOf(entry) == '"' {
			iri = o.TextOf(entry, name)
		}
		switch {
		case iri == ContextVC && i == 0:
			vc = true
		case iri == ContextVC11 && i == 0:
			vc, old = true, true
			o.Note(name, "is that of the Verifiable Credentials data model 1.1")
		case isContextOB(iri):
			ob = true
		default:
			c.Contexts = append(c.Contexts, entry)
		}
	}
	if !vc {
		o.Note(name, "does not begin with %s", ContextVC)
	}
	if !ob {
		o.Note(name, "does not name Open Badges 3.0")
	}
	return old
}

func (c *Credential) types(o *wire.Object) {
	var vc, ob bool
	for _, t := range o.Types() {
		switch t {
		case "VerifiableCredential":
			vc = true
		case "AchievementCredential", "OpenBadgeCredential":
			ob = true
		default:
			c.Types = append(c.Types, t)
		}
	}
	if !vc || !ob {
		o.Note("type", "VerifiableCredential and OpenBadgeCredential expected")
	}
}

func (c *Credential) issuer(o *wire.Object, old bool) {
	raw, name := o.First("issuer")
	switch p, ok := o.Child(raw, name); {
	case ok:
		c.Issuer = profile(p)
	case raw == nil:
		o.Note(name, "is missing")
	default:
		c.Issuer.ID = o.TextOf(raw, name)
		if old {
			o.Note(name, "is a string where an object is expected")
		}
	}
}

func (c *Credential) subject(o *wire.Object) {
	a := &c.Award
	further(o, "AchievementSubject")
	a.Recipient = recipient(o)
	a.Narrative = o.Text("narrative")
	c.SubjectImage = picture(o, "image")
	a.ActivityStart = o.When("activityStartDate")
	a.ActivityEnd = o.When("activityEndDate")
	a.CreditsEarned = o.Number("creditsEarned")
	a.LicenseNumber = o.Text("licenseNumber")
	a.Role = o.Text("role")
	a.Term = o.Text("term")
	a.Source = linkedProfile(o, "source")
	o.Each([]string{"result"}, func(r *wire.Object) {
		a.Results = append(a.Results, result(r))
	}, notAnObject(o, "result"))
	raw, name := o.First("achievement")
	switch k, ok := o.Child(raw, name); {
	case ok:
		a.BadgeClass = achievement(k)
	case raw == nil:
		o.Note(name, "is missing")
	default:
		o.Note(name, "is a link; the achievement itself is expected")
		a.BadgeClass.ID = o.TextOf(raw, name)
	}
	a.Unknown = o.UnknownInside()
}

// recipient reads the subject's identifiers: the id, which is plain, and the
// IdentityObjects. An e-mail address goes first.
func recipient(o *wire.Object) openbadges.Recipient {
	var all []openbadges.Identity
	o.Each([]string{"identifier"}, func(i *wire.Object) {
		if identity := identityObject(i); identity.Type == openbadges.IdentityEmail {
			at := 0
			for at < len(all) && all[at].Type == openbadges.IdentityEmail {
				at++
			}
			all = append(all[:at], append([]openbadges.Identity{identity}, all[at:]...)...)
		} else {
			all = append(all, identity)
		}
	}, func(plain string) {
		o.Note("identifier", "is a string where an IdentityObject is expected")
		all = append(all, openbadges.Identity{Type: openbadges.IdentityEmail, Identity: plain, Hashed: wire.LooksHashed(plain)})
	})
	if id := o.Text("id", "@id"); id != "" {
		all = append(all, openbadges.Identity{Type: openbadges.IdentityID, Identity: id})
	}
	if len(all) == 0 {
		o.Note("identifier", "is missing, and the id too: it does not say whose the badge is")
		return openbadges.Recipient{}
	}
	first := all[0]
	r := openbadges.Recipient{Type: first.Type, Identity: first.Identity, Hashed: first.Hashed, Salt: first.Salt}
	if len(all) > 1 {
		r.Also = all[1:]
	}
	return r
}

func identityObject(o *wire.Object) openbadges.Identity {
	further(o, "IdentityObject")
	i := openbadges.Identity{Identity: o.Text("identityHash", "identity"), Salt: o.Text("salt")}
	hashed, present := o.Truth("hashed")
	if !present {
		hashed = wire.LooksHashed(i.Identity)
		o.Note("hashed", "is missing; taken as %v", hashed)
	}
	i.Hashed = hashed
	switch t := o.Text("identityType"); t {
	case "emailAddress":
		i.Type = openbadges.IdentityEmail
	case "email": // the migration guide writes it
		o.Note("identityType", `is "email"; "emailAddress" expected`)
		i.Type = openbadges.IdentityEmail
	case "":
		o.Note("identityType", "is missing; taken as an e-mail address")
		i.Type = openbadges.IdentityEmail
	case "ext:telephone", "ext:url", "ext:id":
		i.Type = openbadges.IdentityType(t[len("ext:"):])
	default:
		i.Type = openbadges.IdentityType(t)
	}
	noUnknown(o)
	return i
}

// objects keeps the objects of a member as they are.
func objects(o *wire.Object, name string) []json.RawMessage {
	raw, _ := o.Get(name)
	var out []json.RawMessage
	for _, entry := range wire.ListOf(raw) {
		if wire.KindOf(entry) == '{' {
			out = append(out, entry)
		} else if wire.KindOf(entry) != 'n' {
			o.Note(name, "is not an object")
		}
	}
	return out
}

func notAnObject(o *wire.Object, name string) func(string) {
	return func(s string) { o.Note(name, "has an entry that is no object: %.40q", s) }
}

// further checks the type of a part and notes types that the model does not
// keep.
func further(o *wire.Object, want string) {
	for _, t := range o.CheckType(want) {
		o.Note("type", "%q is not carried over", t)
	}
}

func noUnknown(o *wire.Object) {
	for _, name := range wire.SortedNames(o.Unknown()) {
		o.Note(name, "is not carried over")
	}
}
