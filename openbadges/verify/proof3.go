package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"badgebridge/openbadges/dataintegrity"
	"badgebridge/openbadges/did"
	"badgebridge/openbadges/jsonld"
	"badgebridge/openbadges/rdfc"
	v2 "badgebridge/openbadges/v2"
)

// trial is what became of one proof.
type trial struct {
	check   string // that an error is filed under: proof, key or context
	err     error  // nil: the signature is good
	open    bool   // err leaves it undecided
	unnamed string // the signature is good, but why the key is not known as the issuer's
	how     string // suite and key, for people
	linked  bool   // the proof was made over linked data, so that all terms are defined
}

// rank orders trials: the best one of a set decides.
func (t trial) rank() int {
	switch {
	case t.err == nil && t.unnamed == "":
		return 0
	case t.err == nil:
		return 1
	case t.open:
		return 2
	}
	return 3
}

// settleProofs reports on a credential's proofs. One good proof by the issuer is
// enough; what the others are is remarked on. It tells whether there is a good
// signature, whoever made it.
func (s *session) settleProofs(c *credential, trials []trial) bool {
	best := 0
	for i, t := range trials {
		if t.rank() < trials[best].rank() {
			best = i
		}
	}
	for i, t := range trials {
		if i == best {
			continue
		}
		switch t.rank() {
		case 0, 1:
			s.rep.pass("proof", c.id, "a further proof is good (%s)", t.how)
		case 2:
			s.rep.warn("proof", c.id, "a further proof could not be checked: %v", t.err)
		default:
			s.rep.warn("proof", c.id, "a further proof does not hold: %v", t.err)
		}
	}
	t := trials[best]
	switch t.rank() {
	case 0:
		s.rep.pass("proof", c.id, "the proof is good (%s)", t.how)
		s.rep.pass("key", c.id, "the key may sign credentials")
		s.rep.pass("issuer", c.issuer, "the issuer names the key")
		return true
	case 1:
		s.rep.pass("proof", c.id, "the proof is good (%s)", t.how)
		s.rep.undecided("issuer", c.issuer, "nothing shows that the key belongs to the issuer: %s", clip(t.unnamed))
		return true
	case 2:
		s.rep.undecided(t.check, c.id, "the proof could not be checked: %v", t.err)
	default:
		s.rep.fail(t.check, c.id, "%v", t.err)
	}
	return false
}

// proof checks what proves a credential: the proofs inside, and the JWT around it.
func (s *session) proof(c *credential) bool {
	var trials []trial
	if c.jwt != nil {
		trials = append(trials, s.jwtTrial(c))
	}
	sec, err := dataintegrity.Open(processor(), c.doc)
	if err != nil {
		s.rep.fail("proof", c.id, "%v", err)
		return false
	}
	trials = append(trials, s.embeddedTrials(c, sec)...)
	if len(trials) == 0 {
		return s.missingProof(c)
	}
	good := s.settleProofs(c, trials)
	if good && !slices.ContainsFunc(trials, func(t trial) bool { return t.err == nil && t.linked }) {
		s.safe(c)
	}
	return good
}

const maxProofs = 8

// embeddedTrials checks the proofs inside a credential. One that builds on others
// counts when those are good, too.
func (s *session) embeddedTrials(c *credential, sec *dataintegrity.Secured) []trial {
	proofs := sec.Proofs()
	if len(proofs) > maxProofs {
		s.rep.undecided("proof", c.id, "only the first %d of %d proofs were looked at", maxProofs, len(proofs))
		proofs = proofs[:maxProofs]
	}
	trials := make([]trial, len(proofs))
	byID := map[string]trial{}
	for i, p := range proofs {
		trials[i] = s.embeddedTrial(c, sec, p)
		if p.ID != "" {
			byID[p.ID] = trials[i]
		}
	}
	for i, p := range proofs {
		if trials[i].err != nil || len(p.Previous) == 0 {
			continue
		}
		chain, err := sec.Chain(p)
		if err != nil {
			trials[i].err = err
			continue
		}
		for _, previous := range chain {
			if t, ok := byID[previous.ID]; !ok || t.err != nil {
				trials[i].err = fmt.Errorf("it builds on the proof %s, which does not hold", clip(previous.ID))
				trials[i].open = t.open
			}
		}
	}
	return trials
}

// clockSkew is how far an issuer's clock may be ahead of ours.
const clockSkew = 5 * time.Minute

// embeddedTrial checks one proof of Data Integrity.
func (s *session) embeddedTrial(c *credential, sec *dataintegrity.Secured, p dataintegrity.Proof) trial {
	bad := func(format string, args ...any) trial {
		return trial{check: "proof", err: fmt.Errorf(format, args...)}
	}
	switch {
	case p.Type == "":
		return bad("the proof has no type")
	case p.Type != dataintegrity.DataIntegrityProof || errors.Is(p.Err, dataintegrity.ErrUnsupported):
		return trial{check: "proof", err: fmt.Errorf("its suite, %s, is not supported", clip(strings.TrimSpace(p.Type+" "+p.Cryptosuite))), open: true}
	case p.VerificationMethod == "":
		return trial{check: "key", err: fmt.Errorf("the proof names no key (verificationMethod)")}
	case p.Err != nil:
		return bad("%w", p.Err)
	case p.Purpose != did.AssertionMethod:
		return bad("the proof was made for %q and not for issuing (assertionMethod)", clip(p.Purpose))
	case !p.Expires.IsZero() && !p.Expires.After(s.now):
		return bad("the proof ran out on %s", v2.FormatTime(p.Expires))
	}
	found, err := s.keyOf(p.VerificationMethod, c.issuer)
	if err != nil {
		return keyTrial(err)
	}
	err = sec.Verify(s.withContexts(), p, found.key)
	switch {
	case errors.Is(err, dataintegrity.ErrUnsupported):
		return trial{check: "proof", err: err, open: true}
	case isAny(err, jsonld.ErrContext, jsonld.ErrUnsupported, jsonld.ErrLimit, rdfc.ErrTooComplex, context.Canceled, context.DeadlineExceeded):
		return trial{check: "context", err: err, open: true}
	case isAny(err, jsonld.ErrUnsafe):
		return trial{check: "context", err: fmt.Errorf("the credential says something that its contexts do not define: %w", err)}
	case isAny(err, jsonld.ErrInvalid, jsonld.ErrSyntax):
		return trial{check: "context", err: err}
	case err != nil:
		return bad("%w", err)
	}
	if p.Created.After(s.now.Add(clockSkew)) { // no rule of Data Integrity forbids it
		s.rep.warn("proof", c.id, "the proof says that it was made on %s, after the time that is asked about", v2.FormatTime(p.Created))
	}
	return trial{
		check: "proof", unnamed: found.unnamed, how: describeSuite(p.Cryptosuite, found.method),
		linked: p.Cryptosuite != dataintegrity.EdDSAJCS2022,
	}
}

// keyTrial turns a failure to find a key into a trial.
func keyTrial(err error) trial {
	var k *keyError
	if errors.As(err, &k) {
		return trial{check: "key", err: err, open: !k.decided}
	}
	return trial{check: "key", err: err}
}

func isAny(err error, kinds ...error) bool {
	for _, k := range kinds {
		if errors.Is(err, k) {
			return true
		}
	}
	return false
}

// missingProof reports a credential that nothing proves.
func (s *session) missingProof(c *credential) bool {
	s.rep.fail("proof", c.id, "the credential has no proof; ask the issuer for the signed one")
	s.rep.Verification = "none"
	return false
}

func describeSuite(suite, method string) string {
	if suite == "" {
		return clip(method)
	}
	return fmt.Sprintf("%s, %s", clip(suite), clip(method))
}
