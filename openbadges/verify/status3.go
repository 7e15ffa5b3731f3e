package verify

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"badgebridge/openbadges/jsonld"
	"badgebridge/openbadges/statuslist"
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
		if !ok || i == 8 || len(typesOf(m)) == 0 {
			continue // reported with the schema
		}
		entry, err := statuslist.ParseEntry(m)
		for _, w := range entry.Warnings {
			s.rep.warn("status", c.id, "the status entry is not as the specification has it: %s", clip(w))
		}
		switch {
		case errors.Is(err, statuslist.ErrUnsupported):
			s.rep.undecided("status", c.id, "the credential's status is told in a way that is not supported: %s", clip(strings.Join(typesOf(m), ", ")))
		case err != nil:
			s.rep.fail("status", c.id, "the credential's status entry can't be used: %v", err)
		case checkWebURL(entry.List) != nil:
			s.rep.fail("status", c.id, "the credential's status entry names a list that can't be fetched: %v", checkWebURL(entry.List))
		case entry.Type == statuslist.TypeRevocation:
			s.revokedCredentials(c, entry.List)
		default:
			s.listed(c, entry)
		}
	}
}

// revokedCredentials reads a 1EdTechRevocationList.
func (s *session) revokedCredentials(c *credential, where string) {
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
	list, err := statuslist.ParseRevocationList(doc)
	switch {
	case errors.Is(err, statuslist.ErrLimit):
		s.rep.undecided("status", c.id, "the list of revoked credentials can't be read: %v", err)
		return
	case err != nil:
		s.rep.fail("status", c.id, "the list of revoked credentials at %s is none: %v", clip(where), err)
		return
	case list.Issuer != "" && list.Issuer != c.issuer:
		s.rep.undecided("status", c.id, "the list of revoked credentials is another issuer's, %s", clip(list.Issuer))
		return
	}
	if reason, revoked := list.Find(c.id); revoked {
		s.rep.Revoked = true
		message := "the issuer took the credential back"
		if reason != "" {
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

// listed looks a credential up in a status list (W3C Bitstring Status List 1.0,
// section "Validate Algorithm"; StatusList2021 before it). The list is a
// credential itself, and is verified like one.
func (s *session) listed(c *credential, e statuslist.Entry) {
	body, why := s.statusDocument(e.List)
	if why != "" {
		s.rep.undecided("status", c.id, "the status list %s", why)
		return
	}
	t := s.sub()
	lc, ok := t.readCredential(body)
	if ok {
		t.listBy(lc)
	}
	switch problems := clip(strings.Join(t.rep.Problems(), "; ")); t.rep.verdict() {
	case Invalid:
		s.rep.fail("status", c.id, "the status list at %s does not hold: %s", clip(e.List), problems)
		return
	case Unknown:
		s.rep.undecided("status", c.id, "it could not be decided whether the status list at %s holds: %s", clip(e.List), problems)
		return
	}
	if lc.issuer != c.issuer {
		s.rep.warn("status", c.id, "the status list is kept by %s, and not by the issuer", clip(lc.issuer))
	}
	list, err := statuslist.ParseCredential(lc.doc)
	if err != nil {
		s.rep.fail("status", c.id, "the status list can't be used: %v", err)
		return
	}
	status, err := e.Check(list, s.now, statuslist.Limits{})
	switch {
	case errors.Is(err, statuslist.ErrLimit):
		s.rep.undecided("status", c.id, "the status list can't be read: %v", err)
	case err != nil:
		s.rep.fail("status", c.id, "the status list can't be used: %v", err)
	default:
		s.statusOf(c, status)
	}
}

// statusOf tells what a value in a list means.
func (s *session) statusOf(c *credential, status statuslist.Status) {
	switch {
	case !status.Set && (status.Purpose == statuslist.Revocation || status.Purpose == statuslist.Suspension):
		s.rep.pass("status", c.id, "the status list says that there was no %s", status.Purpose)
	case status.Purpose == statuslist.Revocation:
		s.rep.Revoked = true
		s.rep.fail("status", c.id, "the issuer took the credential back")
	case status.Purpose == statuslist.Suspension:
		s.rep.fail("status", c.id, "the issuer has suspended the credential")
	case status.Purpose == statuslist.Refresh && status.Set:
		s.rep.warn("status", c.id, "the issuer has a newer copy of the credential")
	case status.Purpose == statuslist.Refresh:
		s.rep.pass("status", c.id, "there is no newer copy")
	case status.Purpose == statuslist.Messages:
		s.rep.warn("status", c.id, "the issuer's message about the credential is 0x%x: %s", status.Value, clip(status.Message))
	default:
		s.rep.undecided("status", c.id, "the status list says %d about %s, which is not known", status.Value, clip(status.Purpose))
	}
}

// readCredential reads a credential in either form.
func (s *session) readCredential(body []byte) (*credential, bool) {
	if text := strings.TrimSpace(string(body)); looksLikeJWS([]byte(text)) {
		return s.readJWT(text)
	}
	doc, err := jsonld.ParseObject(body, s.limits())
	if err != nil {
		s.rep.fail("format", "", "it can't be read: %v", err)
		return nil, false
	}
	return &credential{doc: doc, raw: body}, true
}

// listBy verifies a status list that another credential names.
func (s *session) listBy(c *credential) {
	s.describe(c)
	s.rep.Subject = c.id
	class := s.class3(c)
	s.context3(c, class)
	if class != classList && class != classList2021 {
		s.rep.fail("type", c.id, "it is no status list")
		return
	}
	s.listCredential(c)
}

var list3 = class3{members: []member{
	{name: "id", kind: tURI},
	{name: "issuer", kind: tObjectOrURI, of: "Keeper", required: true, check: "issuer"},
	{name: "validFrom", kind: tTime}, {name: "validUntil", kind: tTime}, {name: "issuanceDate", kind: tTime}, {name: "expirationDate", kind: tTime},
	{name: "credentialSubject", kind: tObject, of: "StatusList", required: true},
}}

// listCredential verifies a status list credential.
func (s *session) listCredential(c *credential) {
	w := schema3{rep: s.rep}
	w.walk(list3, "", "schema", c.id, c.doc)
	if w.faults == 0 {
		list, err := statuslist.ParseCredential(c.doc)
		if err == nil && s.depth == 0 { // else it is decoded with the entry
			_, err = statuslist.Decode(list.Encoded, statuslist.Limits{})
		}
		switch {
		case errors.Is(err, statuslist.ErrLimit):
			s.rep.undecided("schema", c.id, "the status list can't be read: %v", err)
		case err != nil:
			s.rep.fail("schema", c.id, "the status list can't be used: %v", err)
		default:
			s.rep.pass("schema", c.id, "the status list has all its members")
		}
	}
	s.proof(c)
	s.validity3(c)
}
