package web

import (
	"context"
	"strings"
	"time"

	"badgebridge/openbadges"
	"badgebridge/openbadges/verify"
	"badgebridge/store"
)

// verdictOfBrought verifies now what attests a badge that its earner brought: the
// document where it is hosted, or the signed one that was kept.
func (s *Server) verdictOfBrought(ctx context.Context, b badge) verdict {
	now := s.cfg.Now()
	undecided := verdict{State: "undecided", Sign: "?", At: now}
	docs, err := s.cfg.Store.CollectedOf(ctx, b.ID)
	if err != nil || len(docs) == 0 {
		return undecided
	}
	best := docs[0]
	for _, d := range docs {
		if better(d, best) {
			best = d
		}
	}
	in := verify.Input{URL: best.Locator}
	if best.Verification != "hosted" || webAddress(best.Locator) == "" {
		sha := best.DocumentSHA
		if best.OriginalSHA != "" {
			sha = best.OriginalSHA // a JWS or JWT is more than its payload
		}
		doc, err := s.cfg.Store.Document(ctx, sha)
		if err != nil {
			return undecided
		}
		in = verify.Input{Data: doc.Body}
	}
	opt := verify.Options{Timeout: verdictTime, Recipient: s.recipientsOf(ctx, b)}
	v := judge(s.verify(ctx, in, opt), now)
	switch {
	case v.State == "undecided" && !best.GenuineAt.IsZero(), missing(v.Report) && !best.GenuineAt.IsZero():
		// What was genuine is not false because its source went away.
		v.State, v.Kind, v.Sign, v.Tone = "undecided", "gone", "◌", "warn"
		v.LastGood, v.Since = best.GenuineAt, best.GoneSince
	case v.Kind == "revoked" && !b.Revoked && s.cfg.Backpack != nil:
		// Seen here first: the record, its owner's page and the mail follow.
		s.cfg.Go(func(stop context.Context) {
			ctx, cancel := context.WithTimeout(stop, verdictTime)
			defer cancel()
			if _, _, err := s.cfg.Backpack.Recheck(ctx, best.ID); err != nil {
				s.cfg.Log.WarnContext(ctx, "check a badge again", "error", err)
			}
		})
	}
	return v
}

// better prefers what verified, and of that what can be asked for at its issuer's.
func better(a, b store.Collected) bool {
	rank := func(c store.Collected) int {
		n := 0
		if c.Standing == store.Genuine || c.Standing == store.ExpiredNow || c.Standing == store.RevokedNow {
			n += 2
		}
		if c.Verification == "hosted" {
			n++
		}
		return n
	}
	return rank(a) > rank(b)
}

// missing: the document itself is not there; nothing that it says is wrong.
func missing(r verify.Report) bool {
	bad := false
	for _, c := range r.Checks {
		if c.Status != verify.Fail {
			continue
		}
		if c.Name != "hosting" && c.Name != "format" {
			return false
		}
		bad = true
	}
	return bad && r.Assertion == nil && !r.Revoked
}

// recipientsOf are the identifiers that a badge's owner has proven.
func (s *Server) recipientsOf(ctx context.Context, b badge) []verify.Identifier {
	known, err := s.cfg.Store.IdentifiersOf(ctx, b.PersonID)
	if err != nil {
		return nil
	}
	var out []verify.Identifier
	for _, i := range known {
		out = append(out, verify.Identifier{Type: i.Type, Value: i.Value})
	}
	return out
}

// endorsement is a third party's word for a badge or its issuer.
type endorsement struct {
	openbadges.Endorsement
	About  string // "badge", "award", "issuer"
	Origin origin
	On     time.Time
	State  verify.Status // what its own check said; "" none was made
}

// maxEndorsements bounds what a page shows.
const maxEndorsements = 20

// endorsements are what others say, as far as the badge's documents carry it.
func endorsements(b badge, r verify.Report) []endorsement {
	var out []endorsement
	add := func(about string, list []openbadges.Endorsement) {
		for _, e := range list {
			if len(out) == maxEndorsements {
				return
			}
			one := endorsement{Endorsement: e, About: about, Origin: originOfIssuer(e.Issuer), On: e.IssuedOn}
			for _, c := range r.Checks {
				if c.Name == "endorsement" && e.ID != "" && (c.Node == e.ID || strings.Contains(c.Message, e.ID)) {
					one.State = c.Status
				}
			}
			out = append(out, one)
		}
	}
	class, issuer := b.Content, b.Issuer.Profile
	if a := r.Assertion; a != nil {
		add("award", a.Endorsements)
		class, issuer = a.Award.BadgeClass, a.Issuer
	}
	add("badge", class.Endorsements)
	add("issuer", issuer.Endorsements)
	return out
}
