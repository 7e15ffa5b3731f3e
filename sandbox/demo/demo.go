// Package demo is the demo's cast: an association, its people and its badges, as
// data. They seed the simulated site and the simulated Credly, and are plainly
// made up: every address is under example.org.
package demo

import (
	"time"

	"badgebridge/sandbox/site"
	"badgebridge/sandbox/site/seal"
)

// The association.
const (
	Association      = "Example Association"
	AssociationEmail = "badges@example.org"
	AssociationURL   = "https://example.org"
	Hue              = 262 // the association's OKLCH hue, in degrees
)

// Person is one of the demo's people.
type Person struct {
	Email       string
	Proven      bool // the site itself has mailed a link to the address and it was used
	GivenName   string
	FamilyName  string
	DisplayName string   // "" for given and family name
	Roles       []string // WordPress role names
	Locale      string
	Story       string // why this person is in the demo
}

// Badge is one of the association's badges.
type Badge struct {
	Title       string
	Description string
	Criteria    string // Markdown
	ValidYears  int    // 0: for good
	Hue         float64
	Shape       seal.Shape
	Glyph       seal.Glyph
	// Template is the name of the Credly template that it is mapped to, "" when
	// Credly has none.
	Template string
	Skills   []string
}

// Award is a badge that somebody has at the site already. Age is how long ago,
// so that a demo never looks old.
type Award struct {
	Badge, Email string
	Age          time.Duration
	Trigger      string
}

// Image draws the badge as a PNG of 600 by 600 pixels.
func (b Badge) Image() []byte { return seal.Seal(b.Hue, b.Shape, b.Glyph) }

// People lists the cast; the administrator is the last.
func People() []Person {
	member := []string{"subscriber"}
	return []Person{
		{Email: "ada@example.org", Proven: true, GivenName: "Ada", FamilyName: "Example", Roles: member, Locale: "en",
			Story: "Has badges, some from elsewhere, and shows them in collections; her name and address are complete, so everything flows."},
		{Email: "bo@example.org", Proven: true, GivenName: "Bo", DisplayName: "Bo", Roles: member, Locale: "de",
			Story: "Never gave a family name: Credly asks for one, so that pushes there wait until somebody fills it in."},
		{Email: "chidi@example.org", GivenName: "Chidi", FamilyName: "Example", Roles: member, Locale: "en",
			Story: "The site never proved his address: he has to enter a code before his badges are his."},
		{Email: "dana@example.org", Proven: true, GivenName: "Dana", FamilyName: "Example", Roles: member, Locale: "fr",
			Story: "Has no badge yet: award her one and watch it travel."},
		{Email: "emre@example.org", Proven: true, GivenName: "Emre", FamilyName: "Example", Roles: []string{"editor"}, Locale: "en",
			Story: "Holds a badge that Credly has no template for."},
		{Email: "grace@example.org", Proven: true, GivenName: "Grace", FamilyName: "Admin Example", Roles: []string{"administrator"}, Locale: "en",
			Story: "The administrator."},
	}
}

// Badges lists the association's badges.
func Badges() []Badge {
	return []Badge{
		{Title: "Open Practice", Hue: 262, Shape: seal.Hexagon, Glyph: seal.Book, ValidYears: 3, Template: "Open Practice",
			Description: "Leads open, reproducible work in a team: plans it, reviews it, and passes it on.",
			Criteria:    "Forty hours of supervised practice and two reviewed contributions.\n\nA talk to colleagues, seen by two members of the practice board.",
			Skills:      []string{"Reproducible work", "Peer review"}},
		{Title: "Conference Speaker", Hue: 300, Shape: seal.Shield, Glyph: seal.Star, Template: "Conference Speaker",
			Description: "Gave a talk at the association's yearly conference.",
			Criteria:    "A proposal that the programme committee took, and the talk itself.",
			Skills:      []string{"Public speaking"}},
		{Title: "Mentor", Hue: 10, Shape: seal.Shield, Glyph: seal.Heart, ValidYears: 2, Template: "Mentor",
			Description: "Accompanied two new members through their first year.",
			Criteria:    "Two mentorships of twelve months, and a short report from each mentee.",
			Skills:      []string{"Mentoring", "Feedback"}},
		{Title: "Data Stewardship", Hue: 155, Shape: seal.Hexagon, Glyph: seal.Leaf, ValidYears: 3, Template: "Data Stewardship",
			Description: "Looks after a shared data set so that others can find, understand and reuse it.",
			Criteria:    "One data set in the association's catalogue, with its description reviewed.",
			Skills:      []string{"Data management", "Documentation"}},
		{Title: "Secure Coding", Hue: 220, Shape: seal.Hexagon, Glyph: seal.Code, Template: "Secure Coding",
			Description: "Finds and mends the usual weaknesses in a web application.",
			Criteria:    "The two-day course and its practical examination.",
			Skills:      []string{"Secure development"}},
		{Title: "Reviewer", Hue: 85, Shape: seal.Circle, Glyph: seal.Star,
			Description: "Reviewed contributions of other members, in time and with care.",
			Criteria:    "Ten reviews within a year."},
	}
}

// Awards lists what the people have at the site already.
func Awards() []Award {
	const day = 24 * time.Hour
	return []Award{
		{Badge: "Reviewer", Email: "ada@example.org", Age: 340 * day, Trigger: "Ten reviews"},
		{Badge: "Mentor", Email: "ada@example.org", Age: 120 * day, Trigger: "Awarded by an administrator"},
		{Badge: "Reviewer", Email: "emre@example.org", Age: 75 * day, Trigger: "Ten reviews"},
		{Badge: "Data Stewardship", Email: "chidi@example.org", Age: 41 * day, Trigger: "Data set published"},
		{Badge: "Open Practice", Email: "bo@example.org", Age: 9 * day, Trigger: "Course completed"},
		{Badge: "Open Practice", Email: "ada@example.org", Age: 8 * day, Trigger: "Course completed"},
	}
}

// SiteSeed is the cast as the simulated site takes it; the awards are dated back
// from now.
func SiteSeed(now time.Time) site.Seed {
	var seed site.Seed
	for _, b := range Badges() {
		badge := site.Badge{Title: b.Title, Description: b.Description, Criteria: b.Criteria, Hue: b.Hue, Shape: b.Shape, Glyph: b.Glyph}
		if b.ValidYears > 0 {
			badge.ExpiresAfter = &site.Span{Count: b.ValidYears, Unit: "year"}
		}
		seed.Badges = append(seed.Badges, badge)
	}
	for _, p := range People() {
		seed.Members = append(seed.Members, site.Member{
			Email: p.Email, EmailProven: p.Proven, GivenName: p.GivenName, FamilyName: p.FamilyName,
			DisplayName: p.DisplayName, Roles: p.Roles, Locale: p.Locale,
		})
	}
	for _, a := range Awards() {
		seed.Awards = append(seed.Awards, site.SeedAward{Badge: a.Badge, Email: a.Email, On: now.Add(-a.Age), Trigger: a.Trigger})
	}
	return seed
}
