package verify

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"badgebridge/openbadges/jsonld"
)

// status asks the lists that a credential names whether it was taken back. Without
// a good signature nothing that the credential names is asked.
func (s *session) status(c *credential, proven bool) {
	entries := list(c.doc["credentialStatus"])
	switch {
	case len(entries) == 0:
		s.rep.pass("status", c.id, "the credential names no list of revoked ones")
		return
	case !proven:
		s.rep.skip("status", c.id, "not asked for, since the proof does not hold")
		return
	case s.depth >= maxNesting:
		s.rep.undecided("status", c.id, "the status of a list's list is not looked at")
		return
	}
	for i, e := range entries {
		m, ok := e.(map[string]any)
		if !ok || i == 8 {
			continue // reported with the schema
		}
		types := typesOf(m)
		switch {
		case slices.Contains(types, "BitstringStatusListEntry"):
			s.listed(c, m, classList)
		case slices.Contains(types, "StatusList2021Entry"):
			s.listed(c, m, classList2021)
		case slices.Contains(types, "1EdTechRevocationList"):
			s.revokedCredentials(c, idOf(m))
		case len(types) > 0:
			s.rep.undecided("status", c.id, "the credential's status is told in a way that is not supported: %s", clip(strings.Join(types, ", ")))
		}
	}
}

// revokedCredentials reads a 1EdTechRevocationList: {"revokedCredential": [{"id",
// "revoked", "revocationReason"}]}. Some issuers write the plural.
func (s *session) revokedCredentials(c *credential, where string) {
	if err := checkWebURL(where); err != nil {
		s.rep.fail("status", c.id, "the list of revoked credentials has no usable address: %v", err)
		return
	}
	res, why := s.statusDocument(where)
	if why != "" {
		s.rep.undecided("status", c.id, "the list of revoked credentials %s", why)
		return
	}
	doc, err := jsonld.ParseObject(res, jsonld.Limits{MaxBytes: int(s.opt.MaxImage), MaxValues: 1 << 20})
	if err != nil {
		s.rep.undecided("status", c.id, "the list of revoked credentials can't be read: %v", err)
		return
	}
	entries, there := doc["revokedCredential"]
	if !there {
		entries, there = doc["revokedCredentials"]
	}
	issuer := idOf(object(doc["issuer"]))
	if text, ok := doc["issuer"].(string); ok {
		issuer = text
	}
	switch {
	case !there:
		s.rep.fail("status", c.id, "the list of revoked credentials at %s is none", clip(where))
		return
	case issuer != "" && issuer != c.issuer:
		s.rep.undecided("status", c.id, "the list of revoked credentials is another issuer's, %s", clip(issuer))
		return
	}
	for _, e := range list(entries) {
		id, _ := e.(string)
		m, _ := e.(map[string]any)
		if m != nil {
			id = idOf(m)
		}
		if revoked, ok := m["revoked"].(bool); id != c.id || id == "" || ok && !revoked {
			continue
		}
		s.rep.Revoked = true
		message := "the issuer took the credential back"
		if reason, _ := m["revocationReason"].(string); reason != "" {
			s.reason(reason)
			message += ": " + clip(reason)
		}
		s.rep.fail("status", c.id, "%s", message)
		return
	}
	s.rep.pass("status", c.id, "not on the issuer's list of revoked credentials")
}

// statusDocument fetches a list. why says what is wrong.
func (s *session) statusDocument(where string) (body []byte, why string) {
	res, err := s.get(where, "application/vc+ld+json, application/vc, application/ld+json, application/json, application/vc+jwt, application/jwt", s.opt.MaxImage)
	switch {
	case err != nil:
		return nil, fmt.Sprintf("at %s could not be fetched: %v", clip(where), err)
	case res.Status != http.StatusOK:
		return nil, fmt.Sprintf("at %s could not be fetched: HTTP %d", clip(where), res.Status)
	case res.moved(where):
		return nil, fmt.Sprintf("at %s is answered by another host, %s", clip(where), clip(res.URL))
	}
	return res.Body, ""
}

// entry is a place in a status list.
type entry struct {
	list    string
	purpose string
	index   uint64
	size    uint64 // bits
}

// entryOf reads a BitstringStatusListEntry or StatusList2021Entry; why says what
// is wrong with it. 1EdTech's own examples write the index as a number, which is
// read.
func entryOf(m map[string]any) (e entry, why string) {
	e.list, _ = m["statusListCredential"].(string)
	e.purpose, _ = m["statusPurpose"].(string)
	e.size = 1
	switch i := m["statusListIndex"].(type) {
	case string:
		n, err := strconv.ParseUint(i, 10, 40)
		if err != nil || strings.HasPrefix(i, "+") {
			return e, "its statusListIndex is no number"
		}
		e.index = n
	case float64:
		if i < 0 || i > 1<<40 || i != float64(uint64(i)) {
			return e, "its statusListIndex is no whole number"
		}
		e.index = uint64(i)
	default:
		return e, "it has no statusListIndex"
	}
	switch size := m["statusSize"].(type) {
	case nil:
	case float64:
		if size < 1 || size > 32 || size != float64(uint64(size)) {
			return e, "its statusSize is out of range"
		}
		e.size = uint64(size)
	default:
		return e, "its statusSize is no number"
	}
	switch {
	case e.purpose == "":
		return e, "it has no statusPurpose"
	case checkWebURL(e.list) != nil:
		return e, "its statusListCredential has no web address"
	}
	return e, ""
}

// listed looks a credential up in a status list (W3C Bitstring Status List 1.0,
// section "Validate Algorithm"; StatusList2021 before it). The list is a
// credential itself, and is verified like one.
func (s *session) listed(c *credential, m map[string]any, class string) {
	e, why := entryOf(m)
	if why != "" {
		s.rep.fail("status", c.id, "the credential's status entry can't be used: %s", why)
		return
	}
	body, why := s.statusDocument(e.list)
	if why != "" {
		s.rep.undecided("status", c.id, "the status list %s", why)
		return
	}
	t := s.sub()
	lc, ok := t.readCredential(body)
	if ok {
		t.listBy(lc, class)
	}
	switch problems := clip(strings.Join(t.rep.Problems(), "; ")); t.rep.verdict() {
	case Invalid:
		s.rep.fail("status", c.id, "the status list at %s does not hold: %s", clip(e.list), problems)
		return
	case Unknown:
		s.rep.undecided("status", c.id, "it could not be decided whether the status list at %s holds: %s", clip(e.list), problems)
		return
	}
	if lc.issuer != c.issuer {
		s.rep.warn("status", c.id, "the status list is kept by %s, and not by the issuer", clip(lc.issuer))
	}
	subject := object(lc.doc["credentialSubject"])
	if !slices.Contains(list(subject["statusPurpose"]), any(e.purpose)) {
		s.rep.fail("status", c.id, "the status list is not about %s", clip(e.purpose))
		return
	}
	value, err := bits(subject["encodedList"], class, e)
	if err != nil {
		s.rep.fail("status", c.id, "the status list can't be used: %v", err)
		return
	}
	s.statusOf(c, e, m, value)
}

// statusOf tells what a value in a list means.
func (s *session) statusOf(c *credential, e entry, m map[string]any, value uint64) {
	switch {
	case value == 0 && (e.purpose == "revocation" || e.purpose == "suspension"):
		s.rep.pass("status", c.id, "the status list says that there was no %s", e.purpose)
	case e.purpose == "revocation":
		s.rep.Revoked = true
		s.rep.fail("status", c.id, "the issuer took the credential back")
	case e.purpose == "suspension":
		s.rep.fail("status", c.id, "the issuer has suspended the credential")
	case e.purpose == "refresh":
		if value != 0 {
			s.rep.warn("status", c.id, "the issuer has a newer copy of the credential")
		} else {
			s.rep.pass("status", c.id, "there is no newer copy")
		}
	case e.purpose == "message":
		message := fmt.Sprintf("0x%x", value)
		for _, v := range list(m["statusMessage"]) {
			mm := object(v)
			if code, _ := mm["status"].(string); strings.EqualFold(code, message) {
				text, _ := mm["message"].(string)
				message += ": " + text
			}
		}
		s.rep.warn("status", c.id, "the issuer's message about the credential is %s", clip(message))
	default:
		s.rep.undecided("status", c.id, "the status list says %d about %s, which is not known", value, clip(e.purpose))
	}
}

// readCredential reads a credential in either form.
func (s *session) readCredential(body []byte) (*credential, bool) {
	if text := strings.TrimSpace(string(body)); looksLikeJWS([]byte(text)) {
		return s.readJWT(text)
	}
	doc, err := jsonld.ParseObject(body, jsonld.Limits{MaxBytes: int(s.opt.MaxDocument), MaxDepth: maxDepth})
	if err != nil {
		s.rep.fail("format", "", "it can't be read: %v", err)
		return nil, false
	}
	return &credential{doc: doc, raw: body}, true
}

// listBy verifies a status list that another credential names.
func (s *session) listBy(c *credential, want string) {
	s.describe(c)
	s.rep.Subject = c.id
	class := s.class3(c)
	s.context3(c, class)
	if class != want && !(want == classList && class == classList2021) {
		s.rep.fail("type", c.id, "it is no %s", want)
		return
	}
	s.listCredential(c)
}

// listCredential verifies a status list credential.
func (s *session) listCredential(c *credential) {
	w := schema3{rep: s.rep}
	w.walk(class3{members: []member{
		{name: "issuer", kind: tObjectOrURI, of: "Status-issuer", required: true, check: "issuer"},
		{name: "id", kind: tURI},
		{name: "validFrom", kind: tTime}, {name: "validUntil", kind: tTime}, {name: "issuanceDate", kind: tTime}, {name: "expirationDate", kind: tTime},
		{name: "credentialSubject", kind: tObject, of: "StatusList", required: true},
	}}, "", "schema", c.id, c.doc)
	if w.faults == 0 {
		s.rep.pass("schema", c.id, "the status list has all its members")
		subject := object(c.doc["credentialSubject"])
		class := classList
		if slices.Contains(typesOf(subject), "StatusList2021") {
			class = classList2021
		}
		if _, err := bits(subject["encodedList"], class, entry{size: 1}); err != nil {
			s.rep.fail("schema", c.id, "the status list can't be read: %v", err)
		}
	}
	s.proof(c)
	s.validity3(c)
}
