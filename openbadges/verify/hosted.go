package verify

import (
	"time"

	"badgebridge/openbadges"
	v2 "badgebridge/openbadges/v2"
)

// hostedDocument verifies a document that was fetched from url.
func (s *session) hostedDocument(url string, doc map[string]any, raw []byte) {
	version := versionOf(doc)
	s.rep.Version = string(version)
	switch version {
	case openbadges.V30:
		s.credentialJSON(url, raw)
		return
	case version05:
		s.hosted05(url, doc)
		return
	case "":
		s.rep.Subject = url
		if isRevoked(doc) {
			s.revoked(url, raw, "the issuer took the badge back")
			return
		}
		s.rep.fail("context", url, "the document names no Open Badges context")
		return
	}
	s.rep.pass("format", url, "Open Badges %s", version)
	legacy := version != openbadges.V20
	types := typesOf(doc)
	for _, t := range types {
		switch t {
		case "BadgeClass", "Issuer", "Profile", "RevocationList", "Endorsement", "CryptographicKey":
			s.otherClass(url, t, doc, legacy)
			return
		}
	}
	s.rep.Verification = "hosted"
	doc, raw, ok := s.settle(url, "assertion", doc, raw)
	if !ok {
		return
	}
	if legacy {
		doc = upgrade1(url, doc)
	}
	s.assertion(doc, raw, legacy)
}

// otherClass looks at a document that is no assertion.
func (s *session) otherClass(url, class string, doc map[string]any, legacy bool) {
	s.rep.Subject = url
	switch class {
	case "BadgeClass":
		b := s.badge(url, legacy)
		s.conclude(nil, nil, b)
	case "Issuer", "Profile":
		i := s.issuer(url, legacy)
		s.conclude(nil, nil, badge{issuer: i})
	default:
		s.context(url, doc, legacy)
		s.class(url, doc, legacy, class)
		s.schema(class, url, doc, legacy)
		if class == "RevocationList" {
			if _, there := doc["revokedAssertions"]; !there {
				s.rep.fail("schema", url, "RevocationList: revokedAssertions is missing")
			}
		}
		s.ownID(url, doc, class)
	}
}

// settle makes sure that a document lives at the id that it claims. Where the
// id is another address, what is hosted there counts, and it has to claim that
// address itself.
func (s *session) settle(url, what string, doc map[string]any, raw []byte) (map[string]any, []byte, bool) {
	id := idOf(doc)
	if id == url || id == "" { // without id: the schema says so
		return doc, raw, true
	}
	if checkWebURL(id) != nil {
		s.rep.fail("hosting", url, "the %s's id is not the address that it is hosted at", what)
		return nil, nil, false
	}
	s.rep.warn("hosting", url, "the %s fetched from %s has the id %s; the document there counts", what, url, clip(id))
	doc, raw, ok := s.document(id, what)
	if !ok {
		return nil, nil, false
	}
	if idOf(doc) != id {
		s.rep.fail("hosting", id, "the %s's id leads to a document with yet another id", what)
		return nil, nil, false
	}
	return doc, raw, true
}

func (s *session) ownID(url string, doc map[string]any, what string) {
	if id := idOf(doc); id != "" && id != url {
		s.rep.warn("hosting", url, "the %s fetched from %s has the id %s", what, url, clip(id))
	}
}

// assertion verifies a hosted assertion: doc is what is hosted at its id.
func (s *session) assertion(doc map[string]any, raw []byte, legacy bool) {
	id := idOf(doc)
	s.rep.Subject = id
	if isRevoked(doc) {
		s.revoked(id, raw, "the issuer took the badge back")
		return
	}
	s.context(id, doc, legacy)
	s.class(id, doc, legacy, "Assertion")
	good := s.schema("Assertion", id, doc, legacy)
	if uid, _ := single(doc["uid"]).(string); legacy && uid == "" {
		good = false
		s.rep.fail("schema", id, "Assertion: uid is missing")
	}
	switch t := verificationTypeOf(doc); t {
	case "hosted":
		if id != "" {
			s.rep.pass("hosting", id, "hosted at its own address")
		}
	case "signed":
		s.rep.Verification = "signed"
		s.rep.fail("proof", id, "the badge says that it is signed, but the signature is missing")
	default:
		if doc["verification"] != nil {
			s.rep.fail("schema", id, "Assertion: verification has no type that is known")
		}
	}
	b := s.linkedBadge(id, doc, legacy)
	if isWebURL(id) && b.issuer.doc != nil {
		s.scope(id, b.id, b.issuer.id, b.issuer.doc)
	}
	if good {
		s.rep.pass("subject", id, "the assertion says who, what and when")
	}
	if !s.rep.failed("status", id) {
		s.rep.pass("status", id, "hosted and not revoked")
	}
	s.common(id, doc, raw, b)
}

// isRevoked knows the mark that stays in the place of a badge that was taken
// back.
func isRevoked(doc map[string]any) bool {
	revoked, _ := single(doc["revoked"]).(bool)
	return revoked
}

// common is what hosted and signed assertions share.
func (s *session) common(id string, doc map[string]any, raw []byte, b badge) {
	s.validity(id, doc)
	s.recipient(id, doc)
	s.image(id, "assertion", id, doc["image"])
	s.endorsements(id, doc)
	s.extensions(id, doc)
	s.conclude(doc, raw, b)
}

// validity compares the dates with now and with each other. A date that can't be
// read was reported with the schema.
func (s *session) validity(id string, doc map[string]any) {
	issued, hasIssued := timeOf(doc["issuedOn"])
	expires, hasExpires := timeOf(doc["expires"])
	good := true
	bad := func(format string, args ...any) { good = false; s.rep.fail("validity", id, format, args...) }
	if hasIssued && issued.After(s.now) {
		bad("the badge is dated in the future: %s", v2.FormatTime(issued))
	}
	if hasIssued && hasExpires && expires.Before(issued) {
		bad("the badge expired before it was issued")
	}
	if hasExpires && !expires.After(s.now) {
		s.rep.Expired = true
		bad("the badge expired on %s", v2.FormatTime(expires))
	}
	if good && hasIssued {
		s.rep.pass("validity", id, "issued, and not expired")
	}
}

func timeOf(v any) (time.Time, bool) {
	text, _ := single(v).(string)
	t, err := v2.ParseTime(text)
	return t, err == nil
}

// badge is a verified BadgeClass and its issuer; doc is nil where it could not
// be had.
type badge struct {
	id     string
	doc    map[string]any
	raw    []byte
	issuer profile
}

type profile struct {
	id  string
	doc map[string]any
	raw []byte
}

// linkedBadge gets the badge of an assertion. An embedded one with a web address
// is fetched from there: what is hosted counts.
func (s *session) linkedBadge(node string, doc map[string]any, legacy bool) badge {
	switch v := single(doc["badge"]).(type) {
	case string:
		if checkWebURL(v) == nil {
			return s.badge(v, legacy)
		}
		s.rep.fail("hosting", node, "the badge is named by an id that can't be fetched")
	case map[string]any:
		id := idOf(v)
		if isWebURL(id) {
			b := s.badge(id, legacy)
			if b.doc != nil && !sameEmbedded(v, b.doc) {
				s.rep.warn("hosting", id, "the badge within the assertion differs from the hosted one; the hosted one counts")
			}
			return b
		}
		return s.badgeDocument(badge{id: id, doc: v}, legacy, true)
	}
	return badge{}
}

// sameEmbedded ignores the context, which an embedded object inherits.
func sameEmbedded(embedded, hosted map[string]any) bool {
	for k, v := range embedded {
		if k != "@context" && !sameJSON(v, hosted[k]) {
			return false
		}
	}
	return true
}

func (s *session) badge(url string, legacy bool) badge {
	doc, raw, ok := s.document(url, "badge")
	if !ok {
		return badge{id: url}
	}
	if doc, raw, ok = s.settle(url, "badge", doc, raw); !ok {
		return badge{id: url}
	}
	if legacy {
		doc = upgrade1(url, doc)
	}
	id := idOf(doc)
	if id == "" {
		id = url
	}
	return s.badgeDocument(badge{id: id, doc: doc, raw: raw}, legacy, false)
}

func (s *session) badgeDocument(b badge, legacy, embedded bool) badge {
	if !embedded {
		s.context(b.id, b.doc, legacy)
	}
	s.class(b.id, b.doc, legacy, "BadgeClass")
	s.schema("BadgeClass", b.id, b.doc, legacy)
	s.image(b.id, "badge", b.id, b.doc["image"])
	s.endorsements(b.id, b.doc)
	s.extensions(b.id, b.doc)
	switch v := single(b.doc["issuer"]).(type) {
	case string:
		if checkWebURL(v) == nil {
			b.issuer = s.issuer(v, legacy)
		} else {
			s.rep.fail("issuer", b.id, "the issuer is named by an id that can't be fetched")
		}
	case map[string]any:
		id := idOf(v)
		if !isWebURL(id) {
			s.rep.fail("issuer", b.id, "the issuer has no address that could confirm the badge")
			break
		}
		b.issuer = s.issuer(id, legacy)
		if b.issuer.doc != nil && !sameEmbedded(v, b.issuer.doc) {
			s.rep.warn("hosting", id, "the issuer within the badge differs from the hosted one; the hosted one counts")
		}
	}
	return b
}

func (s *session) issuer(url string, legacy bool) profile {
	doc, raw, ok := s.document(url, "issuer")
	if !ok {
		return profile{id: url}
	}
	if doc, raw, ok = s.settle(url, "issuer", doc, raw); !ok {
		return profile{id: url}
	}
	if legacy {
		doc = upgrade1(url, doc)
	}
	id := idOf(doc)
	if id == "" {
		id = url
	}
	s.context(id, doc, legacy)
	want := []string{"Issuer", "Profile"}
	if legacy {
		want = append(want, "IssuerOrg", "IssuerOrganization")
	}
	s.class(id, doc, legacy, want...)
	if s.schema("Issuer", id, doc, legacy) {
		s.rep.pass("issuer", id, "the issuer's own document")
	} else {
		s.rep.fail("issuer", id, "the issuer's document is not complete")
	}
	s.endorsements(id, doc)
	s.extensions(id, doc)
	return profile{id: id, doc: doc, raw: raw}
}
