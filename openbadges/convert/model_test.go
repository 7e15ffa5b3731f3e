package convert_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"badgebridge/openbadges"
)

// draw makes assertions that the version can write: what it requires is there,
// everything else is there or not.
type draw struct {
	t       *rapid.T
	version openbadges.Version
	n       int
}

func (d *draw) label(s string) string { d.n++; return fmt.Sprintf("%s%d", s, d.n) }

func (d *draw) maybe() bool { return rapid.Bool().Draw(d.t, d.label("maybe")) }

var words = rapid.StringMatching(`[A-Za-z<>&"'\\æøå日][ -~æøå日]{0,8}[a-z.]`)

func (d *draw) text() string { return words.Draw(d.t, d.label("text")) }

func (d *draw) opt() string {
	if d.maybe() {
		return d.text()
	}
	return ""
}

func (d *draw) url() string {
	return "https://" + rapid.StringMatching(`[a-z]{1,6}`).Draw(d.t, d.label("host")) + ".example.org/" +
		rapid.StringMatching(`[a-z0-9]{1,4}(\?a=1&b=[0-9]{1,3})?`).Draw(d.t, d.label("path"))
}

func (d *draw) optURL() string {
	if d.maybe() {
		return d.url()
	}
	return ""
}

func (d *draw) number() json.Number {
	return json.Number(rapid.SampledFrom([]string{"", "0", "1.5", "-3", "120", "1e2"}).Draw(d.t, d.label("number")))
}

func (d *draw) time() time.Time {
	return time.Unix(rapid.Int64Range(0, 4e9).Draw(d.t, d.label("time")), 0).UTC()
}

func (d *draw) optTime() time.Time {
	if d.maybe() {
		return d.time()
	}
	return time.Time{}
}

func (d *draw) unknown() map[string]json.RawMessage {
	if !d.maybe() {
		return nil
	}
	b, _ := json.Marshal(map[string]string{"k": d.text()})
	return map[string]json.RawMessage{"x:" + rapid.StringMatching(`[a-z]{1,3}`).Draw(d.t, d.label("term")): b}
}

func list[T any](d *draw, f func() T) []T {
	var out []T
	for range rapid.IntRange(0, 2).Draw(d.t, d.label("count")) {
		out = append(out, f())
	}
	return out
}

func ptr[T any](d *draw, f func() T) *T {
	if !d.maybe() {
		return nil
	}
	v := f()
	return &v
}

func (d *draw) types() []string { return list(d, d.url) }

func (d *draw) image() openbadges.Image {
	return openbadges.Image{ID: d.url(), Caption: d.opt(), Author: d.opt(), Unknown: d.unknown()}
}

func (d *draw) alignment() openbadges.Alignment {
	return openbadges.Alignment{
		TargetName: d.text(), TargetURL: d.url(), TargetDescription: d.opt(), TargetFramework: d.opt(), TargetCode: d.opt(),
		TargetType: rapid.SampledFrom([]string{"", "CFItem", "ext:own"}).Draw(d.t, d.label("targetType")), Unknown: d.unknown(),
	}
}

func (d *draw) evidence() openbadges.Evidence {
	return openbadges.Evidence{
		ID: d.url(), Name: d.opt(), Description: d.opt(), Narrative: d.opt(), Genre: d.opt(), Audience: d.opt(),
		Types: d.types(), Unknown: d.unknown(),
	}
}

func (d *draw) entry() openbadges.IdentifierEntry {
	return openbadges.IdentifierEntry{Identifier: d.text(), Type: rapid.SampledFrom([]string{"sourcedId", "ext:card"}).Draw(d.t, d.label("entry")), Unknown: d.unknown()}
}

// endorsements come with the JWTs last: OB 3.0 keeps the two kinds in two lists.
func (d *draw) endorsements() []openbadges.Endorsement {
	all := list(d, d.endorsement)
	slices.SortStableFunc(all, func(a, b openbadges.Endorsement) int { return cmp.Compare(min(len(a.JWT), 1), min(len(b.JWT), 1)) })
	return all
}

func (d *draw) endorsement() openbadges.Endorsement {
	e := openbadges.Endorsement{ID: d.url(), Subject: d.url(), Comment: d.text(), IssuedOn: d.time(), Issuer: openbadges.Profile{ID: d.url()}}
	var doc any
	if d.version == openbadges.V30 {
		if d.maybe() {
			return openbadges.Endorsement{JWT: "eyJ.a.b"}
		}
		doc = map[string]any{"id": e.ID, "type": []string{"VerifiableCredential", "EndorsementCredential"}, "issuer": e.Issuer.ID, "validFrom": e.IssuedOn,
			"credentialSubject": map[string]any{"id": e.Subject, "type": []string{"EndorsementSubject"}, "endorsementComment": e.Comment}}
	} else {
		if d.maybe() {
			return openbadges.Endorsement{ID: e.ID}
		}
		doc = map[string]any{"id": e.ID, "type": "Endorsement", "issuer": e.Issuer.ID, "issuedOn": e.IssuedOn,
			"claim": map[string]any{"id": e.Subject, "endorsementComment": e.Comment}}
	}
	e.Document, _ = json.Marshal(doc)
	return e
}

func (d *draw) profile(depth int) openbadges.Profile {
	p := openbadges.Profile{
		ID: d.url(), Name: d.text(), URL: d.url(), Email: "badges@example.org", Telephone: d.opt(), Description: d.opt(), Image: ptr(d, d.image),
		Unknown: d.unknown(), Types: d.types(), Identifiers: list(d, d.entry), Endorsements: d.endorsements(), Official: d.opt(),
	}
	if d.version == openbadges.V30 && d.maybe() {
		p.ID = "did:web:" + rapid.StringMatching(`[a-z]{1,6}`).Draw(d.t, d.label("did")) + ".example.org"
	}
	p.Address = ptr(d, func() openbadges.Address {
		return openbadges.Address{
			Country: d.opt(), CountryCode: "DK", Region: d.opt(), Locality: d.opt(), Street: d.opt(), PostOffice: d.opt(), PostalCode: d.opt(),
			Latitude: d.number(), Longitude: d.number(), Unknown: d.unknown(),
		}
	})
	p.Person = ptr(d, func() openbadges.PersonName {
		return openbadges.PersonName{GivenName: d.text(), AdditionalName: d.opt(), FamilyName: d.opt(), FamilyNamePrefix: d.opt(),
			PatronymicName: d.opt(), HonorificPrefix: d.opt(), HonorificSuffix: d.opt()}
	})
	if d.maybe() {
		p.DateOfBirth = "2001-02-03"
	}
	if depth > 0 {
		p.ParentOrg = ptr(d, func() openbadges.Profile { return d.profile(depth - 1) })
	}
	return p
}

func (d *draw) class() openbadges.BadgeClass {
	img := d.image()
	c := openbadges.BadgeClass{
		ID: d.url(), Version: d.opt(), Name: d.text(), Description: d.text(), Image: &img,
		Criteria: openbadges.Criteria{ID: d.url(), Narrative: d.opt(), Unknown: d.unknown()}, Issuer: d.profile(1),
		Tags: list(d, d.text), Alignments: list(d, d.alignment), Unknown: d.unknown(),
		Related: list(d, func() openbadges.Related {
			return openbadges.Related{ID: d.url(), Language: "da", Version: d.opt(), Types: d.types(), Unknown: d.unknown()}
		}),
		Endorsements: d.endorsements(), Types: d.types(), Identifiers: list(d, d.entry),
		AchievementType:  rapid.SampledFrom([]string{"", "Course", "ext:Patch"}).Draw(d.t, d.label("achievementType")),
		CreditsAvailable: d.number(), FieldOfStudy: d.opt(), Specialization: d.opt(), HumanCode: d.opt(),
		ResultDescriptions: list(d, func() openbadges.ResultDescription {
			return openbadges.ResultDescription{
				ID: d.url(), Name: d.text(), ResultType: "LetterGrade", AllowedValues: list(d, d.text), RequiredLevel: d.optURL(),
				RequiredValue: d.opt(), ValueMin: d.opt(), ValueMax: d.opt(), Alignments: list(d, d.alignment), Unknown: d.unknown(),
				Levels: list(d, func() openbadges.RubricLevel {
					return openbadges.RubricLevel{ID: d.url(), Name: d.text(), Description: d.opt(), Level: d.opt(), Points: d.opt(),
						Alignments: list(d, d.alignment), Unknown: d.unknown()}
				}),
			}
		}),
	}
	if d.maybe() {
		c.Language = "en-GB"
	}
	return c
}

// recipient puts e-mail addresses first and the plain id last, as readers do.
func (d *draw) recipient() openbadges.Recipient {
	email := openbadges.Identity{Type: openbadges.IdentityEmail, Identity: "nobody@example.org"}
	if d.maybe() {
		email = openbadges.Identity{Type: openbadges.IdentityEmail, Hashed: true, Salt: d.opt(), Identity: "sha256$00ff"}
	}
	all := []openbadges.Identity{email}
	if d.maybe() {
		all = append(all, openbadges.Identity{Type: openbadges.IdentityTelephone, Identity: "+4512345678"})
	}
	if d.maybe() {
		all = append(all, openbadges.Identity{Type: "sourcedId", Identity: "sha256$11", Hashed: true})
	}
	if d.maybe() {
		all = append(all, openbadges.Identity{Type: rapid.SampledFrom([]openbadges.IdentityType{"id", "url"}).Draw(d.t, d.label("id")), Identity: "did:example:1"})
	}
	if d.version != openbadges.V11 && d.maybe() {
		all = all[len(all)-1:] // one without an address
		if d.version == openbadges.V20 && all[0].Type == "sourcedId" {
			all[0].Type = openbadges.IdentityURL
		}
	}
	r := openbadges.Recipient{Type: all[0].Type, Identity: all[0].Identity, Hashed: all[0].Hashed, Salt: all[0].Salt}
	if len(all) > 1 {
		r.Also = all[1:]
	}
	r.GivenName = d.opt()
	return r
}

func (d *draw) assertion() openbadges.Assertion {
	id := d.url()
	if d.version == openbadges.V30 && d.maybe() {
		id = "urn:uuid:0e816b28-185f-80b1-9734-4a045bc00dd9"
	}
	issued := d.time()
	a := openbadges.Assertion{
		ID: id, Version: d.version, Image: ptr(d, d.image), Endorsements: d.endorsements(), Unknown: d.unknown(),
		Award: openbadges.Award{
			BadgeClass: d.class(), Recipient: d.recipient(), IssuedOn: issued, Evidence: list(d, d.evidence), Narrative: d.opt(),
			ValidFrom: d.optTime(), CreditsEarned: d.number(), LicenseNumber: d.opt(), Role: d.opt(), Term: d.opt(),
			ActivityStart: d.optTime(), ActivityEnd: d.optTime(), Source: ptr(d, func() openbadges.Profile { return d.profile(0) }), Unknown: d.unknown(),
			Results: list(d, func() openbadges.Result {
				return openbadges.Result{ResultDescription: d.optURL(), Value: d.opt(), Status: "Completed", AchievedLevel: d.optURL(),
					Alignments: list(d, d.alignment), Unknown: d.unknown()}
			}),
		},
	}
	if strings.HasPrefix(id, "https:") {
		a.Award.AssertionURL = id
	}
	if a.Award.ValidFrom.Equal(issued) {
		a.Award.ValidFrom = time.Time{}
	}
	if d.maybe() {
		a.Award.Expires = time.Unix(5e9, 0).UTC()
	}
	a.Issuer = a.Award.BadgeClass.Issuer
	if d.version == openbadges.V30 && d.maybe() {
		a.Issuer = d.profile(1)
	}
	return a
}

// reporter is a *testing.T or rapid's.
type reporter interface {
	Helper()
	Fatalf(format string, args ...any)
}

// forget takes out of an assertion what a note says is lost. A note that names
// nothing it knows is a mistake: people could not tell what it is about.
func forget(t reporter, a *openbadges.Assertion, notes openbadges.Notes) {
	var drop []int
	for _, n := range notes {
		path := n.Path
		var index int
		if i := strings.IndexByte(path, '['); i >= 0 && strings.HasPrefix(path, "evidence[") {
			fmt.Sscanf(path[i:], "[%d]", &index)
		}
		switch {
		case path == "badge" || path == "recipient" && strings.Contains(n.Message, "not hashed"):
		case path == "evidence["+fmt.Sprint(index)+"]":
			drop = append(drop, index)
		case strings.HasPrefix(path, "evidence["):
			e := &a.Award.Evidence[index]
			clearNamed(t, path[strings.Index(path, "].")+2:], map[string]any{"name": &e.Name, "description": &e.Description, "narrative": &e.Narrative,
				"genre": &e.Genre, "audience": &e.Audience, "type": &e.Types, "x:": &e.Unknown})
		default:
			if !forgetAward(a, path) && !forgetClass(a, path) {
				t.Fatalf("the note %q names nothing that the model has", n)
			}
		}
	}
	for _, i := range slices.Backward(drop) {
		a.Award.Evidence = slices.Delete(a.Award.Evidence, i, i+1)
	}
	if len(a.Award.Evidence) == 0 {
		a.Award.Evidence = nil
	}
}

func clearNamed(t reporter, name string, fields map[string]any) {
	if strings.HasPrefix(name, "x:") {
		name = "x:"
	}
	p, ok := fields[name]
	if !ok {
		t.Fatalf("nothing is called %q", name)
	}
	reset(p)
}

func reset(p any) {
	switch v := p.(type) {
	case *string:
		*v = ""
	case *[]string:
		*v = nil
	case *json.Number:
		*v = ""
	case *time.Time:
		*v = time.Time{}
	case *map[string]json.RawMessage:
		*v = nil
	case **openbadges.Profile:
		*v = nil
	case **openbadges.Address:
		*v = nil
	case **openbadges.PersonName:
		*v = nil
	case *[]openbadges.Endorsement:
		*v = nil
	case *[]openbadges.IdentifierEntry:
		*v = nil
	case *[]openbadges.Identity:
		*v = nil
	case *[]openbadges.Related:
		*v = nil
	case *[]openbadges.Result:
		*v = nil
	case *[]openbadges.ResultDescription:
		*v = nil
	default:
		panic(fmt.Sprintf("%T", p))
	}
}

func lookup(path string, fields map[string]any) bool {
	p, ok := fields[path]
	if ok {
		reset(p)
	}
	return ok
}

func forgetAward(a *openbadges.Assertion, path string) bool {
	w := &a.Award
	switch {
	case path == "recipient" || path == "credentialSubject.identifier":
		w.Recipient.GivenName = ""
		return true
	case strings.HasSuffix(path, ".identityType"): // url became the subject's id
		if w.Recipient.Type == openbadges.IdentityURL {
			w.Recipient.Type = openbadges.IdentityID
		}
		w.Recipient.Also = slices.Clone(w.Recipient.Also)
		for i := range w.Recipient.Also {
			if w.Recipient.Also[i].Type == openbadges.IdentityURL {
				w.Recipient.Also[i].Type = openbadges.IdentityID
			}
		}
		return true
	case strings.HasPrefix(path, "credentialSubject.x:"):
		w.Unknown = nil
		return true
	case path == "image.caption" || path == "image.author" || strings.HasPrefix(path, "image.x:"):
		img := *a.Image
		forgetImage(&img, path[len("image."):])
		a.Image = &img
		return true
	case path == "credentialSubject.source.image.author":
		forgetProfileImage(w.Source, "author")
		return true
	case path == "issuer.image.author":
		forgetProfileImage(&a.Issuer, "author")
		return true
	case path == "issuer.parentOrg.image.author":
		forgetProfileImage(a.Issuer.ParentOrg, "author")
		return true
	}
	return lookup(path, map[string]any{
		"narrative": &w.Narrative, "endorsement": &a.Endorsements, "recipient.also": &w.Recipient.Also, "validFrom": &w.ValidFrom, "result": &w.Results,
		"creditsEarned": &w.CreditsEarned, "licenseNumber": &w.LicenseNumber, "role": &w.Role, "term": &w.Term,
		"activityStartDate": &w.ActivityStart, "activityEndDate": &w.ActivityEnd, "source": &w.Source,
	})
}

func forgetImage(i *openbadges.Image, name string) {
	switch {
	case name == "caption":
		i.Caption = ""
	case name == "author":
		i.Author = ""
	default:
		i.Unknown = nil
	}
}

func forgetProfileImage(p *openbadges.Profile, name string) {
	img := *p.Image
	forgetImage(&img, name)
	p.Image = &img
}

func forgetClass(a *openbadges.Assertion, path string) bool {
	c := &a.Award.BadgeClass
	three, ok3 := strings.CutPrefix(path, "credentialSubject.achievement.")
	two, ok2 := strings.CutPrefix(path, "badge.")
	if !ok2 && !ok3 {
		return false
	}
	name := two
	if ok3 {
		name = three
	}
	p := &c.Issuer
	switch {
	case name == "creator.image.author":
		forgetProfileImage(p, "author")
		return true
	case name == "creator.parentOrg.image.author":
		forgetProfileImage(p.ParentOrg, "author")
		return true
	case strings.HasPrefix(name, "issuer.image."):
		forgetProfileImage(p, name[len("issuer.image."):])
		return true
	case strings.HasPrefix(name, "image."):
		img := *c.Image
		forgetImage(&img, name[len("image."):])
		c.Image = &img
		return true
	case strings.HasPrefix(name, "alignment["):
		var i int
		var field string
		fmt.Sscanf(name, "alignment[%d].%s", &i, &field)
		k := &c.Alignments[i]
		return lookup(field, map[string]any{"targetType": &k.TargetType, "targetFramework": &k.TargetFramework, "targetCode": &k.TargetCode})
	case strings.HasPrefix(name, "criteria.x:"):
		c.Criteria.Unknown = nil
		return true
	case strings.HasPrefix(name, "issuer."):
		return lookup(name[len("issuer."):], map[string]any{
			"telephone": &p.Telephone, "endorsement": &p.Endorsements, "otherIdentifier": &p.Identifiers, "address": &p.Address,
			"parentOrg": &p.ParentOrg, "official": &p.Official, "givenName": &p.Person, "dateOfBirth": &p.DateOfBirth,
		})
	}
	return lookup(name, map[string]any{
		"criteria.narrative": &c.Criteria.Narrative, "version": &c.Version, "@language": &c.Language, "related": &c.Related,
		"endorsement": &c.Endorsements, "achievementType": &c.AchievementType, "creditsAvailable": &c.CreditsAvailable,
		"fieldOfStudy": &c.FieldOfStudy, "specialization": &c.Specialization, "humanCode": &c.HumanCode,
		"otherIdentifier": &c.Identifiers, "resultDescription": &c.ResultDescriptions,
	})
}
