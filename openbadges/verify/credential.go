package verify

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"badgebridge/openbadges"
	"badgebridge/openbadges/jose"
	"badgebridge/openbadges/jsonld"
	v2 "badgebridge/openbadges/v2"
	v3 "badgebridge/openbadges/v3"
)

// credential is an OB 3.0 credential, an endorsement or a status list while it is
// verified. doc has strings, float64, bool, maps and lists.
type credential struct {
	id      string
	issuer  string // its id
	doc     map[string]any
	raw     []byte   // doc's bytes
	legacy  bool     // of the Verifiable Credentials data model 1.1
	jwt     *jose.VC // where the proof is outside
	compact string   // jwt's text
}

// What a credential can be, by its types.
const (
	classBadge       = "AchievementCredential"
	classEndorsement = "EndorsementCredential"
	classList        = "BitstringStatusListCredential"
	classList2021    = "StatusList2021Credential"
)

const (
	contextVC2  = "https://www.w3.org/ns/credentials/v2"
	contextVC11 = "https://www.w3.org/2018/credentials/v1"
)

// credentialJSON verifies a credential with its proofs inside.
func (s *session) credentialJSON(node string, raw []byte) {
	s.rep.Version, s.rep.Verification = string(openbadges.V30), "proof"
	doc, err := jsonld.ParseObject(raw, s.limits())
	if err != nil {
		s.rep.fail("format", node, "the credential can't be read: %v", err)
		return
	}
	s.credential(&credential{doc: doc, raw: raw})
}

// limits bound a credential.
func (s *session) limits() jsonld.Limits {
	return jsonld.Limits{MaxBytes: int(s.opt.MaxDocument), MaxDepth: maxDepth}
}

// credential verifies what was read.
func (s *session) credential(c *credential) {
	s.describe(c)
	s.rep.Subject = c.id
	if s.rep.Subject == "" {
		s.rep.Subject = "(a credential without an id)"
	}
	class := s.class3(c)
	s.context3(c, class)
	switch class {
	case "":
		return
	case classList, classList2021:
		s.listCredential(c)
		return
	case classEndorsement:
		s.endorsementCredential(c)
		return
	}
	good := s.schema3(c, "Subject")
	proven := s.proof(c)
	c = s.refreshed(c, proven)
	s.status(c, proven)
	s.validity3(c)
	s.recipient3(c)
	s.pictures3(c)
	s.schemas3(c)
	s.notes3(c)
	s.endorsements3(c)
	if good {
		s.rep.pass("subject", c.id, "it says who, what and when")
	}
	s.conclude3(c)
}

func (s *session) describe(c *credential) {
	c.id, _ = c.doc["id"].(string)
	c.issuer, _ = c.doc["issuer"].(string)
	if m, ok := c.doc["issuer"].(map[string]any); ok {
		c.issuer, _ = m["id"].(string)
	}
	contexts := list(c.doc["@context"])
	c.legacy = len(contexts) > 0 && contexts[0] == contextVC11
	model, how := "2.0", "the proof inside"
	if c.legacy {
		model = "1.1"
	}
	if c.jwt != nil {
		how = "signed as a JWT"
	}
	s.rep.pass("format", c.id, "Open Badges 3.0, Verifiable Credentials %s, %s", model, how)
	if c.legacy {
		s.rep.warn("format", c.id, "the credential is in the older form of Verifiable Credentials 1.1, which is still read")
	}
}

// class3 finds out what the credential is.
func (s *session) class3(c *credential) string {
	types := typesOf(map[string]any{"type": c.doc["type"]})
	why := wrongType(c.doc["type"], []string{"VerifiableCredential"})
	for _, class := range []string{classBadge, "OpenBadgeCredential", classEndorsement, classList, classList2021} {
		if !slices.Contains(types, class) {
			continue
		}
		if why != "" {
			s.rep.fail("type", c.id, "type %s", why)
		} else {
			s.rep.pass("type", c.id, "%s", class)
		}
		if class == "OpenBadgeCredential" {
			class = classBadge
		}
		return class
	}
	if why == "" {
		why = fmt.Sprintf("is %s; OpenBadgeCredential or AchievementCredential expected", clip(strings.Join(types, ", ")))
	}
	s.rep.fail("type", c.id, "type %s", why)
	if c.doc["credentialSubject"] == nil {
		return ""
	}
	return classBadge // so that the rest is told, too
}

var contextOB3 = regexp.MustCompile(`^https://purl\.imsglobal\.org/spec/ob/v3p0/context(-3\.\d\.\d)*\.json$`)

// contextAliases are further addresses of the context of OB 3.0.
var contextAliases = []string{"https://purl.imsglobal.org/spec/ob/v3p0/context/ob_v3p0.jsonld"}

// context3 checks that the contexts are those of the data model, in their order.
func (s *session) context3(c *credential, class string) {
	contexts, isList := c.doc["@context"].([]any)
	first, second := "", ""
	if len(contexts) > 0 {
		first, _ = contexts[0].(string)
	}
	if len(contexts) > 1 {
		second, _ = contexts[1].(string)
	}
	ours := class == classBadge || class == classEndorsement || class == ""
	switch {
	case !isList:
		s.rep.fail("context", c.id, "@context is no array")
	case first != contextVC2 && first != contextVC11:
		s.rep.fail("context", c.id, "@context does not begin with %s", contextVC2)
	case ours && !contextOB3.MatchString(second) && !slices.Contains(contextAliases, second):
		s.rep.fail("context", c.id, "the second @context is not that of Open Badges 3.0")
	case ours && second != v3.ContextOB:
		s.rep.warn("context", c.id, "the context is that of an earlier or another release of Open Badges 3.0: %s", clip(second))
	default:
		s.rep.pass("context", c.id, "the contexts of the data model, in their order")
	}
}

var (
	badge3, badge3Legacy             = credential3("Subject", false), credential3("Subject", true)
	endorsement3, endorsement3Legacy = credential3("EndorsementSubject", false), credential3("EndorsementSubject", true)
)

// schema3 holds the document against the tables and reports each fault.
func (s *session) schema3(c *credential, subject string) bool {
	table := badge3
	switch {
	case subject == "Subject" && c.legacy:
		table = badge3Legacy
	case subject != "Subject" && c.legacy:
		table = endorsement3Legacy
	case subject != "Subject":
		table = endorsement3
	}
	w := schema3{rep: s.rep}
	w.walk(table, "", "schema", c.id, c.doc)
	w.results(c)
	if w.faults == 0 {
		s.rep.pass("schema", c.id, "all members are there and of the right kind")
		for _, check := range []string{"evidence", "alignment"} {
			if s.has3(c, check) {
				s.rep.pass(check, c.id, "%s: as the specification has it", check)
			}
		}
	}
	if l := list(c.doc["credentialStatus"]); len(l) > 1 {
		s.rep.warn("schema", c.id, "credentialStatus has %d entries; Open Badges knows one", len(l))
	}
	if criteria, ok := object(object(c.doc["credentialSubject"])["achievement"])["criteria"].(map[string]any); ok && criteria["id"] == nil && criteria["narrative"] == nil {
		s.rep.warn("schema", c.id, "credentialSubject.achievement.criteria says nothing")
	}
	return w.faults == 0
}

func (s *session) has3(c *credential, check string) bool {
	if check == "evidence" {
		return len(list(c.doc["evidence"])) > 0
	}
	return len(list(object(object(c.doc["credentialSubject"])["achievement"])["alignment"])) > 0
}

// dates gives the members that bound the validity.
func (c *credential) dates() (from, until []string) {
	if c.legacy {
		return []string{"issuanceDate", "validFrom"}, []string{"expirationDate", "validUntil"}
	}
	return []string{"validFrom"}, []string{"validUntil"}
}

// validity3 compares the dates with now and with each other. A date that can't be
// read was reported with the schema.
func (s *session) validity3(c *credential) {
	from, until := c.dates()
	good, dated := true, false
	for _, name := range from {
		text, _ := c.doc[name].(string)
		begins, ok := time3(text)
		if !ok {
			continue
		}
		dated = true
		if begins.After(s.now) {
			good = false
			s.rep.fail("validity", c.id, "the credential does not hold before %s (%s)", text, name)
		}
		for _, end := range until {
			text, _ := c.doc[end].(string)
			if ends, ok := time3(text); ok && ends.Before(begins) {
				good = false
				s.rep.fail("validity", c.id, "the credential ends (%s) before it begins (%s)", end, name)
			}
		}
	}
	for _, name := range until {
		text, _ := c.doc[name].(string)
		if ends, ok := time3(text); ok && !ends.After(s.now) {
			good = false
			s.rep.Expired = true
			s.rep.fail("validity", c.id, "the credential expired on %s (%s)", text, name)
		}
	}
	if ends, ok := c.tokenEnd(); ok && !ends.After(s.now) {
		good = false
		s.rep.Expired = true
		s.rep.fail("validity", c.id, "the credential expired on %s (exp of its JWT)", v2.FormatTime(ends))
	}
	if good && dated {
		s.rep.pass("validity", c.id, "it holds, and has not run out")
	}
}

// tokenEnd is the end that only the JWT around a credential gives it.
func (c *credential) tokenEnd() (time.Time, bool) {
	_, until := c.dates()
	if c.jwt == nil || slices.ContainsFunc(until, func(name string) bool { return c.doc[name] != nil }) {
		return time.Time{}, false
	}
	return c.jwt.Ends()
}

// conclude3 puts what the credential says into the report.
func (s *session) conclude3(c *credential) {
	out := &Badge{}
	if s.rep.Badge != nil {
		out.RevocationReason = s.rep.Badge.RevocationReason
	}
	s.rep.Badge = out
	read, _, err := v3.DecodeCredential(c.raw)
	if err != nil {
		return // the format check said so
	}
	a, b := read.Award, read.Award.BadgeClass
	out.ID, out.Name, out.Description, out.Tags = b.ID, clip(b.Name), b.Description, b.Tags
	out.Criteria, out.CriteriaText, out.Narrative = b.Criteria.ID, b.Criteria.Narrative, a.Narrative
	if b.Image != nil {
		out.Image = b.Image.ID
	}
	p := read.Issuer
	out.Issuer = Issuer{ID: p.ID, Name: clip(p.Name), URL: p.URL, Email: p.Email}
	if p.Image != nil {
		out.Issuer.Image = p.Image.ID
	}
	if !a.IssuedOn.IsZero() {
		out.IssuedOn = v2.FormatTime(a.IssuedOn)
	}
	if !a.Expires.IsZero() {
		out.Expires = v2.FormatTime(a.Expires)
	} else if ends, ok := c.tokenEnd(); ok {
		out.Expires = v2.FormatTime(ends)
	}
	for _, e := range a.Evidence {
		if e.ID != "" {
			out.Evidence = append(out.Evidence, e.ID)
		}
	}
	document := c.raw
	if c.jwt != nil {
		document = []byte(c.compact)
	}
	m := read.Model(document)
	s.rep.Assertion = &m
}

// processor turns credentials into RDF. There is one for all verifications, since
// it holds the built-in contexts; what is not built in comes through the session
// that asks.
var processor = sync.OnceValue(func() *jsonld.Processor {
	return jsonld.New(jsonld.Config{Loader: loadContext})
})

type sessionKey struct{}

func (s *session) withContexts() context.Context { return context.WithValue(s.ctx, sessionKey{}, s) }

// loadContext fetches a context that is not built in, within the session's
// bounds.
func loadContext(ctx context.Context, url string) ([]byte, error) {
	s, ok := ctx.Value(sessionKey{}).(*session)
	if !ok {
		return nil, fmt.Errorf("no one to fetch it")
	}
	if err := checkWebURL(url); err != nil {
		return nil, err
	}
	res, err := s.get(url, "application/ld+json, application/json", s.opt.MaxDocument)
	switch {
	case err != nil:
		return nil, err
	case res.Status != 200:
		return nil, fmt.Errorf("its host answers HTTP %d", res.Status)
	case res.moved(url):
		return nil, fmt.Errorf("another host answers")
	}
	return res.Body, nil
}
