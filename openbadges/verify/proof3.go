package verify

import (
	"errors"
	"fmt"
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
