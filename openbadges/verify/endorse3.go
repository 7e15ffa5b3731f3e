package verify

import (
	"strings"
)

// Bounds of what hangs on one credential.
const (
	maxEndorsements = 20
	maxNesting      = 2 // credentials that are looked at for the sake of another
)

// sub is a session for a credential that this one depends on. It has a report of
// its own, and the fetches, what was fetched and the time in common.
func (s *session) sub() *session {
	t := *s
	t.rep = &Report{Verification: "none"}
	t.depth++
	t.opt.Recipient = nil
	return &t
}

// endorsements3 verifies every endorsement by its own proof: those of the
// credential, of the achievement, and of the profiles.
func (s *session) endorsements3(c *credential) {
	if s.depth >= maxNesting {
		return
	}
	subject := object(c.doc["credentialSubject"])
	achievement := object(subject["achievement"])
	issuer := object(c.doc["issuer"])
	left := maxEndorsements
	about := map[string]bool{c.id: true}
	holders := []map[string]any{c.doc, achievement, issuer, object(achievement["creator"]), object(subject["source"])}
	for _, h := range append(holders, subject) {
		if id, ok := h["id"].(string); ok {
			about[id] = true
		}
	}
	for _, h := range holders {
		for _, e := range list(h["endorsement"]) {
			doc, ok := e.(map[string]any)
			if !ok {
				continue // reported with the schema
			}
			if left--; left < 0 {
				break
			}
			t := s.sub()
			t.rep.Verification = "proof"
			t.endorsement(&credential{doc: doc})
			s.endorsed(c.id, t.rep, about)
		}
		for _, e := range list(h["endorsementJwt"]) {
			jwt, ok := e.(string)
			if !ok || !looksLikeJWS([]byte(jwt)) {
				continue
			}
			if left--; left < 0 {
				break
			}
			t := s.sub()
			if inner, ok := t.readJWT(jwt); ok {
				t.endorsement(inner)
			}
			s.endorsed(c.id, t.rep, about)
		}
	}
	if left < 0 {
		s.rep.undecided("endorsement", c.id, "only the first %d endorsements were looked at", maxEndorsements)
	}
}

// endorsement verifies a credential that has to be an endorsement.
func (s *session) endorsement(c *credential) {
	s.describe(c)
	s.rep.Subject = c.id
	class := s.class3(c)
	s.context3(c, class)
	if class != classEndorsement {
		s.rep.fail("type", c.id, "it is no EndorsementCredential")
		return
	}
	s.endorsementCredential(c)
}

func (s *session) endorsementCredential(c *credential) {
	s.schema3(c, "EndorsementSubject")
	proven := s.proof(c)
	c = s.refreshed(c, proven)
	s.status(c, proven)
	s.validity3(c)
	s.schemas3(c)
	if subject := object(c.doc["credentialSubject"]); subject != nil {
		s.rep.about, _ = subject["id"].(string)
	}
}

// endorsed tells what became of an endorsement.
func (s *session) endorsed(node string, r *Report, about map[string]bool) {
	id := r.Subject
	if id == "" {
		id = node
	}
	problems := strings.Join(r.Problems(), "; ")
	switch r.verdict() {
	case Invalid:
		s.rep.fail("endorsement", id, "an endorsement does not hold: %s", clip(problems))
		return
	case Unknown:
		s.rep.undecided("endorsement", id, "it could not be decided whether an endorsement holds: %s", clip(problems))
		return
	}
	if r.about != "" && !about[r.about] {
		s.rep.warn("endorsement", id, "an endorsement with a good proof, but it is about %s, which is nothing in this credential", clip(r.about))
		return
	}
	s.rep.pass("endorsement", id, "an endorsement with a good proof")
}
