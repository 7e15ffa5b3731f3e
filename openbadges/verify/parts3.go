package verify

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"badgebridge/openbadges/bake"
	"badgebridge/openbadges/jsonld"
)

// pictures3 looks at the pictures of a credential. Its proof covers their
// addresses and not what is there, so a picture that is away is remarked on and
// no more; one that carries another badge is a deception.
func (s *session) pictures3(c *credential) {
	subject := object(c.doc["credentialSubject"])
	for _, p := range []struct {
		what  string
		v     any
		baked bool
	}{
		{"credential", c.doc["image"], true}, {"subject", subject["image"], true}, {"achievement", object(subject["achievement"])["image"], false},
	} {
		m, ok := p.v.(map[string]any)
		src, _ := m["id"].(string)
		if !ok || src == "" {
			continue // none, or reported with the schema
		}
		if s.opt.SkipImages {
			s.rep.skip("image", c.id, "pictures were not asked for")
			return
		}
		content, why := s.picture(src)
		switch {
		case why != "" && strings.HasPrefix(src, "data:"):
			s.rep.fail("image", c.id, "the %s's picture %s", p.what, why)
		case why != "":
			s.rep.warn("image", c.id, "the %s's picture %s", p.what, why)
		default:
			s.carries(c.id, p.what, c.id, content, p.baked)
		}
	}
}

// picture gets a picture from a data URI or an address; why says what is wrong.
func (s *session) picture(src string) (content []byte, why string) {
	if data, ok := strings.CutPrefix(src, "data:"); ok {
		content, good := dataURI(data)
		if !good || bake.Detect(content) == "" {
			return nil, "is neither PNG nor SVG"
		}
		return content, ""
	}
	if checkWebURL(src) != nil {
		return nil, "has no web address"
	}
	res, err := s.get(src, "image/png, image/svg+xml", s.opt.MaxImage)
	switch {
	case err != nil:
		return nil, "could not be fetched: " + err.Error()
	case res.Status != http.StatusOK:
		return nil, "could not be fetched: its host answers HTTP " + http.StatusText(res.Status)
	case bake.Detect(res.Body) == "":
		return nil, "is neither PNG nor SVG"
	}
	return res.Body, ""
}

// carries reports on a picture that is there: whether the badge baked into it, if
// any, is the one at hand. Only the award's own picture may carry one.
func (s *session) carries(node, what, id string, content []byte, baked bool) {
	p, err := bake.Unbake(content)
	if err != nil {
		s.rep.pass("image", node, "the %s's picture is there", what)
		return
	}
	other := bakedID(p.Text)
	switch {
	case other == "":
		s.rep.warn("image", node, "the %s's picture carries something that can't be read as a badge", what)
	case sameBadge(other, id):
		s.rep.pass("image", node, "the %s's picture is there and carries this badge", what)
	case baked:
		s.rep.fail("image", node, "the %s's picture carries another badge, %s", what, clip(other))
	default:
		s.rep.warn("image", node, "the %s's picture carries a badge of somebody, %s", what, clip(other))
	}
}

// sameBadge compares ids. Badgr and others add a query that asks for a version.
func sameBadge(a, b string) bool {
	if a == b {
		return true
	}
	ua, errA := url.Parse(a)
	ub, errB := url.Parse(b)
	return errA == nil && errB == nil && ua.Host != "" && hostPort(ua) == hostPort(ub) && ua.Path == ub.Path && (ua.RawQuery == "" || ub.RawQuery == "")
}

// bakedID is the id of the badge that was baked into a picture, "" when it can't
// be told.
func bakedID(text []byte) string {
	text = bytes.TrimSpace(text)
	if isWebURL(string(text)) {
		return string(text)
	}
	if looksLikeJWS(text) {
		payload, err := decodePart(bytes.Split(text, []byte("."))[1])
		if err != nil {
			return ""
		}
		text = payload
	}
	doc, err := parseObject(text)
	if err != nil {
		return ""
	}
	if id := idOf(doc); id != "" {
		return id
	}
	if id := idOf(object(doc["vc"])); id != "" {
		return id
	}
	if jti, ok := doc["jti"].(string); ok {
		return jti
	}
	id, _ := object(doc["verify"])["url"].(string)
	return id
}

// ourSchemas begin the addresses of the JSON schemas of OB 3.0, whose rules are
// those of the tables here.
const ourSchemas = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json"

// schemas3 looks at credentialSchema (OB 3.0, section "Verification": only
// 1EdTechJsonSchemaValidator2019 is defined).
func (s *session) schemas3(c *credential) {
	for _, e := range list(c.doc["credentialSchema"]) {
		m, ok := e.(map[string]any)
		id, _ := m["id"].(string)
		if !ok || id == "" {
			continue // reported with the schema
		}
		types := typesOf(m)
		known := false
		for _, t := range types {
			known = known || t == "1EdTechJsonSchemaValidator2019" || t == "JsonSchema" || t == "JsonSchemaValidator2018"
		}
		switch {
		case !known:
			s.rep.warn("schema", c.id, "the credential names a schema of kind %s, which is not looked at", clip(strings.Join(types, ", ")))
			continue
		case strings.HasPrefix(id, ourSchemas):
			s.rep.pass("schema", c.id, "the schema that the credential names is that of Open Badges")
			continue
		}
		if err := checkWebURL(id); err != nil {
			s.rep.undecided("schema", c.id, "the schema that the credential names can't be fetched: %v", err)
			continue
		}
		schema, _, ok := s.extensionDocument(c.id, id, "schema", "schema that the credential names")
		if !ok {
			continue
		}
		doc, err := parseObject(c.raw)
		if err != nil {
			continue
		}
		v := schemaCheck{root: schema}
		switch why := v.check(schema, doc, 0); {
		case why != "":
			s.rep.fail("schema", c.id, "the credential is not as its schema %s says: %s", clip(id), clip(why))
		case v.unsure != "":
			s.rep.undecided("schema", c.id, "the schema %s uses %s, which is not supported", clip(id), v.unsure)
		default:
			s.rep.pass("schema", c.id, "the credential is as its schema %s says", clip(id))
		}
	}
}

// notes3 tells of what a verification leaves alone.
func (s *session) notes3(c *credential) {
	for _, e := range list(c.doc["refreshService"]) {
		if id := idOf(object(e)); id != "" && !slices.Contains(typesOf(object(e)), refreshType) {
			s.rep.skip("validity", c.id, "the issuer may have a newer copy at %s; it was not asked for", clip(id))
		}
	}
	if n := len(list(c.doc["termsOfUse"])); n > 0 {
		s.rep.skip("schema", c.id, "the credential names terms of use; they were not judged")
	}
}

// safe asks that the contexts define all that a credential says (JSON-LD in safe
// mode, as OB 3.0 demands), where the proof itself does not ask.
func (s *session) safe(c *credential) bool {
	doc := c.doc
	if _, there := doc["proof"]; there {
		doc = without(doc, "proof")
	}
	_, err := processor().Plain(s.withContexts(), doc)
	return s.linked(c, err)
}

// linked reports what JSON-LD says about a document.
func (s *session) linked(c *credential, err error) bool {
	switch {
	case err == nil:
		return true
	case isAny(err, jsonld.ErrContext):
		s.rep.undecided("context", c.id, "%v", err)
	case isAny(err, jsonld.ErrUnsafe):
		s.rep.fail("context", c.id, "the credential says something that its contexts do not define: %v", err)
	case isAny(err, jsonld.ErrUnsupported, jsonld.ErrLimit):
		s.rep.undecided("context", c.id, "%v", err)
	default:
		s.rep.fail("context", c.id, "the credential can't be read as linked data: %v", err)
	}
	return false
}

func without(doc map[string]any, name string) map[string]any {
	out := make(map[string]any, len(doc))
	for k, v := range doc {
		if k != name {
			out[k] = v
		}
	}
	return out
}

// rawOf gives a part of a document as bytes.
func rawOf(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return b
}
