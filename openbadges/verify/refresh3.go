package verify

import (
	"net/http"
	"slices"
	"strings"
)

const refreshType = "1EdTechCredentialRefresh"

// refreshed asks the issuer for a newer copy of a credential (OB 3.0, section
// "OpenBadgeCredential Verification", step 3): once, after the proof was found good,
// and only where the credential says so. It returns the copy when that is newer, of
// the same id and issuer, and as well made and proven; else the credential itself,
// and the verification goes on with it as the specification has it.
func (s *session) refreshed(c *credential, proven bool) *credential {
	if !proven || s.depth >= maxNesting {
		return c
	}
	for _, e := range list(c.doc["refreshService"]) {
		m, _ := e.(map[string]any)
		where, _ := m["id"].(string)
		if where == "" || !slices.Contains(typesOf(m), refreshType) {
			continue // reported with the schema, or of another kind
		}
		fresh, why := s.refresh(c, where)
		if why != "" {
			s.rep.warn("validity", c.id, "no newer copy could be had from %s, so this one counts: %s", clip(where), clip(why))
			return c
		}
		if fresh == nil {
			s.rep.pass("validity", c.id, "the issuer's newest copy, as %s says", clip(where))
			return c
		}
		s.rep.warn("validity", c.id, "the issuer has a newer copy at %s; that one counts", clip(where))
		return fresh
	}
	return c
}

// refresh gets the newer copy: nil when the issuer has none newer; why says what is
// wrong with the answer.
func (s *session) refresh(c *credential, where string) (fresh *credential, why string) {
	if err := checkWebURL(where); err != nil {
		return nil, err.Error()
	}
	res, err := s.get(where, acceptBadge, s.opt.MaxImage)
	switch {
	case err != nil:
		return nil, err.Error()
	case res.Status != http.StatusOK:
		return nil, "HTTP " + http.StatusText(res.Status)
	case res.moved(where):
		return nil, "another host answers"
	}
	t := s.sub()
	fresh, ok := t.readCredential(res.Body)
	if !ok {
		return nil, strings.Join(t.rep.Problems(), "; ")
	}
	t.describe(fresh)
	if fresh.id != c.id || fresh.issuer != c.issuer {
		return nil, "it is another credential"
	}
	before, begins := c.begins(), fresh.begins()
	switch {
	case sameJSON(fresh.doc, c.doc), begins == before:
		return nil, ""
	case begins < before:
		return nil, "it is older"
	}
	class := t.class3(fresh)
	t.context3(fresh, class)
	subject := "Subject"
	if class == classEndorsement {
		subject = "EndorsementSubject"
	}
	t.schema3(fresh, subject)
	t.schemas3(fresh)
	t.proof(fresh)
	if t.rep.verdict() != Valid {
		return nil, strings.Join(t.rep.Problems(), "; ")
	}
	return fresh, ""
}

// begins is when a credential begins to hold, in seconds.
func (c *credential) begins() int64 {
	from, _ := c.dates()
	for _, name := range from {
		text, _ := c.doc[name].(string)
		if t, ok := time3(text); ok {
			return t.Unix()
		}
	}
	return 0
}
