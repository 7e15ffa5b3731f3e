package web_test

import "testing"

func TestABadgesTextsSayTheirLanguageAndRunInTheirOwnDirection(t *testing.T) {
	o := newOutside(t)
	o.put("/badge", map[string]any{"type": "BadgeClass", "@language": "ar", "name": "بحّار", "description": "يبحر", "image": college + "/badge.svg",
		"criteria": map[string]any{"narrative": "أبحر."}, "issuer": college + "/issuer"})
	b := o.signIn(ada)
	one := o.brings(b, ada, 1)[0]
	b.get("/").has(t, `dir="auto" lang="ar">بحّار</a>`)
	for _, page := range []string{"/badges/" + one.ID, "/b/" + one.ID} {
		b.get(page).has(t, `<h1 dir="auto" lang="ar">بحّار</h1>`, `<p class="muted" dir="auto" lang="ar">يبحر</p>`, `<div class="prose" dir="auto" lang="ar">`)
	}

	o.put("/badge", map[string]any{"type": "BadgeClass", "@language": `ar" onclick="x`, "name": "Sailor", "description": "Sails", "image": college + "/badge.svg",
		"criteria": map[string]any{"narrative": "Sail."}, "issuer": college + "/issuer"})
	b.post("/badges/add", "url", o.awards(2, ada))
	list, err := o.db.AwardsOf(t.Context(), o.person(ada), 10)
	must(t, err)
	for _, a := range list {
		b.get("/b/"+a.ID).lacks(t, "onclick")
	}
}
