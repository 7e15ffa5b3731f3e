package demo

import (
	"time"

	"badgebridge/sandbox/college"
	"badgebridge/sandbox/site/seal"
)

// Another issuer, and what became of two of the badges that it once awarded.
const (
	College = "Harbour College (demo)"

	// RevokedThere was taken back by the college, for RevokedReason.
	RevokedThere  = "project-lead"
	RevokedReason = "Awarded to the wrong one of two people of the same name."
	// GoneThere is on the college's site no longer.
	GoneThere = "summer-school"
)

// Earner is the member who brought badges from elsewhere and shows some.
const Earner = "ada@example.org"

// Elsewhere lists what the earner has from the college.
func Elsewhere() []college.Badge {
	const day = 24 * time.Hour
	return []college.Badge{
		{Slug: "statistics", Name: "Statistics in Practice", Hue: 200, Shape: seal.Circle, Glyph: seal.Bolt, Email: Earner, Age: 200 * day, Credential: true,
			Description: "Plans a study, reads its figures, and says how sure one may be.",
			Criteria:    "Twelve weeks, an analysis of one's own data, and a written examination.",
			Skills:      []string{"Statistics", "Study design"}, Evidence: "An analysis of twelve years of harbour tides, with its data and its program."},
		{Slug: "scientific-writing", Name: "Scientific Writing", Hue: 330, Shape: seal.Hexagon, Glyph: seal.Book, Email: Earner, Age: 420 * day,
			Description: "Writes an article that others can follow, question and build on.",
			Criteria:    "One article, reviewed twice by fellow students and once by a lecturer.",
			Skills:      []string{"Writing", "Peer review"}},
		{Slug: "first-aid", Name: "First Aid", Hue: 25, Shape: seal.Shield, Glyph: seal.Heart, Email: Earner, Age: 705 * day, Holds: 730 * day,
			Description: "Helps in the first minutes of an emergency.",
			Criteria:    "A course of nine hours; to be repeated every two years."},
		{Slug: "lab-safety", Name: "Laboratory Safety", Hue: 70, Shape: seal.Hexagon, Glyph: seal.Bolt, Email: Earner, Age: 500 * day, Holds: 365 * day,
			Description: "Works safely in a teaching laboratory.",
			Criteria:    "The yearly instruction and its test."},
		{Slug: RevokedThere, Name: "Project Lead", Hue: 285, Shape: seal.Circle, Glyph: seal.Star, Email: Earner, Age: 310 * day,
			Description: "Led a student project from its first idea to its report.",
			Criteria:    "A project of one term with at least four people."},
		{Slug: GoneThere, Name: "Summer School", Hue: 130, Shape: seal.Circle, Glyph: seal.Leaf, Email: Earner, Age: 1200 * day,
			Description: "Two weeks of field work on the coast.",
			Criteria:    "Taking part from the first day to the last, and a field book."},
	}
}

// Showing says who sees the earner's badges, by name: "public" or "link"; the
// others are private.
func Showing() map[string]string {
	return map[string]string{
		"Mentor": "public", "Reviewer": "public", "Statistics in Practice": "public", "Scientific Writing": "public",
		"First Aid": "link", "Summer School": "link", "Project Lead": "link",
	}
}

// Collection is badges that the earner put together.
type Collection struct {
	Name   string
	Story  string // Markdown
	Public bool   // else by link
	Badges []string
	Cover  string
	Notes  map[string]string // Markdown, by badge
}

// Collections lists them in their order.
func Collections() []Collection {
	return []Collection{
		{Name: "Research that others can use", Public: true, Cover: "Statistics in Practice",
			Story: "What I look for in a result is that **somebody else** can get it, too. These are the steps that brought me there:\n\n" +
				"1. learning to doubt figures,\n2. learning to write down what I did,\n3. reading what others wrote down – and helping them.\n\nMore about the work is on [my page](https://example.org/ada).",
			Badges: []string{"Statistics in Practice", "Scientific Writing", "Reviewer", "Mentor"},
			Notes: map[string]string{
				"Statistics in Practice": "The tides taught me more about *error bars* than any book.",
				"Mentor":                 "Two people, two years, and I learned at least as much as they did.",
			}},
		{Name: "Fit for the field", Cover: "First Aid",
			Story:  "For those who take me along: what I may do in the laboratory and outdoors, and until when.",
			Badges: []string{"First Aid", "Summer School", "Laboratory Safety"}},
	}
}

// What the earner's public profile says.
const (
	Handle = "ada-demo"
	About  = "I look after data at the coast, and help people to **publish what they measured**.\n\nAda is made up: she exists in this demo only."
	Link   = "https://example.org/ada"
)
