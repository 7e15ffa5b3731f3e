package verify

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"slices"
	"strings"

	v2 "badgebridge/openbadges/v2"
)

// kind is what a member of a class has to be.
type kind int

const (
	kText     kind = iota
	kMarkdown      // a text; Markdown itself can't be wrong
	kIRI
	kURL // a web address
	kEmail
	kTime
	kBool
	kLanguage
	kVersion // text or number
	kLink    // an IRI, or an object that is looked at elsewhere
	kRecipient
	kVerification
	kImage    // an IRI, a data URI or an Image
	kCriteria // an IRI or Criteria
	kEvidence // an IRI or Evidence
	kAlignment
	kRelated
	kIssuerScope
)

// property is one member of a class, as the specification lists it.
type property struct {
	name     string
	kind     kind
	required bool
	many     bool
}

// The classes of OB 2.0. Members that are not listed are ignored, as JSON-LD
// does. @context and type are looked at apart.
func propertiesOf(class string) []property {
	switch class {
	case "Assertion":
		return []property{
			{name: "id", kind: kIRI, required: true},
			{name: "recipient", kind: kRecipient, required: true},
			{name: "badge", kind: kLink, required: true},
			{name: "verification", kind: kVerification, required: true},
			{name: "issuedOn", kind: kTime, required: true},
			{name: "expires", kind: kTime},
			{name: "image", kind: kImage},
			{name: "evidence", kind: kEvidence, many: true},
			{name: "narrative", kind: kMarkdown},
			{name: "revoked", kind: kBool},
			{name: "revocationReason", kind: kText},
			{name: "related", kind: kRelated, many: true},
			{name: "version", kind: kVersion},
			{name: "@language", kind: kLanguage},
		}
	case "BadgeClass":
		return []property{
			{name: "id", kind: kIRI, required: true},
			{name: "name", kind: kText, required: true},
			{name: "description", kind: kText, required: true},
			{name: "image", kind: kImage, required: true},
			{name: "criteria", kind: kCriteria, required: true},
			{name: "issuer", kind: kLink, required: true},
			{name: "alignment", kind: kAlignment, many: true},
			{name: "tags", kind: kText, many: true},
			{name: "related", kind: kRelated, many: true},
			{name: "version", kind: kVersion},
			{name: "@language", kind: kLanguage},
		}
	case "Issuer":
		return []property{
			{name: "id", kind: kIRI, required: true},
			{name: "name", kind: kText, required: true},
			{name: "url", kind: kURL, required: true},
			{name: "email", kind: kEmail, required: true},
			{name: "telephone", kind: kText},
			{name: "description", kind: kText},
			{name: "image", kind: kImage},
			{name: "publicKey", kind: kLink, many: true},
			{name: "verification", kind: kIssuerScope},
			{name: "revocationList", kind: kLink},
			{name: "related", kind: kRelated, many: true},
			{name: "version", kind: kVersion},
			{name: "@language", kind: kLanguage},
		}
	case "Evidence":
		return []property{
			{name: "id", kind: kIRI}, {name: "name", kind: kText}, {name: "description", kind: kText},
			{name: "narrative", kind: kMarkdown}, {name: "genre", kind: kText}, {name: "audience", kind: kText},
		}
	case "Image":
		return []property{{name: "id", kind: kIRI, required: true}, {name: "caption", kind: kText}, {name: "author", kind: kLink}}
	case "Criteria":
		return []property{{name: "id", kind: kIRI}, {name: "narrative", kind: kMarkdown}}
	case "AlignmentObject":
		return []property{
			{name: "targetName", kind: kText, required: true}, {name: "targetUrl", kind: kURL, required: true},
			{name: "targetDescription", kind: kText}, {name: "targetFramework", kind: kText}, {name: "targetCode", kind: kText},
		}
	case "Related":
		return []property{{name: "id", kind: kIRI, required: true}, {name: "version", kind: kVersion}, {name: "@language", kind: kLanguage}}
	case "IssuerScope":
		return []property{
			{name: "verificationProperty", kind: kText}, {name: "startsWith", kind: kURL, many: true}, {name: "allowedOrigins", kind: kText, many: true},
		}
	case "Endorsement":
		return []property{
			{name: "id", kind: kIRI, required: true}, {name: "claim", kind: kLink, required: true}, {name: "issuer", kind: kLink, required: true},
			{name: "issuedOn", kind: kTime, required: true}, {name: "verification", kind: kLink, required: true},
		}
	case "CryptographicKey":
		return []property{{name: "id", kind: kIRI}, {name: "owner", kind: kLink}, {name: "publicKeyPem", kind: kText, required: true}}
	case "RevocationList":
		return []property{{name: "id", kind: kIRI}, {name: "issuer", kind: kLink}}
	}
	return nil
}

// checkNameOf files a member's fault under its check.
func checkNameOf(p property) string {
	switch p.kind {
	case kRecipient:
		return "recipient"
	case kImage:
		return "image"
	case kEvidence:
		return "evidence"
	case kAlignment:
		return "alignment"
	}
	return "schema"
}

// schema checks a document against its class and reports each fault. legacy
// relaxes what OB 1.x asked for less strictly.
func (s *session) schema(class, node string, doc map[string]any, legacy bool) bool {
	good := true
	for _, p := range propertiesOf(class) {
		if legacy && (class == "Issuer" && p.name == "email") {
			p.required = false
		}
		value, present := doc[p.name]
		if p.name == "id" && !present {
			value = doc["@id"]
		}
		entries := list(value)
		if len(entries) == 0 {
			if p.required {
				good = false
				s.rep.fail(checkNameOf(p), node, "%s: %s is missing", class, p.name)
			}
			continue
		}
		if len(entries) > 1 && !p.many {
			good = false
			s.rep.fail(checkNameOf(p), node, "%s: %s has %d values where one is allowed", class, p.name, len(entries))
			continue
		}
		for _, e := range entries {
			if why := s.wrong(p.kind, node, e, legacy); why != "" {
				good = false
				s.rep.fail(checkNameOf(p), node, "%s: %s %s", class, p.name, why)
			}
		}
	}
	if good {
		s.rep.pass("schema", node, "%s: all members are there and of the right kind", class)
	}
	return good
}

// inner checks an embedded object of a class, "" when it is right.
func (s *session) inner(class, node string, doc map[string]any, legacy bool) string {
	for _, p := range propertiesOf(class) {
		entries := list(doc[p.name])
		if len(entries) == 0 {
			if p.required {
				return "has no " + p.name
			}
			continue
		}
		if len(entries) > 1 && !p.many {
			return fmt.Sprintf("has %d values for %s", len(entries), p.name)
		}
		for _, e := range entries {
			if why := s.wrong(p.kind, node, e, legacy); why != "" {
				return p.name + " " + why
			}
		}
	}
	return ""
}

// wrong says what is wrong with a value, "" when nothing is.
func (s *session) wrong(k kind, node string, v any, legacy bool) string {
	text, isText := v.(string)
	obj, isObject := v.(map[string]any)
	switch k {
	case kText, kMarkdown:
		if !isText {
			return "is no text"
		}
	case kIRI:
		if !isText || !isIRI(text) && !isPictureData(text) {
			return "is no IRI"
		}
	case kURL:
		if !isText || checkWebURL(text) != nil {
			return "is no web address"
		}
	case kEmail:
		if !isEmail(text) {
			return "is no e-mail address"
		}
	case kTime:
		if _, err := v2.ParseTime(text); !isText || err != nil {
			return "is no ISO 8601 date and time with a time zone"
		}
	case kBool:
		if _, ok := v.(bool); !ok {
			return "is neither true nor false"
		}
	case kLanguage:
		if !isText || !isLanguage(text) {
			return "is no language tag"
		}
	case kVersion:
		if _, number := v.(json.Number); !number && !isText {
			return "is neither a text nor a number"
		}
	case kLink:
		if !isObject && !(isText && isIRI(text)) {
			return "is no IRI"
		}
	case kRecipient:
		return wrongRecipient(obj, isObject, legacy)
	case kVerification:
		if !isObject {
			return "is no object"
		}
	case kImage:
		if isObject {
			return s.inner("Image", node, obj, legacy)
		}
		if !isText || !isIRI(text) && !isPictureData(text) {
			return "is no IRI"
		}
	case kCriteria:
		if isObject {
			if len(list(obj["id"])) == 0 && len(list(obj["narrative"])) == 0 {
				return "has neither an address nor a text"
			}
			return s.inner("Criteria", node, obj, legacy)
		}
		if !isText || !isIRI(text) {
			return "is no IRI"
		}
	case kEvidence:
		if isObject {
			return s.inner("Evidence", node, obj, legacy)
		}
		if !isText || !isIRI(text) {
			return "is no IRI"
		}
	case kAlignment:
		if !isObject {
			return "is no object"
		}
		return s.inner("AlignmentObject", node, obj, legacy)
	case kRelated:
		if isObject {
			return s.inner("Related", node, obj, legacy)
		}
		if !isText || !isIRI(text) {
			return "is no IRI"
		}
	case kIssuerScope:
		if !isObject {
			return "is no object"
		}
		return s.inner("IssuerScope", node, obj, legacy)
	}
	return ""
}

func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}

// isLanguage accepts what has the form of a BCP 47 tag.
func isLanguage(s string) bool {
	parts := strings.Split(s, "-")
	for i, p := range parts {
		if p == "" || len(p) > 8 {
			return false
		}
		for _, c := range []byte(strings.ToLower(p)) {
			if !(c >= 'a' && c <= 'z' || i > 0 && c >= '0' && c <= '9') {
				return false
			}
		}
	}
	return len(parts[0]) >= 2 || slices.Contains([]string{"x", "i"}, strings.ToLower(parts[0]))
}

// context checks @context: OB 2.0 has to be among them, and every other one has
// to be there, because a reader without it reads another document.
func (s *session) context(node string, doc map[string]any, legacy bool) bool {
	entries := list(doc["@context"])
	if legacy {
		return true // 1.0 has none; 1.1 is told apart by it
	}
	found, good := false, true
	for _, c := range entries {
		text, isText := c.(string)
		switch {
		case isText && isContext2(text):
			found = true
		case isText:
			good = s.extraContext(node, text) && good
		}
	}
	if !found {
		s.rep.fail("context", node, "the document does not name the Open Badges 2.0 context")
		return false
	}
	if good {
		s.rep.pass("context", node, "Open Badges 2.0")
	}
	return good
}

func (s *session) extraContext(node, url string) bool {
	_, _, ok := s.extensionDocument(node, url, "context", "context")
	return ok
}

// class checks that the document is of one of the types.
func (s *session) class(node string, doc map[string]any, legacy bool, want ...string) bool {
	types := typesOf(doc)
	for _, t := range types {
		if slices.Contains(want, t) {
			s.rep.pass("type", node, "%s", t)
			return true
		}
	}
	if legacy && len(types) == 0 {
		return true // 1.0 has no types
	}
	if len(types) == 0 {
		s.rep.fail("type", node, "the document has no type; %s expected", want[0])
	} else {
		s.rep.fail("type", node, "the document is of type %s; %s expected", clip(strings.Join(types, ", ")), want[0])
	}
	return false
}
