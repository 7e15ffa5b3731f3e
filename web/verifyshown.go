package web

import (
	"strings"
	"time"

	"badgebridge/openbadges"
	v2 "badgebridge/openbadges/v2"
	"badgebridge/openbadges/verify"
)

// shownBadge is what a verified document says, for people. Nothing of it is to
// be believed but by the verdict that stands above it.
type shownBadge struct {
	verify.Badge
	Issued, Ends time.Time
	Kind         string // OB 3.0 achievementType
	Credits      string
	License      string
	Role, Term   string
	From, To     time.Time // of the activity
	Results      []shownResult
	Proofs       []openbadges.Evidence
	Standards    []openbadges.Alignment
	Image        string // an address of ours; a stranger's picture is not fetched by the visitor's browser
}

// shownResult is one result with the name of what it answers.
type shownResult struct {
	Name, Value, Status string
}

// shown makes the badge of a report ready for the page; nil when it has none.
// base is our own public address.
func shown(r verify.Report, base string) *shownBadge {
	if r.Badge == nil {
		return nil
	}
	s := &shownBadge{Badge: *r.Badge}
	s.Issued, _ = v2.ParseTime(r.Badge.IssuedOn)
	s.Ends, _ = v2.ParseTime(r.Badge.Expires)
	if path, own := strings.CutPrefix(r.Badge.Image, base+"/ob/images/"); own && base != "" && !strings.ContainsAny(path, "/?#") {
		s.Image = "/ob/images/" + path
	}
	if r.Assertion == nil {
		for _, address := range r.Badge.Evidence {
			s.Proofs = append(s.Proofs, openbadges.Evidence{ID: address})
		}
		return s
	}
	a := r.Assertion.Award
	s.Kind, s.Credits, s.License = a.BadgeClass.AchievementType, a.CreditsEarned.String(), a.LicenseNumber
	s.Role, s.Term, s.From, s.To = a.Role, a.Term, a.ActivityStart, a.ActivityEnd
	s.Proofs, s.Standards = a.Evidence, a.BadgeClass.Alignments
	for _, result := range a.Results {
		s.Results = append(s.Results, showResult(result, a.BadgeClass.ResultDescriptions))
	}
	return s
}

func showResult(r openbadges.Result, descriptions []openbadges.ResultDescription) shownResult {
	out := shownResult{Value: r.Value, Status: r.Status}
	for _, d := range descriptions {
		if d.ID != r.ResultDescription {
			continue
		}
		out.Name = d.Name
		for _, level := range d.Levels {
			if level.ID == r.AchievedLevel && out.Value == "" {
				out.Value = level.Name
			}
		}
		if out.Value != "" && d.ValueMax != "" {
			out.Value += " / " + d.ValueMax
		}
	}
	if out.Value == "" {
		out.Value = r.AchievedLevel
	}
	return out
}
