package verify

import (
	"errors"
	"fmt"
	"strings"

	"badgebridge/openbadges/jsonld"
	"badgebridge/openbadges/rdfc"
)

// trial is what became of one proof.
type trial struct {
	check   string // that an error is filed under: proof, key or context
	err     error  // nil: the signature is good
	open    bool   // err leaves it undecided
	unnamed string // the signature is good, but why the key is not known as the issuer's
	how     string // suite and key, for people
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
	proofs := list(c.doc["proof"])
	if len(proofs) > maxProofs {
		s.rep.undecided("proof", c.id, "only the first %d of %d proofs were looked at", maxProofs, len(proofs))
		proofs = proofs[:maxProofs]
	}
	for _, p := range proofs {
		trials = append(trials, s.embeddedTrial(c, p))
	}
	if len(trials) == 0 {
		return s.missingProof(c)
	}
	good := s.settleProofs(c, trials)
	if !good || strings.Contains(trials[0].how, "rdfc") {
		return good
	}
	s.safe(c)
	return good
}

const maxProofs = 8

// embeddedTrial checks one proof of Data Integrity.
func (s *session) embeddedTrial(c *credential, v any) trial {
	bad := func(format string, args ...any) trial {
		return trial{check: "proof", err: fmt.Errorf(format, args...)}
	}
	p, ok := v.(map[string]any)
	if !ok {
		return bad("the proof is no object")
	}
	suite, _ := p["cryptosuite"].(string)
	kind, _ := p["type"].(string)
	switch purpose, _ := p["proofPurpose"].(string); {
	case kind == "":
		return bad("the proof has no type")
	case kind != "DataIntegrityProof" || !supported(suite):
		return trial{check: "proof", err: fmt.Errorf("its suite, %s, is not supported", clip(strings.TrimSpace(kind+" "+suite))), open: true}
	case purpose != "assertionMethod":
		return bad("the proof was made for %q and not for issuing (assertionMethod)", clip(purpose))
	}
	for _, name := range []string{"created", "expires"} {
		v, there := p[name]
		text, _ := v.(string)
		at, ok := time3(text)
		switch {
		case there && !ok:
			return bad("the proof's %s is no time", name)
		case there && name == "expires" && !at.After(s.now):
			return bad("the proof ran out on %s", text)
		}
	}
	method, _ := p["verificationMethod"].(string)
	if m, ok := p["verificationMethod"].(map[string]any); ok {
		method, _ = m["id"].(string)
	}
	found, err := s.keyOf(method, c.issuer)
	if err != nil {
		return keyTrial(err)
	}
	err = verifyIntegrity(s.withContexts(), processor(), c.doc, p, found.key)
	switch {
	case isAny(err, errSuite):
		return trial{check: "proof", err: err, open: true}
	case isAny(err, jsonld.ErrContext, jsonld.ErrUnsupported, jsonld.ErrLimit, rdfc.ErrTooComplex):
		return trial{check: "context", err: err, open: true}
	case isAny(err, jsonld.ErrUnsafe):
		return trial{check: "context", err: fmt.Errorf("the credential says something that its contexts do not define: %w", err)}
	case isAny(err, jsonld.ErrInvalid, jsonld.ErrSyntax):
		return trial{check: "context", err: err}
	case err != nil:
		return bad("%v", err)
	}
	return trial{check: "proof", unnamed: found.unnamed, how: describeSuite(suite, found.method)}
}

func supported(suite string) bool {
	switch suite {
	case "eddsa-rdfc-2022", "eddsa-jcs-2022", "ecdsa-rdfc-2019":
		return true
	}
	return false
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
