package web

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"badgebridge/openbadges"
	"badgebridge/openbadges/verify"
	"badgebridge/store"
)

// verdict is what a verification means for people. State is one of "genuine",
// "undecided", "ended" and "false"; the pages tell them apart by a word, a sign
// and a colour.
type verdict struct {
	State string
	// Kind is, of ended, "revoked" or "expired"; of false, "elses", a good badge of
	// somebody else; of undecided, "gone", which was genuine when it was last seen.
	Kind   string
	Sign   string
	Tone   string // "ok", "warn", "bad", "" : the colour
	Made   int    // checks that were made
	At     time.Time
	Checks []checkLine  // each
	Groups []checkGroup // the same, as questions that people ask
	Report verify.Report
	// Of gone: when it verified last, and since when its source does not answer, as
	// far as checks on a schedule have seen it.
	LastGood, Since time.Time
}

// Word is the locale key of the verdict's one word.
func (v verdict) Word() string {
	if v.Kind != "" {
		return "verdict." + v.Kind
	}
	return "verdict." + v.State
}

// Matched reports that the badge is made out to whom was asked about.
func (v verdict) Matched() bool { m := v.Report.Recipient.Matched; return m != nil && *m }

// Mismatched reports that it is made out to somebody else.
func (v verdict) Mismatched() bool { m := v.Report.Recipient.Matched; return m != nil && !*m }

// checkLine is one check, told to people: Key is under "check.".
type checkLine struct {
	verify.Check
	Sign, Tone string
}

const (
	verdictOwn     = 5 * time.Second // ours are checked in this process
	verdictForeign = 10 * time.Minute
	verdictAway    = 30 * time.Second
	verdictTime    = 8 * time.Second
	maxVerdicts    = 2000
)

// judge reads a report.
func judge(r verify.Report, at time.Time) verdict {
	v := verdict{Report: r, At: at}
	for _, c := range r.Checks {
		line := checkLine{Check: c, Sign: "·"}
		switch c.Status {
		case verify.Pass:
			line.Sign, line.Tone = "✓", "ok"
		case verify.Warn:
			line.Sign, line.Tone = "!", "warn"
		case verify.Fail:
			line.Sign, line.Tone = "✕", "bad"
		case verify.Skip:
			continue // nothing that a person could do with it
		}
		v.Checks = append(v.Checks, line)
	}
	v.Made, v.Groups = len(v.Checks), groupChecks(v.Checks)
	switch {
	case r.Outcome == verify.Valid:
		v.State, v.Sign, v.Tone = "genuine", "✓", "ok"
	case r.Revoked:
		v.State, v.Kind, v.Sign, v.Tone = "ended", "revoked", "⊘", "bad"
	case r.Expired:
		v.State, v.Kind, v.Sign, v.Tone = "ended", "expired", "◷", "warn"
	case r.Outcome == verify.Invalid:
		v.State, v.Sign, v.Tone = "false", "✕", "bad"
		if onlyRecipient(r) {
			v.Kind = "elses"
		}
	default:
		v.State, v.Sign = "undecided", "?"
	}
	return v
}

// onlyRecipient reports whether all that is wrong with a badge is that it is made
// out to somebody else.
func onlyRecipient(r verify.Report) bool {
	for _, c := range r.Checks {
		if c.Status == verify.Fail && c.Name != "recipient" {
			return false
		}
	}
	return r.Recipient.Matched != nil && !*r.Recipient.Matched
}

// verdictOf verifies the award now, or tells what a check moments ago found.
func (s *Server) verdictOf(ctx context.Context, b badge) verdict {
	now := s.cfg.Now()
	if b.Revoked {
		return verdict{State: "ended", Kind: "revoked", Sign: "⊘", Tone: "bad", At: now}
	}
	if v, ok := s.checked.get(b.ID, now); ok {
		return v
	}
	if b.Brought() {
		ctx, cancel := context.WithTimeout(ctx, verdictTime)
		defer cancel()
		v := s.verdictOfBrought(ctx, b)
		keep := verdictForeign
		if v.State == "undecided" {
			keep = verdictAway
		}
		s.checked.put(b.ID, v, now.Add(keep))
		return v
	}
	address, keep := b.AssertionURL, verdictForeign
	if a, err := s.cfg.Store.AssertionOf(ctx, b.ID, openbadges.V20); err == nil && b.Claim == store.Claimed {
		address, keep = b.BaseURL+"/ob/v2/assertions/"+a.ID, verdictOwn
	}
	undecided := verdict{State: "undecided", Sign: "?", At: now}
	if address == "" || b.BaseURL == "" {
		return undecided
	}
	ctx, cancel := context.WithTimeout(ctx, verdictTime)
	defer cancel()
	opt := verify.Options{Timeout: verdictTime}
	if b.Recipient.Type != "" && !b.Recipient.Hashed && b.Recipient.Identity != "" {
		opt.Recipient = []verify.Identifier{{Type: b.Recipient.Type, Value: b.Recipient.Identity}}
	}
	v := judge(s.verify(ctx, verify.Input{URL: address}, opt), now)
	if v.State == "undecided" {
		keep = verdictAway // somebody's server is away; look again soon
	}
	s.checked.put(b.ID, v, now.Add(keep))
	return v
}

// verify checks a badge now.
func (s *Server) verify(ctx context.Context, in verify.Input, opt verify.Options) verify.Report {
	opt.Fetcher, opt.Now = ownFirst{s, s.cfg.BaseURL(ctx)}, s.cfg.Now
	return verify.Verify(ctx, in, opt)
}

// ownFirst answers our own documents from the store, as the outside would get
// them, and asks the network for everything else.
type ownFirst struct {
	s    *Server
	base string
}

// Fetch implements verify.Fetcher.
func (f ownFirst) Fetch(ctx context.Context, url, accept string, maxBytes int64) (verify.Resource, error) {
	path, own := strings.CutPrefix(url, f.base)
	if !own || f.base == "" || !strings.HasPrefix(path, "/ob/") && path != jwksPath && path != didPath {
		return f.s.cfg.Fetcher.Fetch(ctx, url, accept, maxBytes)
	}
	doc, err := f.s.docs.find(ctx, path)
	if err != nil {
		out := outcomeOf(err)
		if out.status >= http.StatusInternalServerError {
			return verify.Resource{}, err
		}
		return verify.Resource{Status: out.status, Header: http.Header{}}, nil
	}
	if int64(len(doc.body)) > maxBytes {
		return verify.Resource{}, errTooBig
	}
	h := http.Header{}
	for _, kv := range doc.headers {
		h[kv[0].(string)] = kv[1].([]string) //nolint:forcetypeassert // made by ready
	}
	return verify.Resource{Status: doc.status, Header: h, Body: doc.body}, nil
}

// verdicts remembers what checks found, for a short while.
type verdicts struct {
	mu  sync.Mutex
	m   map[string]keptVerdict
	now func() time.Time
}

type keptVerdict struct {
	v     verdict
	until time.Time
}

func newVerdicts(now func() time.Time) *verdicts {
	return &verdicts{m: map[string]keptVerdict{}, now: now}
}

func (k *verdicts) get(id string, now time.Time) (verdict, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.m[id]
	return e.v, ok && now.Before(e.until)
}

func (k *verdicts) put(id string, v verdict, until time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.m) >= maxVerdicts {
		clear(k.m)
	}
	k.m[id] = keptVerdict{v, until}
}

func (k *verdicts) forget(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.m, id)
}
