package web

import "badgebridge/openbadges/verify"

// checkGroup is several checks as one question that people ask. Name is under
// "group."; Message is what went wrong, "" when nothing did.
type checkGroup struct {
	Name       string
	Status     verify.Status
	Sign, Tone string
	Message    string
}

// groupOf says which question a check answers.
func groupOf(check string) string {
	switch check {
	case "hosting", "scope":
		return "hosting"
	case "issuer", "proof", "key":
		return "issuer"
	case "recipient", "image":
		return check
	case "status", "validity":
		return "holds"
	}
	return "form"
}

// groupChecks sums checks up: the worst one decides, and the first of that
// kind says why.
func groupChecks(lines []checkLine) []checkGroup {
	rank := map[verify.Status]int{verify.Pass: 1, verify.Warn: 2, verify.Fail: 3}
	var out []checkGroup
	for _, name := range []string{"hosting", "issuer", "recipient", "holds", "image", "form"} {
		var g checkGroup
		for _, l := range lines {
			if groupOf(l.Name) == name && rank[l.Status] > rank[g.Status] {
				g = checkGroup{Name: name, Status: l.Status, Sign: l.Sign, Tone: l.Tone, Message: l.Message}
			}
		}
		if g.Name == "" {
			continue
		}
		if g.Status == verify.Pass {
			g.Message = ""
		}
		out = append(out, g)
	}
	return out
}
