package verify

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	v2 "badgebridge/openbadges/v2"
)

// endorsements verifies what others say about a document of OB 2.0: each
// endorsement by its own hosting or signature, and by its endorser's own
// document. Whether the endorser is to be trusted is not judged.
func (s *session) endorsements(node string, doc map[string]any) {
	if s.depth >= maxNesting {
		return
	}
	entries := list(doc["endorsement"])
	for i, e := range entries {
		if i == maxEndorsements {
			s.rep.undecided("endorsement", node, "only the first %d endorsements were looked at", maxEndorsements)
			return
		}
		t := s.sub()
		t.rep.Version = s.rep.Version
		switch v := e.(type) {
		case string:
			t.rep.Subject = v
			t.linkedEndorsement(v, node)
		case map[string]any:
			t.rep.Subject = idOf(v)
			if why := s.inner("Endorsement", node, v, false); why != "" {
				t.rep.fail("schema", node, "it %s", why)
			} else if !isWebURL(idOf(v)) {
				t.rep.undecided("hosting", node, "it is within the document and has no address that could confirm it")
			} else {
				t.linkedEndorsement(idOf(v), node)
			}
		default:
			t.rep.fail("schema", node, "it is neither an address nor an object")
		}
		s.endorsed(node, t.rep, map[string]bool{node: true})
	}
}

// linkedEndorsement verifies the endorsement at an address.
func (s *session) linkedEndorsement(where, node string) {
	if checkWebURL(where) == nil {
		res, err := s.get(where, acceptBadge, s.opt.MaxImage)
		if data := bytes.TrimSpace(res.Body); err == nil && res.Status == http.StatusOK && looksLikeJWS(data) {
			s.signedEndorsement(where, string(data))
			return
		}
	}
	doc, raw, ok := s.document(where, "endorsement")
	if !ok {
		return
	}
	if revoked, _ := single(doc["revoked"]).(bool); revoked {
		s.rep.fail("status", where, "the endorser took it back")
		return
	}
	if doc, _, ok = s.settle(where, "endorsement", doc, raw); !ok {
		return
	}
	id := idOf(doc)
	endorser, ok := s.endorsementDocument(id, doc)
	if !ok {
		return
	}
	switch verificationTypeOf(doc) {
	case "hosted":
		if endorser.doc != nil {
			s.scope(id, "", endorser.id, endorser.doc)
		}
	case "signed":
		s.rep.fail("proof", id, "it says that it is signed, but the signature is missing")
	default:
		s.rep.fail("schema", id, "its verification has no type that is known")
	}
}

func (s *session) signedEndorsement(where, jws string) {
	payload, err := decodePart([]byte(strings.Split(jws, ".")[1]))
	if err != nil {
		s.rep.fail("format", where, "its content can't be read")
		return
	}
	doc, err := parseObject(payload)
	if err != nil {
		s.rep.fail("format", where, "its content can't be read: %v", err)
		return
	}
	doc = s.plain2(where, doc)
	id := idOf(doc)
	endorser, ok := s.endorsementDocument(id, doc)
	if !ok || endorser.doc == nil {
		return
	}
	s.signature(jws, id, doc, endorser)
	s.revocationList(id, doc, endorser)
}

// endorsementDocument checks what an endorsement says, and gets its endorser.
func (s *session) endorsementDocument(id string, doc map[string]any) (profile, bool) {
	s.context(id, doc, false)
	if !s.class(id, doc, false, "Endorsement") || !s.schema("Endorsement", id, doc, false) {
		return profile{}, false
	}
	claim := object(doc["claim"])
	s.rep.about, _ = single(doc["claim"]).(string)
	if claim != nil {
		s.rep.about = idOf(claim)
	}
	for name, ahead := range map[string]bool{"issuedOn": true, "expires": false} {
		if t, ok := timeOf(doc[name]); ok && t.After(s.now) == ahead && !t.Equal(time.Time{}) {
			s.rep.fail("validity", id, "it does not hold now: %s is %s", name, v2.FormatTime(t))
		}
	}
	switch v := single(doc["issuer"]).(type) {
	case string:
		if checkWebURL(v) == nil {
			return s.issuer(v, false), true
		}
	case map[string]any:
		if isWebURL(idOf(v)) {
			return s.issuer(idOf(v), false), true
		}
	}
	s.rep.fail("issuer", id, "the endorser has no address that could confirm it")
	return profile{}, false
}
